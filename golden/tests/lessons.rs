//! Bugs that other network cards, drivers and hypervisors shipped; each is a test here where the model could have it too.

mod support;

use std::collections::HashSet;

use pagetrain_formats::{
    regs, BufId, Command, Completion, Config, Counter, Csum, EventCode, Ext, Pkt, Reason, L3, L4,
};
use pagetrain_golden::deliver::{DeliverError, Delivery, Walker};
use pagetrain_golden::registers::Place;
use pagetrain_golden::{EngineError, Limits, Seen, State, Written};
use support::expect::*;
use support::frames::*;
use support::rig::{Rig, COMPLETION_RING, PAGES, PAGE_STEP, SMALLS};
use support::{for_seeds, Rng};

fn flush(rig: &mut Rig) {
    rig.command(Command::FlushAll, EventCode::FlushAll);
}

fn packets(entries: &[Completion]) -> Vec<Pkt> {
    let pkt = |e: &Completion| match e {
        Completion::Pkt(pkt) => Some(*pkt),
        _ => None,
    };
    entries.iter().filter_map(pkt).collect()
}

/// CVE-2024-44970 (mlx5 SHAMPO): a completion without data, after the buffer was done, released it twice.
#[test]
fn page_comes_back_once_when_frames_without_payload_follow_its_last_byte() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 4096).build());
    rig.frame(&segment(4096, 0).build());
    rig.frame(&segment(4096, 0).flags(ACK | FIN).build());
    rig.command(Command::Stop, EventCode::Stop);
    rig.drain();
    let back = rig.entries().into_iter().filter(|e| match e {
        Completion::Pkt(pkt) => pkt.page_cookie == 0xB0 && pkt.page_full,
        Completion::Buf(buf) => buf.id == BufId::Page(0xB0),
        _ => false,
    });
    assert_eq!(back.count(), 1);
    assert_eq!(
        (
            rig.count(Counter::PagesFilled),
            rig.count(Counter::PagesReleased)
        ),
        (1, 0)
    );
}

/// CVE-2024-46717: a frame without split on the last header slot freed the header page twice.
#[test]
fn no_small_buffer_is_touched_when_an_unsplit_frame_meets_the_last_slot_of_a_ring() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    rig.stock(16, 16);
    // 15 frames in the ring's first 15 slots and small buffers; then one without a header on the last completion slot.
    for i in 0..15 {
        rig.frame(&other(60 + i));
    }
    rig.frame(&other(300));
    rig.frame(&other(64));
    assert_eq!(
        rig.engine.holds().0,
        0,
        "the 16th small buffer went to the 17th frame"
    );
    let pkts = packets(&rig.entries());
    assert_eq!(
        (pkts[15].hdr_len, pkts[15].hdr_cookie, pkts[15].page_cookie),
        (0, 0, 0xB0)
    );
    assert_eq!((pkts[16].hdr_len, pkts[16].hdr_cookie), (64, 0xAF));
    assert!(rig.try_frame(&other(64)).is_err(), "no seventeenth");
    rig.try_drop(&other(64))
        .expect_err("the store holds the frame that was refused first");
}

/// mlx5 bacd8d80181e: a limit counted in pages ended trains early on 64 KiB pages.
#[test]
fn train_ends_at_the_same_byte_when_pages_are_4_16_or_64_kib() {
    for page_size in [4096, 16384, 65536] {
        let config = Config {
            page_size,
            ..Config::default()
        };
        let mut rig = Rig::with(
            &config,
            Limits::NONE,
            &[(regs::Q_MAX_BYTES, 30_000), (regs::Q_MAX_AGGR, 64)],
        );
        (0..64).for_each(|i| rig.post_small(0xA0 + i));
        (0..16).for_each(|i| rig.post_page(0x1B0 + i, page_size as u32, 0));
        for i in 0..21 {
            rig.frame(&segment(i * 1448, 1448).build());
        }
        // 20 segments are 28960 bytes; the 21st would be the 30408th byte.
        let head = packets(&rig.entries())[0].head.unwrap();
        assert_eq!(
            (head.train_packets, head.train_bytes, head.reason),
            (20, 28960, Reason::MaxBytes),
            "{page_size}"
        );
    }
}

