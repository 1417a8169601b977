//! Match: compares the key with a row's arms and finds where the step goes on.
//!
//! Contract: the first arm with key & mask == value gives next row and flags; without one the row's own `next` counts. A step goes on
//! (`go`) only to a row that exists, and not from a frame's last step; it accepts only where `next` says so.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `key`, `value_<i>`, `mask_<i>`, `arm_next`, `else_next` | in | | stage 6 |
//! | `arm_set`, `alive`, `last_step` | in | | stage 7 |
//! | `go`, `row`, `accept`, `set` | out | | stage 8: next step's row, or the end; flags of the arm |
//!
//! - Timing: [`LATENCY`] clocks.
//!
//! ## Pipeline
//! 6. Compare all arms; decode each `next`. 7. Choose.

use super::shape::Shape;
use crate::build::{cat, cat_lsb_first, lit, mux, Expr, Module, Sig};
use pagetrain_formats::program::fields::{ARMS, NEXT_ACCEPT};

/// Clocks from the key to the decision.
pub const LATENCY: usize = 2;

/// Parts of a comparison that stage 6 leaves to be put together: each bit takes three inputs.
const PARTS: usize = 4;

/// Builds the block.
pub fn parser_match(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_match",
        "Compares the key with a row's arms and finds where the step goes on.",
    );
    let key = m.input("key", 32, "key, stage 6");
    let arms: Vec<(Sig, Sig)> = (0..ARMS)
        .map(|i| {
            let value = m.input(&format!("value_{i}"), 32, "arm: value, stage 6");
            (
                value,
                m.input(&format!("mask_{i}"), 32, "arm: mask, stage 6"),
            )
        })
        .collect();
    let arm_next = m.input("arm_next", 8 * ARMS, "next of each arm, stage 6");
    let else_next = m.input("else_next", 8, "next without a match, stage 6");
    let arm_set = m.input("arm_set", 8 * ARMS, "flags of each arm, stage 7");
    let alive = m.input("alive", 1, "stage 7 holds a frame that is not rejected");
    let last_step = m.input(
        "last_step",
        1,
        "the frame in stage 7 may take no further step",
    );
    let go = m.output_reg_rst("go", 1, 0, "the frame takes another step");
    let row = m.output_reg("row", s.row_bits(), "of this row");
    let accept = m.output_reg("accept", 1, "the program accepts the frame");
    let set = m.output_reg("set", 8, "flags that the arm ORs in");

    let hits: Vec<Sig> = (0..ARMS)
        .map(|i| m.reg(&format!("hit_{i}"), PARTS))
        .collect();
    // {accept, go, row} of each arm and of no arm.
    let width = 2 + s.row_bits();
    let targets: Vec<Sig> = (0..ARMS)
        .map(|i| m.reg(&format!("target_{i}"), width))
        .collect();
    let else_target = m.reg("target_else", width);
    let decode = |next: Expr| {
        let exists = if s.row_bits() < 8 {
            !next.from_bit(s.row_bits()).any()
        } else {
            lit(1, 1)
        };
        cat(&[next.eq(NEXT_ACCEPT), exists, next.trunc(s.row_bits())])
    };
    m.seq("Stage 6: compare, decode", |b| {
        for (hit, (value, mask)) in hits.iter().zip(&arms) {
            let part = |i: usize| {
                let of = |s: &Sig| s.part(i, 32 / PARTS);
                (of(&key) & of(mask)).eq(of(value))
            };
            b.set(
                hit,
                cat_lsb_first(&(0..PARTS).map(part).collect::<Vec<_>>()),
            );
        }
        for (i, target) in targets.iter().enumerate() {
            b.set(target, decode(arm_next.byte(i)));
        }
        b.set(&else_target, decode(else_next.expr()));
    });

    let mut target = else_target.expr();
    let mut flags = lit(8, 0);
    for i in (0..ARMS).rev() {
        target = mux(hits[i].all(), &targets[i], target);
        flags = mux(hits[i].all(), arm_set.byte(i), flags);
    }
    let target = m.named("target", target);
    m.seq("Stage 7: choose", |b| {
        b.set(&row, target.trunc(s.row_bits()));
        b.set(&go, target.bit(s.row_bits()) & &alive & !&last_step);
        b.set(&accept, target.bit(s.row_bits() + 1) & &alive);
        b.set(&set, flags);
    });
    m
}
