//! The whole engine under simulation, held against the golden model.
//!
//! [`Bench`] is the board: engine, MAC, host memory, driver. The engine's trace port tells the model in which order
//! things happened; the model says what must then lie in host memory. The driver compares every completion, header and
//! payload as it takes them, and at the end all memory and all counters.
//!
//! - [`model`]: Verilog of a configuration, built once.
//! - [`memory`]: what the driver sees: the hardware's memory, with the model's beside it.
//! - [`scoreboard`]: trace port to model.
//! - [`driver`]: the host; [`check`]: its comparisons; [`recover`]: after a reset.
//! - [`ledger`]: what must hold whatever the model says.
//! - [`mod@replay`]: a list of frames from end to end, with a summary.

mod bench;
mod check;
mod compare;
mod driver;
mod ledger;
mod memory;
mod model;
mod piece;
mod recover;
mod replay;
mod scoreboard;

pub use bench::{Bench, BenchError, BenchOptions};
pub use compare::Mismatch;
pub use driver::Driver;
pub use model::engine_model;
pub use recover::Ring;
pub use replay::{replay, ReplayOptions, Summary, TimedFrame};
