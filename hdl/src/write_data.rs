//! Write data FIFO: holds beats back until their burst was announced.
//!
//! Contract: beats leave in the order they came. The beats of a burst leave only after a `grant`, one grant a burst, in
//! order: a master that stops in the middle of its work owes no data for a burst that it never announced, and none for
//! one that it did. The writer never pushes more than [`DEPTH`] beats that did not leave (`popped` gives them back).
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `push`, `push_data` | in | WD | a beat; there must be room |
//! | `popped` | out | 1 | a beat has left, its place is free |
//! | `grant` | in | 1 | one more burst may leave: its address is shown or was taken |
//! | `ahead` | out | 1 | fewer than [`AHEAD`] - 1 granted bursts still have beats here or to come |
//! | `m_w_t*` | out | WD | to the bus, from registers |
//!
//! - Timing: a beat a clock, one-beat bursts included; [`LATENCY`] clocks from `push` to `m_w_tvalid`.
//! - `ahead` bounds the bursts whose addresses run ahead of their data, so that another master's burst never waits behind
//!   a long row of them.

use crate::build::{clog2, mux, Module};
use crate::bundle;
use crate::prim::{count_some, lutram, skid};

/// Beats that the FIFO holds.
pub const DEPTH: usize = 16;
/// Granted bursts that may be waiting for their last beat to leave.
pub const AHEAD: usize = 8;
/// Clocks from `push` to `m_w_tvalid`.
pub const LATENCY: usize = 2;

/// Builds the block for beats of `dma_width` bits.
pub fn write_data(dma_width: usize) -> Module {
    let wd = bundle::wd(dma_width);
    let mut m = Module::new(
        &format!("write_data_{dma_width}"),
        "Write data FIFO: holds beats back until their burst was announced.",
    );
    let push = m.input("push", 1, "a beat; there is room");
    let push_data = m.input("push_data", wd.width(), "WD");
    let popped = m.output_reg_rst("popped", 1, 0, "a beat has left, its place is free");
    let grant = m.input("grant", 1, "one more burst may leave");
    let ahead = m.output_reg_rst("ahead", 1, 0, "one more burst may be announced");
    let w_valid = m.output("m_w_tvalid", 1, "beat valid");
    let w_ready = m.input("m_w_tready", 1, "beat taken");
    let w_data = m.output("m_w_tdata", wd.width(), "WD");

    let index = clog2(DEPTH);
    let wr = m.reg_rst("wr", index, 0);
    let rd = m.reg_rst("rd", index, 0);
    let beats = m.instance("u_beats", lutram(wd.width(), index));
    m.connect(&beats, "wr_en", &push);
    m.connect(&beats, "wr_addr", &wr);
    m.connect(&beats, "wr_data", &push_data);
    m.connect(&beats, "rd_addr", &rd);
    let head = beats.out("rd_data");

    // Flags beside the counters keep the wide or out of the path from ready to load.
    let level = m.reg_rst("level", index + 1, 0);
    let some = m.reg_rst("some", 1, 0);
    let granted = m.reg_rst("granted", clog2(AHEAD) + 1, 0);
    let may = m.reg_rst("may", 1, 0);
    // The bus's ready ends at a stream register.
    let out = m.instance("u_out", skid(wd.width()));
    let leaves = m.named("leaves", &some & &may);
    let load = m.named("load", &leaves & out.out("s_axis_tready"));
    m.connect(&out, "s_axis_tvalid", &leaves);
    m.connect(&out, "s_axis_tdata", &head);
    m.connect(&out, "m_axis_tready", &w_ready);
    m.connect_out(&out, "m_axis_tvalid", &w_valid);
    m.connect_out(&out, "m_axis_tdata", &w_data);

    m.comment("Whether the head ends its burst is read a beat ahead, from a memory of its own: the beats' is wide, and far");
    let ahead_rd = m.reg_rst("rd_ahead", index, 1);
    let lasts = m.instance("u_lasts", lutram(1, index));
    m.connect(&lasts, "wr_en", &push);
    m.connect(&lasts, "wr_addr", &wr);
    let push_last = m.named("push_last", wd.get(&push_data, "last"));
    m.connect(&lasts, "wr_data", &push_last);
    m.connect(&lasts, "rd_addr", &ahead_rd);
    let head_last = m.reg("head_last", 1);
    m.seq(
        "Whether the next head ends its burst: it may come in this clock",
        |b| {
            b.when(&load, |b| b.set(&ahead_rd, &ahead_rd + 1));
            let behind = mux(level.from_bit(1).any(), lasts.out("rd_data"), &push_last);
            b.set(
                &head_last,
                mux(&load, behind, mux(&some, &head_last, &push_last)),
            );
        },
    );
    let ended = m.named("ended", &load & &head_last);
    m.seq(
        "A beat leaves when it is there and its burst was granted",
        |b| {
            b.set(&popped, &load);
            b.when(&load, |b| b.set(&rd, &rd + 1));
        },
    );
    m.seq("Beats held, and whether there is one", |b| {
        b.when(&push, |b| b.set(&wr, &wr + 1));
        count_some(b, &level, &some, &push, &load);
    });
    m.seq(
        "Bursts granted whose last beat has not left, and whether there is one",
        |b| {
            count_some(b, &granted, &may, &grant, &ended);
            b.set(&ahead, granted.lt(AHEAD - 2));
        },
    );
    m
}
