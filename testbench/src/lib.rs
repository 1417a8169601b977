//! The cocotb-style harness and the simulation tests.
//!
//! - [`verilator`]: Verilog text to a running model.
//! - [`dut`]: a module of the `hdl` crate to the same.
//! - [`sim`]: clock, tasks, signals; sample before the edge, drive after it.
//! - [`axis`]: AXI-Stream source, sink, monitor. [`stream`]: the same for single values.
//! - [`axi`]: AXI4 memory and monitor. [`axil`]: AXI4-Lite manager and monitor.
//! - [`engine`]: the whole engine on its board. [`rate`]: how fast it is.
//! - [`stall`]: pauses of all of them, by name. [`Rng`]: random numbers that a seed replays.

pub mod axi;
pub mod axil;
pub mod axis;
pub mod capture;
pub mod dut;
pub mod engine;
pub mod rate;
pub mod sim;
pub mod stall;
pub mod stream;
pub mod verilator;

mod bits;
mod rng;

pub use bits::Bits;
pub use rng::Rng;
