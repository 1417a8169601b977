//! A module of the `hdl` crate as a design under test.

use crate::verilator::{BuildError, Design, Direction, Model, Options, PortDecl};
use pagetrain_hdl::build::{Dir, Module};
use pagetrain_hdl::verilog::{cell_models, emit, Header};

/// Why a module is not simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DutError {
    /// The module breaks a rule of the Verilog back end.
    #[error("module `{module}` is refused: {errors}")]
    Emit {
        /// Name of the module.
        module: String,
        /// Every rule it breaks.
        errors: pagetrain_hdl::build::Errors,
    },
    /// The Verilog does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// The Verilog of `module` and everything below it, with its ports, and models of the target's cells.
pub fn design(module: &Module) -> Result<Design, DutError> {
    let files = emit(module, &Header::default()).map_err(|errors| DutError::Emit {
        module: module.name().to_owned(),
        errors,
    })?;
    let ports = module.ports().into_iter().map(|port| PortDecl {
        direction: match port.dir {
            Dir::In => Direction::Input,
            Dir::Out => Direction::Output,
        },
        width: port.width as u32,
        name: port.name,
    });
    let design = Design::new(module.name()).ports(ports);
    Ok(files
        .into_iter()
        .chain(cell_models(module))
        .fold(design, |design, file| design.source(file.name, file.text)))
}

/// Builds `module`, or finds it in the cache.
pub fn build(module: &Module, options: &Options) -> Result<Model, DutError> {
    Ok(Model::build(&design(module)?, options)?)
}
