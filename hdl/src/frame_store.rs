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
//! - Timing: a beat a clock, also across frames; [`LATENCY`] clocks from a frame's last beat to `m_axis_frame_tvalid` when
//!   nothing waits. No path from an input to an output without a register.
//! - `s_axis_tready` is high always unless `cfg_backpressure` is set. Then a frame begins only when one of `cfg_max_frame`
//!   bytes fits for certain, so it never stops in the middle and is never dropped for want of room.
//! - Beyond `cfg_max_frame` nothing is written: an oversize frame takes no more room than a legal one.
//! - What is free is known a few clocks late, hence [`MARGIN`] words stay free. The words of a dropped frame are at hand
//!   again for the frame that follows directly.
//! - Cost at W = 64, D = 128, in the engine, ECP5's memory cells: 150 LUT4, 1353 FF, 84 CCU2C, 28 DP16KD (Yosys 0.70; registers
//!   at ports count for the engine).
//!
//! ## Pipeline
//! Stage 1 gathers W-bit beats into a D-bit word and judges the frame at its last beat. Stage 2 writes the word if there
//! is room, and decides at the last one: the write pointer moves on, or back to where the frame began. Stages 3 and 4
//! count the room, once as if the frame at hand were kept and once without it.

use crate::build::{cat, clog2, lit, mux, Instance, Module, Sig};
use crate::bundle;
use crate::prim::{Fifo, Ram};
use pagetrain_formats::Config;

/// Clocks from `rd_addr` to `rd_data`.
pub const RD_LATENCY: usize = 2;
/// Clocks from a frame's last beat to its record.
pub const LATENCY: usize = 2 + Fifo::new(1, FRAMES).latency();
/// Frames that may be stored at a time.
pub const FRAMES: usize = 512;
/// Words that stay free.
pub const MARGIN: usize = 4;

/// A word on its way, behind stage 1.
struct Word {
    valid: Sig,
    last: Sig,
    data: Sig,
    meta: Sig,
    /// With the last word: the frame is bad; too long.
    bad: Sig,
    oversize: Sig,
    /// Either of them, for the pointers, whose paths are long.
    refused: Sig,
}

/// Builds the block.
pub fn frame_store(cfg: &Config) -> Module {
    let mut m = Module::new(
        "frame_store",
        "Keeps each frame whole, or not at all, until it has been copied.",
    );
    let addr_w = bundle::store_word_bits(cfg);
    let max_frame = m.input("cfg_max_frame", 14, "longest frame, in bytes");
    let max_words = m.reg("max_words", addr_w);
    m.seq(
        "The longest frame in words; it is still while frames come",
        |b| {
            let bytes = max_frame.zext(16) + lit(16, cfg.d_bytes() as u128 - 1);
            b.set(
                &max_words,
                bytes.from_bit(cfg.log2_d_bytes()).resize(addr_w),
            );
        },
    );

    let ready = m.output_reg_rst("s_axis_tready", 1, 0, "");
    let (word, frame_ends) = gather(&mut m, cfg, &ready, &max_frame);
    let frames = m.instance(
        "u_frames",
        Fifo::new(bundle::frame(cfg).width(), FRAMES)
            .count()
            .unguarded()
            .build(),
    );
    let records_open = m.reg_rst("records_open", 1, 0);
    let records_room = m.reg_rst("records_room", 1, 0);
    m.seq(
        "Room for records: for one more frame to begin, for one that ends, with those on the way",
        |b| {
            b.set(&records_open, frames.out("count").lt(FRAMES - 16));
            b.set(&records_room, frames.out("count").lt(FRAMES - 4));
        },
    );
    let decision = decide(&mut m, cfg, &word, &max_words, &records_room);
    let known = room(&mut m, cfg, &decision);
    memory(&mut m, cfg, &word, &decision);
    announce(&mut m, cfg, &word, &decision, &frames);
    let room = (&known, &records_open);
    accept(&mut m, &ready, &frame_ends, &max_words, room);
    m
}

