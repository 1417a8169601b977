//! Frame store: keeps each frame whole, or not at all, until it has been copied to host memory.
//!
//! Contract: a frame that is bad, longer than `cfg_max_frame`, or finds no room is dropped whole and counted under the first
//! of these causes; its words are used again. Every other frame is announced once, when it is complete. So
//! whatever is refused later is refused whole, too, and a frame's error at its last beat costs nothing.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `s_axis_t*`, `s_axis_tmeta` | in | stream, META | frames; META with the last beat |
//! | `cfg_max_frame`, `cfg_backpressure` | in | 14, 1 | longest frame; stall rather than drop for want of room |
//! | `m_axis_frame_t*` | out | FRAME | frames that are stored |
//! | `rd_addr`, `rd_data` | in, out | word, D | read port, [`RD_LATENCY`] clocks |
//! | `free_valid`, `free_words` | in | | the oldest words are free again |
//! | `stat_*` | out | | what was stored and dropped, and why |
//!
//! ## Pipeline
//! Stage 1 gathers W-bit beats into a D-bit word. Stage 2 writes it, or, at the last beat, decides. Frames begin at a new word.
//!
//! - A beat a clock; `s_axis_tready` is a register, and high always unless `cfg_backpressure` is set.
//! - With `cfg_backpressure` a frame begins only when one of `cfg_max_frame` bytes fits, so it never stops in the middle.
//! - Beyond `cfg_max_frame` nothing is written: an oversize frame takes no more room than a legal one.

use crate::build::{cat, clog2, lit, mux, Expr, Module, Sig};
use crate::bundle;
use crate::prim::{Fifo, Ram};
use pagetrain_formats::Config;

/// Clocks from `rd_addr` to `rd_data`.
pub const RD_LATENCY: usize = 2;
/// Frames that may be stored at a time.
pub const FRAMES: usize = 256;
/// Words that stay free, since what is free is known some clocks late.
const MARGIN: usize = 4;

/// A beat or word on its way, after a stage.
struct Word {
    valid: Sig,
    last: Sig,
    data: Sig,
    meta: Sig,
}

/// The stream's ready, and the clock in which a frame's last beat comes.
struct Input {
    ready: Sig,
    ends: Sig,
}

