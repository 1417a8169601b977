//! The sequence of operations: which comes next, and its way through the stages.

use super::{act, outcome, Parts, Widths};
use crate::build::*;
use crate::bundle;
use crate::prim::decode;
use pagetrain_formats::Config;

/// Signals that the parts of the control logic share.
pub(super) struct Shared {
    pub w: Widths,
    /// Kind of the operation at work, one of these.
    pub op: Op,
    /// Its slot, from stage 2 on; a clock later decoded, the last bit for frames that are not watched.
    pub slot: Sig,
    pub at: Sig,
    /// Stage 4 and the end of stage 5.
    pub deciding: Sig,
    pub acting: Sig,
    pub walking: Sig,
    pub placing: Sig,
    pub ending: Sig,
    /// Stage 5 begins: the operation takes effect.
    pub go: Sig,
    /// The operation's last clock, or that of a piece of its frame.
    pub finish: Sig,
    /// A further fragment is loaded.
    pub walk: Sig,
    /// The operation is a piece of a frame, behind the first.
    pub piece: Sig,
    /// The fragment at hand ends a piece, and another one follows (wire); the last clock of such a piece.
    pub cut: Sig,
    pub again: Sig,
    /// Frames are discarded.
    pub gone: Sig,
    pub halted: Sig,
    /// Posted small buffers and the page's cookie, where a buffer goes back.
    pub sb0: Sig,
    pub sb1: Sig,
    pub sb0_valid: Sig,
    pub sb1_valid: Sig,
    pub pg: Sig,
    pub bad_small: Sig,
    pub bad_page: Sig,
}

/// The kinds of operations: registers, one of them is set.
pub(super) struct Op {
    pub frame: Sig,
    pub timer: Sig,
    pub event: Sig,
    pub close: Sig,
    pub release: Sig,
    pub small: Sig,
    pub page: Sig,
    pub last: Sig,
    pub bad_small: Sig,
    pub bad_page: Sig,
}

impl Op {
    fn new(m: &mut Module) -> Op {
        let mut reg = |name: &str| m.reg(&format!("op_{name}"), 1);
        Op {
            frame: reg("frame"),
            timer: reg("timer"),
            event: reg("event"),
            close: reg("close"),
            release: reg("release"),
            small: reg("small"),
            page: reg("page"),
            last: reg("last"),
            bad_small: reg("bad_small"),
            bad_page: reg("bad_page"),
        }
    }

    fn all(&self) -> [&Sig; 10] {
        [
            &self.frame,
            &self.timer,
            &self.event,
            &self.close,
            &self.release,
            &self.small,
            &self.page,
            &self.last,
            &self.bad_small,
            &self.bad_page,
        ]
    }
}

