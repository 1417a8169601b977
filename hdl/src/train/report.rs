//! What one operation puts into the completion ring, in its order.
//!
//! Contract: up to four emissions leave in this order: the train that the operation closed before, a buffer that it
//! gave back, the train that it closed after, a page that it gave back last. Each carries as its fence the number of
//! commands made so far; an emission `after` waits until the operation's own commands are all counted.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `load`, `close`, `give` | in | 1 | an operation begins; it closes a train; it gives a buffer back |
//! | `close_*` | in | | that train; stands in the clock after `load` |
//! | `give_*` | in | | that buffer; stands in the two clocks after `load` |
//! | `placed`, `after`, `last` | in | 1 | its packet is placed; close that train; give the flow's page back |
//! | `after_*`, `last_*` | in | | the train and the page; stand from the clock after `placed` on |
//! | `copy_free`, `issued_next` | in | 1, 16 | no command will be to come in the next clock; commands up to this one |
//! | `free`, `room` | out | 1 | nothing will be pending in the next clock, if `copy_free`; an operation's emissions fit |
//! | `discard` | in | 1 | emissions are thrown away (the engine has halted) |
//! | `m_axis_emit_t*` | out | EMIT | emissions |
//! | `stat_*` | out | | registers: trains, packets by reason, pages given back |
//!
//! - Timing: an emission a clock, the first one clock after `load`. `load` only in a clock after one with `free` and `room`.

use super::entry::entry;
use super::Widths;
use crate::build::*;
use crate::bundle;
use crate::prim::{lowest_one, Fifo};
use pagetrain_formats::codes::{BufStatus, EntryType};
use pagetrain_formats::completion::{buf, pkt};
use pagetrain_formats::Config;

/// Emissions that may wait for the completion block.
pub const DEPTH: usize = 16;
/// Room that `room` stands for: four emissions and the register.
const OPERATION: usize = 6;

/// Ports of one train to be emitted.
struct Train {
    start: Sig,
    count: Sig,
    bytes: Sig,
    packets: Sig,
    reason: Sig,
}

impl Train {
    fn inputs(m: &mut Module, prefix: &str, w: &Widths) -> Train {
        let mut input =
            |name: &str, width, doc: &str| m.input(&format!("{prefix}_{name}"), width, doc);
        Train {
            start: input("start", w.rec, "first record"),
            count: input("count", 7, "records"),
            bytes: input("bytes", 20, "payload"),
            packets: input("packets", 7, "packets"),
            reason: input("reason", 5, "why it closes"),
        }
    }

    /// `start` and `count`.
    fn range(&self) -> Expr {
        cat(&[self.count.expr(), self.start.expr()])
    }

    /// The head fields in EMIT's order.
    fn head(&self) -> Expr {
        cat(&[self.reason.expr(), self.packets.expr(), self.bytes.expr()])
    }
}

