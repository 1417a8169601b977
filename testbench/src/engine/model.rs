//! The engine of a configuration as a simulation model.

use crate::dut::{self, DutError};
use crate::verilator::{Model, Options};
use pagetrain_formats::Config;

/// Builds the engine's model, or finds it in the cache.
pub fn engine_model(config: &Config, options: &Options) -> Result<Model, DutError> {
    dut::build(&pagetrain_hdl::engine::engine(config), options)
}