/// Adds the control logic and connects the children.
pub(super) fn control(m: &mut Module, cfg: &Config, p: &Parts) {
    let w = Widths::new(cfg);
    let frame_b = bundle::frame(cfg);
    let frame_valid = m.input("s_axis_frame_tvalid", 1, "a frame is stored");
    let frame_ready = m.output_reg_rst("s_axis_frame_tready", 1, 0, "it is taken");
    let frame = m.input("s_axis_frame_tdata", frame_b.width(), "FRAME");
    let halted_in = m.input("halted", 1, "discard frames, do nothing else");
    let halted = m.reg_rst("halted_here", 1, 0);
    m.seq("It comes from afar", |b| b.set(&halted, &halted_in));
    let bad_small_valid = m.input("s_axis_bad_small_tvalid", 1, "a bad small descriptor");
    let bad_small_ready = m.output_reg_rst("s_axis_bad_small_tready", 1, 0, "it is taken");
    let bad_small = m.input("s_axis_bad_small_tdata", 32, "its cookie");
    let bad_page_valid = m.input("s_axis_bad_page_tvalid", 1, "a bad page descriptor");
    let bad_page_ready = m.output_reg_rst("s_axis_bad_page_tready", 1, 0, "it is taken");
    let bad_page = m.input("s_axis_bad_page_tdata", 32, "its cookie");
    let sb0_valid = m.input("sb0_valid", 1, "a small buffer is posted");
    let sb0 = m.input("sb0", bundle::small().width(), "SMALL: the oldest");
    let sb1_valid = m.input("sb1_valid", 1, "two are posted");
    let sb1 = m.input("sb1", bundle::small().width(), "SMALL: the second oldest");
    let pg = m.input("pg", bundle::page().width(), "PAGE: the oldest posted page");

    m.comment("The operation at work, and its stage: one of these is set");
    let op = Op::new(m);
    let idle = m.reg_rst("idle", 1, 1);
    let mut stage = |name: &str| m.reg_rst(name, 1, 0);
    let (slotting, reading, comparing) = (stage("slotting"), stage("reading"), stage("comparing"));
    let (deciding, acting) = (stage("deciding"), stage("acting"));
    let (walking, placing, ending) = (stage("walking"), stage("placing"), stage("ending"));
    let slot = m.reg("slot", w.slot);
    let at = m.reg("at_slot", cfg.flows + 1);
    let slot_hint = m.reg("slot_hint", w.slot);
    let held = m.reg_rst("held", 1, 0);
    let sh = Shared {
        w,
        op,
        slot,
        at,
        deciding,
        acting,
        walking,
        placing,
        ending,
        go: m.wire("go", 1),
        finish: m.wire("finish", 1),
        walk: m.wire("walk", 1),
        piece: m.reg_rst("piece", 1, 0),
        cut: m.wire("cut", 1),
        again: m.reg_rst("again", 1, 0),
        gone: m.named("gone", p.command.out("stopped") | &halted),
        halted,
        sb0,
        sb1,
        sb0_valid,
        sb1_valid,
        pg,
        bad_small,
        bad_page,
    };

    m.comment("Selection, while the operation before ends: timer, command, bad descriptor, frame");
    let (req, lock) = (p.command.out("req"), p.command.out("lock"));
    let open_for = |e: Expr| e & !&lock & !&sh.halted;
    let may_timer = m.named("may_timer", open_for(p.timer.out("req").expr()));
    let may_command = m.named("may_command", &req & !&sh.halted);
    // A descriptor that is at work, or goes at this edge, is not chosen again.
    let bad_small_there = m.reg_rst("bad_small_there", 1, 0);
    let bad_page_there = m.reg_rst("bad_page_there", 1, 0);
    m.seq("Bad descriptors come from afar", |b| {
        b.set(&bad_small_there, &bad_small_valid & !&bad_small_ready);
        b.set(&bad_page_there, &bad_page_valid & !&bad_page_ready);
    });
    let may_small = m.named(
        "may_bad_small",
        open_for(&bad_small_there & !&bad_small_ready & !&sh.op.bad_small),
    );
    let may_page = m.named(
        "may_bad_page",
        open_for(&bad_page_there & !&bad_page_ready & !&sh.op.bad_page),
    );
    // One that acts waits no longer.
    let waits = m.named("waits", &held & !(&sh.acting & &sh.op.frame));
    let may_frame = m.named(
        "may_frame",
        (&waits | p.decide.out("coming")) & (!&lock | &sh.halted),
    );
    let ended = m.named("ended", &sh.finish & !&sh.again);
    let select = m.named("select", (&idle & p.record.out("ready")) | &ended);
    let any = m.named(
        "any_selected",
        &may_timer | &may_command | &may_small | &may_page | &may_frame,
    );
    m.seq("Selection", |b| {
        b.set(&frame_ready, 0);
        b.when(&select, |b| {
            sh.op.all().iter().for_each(|s| b.set(s, 0));
            b.first(|c| {
                c.when(&may_timer, |b| {
                    b.set(&sh.op.timer, 1);
                });
                c.when(&may_command, |b| {
                    let kinds = [
                        (&sh.op.event, "req_event"),
                        (&sh.op.close, "req_close"),
                        (&sh.op.release, "req_release"),
                        (&sh.op.small, "req_small"),
                        (&sh.op.page, "req_page"),
                        (&sh.op.last, "req_last"),
                    ];
                    kinds
                        .iter()
                        .for_each(|(s, port)| b.set(s, p.command.out(port)));
                });
                c.when(&may_small, |b| b.set(&sh.op.bad_small, 1));
                c.when(&may_page, |b| b.set(&sh.op.bad_page, 1));
                c.otherwise(|b| {
                    b.set(&sh.op.frame, 1);
                    b.set(&frame_ready, &may_frame & !&waits);
                });
            });
        });
    });
    m.seq(
        "The slot of what may be selected: only the clock behind a selection looks",
        |b| {
            let other = mux(
                &may_command,
                p.command.out("req_slot"),
                p.decide.out("job_slot"),
            );
            b.set(
                &slot_hint,
                mux(&may_timer, p.timer.out("req_slot").zext(sh.w.slot), other),
            );
        },
    );
    let of_command = [
        &sh.op.event,
        &sh.op.close,
        &sh.op.release,
        &sh.op.small,
        &sh.op.page,
        &sh.op.last,
    ];
    let of_command = m.named("of_command", or_all(&of_command.map(Sig::expr)));

    let decided = outcome::outcome(m, cfg, p, &sh);
    let next = act::act(m, cfg, p, &sh, &decided);
    let more = p.pages.out("frag_more");
    m.seq("Stages", |b| {
        b.comment("The next piece of a frame goes the same way; nothing comes between");
        b.set(&slotting, (&select & &any) | &sh.again);
        b.when(&sh.finish, |b| b.set(&sh.piece, &sh.again));
        b.set(&reading, &slotting);
        b.set(&comparing, &reading | (&sh.acting & &decided.unsettled));
        b.set(&sh.deciding, &comparing);
        b.set(&sh.acting, &sh.deciding | (&sh.acting & !&next.leave));
        b.set(
            &sh.walking,
            (&next.placed & &more & !&sh.cut) | (&sh.walking & !&sh.walk),
        );
        b.set(&sh.placing, &sh.walk);
        b.set(&sh.again, p.split.out("done") & &sh.cut);
        b.set(
            &sh.ending,
            (&next.placed & !&more & !&sh.piece) | p.split.out("done"),
        );
        b.set(
            &idle,
            (&select & !&any) | (&idle & !&select) | (&sh.acting & &decided.hold),
        );
        b.comment("A frame that lacks buffers waits here; everything else goes on");
        b.when(&sh.acting & &sh.op.frame, |b| b.set(&held, &decided.hold));
        b.when(&slotting & !&sh.piece, |b| {
            b.set(
                &sh.slot,
                mux(&frame_ready, p.decide.out("slot_next"), &slot_hint),
            );
        });
        b.set(&sh.at, decode(&sh.slot, cfg.flows + 1));
        b.set(&bad_small_ready, &sh.go & &sh.op.bad_small);
        b.set(&bad_page_ready, &sh.go & &sh.op.bad_page);
    });

    m.connect(&p.decide, "frame_valid", &frame_valid);
    m.connect(&p.decide, "frame", &frame);
    m.connect(&p.decide, "take", &frame_ready);
    m.connect(&p.decide, "advance", &sh.again);
    m.connect(&p.command, "started", &slotting & &of_command);
    m.connect(&p.command, "finished", &sh.finish & &of_command);
    m.connect(&p.command, "small_valid", &sh.sb0_valid);
    m.connect(&p.copy, "discard", &sh.halted);
    m.connect(&p.report, "discard", &sh.halted);
    through(m, p, cfg, &sh);
}

