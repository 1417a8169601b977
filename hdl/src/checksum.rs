//! Checksum unit: verifies IPv4 header, TCP and UDP checksums, and completes what is known of a frame.
//!
//! Contract: frames leave as they came; with the last beat goes META: the parser's result after the decisions that need
//! the frame's length, and both verdicts (RFC 1071; pseudo headers of RFC 793/9293, 768 and RFC 8200 section 8.1).
//! A frame that turns out to be rejected carries nothing but its length, number and error bit.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `s_axis_t*`, `s_axis_tseq` | in | stream | frames |
//! | `s_axis_res_t*` | in | PARSE | one a frame; the frame's first beat waits for it |
//! | `m_axis_t*`, `m_axis_tmeta` | out | stream, META | META with the last beat |
//!
//! - Timing: [`latency`] clocks, a beat a clock, no clock lost between frames.
//! - The range of a sum is [`l3_off`, `l4_off`) or [`l4_off`, `end`), by byte; both begin at even offsets, so a byte's place
//!   in a beat says which half of a 16-bit word it is.
//!
//! ## Pipeline
//! 1. compare the beat's number with the ranges' ends; 2. mask the bytes; 3. add up the beat's words, four at a time
//!    ([`tree_stages`]); then: add to the frame's sum (the first beat to the pseudo header's); fold; fold; judge; output.
//!    Sums are 32 bits wide: 65535 bytes cannot overflow them, so nothing is folded before the end.
//!    The frame itself waits in a small memory.
//!
//! The stages never stop: an enable would drive all of their flip-flops in one clock. A beat is let in when there is room for it in
//! the memory, and for its verdict in a FIFO as deep; only the output waits for its receiver.

mod decide;
mod sum;

use crate::build::{cat_lsb_first, clog2, lit, mux, Expr, Module};
use crate::bundle;
use crate::prim::{lutram, Fifo};
use pagetrain_formats::program::fields;
use pagetrain_formats::{Config, Csum};

/// Clocks from a beat's transfer to its place at the output.
pub fn latency(cfg: &Config) -> usize {
    stages(cfg) + Fifo::new(1, INSIDE).latency() + 1
}

/// Clocks from a beat's transfer to its verdict.
fn stages(cfg: &Config) -> usize {
    2 + tree_stages(cfg.data_width / 16) + 4
}

/// Stages that add up `words` words, four at a time.
pub fn tree_stages(words: usize) -> usize {
    clog2(words).div_ceil(2)
}

/// Beats that may be inside; more than [`latency`], so that none waits for room while the output flows.
const INSIDE: usize = 16;

