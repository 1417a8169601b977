//! The stand-alone run: recorded traffic in, what a host's stack would be handed out.

mod support;

use std::collections::HashMap;
use std::time::Duration;

use pagetrain_formats::program::{tcp, Limits};
use pagetrain_formats::{regs, Config, ConfigError, Counter, Reason};
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::host::{HostError, HostOptions};
use pagetrain_golden::standalone::RunError;
use pagetrain_golden::{HostMemory, Pace, RunOptions, Standalone};
use support::captures;
use support::frames::*;
use support::oracle::judge;

fn options() -> RunOptions {
    RunOptions {
        pace: Pace::Line,
        poll_every: None,
        service_every: 16,
        host: HostOptions::full(9, 4096, 0),
        registers: vec![],
    }
}

fn model(config: &Config, options: RunOptions) -> Result<Standalone, RunError> {
    let program = tcp(&Limits::of(config)).unwrap();
    Standalone::new(config, &program.words(), options)
}

/// What was handed up: per packet its number, bytes and whether it is watched; per train reason, packets and clock.
#[derive(Default)]
struct Handed {
    packets: Vec<(u16, Vec<u8>)>,
    trains: Vec<(Reason, usize, u64)>,
    stopped: bool,
}

impl Handed {
    fn take(&mut self, delivery: Delivery<'_>, memory: &HostMemory, clock: u64) {
        match delivery {
            Delivery::Train(train) => {
                let head = train.head().unwrap();
                self.trains.push((head.reason, train.packets.len(), clock));
                for packet in &train.packets {
                    let mut frame = Vec::new();
                    train.frame(packet, memory, &mut frame);
                    self.packets.push((packet.pkt.rx_seq, frame));
                }
            }
            Delivery::Stopped => self.stopped = true,
            Delivery::Finished(_) | Delivery::Returned(_) => {}
        }
    }
}

#[test]
fn every_frame_is_handed_up_once_and_whole_when_captures_are_replayed() {
    for (name, frames) in captures::all() {
        for (poll_every, admit_min) in [(None, 1024), (Some(16), 1), (None, 1)] {
            let registers = vec![(regs::Q_ADMIT_MIN, admit_min), (regs::MAX_FRAME, 16128)];
            let options = RunOptions {
                poll_every,
                registers,
                pace: Pace::Capture,
                ..options()
            };
            let mut run = model(&Config::default(), options).unwrap();
            let mut handed = Handed::default();
            let mut sink = |d: Delivery<'_>, m: &HostMemory, c| handed.take(d, m, c);
            for frame in &frames {
                run.frame(&frame.bytes, frame.stamp, &mut sink).unwrap();
            }
            run.stop(&mut sink).unwrap();
            assert_eq!(run.outstanding(), (0, 0), "{name}");
            let oversize = frames.iter().filter(|f| f.bytes.len() > 16128).count();
            let counters = run.counters();
            assert_eq!(
                counters.get(Counter::DropOversize),
                oversize as u64,
                "{name}"
            );
            assert_eq!(counters.get(Counter::DropNoBuffer), 0, "{name}");
            assert_eq!(handed.packets.len(), frames.len() - oversize, "{name}");
            check_frames(&name, &frames, &handed);
        }
    }
}

fn check_frames(name: &str, frames: &[captures::Recorded], handed: &Handed) {
    assert!(handed.stopped);
    let mut last: HashMap<_, u16> = HashMap::new();
    for (rx_seq, bytes) in &handed.packets {
        let sent = &frames[usize::from(*rx_seq)].bytes;
        assert_eq!(bytes[..], sent[..bytes.len()], "{name}: frame {rx_seq}");
        let judged = judge(sent);
        // Only padding may be missing.
        let least = judged
            .as_ref()
            .filter(|j| j.split.is_some())
            .map_or(sent.len(), |j| j.end);
        assert!(
            bytes.len() >= least,
            "{name}: frame {rx_seq}: {} of {}",
            bytes.len(),
            sent.len()
        );
        if let Some(j) = judged.filter(|j| j.protocol == 6) {
            let flow = (j.src, j.dst, j.sport, j.dport, j.tags);
            let before = last.insert(flow, *rx_seq);
            assert!(
                before.is_none_or(|before| before < *rx_seq),
                "{name}: frame {rx_seq} overtook {before:?}"
            );
        }
    }
}

#[test]
fn segments_come_in_trains_when_bulk_traffic_is_replayed() {
    let own = |name: &str| name == "own_iperf_v4_1500_4flows.pcap";
    let (_, frames) = captures::all()
        .into_iter()
        .find(|(name, _)| own(name))
        .unwrap();
    let mut run = model(&Config::default(), options()).unwrap();
    let mut handed = Handed::default();
    let mut sink = |d: Delivery<'_>, m: &HostMemory, c| handed.take(d, m, c);
    for frame in &frames {
        run.frame(&frame.bytes, frame.stamp, &mut sink).unwrap();
    }
    run.flush(&mut sink).unwrap();
    let joined = run.counters().get(Counter::Aggregated);
    assert!(
        joined > 300,
        "{joined} of {} packets joined a train",
        frames.len()
    );
    assert!(handed.trains.iter().any(|t| t.1 >= 16), "long trains");
}

