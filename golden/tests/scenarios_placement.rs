//! Worked examples of placement, buffers and STOP: each expected completion is computed by hand from the design page.

mod support;

use pagetrain_formats::{
    regs, BufId, Command, Config, Counter, Csum, Descriptor, EventCode, Pkt, Reason, L4,
};
use pagetrain_golden::{EngineError, Limits, Room, Seen, State, Written};
use support::expect::*;
use support::frames::*;
use support::rig::{Rig, PAGES, SMALLS};

fn flush(rig: &mut Rig) {
    rig.command(Command::FlushAll, EventCode::FlushAll);
}

#[test]
fn page_is_full_once_and_no_other_is_taken_when_the_last_byte_fits_exactly() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 3000).build());
    rig.frame(&segment(3000, 1096).build());
    rig.frame(&segment(4096, 0).build());
    rig.frame(&segment(4096, 8).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 3000)
            .head(Reason::Short, 2, 4096, 2)
            .entry(),
        watched(1, 0xA1).page(0xB0, 3000, 1096).full().entry(),
        watched(2, 0xA2).head(Reason::Short, 1, 0, 1).entry(),
        watched(3, 0xA3)
            .page(0xB1, 0, 8)
            .head(Reason::FlushAll, 1, 8, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::PagesFilled), 1);
    assert_eq!(rig.page_bytes(0, 0, 4096), stream(0, 4096));
}

#[test]
fn segment_goes_on_in_a_new_page_when_it_crosses_the_end() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 4000).build());
    rig.frame(&segment(4000, 5000).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 4000)
            .head(Reason::FlushAll, 2, 9000, 4)
            .entry(),
        Pkt {
            frame_len: 5054,
            ..watched(1, 0xA1).page(0xB0, 4000, 96).full().exts(2)
        }
        .entry(),
        ext_page(0xB1, 0, 4096, true),
        ext_page(0xB2, 0, 808, false),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.page_bytes(0, 4000, 96), stream(4000, 96));
    assert_eq!(rig.page_bytes(1, 0, 4096), stream(4096, 4096));
    assert_eq!(rig.page_bytes(2, 0, 808), stream(8192, 808));
}

#[test]
fn headroom_is_left_untouched_when_pages_have_one() {
    let mut rig = Rig::new(&[]);
    (0..4).for_each(|i| rig.post_small(0xA0 + i));
    rig.post_page(0xB0, 4096, 3072);
    rig.post_page(0xB1, 2048, 10);
    rig.frame(&segment(0, 1024).build());
    rig.frame(&segment(1024, 2038).build());
    flush(&mut rig);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 3072, 1024)
            .full()
            .head(Reason::FlushAll, 2, 3062, 2)
            .entry(),
        watched(1, 0xA1).page(0xB1, 10, 2038).full().entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.page_bytes(0, 0, 3072), [0; 3072]);
    assert_eq!(rig.page_bytes(1, 0, 10), [0; 10]);
}

#[test]
fn each_train_begins_a_new_page_when_fresh_page_is_set() {
    let mut rig = Rig::stocked(&[(regs::Q_PAGE_CTRL, 1)]);
    rig.frame(&segment(0, 1460).build());
    rig.frame(&segment(1460, 1000).build());
    rig.frame(&segment(9000, 500).build());
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Seq, 2, 2460, 2)
            .entry(),
        watched(1, 0xA1).page(0xB0, 1460, 1000).entry(),
        released(0xB0, 2460),
    ];
    assert_eq!(rig.entries(), expected);
    flush(&mut rig);
    // No payload: the page stays.
    rig.frame(&segment(9500, 0).build());
    rig.frame(&segment(9500, 7).flags(ACK | FIN).build());
    let expected = [
        watched(2, 0xA2)
            .page(0xB1, 0, 500)
            .head(Reason::FlushAll, 1, 500, 1)
            .entry(),
        watched(3, 0xA3).head(Reason::Short, 1, 0, 1).entry(),
        released(0xB1, 500),
        watched(4, 0xA4)
            .page(0xB2, 0, 7)
            .head(Reason::Flag, 1, 7, 1)
            .entry(),
        released(0xB2, 7),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::PagesReleased), 3);
}

