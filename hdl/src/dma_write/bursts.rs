//! Burst generator of `dma_write`: from prepared commands to addresses, and from responses to `done_seq`.

use super::prepare::burst_cmd;
use super::Widths;
use crate::build::{cat, clog2, lit, mux, Module, Sig};
use crate::bundle::Bundle;
use crate::prim::{count_some, Fifo};
use crate::write_address::{track, WriteAddress, OUTSTANDING};

/// Generated bursts that may be waiting for their address to be shown.
const WAITING: usize = 16;

/// Builds the module.
pub(super) fn bursts(w: &Widths) -> Module {
    let mut m = Module::new(
        &format!("dma_bursts_{}", w.dma_width),
        "Bursts of the copy commands: addresses out, responses in.",
    );
    let generated = generate(&mut m, w);
    let announced = announce(&mut m, w, &generated);
    respond(&mut m, &announced);
    m
}

struct Generated {
    burst: Bundle,
    valid: Sig,
    data: Sig,
    /// Takes the burst.
    take: Sig,
}

/// One burst a clock: each ends at the end of its block or with the command.
fn generate(m: &mut Module, w: &Widths) -> Generated {
    let cmd = burst_cmd(w);
    let valid = m.input("s_cmd_tvalid", 1, "prepared command");
    let ready = m.output("s_cmd_tready", 1, "");
    let data = m.input("s_cmd_tdata", cmd.width(), "DMA_BURST_CMD");

    let g_valid = m.reg_rst("g_valid", 1, 0);
    let g_block = m.reg("g_block", w.block);
    let g_start = m.reg("g_start", w.beat);
    let g_end = m.reg("g_end", w.beat);
    let g_more = m.reg("g_more", w.more);
    let g_last = m.reg("g_last", 1);
    let g_null = m.reg("g_null", 1);
    let room = m.wire("room", 1);
    let emit = m.named("emit", &g_valid & &room);
    let ended = m.named("ended", &emit & &g_last);
    let load = m.named("load", !&g_valid | &ended);
    m.assign(&ready, &load);
    m.seq(
        "Command at hand: the rest of it moves on by a block a clock",
        |b| {
            b.when(&emit, |b| {
                b.set(&g_block, &g_block + 1);
                b.set(&g_start, 0);
                b.set(&g_more, &g_more - 1);
                b.set(&g_last, g_more.eq(1));
            });
            b.when(&load, |b| {
                b.set(&g_valid, &valid);
                b.set(&g_block, cmd.get(&data, "block"));
                b.set(&g_start, cmd.get(&data, "start"));
                b.set(&g_end, cmd.get(&data, "end"));
                b.set(&g_more, cmd.get(&data, "more"));
                b.set(&g_last, !cmd.get(&data, "more").any());
                b.set(&g_null, cmd.get(&data, "null"));
            });
        },
    );

    let burst = Bundle::new(
        "DMA_BURST",
        &[
            ("block", w.block),
            ("start", w.beat),
            ("len", w.beat),
            ("last", 1),
            ("null", 1),
        ],
    );
    let x_valid = m.reg_rst("x_valid", 1, 0);
    let x_data = m.reg("x_data", burst.width());
    m.seq("Length of the burst", |b| {
        let end = mux(&g_last, &g_end, lit(w.beat, (1 << w.beat) - 1));
        let values = [
            ("block", g_block.expr()),
            ("start", g_start.expr()),
            ("len", end - &g_start),
            ("last", g_last.expr()),
            ("null", g_null.expr()),
        ];
        b.set(&x_valid, &emit);
        b.set(&x_data, burst.pack(&values));
    });

    let take = m.wire("take", 1);
    let fifo = Fifo::new(burst.width(), WAITING)
        .almost_full(WAITING - 4)
        .unguarded();
    let waiting = m.instance("u_waiting", fifo.build());
    m.connect(&waiting, "s_axis_tvalid", &x_valid);
    m.connect(&waiting, "s_axis_tdata", &x_data);
    m.connect(&waiting, "m_axis_tready", &take);
    m.assign(&room, !waiting.out("almost_full"));
    let (o_valid, o_data) = (waiting.out("m_axis_tvalid"), waiting.out("m_axis_tdata"));
    Generated {
        burst,
        valid: o_valid,
        data: o_data,
        take,
    }
}

struct Announced {
    /// A burst or an empty command goes on to wait for its turn.
    pushed: Sig,
    last: Sig,
    null: Sig,
    /// Places for them.
    room: Sig,
}

/// Shows one address after the other, as long as nothing holds it back.
fn announce(m: &mut Module, w: &Widths, generated: &Generated) -> Announced {
    let burst = &generated.burst;
    let room = m.wire("track_room", 1);
    let null = m.named("is_null", burst.get(&generated.data, "null"));
    let last = m.named("is_last", burst.get(&generated.data, "last"));
    let address = WriteAddress::new(m, room.expr());
    let may = &generated.valid & &address.go;
    let pushed = m.named("pushed", &may & (&null | address.ready()));
    m.assign(&generated.take, &pushed);
    let field = |name: &str| burst.get(&generated.data, name);
    let addr = cat(&[field("block"), field("start"), lit(w.lane, 0)]);
    address.announce(m, may & !&null, addr, field("len").zext(8));
    Announced {
        pushed,
        last,
        null,
        room,
    }
}

/// Counts commands done, in order: those with bursts when the last of them was answered.
fn respond(m: &mut Module, announced: &Announced) {
    let b_valid = m.input("b_valid", 1, "a burst was answered");
    let b_err = m.input("b_err", 1, "with an error");
    let done_seq = m.output_reg_rst("done_seq", 16, 0, "commands done");
    let idle = m.output_reg_rst("idle", 1, 0, "no burst is under way");

    let take = m.wire("track_take", 1);
    let what = cat(&[&announced.null, &announced.last]);
    let track = track(m, &announced.pushed, what);
    m.connect(&track, "m_axis_tready", &take);
    m.assign(&announced.room, !track.out("almost_full"));
    let (t_valid, t_data) = (track.out("m_axis_tvalid"), track.out("m_axis_tdata"));
    let t_null = t_data.bit(1);

    let bits = clog2(OUTSTANDING) + 1;
    let answers = m.reg_rst("answers", bits, 0);
    let some = m.reg_rst("some_answers", 1, 0);
    let failed = m.reg_rst("failed", 1, 0);
    let done = m.reg_rst("done", 1, 0);
    m.assign(&take, &t_valid & (&t_null | &some));
    let used = m.named("answer_used", &t_valid & !&t_null & &some);
    m.seq(
        "Commands done; nothing counts any more once a response was bad",
        |b| {
            count_some(b, &answers, &some, &b_valid, &used);
            b.when(&b_valid & &b_err, |b| b.set(&failed, 1));
            b.set(&done, &take & t_data.any() & !&failed);
            b.when(&done, |b| b.set(&done_seq, &done_seq + 1));
        },
    );

    let under_way = m.reg_rst("under_way", bits, 0);
    let started = m.named("started", &announced.pushed & !&announced.null);
    m.seq("Bursts announced and not answered", |b| {
        b.when(&started & !&b_valid, |b| b.set(&under_way, &under_way + 1));
        b.when(!&started & &b_valid, |b| b.set(&under_way, &under_way - 1));
        b.set(&idle, !under_way.any() & !&started);
    });
}
