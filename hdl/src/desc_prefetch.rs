//! Descriptor prefetch: keeps the oldest posted buffers of one ring at hand.
//!
//! Contract: descriptors leave in ring order, each once. A descriptor that breaks the rules of the contract
//! (section 5) never reaches the buffer outputs: its cookie goes to `bad` instead, so that it comes back to the host.
//! What was fetched and not yet taken never exceeds [`DEPTH`], so read data are always accepted.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `enable` | in | 1 | fetch |
//! | `quiesce`, `idle` | in, out | 1 | start no burst; no burst is under way |
//! | `cfg_base`, `cfg_log2` | in | 64, 4 | the ring |
//! | `tail`, `head` | in, out | 16 | doorbell; descriptors fetched so far |
//! | `m_ar_*`, `s_r_*` | | AR, RD | read bursts, in order |
//! | `sb0_*`, `sb1_*`, `sb_pop` | | SMALL | the two oldest small buffers, how many are taken |
//! | `pg_*`, `pg_pop`, `pg_room` | | PAGE | the oldest page, taken; bytes in all pages at hand |
//! | `bad_t*` | out | cookie | a bad descriptor |
//! | `drained` | out | 1 | nothing posted is left in ring or FIFO |
//!
//! ## Pipeline
//! A fetch reads up to the end of a 64-byte line (four descriptors), so that bursts never cross 4 KiB. Beats wait in a
//! FIFO that holds all that may be under way. Then, one descriptor a clock: cut it out of the beat; compute its room;
//! judge it; store it in the FIFO of good ones or of bad ones.
//!
//! - A read error poisons the block: nothing that came with or after it is ever offered (the engine halts).
//! - `pg_room` and the FIFO's head change in the same clock. An addition waits for a subtraction, so that one adder does.

use crate::build::{cat, clog2, lit, mux, Expr, Module, Sig};
use crate::bundle::{self, Bundle};
use crate::prim::fifo::{fifo, FifoSpec};
use pagetrain_formats::Config;

/// Which ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 256-byte small buffers.
    Small,
    /// Pages.
    Page,
}

/// Descriptors that may be fetched and not yet taken.
pub const DEPTH: usize = 32;
/// Smallest room of a page that is accepted, in bytes.
const MIN_ROOM: u128 = 1024;
/// Bytes of a fetch line, and descriptors in it.
const LINE: usize = 64;
const PER_LINE: usize = 4;

/// Builds the block for one ring.
pub fn desc_prefetch(cfg: &Config, kind: Kind) -> Module {
    let name = match kind {
        Kind::Small => "small_prefetch",
        Kind::Page => "page_prefetch",
    };
    let mut m = Module::new(name, "Keeps the oldest posted buffers of a ring at hand.");
    let fetch = fetch(&mut m, cfg);
    let desc = unpack(&mut m, cfg, &fetch);
    let judged = judge(&mut m, cfg, kind, &desc);
    offer(&mut m, kind, &fetch, &judged);
    m
}

/// What the fetch side tells the rest.
struct Fetch {
    enable_poison: Sig,
    /// Read data as it comes.
    r_valid: Sig,
    r_data: Expr,
    /// A burst that was asked for: first descriptor of its line, how many.
    burst: Sig,
    first: Sig,
    count: Sig,
    /// A burst's last descriptor was cut out.
    burst_done: Sig,
    /// Descriptors that left the block in this clock (0 to 3).
    taken: Sig,
    nothing_posted: Sig,
    held: Sig,
}