/// bnxt: an identifier was cut to 12 of its 16 bits, and a header went to another train's buffer.
#[test]
fn fields_keep_their_widest_values_when_they_are_used() {
    let config = Config {
        page_size: 65536,
        ingress_bytes: 65536,
        ..Config::default()
    };
    let mut rig = Rig::with(
        &config,
        Limits::NONE,
        &[(regs::MAX_FRAME, 16128), (regs::Q_MAX_BYTES, 1_048_575)],
    );
    // Every frame but one is dropped at ingress, until the number has all bits set.
    for _ in 0..65533 {
        assert_eq!(rig.engine.ingress(&[0; 60], true, Seen::Taken), Ok(None));
    }
    (0..6).for_each(|i| rig.post_small(u32::MAX - i));
    rig.post_page(u32::MAX, 65536, 0);
    let tags = vec![(0x88A8, 0xFFFF), (0x8100, 0xFFFE)];
    let most = 16128 - HEADER as u32 - 8;
    let lengths = [most, most, most, most, 65536 - 4 * most - 1, 1];
    let mut seq = 0;
    for len in lengths {
        let segment = Segment {
            tags: tags.clone(),
            ..segment(seq, len as usize)
        };
        rig.frame(&segment.build());
        seq += len;
    }
    flush(&mut rig);
    let pkts = packets(&rig.entries());
    let head = pkts[0].head.unwrap();
    assert_eq!((head.train_bytes, head.train_packets), (65536, 6));
    assert_eq!(
        (pkts[0].hdr_cookie, pkts[0].page_cookie),
        (u32::MAX, u32::MAX)
    );
    assert_eq!(
        (pkts[0].vlan0, pkts[0].vlan1, pkts[0].frame_len),
        (0xFFFF, 0xFFFE, 16128)
    );
    assert_eq!(
        pkts.iter().map(|p| p.rx_seq).collect::<Vec<_>>(),
        [65533, 65534, 65535, 0, 1, 2]
    );
    assert_eq!(
        (pkts[5].page_offset, pkts[5].frag_len, pkts[5].page_full),
        (65535, 1, true)
    );
}

/// bnxt: a merged packet named the wrong IP version.
#[test]
fn train_names_its_ip_version_when_v4_and_v6_flows_mix() {
    let mut rig = Rig::stocked(&[]);
    for seq in [0, 1024] {
        for v6 in [false, true] {
            rig.frame(
                &Segment {
                    v6,
                    ..segment(seq, 1024)
                }
                .build(),
            );
        }
    }
    flush(&mut rig);
    let pkts = packets(&rig.entries());
    let seen: Vec<_> = pkts
        .iter()
        .map(|p| (p.rx_seq, p.l3, p.l4, p.ip_csum))
        .collect();
    let v4 = (L3::V4, L4::Tcp, Csum::Good);
    let v6 = (L3::V6, L4::Tcp, Csum::None);
    let expected = [(0, v4), (2, v4), (1, v6), (3, v6)].map(|(n, (l3, l4, c))| (n, l3, l4, c));
    assert_eq!(seen, expected);
    assert_eq!(pkts[2].head.unwrap().train_packets, 2);
}

/// bnxt a056ebc: the header split was silently off.
#[test]
fn configuration_reads_back_and_frames_are_split_when_the_engine_is_set_up() {
    let writes = [
        (regs::TICK_CLOCKS, 7),
        (regs::RX_CTRL, 1),
        (regs::MAX_FRAME, 2000),
        (regs::Q_MERGE, 0),
        (regs::Q_DEFER_TICKS, 32767),
        (regs::Q_MAX_AGGR, 64),
        (regs::Q_MAX_BYTES, 1_048_575),
        (regs::Q_ADMIT_MIN, 65535),
        (regs::Q_PAGE_CTRL, 1),
    ];
    let mut rig = Rig::stocked(&writes);
    for (addr, value) in writes {
        assert_eq!(rig.engine.read_register(addr), Some(value), "{addr:#x}");
    }
    rig.frame(&segment(0, 1000).build());
    let pkt = packets(&rig.entries())[0];
    assert!(pkt.split && pkt.hdr_len == 54 && pkt.frag_len == 1000);
}

