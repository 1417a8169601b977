//! Planner of `completion`: waits for an emission's data, cuts it into bursts, and waits for room in the ring.

use super::{block_entries, burst, place, waiting};
use crate::build::{clog2, lit, mux, Expr, Module, Sig};
use pagetrain_formats::Config;

/// Builds the module.
pub(super) fn plan(cfg: &Config) -> Module {
    let mut m = Module::new(
        "completion_plan",
        "Cuts emissions into bursts that may be written.",
    );
    let fenced = fence(&mut m, cfg);
    let ring = ring(&mut m, cfg);
    cut(&mut m, cfg, &fenced, &ring);
    m
}

/// The emission whose data are in host memory.
struct Fenced {
    /// There is one, and its fence has passed.
    valid: Sig,
    record: Sig,
    /// Takes it.
    take: Sig,
}

/// Waits until `done_seq` has reached the fence of the oldest emission. The next one is fetched when that has left.
fn fence(m: &mut Module, cfg: &Config) -> Fenced {
    let waiting = waiting(cfg);
    let valid = m.input("s_emit_tvalid", 1, "emission");
    let ready = m.output("s_emit_tready", 1, "");
    let data = m.input("s_emit_tdata", waiting.width(), "COMPLETION_WAITING");
    let done_seq = m.input("done_seq", 16, "commands that dma_write has done");

    let here = m.reg_rst("f_valid", 1, 0);
    let record = m.reg("f_record", waiting.width());
    let fresh = m.reg("f_fresh", 1);
    let ahead_new = m.reg("f_ahead_new", 16);
    let ahead = m.reg("f_ahead", 16);
    let short = m.named("f_short", mux(&fresh, ahead_new.bit(15), ahead.bit(15)));
    let passed = m.named("passed", &here & !&short);
    let take = m.wire("f_take", 1);
    m.assign(&ready, !&here);
    m.seq("Commands done beyond the fence, negative while some are missing: of the emission that may come, of that at hand", |b| {
        b.set(&ahead_new, &done_seq - waiting.get(&data, "fence"));
        b.set(&ahead, &done_seq - waiting.get(&record, "fence"));
        b.set(&fresh, !&here);
        b.when(&passed & &take, |b| b.set(&here, 0));
        b.when(!&here, |b| {
            b.set(&here, &valid);
            b.set(&record, &data);
        });
    });
    for number in [&ahead_new, &ahead] {
        m.unused(number.trunc(15), "only the sign counts");
    }
    Fenced {
        valid: passed,
        record,
        take,
    }
}

/// The ring as the planner sees it.
struct Ring {
    /// Entries planned so far.
    planned: Sig,
    /// Free entries, as of two clocks ago.
    room: Sig,
    /// Entries behind `planned` in its block, - 1, as of the clock before.
    left: Sig,
    mask: Sig,
    log2: Sig,
}

/// Position and room.
fn ring(m: &mut Module, cfg: &Config) -> Ring {
    let log2 = m.input("cfg_log2", 4, "ring: log2 of its entries");
    let cq_head = m.input("cq_head", 16, "entries that the host has taken");
    let planned = m.output_reg_rst("cq_planned", 16, 0, "entries planned");
    let size = m.reg("size", 16);
    let mask = m.reg("mask", 15);
    let limit = m.reg("limit", 16);
    let room = m.reg("room", 16);
    m.seq("Room in front of cq_head, as of two clocks ago", |b| {
        b.set(&size, lit(16, 1).shl_by(&log2));
        b.set(&mask, (&size - 1).trunc(15));
        b.set(&limit, &cq_head + &size);
        b.set(&room, &limit - &planned);
    });
    let bits = clog2(block_entries(cfg.dma_width));
    let left = m.reg("left_in_block", 7);
    m.seq("As of the clock before", |b| {
        b.set(&left, (!planned.trunc(bits) & mask.trunc(bits)).zext(7));
    });
    Ring {
        planned,
        room,
        left,
        mask,
        log2,
    }
}

