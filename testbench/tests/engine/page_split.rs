//! Trains that end at the edges of pages: captures and jumbo frames against the model, whose rewritten headers are byte
//! for byte the hardware's.

use super::faults::{activate, all_are_noticed, Fault};
use super::frames::{segment, Segment, ACK, PSH};
use super::scene::{built, send, Scene, PROFILES, QUIET};
use super::support::{bench, capture_files, config, frames, run, wide};
use pagetrain_formats::{regs, Config, Counter, Reason};
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::host::HostOptions;
use pagetrain_testbench::engine::Bench;
use pagetrain_testbench::stall::StallProfile;
use std::path::PathBuf;

/// Headrooms of pages, some of them odd.
const HEADROOMS: [u16; 4] = [0, 1, 66, 255];

/// The project's own captures.
fn own_captures() -> Vec<PathBuf> {
    let own = |f: &PathBuf| {
        f.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("own_"))
    };
    let files: Vec<_> = capture_files().into_iter().filter(own).collect();
    assert!(!files.is_empty(), "the project's own captures are missing");
    files
}

/// Registers of a run.
fn registers(merge: u32, train_pages: u32) -> Vec<(u16, u32)> {
    vec![
        (regs::Q_MERGE, merge),
        (regs::Q_PAGE_CTRL, regs::Q_PAGE_CTRL_PAGE_SPLIT.mask()),
        (regs::Q_TRAIN_PAGES, train_pages),
        (regs::Q_MAX_BYTES, 1_048_575),
        (regs::Q_MAX_AGGR, 32),
        (regs::MAX_FRAME, 16128),
    ]
}

/// Replays the captures; the frames that were cut.
fn agrees(config: &Config) -> u64 {
    let mut cut = 0;
    let mut n = 0u64;
    for path in own_captures() {
        let frames = frames(&path);
        for merge in [0, 1] {
            for train_pages in [1, 4, 16] {
                let stall = StallProfile::ALL[n as usize % StallProfile::ALL.len()];
                let headroom = HEADROOMS[n as usize % HEADROOMS.len()];
                println!(
                    "{}: merge {merge}, {train_pages} pages, headroom {headroom}, seed {n}, stall {stall}",
                    path.display()
                );
                let mut options = bench(config, n, stall, merge);
                options.host = HostOptions::full(7, 4096, headroom);
                options.registers = registers(merge, train_pages);
                let summary = run(config, options, &frames);
                cut += summary.counter(Counter::SplitSegments);
                n += 1;
            }
        }
    }
    cut
}

#[test]
fn agrees_with_the_model_when_captures_are_cut_at_64_bits() {
    assert!(agrees(&config(64, 64)) > 0, "no segment was cut");
}

#[test]
fn agrees_with_the_model_when_captures_are_cut_at_128_bits() {
    assert!(agrees(&config(64, 128)) > 0, "no segment was cut");
}

#[test]
fn agrees_with_the_model_when_captures_are_cut_at_256_bits() {
    let config = Config {
        page_size: 4096,
        ..wide(128, 256)
    };
    assert!(agrees(&config) > 0, "no segment was cut");
}

/// A board whose trains end after so many pages of 4096 bytes with this headroom.
fn scene(config: Config, train_pages: u32, headroom: u16) -> Scene {
    let split = regs::Q_PAGE_CTRL_PAGE_SPLIT.mask();
    Scene::new(config)
        .with(regs::Q_PAGE_CTRL, split)
        .with(regs::Q_TRAIN_PAGES, train_pages)
        .with(regs::Q_MAX_BYTES, 1_048_575)
        .with(regs::MAX_FRAME, 16128)
        .stock(128, vec![(4096, headroom); 32])
}

/// Segments of one flow, one behind the other.
fn row(first: &Segment, lengths: &[usize]) -> Vec<Segment> {
    let mut seq = first.seq;
    let segment = |&len: &usize| {
        let next = segment(seq, len);
        seq = seq.wrapping_add(len as u32);
        Segment {
            seq: next.seq,
            payload: next.payload,
            ..first.clone()
        }
    };
    lengths.iter().map(segment).collect()
}

/// Kinds of headers: lengths of every rest modulo a word, with and without tags.
fn kinds() -> Vec<Segment> {
    // Sequence numbers that wrap on the way.
    let seq = 0u32.wrapping_sub(9000);
    let base = Segment {
        seq,
        flags: ACK | PSH,
        ..Segment::default()
    };
    vec![
        base.clone(),
        Segment {
            v6: true,
            ..base.clone()
        },
        Segment {
            tcp_options: vec![1; 12],
            tags: vec![(0x8100, 7)],
            ..base.clone()
        },
        Segment {
            v6: true,
            tags: vec![(0x88A8, 7), (0x8100, 9)],
            tcp_options: vec![1; 40],
            ..base.clone()
        },
        Segment {
            padding: vec![0x55; 7],
            ..base
        },
    ]
}