/// idpf: header length 0 was reported, and the driver copied a header out of the payload.
#[test]
fn split_frame_always_has_a_header_when_lengths_vary() {
    let mut rig = Rig::stocked(&[]);
    (0..60).for_each(|i| rig.post_small(0x100 + i));
    for len in (0..2000).step_by(50) {
        rig.frame(&segment(0, len).flow(len as u16).build());
        rig.frame(&other(14 + len));
    }
    flush(&mut rig);
    let pkts = packets(&rig.entries());
    assert_eq!(pkts.len(), 80);
    for pkt in pkts {
        assert_eq!(pkt.hdr_len == 0, !pkt.split && pkt.frag_len > 0, "{pkt:?}");
        assert!(!pkt.split || pkt.hdr_len == 54, "{pkt:?}");
    }
}

/// fbnic: headers longer than the slot spilled into the payload's page.
#[test]
fn no_header_byte_is_in_a_page_when_headers_have_any_length() {
    let mut lengths = HashSet::new();
    for hop_units in 0..23usize {
        for tcp_words in 0..11usize {
            let plain = Segment {
                v6: true,
                tcp_options: vec![0xEE; 4 * tcp_words],
                payload: vec![0x11; 300],
                ..Segment::default()
            };
            let mut frame = plain.build();
            if hop_units > 0 {
                let mut options = vec![0xEE; 8 * hop_units];
                options[..2].copy_from_slice(&[6, hop_units as u8 - 1]);
                let len = u16::from_be_bytes([frame[18], frame[19]]) + 8 * hop_units as u16;
                frame[18..20].copy_from_slice(&len.to_be_bytes());
                frame[20] = 0;
                frame.splice(54..54, options);
            }
            let header = frame.len() - 300;
            lengths.insert(header);
            let mut rig = Rig::new(&[]);
            rig.stock(2, 1);
            rig.frame(&frame);
            let entries = rig.entries();
            let pkt = packets(&entries)[0];
            assert_eq!(
                (usize::from(pkt.hdr_len), pkt.frag_len, pkt.l4_csum),
                (header, 300, Csum::Good)
            );
            assert_eq!(rig.page_bytes(0, 0, 300), vec![0x11; 300]);
            assert_eq!(
                rig.small_bytes(0, header.min(256)),
                frame[..header.min(256)]
            );
            let second = entries
                .iter()
                .any(|e| matches!(e, Completion::Ext(Ext::Small { .. })));
            assert_eq!(second, header > 256, "{header}");
            if second {
                assert_eq!(rig.small_bytes(1, header - 256), frame[256..header]);
            }
        }
    }
    assert!(
        lengths.contains(&290)
            && lengths.contains(&254)
            && lengths.contains(&258)
            && lengths.contains(&74)
    );
}

