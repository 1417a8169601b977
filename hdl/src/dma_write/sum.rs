//! Ones' complement sum of beats (RFC 1071), for `dma_write`.
//!
//! Contract: `total` is the complement of the sum of all bytes since the beat with `anew`, and of `value`. Which byte of
//! a 16-bit word a lane holds follows from the lane; a command whose bytes lie the other way has the halves of its sum
//! swapped, which comes to the same (RFC 1071 section 2 B).
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `tally` | in | TALLY | a beat is summed, and how |
//! | `data`, `strb` | in | D, D/8 | the beat; only bytes with a strobe count |
//! | `value` | in | 16 | a constant that is added |
//! | `total` | out | 16 | register |
//!
//! - Timing: a beat a clock; [`latency`] clocks from a beat, two from `value`, to `total`.

use crate::build::{cat, mux, Expr, Module, Sig};
use crate::bundle::Bundle;

/// What is said of a beat.
pub(super) fn tally() -> Bundle {
    let fields = [("valid", 1), ("anew", 1), ("swap", 1), ("minus", 1)];
    Bundle::new("TALLY", &fields)
}

/// Stages that add words two by two.
fn tree_stages(dma_width: usize) -> usize {
    (dma_width / 16).ilog2() as usize
}

/// Clocks from a beat to the total that has it: the tree, two to fold, one to turn, one to add, two for the total.
pub(super) fn latency(dma_width: usize) -> usize {
    tree_stages(dma_width) + 6
}

/// Builds the block.
pub(super) fn sum(dma_width: usize) -> Module {
    let mut m = Module::new(
        &format!("dma_sum_{dma_width}"),
        "Ones' complement sum of beats.",
    );
    let tally_b = tally();
    let input = m.input("tally", tally_b.width(), "TALLY: a beat is summed, and how");
    let data = m.input("data", dma_width, "the beat");
    let strb = m.input("strb", dma_width / 8, "its bytes that count");
    let value = m.input("value", 16, "a constant that is added");
    let total = m.output_reg("total", 16, "complement of the sum");

    let kept = |lane: usize| data.byte(lane) & strb.bit(lane).repeat(8);
    let mut words: Vec<Expr> = (0..dma_width / 16)
        .map(|i| cat(&[kept(2 * i), kept(2 * i + 1)]))
        .collect();
    let mut tally = input;
    for stage in 0..tree_stages(dma_width) {
        let width = words[0].width() + 1;
        let next = m.regs(&format!("t{stage}_sum"), words.len() / 2, width);
        let then = delay(&mut m, &format!("t{stage}_tally"), &tally);
        m.seq("Words two by two", |b| {
            for (reg, two) in next.iter().zip(words.chunks(2)) {
                b.set(reg, two[0].zext(width) + two[1].zext(width));
            }
        });
        (words, tally) = (next.iter().map(Sig::expr).collect(), then);
    }

    let once = m.reg("once", 17);
    let twice = m.reg("twice", 16);
    let turned = m.reg("turned", 16);
    let tally = ["once", "twice", "turned"]
        .iter()
        .fold(vec![tally], |mut all, stage| {
            let before = all[all.len() - 1].clone();
            all.push(delay(&mut m, &format!("{stage}_tally"), &before));
            all
        });
    let flag = |stage: usize, name: &str| tally_b.get(&tally[stage], name);
    let word = &words[0];
    m.seq("Fold twice: the carries come in again; then turn", |b| {
        b.set(&once, word.trunc(16).zext(17) + word.from_bit(16).zext(17));
        b.set(&twice, once.trunc(16) + once.bit(16).zext(16));
        let swapped = mux(flag(2, "swap"), twice.swap_bytes(), &twice);
        b.set(&turned, swapped ^ flag(2, "minus").repeat(16));
    });

    // The carry of a beat comes in with the next one.
    let acc = m.reg("acc", 16);
    let carry = m.reg("carry", 1);
    let goes_on = m.named("goes_on", !flag(3, "anew"));
    let add = (&acc & goes_on.repeat(16)).zext(17) + turned.zext(17) + (&carry & &goes_on).zext(17);
    let add = m.named("add", add);
    let all = m.reg("all", 17);
    m.seq("Accumulate", |b| {
        b.when(flag(3, "valid"), |b| {
            b.set(&acc, add.trunc(16));
            b.set(&carry, add.bit(16));
        });
        b.comment("The sum is not 0, whatever its parts: both carries fit");
        b.set(&all, acc.zext(17) + value.zext(17) + carry.zext(17));
        b.set(&total, !(all.trunc(16) + all.bit(16).zext(16)));
    });
    for name in ["swap", "minus"] {
        m.unused(flag(3, name), "the word is turned already");
    }
    m
}

/// `value`, a clock later.
fn delay(m: &mut Module, name: &str, value: &Sig) -> Sig {
    let reg = m.reg_rst(name, value.width(), 0);
    m.seq("", |b| b.set(&reg, value));
    reg
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        for dma_width in [64, 128, 512] {
            crate::testkit::lint(&super::sum(dma_width));
        }
    }
}
