//! The shipped program, run step by step over hand-made frames: what it finds, and in how many steps.
//!
//! The stepper here is the design contract's section 6 once more in its shortest form, so that the program is tested
//! where it is written; hardware and model have their own.

use pagetrain_formats::program::fields::{Dest, NOCSUM, OPT, TCP, UDP, V4, V6, VLAN0, VLAN1};
use pagetrain_formats::program::{self, compile, Limits, Next, Program};
use pagetrain_formats::Config;
use std::collections::BTreeMap;

/// What the program leaves of an accepted frame.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    flags: u8,
    l3: usize,
    l4: usize,
    split: Option<usize>,
    end: usize,
    steps: usize,
    fields: BTreeMap<&'static str, u64>,
}

fn run(program: &Program, limits: &Limits, frame: &[u8]) -> Option<Found> {
    let seen = frame.len().min(limits.window);
    let (mut found, mut cursor, mut at) = (Found::default(), 0, 0);
    let mut end = None;
    loop {
        found.steps += 1;
        let row = program.rows.get(at)?;
        let chunk: [u8; 16] = std::array::from_fn(|i| {
            let at = cursor + usize::from(row.off) + i;
            if at < seen {
                frame[at]
            } else {
                0
            }
        });
        if found.steps > limits.steps || cursor + usize::from(row.need) > seen {
            return None;
        }
        let key = u32::from_be_bytes(row.key_sel.map(|sel| chunk[usize::from(sel)]));
        let arm = row.arms.iter().find(|arm| key & arm.mask == arm.value);
        for extract in row.extracts.iter().filter(|e| e.dest != Dest::None) {
            let from = usize::from(extract.sel);
            let bytes = &chunk[from..from + extract.dest.bytes()];
            let value = bytes.iter().fold(0, |v, &b| v << 8 | u64::from(b));
            found.fields.insert(extract.dest.name(), value);
        }
        if let Some(e) = row.end {
            let length =
                u16::from_be_bytes([chunk[usize::from(e.sel)], chunk[usize::from(e.sel) + 1]]);
            let new = cursor + usize::from(e.add) + usize::from(length);
            if new > end.unwrap_or(65535) {
                return None;
            }
            end = Some(new);
        }
        let length = row.advance.length.map_or(0, |l| {
            usize::from((chunk[usize::from(l.sel)] >> l.rshift) & l.mask) << l.lshift
        });
        let advance = usize::from(row.advance.add) + length;
        if row.mark_l3 {
            found.l3 = cursor;
        }
        cursor += advance;
        if advance < row.advance.min.into() || cursor > 511 {
            return None;
        }
        if row.mark_l4 {
            found.l4 = cursor;
        }
        if row.mark_split {
            found.split = Some(cursor);
        }
        found.flags |= row.set | arm.map_or(0, |arm| arm.set);
        match arm.map_or(row.next, |arm| arm.next) {
            Next::Row(next) => at = next.into(),
            Next::Reject => return None,
            Next::Accept => break,
        }
    }
    found.end = end.unwrap_or(frame.len());
    let least = found.split.unwrap_or(0).max(found.l4);
    (found.end <= frame.len() && found.end >= least).then_some(found)
}

/// The shipped program over `frame`, in the default configuration.
fn parse(frame: &[u8]) -> Option<Found> {
    let limits = Limits::of(&Config::default());
    run(&program::tcp(&limits).unwrap(), &limits, frame)
}

fn ethernet(kind: u16) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(kind.to_be_bytes());
    frame
}

/// An IPv4 header of `ihl` dwords, with its payload.
fn ip4(ihl: u8, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let total = 4 * usize::from(ihl.max(5)) + payload.len();
    let mut p = vec![0x40 | ihl, 0];
    p.extend((total as u16).to_be_bytes());
    p.extend([0, 7]);
    p.extend(fragment.to_be_bytes());
    p.extend([64, protocol, 0, 0, 10, 1, 2, 3, 10, 4, 5, 6]);
    p.resize(4 * usize::from(ihl.max(5)), 1);
    p.extend(payload);
    p
}

fn ip6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut p = vec![0x60, 0, 0, 0];
    p.extend((payload.len() as u16).to_be_bytes());
    p.extend([next, 64]);
    p.extend(0x11..0x31u8);
    p.extend(payload);
    p
}

/// An extension header of 8 + 8 `more` bytes; byte 3 counts the segments left of a routing header.
fn extension(next: u8, more: u8, segments: u8, payload: &[u8]) -> Vec<u8> {
    let mut p = vec![next, more, 0, segments];
    p.resize(8 + 8 * usize::from(more), 0);
    p.extend(payload);
    p
}

