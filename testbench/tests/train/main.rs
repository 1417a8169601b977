//! `train` with its flow table, against a reference written from the contract.

mod bench;
mod directed;
mod reference;
mod traffic;

use bench::{dut as module, Bench, Profile, PROFILES};
use pagetrain_formats::codes::{Command, Reason};
use pagetrain_formats::counters::{reason_counter, Counter};
use pagetrain_formats::Config;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::seeds;
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::collections::BTreeMap;
use traffic::Traffic;

/// A configuration of the block: few entries, so that every limit is met.
fn config(flows: usize, dma_width: usize) -> Config {
    Config {
        flows,
        dma_width,
        train_entries: 32,
        ..Config::default()
    }
}

fn model(cfg: &Config) -> Model {
    dut::build(&module(cfg), &Options::long()).unwrap_or_else(|e| panic!("{e}"))
}

fn design(cfg: &Config) -> Design {
    dut::design(&module(cfg)).unwrap_or_else(|e| panic!("{e}"))
}

/// `frames` random frames, then perhaps a stop; everything compared.
///
/// Gives what was counted.
fn random_run(
    model: &Model,
    cfg: Config,
    profile: Profile,
    seed: u64,
    frames: usize,
) -> BTreeMap<usize, u64> {
    let mut rng = Rng::new(seed, profile.name);
    let setup = traffic::setup(&mut rng, &cfg);
    let flows = cfg.flows + rng.below(cfg.flows as u64) as usize;
    let stops = rng.chance(0.6);
    println!(
        "profile `{}`, seed {seed}, {flows} flows, stop {stops}, {setup:?}",
        profile.name
    );
    let mut traffic = Traffic::new(seed, cfg, flows);
    let timely =
        (profile.name == "commands").then_some(pagetrain_hdl::train::TIMER_SLACK as u64 + 200);
    let mut bench = Bench::new(model, cfg, setup, profile, seed);
    let mut left = frames;
    while left > 0 || !bench.frames.is_empty() {
        while left > 0 && bench.frames.len() < 4 {
            bench.frames.push_back(traffic.next());
            left -= 1;
        }
        if rng.chance(bench.profile.command) && bench.commands.is_empty() && bench.bad_enabled {
            let command = *rng.pick(&[
                Command::FlushAll,
                Command::Poll,
                Command::FlushFlow,
                Command::FlushFlow,
            ]);
            let key = *rng.pick(&traffic.keys);
            bench.commands.push_back((command, key));
        }
        bench.step();
        // The stop comes while frames are still on their way.
        if stops && left < 20 && bench.bad_enabled && !bench.frames.is_empty() {
            bench.commands.push_back((Command::Stop, traffic.keys[0]));
            bench.bad_enabled = false;
            bench.post_limit = (bench.all_smalls.len() + 5, bench.all_pages.len() + 3);
        }
    }
    if bench.setup.backpressure && !stops {
        // The last frame may still wait for its buffers.
        (0..32).for_each(|_| bench.post_small());
        (0..5).for_each(|_| bench.post_page(4096, 0));
    }
    bench.drain();
    bench.check(timely).counters
}

#[test]
fn matches_the_contract_when_traffic_is_random() {
    for (flows, dma_width) in [(4, 128), (16, 64)] {
        let cfg = config(flows, dma_width);
        let model = model(&cfg);
        let mut total: BTreeMap<usize, u64> = BTreeMap::new();
        for seed in seeds(6) {
            for profile in PROFILES {
                for (index, n) in random_run(&model, cfg, profile, seed, 400) {
                    *total.entry(index).or_default() += n;
                }
            }
        }
        covered(&total);
    }
}

/// Everything that can happen has happened, unless one seed alone was asked for.
fn covered(total: &BTreeMap<usize, u64>) {
    if std::env::var_os("PAGETRAIN_SEED").is_some() {
        return;
    }
    let reasons = [
        Reason::None,
        Reason::Single,
        Reason::Timer,
        Reason::MaxAggr,
        Reason::MaxBytes,
        Reason::Seq,
        Reason::Flag,
        Reason::Csum,
        Reason::Short,
        Reason::Page,
        Reason::Evict,
        Reason::FlushAll,
        Reason::FlushFlow,
        Reason::Poll,
        Reason::NoBuffer,
        Reason::Stop,
    ];
    let counters = [
        Counter::DropNoBuffer,
        Counter::DropDisabled,
        Counter::BadIpCsum,
        Counter::BadL4Csum,
        Counter::Rejected,
        Counter::FlowHits,
        Counter::FlowMisses,
        Counter::FlowCreations,
        Counter::FlowEvictions,
        Counter::Aggregated,
        Counter::SplitSegments,
        Counter::PagesFilled,
        Counter::PagesReleased,
        Counter::BadDescriptors,
    ];
    let reasons = reasons.iter().map(|&r| (reason_counter(r), r.name()));
    let counters = counters.iter().map(|&c| (c.code() as usize, c.name()));
    for (index, name) in reasons.chain(counters) {
        let n = total.get(&index).copied().unwrap_or(0);
        println!("{name}: {n}");
        assert!(n > 0, "{name} never happened");
    }
}

/// Each mutant breaks one rule; the random test must notice.
#[test]
fn is_caught_when_the_block_is_broken() {
    let cfg = config(4, 128);
    let mutants = [
        ("& !gap", ""),
        (
            "(keep ? full_old : full_new)",
            "(keep ? more_old : more_new)",
        ),
        (
            "c_victim_open <= decide_job_creates &",
            "c_victim_open <= decide_job_hit &",
        ),
        (
            "(upd_insert | insert_0) ? same",
            "(upd_insert | insert_0) ? 1'b0",
        ),
        (
            "pages_edge <= pages_count >= last_two_pages",
            "pages_edge <= pages_edge",
        ),
        ("sum_odd <= sum_odd ^ page_len[0]", "sum_odd <= sum_odd"),
        ("(!decide_job_splits | many_small | piece)", "1'b1"),
        ("<= again & !piece", "<= again"),
    ];
    for (from, to) in mutants {
        let broken = design(&cfg)
            .mutate(from, to)
            .unwrap_or_else(|e| panic!("{e}"));
        let model = Model::build(&broken, &Options::short()).unwrap_or_else(|e| panic!("{e}"));
        // Buffers in plenty, and scarce ones.
        let caught = (2..=33).any(|n| {
            let (seed, profile) = (n / 2, &PROFILES[n as usize % 2 * 2]);
            let run = || random_run(&model, cfg, profile.clone(), seed, 400);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
        });
        assert!(caught, "mutant `{to}` lives");
    }
}
