//! Why the command failed.

use pagetrain_formats::program;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A failure; its text names file, field and rule.
#[derive(Debug, Error)]
pub enum Failure {
    /// Something that the user can mend: a file, an option, a missing tool.
    #[error("{0}")]
    Usage(String),
    /// Hardware and model differ, or one of them broke its contract.
    #[error("{0}")]
    Different(String),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A parser program was refused.
    #[error("{0}")]
    Program(Box<program::Error>),
    /// Whoever read the output went away: nothing to say, and nobody to say it to.
    #[error("standard output was closed")]
    OutputClosed,
}

impl Failure {
    /// Adapter for `map_err` on file operations.
    pub fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Failure {
        let path = path.to_owned();
        move |source| Failure::File { path, source }
    }

    /// The command's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Different(_) => 1,
            _ => 2,
        }
    }
}

impl From<program::Error> for Failure {
    fn from(error: program::Error) -> Self {
        Failure::Program(Box::new(error))
    }
}
