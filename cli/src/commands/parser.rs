//! `pagetrain parser`

use crate::args::{ConfigArgs, ParserCommand, ProgramFormat};
use crate::configuration;
use crate::failure::Failure;
use crate::output::print;
use pagetrain_formats::program::{compile, Limits, Program};
use pagetrain_gen::program::{c_array, hex};
use std::path::Path;

/// Checks or compiles a program.
pub fn run(command: &ParserCommand) -> Result<(), Failure> {
    match command {
        ParserCommand::Check { file, config } => {
            let program = load(file, config)?;
            print(&format!(
                "{}: {} rows, at most {} steps\n",
                file.display(),
                program.rows.len(),
                program.worst_steps
            ))
        }
        ParserCommand::Compile {
            file,
            config,
            format,
            output,
        } => {
            let program = load(file, config)?;
            let text = match format {
                ProgramFormat::Listing => program.listing(),
                ProgramFormat::Hex => hex(&program),
                ProgramFormat::C => c_array(&program, &identifier(file)),
            };
            match output {
                Some(path) => std::fs::write(path, text).map_err(Failure::file(path)),
                None => print(&text),
            }
        }
    }
}

fn load(file: &Path, config: &ConfigArgs) -> Result<Program, Failure> {
    let config = configuration::load(config)?.config;
    let text = std::fs::read_to_string(file).map_err(Failure::file(file))?;
    let name = file.display().to_string();
    Ok(compile(&text, &name, &Limits::of(&config))?)
}

/// The file's name as part of a C identifier.
fn identifier(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    stem.chars().map(keep).collect()
}
