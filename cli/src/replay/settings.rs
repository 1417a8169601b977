//! What a replay is to be run with: configuration, registers, parser program.

use crate::args::TrafficArgs;
use crate::configuration;
use crate::failure::Failure;
use pagetrain_formats::program::{self, Limits, ROW_DWORDS};
use pagetrain_formats::regs::{self, Access, Legal, Register};
use pagetrain_formats::Config;

/// A replay's settings.
pub struct Settings {
    /// The configuration, with the options that change it.
    pub config: Config,
    /// Register writes before the engine is enabled, in order.
    pub registers: Vec<(u16, u32)>,
    /// The parser program.
    pub program: Vec<[u32; ROW_DWORDS]>,
}

/// Registers that the replay's own host uses; another hand on them would only break it.
const HOSTS: &[u16] = &[
    regs::CTRL,
    regs::Q_CMD,
    regs::SB_BASE_LO,
    regs::SB_BASE_HI,
    regs::SB_LOG2,
    regs::SB_TAIL,
    regs::PG_BASE_LO,
    regs::PG_BASE_HI,
    regs::PG_LOG2,
    regs::PG_TAIL,
    regs::CQ_BASE_LO,
    regs::CQ_BASE_HI,
    regs::CQ_LOG2,
    regs::CQ_HEAD,
];

impl Settings {
    /// Reads and checks everything but the capture.
    pub fn load(args: &TrafficArgs) -> Result<Self, Failure> {
        let mut config = configuration::load(&args.config)?.config;
        if let Some(flows) = args.flows {
            config.flows = flows;
            let usage = |error| Failure::Usage(format!("--flows: {error}"));
            config.validate().map_err(usage)?;
        }
        let mut registers = vec![(regs::Q_MERGE, args.merge.mode().code())];
        for text in &args.set {
            let write = register(text, &config)
                .map_err(|why| Failure::Usage(format!("--set {text}: {why}")))?;
            registers.push(write);
        }
        let program = program::tcp(&Limits::of(&config))?.words();
        Ok(Settings {
            config,
            registers,
            program,
        })
    }
}

/// `REGISTER=VALUE`, checked as the hardware would.
fn register(text: &str, config: &Config) -> Result<(u16, u32), String> {
    let (name, value) = text.split_once('=').ok_or("must be REGISTER=VALUE")?;
    let register = regs::by_name(name)
        .ok_or_else(|| format!("no register {name}; `pagetrain regs` lists them"))?;
    if register.access == Access::Ro {
        return Err(format!("{} is read-only", register.name));
    }
    if HOSTS.contains(&register.addr) {
        return Err(format!("{} belongs to the replay's host", register.name));
    }
    let value = number(value).ok_or_else(|| {
        format!("{value}: must be a number of 32 bits, decimal or 0x hexadecimal")
    })?;
    if !register.legal.allows(value, config) {
        return Err(format!(
            "{} = {value}: must be {}",
            register.name,
            rule(register, config)
        ));
    }
    Ok((register.addr, value))
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn rule(register: &Register, config: &Config) -> String {
    match register.legal {
        Legal::Range(low, high) => format!("{} to {}", low.value(config), high.value(config)),
        Legal::Multiple(of) => format!("a multiple of {of}"),
        Legal::Any | Legal::Doorbell => "any".to_string(),
    }
}
