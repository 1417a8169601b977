//! `write_mux` between two masters and an AXI4 memory: every byte, every response, turns, throughput.

mod back;

use back::{first_transfers, pack};
use pagetrain_formats::Config;
use pagetrain_hdl::bundle;
use pagetrain_hdl::write_mux::{data_latency, write_mux, LATENCY, RESPONSE_LATENCY};
use pagetrain_testbench::axi::{AxiMemory, Direction, Fault, FaultAt, Memory, MemoryConfig, Resp};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::cell::RefCell;
use std::rc::Rc;

const LANES: usize = 16;
/// Bytes of each master's part of the memory.
const PART: u64 = 1 << 20;
/// Writes from here on, in either part, are answered with an error.
const BAD: u64 = PART - 8192;

fn config() -> Config {
    Config {
        dma_width: 8 * LANES,
        ..Config::default()
    }
}

fn design() -> Design {
    dut::design(&write_mux(&config())).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// A master: its addresses, its data, and what came back.
struct Master {
    number: u64,
    aw: WordSource,
    w: WordSource,
    /// Errors of the responses, in order.
    answers: Rc<RefCell<Vec<bool>>>,
    /// What must come back.
    expected: RefCell<Vec<bool>>,
    /// Its part of the memory as it must be.
    image: RefCell<Vec<u8>>,
}

impl Master {
    fn attach(sim: &Sim, number: u64, aw: Pause, w: Pause) -> Result<Master, SimError> {
        let answers: Rc<RefCell<Vec<bool>>> = Rc::default();
        let valid = sim.signal(&format!("s{number}_b_valid"))?;
        let err = sim.signal(&format!("s{number}_b_err"))?;
        let log = answers.clone();
        sim.on_edge(move |edge| {
            if valid.is_high() && !edge.in_reset {
                log.borrow_mut().push(err.is_high());
                edge.progress();
            }
        });
        Ok(Master {
            number,
            aw: WordSource::attach(sim, &Channel::axis(&format!("s{number}_aw")), aw)?,
            w: WordSource::attach(sim, &Channel::axis(&format!("s{number}_w")), w)?,
            answers,
            expected: RefCell::default(),
            image: RefCell::new(vec![0; PART as usize]),
        })
    }

    /// Writes `beats` beats of random bytes with random strobes to `offset` in its part.
    fn write(&self, rng: &mut Rng, offset: u64, beats: usize) {
        let addr = self.number * PART + offset;
        let values = [("addr", u128::from(addr)), ("len", beats as u128 - 1)];
        self.aw.send(pack(&bundle::aw(), &values));
        let bad = offset >= BAD;
        self.expected.borrow_mut().push(bad);
        for beat in 0..beats {
            let bytes = rng.bytes(LANES);
            let strobes = if rng.chance(0.5) {
                0xffff
            } else {
                rng.bits() as u16
            };
            for lane in (0..LANES).filter(|l| strobes >> l & 1 == 1 && !bad) {
                self.image.borrow_mut()[offset as usize + beat * LANES + lane] = bytes[lane];
            }
            let data = u128::from_le_bytes(bytes.try_into().unwrap());
            let values = [
                ("data", data),
                ("strb", strobes.into()),
                ("last", u128::from(beat + 1 == beats)),
            ];
            self.w.send(pack(&bundle::wd(8 * LANES), &values));
        }
    }

    /// A burst anywhere in its part that crosses no 4 KiB line.
    fn write_somewhere(&self, rng: &mut Rng) {
        let beats = if rng.chance(0.5) {
            1
        } else {
            rng.range(1..=40)
        };
        let line = rng.below(PART / 4096) * 4096;
        let at = rng.below(4096 / LANES as u64 - beats + 1) * LANES as u64;
        self.write(rng, line + at, beats as usize);
    }
}

fn share(model: &Model, seed: u64, profile: StallProfile) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let memory = Memory::open();
    let axi = AxiMemory::attach(&sim, "m_axi", &memory, MemoryConfig::new(profile))?;
    for part in 0..2 {
        axi.inject(Fault {
            direction: Direction::Write,
            at: FaultAt::Addresses(part * PART + BAD..(part + 1) * PART),
            resp: if part == 0 {
                Resp::SlvErr
            } else {
                Resp::DecErr
            },
        });
    }
    let pause = || profile.pause(Role::Source);
    let masters = [0, 1].map(|i| Master::attach(&sim, i, pause(), pause()));
    let masters = masters.into_iter().collect::<Result<Vec<_>, _>>()?;
    sim.run(async |sim| {
        let mut rng = sim.rng("bursts");
        for _ in 0..150 {
            let master = rng.below(2) as usize;
            masters[master].write_somewhere(&mut rng);
            if rng.chance(0.1) {
                sim.cycles(rng.below(100)).await;
            }
        }
        for master in &masters {
            sim.until(|| master.answers.borrow().len() == master.expected.borrow().len())
                .await;
        }
        sim.cycles(100).await;
        for master in &masters {
            assert_eq!(
                *master.answers.borrow(),
                *master.expected.borrow(),
                "master {}",
                master.number
            );
            let got = memory.read_vec(master.number * PART, PART as usize);
            assert!(
                got == *master.image.borrow(),
                "memory of master {}",
                master.number
            );
            assert_eq!(master.aw.pending() + master.w.pending(), 0);
        }
        assert!(axi.monitor().is_idle() && axi.under_way() == 0);
    })
}

