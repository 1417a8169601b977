//! Registers with reset control, counters and interrupt: the reset sequence, counts read back, reads that do not tear.

use crate::host_side::{host_side, WIDE};
use pagetrain_formats::counters::Counter;
use pagetrain_formats::regs::{self, counter_addr};
use pagetrain_hdl::control::RESET_CLOCKS;
use pagetrain_hdl::counters::SETTLE;
use pagetrain_testbench::axil::AxilManager;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Handle, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::{Model, Options};
use std::cell::Cell;
use std::rc::Rc;

fn model() -> Model {
    dut::build(&host_side(), &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// Bus and inputs at rest.
fn attach(sim: &Sim, profile: StallProfile) -> Result<AxilManager, SimError> {
    for port in sim.ports().to_vec() {
        let ours = [
            "in_",
            "add_",
            "reason",
            "bus_err",
            "cmd_done",
            "stop_written",
        ];
        if ours.iter().any(|p| port.name.starts_with(p)) {
            sim.signal(&port.name)?.set(0);
        }
    }
    sim.signal("idle")?.set(1);
    AxilManager::attach(sim, "s_axil_ctrl", profile)
}

async fn read(bus: &AxilManager, addr: u16) -> u64 {
    bus.read(addr.into()).await.expect("OKAY")
}

async fn write(bus: &AxilManager, addr: u16, value: u32) {
    bus.write(addr.into(), value.into()).await.expect("OKAY");
}

async fn counter(bus: &AxilManager, counter: Counter) -> u64 {
    let addr = counter_addr(counter.code() as usize);
    let low = read(bus, addr).await;
    low | read(bus, addr + 4).await << 32
}

/// Both halves of a counter that gains 2^32 - 1 in every clock: every total is a multiple of that.
#[test]
fn both_halves_belong_together_when_the_counter_runs() {
    let model = model();
    for (seed, profile) in seeds(4).zip([
        StallProfile::None,
        StallProfile::Light,
        StallProfile::SlowSink,
        StallProfile::AfterValid,
    ]) {
        let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
        let bus = attach(&sim, profile).unwrap();
        sim.run(async |sim| {
            let gain = (1u64 << WIDE) - 1;
            let start = sim.cycle();
            sim.signal("add_1").unwrap().set(gain);
            sim.cycles(SETTLE as u64).await;
            let mut last = 0;
            for _ in 0..400 {
                let before = sim.cycle() - start;
                let value = counter(&bus, Counter::RxBytes).await;
                let after = sim.cycle() - start;
                assert_eq!(value % gain, 0, "{value:#x} is torn");
                let clocks = value / gain;
                assert!(
                    clocks + SETTLE as u64 >= before && clocks <= after,
                    "{clocks}: not {before} to {after}"
                );
                assert!(clocks >= last, "{clocks} after {last}");
                last = clocks;
                // Another counter's low half takes the latch; the next pair is whole again.
                let zero = read(&bus, counter_addr(0)).await;
                assert_eq!((zero, read(&bus, counter_addr(1) + 4).await), (0, 0));
            }
        })
        .unwrap_or_else(|e| panic!("{profile}: {e}"));
    }
}

#[test]
fn refusals_are_counted_once_each_when_read_back() {
    let mut sim = Sim::new(&model(), SimConfig::seed(5)).unwrap();
    let bus = attach(&sim, StallProfile::Light).unwrap();
    sim.run(async |sim| {
        let irq = sim.signal("irq").unwrap();
        write(&bus, regs::IRQ_ENABLE, regs::IRQ_REFUSED.mask()).await;
        for n in 1..=30u64 {
            write(&bus, regs::VERSION, 1).await;
            write(&bus, regs::SB_TAIL, 257).await;
            write(&bus, regs::Q_CMD, 9).await;
            bus.write_bytes(regs::Q_KEY0.into(), 1, 0x3)
                .await
                .expect("OKAY");
            sim.cycles(SETTLE as u64).await;
            assert_eq!(counter(&bus, Counter::BadWrites).await, 3 * n);
            assert_eq!(counter(&bus, Counter::BadDoorbells).await, n);
            assert!(irq.is_high());
            assert_eq!(
                read(&bus, regs::IRQ_STATUS).await,
                u64::from(regs::IRQ_REFUSED.mask())
            );
            // Other bits clear nothing.
            write(&bus, regs::IRQ_STATUS, !regs::IRQ_REFUSED.mask()).await;
            assert!(irq.is_high());
            write(&bus, regs::IRQ_STATUS, regs::IRQ_REFUSED.mask()).await;
            sim.cycles(4).await;
            assert_eq!((irq.get(), read(&bus, regs::IRQ_STATUS).await), (0, 0));
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// Waits for CTRL.reset to read 0; clocks until then.
async fn poll_reset(sim: &Handle, bus: &AxilManager) -> u64 {
    let start = sim.cycle();
    while read(bus, regs::CTRL).await & u64::from(regs::CTRL_RESET.mask()) != 0 {
        assert!(sim.cycle() - start < 2000, "the reset does not end");
    }
    sim.cycle() - start
}

#[test]
fn core_starts_again_from_zero_when_ctrl_reset_is_written() {
    let model = model();
    for seed in seeds(6) {
        let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
        let bus = attach(&sim, StallProfile::None).unwrap();
        let (soft, tail) = (
            sim.signal("soft_rst").unwrap(),
            sim.signal("tail_sb").unwrap(),
        );
        let run = sim.signal("run").unwrap();
        let clocks = Rc::new(Cell::new(0));
        let counted = clocks.clone();
        let mut before = false;
        sim.on_edge(move |edge| {
            let now = soft.is_high() && !edge.in_reset;
            counted.set(counted.get() + u64::from(now));
            // `core_rst` is a clock behind: in its last clock the doorbell must be 0.
            if before && !now && tail.get() != 0 {
                edge.report("core", "tail_after_reset", format!("{}", tail.get()));
            }
            if now && run.is_high() {
                edge.report("core", "run_in_reset", String::new());
            }
            before = now;
        });
        sim.run(async |sim| {
            let mut rng = sim.rng("bursts");
            let (idle, bus_err) = (sim.signal("idle").unwrap(), sim.signal("bus_err").unwrap());
            sim.cycles(4).await;
            for round in 1..=20u64 {
                clocks.set(0);
                let errors = round % 3 == 0;
                write(&bus, regs::SB_LOG2, 10).await;
                write(&bus, regs::SB_TAIL, 1000).await;
                write(&bus, regs::CTRL, 5).await;
                assert_eq!(read(&bus, regs::STATUS).await, 1);
                if errors {
                    bus_err.set(1);
                    sim.rising_edge().await;
                    bus_err.set(0);
                    let halted = u64::from(regs::STATUS_HALTED.mask());
                    assert_eq!(read(&bus, regs::STATUS).await, halted);
                    assert_ne!(
                        read(&bus, regs::IRQ_STATUS).await & u64::from(regs::IRQ_HALTED.mask()),
                        0
                    );
                    write(&bus, regs::IRQ_STATUS, u32::MAX).await;
                }
                let busy = rng.below(200);
                idle.set(0);
                write(&bus, regs::CTRL, 7).await;
                assert_eq!(
                    read(&bus, regs::CTRL).await,
                    6,
                    "reset reads 1, parser_enable as written"
                );
                let resetting = u64::from(regs::STATUS_RESETTING.mask());
                let halted = u64::from(regs::STATUS_HALTED.mask()) * u64::from(errors);
                assert_eq!(read(&bus, regs::STATUS).await, resetting | halted);
                sim.cycles(busy).await;
                assert_eq!(clocks.get(), 0, "bursts are under way");
                idle.set(1);
                poll_reset(&sim, &bus).await;
                sim.cycles(4).await;
                assert_eq!(clocks.get(), RESET_CLOCKS as u64);
                for (addr, value) in [
                    (regs::CTRL, 4),
                    (regs::STATUS, 0),
                    (regs::SB_TAIL, 0),
                    (regs::SB_LOG2, 10),
                ] {
                    assert_eq!(read(&bus, addr).await, value, "{addr:#06x}");
                }
                assert_eq!(
                    counter(&bus, Counter::BusErrors).await,
                    round / 3,
                    "counters stay"
                );
            }
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}
