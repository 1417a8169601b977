//! Stage 5: records, the walk over further pages, the new state of train, page and timer.

use super::control::Shared;
use super::outcome::Decided;
use super::split::PAGES;
use super::Parts;
use crate::build::*;
use pagetrain_formats::codes::Reason;
use pagetrain_formats::Config;

/// What the sequence of stages needs to know.
pub(super) struct Next {
    /// A fragment is placed, of an operation that does not end with it (wire).
    pub placed: Sig,
    /// Stage 5's first state is left (wire).
    pub leave: Sig,
}

/// Adds stage 5.
pub(super) fn act(m: &mut Module, cfg: &Config, p: &Parts, sh: &Shared, d: &Decided) -> Next {
    let w = &sh.w;
    let job = |name: &str| p.decide.out(&format!("job_{name}"));

    m.comment("Stage 5 begins when copies and reports of the operation before are on their way");
    let begun = m.reg_rst("begun", 1, 0);
    m.assign(&sh.go, &sh.acting & !&begun & &d.clear & &d.goes);
    m.comment("Then the packet's records, when there is room for them: those of a train just closed may have to go first");
    let started = m.named("started", &sh.acting & (&begun | (&d.clear & &d.goes)));
    let recording = m.named("recording", &started & p.record.out("room"));
    let done_first = m.named("done_first", &recording | (&started & !&d.placed));
    let leave = m.named("leave_act", &done_first | !&d.goes);
    m.seq("Begun", |b| b.set(&begun, &started & !&done_first));
    let more = p.pages.out("frag_more");
    m.comment("A segment is cut where a fragment fills its train's last page and goes on");
    let pages = &d.pages;
    m.assign(&sh.cut, &more & &pages.edge & job("splits"));
    let placed = m.named("placed_more", (&recording & &d.parts) | &sh.placing);
    // What ends in its own clock is placed, too.
    let packet_end = m.named("packet_end", (&recording & &d.whole) | &sh.ending);
    m.assign(&sh.finish, &packet_end | (&started & !&d.placed));
    m.assign(
        &sh.walk,
        &sh.walking & p.pages.out("may_walk") & p.copy.out("room") & !p.copy.out("page_busy"),
    );
    let extra = m.reg("extra_records", 5);
    let behind = m.reg("behind_extra", 5);
    let write_small = m.named("write_small", &recording & &d.two);
    m.seq("EXT records of the packet", |b| {
        b.first(|c| {
            c.when(&sh.deciding, |b| {
                b.set(&extra, 0);
                b.set(&behind, 1);
            });
            c.when(&write_small | &sh.placing, |b| {
                b.set(&extra, &behind);
                b.set(&behind, &behind + 1);
            });
        });
    });
    // Whether the records have to wait does not matter: it is the same each time. But what the operation before has
    // left must have gone.
    let settle = m.named("settle", &sh.acting & &d.clear);
    let place = m.named("place", &settle | &sh.placing);
    m.connect(&p.pages, "walk", &sh.walk);
    m.connect(&p.pages, "walking", &sh.walking);
    m.connect(&p.pages, "place", &place);
    m.connect(&p.pages, "commit", &packet_end);
    m.connect(
        &p.pages,
        "forget",
        &sh.finish & (&d.removes | &sh.op.release),
    );
    m.connect(&p.copy, "page_load", &sh.placing);
    m.connect(&p.copy, "page_addr", p.pages.out("frag_addr"));
    m.connect(&p.copy, "page_len", p.pages.out("frag_len"));
    m.connect(&p.copy, "page_off", p.pages.out("frag_off"));
    m.connect(&p.copy, "page_last", !p.pages.out("frag_more"));
    m.connect(&p.record, "restart", &sh.deciding);
    m.connect(&p.record, "index", &extra);
    m.connect(&p.record, "behind", &behind);
    records(m, p, sh, d, &packet_end, &write_small);
    pieces(m, p, sh, d, &placed);

    let filled = m.output_reg_rst("stat_pages_filled", 1, 0, "a page was filled");
    let placed_page = (&recording & &d.placed) | &sh.placing;
    m.seq("Pages filled", |b| {
        b.set(&filled, placed_page & p.pages.out("frag_full"))
    });

    m.comment("The new state of the train, written a clock later");
    let was = |s: &Sig| s & d.joins.repeat(s.width());
    let next_seq = m.reg("next_seq", 32);
    let next_bytes = m.reg("next_bytes", 20);
    let next_packets = m.reg("next_packets", 7);
    let next_entries = m.reg("next_entries", 7);
    let next_start = m.reg("next_start", w.rec);
    let next_slot = m.reg("next_slot", w.slot);
    let next_reason = m.reg("next_reason", 5);
    let next_watched = m.reg("next_watched", 1);
    let write = m.reg_rst("write_train", 1, 0);
    let set_timer = m.reg_rst("set_timer", 1, 0);
    let clear_timer = m.reg_rst("clear_timer", 1, 0);
    let full = p.pages.out("frag_full");
    let by_pages = m.named(
        "by_pages",
        &d.page_reason & (&pages.over | (&pages.edge & &full)),
    );
    // Where another reason comes first, the train closes anyway.
    let after = m.named("closes_after", &d.after | &by_pages);
    let stays = m.named("stays_open", (&d.joins | &d.opens) & !&after);
    let next_filled = m.reg("next_filled", PAGES);
    // The slot stands until the operation behind this one reads its own.
    let at = m.named("at_flow", sh.at.trunc(cfg.flows));
    let changes = m.reg_rst("open_changes", 1, 0);
    let opened = m.reg("open_next", 1);
    let wr = p.record.out("wr");
    m.seq("State of the train", |b| {
        b.set(&write, &packet_end & &d.watched);
        b.set(&set_timer, &packet_end & &d.opens & !&after);
        b.set(
            &clear_timer,
            (&sh.finish & &d.closes) | (&packet_end & &d.watched & !&stays),
        );
        b.when(&settle | &sh.ending, |b| {
            b.set(&next_seq, job("seq_next"));
            let bytes = mux(&d.joins, &d.sum, job("page_bytes").zext(20));
            b.set(&next_bytes, mux(&sh.again, p.split.out("bytes"), bytes));
            b.set(&next_filled, pages.with(&full));
            b.set(&next_packets, was(&d.now.packets) + 1);
            b.set(&next_entries, was(&d.now.entries) + behind.zext(7));
            b.set(&next_start, &wr - was(&d.now.entries).trunc(w.rec));
            b.set(&next_slot, &sh.slot);
            let reason = mux(
                &by_pages,
                lit(5, Reason::Page.code().into()),
                &d.after_reason,
            );
            b.set(&next_reason, mux(&sh.again, p.split.out("reason"), reason));
            b.set(&next_watched, &d.watched);
        });
        b.set(&changes, &packet_end | (&sh.finish & &d.closes));
        b.set(&opened, &packet_end & &stays);
        b.when(&changes, |b| {
            b.set(&d.open, (&d.open & !&at) | (&at & opened.repeat(cfg.flows)));
        });
    });
    let word = [
        &next_seq,
        &next_bytes,
        &next_packets,
        &next_entries,
        &next_filled,
    ];
    m.connect(&d.mem, "wr_en", &write);
    m.connect(&d.mem, "wr_addr", next_slot.trunc(w.flow));
    m.connect(&d.mem, "wr_data", cat_lsb_first(&word));
    m.connect(&p.timer, "set", &set_timer);
    m.connect(&p.timer, "clear", &clear_timer);
    m.connect(&p.timer, "slot", next_slot.trunc(w.flow));
    m.connect(&p.timer, "at_slot", &at);
    m.connect(&p.timer, "open", &d.open);
    m.connect(&p.timer, "serving", &sh.op.timer);
    m.connect(&p.timer, "serving_slot", sh.slot.trunc(w.flow));
    m.connect(&p.command, "open", &d.open);
    m.connect(&p.command, "has", p.pages.out("has"));

    m.comment("Trains and pages that leave");
    let page_left = mux(
        job("page_any"),
        !p.pages.out("frag_full"),
        p.pages.out("has_now"),
    );
    m.connect(&p.report, "placed", &packet_end);
    m.connect(&p.report, "after", &after);
    m.connect(&p.report, "last", &d.removes & page_left);
    for (port, value) in [
        ("after_slot", &next_slot),
        ("after_watched", &next_watched),
        ("after_start", &next_start),
        ("after_count", &next_entries),
        ("after_bytes", &next_bytes),
        ("after_packets", &next_packets),
        ("after_reason", &next_reason),
        ("close_slot", &sh.slot),
        ("close_count", &d.now.entries),
        ("close_bytes", &d.now.bytes),
        ("close_packets", &d.now.packets),
    ] {
        m.connect(&p.report, port, value);
    }
    m.connect(&p.report, "close_start", &wr - d.now.entries.trunc(w.rec));
    m.connect(&p.report, "last_cookie", p.pages.out("cookie_next"));
    m.connect(&p.report, "last_fill", p.pages.out("fill_next").trunc(16));
    m.unused(
        p.pages.out("fill_next").bit(16),
        "a page that is given back is not full",
    );
    m.unused(
        p.pages.out("fill_now").bit(16),
        "a page that is held is not full",
    );
    m.unused(
        p.pages.out("frag_fill").bit(16),
        "a fragment does not begin at a page's end",
    );
    m.connect(&p.report, "copy_free", p.copy.out("free"));
    m.connect(&p.report, "issued_next", p.copy.out("issued_next"));
    Next { placed, leave }
}

