//! Bugs that other network cards, drivers and hypervisors shipped; each is a test of the whole engine here. What each
//! test does not say itself, the harness does: every byte, entry and counter is the model's, every buffer is posted and
//! back once, and nothing is written but into what is posted.

use super::frames::{other, segment, stream, Segment, ACK, FIN, HEADER};
use super::scene::{built, send, Scene, PROFILES, QUIET};
use super::support::{config, wide};
use pagetrain_formats::{regs, BufId, BufStatus, Command, Counter, Csum, Reason, L3, L4};
use pagetrain_testbench::stall::{Pause, StallProfile};
use pagetrain_testbench::Rng;

fn scene() -> Scene {
    Scene::new(config(64, 128))
}

/// CVE-2024-44970 (mlx5 SHAMPO): a completion without data, after the buffer was done, released it twice.
#[test]
fn returns_each_page_once_when_a_segment_ends_at_its_edge() {
    for stall in PROFILES {
        let seen = scene().frames(
            stall,
            &built([
                segment(0, 4096),
                segment(4096, 0),
                segment(4096, 0).flags(ACK | FIN),
            ]),
        );
        let full = seen
            .finished
            .iter()
            .filter(|id| matches!(id, BufId::Page(_)));
        assert_eq!(full.count(), 1);
        let filled = seen.count(Counter::PagesFilled);
        assert_eq!((filled, seen.count(Counter::PagesReleased)), (1, 0));
    }
}

/// CVE-2024-46717: a frame without split on the last header slot freed the header page twice.
#[test]
fn takes_no_small_buffer_when_an_unsplit_frame_meets_the_last_slot_of_a_ring() {
    for stall in PROFILES {
        let mut scene = scene().stock(16, vec![(4096, 0); 16]);
        scene.host.completion_log2 = 4;
        let mut frames: Vec<_> = (0..15).map(|i| other(60 + i)).collect();
        // On the last completion slot; the small buffer goes to the frame behind it.
        frames.extend([other(300), other(64)]);
        let seen = scene.play(stall, async |driver| {
            driver.recycle(false);
            send(driver, &frames).await;
        });
        let (unsplit, next) = (&seen.packets[15], &seen.packets[16]);
        assert_eq!((unsplit.hdr_len, unsplit.hdr_cookie), (0, 0));
        assert_eq!((next.hdr_len, next.page_cookie), (64, 0));
        let smalls = seen
            .finished
            .iter()
            .filter(|id| matches!(id, BufId::Small(_)));
        assert_eq!(smalls.count(), 16);
    }
}

/// mlx5 bacd8d80181e: a limit counted in pages ended trains early on 64 KiB pages.
#[test]
fn ends_trains_at_the_same_byte_when_pages_are_4_16_or_64_kib() {
    for (length, stall) in [4096, 16384, 65536].into_iter().zip(PROFILES) {
        let scene = Scene::new(wide(128, 256))
            .with(regs::Q_MAX_BYTES, 30_000)
            .with(regs::Q_MAX_AGGR, 32)
            .stock(64, vec![(length, 0); 16]);
        let seen = scene.frames(stall, &built((0..21).map(|i| segment(i * 1448, 1448))));
        // 20 segments are 28960 bytes; the 21st would be the 30408th byte.
        let first = (Reason::MaxBytes, 20, 28960);
        assert_eq!(seen.trains(), [first, (Reason::Stop, 1, 1448)], "{length}");
    }
}

