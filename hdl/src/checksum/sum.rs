//! The two sums of a frame: IPv4 header, and TCP or UDP with its pseudo header.

use super::tree_stages;
use crate::build::{cat, cat_lsb_first, lit, mux, Expr, Module, Sig};
use crate::bundle;
use pagetrain_formats::program::fields;
use pagetrain_formats::Config;

/// A beat at the input, with its frame's PARSE.
pub(super) struct Beat<'a> {
    pub data: &'a Sig,
    pub keep: &'a Sig,
    pub first: &'a Sig,
    pub number: &'a Sig,
    /// The number stays behind: the frame is longer than 65535 bytes.
    pub endless: &'a Sig,
    pub res: &'a Sig,
    pub l4: &'a Sig,
    pub v4: &'a Sig,
    /// A beat stands behind stage i + 1.
    pub valids: &'a [Sig],
}

/// What the sums come to, and hooks for the length that only the last beat knows.
pub(super) struct Sums {
    /// To be driven, at the stage of the frame's sum: `end` - `l4_off`.
    pub l4_len: Sig,
    /// The ones' complement sum is all ones. At the last stage.
    pub ip_good: Sig,
    pub l4_good: Sig,
}

/// IP protocol numbers (IANA).
const PROTO_TCP: u128 = 6;
const PROTO_UDP: u128 = 17;
/// Bits of a sum: 65535 bytes and a pseudo header cannot overflow it.
const SUM: usize = 32;

/// `value` delayed by `n` stages.
pub(super) fn delay(m: &mut Module, name: &str, value: Expr, n: usize) -> Expr {
    let mut value = value;
    for i in 0..n {
        let reg = m.reg(&format!("{name}_{i}"), value.width());
        m.seq("", |b| b.set(&reg, &value));
        value = reg.expr();
    }
    value
}

/// Adds values four at a time, a stage each time, until one is left. All are `SUM` wide at the end.
fn tree(m: &mut Module, name: &str, words: Vec<Expr>, stages: usize) -> Expr {
    let mut words = words;
    for stage in 0..stages {
        let width = words[0].width() + 2;
        let regs = m.regs(&format!("{name}_t{stage}"), words.len().div_ceil(4), width);
        m.seq("", |b| {
            for (reg, four) in regs.iter().zip(words.chunks(4)) {
                let sum = four.iter().map(|x| x.zext(width)).reduce(|a, x| a + x);
                b.set(reg, sum.expect("chunks are not empty"));
            }
        });
        words = regs.iter().map(|r| r.expr()).collect();
    }
    assert_eq!(words.len(), 1, "{stages} stages add up one beat");
    words[0].zext(SUM)
}

/// 16-bit words of an address, which is a number: its words are in the right order of bytes already.
fn words_of_number(value: &Expr) -> Vec<Expr> {
    (0..value.width() / 16).map(|i| value.part(i, 16)).collect()
}

/// 16-bit words of a beat: its first byte is the more significant half of its first word.
fn words(value: &Expr) -> Vec<Expr> {
    (0..value.width() / 16)
        .map(|i| value.part(i, 16).swap_bytes())
        .collect()
}

/// Lanes of the beat at or behind a byte offset of the frame.
struct From {
    beyond: Sig,
    same: Sig,
    /// In the beat of the offset: lanes at or behind it.
    lanes: Sig,
}

impl From {
    fn new(m: &mut Module, cfg: &Config, beat: &Beat, name: &str, offset: Expr) -> From {
        let low = cfg.log2_w_bytes();
        let offset = offset.zext(16);
        let from = From {
            beyond: m.reg(&format!("{name}_beyond"), 1),
            same: m.reg(&format!("{name}_same"), 1),
            lanes: m.reg(&format!("{name}_lanes"), cfg.w_bytes() - 1),
        };
        let lane = offset.bits(0, low);
        let lanes: Vec<Expr> = (0..cfg.w_bytes() - 1).map(|i| lane.le(i)).collect();
        m.seq("", |b| {
            b.set(&from.beyond, beat.number.gt(offset.from_bit(low)));
            b.set(&from.same, beat.number.eq(offset.from_bit(low)));
            b.set(&from.lanes, cat_lsb_first(&lanes));
        });
        from
    }

    fn lanes(&self) -> Expr {
        // The last lane is behind every offset in its beat.
        let n = self.lanes.width() + 1;
        let here = cat(&[self.same.expr(), &self.lanes & self.same.repeat(n - 1)]);
        here | self.beyond.repeat(n)
    }
}