/// Builds the block.
pub fn frame_store(cfg: &Config) -> Module {
    let mut m = Module::new(
        "frame_store",
        "Keeps each frame whole, or not at all, until it has been copied.",
    );
    let words = cfg.ingress_bytes / cfg.d_bytes();
    let addr_w = bundle::store_word_bits(cfg);
    let meta = bundle::meta();
    let max_frame = m.input("cfg_max_frame", 14, "longest frame, in bytes");
    let backpressure = m.input(
        "cfg_backpressure",
        1,
        "stall rather than drop for want of room",
    );

    // Configuration in words; it is still while frames come.
    let round = cfg.d_bytes() - 1;
    let max_words = m.reg("max_words", addr_w);
    let log2 = cfg.log2_d_bytes();
    m.seq("the longest frame in words", |b| {
        let bytes = max_frame.zext(16) + lit(16, round as u128);
        b.set(&max_words, bytes.from_bit(log2).resize(addr_w));
    });

    let (word, input) = gather(&mut m, cfg);

    // Room: what is given back is added a little late, which is safe.
    let free_valid = m.input("free_valid", 1, "the oldest words are free again");
    let free_words = m.input("free_words", addr_w, "how many");
    let space_w = addr_w + 1;
    let space = m.reg_rst("space", space_w, words - MARGIN);
    let freed = m.reg_rst("freed", space_w, 0);
    let undone = m.reg_rst("undone", space_w, 0);
    let back = m.reg_rst("back", space_w, 0);
    let some = m.reg_rst("some", 1, 0);
    let wr = m.reg_rst("wr", addr_w, 0);
    let start = m.reg_rst("start", addr_w, 0);
    let count = m.reg_rst("count", addr_w, 0);
    let overflowed = m.reg_rst("overflowed", 1, 0);

    let frames = m.instance(
        "u_frames",
        Fifo::new(bundle::frame(cfg).width(), FRAMES)
            .almost_full(FRAMES - 4)
            .build(),
    );
    let in_limit = m.named("in_limit", count.lt(&max_words));
    let write = m.named("write", &word.valid & &in_limit & &some & !&overflowed);
    let short = m.named(
        "short",
        &overflowed | (&in_limit & !&some) | !frames.out("s_axis_tready"),
    );
    let bad = m.named("bad", meta.get(&word.meta, "bad"));
    let length = meta.get(&word.meta, "frame_len");
    let oversize = m.named("oversize", length.gt(max_frame.zext(16)));
    let ends = m.named("ends", &word.valid & &word.last);
    let keep = m.named("keep", &ends & !&bad & !&oversize & !&short);
    let next = m.named("next", &wr + write.zext(addr_w));
    m.seq("stage 2: write, and decide at the last beat", |b| {
        b.set(&wr, &next);
        b.when(&word.valid, |b| {
            b.set(&count, &count + write.zext(addr_w));
            b.set(&overflowed, &overflowed | (&in_limit & !&some));
        });
        b.when(&ends, |b| {
            b.set(&count, 0);
            b.set(&overflowed, 0);
            b.when_else(&keep, |b| b.set(&start, &next), |b| b.set(&wr, &start));
        });
    });
    m.seq("room", |b| {
        let of_frame = &count + write.zext(addr_w);
        b.set(&freed, mux(&free_valid, free_words.zext(space_w), 0));
        b.set(&undone, mux(&ends & !&keep, of_frame.zext(space_w), 0));
        b.set(&back, &freed + &undone);
        b.set(&space, &space - write.zext(space_w) + &back);
        b.set(&some, space.gt(1));
    });

    let ram = m.instance("u_words", Ram::new(cfg.dma_width, addr_w).out_reg().build());
    let rd_addr = m.input("rd_addr", addr_w, "word to read");
    let rd_data = m.output(
        "rd_data",
        cfg.dma_width,
        "the word, RD_LATENCY clocks later",
    );
    m.connect(&ram, "wr_en", &write);
    m.connect(&ram, "wr_addr", &wr);
    m.connect(&ram, "wr_data", &word.data);
    m.connect(&ram, "rd_en", 1);
    m.connect(&ram, "rd_out_en", 1);
    m.connect(&ram, "rd_addr", &rd_addr);
    m.connect_out(&ram, "rd_data", &rd_data);

    let frame_valid = m.output("m_axis_frame_tvalid", 1, "a frame is stored");
    let frame_ready = m.input("m_axis_frame_tready", 1, "");
    let frame_data = m.output("m_axis_frame_tdata", bundle::frame(cfg).width(), "FRAME");
    // FRAME is META and, above it, the first word.
    m.connect(&frames, "s_axis_tdata", cat(&[&start, &word.meta]));
    m.connect(&frames, "s_axis_tvalid", &keep);
    m.connect(&frames, "m_axis_tready", &frame_ready);
    m.connect_out(&frames, "m_axis_tvalid", &frame_valid);
    m.connect_out(&frames, "m_axis_tdata", &frame_data);

    stats(&mut m, &ends, &keep, &bad, &oversize, &length);
    let room = Room {
        space: &space,
        max_words: &max_words,
        frames_full: frames.out("almost_full"),
    };
    ready(&mut m, &backpressure, &room, &input);
    m
}

