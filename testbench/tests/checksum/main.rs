//! The checksum block against sums and decisions written from the RFCs and the design contract.

mod reference;
mod traffic;

use pagetrain_formats::Config;
use pagetrain_hdl::checksum::{checksum, latency};
use pagetrain_testbench::axis::{AxisFrame, AxisMonitor, AxisSink, AxisSource};
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::{dut, Bits, Rng};
use reference::{meta, Parse, META_WIDTHS, PARSE_WIDTHS, UDP, V4};

fn config(data_width: usize) -> Config {
    Config {
        data_width,
        dma_width: 512,
        ..Config::default()
    }
}

fn design(data_width: usize) -> Design {
    dut::design(&checksum(&config(data_width))).unwrap_or_else(|error| panic!("{error}"))
}

fn build(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

fn record(parse: &Parse) -> Bits {
    let fields: Vec<(u32, u128)> = PARSE_WIDTHS.into_iter().zip(parse.fields()).collect();
    Bits::pack(&fields)
}

/// The fields of a frame's META; the last five are bad, frame_len, rx_seq, ip_csum, l4_csum.
fn fields(got: &AxisFrame) -> Vec<u128> {
    let widths: Vec<u32> = PARSE_WIDTHS.into_iter().chain(META_WIDTHS).collect();
    got.side[0].unpack(&widths)
}

/// A frame, its number and error bit, and what the parser said of it.
struct Case {
    parse: Parse,
    frame: Vec<u8>,
    bad: bool,
    seq: u16,
}

impl Case {
    fn random(rng: &mut Rng, largest: u64) -> Case {
        let (parse, frame) = if rng.chance(0.6) {
            traffic::packet(rng, largest)
        } else {
            traffic::anything(rng, largest)
        };
        Case {
            parse,
            frame,
            bad: rng.chance(0.1),
            seq: rng.bits() as u16,
        }
    }

    fn check(&self, got: &AxisFrame, what: &str) -> Vec<u128> {
        assert_eq!(got.data, self.frame, "{what}: bytes");
        let got = fields(got);
        let want = meta(&self.parse, &self.frame, self.bad, self.seq);
        assert_eq!(
            got,
            want,
            "{what}: {:x?}, frame of {} bytes {:02x?}",
            self.parse,
            self.frame.len(),
            self.frame
        );
        got
    }
}

/// How often each state of a checksum was seen: not checked, good, bad.
type Seen = [[usize; 3]; 2];

fn run(
    model: &Model,
    seed: u64,
    profile: StallProfile,
    cases: usize,
    largest: u64,
) -> Result<Seen, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let source = AxisSource::attach_with(&sim, "s_axis", &["tseq"], profile.pause(Role::Source))?;
    let results = WordSource::attach(
        &sim,
        &Channel::axis("s_axis_res"),
        profile.pause(Role::Source),
    )?;
    let sink = AxisSink::attach_with(&sim, "m_axis", &["tmeta"], profile.pause(Role::Sink))?;
    sim.run(async |sim| {
        let mut rng = sim.rng("cases");
        let cases: Vec<Case> = (0..cases)
            .map(|_| Case::random(&mut rng, largest))
            .collect();
        for case in &cases {
            let frame = AxisFrame::new(case.frame.clone()).with_user(case.bad.into());
            source.send(frame.with_side([Bits::new(16, case.seq.into())]));
            results.send(record(&case.parse));
        }
        let mut seen = Seen::default();
        for (i, case) in cases.iter().enumerate() {
            let meta = case.check(&sink.recv().await, &format!("frame {i}"));
            seen[0][meta[20] as usize] += 1;
            seen[1][meta[21] as usize] += 1;
        }
        sim.cycles(50).await;
        assert!(sink.is_empty() && source.pending() == 0 && results.pending() == 0);
        seen
    })
}

fn agrees(data_width: usize, cases: usize) {
    let model = build(&design(data_width));
    let mut seen = Seen::default();
    for seed in seeds(2) {
        for profile in StallProfile::ALL {
            let now = run(&model, seed, profile, cases, 400)
                .unwrap_or_else(|error| panic!("{profile}: {error}"));
            for (sum, now) in seen.iter_mut().flatten().zip(now.iter().flatten()) {
                *sum += now;
            }
        }
    }
    assert!(
        seen.iter().flatten().all(|&n| n > 100),
        "states seen: {seen:?}"
    );
}

#[test]
fn verdicts_agree_when_frames_are_random_at_64_bits() {
    agrees(64, 150);
}

#[test]
fn verdicts_agree_when_frames_are_random_at_128_bits() {
    agrees(128, 150);
}

#[test]
fn verdicts_agree_when_frames_are_random_at_256_bits() {
    agrees(256, 150);
}

#[test]
fn verdicts_agree_when_frames_are_random_at_512_bits() {
    agrees(512, 150);
}