/// The same for every length that a split can have, by a program whose split is twice the frame's first byte, plus `add`.
#[test]
fn header_and_payload_part_exactly_when_the_split_is_anywhere() {
    for add in [0u32, 1] {
        let mut row = [0u32; 16];
        row[0] = 1 << 26;
        row[2] = add | 1 << 12 | 0xFF << 16 | 1 << 24;
        row[3] = 0xFE << 8;
        [6, 8, 10, 12].into_iter().for_each(|value| row[value] = 1);
        for first in 0..=255u8 {
            let split = 2 * usize::from(first) + add as usize;
            let mut rig = Rig::with_program(&Config::default(), Limits::NONE, &[], &[row]);
            rig.stock(3, 1);
            let mut frame = stream(5, 600);
            frame[0] = first;
            rig.frame(&frame);
            let entries = rig.entries();
            let pkt = packets(&entries)[0];
            let smalls = split.div_ceil(256);
            let seen = (
                usize::from(pkt.hdr_len),
                usize::from(pkt.frag_len),
                pkt.split,
                rig.engine.holds().0,
            );
            assert_eq!(seen, (split, 600 - split, true, 3 - smalls), "{split}");
            assert_eq!(
                (pkt.hdr_cookie, entries.len()),
                (if split == 0 { 0 } else { 0xA0 }, smalls.max(1))
            );
            let small = [rig.small_bytes(0, 256), rig.small_bytes(1, 256)].concat();
            assert_eq!(small[..split], frame[..split]);
            assert!(
                small[split..].iter().all(|&b| b == 0),
                "{split}: no payload byte in a small buffer"
            );
            assert_eq!(rig.page_bytes(0, 0, 600 - split), frame[split..]);
        }
    }
}

/// mlx4, mlx5: short frames with padding that is not zero broke the checksum.
#[test]
fn checksum_is_good_when_padding_is_random() {
    for_seeds(4, |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::stocked(&[]);
        for len in 0..6 {
            for padding in [1, 2, 6 - len, 46, 100] {
                let padded = Segment {
                    padding: rng.bytes(padding),
                    ..segment(0, len)
                };
                rig.frame(&padded.build());
            }
        }
        for pkt in packets(&rig.entries()) {
            assert_eq!(
                (pkt.ip_csum, pkt.l4_csum),
                (Csum::Good, Csum::Good),
                "seed {seed}"
            );
        }
        // Of a split frame no padding is delivered at all.
        let padded = Segment {
            padding: rng.bytes(40),
            ..segment(0, 1024)
        };
        rig.frame(&padded.build());
        flush(&mut rig);
        let pkt = packets(&rig.entries())[0];
        assert_eq!((pkt.frame_len, pkt.hdr_len, pkt.frag_len), (1118, 54, 1024));
        assert_eq!(rig.page_bytes(0, 1024, 40), [0; 40]);
    });
}

/// QEMU e1000 034d00d48581: a driver saw entries of the lap before.
#[test]
fn host_sees_each_entry_once_when_the_ring_is_walked_for_many_laps() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    let mut walker = Walker::new(Place {
        base: COMPLETION_RING,
        log2: 4,
    });
    let mut next = 0u32;
    for batch in 0..200u32 {
        let count = batch % 16 + 1;
        for _ in 0..count {
            rig.post_small(next);
            assert!(walker.post_small(next, SMALLS + 256 * u64::from(next)));
            rig.frame(&other(64));
            next += 1;
        }
        let mut seen = Vec::new();
        walker
            .poll(&rig.memory, |d| {
                if let Delivery::Train(train) = d {
                    seen.push(u32::from(train.packets[0].pkt.rx_seq));
                }
            })
            .unwrap();
        assert_eq!(seen, (next - count..next).collect::<Vec<_>>());
        assert_eq!(
            rig.write(regs::CQ_HEAD, walker.taken() as u32 & 0xFFFF),
            Written::Taken
        );
    }
}

/// CVE-2025-38375 (virtio): a length beyond the buffer was believed.
#[test]
fn driver_refuses_a_fragment_when_it_leaves_its_page() {
    let mut rig = Rig::stocked(&[(regs::Q_MERGE, 0)]);
    rig.frame(&segment(0, 4000).build());
    let good = rig.dwords(0);
    for (offset, len, refused) in [
        (0u32, 4000u32, false),
        (0, 4097, true),
        (0, 4096, true),
        (8, 4000, true),
        (96, 4000, true),
    ] {
        let mut walker = Walker::new(Place {
            base: COMPLETION_RING,
            log2: 8,
        });
        assert!(walker.post_small(0xA0, SMALLS) && walker.post_page(0xB0, PAGES, 4096, 0));
        let mut tampered = good;
        tampered[2] = offset | len << 16;
        let bytes: Vec<u8> = tampered.iter().flat_map(|d| d.to_le_bytes()).collect();
        rig.memory.poke(COMPLETION_RING, &bytes);
        let result = walker.poll(&rig.memory, |_| {});
        assert_eq!(
            matches!(result, Err(DeliverError::Piece { .. })),
            refused,
            "{offset} {len}: {result:?}"
        );
    }
}

