//! What only a frame's length decides: its payload's end, and whether the parser's result can be believed.

use super::sum::{delay, Beat, Sums};
use crate::build::{cat_lsb_first, lit, mux, Expr, Module, Sig};
use crate::bundle;
use crate::prim::encode;
use pagetrain_formats::Config;

/// The decisions, at the last stage.
pub(super) struct Decided {
    pub reject: Sig,
    pub end: Expr,
    pub length: Expr,
    pub v4: Sig,
    pub l4: Sig,
}

/// Bytes of a keep mask: it is contiguous from bit 0, so the place of its end is their number. 64 bits to be added up
/// would take 15 LUTs in a row.
fn bytes(keep: &Sig) -> Expr {
    let n = keep.width();
    let ends_behind = |i: usize| {
        if i + 1 < n {
            keep.bit(i) & !keep.bit(i + 1)
        } else {
            keep.bit(i)
        }
    };
    let mut places = vec![lit(1, 0)];
    places.extend((0..n).map(ends_behind));
    encode(&cat_lsb_first(&places))
}

/// An end behind the frame's last byte, a stage later: compared by digits of four bits, which are put together then.
fn end_beyond(m: &mut Module, end: &Expr, length: &Expr) -> Expr {
    let digit = |i: usize| (end.part(i, 4), length.part(i, 4));
    let gt = cat_lsb_first(
        &(0..4)
            .map(|i| digit(i).0.gt(digit(i).1))
            .collect::<Vec<_>>(),
    );
    let eq = cat_lsb_first(
        &(1..4)
            .map(|i| digit(i).0.eq(digit(i).1))
            .collect::<Vec<_>>(),
    );
    let gt = delay(m, "end_gt", gt, 1);
    let eq = delay(m, "end_eq", eq, 1);
    (1..4).fold(gt.bit(0), |below, i| gt.bit(i) | (eq.bit(i - 1) & below))
}

pub(super) fn decide(
    m: &mut Module,
    cfg: &Config,
    beat: &Beat,
    sums: &Sums,
    stages: usize,
) -> Decided {
    let parse = bundle::parse();
    let low = cfg.log2_w_bytes();
    m.comment("The frame's length, as of this beat");
    let count = delay(m, "keep_bytes", bytes(beat.keep), 1);
    let number = delay(m, "beat_number", beat.number.expr(), 1);
    let sum = number.zext(17).shl(low) + count.zext(17);
    let endless = delay(m, "endless_beat", beat.endless.expr(), 1);
    let sum = mux(endless | sum.bit(16), lit(16, 0xffff), sum.bits(0, 16));
    let length = delay(m, "length", sum, 1);

    m.comment("The payload's end");
    let mut at2 = |name: &str| {
        let value = parse.get(beat.res, name);
        delay(m, &format!("d_{name}"), value, 2)
    };
    let (end, end_valid) = (at2("end"), at2("end_valid"));
    let (split, split_valid) = (at2("split"), at2("split_valid"));
    let (l4_off, l4_valid) = (at2("l4_off"), at2("l4_valid"));
    let reject = at2("reject");
    let end3 = delay(m, "end", mux(&end_valid, &end, &length), 1);
    let long3 = end_beyond(m, &end, &length) & delay(m, "e_end_valid", end_valid.clone(), 1);
    // What a strip of one or two tags takes ends at byte 16 or 20; a shorter frame has no such tags.
    let tags = parse.get(beat.res, "flags").bits(6, 2);
    let tags = delay(m, "d_tags", tags, 2);
    let in_tags = (tags.xor() & length.lt(16)) | (tags.all() & length.lt(20));
    let in_tags = delay(m, "in_tags", in_tags, 1);
    let mut at3 = |name: &str, value: Expr| delay(m, name, value, 1);
    let (split, split_valid) = (at3("e_split", split), at3("e_split_valid", split_valid));
    let (l4_off, l4_valid) = (at3("e_l4_off", l4_off), at3("e_l4_valid", l4_valid));
    let reject = at3("e_reject", reject);
    let l4_len = delay(m, "l4_bytes", &end3 - l4_off.zext(16), 1);
    let before = (&split_valid & end3.lt(split.zext(16))) | (&l4_valid & end3.lt(l4_off.zext(16)));
    let reject4 = delay(m, "rejected", &reject | &long3 | &in_tags | &before, 1);

    // The frame's sums stand behind stage `stages - 3`.
    let l4_len = delay(m, "l4_bytes_late", l4_len, stages - 3 - 4);
    m.assign(&sums.l4_len, l4_len);
    let reject = delay(m, "rejected_late", reject4, stages - 4);
    let end = delay(m, "end_late", end3, stages - 3);
    let length = delay(m, "length_late", length, stages - 2);
    let v4 = delay(m, "v4_late", beat.v4.expr(), stages);
    let l4 = delay(m, "l4_late", beat.l4.expr(), stages);
    Decided {
        reject: m.named("reject_now", reject),
        end,
        length,
        v4: m.named("v4_now", v4),
        l4: m.named("l4_now", l4),
    }
}
