//! `completion` against a list of entries: bytes, places, phases, fences, room, acknowledgements, throughput.

mod back;

use back::{pack, until, Behaviour, Burst, Slave};
use pagetrain_formats::completion::{pkt, Completion};
use pagetrain_formats::{BufStatus, Config};
use pagetrain_hdl::bundle;
use pagetrain_hdl::completion::{completion, latency};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Handle, Queue, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const ENTRY: usize = 32;
const BASE: u64 = 0x12_3456_7000;

fn config(dma_width: usize) -> Config {
    Config {
        data_width: 64,
        dma_width,
        flows: if dma_width == 512 { 5 } else { 16 },
        train_entries: if dma_width == 64 { 32 } else { 64 },
        ..Config::default()
    }
}

fn design(dma_width: usize) -> Design {
    dut::design(&completion(&config(dma_width))).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// What is to be written next.
#[derive(Clone, Debug)]
enum Emission {
    Entry([u8; ENTRY]),
    Train {
        slot: usize,
        records: Vec<[u8; ENTRY]>,
        bytes: u32,
        packets: u32,
        reason: u32,
    },
}

impl Emission {
    fn random(rng: &mut Rng, cfg: &Config) -> Emission {
        if rng.chance(0.2) {
            return Emission::Entry(random_entry(rng));
        }
        let count = match rng.below(4) {
            0 | 1 => 1,
            2 => rng.range(2..=5),
            _ => rng.range(1..=cfg.train_entries as u64),
        };
        let slot = rng.below(cfg.flows as u64 + 1) as usize;
        Emission::train(rng, slot, count as usize)
    }

    fn train(rng: &mut Rng, slot: usize, count: usize) -> Emission {
        Emission::Train {
            slot,
            records: (0..count).map(|_| record(rng)).collect(),
            bytes: rng.below(1 << 20) as u32,
            packets: rng.range(1..=count as u64) as u32,
            reason: rng.below(18) as u32,
        }
    }

    /// The entries as they must stand in memory, but for the phase.
    fn entries(&self) -> Vec<[u8; ENTRY]> {
        match self {
            Emission::Entry(entry) => vec![*entry],
            Emission::Train {
                records,
                bytes,
                packets,
                reason,
                ..
            } => {
                let mut entries = records.clone();
                let mut dwords: Vec<u32> = dwords(&entries[0]);
                dwords[6] = bytes | packets << 20;
                dwords[7] =
                    dwords[7] & 0x8007_ffff & !4 | 4 | reason << 19 | (entries.len() as u32) << 24;
                entries[0] = bytes_of(&dwords);
                entries
            }
        }
    }
}

fn dwords(entry: &[u8; ENTRY]) -> Vec<u32> {
    entry
        .chunks(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

fn bytes_of(dwords: &[u32]) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    for (to, from) in entry.chunks_mut(4).zip(dwords) {
        to.copy_from_slice(&from.to_le_bytes());
    }
    entry
}

/// A record as `train` writes it: phase and head fields 0, the rest anything.
fn record(rng: &mut Rng) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    rng.fill(&mut bytes);
    let mut dwords = dwords(&bytes);
    dwords[6] = 0;
    dwords[7] &= 0x0007_fffb;
    bytes_of(&dwords)
}

/// A BUF or STOP entry.
fn random_entry(rng: &mut Rng) -> [u8; ENTRY] {
    if rng.chance(0.1) {
        return Completion::Stop.encode(false);
    }
    let mut bytes = [0; ENTRY];
    rng.fill(&mut bytes);
    let mut dwords = dwords(&bytes);
    dwords[7] = dwords[7] & 0x7fff_fffc | 3;
    assert_ne!(BufStatus::Released.code(), 0);
    bytes_of(&dwords)
}

fn with_phase(mut entry: [u8; ENTRY], phase: bool) -> [u8; ENTRY] {
    let mut d = dwords(&entry);
    d[7] |= u32::from(phase) << pkt::PHASE.lsb;
    entry.copy_from_slice(&bytes_of(&d));
    entry
}

/// The record memory's owner: where the next record of a slot goes, and how many are in use.
struct Records {
    next: Vec<usize>,
    used: Rc<RefCell<Vec<usize>>>,
    size: usize,
}

/// Everything around the block.
struct Bench {
    cfg: Config,
    size: usize,
    source: WordSource,
    slave: Slave,
    records: RefCell<Records>,
    /// Value of `done_seq` and `cq_head` at each clock.
    history: Rc<RefCell<Vec<(u16, u16)>>>,
    acknowledged: Rc<Cell<usize>>,
    stops: Rc<Cell<usize>>,
    counted: Rc<Cell<usize>>,
    /// Entries expected, with the fence.
    expected: Queue<([u8; ENTRY], u16)>,
    checked: Cell<usize>,
}

impl Bench {
    fn attach(
        sim: &Sim,
        cfg: Config,
        log2: u64,
        source: Pause,
        behaviour: Behaviour,
    ) -> Result<Bench, SimError> {
        sim.signal("quiesce")?.set(0);
        sim.signal("rec_we")?.set(0);
        sim.signal("cfg_base")?.set(BASE);
        sim.signal("cfg_log2")?.set(log2);
        sim.signal("cq_head")?.set(0);
        sim.signal("done_seq")?.set(0);
        let bench = Bench {
            cfg,
            size: 1 << log2,
            source: WordSource::attach(sim, &Channel::axis("s_axis_emit"), source)?,
            slave: Slave::attach(sim, cfg.dma_width, behaviour)?,
            records: RefCell::new(Records {
                next: vec![0; cfg.flows + 1],
                used: Rc::new(RefCell::new(vec![0; cfg.flows + 1])),
                size: cfg.train_entries,
            }),
            history: Rc::default(),
            acknowledged: Rc::default(),
            stops: Rc::default(),
            counted: Rc::default(),
            expected: Queue::new("expected"),
            checked: Cell::new(0),
        };
        bench.watch(sim)?;
        Ok(bench)
    }

    /// History of what the engine was told, and the pulses.
    fn watch(&self, sim: &Sim) -> Result<(), SimError> {
        let (done, head) = (sim.signal("done_seq")?, sim.signal("cq_head")?);
        let (free, slot) = (sim.signal("rec_free")?, sim.signal("rec_free_slot")?);
        let (entries, stop) = (sim.signal("stat_entries")?, sim.signal("stop_written")?);
        let (history, used) = (self.history.clone(), self.records.borrow().used.clone());
        let (stops, counted) = (self.stops.clone(), self.counted.clone());
        sim.on_edge(move |edge| {
            history.borrow_mut().resize(edge.cycle as usize, (0, 0));
            history
                .borrow_mut()
                .push((done.get() as u16, head.get() as u16));
            if edge.in_reset {
                return;
            }
            if free.is_high() {
                let slot = slot.get() as usize;
                match used.borrow().get(slot) {
                    Some(n) if *n > 0 => {}
                    _ => return edge.report("records", "freed_twice", format!("slot {slot}")),
                }
                used.borrow_mut()[slot] -= 1;
            }
            stops.set(stops.get() + usize::from(stop.is_high()));
            counted.set(counted.get() + entries.get() as usize);
        });
        Ok(())
    }

    /// Writes the records of an emission when there is room and sends it.
    async fn emit(&self, sim: &Handle, emission: &Emission, fence: u16) {
        for entry in emission.entries() {
            self.expected.put((entry, fence));
        }
        let emit = bundle::emit(&self.cfg);
        let record = match emission {
            Emission::Entry(entry) => {
                let mut record = pack(&emit, &[("direct", 1), ("fence", fence.into())]);
                let (at, _) = emit.place("entry");
                for (i, chunk) in entry.chunks(8).enumerate() {
                    let word = u64::from_le_bytes(chunk.try_into().unwrap());
                    record.set_field((at + 64 * i) as u32, 64, word.into());
                }
                record
            }
            Emission::Train {
                slot,
                records,
                bytes,
                packets,
                reason,
            } => {
                let start = self.write(sim, *slot, records).await;
                let values = [
                    ("slot", *slot as u128),
                    ("start", start as u128),
                    ("count", records.len() as u128),
                    ("train_bytes", u128::from(*bytes)),
                    ("train_packets", u128::from(*packets)),
                    ("reason", u128::from(*reason)),
                    ("fence", fence.into()),
                ];
                pack(&emit, &values)
            }
        };
        self.source.send(record);
    }

    /// Writes records to the ring of a slot; index of the first.
    async fn write(&self, sim: &Handle, slot: usize, records: &[[u8; ENTRY]]) -> usize {
        let (we, addr) = (
            sim.signal("rec_we").unwrap(),
            sim.signal("rec_addr").unwrap(),
        );
        let data = sim.wide("rec_data").unwrap();
        let (size, used) = (
            self.records.borrow().size,
            self.records.borrow().used.clone(),
        );
        let start = self.records.borrow().next[slot];
        for (i, record) in records.iter().enumerate() {
            while used.borrow()[slot] == size {
                sim.rising_edge().await;
            }
            used.borrow_mut()[slot] += 1;
            we.set(1);
            addr.set((slot * size + (start + i) % size) as u64);
            data.write(record);
            sim.rising_edge().await;
            we.set(0);
        }
        self.records.borrow_mut().next[slot] = (start + records.len()) % size;
        start
    }

    /// Checks one burst: its place, its entries, that they were allowed when its address came. Its entries.
    async fn check_burst(&self) -> (Vec<Emitted>, Burst) {
        let number = self.acknowledged.get();
        let (burst, first, last) = self.slave.bursts.get().await;
        let shown = self.slave.shown_at.borrow()[number];
        let (done, head) = self.history.borrow()[shown as usize];
        self.acknowledged.set(number + 1);
        let lanes = self.cfg.d_bytes() as u64;
        let bytes: Vec<(u64, u8)> = (0..)
            .zip(burst.beats.iter().flat_map(|b| &b.bytes))
            .filter_map(|(i, b)| b.map(|b| (burst.addr + i, b)))
            .collect();
        assert_eq!(bytes.len() % ENTRY, 0, "whole entries");
        let mut entries = vec![];
        for chunk in bytes.chunks(ENTRY) {
            let at = self.checked.get();
            self.checked.set(at + 1);
            let place = BASE + (at % self.size * ENTRY) as u64;
            let got: Vec<u8> = chunk.iter().map(|b| b.1).collect();
            assert_eq!(
                (chunk[0].0, chunk[ENTRY - 1].0),
                (place, place + 31),
                "entry {at}"
            );
            let (entry, fence) = self
                .expected
                .try_get()
                .unwrap_or_else(|| panic!("entry {at} too many"));
            let phase = at / self.size % 2 == 0;
            assert_eq!(
                dwords(&got.try_into().unwrap()),
                dwords(&with_phase(entry, phase)),
                "entry {at}"
            );
            assert!(
                done.wrapping_sub(fence) < 0x8000,
                "entry {at}: fence {fence} when {done} were done"
            );
            let limit = head.wrapping_add(self.size as u16);
            assert!(
                limit.wrapping_sub(at as u16 + 1) < 0x8000,
                "entry {at} when cq_head was {head}"
            );
            entries.push(Emitted { shown, first, last });
        }
        let (from, to) = (bytes[0].0, bytes[bytes.len() - 1].0);
        assert_eq!(from / 4096, to / 4096, "crosses 4 KiB");
        assert!(burst.beats.len() <= 256 && to < BASE + (self.size * ENTRY) as u64);
        assert_eq!(burst.addr, from / lanes * lanes);
        (entries, burst)
    }
}

/// An entry that was written, with the clocks of its burst's first and last beat.
#[derive(Clone, Copy)]
struct Emitted {
    /// Clock at which the burst's address was shown.
    shown: u64,
    first: u64,
    last: u64,
}

/// A host that takes entries some time after they were acknowledged.
async fn host(sim: Handle, mut rng: Rng, most: u64) {
    let (head, tail) = (
        sim.signal("cq_head").unwrap(),
        sim.signal("cq_tail").unwrap(),
    );
    let mut taken = 0u16;
    loop {
        sim.until(|| tail.get() as u16 != taken).await;
        sim.cycles(rng.range(1..=most)).await;
        let there = (tail.get() as u16).wrapping_sub(taken);
        taken = taken.wrapping_add(if rng.chance(0.5) {
            there
        } else {
            rng.range(1..=u64::from(there)) as u16
        });
        head.set(u64::from(taken));
    }
}

/// Random emissions under one stall profile.
fn write_all(
    model: &Model,
    cfg: Config,
    seed: u64,
    profile: StallProfile,
    emissions: usize,
) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let behaviour = Behaviour {
        aw: profile.pause(Role::Sink),
        w: profile.pause(Role::Sink),
        latency: 1..=if seed % 2 == 0 { 3 } else { 100 },
        error: None,
    };
    let log2 = 4 + seed % 4;
    let bench = Bench::attach(&sim, cfg, log2, profile.pause(Role::Source), behaviour)?;
    let handle = sim.handle();
    let rng = sim.rng("host");
    sim.spawn(
        "host",
        host(handle, rng, if seed % 3 == 0 { 2 } else { 60 }),
    );
    let fence: Rc<Cell<u16>> = Rc::default();
    let (allowed, handle) = (fence.clone(), sim.handle());
    let mut rng = sim.rng("done");
    sim.spawn("data", async move {
        let done = handle.signal("done_seq").unwrap();
        loop {
            handle.until(|| done.get() as u16 != allowed.get()).await;
            handle.cycles(rng.range(1..=20)).await;
            let next = (done.get() as u16).wrapping_add(1);
            done.set(u64::from(next));
        }
    });
    sim.run(async |sim| {
        let mut rng = sim.rng("emissions");
        let (mut total, mut stops) = (0, 0);
        for _ in 0..emissions {
            fence.set(fence.get().wrapping_add(rng.below(3) as u16));
            let emission = Emission::random(&mut rng, &cfg);
            let entries = emission.entries();
            total += entries.len();
            stops += entries
                .iter()
                .filter(|e| e[28] & 3 == 0 && matches!(emission, Emission::Entry(_)))
                .count();
            bench.emit(&sim, &emission, fence.get()).await;
            while !bench.slave.bursts.is_empty() {
                bench.check_burst().await;
            }
        }
        while bench.checked.get() < total {
            bench.check_burst().await;
        }
        let tail = sim.signal("cq_tail").unwrap();
        until(&sim, || tail.get() == total as u64 & 0xffff).await;
        sim.cycles(300).await;
        assert!(bench.slave.is_empty() && bench.expected.is_empty());
        assert_eq!((bench.counted.get(), bench.stops.get()), (total, stops));
        assert!(
            bench.records.borrow().used.borrow().iter().all(|n| *n == 0),
            "all records were freed"
        );
        assert!(sim.signal("idle").unwrap().is_high());
    })
}

