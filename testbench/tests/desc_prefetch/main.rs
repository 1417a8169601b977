//! The descriptor prefetch against sections 5 and 8 and its interface: every descriptor once, in order, good ones as buffers,
//! bad ones by their cookie.

mod bench;
mod descriptors;
mod host;
mod latency;
mod taker;

use bench::{bus, model_of, run, stream, Bench, Posting, VARIANTS};
use host::Bus;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Design;

#[test]
fn every_descriptor_comes_once_and_in_order_when_posted_in_any_way() {
    for variant in VARIANTS {
        let model = model_of(&variant.design());
        for seed in seeds(2) {
            for (i, profile) in StallProfile::ALL.into_iter().enumerate() {
                let posting =
                    [Posting::Full, Posting::Single, Posting::Mixed][(seed as usize + i) % 3];
                run(&model, variant, seed, profile, posting)
                    .unwrap_or_else(|e| panic!("{variant:?}, {profile}, {posting:?}: {e}"));
            }
        }
    }
}

#[test]
fn indices_wrap_at_two_to_the_16_when_many_are_posted() {
    let variant = VARIANTS[2];
    let model = model_of(&variant.design());
    let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
    let bench = Bench::attach(
        &sim,
        variant,
        9,
        bus(StallProfile::None),
        StallProfile::None,
    )
    .unwrap();
    sim.run(async |sim| stream(&bench, &mut sim.rng("posts"), Posting::Full, 66_000, 0.3).await)
        .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn smalls_come_faster_than_they_can_be_taken_when_memory_is_near() {
    let variant = VARIANTS[1];
    let model = model_of(&variant.design());
    let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
    let bench = Bench::attach(
        &sim,
        variant,
        10,
        bus(StallProfile::None),
        StallProfile::None,
    )
    .unwrap();
    sim.run(async |sim| {
        let start = sim.cycle();
        bench.post(&mut sim.rng("posts"), 900, 0.0);
        bench.all_taken().await;
        // One or two every three clocks: 1.5 on average.
        let clocks = sim.cycle() - start;
        assert!(clocks < 900 * 2 + 100, "{clocks} clocks");
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn thirty_smalls_are_at_hand_when_they_are_topped_up() {
    for variant in &VARIANTS[..3] {
        let model = model_of(&variant.design());
        for (before, top_up) in (1..9).flat_map(|n| [(n, 0), (n, 1)]) {
            let mut sim = Sim::new(&model, SimConfig::seed(before as u64)).unwrap();
            let profile = StallProfile::None;
            let bench = Bench::attach(&sim, *variant, 7, bus(profile), profile).unwrap();
            bench.set("cfg_top_up", top_up);
            sim.run(async |sim| {
                let mut rng = sim.rng("posts");
                bench.post(&mut rng, before, 0.0);
                bench.all_taken().await;
                bench.taker.borrow_mut().active = false;
                bench.post(&mut rng, 100, 0.0);
                sim.cycles(600).await;
                let count = sim.signal("sb_count").unwrap().get();
                let least = if top_up == 1 { 30 } else { 29 };
                assert!((least..=32).contains(&count), "{before} before: {count}");
            })
            .unwrap_or_else(|e| panic!("{variant:?}: {e}"));
        }
    }
}

#[test]
fn bursts_end_and_none_begins_when_quiesced() {
    for variant in [VARIANTS[0], VARIANTS[4]] {
        let model = model_of(&variant.design());
        for seed in seeds(4) {
            let profile = [
                StallProfile::None,
                StallProfile::Heavy,
                StallProfile::SlowMemory,
                StallProfile::AfterValid,
            ][seed as usize % 4];
            let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
            let bench = Bench::attach(&sim, variant, 5, bus(profile), profile).unwrap();
            sim.run(async |sim| {
                let mut rng = sim.rng("posts");
                let idle = sim.signal("idle").unwrap();
                for _ in 0..30 {
                    bench.post(&mut rng, 32, 0.1);
                    sim.cycles(rng.below(60)).await;
                    bench.set("quiesce", 1);
                    sim.cycles(3).await;
                    sim.until(|| idle.is_high()).await;
                    let bursts = bench.host.borrow().bursts;
                    sim.cycles(rng.below(60)).await;
                    assert_eq!(bench.host.borrow().bursts, bursts);
                    assert!(idle.is_high());
                    bench.set("quiesce", 0);
                }
                bench.all_taken().await;
            })
            .unwrap_or_else(|e| panic!("{variant:?}: {e}"));
        }
    }
}

#[test]
fn nothing_is_fetched_when_not_enabled() {
    let variant = VARIANTS[1];
    let model = model_of(&variant.design());
    let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
    let bench = Bench::attach(
        &sim,
        variant,
        5,
        bus(StallProfile::None),
        StallProfile::None,
    )
    .unwrap();
    bench.set("enable", 0);
    sim.run(async |sim| {
        bench.post(&mut sim.rng("posts"), 20, 0.0);
        sim.cycles(200).await;
        assert_eq!(bench.host.borrow().bursts, 0);
        assert_eq!(sim.signal("drained").unwrap().get(), 0);
        bench.set("enable", 1);
        bench.all_taken().await;
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn nothing_that_came_with_or_after_it_is_offered_when_a_read_fails() {
    for variant in VARIANTS {
        let model = model_of(&variant.design());
        for (seed, profile) in seeds(12).zip(StallProfile::ALL.iter().cycle()) {
            let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
            let error = seed + seed % 3;
            let bus = Bus {
                error: Some(error),
                ..bus(*profile)
            };
            let bench = Bench::attach(&sim, variant, 6, bus, *profile).unwrap();
            bench.set("enable", 0);
            sim.run(async |sim| {
                // All are posted before the first fetch: bursts begin at the start of a line, so beats count descriptors.
                bench.post(&mut sim.rng("posts"), 64, 0.2);
                bench.taker.borrow_mut().offered_limit =
                    Some((error * variant.lanes() / 16) as usize);
                bench.set("enable", 1);
                sim.until(|| bench.host.borrow().beats > error).await;
                sim.cycles(10).await;
                let bursts = bench.host.borrow().bursts;
                sim.cycles(1500).await;
                // The one that was being asked for when the error came, at most.
                assert!(bench.host.borrow().bursts <= bursts, "fetched on");
                assert!(bench.host.borrow().bus_is_idle());
                assert!(sim.signal("idle").unwrap().is_high());
                assert!(!sim.signal("drained").unwrap().is_high());
            })
            .unwrap_or_else(|e| panic!("{variant:?}, {profile}: {e}"));
        }
    }
}

#[test]
fn rings_start_at_zero_again_when_reset() {
    for variant in [VARIANTS[2], VARIANTS[3]] {
        let model = model_of(&variant.design());
        for seed in seeds(4) {
            let mut sim = Sim::new(&model, SimConfig::seed(seed)).unwrap();
            let profile = StallProfile::Light;
            let bench = Bench::attach(&sim, variant, 6, bus(profile), profile).unwrap();
            sim.run(async |sim| {
                let mut rng = sim.rng("posts");
                let idle = sim.signal("idle").unwrap();
                for _ in 0..5 {
                    bench.post(&mut rng, 64, 0.2);
                    sim.cycles(rng.below(200)).await;
                    // As `control` does it.
                    bench.set("quiesce", 1);
                    sim.cycles(3).await;
                    sim.until(|| idle.is_high()).await;
                    bench.taker.borrow_mut().active = false;
                    sim.cycles(3).await;
                    bench.set("tail", 0);
                    bench.set("quiesce", 0);
                    bench.taker.borrow_mut().forget();
                    bench.host.borrow_mut().forget();
                    sim.pulse_reset(16).await;
                    bench.taker.borrow_mut().active = true;
                    stream(&bench, &mut rng, Posting::Mixed, 100, 0.2).await;
                }
            })
            .unwrap_or_else(|e| panic!("{variant:?}: {e}"));
        }
    }
}

#[test]
fn test_fails_when_the_block_is_broken() {
    let page = VARIANTS[4];
    let broken: [&[(&str, &str)]; 4] = [
        // A page with 512 bytes of room passes.
        &[(
            "j1_fits & !j1_room[20] & (|j1_room[19:10]);",
            "j1_fits & !j1_room[20] & (|j1_room[19:9]);",
        )],
        // One burst more than the FIFOs have room for.
        &[("& (held <= ", "& (held[5:3] <= ")],
        // The room of a page that comes while another is taken is lost.
        &[(
            "extra <= (pg_pop ? extra : 24'd0) + gain;",
            "extra <= pg_pop ? extra : gain;",
        )],
        // The host may write over what was asked for and has not come.
        &[
            ("head <= head + 16'd1;", ""),
            ("head <= 16'd0;", ""),
            (
                "asked <= asked + {13'd0, n};",
                "asked <= asked + {13'd0, n}; head <= asked + {13'd0, n};",
            ),
            ("asked <= 16'd0;", "asked <= 16'd0; head <= 16'd0;"),
        ],
    ];
    for changes in broken {
        let mutate = |d: Design, (from, to): &(&str, &str)| {
            d.mutate(from, to).unwrap_or_else(|e| panic!("{e}"))
        };
        let model = model_of(&changes.iter().fold(page.design(), mutate));
        let passed = (0..6)
            .all(|seed| run(&model, page, seed, StallProfile::SlowMemory, Posting::Full).is_ok());
        assert!(!passed, "{changes:?} was not caught");
    }
}
