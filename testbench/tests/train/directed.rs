//! Named situations, each with its outcome written out, and compared with the reference on top.

use crate::bench::{Bench, Profile};
use crate::reference::{Event, Setup, ACK, FIN, PSH, SYN};
use crate::traffic::Traffic;
use crate::{config, model};
use pagetrain_formats::codes::{BufStatus, Command, Reason};
use pagetrain_formats::completion::{BufId, Completion, Ext, Pkt};
use pagetrain_hdl::train::{CLOCKS_A_CUT, CLOCKS_A_FRAME, TIMER_SLACK};
use std::cell::LazyCell;

/// Neighbours that never stand in the way; buffers are posted by hand.
const QUIET: Profile = Profile {
    name: "quiet",
    frame: 1.0,
    cmd: 1.0,
    emit: 1.0,
    free: 1.0,
    small: 0.0,
    page: 0.0,
    command: 0.0,
    bad: 0.0,
    stop: 0.0,
};

/// The same, and the host posts whatever fits.
const PLENTY: Profile = Profile {
    small: 1.0,
    page: 1.0,
    ..QUIET
};

fn setup() -> Setup {
    Setup {
        strip_vlan: false,
        backpressure: false,
        merge: true,
        defer_ticks: 0,
        tick_clocks: 10,
        max_aggr: 32,
        max_bytes: 65535,
        admit_min: 1024,
        fresh_page: false,
        page_split: false,
        train_pages: 8,
    }
}

/// A bench with four flows, and traffic for six.
fn bench(setup: Setup) -> (Bench, Traffic) {
    let cfg = config(4, 128);
    let mut bench = Bench::new(&model(&cfg), cfg, setup, QUIET, 1);
    bench.bad_enabled = false;
    (bench, Traffic::new(1, cfg, 6))
}

fn post(bench: &mut Bench, smalls: usize, pages: &[(u64, u64)]) {
    (0..smalls).for_each(|_| bench.post_small());
    pages
        .iter()
        .for_each(|&(length, headroom)| bench.post_page(length, headroom));
}

fn entries(bench: &Bench) -> Vec<Completion> {
    bench
        .emitted
        .iter()
        .flat_map(|e| e.entries.clone())
        .collect()
}

/// Type and facts of an entry, short.
fn show(entry: &Completion) -> String {
    match entry {
        Completion::Stop => "stop".into(),
        Completion::Pkt(p) => match p.head {
            Some(h) => format!("{:?} {}p {}B", h.reason, h.train_packets, h.train_bytes),
            None => "pkt".into(),
        },
        Completion::Ext(Ext::Small { .. }) => "ext small".into(),
        Completion::Ext(Ext::Page {
            offset, len, full, ..
        }) => format!("ext {offset}+{len}{}", if *full { " full" } else { "" }),
        Completion::Buf(b) => {
            let kind = if matches!(b.id, BufId::Small(_)) {
                "small"
            } else {
                "page"
            };
            format!("{kind} {:?} {}", b.status, b.fill)
        }
    }
}

fn shown(bench: &Bench) -> Vec<String> {
    entries(bench).iter().map(show).collect()
}

fn pkt(bench: &Bench, at: usize) -> Pkt {
    match &entries(bench)[at] {
        Completion::Pkt(p) => *p,
        other => panic!("entry {at} is {other:?}"),
    }
}

#[test]
fn page_is_full_when_payload_fits_exactly() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 8, &[(4096, 0), (4096, 100)]);
    for pay in [3000, 1096, 1448] {
        b.frames.push_back(t.segment(0, pay, ACK));
    }
    b.drain();
    b.commands.push_back((Command::FlushAll, t.keys[0]));
    b.drain();
    assert_eq!(shown(&b), ["FlushAll 3p 5544B", "pkt", "pkt"]);
    let (full, next) = (pkt(&b, 1), pkt(&b, 2));
    assert!(full.page_full && full.page_offset == 3000 && full.frag_len == 1096);
    assert_eq!(
        (next.page_cookie, next.page_offset),
        (b.all_pages[1].cookie, 100)
    );
    assert_eq!(b.pages.len(), 0);
    b.check(None);
}

