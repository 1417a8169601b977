//! Frames and what a parser might say of them.

use super::reference::*;
use pagetrain_testbench::Rng;

/// A TCP or UDP packet as a network brings it, checksums right, or wrong by one bit.
pub fn packet(rng: &mut Rng, largest: u64) -> (Parse, Vec<u8>) {
    let mut parse = Parse::default();
    let mut f = rng.bytes(12);
    for (flag, at) in [(VLAN0, 0), (VLAN1, 1)] {
        if rng.chance(0.3) && f.len() == 12 + 4 * at {
            f.extend([0x81, 0]);
            f.extend(rng.bytes(2));
            parse.flags |= flag;
        }
    }
    f.extend([0, 0]);
    parse.l3_off = f.len() as u16;
    let tcp = rng.chance(0.7);
    parse.flags |= if tcp { TCP } else { UDP };
    let header = if tcp { 4 * rng.range(5..=15) } else { 8 } as usize;
    let payload = rng.below(largest) as usize;
    let mut segment = rng.bytes(header + payload);
    let field = if tcp { 16 } else { 6 };
    let mut l3 = if rng.chance(0.5) {
        parse.flags |= V4;
        let words = rng.range(5..=15) as usize;
        let mut h = rng.bytes(4 * words);
        h[10..12].fill(0);
        let sum = !ones_sum(&h);
        h[10..12].copy_from_slice(&sum.to_be_bytes());
        parse.src = u128::from(u32::from_be_bytes([h[12], h[13], h[14], h[15]]));
        parse.dst = u128::from(u32::from_be_bytes([h[16], h[17], h[18], h[19]]));
        h
    } else {
        parse.flags |= V6;
        let extensions = rng.below(4) as usize;
        let h = rng.bytes(40 + 8 * extensions);
        let address = |at: usize| {
            h[at..at + 16]
                .iter()
                .fold(0, |v, b| v << 8 | u128::from(*b))
        };
        (parse.src, parse.dst) = (address(8), address(24));
        h
    };
    segment[field..field + 2].fill(0);
    let sum = !ones_sum(&with_pseudo_header(&parse, &segment));
    segment[field..field + 2].copy_from_slice(&sum.to_be_bytes());
    if rng.chance(0.2) {
        flip(rng, &mut l3);
    }
    if rng.chance(0.2) {
        flip(rng, &mut segment);
    }
    if rng.chance(0.1) {
        parse.flags |= NOCSUM;
    }
    f.extend(l3);
    (parse.l4_off, parse.l4_valid) = (f.len() as u16, true);
    (parse.split, parse.split_valid) = ((f.len() + header) as u16, true);
    f.extend(segment);
    if rng.chance(0.9) {
        parse.end = Some(f.len() as u16);
        let padding = if rng.chance(0.4) { rng.below(70) } else { 0 };
        f.extend(rng.bytes(padding as usize));
    }
    // A frame cut short, so that its end lies beyond.
    if rng.chance(0.05) {
        f.truncate(rng.range(1..=f.len() as u64) as usize);
    }
    parse.rest = rest(rng);
    (parse, f)
}

fn flip(rng: &mut Rng, bytes: &mut [u8]) {
    let at = rng.below(bytes.len() as u64) as usize;
    bytes[at] ^= 1 << rng.below(8);
}

fn rest(rng: &mut Rng) -> [u128; 6] {
    [16, 16, 16, 16, 32, 8].map(|bits| u128::from(rng.bits() >> (64 - bits)))
}

/// Any frame with anything that a parser may say of it: offsets anywhere, `end` and `split` in any order.
pub fn anything(rng: &mut Rng, largest: u64) -> (Parse, Vec<u8>) {
    let len = if rng.chance(0.3) {
        rng.range(1..=20)
    } else {
        rng.range(1..=largest)
    };
    // Few distinct bytes, many of them 0 or 255: sums of all ones happen.
    let byte = |rng: &mut Rng| *rng.pick(&[0, 0, 0, 255, 255, 1, 254, 128]);
    let mut frame: Vec<u8> = (0..len).map(|_| byte(rng)).collect();
    if rng.chance(0.1) {
        let parse = Parse {
            reject: true,
            ..Parse::default()
        };
        return (parse, frame);
    }
    let near = |rng: &mut Rng, most: u64| rng.below((len + 4).min(most + 1)) as u16;
    let mut parse = Parse {
        l3_off: near(rng, 255),
        l4_off: near(rng, 511),
        split: near(rng, 511),
        l4_valid: rng.chance(0.8),
        split_valid: rng.chance(0.8),
        end: rng.chance(0.7).then(|| near(rng, 65535)),
        src: u128::from(rng.bits()) << 64 | u128::from(rng.bits()),
        dst: u128::from(rng.bits()) << 64 | u128::from(rng.bits()),
        rest: rest(rng),
        ..Parse::default()
    };
    parse.flags = *rng.pick(&[0, V4, V6, V4 | TCP, V6 | TCP, V4 | UDP, V6 | UDP]);
    parse.flags |= rng.bits() as u8 & (16 | NOCSUM | VLAN0 | VLAN1) & rng.bits() as u8;
    // The parser rejects what contradicts itself (section 6).
    if parse.flags & (V4 | TCP | UDP) != 0 {
        parse.l4_valid = true;
    }
    if parse.flags & (TCP | UDP) != 0 {
        parse.split_valid = true;
        parse.l3_off &= !1;
        parse.l4_off &= !1;
    }
    if !parse.l4_valid {
        parse.l4_off = 0;
    }
    if !parse.split_valid {
        parse.split = 0;
    }
    make_good(rng, &parse, &mut frame);
    (parse, frame)
}

/// Sets two bytes of the IPv4 header's range, often, so that its sum is all ones.
fn make_good(rng: &mut Rng, parse: &Parse, frame: &mut [u8]) {
    let (from, to) = (
        usize::from(parse.l3_off),
        usize::from(parse.l4_off).min(frame.len()),
    );
    if from + 2 <= to && rng.chance(0.5) {
        frame[from..from + 2].fill(0);
        let sum = !ones_sum(&frame[from..to]);
        frame[from..from + 2].copy_from_slice(&sum.to_be_bytes());
    }
}
