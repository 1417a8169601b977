//! Completion writer: takes what `train` hands up and writes it into the host's completion ring.
//!
//! Contract: entries are written in the order of the emissions, each only after all data it speaks of was acknowledged
//! (`done_seq` has reached its `fence`) and only where the host has taken what was there (`cq_head`). `cq_tail` counts
//! entries that are acknowledged. After a bad response no further burst is started and nothing more is counted.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `rec_we`, `rec_addr`, `rec_data` | in | 1, slot x E + index, 256 | writes a record; any time before its emission |
//! | `s_axis_emit_t*` | in | EMIT | a whole entry, or the records of a train |
//! | `rec_free`, `rec_free_slot` | out | 1, slot | a record of that slot was read |
//! | `done_seq` | in | 16 | commands that `dma_write` has done |
//! | `cfg_base`, `cfg_log2`, `cq_head` | in | 64, 4, 16 | the ring; entries that the host has taken |
//! | `cq_planned` | out | 16 | entries that are, or will be, written; the host may see one before its response comes |
//! | `cq_tail`, `stat_entries` | out | 16, 8 | entries acknowledged; how many in this clock |
//! | `stop_written` | out | 1 | pulse: a STOP entry was acknowledged |
//! | `m_aw_t*`, `m_w_t*` | out | AW, WD | bursts |
//! | `b_valid`, `b_err` | in | 1 | responses, in order |
//! | `quiesce`, `idle` | in, out | 1 | announce no further burst; none is under way |
//!
//! - Timing: an entry a clock, or as many clocks as it has beats (4 at D = 64, 2 at D = 128); a burst every second clock
//!   if it is of one entry, every fifth if of more, while the one before it is read. [`latency`] clocks from emission to
//!   address when nothing is in the way. No path from an input to an output without a register.
//! - Bursts end with the emission and at multiples of [`block_entries`] entries, so that none wraps the ring, crosses
//!   4 KiB, has more than 256 beats or takes more of the ring than a lap. Emissions do not share a burst.
//! - An address is shown when its data are at hand, so that a completion never keeps the bus waiting for the record memory.
//! - D = 512: two entries of a burst share a beat; a lone one is written with half the strobes.
//! - `idle` tells the truth from the second clock after `quiesce` rose.
//! - Cost at W = 64, D = 128, in the engine, ECP5's memory cells: 1885 LUT4, 2481 FF, 166 CCU2C, 202 DPR16X4, 23 DP16KD
//!   (Yosys 0.70; registers at ports count for the engine).
//!
//! ## Pipeline
//! 1. Queue: emissions in one FIFO, their whole entries (few) in another.
//! 2. Plan: wait for the fence; cut into bursts; wait for room in the ring.
//! 3. Read: a record a clock (2 clocks); overlay of head fields and phase; beats.
//! 4. Announce: address when data are there, response, `cq_tail`.

mod announce;
mod beats;
mod plan;
mod read;

use crate::build::{Instance, Module};
use crate::bundle::{self, Bundle};
use crate::part::Part;
use crate::prim::{skid, Fifo, Storage};
use crate::write_data::write_data;
use pagetrain_formats::{completion as format, Config};

/// Clocks from an emission to its address, when its fence has passed and nothing is in the way.
pub const fn latency(dma_width: usize) -> usize {
    if dma_width < 256 {
        14
    } else {
        13
    }
}

/// Emissions that wait.
const EMISSIONS: usize = 64;
/// Whole entries that wait.
const ENTRIES: usize = 16;

/// Entries of a block: a burst never leaves its block. A power of two, at most the smallest ring's sixteen at D = 512.
pub const fn block_entries(dma_width: usize) -> usize {
    match dma_width {
        64 => 64,
        512 => 16,
        _ => 128,
    }
}

/// An emission as it waits: [`bundle::emit`] without the entry.
fn waiting(cfg: &Config) -> Bundle {
    let fields = [
        ("direct", 1),
        ("stop", 1),
        ("slot", bundle::slot_bits(cfg)),
        ("start", bundle::record_bits(cfg)),
        ("count", 7),
        ("train_bytes", 20),
        ("train_packets", 7),
        ("reason", 5),
        ("fence", 16),
    ];
    Bundle::new("COMPLETION_WAITING", &fields)
}

/// A burst that was planned, for the reader. `left` is its entries - 1.
fn burst(cfg: &Config) -> Bundle {
    let fields = [
        ("direct", 1),
        ("slot", bundle::slot_bits(cfg)),
        ("start", bundle::record_bits(cfg)),
        ("left", 7),
        ("head", 1),
        ("train_bytes", 20),
        ("train_packets", 7),
        ("reason", 5),
        ("count", 7),
        ("phase", 1),
        ("odd", 1),
    ];
    Bundle::new("COMPLETION_BURST", &fields)
}

/// A burst that was planned, for the bus: entry of the ring at which it begins, entries - 1.
fn place() -> Bundle {
    Bundle::new(
        "COMPLETION_PLACE",
        &[("index", 15), ("left", 7), ("stop", 1)],
    )
}

