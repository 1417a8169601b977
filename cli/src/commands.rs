//! One module a subcommand.

pub mod diff;
pub mod gen;
pub mod parser;
pub mod presets;
pub mod regs;
pub mod replay;