#[test]
fn new_page_is_not_taken_when_no_byte_is_left_for_it() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 8, &[(4096, 0), (4096, 0)]);
    b.frames.push_back(t.segment(0, 4096, ACK));
    b.frames.push_back(t.segment(0, 0, ACK));
    b.drain();
    assert_eq!(shown(&b), ["Short 1p 4096B", "Short 1p 0B"]);
    assert_eq!(b.pages.len(), 1, "the second page stays posted");
    b.check(None);
}

/// Trains end at the edges of so many pages.
fn split(train_pages: u64) -> Setup {
    Setup {
        page_split: true,
        train_pages,
        ..setup()
    }
}

#[test]
fn segment_is_cut_wherever_a_train_fills_its_last_page() {
    type Case = (u64, bool, &'static [&'static str]);
    let cases: [Case; 4] = [
        (
            1,
            true,
            &["Page 2p 4096B", "pkt", "Page 1p 4096B", "FlushAll 1p 3808B"],
        ),
        (
            2,
            true,
            &[
                "Page 2p 8192B",
                "pkt",
                "ext 0+4096 full",
                "FlushAll 1p 3808B",
            ],
        ),
        (
            3,
            true,
            &["FlushAll 2p 12000B", "pkt", "ext 0+4096 full", "ext 0+3808"],
        ),
        (
            1,
            false,
            &[
                "Single 1p 3000B",
                "Page 1p 1096B",
                "Page 1p 4096B",
                "Single 1p 3808B",
            ],
        ),
    ];
    for (pages, merge, want) in cases {
        let (mut b, mut t) = bench(Setup {
            merge,
            ..split(pages)
        });
        post(&mut b, 12, &[(4096, 0); 4]);
        b.frames.push_back(t.segment(0, 3000, ACK));
        b.frames.push_back(t.segment(0, 9000, ACK | PSH));
        b.drain();
        b.commands.push_back((Command::FlushAll, t.keys[0]));
        b.drain();
        assert_eq!(shown(&b), want, "{pages} pages, merge {merge}");
        let pieces = entries(&b).iter().filter(|e| is_piece(e)).count();
        let cuts = want.iter().filter(|s| s.starts_with("Page")).count();
        assert_eq!(pieces, if cuts > 0 { cuts + 1 } else { 0 });
        assert_eq!(b.events.len(), 3, "one event a frame");
        b.check(None);
    }
}

fn is_piece(entry: &Completion) -> bool {
    matches!(entry, Completion::Pkt(p) if p.piece)
}

#[test]
fn train_closes_at_the_edge_when_a_segment_ends_there() {
    let (mut b, mut t) = bench(split(1));
    post(&mut b, 12, &[(4096, 0); 4]);
    for pay in [3000, 1096, 1448] {
        b.frames.push_back(t.segment(0, pay, ACK));
    }
    b.drain();
    assert_eq!(shown(&b), ["Page 2p 4096B", "pkt"]);
    assert!(!entries(&b).iter().any(is_piece));
    b.check(None);
}

#[test]
fn segment_is_dropped_when_its_pieces_might_lack_small_buffers() {
    // 9000 bytes: up to 10 pieces.
    for (smalls, dropped) in [(11, false), (10, true)] {
        let (mut b, mut t) = bench(split(8));
        post(&mut b, smalls, &[(65536, 0)]);
        b.frames.push_back(t.segment(0, 1448, ACK));
        b.frames.push_back(t.segment(0, 9000, ACK));
        b.drain();
        assert!(matches!(b.events[1].event, Event::Drop) == dropped);
        b.check(None);
    }
}

#[test]
fn timers_and_commands_wait_when_pieces_are_under_way() {
    let (mut b, mut t) = bench(Setup {
        defer_ticks: 2,
        tick_clocks: 20,
        ..split(1)
    });
    post(&mut b, 30, &[(1024, 0); 16]);
    for flow in [0, 1] {
        b.frames
            .push_back(t.segment(flow, 1000 + 24 * flow as u64, ACK));
    }
    b.frames.push_back(t.segment(0, 9000, ACK));
    (0..30).for_each(|_| b.step());
    b.commands.push_back((Command::FlushAll, t.keys[0]));
    b.drain();
    let pieces: Vec<usize> = (0..)
        .zip(entries(&b))
        .filter(|e| is_piece(&e.1))
        .map(|e| e.0)
        .collect();
    assert_eq!(pieces.len(), 9);
    let first = pieces[0];
    assert!(
        pieces.iter().copied().eq(first..first + 9),
        "{:?}",
        shown(&b)
    );
    b.check(None);
}

