//! Train: decides what happens to each stored frame, and the only place where events get their order.
//!
//! Contract: `docs/src/design.md`, section 3: which packets join a train, when trains close and why, where bytes go, and
//! in which order the completion ring learns of it. Every event is reported once on the trace port, in the clock in
//! which its effects begin.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `s_axis_frame_t*` | in | FRAME | stored frames |
//! | `key`, `hit` to `new_slot`, `upd_*` | | KEY | to and from flow_table |
//! | `sb0*`, `sb1*`, `sb_count`, `sb_pop`, `sb_drained` | | SMALL | posted small buffers: the two oldest, how many there are, how many are taken |
//! | `pg*`, `pg_drained` | | PAGE | posted pages |
//! | `s_axis_bad_small_t*`, `s_axis_bad_page_t*` | in | cookie | bad descriptors |
//! | `cmd_valid`, `cmd_op`, `cmd_done`, `flush_key` | | | commands; `cmd_valid` falls with `cmd_done` |
//! | `halted` | in | 1 | frames are discarded, nothing else happens, nothing goes out |
//! | `cfg_*`, `tick` | in | | registers; pulse every tick |
//! | `m_axis_cmd_t*` | out | CMD | copies, to dma_write |
//! | `rec_*` | | | records, to completion's memory |
//! | `m_axis_emit_t*` | out | EMIT | what goes to the completion ring |
//! | `stat_*` | out | | trace port, counters |
//!
//! - Timing: [`CLOCKS_A_FRAME`] clocks a frame or other event; one more with a second small buffer; three for each
//!   further page. Everything else (closing, eviction, releasing pages) runs beside it.
//! - A segment that is cut at the edges of pages takes up to [`CLOCKS_A_CUT`] clocks more for each, or what dma_write
//!   needs for its payload and headers; timers and commands wait for all of it.
//! - Parameters: `flows`, `train_entries`, `dma_width`, `ingress_bytes`.
//! - A timer is served at most [`TIMER_SLACK`] clocks after its tick, if buses and rings take what they are given.
//!
//! ## Pipeline
//! One operation (a frame, a timer, a step of a command, a bad descriptor) after the other goes through
//! 1. *slot*: whose state; a frame is taken now, with what [`decide`] found out while it waited.
//! 2. *read*: state of the train and of the page.
//! 3. *compare*: sequence, bytes, entries, room in pages.
//! 4. *decide*: join, close, drop; buffers are taken, the event is reported.
//! 5. *act*: record, new state. The next operation is chosen meanwhile.
//!
//! A segment that is cut (page split) goes through all stages once for each piece: [`split`] measures the piece, its
//! train closes, and the same operation begins again with what is left of the payload. Nothing can come between, since
//! nothing is selected. Only the first piece reports an event, counts, and looks at buffers; they were there for all of
//! them, so that a later piece waits for what is still on its way and never lacks anything.
//! Whether a segment is cut shows only where its payload meets the edge: where it may be, the header is copied last.
//!
//! [`copy`] and [`report`] carry on while the next operation is in 1 to 4; it enters *act* when they are done.
//! A state written in *act* is read two clocks later, so no forwarding is needed; only the flow table forwards.

mod act;
mod command;
mod control;
mod copy;
mod decide;
mod entry;
mod outcome;
mod pages;
mod record;
mod report;
mod script;
mod split;
mod timer;

use crate::build::*;
use crate::bundle;
use pagetrain_formats::Config;

/// Clocks of an operation.
pub const CLOCKS_A_FRAME: usize = 5;
/// Clocks that each cut of a segment at a page's edge adds, until dma_write lags behind: the piece is measured, its header's
/// commands are made, and those of the last piece.
pub const CLOCKS_A_CUT: usize = 31;
/// Clocks from the tick at which a deadline comes to the event, for up to 64 flows, beside frames that need no more than
/// a few pages: examine all slots, choose, wait for a frame.
pub const TIMER_SLACK: usize = 64 + 6 + 64;

/// Widths that the configuration decides.
struct Widths {
    /// Slot of a flow or of what is not watched.
    slot: usize,
    /// Slot of a flow.
    flow: usize,
    /// Index of a record in its slot's ring.
    rec: usize,
    /// Byte address in the frame store.
    src: usize,
    /// Words of a frame in the store.
    words: usize,
    /// Bytes of a frame: up to 16128.
    len: usize,
    /// Bytes of a header: up to 511.
    hdr: usize,
}

impl Widths {
    fn new(cfg: &Config) -> Widths {
        Widths {
            slot: bundle::slot_bits(cfg),
            flow: cfg.slot_bits(),
            rec: bundle::record_bits(cfg),
            src: bundle::store_byte_bits(cfg),
            words: bundle::store_word_bits(cfg),
            len: 14,
            hdr: 9,
        }
    }
}

/// The children, beside the control logic that stands in the module itself.
struct Parts {
    decide: Instance,
    timer: Instance,
    command: Instance,
    pages: Instance,
    record: Instance,
    copy: Instance,
    report: Instance,
    split: Instance,
}

/// Builds the block.
pub fn train(cfg: &Config) -> Module {
    let mut m = Module::new(
        &format!(
            "train_f{}_e{}_d{}_s{}",
            cfg.flows, cfg.train_entries, cfg.dma_width, cfg.ingress_bytes
        ),
        "Decides what happens to each stored frame, and in which order.",
    );
    m.clk();
    m.rst();
    let parts = Parts {
        decide: m.instance("u_decide", decide::decide(cfg)),
        timer: m.instance("u_timer", timer::timer(cfg)),
        command: m.instance("u_command", command::command(cfg)),
        pages: m.instance("u_pages", pages::pages(cfg)),
        record: m.instance("u_record", record::record(cfg)),
        copy: m.instance("u_copy", copy::copy(cfg)),
        report: m.instance("u_report", report::report(cfg)),
        split: m.instance("u_split", split::split(cfg)),
    };
    control::control(&mut m, cfg, &parts);
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        for flows in [4, 16] {
            let cfg = pagetrain_formats::Config {
                flows,
                train_entries: 32,
                ..Default::default()
            };
            crate::testkit::lint(&super::train(&cfg));
        }
    }
}
