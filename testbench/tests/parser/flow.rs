//! Clocks: latency, throughput, and the frames that come out when nothing is parsed.

use crate::bench::{chain, expect, load, plain_row, W128, W256, W512, W64};
use crate::reference::Parsed;
use crate::traffic;
use pagetrain_hdl::parser::latency;
use pagetrain_testbench::axis::{AxisMonitor, AxisSource};
use pagetrain_testbench::sim::{seeds, Sim, SimConfig};
use pagetrain_testbench::stall::Pause;
use pagetrain_testbench::stream::{Channel, WordSink};

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
fn last_beat_adds_nothing_when_it_keeps_no_byte() {
    let mut sim = Sim::new(W64.model(), SimConfig::seed(4)).expect("sim");
    let sink = WordSink::attach(&sim, &Channel::axis("m_axis_res"), Pause::Never).expect("sink");
    let port = |name: &str| sim.signal(&format!("s_axis_{name}")).expect("port");
    let (valid, keep, last) = (port("tvalid"), port("tkeep"), port("tlast"));
    sim.run(async |sim| {
        for (need, reject) in [(64, false), (65, true)] {
            let mut row = plain_row(0xFE);
            row[0] = need << 8;
            load(&sim, &[row]).await.expect("ports");
            for beat in 0..=8 {
                valid.set(1);
                keep.set(if beat < 8 { 0xFF } else { 0 });
                last.set(u64::from(beat == 8));
                sim.rising_edge().await;
            }
            valid.set(0);
            let got = sink.recv().await;
            assert_eq!(got.field(0, 1) == 1, reject, "64 bytes, {need} needed");
        }
    })
    .unwrap_or_else(|error| panic!("{error}"));
}
