//! Files that a simulation leaves behind: waves and line coverage.

use super::config::SimConfig;
use super::error::{Failure, SimError};
use super::kernel::error;
use super::wires::Wires;
use crate::verilator::{COVERAGE_DIR, WAVES_DIR};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Waves and coverage of one simulation.
pub(super) struct Output {
    tracing: bool,
    coverage: Option<PathBuf>,
}

impl Output {
    /// Opens what `config` and the environment ask for.
    pub(super) fn open(wires: &Wires, config: &SimConfig) -> Result<Output, SimError> {
        let model = wires.instance().model();
        let refuse = |rule: String| error(wires, config, 0, Failure::Output { rule });
        let from_dir = |variable: &str, extension: &str| {
            let dir = PathBuf::from(std::env::var_os(variable)?);
            Some(dir.join(file_name(model.top(), config.seed, extension)))
        };
        let waves = match &config.waves {
            Some(_) if !model.has_trace() => {
                return Err(refuse(
                    "waves are asked for, but the model was built without `trace`".into(),
                ));
            }
            Some(path) => Some(path.clone()),
            None => from_dir(WAVES_DIR, "fst").filter(|_| model.has_trace()),
        };
        let coverage = from_dir(COVERAGE_DIR, "dat").filter(|_| model.has_coverage());
        for path in waves.iter().chain(&coverage) {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)
                    .map_err(|source| refuse(format!("folder {}: {source}", dir.display())))?;
            }
        }
        if let Some(path) = &waves {
            if !wires.instance().open_trace(path) {
                return Err(refuse(format!("waves: cannot write {}", path.display())));
            }
        }
        Ok(Output {
            tracing: waves.is_some(),
            coverage,
        })
    }

    #[inline]
    pub(super) fn tracing(&self) -> bool {
        self.tracing
    }

    /// Writes all signals as of now.
    #[inline]
    pub(super) fn dump(&self, wires: &Wires) {
        if self.tracing {
            wires.instance().dump_trace();
        }
    }

    pub(super) fn close(&self, wires: &Wires) {
        if self.tracing {
            wires.instance().close_trace();
        }
        if let Some(path) = &self.coverage {
            wires.instance().write_coverage(path);
        }
    }
}

/// A name that no other simulation of the same test run has.
fn file_name(top: &str, seed: u64, extension: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let thread = std::thread::current();
    let test = thread
        .name()
        .unwrap_or("unnamed")
        .replace("::", ".")
        .replace('/', "_");
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "{top}-{test}-seed{seed}-{}-{count}.{extension}",
        std::process::id()
    )
}
