//! Cuts descriptors out of read beats, one a clock.

use super::fetch::Fetch;
use super::DEPTH;
use crate::build::{cat, mux, Expr, Module, Sig};
use crate::prim::Fifo;
use pagetrain_formats::{Config, DESCRIPTOR_BYTES};

/// A descriptor as it lies in memory.
pub(super) struct Raw {
    pub valid: Sig,
    /// 16 bytes, the first in bits 7:0.
    pub desc: Sig,
}

/// Clocks from a whole descriptor to `raw_valid`.
pub(super) const LATENCY: usize = 1;

/// Beats that wait. A descriptor occupies at most one, or two of 64 bits.
pub(super) fn waiting(cfg: &Config) -> Fifo {
    let beats = match cfg.dma_width < 8 * DESCRIPTOR_BYTES {
        true => 2 * DEPTH,
        false => DEPTH,
    };
    Fifo::new(cfg.dma_width, beats).unguarded()
}

pub(super) fn unpack(m: &mut Module, cfg: &Config, f: &Fetch) -> Raw {
    let desc_bits = 8 * DESCRIPTOR_BYTES;
    // No more is asked for than fits, and a burst brings at least one descriptor.
    let fifo = m.instance("u_beats", waiting(cfg).build());
    m.connect(&fifo, "s_axis_tdata", &f.r_data);
    m.connect(&fifo, "s_axis_tvalid", &f.r_valid);
    let bursts = m.instance("u_bursts", Fifo::new(5, DEPTH).unguarded().build());
    m.connect(&bursts, "s_axis_tdata", cat(&[&f.first, &f.count]));
    m.connect(&bursts, "s_axis_tvalid", &f.burst);

    let busy = m.reg_rst("busy", 1, 0);
    let place = m.reg("place", 2);
    let left = m.reg("left", 3);
    let valid = m.reg_rst("raw_valid", 1, 0);
    let desc = m.reg("raw_desc", desc_bits);
    let beat = fifo.out("m_axis_tdata");
    let there = m.named("there", &busy & fifo.out("m_axis_tvalid"));
    let next_burst = m.named("next_burst", !&busy & bursts.out("m_axis_tvalid"));
    let info = bursts.out("m_axis_tdata");
    m.connect(&bursts, "m_axis_tready", &next_burst);
    // `cut`: a whole descriptor is there. `pop`: nothing more is wanted of the beat that is there or comes.
    let last = m.reg("last", 1);
    let (cut, pop, value): (Expr, Expr, Expr) = if cfg.dma_width < desc_bits {
        let low = m.reg("low", cfg.dma_width);
        let second = m.reg_rst("second", 1, 0);
        m.seq("the first half waits for the second", |b| {
            b.when(&there, |b| {
                b.set(&second, !&second);
                b.set(&low, &beat);
            });
        });
        (&there & &second, busy.expr(), cat(&[&beat, &low]))
    } else {
        let per_beat = cfg.dma_width / desc_bits;
        let in_beat = per_beat.ilog2() as usize;
        if per_beat == 1 {
            (there.expr(), busy.expr(), beat.expr())
        } else {
            let at = place.bits(0, in_beat);
            let parts: Vec<Expr> = (0..per_beat).map(|i| beat.part(i, desc_bits)).collect();
            let value = parts
                .iter()
                .enumerate()
                .skip(1)
                .fold(parts[0].clone(), |v, (i, p)| mux(at.eq(i), p, v));
            let pop = m.reg_rst("pop", 1, 0);
            let next_at = (&place + 1).bits(0, in_beat);
            m.seq("the enable of a whole beat: known a clock before", |b| {
                b.when(&next_burst, |b| {
                    b.set(&pop, info.bits(0, 3).eq(1) | info.bits(3, in_beat).all());
                });
                b.when(&there, |b| {
                    b.set(&pop, !&last & (left.eq(2) | next_at.all()))
                });
            });
            (there.expr(), pop.expr(), value)
        }
    };
    m.connect(&fifo, "m_axis_tready", &pop);
    m.seq("one descriptor a clock, burst after burst", |b| {
        b.set(&valid, &cut & !&f.poisoned);
        b.set(&desc, &value);
        b.when(&valid, |b| b.set(&f.head, &f.head + 1));
        b.when(&next_burst, |b| {
            b.set(&busy, 1);
            b.set(&place, info.bits(3, 2));
            b.set(&left, info.bits(0, 3));
            b.set(&last, info.bits(0, 3).eq(1));
        });
        b.when(&cut, |b| {
            b.set(&place, &place + 1);
            b.set(&left, &left - 1);
            b.set(&last, left.eq(2));
            b.when(&last, |b| {
                b.set(&busy, 0);
            });
        });
    });
    Raw { valid, desc }
}
