//! The front door for rust-hdl: any block tree, also `#[hdl_gen]` modules, becomes a [`Module`] and goes through
//! the same checks and the same printer.
//!
//! rust-hdl's own printer renders some legal sources to Verilog of another meaning, because it prints names and
//! operators without widths. Here the captured syntax tree is converted to typed expressions first. What has no
//! exact counterpart is refused with a sentence; nothing is guessed. `tests/rust_hdl_pitfalls.rs` holds one
//! named test for each known difference.
//!
//! Meaning of a source, as rust-hdl simulates it:
//! - Statements run in order; reading a `Local` or an own output sees the value assigned so far, reading a
//!   child's input sees the settled value.
//! - `Bits<N>` arithmetic wraps at N bits; a Rust literal has the width of its partner.
//! - A `DFF` child is a register that powers up at its initial value.

mod assemble;
mod capture;
mod expr;
mod group;
mod index;
mod scope;
mod stmt;

use crate::build::Module;
use rust_hdl_core::prelude::Block;

/// Why a rust-hdl source is not converted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A name that is no signal, port, constant or enum value here.
    #[error("{path}: undeclared identifier `{name}` ({why})")]
    Undeclared {
        /// Instance path of the module.
        path: String,
        /// The name as the source has it.
        name: String,
        /// What such a name usually is.
        why: &'static str,
    },
    /// Two operands whose widths do not go together.
    #[error("{path}: width of {what}: {rule}")]
    Width {
        /// Instance path of the module.
        path: String,
        /// The operands or the signal.
        what: String,
        /// What is wrong.
        rule: String,
    },
    /// A construct without a counterpart.
    #[error("{path}: {what} is not supported")]
    Unsupported {
        /// Instance path of the module.
        path: String,
        /// The construct.
        what: String,
    },
}

/// Converts a rust-hdl block tree into a module named `name`; children are named after their instance paths,
/// equal ones are converted to one module.
///
/// # Errors
/// The first construct that cannot be converted exactly. Undriven signals, latches, loops and keywords as names
/// are found later, by [`Module::check_tree`] and [`emit`](super::emit).
pub fn module_of(block: &dyn Block, name: &str) -> Result<Module, Refused> {
    assemble::assemble(capture::capture(block, name))
}
