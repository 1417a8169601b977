//! Reset and halt: stops the bus masters in an orderly way before anything behind them forgets what it did.
//!
//! Contract (section 8): after a bus error the engine is halted until a reset. A reset first waits until every
//! burst under way has ended and was answered, then holds the core in reset for [`RESET_CLOCKS`].
//! Without that, a reset in the middle of a burst would leave the interconnect waiting for data that never come.
//!
//! | port | dir | meaning |
//! |---|---|---|
//! | `reset_req` | in | pulse: CTRL.reset was written |
//! | `bus_err` | in | a response was not OKAY |
//! | `idle` | in | no master has a burst under way |
//! | `quiesce` | out | masters start no burst |
//! | `soft_rst` | out | reset of the core |
//! | `halted`, `resetting` | out | status |
//! | `stat_halt`, `reset_done` | out | pulses |
//!
//! - Timing: all outputs are registers.

use crate::build::{Module, Sig};

/// Clocks for which a soft reset is held.
pub const RESET_CLOCKS: usize = 16;

/// Builds the block.
pub fn control() -> Module {
    let mut m = Module::new(
        "control",
        "Reset and halt: ends bursts in an orderly way before the core is reset.",
    );
    let reset_req = m.input("reset_req", 1, "pulse: CTRL.reset was written");
    let bus_err = m.input("bus_err", 1, "a response was not OKAY");
    let idle = m.input("idle", 1, "no master has a burst under way");
    let quiesce = m.output_reg_rst("quiesce", 1, 0, "masters start no burst");
    let soft_rst = m.output_reg_rst("soft_rst", 1, 1, "reset of the core");
    let halted = m.output_reg_rst("halted", 1, 0, "a bus error stopped the engine");
    let resetting = m.output_reg_rst("resetting", 1, 0, "a reset is under way");
    let stat_halt = m.output_reg_rst("stat_halt", 1, 0, "pulse: the engine halts");
    let reset_done = m.output_reg_rst("reset_done", 1, 0, "pulse: the reset has ended");

    let states: Vec<Sig> = m.states("ST", &["RUN", "DRAIN", "SETTLE", "RESET"]);
    let [run, drain, settle, reset] = &states[..] else {
        unreachable!("four states were named")
    };
    let state = m.reg_rst("state", 2, 0);
    let count = m.reg_rst("count", 5, 0);

    m.seq("halt on the first bus error; drain, then reset", |b| {
        b.set(&stat_halt, &bus_err & !&halted);
        b.set(&reset_done, 0);
        b.set(&soft_rst, 0);
        b.when(&bus_err, |b| {
            b.set(&halted, 1);
            b.set(&quiesce, 1);
        });
        b.switch(&state, |s| {
            s.case(run, |b| {
                b.set(&count, 0);
                b.when(&reset_req, |b| {
                    b.set(&state, drain);
                    b.set(&resetting, 1);
                    b.set(&quiesce, 1);
                });
            });
            // `idle` needs a few clocks to show a burst that began just before `quiesce` was seen.
            s.case(drain, |b| {
                b.set(&count, &count + 1);
                b.when(count.bit(4), |b| {
                    b.set(&state, settle);
                });
            });
            s.case(settle, |b| {
                b.set(&count, 0);
                b.when(&idle, |b| {
                    b.set(&state, reset);
                });
            });
            s.case(reset, |b| {
                b.set(&soft_rst, 1);
                b.set(&count, &count + 1);
                b.when(count.eq(RESET_CLOCKS - 1), |b| {
                    b.set(&state, run);
                    b.set(&halted, 0);
                    b.set(&quiesce, 0);
                    b.set(&resetting, 0);
                    b.set(&reset_done, 1);
                });
            });
        });
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::control());
    }
}
