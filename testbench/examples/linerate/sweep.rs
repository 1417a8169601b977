//! All lengths of all kinds of traffic.

use super::setup::Engine;
use pagetrain_testbench::rate::{measure, rate_board, Input, Link, Mix, Point, Run};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One kind of traffic.
pub struct Row {
    pub mix: Mix,
    /// At the wire's pace.
    pub paced: Vec<Point>,
    /// Without a gap.
    pub flooded: Vec<Point>,
    pub link: Link,
}

impl Row {
    /// No frame was lost and the MAC never waited.
    pub fn holds(&self) -> bool {
        self.paced.iter().all(|p| p.dropped == 0 && p.held == 0)
    }

    /// The length whose clocks a frame are the most in proportion to the wire's.
    pub fn worst(&self) -> &Point {
        let load = |p: &Point| p.clocks / self.link.clocks(p.length);
        let worst = self
            .flooded
            .iter()
            .max_by(|a, b| load(a).total_cmp(&load(b)));
        worst.expect("every mix has lengths")
    }

    /// The most data beats a clock at the wire's pace.
    pub fn beats(&self) -> f64 {
        self.paced.iter().map(|p| p.beats).fold(0.0, f64::max)
    }

    /// Lengths at which something was lost.
    pub fn failing(&self) -> impl Iterator<Item = &Point> {
        self.paced.iter().filter(|p| p.dropped > 0 || p.held > 0)
    }
}

/// Frames of each length without a gap. They measure a rate, so there need be no more.
const FLOOD: usize = 128;
/// Frames of each length at the wire's pace.
const PACED: usize = 200;

fn lengths(mix: Mix, step: usize) -> Vec<usize> {
    let all = (60..=1514).step_by(step).chain([1514, 4096, 9018]);
    let mut all: Vec<usize> = all.filter(|&length| length >= mix.shortest()).collect();
    all.dedup();
    all
}

fn pass(engine: &Engine, mix: Mix, step: usize, link: Option<Link>) -> Vec<Point> {
    let (input, frames) = match link {
        Some(_) => (Input::Drops, PACED),
        None => (Input::Waits, FLOOD),
    };
    let bytes = if link.is_some() { engine.bytes } else { 0 };
    let run = Run {
        mix,
        link,
        frames,
        bytes,
    };
    let mut bench =
        rate_board(&engine.config, &engine.model, mix, input).unwrap_or_else(|e| panic!("{e}"));
    let what = if link.is_some() { "paced" } else { "flooded" };
    let lengths = lengths(mix, step);
    let mut done = 0;
    let points = measure(&mut bench, run, &lengths, |point| {
        done += 1;
        if done % 200 == 0 || done == lengths.len() {
            eprintln!(
                "linerate: {}, {what}: {done} of {} lengths, {} bytes",
                mix.name(),
                lengths.len(),
                point.length
            );
        }
    });
    points.unwrap_or_else(|e| panic!("{} {what}: {e}", mix.name()))
}

/// Runs all kinds, as many at a time as there are processors.
pub fn run(engine: &Engine, step: usize) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut rows = vec![];
        while let Some(&mix) = Mix::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            let flooded = pass(engine, mix, step, None);
            let paced = pass(engine, mix, step, Some(engine.link));
            rows.push(Row {
                mix,
                paced,
                flooded,
                link: engine.link,
            });
        }
        rows
    };
    let mut rows: Vec<Row> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().expect("a worker failed"))
            .collect()
    });
    rows.sort_by_key(|row| Mix::ALL.iter().position(|mix| *mix == row.mix));
    rows
}
