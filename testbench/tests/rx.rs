//! Ingress against a model of its contract: numbers, swallowed frames, resets.

use pagetrain_formats::Config;
use pagetrain_hdl::rx::{rx, LATENCY};
use pagetrain_testbench::axis::{AxisFrame, AxisMonitor, AxisSink, AxisSource};
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::{dut, Bits};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

fn design(data_width: usize) -> Design {
    let cfg = Config {
        data_width,
        dma_width: 512,
        ..Config::default()
    };
    dut::design(&rx(&cfg)).unwrap_or_else(|error| panic!("{error}"))
}

fn build(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

/// What the contract makes of the frames at the input, beat by beat.
#[derive(Default)]
struct Reference {
    in_frame: bool,
    swallowed: bool,
    /// Cut by a reset, or begun in one: has no number.
    cut: bool,
    number: u16,
    passing: Vec<u8>,
    passed: Vec<AxisFrame>,
    drops: u64,
}

impl Reference {
    fn beat(&mut self, bytes: &[u8], last: bool, user: bool, enable: bool, core_rst: bool) {
        if !self.in_frame {
            self.swallowed = !enable || core_rst;
            self.drops += u64::from(self.swallowed);
            self.passing.clear();
        }
        if core_rst {
            self.reset();
        }
        self.cut |= core_rst;
        self.swallowed |= core_rst;
        self.in_frame = !last;
        self.passing.extend(bytes);
        if last {
            if !self.swallowed {
                let frame =
                    AxisFrame::new(std::mem::take(&mut self.passing)).with_user(user.into());
                self.passed
                    .push(frame.with_side([Bits::new(16, self.number.into())]));
            }
            self.number = if self.cut {
                self.number
            } else {
                self.number.wrapping_add(1)
            };
            self.cut = false;
        }
    }

    /// A clock of `core_rst`, with or without a beat.
    fn reset(&mut self) {
        self.number = 0;
        if self.in_frame {
            self.swallowed = true;
            self.cut = true;
        }
    }
}

/// Random frames under random `enable`, and resets now and then: frames out, numbers and pulses as the reference says.
fn run(
    model: &Model,
    seed: u64,
    profile: StallProfile,
    resets: bool,
) -> Result<(usize, u64), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let source = AxisSource::attach(&sim, "s_axis_rx", profile.pause(Role::Source))?;
    let sink = AxisSink::attach_with(&sim, "m_axis", &["tseq"], profile.pause(Role::Sink))?;
    let lanes = sim.wide("s_axis_rx_tdata")?.len_bytes();
    let (data, keep) = (sim.wide("s_axis_rx_tdata")?, sim.signal("s_axis_rx_tkeep")?);
    let names = [
        "s_axis_rx_tvalid",
        "s_axis_rx_tready",
        "s_axis_rx_tlast",
        "s_axis_rx_tuser",
    ];
    let [valid, ready, last, user] = names.map(|name| sim.signal(name));
    let (valid, ready, last, user) = (valid?, ready?, last?, user?);
    let (enable, core_rst) = (sim.signal("enable")?, sim.signal("core_rst")?);
    let pulse = sim.signal("stat_drop_disabled")?;
    let reference = Rc::new(RefCell::new(Reference::default()));
    let pulses = Rc::new(Cell::new(0u64));
    let (watched, counted) = (reference.clone(), pulses.clone());
    let (enable_in, core_rst_in) = (enable.clone(), core_rst.clone());
    sim.on_edge(move |edge| {
        if edge.in_reset {
            return;
        }
        counted.set(counted.get() + pulse.get());
        let mut reference = watched.borrow_mut();
        if valid.is_high() && ready.is_high() {
            let mut bytes = vec![0; lanes];
            data.read(&mut bytes);
            let count = (!keep.get()).trailing_zeros().min(lanes as u32) as usize;
            reference.beat(
                &bytes[..count],
                last.is_high(),
                user.is_high(),
                enable_in.is_high(),
                core_rst_in.is_high(),
            );
        } else if core_rst_in.is_high() {
            reference.reset();
        }
    });
    sim.run(async |sim| {
        let mut rng = sim.rng("traffic");
        let mut got = vec![];
        for _ in 0..40 {
            for _ in 0..rng.range(1..=8) {
                let len = rng.range(1..=200) as usize;
                source.send(AxisFrame::new(rng.bytes(len)).with_user(rng.below(2)));
            }
            for _ in 0..rng.range(1..=8) {
                enable.set(u64::from(rng.chance(0.7)));
                sim.cycles(rng.range(1..=30)).await;
            }
            if resets && rng.chance(0.3) {
                // What is inside is lost: let it leave first, so that the lists can be compared.
                enable.set(0);
                source.idle().await;
                sim.until(|| reference.borrow().passed.len() == got.len() + sink.len())
                    .await;
                while let Some(frame) = sink.try_recv() {
                    got.push(frame);
                }
                core_rst.set(1);
                sim.cycles(16).await;
                core_rst.set(0);
            }
        }
        source.idle().await;
        sim.until(|| reference.borrow().passed.len() <= got.len() + sink.len())
            .await;
        while let Some(frame) = sink.try_recv() {
            got.push(frame);
        }
        sim.cycles(200).await;
        assert!(sink.is_empty(), "more came than the contract says");
        let reference = reference.borrow();
        assert_eq!(got, reference.passed);
        assert_eq!(pulses.get(), reference.drops, "drop pulses");
        (got.len(), reference.drops)
    })
}