#[test]
fn every_burst_lands_and_is_answered_when_two_masters_share_the_bus() {
    let model = model(&design());
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            share(&model, seed, profile).unwrap_or_else(|e| panic!("{profile}: {e}"));
        }
    }
}

/// Clocks in which `bursts` bursts of `beats` beats of each master leave, and the masters in their order.
fn crowd(model: &Model, bursts: [usize; 2], beats: usize) -> (u64, Vec<u64>) {
    let mut sim = Sim::new(model, SimConfig::seed(1)).unwrap();
    let memory = Memory::open();
    let _axi = AxiMemory::attach(
        &sim,
        "m_axi",
        &memory,
        MemoryConfig::new(StallProfile::None),
    )
    .unwrap();
    let masters = [0, 1].map(|i| Master::attach(&sim, i, Pause::Never, Pause::Never).unwrap());
    let names = [
        "m_axi_wvalid",
        "m_axi_wready",
        "m_axi_awvalid",
        "m_axi_awready",
        "m_axi_awid",
    ];
    let signals = names.map(|n| sim.signal(n).unwrap());
    let (order, clocks): (Rc<RefCell<Vec<u64>>>, Rc<RefCell<Vec<u64>>>) = Default::default();
    let (log, log_clocks) = (order.clone(), clocks.clone());
    sim.on_edge(move |edge| {
        let [wvalid, wready, awvalid, awready, awid] = &signals;
        if !edge.in_reset && wvalid.is_high() && wready.is_high() {
            log_clocks.borrow_mut().push(edge.cycle);
        }
        if !edge.in_reset && awvalid.is_high() && awready.is_high() {
            log.borrow_mut().push(awid.get());
        }
    });
    sim.run(async |sim| {
        let mut rng = sim.rng("bursts");
        for (master, bursts) in masters.iter().zip(bursts) {
            for i in 0..bursts {
                master.write(&mut rng, (i * 4096) as u64, beats);
            }
        }
        for master in &masters {
            sim.until(|| master.answers.borrow().len() == master.expected.borrow().len())
                .await;
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let (order, clocks) = (order.take(), clocks.take());
    (clocks[clocks.len() - 1] - clocks[0] + 1, order)
}

#[test]
fn bus_is_full_and_shared_in_turn_when_both_masters_always_want_it() {
    let model = model(&design());
    for beats in [1, 5] {
        let (clocks, order) = crowd(&model, [100, 100], beats);
        assert_eq!(clocks as usize, 200 * beats, "bursts of {beats}");
        assert!(
            order.windows(2).all(|two| two[0] != two[1]),
            "in turn: {order:?}"
        );
        // One that is alone loses nothing either.
        assert_eq!(crowd(&model, [100, 0], beats).0 as usize, 100 * beats);
        assert_eq!(crowd(&model, [0, 100], beats).0 as usize, 100 * beats);
    }
}

/// Clocks from the transfer of a lone burst of `master` to its address and its data on the bus, and from the response to the master.
fn latencies(model: &Model, master: u64) -> [u64; 3] {
    let mut sim = Sim::new(model, SimConfig::seed(1)).unwrap();
    let config = MemoryConfig::new(StallProfile::None);
    let _axi = AxiMemory::attach(&sim, "m_axi", &Memory::open(), config).unwrap();
    let attached = Master::attach(&sim, master, Pause::Never, Pause::Never).unwrap();
    let _other = Master::attach(&sim, 1 - master, Pause::Never, Pause::Never).unwrap();
    let [aw_valid, aw_ready, answer] =
        ["aw_tvalid", "aw_tready", "b_valid"].map(|port| format!("s{master}_{port}"));
    let channels = [
        [&aw_valid[..], &aw_ready],
        ["m_axi_awvalid", "m_axi_awready"],
        ["m_axi_wvalid", "m_axi_wready"],
        ["m_axi_bvalid", "m_axi_bready"],
        [&answer, &answer],
    ];
    let seen = first_transfers(&sim, channels).unwrap();
    sim.run(async |sim| {
        attached.write(&mut sim.rng("burst"), 0, 1);
        sim.until(|| !attached.answers.borrow().is_empty()).await;
        sim.cycles(2).await;
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let seen = seen.get().map(|at| at.expect("it came"));
    let [taken, address, data, response, answered] = seen;
    [address - taken, data - taken, answered - response]
}

#[test]
fn latencies_are_the_documented_ones_when_the_bus_is_idle() {
    let model = model(&design());
    let want = [LATENCY, data_latency(), RESPONSE_LATENCY].map(|clocks| clocks as u64);
    for master in 0..2 {
        assert_eq!(latencies(&model, master), want, "master {master}");
    }
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let design = design();
    let verdict = |from: &str, to: &str| {
        let broken = design
            .clone()
            .mutate(from, to)
            .unwrap_or_else(|e| panic!("{e}"));
        share(&model(&broken), 1, StallProfile::Light)
    };
    // Responses of both masters go to the first.
    assert!(verdict(
        "s0_b_valid <= m_axi_bvalid & !m_axi_bid;",
        "s0_b_valid <= m_axi_bvalid;"
    )
    .is_err());
}