#[test]
fn train_is_handed_up_by_its_timer_when_the_link_goes_quiet() {
    let mut run = model(
        &Config::default(),
        RunOptions {
            pace: Pace::Capture,
            ..options()
        },
    )
    .unwrap();
    let mut handed = Handed::default();
    let mut sink = |d: Delivery<'_>, m: &HostMemory, c| handed.take(d, m, c);
    // 156.25 MHz: 64 ticks of 256 clocks are 104.9 microseconds.
    for (micros, seq) in [(0, 0), (50, 1460), (110, 2920), (300, 4380)] {
        run.frame(
            &segment(seq, 1460).build(),
            Duration::from_micros(micros),
            &mut sink,
        )
        .unwrap();
    }
    run.poll(&mut sink).unwrap();
    let seen: Vec<_> = handed.trains.iter().map(|t| (t.0, t.1)).collect();
    assert_eq!(
        seen,
        [(Reason::Timer, 2), (Reason::Timer, 1), (Reason::Poll, 1)]
    );
}

#[test]
fn clock_runs_as_the_link_does_when_frames_are_back_to_back() {
    let clocks = |pace, frames: usize| {
        let mut run = model(&Config::default(), RunOptions { pace, ..options() }).unwrap();
        for _ in 0..frames {
            run.frame(&other(60), Duration::ZERO, &mut |_, _, _| {})
                .unwrap();
        }
        run.clock()
    };
    // 84 bytes on the link at 8 bytes a clock: 10.5 clocks a frame; the last one ends with its 60th byte.
    assert_eq!(clocks(Pace::Line, 1), 8);
    assert_eq!(clocks(Pace::Line, 101), 1050 + 8);
    assert_eq!(
        clocks(Pace::Capture, 101),
        1050 + 8,
        "a capture cannot be faster than the link"
    );
    // 8 clocks a frame and 5 between them.
    assert_eq!(clocks(Pace::Gap(5), 11), 10 * 13 + 8);
    assert_eq!(clocks(Pace::Gap(0), 11), 11 * 8);
}

#[test]
fn host_ends_its_poll_when_so_many_frames_have_come() {
    let mut run = model(
        &Config::default(),
        RunOptions {
            poll_every: Some(3),
            ..options()
        },
    )
    .unwrap();
    let mut handed = Handed::default();
    let mut sink = |d: Delivery<'_>, m: &HostMemory, c| handed.take(d, m, c);
    for i in 0..7 {
        run.frame(&segment(i * 1460, 1460).build(), Duration::ZERO, &mut sink)
            .unwrap();
    }
    run.stop(&mut sink).unwrap();
    let seen: Vec<_> = handed.trains.iter().map(|t| (t.0, t.1)).collect();
    assert_eq!(
        seen,
        [(Reason::Poll, 3), (Reason::Poll, 3), (Reason::Stop, 1)]
    );
}

#[test]
fn frames_are_dropped_and_counted_when_the_host_has_too_few_pages() {
    let host = HostOptions {
        pages: vec![(1024, 0)],
        ..HostOptions::full(4, 4096, 0)
    };
    let mut run = model(
        &Config::default(),
        RunOptions {
            host: host.clone(),
            ..options()
        },
    )
    .unwrap();
    let mut packets = 0;
    let mut sink = |d: Delivery<'_>, _: &HostMemory, _| {
        packets += usize::from(matches!(d, Delivery::Train(_)))
    };
    for i in 0..10 {
        run.frame(&segment(i * 1025, 1025).build(), Duration::ZERO, &mut sink)
            .unwrap();
    }
    run.frame(&segment(0, 1024).build(), Duration::ZERO, &mut sink)
        .unwrap();
    run.stop(&mut sink).unwrap();
    assert_eq!(run.counters().get(Counter::DropNoBuffer), 10);
    assert_eq!(packets, 1);

    let registers = vec![(regs::RX_CTRL, 2)];
    let mut run = model(
        &Config::default(),
        RunOptions {
            host,
            registers,
            ..options()
        },
    )
    .unwrap();
    let stuck = run.frame(&segment(0, 1025).build(), Duration::ZERO, &mut |_, _, _| {});
    assert!(
        matches!(stuck, Err(RunError::Stuck { rx_seq: 0, .. })),
        "{stuck:?}"
    );
}

#[test]
fn run_does_not_begin_when_an_option_breaks_its_rule() {
    let config = Config::default();
    let host = |change: fn(&mut HostOptions)| {
        let mut options = options();
        change(&mut options.host);
        match model(&config, options) {
            Err(RunError::Host(HostError::Option { field, .. })) => field,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("accepted"),
        }
    };
    assert_eq!(host(|h| h.small_log2 = 3), "small_log2");
    assert_eq!(host(|h| h.completion_log2 = 16), "completion_log2");
    assert_eq!(host(|h| h.smalls = 513), "small_log2");
    assert_eq!(host(|h| h.base = 0x800), "base");
    assert_eq!(host(|h| h.pages[7] = (8192, 0)), "pages");
    assert_eq!(host(|h| h.pages[7] = (4096, 3073)), "pages");

    let refused = model(
        &config,
        RunOptions {
            registers: vec![(regs::Q_MERGE, 2)],
            ..options()
        },
    );
    assert!(matches!(
        refused,
        Err(RunError::Register {
            addr: regs::Q_MERGE,
            ..
        })
    ));
    let broken = Config { flows: 3, ..config };
    let program = tcp(&Limits::of(&config)).unwrap().words();
    let refused = Standalone::new(&broken, &program, options());
    assert!(matches!(
        refused,
        Err(RunError::Config(ConfigError::Field { field: "flows", .. }))
    ));
    let long = vec![program[0]; 33];
    assert!(
        matches!(
            Standalone::new(&config, &long, options()),
            Err(RunError::Register { .. })
        ),
        "33 rows in 32"
    );
}
