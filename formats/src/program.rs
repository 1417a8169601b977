//! Parser programs: rows of the program memory, and the text language that is compiled to them.
//!
//! The language is described for its users in `docs/src/parser.md`; its grammar stands in `parse.rs` and `statement.rs`.

mod check;
pub mod compile;
pub mod error;
pub mod fields;
mod length;
mod lexer;
mod listing;
mod matching;
mod parse;
pub mod row;
mod statement;
mod syntax;

pub use compile::{compile, Limits, Program};
pub use error::Error;
pub use fields::{Dest, ROW_DWORDS};
pub use row::{Advance, Arm, End, Extract, Length, Next, Row, RowError};

/// File name of the shipped default program.
pub const TCP_FILE: &str = "tcp.parse";
/// Text of the shipped default program: Ethernet, VLAN, IPv4, IPv6, TCP, UDP.
pub const TCP_TEXT: &str = include_str!("../programs/tcp.parse");

/// The shipped default program. An engine of fewer than 32 `parser_states` or 16 `parser_steps` may be too small for it.
pub fn tcp(limits: &Limits) -> Result<Program, Error> {
    compile(TCP_TEXT, TCP_FILE, limits)
}
