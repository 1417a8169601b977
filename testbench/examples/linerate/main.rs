//! `make linerate`: every kind of traffic, at every frame length, at the wire's pace and without a gap; slow buses; latencies.
//!
//!     cargo run --release -p pagetrain-testbench --example linerate -- [STEP] [W ...]
//!
//! STEP: only every so manieth length (default 1). With widths given, only those are run and no page is written;
//! else `docs/src/linerate.md` is. Any frame lost at W = 64 or 128 ends the program with an error.

mod latency;
mod page;
mod setup;
mod slow;
mod sweep;

use setup::{Setup, SETUPS};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut numbers = vec![];
    for arg in std::env::args().skip(1) {
        match arg.parse::<usize>() {
            Ok(number) if number > 0 => numbers.push(number),
            _ => {
                eprintln!("linerate: `{arg}` is not a number; usage: linerate [STEP] [W ...]");
                return ExitCode::FAILURE;
            }
        }
    }
    let step = numbers.first().copied().unwrap_or(1);
    let widths = numbers.get(1..).unwrap_or_default();
    let chosen: Vec<&Setup> = SETUPS
        .iter()
        .filter(|setup| widths.is_empty() || widths.contains(&setup.data_width))
        .collect();
    let mut text = page::intro(step);
    let mut kept = true;
    for setup in chosen {
        let engine = setup.engine();
        let rows = sweep::run(&engine, step);
        kept &= !setup.must_hold || rows.iter().all(sweep::Row::holds);
        text += &page::sweep(setup, &rows);
        text += &page::latency(&latency::run(&engine));
        if setup.must_hold {
            text += &page::slow(&slow::run(&engine));
        }
    }
    print!("{text}");
    if widths.is_empty() {
        page::write(&text);
    }
    if !kept {
        eprintln!(
            "linerate: frames were lost, or the MAC had to wait, where line rate is promised"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
