//! Stages 3 and 4: what happens to the operation at work.

use super::control::Shared;
use super::record::MORE;
use super::split::{PagesFilled, PAGES};
use super::Parts;
use crate::build::*;
use crate::bundle;
use crate::prim::lutram;
use pagetrain_formats::codes::{BufStatus, EventCode, Reason};
use pagetrain_formats::Config;

/// Bits of the number of small buffers at hand.
const SMALLS: usize = crate::desc_prefetch::DEPTH.ilog2() as usize + 1;

/// What stage 4 found out: registers (`a_*` in the Verilog).
pub(super) struct Decided {
    /// The frame is placed: it makes records.
    pub placed: Sig,
    /// And ends in its first clock; or has further parts; or a second small buffer.
    pub whole: Sig,
    pub parts: Sig,
    pub two: Sig,
    /// It joins its flow's train, or opens one.
    pub joins: Sig,
    pub opens: Sig,
    /// A train was closed before.
    pub closes: Sig,
    /// The train that it is in closes, and why.
    pub after: Sig,
    pub after_reason: Sig,
    /// Its entry is removed.
    pub removes: Sig,
    pub watched: Sig,
    /// The frame lacks buffers and waits.
    pub hold: Sig,
    /// It needs a page that cannot be used yet: compare again.
    pub unsettled: Sig,
    /// Neither: the operation takes effect.
    pub goes: Sig,
    /// Copies and reports of the operation before are on their way.
    pub clear: Sig,
    /// State of the slot's train, and what it becomes when a packet joins.
    pub now: Train,
    pub sum: Sig,
    /// It is a train of one; its train holds as many packets as it may.
    pub alone: Sig,
    pub by_count: Sig,
    /// Its train may close for its pages: no other reason comes first.
    pub page_reason: Sig,
    /// Pages that the train has filled.
    pub pages: PagesFilled,
    /// Write port of the trains' memory.
    pub mem: Instance,
    /// Slots with an open train.
    pub open: Sig,
}

/// State of a train.
pub(super) struct Train {
    pub bytes: Sig,
    pub packets: Sig,
    pub entries: Sig,
    /// Pages that it has filled.
    pub filled: Sig,
}

/// Bits of a train's state.
pub(super) const TRAIN_BITS: usize = 32 + 20 + 7 + 7 + PAGES;

/// Parts in which sequence numbers are compared.
const SEQ_PARTS: usize = 4;

fn reason(r: Reason) -> Expr {
    lit(5, r.code().into())
}

/// The first of several cases that holds, else `otherwise`.
fn first_of(cases: &[(Expr, Expr)], otherwise: Expr) -> Expr {
    let fold = |rest, (c, v): &(Expr, Expr)| mux(c, v, rest);
    cases.iter().rev().fold(otherwise, fold)
}