/// Builds the block.
pub fn report(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let emit = bundle::emit(cfg);
    let mut m = Module::new(
        &format!("train_report_f{}_e{}", cfg.flows, cfg.train_entries),
        "What one operation puts into the completion ring, in its order.",
    );
    let load = m.input("load", 1, "an operation begins");
    let close = m.input("close", 1, "it closes a train first");
    let give = m.input("give", 1, "then it gives a buffer back, or the STOP entry");
    let close_slot = m.input("close_slot", w.slot, "slot of the train");
    let first = Train::inputs(&mut m, "close", &w);
    let give_page = m.input("give_page", 1, "the buffer is a page");
    let give_status = m.input("give_status", 2, "how it comes back; 0: STOP entry");
    let give_cookie = m.input("give_cookie", 32, "its cookie");
    let give_fill = m.input("give_fill", 16, "its fill pointer");
    let placed = m.input("placed", 1, "the operation's packet is placed");
    let after = m.input("after", 1, "close the train it is in");
    let last = m.input("last", 1, "then give the flow's page back");
    let after_slot = m.input("after_slot", w.slot, "slot of the train");
    let after_watched = m.input("after_watched", 1, "of a watched flow");
    let second = Train::inputs(&mut m, "after", &w);
    let last_cookie = m.input("last_cookie", 32, "cookie of the page");
    let last_fill = m.input("last_fill", 16, "its fill pointer");
    let copy_free = m.input("copy_free", 1, "no command will be to come");
    let issued_next = m.input("issued_next", 16, "commands up to this clock");
    let discard = m.input("discard", 1, "throw emissions away");
    let free = m.output("free", 1, "nothing will be pending, if `copy_free`");
    let room = m.output("room", 1, "an operation's emissions fit");

    m.comment("What is pending, in the order in which it leaves");
    let pending = m.regs_rst("pending", 4, 1, 0);
    let firsts: Vec<Expr> = lowest_one(&cat_lsb_first(&pending)).each_bit();
    let name = |i: usize| format!("first_{i}");
    let head: Vec<Sig> = (0..4)
        .map(|i| m.named(&name(i), firsts[i].clone()))
        .collect();
    let pick: Vec<Sig> = (0..4)
        .map(|i| {
            let own = if i < 2 { lit(1, 1) } else { copy_free.expr() };
            m.named(&format!("pick_{i}"), &head[i] & own)
        })
        .collect();
    m.seq("Pending", |b| {
        let comes = [
            (&load, &close),
            (&load, &give),
            (&placed, &after),
            (&placed, &last),
        ];
        for (i, (when, what)) in comes.into_iter().enumerate() {
            b.set(&pending[i], mux(when, what, &pending[i] & !&pick[i]));
        }
    });
    // One leaves in this clock, if it is the packet's then at the latest when its copies are free.
    let two = |i: usize| &pending[i] & or_all(&pending[i + 1..].iter().collect::<Vec<_>>());
    m.assign(&free, !or_all(&[two(0), two(1), two(2)]));

    // In the FIFO a train and a buffer share their bits; the whole entry is made behind it.
    let range_w = w.rec + 7;
    let trains = m.named("is_train", &head[0] | &head[2]);
    let released = BufStatus::Released.code();
    let mut fields: Vec<(&str, Sig)> = vec![];
    let mut set: Vec<(Sig, Expr)> = vec![];
    let mut reg = |name: &'static str, value: Expr| {
        let r = m.reg(&format!("out_{name}"), value.width());
        set.push((r.clone(), value));
        fields.push((name, r));
    };
    reg("direct", !&trains);
    reg("page", mux(&head[3], lit(1, 1), &give_page));
    reg(
        "status",
        mux(&head[3], lit(2, released.into()), &give_status),
    );
    reg(
        "value",
        onehot_mux(
            &head,
            &[
                first.head(),
                give_cookie.expr(),
                second.head(),
                last_cookie.expr(),
            ],
        ),
    );
    reg(
        "range",
        onehot_mux(
            &head,
            &[
                first.range().zext(range_w.max(16)),
                give_fill.zext(range_w.max(16)),
                second.range().zext(range_w.max(16)),
                last_fill.zext(range_w.max(16)),
            ],
        ),
    );
    reg("slot", mux(&head[0], &close_slot, &after_slot));
    reg("fence", issued_next.expr());
    let valid = m.reg_rst("out_valid", 1, 0);
    m.seq("The emission", |b| {
        b.set(&valid, or_all(&pick));
        set.iter().for_each(|(r, v)| b.set(r, v));
    });

    let stat_trains = m.output_reg_rst("stat_trains", 1, 0, "a train of a watched flow was closed");
    let stat_valid = m.output_reg_rst("stat_reason_valid", 1, 0, "packets were delivered");
    let stat_reason = m.output_reg("stat_reason", 5, "why");
    let stat_packets = m.output_reg("stat_reason_packets", 7, "how many");
    let stat_released = m.output_reg_rst(
        "stat_pages_released",
        1,
        0,
        "a page came back before it was full",
    );
    m.seq("Counters", |b| {
        b.set(&stat_valid, &pick[0] | &pick[2]);
        b.set(&stat_trains, &pick[0] | (&pick[2] & &after_watched));
        b.set(&stat_reason, mux(&pick[0], &first.reason, &second.reason));
        b.set(
            &stat_packets,
            mux(&pick[0], &first.packets, &second.packets),
        );
        let gives = &pick[1] & &give_page & give_status.eq(released);
        b.set(&stat_released, gives | &pick[3]);
    });

    let packed = cat_lsb_first(&fields.iter().map(|f| f.1.clone()).collect::<Vec<_>>());
    let fifo = m.instance(
        "u_fifo",
        Fifo::new(packed.width(), DEPTH)
            .almost_full(DEPTH - OPERATION)
            .unguarded()
            .build(),
    );
    let emit_valid = m.output("m_axis_emit_tvalid", 1, "an emission");
    let emit_ready = m.input("m_axis_emit_tready", 1, "it is taken");
    let emit_data = m.output("m_axis_emit_tdata", emit.width(), "EMIT");
    m.connect(&fifo, "s_axis_tvalid", &valid);
    m.connect(&fifo, "s_axis_tdata", packed);
    m.connect(&fifo, "m_axis_tready", &emit_ready | &discard);
    m.connect_out(&fifo, "m_axis_tvalid", &emit_valid);
    m.assign(&room, !fifo.out("almost_full"));

    let word = fifo.out("m_axis_tdata");
    let mut lsb = 0;
    let mut part = |width: usize| {
        lsb += width;
        word.bits(lsb - width, width)
    };
    let parts: Vec<Expr> = fields.iter().map(|f| part(f.1.width())).collect();
    let get = |name: &str| {
        let i = fields.iter().position(|f| f.0 == name);
        i.map(|i| parts[i].clone())
            .unwrap_or_else(|| unreachable!("every field was named above"))
    };
    let (page, status, value, range) = (get("page"), get("status"), get("value"), get("range"));
    let buffer = m.named("is_buffer", status.any());
    let buf_type = EntryType::Buf.code();
    let whole = entry(&[
        (buf::HDR_COOKIE, &value & (!&page & &buffer).repeat(32)),
        (buf::PAGE_COOKIE, &value & (&page & &buffer).repeat(32)),
        (buf::FILL, &range.trunc(16) & buffer.repeat(16)),
        (pkt::TYPE, buffer.repeat(2) & lit(2, buf_type.into())),
        (buf::HAS_PAGE, &page & &buffer),
        (buf::HAS_HDR, !&page & &buffer),
        (buf::STATUS, status.clone()),
    ]);
    m.assign(
        &emit_data,
        emit.pack(&[
            ("direct", get("direct")),
            ("entry", whole),
            ("slot", get("slot")),
            ("start", range.trunc(w.rec)),
            ("count", range.bits(w.rec, 7)),
            ("train_bytes", value.bits(0, 20)),
            ("train_packets", value.bits(20, 7)),
            ("reason", value.bits(27, 5)),
            ("fence", get("fence")),
        ]),
    );
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::report(&Default::default()));
    }
}
