//! Worked examples of page split: each expected completion is computed by hand from the design page.

mod support;

use pagetrain_formats::program::{compile, Limits as ProgramLimits, TCP_FILE, TCP_TEXT};
use pagetrain_formats::{regs, Command, Completion, Config, Counter, EventCode, Pkt, Reason};
use pagetrain_golden::{EngineError, Limits, Written};
use support::expect::*;
use support::frames::*;
use support::rig::Rig;
use support::wire::{handed, handed_of_stock};

const SPLIT: (u16, u32) = (regs::Q_PAGE_CTRL, 2);

fn split_rig(train_pages: u32, writes: &[(u16, u32)]) -> Rig {
    Rig::stocked(&[&[SPLIT, (regs::Q_TRAIN_PAGES, train_pages)], writes].concat())
}

fn flush(rig: &mut Rig) {
    rig.command(Command::FlushAll, EventCode::FlushAll);
}

/// PKT of a piece: of a frame with `payload` bytes, the `len` bytes at `offset` of a page.
fn piece(rx_seq: u16, small: u32, payload: u16, page: u32, offset: u16, len: u16) -> Pkt {
    Pkt {
        piece: true,
        frame_len: HEADER as u16 + payload,
        ..watched(rx_seq, small).page(page, offset, len)
    }
}

#[test]
fn segment_is_cut_at_the_edge_when_it_ends_anywhere_around_it() {
    for over in 1..=12 {
        let mut rig = split_rig(1, &[]);
        rig.frame(&segment(100, 3000).build());
        rig.frame(&segment(3100, 1096 + usize::from(over)).build());
        flush(&mut rig);
        let expected = [
            watched(0, 0xA0)
                .page(0xB0, 0, 3000)
                .head(Reason::Page, 2, 4096, 2)
                .entry(),
            piece(1, 0xA1, 1096 + over, 0xB0, 3000, 1096).full().entry(),
            piece(1, 0xA2, 1096 + over, 0xB1, 0, over)
                .head(Reason::FlushAll, 1, over.into(), 1)
                .entry(),
        ];
        assert_eq!(rig.entries(), expected, "{over} bytes over the edge");
        let trains = handed_of_stock(&rig, 64, 32);
        let first = trains[0].packets[1].intact();
        assert_eq!(first, (3100, &stream(3100, 1096)[..]));
        let second = trains[1].packets[0].intact();
        assert_eq!(second, (4196, &stream(4196, over.into())[..]));
        assert_eq!(rig.count(Counter::SplitSegments), 1);
        assert_eq!(rig.count(Counter::Aggregated), 1);
        assert_eq!(rig.count(Counter::Trains), 2);
        assert_eq!(rig.engine.counters().of_reason(Reason::Page), 2);
    }
}

#[test]
fn train_closes_uncut_when_a_segment_ends_at_the_edge_and_stays_open_short_of_it() {
    for short in 0..=12 {
        let mut rig = split_rig(1, &[]);
        rig.frame(&segment(0, 3000).build());
        rig.frame(&segment(3000, 1096 - usize::from(short)).build());
        let (first, second) = (watched(0, 0xA0), watched(1, 0xA1));
        let second = second.page(0xB0, 3000, 1096 - short);
        let expected = if short == 0 {
            let first = first.page(0xB0, 0, 3000).head(Reason::Page, 2, 4096, 2);
            vec![first.entry(), second.full().entry()]
        } else {
            vec![]
        };
        assert_eq!(rig.entries(), expected, "{short} bytes short of the edge");
        assert_eq!(rig.count(Counter::SplitSegments), 0);
    }
}

#[test]
fn next_segment_joins_the_rest_when_its_sequence_number_follows_the_whole() {
    // Both the cut segment and the next one lie around 2^32.
    let begin = 0u32.wrapping_sub(4000);
    let mut rig = split_rig(1, &[]);
    rig.frame(&segment(begin, 3000).build());
    rig.frame(&segment(begin.wrapping_add(3000), 1448).build());
    rig.frame(&segment(begin.wrapping_add(4448), 1000).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::Page, 2, 4096, 2)
            .entry(),
        piece(1, 0xA1, 1448, 0xB0, 3000, 1096).full().entry(),
        piece(1, 0xA2, 1448, 0xB1, 0, 352)
            .head(Reason::FlushAll, 2, 1352, 2)
            .entry(),
        watched(2, 0xA3).page(0xB1, 352, 1000).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    let trains = handed_of_stock(&rig, 64, 32);
    assert_eq!(trains[1].packets[0].intact(), (96, &stream(96, 352)[..]));
    assert_eq!(rig.count(Counter::Aggregated), 2);
}