/// bnxt: an identifier was cut to 12 of its 16 bits, and a header went to another train's buffer.
#[test]
fn fields_keep_their_widest_values_when_they_are_used() {
    let scene = Scene::new(wide(128, 256))
        .with(regs::MAX_FRAME, 16128)
        .with(regs::Q_MAX_BYTES, 1_048_575)
        .stock(16, vec![(65536, 0); 2]);
    let tags = vec![(0x88A8, 0xFFFF), (0x8100, 0xFFFE)];
    let most = 16128 - HEADER as u32 - 8;
    let mut seq = 0;
    let segments = [most, most, most, most, 65536 - 4 * most - 1, 1].map(|len| {
        let tags = tags.clone();
        let segment = Segment {
            tags,
            ..segment(seq, len as usize)
        };
        seq += len;
        segment
    });
    let seen = scene.play(StallProfile::None, async |driver| {
        // Dropped at ingress, until the number has all bits set.
        for _ in 0..65533 {
            driver.send(vec![0; 60], true);
            driver.nearly_sent().await;
        }
        send(driver, &built(segments)).await;
    });
    assert_eq!(seen.trains(), [(Reason::Stop, 6, 65536)]);
    let first = &seen.packets[0];
    assert_eq!(
        (first.vlan0, first.vlan1, first.frame_len),
        (0xFFFF, 0xFFFE, 16128)
    );
    let numbers: Vec<u16> = seen.packets.iter().map(|p| p.rx_seq).collect();
    assert_eq!(numbers, [65533, 65534, 65535, 0, 1, 2]);
    let last = &seen.packets[5];
    assert_eq!(
        (last.page_offset, last.frag_len, last.page_full),
        (65535, 1, true)
    );
}

/// bnxt: a merged packet named the wrong IP version.
#[test]
fn trains_name_their_ip_version_when_v4_and_v6_flows_mix() {
    for stall in PROFILES {
        let both = [0, 1024].into_iter().flat_map(|seq| {
            [false, true].map(|v6| Segment {
                v6,
                ..segment(seq, 1024)
            })
        });
        let seen = scene().frames(stall, &built(both));
        let kinds: Vec<_> = (seen.packets.iter())
            .map(|p| (p.rx_seq, p.l3, p.l4, p.ip_csum))
            .collect();
        let (v4, v6) = ((L3::V4, Csum::Good), (L3::V6, Csum::None));
        let expected = [(0, v4), (2, v4), (1, v6), (3, v6)];
        assert_eq!(kinds, expected.map(|(n, (l3, sum))| (n, l3, L4::Tcp, sum)));
    }
}

/// bnxt a056ebc: the header split was silently off.
#[test]
fn configuration_reads_back_and_frames_are_split_when_the_engine_is_set_up() {
    let writes = [
        (regs::TICK_CLOCKS, 7),
        (regs::RX_CTRL, 3),
        (regs::MAX_FRAME, 2000),
        (regs::Q_MERGE, 0),
        (regs::Q_DEFER_TICKS, 32767),
        (regs::Q_MAX_AGGR, 64),
        (regs::Q_MAX_BYTES, 1_048_575),
        (regs::Q_ADMIT_MIN, 65535),
        (regs::Q_PAGE_CTRL, 1),
    ];
    for stall in PROFILES {
        let mut scene = scene();
        scene.registers = writes.to_vec();
        let seen = scene.play(stall, async |driver| {
            for (addr, value) in writes {
                assert_eq!(driver.read(addr).await, value, "{addr:#x}");
            }
            send(driver, &built([segment(0, 1000)])).await;
        });
        assert!(seen.packets[0].split && seen.packets[0].hdr_len == 54);
        assert_eq!(seen.paged[0], stream(0, 1000));
    }
}

/// idpf: header length 0 was reported, and the driver copied a header out of the payload.
#[test]
fn split_frames_always_have_a_header_when_lengths_vary() {
    for stall in PROFILES {
        let lengths = (0..2000).step_by(50);
        let frames: Vec<_> = lengths
            .flat_map(|len| [segment(0, len).flow(len as u16).build(), other(14 + len)])
            .collect();
        let seen = scene().frames(stall, &frames);
        assert_eq!(seen.packets.len(), 80);
        for pkt in &seen.packets {
            assert_eq!(pkt.hdr_len == 0, !pkt.split && pkt.frag_len > 0, "{pkt:?}");
            assert!(!pkt.split || pkt.hdr_len == 54, "{pkt:?}");
        }
    }
}

/// fbnic: headers longer than the slot spilled into the payload's page.
#[test]
fn no_header_byte_is_in_a_page_when_headers_have_any_length() {
    for stall in [StallProfile::None, StallProfile::Bursty] {
        let mut frames = vec![];
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
                frames.push(frame);
            }
        }
        let seen = scene().frames(stall, &frames);
        assert_eq!(seen.packets.len(), frames.len());
        for ((pkt, frame), paged) in seen.packets.iter().zip(&frames).zip(&seen.paged) {
            assert_eq!(
                (usize::from(pkt.hdr_len), paged),
                (frame.len() - 300, &vec![0x11; 300])
            );
        }
        let second = seen.packets.iter().filter(|p| p.hdr_len > 256);
        assert!(second.count() > 5, "some take a second small buffer");
    }
}

