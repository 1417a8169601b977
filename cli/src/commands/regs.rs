//! `pagetrain regs`

use crate::args::RegsArgs;
use crate::configuration;
use crate::failure::Failure;
use crate::output::{print, table};
use pagetrain_formats::counters;
use pagetrain_formats::regs::{counter_addr, Legal, REGISTERS};
use pagetrain_formats::Config;

/// Lists registers and counters with the numbers of one configuration, or prints the manual.
pub fn run(args: &RegsArgs) -> Result<(), Failure> {
    if args.markdown {
        return print(&pagetrain_gen::manual::manual());
    }
    let config = configuration::load(&args.config)?.config;
    let mut rows = vec![["address", "name", "access", "reset", "values", "meaning"]
        .map(String::from)
        .to_vec()];
    rows.extend(REGISTERS.iter().map(|r| {
        vec![
            format!("0x{:04x}", r.addr),
            r.name.to_string(),
            r.access.name().to_string(),
            number(r.reset.value(&config)),
            values(&r.legal, &config),
            r.doc.to_string(),
        ]
    }));
    rows.extend(counters::all().into_iter().map(|(index, name, doc)| {
        let access = "RO".to_string();
        let addr = format!("0x{:04x}", counter_addr(index));
        vec![addr, name, access, "0".to_string(), String::new(), doc]
    }));
    print(&table(&rows))
}

fn number(value: u32) -> String {
    if value > 0xF_FFFF {
        format!("{value:#x}")
    } else {
        value.to_string()
    }
}

fn values(legal: &Legal, config: &Config) -> String {
    match legal {
        Legal::Any => String::new(),
        Legal::Range(low, high) => format!("{}..{}", low.value(config), high.value(config)),
        Legal::Multiple(of) => format!("n * {of}"),
        Legal::Doorbell => "doorbell".to_string(),
    }
}
