//! AXI-Stream: frames through a FIFO, and every rule broken once.

use crate::designs::{axis_fifo, axis_ports, puppet, sim};
use pagetrain_testbench::axis::{AxisFrame, AxisSink, AxisSource};
use pagetrain_testbench::sim::{seeds, SimConfig};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::verilator::Design;
use pagetrain_testbench::Rng;

/// Frames of every length around the beat, and long ones.
fn frames(rng: &mut Rng, lanes: u64) -> Vec<AxisFrame> {
    let lengths = (1..=2 * lanes + 1)
        .chain((0..30).map(|_| rng.range(1..=300)))
        .collect::<Vec<_>>();
    lengths
        .into_iter()
        .map(|len| AxisFrame::new(rng.bytes(len as usize)).with_user(rng.below(4)))
        .collect()
}

fn run(design: &Design, lanes: u64, seed: u64, profile: StallProfile) -> Result<(), String> {
    let mut sim = sim(
        design,
        SimConfig {
            idle_limit: 5000,
            ..SimConfig::seed(seed)
        },
    );
    let source = AxisSource::attach(&sim, "s_axis", profile.pause(Role::Source)).unwrap();
    let sink = AxisSink::attach(&sim, "m_axis", profile.pause(Role::Sink)).unwrap();
    let tap = AxisSink::monitor(&sim, "s_axis").unwrap();
    let frames = frames(&mut sim.rng("frames"), lanes);
    let beats: u64 = frames
        .iter()
        .map(|frame| (frame.data.len() as u64).div_ceil(lanes))
        .sum();
    sim.run(async move |sim| {
        frames.iter().for_each(|frame| source.send(frame.clone()));
        for frame in &frames {
            let got = sink.recv_timed().await;
            assert_eq!(got.item, *frame);
            assert_eq!(tap.try_recv().as_ref(), Some(frame));
            let clocks = (frame.data.len() as u64).div_ceil(lanes);
            if profile == StallProfile::None {
                assert_eq!(got.last - got.first + 1, clocks, "a beat a clock");
            }
        }
        source.idle().await;
        sim.cycles(100).await;
        assert!(sink.is_empty() && tap.is_empty() && source.pending() == 0);
        assert_eq!(
            (source.beats(), sink.beats(), source.frames()),
            (beats, beats, frames.len() as u64)
        );
    })
    .map_err(|error| error.to_string())
}

#[test]
fn frames_pass_unchanged_under_every_stall_profile_and_width() {
    for lanes in [1, 8, 64, 128] {
        let design = axis_fifo(lanes);
        for seed in seeds(2) {
            for profile in StallProfile::ALL {
                run(&design, lanes.into(), seed, profile)
                    .unwrap_or_else(|e| panic!("{lanes} lanes, {profile}: {e}"));
            }
        }
    }
}

#[test]
fn scoreboard_fails_when_the_fifo_is_broken() {
    let fifo = axis_fifo(8);
    for (from, to) in [
        ("rd <= rd + 5'd1", "rd <= rd + 5'd3"), // loses beats
        ("s_axis_tready = !used[4]", "s_axis_tready = 1"), // overruns
        ("{s_axis_tuser, s_axis_tlast", "{2'd0, s_axis_tlast"), // loses tuser
        ("mem[wr[3:0]] <= {", "mem[{wr[3:1], 1'b0}] <= {"), // writes the wrong slot
    ] {
        let broken = fifo.clone().mutate(from, to).unwrap();
        assert!(
            run(&broken, 8, 1, StallProfile::Heavy).is_err(),
            "{to} not found"
        );
    }
}

#[test]
fn frame_under_way_is_dropped_when_reset_hits_it() {
    let mut sim = sim(&axis_fifo(8), SimConfig::seed(3));
    let source = AxisSource::attach(&sim, "s_axis", Pause::Random(0.3)).unwrap();
    let sink = AxisSink::attach(&sim, "m_axis", Pause::Random(0.3)).unwrap();
    sim.run(async move |sim| {
        source.send(vec![1; 800]);
        source.send(vec![2; 20]);
        sim.cycles(60).await;
        sim.pulse_reset(5).await;
        assert_eq!(sink.recv().await.data, [2; 20]);
        sim.cycles(100).await;
        assert!(sink.is_empty() && source.pending() == 0 && source.frames() == 1);
    })
    .unwrap();
}