#[test]
fn tags_are_left_out_and_reported_when_strip_vlan_is_set() {
    let tagged = |seq, len| Segment {
        tags: vec![(0x88A8, 0x2123), (0x8100, 0xE456)],
        ..segment(seq, len)
    };
    for strip in [0, 1] {
        let mut rig = Rig::stocked(&[(regs::RX_CTRL, strip), (regs::Q_MAX_AGGR, 1)]);
        rig.frame(&tagged(0, 1024).build());
        let hdr_len = if strip == 1 { 54 } else { 62 };
        let pkt = Pkt {
            vlan0: 0x2123,
            vlan1: 0xE456,
            vlan_count: 2,
            hdr_len,
            l3_off: hdr_len as u8 - 40,
            l4_off: hdr_len - 20,
            frame_len: 1086,
            ..watched(0, 0xA0).page(0xB0, 0, 1024)
        };
        assert_eq!(
            rig.entries(),
            [pkt.head(Reason::MaxAggr, 1, 1024, 1).entry()]
        );
        let plain = if strip == 1 {
            segment(0, 1024)
        } else {
            tagged(0, 1024)
        };
        let plain = plain.build();
        assert_eq!(rig.small_bytes(0, hdr_len.into()), plain[..hdr_len.into()]);
        assert_eq!(rig.page_bytes(0, 0, 1024), stream(0, 1024));
    }
}

#[test]
fn l3_off_is_zero_when_a_stripped_frame_has_no_l3() {
    // ARP in a VLAN is rejected by the shipped program; here one that accepts it without any mark.
    let mut accept_tagged = [0u32; 16];
    accept_tagged[0] = 14 << 8 | 1 << (16 + 6);
    accept_tagged[2] = 14;
    accept_tagged[3] = 0xFE << 8;
    accept_tagged[4] = 1 | 14 << 4;
    // No arm: value 1 under mask 0.
    [6, 8, 10, 12]
        .into_iter()
        .for_each(|value| accept_tagged[value] = 1);
    let program = [accept_tagged];
    let mut rig = Rig::with_program(
        &Config::default(),
        Limits::NONE,
        &[(regs::RX_CTRL, 1)],
        &program,
    );
    rig.stock(8, 8);
    let mut frame = other(60);
    frame[12..18].copy_from_slice(&[0x81, 0x00, 0x0F, 0xFF, 0x08, 0x06]);
    rig.frame(&frame);
    let pkt = Pkt {
        vlan0: 0x0FFF,
        vlan_count: 1,
        hdr_len: 56,
        ..unknown(0, 0xA0, 60)
    };
    assert_eq!(rig.entries(), [pkt.head(Reason::None, 1, 0, 1).entry()]);
    frame.drain(12..16);
    assert_eq!(rig.small_bytes(0, 56), frame);
    // Too short for the tag that it is said to have: rejected, and not stripped.
    rig.frame(&other(15));
    assert_eq!(
        rig.entries(),
        [unknown(1, 0xA1, 15).head(Reason::None, 1, 0, 1).entry()]
    );
    assert_eq!(rig.small_bytes(1, 15), other(15));
    assert_eq!(rig.count(Counter::Rejected), 1);
}

/// TCP over IPv6 with `units` * 8 bytes of hop-by-hop options and 40 bytes of TCP options.
fn long_header(seq: u32, len: usize, units: usize) -> Vec<u8> {
    let v6 = Segment {
        v6: true,
        tcp_options: vec![1; 40],
        ..segment(seq, len)
    };
    let mut frame = v6.build();
    let mut options = vec![6, units as u8 - 1];
    options.resize(8 * units, 0);
    let payload_len = u16::from_be_bytes([frame[18], frame[19]]) + 8 * units as u16;
    frame[18..20].copy_from_slice(&payload_len.to_be_bytes());
    frame[20] = 0;
    frame.splice(54..54, options);
    frame
}