#[test]
fn victim_leaves_train_and_page_when_the_table_is_full() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 16, &[(4096, 64); 6]);
    for flow in [0, 1, 2, 3] {
        b.frames.push_back(t.segment(flow, 1448, ACK));
    }
    // Flow 0 is used again: flow 1 is the least recently used one.
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(4, 1448, ACK));
    b.drain();
    assert_eq!(shown(&b), ["Evict 1p 1448B", "page Released 1512"]);
    assert_eq!(pkt(&b, 0).rx_seq, 1);
    b.check(None);
}

#[test]
fn page_is_given_back_when_a_train_begins_a_fresh_one() {
    let (mut b, mut t) = bench(Setup {
        fresh_page: true,
        max_aggr: 2,
        ..setup()
    });
    post(&mut b, 16, &[(4096, 0); 4]);
    for _ in 0..3 {
        b.frames.push_back(t.segment(0, 1000 + 24, ACK));
    }
    b.drain();
    assert_eq!(shown(&b), ["MaxAggr 2p 2048B", "pkt", "page Released 2048"]);
    b.commands.push_back((Command::FlushFlow, t.keys[0]));
    b.drain();
    assert_eq!(pkt(&b, 3).page_offset, 0);
    b.check(None);
}

#[test]
fn flow_ends_after_its_payload_when_fin_carries_some() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 16, &[(4096, 0); 4]);
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(0, 100, FIN | ACK));
    b.frames.push_back(t.segment(0, 100, ACK));
    b.drain();
    // The last one is not watched any more: whole in a small buffer.
    assert_eq!(
        shown(&b),
        [
            "Flag 1p 1448B",
            "Flag 1p 100B",
            "page Released 1548",
            "None 1p 0B"
        ]
    );
    assert!(!pkt(&b, 3).watched && !pkt(&b, 3).split);
    b.check(None);
}

#[test]
fn flow_ends_with_its_page_when_fin_or_syn_is_empty() {
    for flags in [FIN | ACK, SYN] {
        let (mut b, mut t) = bench(setup());
        post(&mut b, 16, &[(4096, 0); 4]);
        b.frames.push_back(t.segment(0, 1448, ACK | PSH));
        b.frames.push_back(t.segment(0, 0, flags));
        b.drain();
        assert_eq!(
            shown(&b),
            ["Flag 1p 1448B", "Flag 1p 0B", "page Released 1448"]
        );
        b.check(None);
    }
}

#[test]
fn train_closes_when_the_next_frame_finds_no_buffer() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 3, &[(4096, 0)]);
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(0, 1448, ACK)); // 248 bytes too many
    b.frames.push_back(t.segment(1, 1448, ACK)); // not watched, and it stays so
    b.frames.push_back(t.segment(0, 1200, ACK)); // fits exactly
    b.drain();
    let reasons: Vec<_> = b
        .events
        .iter()
        .map(|e| matches!(e.event, Event::Drop))
        .collect();
    assert_eq!(reasons, [false, false, true, true, false]);
    assert_eq!(shown(&b), ["NoBuffer 2p 2896B", "pkt"]);
    assert_eq!(b.copies[4].len, 0);
    assert!(b.copies[4].free.is_some(), "its words go back to the store");
    b.check(None);
}

#[test]
fn frame_waits_for_buffers_when_backpressure_is_on() {
    let (mut b, mut t) = bench(Setup {
        backpressure: true,
        defer_ticks: 3,
        ..setup()
    });
    post(&mut b, 2, &[(4096, 0)]);
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(1, 1448, ACK));
    (0..200).for_each(|_| b.step());
    // The timer of flow 0 and a command went on.
    b.commands.push_back((Command::Poll, t.keys[0]));
    (0..200).for_each(|_| b.step());
    assert_eq!(shown(&b), ["Timer 1p 1448B"]);
    assert_eq!(b.done, 1);
    assert_eq!(b.events.len(), 3, "no second frame yet: {:?}", b.events);
    b.post_page(1024, 0);
    (0..100).for_each(|_| b.step());
    assert_eq!(b.events.len(), 3, "one small page does not suffice");
    b.post_page(1024, 0);
    b.drain();
    assert_eq!(shown(&b), ["Timer 1p 1448B", "Timer 1p 1448B", "ext 0+424"]);
    b.check(None);
}

