//! Bus side of `completion`: addresses out when their data are at hand, responses in, `cq_tail`.

use super::place;
use crate::build::{cat, clog2, lit, Expr, Module, Sig};
use crate::bundle::Bundle;
use crate::prim::{count_some, Fifo};
use crate::write_address::{track, WriteAddress, OUTSTANDING};
use pagetrain_formats::Config;

/// Planned bursts that wait for their address to be shown.
const PLACES: usize = 16;

/// What is known of a burst until it is answered: its entries, and whether it is a STOP.
fn answer() -> Bundle {
    Bundle::new("COMPLETION_ANSWER", &[("entries", 8), ("stop", 1)])
}

/// Builds the module.
pub(super) fn announce(cfg: &Config) -> Module {
    let mut m = Module::new(
        "completion_announce",
        "Addresses and responses of the completion bursts.",
    );
    let shown = show(&mut m, cfg);
    respond(&mut m, &shown);
    m
}

struct Shown {
    /// An address is shown from the next clock on.
    valid: Sig,
    /// COMPLETION_ANSWER.
    data: Expr,
    /// The response side can take one.
    room: Sig,
    failed: Sig,
}

/// Address of a planned burst, shown when its data are at hand.
fn show(m: &mut Module, cfg: &Config) -> Shown {
    let (place, answer) = (place(), answer());
    let planned = m.input("planned", 1, "a burst was planned");
    let place_in = m.input("place", place.width(), "where it goes");
    let places = m.output("places", 1, "there is room for more");
    let base = m.input("cfg_base", 64, "ring: bus address, 4096-aligned");
    let at_hand = m.input("at_hand", 1, "one more burst has its data at hand");
    let lane = cfg.log2_d_bytes();
    let index = place.get(&place_in, "index");
    let left = m.named("left", place.get(&place_in, "left"));
    let p_valid = m.reg_rst("p_valid", 1, 0);
    let p_addr = m.reg("p_addr", 64 - lane);
    let p_len = m.reg("p_len", 8);
    let p_answer = m.reg("p_answer", answer.width());
    m.seq("Address, in beats, and beats - 1", |b| {
        let (offset, len) = match cfg.dma_width {
            64 => (
                cat(&[index.clone(), lit(2, 0)]),
                cat(&[left.trunc(6), lit(2, 3)]),
            ),
            128 => (
                cat(&[index.clone(), lit(1, 0)]),
                cat(&[left.expr(), lit(1, 1)]),
            ),
            256 => (index.clone(), left.zext(8)),
            _ => (
                index.from_bit(1),
                (left.zext(8) + index.bit(0).zext(8)).shr(1),
            ),
        };
        b.set(&p_valid, &planned);
        b.set(&p_addr, base.from_bit(lane) + offset.zext(64 - lane));
        b.set(&p_len, len);
        let values = [
            ("entries", left.zext(8) + 1),
            ("stop", place.get(&place_in, "stop")),
        ];
        b.set(&p_answer, answer.pack(&values));
    });
    m.unused(base.trunc(lane), "zero");
    if cfg.dma_width == 64 {
        m.unused(left.bit(6), "a block has 64 entries");
    }

    let fields = [("addr", 64 - lane), ("len", 8), ("answer", answer.width())];
    let record = Bundle::new("COMPLETION_ADDRESS", &fields);
    let fifo = Fifo::new(record.width(), PLACES)
        .almost_full(PLACES - 6)
        .unguarded();
    let waiting = m.instance("u_waiting", fifo.build());
    m.connect(&waiting, "s_axis_tvalid", &p_valid);
    let values = [
        ("addr", p_addr.expr()),
        ("len", p_len.expr()),
        ("answer", p_answer.expr()),
    ];
    m.connect(&waiting, "s_axis_tdata", record.pack(&values));
    m.assign(&places, !waiting.out("almost_full"));
    let next = waiting.out("m_axis_tdata");

    let room = m.wire("response_room", 1);
    let failed = m.wire("failed_here", 1);
    let address = WriteAddress::new(m, !&failed & &room);
    let ready_bursts = m.reg_rst("ready_bursts", clog2(PLACES) + 1, 0);
    let some = m.reg_rst("some", 1, 0);
    let shows = m.named("shows", waiting.out("m_axis_tvalid") & &address.go & &some);
    let shown = m.named("shown", &shows & address.ready());
    m.connect(&waiting, "m_axis_tready", &shown);
    let addr = cat(&[record.get(&next, "addr"), lit(lane, 0)]);
    address.announce(m, shows.expr(), addr, record.get(&next, "len"));
    m.seq(
        "Bursts with data at hand that were not announced, and whether there is one",
        |b| {
            count_some(b, &ready_bursts, &some, &at_hand, &shown);
        },
    );
    Shown {
        valid: shown,
        data: record.get(&next, "answer"),
        room,
        failed,
    }
}

/// Counts what was acknowledged.
fn respond(m: &mut Module, shown: &Shown) {
    let answer = answer();
    let b_valid = m.input("b_valid", 1, "a burst was answered");
    let b_err = m.input("b_err", 1, "with an error");
    let cq_tail = m.output_reg_rst("cq_tail", 16, 0, "entries acknowledged");
    let entries = m.output_reg_rst("stat_entries", 8, 0, "entries acknowledged in this clock");
    let stop = m.output_reg_rst("stop_written", 1, 0, "pulse: a STOP entry was acknowledged");
    let idle = m.output_reg_rst("idle", 1, 0, "no burst is under way");

    let track = track(m, &shown.valid, shown.data.clone());
    m.unused(
        track.out("m_axis_tvalid"),
        "a response comes later than its burst",
    );
    m.connect(&track, "m_axis_tready", &b_valid);
    m.assign(&shown.room, !track.out("almost_full"));
    let head = track.out("m_axis_tdata");

    let failed = m.reg_rst("failed", 1, 0);
    m.assign(&shown.failed, &failed);
    let good = m.named("good", &b_valid & !&b_err & !&failed);
    m.seq(
        "Entries acknowledged; nothing counts any more once a response was bad",
        |b| {
            b.when(&b_valid & &b_err, |b| b.set(&failed, 1));
            b.set(&entries, good.repeat(8) & answer.get(&head, "entries"));
            b.set(&stop, &good & answer.get(&head, "stop"));
            b.set(&cq_tail, &cq_tail + entries.zext(16));
        },
    );

    let under_way = m.reg_rst("under_way", clog2(OUTSTANDING) + 1, 0);
    m.seq("Bursts announced and not answered", |b| {
        b.when(&shown.valid & !&b_valid, |b| {
            b.set(&under_way, &under_way + 1)
        });
        b.when(!&shown.valid & &b_valid, |b| {
            b.set(&under_way, &under_way - 1)
        });
        b.set(&idle, !under_way.any() & !&shown.valid);
    });
}