#[test]
fn second_small_buffer_is_chained_when_a_header_is_longer_than_one() {
    let mut rig = Rig::stocked(&[]);
    let v6 = |seq, len| Segment {
        v6: true,
        ..segment(seq, len)
    };
    rig.frame(&v6(0, 4090).build());
    // 14 + 40 + 176 + 60 = 290 bytes of header; the payload crosses the page's end as well.
    let frame = long_header(4090, 100, 22);
    rig.frame(&frame);
    flush(&mut rig);
    let v6_pkt = |pkt: Pkt, hdr_len, l4_off| Pkt {
        hdr_len,
        l4_off,
        l3: pagetrain_formats::L3::V6,
        ip_csum: Csum::None,
        ..pkt
    };
    let first = Pkt {
        frame_len: 74 + 4090,
        ..v6_pkt(watched(0, 0xA0).page(0xB0, 0, 4090), 74, 54)
    };
    let second = v6_pkt(
        watched(1, 0xA1).page(0xB0, 4090, 6).full().exts(2),
        290,
        230,
    );
    let expected = [
        first.head(Reason::FlushAll, 2, 4190, 4).entry(),
        Pkt {
            frame_len: 390,
            ip_opt: true,
            ..second
        }
        .entry(),
        ext_small(0xA2),
        ext_page(0xB1, 0, 94, false),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.small_bytes(1, 256), frame[..256]);
    assert_eq!(rig.small_bytes(2, 34), frame[256..290]);
    assert_eq!(
        rig.small_bytes(2, 256)[34..],
        [0; 222],
        "no payload byte in a small buffer"
    );
}

#[test]
fn one_small_buffer_is_enough_when_a_header_has_256_bytes() {
    let mut rig = Rig::stocked(&[]);
    // IPv4: 14 + 60 + 60 = 134 is the most; over IPv6 14 + 40 + 8 * 22 + 26 would not be a multiple of 4. Tags do it:
    // 14 + 8 + 40 + 8 * 17 + 60 = 258 with two tags, 254 with one, 250 without; stripped 258 becomes 250.
    for (tags, hdr_len, smalls) in [(0, 250u16, 1), (1, 254, 1), (2, 258, 2)] {
        let mut frame = long_header(0, 300, 17);
        for _ in 0..tags {
            frame.splice(12..12, [0x81, 0x00, 0x00, 0x05]);
        }
        rig.frame(&frame);
        let entries = rig.entries();
        let pagetrain_formats::Completion::Pkt(pkt) = entries[0] else {
            panic!("{entries:?}")
        };
        assert_eq!(
            (pkt.hdr_len, entries.len()),
            (hdr_len, smalls),
            "{tags} tags"
        );
        assert_eq!((pkt.frag_len, pkt.watched, pkt.ip_opt), (300, false, true));
    }
}

#[test]
fn long_frames_share_the_queues_page_when_their_flow_is_not_watched() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&other(1000));
    rig.frame(&segment(0, 500).build());
    rig.frame(&other(257));
    let unsplit = Pkt {
        frame_len: 1000,
        ..unknown(0, 0, 0).page(0xB0, 0, 1000)
    };
    let split = Pkt {
        watched: false,
        ..watched(1, 0xA0).page(0xB0, 1000, 500)
    };
    let last = Pkt {
        frame_len: 257,
        ..unknown(2, 0, 0).page(0xB0, 1500, 257)
    };
    let expected = [
        unsplit.head(Reason::None, 1, 1000, 1).entry(),
        split.head(Reason::None, 1, 500, 1).entry(),
        last.head(Reason::None, 1, 257, 1).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.page_bytes(0, 0, 1000), other(1000));
    assert_eq!(
        (rig.count(Counter::Rejected), rig.count(Counter::Trains)),
        (2, 0)
    );
    // A watched flow never shares it.
    rig.frame(&segment(500, 1024).build());
    flush(&mut rig);
    let watched = watched(3, 0xA1)
        .page(0xB1, 0, 1024)
        .head(Reason::FlushAll, 1, 1024, 1);
    assert_eq!(rig.entries(), [watched.entry()]);
}