#[test]
fn every_buffer_comes_back_when_the_queue_stops() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 6, &[(4096, 0), (4096, 0), (4096, 0), (2048, 0)]);
    b.post_limit = (6, 4);
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.frames.push_back(t.segment(1, 1448, ACK));
    b.frames.push_back(t.segment(2, 500, ACK)); // the queue's own page
    b.drain();
    b.commands.push_back((Command::Stop, t.keys[0]));
    (0..4).for_each(|_| b.step());
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.drain();
    let want = [
        "None 1p 500B",
        "Stop 1p 1448B",
        "Stop 1p 1448B",
        "page Released 1448",
        "page Released 1448",
        "page Released 500",
        "small Unused 0",
        "small Unused 0",
        "small Unused 0",
        "page Unused 0",
        "stop",
    ];
    assert_eq!(shown(&b), want);
    assert_eq!(b.done, 1);
    let last = b.copies.last().unwrap();
    assert!(
        last.len == 0 && last.free.is_some(),
        "the late frame is discarded"
    );
    b.check(None);
}

#[test]
fn frame_is_discarded_when_the_engine_has_halted() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 6, &[(4096, 0)]);
    b.frames.push_back(t.segment(0, 1448, ACK));
    b.drain();
    let (events, copies) = (b.events.len(), b.copies.len());
    b.set("halted", 1);
    b.profile.cmd = 0.0;
    b.profile.emit = 0.0;
    for _ in 0..40 {
        b.frames.push_back(t.segment(0, 1448, ACK));
    }
    b.drain();
    assert_eq!(b.events.len(), events);
    assert_eq!(b.copies.len(), copies);
    let disabled = pagetrain_formats::counters::Counter::DropDisabled.code() as usize;
    assert_eq!(b.counters[&disabled], 40);
    assert_eq!(b.smalls.len(), 5, "nothing is taken");
}

#[test]
fn header_takes_two_small_buffers_when_it_exceeds_one() {
    for (split, smalls) in [(255, 1), (256, 1), (257, 2), (511, 2)] {
        let (mut b, mut t) = bench(setup());
        post(&mut b, 4, &[(4096, 0)]);
        let mut frame = t.segment(0, 1448, ACK);
        let more = split - frame.split.unwrap();
        frame.split = Some(split);
        frame.end += more;
        frame.len += more;
        b.frames.push_back(frame);
        b.commands.push_back((Command::FlushAll, t.keys[0]));
        b.drain();
        b.commands.push_back((Command::FlushAll, t.keys[0]));
        b.drain();
        assert_eq!(b.smalls.len(), 4 - smalls);
        let lens: Vec<u64> = b.copies.iter().map(|c| c.len).collect();
        match smalls {
            1 => assert_eq!(lens, [split, 1448]),
            _ => assert_eq!(lens, [256, split - 256, 1448]),
        }
        assert_eq!(pkt(&b, 0).ext_count, smalls as u8 - 1);
        b.check(None);
    }
}

#[test]
fn tags_are_cut_out_when_a_page_ends_among_the_first_bytes() {
    for left in [1, 11, 12, 13] {
        let (mut b, mut t) = bench(Setup {
            strip_vlan: true,
            ..setup()
        });
        post(&mut b, 4, &[(4096, 0), (4096, 0)]);
        let mut frame = t.segment(5, 4096 - left, ACK);
        // Both are not split: whole into the queue's own page.
        for len in [4096 - left + 8, 1000] {
            frame.split = None;
            frame.tcp = false;
            frame.l4_off = 0;
            (frame.len, frame.end) = (len, len);
            b.frames.push_back(frame.clone());
            frame.rx_seq += 1;
        }
        assert_eq!(frame.key.tags, 2);
        b.drain();
        let lens: Vec<u64> = b.copies.iter().skip(2).map(|c| c.len).collect();
        match left {
            12 => assert_eq!(lens, [12, 980]),
            13 => assert_eq!(lens, [12, 1, 979]),
            _ => assert_eq!(lens, [left, 12 - left, 980]),
        }
        let sum: u64 = b.copies.iter().skip(2).map(|c| c.len).sum();
        assert_eq!(sum, 992);
        b.check(None);
    }
}

