//! What the engine's tests share.

use pagetrain_formats::program::{tcp, Limits as ProgramLimits};
use pagetrain_formats::{regs, BlockRam, Config};
use pagetrain_golden::host::HostOptions;
use pagetrain_golden::{Limits, Pace};
use pagetrain_hdl::train::TIMER_SLACK;
use pagetrain_testbench::capture::read_capture;
use pagetrain_testbench::engine::{
    engine_model, replay, BenchOptions, ReplayOptions, Summary, TimedFrame,
};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Options;
use std::fs::File;
use std::path::{Path, PathBuf};

/// An engine of these widths, all else at its default.
pub fn config(data_width: usize, dma_width: usize) -> Config {
    Config {
        data_width,
        dma_width,
        ..Config::default()
    }
}

/// An engine of these widths, its block memories made of ECP5's cells.
pub fn cells(data_width: usize, dma_width: usize) -> Config {
    Config {
        block_ram: BlockRam::Ecp5,
        ..config(data_width, dma_width)
    }
}

/// An engine of these widths with few flows, so that some are evicted, and large pages.
pub fn wide(data_width: usize, dma_width: usize) -> Config {
    Config {
        flows: 5,
        page_size: 65536,
        train_entries: 32,
        ..config(data_width, dma_width)
    }
}

/// How late the engine may be. Where the bus pauses, or is no wider than the link and so never idle, it may wait for
/// that: then only for so long that nothing is lost.
pub fn limits(config: &Config, stall: StallProfile) -> Limits {
    let quick = matches!(stall, StallProfile::None | StallProfile::Light);
    let waits = match quick && config.dma_width > config.data_width {
        true => 0,
        false => 20_000,
    };
    Limits {
        timer_slack: TIMER_SLACK as u64 + waits,
        buffer_slack: 200 + waits,
    }
}

/// How much later while a segment is cut: the header of a piece waits for the sum of its payload (contract, section 3).
pub fn cut_clocks(config: &Config) -> u64 {
    (2 * 14_336 / config.d_bytes() + 1024) as u64
}

/// A bench as a driver would set it up.
pub fn bench(config: &Config, seed: u64, stall: StallProfile, merge: u32) -> BenchOptions {
    let program = tcp(&ProgramLimits::of(config)).expect("the shipped program fits");
    BenchOptions {
        seed,
        stall,
        host: HostOptions::full(7, config.page_size as u32, 0),
        registers: vec![(regs::Q_MERGE, merge)],
        program: program.words(),
        limits: limits(config, stall),
        waves: None,
    }
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The project's captures, and the public ones that lie beside a developer's checkout.
pub fn capture_files() -> Vec<PathBuf> {
    let mut files = vec![];
    for folder in [root().join("captures"), root().join("../shared/captures")] {
        match std::fs::read_dir(&folder) {
            Ok(entries) => files.extend(entries.flatten().map(|e| e.path())),
            Err(_) => println!("skipped: {} is not there", folder.display()),
        }
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "pcap"));
    files.sort_by_key(|f| f.file_name().map(|n| n.to_owned()));
    files.dedup_by_key(|f| f.file_name().map(|n| n.to_owned()));
    assert!(!files.is_empty(), "the project's own captures are missing");
    files
}

/// A capture's frames.
pub fn frames(path: &Path) -> Vec<TimedFrame> {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let capture = read_capture(file).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    capture.frames
}

/// Replays frames at line pace; fails at the first difference from the model.
pub fn run(config: &Config, options: BenchOptions, frames: &[TimedFrame]) -> Summary {
    let model = engine_model(config, &Options::long()).expect("the engine builds");
    let (seed, stall) = (options.seed, options.stall);
    let options = ReplayOptions {
        bench: options,
        pace: Pace::Line,
        poll_every: None,
    };
    replay(
        config,
        &model,
        options,
        frames,
        Box::new(|_, _, _| {}),
        |_| {},
    )
    .unwrap_or_else(|e| panic!("seed {seed}, stall {stall}: {e}"))
}