/// Adds stages 2 (of the train) to 4.
pub(super) fn outcome(m: &mut Module, cfg: &Config, p: &Parts, sh: &Shared) -> Decided {
    let w = &sh.w;
    let merge = m.input("cfg_merge", 1, "Q_MERGE: packets join trains");
    let fresh_page = m.input(
        "cfg_fresh_page",
        1,
        "Q_PAGE_CTRL: a train begins a new page",
    );
    let backpressure = m.input("cfg_backpressure", 1, "RX_CTRL: frames wait for buffers");
    let max_aggr = m.input("cfg_max_aggr", 7, "Q_MAX_AGGR: most packets of a train");
    let page_split = m.input(
        "cfg_page_split",
        1,
        "Q_PAGE_CTRL: trains end at the edges of pages",
    );
    let train_pages = m.input("cfg_train_pages", PAGES, "Q_TRAIN_PAGES: pages of a train");
    let sb_count = m.input("sb_count", SMALLS, "posted small buffers at hand");
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    m.connect(&p.decide, "cfg_page_split", &page_split);

    m.comment("Small buffers for all the pieces that the frame may be cut into");
    let many = m.reg("many_small", 1);
    m.seq("Small buffers at hand", |b| {
        b.set(&many, sb_count.ge(job("small_need")))
    });

    m.comment("Stage 2: state of the slot's train");
    let open = m.reg_rst("open", cfg.flows, 0);
    let mem = m.instance("u_train", lutram(TRAIN_BITS, w.flow));
    m.connect(&mem, "rd_addr", sh.slot.trunc(w.flow));
    let now = Train {
        bytes: m.reg("now_bytes", 20),
        packets: m.reg("now_packets", 7),
        entries: m.reg("now_entries", 7),
        filled: m.reg("now_filled", PAGES),
    };
    let open_now = m.reg("open_now", 1);
    let late_now = m.reg("late_now", 1);
    let gaps = m.reg("gaps", SEQ_PARTS);
    let left_now = m.reg("left_now", 22);
    let entries_then = m.reg("entries_then", 8);
    let aggr_before = m.reg("aggr_before", 7);
    let aggr_one = m.reg("aggr_one", 1);
    let last_page = m.reg("last_page", PAGES);
    let own = |vector: &Expr| cat(&[lit(1, 0), vector.clone()]);
    let (open_all, late_all) = (own(&open), own(&p.timer.out("late")));
    let open_all = m.named("open_all", open_all);
    let late_all = m.named("late_all", late_all);
    m.seq("Stage 2: read, and compare what takes long", |b| {
        let word = mem.out("rd_data");
        let mut lsb = 0;
        let mut next = |width| {
            lsb += width;
            word.bits(lsb - width, width)
        };
        let (seq, bytes, packets, entries) = (next(32), next(20), next(7), next(7));
        b.set(&now.bytes, &bytes);
        b.set(&now.packets, packets);
        b.set(&now.entries, &entries);
        b.set(&now.filled, next(PAGES));
        let differs = seq ^ job("seq");
        let part = 32 / SEQ_PARTS;
        let differ: Vec<Expr> = (0..SEQ_PARTS)
            .map(|i| differs.bits(i * part, part).any())
            .collect();
        b.set(&gaps, cat_lsb_first(&differ));
        // Negative: the packet is too much for the train.
        let room = job("room");
        b.set(
            &left_now,
            cat(&[room.bit(20), room.expr()]) - bytes.zext(22),
        );
        b.set(&entries_then, entries.zext(8) + job("need").zext(8));
        b.set(&open_now, open_all.bit_at(&sh.slot));
        b.set(&late_now, late_all.bit_at(&sh.slot));
        b.set(&aggr_before, &max_aggr - 1);
        b.set(&aggr_one, max_aggr.le(1));
        b.set(&last_page, &train_pages - 1);
    });

    m.comment("Stage 3: the packet against the train");
    let has_now = p.pages.out("has_now");
    let watched = m.named("watched", job("hit") | job("creates"));
    let small_ok = mux(
        job("hdr_two"),
        &sh.sb1_valid,
        !job("hdr_any") | &sh.sb0_valid,
    );
    let early = first_of(
        &[
            (!job("csum_ok"), reason(Reason::Csum)),
            (job("flagged").expr(), reason(Reason::Flag)),
            (job("no_payload").expr(), reason(Reason::Short)),
        ],
        reason(Reason::Single),
    );
    let alone = mux(
        &watched,
        mux(&merge, &early, reason(Reason::Single)),
        reason(Reason::None),
    );
    let unfit = !job("csum_ok") | job("flagged") | job("no_payload") | !&merge;
    let gap = m.named("gap", gaps.any());
    let over = m.named("over", left_now.bit(21));
    let crowded = m.named("crowded", entries_then.gt(cfg.train_entries - MORE));
    let may_join = job("hit") & &open_now & job("joinable") & &merge;
    let mut set: Vec<(Sig, Expr)> = vec![];
    let mut reg = |name: &str, value: Expr| {
        let r = m.reg(&format!("c_{name}"), value.width());
        set.push((r.clone(), value));
        r
    };
    let join = reg("joins", may_join & !&gap & !&over & !&crowded);
    let c_gap = reg("gap", gap.expr());
    let c_over = reg("over", over.expr());
    let c_reaches = reg("reaches", &over | !left_now.any());
    let c_last = reg("last", now.packets.ge(&aggr_before));
    let c_sum = reg("sum", &now.bytes + job("page_bytes").zext(20));
    let c_may_open = reg("may_open", &watched & job("joinable") & &merge);
    let c_hit_open = reg("hit_open", job("hit") & &open_now);
    let c_victim_open = reg("victim_open", job("creates") & &open_now);
    let c_has = reg("has", has_now.expr());
    let c_keeps = reg("keeps", &has_now & !job("creates"));
    let c_fresh = reg("fresh", job("hit") & &fresh_page & job("page_any"));
    let c_due = reg("due", &open_now & &late_now);
    let c_small_ok = reg("small_ok", small_ok & (!job("splits") | &many | &sh.piece));
    let c_filled = reg("filled", now.filled.expr());
    let c_edge = reg("edge", now.filled.ge(&last_page));
    let c_full = reg("full", now.filled.ge(&train_pages));
    let c_early = reg("early", early);
    let c_unfit = reg("unfit", unfit);
    let c_alone = reg("alone", alone);
    m.seq("Stage 3: compare", |b| {
        set.iter().for_each(|(r, v)| b.set(r, v))
    });

    m.comment("Stage 4: the outcome");
    let op = &sh.op;
    let frame = m.named("is_frame", &op.frame & !&sh.gone);
    let opens = m.named("begins", &c_may_open & !&join);
    let keep = m.named("keep_page", &c_keeps & !(&c_fresh & !&join));
    let enough = mux(&keep, p.pages.out("enough_old"), p.pages.out("enough_new"));
    // All the buffers of a frame were there when its first piece was placed.
    let short = m.named("short", !(&c_small_ok & enough) & !&sh.piece);
    let placed = m.named("placed", &frame & !&short);
    let takes_page = m.named("takes_page", job("page_any") & !&keep);
    let hold = &frame & &short & &backpressure;
    let waits_page = &takes_page & !p.pages.out("head_ok");
    let unsettled = &placed & (waits_page | (&sh.piece & !&c_small_ok));
    let goes = !(hold.clone() | unsettled.clone());
    let parts = p.pages.out("first_more") | job("hdr_two") | &sh.piece;
    let parts = m.named("has_parts", parts);

    let by_frame = mux(&short, &c_hit_open, (&c_hit_open & !&join) | &c_victim_open);
    let by_other = (&op.timer & &c_due) | (&op.close & &open_now);
    let closes = m.named("closes", (&frame & by_frame) | by_other);
    let close_reason = first_of(
        &[
            (op.timer.expr(), reason(Reason::Timer)),
            (op.close.expr(), p.command.out("reason").expr()),
            (short.expr(), reason(Reason::NoBuffer)),
            (c_victim_open.expr(), reason(Reason::Evict)),
            (c_unfit.expr(), c_early.expr()),
            (c_gap.expr(), reason(Reason::Seq)),
            (c_over.expr(), reason(Reason::MaxBytes)),
        ],
        reason(Reason::MaxAggr),
    );
    let single = m.named("single", !&join & !&opens);
    let by_count = m.named("by_count", mux(&join, &c_last, &aggr_one));
    let by_bytes = mux(&join, &c_reaches, job("fills"));
    let by_bytes = m.named("by_bytes", by_bytes);
    let after = &single | &by_count | &by_bytes;
    let page_reason = mux(&single, &watched & !&merge, !(&by_count | &by_bytes)) & &page_split;
    let after_reason = mux(
        &single,
        &c_alone,
        mux(&by_count, reason(Reason::MaxAggr), reason(Reason::MaxBytes)),
    );
    let removes = m.named(
        "removes",
        &placed & job("hit") & job("csum_ok") & job("ending"),
    );

    let releases = m.named("releases", &c_has & ((&placed & !&keep) | &op.release));
    let unused = m.named("gives_unused", &op.small | &op.page);
    let bad = m.named("gives_bad", &op.bad_small | &op.bad_page);
    let cookie = |e: &Sig, b: bundle::Bundle| b.get(e, "cookie");
    let of_slot = m.named("gives_of_slot", &op.frame | &op.release);
    let give_cookie = onehot_mux(
        &[&of_slot, &op.small, &op.page, &op.bad_small, &op.bad_page],
        &[
            p.pages.out("cookie_now").expr(),
            cookie(&sh.sb0, bundle::small()),
            cookie(&sh.pg, bundle::page()),
            sh.bad_small.expr(),
            sh.bad_page.expr(),
        ],
    );
    let status = |s: BufStatus| lit(2, s.code().into());
    let give_status = (of_slot.repeat(2) & status(BufStatus::Released))
        | (unused.repeat(2) & status(BufStatus::Unused))
        | (bad.repeat(2) & status(BufStatus::BadDesc));
    let gives = m.named("gives", &releases | &unused | &bad | &op.last);

    let there = (&c_filled, &c_edge, &c_full);
    let pages = PagesFilled::new(m, sh, &train_pages, &join, there);
    let clear = m.reg_rst("clear", 1, 0);
    let mut set: Vec<(Sig, Expr)> = vec![];
    let mut reg = |name: &str, value: Expr| {
        let r = m.reg(&format!("a_{name}"), value.width());
        set.push((r.clone(), value));
        r
    };
    let a_frame = reg("frame", &frame & !&sh.piece);
    let a_gone = reg("discarded", &op.frame & &sh.gone & !&sh.piece);
    let a_takes = reg("takes_page", &placed & &takes_page);
    let a_gives = reg("gives", gives.expr());
    let a_due = reg("due", c_due.expr());
    let decided = Decided {
        placed: reg("placed", placed.expr()),
        whole: reg("whole", &placed & !&parts),
        parts: reg("parts", &placed & &parts),
        two: reg("two", &placed & job("hdr_two")),
        joins: reg("joins", &placed & &join),
        opens: reg("opens", &placed & &opens),
        closes: reg("closes", closes.expr()),
        after: reg("after", after),
        after_reason: reg("after_reason", after_reason),
        removes: reg("removes", removes.expr()),
        watched: reg("watched", watched.expr()),
        alone: reg("alone", single.expr()),
        by_count: reg("by_count", by_count.expr()),
        page_reason: reg("page_reason", page_reason),
        pages,
        hold: reg("hold", hold),
        unsettled: reg("unsettled", unsettled),
        goes: reg("goes", goes),
        clear,
        now,
        sum: c_sum,
        mem,
        open,
    };
    let a_reason = reg("close_reason", close_reason);
    let a_cookie = reg("give_cookie", give_cookie);
    let a_fill = reg(
        "give_fill",
        p.pages.out("fill_now").trunc(16) & of_slot.repeat(16),
    );
    let a_status = reg("give_status", give_status);
    let a_page = reg("give_page", !&op.small & !&op.bad_small);
    let a_hdr = reg("hdr_cookie", cookie(&sh.sb0, bundle::small()));
    let a_second = reg("second_cookie", cookie(&sh.sb1, bundle::small()));
    m.seq("Stage 4: decide", |b| {
        b.when(&sh.deciding, |b| set.iter().for_each(|(r, v)| b.set(r, v)));
    });
    let ready = p.report.out("free") & p.report.out("room") & p.copy.out("free");
    let ready = ready & (!&op.frame | p.copy.out("room"));
    m.seq(
        "Are copies and reports of the operation before on their way?",
        |b| {
            b.set(&decided.clear, &ready);
        },
    );
    for (port, value) in [
        ("close_reason", &a_reason),
        ("give_cookie", &a_cookie),
        ("give_fill", &a_fill),
        ("give_status", &a_status),
        ("give_page", &a_page),
    ] {
        m.connect(&p.report, port, value);
    }
    m.connect(&p.report, "load", &sh.go);
    m.connect(&p.report, "close", &decided.closes);
    m.connect(&p.report, "give", &a_gives);
    m.connect(&p.record, "hdr_cookie", &a_hdr);
    m.connect(&p.record, "second_cookie", &a_second);

    m.connect(&p.pages, "keep", &keep);
    m.connect(&p.pages, "take", &sh.go & &a_takes);
    buffers(m, p, sh, &decided);
    update_table(m, p, sh, &placed, &removes);
    trace(m, p, sh, &a_frame, &decided, &a_due);
    statistics(m, p, sh, &a_frame, &a_gone, &decided);
    decided
}