/// CVE-2015-7504 (pcnet): a frame as long as the buffer overflowed it.
#[test]
fn nothing_overflows_when_a_frame_is_four_bytes_around_its_buffer() {
    for len in 252..=260usize {
        let mut rig = Rig::new(&[]);
        rig.stock(3, 3);
        rig.frame(&other(len));
        let pkt = packets(&rig.entries())[0];
        assert_eq!(
            (usize::from(pkt.hdr_len), usize::from(pkt.frag_len)),
            if len <= 256 { (len, 0) } else { (0, len) }
        );
        assert_eq!(rig.small_bytes(1, 4), [0; 4]);
    }
    for len in 4092..=4100usize {
        let mut rig = Rig::new(&[]);
        rig.stock(3, 3);
        rig.frame(&segment(0, len).build());
        flush(&mut rig);
        let entries = rig.entries();
        let pkt = packets(&entries)[0];
        assert_eq!(
            (usize::from(pkt.frag_len), pkt.page_full),
            (len.min(4096), len >= 4096)
        );
        assert_eq!(entries.len(), 1 + usize::from(len > 4096));
        assert_eq!(rig.bytes(PAGES + 4096, 16), [0; 16], "behind the page");
        assert_eq!(
            rig.bytes(PAGES + PAGE_STEP, len.saturating_sub(4096)),
            stream(4096, len.saturating_sub(4096))
        );
    }
}

/// 82599 erratum 48: a context was kept when the last buffer fitted exactly.
#[test]
fn everything_is_clean_when_page_train_and_ring_fit_exactly() {
    let config = Config {
        train_entries: 32,
        ..Config::default()
    };
    let writes = [
        (regs::CQ_LOG2, 4),
        (regs::Q_MAX_BYTES, 16 * 1024),
        (regs::Q_MAX_AGGR, 16),
    ];
    let mut rig = Rig::with(&config, Limits::NONE, &writes);
    rig.stock(16, 4);
    for round in 0..3u32 {
        for i in 0..16 {
            rig.frame(&segment((16 * round + i) * 1024, 1024).build());
        }
        // 16 packets, 16384 bytes, 4 pages, 16 entries: a ring full, and not one waits.
        assert_eq!(rig.engine.waiting_completions(), 0);
        assert_eq!(rig.engine.holds(), (0, 0));
        let entries = rig.entries();
        let pkts = packets(&entries);
        let head = pkts[0].head.unwrap();
        assert_eq!(
            (entries.len(), head.train_entries, head.train_bytes),
            (16, 16, 16384)
        );
        assert_eq!(head.reason, Reason::MaxAggr);
        assert_eq!(pkts.iter().filter(|p| p.page_full).count(), 4);
        (0..16).for_each(|i| rig.post_small(0x100 + 32 * round + i));
        (0..4).for_each(|i| rig.post_page(0x1B0 + 32 * round + i, 4096, 0));
    }
}

