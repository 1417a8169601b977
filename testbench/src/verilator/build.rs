//! From Verilog text to a shared object, through the cache.

use super::cache::Cache;
use super::design::{Design, Options};
use super::error::BuildError;
use super::recipe::Recipe;
use super::toolchain::{workspace_root, Toolchain};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Builds `design` if the cache does not hold it, and gives the path of the shared object.
pub(super) fn shared_object(design: &Design, options: &Options) -> Result<PathBuf, BuildError> {
    design.check()?;
    let toolchain = match &options.toolchain {
        Some(toolchain) => toolchain.clone(),
        None => default_toolchain()?,
    };
    let recipe = Recipe::new(design, options, &toolchain);
    let cache = Cache::new(options.cache.clone().unwrap_or_else(default_cache));
    let entry = cache.entry(&recipe.key(), |dir| {
        // Verilator first: it is what refuses a wrong design, and the runtime may take seconds to build.
        recipe.verilate(dir)?;
        let runtime = cache.entry(&recipe.runtime_key(), |dir| recipe.build_runtime(dir))?;
        recipe.compile(dir, &runtime)
    })?;
    Ok(entry.join("model.so"))
}

/// Located once a process: reading the binary to identify it takes some milliseconds.
fn default_toolchain() -> Result<Toolchain, BuildError> {
    static FOUND: OnceLock<Toolchain> = OnceLock::new();
    if let Some(toolchain) = FOUND.get() {
        return Ok(toolchain.clone());
    }
    let toolchain = Toolchain::locate()?;
    Ok(FOUND.get_or_init(|| toolchain).clone())
}

fn default_cache() -> PathBuf {
    std::env::var_os("PAGETRAIN_MODELS")
        .map_or_else(|| workspace_root().join("build/models"), PathBuf::from)
}