#[test]
fn jumbo_is_cut_three_times_when_a_train_is_one_page() {
    let mut rig = split_rig(1, &[]);
    rig.frame(&segment(0, 4000).build());
    let jumbo = segment(4000, 9018 - HEADER);
    rig.frame(&jumbo.build());
    flush(&mut rig);
    let part = |small, page, offset, len| piece(1, small, 8964, page, offset, len);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 4000)
            .head(Reason::Page, 2, 4096, 2)
            .entry(),
        part(0xA1, 0xB0, 4000, 96).full().entry(),
        part(0xA2, 0xB1, 0, 4096)
            .full()
            .head(Reason::Page, 1, 4096, 1)
            .entry(),
        part(0xA3, 0xB2, 0, 4096)
            .full()
            .head(Reason::Page, 1, 4096, 1)
            .entry(),
        part(0xA4, 0xB3, 0, 676)
            .head(Reason::FlushAll, 1, 676, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
    let original = jumbo.build();
    let mut seq = 4000;
    for (train, len) in handed_of_stock(&rig, 64, 32)
        .iter()
        .zip([96, 4096, 4096, 676])
    {
        let packet = train.packets.last().unwrap();
        assert_eq!(packet.intact(), (seq, &stream(seq, len)[..]));
        seq += len as u32;
        // Total length, header checksum, sequence number, TCP checksum; nothing else.
        for at in (0..HEADER).filter(|at| ![16, 17, 24, 25, 38, 39, 40, 41, 50, 51].contains(at)) {
            assert_eq!(packet.frame[at], original[at], "byte {at}");
        }
    }
    assert_eq!(rig.count(Counter::SplitSegments), 1);
    assert_eq!(rig.count(Counter::PagesFilled), 3);
    assert_eq!(rig.count(Counter::RxFrames), 2);
    assert_eq!(rig.engine.counters().of_reason(Reason::Page), 4);
}

#[test]
fn only_the_last_page_of_a_train_cuts_when_a_train_is_two_pages() {
    let mut rig = split_rig(2, &[]);
    rig.frame(&segment(0, 4000).build());
    rig.frame(&segment(4000, 4000).build());
    rig.frame(&segment(8000, 1000).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 4000)
            .head(Reason::Page, 3, 8192, 4)
            .entry(),
        Pkt {
            frame_len: 4054,
            ..watched(1, 0xA1).page(0xB0, 4000, 96).full().exts(1)
        }
        .entry(),
        ext_page(0xB1, 0, 3904, false),
        piece(2, 0xA2, 1000, 0xB1, 3904, 192).full().entry(),
        piece(2, 0xA3, 1000, 0xB2, 0, 808)
            .head(Reason::FlushAll, 1, 808, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
}

#[test]
fn piece_has_an_extension_when_it_fills_more_than_one_page() {
    let mut rig = split_rig(2, &[]);
    rig.frame(&segment(0, 4000).build());
    rig.frame(&segment(4000, 8964).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 4000)
            .head(Reason::Page, 2, 8192, 3)
            .entry(),
        piece(1, 0xA1, 8964, 0xB0, 4000, 96).full().exts(1).entry(),
        ext_page(0xB1, 0, 4096, true),
        piece(1, 0xA2, 8964, 0xB2, 0, 4096)
            .full()
            .exts(1)
            .head(Reason::FlushAll, 1, 4772, 2)
            .entry(),
        ext_page(0xB3, 0, 676, false),
    ];
    assert_eq!(rig.entries(), expected);
    let trains = handed_of_stock(&rig, 64, 32);
    assert_eq!(
        trains[0].packets[1].intact(),
        (4000, &stream(4000, 4192)[..])
    );
    assert_eq!(
        trains[1].packets[0].intact(),
        (8192, &stream(8192, 4772)[..])
    );
}