/// Connects what cuts frames, and tells the copy unit of it.
fn pieces(m: &mut Module, p: &Parts, sh: &Shared, d: &Decided, placed: &Sig) {
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    let is_piece = m.named("is_piece", &sh.piece | &sh.cut);
    m.connect(&p.record, "piece", &is_piece);
    let more = p.pages.out("frag_more");
    let s = &p.split;
    m.connect(s, "measure", placed & &is_piece & (!&more | &sh.cut));
    m.connect(s, "rest", p.pages.out("rest_next"));
    for name in ["page_bytes", "seq", "ip_head", "tcp_head", "ip_len", "l3"] {
        m.connect(s, name, job(name));
    }
    m.connect(s, "joins", &d.joins);
    m.connect(s, "train_bytes", &d.now.bytes);
    m.connect(s, "alone", &d.alone);
    m.connect(s, "by_count", &d.by_count);
    m.connect(&p.decide, "piece_bytes", p.pages.out("rest_next"));
    m.connect(&p.decide, "piece_off", p.pages.out("off_next"));
    m.connect(&p.decide, "piece_seq", s.out("seq_next"));
    m.connect(&p.decide, "piece_fills", s.out("rest_fills"));

    m.connect(
        &p.copy,
        "last_first",
        &d.placed & job("splits") & (&more | &sh.piece),
    );
    // A packet whose header comes last has more than one fragment, or is a piece: it never ends in its first state.
    m.connect(&p.copy, "ends", &sh.ending);
    m.connect(&p.copy, "end_piece", &sh.piece | &sh.again);
    m.connect(&p.copy, "end_last", !&sh.again);
    for name in ["l3_at", "l4_at", "tcp_head", "l3"] {
        m.connect(&p.copy, name, job(name));
    }
    for name in ["new_len", "seq_high", "seq_low", "tcp_const", "ip_const"] {
        m.connect(&p.copy, name, s.out(name));
    }
    let cut = m.output_reg_rst(
        "stat_split_segments",
        1,
        0,
        "a frame is delivered in pieces",
    );
    m.seq("Frames that are cut", |b| {
        b.set(&cut, &sh.again & !&sh.piece)
    });
}

