//! Fill: gives each frame a context and copies its first bytes into the window memory.
//!
//! Contract: contexts are given out in turn, one a frame, and taken back in the same order; ready is low only where the next
//! beat would begin a frame and all contexts are taken. `start` comes once a frame, as soon as all of the
//! frame, or of the window, is written.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `s_axis_*` | in | stream | beats of frames |
//! | `release_ctx` | in | 1 | the oldest context is free again |
//! | `wr_valid`, `wr_ctx`, `wr_beat`, `wr_data` | out | | beat for the window memory |
//! | `start_valid`, `start_ctx`, `start_limit` | out | | frame ready to be parsed, min(frame length, window) |
//!
//! ## Pipeline
//! 1. Input register. 2. Beat number in the window; bytes of the beat from `tkeep`. 3. Limit = bytes before the beat + bytes of the beat.

use super::shape::{Shape, LIMIT_BITS};
use crate::build::{clog2, lit, mux, or_all, Expr, Module, Sig};

/// Clocks from the transfer of the beat that closes the window to `start_valid`.
pub const LATENCY: usize = 3;

/// Builds the block.
pub fn parser_fill(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_fill",
        "Gives each frame a context and copies its first bytes into the window.",
    );
    let tdata = m.input("s_axis_tdata", s.w, "frame, first byte in bits 7:0");
    let tkeep = m.input(
        "s_axis_tkeep",
        s.wb,
        "bytes that are there; all ones but in the last beat",
    );
    let tvalid = m.input("s_axis_tvalid", 1, "");
    let tready = m.output_reg_rst("s_axis_tready", 1, 0, "");
    let tlast = m.input("s_axis_tlast", 1, "last beat of the frame");
    let release = m.input("release_ctx", 1, "the oldest context is free again");

    m.comment("Contexts: a frame takes one with its first beat");
    let in_frame = m.reg_rst("in_frame", 1, 0);
    let used = m.reg_rst("used", s.ctx_bits() + 1, 0);
    let fire = m.named("fire", &tvalid & &tready);
    let begins = m.named("begins", &fire & !&in_frame);
    let more = begins.zext(used.width());
    let less = release.zext(used.width());
    let in_frame_next = m.named("in_frame_next", mux(&fire, !&tlast, &in_frame));
    m.comment("All contexts are in use, or will be; a sum would come too late for ready");
    let last = used.trunc(s.ctx_bits()).all();
    let no_other = m.named("no_other", used.bit(s.ctx_bits()) | (last & &begins));
    m.seq("Contexts in use", |b| {
        b.set(&used, &used + more - less);
        b.set(&in_frame, &in_frame_next);
        b.set(&tready, &in_frame_next | &release | !&no_other);
    });

    let b_valid = m.reg_rst("b_valid", 1, 0);
    let b_last = m.reg("b_last", 1);
    let b_keep = m.reg("b_keep", s.wb);
    let b_data = m.reg("b_data", s.w);
    m.seq("Stage 1: input register", |b| {
        b.set(&b_valid, &fire);
        b.set(&b_last, &tlast);
        b.set(&b_keep, &tkeep);
        b.set(&b_data, &tdata);
    });

    let wr_valid = m.output_reg_rst("wr_valid", 1, 0, "a beat for the window memory");
    let wr_ctx = m.output_reg("wr_ctx", s.ctx_bits(), "its context");
    let wr_beat = m.output_reg("wr_beat", s.beat_bits(), "its number in the window");
    let wr_data = m.output_reg("wr_data", s.w, "its bytes");
    let closes = m.reg_rst("closes", 1, 0);
    let count = m.reg("count", clog2(s.wb) + 1);
    let ctx = m.reg_rst("ctx", s.ctx_bits(), 0);
    let beat = m.reg_rst("beat", s.beat_bits(), 0);
    let full = m.reg_rst("full", 1, 0);
    let in_window = m.named("in_window", &b_valid & !&full);
    let bytes = m.named("bytes", byte_count(&b_keep));
    m.seq("Stage 2: place in the window", |b| {
        b.set(&wr_valid, &in_window);
        b.set(&wr_ctx, &ctx);
        b.set(&wr_beat, &beat);
        b.set(&wr_data, &b_data);
        b.set(&closes, &in_window & (&b_last | beat.all()));
        b.set(&count, &bytes);
        b.when(&b_valid, |b| {
            b.set(&beat, &beat + 1);
            b.set(&full, &full | beat.all());
            b.when(&b_last, |b| {
                b.set(&beat, 0);
                b.set(&full, 0);
                b.set(&ctx, &ctx + 1);
            });
        });
    });

    let start_valid = m.output_reg_rst("start_valid", 1, 0, "a frame is ready to be parsed");
    let start_ctx = m.output_reg("start_ctx", s.ctx_bits(), "its context");
    let start_limit = m.output_reg("start_limit", LIMIT_BITS, "min(frame length, window)");
    let before = wr_beat.zext(LIMIT_BITS).shl(clog2(s.wb));
    m.seq("Stage 3: limit", |b| {
        b.set(&start_valid, &closes);
        b.set(&start_ctx, &wr_ctx);
        b.set(&start_limit, before + count.zext(LIMIT_BITS));
    });
    m
}

/// The number of ones in a `tkeep`, which has them all at its low end.
pub fn byte_count(keep: &Sig) -> Expr {
    let n = keep.width();
    let bits = clog2(n) + 1;
    // The highest one is where a one is followed by a zero.
    let highest = |i: usize| {
        if i + 1 < n {
            keep.bit(i) & !keep.bit(i + 1)
        } else {
            keep.bit(i)
        }
    };
    let number = (0..bits).map(|bit| {
        let with_bit: Vec<Expr> = (0..n)
            .filter(|i| (i + 1) >> bit & 1 == 1)
            .map(highest)
            .collect();
        if with_bit.is_empty() {
            lit(1, 0)
        } else {
            or_all(&with_bit)
        }
    });
    crate::build::cat_lsb_first(&number.collect::<Vec<_>>())
}
