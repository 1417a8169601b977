//! `make linerate`: every kind of traffic, at every frame length, at the wire's pace and without a gap; slow buses; latencies.
//!
//!     cargo run --release -p pagetrain-testbench --example linerate -- [STEP] [W ...]
//!     cargo run --release -p pagetrain-testbench --example linerate -- --page
//!
//! STEP: only every so manieth length (default 1). With widths given, only those are run and nothing is written; else
//! `docs/results/linerate.json` is, and the page made from it. `--page` only makes the page again. Any frame lost at
//! W = 64 or 128 ends the program with an error.

mod job;
mod page;
mod pool;
mod results;
mod setup;
mod sweep;

use results::{EngineResult, Results};
use setup::{Setup, SETUPS};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.as_slice() {
        [page] if page == "--page" => Results::load()
            .and_then(|r| page::text(&r))
            .and_then(|text| page::write(&text)),
        _ => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("linerate: {why}");
            ExitCode::FAILURE
        }
    }
}

fn numbers(args: &[String]) -> Result<Vec<usize>, String> {
    let number = |arg: &String| match arg.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!(
            "`{arg}` is no number above 0; usage: linerate [STEP] [W ...] | --page"
        )),
    };
    args.iter().map(number).collect()
}

fn run(args: &[String]) -> Result<(), String> {
    let numbers = numbers(args)?;
    let step = numbers.first().copied().unwrap_or(1);
    let widths = numbers.get(1..).unwrap_or_default();
    let chosen: Vec<&Setup> = SETUPS
        .iter()
        .filter(|setup| widths.is_empty() || widths.contains(&setup.data_width))
        .collect();
    let engines: Result<Vec<_>, String> = chosen.iter().map(|setup| setup.engine()).collect();
    let engines = engines?;
    let jobs: Vec<_> = engines.iter().flat_map(|e| sweep::jobs(e, step)).collect();
    let points = pool::run(&jobs)?;
    let mut results = Results {
        step,
        engines: vec![],
    };
    let mut lossy = vec![];
    for engine in &engines {
        let of = |part| {
            let done = jobs.iter().zip(&points);
            let chosen =
                done.filter(|(job, _)| job.part == part && std::ptr::eq(job.engine, engine));
            chosen.flat_map(|(_, points)| points).copied().collect()
        };
        let result = EngineResult::new(engine, of);
        if engine.setup.must_hold && !result.holds() {
            lossy.push(format!("W = {}", engine.setup.data_width));
        }
        results.engines.push(result);
    }
    let text = page::text(&results)?;
    print!("{text}");
    if widths.is_empty() {
        results.save()?;
        page::write(&text)?;
    }
    if lossy.is_empty() {
        return Ok(());
    }
    Err(format!(
        "frames were lost, or the MAC had to wait, where line rate is promised: {}",
        lossy.join(", ")
    ))
}