/// Builds the block.
pub fn completion(cfg: &Config) -> Module {
    let mut m = Module::new(
        "completion",
        "Writes entries and trains of entries to the completion ring.",
    );
    let plan = Part::new(&mut m, "u_plan", plan::plan(cfg));
    let read = Part::new(&mut m, "u_read", read::read(cfg));
    let announce = Part::new(&mut m, "u_announce", announce::announce(cfg));
    let data = Part::new(&mut m, "u_data", write_data(cfg.dma_width));
    read.show(
        &mut m,
        &[
            "rec_we",
            "rec_addr",
            "rec_data",
            "rec_free",
            "rec_free_slot",
        ],
    );
    queue(&mut m, cfg, &plan, &read);
    plan.show(&mut m, &["done_seq", "cfg_log2", "cq_head", "cq_planned"]);
    announce.show(
        &mut m,
        &["cfg_base", "cq_tail", "stat_entries", "stop_written"],
    );
    announce.show(&mut m, &["m_aw_tvalid", "m_aw_tready", "m_aw_tdata"]);
    data.show(&mut m, &["m_w_tvalid", "m_w_tready", "m_w_tdata"]);
    announce.show(&mut m, &["b_valid", "b_err", "quiesce", "idle"]);

    m.comment("Cuts the way from the reader's pace back to the planner");
    let burst = m.instance("u_burst", skid(burst(cfg).width()));
    m.connect(&burst, "s_axis_tvalid", plan.out("m_burst_tvalid"));
    m.connect(&burst, "s_axis_tdata", plan.out("m_burst_tdata"));
    m.connect(&plan, "m_burst_tready", burst.out("s_axis_tready"));
    m.connect(&read, "s_burst_tvalid", burst.out("m_axis_tvalid"));
    m.connect(&read, "s_burst_tdata", burst.out("m_axis_tdata"));
    m.connect(&burst, "m_axis_tready", read.out("s_burst_tready"));
    m.connect(&announce, "planned", plan.out("planned"));
    m.connect(&announce, "place", plan.out("place"));
    m.connect(&plan, "places", announce.out("places"));
    m.connect(&announce, "at_hand", read.out("at_hand"));
    m.connect(&announce, "ahead", data.out("ahead"));
    m.connect(&data, "grant", announce.out("grant"));
    m.connect(&data, "push", read.out("push"));
    m.connect(&data, "push_data", read.out("push_data"));
    m.connect(&read, "popped", data.out("popped"));
    m
}

/// The emission queue: everything but whole entries in one memory, whole entries in another that is shorter.
fn queue(m: &mut Module, cfg: &Config, plan: &Instance, read: &Instance) {
    let (emit, waiting) = (bundle::emit(cfg), waiting(cfg));
    let valid = m.input("s_axis_emit_tvalid", 1, "emission valid");
    let ready = m.output_reg_rst("s_axis_emit_tready", 1, 0, "emission taken");
    let record = m.input("s_axis_emit_tdata", emit.width(), "EMIT");
    let entry = m.named("entry", emit.get(&record, "entry"));
    let direct = m.named("direct", emit.get(&record, "direct"));
    let kind = format::pkt::TYPE;
    let stop = m.named("stop", &direct & !entry.bits(kind.bit(), kind.width).any());
    let values: Vec<_> = waiting
        .fields()
        .iter()
        .map(|(name, _)| match *name {
            "stop" => (*name, stop.expr()),
            _ => (*name, emit.get(&record, name)),
        })
        .collect();

    let taken = m.named("taken", &valid & &ready);
    let fifo = Fifo::new(waiting.width(), EMISSIONS)
        .storage(Storage::Distributed)
        .almost_full(EMISSIONS - 3)
        .unguarded();
    let emissions = m.instance("u_emissions", fifo.build());
    m.connect(&emissions, "s_axis_tvalid", &taken);
    m.connect(&emissions, "s_axis_tdata", waiting.pack(&values));
    m.connect(&emissions, "m_axis_tready", plan.out("s_emit_tready"));
    m.connect(plan, "s_emit_tvalid", emissions.out("m_axis_tvalid"));
    m.connect(plan, "s_emit_tdata", emissions.out("m_axis_tdata"));

    let fifo = Fifo::new(256, ENTRIES)
        .storage(Storage::Distributed)
        .almost_full(ENTRIES - 3)
        .unguarded();
    let entries = m.instance("u_entries", fifo.build());
    m.connect(&entries, "s_axis_tvalid", &taken & &direct);
    m.connect(&entries, "s_axis_tdata", &entry);
    m.connect(&entries, "m_axis_tready", read.out("entry_taken"));
    m.connect(read, "entry", entries.out("m_axis_tdata"));
    m.unused(
        entries.out("m_axis_tvalid"),
        "an entry is here before its emission",
    );

    m.seq(
        "Emissions are taken while both have room for those on the way",
        |b| {
            b.set(
                &ready,
                !emissions.out("almost_full") & !entries.out("almost_full"),
            );
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for dma_width in [64, 128, 256, 512] {
            let cfg = Config {
                dma_width,
                ..Config::default()
            };
            crate::testkit::lint(&completion(&cfg));
        }
    }
}
