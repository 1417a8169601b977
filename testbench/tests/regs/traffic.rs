//! Random accesses of every kind, in batches, against the reference.

use crate::bench::Bench;
use crate::reference::Reference;
use crate::{config, model, with_bench};
use pagetrain_formats::regs::{
    self, by_addr, Legal, Register, COUNTER_BASE, PROGRAM_BASE, REGISTERS,
};
use pagetrain_testbench::sim::{seeds, SimError};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Model;
use pagetrain_testbench::Rng;

/// An address: mostly one of the map, else near it or anywhere; any low bits.
fn address(rng: &mut Rng) -> u16 {
    let register = rng.pick(REGISTERS).addr;
    let addr = match rng.below(24) {
        0..12 => register,
        12 => register.wrapping_add(4),
        13 => register.wrapping_sub(4),
        // One register in another window: bits of the address that the decoder must look at.
        14 => register ^ 1 << rng.range(2..=15),
        15 => COUNTER_BASE + rng.below(520) as u16,
        // 16 rows exist.
        16 => PROGRAM_BASE + rng.below(20 * 64) as u16,
        17 => PROGRAM_BASE + rng.below(16 * 64) as u16,
        18 => rng.bits() as u16,
        // What has a state of its own.
        19 | 20 => regs::CTRL,
        21 => regs::Q_CMD,
        _ => *rng.pick(&[regs::SB_TAIL, regs::PG_TAIL, regs::CQ_HEAD]),
    };
    addr & !3
        | if rng.chance(0.2) {
            rng.below(4) as u16
        } else {
            0
        }
}

/// A value: mostly legal or nearly so.
fn value(rng: &mut Rng, register: Option<&Register>, reference: &Reference) -> u32 {
    let Some(register) = register else {
        return rng.bits() as u32;
    };
    let near = |rng: &mut Rng, host: u16| host.wrapping_add(rng.below(40) as u16).wrapping_sub(8);
    match register.addr {
        regs::CTRL if rng.chance(0.9) => rng.bits() as u32 & !regs::CTRL_RESET.mask(),
        regs::SB_TAIL => near(rng, reference.small.host).into(),
        regs::PG_TAIL => near(rng, reference.page.host).into(),
        regs::CQ_HEAD => near(rng, reference.completion.host).into(),
        _ => match register.legal {
            Legal::Range(low, high) => {
                let (low, high) = (low.value(&config()), high.value(&config()));
                match rng.below(6) {
                    0 => low.wrapping_sub(1),
                    1 => high.wrapping_add(1),
                    2 => rng.bits() as u32,
                    _ => rng.range(low.into()..=high.into()) as u32,
                }
            }
            Legal::Multiple(of) if rng.chance(0.7) => rng.bits() as u32 / of * of,
            _ => rng.bits() as u32,
        },
    }
}

/// What other blocks do between two batches.
async fn world(bench: &mut Bench, rng: &mut Rng) {
    let r = &mut bench.reference;
    for ring in [&mut r.small, &mut r.page] {
        let posted = ring.host.wrapping_sub(ring.engine);
        if rng.chance(0.6) {
            ring.engine = ring
                .engine
                .wrapping_add(rng.below(u64::from(posted) + 1) as u16);
        }
    }
    let written = r.completion.engine.wrapping_sub(r.completion.host);
    r.completion.engine = r
        .completion
        .engine
        .wrapping_add(rng.below(u64::from(20 - written.min(20)) + 1) as u16);
    r.irq_status = rng.below(32) as u32;
    r.halted |= !r.resetting && rng.chance(0.02);
    bench.drive_inputs();
    bench.sim.cycles(3).await;
    if bench.reference.resetting && rng.chance(0.7) {
        return crate::end_reset(bench).await;
    }
    if bench.reference.command.is_some() && rng.chance(0.5) {
        bench.pulse("cmd_done").await;
        bench.reference.command_done();
    } else if bench.reference.stopping && bench.reference.command.is_none() && rng.chance(0.5) {
        bench.pulse("stop_written").await;
        bench.reference.stop_written();
    } else if (bench.reference.stopped || bench.reference.halted) && rng.chance(0.3) {
        crate::reset(bench).await;
    }
    bench.compare();
}

/// Random batches of accesses.
pub fn run(model: &Model, seed: u64, profile: StallProfile) -> Result<(), SimError> {
    let batches = match profile {
        StallProfile::LongStalls | StallProfile::SlowSink | StallProfile::SlowSource => 60,
        _ => 200,
    };
    with_bench(model, seed, profile, async |bench| {
        let mut rng = bench.sim.rng("traffic");
        for _ in 0..batches {
            let mut preview = bench.reference.clone();
            let mut writes = vec![];
            for _ in 0..rng.range(1..=8) {
                let addr = address(&mut rng);
                let value = value(&mut rng, by_addr(addr), &preview);
                let strobes = if rng.chance(0.1) {
                    rng.below(16) as u32
                } else {
                    0xf
                };
                preview.write(addr, value, strobes);
                writes.push((addr, value, strobes));
            }
            bench.write_all(&writes).await;
            for _ in 0..rng.below(6) {
                let addr = address(&mut rng);
                bench.check_read(addr).await;
            }
            world(bench, &mut rng).await;
        }
        bench.check_map().await;
    })
}

#[test]
fn ports_and_answers_follow_the_contract_when_accesses_are_random() {
    let model = model();
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            run(&model, seed, profile).unwrap_or_else(|e| panic!("{profile}: {e}"));
        }
    }
}