/// The emission at hand, cut into bursts. One entry goes when it is here; more are sized, compared with the room, then go.
///
/// `go` is a register: what it moves is wide and lies apart. So a burst may go every second clock, and what it is decided
/// from may be a clock old: the reader and the bus side stay ready until something is given to them.
fn cut(m: &mut Module, cfg: &Config, fenced: &Fenced, ring: &Ring) {
    let (waiting, burst) = (waiting(cfg), burst(cfg));
    let valid = m.output("m_burst_tvalid", 1, "burst for the reader");
    let ready = m.input("m_burst_tready", 1, "it can take one");
    let data = m.output("m_burst_tdata", burst.width(), "COMPLETION_BURST");
    let places = m.input("places", 1, "the bus side can take a burst");

    let here = m.reg_rst("k_valid", 1, 0);
    let record = m.reg("k_record", waiting.width());
    let start = m.reg("k_start", waiting.place("start").1);
    let rest = m.reg("k_rest", 7);
    let single = m.reg("k_single", 1);
    let first = m.reg("k_first", 1);
    let size = m.reg("k_size", 7);
    let last = m.reg("k_last", 1);
    let still = m.reg("k_still", 1);
    let sized = m.reg("k_sized", 1);
    let fits = m.reg("k_fits", 1);
    let go = m.reg_rst("go", 1, 0);

    let one_fits = room_for_one(m, ring, (&go, &single));
    let may = m.named("may_go", mux(&single, &one_fits, &fits));
    let load = m.named("k_load", !&here | (&go & &last));
    m.assign(&valid, &go);
    m.assign(&fenced.take, &load);
    m.seq("Emission at hand", |b| {
        let alone = {
            let count = waiting.get(&fenced.record, "count");
            waiting.get(&fenced.record, "direct") | count.eq(1)
        };
        b.set(&go, &here & &may & &places & &ready & !&go);
        b.comment("`rest` and `size` are entries - 1");
        b.set(&fits, &sized & size.zext(16).lt(&ring.room) & !&go);
        b.set(&still, !&go);
        b.when(!&single & !&sized & &still, |b| {
            b.set(&sized, &here);
            b.set(&size, mux(rest.le(&ring.left), &rest, &ring.left));
            b.set(&last, rest.le(&ring.left));
        });
        b.when(&go, |b| {
            b.set(&sized, 0);
            b.set(&first, 0);
            b.comment("x + !size is x - size - 1, x - !size is x + size + 1");
            b.set(&start, &start - !size.resize(start.width()));
            b.set(&rest, &rest + !&size);
        });
        b.when(&load, |b| {
            b.set(&here, &fenced.valid);
            b.set(&record, &fenced.record);
            b.set(&start, waiting.get(&fenced.record, "start"));
            b.set(&rest, waiting.get(&fenced.record, "count") - 1);
            b.set(&single, &alone);
            b.set(&last, alone);
            b.set(&first, 1);
            b.set(&size, 0);
            b.set(&sized, 0);
        });
    });
    let odd = ring.planned.bit(0);
    let phase = !ring.planned.bit_at(&ring.log2);
    let values: Vec<(&str, Expr)> = burst
        .fields()
        .iter()
        .map(|(name, _)| match *name {
            "start" => (*name, start.expr()),
            "left" => (*name, size.expr()),
            "head" => (*name, &first & !waiting.get(&record, "direct")),
            "phase" => (*name, phase.clone()),
            "odd" => (*name, odd.clone()),
            _ => (*name, waiting.get(&record, name)),
        })
        .collect();
    m.assign(&data, burst.pack(&values));
    m.unused(waiting.get(&record, "fence"), "has passed");
    m.unused(waiting.get(&record, "start"), "k_start moves on");

    let planned = m.output_reg_rst("planned", 1, 0, "a burst was planned");
    let where_to = m.output_reg("place", place().width(), "where it goes");
    m.seq("Where the burst goes", |b| {
        b.when(&go, |b| {
            b.set(&ring.planned, &ring.planned - !size.zext(16))
        });
        b.set(&planned, &go);
        let values = [
            ("index", ring.planned.trunc(15) & &ring.mask),
            ("left", size.expr()),
            ("stop", waiting.get(&record, "stop")),
        ];
        b.set(&where_to, place().pack(&values));
    });
}

/// Whether one entry fits: where there is plenty, else when nothing was planned lately and the room is exact. What went in
/// this clock or the one before is not in `room`; it was one burst at most, and takes one entry if it was single.
fn room_for_one(m: &mut Module, ring: &Ring, (go, single): (&Sig, &Sig)) -> Sig {
    let one_fits = m.reg_rst("one_fits", 1, 0);
    let went = m.reg_rst("went", 1, 0);
    let went_many = m.reg("went_many", 1);
    m.seq("Room for one entry", |b| {
        let many = (go & !single) | (&went & &went_many);
        let plenty = ring.room.from_bit(1).any();
        b.set(&went, go);
        b.set(&went_many, !single);
        b.set(
            &one_fits,
            (plenty & !many) | (ring.room.any() & !go & !&went),
        );
    });
    one_fits
}
