//! Interrupt: sticky causes, a mask, and a hold-off that spares the host an interrupt a completion.
//!
//! Contract (section 7): a cause stays set until the host clears it. Cause 0 (completion) is not set
//! again before `holdoff` clocks have passed since it was last set; what comes meanwhile is not lost, it sets
//! the cause when the time is over.
//!
//! | port | dir | meaning |
//! |---|---|---|
//! | `cause` | in | pulses: completion, halted, stopped, no_buffer, refused |
//! | `clear` | in | W1C: the bits that the host writes as 1 |
//! | `enable`, `holdoff` | in | IRQ_ENABLE, IRQ_HOLDOFF |
//! | `status` | out | IRQ_STATUS |
//! | `irq` | out | level |
//!
//! - Timing: a cause is in `status` [`STATUS_LATENCY`] clock later, in `irq` [`IRQ_LATENCY`].
//! - Corner case: a cause that comes in the clock in which the host clears it stays set.

use crate::build::Module;

/// Causes of an interrupt.
pub const CAUSES: usize = 5;

/// Clocks from a cause to its bit of `status`, when nothing holds it off.
pub const STATUS_LATENCY: usize = 1;
/// Clocks from a cause to `irq`, when it is enabled.
pub const IRQ_LATENCY: usize = STATUS_LATENCY + 1;

/// Builds the block.
pub fn interrupt() -> Module {
    let mut m = Module::new("interrupt", "Interrupt causes, mask and hold-off.");
    let cause = m.input(
        "cause",
        CAUSES,
        "pulses: refused, no_buffer, stopped, halted, completion",
    );
    let clear = m.input("clear", CAUSES, "bits to clear");
    let enable = m.input("enable", CAUSES, "mask");
    let holdoff = m.input("holdoff", 24, "clocks between two completion interrupts");
    let status = m.output_reg_rst("status", CAUSES, 0, "causes not yet cleared");
    let irq = m.output_reg_rst("irq", 1, 0, "interrupt, a level");

    let pending = m.reg_rst("pending", 1, 0);
    let timer = m.reg_rst("timer", 24, 0);
    // A flag beside the timer: whether 24 bits are zero would be the longest path.
    let waiting = m.reg_rst("waiting", 1, 0);
    let due = m.named("due", (cause.bit(0) | &pending) & !&waiting);

    m.seq(
        "completion waits for the hold-off, the others do not",
        |b| {
            b.set(&pending, (cause.bit(0) | &pending) & &waiting);
            b.when(&waiting, |b| {
                b.set(&timer, &timer - 1);
                b.set(&waiting, timer.ne(1));
            });
            b.when(&due, |b| {
                b.set(&timer, &holdoff);
                b.set(&waiting, holdoff.any());
            });
            b.set_bit(&status, 0, (status.bit(0) & !clear.bit(0)) | &due);
            b.set_bits(
                &status,
                1,
                (status.from_bit(1) & !clear.from_bit(1)) | cause.from_bit(1),
            );
            b.set(&irq, (status.expr() & &enable).any());
        },
    );
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::interrupt());
    }
}
