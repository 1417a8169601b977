//! Doorbells: every wrap position, and the edges of both rules.

use crate::bench::Bench;
use crate::reference::Ring;
use crate::{model, with_bench};
use pagetrain_formats::regs::{self, CQ_HEAD, PG_TAIL, SB_TAIL};
use pagetrain_testbench::sim::{seeds, SimError};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Model;

const BELLS: [(u16, Option<u16>); 3] = [
    (SB_TAIL, Some(regs::SB_LOG2)),
    (PG_TAIL, Some(regs::PG_LOG2)),
    (CQ_HEAD, None),
];

fn ring(bench: &mut Bench, bell: u16) -> &mut Ring {
    match bell {
        SB_TAIL => &mut bench.reference.small,
        PG_TAIL => &mut bench.reference.page,
        _ => &mut bench.reference.completion,
    }
}

/// Writes a doorbell; true if it was taken.
async fn ring_bell(bench: &mut Bench, bell: u16, value: u16) -> bool {
    let before = bench.reference.bad_doorbells;
    bench.write_all(&[(bell, value.into(), 0xf)]).await;
    bench.reference.bad_doorbells == before
}

/// Moves both indices of a ring to `to`, by legal moves in a ring of the largest size.
async fn move_to(bench: &mut Bench, bell: u16, log2: Option<u16>, to: u16) {
    if let Some(log2) = log2 {
        bench.write_all(&[(log2, 15, 0xf)]).await;
    }
    loop {
        let host = ring(bench, bell).host;
        let step = to.wrapping_sub(host).min(1 << 15);
        let next = host.wrapping_add(step);
        // The consumer follows the producer.
        ring(bench, bell).engine = if log2.is_some() { host } else { next };
        bench.drive_inputs();
        assert!(ring_bell(bench, bell, next).await, "a legal move");
        if step == 0 {
            return;
        }
    }
}

/// Both rules at and beside every limit, at positions where something wraps.
pub fn edges(model: &Model, seed: u64) -> Result<(), SimError> {
    with_bench(model, seed, StallProfile::None, async |bench| {
        let mut rng = bench.sim.rng("positions");
        for (bell, log2) in BELLS {
            for n in [4u32, 5, 8, 14, 15] {
                let size = 1u32 << n;
                let random = rng.bits() as u16;
                for at in [0, 0x7fff, 0x8000, 0xffff, (1 << 15) - (size as u16), random] {
                    move_to(bench, bell, log2, at).await;
                    if let Some(log2) = log2 {
                        bench.write_all(&[(log2, n, 0xf)]).await;
                    }
                    // Outstanding before the doorbell: as much as the ring may hold.
                    let open = rng.below(u64::from(size) + 1) as u32;
                    match log2 {
                        Some(_) => ring(bench, bell).engine = at.wrapping_sub(open as u16),
                        None => ring(bench, bell).engine = at.wrapping_add(open as u16),
                    }
                    bench.drive_inputs();
                    let most = if log2.is_some() { size - open } else { open };
                    let mut taken = 0;
                    for step in [most + 1, 0xffff, size + 1, 0x8000, 0xffff - most, 0, most] {
                        if (step & 0xffff) <= most {
                            taken += 1;
                        }
                        let value = at.wrapping_add(step as u16);
                        let fine = ring_bell(bench, bell, value).await;
                        // `at` is left only by the last one.
                        assert_eq!(
                            fine,
                            (step & 0xffff) <= most,
                            "{bell:#x}: {at:#x} + {step:#x}, most {most:#x}"
                        );
                        if ring(bench, bell).host != at {
                            break;
                        }
                    }
                    assert!(taken > 0);
                }
            }
        }
    })
}

#[test]
fn doorbells_stop_at_the_ring_size_when_indices_wrap() {
    let model = model();
    for seed in seeds(2) {
        edges(&model, seed).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn every_position_is_reached_when_the_ring_goes_round() {
    with_bench(&model(), 3, StallProfile::None, async |bench| {
        let mut rng = bench.sim.rng("steps");
        bench.write_all(&[(regs::SB_LOG2, 4, 0xf)]).await;
        let mut positions = 0u32;
        // All three bells at once, a little more than once around.
        while positions < 0x1_0100 {
            let open = ring(bench, SB_TAIL)
                .host
                .wrapping_sub(ring(bench, SB_TAIL).engine);
            let step = rng.below(20) as u16;
            let tail = ring(bench, SB_TAIL).host.wrapping_add(step);
            let fine = ring_bell(bench, SB_TAIL, tail).await;
            assert_eq!(fine, step + open <= 16, "{step} more, {open} outstanding");
            if fine {
                positions += u32::from(step);
            }
            let fetched = rng.below(
                u64::from(
                    ring(bench, SB_TAIL)
                        .host
                        .wrapping_sub(ring(bench, SB_TAIL).engine),
                ) + 1,
            );
            let engine = ring(bench, SB_TAIL).engine.wrapping_add(fetched as u16);
            ring(bench, SB_TAIL).engine = engine;
            bench.drive_inputs();
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn doorbells_are_judged_by_the_engine_index_of_their_time_when_it_moves() {
    with_bench(&model(), 4, StallProfile::Light, async |bench| {
        let mut rng = bench.sim.rng("moves");
        bench.write_all(&[(regs::PG_LOG2, 4, 0xf)]).await;
        let head = bench.port("in_pg_head");
        for _ in 0..600 {
            let before = *ring(bench, PG_TAIL);
            let tail = before.host.wrapping_add(rng.below(18) as u16);
            let pending = bench.bus.begin_write(PG_TAIL.into(), tail.into());
            bench.sim.cycles(rng.below(10)).await;
            let open = before.host.wrapping_sub(before.engine);
            let engine = before
                .engine
                .wrapping_add(rng.below(u64::from(open) + 1) as u16);
            head.set(engine.into());
            pending.answer().await.expect("OKAY");
            bench.sim.cycles(2).await;
            let taken = bench.port("tail_pg").get() as u16 == tail;
            let fits = |engine: u16| {
                tail.wrapping_sub(engine) <= 16 && tail.wrapping_sub(before.host) <= 16
            };
            assert!(taken || !fits(before.engine), "it fitted all the time");
            assert!(!taken || fits(engine), "it fitted at no time");
            let r = &mut bench.reference;
            r.page.engine = engine;
            if taken {
                r.page.host = tail;
            } else {
                r.bad_doorbells += 1;
            }
            bench.compare();
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}