#[test]
fn frame_lies_whole_in_one_small_buffer_when_it_has_up_to_256_bytes_and_is_not_watched() {
    let mut rig = Rig::stocked(&[]);
    let segment = Segment {
        padding: vec![0xDD; 2],
        ..segment(0, 200)
    };
    rig.frame(&segment.build());
    rig.frame(&other(256));
    let known = Pkt {
        hdr_len: 256,
        frame_len: 256,
        split: false,
        watched: false,
        ..watched(0, 0xA0)
    };
    let expected = [
        known.head(Reason::None, 1, 0, 1).entry(),
        unknown(1, 0xA1, 256).head(Reason::None, 1, 0, 1).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.small_bytes(0, 256), segment.build(), "with its padding");
}

#[test]
fn strip_counts_the_frame_as_received_when_256_bytes_are_the_limit() {
    // 258 bytes as received, 254 stripped: still a long frame.
    let mut rig = Rig::stocked(&[(regs::RX_CTRL, 1)]);
    let tagged = Segment {
        tags: vec![(0x8100, 7)],
        ..segment(0, 200)
    };
    rig.frame(&tagged.build());
    let pkt = Pkt {
        vlan0: 7,
        vlan_count: 1,
        frame_len: 258,
        watched: false,
        ..watched(0, 0xA0).page(0xB0, 0, 200)
    };
    assert_eq!(rig.entries(), [pkt.head(Reason::None, 1, 200, 1).entry()]);
}

#[test]
fn unsplit_frame_goes_to_a_page_when_only_stripping_brings_it_to_256_bytes() {
    let mut rig = Rig::stocked(&[(regs::RX_CTRL, 1)]);
    let mut frame = Segment {
        tags: vec![(0x8100, 7)],
        ..segment(0, 200)
    }
    .build();
    // "More fragments": no split. The header checksum is not that of the changed header.
    frame[24] |= 0x20;
    rig.frame(&frame);
    let pkt = Pkt {
        vlan0: 7,
        vlan_count: 1,
        frame_len: 258,
        hdr_len: 0,
        split: false,
        l4: L4::None,
        ip_csum: Csum::Bad,
        l4_csum: Csum::None,
        watched: false,
        ..watched(0, 0).page(0xB0, 0, 254)
    };
    assert_eq!(rig.entries(), [pkt.head(Reason::None, 1, 254, 1).entry()]);
    frame.drain(12..16);
    assert_eq!(rig.page_bytes(0, 0, 254), frame);
}

#[test]
fn udp_is_split_and_its_checksum_judged_when_it_is_long() {
    let mut rig = Rig::stocked(&[]);
    let mut frame = segment(0, 300).build();
    // TCP's 20 bytes become a UDP header and 12 bytes of payload; the IP header checksum is updated by hand.
    frame[23] = 17;
    frame[24..26].fill(0);
    frame[38..40].copy_from_slice(&320u16.to_be_bytes());
    frame[40..42].fill(0);
    let ip: u32 = frame[14..34]
        .chunks(2)
        .map(|p| u32::from(p[0]) << 8 | u32::from(p[1]))
        .sum();
    let ip = !((ip & 0xFFFF) + (ip >> 16)) as u16;
    frame[24..26].copy_from_slice(&ip.to_be_bytes());
    rig.frame(&frame);
    let udp = Pkt {
        hdr_len: 42,
        l4: L4::Udp,
        l4_csum: Csum::None,
        watched: false,
        frame_len: 354,
        ..watched(0, 0xA0).page(0xB0, 0, 312)
    };
    assert_eq!(
        rig.entries(),
        [udp.head(Reason::None, 1, 312, 1).entry()],
        "no checksum was sent"
    );
    frame[40] = 0x12;
    rig.frame(&frame);
    let bad = Pkt {
        rx_seq: 1,
        hdr_cookie: 0xA1,
        page_offset: 312,
        l4_csum: Csum::Bad,
        ..udp
    };
    assert_eq!(rig.entries(), [bad.head(Reason::None, 1, 312, 1).entry()]);
    assert_eq!(
        (
            rig.count(Counter::FlowMisses),
            rig.count(Counter::BadL4Csum)
        ),
        (0, 1)
    );
}

