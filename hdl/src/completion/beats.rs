//! From entries to beats of the bus, by its width.

use crate::build::{cat, clog2, lit, mux, Expr, Module, Sig};
use crate::bundle;
use pagetrain_formats::Config;

/// Bits of an entry.
pub(super) const ENTRY: usize = 256;

/// An entry as it goes to memory.
pub(super) struct Entry {
    pub(super) valid: Sig,
    pub(super) data: Sig,
    pub(super) first: Sig,
    pub(super) last: Sig,
    pub(super) odd: Sig,
}

/// D below 256: the beats of an entry one after the other.
pub(super) fn split(m: &mut Module, cfg: &Config, entry: &Entry) {
    let beats = ENTRY / cfg.dma_width;
    let count = m.reg_rst("w_count", clog2(beats) + 1, 0);
    let data = m.reg("w_data", ENTRY);
    let first = m.reg("w_first", 1);
    let last = m.reg("w_last", 1);
    let push = m.named("w_push", count.any());
    m.seq("Beats of the entry at hand that have not left", |b| {
        b.when(&push, |b| {
            b.set(&count, &count - 1);
            b.set(&data, data.shr(cfg.dma_width));
            b.set(&first, 0);
        });
        b.when(&entry.valid, |b| {
            b.set(&count, beats);
            b.set(&data, &entry.data);
            b.set(&first, &entry.first);
            b.set(&last, &entry.last);
        });
    });
    m.unused(&entry.odd, "an entry fills its beats");
    let strobes = lit(1, 1).repeat(cfg.d_bytes());
    beat(
        m,
        cfg,
        &push,
        data.trunc(cfg.dma_width),
        strobes,
        &last & count.eq(1),
        &push & &first,
    );
}

/// D = 256: an entry is a beat.
pub(super) fn whole(m: &mut Module, cfg: &Config, entry: &Entry) {
    m.unused(&entry.odd, "an entry fills its beat");
    let strobes = lit(1, 1).repeat(cfg.d_bytes());
    let at_hand = &entry.valid & &entry.first;
    beat(
        m,
        cfg,
        &entry.valid,
        entry.data.expr(),
        strobes,
        entry.last.expr(),
        at_hand,
    );
}

/// D = 512: two entries of a burst in a beat. Records come at half the rate of beats, so the address waits for the last.
pub(super) fn join(m: &mut Module, cfg: &Config, entry: &Entry) {
    let low = m.reg("low", ENTRY);
    let low_here = m.reg_rst("low_here", 1, 0);
    m.seq("The entry for the lower half waits for the other", |b| {
        b.when(&entry.valid, |b| {
            b.set(&low, &entry.data);
            b.set(&low_here, !&entry.odd & !&entry.last);
        });
    });
    m.unused(&entry.first, "the address waits for the last record");
    let push = m.named("w_push", &entry.valid & (&entry.odd | &entry.last));
    let data = cat(&[entry.data.expr(), mux(&entry.odd, &low, &entry.data)]);
    let half = cfg.d_bytes() / 2;
    let strobes = cat(&[
        entry.odd.repeat(half),
        (!&entry.odd | &low_here).repeat(half),
    ]);
    beat(
        m,
        cfg,
        &push,
        data,
        strobes,
        entry.last.expr(),
        &push & &entry.last,
    );
}

/// The outputs: a beat, and whether its burst may be announced.
fn beat(
    m: &mut Module,
    cfg: &Config,
    push: &Sig,
    data: Expr,
    strobes: Expr,
    last: Expr,
    at_hand: Expr,
) {
    let wd = bundle::wd(cfg.dma_width);
    let out = m.output_reg_rst("push", 1, 0, "a beat for the FIFO");
    let out_data = m.output_reg("push_data", wd.width(), "WD");
    let announce = m.output_reg_rst("at_hand", 1, 0, "one more burst has its data at hand");
    m.seq("Beat", |b| {
        b.set(&out, push);
        b.set(
            &out_data,
            wd.pack(&[("data", data), ("strb", strobes), ("last", last)]),
        );
        b.set(&announce, at_hand);
    });
}