/// The engine must never overrun the host: it waits, and loses nothing.
#[test]
fn completions_wait_when_the_ring_is_full_and_follow_when_the_host_takes() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    (0..16).for_each(|i| rig.post_small(0xA0 + i));
    (0..16).for_each(|_| rig.frame(&other(60)));
    let before: Vec<_> = (0..16).map(|i| rig.dwords(i)).collect();
    (16..20).for_each(|i| rig.post_small(0xA0 + i));
    (0..4).for_each(|_| rig.frame(&other(60)));
    assert_eq!(rig.engine.waiting_completions(), 4);
    assert_eq!(
        (0..16).map(|i| rig.dwords(i)).collect::<Vec<_>>(),
        before,
        "nothing is overwritten"
    );
    assert_eq!(rig.count(Counter::Completions), 16);
    assert_eq!(rig.write(regs::CQ_HEAD, 3), Written::Taken);
    assert_eq!(rig.engine.waiting_completions(), 1);
    assert_eq!(
        (0..4).map(|i| rig.dwords(i)[7] >> 31).collect::<Vec<_>>(),
        [0, 0, 0, 1],
        "the second lap's phase is 0"
    );
    assert_eq!(rig.dwords(2)[3] >> 16, 18);
    assert_eq!(rig.write(regs::CQ_HEAD, 19), Written::Taken);
    assert_eq!(
        rig.write(regs::CQ_HEAD, 21),
        Written::BadDoorbell,
        "only 20 were produced"
    );
}

/// 82599 erratum 66: a checksum error was reported on fragments.
#[test]
fn fragment_has_no_l4_verdict_and_never_joins_when_its_flow_is_watched() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 1460).build());
    for fragment_bits in [0x2000u16, 0x0001, 0x20B9, 0x1FFF] {
        let mut frame = segment(1460, 1460).build();
        frame[20..22].copy_from_slice(&fragment_bits.to_be_bytes());
        frame[24..26].fill(0);
        let sum: u32 = frame[14..34]
            .chunks(2)
            .map(|p| u32::from(p[0]) << 8 | u32::from(p[1]))
            .sum();
        let sum = !((sum & 0xFFFF) + (sum >> 16)) as u16;
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        rig.frame(&frame);
    }
    let pkts = packets(&rig.entries());
    assert_eq!(pkts.len(), 4, "the train is still open");
    for pkt in pkts {
        assert_eq!(
            (pkt.l3, pkt.l4, pkt.ip_csum, pkt.l4_csum),
            (L3::V4, L4::None, Csum::Good, Csum::None)
        );
        assert!(!pkt.watched && !pkt.split);
        assert_eq!(pkt.head.unwrap().reason, Reason::None);
    }
    rig.frame(&segment(1460, 10).build());
    assert_eq!(rig.count(Counter::Aggregated), 1);
}

/// CVE-2021-20255 (eepro100): a device wrote on after an error. A bus error quarantines every buffer.
#[test]
fn nothing_more_happens_when_a_bus_error_was_seen() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 1460).build());
    rig.engine.ingress(&other(64), false, Seen::Taken).unwrap();
    rig.memory.take_log();
    rig.engine.bus_error();
    rig.engine.bus_error();
    for code in [
        EventCode::Frame,
        EventCode::Timer,
        EventCode::FlushAll,
        EventCode::Stop,
        EventCode::BadSmall,
    ] {
        let error = EngineError::WrongState {
            event: code,
            state: "halted",
        };
        assert_eq!(rig.event(code, 1), Err(error));
    }
    assert_eq!(
        rig.write(regs::Q_CMD, 1),
        Written::Busy,
        "a command would never end"
    );
    assert!(rig.memory.take_log().is_empty());
    assert_eq!(
        (
            rig.count(Counter::BusErrors),
            rig.count(Counter::DropDisabled)
        ),
        (2, 1)
    );
    assert_eq!(rig.engine.state(), State::Halted);
    // After a reset the buffers are the host's; posted again they are used.
    rig.write(
        regs::CTRL,
        regs::CTRL_RESET.mask() | regs::CTRL_PARSER_ENABLE.mask(),
    );
    assert_eq!(rig.engine.holds(), (0, 0));
    assert_eq!(
        (rig.engine.state(), rig.engine.read_register(regs::CTRL)),
        (State::Running, Some(4))
    );
    rig.write(regs::CTRL, 5);
    (rig.small_tail, rig.page_tail) = (0, 0);
    rig.stock(2, 1);
    rig.engine.take_completions();
    rig.frame(&segment(0, 1460).build());
    flush(&mut rig);
    let train = watched(0, 0xA0)
        .page(0xB0, 0, 1460)
        .head(Reason::FlushAll, 1, 1460, 1);
    assert_eq!(
        rig.entries(),
        [train.entry()],
        "no trace of the train before, and numbers from 0"
    );
    assert_eq!(rig.dwords(0)[7] >> 31, 1, "the first lap again");
    assert_eq!(rig.count(Counter::RxFrames), 3, "counters stay");
}