#[test]
fn train_is_sixteen_whole_pages_when_that_is_its_length() {
    let mut rig = split_rig(
        16,
        &[(regs::Q_MAX_BYTES, 1_048_575), (regs::Q_MAX_AGGR, 64)],
    );
    // 8 segments of 8960 bytes are 71680: 6144 more than 16 pages.
    for i in 0..8 {
        rig.frame(&segment(8960 * i, 8960).build());
    }
    let trains = handed_of_stock(&rig, 64, 32);
    assert_eq!(trains.len(), 1);
    let head = trains[0].head;
    assert_eq!((head.reason, head.train_packets), (Reason::Page, 8));
    assert_eq!((head.train_bytes, head.train_entries), (65536, 8 + 15));
    assert_eq!(trains[0].pages, vec![(0, 4096); 16]);
    flush(&mut rig);
    let rest = &handed_of_stock(&rig, 64, 32)[1];
    assert_eq!(rest.packets[0].intact(), (65536, &stream(65536, 6144)[..]));
    assert_eq!(rest.pages, [(0, 4096), (0, 2048)]);
}

#[test]
fn pieces_are_right_when_headers_have_options_and_tags() {
    let v4 = segment(0, 3000);
    let shapes = [
        v4.clone(),
        Segment {
            ip_options: vec![1; 40],
            ..v4.clone()
        },
        Segment {
            tcp_options: vec![1; 40],
            tags: vec![(0x8100, 5)],
            ..v4.clone()
        },
        Segment {
            v6: true,
            padding: vec![0xEE; 9],
            ..v4.clone()
        },
        Segment {
            v6: true,
            tags: vec![(0x88A8, 0x2123), (0x8100, 0xE456)],
            tcp_options: vec![1; 12],
            ..v4.clone()
        },
        Segment {
            flags: ACK | PSH | ECE,
            ..v4.clone()
        },
    ];
    for (shape, strip) in shapes.iter().flat_map(|s| [(s, 0), (s, 1)]) {
        let mut rig = split_rig(1, &[(regs::RX_CTRL, strip)]);
        // Without IP options: such a segment creates no entry.
        let opener = Segment {
            ip_options: vec![],
            flags: ACK,
            ..shape.clone()
        };
        rig.frame(&opener.build());
        let cut = Segment {
            seq: 3000,
            payload: stream(3000, 3001),
            ..shape.clone()
        };
        rig.frame(&cut.build());
        flush(&mut rig);
        let trains = handed_of_stock(&rig, 64, 32);
        let pieces = [&trains[0].packets[1], &trains[1].packets[0]];
        assert_eq!(pieces[0].intact(), (3000, &stream(3000, 1096)[..]));
        assert_eq!(pieces[1].intact(), (4096, &stream(4096, 1905)[..]));
        let tags = if strip == 1 { 0 } else { 4 * shape.tags.len() };
        let ip = if shape.v6 { 40 } else { 20 } + shape.ip_options.len();
        for piece in pieces {
            assert!(piece.pkt.piece);
            let header = 14 + tags + ip + 20 + shape.tcp_options.len();
            assert_eq!(usize::from(piece.pkt.hdr_len), header);
            assert_eq!(usize::from(piece.pkt.vlan_count), shape.tags.len());
            assert_eq!(piece.frame[14 + tags + ip + 13], shape.flags);
        }
        assert_eq!(rig.count(Counter::SplitSegments), 1, "{shape:?}");
    }
}

#[test]
fn each_piece_has_two_small_buffers_when_the_header_needs_two() {
    let plain = Segment {
        v6: true,
        tcp_options: vec![1; 40],
        payload: stream(0, 5000),
        ..Segment::default()
    };
    // The entry is there before: a header with options creates none.
    let mut rig = split_rig(1, &[]);
    rig.frame(
        &Segment {
            payload: stream(0, 1100),
            ..plain.clone()
        }
        .build(),
    );
    let mut frame = Segment {
        seq: 1100,
        payload: stream(1100, 5000),
        ..plain
    }
    .build();
    frame[18..20].copy_from_slice(&(60u16 + 5000 + 160).to_be_bytes());
    frame[20] = 0;
    let mut options = vec![6, 19];
    options.resize(160, 0);
    frame.splice(54..54, options);
    rig.frame(&frame);
    flush(&mut rig);
    let expected_pieces = [(0xA1, 0xA2, 0xB0, 1100, 2996), (0xA3, 0xA4, 0xB1, 0, 2004)];
    let entries = rig.entries();
    assert_eq!(entries.len(), 5);
    for (i, (first, second, page, offset, len)) in expected_pieces.into_iter().enumerate() {
        let Completion::Pkt(pkt) = entries[1 + 2 * i] else {
            panic!("{:?}", entries[1 + 2 * i]);
        };
        assert_eq!(
            (pkt.hdr_cookie, pkt.hdr_len, pkt.ext_count),
            (first, 274, 1)
        );
        assert_eq!(
            (pkt.page_cookie, pkt.page_offset, pkt.frag_len),
            (page, offset, len)
        );
        assert!(pkt.piece);
        assert_eq!(entries[2 + 2 * i], ext_small(second));
    }
    let trains = handed_of_stock(&rig, 64, 32);
    assert_eq!(
        trains[0].packets[1].intact(),
        (1100, &stream(1100, 2996)[..])
    );
    assert_eq!(
        trains[1].packets[0].intact(),
        (4096, &stream(4096, 2004)[..])
    );
}

