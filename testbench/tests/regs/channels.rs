//! The five channels, each with pauses of its own: whatever comes first, every access takes effect once and in order.

use crate::bench::{quiet, watch, PORT};
use crate::reference::Reference;
use crate::{config, model};
use pagetrain_formats::regs::{self, REGISTERS};
use pagetrain_testbench::axil::AxilMonitor;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::Pause;
use pagetrain_testbench::stream::{Channel, WordSink, WordSource};
use pagetrain_testbench::verilator::Model;
use pagetrain_testbench::Bits;

/// Clocks of a write and of a read when nobody stalls, as the block's header says.
const WRITE_CLOCKS: u64 = pagetrain_hdl::regs::WRITE_CLOCKS as u64;
const READ_CLOCKS: u64 = pagetrain_hdl::regs::READ_CLOCKS as u64;

/// The channels of the port: sources of AW, W, AR; sinks of B, R.
struct Channels {
    aw: WordSource,
    w: WordSource,
    b: WordSink,
    ar: WordSource,
    r: WordSink,
}

impl Channels {
    fn attach(sim: &Sim, pauses: &[Pause; 5]) -> Result<Channels, SimError> {
        let channel = |name: &str, fields: &[&str]| {
            let port = |suffix: &str| format!("{PORT}_{name}{suffix}");
            let fields: Vec<String> = fields.iter().map(|f| port(f)).collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            Channel::ports(name, &port("valid"), &port("ready"), &fields)
        };
        let source = |name, fields: &[&str], i: usize| {
            WordSource::attach(sim, &channel(name, fields), pauses[i].clone())
        };
        let sink = |name, fields: &[&str], i: usize| {
            WordSink::attach(sim, &channel(name, fields), pauses[i].clone())
        };
        Ok(Channels {
            aw: source("aw", &["addr", "prot"], 0)?,
            w: source("w", &["data", "strb"], 1)?,
            b: sink("b", &["resp"], 2)?,
            ar: source("ar", &["addr", "prot"], 3)?,
            r: sink("r", &["data", "resp"], 4)?,
        })
    }

    fn write(&self, addr: u16, data: u32, strobes: u32, prot: u32) {
        self.aw
            .send(Bits::pack(&[(16, addr.into()), (3, prot.into())]));
        self.w
            .send(Bits::pack(&[(32, data.into()), (4, strobes.into())]));
    }

    fn read(&self, addr: u16) {
        self.ar.send(Bits::pack(&[(16, addr.into()), (3, 0)]));
    }
}

/// Who pauses: AW, W, B, AR, R.
fn patterns() -> Vec<[Pause; 5]> {
    let (never, often) = (|| Pause::Never, || Pause::Random(0.85));
    let rarely = || Pause::Random(0.3);
    let after = || Pause::AfterValid(0..=5);
    vec![
        [never(), never(), never(), never(), never()],
        [never(), often(), never(), often(), never()],
        [often(), never(), never(), never(), often()],
        [never(), never(), often(), never(), after()],
        [rarely(), rarely(), rarely(), rarely(), rarely()],
        [
            never(),
            Pause::EveryNth(11),
            after(),
            never(),
            Pause::EveryNth(7),
        ],
        [
            Pause::EveryNth(5),
            rarely(),
            Pause::EveryNth(3),
            often(),
            after(),
        ],
    ]
}

fn run(model: &Model, seed: u64, pauses: &[Pause; 5]) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    quiet(&sim)?;
    let seen = watch(&sim)?;
    let monitor = AxilMonitor::attach(&sim, PORT)?;
    let bus = Channels::attach(&sim, pauses)?;
    let mut reference = Reference::new(config());
    sim.run(async |sim| {
        let mut rng = sim.rng("accesses");
        // Everything that a write can do to itself: keys, program rows, refusals.
        for i in 0..200u32 {
            let addr = match rng.below(4) {
                0 => regs::program_addr(rng.below(16) as usize, rng.below(16) as usize),
                1 => rng.pick(REGISTERS).addr & !0x3c | 0x30,
                _ => regs::Q_KEY0 + 4 * rng.below(8) as u16,
            };
            let strobes = if rng.chance(0.1) {
                rng.below(16) as u32
            } else {
                0xf
            };
            let data = i << 16 | rng.below(1 << 16) as u32;
            reference.write(addr, data, strobes);
            bus.write(addr, data, strobes, rng.below(8) as u32);
        }
        for i in 0..200 {
            assert_eq!(bus.b.recv().await, Bits::zero(2), "answer {i}");
        }
        sim.cycles(20).await;
        assert_eq!(seen.borrow().bad_writes, reference.bad_writes);
        assert_eq!(seen.borrow().program, reference.program);
        let list: Vec<u16> = (0..300)
            .map(|_| rng.pick(REGISTERS).addr ^ if rng.chance(0.1) { 0x800 } else { 0 })
            .collect();
        list.iter().for_each(|&addr| bus.read(addr));
        for &addr in &list {
            let expected = Bits::pack(&[(32, reference.read(addr).into()), (2, 0)]);
            assert_eq!(bus.r.recv().await, expected, "read at {addr:#06x}");
        }
        sim.cycles(50).await;
        assert!(bus.b.is_empty() && bus.r.is_empty());
        assert!(monitor.is_idle());
    })
}

#[test]
fn every_write_takes_effect_once_when_address_and_data_come_apart() {
    let model = model();
    for seed in seeds(3) {
        for (i, pauses) in patterns().iter().enumerate() {
            run(&model, seed, pauses).unwrap_or_else(|e| panic!("pattern {i}: {e}"));
        }
    }
}

#[test]
fn accesses_take_the_documented_clocks_when_nobody_stalls() {
    let mut sim = Sim::new(&model(), SimConfig::seed(1)).unwrap();
    quiet(&sim).unwrap();
    let bus = Channels::attach(&sim, &patterns()[0]).unwrap();
    sim.run(async |sim| {
        for i in 0..10 {
            bus.write(regs::Q_KEY0, i, 0xf, 0);
            bus.read(regs::Q_KEY0);
        }
        let (mut write, mut read) = (vec![], vec![]);
        for _ in 0..10 {
            write.push(bus.b.recv_timed().await.last);
            read.push(bus.r.recv_timed().await.last);
        }
        assert!(
            write.windows(2).all(|w| w[1] - w[0] == WRITE_CLOCKS),
            "writes at {write:?}"
        );
        assert!(
            read.windows(2).all(|w| w[1] - w[0] == READ_CLOCKS),
            "reads at {read:?}"
        );
        sim.cycles(20).await;
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// Reads of a register that is being written give the old or the new value, and never go back.
#[test]
fn reads_give_whole_values_when_writes_go_on() {
    let model = model();
    for (seed, pauses) in seeds(7).zip(patterns()) {
        let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
        quiet(&sim).unwrap();
        let bus = Channels::attach(&sim, &pauses).unwrap();
        sim.run(async |_| {
            for i in 0..=255u32 {
                bus.write(regs::Q_KEY7, i * 0x0101_0101, 0xf, 0);
                bus.read(regs::Q_KEY7);
            }
            let mut last = 0;
            for _ in 0..=255 {
                let value = bus.r.recv().await.field(0, 32) as u32;
                assert_eq!(value, (value & 255) * 0x0101_0101, "torn");
                assert!(value >= last, "{value:#x} after {last:#x}");
                last = value;
            }
            for _ in 0..=255 {
                bus.b.recv().await;
            }
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}