/// Takes buffers and starts the copies.
fn buffers(m: &mut Module, p: &Parts, sh: &Shared, d: &Decided) {
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    let op = &sh.op;
    let sb_pop = m.output_reg_rst("sb_pop", 2, 0, "small buffers that are taken");
    m.seq("Small buffers", |b| {
        let one = (&d.placed & job("hdr_any") & !job("hdr_two")) | &op.small;
        b.set(&sb_pop, cat(&[&sh.go & &d.two, &sh.go & one]));
    });
    m.connect(&p.pages, "slot", &sh.slot);
    m.connect(&p.pages, "at_slot", &sh.at);
    m.connect(&p.pages, "bytes", job("page_bytes"));
    m.connect(&p.pages, "any", job("page_any"));
    m.connect(&p.pages, "off", job("page_off"));
    m.connect(&p.pages, "choose", &sh.deciding);
    m.connect(&p.pages, "take_unused", &sh.go & &op.page);

    let addr = |s: &Sig| bundle::small().get(s, "addr");
    m.connect(&p.copy, "load", &sh.go & &op.frame);
    m.connect(&p.copy, "has_hdr", &d.placed & job("hdr_any"));
    m.connect(&p.copy, "has_second", &d.two);
    m.connect(&p.copy, "has_page", &d.placed & job("page_any"));
    m.connect(&p.copy, "small_0", addr(&sh.sb0));
    m.connect(&p.copy, "small_1", addr(&sh.sb1));
    for name in ["hdr_len", "base", "base_strip", "strips", "words"] {
        m.connect(&p.copy, name, job(name));
    }
}