/// Stage 1: beats to words. A frame begins at lane 0.
fn gather(m: &mut Module, cfg: &Config, ready: &Sig, max_frame: &Sig) -> (Word, Sig) {
    let (w, lanes) = (cfg.data_width, cfg.dma_width / cfg.data_width);
    let meta = bundle::meta();
    let data_in = m.input("s_axis_tdata", w, "frame, first byte in bits 7:0");
    let keep_in = m.input("s_axis_tkeep", w / 8, "not needed: META has the length");
    let valid_in = m.input("s_axis_tvalid", 1, "");
    let last_in = m.input("s_axis_tlast", 1, "last beat of the frame");
    let meta_in = m.input("s_axis_tmeta", meta.width(), "META, with the last beat");
    m.unused(&keep_in, "META has the length");
    let beat = m.named("beat", &valid_in & ready);
    let word = Word {
        valid: m.reg_rst("word_valid", 1, 0),
        last: m.reg("word_last", 1),
        data: m.reg("word_data", cfg.dma_width),
        meta: m.reg("word_meta", meta.width()),
        bad: m.reg("word_bad", 1),
        oversize: m.reg("word_oversize", 1),
        refused: m.reg("word_refused", 1),
    };
    let lane = (lanes > 1).then(|| m.reg_rst("lane", clog2(lanes), 0));
    let full = lane.as_ref().map_or(lit(1, 1), |l| l.all());
    m.seq("Stage 1: gather beats into a word, judge the frame", |b| {
        b.set(&word.valid, &beat & (&full | &last_in));
        b.set(&word.last, &last_in);
        b.set(&word.meta, &meta_in);
        let bad = meta.get(&meta_in, "bad");
        let oversize = meta.get(&meta_in, "frame_len").gt(max_frame.zext(16));
        b.set(&word.refused, &bad | &oversize);
        b.set(&word.bad, bad);
        b.set(&word.oversize, oversize);
        match &lane {
            None => b.set(&word.data, &data_in),
            Some(lane) => {
                // Whether a beat is there is known late: a lane takes what comes until that is one.
                for i in 0..lanes {
                    b.when(lane.eq(i), |b| {
                        b.set_bits(&word.data, i * w, data_in.expr())
                    });
                }
                b.when(&beat, |b| {
                    b.set(lane, mux(&last_in, lit(lane.width(), 0), lane.expr() + 1));
                });
            }
        }
    });
    let ends = m.named("frame_ends", &beat & &last_in);
    (word, ends)
}

/// What becomes of a word, and of the frame at its last.
struct Decision {
    /// The word is written at `wr`.
    write: Sig,
    wr: Sig,
    /// Word at which the frame began.
    start: Sig,
    ends: Sig,
    keep: Sig,
    drop: Sig,
    /// There is room for a word; for a few, if the frame at hand is dropped.
    some: Sig,
    some_kept: Sig,
}

