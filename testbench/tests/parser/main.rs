//! The parser against an interpreter written from the design contract.

mod bench;
mod flow;
mod reference;
mod traffic;

use bench::{build, chain, expect, load, plain_row, run_batches, Variant, W128, W256, W512, W64};
use pagetrain_testbench::axis::AxisSource;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig};
use pagetrain_testbench::stall::{Pause, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::Rng;
use reference::{Limits, Parsed, Row};

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
    let model = broken("s3_all <= |s2_avail[9:4];", "s3_all <= 1'b1;");
    let ended = run_batches(&model, limits, 1, StallProfile::None, 10, |rng, _| {
        random_batch(rng, limits, 40)
    });
    assert!(ended.is_err(), "bytes beyond the frame went unnoticed");
    // The limit of steps comes one late.
    let model = broken(
        "s1_last <= s0_step == 5'd16;",
        "s1_last <= s0_step == 5'd17;",
    );
    let ended = run_batches(&model, limits, 1, StallProfile::None, 1, |_, _| {
        (chain(17), vec![vec![0; 60]])
    });
    assert!(ended.is_err(), "a step too many went unnoticed");
}