/// Asks for descriptors, a line or what is posted of it at a time, as long as there is room for them.
fn fetch(m: &mut Module, cfg: &Config) -> Fetch {
    let beat = cfg.dma_width as usize / 8;
    let enable = m.input("enable", 1, "fetch descriptors");
    let quiesce = m.input("quiesce", 1, "start no burst");
    let idle = m.output_reg_rst("idle", 1, 0, "no burst is under way");
    let base = m.input("cfg_base", 64, "ring: bus address");
    let log2 = m.input("cfg_log2", 4, "ring: log2 of its descriptors");
    let tail = m.input("tail", 16, "doorbell: descriptors posted so far");
    let head = m.output_reg_rst("head", 16, 0, "descriptors fetched so far");
    let ar_valid = m.output_reg_rst("m_ar_tvalid", 1, 0, "read burst");
    let ar_ready = m.input("m_ar_tready", 1, "");
    let ar = bundle::ar();
    let ar_data = m.output_reg("m_ar_tdata", ar.width(), "AR");
    let r_valid = m.input("s_r_tvalid", 1, "read data, always taken");
    let rd = bundle::rd(cfg.dma_width as usize);
    let r_data = m.input("s_r_tdata", rd.width(), "RD");
    let r_err = m.input("s_r_err", 1, "this beat's response was not OKAY");

    let taken = m.wire("taken", 2);
    let burst_done = m.wire("burst_done", 1);
    let burst = m.reg_rst("burst", 1, 0);
    let first = m.reg("first", 2);
    let count = m.reg("count", 3);
    let held = m.reg_rst("held", clog2(DEPTH) + 1, 0);
    let poisoned = m.reg_rst("poisoned", 1, 0);
    let under_way = m.reg_rst("under_way", 4, 0);

    // One burst every few clocks is plenty: a burst brings four descriptors.
    let posted = m.reg("posted", 16);
    let to_line_end = m.named("to_line_end", lit(3, PER_LINE as u128) - head.bits(0, 2).zext(3));
    let some = m.reg_rst("some", 1, 0);
    let room = m.reg_rst("room", 1, 0);
    let n = m.reg("n", 3);
    let index = m.reg("index", 16);
    let states: Vec<Sig> = m.states("ST", &["LOOK", "COUNT", "DECIDE", "ADDRESS"]);
    let [look, counted, decide, address] = &states[..] else {
        unreachable!("four states were named")
    };
    let state = m.reg_rst("state", 2, 0);
    let mask = m.named("mask", !lit(16, 0xffff).shl_by(&log2));
    let lines_addr = |first_desc: Expr| {
        // Down to the beat that holds the first descriptor.
        let bytes = cat(&[first_desc, lit(4, 0)]);
        let low = clog2(beat);
        if low <= 4 {
            bytes
        } else {
            cat(&[bytes.from_bit(low), lit(low, 0)])
        }
    };
    let beats = beats_of_burst(beat, &head.bits(0, 2), &n);
    m.seq("fetch: look what is posted, ask for it if it fits", |b| {
        b.set(&burst, 0);
        b.when(&ar_ready, |b| {
            b.set(&ar_valid, 0);
        });
        b.switch(&state, |s| {
            s.case(look, |b| {
                b.set(&posted, &tail - &head);
                b.set(&room, held.le(DEPTH - PER_LINE));
                b.set(&state, counted);
            });
            s.case(counted, |b| {
                b.set(&some, posted.any() & &enable & &room & !&poisoned);
                b.set(
                    &n,
                    mux(
                        posted.lt(to_line_end.zext(16)),
                        posted.bits(0, 3),
                        &to_line_end,
                    ),
                );
                b.set(&index, &head & &mask);
                b.set(&state, decide);
            });
            s.case(decide, |b| {
                b.set(&state, look);
                b.when(&some & !&quiesce & (!&ar_valid | &ar_ready), |b| {
                    b.set(&state, address);
                });
            });
            s.case(address, |b| {
                b.set(&state, look);
                b.set(&ar_valid, 1);
                b.set(
                    &ar_data,
                    ar.pack(&[
                        ("addr", &base + lines_addr(index.expr()).zext(64)),
                        ("len", beats.zext(8)),
                    ]),
                );
                b.set(&head, &head + n.zext(16));
                b.set(&burst, 1);
                b.set(&first, head.bits(0, 2));
                b.set(&count, &n);
            });
        });
    });
    let width = held.width();
    m.seq("what is held: asked for and not yet taken", |b| {
        let more = mux(&burst, count.zext(width), 0);
        b.set(&held, &held + more - taken.zext(width));
        b.set(
            &under_way,
            &under_way + burst.zext(4) - burst_done.zext(4),
        );
        b.when(&r_valid & &r_err, |b| {
            b.set(&poisoned, 1);
        });
    });
    let answered = answered(m, &rd, &r_valid, &r_data, &burst);
    m.seq("idle: every burst was answered to its end", |b| {
        b.set(
            &idle,
            !&ar_valid & !&burst & state.ne(address) & &answered,
        );
    });
    let nothing_posted = m.named("nothing_posted", tail.eq(&head));
    Fetch {
        enable_poison: poisoned,
        r_valid,
        r_data: r_data.expr(),
        burst,
        first,
        count,
        burst_done,
        taken,
        nothing_posted,
        held,
    }
}

/// Beats - 1 of a burst of `n` descriptors that starts at descriptor `first` of its line.
fn beats_of_burst(beat: usize, first: &Expr, n: &Sig) -> Expr {
    let last = first.zext(4) + n.zext(4) - 1;
    match beat {
        8 => cat(&[last, lit(1, 1)]) - cat(&[first.zext(4), lit(1, 0)]),
        _ => {
            let per_beat = clog2(beat / 16);
            (last.shr(per_beat) - first.zext(4).shr(per_beat)).zext(5)
        }
    }
}