/// Stage 2: write a word, decide at the last.
fn decide(
    m: &mut Module,
    cfg: &Config,
    word: &Word,
    max_words: &Sig,
    records_room: &Sig,
) -> Decision {
    let addr_w = bundle::store_word_bits(cfg);
    let wr = m.reg_rst("wr", addr_w, 0);
    let wr_1 = m.reg_rst("wr_1", addr_w, 1);
    let start = m.reg_rst("start", addr_w, 0);
    let start_1 = m.reg_rst("start_1", addr_w, 1);
    let left = m.reg("left", addr_w);
    let in_limit = m.reg_rst("in_limit", 1, 1);
    let first = m.reg_rst("first_word", 1, 1);
    let overflowed = m.reg_rst("overflowed", 1, 0);
    let some = m.reg_rst("some", 1, 0);
    let some_kept = m.reg_rst("some_kept", 1, 0);
    let regained = m.reg_rst("regained", 1, 0);

    let may = m.named("may_write", &some | &regained);
    let fits = m.named("fits_here", &in_limit & &may & !&overflowed);
    let write = m.named("write", &word.valid & &fits);
    let ends = m.named("ends", &word.valid & &word.last);
    let keep = m.named("keep", &ends & &fits & !&word.refused & records_room);
    let drop = m.named("drop", &ends & !&keep);
    let wr_2 = m.named("wr_2", &wr_1 + 1);
    m.seq(
        "Stage 2: write a word; at the last one go on, or back to where the frame began",
        |b| {
            b.comment("The word behind each stands beside it, for what is decided comes late");
            b.set(&wr, mux(&drop, &start, mux(&write, &wr_1, &wr)));
            b.set(&wr_1, mux(&drop, &start_1, mux(&write, &wr_2, &wr_1)));
            b.when(&keep, |b| {
                b.set(&start, &wr_1);
                b.set(&start_1, &wr_2);
            });
            b.when(&word.valid, |b| {
                b.comment("Words that the frame may still write; the first one always may");
                b.set(&left, mux(&first, max_words.expr(), left.expr()) - 1);
                b.set(
                    &in_limit,
                    &word.last | mux(&first, max_words.ne(1), left.ne(1)),
                );
                b.set(&first, &word.last);
                b.set(
                    &overflowed,
                    !&word.last & (&overflowed | (&in_limit & !&may)),
                );
            });
        },
    );

    let dropped = m.reg_rst("dropped", 1, 0);
    let kept = m.regs_rst("kept", 2, 1, 0);
    m.seq("Behind a dropped frame its room counts as soon as the next one comes, unless one was kept just before", |b| {
        b.set(&dropped, &drop);
        b.set(&kept[0], &keep);
        b.set(&kept[1], &kept[0]);
        let lately = &kept[0] | &kept[1];
        b.set(&regained, (&drop | &dropped) & &some_kept & !lately);
    });
    Decision {
        write,
        wr,
        start,
        ends,
        keep,
        drop,
        some,
        some_kept,
    }
}

/// Stages 3 and 4: free words, as known two clocks after a write. Returns them, the frame at hand counted.
fn room(m: &mut Module, cfg: &Config, decision: &Decision) -> Sig {
    let words = cfg.ingress_bytes / cfg.d_bytes();
    let addr_w = bundle::store_word_bits(cfg);
    let width = addr_w + 1;
    let free_valid = m.input("free_valid", 1, "the oldest words are free again");
    let free_words = m.input("free_words", addr_w, "how many");
    let freed = m.reg_rst("freed", width, 0);
    let change = m.reg_rst("change", width, 0);
    let keep = m.reg_rst("room_keep", 1, 0);
    let drop = m.reg_rst("room_drop", 1, 0);
    let now = m.reg_rst("room_now", width, words - MARGIN);
    let without = m.reg_rst("room_without", width, words - MARGIN);
    m.seq("Stage 3: what a clock gives and takes", |b| {
        let given = free_valid.repeat(addr_w) & &free_words;
        b.set(&freed, given.zext(width));
        b.set(&change, given.zext(width) - decision.write.zext(width));
        b.set(&keep, &decision.keep);
        b.set(&drop, &decision.drop);
    });
    let if_kept = m.named("room_if_kept", &now + &change);
    let if_not = m.named("room_if_not", &without + &freed);
    m.seq(
        "Stage 4: room with the words of the frame at hand, and without",
        |b| {
            b.set(&now, mux(&drop, &if_not, &if_kept));
            b.set(&without, mux(&keep, &if_kept, &if_not));
            b.set(&decision.some, now.from_bit(2).any());
            b.set(&decision.some_kept, without.from_bit(3).any());
        },
    );
    now
}

