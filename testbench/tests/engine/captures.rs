//! Every capture through the engine.

use super::support::{bench, capture_files, cells, config, frames, run, wide};
use pagetrain_formats::{Config, Counter};
use pagetrain_testbench::stall::StallProfile;

/// Replays every capture with this engine, with and without merging, under a stall profile each.
fn agrees(config: Config) {
    let profiles = StallProfile::ALL;
    for (i, path) in capture_files().iter().enumerate() {
        let frames = frames(path);
        for merge in [0, 1] {
            let seed = (2 * i) as u64 + u64::from(merge);
            let stall = profiles[seed as usize % profiles.len()];
            println!(
                "{}: merge {merge}, seed {seed}, stall {stall}",
                path.display()
            );
            let summary = run(&config, bench(&config, seed, stall, merge), &frames);
            let gone = [
                Counter::DropBad,
                Counter::DropOversize,
                Counter::DropOverflow,
                Counter::DropDisabled,
            ];
            let gone: u64 = gone.iter().map(|&c| summary.counter(c)).sum();
            let came = summary.counter(Counter::RxFrames) + gone;
            assert_eq!(came, frames.len() as u64, "every frame is counted once");
        }
    }
}

#[test]
fn agrees_with_the_model_when_captures_are_replayed_at_64_bits() {
    agrees(config(64, 128));
}

#[test]
fn agrees_with_the_model_when_captures_are_replayed_at_128_bits() {
    agrees(wide(128, 256));
}

#[test]
fn agrees_with_the_model_when_both_widths_are_the_same() {
    agrees(config(64, 64));
}

#[test]
fn agrees_with_the_model_when_captures_are_replayed_with_memories_of_cells() {
    agrees(cells(64, 128));
}