/// Strobes to the flow table, in the first clock of stage 5. Where that clock comes twice, since a page could not be
/// used yet, the same strobe comes twice, which changes nothing.
fn update_table(m: &mut Module, p: &Parts, sh: &Shared, placed: &Sig, removes: &Sig) {
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    let touch = m.output_reg_rst("upd_touch", 1, 0, "upd_slot becomes the most recently used");
    let insert = m.output_reg_rst("upd_insert", 1, 0, "upd_slot holds upd_key from now on");
    let remove = m.output_reg_rst("upd_remove", 1, 0, "upd_slot becomes free");
    let slot = m.output("upd_slot", sh.w.flow, "slot of an update");
    m.assign(&slot, sh.slot.trunc(sh.w.flow));
    m.seq("Flow table", |b| {
        b.set(&touch, &sh.deciding & placed & job("hit") & !removes);
        b.set(&insert, &sh.deciding & placed & job("creates"));
        b.set(&remove, &sh.deciding & removes);
    });
}

/// The trace port.
fn trace(m: &mut Module, p: &Parts, sh: &Shared, frame: &Sig, d: &Decided, due: &Sig) {
    let op = &sh.op;
    let cmd_op = m.input("cmd_op", 3, "which command");
    m.connect(&p.command, "cmd_op", &cmd_op);
    let valid = m.output_reg_rst("stat_evt_valid", 1, 0, "trace: an event");
    let code = m.output_reg("stat_evt_code", 5, "trace: which");
    let arg = m.output_reg(
        "stat_evt_arg",
        16,
        "trace: rx_seq of a frame, slot of a timer",
    );
    let event = |e: EventCode| lit(5, e.code().into());
    // The codes of the commands' events follow one another as those of the commands.
    let of_command = cmd_op.zext(5) + (EventCode::FlushAll.code() - 1);
    let rx_seq = p.decide.out("job_rx_seq");
    m.seq("Trace port", |b| {
        let others = [
            &op.event,
            &op.small,
            &op.page,
            &op.last,
            &op.bad_small,
            &op.bad_page,
        ];
        let others = or_all(&others.map(Sig::expr));
        b.set(&valid, &sh.go & (frame | (&op.timer & due) | others));
        b.set(
            &code,
            first_of(
                &[
                    (&op.frame & !&d.placed, event(EventCode::DropNoBuffer)),
                    (op.timer.expr(), event(EventCode::Timer)),
                    (op.event.expr(), of_command),
                    (op.small.expr(), event(EventCode::UnusedSmall)),
                    (op.page.expr(), event(EventCode::UnusedPage)),
                    (op.last.expr(), event(EventCode::Stopped)),
                    (op.bad_small.expr(), event(EventCode::BadSmall)),
                    (op.bad_page.expr(), event(EventCode::BadPage)),
                ],
                event(EventCode::Frame),
            ),
        );
        let slot = sh.slot.zext(16) & op.timer.repeat(16);
        b.set(&arg, (&rx_seq & op.frame.repeat(16)) | slot);
    });
}

