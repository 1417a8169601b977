//! The hardware: one block a file, primitives under prim/, the Verilog back end under verilog/.

#[cfg(test)]
extern crate self as pagetrain_hdl;

mod axi;
pub mod build;
pub mod bundle;
pub mod checksum;
pub mod completion;
pub mod control;
pub mod counters;
pub mod desc_prefetch;
pub mod dma_write;
pub mod engine;
pub mod flow_table;
pub mod frame_store;
pub mod interrupt;
pub mod parser;
mod part;
pub mod pipe;
pub mod prescaler;
pub mod prim;
pub mod read_mux;
pub mod regs;
pub mod rx;
pub mod train;
pub mod verilog;
mod write_address;
pub mod write_data;
pub mod write_mux;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
pub(crate) mod testkit;
