//! The AXI memory: data, order, latency, faults, permissions.

use crate::axi_manager::{address, bench, incr, BUS};
use pagetrain_testbench::axi::{
    Access, Burst, BurstKind, Direction, Fault, FaultAt, Memory, MemoryConfig, Resp, WriteVisible,
};
use pagetrain_testbench::sim::{seeds, SimConfig};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::Rng;
use std::collections::{HashMap, VecDeque};

/// A legal random burst in the 4 KiB page `page`.
fn random_burst(rng: &mut Rng, page: u64) -> Burst {
    let kind = *rng.pick(&[
        BurstKind::Incr,
        BurstKind::Incr,
        BurstKind::Wrap,
        BurstKind::Fixed,
    ]);
    let log2_size = *rng.pick(&[3, 3, 3, 0, 1, 2]);
    let size = 1u64 << log2_size;
    let beats = match kind {
        BurstKind::Incr => *rng.pick(&[1, 2, 3, 16, 30]),
        BurstKind::Wrap => *rng.pick(&[2, 4, 8, 16]),
        _ => *rng.pick(&[1, 2, 16]),
    };
    let room = 4096 - beats * size;
    let addr = match kind {
        BurstKind::Wrap => rng.below(4096 / size) * size,
        _ => rng.below(room + 1),
    };
    Burst {
        id: rng.below(8),
        addr: page + addr,
        beats: beats as u32,
        log2_size,
        kind,
    }
}

fn bits(burst: &Burst) -> pagetrain_testbench::Bits {
    let kind = match burst.kind {
        BurstKind::Fixed => 0,
        BurstKind::Incr => 1,
        _ => 2,
    };
    address(
        burst.id,
        burst.addr,
        burst.beats.into(),
        burst.log2_size.into(),
        kind,
    )
}

/// Writes bursts of every kind, each to a page of its own, then reads them back; bytes, IDs, order and number
/// of responses must be those of a plain model.
fn run(seed: u64, profile: StallProfile) -> bool {
    let memory = Memory::open();
    let config = SimConfig {
        idle_limit: 20_000,
        ..SimConfig::seed(seed)
    };
    let (mut sim, manager, axi) = bench(
        config,
        &memory,
        MemoryConfig::new(profile),
        profile.pause(Role::Source),
    );
    sim.run(async |sim| {
        let mut rng = sim.rng("bursts");
        let mut model: HashMap<u64, u8> = HashMap::new();
        let bursts: Vec<Burst> = (0..60).map(|n| random_burst(&mut rng, n << 12)).collect();
        for burst in &bursts {
            let beats: Vec<(u64, u8)> = (0..burst.beats)
                .map(|beat| {
                    let strobes = burst.lanes(beat, BUS) as u8 & rng.pick(&[0xff, 0xff, 0x5a, 0]);
                    let data = rng.bits();
                    let base = burst.beat_addr(beat) & !(BUS - 1);
                    for lane in (0..BUS).filter(|lane| strobes >> lane & 1 == 1) {
                        model.insert(base + lane, (data >> (lane * 8)) as u8);
                    }
                    (data, strobes)
                })
                .collect();
            manager.write(bits(burst), &beats);
        }
        let mut reordered = expect_responses(&bursts, async || manager.b().await).await;
        for (addr, byte) in &model {
            assert_eq!(memory.read_vec(*addr, 1), [*byte], "byte at {addr:#x}");
        }
        bursts.iter().for_each(|burst| manager.ar.send(bits(burst)));
        let mut waiting: VecDeque<(Burst, u32)> = bursts.iter().map(|burst| (*burst, 0)).collect();
        while !waiting.is_empty() {
            let (id, data, resp, last) = manager.r().await;
            let index = waiting
                .iter()
                .position(|(burst, _)| burst.id == id)
                .expect("an ID that waits");
            reordered |= index > 0;
            let (burst, beat) = &mut waiting[index];
            let base = burst.beat_addr(*beat) & !(BUS - 1);
            for lane in (0..BUS).filter(|lane| burst.lanes(*beat, BUS) >> lane & 1 == 1) {
                let expected = model.get(&(base + lane)).copied().unwrap_or(0);
                assert_eq!(
                    (data >> (lane * 8)) as u8,
                    expected,
                    "byte at {:#x}",
                    base + lane
                );
            }
            *beat += 1;
            assert_eq!((resp, last), (0, *beat == burst.beats));
            if last {
                waiting.remove(index);
            }
        }
        sim.cycles(50).await;
        assert!(
            axi.monitor().is_idle()
                && axi.under_way() == 0
                && manager.r.is_empty()
                && manager.b.is_empty()
        );
        let stats = axi.monitor().stats();
        let beats: u64 = bursts.iter().map(|burst| u64::from(burst.beats)).sum();
        assert_eq!(
            (stats.writes, stats.write_responses, stats.write_beats),
            (60, 60, beats)
        );
        assert_eq!((stats.reads, stats.read_beats), (60, beats));
        reordered
    })
    .unwrap_or_else(|error| panic!("{profile}: {error}"))
}

