//! Doorbells: ring indices that the host moves, as far as they may go.
//!
//! An index that runs ahead of the ring would make the engine take stale descriptors for buffers, so a
//! doorbell that is not a legal move is ignored. So is one that comes during a reset, which would be lost.

use super::write::Write;
use super::Shown;
use crate::build::{lit, Module, Sig};
use pagetrain_formats::regs::{self, by_addr};

/// A doorbell: its register, its port, the engine's index of that ring, the ring's size if the host posts to it.
const BELLS: [(u16, &str, u16, Option<u16>); 3] = [
    (regs::SB_TAIL, "tail_sb", regs::SB_HEAD, Some(regs::SB_LOG2)),
    (regs::PG_TAIL, "tail_pg", regs::PG_HEAD, Some(regs::PG_LOG2)),
    (regs::CQ_HEAD, "head_cq", regs::CQ_TAIL, None),
];

pub(super) fn doorbells(m: &mut Module, w: &mut Write, shown: &mut Shown, reset_done: &Sig) {
    let new = w.data.bits(0, 16);
    for (addr, name, engine, log2) in BELLS {
        let doc = by_addr(addr).map_or("", |r| r.doc);
        let old = m.output_reg_rst(name, 16, 0, doc);
        let engine = match log2 {
            Some(_) => shown.get(engine).clone(),
            // A host may see an entry, and take it, before its response has come back to the engine.
            None => m.input(
                "cq_planned",
                16,
                "completion entries written, or about to be",
            ),
        };
        let fine = m.reg(&format!("{name}_fine"), 1);
        let step = m.reg(&format!("{name}_step"), 16);
        let limit = m.reg(&format!("{name}_limit"), 16);
        // The old value stood still for both clocks of the judgement: no reset in between.
        let still = m.reg(&format!("{name}_still"), 1);
        let calm = m.named(&format!("{name}_calm"), &still & !&w.resetting);
        if let Some(log2) = log2 {
            let log2 = shown.get(log2).clone();
            let posted = m.reg(&format!("{name}_posted"), 16);
            m.seq("posted descriptors must fit into the ring", |b| {
                b.set(&step, &new - &old);
                b.set(&posted, &new - &engine);
                b.set(&limit, lit(16, 1).shl_by(&log2));
                b.set(&still, !&w.resetting);
                b.set(&fine, step.le(&limit) & posted.le(&limit) & &calm);
            });
        } else {
            m.seq("only entries that were written can be taken", |b| {
                b.set(&step, &new - &old);
                b.set(&limit, &engine - &old);
                b.set(&still, !&w.resetting);
                b.set(&fine, step.le(&limit) & &calm);
            });
        }
        let hit = w.hit(addr);
        m.seq("", |b| {
            b.when(&w.commit & &hit & &fine, |b| {
                b.set(&old, &new);
            });
            b.when(reset_done, |b| {
                b.set(&old, 0);
            });
        });
        w.bad_bells.push(&hit & !&fine);
        w.accepted.push(hit);
        shown.set(addr, &old);
    }
}
