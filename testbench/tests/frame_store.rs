//! `frame_store` against a list of frames: what is kept, where, what is dropped and why, room, back-pressure.

mod back;

use back::{field, pack};
use pagetrain_formats::Config;
use pagetrain_hdl::bundle;
use pagetrain_hdl::frame_store::{frame_store, LATENCY, RD_LATENCY};
use pagetrain_testbench::axis::{AxisFrame, AxisSource};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Handle, Signal, Sim, SimConfig, SimError, WideSignal};
use pagetrain_testbench::stall::{Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::{Bits, Rng};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

fn config(data_width: usize, dma_width: usize) -> Config {
    Config {
        data_width,
        dma_width,
        ingress_bytes: 8192,
        ..Config::default()
    }
}

fn design(cfg: &Config) -> Design {
    dut::design(&frame_store(cfg)).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// Why a frame is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stored(u16),
    Bad,
    Oversize,
    Overflow,
}

/// A frame with its META.
struct Frame {
    bytes: Vec<u8>,
    bad: bool,
    meta: Bits,
}

impl Frame {
    fn new(rng: &mut Rng, len: usize, bad: bool, seq: u16) -> Frame {
        let values = [
            ("bad", u128::from(bad)),
            ("frame_len", len.min(65535) as u128),
            ("rx_seq", seq.into()),
            ("src", u128::from(rng.bits())),
            ("flags", rng.below(256).into()),
            ("tcp_flags", rng.below(256).into()),
            ("l4_csum", rng.below(3).into()),
        ];
        Frame {
            bytes: rng.bytes(len),
            bad,
            meta: pack(&bundle::meta(), &values),
        }
    }

    /// What must become of it, room apart.
    fn fate(&self, max_frame: usize) -> Fate {
        match self.bytes.len() {
            _ if self.bad => Fate::Bad,
            len if len > max_frame => Fate::Oversize,
            len => Fate::Stored(len as u16),
        }
    }
}

/// Everything around the block.
struct Bench {
    cfg: Config,
    max_frame: usize,
    source: AxisSource,
    frames: WordSink,
    fates: Rc<RefCell<VecDeque<(Fate, u64)>>>,
    rd_addr: Signal,
    rd_data: WideSignal,
    free: (Signal, Signal),
}

impl Bench {
    fn attach(
        sim: &Sim,
        cfg: Config,
        max_frame: usize,
        backpressure: bool,
        profile: StallProfile,
    ) -> Result<Bench, SimError> {
        sim.signal("cfg_max_frame")?.set(max_frame as u64);
        sim.signal("cfg_backpressure")?.set(u64::from(backpressure));
        sim.signal("free_valid")?.set(0);
        sim.signal("rd_addr")?.set(0);
        let bench = Bench {
            cfg,
            max_frame,
            source: AxisSource::attach_with(
                sim,
                "s_axis",
                &["tmeta"],
                profile.pause(Role::Source),
            )?,
            frames: WordSink::attach(
                sim,
                &Channel::axis("m_axis_frame"),
                profile.pause(Role::Sink),
            )?,
            fates: Rc::default(),
            rd_addr: sim.signal("rd_addr")?,
            rd_data: sim.wide("rd_data")?,
            free: (sim.signal("free_valid")?, sim.signal("free_words")?),
        };
        bench.watch(sim)?;
        Ok(bench)
    }

    /// Records the pulses; two at a time are a broken rule.
    fn watch(&self, sim: &Sim) -> Result<(), SimError> {
        let names = [
            "stat_rx_frame",
            "stat_drop_bad",
            "stat_drop_oversize",
            "stat_drop_overflow",
        ];
        let pulses: Vec<Signal> = names
            .iter()
            .map(|n| sim.signal(n))
            .collect::<Result<_, _>>()?;
        let (len, fates) = (sim.signal("stat_rx_len")?, self.fates.clone());
        sim.on_edge(move |edge| {
            if edge.in_reset {
                return;
            }
            let fate = [
                Fate::Stored(len.get() as u16),
                Fate::Bad,
                Fate::Oversize,
                Fate::Overflow,
            ];
            let now: Vec<Fate> = (0..4)
                .filter(|i| pulses[*i].is_high())
                .map(|i| fate[i])
                .collect();
            if now.len() > 1 {
                edge.report("stat", "two_fates", format!("{now:?}"));
            }
            fates
                .borrow_mut()
                .extend(now.into_iter().map(|f| (f, edge.cycle)));
        });
        Ok(())
    }

    fn send(&self, frame: &Frame) {
        let mut axis = AxisFrame::from(frame.bytes.clone());
        axis.side = vec![frame.meta.clone()];
        self.source.send(axis);
    }

    fn words(&self, frame: &Frame) -> usize {
        frame.bytes.len().div_ceil(self.cfg.d_bytes())
    }

    /// Reads a stored frame through the read port, a word a clock.
    async fn read(&self, sim: &Handle, word: usize, len: usize) -> Vec<u8> {
        let lanes = self.cfg.d_bytes();
        let words = len.div_ceil(lanes);
        let size = self.cfg.ingress_bytes / lanes;
        let mut bytes = vec![];
        // An address that is set at an edge is read RD_LATENCY edges after the next one.
        for clock in 0..words + RD_LATENCY + 1 {
            if clock > RD_LATENCY {
                self.rd_data.append_to(&mut bytes, lanes);
            }
            self.rd_addr.set(((word + clock) % size) as u64);
            sim.rising_edge().await;
        }
        self.rd_data.append_to(&mut bytes, lanes);
        bytes.truncate(len);
        bytes
    }

    async fn give_back(&self, sim: &Handle, words: usize) {
        self.free.0.set(1);
        self.free.1.set(words as u64);
        sim.rising_edge().await;
        self.free.0.set(0);
    }

    /// Takes a frame and compares it with what was sent; its words.
    async fn check(&self, sim: &Handle, frame: &Frame, next_word: &mut usize) {
        let record = self.frames.recv().await;
        let layout = bundle::frame(&self.cfg);
        let word = field(&layout, &record, "word") as usize;
        let (at, width) = layout.place("word");
        assert_eq!(at, frame.meta.width() as usize, "META lies below");
        for lsb in (0..at).step_by(64) {
            let width = (at - lsb).min(64) as u32;
            assert_eq!(
                record.field(lsb as u32, width),
                frame.meta.field(lsb as u32, width),
                "META from bit {lsb}"
            );
        }
        assert!(
            width < 16 && word == *next_word,
            "frame at word {word}, not {next_word}"
        );
        assert!(
            self.read(sim, word, frame.bytes.len()).await == frame.bytes,
            "bytes of the frame"
        );
        let words = self.words(frame);
        *next_word = (word + words) % (self.cfg.ingress_bytes / self.cfg.d_bytes());
    }
}

/// Random frames; the reader takes them at some pace. Frames that fit must be kept when `roomy`.
fn run(
    model: &Model,
    cfg: Config,
    seed: u64,
    profile: StallProfile,
    backpressure: bool,
) -> Result<usize, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let max_frame = if seed % 2 == 0 { 4096 } else { 1518 };
    let bench = Bench::attach(&sim, cfg, max_frame, backpressure, profile)?;
    sim.run(async |sim| {
        let mut rng = sim.rng("frames");
        let mut next_word = 0;
        let mut overflows = 0;
        let (mut waiting, mut kept) = (VecDeque::new(), VecDeque::new());
        for seq in 0..100u16 {
            let len = match rng.below(5) {
                0 => rng.range(1..=130),
                1 => max_frame as u64 - rng.below(3),
                2 => max_frame as u64 + rng.range(1..=70),
                3 if rng.chance(0.2) => rng.range(8000..=20000),
                _ => rng.range(1..=1600),
            };
            let bad = rng.chance(0.1);
            let frame = Frame::new(&mut rng, len as usize, bad, seq);
            bench.send(&frame);
            waiting.push_back(frame);
            // Bursts of frames without a reader between them.
            if rng.chance(0.4) {
                settle(
                    &sim,
                    &bench,
                    &mut waiting,
                    &mut kept,
                    &mut overflows,
                    backpressure,
                )
                .await;
                while let Some(frame) = kept.pop_front() {
                    bench.check(&sim, &frame, &mut next_word).await;
                    bench.give_back(&sim, bench.words(&frame)).await;
                }
            }
        }
        while !waiting.is_empty() || !kept.is_empty() {
            settle(
                &sim,
                &bench,
                &mut waiting,
                &mut kept,
                &mut overflows,
                backpressure,
            )
            .await;
            while let Some(frame) = kept.pop_front() {
                bench.check(&sim, &frame, &mut next_word).await;
                bench.give_back(&sim, bench.words(&frame)).await;
            }
        }
        sim.cycles(100).await;
        assert!(
            bench.frames.is_empty()
                && bench.fates.borrow().is_empty()
                && bench.source.pending() == 0
        );
        overflows
    })
}

