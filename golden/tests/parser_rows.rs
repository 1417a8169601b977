//! The parser with programs made by hand: each rule of a step and of the end, and any rows at all.

mod support;

use pagetrain_formats::program::row::{Advance, Arm, End, Extract, Length, Next, Row};
use pagetrain_formats::program::Dest;
use pagetrain_formats::Config;
use pagetrain_golden::parser::flag::{OPT, TCP, UDP, V4, V6, VLAN0, VLAN1};
use pagetrain_golden::program::Row as Decoded;
use pagetrain_golden::{Parsed, Parser};
use support::{for_seeds, Rng};

fn parser(rows: &[Row]) -> Parser {
    sized(rows, 16, 256)
}

fn sized(rows: &[Row], steps: usize, window: usize) -> Parser {
    let mut parser = Parser::new(16, steps, window);
    for (row, fields) in rows.iter().enumerate() {
        for (dword, value) in fields.encode().into_iter().enumerate() {
            assert!(parser.load(row, dword, value));
        }
    }
    parser
}

/// A frame whose bytes are their own numbers.
fn counting(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8).collect()
}

/// Accepts, and moves the cursor by `add`.
fn accept(add: u8) -> Row {
    Row {
        next: Next::Accept,
        advance: Advance {
            add,
            ..Advance::default()
        },
        ..Row::default()
    }
}

fn go(add: u8, next: u8) -> Row {
    Row {
        next: Next::Row(next),
        ..accept(add)
    }
}

fn is_accepted(rows: &[Row], len: usize) -> bool {
    let parsed = parser(rows).parse(&counting(len));
    assert_eq!(
        parsed == Parser::rejected(len),
        !parsed.accepted,
        "rejected means that nothing is known"
    );
    parsed.accepted
}

#[test]
fn row_is_decoded_as_formats_encode_it_when_fields_are_random() {
    for_seeds(4, |seed| {
        let mut rng = Rng::new(seed);
        for _ in 0..500 {
            let row = random_row(&mut rng);
            let decoded = Decoded::decode(&row.encode());
            assert_eq!(
                (decoded.off, decoded.need, decoded.set),
                (row.off, row.need, row.set)
            );
            let marks = (decoded.mark_l3, decoded.mark_l4, decoded.mark_split);
            assert_eq!(marks, (row.mark_l3, row.mark_l4, row.mark_split));
            let end = decoded.end_en.then_some(End {
                sel: decoded.end_sel,
                add: decoded.end_add,
            });
            assert_eq!(end, row.end);
            let length = decoded.adv_en.then_some(Length {
                sel: decoded.adv_sel,
                rshift: decoded.adv_rshift,
                mask: decoded.adv_mask,
                lshift: decoded.adv_lshift,
            });
            assert_eq!(
                (decoded.adv_add, length, decoded.adv_min),
                (row.advance.add, row.advance.length, row.advance.min)
            );
            assert_eq!(
                (decoded.key_sel, decoded.next),
                (row.key_sel, row.next.code())
            );
            for i in 0..4 {
                let extract = (
                    u32::from(decoded.extracts[i].dest),
                    decoded.extracts[i].byte,
                );
                assert_eq!(extract, (row.extracts[i].dest.code(), row.extracts[i].sel));
                let arm = decoded.arms[i];
                let expected = &row.arms[i];
                assert_eq!(
                    (arm.value, arm.mask, arm.next, arm.set),
                    (
                        expected.value,
                        expected.mask,
                        expected.next.code(),
                        expected.set
                    )
                );
            }
        }
    });
}

#[test]
fn step_is_refused_when_it_needs_more_than_frame_and_window_hold() {
    let needs = |need, add| [go(add, 1), Row { need, ..accept(0) }];
    assert!(is_accepted(&needs(20, 40), 60));
    assert!(!is_accepted(&needs(21, 40), 60));
    assert!(is_accepted(&needs(56, 200), 300));
    assert!(!is_accepted(&needs(57, 200), 300), "the window ends at 256");
    assert!(
        !is_accepted(&needs(0, 61), 60),
        "no byte is needed, but the cursor has left the frame"
    );
    assert!(
        sized(&needs(56, 100), 16, 128).parse(&counting(300)) == Parser::rejected(300),
        "a window of 128"
    );
}

