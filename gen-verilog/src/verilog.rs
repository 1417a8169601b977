//! The Verilog of the engine.

use crate::{File, GenError, Note};
use pagetrain_hdl::build::Module;
use pagetrain_hdl::verilog::{emit, Header};

/// All modules of `engine`, children before parents, one a file.
pub(crate) fn files(note: &Note, engine: &Module) -> Result<Vec<File>, GenError> {
    let header = Header {
        configuration: note.lines(),
    };
    let files = emit(engine, &header)?;
    let file = |f: pagetrain_hdl::verilog::VerilogFile| File::new(f.name, f.text);
    Ok(files.into_iter().map(file).collect())
}
