//! The golden model: the engine in plain Rust, from the specification and the RFCs.
//!
//! Input: frames, register writes, and the engine's events in their order ([`Event`], a record of its trace port). Output:
//! host memory, completions and counters, byte for byte. Nothing here is shared with the hardware but `formats`.

pub mod access;
pub mod checksum;
mod commands;
pub mod completions;
pub mod counters;
pub mod deliver;
pub mod engine;
pub mod error;
pub mod flow;
pub mod frame;
pub mod host;
mod inspect;
pub mod memory;
pub mod pages;
pub mod parser;
mod place;
pub mod plan;
pub mod program;
pub mod registers;
pub mod rings;
mod split;
pub mod standalone;
pub mod store;
mod timers;
pub mod train;

pub use access::{RegisterWrite, Written};
pub use counters::Counters;
pub use engine::{Engine, Event, Limits, Outcome, State};
pub use error::{EngineError, Room};
pub use flow::FlowKey;
pub use memory::HostMemory;
pub use parser::{Parsed, Parser};
pub use standalone::{Pace, RunOptions, Standalone};
pub use store::Seen;