#[test]
fn frame_is_other_when_the_parser_is_not_enabled() {
    let mut rig = Rig::stocked(&[]);
    assert_eq!(
        rig.write(regs::CTRL, regs::CTRL_ENABLE.mask()),
        Written::Taken
    );
    rig.frame(&segment(0, 1024).build());
    let pkt = Pkt {
        frame_len: 1078,
        ..unknown(0, 0, 0).page(0xB0, 0, 1078)
    };
    assert_eq!(rig.entries(), [pkt.head(Reason::None, 1, 1078, 1).entry()]);
}

#[test]
fn train_closes_and_the_frame_is_gone_when_buffers_lack() {
    let mut rig = Rig::new(&[]);
    rig.post_small(0xA0);
    rig.post_page(0xB0, 2048, 0);
    rig.frame(&segment(0, 1500).build());
    // No small buffer; and a payload of 1000 finds 548 bytes.
    let frame = segment(1500, 1000).build();
    let room = Room {
        smalls_needed: 1,
        smalls_posted: 0,
        bytes_needed: 1000,
        bytes_at_hand: 548,
        since: None,
    };
    let error = EngineError::FrameWithoutRoom { rx_seq: 1, room };
    assert_eq!(rig.try_frame(&frame), Err(error));
    let drop = pagetrain_golden::Event {
        code: EventCode::DropNoBuffer,
        arg: 1,
    };
    let outcome = rig.engine.event(drop, rig.clock, &mut rig.memory);
    assert_eq!(outcome, Ok(pagetrain_golden::Outcome::Dropped(room)));
    let closed = watched(0, 0xA0)
        .page(0xB0, 0, 1500)
        .head(Reason::NoBuffer, 1, 1500, 1);
    assert_eq!(rig.entries(), [closed.entry()]);
    assert_eq!(
        (
            rig.count(Counter::DropNoBuffer),
            rig.count(Counter::FlowHits)
        ),
        (1, 0)
    );
    // The entry and its page are as they were.
    rig.post_small(0xA1);
    rig.frame(&segment(1500, 548).build());
    flush(&mut rig);
    let next = watched(2, 0xA1)
        .page(0xB0, 1500, 548)
        .full()
        .head(Reason::FlushAll, 1, 548, 1);
    assert_eq!(rig.entries(), [next.entry()]);
}

#[test]
fn room_left_does_not_count_when_fresh_page_gives_it_up() {
    let mut rig = Rig::new(&[(regs::Q_PAGE_CTRL, 1)]);
    (0..4).for_each(|i| rig.post_small(0xA0 + i));
    rig.post_page(0xB0, 4096, 0);
    rig.frame(&segment(0, 1500).build());
    rig.frame(&segment(1500, 100).build());
    let room = rig.try_drop(&segment(9000, 100).build()).unwrap();
    assert_eq!(
        (room.bytes_needed, room.bytes_at_hand, room.since),
        (100, 0, None)
    );
    let train = watched(0, 0xA0)
        .page(0xB0, 0, 1500)
        .head(Reason::NoBuffer, 2, 1600, 2);
    assert_eq!(
        rig.entries(),
        [
            train.entry(),
            watched(1, 0xA1).page(0xB0, 1500, 100).entry()
        ]
    );
}