#[test]
fn cursor_is_refused_when_it_passes_511_even_if_the_step_accepts() {
    let by_byte = |add, lshift| {
        let length = Some(Length {
            sel: 5,
            rshift: 0,
            mask: 0xFF,
            lshift,
        });
        Row {
            advance: Advance {
                add,
                length,
                min: 0,
            },
            mark_split: true,
            next: Next::Accept,
            ..Row::default()
        }
    };
    // Byte 5 is 5: 5 << 6 = 320.
    assert_eq!(
        parser(&[by_byte(191, 6)]).parse(&counting(600)).split,
        Some(511)
    );
    assert!(!is_accepted(&[by_byte(192, 6)], 600));
    assert!(!is_accepted(&[by_byte(0, 7)], 1000), "640");
}

#[test]
fn advance_is_computed_as_the_row_says_when_it_takes_a_byte() {
    let advance = |sel, rshift, mask, lshift, min| Row {
        advance: Advance {
            add: 3,
            length: Some(Length {
                sel,
                rshift,
                mask,
                lshift,
            }),
            min,
        },
        mark_split: true,
        next: Next::Accept,
        ..Row::default()
    };
    let mut frame = counting(600);
    frame[7] = 0xB6;
    let split = |row| parser(&[row]).parse(&frame).split;
    assert_eq!(split(advance(7, 4, 0x0F, 2, 0)), Some(3 + (0x0B << 2)));
    assert_eq!(split(advance(7, 0, 0x0F, 2, 0)), Some(3 + (0x06 << 2)));
    assert_eq!(split(advance(7, 7, 0xFF, 0, 0)), Some(3 + 1));
    assert_eq!(
        split(advance(7, 0, 0x0F, 2, 27)),
        Some(27),
        "min is reached"
    );
    assert_eq!(split(advance(7, 0, 0x0F, 2, 28)), None, "and missed");
    let constant = Row {
        advance: Advance {
            add: 9,
            length: None,
            min: 9,
        },
        mark_split: true,
        ..accept(0)
    };
    assert_eq!(
        split(Row {
            next: Next::Accept,
            ..constant
        }),
        Some(9)
    );
}

#[test]
fn chunk_reads_zero_when_it_lies_beyond_frame_or_window() {
    let reads = |off, frame_len: usize, window| {
        let extracts = [
            Extract {
                dest: Dest::SrcHi,
                sel: 0,
            },
            Extract {
                dest: Dest::SrcLo,
                sel: 8,
            },
            Extract {
                dest: Dest::None,
                sel: 0,
            },
            Extract {
                dest: Dest::None,
                sel: 0,
            },
        ];
        let row = Row {
            off,
            extracts,
            ..accept(0)
        };
        sized(&[row], 16, window).parse(&counting(frame_len)).src
    };
    assert_eq!(reads(4, 60, 256), 0x0405_0607_0809_0A0B_0C0D_0E0F_1011_1213);
    assert_eq!(
        reads(50, 60, 256),
        0x3233_3435_3637_3839_3A3B_0000_0000_0000
    );
    assert_eq!(reads(60, 60, 256), 0);
    assert_eq!(reads(255, 60, 256), 0);
    assert_eq!(
        reads(120, 600, 128),
        0x7879_7A7B_7C7D_7E7F_0000_0000_0000_0000
    );
}

