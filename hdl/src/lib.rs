//! The hardware: one block a file, primitives under prim/, the Verilog back end under verilog/.

#[cfg(test)]
extern crate self as pagetrain_hdl;

pub mod build;
pub mod prim;
pub mod verilog;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
pub(crate) mod testkit;