/// The bytes that a lane mask leaves.
fn masked(data: &Expr, mask: &Expr) -> Expr {
    let bytes: Vec<Expr> = (0..mask.width())
        .map(|i| mask.bit(i).repeat(8) & data.byte(i))
        .collect();
    cat_lsb_first(&bytes)
}

pub(super) fn sums(m: &mut Module, cfg: &Config, beat: &Beat) -> Sums {
    let (parse, wb) = (bundle::parse(), cfg.w_bytes());
    let get = |name: &str| parse.get(beat.res, name);

    m.comment("Stage 1: the beat against the ranges' ends");
    let l3 = From::new(m, cfg, beat, "l3", get("l3_off"));
    let l4 = From::new(m, cfg, beat, "l4", get("l4_off"));
    let no_end = lit(16, 0xffff);
    let end = From::new(
        m,
        cfg,
        beat,
        "end",
        mux(get("end_valid"), get("end"), no_end),
    );
    let data = delay(m, "s1_data", beat.data.expr(), 1);
    let ip_keep = delay(m, "s1_ip_keep", beat.keep & beat.v4.repeat(wb), 1);
    let l4_keep = delay(m, "s1_l4_keep", beat.keep & beat.l4.repeat(wb), 1);

    m.comment("Stage 2: mask");
    let behind = m.named("behind_l4", l4.lanes());
    let ip_mask = l3.lanes() & !&behind & &ip_keep;
    let l4_mask = &behind & !end.lanes() & &l4_keep;
    let ip_bytes = delay(m, "s2_ip", masked(&data, &ip_mask), 1);
    let l4_bytes = delay(m, "s2_l4", masked(&data, &l4_mask), 1);

    m.comment("The beat's words, and the pseudo header's, four at a time");
    let stages = tree_stages(wb / 2);
    let ip_beat = tree(m, "ip", words(&ip_bytes), stages);
    let l4_beat = tree(m, "l4", words(&l4_bytes), stages);
    let tcp = (get("flags") & lit(8, u128::from(fields::TCP))).any();
    let mut pseudo = words_of_number(&get("src"));
    pseudo.extend(words_of_number(&get("dst")));
    let depth = 2 + stages;
    let pseudo_stages = tree_stages(pseudo.len());
    let pseudo = tree(m, "pseudo", pseudo, pseudo_stages);
    // Two stages for 16 words; a beat takes at least three to its own sum.
    let pseudo = delay(m, "pseudo", pseudo, depth - 1 - pseudo_stages);
    let proto = mux(tcp, lit(SUM, PROTO_TCP), lit(SUM, PROTO_UDP));
    let proto = delay(m, "proto", proto, depth - 1);
    let pseudo = delay(m, "pseudo_header", pseudo + proto, 1);
    let first = delay(m, "first", beat.first.expr(), depth);

    m.comment("The frame's sums");
    let ip_sum = m.reg("ip_sum", SUM);
    let l4_sum = m.reg("l4_sum", SUM);
    m.seq("", |b| {
        b.when(&beat.valids[depth - 1], |b| {
            b.set(&ip_sum, mux(&first, lit(SUM, 0), &ip_sum) + &ip_beat);
            b.set(&l4_sum, mux(&first, &pseudo, &l4_sum) + &l4_beat);
        });
    });

    m.comment("Fold, fold, judge");
    let l4_len = m.wire("l4_len", 16);
    let half = |sum: &Expr| sum.bits(0, 16).zext(18) + sum.bits(16, 16).zext(18);
    let f1_ip = delay(m, "f1_ip", half(&ip_sum), 1);
    let f1_l4 = delay(m, "f1_l4", half(&l4_sum) + l4_len.zext(18), 1);
    let fold = |sum: &Expr| sum.bits(0, 16).zext(17) + sum.bits(16, 2).zext(17);
    let f2_ip = delay(m, "f2_ip", fold(&f1_ip), 1);
    let f2_l4 = delay(m, "f2_l4", fold(&f1_l4), 1);
    // A carry out of the second fold leaves at most 2 below it, which the carry does not make all ones.
    let ones = |sum: &Expr| sum.bits(0, 16).all() & !sum.bit(16);
    let ip_good = m.reg("ip_good", 1);
    let l4_good = m.reg("l4_good", 1);
    m.seq("", |b| {
        b.set(&ip_good, ones(&f2_ip));
        b.set(&l4_good, ones(&f2_l4));
    });
    Sums {
        l4_len,
        ip_good,
        l4_good,
    }
}
