//! One frame length after the other through a board.

use super::link::Link;
use super::meter::{Latencies, Meter};
use super::mix::{Mix, Traffic};
use crate::engine::{Bench, BenchError, Driver};
use pagetrain_formats::{Command, Counter};

/// Clocks without any event after which what did not come is taken not to come.
const QUIET: u64 = 4_000;
/// Frames after which a stretch has filled the queues inside the engine.
const WARM_UP: usize = 56;

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The traffic.
    pub mix: Mix,
    /// The pace; `None`: without a gap, as fast as the engine takes them.
    pub link: Option<Link>,
    /// Frames of each length, at least.
    pub frames: usize,
    /// Bytes of each length, at least: short frames would all fit in the store.
    pub bytes: usize,
}

/// What one length came to.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Bytes of a frame.
    pub length: usize,
    /// Frames sent.
    pub frames: usize,
    /// Frames dropped, whatever for.
    pub dropped: u64,
    /// Clocks in which `tready` towards the MAC was low.
    pub held: u64,
    /// Clocks a frame, once the queues are full.
    pub clocks: f64,
    /// Data beats on the bus a clock, in the same stretch.
    pub beats: f64,
    /// From last beat in to completion written.
    pub latencies: Option<Latencies>,
}

/// Sends frames of each length; `progress` hears of each length that is done. Fails at the first difference from the model.
pub fn measure(
    bench: &mut Bench,
    run: Run,
    lengths: &[usize],
    mut progress: impl FnMut(&Point),
) -> Result<Vec<Point>, BenchError> {
    let meter = Meter::attach(bench.sim())?;
    bench.run(async |driver| {
        let mut traffic = Traffic::new(run.mix);
        for frame in traffic.opening() {
            driver.send(frame, false);
        }
        driver.quiet(QUIET).await;
        let mut points = vec![];
        for &length in lengths {
            let point = stretch(&driver, &meter, run, &mut traffic, length).await;
            progress(&point);
            points.push(point);
        }
        driver.command(Command::FlushAll).await;
        driver.finish(QUIET).await;
        points
    })
}

async fn stretch(
    driver: &Driver,
    meter: &Meter,
    run: Run,
    traffic: &mut Traffic,
    length: usize,
) -> Point {
    let frames = run.frames.max(run.bytes / length);
    let before = dropped(driver).await;
    meter.restart();
    let start = driver.sim().cycle() + 1;
    for i in 0..frames {
        let frame = traffic.frame(length);
        if let Some(link) = run.link {
            let due = start + (link.clocks(length) * i as f64) as u64;
            let now = driver.sim().cycle();
            driver.sim().cycles(due.saturating_sub(now)).await;
        }
        driver.send(frame, false);
        driver.nearly_sent().await;
    }
    driver.quiet(QUIET).await;
    let (clocks, beats) = meter
        .pace(WARM_UP.min(frames / 4))
        .unwrap_or((f64::NAN, f64::NAN));
    Point {
        length,
        frames,
        dropped: dropped(driver).await - before,
        held: meter.held(),
        clocks,
        beats,
        latencies: meter.latencies(),
    }
}

/// Frames dropped so far.
async fn dropped(driver: &Driver) -> u64 {
    let causes = [
        Counter::DropBad,
        Counter::DropOversize,
        Counter::DropOverflow,
        Counter::DropNoBuffer,
        Counter::DropDisabled,
    ];
    let mut sum = 0;
    for cause in causes {
        sum += driver.counter(cause.code() as usize).await;
    }
    sum
}
