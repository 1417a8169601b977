//! Keeps good descriptors for `train`, and the cookies of bad ones for their way back.

use super::fetch::Fetch;
use super::judge::Judged;
use super::{Kind, DEPTH};
use crate::build::{cat, clog2, lit, mux, Module, Sig};
use crate::bundle;
use crate::prim::Fifo;

/// Clocks from the verdict to the output: small buffers move on to the first of two places.
pub(super) fn latency(kind: Kind) -> usize {
    let places = match kind {
        Kind::Small => 1,
        Kind::Page => 0,
    };
    good(1).latency() + places
}

/// Good descriptors. No FIFO here has a ready: no more is asked for than fits.
fn good(width: usize) -> Fifo {
    Fifo::new(width, DEPTH).unguarded()
}

pub(super) fn offer(m: &mut Module, kind: Kind, f: &Fetch, j: &Judged) {
    let bad_valid = m.output("bad_tvalid", 1, "a descriptor that broke the rules");
    let bad_ready = m.input("bad_tready", 1, "");
    let bad_data = m.output("bad_tdata", 32, "its cookie");
    let bad = m.instance("u_bad", Fifo::new(32, DEPTH).unguarded().build());
    m.connect(&bad, "s_axis_tdata", &j.cookie);
    m.connect(&bad, "s_axis_tvalid", &j.bad);
    m.connect(&bad, "m_axis_tready", &bad_ready);
    m.connect_out(&bad, "m_axis_tvalid", &bad_valid);
    m.connect_out(&bad, "m_axis_tdata", &bad_data);
    let bad_taken = m.named("bad_taken", &bad_valid & &bad_ready);
    match kind {
        Kind::Small => smalls(m, f, j, &bad_taken),
        Kind::Page => pages(m, f, j, &bad_taken),
    }
}

/// The two oldest small buffers.
fn smalls(m: &mut Module, f: &Fetch, j: &Judged, bad_taken: &Sig) {
    let width = bundle::small().width();
    let pop = m.input("sb_pop", 2, "small buffers taken in this clock: 0, 1, 2");
    let v0 = m.output_reg_rst("sb0_valid", 1, 0, "");
    let d0 = m.output_reg("sb0", width, "SMALL: the oldest");
    let v1 = m.output_reg_rst("sb1_valid", 1, 0, "");
    let d1 = m.output_reg("sb1", width, "SMALL: the next");
    let count = m.output_reg_rst("sb_count", clog2(DEPTH + 1), 0, "small buffers at hand");
    let fifo = m.instance("u_good", good(width).build());
    m.connect(&fifo, "s_axis_tdata", &j.record);
    m.connect(&fifo, "s_axis_tvalid", &j.good);
    m.unused(&j.room, "small buffers have no room to count");
    let (next, there) = (fifo.out("m_axis_tdata"), fifo.out("m_axis_tvalid"));

    // What is left after the pop, then the FIFO's word into the first free place.
    let keep0 = m.named("keep0", &v0 & !pop.any());
    let move1 = m.named("move1", &v1 & pop.eq(1));
    let keep1 = m.named("keep1", &v1 & !pop.any());
    let full0 = m.named("full0", &keep0 | &move1);
    let take = m.named("take", !&full0 | !&keep1);
    m.connect(&fifo, "m_axis_tready", &take);
    m.seq("two places, filled in order", |b| {
        b.set(&v0, &full0 | &there);
        b.set(&v1, &keep1 | (&full0 & &there));
        b.when(&move1, |b| b.set(&d0, &d1));
        b.when(!&full0, |b| b.set(&d0, &next));
        b.when(!&keep1, |b| b.set(&d1, &next));
    });
    // One that comes counts when it stands at the FIFO's output: those counted are the ones offered next.
    let come = (0..2).fold(j.good.clone(), |before, i| {
        let come = m.reg_rst(&format!("come_{i}"), 1, 0);
        m.seq("", |b| b.set(&come, &before));
        come
    });
    m.seq("how many are at hand", |b| {
        let width = count.width();
        b.set(&count, &count + come.zext(width) - pop.zext(width));
    });
    m.assign(&f.taken, &pop + bad_taken.zext(2));
}

/// The oldest page, and the room in all of them.
fn pages(m: &mut Module, f: &Fetch, j: &Judged, bad_taken: &Sig) {
    let page = bundle::page();
    let pop = m.input("pg_pop", 1, "the page is taken in this clock");
    let valid = m.output("pg_valid", 1, "");
    let data = m.output("pg", page.width(), "PAGE: the oldest");
    let room = m.output_reg_rst("pg_room", 24, 0, "bytes in all pages at hand");
    let width = page.width() + 17;
    let fifo = m.instance("u_good", good(width).build());
    m.connect(&fifo, "s_axis_tdata", cat(&[&j.room, &j.record]));
    m.connect(&fifo, "s_axis_tvalid", &j.good);
    m.connect(&fifo, "m_axis_tready", &pop);
    m.connect_out(&fifo, "m_axis_tvalid", &valid);
    let out = fifo.out("m_axis_tdata");
    m.assign(&data, out.bits(0, page.width()));

    // The room of a page that comes is added when nothing is subtracted: late is safe, since too little only
    // makes a frame wait for a clock. `extra` holds what was not added yet.
    let extra = m.reg_rst("extra", 24, 0);
    let gain = m.named("gain", mux(&j.good, j.room.zext(24), 0));
    let step = m.named(
        "step",
        mux(&pop, !out.from_bit(page.width()).zext(24), &extra),
    );
    m.seq("room in all pages, one adder", |b| {
        b.set(&room, &room + &step + pop.zext(24));
        b.set(&extra, mux(&pop, extra.expr(), lit(24, 0)) + &gain);
    });
    m.assign(&f.taken, pop.zext(2) + bad_taken.zext(2));
}