#[test]
fn every_destination_takes_its_bytes_when_extracted() {
    let take = |dests: [(Dest, u8); 4]| {
        let extracts = dests.map(|(dest, sel)| Extract { dest, sel });
        parser(&[Row {
            extracts,
            ..accept(0)
        }])
        .parse(&counting(60))
    };
    let a = take([
        (Dest::Vlan0, 1),
        (Dest::Vlan1, 14),
        (Dest::Sport, 3),
        (Dest::Dport, 5),
    ]);
    assert_eq!(
        (a.vlan0, a.vlan1, a.sport, a.dport),
        (0x0102, 0x0E0F, 0x0304, 0x0506)
    );
    let b = take([
        (Dest::Seq, 2),
        (Dest::TcpFlags, 15),
        (Dest::DstHi, 0),
        (Dest::DstLo, 8),
    ]);
    assert_eq!(
        (b.seq, b.tcp_flags, b.dst),
        (0x0203_0405, 15, 0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F)
    );
    // The upper 64 bits stay, the upper half of the lower 64 becomes 0. Later extracts win.
    let c = take([
        (Dest::SrcHi, 0),
        (Dest::SrcLo, 8),
        (Dest::Src4, 4),
        (Dest::Dst4, 12),
    ]);
    assert_eq!(
        (c.src, c.dst),
        (0x0001_0203_0405_0607_0000_0000_0405_0607, 0x0C0D_0E0F)
    );
}

#[test]
fn first_arm_that_matches_wins_and_its_flags_are_set() {
    let arm = |value, mask, next, set| Arm {
        value,
        mask,
        next,
        set,
    };
    let arms = [
        arm(0x0000_0001, 0xFF, Next::Reject, V6),
        arm(0x0403_0000, 0xFFFF_0000, Next::Row(1), VLAN0),
        arm(0, 0, Next::Accept, UDP),
        Arm::NEVER,
    ];
    // The key is bytes 4, 3, 2, 0.
    let row = Row {
        key_sel: [4, 3, 2, 0],
        arms,
        set: OPT,
        next: Next::Reject,
        ..Row::default()
    };
    let rows = [row, accept(0)];
    let parsed = parser(&rows).parse(&counting(60));
    assert_eq!((parsed.accepted, parsed.flags), (true, OPT | VLAN0));
    let mut frame = counting(60);
    frame[4] = 9;
    let parsed = parser(&rows).parse(&frame);
    assert_eq!(
        parsed,
        Parser::rejected(60),
        "arm 2 sets UDP, which nothing here can be"
    );
    frame[0] = 1;
    assert_eq!(parser(&rows).parse(&frame), Parser::rejected(60));
    let none = Row {
        arms: [Arm::NEVER; 4],
        ..accept(0)
    };
    assert_eq!(parser(&[none]).parse(&frame).flags, 0);
}

#[test]
fn program_is_cut_off_when_it_takes_too_many_steps_or_leaves_the_rows() {
    let line = |length: u8| -> Vec<Row> {
        let mut rows: Vec<Row> = (1..length).map(|next| go(1, next)).collect();
        rows.push(accept(1));
        rows
    };
    assert!(
        sized(&line(8), 8, 256).parse(&counting(60)).accepted,
        "eight steps are allowed"
    );
    assert!(!sized(&line(9), 8, 256).parse(&counting(60)).accepted);
    assert!(!is_accepted(&[go(0, 0)], 60), "a loop");
    assert!(!is_accepted(&[go(0, 16)], 60), "no such row");
    assert!(!is_accepted(&[go(0, 0xFD)], 60));
    assert!(!is_accepted(
        &[Row {
            next: Next::Reject,
            ..accept(0)
        }],
        60
    ));
    assert!(
        !parser(&[]).parse(&counting(60)).accepted,
        "rows of zeros loop"
    );
}

/// One row: `end` from bytes 2 and 3, plus `add`; then another step.
fn ends(add: u8) -> Row {
    Row {
        end: Some(End { sel: 2, add }),
        ..go(0, 1)
    }
}

