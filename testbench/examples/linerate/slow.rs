//! What is lost when the bus is slower.

use super::setup::Engine;
use pagetrain_testbench::axi::MemoryConfig;
use pagetrain_testbench::rate::{measure, rate_board, Input, Mix, Point, Run};
use pagetrain_testbench::stall::{Pause, StallProfile};

/// One bus.
pub struct Row {
    pub bus: String,
    /// (length, without a gap and with a MAC that waits, at the wire's pace)
    pub points: Vec<(Point, Point)>,
}

/// Lengths measured.
pub const LENGTHS: [usize; 3] = [60, 1514, 9018];
const MIX: Mix = Mix::OneFlow;

fn buses() -> Vec<(String, MemoryConfig)> {
    let quick = MemoryConfig::new(StallProfile::None);
    let mut buses = vec![];
    for percent in [0, 10, 20, 40] {
        let bus = MemoryConfig {
            w: Pause::Random(f64::from(percent) / 100.0),
            ..quick.clone()
        };
        buses.push((format!("{percent} % of the beats refused"), bus));
    }
    for latency in [50, 100, 200, 500] {
        for writes in [1, 4, 16] {
            let bus = MemoryConfig {
                write_latency: latency..=latency,
                writes,
                ..quick.clone()
            };
            let plural = if writes == 1 { "write" } else { "writes" };
            buses.push((
                format!("{latency} clocks of latency, {writes} {plural} under way"),
                bus,
            ));
        }
    }
    buses
}

fn pass(engine: &Engine, bus: &MemoryConfig, input: Input) -> Vec<Point> {
    let run = Run {
        mix: MIX,
        link: (input == Input::Drops).then_some(engine.link),
        frames: 256,
        bytes: 4 * engine.config.ingress_bytes,
    };
    let board = rate_board(&engine.config, &engine.model, MIX, input);
    let mut bench = board.unwrap_or_else(|e| panic!("{e}"));
    bench.bus().set_config(bus.clone());
    measure(&mut bench, run, &LENGTHS, |_| {}).unwrap_or_else(|e| panic!("{e}"))
}

/// Measures all buses. What hangs or loses half a frame fails in there.
pub fn run(engine: &Engine) -> Vec<Row> {
    let row = |(bus, config): (String, MemoryConfig)| {
        eprintln!("linerate: slow bus: {bus}");
        let waits = pass(engine, &config, Input::Waits);
        let drops = pass(engine, &config, Input::Drops);
        Row {
            bus,
            points: waits.into_iter().zip(drops).collect(),
        }
    };
    buses().into_iter().map(row).collect()
}