#[test]
fn verdicts_agree_when_frames_fit_in_one_beat_or_are_long() {
    for (data_width, largest) in [(64, 9000), (512, 9000), (512, 30)] {
        let model = build(&design(data_width));
        for seed in seeds(2) {
            run(&model, seed, StallProfile::None, 60, largest)
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// RFC 1071's own example, as the payload of a datagram whose other words are known: everything by hand.
#[test]
fn published_example_is_good_when_its_complement_is_in_place() {
    // 0001 f203 f4f5 f6f7 sums up to ddf2 (RFC 1071, section 3).
    assert_eq!(
        reference::ones_sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
        0xddf2
    );
    // An IPv4 header often printed: 4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7, its checksum b861.
    let header = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00,
        0x01, 0xc0, 0xa8, 0x00, 0xc7,
    ];
    // UDP of 16 bytes: ports and length 0001 f203 0010, payload f4f5 f6f7 0000 0000; pseudo header c0a8 0001 c0a8 00c7 0011 0010.
    // c0a8+0001+c0a8+00c7+0011+0010 = 18239, +0001+f203+0010+f4f5+f6f7 = 46039, folded 603d: checksum 9fc2.
    let mut frame = vec![0; 14];
    frame.extend(header);
    frame.extend([
        0x00, 0x01, 0xf2, 0x03, 0x00, 0x10, 0x9f, 0xc2, 0xf4, 0xf5, 0xf6, 0xf7, 0, 0, 0, 0,
    ]);
    let parse = Parse {
        flags: V4 | UDP,
        l3_off: 14,
        l4_off: 34,
        split: 42,
        l4_valid: true,
        split_valid: true,
        end: Some(50),
        src: 0xc0a8_0001,
        dst: 0xc0a8_00c7,
        ..Parse::default()
    };
    let model = build(&design(64));
    let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("sim");
    let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
    let results =
        WordSource::attach(&sim, &Channel::axis("s_axis_res"), Pause::Never).expect("source");
    let sink = AxisSink::attach_with(&sim, "m_axis", &["tmeta"], Pause::Never).expect("sink");
    sim.run(async |_| {
        for wrong in [None, Some(20), Some(45)] {
            let mut frame = frame.clone();
            if let Some(at) = wrong {
                frame[at] ^= 4;
            }
            source.send(frame);
            results.send(record(&parse));
            let got = sink.recv().await;
            let meta = fields(&got);
            let want = match wrong {
                None => (1, 1),
                Some(20) => (2, 1),
                Some(_) => (1, 2),
            };
            assert_eq!((meta[20], meta[21]), want, "{wrong:?}");
        }
    })
    .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn length_saturates_when_a_frame_never_seems_to_end() {
    for data_width in [64, 512] {
        let model = build(&design(data_width));
        let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
        let results =
            WordSource::attach(&sim, &Channel::axis("s_axis_res"), Pause::Never).expect("source");
        let sink = AxisSink::attach_with(&sim, "m_axis", &["tmeta"], Pause::Never).expect("sink");
        sim.run(async |_| {
            for len in [65528, 65534, 65535, 65536, 65537, 65600, 140_000, 60] {
                source.send(vec![7; len]);
                results.send(record(&Parse::default()));
                let got = sink.recv().await;
                assert_eq!(got.data.len(), len);
                assert_eq!(fields(&got)[18], len.min(65535) as u128, "{len} bytes");
            }
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn beats_flow_every_clock_with_the_documented_latency_when_the_sink_is_ready() {
    for data_width in [64, 128, 256, 512] {
        let cfg = config(data_width);
        let model = build(&design(data_width));
        let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
        let results =
            WordSource::attach(&sim, &Channel::axis("s_axis_res"), Pause::Never).expect("source");
        let taken = AxisMonitor::monitor(&sim, "s_axis").expect("monitor");
        let sink = AxisSink::attach(&sim, "m_axis", Pause::Never).expect("sink");
        sim.run(async |_| {
            // Frames of one beat back to back, then longer ones.
            let frames: Vec<usize> = (0..100).map(|_| cfg.w_bytes()).chain(1..200).collect();
            for &len in &frames {
                source.send(vec![0x55; len]);
                results.send(record(&Parse::default()));
            }
            let mut previous: Option<u64> = None;
            for len in frames {
                let (sent, got) = (taken.recv_timed().await, sink.recv_timed().await);
                let delay = latency(&cfg) as u64;
                assert_eq!(
                    (got.first - sent.first, got.last - sent.last),
                    (delay, delay),
                    "{len} bytes"
                );
                assert!(
                    previous.is_none_or(|last| sent.first == last + 1),
                    "a pause before a frame of {len} bytes"
                );
                previous = Some(sent.last);
            }
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn frame_waits_when_its_result_is_late() {
    let model = build(&design(64));
    let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("sim");
    let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
    let results =
        WordSource::attach(&sim, &Channel::axis("s_axis_res"), Pause::Never).expect("source");
    let sink = AxisSink::attach(&sim, "m_axis", Pause::Never).expect("sink");
    sim.run(async |sim| {
        source.send(vec![1; 60]);
        source.send(vec![2; 60]);
        sim.cycles(100).await;
        assert_eq!(
            source.beats(),
            0,
            "a beat was taken before its frame's result"
        );
        results.send(record(&Parse::default()));
        assert_eq!(sink.recv().await.data, vec![1; 60]);
        sim.cycles(100).await;
        assert_eq!(source.beats(), 8, "the second frame has no result yet");
        results.send(record(&Parse::default()));
        assert_eq!(sink.recv().await.data, vec![2; 60]);
    })
    .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn test_fails_when_checksum_is_broken() {
    let good = "l4_good <= (&f2_l4_0[15:0])";
    let broken = design(64).mutate(good, "l4_good <= (|f2_l4_0[15:0])");
    let model = build(&broken.unwrap_or_else(|error| panic!("{error}")));
    assert!(run(&model, 1, StallProfile::None, 100, 400).is_err());
}