#[test]
fn end_must_not_grow_nor_leave_the_frame_when_it_is_set() {
    let run = |first: u16, second: u16, rows: &[Row]| {
        let mut frame = counting(100);
        frame[2..4].copy_from_slice(&first.to_be_bytes());
        frame[4..6].copy_from_slice(&second.to_be_bytes());
        let parsed = parser(rows).parse(&frame);
        parsed.accepted.then_some(parsed.end)
    };
    let once = [ends(10), accept(0)];
    assert_eq!(run(90, 0, &once), Some(100));
    assert_eq!(run(91, 0, &once), None, "beyond the frame");
    assert_eq!(run(0, 0, &once), Some(10));
    assert_eq!(run(65526, 0, &once), None, "beyond 65535");
    let twice = [
        ends(10),
        Row {
            end: Some(End { sel: 4, add: 0 }),
            ..accept(0)
        },
    ];
    assert_eq!(run(50, 60, &twice), Some(60));
    assert_eq!(run(50, 61, &twice), None, "later than an earlier end");
    assert_eq!(run(50, 10, &twice), Some(10));
    assert_eq!(
        run(60000, 99, &twice),
        Some(99),
        "judged with the last value"
    );
    // The cursor before the advance counts.
    let moved = [
        go(7, 1),
        Row {
            end: Some(End { sel: 2, add: 0 }),
            ..accept(50)
        },
    ];
    let mut frame = counting(100);
    frame[9..11].copy_from_slice(&[0, 20]);
    assert_eq!(parser(&moved).parse(&frame).end, 27);
    let untouched = parser(&[accept(4)]).parse(&counting(77));
    assert_eq!(
        (untouched.accepted, untouched.end),
        (true, 77),
        "no step set it"
    );
}

#[test]
fn end_that_would_pass_65535_rejects_when_a_later_one_would_be_fine() {
    let rows = [
        Row {
            end: Some(End { sel: 2, add: 255 }),
            ..go(0, 1)
        },
        Row {
            end: Some(End { sel: 4, add: 0 }),
            ..accept(0)
        },
    ];
    let mut frame = counting(100);
    for (first, accepted) in [(65535 - 255, true), (65535 - 254, false)] {
        frame[2..4].copy_from_slice(&(first as u16).to_be_bytes());
        frame[4..6].copy_from_slice(&[0, 50]);
        assert_eq!(parser(&rows).parse(&frame).accepted, accepted, "{first}");
    }
}

/// Marks by steps: l3 where the cursor is before `l3`'s advance, l4 and split behind theirs.
fn marked(flags: u8, l3: Option<u8>, l4: Option<u8>, split: Option<u8>) -> Vec<Row> {
    // Each mark has its own way from 0; a step back does not exist, so marks come in order of their offsets.
    let mut marks: Vec<(u8, u8)> = [(l3, 0), (l4, 1), (split, 2)]
        .into_iter()
        .filter_map(|(o, k)| o.map(|o| (o, k)))
        .collect();
    marks.sort();
    let mut rows = vec![Row {
        set: flags,
        ..go(0, 1)
    }];
    let mut cursor = 0;
    for (at, kind) in marks {
        let next = rows.len() as u8 + 1;
        if kind == 0 {
            rows.push(go(at - cursor, next));
            rows.push(Row {
                mark_l3: true,
                ..go(0, next + 1)
            });
        } else {
            rows.push(Row {
                mark_l4: kind == 1,
                mark_split: kind == 2,
                ..go(at - cursor, next)
            });
        }
        cursor = at;
    }
    rows.push(accept(0));
    rows
}

#[test]
fn marks_are_where_the_cursor_was_when_set() {
    let parsed = parser(&marked(V4 | TCP, Some(14), Some(34), Some(54))).parse(&counting(60));
    assert_eq!(
        (parsed.l3_off, parsed.l4_off, parsed.split),
        (Some(14), Some(34), Some(54))
    );
    assert_eq!((parsed.flags, parsed.end), (V4 | TCP, 60));
    // The same step: l3 before its advance, l4 and split after it.
    let all = Row {
        mark_l3: true,
        mark_l4: true,
        mark_split: true,
        set: V6,
        ..accept(20)
    };
    let parsed = parser(&[all]).parse(&counting(60));
    assert_eq!(
        (parsed.l3_off, parsed.l4_off, parsed.split),
        (Some(0), Some(20), Some(20))
    );
}