#[test]
fn longest_frame_fits_its_records_when_pages_are_smallest() {
    let (mut b, mut t) = bench(setup());
    post(&mut b, 8, &[(1025, 0)]);
    post(&mut b, 0, &[(1024, 0); 16]);
    b.frames.push_back(t.segment(0, 1024, ACK)); // one byte is left
    let mut frame = t.segment(0, 16128 - 511, ACK);
    frame.split = Some(511);
    (frame.end, frame.len) = (16128, 16128);
    b.frames.push_back(frame);
    b.drain();
    b.commands.push_back((Command::Poll, t.keys[0]));
    b.drain();
    let head = pkt(&b, 0).head.unwrap();
    assert_eq!(head.train_entries, 1 + 1 + 1 + 16);
    assert_eq!(head.train_bytes, 1024 + 16128 - 511);
    b.check(None);
}

#[test]
fn packets_wait_when_the_ring_of_records_is_full() {
    let (mut b, mut t) = bench(Setup {
        merge: false,
        ..setup()
    });
    b.profile.free = 0.0;
    post(&mut b, 30, &[(65536, 0)]);
    post(&mut b, 30, &[]);
    for _ in 0..40 {
        b.frames.push_back(t.segment(0, 1448, ACK));
    }
    (0..2000).for_each(|_| b.step());
    // Records that may be needed for 1448 bytes: 4. So the ring of 32 takes 29 of one record each.
    let packets = b.emitted.len();
    assert_eq!(packets, 29);
    b.profile.free = 1.0;
    b.drain();
    assert_eq!(b.emitted.len(), 40);
    b.check(None);
}

#[test]
fn deadline_is_met_when_frames_keep_coming() {
    let ticks = Setup {
        defer_ticks: 4,
        tick_clocks: 50,
        max_aggr: 32,
        max_bytes: 1 << 19,
        ..setup()
    };
    let cfg = config(16, 64);
    let model = LazyCell::new(|| model(&cfg));
    let mut b = Bench::new(&model, cfg, ticks.clone(), PLENTY, 3);
    b.bad_enabled = false;
    let mut t = Traffic::new(3, cfg, 16);
    for i in 0..3000 {
        b.frames.push_back(t.segment(i % 16, 1100, ACK));
        while b.frames.len() > 2 {
            b.step();
        }
    }
    b.drain();
    b.check(Some(TIMER_SLACK as u64));
    let timers = b
        .events
        .iter()
        .filter(|e| matches!(e.event, Event::Timer(_)))
        .count();
    assert!(timers > 100, "{timers} timers");
}

/// Frames that are not watched have no slot: none of them may touch the timer of one, wherever its scan is.
#[test]
fn deadline_is_met_when_unwatched_frames_come_in_step_with_the_scan() {
    let ticks = Setup {
        defer_ticks: 4,
        tick_clocks: 50,
        max_bytes: 1 << 19,
        ..setup()
    };
    let cfg = config(16, 64);
    let model = model(&cfg);
    let mut b = Bench::new(&model, cfg, ticks, PLENTY, 4);
    b.bad_enabled = false;
    let mut t = Traffic::new(4, cfg, 16);
    for phase in 0..cfg.flows {
        b.frames.push_back(t.segment(0, 1100, ACK));
        (0..phase + 20).for_each(|_| b.step());
        for _ in 0..100 {
            b.frames.push_back(t.segment(5, 100, ACK));
            (0..cfg.flows).for_each(|_| b.step());
        }
    }
    b.drain();
    b.check(Some(TIMER_SLACK as u64));
    let timers = b
        .events
        .iter()
        .filter(|e| matches!(e.event, Event::Timer(_)));
    assert_eq!(timers.count(), cfg.flows, "one train a phase");
}

/// Clocks from one frame's event to the next, the most of all after the first few.
fn worst_gap(b: &Bench) -> u64 {
    b.events.iter().skip(5).map(|e| e.gap).max().unwrap()
}