/// Counter pulses of an operation.
fn statistics(m: &mut Module, p: &Parts, sh: &Shared, frame: &Sig, gone: &Sig, d: &Decided) {
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    let op = &sh.op;
    // The pieces of a frame count once.
    let placed = m.named("counted", &d.placed & !&sh.piece);
    let placed = &placed;
    let bad = |name: &str| job(name).eq(2);
    let pulses = [
        (
            "drop_no_buffer",
            frame & !placed,
            "a frame found no buffers",
        ),
        ("drop_disabled", gone.expr(), "a frame was discarded"),
        (
            "bad_ip_csum",
            placed & bad("ip_csum"),
            "bad IPv4 header checksum",
        ),
        (
            "bad_l4_csum",
            placed & bad("l4_csum"),
            "bad TCP or UDP checksum",
        ),
        (
            "rejected",
            placed & job("rejected"),
            "rejected by the parser",
        ),
        (
            "flow_hits",
            placed & job("hit"),
            "TCP, its flow has an entry",
        ),
        (
            "flow_misses",
            placed & job("tcp") & !job("hit"),
            "TCP, its flow has none",
        ),
        (
            "flow_creations",
            placed & job("creates"),
            "an entry was created",
        ),
        (
            "flow_evictions",
            placed & job("creates") & job("table_full"),
            "an entry was evicted",
        ),
        (
            "table_full",
            placed & job("creates") & job("table_full"),
            "no free slot was found",
        ),
        ("aggregated", d.joins.expr(), "a packet joined a train"),
        (
            "bad_descriptors",
            &op.bad_small | &op.bad_page,
            "a bad descriptor came back",
        ),
    ];
    let pulses: Vec<(Sig, Expr)> = pulses
        .into_iter()
        .map(|(name, value, doc)| (m.output_reg_rst(&format!("stat_{name}"), 1, 0, doc), value))
        .collect();
    m.seq("Counters", |b| {
        pulses.iter().for_each(|(s, v)| b.set(s, &sh.go & v));
    });
}