#[test]
fn drop_is_refused_when_buffers_have_sufficed_for_long_or_frames_must_wait() {
    let limits = Limits {
        timer_slack: u64::MAX,
        buffer_slack: 50,
    };
    let mut rig = Rig::with(&Config::default(), limits, &[]);
    rig.clock = 100;
    rig.post_small(0xA0);
    rig.clock = 120;
    rig.post_page(0xB0, 1024, 0);
    rig.clock = 140;
    rig.post_page(0xB1, 1024, 0);
    rig.clock = 169;
    let room = Room {
        smalls_needed: 1,
        smalls_posted: 1,
        bytes_needed: 1000,
        bytes_at_hand: 2048,
        since: Some(120),
    };
    assert_eq!(
        rig.try_drop(&segment(0, 1000).build()),
        Ok(room),
        "clock 170: just in time"
    );
    rig.clock = 190;
    let room = Room {
        since: Some(140),
        bytes_needed: 1025,
        ..room
    };
    let error = EngineError::DropWithRoom {
        rx_seq: 1,
        clock: 191,
        slack: 50,
        room,
    };
    assert_eq!(rig.try_drop(&segment(0, 1025).build()), Err(error));

    let mut rig = Rig::new(&[(regs::RX_CTRL, 2)]);
    let error = EngineError::DropWithBackpressure {
        rx_seq: 0,
        cause: "drop_no_buffer",
    };
    assert_eq!(rig.try_drop(&segment(0, 1000).build()), Err(error));
    assert!(rig
        .engine
        .ingress(&other(64), false, Seen::Overflow)
        .is_err());
}

#[test]
fn dropped_frame_changes_no_entry_when_it_would_have() {
    let config = Config {
        flows: 4,
        ..Config::default()
    };
    let mut rig = Rig::with(&config, Limits::NONE, &[]);
    rig.stock(5, 32);
    for port in 0..4 {
        rig.frame(&segment(0, 1024).flow(port).build());
    }
    rig.frame(&segment(1024, 1).flow(0).build());
    // Small buffers are used up: no eviction, no refresh of flow 1, no removal of flow 2.
    rig.try_drop(&segment(0, 1024).flow(9).build()).unwrap();
    assert_eq!(
        rig.entries(),
        [],
        "the flow that would have been evicted keeps its train"
    );
    rig.try_drop(&segment(1024, 10).flow(1).build()).unwrap();
    rig.try_drop(&segment(1024, 10).flow(2).flags(ACK | FIN).build())
        .unwrap();
    let expected = [
        watched(1, 0xA1)
            .page(0xB1, 0, 1024)
            .head(Reason::NoBuffer, 1, 1024, 1)
            .entry(),
        watched(2, 0xA2)
            .page(0xB2, 0, 1024)
            .head(Reason::NoBuffer, 1, 1024, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::FlowEvictions), 0);
    rig.post_small(0xC0);
    rig.frame(&segment(0, 1024).flow(9).build());
    assert_eq!(
        rig.entries(),
        [released(0xB1, 1024)],
        "flow 1 is still the oldest"
    );
}