fn tcp(offset: u8, data: usize) -> Vec<u8> {
    let mut p = vec![
        0x12,
        0x34,
        0x56,
        0x78,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        offset << 4,
        0x18,
        0xff,
        0xff,
    ];
    p.resize(4 * usize::from(offset.max(5)), 0);
    p.extend(vec![0xAA; data]);
    p
}

fn udp(checksum: u16, length: u16, data: usize) -> Vec<u8> {
    let mut p = vec![0, 53, 0, 54];
    p.extend(length.to_be_bytes());
    p.extend(checksum.to_be_bytes());
    p.extend(vec![0xBB; data]);
    p
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// (flags, l3, l4, split, end, steps)
type Facts = (u8, usize, usize, Option<usize>, usize, usize);

fn facts(frame: &[u8]) -> Option<Facts> {
    parse(frame).map(|f| (f.flags, f.l3, f.l4, f.split, f.end, f.steps))
}

const IP4: u16 = 0x0800;
const IP6: u16 = 0x86dd;

#[test]
fn tcp_over_ipv4_is_split_in_four_steps() {
    let frame = join(&[&ethernet(IP4), &ip4(5, 6, 0x4000, &tcp(5, 10))]);
    let found = parse(&frame).unwrap();
    let expected: [(&str, u64); 6] = [
        ("src4", 0x0a01_0203),
        ("dst4", 0x0a04_0506),
        ("sport", 0x1234),
        ("dport", 0x5678),
        ("seq", 0x0102_0304),
        ("tcp_flags", 0x18),
    ];
    assert_eq!(found.fields, BTreeMap::from(expected));
    assert_eq!(facts(&frame), Some((V4 | TCP, 14, 34, Some(54), 64, 4)));
}

#[test]
fn tcp_over_ipv6_is_split_in_five_steps() {
    let frame = join(&[&ethernet(IP6), &ip6(6, &tcp(8, 10))]);
    let found = parse(&frame).unwrap();
    assert_eq!(found.fields["src_hi"], 0x1112_1314_1516_1718);
    assert_eq!(found.fields["src_lo"], 0x191a_1b1c_1d1e_1f20);
    assert_eq!(found.fields["dst_hi"], 0x2122_2324_2526_2728);
    assert_eq!(found.fields["dst_lo"], 0x292a_2b2c_2d2e_2f30);
    assert_eq!(facts(&frame), Some((V6 | TCP, 14, 54, Some(86), 96, 5)));
}

#[test]
fn padding_lies_behind_the_end() {
    let frame = join(&[&ethernet(IP4), &ip4(5, 6, 0, &tcp(5, 1)), &[0x55; 5]]);
    assert_eq!(facts(&frame).unwrap().4, 55);
}

#[test]
fn options_set_the_flag_and_move_the_split() {
    let frame = join(&[&ethernet(IP4), &ip4(15, 6, 0, &tcp(15, 1))]);
    assert_eq!(
        facts(&frame),
        Some((V4 | TCP | OPT, 14, 74, Some(134), 135, 4))
    );
}

#[test]
fn tags_are_found_when_there_are_one_or_two_and_a_third_rejects() {
    let inner = ip4(5, 6, 0, &tcp(5, 0));
    let tag = |tci: u16, kind: u16| [tci.to_be_bytes(), kind.to_be_bytes()].concat();
    let one = join(&[&ethernet(0x8100), &tag(0xA123, IP4), &inner]);
    assert_eq!(
        facts(&one),
        Some((V4 | TCP | VLAN0, 18, 38, Some(58), 58, 5))
    );
    assert_eq!(parse(&one).unwrap().fields["vlan0"], 0xA123);
    let two = join(&[
        &ethernet(0x88a8),
        &tag(1, 0x8100),
        &tag(0xFFFF, IP4),
        &inner,
    ]);
    assert_eq!(
        facts(&two),
        Some((V4 | TCP | VLAN0 | VLAN1, 22, 42, Some(62), 62, 6))
    );
    assert_eq!(parse(&two).unwrap().fields["vlan1"], 0xFFFF);
    let three = join(&[
        &ethernet(0x8100),
        &tag(1, 0x8100),
        &tag(2, 0x8100),
        &tag(3, IP4),
        &inner,
    ]);
    assert_eq!(facts(&three), None);
    let arp = join(&[&ethernet(0x8100), &tag(1, 0x0806), &[0; 28]]);
    assert_eq!(facts(&arp), None);
}

#[test]
fn udp_is_split_and_its_own_length_ends_the_packet() {
    let frame =
        |checksum, length| join(&[&ethernet(IP4), &ip4(5, 17, 0, &udp(checksum, length, 12))]);
    assert_eq!(
        facts(&frame(1, 20)),
        Some((V4 | UDP, 14, 34, Some(42), 54, 4))
    );
    assert_eq!(
        facts(&frame(0, 20)),
        Some((V4 | UDP | NOCSUM, 14, 34, Some(42), 54, 4))
    );
    assert_eq!(
        facts(&frame(1, 10)),
        Some((V4 | UDP, 14, 34, Some(42), 44, 4))
    );
    assert_eq!(facts(&frame(1, 21)), None); // beyond the IP packet
    assert_eq!(facts(&frame(1, 7)), None); // shorter than its header
    let v6 = join(&[&ethernet(IP6), &ip6(17, &udp(9, 8, 0))]);
    assert_eq!(facts(&v6), Some((V6 | UDP, 14, 54, Some(62), 62, 5)));
}

#[test]
fn other_protocols_and_fragments_are_accepted_without_a_split() {
    for (protocol, fragment) in [
        (1, 0),
        (6, 0x2000),
        (6, 0x0001),
        (17, 0x3fff),
        (4, 0),
        (50, 0),
    ] {
        let frame = join(&[&ethernet(IP4), &ip4(5, protocol, fragment, &tcp(5, 0))]);
        assert_eq!(
            facts(&frame),
            Some((V4, 14, 34, None, 54, 3)),
            "{protocol} {fragment:#x}"
        );
    }
    let options = join(&[&ethernet(IP4), &ip4(6, 1, 0, &[8; 8])]);
    assert_eq!(facts(&options), Some((V4 | OPT, 14, 38, None, 46, 3)));
    for next in [44, 58, 59, 50, 51, 135] {
        let frame = join(&[&ethernet(IP6), &ip6(next, &tcp(5, 0))]);
        assert_eq!(facts(&frame), Some((V6, 14, 54, None, 74, 5)), "{next}");
    }
}

#[test]
fn what_is_not_ip_is_rejected() {
    for kind in [0x0806, 0x8847, 0x0026, 0x9100, 0x88cc] {
        assert_eq!(
            facts(&join(&[&ethernet(kind), &[0x45; 60]])),
            None,
            "{kind:#x}"
        );
    }
}

#[test]
fn extension_headers_are_passed_up_to_three_behind_the_hop_by_hop_options() {
    let (hop, dst, route, tcp_next) = (0, 60, 43, 6);
    let t = tcp(5, 4);
    let frame = |next, chain: &[u8]| join(&[&ethernet(IP6), &ip6(next, chain)]);
    let one = frame(hop, &extension(tcp_next, 0, 0, &t));
    assert_eq!(facts(&one), Some((V6 | OPT | TCP, 14, 62, Some(82), 86, 7)));
    let long = frame(dst, &extension(17, 3, 0, &udp(1, 8, 0)));
    assert_eq!(
        facts(&long),
        Some((V6 | OPT | UDP, 14, 86, Some(94), 94, 7))
    );
    // The longest chain that RFC 8200 recommends takes the most steps but two tags.
    let last = extension(tcp_next, 0, 0, &t);
    let chain = extension(route, 0, 0, &extension(dst, 0, 0, &last));
    let all = frame(hop, &extension(dst, 0, 0, &chain));
    assert_eq!(
        facts(&all),
        Some((V6 | OPT | TCP, 14, 86, Some(106), 110, 11))
    );
    let four = extension(
        dst,
        0,
        0,
        &extension(dst, 0, 0, &extension(dst, 0, 0, &last)),
    );
    assert_eq!(
        facts(&frame(dst, &four)),
        Some((V6 | OPT, 14, 78, None, 110, 8))
    );
    // Hop-by-hop options anywhere else are no header that may be passed.
    let late = frame(dst, &extension(hop, 0, 0, &last));
    assert_eq!(facts(&late), Some((V6 | OPT, 14, 62, None, 94, 6)));
}

#[test]
fn checksum_is_not_checked_when_a_routing_header_has_segments_left() {
    let frame = |segments| {
        let chain = extension(6, 2, segments, &tcp(5, 4));
        join(&[&ethernet(IP6), &ip6(43, &chain)])
    };
    assert_eq!(facts(&frame(0)).unwrap().0, V6 | OPT | TCP);
    assert_eq!(facts(&frame(1)).unwrap().0, V6 | OPT | TCP | NOCSUM);
    assert_eq!(facts(&frame(255)).unwrap().0, V6 | OPT | TCP | NOCSUM);
}

#[test]
fn worst_case_is_reached_by_a_real_frame_and_not_exceeded() {
    let limits = Limits::of(&Config::default());
    let program = program::tcp(&limits).unwrap();
    let route = |payload: &[u8], next| extension(next, 0, 1, payload);
    let chain = route(&route(&route(&tcp(5, 0), 6), 43), 43);
    let packet = ip6(0, &extension(43, 0, 0, &chain));
    let tags = [0, 1, 0x81, 0, 0, 2, 0x86, 0xdd];
    let frame = join(&[&ethernet(0x88a8), &tags, &packet]);
    assert_eq!(
        run(&program, &limits, &frame).unwrap().steps,
        program.worst_steps
    );
    assert_eq!(program.worst_steps, 15);
}

#[test]
fn bad_headers_are_rejected() {
    let good = join(&[&ethernet(IP4), &ip4(5, 6, 0, &tcp(5, 8))]);
    let with = |change: fn(&mut Vec<u8>)| {
        let mut frame = good.clone();
        change(&mut frame);
        facts(&frame)
    };
    assert!(with(|_| ()).is_some());
    assert_eq!(with(|f| f[14] = 0x44), None); // IHL 4
    assert_eq!(with(|f| f[14] = 0x65), None); // version 6
    assert_eq!(with(|f| f[14] = 0x4f), None); // options beyond the packet
    assert_eq!(with(|f| f[46] = 0x40), None); // data offset 4
    assert_eq!(with(|f| f[46] = 0xf0), None); // data offset beyond the end
    assert_eq!(with(|f| f[17] = 0xff), None); // total length beyond the frame
    assert_eq!(with(|f| f[17] = 39), None); // total length inside the TCP header
    assert_eq!(with(|f| f.truncate(61)), None);
    let mut v6 = join(&[&ethernet(IP6), &ip6(6, &tcp(5, 8))]);
    v6[14] = 0x40;
    assert_eq!(facts(&v6), None);
}

#[test]
fn truncated_frames_are_rejected_at_every_length() {
    let v4 = join(&[&ethernet(IP4), &ip4(6, 6, 0, &tcp(6, 3))]);
    let v6 = join(&[&ethernet(IP6), &ip6(0, &extension(6, 1, 0, &tcp(6, 3)))]);
    for frame in [v4, v6] {
        assert!(facts(&frame).is_some());
        for length in 0..frame.len() {
            assert_eq!(facts(&frame[..length]), None, "{length}");
        }
    }
}

#[test]
fn split_reaches_the_window_and_no_further() {
    let frame = |more| {
        let chain = extension(6, more, 0, &tcp(5, 30));
        join(&[&ethernet(IP6), &ip6(60, &chain)])
    };
    // The TCP header must lie in the window of 256 bytes.
    assert_eq!(facts(&frame(21)).unwrap().3, Some(250));
    assert_eq!(facts(&frame(22)), None);
}

#[test]
fn listing_compiles_to_the_same_rows() {
    let limits = Limits::of(&Config::default());
    let program = program::tcp(&limits).unwrap();
    assert_eq!(program.rows.len(), 25);
    let listing = program.listing();
    insta::assert_snapshot!(listing);
    let again = compile(&listing, program::TCP_FILE, &limits).unwrap();
    assert_eq!(again, program);
}

#[test]
fn rows_read_back_from_their_dwords() {
    let program = program::tcp(&Limits::of(&Config::default())).unwrap();
    for (row, words) in program.rows.iter().zip(program.words()) {
        assert_eq!(program::Row::decode(&words), Ok(*row));
    }
}

#[test]
fn rows_that_no_compiler_makes_are_refused() {
    let error = |dword: usize, bits: u32| {
        let mut words = program::Row::default().encode();
        words[dword] |= bits;
        program::Row::decode(&words).unwrap_err().to_string()
    };
    assert_eq!(
        error(5, 1),
        "dword 5 = 0x00000001: these bits are reserved, must be 0"
    );
    assert_eq!(
        error(0, 1 << 28),
        "dword 0 = 0x10000000: these bits are reserved, must be 0"
    );
    assert_eq!(error(1, 15 << 16), "end_sel = 15: must be 0 to 14");
    assert_eq!(
        error(4, 13),
        "extract0_dest = 13: must be a defined destination (0 to 12)"
    );
    assert_eq!(
        error(4, 0xD7 << 24),
        "extract3_sel = 13: must be so that the bytes lie inside the chunk"
    );
}

#[test]
fn program_is_refused_when_the_engine_is_too_small() {
    let config = Config {
        parser_states: 16,
        ..Config::default()
    };
    let error = program::tcp(&Limits::of(&config)).unwrap_err().to_string();
    assert!(
        error.ends_with("the program has 25 rows: parser_states allows 16"),
        "{error}"
    );
    let config = Config {
        parser_steps: 14,
        ..Config::default()
    };
    let error = program::tcp(&Limits::of(&config)).unwrap_err().to_string();
    assert!(
        error.contains("the longest way takes 15 steps, parser_steps allows 14: ethernet -> tag0"),
        "{error}"
    );
}
