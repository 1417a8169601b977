//! Reader of `completion`: records out of their memory, head fields and phase into them, entries into beats.

use super::beats::{join, split, whole, Entry, ENTRY};
use super::{burst, format};
use crate::build::{cat, clog2, lit, mux, Expr, Module, Sig};
use crate::bundle::{self, Bundle};
use crate::prim::Ram;
use crate::write_data::DEPTH;
use pagetrain_formats::Config;

/// What goes with a record through its memory.
fn tag() -> Bundle {
    let fields = [
        ("direct", 1),
        ("unwatched", 1),
        ("head", 1),
        ("train_bytes", 20),
        ("train_packets", 7),
        ("reason", 5),
        ("count", 7),
        ("phase", 1),
        ("odd", 1),
        ("first", 1),
        ("last", 1),
    ];
    Bundle::new("COMPLETION_TAG", &fields)
}

/// Builds the module.
pub(super) fn read(cfg: &Config) -> Module {
    let mut m = Module::new(
        "completion_read",
        "Records of a burst, one a clock, made into beats.",
    );
    let step = step(&mut m, cfg);
    let word = records(&mut m, cfg, &step);
    let entry = overlay(&mut m, &step, &word);
    match cfg.dma_width {
        64 | 128 => split(&mut m, cfg, &entry),
        256 => whole(&mut m, cfg, &entry),
        _ => join(&mut m, cfg, &entry),
    }
    m
}

/// A record that is being read.
struct Step {
    slot: Sig,
    index: Sig,
    /// Two clocks later, when the record is there.
    valid_2: Sig,
    tag_2: Sig,
}

/// The burst at hand: one record as often as its beats can leave.
fn step(m: &mut Module, cfg: &Config) -> Step {
    let burst = burst(cfg);
    let valid = m.input("s_burst_tvalid", 1, "burst");
    let ready = m.output("s_burst_tready", 1, "");
    let data = m.input("s_burst_tdata", burst.width(), "COMPLETION_BURST");
    let popped = m.input("popped", 1, "a beat has left the FIFO behind");
    let free = m.output_reg_rst("rec_free", 1, 0, "a record was read");
    let free_slot = m.output_reg("rec_free_slot", bundle::slot_bits(cfg), "its slot");

    let here = m.reg_rst("r_valid", 1, 0);
    let record = m.reg("r_record", burst.width());
    let index = m.reg("r_index", bundle::record_bits(cfg));
    let left = m.reg("r_left", 7);
    let last = m.reg("r_last", 1);
    let first = m.reg("r_first", 1);
    let odd = m.reg("r_odd", 1);
    let may = m.wire("may", 1);
    let read = m.named("r_read", &here & &may);
    let load = m.named("r_load", !&here | (&read & &last));
    m.assign(&ready, &load);
    m.seq("Burst at hand", |b| {
        b.when(&read, |b| {
            b.set(&index, &index + 1);
            b.set(&left, &left - 1);
            b.set(&last, left.eq(1));
            b.set(&first, 0);
            b.set(&odd, !&odd);
        });
        b.when(&load, |b| {
            b.set(&here, &valid);
            b.set(&record, &data);
            b.set(&index, burst.get(&data, "start"));
            b.set(&left, burst.get(&data, "left"));
            b.set(&last, !burst.get(&data, "left").any());
            b.set(&first, 1);
            b.set(&odd, burst.get(&data, "odd"));
        });
    });
    for name in ["start", "left", "odd"] {
        m.unused(
            burst.get(&record, name),
            "moves on in a register of its own",
        );
    }
    pace(m, cfg, &may, &read, &popped, &(&odd | &last));

    let slot = m.named("slot", burst.get(&record, "slot"));
    let direct = burst.get(&record, "direct");
    m.seq("A record that was read is free", |b| {
        b.set(&free, &read & !&direct);
        b.set(&free_slot, &slot);
    });

    let tag = tag();
    let values: Vec<(&str, Expr)> = tag
        .fields()
        .iter()
        .map(|(name, _)| match *name {
            "head" => (*name, burst.get(&record, "head") & &first),
            "unwatched" => (*name, slot.eq(cfg.flows)),
            "odd" => (*name, odd.expr()),
            "first" => (*name, first.expr()),
            "last" => (*name, last.expr()),
            _ => (*name, burst.get(&record, name)),
        })
        .collect();
    let now = tag.pack(&values);
    let valid_1 = m.reg_rst("t1_valid", 1, 0);
    let tag_1 = m.reg("t1_tag", tag.width());
    let valid_2 = m.reg_rst("t2_valid", 1, 0);
    let tag_2 = m.reg("t2_tag", tag.width());
    m.seq("The two clocks of the record memory", |b| {
        b.set(&valid_1, &read);
        b.set(&tag_1, &now);
        b.set(&valid_2, &valid_1);
        b.set(&tag_2, &tag_1);
    });
    Step {
        slot,
        index,
        valid_2,
        tag_2,
    }
}