#[test]
fn edges_are_those_of_each_page_when_lengths_and_headrooms_are_odd() {
    let pages = [
        (0xB0, 1025 + 7, 7),
        (0xB1, 4095, 1),
        (0xB2, 1024, 0),
        (0xB3, 4096, 3071),
        (0xB4, 4096, 66),
    ];
    let mut rig = Rig::new(&[SPLIT, (regs::Q_TRAIN_PAGES, 1)]);
    let smalls: Vec<u32> = (0xA0..0xB0).collect();
    smalls.iter().for_each(|&s| rig.post_small(s));
    pages.iter().for_each(|&(c, l, h)| rig.post_page(c, l, h));
    // Rooms: 1025, 4094, 1024, 1025, 4030.
    rig.frame(&segment(0, 1030).build());
    rig.frame(&segment(1030, 8960).build());
    flush(&mut rig);
    let trains = handed(&rig, &smalls, &pages);
    let parts: Vec<_> = trains.iter().map(|t| t.pages.clone()).collect();
    let expected = [
        vec![(7, 1025)],
        vec![(1, 4094)],
        vec![(0, 1024)],
        vec![(3071, 1025)],
        vec![(66, 2822)],
    ];
    assert_eq!(parts, expected);
    let mut seq = 0;
    for packet in trains.iter().flat_map(|t| &t.packets) {
        let (at, payload) = packet.intact();
        assert_eq!((at, payload), (seq, &stream(seq, payload.len())[..]));
        seq += payload.len() as u32;
    }
    assert_eq!(seq, 9990);
    assert_eq!(rig.count(Counter::SplitSegments), 2);
}

