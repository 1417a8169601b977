//! The driver's walk refuses what no driver could live with: each rule, broken once.

mod support;

use pagetrain_formats::{Buf, BufId, BufStatus, Completion, Pkt, Reason};
use pagetrain_golden::deliver::{DeliverError, Delivery, Walker};
use pagetrain_golden::registers::Place;
use pagetrain_golden::HostMemory;
use support::expect::*;

const RING: Place = Place {
    base: 0x1000,
    log2: 4,
};

/// A walk over these entries, with small buffers 1 to 4 and pages 11 to 13 (4096 bytes, headroom 64) posted.
fn walk(entries: &[Completion]) -> (Result<(), DeliverError>, Vec<String>) {
    let mut memory = HostMemory::new();
    for (i, entry) in entries.iter().enumerate() {
        memory.poke(RING.base + 32 * i as u64, &entry.encode(true));
    }
    let mut walker = Walker::new(RING);
    for i in 1..=4 {
        assert!(walker.post_small(i, 0x10_0000 + 256 * u64::from(i)));
        assert!(i == 4 || walker.post_page(10 + i, 0x20_0000 + 4096 * u64::from(i), 4096, 64));
    }
    let mut seen = Vec::new();
    let result = walker.poll(&memory, |delivery| {
        seen.push(match delivery {
            Delivery::Train(train) => format!("train of {}", train.packets.len()),
            Delivery::Finished(id) => format!("{id:?}"),
            Delivery::Returned(buf) => format!("{:?} {}", buf.id, buf.status.name()),
            Delivery::Stopped => "stopped".into(),
        })
    });
    (result, seen)
}

fn error(entries: &[Completion]) -> DeliverError {
    walk(entries).0.expect_err("a rule is broken")
}

/// A packet of 54 + `len` bytes at `offset` of page 11.
fn packet(small: u32, offset: u16, len: u16) -> Pkt {
    watched(0, small).page(11, offset, len)
}

fn small_back(cookie: u32, status: BufStatus) -> Completion {
    Completion::Buf(Buf {
        id: BufId::Small(cookie),
        fill: 0,
        status,
    })
}

