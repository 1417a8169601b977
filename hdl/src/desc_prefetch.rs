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
//! | `tail`, `head` | in, out | 16 | doorbell; descriptors read so far |
//! | `m_ar_*`, `s_r_*` | | AR, RD | read bursts, in order |
//! | `sb0_*`, `sb1_*`, `sb_pop` | | SMALL | the two oldest small buffers, how many are taken |
//! | `sb_count`, `cfg_top_up` | out, in | 6, 1 | how many are at hand; fetch until at most two more would fit |
//! | `pg_*`, `pg_pop`, `pg_room` | | PAGE | the oldest page, taken; bytes in all pages at hand |
//! | `bad_t*` | out | cookie | a bad descriptor |
//! | `drained` | out | 1 | nothing posted is left in ring or FIFO |
//!
//! - Timing: a descriptor is offered [`latency`] clocks after the beat that completes it, when none is at hand; then one a clock.
//!
//! ## Pipeline
//! A fetch reads up to the end of a 64-byte line (four descriptors), so that bursts never cross 4 KiB. Beats wait in a
//! FIFO that holds all that may be under way. Then, one descriptor a clock: cut it out of the beat; compute its room;
//! judge it; store it in the FIFO of good ones or of bad ones.
//!
//! - `head` counts descriptors whose data have come, not requests: a host that writes its next descriptor over one that
//!   was only asked for would lose a buffer.
//! - A whole line is asked for when it fits, so that up to three places may stay empty. `cfg_top_up`: a line is cut where that
//!   would leave three, so that 30 small buffers are at hand when as many are posted: what the longest segment needs that
//!   may be cut at the edges of pages.
//! - A read error poisons the block: nothing that came with or after it is ever offered (the engine halts).
//! - `pg_room` and the FIFO's head change in the same clock. An addition waits for a subtraction, so that one adder does.

mod fetch;
mod judge;
mod offer;
mod unpack;

use crate::build::Module;
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

/// Clocks from the last beat of a descriptor to its offer, when none is at hand.
pub fn latency(cfg: &Config, kind: Kind) -> usize {
    unpack::waiting(cfg).latency() + unpack::LATENCY + judge::LATENCY + offer::latency(kind)
}

/// Builds the block for one ring.
pub fn desc_prefetch(cfg: &Config, kind: Kind) -> Module {
    let (name, doc) = match kind {
        Kind::Small => (
            "small_prefetch",
            "Keeps the oldest posted small buffers at hand.",
        ),
        Kind::Page => ("page_prefetch", "Keeps the oldest posted pages at hand."),
    };
    let mut m = Module::new(name, doc);
    let fetch = fetch::fetch(&mut m, cfg, kind);
    let raw = unpack::unpack(&mut m, cfg, &fetch);
    let judged = judge::judge(&mut m, cfg, kind, &raw);
    offer::offer(&mut m, kind, &fetch, &judged);
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for dma_width in [64, 128, 512] {
            let cfg = Config {
                dma_width,
                ..Config::default()
            };
            crate::testkit::lint(&desc_prefetch(&cfg, Kind::Small));
            crate::testkit::lint(&desc_prefetch(&cfg, Kind::Page));
        }
    }
}