/// mlx4, mlx5: short frames with padding that is not zero broke the checksum.
#[test]
fn checksum_is_good_when_padding_is_random() {
    for stall in PROFILES {
        let mut rng = Rng::new(1, "padding");
        let padded: Vec<_> = (0..6)
            .flat_map(|len| [1, 2, 6 - len, 46, 100].map(|padding| (len, padding)))
            .map(|(len, padding)| Segment {
                padding: rng.bytes(padding),
                ..segment(0, len)
            })
            .collect();
        let seen = scene().frames(stall, &built(padded));
        assert_eq!(seen.packets.len(), 30);
        for pkt in &seen.packets {
            assert_eq!(
                (pkt.ip_csum, pkt.l4_csum),
                (Csum::Good, Csum::Good),
                "{pkt:?}"
            );
        }
    }
}

/// QEMU e1000 034d00d48581: the "done" bit was written together with the body. Here the memory answers out of order and
/// shows bytes late, on a ring of 16 entries that is walked for many laps.
#[test]
fn entries_are_whole_and_seen_once_when_the_memory_reorders_and_the_ring_wraps() {
    for stall in PROFILES {
        let mut scene = scene().with(regs::Q_MAX_AGGR, 3);
        scene.host.completion_log2 = 4;
        let frames: Vec<_> = (0..200)
            .map(|i| match i % 4 {
                3 => other(64 + i as usize),
                _ => segment(1448 * i, 1448).flow(i as u16 % 3).build(),
            })
            .collect();
        let seen = scene.frames(stall, &frames);
        let mut numbers: Vec<u16> = seen.packets.iter().map(|p| p.rx_seq).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
        assert!(seen.count(Counter::Completions) > 12 * 16);
    }
}

/// CVE-2021-3748 (virtio-net): a buffer was written to after its completion. Each buffer here is used once, and may not
/// be written from the moment in which its entry was seen.
#[test]
fn writes_nothing_into_a_buffer_when_its_completion_was_seen() {
    for stall in PROFILES {
        let seen = scene().play(stall, async |driver| {
            driver.recycle(false);
            send(driver, &built((0..60).map(|i| segment(4000 * i, 4000)))).await;
        });
        assert_eq!(seen.packets.len(), 60);
        assert_eq!(seen.count(Counter::PagesFilled), 60 * 4000 / 4096);
    }
}

/// CVE-2015-7504 (pcnet): a frame as long as the buffer overflowed it.
#[test]
fn nothing_overflows_when_a_frame_is_four_bytes_around_its_buffer() {
    for stall in PROFILES {
        let lengths: Vec<usize> = (252..=260).collect();
        let frames: Vec<_> = lengths.iter().map(|&len| other(len)).collect();
        let seen = scene().frames(stall, &frames);
        for (pkt, len) in seen.packets.iter().zip(lengths) {
            let parts = (usize::from(pkt.hdr_len), usize::from(pkt.frag_len) > 0);
            assert_eq!(parts, if len <= 256 { (len, false) } else { (0, true) });
        }
        let lengths: Vec<usize> = (4092..=4100).collect();
        let frames = (lengths.iter()).map(|&len| segment(0, len).flow(len as u16));
        let seen = scene().frames(stall, &built(frames));
        for ((pkt, paged), len) in seen.packets.iter().zip(&seen.paged).zip(lengths) {
            let here = (usize::from(pkt.frag_len), pkt.page_full, pkt.ext_count);
            assert_eq!(here, (len.min(4096), len >= 4096, u8::from(len > 4096)));
            assert_eq!(*paged, stream(0, len));
        }
    }
}

