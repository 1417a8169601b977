//! Reset stage: a block's own copy of the reset.
//!
//! Contract: `q` is `d` of the clock before.
//!
//! | port | dir | type | meaning            |
//! |------|-----|------|--------------------|
//! | `d`  | in  | 1    | the reset          |
//! | `q`  | out | 1    | a clock later      |
//!
//! A reset that one register drives into a whole engine crosses the device on ordinary wires, and its last flip-flops see it too late
//! for the clock. With a register of its own beside each block only these registers are far from the source. Synthesis
//! would merge equal registers into one again: hence a module that keeps its hierarchy.
//!
//! - Timing: [`LATENCY`] clock. Cost: 1 FF.

use crate::build::Module;

/// Clocks from `d` to `q`.
pub const LATENCY: usize = 1;

/// The module `reset_stage`.
pub fn reset_stage() -> Module {
    let mut m = Module::new("reset_stage", "A block's own copy of the reset.");
    m.clk();
    m.keep_hierarchy();
    let d = m.input("d", 1, "the reset");
    let q = m.output_reg("q", 1, "a clock later");
    m.seq("", |b| b.set(&q, &d));
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::reset_stage());
    }

    #[test]
    fn keeps_its_hierarchy_in_the_text() {
        let files = crate::testkit::lint(&super::reset_stage());
        assert!(files[0]
            .text
            .contains("(* keep_hierarchy = \"yes\" *)\nmodule reset_stage ("));
    }
}
