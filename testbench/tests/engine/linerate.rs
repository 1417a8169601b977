//! Line rate, in short: a few lengths of each kind of traffic. `make linerate` does them all.

use super::support::config;
use pagetrain_testbench::axi::MemoryConfig;
use pagetrain_testbench::engine::engine_model;
use pagetrain_testbench::rate::{measure, rate_board, Input, Link, Mix, Run};
use pagetrain_testbench::stall::{Pause, StallProfile};
use pagetrain_testbench::verilator::Options;

/// Just below, at and above the edges of beats, small buffers and pages.
const LENGTHS: [usize; 12] = [60, 63, 64, 65, 91, 128, 129, 256, 310, 1514, 4096, 9018];

/// No frame is dropped and the MAC never waits.
fn keeps_up(data_width: usize, dma_width: usize, mix: Mix) {
    let config = config(data_width, dma_width);
    let model = engine_model(&config, &Options::long()).expect("the engine builds");
    let mut bench = rate_board(&config, &model, mix, Input::Drops).expect("a board");
    let run = Run {
        mix,
        link: Some(Link::of_width(data_width)),
        frames: 64,
        bytes: config.ingress_bytes,
    };
    let lengths: Vec<usize> = LENGTHS
        .into_iter()
        .filter(|&l| l >= mix.shortest())
        .collect();
    let points = measure(&mut bench, run, &lengths, |_| {}).unwrap_or_else(|e| panic!("{e}"));
    for point in points {
        assert_eq!(
            (point.dropped, point.held),
            (0, 0),
            "{data_width} bits, {}: {point:?}",
            mix.name()
        );
    }
}

/// The measurement notices a loss; what is left is whole frames, every one counted, as the model has them.
#[test]
fn frames_are_lost_and_counted_when_the_bus_refuses_most_beats() {
    let config = config(64, 128);
    let model = engine_model(&config, &Options::long()).expect("the engine builds");
    let mix = Mix::OneFlow;
    let mut bench = rate_board(&config, &model, mix, Input::Drops).expect("a board");
    bench.bus().set_config(MemoryConfig {
        w: Pause::Random(0.8),
        ..MemoryConfig::new(StallProfile::None)
    });
    let run = Run {
        mix,
        link: Some(Link::of_width(64)),
        frames: 64,
        bytes: 4 * config.ingress_bytes,
    };
    let points = measure(&mut bench, run, &[60, 1514], |_| {}).unwrap_or_else(|e| panic!("{e}"));
    for point in points {
        let lost = point.dropped as f64 / point.frames as f64;
        assert!((0.3..0.8).contains(&lost), "{point:?}");
    }
}

macro_rules! keeps_up {
    ($($name:ident: $width:literal, $dma:literal, $mix:ident;)*) => {$(
        #[test]
        fn $name() {
            keeps_up($width, $dma, Mix::$mix);
        }
    )*};
}

keeps_up! {
    nothing_is_lost_when_one_flow_comes_at_line_rate_at_64_bits: 64, 128, OneFlow;
    nothing_is_lost_when_nothing_is_watched_at_line_rate_at_64_bits: 64, 128, Unwatched;
    nothing_is_lost_when_every_frame_is_a_train_at_line_rate_at_64_bits: 64, 128, Trains;
    nothing_is_lost_when_every_frame_evicts_at_line_rate_at_64_bits: 64, 128, Evictions;
    nothing_is_lost_when_acks_come_at_line_rate_at_64_bits: 64, 128, Acks;
    nothing_is_lost_when_tags_are_stripped_at_line_rate_at_64_bits: 64, 128, TaggedV6;
    nothing_is_lost_when_one_flow_comes_at_line_rate_at_128_bits: 128, 256, OneFlow;
    nothing_is_lost_when_nothing_is_watched_at_line_rate_at_128_bits: 128, 256, Unwatched;
    nothing_is_lost_when_every_frame_is_a_train_at_line_rate_at_128_bits: 128, 256, Trains;
    nothing_is_lost_when_every_frame_evicts_at_line_rate_at_128_bits: 128, 256, Evictions;
    nothing_is_lost_when_acks_come_at_line_rate_at_128_bits: 128, 256, Acks;
    nothing_is_lost_when_tags_are_stripped_at_line_rate_at_128_bits: 128, 256, TaggedV6;
}