/// Connects the record writer.
fn records(
    m: &mut Module,
    p: &Parts,
    sh: &Shared,
    d: &Decided,
    packet_end: &Sig,
    write_small: &Sig,
) {
    let job = |name: &str| p.decide.out(&format!("job_{name}"));
    let r = &p.record;
    m.connect(r, "slot", &sh.slot);
    m.connect(r, "need", job("need"));
    m.connect(r, "write", packet_end | write_small | &sh.placing);
    m.connect(r, "is_page", &sh.placing);
    m.connect(r, "is_small", &sh.acting & job("hdr_two"));
    m.connect(r, "advance", packet_end);
    m.connect(r, "hdr_any", job("hdr_any"));
    m.connect(r, "pkt_any", job("page_any"));
    m.connect(r, "pkt_cookie", p.pages.out("first_cookie"));
    m.connect(r, "pkt_offset", p.pages.out("first_fill"));
    m.connect(r, "pkt_len", p.pages.out("first_len").zext(16));
    m.connect(r, "pkt_full", p.pages.out("first_full"));
    m.connect(r, "ext_cookie", p.pages.out("frag_cookie"));
    m.connect(r, "ext_offset", p.pages.out("frag_fill").trunc(16));
    m.connect(r, "ext_len", p.pages.out("frag_len").zext(16));
    m.connect(r, "ext_full", p.pages.out("frag_full"));
    for name in [
        "frame_len",
        "rx_seq",
        "vlan0",
        "vlan1",
        "hdr_len",
        "l3_off",
        "l4_off",
        "split",
        "l3",
        "l4",
        "ip_csum",
        "l4_csum",
        "vlan_count",
        "ip_opt",
    ] {
        m.connect(r, name, job(name));
    }
    m.connect(r, "watched", &d.watched);
}
