//! A list of frames through the simulated engine, with the model beside it, and a summary.

use super::bench::{Bench, BenchError, BenchOptions, Sink};
use super::driver::Driver;
use crate::verilator::Model;
use pagetrain_formats::{Command, Config, Counter};
use pagetrain_golden::standalone::LINK_OVERHEAD;
use pagetrain_golden::Pace;
use std::time::Duration;

/// A frame and when it comes.
#[derive(Clone, Debug)]
pub struct TimedFrame {
    /// Without preamble and FCS.
    pub bytes: Vec<u8>,
    /// Time stamp of the capture.
    pub stamp: Duration,
    /// The MAC marks it as bad.
    pub bad: bool,
}

/// How frames are replayed.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The board.
    pub bench: BenchOptions,
    /// When frames come.
    pub pace: Pace,
    /// The host ends its poll after so many frames.
    pub poll_every: Option<u64>,
}

/// What a replay came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Clocks from the first frame's first beat to the last delivery.
    pub clocks: u64,
    /// All counters, by index.
    pub counters: Vec<u64>,
    /// Bytes of all frames.
    pub bytes: u64,
}

impl Summary {
    /// A counter.
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters
            .get(counter.code() as usize)
            .copied()
            .unwrap_or(0)
    }
}

/// Clocks without any event after which what did not come is taken not to come.
const QUIET: u64 = 4_000;

/// Replays `frames`; `progress` hears of each frame sent. Fails at the first difference from the model.
pub fn replay(
    config: &Config,
    model: &Model,
    options: ReplayOptions,
    frames: &[TimedFrame],
    sink: Sink,
    mut progress: impl FnMut(usize),
) -> Result<Summary, BenchError> {
    let pace = options.pace;
    let poll_every = options.poll_every;
    let mut bench = Bench::new(config, model, options.bench, sink)?;
    bench.run(async |driver| {
        let start = driver.sim().cycle();
        let mut link = Link::new(config, pace);
        for (i, frame) in frames.iter().enumerate() {
            wait_until(&driver, start + link.begin(frame)).await;
            driver.send(frame.bytes.clone(), frame.bad);
            // A queue of frames would hide when they are due.
            match pace {
                Pace::Gap(_) => driver.sent().await,
                Pace::Line | Pace::Capture => driver.nearly_sent().await,
            }
            link.sent(frame, driver.sim().cycle() - start);
            progress(i + 1);
            if poll_every.is_some_and(|n| n > 0 && (i as u64 + 1) % n == 0) {
                driver.command(Command::Poll).await;
            }
        }
        driver.quiet(QUIET).await;
        driver.command(Command::FlushAll).await;
        driver.quiet(QUIET).await;
        let clocks = driver.sim().cycle() - start;
        driver.finish(QUIET).await;
        let bytes = frames.iter().map(|f| f.bytes.len() as u64).sum();
        Summary {
            clocks,
            counters: driver.model_counters(),
            bytes,
        }
    })
}

async fn wait_until(driver: &Driver, cycle: u64) {
    let now = driver.sim().cycle();
    if cycle > now {
        driver.sim().cycles(cycle - now).await;
    }
}

/// When the link brings the next frame.
struct Link {
    pace: Pace,
    w_bytes: u64,
    clock_khz: u64,
    first: Option<Duration>,
    /// Bytes' worth of link time gone by.
    bytes: u64,
}

impl Link {
    fn new(config: &Config, pace: Pace) -> Link {
        Link {
            pace,
            w_bytes: config.w_bytes() as u64,
            clock_khz: config.clock_khz as u64,
            first: None,
            bytes: 0,
        }
    }

    /// Clock, from the start, of a frame's first beat.
    fn begin(&mut self, frame: &TimedFrame) -> u64 {
        let first = *self.first.get_or_insert(frame.stamp);
        if self.pace == Pace::Capture {
            let nanos = frame.stamp.saturating_sub(first).as_nanos();
            let clocks = (nanos * u128::from(self.clock_khz) / 1_000_000) as u64;
            self.bytes = self.bytes.max(clocks * self.w_bytes);
        }
        self.bytes / self.w_bytes
    }

    /// A frame was sent; `now` is the clock, for a gap that of its last beat.
    fn sent(&mut self, frame: &TimedFrame, now: u64) {
        match self.pace {
            Pace::Gap(clocks) => self.bytes = (now + clocks) * self.w_bytes,
            Pace::Line | Pace::Capture => {
                self.bytes += frame.bytes.len() as u64 + LINK_OVERHEAD;
            }
        }
    }
}
