//! `dma_write` against a byte-wise copy: every burst, every strobe, `done_seq`, the frames given back, throughput.

mod back;

use back::{bursts_of, pack, until, Behaviour, Burst, Slave};
use pagetrain_formats::Config;
use pagetrain_hdl::bundle;
use pagetrain_hdl::dma_write::{dma_write, DATA_LATENCY, LATENCY};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{
    seeds, Component, Edge, Handle, Signal, Sim, SimConfig, SimError, WideSignal,
};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

fn config(dma_width: usize) -> Config {
    Config {
        data_width: 64,
        dma_width,
        ingress_bytes: 8192,
        ..Config::default()
    }
}

fn design(dma_width: usize) -> Design {
    dut::design(&dma_write(&config(dma_width))).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// The frame store: data two clocks after the address. Words that are given back turn into garbage at once.
struct Store {
    bytes: Vec<u8>,
    lanes: usize,
    /// First word that is not free, words in use.
    oldest: usize,
    used: usize,
    rng: Rng,
    addr: Signal,
    data: WideSignal,
    free: Signal,
    words: Signal,
    on_the_way: Vec<u8>,
    out: Vec<u8>,
}

impl Store {
    fn attach(sim: &Sim, cfg: &Config) -> Result<Rc<RefCell<Store>>, SimError> {
        let mut rng = sim.rng("store");
        let store = Rc::new(RefCell::new(Store {
            bytes: rng.bytes(cfg.ingress_bytes),
            lanes: cfg.d_bytes(),
            oldest: 0,
            used: 0,
            rng,
            addr: sim.signal("rd_addr")?,
            data: sim.wide("rd_data")?,
            free: sim.signal("free_valid")?,
            words: sim.signal("free_words")?,
            on_the_way: vec![0; cfg.d_bytes()],
            out: vec![0; cfg.d_bytes()],
        }));
        sim.attach(store.clone());
        Ok(store)
    }

    fn words(&self) -> usize {
        self.bytes.len() / self.lanes
    }

    /// Puts a new frame of `words` words behind the others; its first word, or `None` for want of room.
    fn store(&mut self, words: usize) -> Option<usize> {
        if self.used + words > self.words() {
            return None;
        }
        let first = (self.oldest + self.used) % self.words();
        self.used += words;
        Some(first)
    }
}

impl Component for Store {
    fn sample(&mut self, edge: &Edge<'_>) {
        let at = self.addr.get() as usize * self.lanes;
        self.out = std::mem::take(&mut self.on_the_way);
        self.on_the_way = self.bytes[at..at + self.lanes].to_vec();
        if self.free.is_high() && !edge.in_reset {
            let words = self.words.get() as usize;
            if words > self.used {
                edge.report(
                    "store",
                    "freed_twice",
                    format!("{words} words of {}", self.used),
                );
            }
            for i in 0..words {
                let word = (self.oldest + i) % self.words();
                let garbage = self.rng.bytes(self.lanes);
                self.bytes[word * self.lanes..][..self.lanes].copy_from_slice(&garbage);
            }
            self.oldest = (self.oldest + words) % self.words();
            self.used -= words.min(self.used);
            edge.progress();
        }
    }

    fn drive(&mut self, _edge: &Edge<'_>) {
        self.data.write(&self.out);
    }
}

/// A command as the test thinks of it.
#[derive(Clone, Debug)]
struct Command {
    src: usize,
    len: usize,
    addr: u64,
    /// Words to give back.
    free: Option<usize>,
    extra: Extra,
}

/// What a command does beside copying, or instead.
#[derive(Clone, Debug, Default)]
struct Extra {
    /// The bytes are summed: beginning anew, as if an odd number came before, subtracted.
    sum: Option<(bool, bool, bool)>,
    no_write: bool,
    patch: bool,
    /// A patch is set at `src`: slot, value, from the sum.
    set: Option<(usize, u16, bool)>,
}

/// Sum and patches as they stand after the commands sent so far: RFC 1071, byte by byte.
#[derive(Default)]
struct Rewriting {
    sum: u64,
    patches: [Option<(usize, u16)>; 5],
}

impl Rewriting {
    fn fold(mut sum: u64) -> u16 {
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    /// What the patches make of the byte at `at`.
    fn byte(&self, at: usize, byte: u8) -> u8 {
        let patch = self.patches.iter().flatten().find(|p| p.0 == at & !1);
        patch.map_or(byte, |p| p.1.to_be_bytes()[at % 2])
    }

    fn add(&mut self, bytes: &[u8], (anew, odd, minus): (bool, bool, bool)) {
        let value = |(i, b): (usize, &u8)| {
            let high = (i + usize::from(odd)) % 2 == 0;
            u64::from(*b) << if high { 8 } else { 0 }
        };
        let sum = Self::fold(bytes.iter().enumerate().map(value).sum());
        let sum = if minus { !sum } else { sum };
        self.sum = u64::from(sum) + if anew { 0 } else { self.sum };
    }

    fn set(&mut self, at: usize, (slot, value, from_sum): (usize, u16, bool)) {
        if slot == 0 {
            self.patches = [None; 5];
        }
        let of_sum = !Self::fold(self.sum + u64::from(value));
        self.patches[slot] = Some((at, if from_sum { of_sum } else { value }));
    }
}

/// Everything around the block.
struct Bench {
    cfg: Config,
    store: Rc<RefCell<Store>>,
    source: WordSource,
    slave: Slave,
    /// Bursts of each command that was sent and is not done.
    open: Rc<RefCell<VecDeque<usize>>>,
    rewriting: RefCell<Rewriting>,
}

impl Bench {
    fn attach(
        sim: &Sim,
        cfg: Config,
        commands: Pause,
        behaviour: Behaviour,
    ) -> Result<Bench, SimError> {
        sim.signal("quiesce")?.set(0);
        let bench = Bench {
            cfg,
            store: Store::attach(sim, &cfg)?,
            source: WordSource::attach(sim, &Channel::axis("s_axis_cmd"), commands)?,
            slave: Slave::attach(sim, cfg.dma_width, behaviour)?,
            open: Rc::default(),
            rewriting: RefCell::default(),
        };
        bench.watch_done(sim)?;
        Ok(bench)
    }

    /// `done_seq` moves by one, and never beyond a command with a burst that was not answered.
    fn watch_done(&self, sim: &Sim) -> Result<(), SimError> {
        let done_seq = sim.signal("done_seq")?;
        let (open, answers) = (self.open.clone(), self.slave.answers.clone());
        let (mut before, mut needed) = (0u16, 0usize);
        sim.on_edge(move |edge| {
            let now = done_seq.get() as u16;
            if edge.in_reset || now == before {
                return;
            }
            let next = open.borrow_mut().pop_front();
            needed += next.unwrap_or(0);
            if now != before.wrapping_add(1) || next.is_none() || needed > answers.get() {
                let detail = format!(
                    "{before} -> {now}, {needed} bursts needed, {} answered",
                    answers.get()
                );
                edge.report("done_seq", "too_early", detail);
            }
            before = now;
        });
        Ok(())
    }

    /// The bytes that the command copies, as they are in the store now, and with the patches that it asks for.
    fn bytes(&self, command: &Command) -> Vec<u8> {
        let (store, rewriting) = (self.store.borrow(), self.rewriting.borrow());
        let byte = |i: usize| {
            let at = (command.src + i) % store.bytes.len();
            match command.extra.patch {
                true => rewriting.byte(at, store.bytes[at]),
                false => store.bytes[at],
            }
        };
        (0..command.len).map(byte).collect()
    }

    /// Sends a command; the bursts that must come of it.
    fn send(&self, command: &Command) -> Vec<Burst> {
        let extra = &command.extra;
        let addr = match extra.set {
            Some((slot, value, from_sum)) => {
                let values = [
                    ("value", u128::from(value)),
                    ("slot", slot as u128),
                    ("from_sum", from_sum.into()),
                ];
                pack(&bundle::patch(), &values).field(0, 64)
            }
            None => u128::from(command.addr),
        };
        let values = [
            ("src", command.src as u128),
            ("len", command.len as u128),
            ("addr", addr),
            ("free", u128::from(command.free.is_some())),
            ("words", command.free.unwrap_or(0) as u128),
            ("sum", u128::from(extra.sum.is_some())),
            ("anew", u128::from(extra.sum.is_some_and(|s| s.0))),
            ("odd", u128::from(extra.sum.is_some_and(|s| s.1))),
            ("minus", u128::from(extra.sum.is_some_and(|s| s.2))),
            ("no_write", u128::from(extra.no_write)),
            ("patch", u128::from(extra.patch)),
            ("set", u128::from(extra.set.is_some())),
        ];
        let bytes = self.bytes(command);
        if let Some(set) = extra.set {
            self.rewriting.borrow_mut().set(command.src, set);
        }
        if let Some(sum) = extra.sum {
            self.rewriting.borrow_mut().add(&bytes, sum);
        }
        let written: &[u8] = if extra.no_write { &[] } else { &bytes };
        let bursts = bursts_of(command.addr, written, self.cfg.d_bytes() as u64);
        self.open.borrow_mut().push_back(bursts.len());
        self.source.send(pack(&bundle::cmd(&self.cfg), &values));
        bursts
    }

    /// Sets a patch soon behind `first`, with so many bytes to come, where none stands.
    fn send_patch(&self, rng: &mut Rng, first: usize, bytes: usize, summed: bool) -> Vec<Burst> {
        let src =
            (first + (rng.below(bytes.clamp(2, 48) as u64) & !1) as usize) % self.cfg.ingress_bytes;
        let slot = rng.below(5) as usize;
        let others = self.rewriting.borrow().patches;
        let taken =
            |(i, p): (usize, &Option<(usize, u16)>)| i != slot && p.is_some_and(|p| p.0 == src);
        if slot > 0 && others.iter().enumerate().any(taken) {
            return vec![];
        }
        let from_sum = summed && rng.chance(0.5);
        let set = (slot, rng.bits() as u16, from_sum);
        self.send(&Command {
            src,
            len: 0,
            addr: 0,
            free: None,
            extra: Extra {
                set: Some(set),
                ..Extra::default()
            },
        })
    }

    /// Stores a frame when there is room and sends the commands that copy it, some of them with sums and patches.
    async fn send_frame(&self, sim: &Handle, rng: &mut Rng, rewrite: f64) -> Vec<Burst> {
        let lanes = self.cfg.d_bytes();
        let len = match rng.below(4) {
            0 => rng.range(1..=64),
            1 => rng.range(1..=1500),
            2 => rng.range(1..=4096),
            _ => rng.range(1..=lanes as u64 * 3),
        } as usize;
        let words = len.div_ceil(lanes);
        let first = loop {
            let place = self.store.borrow_mut().store(words);
            match place {
                Some(first) => break first,
                None => sim.rising_edge().await,
            }
        };
        let mut bursts = vec![];
        let mut at = 0;
        let mut summed = false;
        while at < len || rng.chance(0.1) {
            let piece = match rng.below(8) {
                0 => 0,
                1 => len - at,
                _ => rng.range(1..=((len - at).max(1)) as u64) as usize,
            };
            let piece = piece.min(len - at);
            let ends = at + piece == len;
            let sets = rng.below(4) * u64::from(rng.chance(rewrite));
            for _ in 0..sets {
                bursts.extend(self.send_patch(rng, first * lanes + (at & !1), len - at, summed));
            }
            let sum = (piece > 0 && rng.chance(rewrite)).then(|| {
                let anew = !summed || rng.chance(0.2);
                (anew, rng.chance(0.5), rng.chance(0.3))
            });
            summed |= sum.is_some();
            let command = Command {
                src: (first * lanes + at) % self.cfg.ingress_bytes,
                len: piece,
                addr: address(rng, lanes as u64),
                free: ends.then_some(words),
                extra: Extra {
                    sum,
                    no_write: rng.chance(rewrite / 2.0),
                    patch: rng.chance(rewrite),
                    set: None,
                },
            };
            at += piece;
            bursts.extend(self.send(&command));
            if ends {
                break;
            }
        }
        bursts
    }
}

/// Addresses that lie near lines of 4 KiB, or anywhere.
fn address(rng: &mut Rng, lanes: u64) -> u64 {
    let base = rng.bits() & 0xffff_ffff_f000;
    match rng.below(3) {
        0 => base + 4096 - rng.range(1..=3 * lanes),
        1 => base + rng.below(4096),
        _ => base + rng.below(4096) / lanes * lanes,
    }
}

/// Random frames in random pieces under one stall profile.
fn copy_frames(
    model: &Model,
    cfg: Config,
    seed: u64,
    profile: StallProfile,
    frames: usize,
    rewrite: f64,
) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let behaviour = Behaviour {
        aw: profile.pause(Role::Sink),
        w: profile.pause(Role::Sink),
        latency: 1..=if seed % 2 == 0 { 4 } else { 200 },
        error: None,
    };
    let bench = Bench::attach(&sim, cfg, profile.pause(Role::Source), behaviour)?;
    sim.run(async |sim| {
        let mut rng = sim.rng("frames");
        let mut expected = VecDeque::new();
        for _ in 0..frames {
            expected.extend(bench.send_frame(&sim, &mut rng, rewrite).await);
            // Whatever has come, comes in order and whole.
            while !bench.slave.bursts.is_empty() {
                let (burst, ..) = bench.slave.bursts.get().await;
                assert_eq!(Some(burst), expected.pop_front());
            }
        }
        for burst in expected {
            assert_eq!(bench.slave.bursts.get().await.0, burst);
        }
        let idle = sim.signal("idle").unwrap();
        until(&sim, || bench.open.borrow().is_empty() && idle.is_high()).await;
        // What is only read may take longer.
        until(&sim, || bench.store.borrow().used == 0).await;
        sim.cycles(100).await;
        assert!(bench.slave.is_empty());
    })
}

#[test]
fn every_byte_lands_once_when_frames_are_copied_in_pieces() {
    for dma_width in [64, 128, 512] {
        let cfg = config(dma_width);
        let model = model(&design(dma_width));
        for seed in seeds(3) {
            for profile in StallProfile::ALL {
                copy_frames(&model, cfg, seed, profile, 60, 0.0)
                    .unwrap_or_else(|e| panic!("D = {dma_width}, {profile}: {e}"));
            }
        }
    }
}

#[test]
fn headers_are_rewritten_when_sums_and_patches_are_asked_for() {
    for dma_width in [64, 128, 512] {
        let cfg = config(dma_width);
        let model = model(&design(dma_width));
        for seed in seeds(4) {
            for profile in StallProfile::ALL {
                copy_frames(&model, cfg, seed, profile, 80, 0.4)
                    .unwrap_or_else(|e| panic!("D = {dma_width}, {profile}: {e}"));
            }
        }
    }
}

/// Clocks from the first to the last beat for back-to-back copies, and the beats.
fn clocks(model: &Model, cfg: Config, copies: &[Command]) -> (u64, usize) {
    let mut sim = Sim::new(model, SimConfig::seed(1)).unwrap();
    let behaviour = Behaviour {
        latency: 20..=20,
        ..Behaviour::fast()
    };
    let bench = Bench::attach(&sim, cfg, Pause::Never, behaviour).unwrap();
    let (copies, bench) = (copies.to_vec(), &bench);
    sim.run(async |_| {
        let expected: Vec<Burst> = copies.iter().flat_map(|c| bench.send(c)).collect();
        let (mut first, mut end, mut beats) = (u64::MAX, 0, 0);
        for burst in expected {
            let (got, from, to) = bench.slave.bursts.get().await;
            assert_eq!(got, burst);
            first = first.min(from);
            end = to;
            beats += burst.beats.len();
        }
        (end - first + 1, beats)
    })
    .unwrap_or_else(|e| panic!("{e}"))
}

/// `count` copies of `len` bytes, each from lane `src` to lane `dst`.
fn copies(cfg: &Config, count: usize, len: usize, src: usize, dst: usize) -> Vec<Command> {
    (0..count)
        .map(|i| Command {
            src: (i * 2048 + src) % cfg.ingress_bytes,
            len,
            addr: 0x10_0000 + (i * 8192 + dst) as u64,
            free: None,
            extra: Extra::default(),
        })
        .collect()
}

#[test]
fn a_beat_leaves_every_clock_when_copies_are_back_to_back() {
    let cfg = config(128);
    let model = model(&design(128));
    // One-beat commands, however aligned.
    for (src, dst, len) in [(0, 0, 16), (3, 3, 5), (2, 9, 7), (11, 1, 4), (8, 8, 1)] {
        let (clocks, beats) = clocks(&model, cfg, &copies(&cfg, 200, len, src, dst));
        assert_eq!(beats, 200);
        assert_eq!(
            clocks, 200,
            "one-beat commands, {len} bytes, lane {src} to {dst}"
        );
    }
    // n beats from m words: max(n, m) clocks, one more where n = m > 1 and the source starts higher.
    for (src, dst, len) in [
        (0, 0, 1024),
        (5, 5, 1000),
        (1, 14, 999),
        (14, 1, 1024),
        (4, 2, 1022),
        (6, 0, 70),
    ] {
        let (clocks, beats) = clocks(&model, cfg, &copies(&cfg, 50, len, src, dst));
        let (n, m) = ((dst + len).div_ceil(16), (src + len).div_ceil(16));
        assert_eq!(beats, 50 * n);
        let extra = usize::from(n == m && n > 1 && src > dst);
        let most = 50 * (n.max(m) + extra);
        assert!(
            clocks as usize <= most,
            "{clocks} clocks for {most}: {len} bytes, lane {src} to {dst}"
        );
    }
}

/// Clocks a frame, by data width and length: what docs/src/synthesis.md sets beside other engines.
const PACKED: &str = include_str!("../../docs/results/dma_write.json");

/// Clocks a frame when frames of `len` bytes, each from lane 0, are packed byte to byte into memory.
fn packed(model: &Model, cfg: Config, len: usize) -> f64 {
    let count = 2 * cfg.dma_width / 8; // twice round all lanes
    let copies: Vec<Command> = (0..count)
        .map(|i| Command {
            src: i * 2048 % cfg.ingress_bytes,
            len,
            addr: 0x10_0000 + (i * len) as u64,
            free: None,
            extra: Extra::default(),
        })
        .collect();
    clocks(model, cfg, &copies).0 as f64 / count as f64
}

#[test]
fn frames_take_the_published_clocks_when_they_are_packed_byte_to_byte() {
    let published: BTreeMap<usize, BTreeMap<usize, f64>> =
        serde_json::from_str(PACKED).expect("JSON");
    let mut measured = published.clone();
    for (&dma_width, frames) in &mut measured {
        let model = model(&design(dma_width));
        for (&len, clocks) in frames {
            *clocks = packed(&model, config(dma_width), len);
        }
    }
    assert_eq!(
        measured, published,
        "write docs/results/dma_write.json anew, then run ci/synth --page"
    );
}

#[test]
fn latency_is_the_documented_one_when_nothing_is_in_the_way() {
    for dma_width in [64, 512] {
        let cfg = config(dma_width);
        let mut sim = Sim::new(&model(&design(dma_width)), SimConfig::seed(2)).unwrap();
        let bench = Bench::attach(&sim, cfg, Pause::Never, Behaviour::fast()).unwrap();
        sim.run(async |sim| {
            sim.cycles(20).await;
            for command in copies(&cfg, 3, 64, 0, 0) {
                let number = bench.slave.shown_at.borrow().len();
                bench.send(&command);
                let sent = bench.source.sent().get().await.last;
                let (_, first_beat, _) = bench.slave.bursts.get().await;
                let shown = bench.slave.shown_at.borrow()[number];
                assert_eq!((shown - sent) as usize, LATENCY, "to the address");
                assert_eq!((first_beat - sent) as usize, DATA_LATENCY, "to the data");
                sim.cycles(30).await;
            }
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn bursts_under_way_are_finished_when_quiesced() {
    let cfg = config(128);
    let model = model(&design(128));
    for seed in seeds(20) {
        let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
        let behaviour = Behaviour {
            aw: Pause::Random(0.3),
            w: Pause::Random(0.3),
            latency: 1..=60,
            error: None,
        };
        let bench = Bench::attach(&sim, cfg, Pause::Never, behaviour).unwrap();
        sim.run(async |sim| {
            let mut rng = sim.rng("test");
            let (quiesce, idle) = (sim.signal("quiesce").unwrap(), sim.signal("idle").unwrap());
            for _ in 0..60 {
                let command = Command {
                    src: rng.below(8192) as usize,
                    len: rng.below(2000) as usize,
                    addr: address(&mut rng, 16),
                    free: None,
                    extra: Extra::default(),
                };
                bench.send(&command);
            }
            sim.cycles(rng.range(1..=900)).await;
            quiesce.set(1);
            sim.cycles(3).await;
            until(&sim, || idle.is_high()).await;
            let shown = bench.slave.shown_at.borrow().len();
            let finished = bench.slave.bursts.len();
            assert_eq!(
                (shown, bench.slave.answers.get()),
                (finished, finished),
                "shown, answered"
            );
            sim.cycles(300).await;
            assert_eq!(bench.slave.shown_at.borrow().len(), shown, "nothing starts");
            assert!(idle.is_high());
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn nothing_counts_as_done_when_a_response_was_bad() {
    let cfg = config(128);
    let mut sim = Sim::new(&model(&design(128)), SimConfig::seed(5)).unwrap();
    let behaviour = Behaviour {
        error: Some(7),
        ..Behaviour::fast()
    };
    let bench = Bench::attach(&sim, cfg, Pause::Never, behaviour).unwrap();
    sim.run(async |sim| {
        let expected: usize = copies(&cfg, 20, 100, 0, 0)
            .iter()
            .map(|c| bench.send(c).len())
            .sum();
        let done_seq = sim.signal("done_seq").unwrap();
        until(&sim, || bench.slave.answers.get() == expected).await;
        sim.cycles(50).await;
        assert_eq!(done_seq.get(), 7);
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// Runs the random test on a broken variant.
fn verdict(design: &Design, from: &str, to: &str) -> Result<(), SimError> {
    let broken = design
        .clone()
        .mutate(from, to)
        .unwrap_or_else(|e| panic!("{e}"));
    copy_frames(
        &model(&broken),
        config(128),
        1,
        StallProfile::Heavy,
        60,
        0.4,
    )
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let design = design(128);
    // The residue of the word before is always taken.
    assert!(verdict(&design, "if (r4_reads) begin", "if (1'b1) begin").is_err());
    // Commands count as done when their burst is announced.
    assert!(verdict(&design, "(track_m_axis_tdata[1] | some_answers)", "1'b1").is_err());
    // A patch made from the sum does not wait for the last beats.
    assert!(verdict(&design, "(!c_from_sum | settled)", "1'b1").is_err());
    // The halves of a sum are never swapped.
    assert!(verdict(&design, "{twice[7:0], twice[15:8]}", "twice").is_err());
}
