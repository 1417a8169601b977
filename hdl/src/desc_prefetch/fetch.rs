//! Asks for descriptors: up to the end of a 64-byte line at a time, as long as there is room for them.

use super::{Kind, DEPTH};
use crate::build::{cat, clog2, lit, mux, Expr, Module, Sig};
use crate::bundle;
use pagetrain_formats::{Config, DESCRIPTOR_BYTES};

/// Descriptors of a 64-byte line.
const PER_LINE: usize = 4;

/// What the fetch side shares with the rest.
pub(super) struct Fetch {
    /// A read response was an error: nothing is to be trusted any more.
    pub poisoned: Sig,
    /// A read beat.
    pub r_valid: Sig,
    /// Its data.
    pub r_data: Expr,
    /// A burst was asked for: the place of its first descriptor in the line, how many.
    pub burst: Sig,
    pub first: Sig,
    pub count: Sig,
    /// To be driven: descriptors that leave the block in this clock.
    pub taken: Sig,
    /// To be driven: descriptors that have arrived.
    pub head: Sig,
}

/// Beats - 1 of the burst that brings `n` descriptors of a line from descriptor `first` on.
fn beats_less_one(beat: usize, first: &Expr, n: &Sig) -> Expr {
    let (first, last) = (first.zext(3), first.zext(3) + n - 1);
    match (beat / DESCRIPTOR_BYTES).checked_ilog2() {
        // Two beats a descriptor.
        None => cat(&[(last - first), lit(1, 1)]).zext(8),
        Some(log2) => (last.shr(log2 as usize) - first.shr(log2 as usize)).zext(8),
    }
}

pub(super) fn fetch(m: &mut Module, cfg: &Config, kind: Kind) -> Fetch {
    let rd = bundle::rd(cfg.dma_width);
    let ar = bundle::ar();
    let enable = m.input("enable", 1, "fetch descriptors");
    let quiesce = m.input("quiesce", 1, "start no burst");
    let idle = m.output_reg_rst("idle", 1, 0, "no burst is under way");
    let base = m.input("cfg_base", 64, "ring: bus address");
    let log2 = m.input("cfg_log2", 4, "ring: log2 of its descriptors");
    let tail = m.input("tail", 16, "doorbell: descriptors posted so far");
    let head = m.output_reg_rst(
        "head",
        16,
        0,
        "descriptors read so far: the host may use their places",
    );
    let ar_valid = m.output_reg_rst("m_ar_tvalid", 1, 0, "read burst");
    let ar_ready = m.input("m_ar_tready", 1, "");
    let ar_data = m.output_reg("m_ar_tdata", ar.width(), "AR");
    let r_valid = m.input("s_r_tvalid", 1, "read beat, always taken");
    let r_data = m.input("s_r_tdata", rd.width(), "RD");
    let r_err = m.input("s_r_err", 1, "the beat's response was not OKAY");
    let drained = m.output_reg_rst("drained", 1, 0, "all that was posted has been taken");

    // Ahead of `head` by what is under way: only data that have come may be overwritten by the host.
    let asked = m.reg_rst("asked", 16, 0);
    let taken = m.wire("taken", 2);
    let gone = m.reg_rst("gone", 2, 0);
    let burst = m.reg_rst("burst", 1, 0);
    let first = m.reg("first", 2);
    let count = m.reg("count", 3);
    let held = m.reg_rst("held", clog2(DEPTH) + 1, 0);
    let poisoned = m.reg_rst("poisoned", 1, 0);
    let open_bursts = m.reg_rst("open_bursts", clog2(DEPTH) + 1, 0);

    // A burst brings up to four descriptors, so one every five clocks is plenty.
    let posted = m.reg("posted", 16);
    let n = m.reg("n", 3);
    let any = m.reg_rst("any", 1, 0);
    let offset = m.reg("offset", 16 + 4);
    let to_end = m.named(
        "to_end",
        lit(3, PER_LINE as u128) - asked.bits(0, 2).zext(3),
    );
    // With one place more taken than leaves room for a line, three descriptors fit.
    let tight = (kind == Kind::Small).then(|| {
        let top_up = m.input("cfg_top_up", 1, "fetch until two places at most are empty");
        m.named("tight", &top_up & held.eq(DEPTH - PER_LINE + 1))
    });
    let roomy = held.le(DEPTH - PER_LINE);
    let roomy = tight.iter().fold(roomy, |e, tight| e | tight);
    let st: Vec<Sig> = m.states("ST", &["LOOK", "COUNT", "DECIDE", "ASK"]);
    let state = m.reg_rst("state", 2, 0);
    let mask = m.named("mask", !lit(16, 0xffff).shl_by(&log2));
    let beat_bits = cfg.log2_d_bytes();
    let beats = beats_less_one(cfg.d_bytes(), &asked.bits(0, 2), &n);
    m.seq(
        "look what is posted; count it; ask for it if it fits",
        |b| {
            b.set(&burst, 0);
            b.when(&ar_ready, |b| {
                b.set(&ar_valid, 0);
            });
            b.switch(&state, |s| {
                s.case(&st[0], |b| {
                    b.set(&posted, &tail - &asked);
                    b.set(&state, &st[1]);
                });
                s.case(&st[1], |b| {
                    b.set(&any, posted.any() & &enable & roomy & !&poisoned);
                    let part = posted.lt(to_end.zext(16));
                    let whole = mux(part, posted.bits(0, 3), &to_end);
                    let less = |whole: Expr, tight: &Sig| {
                        mux(tight & whole.bit(2), lit(3, PER_LINE as u128 - 1), whole)
                    };
                    b.set(&n, tight.iter().fold(whole, less));
                    // Down to the beat in which the first descriptor lies.
                    let bytes = cat(&[&asked & &mask, lit(4, 0)]);
                    b.set(&offset, bytes.shr(beat_bits).shl(beat_bits));
                    b.set(&state, &st[2]);
                });
                s.case(&st[2], |b| {
                    b.set(&state, &st[0]);
                    b.when(&any & !&quiesce & (!&ar_valid | &ar_ready), |b| {
                        b.set(&state, &st[3]);
                    });
                });
                s.default(|b| {
                    b.set(&state, &st[0]);
                    b.set(&ar_valid, 1);
                    let addr = &base + offset.zext(64);
                    b.set(&ar_data, ar.pack(&[("addr", addr), ("len", beats)]));
                    b.set(&asked, &asked + n.zext(16));
                    b.set(&burst, 1);
                    b.set(&first, asked.bits(0, 2));
                    b.set(&count, &n);
                });
            });
        },
    );

    let width = held.width();
    let r_last = m.named("r_last", &r_valid & rd.get(&r_data, "last"));
    m.seq("what was asked for and has not left", |b| {
        let more = mux(&burst, count.zext(width), 0);
        b.comment("A place is free a clock after its descriptor was taken");
        b.set(&gone, &taken);
        b.set(&held, &held + more - gone.zext(width));
        b.set(
            &open_bursts,
            &open_bursts + burst.zext(width) - r_last.zext(width),
        );
        b.set(&idle, !open_bursts.any() & !&burst & state.ne(&st[3]));
        b.set(&drained, tail.eq(&asked) & !held.any() & !&burst);
        b.when(&r_valid & &r_err, |b| {
            b.set(&poisoned, 1);
        });
    });
    Fetch {
        poisoned,
        r_valid,
        r_data: rd.get(&r_data, "data"),
        burst,
        first,
        count,
        taken,
        head,
    }
}