/// Waits until frames have met their fate, and compares it with the contract. With back-pressure a full store stops
/// the source, so only some may have.
async fn settle(
    sim: &Handle,
    bench: &Bench,
    waiting: &mut VecDeque<Frame>,
    kept: &mut VecDeque<Frame>,
    overflows: &mut usize,
    backpressure: bool,
) {
    let all = waiting.len();
    let patience = if backpressure { 3000 } else { 100_000 };
    let _ = sim
        .timeout(patience, sim.until(|| bench.fates.borrow().len() == all))
        .await;
    if !backpressure {
        assert_eq!(
            bench.fates.borrow().len(),
            all,
            "every frame meets its fate"
        );
    }
    while let Some((fate, _)) = { bench.fates.borrow_mut().pop_front() } {
        let frame = waiting.pop_front().expect("a fate for each frame");
        let expected = frame.fate(bench.max_frame);
        if fate == Fate::Overflow && !backpressure && matches!(expected, Fate::Stored(_)) {
            *overflows += 1;
            let held: usize = kept.iter().map(|f| bench.words(f)).sum();
            let size = bench.cfg.ingress_bytes / bench.cfg.d_bytes();
            assert!(
                held + bench.words(&frame) + 16 > size,
                "overflow with {held} of {size} words in use"
            );
            continue;
        }
        assert_eq!(fate, expected, "frame of {} bytes", frame.bytes.len());
        if matches!(fate, Fate::Stored(_)) {
            kept.push_back(frame);
        }
    }
}