/// Jumbo frames that cross several edges: each piece is a segment that a sender might have sent, byte for byte.
#[test]
fn pieces_are_segments_of_their_own_when_a_jumbo_frame_crosses_several_edges() {
    let lengths = [1448, 13_000, 8948, 4096, 14_335, 1448];
    for (n, (kind, stall)) in kinds().iter().zip(PROFILES.iter().cycle()).enumerate() {
        let config = [config(64, 128), config(64, 64), wide(128, 256)][n % 3];
        let (pages, strip) = ([1, 2, 3][n % 3], n as u32 % 2);
        let strip = strip * regs::RX_CTRL_STRIP_VLAN.mask();
        let rx_ctrl = regs::RX_CTRL_BACKPRESSURE.mask() | strip;
        let scene = scene(config, pages, HEADROOMS[n % 4]).with(regs::RX_CTRL, rx_ctrl);
        let seen = scene.frames(*stall, &built(row(kind, &lengths)));
        let edges = lengths.iter().sum::<usize>() / (4096 - 255) / pages as usize;
        assert!(seen.count(Counter::SplitSegments) >= 2);
        assert!(seen.closed(Reason::Page) + 1 >= edges as u64);
        assert!(seen.packets.iter().filter(|p| p.piece).count() > 3);
        let mut seq = kind.seq;
        for (i, (pkt, frame)) in seen.packets.iter().zip(&seen.frames).enumerate() {
            let paged = &seen.paged[i];
            let mut alone = Segment {
                padding: vec![],
                ..row(
                    &Segment {
                        seq,
                        ..kind.clone()
                    },
                    &[paged.len()],
                )
                .remove(0)
            };
            if strip != 0 {
                alone.tags.clear();
            }
            assert_eq!(*frame, alone.build(), "kind {n}, packet {i}: {pkt:?}");
            seq = seq.wrapping_add(paged.len() as u32);
        }
        let all: usize = lengths.iter().sum();
        assert_eq!(
            seq,
            kind.seq.wrapping_add(all as u32),
            "every byte, in order"
        );
    }
}

/// Every train but the last is as long as its pages.
#[test]
fn trains_end_at_edges_when_segments_come_in_order() {
    for (pages, stall) in [1, 2, 5].into_iter().zip(PROFILES) {
        let scene = scene(config(64, 128), pages, 0).with(regs::Q_MAX_AGGR, 32);
        let seen = scene.frames(stall, &built(row(&Segment::default(), &[1448; 40])));
        let trains = seen.trains();
        let (last, full) = trains.split_last().expect("trains");
        assert_eq!(last.0, Reason::Stop);
        assert_eq!(full.len(), 40 * 1448 / (4096 * pages as usize));
        for train in full {
            assert_eq!((train.0, train.2), (Reason::Page, 4096 * pages));
        }
    }
}

const FAULTS: [Fault; 4] = [
    (
        "the halves of a sum are never swapped",
        "{twice[7:0], twice[15:8]}",
        "(FAULT ? twice : {twice[7:0], twice[15:8]})",
    ),
    (
        "a patch does not wait for the sum",
        "(!c_from_sum | settled)",
        "(!c_from_sum | settled | FAULT)",
    ),
    (
        "the old IPv4 checksum is added, not subtracted",
        "{16{twice_tally[3]}}",
        "{16{twice_tally[3] & !FAULT}}",
    ),
    (
        "a train is cut an edge too late",
        "assign cut = pages_frag_more & pages_edge &",
        "assign cut = pages_frag_more & (FAULT ? pages_over : pages_edge) &",
    ),
];

#[test]
fn test_fails_when_cutting_is_broken() {
    all_are_noticed(&FAULTS, |model, fault| {
        let mut options = bench(&config(64, 128), 1, StallProfile::Light, 1);
        options.host = HostOptions::full(7, 4096, 1);
        options.registers = registers(1, 1);
        let sink = Box::new(|_: Delivery<'_>, _: &_, _| {});
        let mut board = Bench::new(&config(64, 128), model, options, sink).expect("a board");
        activate(&board, fault);
        let lengths = [1448, 8948, 3001, 8948, 1447, 9000, 1448, 8947];
        let frames = built(row(&Segment::default(), &lengths));
        let ran = board.run(async |driver| {
            send(&driver, &frames).await;
            driver.stop(QUIET).await;
        });
        ran.err().map(|error| error.to_string())
    });
}
