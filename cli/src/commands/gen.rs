//! `pagetrain gen`

use crate::args::GenArgs;
use crate::configuration;
use crate::failure::Failure;
use crate::output::print;

/// Writes the files of one engine.
pub fn run(args: &GenArgs) -> Result<(), Failure> {
    let named = configuration::load(&args.config)?;
    let usage = |error: pagetrain_gen::GenError| Failure::Usage(error.to_string());
    let files = pagetrain_gen::generate(&named.config, &named.label).map_err(usage)?;
    pagetrain_gen::write(&args.output, &files).map_err(usage)?;
    print(&format!(
        "{}: {} files of configuration {}\n",
        args.output.display(),
        files.len(),
        named.label
    ))
}