/// Ports that lead straight to a child.
fn through(m: &mut Module, p: &Parts, cfg: &Config, sh: &Shared) {
    let kw = bundle::key().width();
    let w = &sh.w;
    for (child, port, name, width, doc) in [
        (&p.decide, "flush_key", "flush_key", kw, "KEY of FLUSH_FLOW"),
        (&p.decide, "cfg_strip_vlan", "cfg_strip_vlan", 1, "RX_CTRL"),
        (
            &p.decide,
            "cfg_admit_min",
            "cfg_admit_min",
            16,
            "Q_ADMIT_MIN",
        ),
        (
            &p.timer,
            "cfg_ticks",
            "cfg_defer_ticks",
            15,
            "Q_DEFER_TICKS",
        ),
        (&p.timer, "tick", "tick", 1, "pulse every tick"),
        (
            &p.command,
            "cmd_valid",
            "cmd_valid",
            1,
            "a command waits or is under way",
        ),
        (
            &p.command,
            "small_drained",
            "sb_drained",
            1,
            "no small buffer is posted",
        ),
        (
            &p.command,
            "page_drained",
            "pg_drained",
            1,
            "no page is posted",
        ),
        (
            &p.pages,
            "pg_room",
            "pg_room",
            24,
            "bytes in all posted pages",
        ),
        (
            &p.record,
            "rec_free",
            "rec_free",
            1,
            "a record has been read",
        ),
        (
            &p.record,
            "rec_free_slot",
            "rec_free_slot",
            w.slot,
            "of this slot",
        ),
        (
            &p.copy,
            "m_axis_cmd_tready",
            "m_axis_cmd_tready",
            1,
            "the command is taken",
        ),
        (
            &p.report,
            "m_axis_emit_tready",
            "m_axis_emit_tready",
            1,
            "the emission is taken",
        ),
    ] {
        let input = m.input(name, width, doc);
        m.connect(child, port, &input);
    }
    let max_bytes = m.input("cfg_max_bytes", 20, "Q_MAX_BYTES");
    for child in [&p.decide, &p.split] {
        m.connect(child, "cfg_max_bytes", &max_bytes);
    }
    let hit = m.input("hit", 1, "flow table: found");
    let hit_slot = m.input("hit_slot", w.flow, "flow table: where");
    for child in [&p.decide, &p.command] {
        m.connect(child, "hit", &hit);
        m.connect(child, "hit_slot", &hit_slot);
    }
    for (name, width, doc) in [
        ("free", 1, "flow table: there is a free slot"),
        ("new_slot", w.flow, "flow table: the slot for a new flow"),
    ] {
        let input = m.input(name, width, doc);
        m.connect(&p.decide, name, &input);
    }
    let pg_valid = m.input("pg_valid", 1, "a page is posted");
    m.connect(&p.pages, "pg_valid", &pg_valid);
    m.connect(&p.command, "page_valid", &pg_valid);
    m.connect(&p.pages, "pg", &sh.pg);
    m.connect(&p.decide, "flush", p.command.out("flush"));
    for (child, port, name, doc) in [
        (&p.decide, "key", "key", "KEY to look up"),
        (&p.decide, "job_key", "upd_key", "KEY of an insert"),
        (&p.command, "clear", "upd_clear", "every slot becomes free"),
        (
            &p.command,
            "cmd_done",
            "cmd_done",
            "pulse: the command is finished",
        ),
        (
            &p.pages,
            "pg_pop",
            "pg_pop",
            "the oldest posted page is taken",
        ),
        (&p.record, "rec_we", "rec_we", "write a record"),
        (&p.record, "rec_addr", "rec_addr", "slot, index in its ring"),
        (
            &p.record,
            "rec_data",
            "rec_data",
            "the entry, without head and phase",
        ),
        (
            &p.copy,
            "m_axis_cmd_tvalid",
            "m_axis_cmd_tvalid",
            "a copy command",
        ),
        (&p.copy, "m_axis_cmd_tdata", "m_axis_cmd_tdata", "CMD"),
        (
            &p.report,
            "m_axis_emit_tvalid",
            "m_axis_emit_tvalid",
            "an emission",
        ),
        (&p.report, "m_axis_emit_tdata", "m_axis_emit_tdata", "EMIT"),
        (
            &p.report,
            "stat_trains",
            "stat_trains",
            "a train of a watched flow was closed",
        ),
        (
            &p.report,
            "stat_reason_valid",
            "stat_reason_valid",
            "packets were delivered",
        ),
        (&p.report, "stat_reason", "stat_reason", "why"),
        (
            &p.report,
            "stat_reason_packets",
            "stat_reason_packets",
            "how many",
        ),
        (
            &p.report,
            "stat_pages_released",
            "stat_pages_released",
            "a page came back before it was full",
        ),
    ] {
        let output = m.output(name, child.out(port).width(), doc);
        m.connect_out(child, port, &output);
    }
    let _ = cfg;
}