/// Stage 1: beats to words. A frame begins at lane 0.
fn gather(m: &mut Module, cfg: &Config) -> (Word, Input) {
    let (w, lanes) = (cfg.data_width, cfg.dma_width / cfg.data_width);
    let meta_w = bundle::meta().width();
    let data_in = m.input("s_axis_tdata", w, "frame, first byte in bits 7:0");
    let keep_in = m.input("s_axis_tkeep", w / 8, "not needed: META has the length");
    let valid_in = m.input("s_axis_tvalid", 1, "");
    let last_in = m.input("s_axis_tlast", 1, "last beat of the frame");
    let meta_in = m.input("s_axis_tmeta", meta_w, "META, with the last beat");
    m.unused(&keep_in, "META has the length");
    let beat = m.wire("beat", 1);
    let word = Word {
        valid: m.reg_rst("word_valid", 1, 0),
        last: m.reg("word_last", 1),
        data: m.reg("word_data", cfg.dma_width),
        meta: m.reg("word_meta", meta_w),
    };
    let lane = (lanes > 1).then(|| m.reg_rst("lane", clog2(lanes), 0));
    let full = lane.as_ref().map_or(lit(1, 1), |l| l.all());
    m.seq("stage 1: gather beats into a word", |b| {
        b.set(&word.valid, &beat & (&full | &last_in));
        b.when(&beat, |b| {
            b.set(&word.last, &last_in);
            b.set(&word.meta, &meta_in);
            match &lane {
                None => b.set(&word.data, &data_in),
                Some(lane) => {
                    for i in 0..lanes {
                        b.when(lane.eq(i), |b| {
                            b.set_bits(&word.data, i * w, data_in.expr())
                        });
                    }
                    b.set(lane, mux(&last_in, lit(lane.width(), 0), lane.expr() + 1));
                }
            }
        });
    });
    let ready = m.output_reg_rst("s_axis_tready", 1, 0, "");
    m.assign(&beat, &valid_in & &ready);
    let input = Input {
        ready,
        ends: m.named("last_beat", &beat & &last_in),
    };
    (word, input)
}

/// What decides whether another frame may begin.
struct Room<'a> {
    space: &'a Sig,
    max_words: &'a Sig,
    frames_full: Sig,
}

/// `s_axis_tready`: with back-pressure it falls after a last beat until a longest frame fits for certain.
fn ready(m: &mut Module, backpressure: &Sig, room: &Room, input: &Input) {
    let ready = &input.ready;
    let width = room.space.width();
    let fits = m.reg_rst("fits", 1, 0);
    let fits_two = m.reg_rst("fits_two", 1, 0);
    let settle = m.reg_rst("settle", 3, 0);
    let one: Expr = room.max_words.zext(width);
    m.seq("room for a longest frame, and for one more", |b| {
        let open = !&room.frames_full;
        b.set(&fits, &open & room.space.gt(one.clone()));
        b.set(
            &fits_two,
            &open & room.space.gt(one.shl(1) + lit(width, 2 * MARGIN as u128)),
        );
    });
    m.seq("ready", |b| {
        b.when(settle.any(), |b| b.set(&settle, &settle - 1));
        b.first(|c| {
            c.when(!backpressure, |b| b.set(ready, 1));
            c.when(&input.ends, |b| {
                b.set(ready, &fits_two);
                b.set(&settle, 7);
            });
            c.when(!ready & !settle.any(), |b| b.set(ready, &fits));
        });
    });
}

/// What was stored, what was dropped, and why.
fn stats(m: &mut Module, ends: &Sig, keep: &Sig, bad: &Sig, oversize: &Sig, length: &Expr) {
    let stored = m.output_reg_rst("stat_rx_frame", 1, 0, "pulse: a frame was stored");
    let len = m.output_reg("stat_rx_len", 16, "its length");
    let drop_bad = m.output_reg_rst("stat_drop_bad", 1, 0, "pulse: dropped, bad");
    let drop_oversize = m.output_reg_rst("stat_drop_oversize", 1, 0, "pulse: dropped, too long");
    let drop_overflow = m.output_reg_rst("stat_drop_overflow", 1, 0, "pulse: dropped, no room");
    m.seq("the first cause that fits", |b| {
        b.set(&stored, keep);
        b.set(&len, length);
        b.set(&drop_bad, ends & bad);
        b.set(&drop_oversize, ends & !bad & oversize);
        b.set(&drop_overflow, ends & !bad & !oversize & !keep);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for (data_width, dma_width) in [(64, 64), (64, 128), (128, 256), (512, 512)] {
            let cfg = Config {
                data_width,
                dma_width,
                ..Config::default()
            };
            crate::testkit::lint(&frame_store(&cfg));
        }
    }
}