#[test]
fn entries_stand_in_the_ring_when_trains_and_buffers_are_emitted() {
    for dma_width in [64, 128, 256, 512] {
        let cfg = config(dma_width);
        let model = model(&design(dma_width));
        for seed in seeds(4) {
            for profile in StallProfile::ALL {
                write_all(&model, cfg, seed, profile, 60)
                    .unwrap_or_else(|e| panic!("D = {dma_width}, {profile}: {e}"));
            }
        }
    }
}

/// Clocks between the first and the last beat of `count` trains of `entries` entries.
fn clocks(model: &Model, cfg: Config, count: usize, entries: usize) -> u64 {
    let mut sim = Sim::new(model, SimConfig::seed(1)).unwrap();
    let behaviour = Behaviour {
        latency: 20..=20,
        ..Behaviour::fast()
    };
    let bench = Bench::attach(&sim, cfg, 12, Pause::Never, behaviour).unwrap();
    let handle = sim.handle();
    let rng = sim.rng("host");
    sim.spawn("host", host(handle, rng, 2));
    sim.run(async |sim| {
        let done = sim.signal("done_seq").unwrap();
        let mut rng = sim.rng("trains");
        // Emissions gather behind the fence, so that the block alone sets the pace.
        for i in 0..count {
            let train = Emission::train(&mut rng, i % (cfg.flows + 1), entries);
            bench.emit(&sim, &train, 1).await;
        }
        sim.cycles(20).await;
        done.set(1);
        let (mut first, mut last, mut before) = (u64::MAX, 0, 0);
        while bench.checked.get() < count * entries {
            let (entries, burst) = bench.check_burst().await;
            let this = entries[0];
            // Once its address is out, a burst keeps the bus waiting for nothing.
            assert_eq!(
                (this.last - this.first) as usize + 1,
                burst.beats.len(),
                "gaps in a burst"
            );
            if before < this.shown {
                assert!(
                    this.first - this.shown <= 2,
                    "data {} clocks late",
                    this.first - this.shown
                );
            }
            before = this.last;
            first = first.min(this.first);
            last = last.max(this.last);
        }
        last - first + 1
    })
    .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn entries_leave_at_the_documented_rate_when_they_come_back_to_back() {
    for (dma_width, per_entry) in [(64, 4), (128, 2), (256, 1)] {
        let cfg = config(dma_width);
        let model = model(&design(dma_width));
        let singles = clocks(&model, cfg, 60, 1);
        // A burst every second clock, or when the beats of the one before have left.
        let expected = 59 * per_entry.max(2) + per_entry;
        assert_eq!(singles, expected, "D = {dma_width}: singles");
        let entries = 12 * cfg.train_entries;
        let trains = clocks(&model, cfg, 12, cfg.train_entries) as usize;
        let most = entries * per_entry as usize + 24;
        assert!(
            trains <= most,
            "D = {dma_width}: {trains} clocks for {entries} entries in trains"
        );
    }
    // Two entries a beat within a train, records at one a clock.
    let cfg = config(512);
    let model = model(&design(512));
    assert_eq!(clocks(&model, cfg, 60, 1), 59 * 2 + 1, "D = 512: singles");
    assert!(clocks(&model, cfg, 4, 60) <= 4 * 60 + 24);
}

#[test]
fn latency_is_the_documented_one_when_nothing_is_in_the_way() {
    for dma_width in [64, 128, 256, 512] {
        let cfg = config(dma_width);
        let mut sim = Sim::new(&model(&design(dma_width)), SimConfig::seed(3)).unwrap();
        let bench = Bench::attach(&sim, cfg, 8, Pause::Never, Behaviour::fast()).unwrap();
        sim.run(async |sim| {
            let mut rng = sim.rng("entries");
            sim.cycles(20).await;
            for number in 0..4 {
                let emission = match number % 2 {
                    0 => Emission::Entry(random_entry(&mut rng)),
                    _ => Emission::train(&mut rng, cfg.flows, 1),
                };
                bench.emit(&sim, &emission, 0).await;
                let sent = bench.source.sent().get().await.last;
                bench.check_burst().await;
                let shown = bench.slave.shown_at.borrow()[number];
                assert_eq!(
                    (shown - sent) as usize,
                    latency(dma_width),
                    "D = {dma_width}"
                );
                sim.cycles(40).await;
            }
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

/// Emits sixty trains and does `act` in the middle; bursts shown, complete, answered, and `cq_tail`, at the end.
fn interrupted(
    model: &Model,
    seed: u64,
    error: Option<usize>,
    quiesce: bool,
) -> ([usize; 3], u64, usize) {
    let cfg = config(128);
    let mut sim = Sim::new(model, SimConfig::seed(seed)).unwrap();
    let behaviour = Behaviour {
        aw: Pause::Random(0.3),
        w: Pause::Random(0.3),
        latency: 1..=50,
        error,
    };
    let bench = Bench::attach(&sim, cfg, 12, Pause::Never, behaviour).unwrap();
    sim.run(async |sim| {
        let mut rng = sim.rng("trains");
        for i in 0..60 {
            let train = Emission::train(&mut rng, i % 17, 1 + i % 9);
            bench.emit(&sim, &train, 0).await;
        }
        if quiesce {
            sim.cycles(rng.range(1..=200)).await;
            sim.signal("quiesce").unwrap().set(1);
        } else {
            until(&sim, || bench.slave.answers.get() > error.unwrap()).await;
        }
        sim.cycles(3).await;
        let idle = sim.signal("idle").unwrap();
        until(&sim, || idle.is_high()).await;
        let shown = bench.slave.shown_at.borrow().len();
        let before = (shown, bench.slave.bursts.len());
        sim.cycles(300).await;
        assert!(idle.is_high());
        assert_eq!(
            (
                bench.slave.shown_at.borrow().len(),
                bench.slave.bursts.len()
            ),
            before,
            "nothing starts"
        );
        let mut entries = 0;
        for _ in 0..error.unwrap_or(before.1) {
            entries += bench.check_burst().await.0.len();
        }
        let tail = sim.signal("cq_tail").unwrap().get();
        ([shown, before.1, bench.slave.answers.get()], tail, entries)
    })
    .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn bursts_under_way_are_finished_when_quiesced() {
    let model = model(&design(128));
    for seed in seeds(10) {
        let ([shown, complete, answered], tail, entries) = interrupted(&model, seed, None, true);
        assert_eq!((shown, answered), (complete, complete));
        assert_eq!(tail as usize, entries);
    }
}

#[test]
fn nothing_more_is_written_or_counted_when_a_response_was_bad() {
    let ([shown, complete, answered], tail, entries) =
        interrupted(&model(&design(128)), 4, Some(9), false);
    assert!(shown < 60, "no burst starts after the error");
    assert_eq!((shown, answered), (complete, complete));
    assert_eq!(tail as usize, entries, "entries before the bad response");
}

/// Runs the random test on a broken variant.
fn verdict(design: &Design, from: &str, to: &str) -> Result<(), SimError> {
    let broken = design
        .clone()
        .mutate(from, to)
        .unwrap_or_else(|e| panic!("{e}"));
    write_all(&model(&broken), config(128), 1, StallProfile::None, 60)
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let design = design(128);
    // Never waits for data.
    assert!(verdict(
        &design,
        "wire passed = f_valid & !f_short;",
        "wire passed = f_valid;"
    )
    .is_err());
    // Believes in room that was just planned away.
    assert!(verdict(&design, "& !go & !went)", "& !go)").is_err());
}