#[test]
fn reason_is_the_limits_when_they_are_reached_with_the_page() {
    // The second packet fills the page: MAX_AGGR comes before PAGE, the cut is the same.
    let mut rig = split_rig(1, &[(regs::Q_MAX_AGGR, 2)]);
    rig.frame(&segment(0, 3000).build());
    rig.frame(&segment(3000, 1448).build());
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::MaxAggr, 2, 4096, 2)
            .entry(),
        piece(1, 0xA1, 1448, 0xB0, 3000, 1096).full().entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.engine.open_trains().count(), 1, "the rest is held");

    let mut rig = split_rig(1, &[(regs::Q_MAX_BYTES, 4096)]);
    rig.frame(&segment(0, 5000).build());
    rig.frame(&segment(5000, 3192).build());
    let expected = [
        piece(0, 0xA0, 5000, 0xB0, 0, 4096)
            .full()
            .head(Reason::MaxBytes, 1, 4096, 1)
            .entry(),
        piece(0, 0xA1, 5000, 0xB1, 0, 904)
            .head(Reason::MaxBytes, 2, 4096, 2)
            .entry(),
        watched(1, 0xA2).page(0xB1, 904, 3192).full().entry(),
    ];
    assert_eq!(rig.entries(), expected);

    // The whole segment counts where it might join, so this one does not.
    let mut rig = split_rig(1, &[(regs::Q_MAX_BYTES, 4096)]);
    rig.frame(&segment(0, 3000).build());
    rig.frame(&segment(3000, 1097).build());
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::MaxBytes, 1, 3000, 1)
            .entry(),
        piece(1, 0xA1, 1097, 0xB0, 3000, 1096)
            .full()
            .head(Reason::Page, 1, 1096, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);

    let mut rig = split_rig(1, &[(regs::Q_MAX_AGGR, 1)]);
    rig.frame(&segment(0, 5000).build());
    let expected = [
        piece(0, 0xA0, 5000, 0xB0, 0, 4096)
            .full()
            .head(Reason::MaxAggr, 1, 4096, 1)
            .entry(),
        piece(0, 0xA1, 5000, 0xB1, 0, 904)
            .head(Reason::MaxAggr, 1, 904, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
}

#[test]
fn packet_is_not_cut_when_it_can_join_no_train() {
    let bad = Segment {
        bad_tcp_checksum: true,
        ..segment(3000, 1448)
    };
    let fin = segment(3000, 1448).flags(ACK | FIN);
    for (packet, reason) in [(bad, Reason::Csum), (fin, Reason::Flag)] {
        let mut rig = split_rig(1, &[]);
        rig.frame(&segment(0, 3000).build());
        rig.frame(&packet.build());
        let entries = rig.entries();
        let Completion::Pkt(pkt) = entries[1] else {
            panic!("{entries:?}");
        };
        assert_eq!(pkt.head.unwrap().reason, reason);
        assert_eq!((pkt.page_full, pkt.piece, pkt.ext_count), (true, false, 1));
        assert_eq!(entries[2], ext_page(0xB1, 0, 352, false));
        assert_eq!(rig.count(Counter::SplitSegments), 0);
    }
}

#[test]
fn segment_closes_its_train_uncut_when_it_is_too_long_to_be_cut() {
    let config = Config::default();
    for (len, cut) in [(14335usize, true), (14336, false)] {
        let writes = [
            SPLIT,
            (regs::Q_TRAIN_PAGES, 1),
            (regs::MAX_FRAME, config.max_frame_limit() as u32),
        ];
        let mut rig = Rig::stocked(&writes);
        rig.frame(&segment(0, len).build());
        let trains = handed_of_stock(&rig, 64, 32);
        assert_eq!(rig.count(Counter::SplitSegments), cut.into());
        if cut {
            // 4096, 4096, 4096, and 2047 bytes that are held.
            assert_eq!(trains.len(), 3);
            assert!(trains.iter().all(|t| t.pages == [(0, 4096)]));
            assert_eq!(rig.engine.open_trains().count(), 1);
        } else {
            assert_eq!(trains.len(), 1);
            let (head, packet) = (trains[0].head, &trains[0].packets[0]);
            assert_eq!((head.reason, head.train_bytes), (Reason::Page, 14336));
            assert!(!packet.pkt.piece);
            assert_eq!(packet.frame, segment(0, len).build());
            assert_eq!(rig.engine.open_trains().count(), 0);
        }
    }
}

#[test]
fn frame_is_dropped_when_small_buffers_would_not_do_for_the_most_pieces() {
    for (len, smalls) in [(1023, 2), (1024, 3), (2047, 3), (2048, 4), (8960, 10)] {
        let mut rig = Rig::new(&[SPLIT, (regs::Q_ADMIT_MIN, 1)]);
        (1..smalls).for_each(|i| rig.post_small(0xA0 + i));
        (0..4).for_each(|i| rig.post_page(0xB0 + i, 4096, 0));
        let frame = segment(0, len).build();
        let room = rig.try_drop(&frame).unwrap();
        assert_eq!(room.smalls_needed, smalls as usize, "{len} bytes");
        assert_eq!(room.since, None);
        assert!(matches!(
            rig.try_frame(&frame),
            Err(EngineError::FrameWithoutRoom { .. })
        ));
        rig.post_small(0xA0);
        rig.event(EventCode::Frame, 1).unwrap();
        assert_eq!(rig.count(Counter::DropNoBuffer), 1);
    }
    // One is enough for what is never cut.
    for (page_ctrl, flags) in [(0, ACK), (2, ACK | FIN)] {
        let mut rig = Rig::new(&[(regs::Q_PAGE_CTRL, page_ctrl), (regs::Q_ADMIT_MIN, 1)]);
        (0..2).for_each(|i| rig.post_small(0xA0 + i));
        (0..4).for_each(|i| rig.post_page(0xB0 + i, 4096, 0));
        rig.frame(&segment(0, 1000).build());
        rig.frame(&segment(1000, 1448).flags(flags).build());
    }
    // A train that is open closes, as ever.
    let mut rig = Rig::new(&[SPLIT]);
    (0..5).for_each(|i| rig.post_small(0xA0 + i));
    (0..4).for_each(|i| rig.post_page(0xB0 + i, 4096, 0));
    rig.frame(&segment(0, 1448).build());
    rig.frame(&segment(1448, 1448).build());
    rig.frame(&segment(2896, 1000).build());
    let room = rig.try_drop(&segment(3896, 1024).build()).unwrap();
    assert_eq!((room.smalls_needed, room.smalls_posted), (3, 2));
    let Completion::Pkt(first) = rig.entries()[0] else {
        panic!("no packet");
    };
    assert_eq!(first.head.unwrap().reason, Reason::NoBuffer);
}

#[test]
fn first_piece_begins_a_new_page_when_fresh_page_is_set_as_well() {
    let mut rig = Rig::stocked(&[(regs::Q_PAGE_CTRL, 3), (regs::Q_TRAIN_PAGES, 1)]);
    rig.frame(&segment(0, 3000).build());
    // A gap: the next train does not go on in the page.
    rig.frame(&segment(9000, 5000).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::Seq, 1, 3000, 1)
            .entry(),
        released(0xB0, 3000),
        piece(1, 0xA1, 5000, 0xB1, 0, 4096)
            .full()
            .head(Reason::Page, 1, 4096, 1)
            .entry(),
        piece(1, 0xA2, 5000, 0xB2, 0, 904)
            .head(Reason::FlushAll, 1, 904, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
}

#[test]
fn pieces_are_trains_of_one_when_the_merge_mode_is_off() {
    let mut rig = split_rig(1, &[(regs::Q_MERGE, 0)]);
    rig.frame(&segment(0, 3000).build());
    rig.frame(&segment(3000, 6000).build());
    // Fills the page exactly.
    rig.frame(&segment(9000, 3288).build());
    let bad = Segment {
        bad_tcp_checksum: true,
        ..segment(12288, 4097)
    };
    rig.frame(&bad.build());
    let bad = pagetrain_formats::Csum::Bad;
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::Single, 1, 3000, 1)
            .entry(),
        piece(1, 0xA1, 6000, 0xB0, 3000, 1096)
            .full()
            .head(Reason::Page, 1, 1096, 1)
            .entry(),
        piece(1, 0xA2, 6000, 0xB1, 0, 4096)
            .full()
            .head(Reason::Page, 1, 4096, 1)
            .entry(),
        piece(1, 0xA3, 6000, 0xB2, 0, 808)
            .head(Reason::Single, 1, 808, 1)
            .entry(),
        watched(2, 0xA4)
            .page(0xB2, 808, 3288)
            .full()
            .head(Reason::Page, 1, 3288, 1)
            .entry(),
        Pkt {
            l4_csum: bad,
            frame_len: 4151,
            ..watched(3, 0xA5).page(0xB3, 0, 4096).full().exts(1)
        }
        .head(Reason::Page, 1, 4097, 2)
        .entry(),
        ext_page(0xB4, 0, 1, false),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::Aggregated), 0);
    assert_eq!(rig.count(Counter::SplitSegments), 1);

    // Each packet is a train: one page is not two.
    let mut rig = split_rig(2, &[(regs::Q_MERGE, 0)]);
    rig.frame(&segment(0, 3000).build());
    rig.frame(&segment(3000, 3000).build());
    let entries = rig.entries();
    let Completion::Pkt(second) = entries[1] else {
        panic!("{entries:?}");
    };
    assert_eq!(second.head.unwrap().reason, Reason::Single);
    assert!(!second.piece);
}