#[test]
fn trains_and_buffers_are_handed_up_in_ring_order_when_all_is_well() {
    let (result, seen) = walk(&[
        packet(1, 64, 4000).head(Reason::Timer, 2, 4100, 3).entry(),
        Pkt {
            ext_count: 1,
            page_full: true,
            frame_len: 154,
            ..packet(2, 4064, 32)
        }
        .entry(),
        ext_page(12, 64, 68, false),
        released(12, 132),
        unused_page(13),
        small_back(3, BufStatus::BadDesc),
        unused_small(4),
        Completion::Stop,
    ]);
    assert_eq!(result, Ok(()));
    let expected = [
        "train of 2",
        "Small(1)",
        "Small(2)",
        "Page(11)",
        "Page(12) RELEASED",
        "Page(13) UNUSED",
        "Small(3) BAD_DESC",
        "Small(4) UNUSED",
        "stopped",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn train_is_not_handed_up_before_its_last_entry_when_it_arrives_in_parts() {
    let mut memory = HostMemory::new();
    let mut walker = Walker::new(RING);
    assert!(walker.post_small(1, 0x100) && walker.post_small(2, 0x200));
    assert!(!walker.post_small(2, 0x300), "in use");
    let entries = [
        watched(0, 1).head(Reason::Timer, 2, 0, 2).entry(),
        watched(1, 2).entry(),
    ];
    let mut trains = 0;
    for (i, entry) in entries.iter().enumerate() {
        memory.poke(RING.base + 32 * i as u64, &entry.encode(true));
        walker
            .poll(&memory, |d| {
                trains += usize::from(matches!(d, Delivery::Train(_)))
            })
            .unwrap();
        assert_eq!(
            (trains, walker.taken()),
            (i, i as u64 + 1),
            "entries are taken as they come"
        );
    }
    assert_eq!(walker.outstanding(), (0, 0));
}

#[test]
fn entry_is_refused_when_reserved_bits_are_set() {
    let mut memory = HostMemory::new();
    let mut bytes = Completion::Stop.encode(true);
    bytes[5] = 1;
    memory.poke(RING.base, &bytes);
    let result = Walker::new(RING).poll(&memory, |_| {});
    assert!(
        matches!(result, Err(DeliverError::Entry { entry: 0, .. })),
        "{result:?}"
    );
}

#[test]
fn train_is_refused_when_its_entries_are_not_contiguous() {
    let open = packet(1, 64, 100).head(Reason::Timer, 2, 200, 2).entry();
    let inside = |what| DeliverError::Inside {
        entry: 1,
        what,
        first: 0,
    };
    assert_eq!(
        error(&[
            open,
            packet(2, 164, 100).head(Reason::Timer, 1, 100, 1).entry()
        ]),
        inside("PKT")
    );
    assert_eq!(error(&[open, unused_small(2)]), inside("BUF"));
    assert_eq!(error(&[open, Completion::Stop]), inside("STOP"));
    let waiting = packet(1, 64, 100)
        .exts(1)
        .head(Reason::Timer, 2, 200, 3)
        .entry();
    assert_eq!(
        error(&[waiting, packet(2, 164, 100).entry()]),
        inside("PKT"),
        "an EXT was announced"
    );
}

#[test]
fn entry_is_refused_when_it_belongs_to_no_train() {
    assert_eq!(
        error(&[packet(1, 64, 100).entry()]),
        DeliverError::Headless {
            entry: 0,
            what: "PKT"
        }
    );
    assert_eq!(
        error(&[ext_small(1)]),
        DeliverError::Headless {
            entry: 0,
            what: "EXT"
        }
    );
    let open = packet(1, 64, 100).head(Reason::Timer, 2, 200, 2).entry();
    assert_eq!(
        error(&[open, ext_small(2)]),
        DeliverError::Headless {
            entry: 1,
            what: "EXT"
        }
    );
}

#[test]
fn buffer_is_refused_when_it_is_not_the_engines() {
    let single = |pkt: Pkt| pkt.head(Reason::Short, 1, pkt.frag_len.into(), 1).entry();
    let cookie = |entry, kind, cookie| DeliverError::Cookie {
        entry,
        kind,
        cookie,
    };
    assert_eq!(
        error(&[single(watched(0, 9))]),
        cookie(0, "small buffer", 9)
    );
    assert_eq!(
        error(&[single(watched(0, 1)), single(watched(1, 1))]),
        cookie(1, "small buffer", 1)
    );
    assert_eq!(
        error(&[single(watched(0, 1)), unused_small(1)]),
        cookie(1, "small buffer", 1)
    );
    assert_eq!(
        error(&[unused_page(11), unused_page(11)]),
        cookie(1, "page", 11)
    );
    assert_eq!(
        error(&[released(11, 64), single(packet(1, 64, 10))]),
        cookie(1, "page", 11)
    );
    assert_eq!(
        error(&[single(packet(1, 64, 10)), unused_page(11)]),
        cookie(1, "page", 11),
        "it was used"
    );
    let filled = Pkt {
        page_full: true,
        ..packet(1, 64, 4032)
    };
    assert_eq!(
        error(&[single(filled), released(11, 64)]),
        cookie(1, "page", 11),
        "it was full"
    );
}

#[test]
fn fragment_is_refused_when_it_leaves_a_gap_or_the_page_or_lies_about_filling_it() {
    let single = |pkt: Pkt| pkt.head(Reason::Timer, 1, pkt.frag_len.into(), 1).entry();
    let refused = |pkt: Pkt| {
        matches!(
            error(&[single(pkt)]),
            DeliverError::Piece {
                entry: 0,
                cookie: 11,
                expected: 64,
                length: 4096,
                ..
            }
        )
    };
    assert!(refused(packet(1, 0, 100)), "in the headroom");
    assert!(refused(packet(1, 65, 100)), "a gap");
    assert!(refused(packet(1, 64, 4033)), "beyond the end");
    assert!(refused(packet(1, 64, 4032)), "full, and not said so");
    assert!(
        refused(Pkt {
            page_full: true,
            ..packet(1, 64, 4031)
        }),
        "said so, and not full"
    );
    let overlap = [single(packet(1, 64, 100)), single(packet(2, 163, 100))];
    assert!(matches!(
        error(&overlap),
        DeliverError::Piece {
            entry: 1,
            offset: 163,
            expected: 164,
            ..
        }
    ));
}

#[test]
fn fill_pointer_is_refused_when_it_is_not_the_last_fragments_end() {
    let single = packet(1, 64, 100).head(Reason::Timer, 1, 100, 1).entry();
    let wrong = DeliverError::Fill {
        entry: 1,
        cookie: 11,
        fill: 165,
        expected: 164,
    };
    assert_eq!(error(&[single, released(11, 165)]), wrong);
    assert_eq!(walk(&[single, released(11, 164)]).0, Ok(()));
}

#[test]
fn train_is_refused_when_head_counts_something_else() {
    let train = |packets, bytes, entries| {
        [
            packet(1, 64, 100)
                .head(Reason::Timer, packets, bytes, entries)
                .entry(),
            packet(2, 164, 50).entry(),
        ]
    };
    assert_eq!(walk(&train(2, 150, 2)).0, Ok(()));
    for (packets, bytes) in [(1, 150), (3, 150), (2, 149), (2, 151)] {
        let told = (2, packets.into(), bytes);
        let totals = DeliverError::Totals {
            entry: 1,
            seen: (2, 2, 150),
            told,
        };
        assert_eq!(error(&train(packets, bytes, 2)), totals);
    }
}

#[test]
fn packet_is_refused_when_its_lengths_and_buffers_contradict_each_other() {
    let single = |pkt: Pkt| pkt.head(Reason::Short, 1, pkt.frag_len.into(), 1).entry();
    let refused = |pkt: Pkt| {
        error(&[single(pkt)])
            == DeliverError::Packet {
                entry: 0,
                rx_seq: 0,
            }
    };
    assert!(
        refused(Pkt {
            hdr_len: 257,
            frame_len: 300,
            ..watched(0, 1)
        }),
        "one small buffer for 257 bytes"
    );
    assert!(
        refused(Pkt {
            frame_len: 153,
            ..packet(1, 64, 100)
        }),
        "more than the frame"
    );
    assert!(
        refused(Pkt {
            split: false,
            ..packet(1, 64, 100)
        }),
        "header and page, but not split"
    );
    let second = watched(0, 1).exts(1).head(Reason::Short, 1, 0, 2).entry();
    assert_eq!(
        error(&[second, ext_small(2)]),
        DeliverError::Packet {
            entry: 1,
            rx_seq: 0
        },
        "two small buffers for 54 bytes"
    );
}
