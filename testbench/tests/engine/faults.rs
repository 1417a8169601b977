//! Faults seeded into the text of the whole engine. All are in one model, so that they cost one build; a port that only
//! this variant has says which is active.

use super::support::config;
use pagetrain_testbench::dut;
use pagetrain_testbench::engine::Bench;
use pagetrain_testbench::verilator::{Design, Model, Options, PortDecl};

/// What is wrong, what stands in the text, and what takes its place; FAULT is 1 while this one is active.
pub type Fault = (&'static str, &'static str, &'static str);

/// The engine of 64 and 128 bits with all faults.
fn design(faults: &[Fault]) -> Design {
    let text = dut::design(&pagetrain_hdl::engine::engine(&config(64, 128)));
    let top = "module pagetrain (";
    let changed = text
        .expect("the engine is emitted")
        .mutate(top, &format!("{top}\n    input  wire [7:0]   fault,"))
        .map(|design| design.ports([PortDecl::input("fault", 8)]));
    let design = (faults.iter().enumerate()).try_fold(
        changed.expect("the top's first ports"),
        |design, (i, (_, good, bad))| {
            let active = format!("(pagetrain.fault == 8'd{})", i + 1);
            design.mutate(good, &bad.replace("FAULT", &active))
        },
    );
    design.unwrap_or_else(|e| panic!("{e}"))
}

/// Makes fault number `fault`, from 1, the active one; 0: none.
pub fn activate(bench: &Bench, fault: usize) {
    let port = bench.sim().signal("fault").expect("a port");
    port.set(fault as u64);
}

/// Fails unless a run without a fault is clean, and one with any of them ends with what `noticed` gives.
pub fn all_are_noticed(faults: &[Fault], noticed: impl Fn(&Model, usize) -> Option<String>) {
    let model = Model::build(&design(faults), &Options::short()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(noticed(&model, 0), None, "without a fault");
    let mut alive = vec![];
    for (i, (what, ..)) in faults.iter().enumerate() {
        let how = noticed(&model, i + 1);
        println!("{what}: {}", how.as_deref().unwrap_or("not noticed"));
        if how.is_none() {
            alive.push(what);
        }
    }
    assert!(alive.is_empty(), "not noticed: {alive:?}");
}