#[test]
fn nothing_is_cut_when_page_split_is_off_or_the_flow_is_not_watched() {
    let mut rig = Rig::stocked(&[(regs::Q_TRAIN_PAGES, 1)]);
    rig.frame(&segment(0, 5000).build());
    flush(&mut rig);
    let mut unwatched = split_rig(1, &[(regs::Q_ADMIT_MIN, 65535)]);
    unwatched.frame(&segment(0, 5000).build());
    for (mut rig, reason) in [(rig, Reason::FlushAll), (unwatched, Reason::None)] {
        let entries = rig.entries();
        let Completion::Pkt(pkt) = entries[0] else {
            panic!("{entries:?}");
        };
        assert_eq!(pkt.head.unwrap().reason, reason);
        assert_eq!((pkt.piece, pkt.ext_count), (false, 1));
        assert_eq!(rig.dwords(0)[7] >> 6 & 1, 0);
    }
}

#[test]
fn open_train_ends_at_its_next_edge_when_the_registers_are_changed_meanwhile() {
    for (len, cut) in [(10, false), (5000, true)] {
        let mut rig = Rig::stocked(&[(regs::Q_ADMIT_MIN, 1)]);
        rig.frame(&segment(0, 4096).build());
        rig.frame(&segment(4096, 4096).build());
        let parser = regs::CTRL_PARSER_ENABLE.mask();
        for (addr, value) in [
            (regs::CTRL, parser),
            (regs::Q_PAGE_CTRL, 2),
            (regs::Q_TRAIN_PAGES, 1),
            (regs::CTRL, parser | regs::CTRL_ENABLE.mask()),
        ] {
            assert_eq!(rig.write(addr, value), Written::Taken);
        }
        rig.frame(&segment(8192, len).build());
        let entries = rig.entries();
        let Completion::Pkt(first) = entries[0] else {
            panic!("{entries:?}");
        };
        let head = first.head.unwrap();
        assert_eq!((head.reason, head.train_packets), (Reason::Page, 3));
        assert_eq!(rig.count(Counter::SplitSegments), cut.into());
        let bytes = if cut { 12288 } else { 8202 };
        assert_eq!(head.train_bytes, bytes);
    }
}

