//! Result: judges finished frames and hands their results on in frame order.
//!
//! Contract: one result a frame, in the order in which the contexts were given out. A rejected frame's result is 0 but for `reject`.
//! A context is free again when its result has reached the output.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `st_*` | in | | stage 10: record of a frame after a step |
//! | `rd_ctx`, `<field>` | out, in | | fields of that context, in the same clock |
//! | `release_ctx` | out | 1 | the oldest context is free again |
//! | `m_axis_res_*` | out | PARSE | the results |
//!
//! - Timing: [`LATENCY`] clocks from stage 10; a result a clock.
//!
//! ## Pipeline
//! 10. The contract's rules for the end of a parse. 11. The verdict is kept, a bit a context. 12. Is the next even context done, the next
//!    odd one? They leave in turn, so each is looked up while the other may leave. 13. The one whose turn
//!    it is goes to a stream register of its own. 14. Its record and fields go to the stream register at the output.

use super::extract::{COPIES, FIELDS, FIELDS_A_COPY};
use super::marks::{of_record, RECORD_BITS};
use super::shape::{Shape, CURSOR_BITS};
use crate::build::{and_all, cat, cat_lsb_first, mux, or_all, Expr, Module, Sig};
use crate::bundle;
use crate::pipe::Pipe;
use crate::prim::{decode, lutram, skid_of_lanes};
use pagetrain_formats::program::fields::{TCP, UDP, V4, V6, VLAN0, VLAN1};

/// Clocks from stage 10 of a frame's last step to its result, if no other is before it.
pub const LATENCY: usize = 5;
/// Bits of a result that one handshake drives.
const LANE: usize = 64;

/// Builds the block.
pub fn parser_result(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_result",
        "Judges finished frames and hands their results on in frame order.",
    );
    let st_valid = m.input("st_valid", 1, "stage 10 holds a frame");
    let st_ctx = m.input("st_ctx", s.ctx_bits(), "its context");
    let st_record = m.input("st_record", RECORD_BITS, "its record");
    let st_done = m.input("st_done", 1, "it takes no further step");
    let st_reject = m.input("st_reject", 1, "it is rejected");
    let fields: Vec<(&str, Sig)> = FIELDS
        .iter()
        .map(|(name, dest, _)| {
            (
                *name,
                m.input(name, 8 * dest.bytes(), "field of context `rd_ctx`"),
            )
        })
        .collect();
    let doc = "context whose result leaves next: a copy for two fields each";
    let rd_ctx = m.output("rd_ctx", s.ctx_bits() * COPIES, doc);
    let release = m.output_reg_rst("release_ctx", 1, 0, "the oldest context is free again");
    let out_valid = m.output("m_axis_res_tvalid", 1, "");
    let out_ready = m.input("m_axis_res_tready", 1, "");
    let out_data = m.output("m_axis_res_tdata", bundle::parse().width(), "PARSE");

    let mut p = Pipe::new();
    let finished = decode(&st_ctx, s.contexts) & st_done.repeat(s.contexts);
    let s11_finished = p.reg_rst(&mut m, 10, "finished", finished);
    let s11_reject = judge(&mut m, &mut p, &st_record, &st_reject);
    p.finish(&mut m, &[(10, "rules for the end of a parse")]);

    let done = m.reg_rst("done", s.contexts, 0);
    let rejected = m.reg("rejected", s.contexts);
    let left = m.reg_rst("left", s.contexts, 0);
    let oldest = m.reg_rst("oldest", s.ctx_bits(), 0);
    // The next odd context follows from `oldest` as it is; the next even one would be a sum.
    let next_even = m.reg_rst("next_even", s.ctx_bits() - 1, 0);
    let ready_even = m.reg_rst("ready_even", 1, 0);
    let ready_odd = m.reg_rst("ready_odd", 1, 0);
    let reject_even = m.reg("reject_even", 1);
    let reject_odd = m.reg("reject_odd", 1);
    m.comment("The receiver's ready ends at a stream register, and that one's ready at another: it does not choose among the contexts");
    let out = m.instance("u_out", skid_of_lanes(bundle::parse().width(), LANE));
    let odd = m.named("odd", oldest.bit(0));
    let ready = m.named("ready", mux(&odd, &ready_odd, &ready_even));
    let reject = m.named("reject", mux(&odd, &reject_odd, &reject_even));
    m.comment(
        "Copies of what addresses and masks the memories, for two fields each, and for the record",
    );
    let bits = 1 + s.ctx_bits();
    let head = m.instance("u_head", skid_of_lanes(bits * (COPIES + 1), bits));
    let take = m.named("take", &ready & head.out("s_axis_tready"));
    m.connect(&head, "s_axis_tvalid", &ready);
    let head_in = cat(&[reject.expr(), oldest.expr()]);
    m.connect(&head, "s_axis_tdata", head_in.repeat(COPIES + 1));
    let (head_valid, head_word) = (head.out("m_axis_tvalid"), head.out("m_axis_tdata"));
    let copies = |from: usize, width: usize| -> Vec<Expr> {
        let slice = |i| head_word.part(i, bits).bits(from, width);
        (0..=COPIES).map(slice).collect()
    };
    let (ctxs, rejects) = (copies(0, s.ctx_bits()), copies(s.ctx_bits(), 1));
    m.connect(&head, "m_axis_tready", out.out("s_axis_tready"));
    m.connect(&out, "s_axis_tvalid", &head_valid);
    m.seq("Stage 11: verdicts", |b| {
        b.set(&done, &s11_finished | (&done & !&left));
        for i in 0..s.contexts {
            b.when(s11_finished.bit(i), |b| {
                b.set_bit(&rejected, i, &s11_reject)
            });
        }
    });
    let each = |bits: &Sig, first: usize| {
        let bits: Vec<Expr> = (first..s.contexts)
            .step_by(2)
            .map(|i| bits.bit(i))
            .collect();
        cat_lsb_first(&bits)
    };
    let next_odd = m.named("next_odd", oldest.from_bit(1));
    m.seq("Stage 12: the next even context, the next odd one", |b| {
        b.set(&ready_even, each(&done, 0).bit_at(&next_even));
        b.set(&reject_even, each(&rejected, 0).bit_at(&next_even));
        b.set(&ready_odd, each(&done, 1).bit_at(&next_odd));
        b.set(&reject_odd, each(&rejected, 1).bit_at(&next_odd));
    });
    m.seq("Stage 13: the turn of the next", |b| {
        b.when(&take, |b| b.set(&oldest, &oldest + 1));
        b.when(&take & !&odd, |b| b.set(&next_even, &next_even + 1));
        b.set(&left, decode(&oldest, s.contexts) & take.repeat(s.contexts));
    });
    m.seq("A context whose result has left is free", |b| {
        b.set(&release, &head_valid & out.out("s_axis_tready"));
    });

    m.assign(&rd_ctx, cat_lsb_first(&ctxs[..COPIES]));
    let records = m.instance("u_records", lutram(RECORD_BITS, s.ctx_bits()));
    m.connect(&records, "wr_en", &st_valid);
    m.connect(&records, "wr_addr", &st_ctx);
    m.connect(&records, "wr_data", &st_record);
    m.connect(&records, "rd_addr", &ctxs[COPIES]);
    let result = pack(&mut m, &records.out("rd_data"), &fields, &rejects);
    m.connect(&out, "s_axis_tdata", result);
    m.connect(&out, "m_axis_tready", &out_ready);
    m.connect_out(&out, "m_axis_tvalid", &out_valid);
    m.connect_out(&out, "m_axis_tdata", &out_data);
    m
}

