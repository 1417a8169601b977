//! Byte selection: the bytes of the chunk that decide how a step goes on.
//!
//! Contract: `key` = four chunk bytes, the first the most significant; `adv_byte` one byte; `end_word` two bytes in network order. A byte
//! beyond the chunk reads as 0.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `chunk` | in | 128 | 16 bytes of the frame, stage 5 |
//! | `key_sel`, `adv_sel`, `end_sel` | in | 16, 4, 4 | which bytes, stage 5 |
//! | `key`, `adv_byte` | out | 32, 8 | the bytes, stage 6 |
//! | `end_word` | out | 16 | the length, stage 7 |
//!
//! - Timing: [`LATENCY`] clock, one more for the length.

use super::shape::CHUNK_BITS;
use super::shift;
use crate::build::{cat, cat_lsb_first, mux, Expr, Module};
use pagetrain_formats::program::fields::{ADV_SEL, END_SEL, KEY_BYTES, KEY_SEL};

/// Clocks from the chunk to the bytes.
pub const LATENCY: usize = 1;
/// Bytes of the length.
const END: usize = 2;

/// Builds the block.
pub fn parser_select() -> Module {
    let mut m = Module::new(
        "parser_select",
        "The bytes of the chunk that decide how a step goes on.",
    );
    let chunk = m.input("chunk", CHUNK_BITS, "16 bytes, first in bits 7:0");
    let key_sel = m.input("key_sel", KEY_SEL.width, "chunk byte of each key byte");
    let adv_sel = m.input("adv_sel", ADV_SEL.width, "chunk byte of the advance");
    let end_sel = m.input("end_sel", END_SEL.width, "first chunk byte of the length");
    let key = m.output_reg("key", 32, "the key, byte 0 most significant");
    let adv_byte = m.output_reg("adv_byte", 8, "byte of the advance");
    let end_word = m.output_reg("end_word", 16, "the length");

    let keys: Vec<Expr> = (0..KEY_BYTES)
        .map(|i| byte_of(&mut m, &format!("key_{i}"), &chunk, &key_sel.part(i, 4)))
        .collect();
    let adv = byte_of(&mut m, "adv", &chunk, &adv_sel);
    m.seq("Stage 5: the bytes", |b| {
        b.set(&key, cat(&keys));
        b.set(&adv_byte, &adv);
    });
    let coarse = shift::coarse(&chunk, &end_sel, END);
    let end_bytes = m.reg("end_bytes", coarse.width());
    let end_fine = m.reg("end_fine", 2);
    m.seq(
        "Stages 5 and 6: the length, which is needed a stage later",
        |b| {
            b.set(&end_bytes, coarse);
            b.set(&end_fine, end_sel.trunc(2));
            b.set(&end_word, shift::fine(&end_bytes, &end_fine, END));
        },
    );
    m
}

/// Byte number `sel` of `bytes`: a tree of two-way multiplexers, halving the bytes at each level.
fn byte_of(m: &mut Module, name: &str, bytes: &Expr, sel: &Expr) -> Expr {
    let mut left: Vec<Expr> = (0..bytes.width() / 8).map(|i| bytes.byte(i)).collect();
    for level in (0..sel.width()).rev() {
        let half = left.len() / 2;
        let chosen: Vec<Expr> = (0..half)
            .map(|i| mux(sel.bit(level), &left[i + half], &left[i]))
            .collect();
        let wire = m.named(&format!("{name}_of_{half}"), cat_lsb_first(&chosen));
        left = (0..half).map(|i| wire.byte(i)).collect();
    }
    left.swap_remove(0)
}