#[test]
fn segment_is_not_cut_when_the_program_says_not_where_the_ip_header_is() {
    let (marked, ethernet) = ("set V6\n    mark l3\n", "need 14\n    advance 14");
    assert!(TCP_TEXT.contains(marked) && TCP_TEXT.contains(ethernet));
    let config = Config::default();
    let unmarked = TCP_TEXT.replace(marked, "set V6\n");
    let at_zero = unmarked.replace(ethernet, "need 14\n    mark l3\n    advance 14");
    for text in [unmarked, at_zero] {
        let program = compile(&text, TCP_FILE, &ProgramLimits::of(&config));
        let program = program.unwrap_or_else(|e| panic!("{}", e.render())).words();
        let writes = [SPLIT, (regs::Q_TRAIN_PAGES, 1)];
        let mut rig = Rig::with_program(&config, Limits::NONE, &writes, &program);
        rig.stock(16, 4);
        let frame = Segment {
            v6: true,
            ..segment(0, 5000)
        };
        rig.frame(&frame.build());
        let train = &handed_of_stock(&rig, 16, 4)[0];
        assert_eq!(train.head.reason, Reason::Page);
        let packet = &train.packets[0];
        assert_eq!((packet.pkt.l3_off, packet.pkt.piece), (0, false));
        assert_eq!(packet.frame, frame.build());
    }
}

#[test]
fn checksum_runs_over_header_and_payload_as_one_when_the_header_is_odd() {
    // The split point 3 bytes into the stream, as a program for a protocol above TCP may have it.
    let advance = "advance (byte[12] >> 4) << 2 min 20\n    next accept";
    let odd = "advance 3 + (byte[12] >> 4) << 2 min 20\n    next accept";
    assert!(TCP_TEXT.contains(advance));
    let config = Config::default();
    let limits = ProgramLimits::of(&config);
    let program = compile(&TCP_TEXT.replace(advance, odd), TCP_FILE, &limits);
    let program = program.unwrap_or_else(|e| panic!("{}", e.render())).words();
    let writes = [SPLIT, (regs::Q_TRAIN_PAGES, 1)];
    let mut rig = Rig::with_program(&config, Limits::NONE, &writes, &program);
    rig.stock(16, 4);
    rig.frame(&segment(0, 5001).build());
    flush(&mut rig);
    let trains = handed_of_stock(&rig, 16, 4);
    assert_eq!(trains.len(), 2);
    // The three bytes are header, so that they are in both pieces, in front of their payload.
    for (train, from, len) in [(&trains[0], 0, 4096), (&trains[1], 4096, 902)] {
        let packet = &train.packets[0];
        assert_eq!((packet.pkt.hdr_len, packet.pkt.piece), (57, true));
        let judged = support::oracle::judge(&packet.frame).unwrap();
        assert_eq!((judged.ip_csum, judged.l4_csum), (Some(true), Some(true)));
        assert_eq!((judged.seq, judged.end), (from, packet.frame.len()));
        assert_eq!(packet.frame[54..57], stream(0, 3));
        assert_eq!(packet.frame[57..], stream(3 + from, len));
    }
}