#[test]
fn frames_are_kept_whole_or_dropped_whole_when_the_store_fills() {
    for (data_width, dma_width) in [(64, 64), (64, 128), (128, 512)] {
        let cfg = config(data_width, dma_width);
        let model = model(&design(&cfg));
        let mut overflows = 0;
        for seed in seeds(3) {
            for profile in StallProfile::ALL {
                overflows += run(&model, cfg, seed, profile, false)
                    .unwrap_or_else(|e| panic!("{cfg:?}, {profile}: {e}"));
            }
        }
        assert!(
            overflows > 20,
            "the test fills the store ({overflows} overflows)"
        );
    }
}

#[test]
fn no_frame_is_lost_for_want_of_room_when_backpressure_is_on() {
    let cfg = config(64, 128);
    let model = model(&design(&cfg));
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            let overflows =
                run(&model, cfg, seed, profile, true).unwrap_or_else(|e| panic!("{profile}: {e}"));
            assert_eq!(overflows, 0);
        }
    }
}

#[test]
fn a_beat_is_taken_every_clock_when_frames_are_back_to_back() {
    let cfg = config(64, 64);
    let model = model(&design(&cfg));
    for backpressure in [false, true] {
        let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
        let bench = Bench::attach(&sim, cfg, 1518, backpressure, StallProfile::None).unwrap();
        sim.run(async |sim| {
            let mut rng = sim.rng("frames");
            for seq in 0..60 {
                bench.send(&Frame::new(
                    &mut rng,
                    if seq % 2 == 0 { 64 } else { 8 },
                    false,
                    seq,
                ));
            }
            sim.until(|| bench.fates.borrow().len() == 60).await;
            let fates = bench.fates.borrow();
            assert_eq!(
                fates[59].1 - fates[1].1,
                29 * 9,
                "clocks of 29 pairs of frames of 8 beats and 1"
            );
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn latency_is_the_documented_one_when_nothing_waits() {
    let cfg = config(64, 128);
    let mut sim = Sim::new(&model(&design(&cfg)), SimConfig::seed(1)).unwrap();
    let bench = Bench::attach(&sim, cfg, 1518, false, StallProfile::None).unwrap();
    let (valid, ready, last) = (
        sim.signal("s_axis_tvalid").unwrap(),
        sim.signal("s_axis_tready").unwrap(),
        sim.signal("s_axis_tlast").unwrap(),
    );
    let ends: Rc<RefCell<Vec<u64>>> = Rc::default();
    let log = ends.clone();
    sim.on_edge(move |edge| {
        if !edge.in_reset && valid.is_high() && ready.is_high() && last.is_high() {
            log.borrow_mut().push(edge.cycle);
        }
    });
    sim.run(async |sim| {
        let mut rng = sim.rng("frames");
        for (number, len) in [8, 16, 60, 1518].into_iter().enumerate() {
            bench.send(&Frame::new(&mut rng, len, false, 0));
            let record = bench.frames.recv_timed().await;
            assert_eq!(
                (record.first - ends.borrow()[number]) as usize,
                LATENCY,
                "{len} bytes"
            );
            sim.cycles(20).await;
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn a_frame_finds_the_room_of_the_dropped_one_when_it_follows_directly() {
    let cfg = config(64, 64);
    let mut sim = Sim::new(&model(&design(&cfg)), SimConfig::seed(1)).unwrap();
    let bench = Bench::attach(&sim, cfg, 4096, false, StallProfile::None).unwrap();
    sim.run(async |sim| {
        let mut rng = sim.rng("frames");
        // Half the store, then a bad frame that takes nearly all of the rest, then one that needs what it left.
        let frames = [(4096, false), (3900, true), (3900, false)];
        let frames = frames.map(|(len, bad)| Frame::new(&mut rng, len, bad, 0));
        frames.iter().for_each(|f| bench.send(f));
        sim.until(|| bench.fates.borrow().len() == 3).await;
        let fates: Vec<Fate> = bench.fates.borrow().iter().map(|f| f.0).collect();
        assert_eq!(fates, [Fate::Stored(4096), Fate::Bad, Fate::Stored(3900)]);
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let cfg = config(64, 128);
    let design = design(&cfg);
    let verdict = |from: &str, to: &str| {
        let broken = design
            .clone()
            .mutate(from, to)
            .unwrap_or_else(|e| panic!("{e}"));
        run(&model(&broken), cfg, 1, StallProfile::Light, false)
    };
    // The words of a dropped frame are not used again.
    assert!(verdict("wr <= drop ? start : ", "wr <= ").is_err());
}