/// One response a burst, in order within each ID. True if they came in another order than the addresses.
async fn expect_responses(bursts: &[Burst], next: impl AsyncFn() -> (u64, u64)) -> bool {
    let mut waiting: Vec<u64> = bursts.iter().map(|burst| burst.id).collect();
    let mut reordered = false;
    while !waiting.is_empty() {
        let (id, resp) = next().await;
        let index = waiting
            .iter()
            .position(|&waits| waits == id)
            .expect("an ID that waits");
        assert_eq!(resp, 0);
        reordered |= index > 0;
        waiting.remove(index);
    }
    reordered
}

#[test]
fn bytes_ids_and_order_are_right_under_every_stall_profile() {
    for seed in seeds(2) {
        for profile in StallProfile::ALL {
            let reordered = run(seed, profile);
            assert_eq!(reordered, profile != StallProfile::None, "{profile}");
        }
    }
}

#[test]
fn a_beat_a_clock_passes_both_ways_when_nothing_pauses() {
    let memory = Memory::open();
    let timing = MemoryConfig::new(StallProfile::None);
    let (mut sim, manager, axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    sim.run(async |sim| {
        for (burst, beats) in [(0u64, 1usize), (1, 64), (2, 1), (3, 128)]
            .into_iter()
            .cycle()
            .take(40)
        {
            manager.write(
                incr(0, burst * 4096, beats as u64),
                &vec![(burst, 0xff); beats],
            );
            manager.ar.send(incr(0, burst * 4096, beats as u64));
        }
        let beats = 10 * (1 + 64 + 1 + 128);
        let start = sim.cycle();
        while manager.r.len() < beats || manager.b.len() < 40 {
            sim.rising_edge().await;
        }
        let clocks = sim.cycle() - start;
        assert!(
            clocks < beats as u64 + 12,
            "{clocks} clocks for {beats} beats"
        );
        assert_eq!(axi.under_way(), 0);
    })
    .unwrap();
}

#[test]
fn latency_is_in_the_range_that_was_asked_for() {
    let memory = Memory::open();
    let timing = MemoryConfig {
        write_latency: 7..=9,
        read_latency: 20..=25,
        ..MemoryConfig::new(StallProfile::None)
    };
    let (mut sim, manager, _axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    sim.run(async |_| {
        let mut seen = [Vec::new(), Vec::new()];
        for _ in 0..100 {
            manager.write(incr(0, 0, 1), &[(0, 0xff)]);
            manager.b.recv_timed().await;
            manager.ar.send(incr(0, 0, 1));
            let read = manager.r.recv_timed().await.first;
            let sent = manager.ar.sent().get().await.last;
            seen[1].push(read - sent);
        }
        for (latencies, range) in seen.iter_mut().zip([7..=9, 20..=25]) {
            assert!(
                latencies.iter().all(|latency| range.contains(latency)),
                "{latencies:?}"
            );
        }
        seen[1].sort_unstable();
        seen[1].dedup();
        assert_eq!(seen[1], [20, 21, 22, 23, 24, 25]);
    })
    .unwrap();
}

#[test]
fn write_is_visible_early_or_late_as_told() {
    for (visible, early) in [(WriteVisible::EachBeat, 1), (WriteVisible::AtResponse, 0)] {
        let memory = Memory::open();
        let timing = MemoryConfig {
            visible,
            write_latency: 20..=20,
            ..MemoryConfig::new(StallProfile::None)
        };
        let (mut sim, manager, _axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
        sim.run(async |sim| {
            manager.write(incr(0, 0x100, 1), &[(1, 0xff)]);
            sim.cycles(10).await;
            assert_eq!(memory.read_vec(0x100, 1), [early]);
            manager.b().await;
            assert_eq!(memory.read_vec(0x100, 1), [1]);
        })
        .unwrap();
    }
}

#[test]
fn data_may_come_before_its_address() {
    let memory = Memory::open();
    let timing = MemoryConfig {
        aw: Pause::AfterValid(30..=30),
        ..MemoryConfig::new(StallProfile::None)
    };
    let (mut sim, manager, _axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    sim.run(async |_| {
        manager.write(incr(1, 0x100, 2), &[(1, 0xff), (2, 0xff)]);
        manager.write(incr(2, 0x200, 1), &[(3, 0xff)]);
        assert_eq!((manager.b().await, manager.b().await), ((1, 0), (2, 0)));
        let [w, aw] =
            [&manager.w, &manager.aw].map(|channel| channel.sent().try_get().expect("sent").last);
        assert!(w < aw, "data {w}, address {aw}");
        assert_eq!(memory.read_vec(0x108, 1), [2]);
        assert_eq!(memory.read_vec(0x200, 1), [3]);
    })
    .unwrap();
}

#[test]
fn bursts_fail_as_injected_and_write_nothing() {
    let memory = Memory::open();
    let timing = MemoryConfig::new(StallProfile::None);
    let (mut sim, manager, axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    let fault = |direction, at, resp| {
        axi.inject(Fault {
            direction,
            at,
            resp,
        })
    };
    fault(
        Direction::Write,
        FaultAt::Addresses(0x1000..0x2000),
        Resp::SlvErr,
    );
    fault(Direction::Write, FaultAt::Nth(3), Resp::DecErr);
    fault(Direction::Read, FaultAt::From(1), Resp::DecErr);
    sim.run(async |_| {
        let mut answers = Vec::new();
        for addr in [0xff8, 0x1000, 0x1ff8, 0x3000, 0x4000] {
            manager.write(incr(0, addr, 1), &[(addr, 0xff)]);
            answers.push(manager.b().await.1);
        }
        assert_eq!(answers, [0, 2, 2, 3, 0]);
        for (addr, written) in [
            (0xff8, true),
            (0x1000, false),
            (0x1ff8, false),
            (0x3000, false),
            (0x4000, true),
        ] {
            assert_eq!(memory.read_vec(addr + 1, 1) != [0], written, "{addr:#x}");
        }
        manager.ar.send(incr(0, 0x4000, 1));
        manager.ar.send(incr(0, 0x4000, 2));
        let resp = [
            manager.r().await.2,
            manager.r().await.2,
            manager.r().await.2,
        ];
        assert_eq!(resp, [0, 3, 3]);
        axi.heal();
        manager.ar.send(incr(0, 0x4000, 1));
        assert_eq!(manager.r().await, (0, 0x4000, 0, true));
    })
    .unwrap();
}

#[test]
fn byte_outside_the_allowed_ranges_is_reported_and_not_written() {
    let memory = Memory::new();
    memory.allow(Access::Write, 0x1000, 16);
    memory.allow(Access::Read, 0x1000, 16);
    let timing = MemoryConfig::new(StallProfile::None);
    let config = SimConfig {
        collect_violations: true,
        ..SimConfig::seed(1)
    };
    let (mut sim, manager, axi) = bench(config, &memory, timing, Pause::Never);
    let rules = |sim: &pagetrain_testbench::sim::Handle| -> Vec<_> {
        sim.take_violations()
            .into_iter()
            .map(|violation| violation.rule)
            .collect()
    };
    sim.run(async |sim| {
        manager.write(incr(0, 0x1000, 2), &[(u64::MAX, 0xff), (u64::MAX, 0xff)]);
        manager.b().await;
        manager.ar.send(incr(0, 0x1000, 2));
        manager.r().await;
        manager.r().await;
        assert_eq!(rules(&sim), [] as [&str; 0]);
        manager.write(incr(0, 0x1008, 2), &[(1, 0xff), (u64::MAX, 0x03)]);
        manager.b().await;
        assert_eq!(rules(&sim), ["write_not_allowed"]);
        assert_eq!(memory.read_vec(0x1008, 10), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        manager.ar.send(address(0, 0x1010, 1, 0, 1));
        manager.r().await;
        assert_eq!(rules(&sim), ["read_not_allowed"]);
        memory.revoke(Access::Write, 0x1000, 1);
        manager.write(incr(0, 0x1000, 1), &[(0, 0x02)]);
        manager.write(incr(0, 0x1000, 1), &[(0, 0x01)]);
        manager.b().await;
        manager.b().await;
        assert_eq!(rules(&sim), ["write_not_allowed"]);
        assert_eq!(memory.read_vec(0x1000, 2), [0xff, 0]);
        assert_eq!(axi.under_way(), 0);
    })
    .unwrap();
}

#[test]
fn watch_wakes_a_task_at_the_edge_after_the_write_became_visible() {
    let memory = Memory::open();
    let timing = MemoryConfig {
        write_latency: 30..=30,
        ..MemoryConfig::new(StallProfile::None)
    };
    let (mut sim, manager, _axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    let watch = memory.watch(0x2000..0x2008);
    sim.run(async |sim| {
        manager.write(incr(0, 0x1000, 1), &[(1, 0xff)]);
        manager.write(incr(0, 0x2000, 1), &[(7, 0xff)]);
        watch.wait().await;
        assert_eq!(memory.read_vec(0x2000, 1), [7]);
        // Visible with the offer of its response, which is taken at this same edge.
        assert_eq!((sim.cycle(), manager.b.len()), (41, 2));
    })
    .unwrap();
}

#[test]
fn nothing_is_left_when_reset_hits_bursts_under_way() {
    let memory = Memory::open();
    let timing = MemoryConfig::new(StallProfile::SlowMemory);
    let (mut sim, manager, axi) = bench(SimConfig::seed(1), &memory, timing, Pause::Never);
    sim.run(async |sim| {
        manager.write(incr(0, 0x1000, 4), &[(1, 0xff); 4]);
        manager.ar.send(incr(0, 0x1000, 4));
        sim.cycles(30).await;
        assert!(axi.under_way() == 2 && !axi.monitor().is_idle());
        sim.pulse_reset(3).await;
        sim.cycles(500).await;
        assert!(
            axi.under_way() == 0
                && axi.monitor().is_idle()
                && manager.b.is_empty()
                && manager.r.is_empty()
        );
        manager.write(incr(3, 0x1000, 1), &[(9, 0xff)]);
        assert_eq!(manager.b().await, (3, 0));
    })
    .unwrap();
}

#[test]
fn limits_are_kept_when_the_manager_asks_for_more() {
    let memory = Memory::open();
    let slow = MemoryConfig {
        writes: 3,
        reads: 2,
        early_data: 0,
        ..MemoryConfig::new(StallProfile::SlowMemory)
    };
    let (mut sim, manager, _axi) = bench(SimConfig::seed(1), &memory, slow, Pause::Never);
    sim.run(async |sim| {
        for n in 0..6 {
            manager.write(incr(n, n << 12, 1), &[(1, 0xff)]);
            manager.ar.send(incr(n, n << 12, 1));
        }
        sim.cycles(60).await;
        assert_eq!(
            (
                manager.aw.sent().len(),
                manager.w.sent().len(),
                manager.ar.sent().len()
            ),
            (3, 3, 2)
        );
    })
    .unwrap();
}