/// The result as it leaves: all 0 but `reject` if that is set, of which there is a copy for some fields each, and one for the record.
fn pack(m: &mut Module, record: &Sig, fields: &[(&str, Sig)], rejects: &[Expr]) -> Expr {
    let masked = |e: &Expr, reject: &Expr| e & (!reject).repeat(e.width());
    let reject = &rejects[rejects.len() - 1];
    let kept = |e: Expr| masked(&e, reject);
    let of_field = |name: &str| match fields.iter().position(|f| f.0 == name) {
        Some(i) => masked(&fields[i].1.expr(), &rejects[i / FIELDS_A_COPY]),
        None => unreachable!("no field {name}"),
    };
    let l3_off = of_record(record, "l3_off");
    m.unused(l3_off.bit(CURSOR_BITS - 1), "an l3_off beyond 255 rejects");
    m.unused(
        of_record(record, "l3_valid"),
        "an l3_off that is not marked is 0",
    );
    let of_marks = [
        "flags",
        "l4_off",
        "split",
        "l4_valid",
        "split_valid",
        "end_valid",
        "end",
    ];
    let mut values: Vec<(&str, Expr)> = of_marks
        .iter()
        .map(|n| (*n, kept(of_record(record, n))))
        .collect();
    for name in ["vlan0", "vlan1", "sport", "dport", "seq", "tcp_flags"] {
        values.push((name, of_field(name)));
    }
    values.push(("reject", reject.clone()));
    values.push(("l3_off", kept(l3_off.trunc(8))));
    values.push(("src", cat(&[of_field("src_hi"), of_field("src_lo")])));
    values.push(("dst", cat(&[of_field("dst_hi"), of_field("dst_lo")])));
    bundle::parse().pack(&values)
}

/// Stage 10: what rejects a frame whose program has accepted it.
fn judge(m: &mut Module, p: &mut Pipe, record: &Sig, reject: &Sig) -> Expr {
    let flag = |mask: u8| of_record(record, "flags").bit(mask.trailing_zeros() as usize);
    let mark = |name: &str| of_record(record, name);
    let l3 = m.named("l3", flag(V4) | flag(V6));
    let l4 = m.named("l4", flag(TCP) | flag(UDP));
    let marked = m.named("marked", and_all(&[mark("l3_valid"), mark("l4_valid")]));
    let (l3_off, l4_off) = (mark("l3_off"), mark("l4_off"));
    let both = (flag(V4) & flag(V6)) | (flag(TCP) & flag(UDP));
    let odd = l3_off.bit(0) | l4_off.bit(0);
    let l4_lacks = !mark("l4_valid") | !&l3 | !mark("split_valid") | odd;
    m.comment("Bytes that a strip of the tags takes: 16 or 20; no offset may lie inside");
    let one = m.named("one_tag", flag(VLAN0) ^ flag(VLAN1));
    let two = m.named("two_tags", flag(VLAN0) & flag(VLAN1));
    let inside = |valid: &str, name: &str| {
        let x = mark(name);
        let below_16 = !x.from_bit(4).any();
        let below_20 = !x.from_bit(5).any() & (!x.bit(4) | !x.bits(2, 2).any());
        mark(valid) & ((&one & below_16) | (&two & below_20))
    };
    let cuts = [
        inside("l3_valid", "l3_off"),
        inside("l4_valid", "l4_off"),
        inside("split_valid", "split"),
    ];
    let s11_both = p.reg(m, 10, "both", both | reject);
    let s11_lacks = p.reg(m, 10, "lacks", (&l4 & l4_lacks) | (flag(V4) & !&marked));
    let s11_cut = p.reg(m, 10, "cut", or_all(&cuts) | l3_off.bit(CURSOR_BITS - 1));
    &s11_both | &s11_lacks | &s11_cut
}