#[test]
fn frames_and_numbers_are_right_when_enable_changes_at_any_time() {
    for data_width in [64, 512] {
        let model = build(&design(data_width));
        let (mut passed, mut drops) = (0, 0);
        for seed in seeds(3) {
            for profile in StallProfile::ALL {
                let (p, d) = run(&model, seed, profile, false)
                    .unwrap_or_else(|error| panic!("{profile}: {error}"));
                passed += p;
                drops += d;
            }
        }
        assert!(
            passed > 500 && drops > 500,
            "{passed} passed, {drops} dropped"
        );
    }
}

#[test]
fn numbers_start_again_when_the_core_is_reset_between_frames() {
    let model = build(&design(64));
    for seed in seeds(3) {
        for profile in [
            StallProfile::None,
            StallProfile::Light,
            StallProfile::Bursty,
            StallProfile::Periodic,
        ] {
            run(&model, seed, profile, true).unwrap_or_else(|error| panic!("{profile}: {error}"));
        }
    }
}

#[test]
fn frame_under_way_is_swallowed_when_the_core_is_reset() {
    let model = build(&design(64));
    for seed in seeds(4) {
        let mut sim = Sim::new(&model, SimConfig::seed(seed)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis_rx", Pause::Never).expect("source");
        let (enable, core_rst) = (
            sim.signal("enable").expect("port"),
            sim.signal("core_rst").expect("port"),
        );
        let (valid, ready) = (
            sim.signal("m_axis_tvalid").expect("port"),
            sim.signal("m_axis_tready").expect("port"),
        );
        let seq = sim.signal("m_axis_tseq").expect("port");
        sim.run(async |sim| {
            enable.set(1);
            ready.set(1);
            source.send(vec![1; 64]);
            source.send(vec![2; 400]);
            sim.until(|| source.beats() > 20).await;
            core_rst.set(1);
            sim.cycles(2).await;
            assert!(!valid.is_high(), "what waited is gone");
            sim.cycles(14).await;
            core_rst.set(0);
            // The tail of the cut frame, which goes on for some clocks, must not come out.
            let cut_beats = 8 + 50;
            while source.beats() < cut_beats {
                sim.rising_edge().await;
                assert!(!valid.is_high(), "the tail of a cut frame came out");
            }
            source.send(vec![3; 64]);
            sim.until(|| valid.is_high()).await;
            assert_eq!(seq.get(), 0, "number of the first frame after the reset");
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn beats_flow_every_clock_with_the_documented_latency_when_the_sink_is_ready() {
    for data_width in [64, 512] {
        let model = build(&design(data_width));
        let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("sim");
        let source = AxisSource::attach(&sim, "s_axis_rx", Pause::Never).expect("source");
        let taken = AxisMonitor::monitor(&sim, "s_axis_rx").expect("monitor");
        let sink = AxisSink::attach(&sim, "m_axis", Pause::Never).expect("sink");
        let enable = sim.signal("enable").expect("port");
        sim.run(async |sim| {
            enable.set(1);
            sim.cycles(2).await;
            for i in 0..50 {
                source.send(vec![i; 60 + usize::from(i)]);
            }
            let mut previous: Option<u64> = None;
            for _ in 0..50 {
                let (sent, got) = (taken.recv_timed().await, sink.recv_timed().await);
                assert_eq!(got.first - sent.first, LATENCY as u64);
                assert_eq!(got.last - sent.last, LATENCY as u64);
                assert!(
                    previous.is_none_or(|last| sent.first == last + 1),
                    "a pause between frames"
                );
                previous = Some(sent.last);
            }
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn test_fails_when_rx_is_broken() {
    let design = design(64);
    let broken = |good: &str, bad: &str| {
        build(
            &design
                .clone()
                .mutate(good, bad)
                .unwrap_or_else(|error| panic!("{error}")),
        )
    };
    // A frame is judged anew at every beat.
    let model = broken("in_frame ? dropping : off", "off");
    assert!(run(&model, 1, StallProfile::Light, false).is_err());
    // Swallowed frames are not numbered.
    let model = broken(
        "if (s_axis_rx_tlast & !cut)",
        "if (s_axis_rx_tlast & !cut & !swallow)",
    );
    assert!(run(&model, 1, StallProfile::Light, false).is_err());
}
