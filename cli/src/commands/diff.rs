//! `pagetrain diff`

use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::output::print;
use crate::replay::{rtl, Outputs, Settings};

/// Runs the capture through hardware and model; prints the summary where they agree, else fails with the difference.
pub fn run(args: &DiffArgs) -> Result<(), Failure> {
    let settings = Settings::load(&args.traffic)?;
    let outputs = Outputs::default();
    let text = rtl::run(&args.traffic, &args.simulation, &settings, &outputs)?;
    print(&text)
}