#[test]
fn frame_takes_five_clocks_when_nothing_is_in_the_way() {
    // Trains of 8: a train that fills its ring of records must be read before the next one.
    let open = Setup {
        max_bytes: 1 << 19,
        max_aggr: 8,
        ..setup()
    };
    type Kind = (
        &'static str,
        Setup,
        usize,
        fn(&mut Traffic, usize) -> crate::reference::Frame,
    );
    let kinds: [Kind; 10] = [
        ("join", open.clone(), 2, |t, _| t.segment(0, 1024, ACK)),
        (
            "join, tags stripped",
            Setup {
                strip_vlan: true,
                ..open.clone()
            },
            2,
            |t, _| t.segment(4, 1024, ACK),
        ),
        (
            "open and close at once",
            Setup {
                max_aggr: 1,
                ..open.clone()
            },
            2,
            |t, _| t.segment(0, 1024, ACK),
        ),
        ("close for a gap", open.clone(), 2, |t, i| {
            let mut f = t.segment(0, 1024, ACK);
            f.seq = f.seq.wrapping_add(i as u32 * 7);
            f
        }),
        ("create into the full table", open.clone(), 6, |t, i| {
            t.segment(i % 6, 1024, ACK)
        }),
        (
            "create, train of one",
            Setup {
                max_aggr: 1,
                ..open.clone()
            },
            6,
            |t, i| t.segment(i % 6, 1024, ACK),
        ),
        ("not watched, small", open.clone(), 2, |t, _| {
            t.segment(0, 6, ACK)
        }),
        ("not watched, long", open.clone(), 2, |t, _| {
            t.segment(0, 1000, ACK)
        }),
        (
            "merge off",
            Setup {
                merge: false,
                ..open.clone()
            },
            2,
            |t, _| t.segment(0, 1024, ACK),
        ),
        ("watched, no payload", open.clone(), 2, |t, i| {
            t.segment(0, if i == 0 { 1024 } else { 0 }, ACK)
        }),
    ];
    let cfg = config(4, 128);
    let model = model(&cfg);
    let mut slowest = 0;
    for (name, setup, flows, make) in kinds {
        let mut b = Bench::new(&model, cfg, setup, PLENTY, 1);
        b.bad_enabled = false;
        b.latency = 1;
        let mut t = Traffic::new(1, cfg, flows.max(6));
        // Large pages, so that crossings do not blur the figure.
        b.profile.page = 0.0;
        post(&mut b, 0, &[(65536, 0); 32]);
        (0..40).for_each(|_| b.step());
        for i in 0..60 {
            b.frames.push_back(make(&mut t, i));
        }
        b.drain();
        println!("{name}: {} clocks a frame", worst_gap(&b));
        slowest = slowest.max(worst_gap(&b));
        assert!(
            worst_gap(&b) <= CLOCKS_A_FRAME as u64,
            "{name}: {} clocks",
            worst_gap(&b)
        );
        b.check(None);
    }
    assert_eq!(slowest, CLOCKS_A_FRAME as u64, "no kind takes as long");
}

#[test]
fn cut_costs_the_documented_clocks_when_nothing_is_in_the_way() {
    for (v6, pay, cuts) in [(false, 3000, 1), (true, 3000, 1), (false, 13_000, 3)] {
        let (mut b, mut t) = bench(split(1));
        b.latency = 1;
        post(&mut b, 32, &[(4096, 0); 16]);
        t.keys[0].v6 = v6;
        for pay in [1448, pay, 1448, 1448] {
            b.frames.push_back(t.segment(0, pay, ACK));
        }
        b.drain();
        // The second one is cut: from its event to that of the next one.
        let clocks = b.events[2].gap - CLOCKS_A_FRAME as u64;
        println!("v6 {v6}, {cuts} cuts: {clocks} clocks");
        assert!(clocks <= cuts * CLOCKS_A_CUT as u64, "{clocks} clocks");
        b.check(None);
    }
}

#[test]
fn status_is_shown_when_bad_descriptors_come_back() {
    let (mut b, t) = bench(setup());
    b.bad_enabled = true;
    b.profile.bad = 0.5;
    (0..100).for_each(|_| b.step());
    b.bad_enabled = false;
    b.drain();
    let bad = |c: &Completion| matches!(c, Completion::Buf(b) if b.status == BufStatus::BadDesc && b.fill == 0);
    assert!(entries(&b).iter().all(bad) && entries(&b).len() > 10);
    let _ = (t, Reason::None);
    b.check(None);
}
