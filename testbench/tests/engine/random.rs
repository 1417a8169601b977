//! Random traffic, settings, buffers, commands and hosts against the model.

use super::cover::Cover;
use super::setup::{setup, Setup};
use super::support::{cells, config, wide};
use super::traffic::{of_length, Traffic};
use pagetrain_formats::{Command, Config};
use pagetrain_golden::host::HostOptions;
use pagetrain_testbench::engine::{engine_model, Bench, Driver};
use pagetrain_testbench::sim::seeds;
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Options;
use pagetrain_testbench::Rng;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Stall profiles that each seed runs under.
const PROFILES: usize = 4;

/// Seeds of a run of `make soak`; by default, few.
fn count(usual: u64) -> u64 {
    match std::env::var("PAGETRAIN_SEEDS") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("PAGETRAIN_SEEDS={text} is not a number")),
        Err(_) => usual,
    }
}

/// The host's moods: now and then it posts nothing for a while, or takes nothing.
async fn moody(driver: Driver, mut rng: Rng, done: Rc<Cell<bool>>) {
    while !done.get() {
        driver.sim().cycles(rng.range(500..=6000)).await;
        let (posts, takes) = (rng.chance(0.5), rng.chance(0.5));
        driver.recycle(posts);
        driver.serve(takes);
        driver.sim().cycles(rng.range(100..=3000)).await;
        driver.recycle(true);
        driver.serve(true);
        driver.post().await;
    }
}

/// Sends, and gives commands between frames.
async fn talk(driver: Driver, rng: &mut Rng, setup: &Setup, frames: usize) {
    let mut traffic = Traffic::new(rng, setup.flows, setup.largest);
    let done = Rc::new(Cell::new(false));
    let mood = moody(driver.clone(), Rng::new(rng.bits(), "host"), done.clone());
    let mood = driver.sim().spawn("moods", mood);
    for _ in 0..frames {
        let (bytes, bad) = traffic.next(rng);
        driver.send(bytes, bad);
        driver.nearly_sent().await;
        match rng.below(80) {
            0 => driver.command(Command::FlushAll).await,
            1 | 2 => driver.command(Command::Poll).await,
            3 | 4 => {
                for (addr, value) in traffic.key(rng) {
                    driver.write(addr, value).await;
                }
                driver.command(Command::FlushFlow).await;
            }
            5 => driver.sim().cycles(rng.range(1..=4000)).await,
            _ => {}
        }
    }
    done.set(true);
    mood.await.expect("the host's task ends");
    if rng.chance(0.5) {
        driver.quiet(4000).await;
        driver.stop(4000).await;
    } else {
        driver.finish(4000).await;
    }
}

/// `frames` frames of each seed under each of its stall profiles.
fn agrees(config: &Config, usual: u64, frames: usize) -> Cover {
    let model = engine_model(config, &Options::long()).expect("the engine builds");
    let cover = Rc::new(RefCell::new(Cover::default()));
    for seed in seeds(count(usual)) {
        for k in 0..PROFILES {
            let stall = StallProfile::ALL[(seed as usize * PROFILES + k) % StallProfile::ALL.len()];
            let mut rng = Rng::new(seed, stall.name());
            let setup = setup(&mut rng, config, stall, seed);
            println!("seed {seed}, stall {stall}: {setup}");
            let here = cover.clone();
            let sink = Box::new(
                move |d: pagetrain_golden::deliver::Delivery<'_>, _: &_, _| {
                    here.borrow_mut().delivery(d);
                },
            );
            let mut bench = Bench::new(config, &model, setup.bench.clone(), sink).expect("a board");
            bench.mac().set_pause(setup.mac.clone());
            bench
                .run(async |driver| {
                    talk(driver.clone(), &mut rng, &setup, frames).await;
                    cover.borrow_mut().run(&driver.model_counters(), &setup);
                })
                .unwrap_or_else(|e| panic!("seed {seed}, stall {stall}: {e}"));
        }
    }
    cover.take()
}

#[test]
fn agrees_with_the_model_when_all_is_random_at_64_bits() {
    // Evictions of open trains are met below, where the table is small.
    agrees(&config(64, 128), 10, 250).check_but(&["closed_evict"]);
}

/// The model of the cell gives a read of the word being written an inverted word: nobody looks at one.
#[test]
fn agrees_with_the_model_when_all_is_random_and_memories_are_cells() {
    agrees(&cells(64, 128), 4, 250).check_short();
}

#[test]
fn agrees_with_the_model_when_all_is_random_at_128_bits() {
    agrees(&wide(128, 256), 10, 250).check();
}

#[test]
fn agrees_with_the_model_when_all_is_random_at_256_bits() {
    agrees(&wide(256, 256), 4, 250).check_short();
}

#[test]
fn agrees_with_the_model_when_all_is_random_at_512_bits() {
    agrees(&wide(512, 512), 4, 250).check_short();
}

/// Every length from the shortest to the longest, in a random order, in flows whose pages they fill at every alignment.
#[test]
fn agrees_with_the_model_when_frames_have_every_length() {
    let config = wide(128, 256);
    let model = engine_model(&config, &Options::long()).expect("the engine builds");
    for seed in seeds(1) {
        let mut rng = Rng::new(seed, "lengths");
        let mut setup = setup(&mut rng, &config, StallProfile::Light, seed);
        setup.bench.registers = vec![];
        setup.bench.host = HostOptions::full(7, 4096, 0);
        let mut lengths: Vec<usize> = (14..=9018).collect();
        for i in (1..lengths.len()).rev() {
            lengths.swap(i, rng.below(i as u64 + 1) as usize);
        }
        let sink = Box::new(|_: pagetrain_golden::deliver::Delivery<'_>, _: &_, _| {});
        let mut bench = Bench::new(&config, &model, setup.bench.clone(), sink).expect("a board");
        let counters = bench
            .run(async |driver| {
                let mut flows = [u32::MAX - 5_000, 7, 1 << 31];
                for &len in &lengths {
                    let number = rng.below(3) as usize;
                    driver.send(of_length(len, &mut flows, number), false);
                    driver.nearly_sent().await;
                }
                driver.finish(4000).await;
                driver.model_counters()
            })
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        let bytes: usize = lengths.iter().sum();
        // Nothing was in the way, so nothing was lost.
        assert_eq!(counters[0..2], [lengths.len() as u64, bytes as u64]);
    }
}