#[test]
fn frame_is_rejected_at_the_end_when_what_was_found_contradicts_itself() {
    let (l3, l4, split) = (Some(14), Some(34), Some(54));
    let judged = |flags, l3, l4, split| is_accepted(&marked(flags, l3, l4, split), 60);
    for (flags, l3, l4, split, accepted, why) in [
        (V4 | TCP, l3, l4, split, true, "TCP over IPv4"),
        (V6 | UDP, l3, l4, split, true, "UDP over IPv6"),
        (V6, None, None, None, true, "IPv6 without marks"),
        (0, None, None, None, true, "nothing at all"),
        (0, None, None, Some(60), true, "split at the end"),
        (0, None, None, Some(61), false, "end < split"),
        (0, None, Some(60), None, true, "l4 at the end"),
        (0, None, Some(61), None, false, "end < l4"),
        (V4 | V6, l3, l4, None, false, "two versions"),
        (V4 | TCP | UDP, l3, l4, split, false, "two transports"),
        (TCP, l3, l4, split, false, "TCP without IP"),
        (UDP, l3, l4, split, false, "UDP without IP"),
        (V6 | TCP, l3, None, split, false, "TCP without l4"),
        (V6 | TCP, l3, l4, None, false, "TCP without split"),
        (V6 | TCP, Some(13), l4, split, false, "odd l3"),
        (V6 | TCP, l3, Some(35), split, false, "odd l4"),
        (V6 | TCP, l3, l4, Some(55), true, "odd split"),
        (V6 | TCP, None, l4, split, true, "no l3"),
        (V4, None, l4, None, false, "IPv4 without l3"),
        (V4, l3, None, None, false, "IPv4 without l4"),
        (
            V4,
            Some(13),
            Some(35),
            None,
            true,
            "odd offsets without TCP",
        ),
        (VLAN0, Some(16), None, None, true, "l3 behind the tag"),
        (VLAN0, Some(15), None, None, false, "l3 in the tag"),
        (
            VLAN0 | VLAN1,
            None,
            Some(19),
            None,
            false,
            "l4 in the second tag",
        ),
        (VLAN0 | VLAN1, None, Some(20), None, true, "l4 behind it"),
        (VLAN1, None, None, Some(15), false, "split in the only tag"),
        (VLAN1, None, None, Some(16), true, "split behind it"),
    ] {
        assert_eq!(judged(flags, l3, l4, split), accepted, "{why}");
    }
    for (len, flags, accepted) in [
        (16, VLAN0, true),
        (15, VLAN0, false),
        (20, VLAN0 | VLAN1, true),
        (19, VLAN0 | VLAN1, false),
    ] {
        assert_eq!(
            is_accepted(&marked(flags, None, None, None), len),
            accepted,
            "{len} bytes"
        );
    }
}

#[test]
fn frame_is_rejected_when_l3_does_not_fit_the_completion() {
    let far = |add| {
        [
            go(add, 1),
            go(128, 2),
            Row {
                mark_l3: true,
                ..accept(0)
            },
        ]
    };
    assert!(is_accepted(&far(127), 300));
    // The cursor may be 256: the window ends there, and the step needs nothing.
    assert!(!is_accepted(&far(128), 300));
}

