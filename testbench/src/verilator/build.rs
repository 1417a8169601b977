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
        if options.trace {
            check_headers(&toolchain, &WAVE_HEADERS)?;
        }
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

/// Headers that the FST writer includes and no wheel ships, with their Debian packages.
const WAVE_HEADERS: [(&str, &str); 2] = [("zlib.h", "zlib1g-dev"), ("lz4.h", "liblz4-dev")];

/// Asks the compiler, which knows where it looks.
fn check_headers(
    toolchain: &Toolchain,
    headers: &[(&'static str, &'static str)],
) -> Result<(), BuildError> {
    for &(header, package) in headers {
        let mut cxx = toolchain.cxx();
        cxx.args(["-E", "-x", "c++", "-include", header, "/dev/null"]);
        let output = cxx.output().map_err(|source| BuildError::Spawn {
            tool: "g++".into(),
            source,
        })?;
        if !output.status.success() {
            return Err(BuildError::MissingHeader { header, package });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debian_package_is_named_when_a_header_is_missing() {
        let toolchain = Toolchain::locate().expect("`make tools` was run");
        assert!(check_headers(&toolchain, &[("vector", "g++")]).is_ok());
        let headers = [("vector", "g++"), ("no_such_header.h", "no-such-dev")];
        let error = check_headers(&toolchain, &headers).expect_err("no such header");
        let text = error.to_string();
        assert!(
            text.contains("no_such_header.h") && text.contains("Debian package no-such-dev"),
            "{text}"
        );
    }
}
