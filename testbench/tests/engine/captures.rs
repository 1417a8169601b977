//! Every capture through the engine.

use super::support::{bench, config, frames, root, run};
use pagetrain_formats::Counter;
use pagetrain_testbench::stall::StallProfile;

#[test]
fn agrees_with_the_model_when_a_capture_is_replayed() {
    let config = config(64, 128);
    let path = root().join("captures/own_iperf_v4_1500_4flows.pcap");
    let frames = frames(&path);
    let summary = run(&config, bench(&config, 1, StallProfile::None, 1), &frames);
    println!(
        "{} clocks, {} trains",
        summary.clocks,
        summary.counter(Counter::Trains)
    );
    assert_eq!(summary.counter(Counter::RxFrames), frames.len() as u64);
}