/// The words.
fn memory(m: &mut Module, cfg: &Config, word: &Word, decision: &Decision) {
    let addr_w = bundle::store_word_bits(cfg);
    let wr_en = m.reg_rst("wr_en", 1, 0);
    let wr_addr = m.reg("wr_addr", addr_w);
    let wr_data = m.reg("wr_data", cfg.dma_width);
    m.seq(
        "Stage 3: the memories are far apart, so they are written from registers",
        |b| {
            b.set(&wr_en, &decision.write);
            b.set(&wr_addr, &decision.wr);
            b.set(&wr_data, &word.data);
        },
    );
    let ram = m.instance("u_words", Ram::new(cfg.dma_width, addr_w).out_reg().build());
    let rd_addr = m.input("rd_addr", addr_w, "word to read");
    let rd_data = m.output(
        "rd_data",
        cfg.dma_width,
        "the word, RD_LATENCY clocks later",
    );
    m.connect(&ram, "wr_en", &wr_en);
    m.connect(&ram, "wr_addr", &wr_addr);
    m.connect(&ram, "wr_data", &wr_data);
    m.connect(&ram, "rd_en", 1);
    m.connect(&ram, "rd_out_en", 1);
    m.connect(&ram, "rd_addr", &rd_addr);
    m.connect_out(&ram, "rd_data", &rd_data);
}

/// Records of stored frames; what was stored, what was dropped, and why.
fn announce(m: &mut Module, cfg: &Config, word: &Word, decision: &Decision, frames: &Instance) {
    let frame = bundle::frame(cfg);
    let valid = m.output("m_axis_frame_tvalid", 1, "a frame is stored");
    let ready = m.input("m_axis_frame_tready", 1, "");
    let data = m.output("m_axis_frame_tdata", frame.width(), "FRAME");
    // FRAME is META and, above it, the first word.
    let pushed = m.reg_rst("record_valid", 1, 0);
    let record = m.reg("record", frame.width());
    m.seq("Stage 3: record of a frame that is kept", |b| {
        b.set(&pushed, &decision.keep);
        b.set(&record, cat(&[&decision.start, &word.meta]));
    });
    m.connect(frames, "s_axis_tdata", &record);
    m.connect(frames, "s_axis_tvalid", &pushed);
    m.connect(frames, "m_axis_tready", &ready);
    m.connect_out(frames, "m_axis_tvalid", &valid);
    m.connect_out(frames, "m_axis_tdata", &data);

    let stored = m.output_reg_rst("stat_rx_frame", 1, 0, "pulse: a frame was stored");
    let len = m.output_reg("stat_rx_len", 16, "its length");
    let drop_bad = m.output_reg_rst("stat_drop_bad", 1, 0, "pulse: dropped, bad");
    let drop_oversize = m.output_reg_rst("stat_drop_oversize", 1, 0, "pulse: dropped, too long");
    let drop_overflow = m.output_reg_rst("stat_drop_overflow", 1, 0, "pulse: dropped, no room");
    m.seq("The first cause that fits", |b| {
        let (bad, oversize) = (&word.bad, &word.oversize);
        b.set(&stored, &decision.keep);
        b.set(&len, bundle::meta().get(&word.meta, "frame_len"));
        b.set(&drop_bad, &decision.ends & bad);
        b.set(&drop_oversize, &decision.ends & !bad & oversize);
        b.set(&drop_overflow, &decision.drop & !bad & !oversize);
    });
}

/// `s_axis_tready`: with back-pressure it falls after a last beat until a longest frame fits for certain.
fn accept(
    m: &mut Module,
    ready: &Sig,
    frame_ends: &Sig,
    max_words: &Sig,
    (known, open): (&Sig, &Sig),
) {
    let backpressure = m.input(
        "cfg_backpressure",
        1,
        "stall rather than drop for want of room",
    );
    let width = known.width();
    let need = m.reg("need", width);
    let fits = m.reg_rst("fits", 1, 0);
    m.seq(
        "Room for a longest frame, and for the words on their way that are not counted yet",
        |b| {
            b.set(
                &need,
                max_words.zext(width) + lit(width, 2 * MARGIN as u128),
            );
            b.set(&fits, open & known.ge(&need));
            b.first(|c| {
                c.when(!&backpressure, |b| b.set(ready, 1));
                c.when(frame_ends | !ready, |b| b.set(ready, &fits));
            });
        },
    );
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
