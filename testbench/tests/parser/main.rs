//! The parser against an interpreter written from the design contract.

mod reference;
mod traffic;

use pagetrain_formats::program::{self, Limits as ProgramLimits};
use pagetrain_formats::Config;
use pagetrain_hdl::parser::{latency, parser};
use pagetrain_testbench::axis::{AxisMonitor, AxisSource};
use pagetrain_testbench::sim::{seeds, Handle, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::{dut, Bits, Rng};
use reference::{parse, Limits, Parsed, Row, PARSE_WIDTHS};
use std::sync::OnceLock;

/// One configuration and its model, built once.
struct Variant {
    cfg: Config,
    model: OnceLock<Model>,
}

impl Variant {
    const fn new(
        data_width: usize,
        parser_window: usize,
        parser_states: usize,
        parser_steps: usize,
    ) -> Variant {
        let cfg = Config {
            data_width,
            dma_width: 512,
            flows: 16,
            page_size: 4096,
            ingress_bytes: 32768,
            parser_states,
            parser_steps,
            parser_window,
            train_entries: 64,
            clock_khz: 156_250,
        };
        Variant {
            cfg,
            model: OnceLock::new(),
        }
    }

    fn design(&self) -> Design {
        dut::design(&parser(&self.cfg)).unwrap_or_else(|error| panic!("{error}"))
    }

    fn model(&self) -> &Model {
        self.model.get_or_init(|| build(&self.design()))
    }

    fn limits(&self) -> Limits {
        Limits {
            states: self.cfg.parser_states,
            steps: self.cfg.parser_steps,
            window: self.cfg.parser_window,
        }
    }

    fn tcp(&self) -> Vec<Row> {
        let limits = ProgramLimits {
            states: self.cfg.parser_states,
            steps: self.cfg.parser_steps,
            window: self.cfg.parser_window,
        };
        program::tcp(&limits)
            .unwrap_or_else(|error| panic!("{error}"))
            .words()
    }
}

fn build(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

static W64: Variant = Variant::new(64, 256, 32, 16);
static W128: Variant = Variant::new(128, 128, 16, 5);
static W256: Variant = Variant::new(256, 256, 32, 4);
static W512: Variant = Variant::new(512, 256, 64, 32);

/// Writes the program while the parser is off, and turns it on. Rows that are not given keep what they held.
async fn load(sim: &Handle, rows: &[Row]) -> Result<(), SimError> {
    let (we, addr, data) = (
        sim.signal("prog_we")?,
        sim.signal("prog_addr")?,
        sim.signal("prog_wdata")?,
    );
    sim.signal("cfg_parser_enable")?.set(0);
    for (i, dword) in rows.iter().flatten().enumerate() {
        we.set(1);
        addr.set(i as u64);
        data.set(u64::from(*dword));
        sim.rising_edge().await;
    }
    we.set(0);
    sim.cycles(4).await;
    sim.signal("cfg_parser_enable")?.set(1);
    Ok(())
}

fn expect(got: &Bits, want: &Parsed, frame: &[u8], what: &str) {
    let got = got.unpack(&PARSE_WIDTHS);
    assert_eq!(
        got,
        want.fields(),
        "{what}: frame of {} bytes {frame:02x?}\nwanted {want:x?}",
        frame.len()
    );
}

/// Batches of frames, each with a program of its own; counts the frames that are accepted.
fn run_batches(
    model: &Model,
    limits: Limits,
    seed: u64,
    profile: StallProfile,
    batches: usize,
    mut make: impl FnMut(&mut Rng, usize) -> (Vec<Row>, Vec<Vec<u8>>),
) -> Result<usize, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let source = AxisSource::attach(&sim, "s_axis", profile.pause(Role::Source))?;
    let sink = WordSink::attach(
        &sim,
        &Channel::axis("m_axis_res"),
        profile.pause(Role::Sink),
    )?;
    let mut accepted = 0;
    sim.run(async |sim| {
        let mut rng = sim.rng("traffic");
        for batch in 0..batches {
            let (rows, frames) = make(&mut rng, batch);
            load(&sim, &rows).await.expect("ports");
            for frame in &frames {
                source.send(frame.clone());
            }
            for (i, frame) in frames.iter().enumerate() {
                let (want, _) = parse(&rows, limits, frame);
                accepted += usize::from(!want.reject);
                expect(
                    &sink.recv().await,
                    &want,
                    frame,
                    &format!("batch {batch} frame {i}"),
                );
            }
            source.idle().await;
            sim.cycles(40).await;
            assert!(sink.is_empty(), "a result too many");
        }
    })?;
    Ok(accepted)
}

fn random_batch(rng: &mut Rng, limits: Limits, frames: usize) -> (Vec<Row>, Vec<Vec<u8>>) {
    let rows = traffic::random_program(rng, limits.states);
    let frame = |rng: &mut Rng| {
        let len = traffic::random_length(rng, limits.window);
        traffic::random_bytes(rng, len)
    };
    let frames = (0..frames).map(|_| frame(rng)).collect();
    (rows, frames)
}

fn random_programs(variant: &Variant, batches: usize) {
    let limits = variant.limits();
    let mut accepted = 0;
    for seed in seeds(2) {
        for profile in StallProfile::ALL {
            accepted += run_batches(variant.model(), limits, seed, profile, batches, |rng, _| {
                random_batch(rng, limits, 40)
            })
            .unwrap_or_else(|error| panic!("{profile}: {error}"));
        }
    }
    let frames = 2 * StallProfile::ALL.len() * batches * 40;
    assert!(
        accepted * 20 > frames,
        "only {accepted} of {frames} frames are accepted: the test shows little"
    );
}

#[test]
fn results_agree_when_programs_are_random_at_64_bits() {
    random_programs(&W64, 12);
}

#[test]
fn results_agree_when_programs_are_random_at_128_bits() {
    random_programs(&W128, 12);
}

#[test]
fn results_agree_when_programs_are_random_at_256_bits() {
    random_programs(&W256, 12);
}

#[test]
fn results_agree_when_programs_are_random_at_512_bits() {
    random_programs(&W512, 12);
}

#[test]
fn results_agree_when_the_shipped_program_meets_network_traffic() {
    for variant in [&W64, &W512] {
        let rows = variant.tcp();
        let limits = variant.limits();
        for seed in seeds(2) {
            for profile in [
                StallProfile::None,
                StallProfile::Heavy,
                StallProfile::Bursty,
                StallProfile::SlowSink,
            ] {
                let accepted = run_batches(variant.model(), limits, seed, profile, 1, |rng, _| {
                    (
                        rows.clone(),
                        (0..250).map(|_| traffic::tcpip_frame(rng)).collect(),
                    )
                })
                .unwrap_or_else(|error| panic!("{profile}: {error}"));
                assert!((100..250).contains(&accepted), "{accepted} of 250 accepted");
            }
        }
    }
}

/// A frame whose every field is known by hand: tag 0x2123 in 802.1Q, IPv4 with one option dword, TCP, three bytes, padding.
fn known_frame() -> (Vec<u8>, Parsed) {
    let mut f = vec![
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0x00, 0x21, 0x23, 0x08, 0x00,
    ];
    f.extend([
        0x46,
        0,
        0,
        24 + 20 + 3,
        0x12,
        0x34,
        0x40,
        0,
        64,
        6,
        0xbe,
        0xef,
    ]);
    f.extend([192, 0, 2, 1, 198, 51, 100, 7, 1, 1, 1, 0]);
    f.extend([
        0x1f, 0x90, 0xc0, 0x01, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0,
        0, 0,
    ]);
    f.extend(b"abc");
    f.extend([0x55; 7]);
    let known = Parsed {
        reject: false,
        flags: 0b0101_0101, // VLAN0, OPT, TCP, V4
        l3_off: 18,
        l4_off: 42,
        split: 62,
        l4_valid: true,
        split_valid: true,
        end: Some(65),
        vlan0: 0x2123,
        src: 0xc000_0201,
        dst: 0xc633_6407,
        sport: 8080,
        dport: 0xc001,
        seq: 0xdead_beef,
        tcp_flags: 0x18,
        ..Parsed::default()
    };
    (f, known)
}

#[test]
fn every_field_is_right_when_the_frame_was_written_by_hand() {
    let (frame, known) = known_frame();
    for variant in [&W64, &W512] {
        let rows = variant.tcp();
        let mut sim = Sim::new(variant.model(), SimConfig::seed(1)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
        let sink =
            WordSink::attach(&sim, &Channel::axis("m_axis_res"), Pause::Never).expect("sink");
        sim.run(async |sim| {
            load(&sim, &rows).await.expect("ports");
            source.send(frame.clone());
            expect(&sink.recv().await, &known, &frame, "known frame");
            // A byte less than the segment's header needs.
            let cut = &frame[..61];
            source.send(cut.to_vec());
            expect(&sink.recv().await, &Parsed::rejected(), cut, "cut frame");
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

/// A row that stays where it is and goes to `next`, whatever it sees.
fn plain_row(next: u32) -> Row {
    let mut row: Row = [0; 16];
    row[3] = next << 8;
    for arm in 0..4 {
        row[6 + 2 * arm] = 1;
    }
    row
}

/// A program that accepts in its step number `steps`.
fn chain(steps: usize) -> Vec<Row> {
    (1..=steps)
        .map(|step| plain_row(if step == steps { 0xFE } else { step as u32 }))
        .collect()
}

#[test]
fn latency_is_the_documented_one_when_the_parser_is_idle() {
    for variant in [&W64, &W128, &W256, &W512] {
        let wb = variant.cfg.w_bytes();
        let window_beats = variant.cfg.parser_window / wb;
        let mut sim = Sim::new(variant.model(), SimConfig::seed(2)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
        let taken = AxisMonitor::monitor(&sim, "s_axis").expect("monitor");
        let sink =
            WordSink::attach(&sim, &Channel::axis("m_axis_res"), Pause::Never).expect("sink");
        sim.run(async |sim| {
            for steps in 1..=variant.cfg.parser_steps.min(7) {
                load(&sim, &chain(steps)).await.expect("ports");
                for len in [
                    1,
                    14,
                    64,
                    variant.cfg.parser_window,
                    3 * variant.cfg.parser_window,
                ] {
                    source.send(vec![0; len]);
                    let result = sink.recv_timed().await;
                    let frame = taken.recv_timed().await;
                    let closed = frame.first + len.div_ceil(wb).min(window_beats) as u64 - 1;
                    assert_eq!(
                        result.first - closed,
                        latency(steps) as u64,
                        "{steps} steps, {len} bytes, W {}",
                        8 * wb
                    );
                    sim.cycles(10).await;
                }
            }
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn frames_flow_without_a_pause_when_their_steps_are_fewer_than_their_clocks() {
    // (model, bytes of a frame, steps, clocks of a frame): the larger of beats and steps.
    for (variant, len, steps, clocks) in [
        (&W64, 60, 7, 8),
        (&W64, 9, 2, 2),
        (&W128, 60, 4, 4),
        (&W512, 60, 1, 1),
        (&W512, 64, 5, 5),
    ] {
        let frames = 300;
        let mut sim = Sim::new(variant.model(), SimConfig::seed(3)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Never).expect("source");
        let taken = AxisMonitor::monitor(&sim, "s_axis").expect("monitor");
        let sink =
            WordSink::attach(&sim, &Channel::axis("m_axis_res"), Pause::Never).expect("sink");
        sim.run(async |sim| {
            load(&sim, &chain(steps)).await.expect("ports");
            for _ in 0..frames {
                source.send(vec![0; len]);
            }
            let start = taken.recv_timed().await.first;
            let mut last = 0;
            for _ in 0..frames {
                last = sink.recv_timed().await.last;
            }
            // The contexts hold 16 frames before anything could stop; what is more than that has to flow.
            let spent = (last - start) as usize;
            let most = clocks * frames + latency(steps) + 2;
            assert!(
                spent <= most,
                "{frames} frames of {len} bytes and {steps} steps: {spent} clocks, not {most}"
            );
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn frames_are_rejected_in_order_when_the_parser_is_off() {
    for seed in seeds(2) {
        let mut sim = Sim::new(W64.model(), SimConfig::seed(seed)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis", Pause::Random(0.2)).expect("source");
        let sink =
            WordSink::attach(&sim, &Channel::axis("m_axis_res"), Pause::Random(0.4)).expect("sink");
        sim.run(async |sim| {
            let mut rng = sim.rng("lengths");
            for _ in 0..100 {
                let len = traffic::random_length(&mut rng, 256);
                source.send(rng.bytes(len));
            }
            for _ in 0..100 {
                expect(&sink.recv().await, &Parsed::rejected(), &[], "parser off");
            }
            source.idle().await;
            sim.cycles(100).await;
            assert!(sink.is_empty());
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn steps_are_counted_exactly_when_a_program_takes_as_many_as_it_may() {
    for variant in [&W64, &W128, &W256, &W512] {
        let (limits, steps) = (variant.limits(), variant.cfg.parser_steps);
        for (taken, rejected) in [(steps - 1, false), (steps, false), (steps + 1, true)] {
            // More steps than rows: the chain's rows are walked twice where need be.
            let rows = if taken <= limits.states {
                chain(taken)
            } else {
                continue;
            };
            let accepted =
                run_batches(variant.model(), limits, 5, StallProfile::None, 1, |_, _| {
                    (rows.clone(), vec![vec![0; 60]; 30])
                })
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(accepted == 0, rejected, "{taken} steps of {steps}");
        }
        // An endless loop.
        let rows = vec![plain_row(0)];
        let accepted = run_batches(variant.model(), limits, 5, StallProfile::None, 1, |_, _| {
            (rows.clone(), vec![vec![0; 60]; 30])
        })
        .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(accepted, 0);
    }
}

#[test]
fn old_window_bytes_are_never_seen_when_short_frames_follow_long_ones() {
    // Accepts if any of the 16 bytes behind the first is not 0, seen through extracts: they must all be 0.
    let mut row = plain_row(0xFE);
    row[0] = 1;
    row[4] = 0x3 | 0x4 << 8 | 0x8 << 12 | 0x9 << 16 | 0xB << 20 | 0xB << 24 | 0x4 << 28;
    for variant in [&W64, &W128, &W256, &W512] {
        let limits = variant.limits();
        run_batches(
            variant.model(),
            limits,
            6,
            StallProfile::Light,
            1,
            |rng, _| {
                let mut frames = vec![vec![0xFF; 300]; 20];
                frames.extend((0..60).map(|_| vec![0xFF; rng.range(1..=18) as usize]));
                (vec![row], frames)
            },
        )
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn test_fails_when_the_parser_is_broken() {
    let limits = W64.limits();
    let broken = |good: &str, bad: &str| {
        build(
            &W64.design()
                .mutate(good, bad)
                .unwrap_or_else(|error| panic!("{error}")),
        )
    };
    // Bytes beyond the frame are not masked.
    let model = broken("s4_there <= s3_there;", "s4_there <= 16'hffff;");
    let ended = run_batches(&model, limits, 1, StallProfile::None, 10, |rng, _| {
        random_batch(rng, limits, 40)
    });
    assert!(ended.is_err(), "bytes beyond the frame went unnoticed");
    // The limit of steps comes one late.
    let model = broken(
        "s1_last <= s0_step == 5'h10;",
        "s1_last <= s0_step == 5'h11;",
    );
    let ended = run_batches(&model, limits, 1, StallProfile::None, 1, |_, _| {
        (chain(17), vec![vec![0; 60]])
    });
    assert!(ended.is_err(), "a step too many went unnoticed");
}