/// Xen netback after XSA-423: headers in many minimal pieces.
#[test]
fn headers_are_found_when_the_mac_pauses_between_their_beats() {
    for pause in [Pause::EveryNth(40), Pause::Random(0.95)] {
        let (mut bench, seen) = scene().board(StallProfile::None, 3);
        bench.mac().set_pause(pause);
        let segments = (0..12).map(|i| Segment {
            v6: i % 2 == 1,
            tags: vec![(0x88A8, 1), (0x8100, 2)],
            tcp_options: vec![1; 40],
            ..segment(700 * (i / 2), 700)
        });
        let frames = built(segments);
        let ran = bench.run(async |driver| {
            send(&driver, &frames).await;
            driver.stop(QUIET).await;
        });
        ran.unwrap_or_else(|e| panic!("{e}"));
        let seen = seen.borrow();
        assert!(seen.packets.iter().all(|p| p.split && p.vlan_count == 2));
        assert_eq!(seen.packets.len(), 12);
    }
}

/// 82599 erratum 48: a context was kept when the last buffer fitted exactly.
#[test]
fn everything_is_clean_when_page_train_and_ring_fit_exactly() {
    for stall in PROFILES {
        let mut scene = scene()
            .with(regs::Q_MAX_BYTES, 16 * 1024)
            .with(regs::Q_MAX_AGGR, 16)
            .stock(16, vec![(4096, 0); 4]);
        scene.host.completion_log2 = 4;
        // 16 packets, 16384 bytes, 4 pages, 16 entries: all of everything, three times.
        let seen = scene.play(stall, async |driver| {
            for round in 0..3 {
                let segments = (0..16).map(|i| segment((16 * round + i) * 1024, 1024));
                send(driver, &built(segments)).await;
            }
        });
        assert_eq!(seen.trains(), [(Reason::MaxAggr, 16, 16384); 3]);
        let full = (
            seen.count(Counter::PagesFilled),
            seen.count(Counter::PagesReleased),
        );
        assert_eq!((full, seen.count(Counter::DropNoBuffer)), ((12, 0), 0));
    }
}

/// 82599 erratum 66: a checksum error was reported on fragments.
#[test]
fn fragments_have_no_l4_verdict_and_never_join_when_their_flow_is_watched() {
    for stall in PROFILES {
        let mut frames = vec![segment(0, 1460).build()];
        for fragment_bits in [0x2000u16, 0x0001, 0x20B9, 0x1FFF] {
            let mut frame = segment(1460, 1460).build();
            frame[20..22].copy_from_slice(&fragment_bits.to_be_bytes());
            frames.push(frame);
        }
        frames.push(segment(1460, 10).build());
        let seen = scene().frames(stall, &frames);
        assert_eq!(seen.count(Counter::Aggregated), 1, "around the fragments");
        let fragments: Vec<_> = seen.packets.iter().filter(|p| !p.watched).collect();
        assert_eq!(fragments.len(), 4);
        for pkt in fragments {
            let verdict = (pkt.l3, pkt.l4, pkt.l4_csum, pkt.split);
            assert_eq!(verdict, (L3::V4, L4::None, Csum::None, false));
        }
    }
}

/// CVE-2026-43464 (mlx5): fragments that were dropped were not counted. Whenever nothing moves, what is not back is held.
#[test]
fn posted_is_returned_and_held_when_frames_are_dropped_for_want_of_buffers() {
    for stall in PROFILES {
        let scene = scene()
            .with(regs::RX_CTRL, 0)
            .stock(6, vec![(4096, 0), (2048, 100), (1500, 476)]);
        let seen = scene.play(stall, async |driver| {
            driver.recycle(false);
            // Until what was posted has been fetched.
            driver.sim().cycles(2000).await;
            for i in 0..12 {
                // `quiet` compares what is held with what was posted.
                send(driver, &built([segment(2000 * i, 2000)])).await;
            }
        });
        let dropped = seen.count(Counter::DropNoBuffer);
        assert_eq!((seen.packets.len(), dropped), (3, 9));
        assert_eq!(seen.closed(Reason::NoBuffer), 3);
    }
}

/// CVE-2018-1000026 (bnx2x): an oversized packet stopped the firmware.
#[test]
fn engine_goes_on_when_oversized_frames_come() {
    for stall in PROFILES {
        let mut frames = vec![segment(0, 1460).build()];
        frames.extend([9019, 16129, 32854, 65535, 100_000].map(|len| vec![0; len]));
        frames.extend([segment(1460, 1460).build(), other(9018)]);
        let seen = scene().frames(stall, &frames);
        let counts = (
            seen.count(Counter::DropOversize),
            seen.count(Counter::Aggregated),
        );
        assert_eq!((counts, seen.packets.len()), ((5, 1), 3));
    }
}

