//! The hardware: one block a file, primitives under prim/, the Verilog back end under verilog/.

#[cfg(test)]
extern crate self as pagetrain_hdl;

pub mod build;
pub mod bundle;
pub mod control;
pub mod irq;
pub mod prim;
pub mod regs;
pub mod rx;
pub mod verilog;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
pub(crate) mod testkit;