/// Builds the block.
pub fn checksum(cfg: &Config) -> Module {
    let mut m = Module::new(
        "checksum",
        "Verifies IPv4 header, TCP and UDP checksums; completes META.",
    );
    let (w, wb) = (cfg.data_width, cfg.w_bytes());
    let (parse, meta) = (bundle::parse(), bundle::meta());
    let data = m.input("s_axis_tdata", w, "frame, first byte in bits 7:0");
    let keep = m.input("s_axis_tkeep", wb, "bytes that are there");
    let valid = m.input("s_axis_tvalid", 1, "");
    let ready = m.output("s_axis_tready", 1, "");
    let last = m.input("s_axis_tlast", 1, "last beat of the frame");
    let user = m.input("s_axis_tuser", 1, "last beat: bad frame");
    let seq = m.input("s_axis_tseq", 16, "number of the frame");
    let res_valid = m.input("s_axis_res_tvalid", 1, "the frame's PARSE is there");
    let res_ready = m.output("s_axis_res_tready", 1, "");
    let res = m.input("s_axis_res_tdata", parse.width(), "PARSE");
    let out_valid = m.output_reg_rst("m_axis_tvalid", 1, 0, "");
    let out_ready = m.input("m_axis_tready", 1, "");
    let out_data = m.output_reg("m_axis_tdata", w, "frame, first byte in bits 7:0");
    let out_keep = m.output_reg("m_axis_tkeep", wb, "bytes that are there");
    let out_last = m.output_reg("m_axis_tlast", 1, "last beat of the frame");
    let out_meta = m.output_reg("m_axis_tmeta", meta.width(), "META, with the last beat");

    let room = m.reg_rst("room", 1, 0);
    m.assign(&ready, &room & &res_valid);
    let beat = m.named("beat", &valid & &ready);
    m.comment("The result stays at the parser's output until the frame's last beat");
    m.assign(&res_ready, &room & &valid & &last);

    // Where the beat lies in the frame.
    let beat_bits = 16 - cfg.log2_w_bytes();
    let number = m.reg_rst("number", beat_bits, 0);
    let first = m.reg_rst("first", 1, 1);
    let endless = m.reg_rst("endless", 1, 0);
    m.seq("number of the beat; it stays at its highest", |b| {
        b.when(&beat, |b| {
            b.set(&first, &last);
            b.set(&endless, (&endless | number.all()) & !&last);
            b.first(|c| {
                c.when(&last, |b| b.set(&number, 0));
                c.when(!number.all(), |b| b.set(&number, &number + 1));
            });
        });
    });
    let stages = stages(cfg);
    let valids = m.regs_rst("valid", stages, 1, 0);
    m.seq("beats move on together", |b| {
        b.set(&valids[0], &beat);
        for i in 1..stages {
            b.set(&valids[i], &valids[i - 1]);
        }
    });

    let flags = parse.get(&res, "flags");
    let flag = |f: u8| (&flags & lit(8, u128::from(f))).any();
    let l4 = m.named(
        "l4",
        (flag(fields::TCP) | flag(fields::UDP)) & !flag(fields::NOCSUM),
    );
    let v4 = m.named("v4", flag(fields::V4));
    let input = sum::Beat {
        data: &data,
        keep: &keep,
        first: &first,
        number: &number,
        endless: &endless,
        res: &res,
        l4: &l4,
        v4: &v4,
        valids: &valids,
    };
    let sums = sum::sums(&mut m, cfg, &input);
    let decided = decide::decide(&mut m, cfg, &input, &sums, stages);

    m.comment("Verdicts wait until the output is free");
    let verdicts = [
        decided.reject.expr(),
        decided.end.clone(),
        decided.length.clone(),
        decided.v4.expr(),
        decided.l4.expr(),
        sums.ip_good.expr(),
        sums.l4_good.expr(),
    ];
    let bits = verdicts.iter().map(|e| e.width()).sum();
    // There are no more beats inside than it holds.
    let queue = Fifo::new(bits, INSIDE).unguarded();
    let queue = m.instance("u_verdicts", queue.build());
    m.connect(&queue, "s_axis_tvalid", &valids[stages - 1]);
    m.connect(&queue, "s_axis_tdata", cat_lsb_first(&verdicts));
    let judged = queue.out("m_axis_tdata");
    let mut lsb = 0;
    let mut of = |i: usize| {
        let width = verdicts[i].width();
        lsb += width;
        judged.bits(lsb - width, width)
    };
    let reject = m.named("reject", of(0));
    let (end, length) = (of(1), of(2));
    let (v4_sum, l4_sum, ip_good, l4_good) = (of(3), of(4), of(5), of(6));
    let free = m.named("out_free", !&out_valid | &out_ready);
    m.connect(&queue, "m_axis_tready", &free);
    let leaves = m.named("leaves", &free & queue.out("m_axis_tvalid"));

    // The frame and what is known of it wait for the verdicts.
    let ring_w = clog2(INSIDE);
    let put = m.reg_rst("put", ring_w, 0);
    let take = m.reg_rst("take", ring_w, 0);
    let waits = [
        data.expr(),
        keep.expr(),
        last.expr(),
        user.expr(),
        seq.expr(),
        res.expr(),
    ];
    let width = waits.iter().map(|e| e.width()).sum();
    let ring = m.instance("u_waiting", lutram(width, ring_w));
    let came = m.reg_rst("came", 1, 0);
    let word = m.reg("came_word", width);
    m.seq("a beat is written a clock after it came: its handshake would drive every cell of the memory", |b| {
        b.set(&came, &beat);
        b.set(&word, cat_lsb_first(&waits));
    });
    m.connect(&ring, "wr_en", &came);
    m.connect(&ring, "wr_addr", &put);
    m.connect(&ring, "wr_data", &word);
    m.connect(&ring, "rd_addr", &take);
    m.seq("places in the memory", |b| {
        b.when(&came, |b| b.set(&put, &put + 1));
        b.when(&leaves, |b| b.set(&take, &take + 1));
    });
    let inside = m.reg_rst("beats_inside", ring_w + 1, 0);
    let left = m.reg_rst("left", 1, 0);
    m.seq(
        "room for a beat: what is counted is a clock old, or two",
        |b| {
            b.set(&left, &leaves);
            b.set(
                &inside,
                &inside + beat.zext(ring_w + 1) - left.zext(ring_w + 1),
            );
            b.set(&room, inside.lt(INSIDE - 1));
        },
    );
    let waited = ring.out("rd_data");
    let mut lsb = 0;
    let mut part = |width: usize| {
        lsb += width;
        waited.bits(lsb - width, width)
    };
    let (w_data, w_keep, w_last, w_user, w_seq) = (part(w), part(wb), part(1), part(1), part(16));
    let w_res = part(parse.width());

    // A mask, not a choice: a reset of all those registers would come late.
    let goes = m.named("goes", !&reject);
    let known = |name: &str| {
        let value = parse.get(&w_res, name);
        &value & goes.repeat(value.width())
    };
    let mut values: Vec<(&str, Expr)> = parse.fields().iter().map(|f| (f.0, known(f.0))).collect();
    for (name, value) in &mut values {
        match *name {
            "reject" => *value = reject.expr(),
            "end" => *value = &end & goes.repeat(16),
            "end_valid" => *value = goes.expr(),
            _ => {}
        }
    }
    let verdict = |checked: &Expr, good: &Expr| {
        let (yes, no) = (Csum::Good.code(), Csum::Bad.code());
        let code = mux(good, lit(2, u128::from(yes)), lit(2, u128::from(no)));
        mux(checked & !&reject, code, lit(2, 0))
    };
    values.extend([
        ("bad", w_user),
        ("frame_len", length),
        ("rx_seq", w_seq),
        ("ip_csum", verdict(&v4_sum, &ip_good)),
        ("l4_csum", verdict(&l4_sum, &l4_good)),
    ]);
    for name in ["reject", "end", "end_valid"] {
        m.unused(parse.get(&w_res, name), "decided anew");
    }
    m.seq("output", |b| {
        b.when(&free, |b| {
            b.set(&out_valid, queue.out("m_axis_tvalid"));
            b.set(&out_data, &w_data);
            b.set(&out_keep, &w_keep);
            b.set(&out_last, &w_last);
            b.set(&out_meta, meta.pack(&values));
        });
    });
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for data_width in [64, 128, 512] {
            let cfg = Config {
                data_width,
                dma_width: 512,
                ..Config::default()
            };
            crate::testkit::lint(&checksum(&cfg));
        }
    }
}
