//! Prescaler of the defer timers: a pulse every `clocks` clocks.
//!
//! | port | dir | meaning |
//! |---|---|---|
//! | `clocks` | in | 16 bits, at least 1 |
//! | `tick` | out | pulse |
//!
//! - Corner case: a new value takes effect at the next pulse.

use crate::build::{mux, Module};

/// Builds the block.
pub fn prescaler() -> Module {
    let mut m = Module::new("prescaler", "Prescaler of the defer timers.");
    let clocks = m.input("clocks", 16, "clocks a tick");
    let tick = m.output_reg_rst("tick", 1, 0, "pulse");
    let left = m.reg_rst("left", 16, 0);
    let last = m.reg_rst("last", 1, 0);
    m.seq("count down; the comparison is a clock ahead", |b| {
        b.set(&tick, &last);
        b.set(&left, mux(left.le(1), &clocks, &left - 1));
        b.set(&last, left.le(1));
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::prescaler());
    }
}
