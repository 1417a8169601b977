//! The `pagetrain` command: generates the engine, replays captures through it, compiles parser programs.
//!
//! Exit codes: 0 success, 1 hardware and model differ or the hardware failed, 2 anything that the user can mend.

mod args;
mod capture;
mod commands;
mod configuration;
mod failure;
mod output;
mod pcap;
mod replay;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Args::try_parse() {
        Ok(args) => finish(run(args)),
        Err(error) if error.use_stderr() => finish(Err(Failure::Usage(first_paragraph(&error)))),
        Err(help) => finish(output::print(&help.to_string())),
    }
}

fn run(args: Args) -> Result<(), Failure> {
    match args.command {
        Command::Gen(args) => commands::gen::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Parser { command } => commands::parser::run(&command),
        Command::Regs(args) => commands::regs::run(&args),
        Command::Presets { name } => commands::presets::run(name.as_deref()),
    }
}

/// Says what went wrong, in one line but for compiler messages, and turns it into the exit code.
fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(Failure::Program(error)) => {
            eprint!("pagetrain: {}", error.render());
            ExitCode::from(2)
        }
        Err(failure) => {
            let text = failure.to_string();
            let lines: Vec<&str> = text
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty())
                .collect();
            eprintln!("pagetrain: {}", lines.join("; "));
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What is wrong with the command line, without the hints on usage that follow, in one line.
fn first_paragraph(error: &clap::Error) -> String {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a subcommand is missing (see `pagetrain help`)".to_string();
    }
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line} (see `pagetrain help`)")
}