/// Lets a record go when there is room for its beats and the beats of the one before are on their way.
fn pace(m: &mut Module, cfg: &Config, may: &Sig, read: &Sig, popped: &Sig, ends_beat: &Expr) {
    let beats = (ENTRY / cfg.dma_width).max(1);
    let width = clog2(DEPTH) + 1;
    let room = m.reg_rst("room", width, DEPTH);
    let enough = m.reg_rst("enough", 1, 0);
    let takes = m.named(
        "takes",
        if cfg.dma_width > ENTRY {
            read & ends_beat
        } else {
            read.expr()
        },
    );
    if cfg.dma_width <= ENTRY {
        m.unused(ends_beat.clone(), "every record ends a beat");
    }
    m.seq(
        "Places in the beat FIFO; a record may be on its way that `enough` does not know of",
        |b| {
            let given = popped.zext(width);
            b.set(
                &room,
                &room + given - mux(&takes, lit(width, beats as u128), 0),
            );
            b.set(&enough, room.ge(beats.max(2)));
        },
    );
    if beats == 1 {
        m.assign(may, &enough);
        return;
    }
    let wait = m.reg_rst("beats_to_come", clog2(beats), 0);
    m.seq(
        "Clocks until the beats of the record before have left the shift register",
        |b| {
            b.when(wait.any(), |b| b.set(&wait, &wait - 1));
            b.when(read, |b| b.set(&wait, beats - 1));
        },
    );
    m.assign(may, &enough & !wait.any());
}

/// The record memories: one for the flows' slots, one for the slot behind them, so that a power of two of flows
/// needs no more than its rings.
fn records(m: &mut Module, cfg: &Config, step: &Step) -> Expr {
    let (slot_w, index_w) = (bundle::slot_bits(cfg), bundle::record_bits(cfg));
    let flow_w = clog2(cfg.flows);
    let we = m.input("rec_we", 1, "write a record");
    let addr = m.input("rec_addr", slot_w + index_w, "slot * E + index");
    let data = m.input("rec_data", ENTRY, "the record");
    let written = m.named("written_slot", addr.from_bit(index_w));
    let unwatched = m.named("write_unwatched", written.eq(cfg.flows));

    let mut memory = |name: &str, addr_w: usize, we: Expr, wr: Expr, rd: Expr| {
        let ram = m.instance(name, Ram::new(ENTRY, addr_w).out_reg().build());
        m.connect(&ram, "wr_en", we);
        m.connect(&ram, "wr_addr", wr);
        m.connect(&ram, "wr_data", &data);
        m.connect(&ram, "rd_en", 1);
        m.connect(&ram, "rd_addr", rd);
        m.connect(&ram, "rd_out_en", 1);
        ram.out("rd_data")
    };
    let low = addr.trunc(flow_w + index_w);
    let from = cat(&[step.slot.trunc(flow_w), step.index.expr()]);
    let flows = memory(
        "u_flow_records",
        flow_w + index_w,
        &we & !&unwatched,
        low,
        from,
    );
    let index = addr.trunc(index_w);
    let other = memory(
        "u_unwatched_records",
        index_w,
        &we & &unwatched,
        index,
        step.index.expr(),
    );
    m.named(
        "record",
        mux(tag().get(&step.tag_2, "unwatched"), other, flows),
    )
    .expr()
}

/// Puts the head fields and the phase into a record, or the phase into a whole entry.
fn overlay(m: &mut Module, step: &Step, record: &Expr) -> Entry {
    let tag = tag();
    let whole = m.input(
        "entry",
        ENTRY,
        "whole entry of the oldest direct emission that was not read",
    );
    let taken = m.output("entry_taken", 1, "it is read");
    let get = |name: &str| tag.get(&step.tag_2, name);
    m.assign(&taken, &step.valid_2 & get("direct"));

    let entry = Entry {
        valid: m.reg_rst("e_valid", 1, 0),
        data: m.reg("e_data", ENTRY),
        first: m.reg("e_first", 1),
        last: m.reg("e_last", 1),
        odd: m.reg("e_odd", 1),
    };
    let head = [
        (format::pkt::TRAIN_BYTES, get("train_bytes")),
        (format::pkt::TRAIN_PACKETS, get("train_packets")),
        (format::pkt::HEAD, lit(1, 1)),
        (format::pkt::REASON, get("reason")),
        (format::pkt::TRAIN_ENTRIES, get("count")),
    ];
    let chosen = m.named("chosen", mux(get("direct"), &whole, record));
    m.unused(
        chosen.bit(format::pkt::PHASE.bit()),
        "the phase is the ring's",
    );
    m.seq(
        "Overlay: head fields into a train's first record, the phase into every entry",
        |b| {
            b.set(&entry.valid, &step.valid_2);
            b.set(&entry.first, get("first"));
            b.set(&entry.last, get("last"));
            b.set(&entry.odd, get("odd"));
            b.set(&entry.data, &chosen);
            b.when(get("head"), |b| {
                for (field, value) in head {
                    b.set_bits(&entry.data, field.bit(), value);
                }
            });
            b.set_bits(&entry.data, format::pkt::PHASE.bit(), get("phase"));
        },
    );
    entry
}
