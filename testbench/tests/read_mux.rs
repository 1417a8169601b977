//! `read_mux` between two masters and an AXI4 memory: every beat to the master that asked, in its order.

mod back;

use back::{field, first_transfers, pack};
use pagetrain_formats::Config;
use pagetrain_hdl::bundle;
use pagetrain_hdl::read_mux::{read_mux, LATENCY};
use pagetrain_testbench::axi::{AxiMemory, Direction, Fault, FaultAt, Memory, MemoryConfig, Resp};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Bits;
use std::cell::RefCell;
use std::rc::Rc;

const LANES: usize = 16;
/// Bytes of each master's part of the memory; reads of the last page fail.
const PART: u64 = 1 << 16;

fn design() -> Design {
    let cfg = Config {
        dma_width: 8 * LANES,
        ..Config::default()
    };
    dut::design(&read_mux(&cfg)).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// A beat as a master gets it: data, unless it is an error; last.
type Beat = (Option<u128>, bool);

/// A master: what it asks for and what it gets.
struct Master {
    ar: WordSource,
    beats: Rc<RefCell<Vec<(Beat, u64)>>>,
    expected: RefCell<Vec<Beat>>,
}

impl Master {
    fn attach(sim: &Sim, number: usize, pause: Pause) -> Result<Master, SimError> {
        let beats: Rc<RefCell<Vec<(Beat, u64)>>> = Rc::default();
        let valid = sim.signal(&format!("s{number}_r_tvalid"))?;
        let err = sim.signal(&format!("s{number}_r_err"))?;
        let data = sim.wide(&format!("s{number}_r_tdata"))?;
        let (log, rd) = (beats.clone(), bundle::rd(8 * LANES));
        sim.on_edge(move |edge| {
            if valid.is_high() && !edge.in_reset {
                let mut bytes = vec![0; data.len_bytes()];
                data.read(&mut bytes);
                let beat = Bits::from_bytes(data.width(), &bytes);
                let value = (!err.is_high()).then(|| field(&rd, &beat, "data"));
                log.borrow_mut()
                    .push(((value, field(&rd, &beat, "last") == 1), edge.cycle));
                edge.progress();
            }
        });
        Ok(Master {
            ar: WordSource::attach(sim, &Channel::axis(&format!("s{number}_ar")), pause)?,
            beats,
            expected: RefCell::default(),
        })
    }

    fn read(&self, memory: &Memory, addr: u64, beats: usize) {
        let values = [("addr", u128::from(addr)), ("len", beats as u128 - 1)];
        self.ar.send(pack(&bundle::ar(), &values));
        let bad = addr % PART >= PART - 4096;
        for beat in 0..beats {
            let bytes = memory.read_vec(addr + (beat * LANES) as u64, LANES);
            let value = u128::from_le_bytes(bytes.try_into().unwrap());
            self.expected
                .borrow_mut()
                .push(((!bad).then_some(value), beat + 1 == beats));
        }
    }
}

fn share(
    model: &Model,
    seed: u64,
    profile: StallProfile,
    reads: usize,
    beats: u64,
) -> Result<u64, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let memory = Memory::open();
    memory.write(0, &sim.rng("memory").bytes(2 * PART as usize));
    let axi = AxiMemory::attach(&sim, "m_axi", &memory, MemoryConfig::new(profile))?;
    for part in 1..=2 {
        axi.inject(Fault {
            direction: Direction::Read,
            at: FaultAt::Addresses(part * PART - 4096..part * PART),
            resp: Resp::SlvErr,
        });
    }
    let masters = [0, 1].map(|i| Master::attach(&sim, i, profile.pause(Role::Source)));
    let masters = masters.into_iter().collect::<Result<Vec<_>, _>>()?;
    sim.run(async |sim| {
        let mut rng = sim.rng("reads");
        for i in 0..reads {
            let beats = rng.range(1..=beats);
            let line = rng.below(PART / 4096) * 4096;
            let at = rng.below(4096 / LANES as u64 - beats + 1) * LANES as u64;
            let number = if profile == StallProfile::None {
                i % 2
            } else {
                rng.below(2) as usize
            };
            masters[number].read(&memory, number as u64 * PART + line + at, beats as usize);
        }
        for master in &masters {
            sim.until(|| master.beats.borrow().len() == master.expected.borrow().len())
                .await;
        }
        sim.cycles(100).await;
        let (mut first, mut last) = (u64::MAX, 0);
        for master in &masters {
            let (beats, clocks): (Vec<Beat>, Vec<u64>) = master.beats.take().into_iter().unzip();
            assert_eq!(beats, *master.expected.borrow());
            assert_eq!(master.ar.pending(), 0);
            first = first.min(*clocks.first().unwrap());
            last = last.max(*clocks.last().unwrap());
        }
        assert!(axi.monitor().is_idle());
        last - first + 1
    })
}

#[test]
fn beats_reach_the_master_that_asked_when_the_memory_reorders() {
    let model = model(&design());
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            share(&model, seed, profile, 100, 8).unwrap_or_else(|e| panic!("{profile}: {e}"));
        }
    }
}

#[test]
fn a_burst_is_asked_for_every_clock_when_both_masters_want_to() {
    let clocks =
        share(&model(&design()), 1, StallProfile::None, 200, 1).unwrap_or_else(|e| panic!("{e}"));
    assert!(clocks <= 202, "{clocks} clocks for 200 beats");
}

/// Clocks from the transfer of a lone burst of `master` to its address on the bus, and from the beat to the master.
fn latencies(model: &Model, master: usize) -> [u64; 2] {
    let mut sim = Sim::new(model, SimConfig::seed(1)).unwrap();
    let memory = Memory::open();
    let config = MemoryConfig::new(StallProfile::None);
    let _axi = AxiMemory::attach(&sim, "m_axi", &memory, config).unwrap();
    let masters = [0, 1].map(|i| Master::attach(&sim, i, Pause::Never).unwrap());
    let [ar_valid, ar_ready] = ["ar_tvalid", "ar_tready"].map(|port| format!("s{master}_{port}"));
    let channels = [
        [&ar_valid[..], &ar_ready],
        ["m_axi_arvalid", "m_axi_arready"],
        ["m_axi_rvalid", "m_axi_rready"],
    ];
    let seen = first_transfers(&sim, channels).unwrap();
    sim.run(async |sim| {
        masters[master].read(&memory, 0, 1);
        sim.until(|| !masters[master].beats.borrow().is_empty())
            .await;
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let [taken, address, beat] = seen.get().map(|at| at.expect("it came"));
    let got = masters[master].beats.borrow()[0].1;
    [address - taken, got - beat]
}

#[test]
fn latencies_are_the_documented_ones_when_the_bus_is_idle() {
    let model = model(&design());
    for master in 0..2 {
        assert_eq!(
            latencies(&model, master),
            [LATENCY as u64; 2],
            "master {master}"
        );
    }
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let from = "s1_r_tvalid <= m_axi_rvalid & m_axi_rid;";
    let broken = design()
        .mutate(from, "s1_r_tvalid <= m_axi_rvalid;")
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(share(&model(&broken), 1, StallProfile::Light, 100, 8).is_err());
}
