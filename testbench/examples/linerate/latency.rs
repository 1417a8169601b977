//! From the last beat of a frame in to its completion written.

use super::setup::Engine;
use pagetrain_testbench::rate::{measure, rate_board, Input, Link, Mix, Point, Run};

/// One length, frames far apart and at the wire's pace.
pub struct Row {
    pub apart: Point,
    pub paced: Point,
}

/// Every frame is a train of its own, so that none waits for others to join it.
const MIX: Mix = Mix::Trains;
const LENGTHS: [usize; 3] = [60, 1514, 9018];

/// Measures the three lengths.
pub fn run(engine: &Engine) -> Vec<Row> {
    let pass = |link: Link| {
        let run = Run {
            mix: MIX,
            link: Some(link),
            frames: 200,
            bytes: 0,
        };
        let board = rate_board(&engine.config, &engine.model, MIX, Input::Drops);
        let mut bench = board.unwrap_or_else(|e| panic!("{e}"));
        measure(&mut bench, run, &LENGTHS, |_| {}).unwrap_or_else(|e| panic!("{e}"))
    };
    let apart = pass(engine.link.slowed(20.0));
    let paced = pass(engine.link);
    let row = |(apart, paced)| Row { apart, paced };
    apart.into_iter().zip(paced).map(row).collect()
}