#[test]
fn every_buffer_comes_back_in_order_when_the_queue_stops() {
    let mut rig = Rig::new(&[]);
    rig.post_page(0xB0, 4096, 16);
    (1..6).for_each(|i| rig.post_page(0xB0 + i, 4096, 0));
    (0..6).for_each(|i| rig.post_small(0xA0 + i));
    rig.frame(&other(300));
    rig.frame(&segment(0, 1100).flow(1).build());
    rig.frame(&segment(0, 1200).flow(2).build());
    let mut bad = Descriptor {
        addr: SMALLS + 0x8000,
        cookie: 0xDEAD,
        length: 255,
        headroom: 0,
    };
    rig.post_small_descriptor(bad);
    bad = Descriptor {
        addr: PAGES + 0x80_0000,
        cookie: 0xBAD,
        length: 4096,
        headroom: 3073,
    };
    rig.post_page_descriptor(bad);
    assert_eq!(
        rig.engine.ingress(&other(64), false, Seen::Taken),
        Ok(Some(3))
    );
    let early = EngineError::WrongState {
        event: EventCode::UnusedSmall,
        state: "running",
    };
    assert_eq!(rig.event(EventCode::UnusedSmall, 0), Err(early));
    let uncalled = EngineError::NotCommanded {
        event: EventCode::Stop,
        pending: None,
    };
    assert_eq!(rig.event(EventCode::Stop, 0), Err(uncalled));
    rig.entries();

    rig.command(Command::Stop, EventCode::Stop);
    assert_eq!(
        rig.event(EventCode::Stopped, 0),
        Err(EngineError::StoppedEarly {
            smalls: 4,
            pages: 3,
            bad: 2
        })
    );
    let order = EngineError::WrongState {
        event: EventCode::UnusedPage,
        state: "posted small buffers have not come back",
    };
    assert_eq!(rig.event(EventCode::UnusedPage, 0), Err(order));
    assert_eq!(rig.engine.state(), State::Stopping);
    rig.drain();
    let expected = [
        watched(1, 0xA0)
            .page(0xB1, 0, 1100)
            .head(Reason::Stop, 1, 1100, 1)
            .entry(),
        watched(2, 0xA1)
            .page(0xB2, 0, 1200)
            .head(Reason::Stop, 1, 1200, 1)
            .entry(),
        released(0xB1, 1100),
        released(0xB2, 1200),
        released(0xB0, 316),
        bad_entry(BufId::Small(0xDEAD)),
        bad_entry(BufId::Page(0xBAD)),
        unused_small(0xA2),
        unused_small(0xA3),
        unused_small(0xA4),
        unused_small(0xA5),
        unused_page(0xB3),
        unused_page(0xB4),
        unused_page(0xB5),
        pagetrain_formats::Completion::Stop,
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::BadDescriptors), 2);
    assert_eq!(
        rig.count(Counter::DropDisabled),
        1,
        "the frame in the store"
    );
    assert_eq!(
        rig.engine.ingress(&other(64), false, Seen::Disabled),
        Ok(None)
    );
    assert_eq!(rig.engine.ingress(&other(64), false, Seen::Taken), Ok(None));
    assert_eq!(rig.count(Counter::DropDisabled), 3);
    assert_eq!(rig.count(Counter::RxFrames), 5);
    assert_eq!(rig.engine.read_register(regs::Q_CMD_DONE), Some(1));
    let after = EngineError::WrongState {
        event: EventCode::Poll,
        state: "stopped",
    };
    assert_eq!(rig.event(EventCode::Poll, 0), Err(after));
}

fn bad_entry(id: BufId) -> pagetrain_formats::Completion {
    bad(id)
}

#[test]
fn bad_descriptors_come_back_and_are_never_used_when_good_ones_lie_around_them() {
    let mut rig = Rig::new(&[]);
    rig.post_small(0xA0);
    let bad_small = |addr, length, headroom| Descriptor {
        addr,
        cookie: 0xDEAD,
        length,
        headroom,
    };
    for d in [
        bad_small(SMALLS + 128, 256, 0),
        bad_small(SMALLS, 257, 0),
        bad_small(SMALLS, 256, 1),
        bad_small(SMALLS, 0, 0),
    ] {
        rig.post_small_descriptor(d);
    }
    rig.post_small(0xA1);
    let bad_page = |addr, length, headroom| Descriptor {
        addr,
        cookie: 0xBAD,
        length,
        headroom,
    };
    for d in [
        bad_page(PAGES + 2048, 4096, 0),
        bad_page(PAGES, 4097, 0),
        bad_page(PAGES, 1023, 0),
        bad_page(PAGES, 4096, 3073),
        bad_page(PAGES, 100, 200),
    ] {
        rig.post_page_descriptor(d);
    }
    rig.post_page(0xB0, 1024, 0);
    rig.frame(&other(64));
    rig.frame(&other(64));
    for _ in 0..4 {
        rig.event(EventCode::BadSmall, 0).unwrap();
    }
    for _ in 0..5 {
        rig.event(EventCode::BadPage, 0).unwrap();
    }
    for code in [EventCode::BadSmall, EventCode::BadPage] {
        assert_eq!(
            rig.event(code, 0),
            Err(EngineError::NoDescriptor { event: code })
        );
    }
    let entries = rig.entries();
    assert_eq!(
        entries[0],
        unknown(0, 0xA0, 64).head(Reason::None, 1, 0, 1).entry()
    );
    assert_eq!(
        entries[1],
        unknown(1, 0xA1, 64).head(Reason::None, 1, 0, 1).entry()
    );
    assert_eq!(entries[2..6], [bad(BufId::Small(0xDEAD)); 4]);
    assert_eq!(entries[6..], [bad(BufId::Page(0xBAD)); 5]);
    assert_eq!(rig.count(Counter::BadDescriptors), 9);
}

