//! Page split by its properties: whatever the segments, the pages and the limits, nothing of a flow is lost or twice, each
//! piece is a packet that a stack accepts, and a steady flow is whole pages.

mod support;

use pagetrain_formats::{regs, Command, Counter, EventCode, Reason};
use proptest::prelude::*;
use support::frames::{segment, Segment};
use support::rig::Rig;
use support::wire::{handed, HandedTrain};

/// Pages as they are posted: length and headroom.
fn page() -> impl Strategy<Value = (u32, u16)> {
    (1024u32..=4096, 0u16..3072).prop_map(|(room, headroom)| {
        let length = (room + u32::from(headroom)).min(4096);
        (
            length.max(1024),
            headroom.min((length.max(1024) - 1024) as u16),
        )
    })
}

/// Headers of a flow, without its bytes.
fn shape() -> impl Strategy<Value = Segment> {
    let tags = prop_oneof![
        Just(vec![]),
        Just(vec![(0x8100, 7)]),
        Just(vec![(0x88A8, 0x2001), (0x8100, 9)])
    ];
    (any::<bool>(), tags, 0usize..=10).prop_map(|(v6, tags, words)| Segment {
        v6,
        tags,
        tcp_options: vec![1; 4 * words],
        ..Segment::default()
    })
}

/// Sends the segments of one flow from `seq` on, with pages of these kinds in turn, and takes all trains.
fn run(
    writes: &[(u16, u32)],
    kinds: &[(u32, u16)],
    shape: &Segment,
    seq: u32,
    lens: &[usize],
) -> (Vec<HandedTrain>, Rig) {
    let mut rig = Rig::new(
        &[
            &[
                (regs::Q_ADMIT_MIN, 1),
                (regs::CQ_LOG2, 12),
                (regs::MAX_FRAME, 16128),
            ],
            writes,
        ]
        .concat(),
    );
    let smalls: Vec<u32> = (0..1024).map(|i| 0x1000 + i).collect();
    let pages = (0..400u32).zip(kinds.iter().cycle());
    let pages: Vec<_> = pages
        .map(|(i, &(length, headroom))| (i, length, headroom))
        .collect();
    smalls.iter().for_each(|&cookie| rig.post_small(cookie));
    pages.iter().for_each(|&(c, l, h)| rig.post_page(c, l, h));
    let mut next = seq;
    for &len in lens {
        let bytes = segment(next, len);
        rig.frame(
            &Segment {
                seq: next,
                payload: bytes.payload,
                ..shape.clone()
            }
            .build(),
        );
        next = next.wrapping_add(len as u32);
    }
    rig.command(Command::FlushAll, EventCode::FlushAll);
    (handed(&rig, &smalls, &pages), rig)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn pieces_put_together_are_the_flow_when_anything_is_cut(
        kinds in proptest::collection::vec(page(), 1..6),
        shape in shape(),
        seq: u32,
        lens in proptest::collection::vec(prop_oneof![4 => 1usize..1460, 1 => 1usize..8900], 1..40),
        train_pages in 1u32..=16,
        max_aggr in 1u32..=64,
        max_bytes in prop_oneof![1u32..20_000, Just(1_048_575)],
        merge in 0u32..2,
        page_ctrl in 2u32..4,
        strip in 0u32..2,
    ) {
        let writes = [
            (regs::Q_PAGE_CTRL, page_ctrl),
            (regs::Q_TRAIN_PAGES, train_pages),
            (regs::Q_MAX_AGGR, max_aggr),
            (regs::Q_MAX_BYTES, max_bytes),
            (regs::Q_MERGE, merge),
            (regs::RX_CTRL, strip),
        ];
        let (trains, mut rig) = run(&writes, &kinds, &shape, seq, &lens);
        let mut next = seq;
        let mut cut = std::collections::HashSet::new();
        let mut joined = 0;
        for train in &trains {
            let mut filled = 0;
            let mut bytes = 0;
            joined += train.packets.len() as u64 - 1;
            for packet in &train.packets {
                prop_assert!(filled < train_pages, "a train goes on after its last page");
                let (at, payload) = packet.intact();
                prop_assert_eq!(at, next);
                prop_assert_eq!(payload, &support::frames::stream(next, payload.len())[..]);
                next = next.wrapping_add(payload.len() as u32);
                bytes += payload.len();
                let whole = lens[usize::from(packet.pkt.rx_seq)];
                prop_assert_eq!(packet.pkt.piece, payload.len() < whole);
                if packet.pkt.piece {
                    cut.insert(packet.pkt.rx_seq);
                }
                filled = full_pages(&kinds, train, bytes);
            }
            // What fills its pages ends at the edge of the last one.
            if filled >= train_pages {
                prop_assert_eq!(filled, train_pages);
                prop_assert!([Reason::Page, Reason::MaxAggr, Reason::MaxBytes].contains(&train.head.reason));
            } else {
                prop_assert_ne!(train.head.reason, Reason::Page);
            }
        }
        let sum: usize = lens.iter().sum();
        prop_assert_eq!(next, seq.wrapping_add(sum as u32), "not a byte more or less");
        prop_assert_eq!(rig.count(Counter::SplitSegments), cut.len() as u64);
        prop_assert_eq!(rig.count(Counter::Aggregated), joined);
        prop_assert_eq!(rig.count(Counter::Trains), trains.len() as u64);
    }

    #[test]
    fn trains_are_whole_pages_when_the_flow_is_steady(mss in 536usize..=8960, train_pages in 1u32..=16, shape in shape(), seq: u32) {
        let bytes = train_pages as usize * 4096;
        let entries = bytes.div_ceil(mss) + 1 + train_pages as usize + (mss >> 10) + 3;
        // More entries than a train can hold would end it before.
        prop_assume!(entries <= 64);
        let lens = vec![mss; 3 * bytes / mss + 8];
        let writes = [
            (regs::Q_PAGE_CTRL, 2),
            (regs::Q_TRAIN_PAGES, train_pages),
            (regs::Q_MAX_AGGR, 64),
            (regs::Q_MAX_BYTES, 1_048_575),
        ];
        let (trains, _) = run(&writes, &[(4096, 0)], &shape, seq, &lens);
        let (rest, whole) = trains.split_last().unwrap();
        prop_assert!(whole.len() >= 3);
        for train in whole {
            prop_assert_eq!(train.head.reason, Reason::Page);
            prop_assert_eq!(&train.pages, &vec![(0, 4096); train_pages as usize]);
        }
        prop_assert!(rest.head.train_bytes < bytes as u32 || rest.head.reason == Reason::Page);
    }
}

/// Pages that the first `bytes` bytes of a train fill.
fn full_pages(kinds: &[(u32, u16)], train: &HandedTrain, bytes: usize) -> u32 {
    let mut left = bytes as u32;
    let mut full = 0;
    let first = train.packets[0].pkt.page_cookie as usize;
    for (page, &(offset, len)) in (first..).zip(&train.pages) {
        let (length, _) = kinds[page % kinds.len()];
        full += u32::from(left >= len && offset + len == length);
        left = left.saturating_sub(len);
        if left == 0 {
            break;
        }
    }
    full
}
