//! The command line.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use pagetrain_formats::MergeMode;
use pagetrain_golden::Pace;
use pagetrain_testbench::stall::StallProfile;
use std::path::PathBuf;

/// Generates, simulates and explains the pagetrain receive-offload engine.
#[derive(Parser)]
#[command(name = "pagetrain", version, max_term_width = 100)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// Write the engine: Verilog, file list, FuseSoC core, C header, manual, constraints
    Gen(GenArgs),
    /// Run a capture through the simulated hardware or the model
    Replay(ReplayArgs),
    /// Hold the simulated hardware against the model over a capture
    Diff(DiffArgs),
    /// Check or compile a parser program
    Parser {
        /// What to do with it.
        #[command(subcommand)]
        command: ParserCommand,
    },
    /// List the registers
    Regs(RegsArgs),
    /// List the presets, or print one as a configuration file
    Presets {
        /// Preset to print
        name: Option<String>,
    },
}

/// Where the configuration comes from.
#[derive(ClapArgs)]
pub struct ConfigArgs {
    /// Configuration by name; `pagetrain presets` lists them [default: default]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub preset: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `gen`
#[derive(ClapArgs)]
pub struct GenArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Folder for the files; made if need be
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
}

/// What a replay runs, however its result is used.
#[derive(ClapArgs)]
pub struct TrafficArgs {
    /// Capture (pcap or pcapng) of an Ethernet link; `-`: standard input
    pub capture: PathBuf,
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Entries of the flow table, instead of the configuration's
    #[arg(long, value_name = "N")]
    pub flows: Option<usize>,
    /// How packets are merged
    #[arg(long, value_name = "MODE", value_enum, default_value = "train")]
    pub merge: Merge,
    /// Write a register before the engine is enabled; may be given more than once
    #[arg(long, value_name = "REGISTER=VALUE")]
    pub set: Vec<String>,
    /// When frames come: back to back, as in the capture, or with so many idle clocks between them
    #[arg(long, value_name = "line|capture|gap:CLOCKS", default_value = "line", value_parser = pace)]
    pub pace: Pace,
    /// The host ends its poll after every N frames: all trains are flushed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub poll: Option<u64>,
}

/// How the simulated hardware's surroundings behave.
#[derive(ClapArgs)]
pub struct SimulationArgs {
    /// Pauses and latencies of the host's memory and of the register port
    #[arg(long, value_name = "PROFILE", value_parser = stall)]
    pub stall: Option<StallProfile>,
    /// Seed of everything random [default: 1]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write waves (FST)
    #[arg(long, value_name = "OUT.fst")]
    pub waves: Option<PathBuf>,
}

/// `replay`
#[derive(ClapArgs)]
pub struct ReplayArgs {
    #[command(flatten)]
    pub traffic: TrafficArgs,
    /// What the capture runs through
    #[arg(long, value_name = "ENGINE", value_enum, default_value = "rtl")]
    pub engine: EngineKind,
    #[command(flatten)]
    pub simulation: SimulationArgs,
    /// Write what the host's stack would be handed, in delivery order
    #[arg(long, value_name = "OUT.pcap")]
    pub deliver: Option<PathBuf>,
    /// Write one JSON line a train
    #[arg(long, value_name = "OUT.jsonl")]
    pub json: Option<PathBuf>,
}

/// `diff`
#[derive(ClapArgs)]
pub struct DiffArgs {
    #[command(flatten)]
    pub traffic: TrafficArgs,
    #[command(flatten)]
    pub simulation: SimulationArgs,
}

/// `parser check`, `parser compile`
#[derive(Subcommand)]
pub enum ParserCommand {
    /// Say whether a program fits the engine, how many rows and at most how many steps it takes
    Check {
        /// Program
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Compile a program
    Compile {
        /// Program
        file: PathBuf,
        #[command(flatten)]
        config: ConfigArgs,
        /// Form of the result
        #[arg(long, value_enum, default_value = "listing")]
        format: ProgramFormat,
        /// File for the result, instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// `regs`
#[derive(ClapArgs)]
pub struct RegsArgs {
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print the whole manual of registers, rings and formats instead, in Markdown
    #[arg(long)]
    pub markdown: bool,
}

/// Merge modes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Merge {
    /// Every packet its own train
    Off,
    /// In-order segments of a watched flow join
    Train,
}

impl Merge {
    /// Its number in Q_MERGE.
    pub fn mode(self) -> MergeMode {
        match self {
            Merge::Off => MergeMode::Off,
            Merge::Train => MergeMode::Train,
        }
    }
}

/// What a capture runs through.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// The generated hardware under Verilator, watched by the model
    Rtl,
    /// The software model alone
    Golden,
}

/// Forms of a compiled program.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgramFormat {
    /// Text in the language itself, unrolled
    Listing,
    /// Words of the program memory, as `$readmemh` takes them
    Hex,
    /// C array
    C,
}

fn pace(text: &str) -> Result<Pace, String> {
    let clocks = text
        .strip_prefix("gap:")
        .and_then(|clocks| clocks.parse().ok());
    match (text, clocks) {
        ("line", _) => Ok(Pace::Line),
        ("capture", _) => Ok(Pace::Capture),
        (_, Some(clocks)) => Ok(Pace::Gap(clocks)),
        _ => Err("must be line, capture or gap:CLOCKS".to_string()),
    }
}

fn stall(text: &str) -> Result<StallProfile, String> {
    let found = StallProfile::ALL.into_iter().find(|p| p.name() == text);
    found.ok_or_else(|| {
        let names: Vec<_> = StallProfile::ALL.iter().map(|p| p.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}