#[test]
fn watchdog_names_the_stream_when_the_design_never_takes_a_beat() {
    let broken = axis_fifo(8)
        .mutate("s_axis_tready = !used[4]", "s_axis_tready = 0")
        .unwrap();
    let mut sim = sim(
        &broken,
        SimConfig {
            idle_limit: 100,
            ..SimConfig::seed(3)
        },
    );
    let source = AxisSource::attach(&sim, "s_axis", Pause::Never).unwrap();
    let error = sim.run(async move |_| {
        source.send(vec![1; 80]);
        source.idle().await;
    });
    let text = error.expect_err("stuck").to_string();
    assert!(
        text.contains("source `s_axis` waits for tready since cycle 9: 1 frames queued, 0 of 80"),
        "{text}"
    );
}

/// One scripted beat: tvalid, tready, tkeep, tlast.
type Beat = (u64, u64, u64, u64);

fn rules_of(script: &'static [Beat]) -> (Vec<(u64, &'static str)>, usize) {
    let config = SimConfig {
        collect_violations: true,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(
        &puppet("puppet_axis", axis_ports("m_axis", 8, true)),
        config,
    );
    let sink = AxisSink::monitor(&sim, "m_axis").unwrap();
    let [valid, keep, last] =
        ["tvalid", "tkeep", "tlast"].map(|s| sim.signal(&format!("set_m_axis_{s}")).unwrap());
    let ready = sim.signal("m_axis_tready").unwrap();
    let frames = sim
        .run(async move |sim| {
            for &(v, r, k, l) in script {
                valid.set(v);
                ready.set(r);
                keep.set(k);
                last.set(l);
                sim.rising_edge().await;
            }
            sink.len()
        })
        .unwrap();
    (
        sim.take_violations()
            .into_iter()
            .map(|v| (v.cycle - 9, v.rule))
            .collect(),
        frames,
    )
}

#[test]
fn nothing_is_reported_when_the_stream_keeps_the_rules() {
    let script = &[
        (1, 1, 0xff, 0),
        (0, 1, 0x12, 1),
        (1, 0, 0x0f, 1),
        (1, 1, 0x0f, 1),
        (1, 1, 0xff, 1),
    ];
    assert_eq!(rules_of(script), (vec![], 2));
}

#[test]
fn each_rule_is_reported_when_broken() {
    assert_eq!(
        rules_of(&[(1, 1, 0xff, 0), (1, 1, 0x0d, 1)]).0,
        [(1, "tkeep_hole")]
    );
    assert_eq!(rules_of(&[(1, 1, 0xfe, 1)]).0, [(0, "tkeep_hole")]);
    assert_eq!(
        rules_of(&[(1, 1, 0x7f, 0), (1, 1, 0xff, 1)]).0,
        [(0, "tkeep_partial")]
    );
    assert_eq!(
        rules_of(&[(1, 1, 0xff, 0), (1, 1, 0, 1)]).0,
        [(1, "tkeep_empty")]
    );
    assert_eq!(
        rules_of(&[(1, 0, 0xff, 0), (0, 1, 0xff, 0)]).0,
        [(1, "valid_dropped")]
    );
    assert_eq!(
        rules_of(&[(1, 0, 0xff, 0), (1, 1, 0xff, 1)]).0,
        [(1, "payload_changed")]
    );
    assert_eq!(
        rules_of(&[(1, 0, 0xff, 1), (1, 1, 0x7f, 1)]).0,
        [(1, "payload_changed")]
    );
}

#[test]
fn port_is_refused_when_keep_does_not_fit_data() {
    let mut ports = axis_ports("m_axis", 8, true);
    ports[1].width = 4;
    let sim = sim(&puppet("puppet_keep", ports), SimConfig::seed(1));
    let text = AxisSink::monitor(&sim, "m_axis")
        .err()
        .expect("refused")
        .to_string();
    assert!(
        text.contains("`m_axis_tkeep`: 4 bits, but tdata has 8 bytes"),
        "{text}"
    );
}