fn random_row(rng: &mut Rng) -> Row {
    let next = |rng: &mut Rng| match rng.below(4) {
        0 => Next::Accept,
        1 => Next::from_code(rng.number() as u8),
        _ => Next::Row(rng.below(16) as u8),
    };
    let mut row = Row {
        off: rng.below(40) as u8,
        need: if rng.once_in(3) {
            rng.below(60) as u8
        } else {
            0
        },
        set: if rng.once_in(3) {
            rng.number() as u8
        } else {
            0
        },
        mark_l3: rng.once_in(3),
        mark_l4: rng.once_in(3),
        mark_split: rng.once_in(3),
        end: rng.once_in(4).then(|| End {
            sel: rng.below(15) as u8,
            add: rng.below(60) as u8,
        }),
        key_sel: std::array::from_fn(|_| rng.below(16) as u8),
        next: next(rng),
        ..Row::default()
    };
    row.advance.add = if rng.once_in(8) {
        rng.number() as u8
    } else {
        rng.below(24) as u8
    };
    row.advance.min = if rng.once_in(6) {
        rng.below(24) as u8
    } else {
        0
    };
    row.advance.length = rng.once_in(4).then(|| Length {
        sel: rng.below(16) as u8,
        rshift: rng.below(8) as u8,
        mask: rng.number() as u8,
        lshift: rng.below(8) as u8,
    });
    for extract in &mut row.extracts {
        extract.dest = rng.pick(Dest::ALL);
        extract.sel = rng.below(17 - extract.dest.bytes().max(1) as u64) as u8;
    }
    for arm in &mut row.arms {
        let mask = rng.pick(&[0, 1, 0xFF, 0xFF00_0000, 0x8000_0001]);
        *arm = Arm {
            value: rng.number() as u32 & mask,
            mask,
            next: next(rng),
            set: row.set & rng.number() as u8,
        };
    }
    row
}

/// What every consumer of a verdict relies on.
fn check_consistent(parsed: &Parsed, len: usize) {
    if !parsed.accepted {
        assert_eq!(*parsed, Parser::rejected(len));
        return;
    }
    let tags = 12 + 4 * parsed.vlan_count();
    for offset in [parsed.l3_off, parsed.l4_off, parsed.split]
        .into_iter()
        .flatten()
    {
        assert!(offset <= 511 && (parsed.vlan_count() == 0 || offset >= tags));
    }
    assert!(parsed.end <= len && parsed.split.is_none_or(|s| s <= parsed.end));
    assert!(
        parsed.l4_off.is_none_or(|o| o <= parsed.end) && parsed.l3_off.is_none_or(|o| o <= 255)
    );
    assert!(
        !(parsed.has(TCP) || parsed.has(UDP)) || parsed.split.is_some() && parsed.l4_off.is_some()
    );
}

#[test]
fn engine_takes_any_frame_when_the_program_is_random() {
    use pagetrain_formats::regs;
    use pagetrain_golden::Limits;
    use support::rig::Rig;
    let mut accepted = 0;
    for_seeds(40, |seed| {
        let mut rng = Rng::new(seed);
        // Half of the programs are any dwords whatever, reserved ones too.
        let rows: Vec<[u32; 16]> = (0..16)
            .map(|_| {
                if seed % 2 == 0 {
                    random_row(&mut rng).encode()
                } else {
                    let mut row = random_row(&mut rng).encode();
                    row[rng.below(16) as usize] = rng.number() as u32;
                    row
                }
            })
            .collect();
        let strip = rng.below(2) as u32;
        let mut rig = Rig::with_program(
            &Config::default(),
            Limits::NONE,
            &[(regs::RX_CTRL, strip)],
            &rows,
        );
        let mut parser = Parser::new(32, 16, 256);
        for (row, dwords) in rows.iter().enumerate() {
            dwords
                .iter()
                .enumerate()
                .for_each(|(d, &value)| assert!(parser.load(row, d, value)));
        }
        for i in 0..400u32 {
            if i % 50 == 0 {
                rig.entries();
            }
            rig.post_small(2 * i);
            rig.post_small(2 * i + 1);
            rig.post_page(i, 4096, 0);
            let most = if rng.once_in(3) { 700 } else { 80 };
            let len = 1 + rng.below(most) as usize;
            let frame = rng.bytes(len);
            let parsed = parser.parse(&frame);
            check_consistent(&parsed, len);
            accepted += u32::from(parsed.accepted);
            rig.frame(&frame);
            // More is posted than is used: the ring of 256 is emptied by force.
            while rig.engine.holds().0 > 200 {
                rig.frame(&support::frames::other(300 - 60));
            }
            while rig.engine.holds().1 > 200 {
                rig.frame(&support::frames::other(4096));
            }
        }
    });
    assert!(
        accepted > 100 || std::env::var("PAGETRAIN_SEED").is_ok(),
        "only {accepted} frames were accepted"
    );
}
