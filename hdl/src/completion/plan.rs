//! Planner of `completion`: waits for an emission's data, cuts it into bursts, and waits for room in the ring.

use super::{block_entries, burst, place, waiting};
use crate::build::{clog2, lit, mux, Expr, Module, Sig};
use crate::prim::skid;
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

/// Waits until `done_seq` has reached the fence of the oldest emission.
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
    m.comment("What goes on in the next stage does not reach back to the queue in one clock");
    let next = m.instance("u_fenced", skid(waiting.width()));
    m.connect(&next, "s_axis_tvalid", &passed);
    m.connect(&next, "s_axis_tdata", &record);
    let take = m.wire("f_take", 1);
    m.connect(&next, "m_axis_tready", &take);
    let load = m.named("f_load", !&here | (&passed & next.out("s_axis_tready")));
    m.assign(&ready, &load);
    m.seq("Commands done beyond the fence, negative while some are missing: of the emission that may come, of that at hand", |b| {
        b.set(&ahead_new, &done_seq - waiting.get(&data, "fence"));
        b.set(&ahead, &done_seq - waiting.get(&record, "fence"));
        b.set(&fresh, &load);
        b.when(&load, |b| {
            b.set(&here, &valid);
            b.set(&record, &data);
        });
    });
    for number in [&ahead_new, &ahead] {
        m.unused(number.trunc(15), "only the sign counts");
    }
    Fenced {
        valid: next.out("m_axis_tvalid"),
        record: next.out("m_axis_tdata"),
        take,
    }
}

/// The ring as the planner sees it.
struct Ring {
    /// Entries planned so far.
    planned: Sig,
    /// Free entries, as of two clocks ago.
    room: Sig,
    /// Entries behind `planned` in its block, - 1.
    left: Sig,
    mask: Sig,
    log2: Sig,
    /// Clocks until `room` and what follows from it are exact; the last burst was of more than one entry.
    lately: Sig,
    many_lately: Sig,
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
    let left = m.named(
        "left_in_block",
        (!planned.trunc(bits) & mask.trunc(bits)).zext(7),
    );
    let lately = m.reg_rst("lately", 2, 0);
    let many_lately = m.reg_rst("many_lately", 1, 0);
    Ring {
        planned,
        room,
        left,
        mask,
        log2,
        lately,
        many_lately,
    }
}

/// The emission at hand, cut into bursts. One entry goes at once; more are sized, compared with the room, then go.
fn cut(m: &mut Module, cfg: &Config, fenced: &Fenced, ring: &Ring) {
    let (waiting, burst) = (waiting(cfg), burst(cfg));
    let valid = m.output("m_burst_tvalid", 1, "burst for the reader");
    let ready = m.input("m_burst_tready", 1, "it is taken");
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
    let sized = m.reg_rst("k_sized", 1, 0);
    let fits = m.reg_rst("k_fits", 1, 0);

    let one_fits = m.reg_rst("one_fits", 1, 0);
    let may = m.named("may_go", mux(&single, &one_fits, &fits));
    let shown = m.named("k_shown", &here & &may & &places);
    let go = m.named("go", &shown & &ready);
    let ended = m.named("k_ended", &go & (&single | &last));
    let load = m.named("k_load", !&here | &ended);
    m.assign(&valid, &shown);
    m.assign(&fenced.take, &load);
    m.seq("Emission at hand", |b| {
        let alone = {
            let count = waiting.get(&fenced.record, "count");
            waiting.get(&fenced.record, "direct") | count.eq(1)
        };
        b.comment("`rest` and `size` are entries - 1");
        b.set(&fits, &here & &sized & size.zext(16).lt(&ring.room) & !&go);
        b.when(!&single & !&sized, |b| {
            b.set(&sized, &here);
            b.set(&size, mux(rest.le(&ring.left), &rest, &ring.left));
            b.set(&last, rest.le(&ring.left));
        });
        b.when(&go, |b| {
            b.set(&sized, 0);
            b.set(&first, 0);
            b.set(&start, &start + (&size + 1).resize(start.width()));
            b.set(&rest, &rest - (&size + 1));
        });
        b.when(&load, |b| {
            b.set(&here, &fenced.valid);
            b.set(&record, &fenced.record);
            b.set(&start, waiting.get(&fenced.record, "start"));
            b.set(&rest, waiting.get(&fenced.record, "count") - 1);
            b.set(&single, alone);
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
            b.set(&ring.planned, &ring.planned + size.zext(16) + 1)
        });
        b.set(&planned, &go);
        let values = [
            ("index", ring.planned.trunc(15) & &ring.mask),
            ("left", size.expr()),
            ("stop", waiting.get(&record, "stop")),
        ];
        b.set(&where_to, place().pack(&values));
    });
    room_for_one(m, ring, &one_fits, (&go, &single));
}

/// Whether one entry will fit in the next clock: where there is plenty, else when nothing was planned lately and the room is
/// exact. A register, since what goes on from it is long.
fn room_for_one(m: &mut Module, ring: &Ring, one_fits: &Sig, (go, single): (&Sig, &Sig)) {
    let many = m.named("many_next", mux(go, !single, ring.many_lately.expr()));
    let rested = m.named("rested_next", !go & !ring.lately.bit(1));
    m.seq(
        "Room for one entry, and what was planned lately: the room does not know of it yet",
        |b| {
            let plenty = ring.room.from_bit(2).any();
            b.set(one_fits, (plenty & !&many) | (ring.room.any() & &rested));
            b.set(&ring.many_lately, &many);
            b.when(ring.lately.any(), |b| b.set(&ring.lately, &ring.lately - 1));
            b.when(go, |b| b.set(&ring.lately, 2));
        },
    );
}
