//! The Verilog of the engine.

use crate::{File, GenError, Note};
use pagetrain_hdl::build::Module;
use pagetrain_hdl::verilog::{cell_models, emit, Header, VerilogFile};

/// All modules of `engine`, children before parents, one a file.
pub(crate) fn files(note: &Note, engine: &Module) -> Result<Vec<File>, GenError> {
    let header = Header {
        configuration: note.lines(),
    };
    let files = emit(engine, &header)?;
    let file = |f: VerilogFile| File::new(f.name, f.text);
    Ok(files.into_iter().map(file).collect())
}

/// Models of the cells that a synthesis tool brings, for simulators. They lie in a folder of their own, so that no tool
/// that takes every file beside the list takes them for part of the design.
pub(crate) fn models(engine: &Module) -> Vec<File> {
    let file = |f: VerilogFile| File::new(format!("sim/{}", f.name), f.text);
    cell_models(engine).into_iter().map(file).collect()
}