/// openvmm#3413: "valid" and "needed" were both set. One code holds the verdict: none, good or bad.
#[test]
fn checksum_verdicts_are_exclusive_when_either_sum_is_bad() {
    for stall in PROFILES {
        let kinds = [(false, false), (true, false), (false, true), (true, true)];
        let segments = kinds.map(|(bad_ip_checksum, bad_tcp_checksum)| Segment {
            bad_ip_checksum,
            bad_tcp_checksum,
            ..segment(0, 100)
        });
        let seen = scene().frames(stall, &built(segments));
        let verdicts: Vec<_> = seen
            .packets
            .iter()
            .map(|p| (p.ip_csum, p.l4_csum))
            .collect();
        let (good, bad) = (Csum::Good, Csum::Bad);
        assert_eq!(
            verdicts,
            [(good, good), (bad, good), (good, bad), (bad, bad)]
        );
    }
}

/// inet_lro: flushing a flow that is not there dereferenced NULL.
#[test]
fn flush_flow_is_acknowledged_when_the_flow_is_unknown() {
    for stall in PROFILES {
        let seen = scene().play(stall, async |driver| {
            // With an empty table, and with another flow in it.
            driver.command(Command::FlushFlow).await;
            send(driver, &built([segment(0, 1448)])).await;
            driver.command(Command::FlushFlow).await;
            assert_eq!(driver.read(regs::Q_CMD_DONE).await, 2);
        });
        assert_eq!(seen.closed(Reason::FlushFlow), 0);
        assert_eq!(seen.trains(), [(Reason::Stop, 1, 1448)]);
    }
}

/// Enso: eviction was "unimplemented".
#[test]
fn every_flow_gets_an_entry_when_a_flood_fills_the_table() {
    for stall in PROFILES {
        let flows = (0..200).map(|i| segment(0, 1024).flow(i));
        let seen = scene().frames(stall, &built(flows));
        let evicted = seen.count(Counter::FlowEvictions);
        assert_eq!((seen.count(Counter::FlowCreations), evicted), (200, 184));
        assert_eq!(seen.closed(Reason::Evict), 184);
        let released = seen
            .returned
            .iter()
            .filter(|b| b.status == BufStatus::Released);
        assert_eq!(
            released.count(),
            200,
            "each flow's page, at its eviction or at the stop"
        );
    }
}

/// Recorded traffic has one 4-tuple untagged, in a VLAN and in two: three flows.
#[test]
fn flows_are_told_apart_when_only_their_tags_differ() {
    let tags = [
        vec![],
        vec![(0x8100, 5)],
        vec![(0x8100, 5), (0x8100, 5)],
        vec![(0x8100, 0)],
        vec![(0x8100, 0x1005)],
    ];
    for stall in PROFILES {
        let segments = [0, 1024].into_iter().flat_map(|seq| {
            (tags.clone()).map(|tags| Segment {
                tags,
                ..segment(seq, 1024)
            })
        });
        let seen = scene().frames(stall, &built(segments));
        let counts = (
            seen.count(Counter::FlowCreations),
            seen.count(Counter::Aggregated),
        );
        assert_eq!(counts, (5, 5));
    }
}

/// 82599 note: small buffers cause writes of partial lines. Of a fragment only the first and the last beat may be partial.
#[test]
fn writes_whole_beats_when_fragments_are_long() {
    for stall in PROFILES {
        let (mut bench, seen) = scene().board(stall, 4);
        let frames = built((0..40).map(|i| segment(1448 * i, 1448)));
        let ran = bench.run(async |driver| {
            send(&driver, &frames).await;
            driver.stop(QUIET).await;
        });
        ran.unwrap_or_else(|e| panic!("stall {stall}: {e}"));
        let partial = bench.bus().monitor().stats().partial_beats;
        let seen = seen.borrow();
        let fragments: u64 = (seen.packets.iter())
            .map(|p| 1 + u64::from(p.ext_count))
            .sum();
        assert_eq!(seen.packets.len(), 40);
        // A header has one such end: it begins where its buffer does.
        assert!(
            partial <= 2 * fragments + 40,
            "{partial} of {fragments} fragments"
        );
    }
}