#[test]
fn frame_is_dropped_at_ingress_under_the_first_cause_when_several_fit() {
    let mut rig = Rig::stocked(&[(regs::MAX_FRAME, 100)]);
    let long = other(101);
    for (bad, seen, bytes, counter) in [
        (true, Seen::Disabled, &long, Counter::DropDisabled),
        (true, Seen::Overflow, &long, Counter::DropBad),
        (false, Seen::Overflow, &long, Counter::DropOversize),
        (false, Seen::Overflow, &other(100), Counter::DropOverflow),
        (true, Seen::Taken, &other(60), Counter::DropBad),
        (false, Seen::Taken, &long, Counter::DropOversize),
    ] {
        let before = rig.count(counter);
        assert_eq!(rig.engine.ingress(bytes, bad, seen), Ok(None));
        assert_eq!(rig.count(counter), before + 1, "{counter:?}");
    }
    assert_eq!(
        (rig.count(Counter::RxFrames), rig.count(Counter::RxBytes)),
        (0, 0)
    );
    // Dropped frames have numbers too.
    rig.frame(&other(100));
    assert_eq!(
        rig.entries(),
        [unknown(6, 0xA0, 100).head(Reason::None, 1, 0, 1).entry()]
    );
}

#[test]
fn frame_event_is_refused_when_it_is_not_the_oldest_in_the_store() {
    let mut rig = Rig::stocked(&[]);
    let none = EngineError::NotOldest {
        event: EventCode::Frame,
        rx_seq: 0,
        oldest: None,
    };
    assert_eq!(rig.event(EventCode::Frame, 0), Err(none));
    for _ in 0..2 {
        rig.engine.ingress(&other(64), false, Seen::Taken).unwrap();
    }
    let wrong = EngineError::NotOldest {
        event: EventCode::DropNoBuffer,
        rx_seq: 1,
        oldest: Some(0),
    };
    assert_eq!(rig.event(EventCode::DropNoBuffer, 1), Err(wrong));
    rig.event(EventCode::Frame, 0).unwrap();
    rig.event(EventCode::Frame, 1).unwrap();
    assert_eq!(rig.engine.stored(), (0, 0));
}

#[test]
fn longest_frame_takes_eighteen_entries_when_pages_are_smallest() {
    let mut rig = Rig::new(&[(regs::MAX_FRAME, 16128), (regs::Q_ADMIT_MIN, 1)]);
    (0..8).for_each(|i| rig.post_small(0xA0 + i));
    (0..20).for_each(|i| rig.post_page(0xB0 + i, 1024, 0));
    rig.frame(&segment(0, 1023).build());
    let payload = 16128 - HEADER;
    rig.frame(&segment(1023, payload).build());
    flush(&mut rig);
    let entries = rig.entries();
    // 1 byte, then 15 full pages, then 713 bytes: 17 fragments.
    assert_eq!(entries.len(), 1 + 17);
    let head =
        watched(0, 0xA0)
            .page(0xB0, 0, 1023)
            .head(Reason::FlushAll, 2, 1023 + payload as u32, 18);
    assert_eq!(entries[0], head.entry());
    let pkt = Pkt {
        frame_len: 16128,
        ..watched(1, 0xA1).page(0xB0, 1023, 1).full().exts(16)
    };
    assert_eq!(entries[1], pkt.entry());
    assert_eq!(
        entries[17],
        ext_page(0xC0, 0, (payload - 1 - 15 * 1024) as u16, false)
    );
}
