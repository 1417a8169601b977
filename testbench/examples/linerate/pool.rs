//! Does jobs on all processors, and shows how far they are.

use super::job::Job;
use indicatif::{ProgressBar, ProgressStyle};
use pagetrain_testbench::rate::Point;
use std::cmp::Reverse;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What became of the jobs so far.
struct State<'a, 'e> {
    /// Jobs to be done, the largest last.
    todo: Vec<(usize, &'a Job<'e>)>,
    points: Vec<Vec<Point>>,
    failed: Option<String>,
}

/// Runs all jobs; gives the points of each. The first that fails ends it.
pub fn run(jobs: &[Job<'_>]) -> Result<Vec<Vec<Point>>, String> {
    let mut todo: Vec<_> = jobs.iter().enumerate().collect();
    // The largest first: at the end all threads are busy with small ones.
    todo.sort_by_key(|(i, job)| (job.whole_cost(), Reverse(*i)));
    let state = Mutex::new(State {
        todo,
        points: vec![vec![]; jobs.len()],
        failed: None,
    });
    let progress = Progress::new(jobs.iter().map(Job::whole_cost).sum());
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let take = || {
        let mut state = lock();
        match state.failed {
            None => state.todo.pop(),
            Some(_) => None,
        }
    };
    let work = || {
        while let Some((i, job)) = take() {
            match job.run(|point| progress.advance(job.cost(point.length))) {
                Ok(points) => lock().points[i] = points,
                Err(why) => lock().failed = Some(why),
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    progress.bar.finish_and_clear();
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    match state.failed {
        None => Ok(state.points),
        Some(why) => Err(why),
    }
}

/// A bar on a terminal; a line now and then elsewhere.
struct Progress {
    bar: ProgressBar,
    start: Instant,
    lines: bool,
    total: u64,
}

/// Lines where there is no terminal.
const LINES: u64 = 20;

impl Progress {
    fn new(total: u64) -> Progress {
        let bar = ProgressBar::new(total);
        let style = ProgressStyle::with_template("{bar:32} {percent} %, {elapsed}, {eta} left");
        Progress {
            bar: match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            },
            start: Instant::now(),
            lines: !std::io::stderr().is_terminal(),
            total,
        }
    }

    fn advance(&self, cost: u64) {
        self.bar.inc(cost);
        let now = self.bar.position();
        let line = |at: u64| at * LINES / self.total.max(1);
        if self.lines && line(now) != line(now.saturating_sub(cost)) {
            let spent = self.start.elapsed().as_secs_f64();
            let left = spent * self.total.saturating_sub(now) as f64 / now as f64;
            let percent = 100 * now / self.total;
            eprintln!("linerate: {percent} %, {spent:.0} s, about {left:.0} s left");
        }
    }
}