/// CVE-2018-1000026 (bnx2x): an oversized packet stopped the firmware.
#[test]
fn engine_goes_on_when_oversized_frames_come() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, 1460).build());
    for len in [9019, 16129, 32854, 65535, 100_000] {
        assert_eq!(
            rig.engine.ingress(&vec![0; len], false, Seen::Taken),
            Ok(None)
        );
    }
    rig.frame(&segment(1460, 1460).build());
    assert_eq!(
        (
            rig.count(Counter::DropOversize),
            rig.count(Counter::Aggregated)
        ),
        (5, 1)
    );
    rig.frame(&other(9018));
}

/// openvmm#3413: "valid" and "needed" were both set. One code holds the verdict: none, good or bad.
#[test]
fn checksum_verdicts_are_exclusive_when_either_sum_is_bad() {
    let mut rig = Rig::stocked(&[]);
    for (bad_ip_checksum, bad_tcp_checksum) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        rig.frame(
            &Segment {
                bad_ip_checksum,
                bad_tcp_checksum,
                ..segment(0, 100)
            }
            .build(),
        );
    }
    let seen: Vec<_> = packets(&rig.entries())
        .iter()
        .map(|p| (p.ip_csum, p.l4_csum))
        .collect();
    let (good, bad) = (Csum::Good, Csum::Bad);
    assert_eq!(seen, [(good, good), (bad, good), (good, bad), (bad, bad)]);
    assert_eq!(
        (rig.count(Counter::BadIpCsum), rig.count(Counter::BadL4Csum)),
        (2, 2)
    );
}

/// inet_lro: flushing a flow that is not there dereferenced NULL.
#[test]
fn flush_flow_is_acknowledged_when_the_table_is_empty() {
    let mut rig = Rig::stocked(&[]);
    rig.command(Command::FlushFlow, EventCode::FlushFlow);
    assert_eq!(rig.engine.read_register(regs::Q_CMD_DONE), Some(1));
    assert_eq!(rig.entries(), []);
}

/// Enso: eviction was "unimplemented".
#[test]
fn every_flow_gets_an_entry_when_a_flood_fills_the_table() {
    let config = Config {
        flows: 4,
        ..Config::default()
    };
    let mut rig = Rig::with(&config, Limits::NONE, &[]);
    for i in 0..1000u32 {
        rig.post_small(i);
        rig.post_page(i, 4096, 0);
        rig.frame(&segment(0, 1024).flow(i as u16).build());
        if i % 50 == 49 {
            rig.entries();
        }
    }
    assert_eq!(rig.count(Counter::FlowCreations), 1000);
    assert_eq!(
        (
            rig.count(Counter::FlowEvictions),
            rig.count(Counter::PagesReleased)
        ),
        (996, 996)
    );
    assert_eq!(rig.engine.counters().of_reason(Reason::Evict), 996);
}

/// Recorded traffic has one 4-tuple untagged, in a VLAN and in two: three flows.
#[test]
fn flows_are_told_apart_when_only_their_tags_differ() {
    let mut rig = Rig::stocked(&[]);
    let tags = [
        vec![],
        vec![(0x8100, 5)],
        vec![(0x8100, 5), (0x8100, 5)],
        vec![(0x8100, 0)],
        vec![(0x8100, 0x1005)],
    ];
    for seq in [0, 1024] {
        for tags in &tags {
            rig.frame(
                &Segment {
                    tags: tags.clone(),
                    ..segment(seq, 1024)
                }
                .build(),
            );
        }
    }
    assert_eq!(
        (
            rig.count(Counter::FlowCreations),
            rig.count(Counter::Aggregated)
        ),
        (5, 5)
    );
}
