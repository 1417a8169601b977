//! Programs and frames to throw at the parser.

use super::reference::Row;
use pagetrain_testbench::Rng;

/// A program of random rows, half legal and half hostile, that random frames of small numbers get through in part.
pub fn random_program(rng: &mut Rng, states: usize) -> Vec<Row> {
    // Few rows are in use, so that frames meet them again; a chain of single steps is as likely as a loop.
    let used = rng.range(1..=states as u64) as usize;
    (0..states).map(|row| random_row(rng, row, used)).collect()
}

fn next(rng: &mut Rng, row: usize, used: usize) -> u32 {
    match rng.below(12) {
        0..=4 => rng.below(used as u64) as u32,
        5..=6 => ((row + 1) % used) as u32,
        7..=9 => 0xFE,
        10 => 0xFF,
        _ => rng.below(256) as u32,
    }
}

fn random_row(rng: &mut Rng, row: usize, used: usize) -> Row {
    let mut d: Row = std::array::from_fn(|_| 0);
    // Wild rows have random bits everywhere.
    if rng.chance(0.05) {
        return std::array::from_fn(|_| rng.bits() as u32);
    }
    let mut put = |dword: usize, lsb: u32, value: u64| d[dword] |= (value as u32) << lsb;
    let rare = |rng: &mut Rng, p: f64| u64::from(rng.chance(p));
    put(0, 0, if rng.chance(0.5) { 0 } else { rng.below(60) });
    put(0, 8, if rng.chance(0.7) { rng.below(24) } else { 0 });
    let flag = if rng.chance(0.3) {
        1 << rng.below(8)
    } else {
        0
    };
    put(0, 16, flag);
    put(0, 24, rare(rng, 0.3));
    put(0, 25, rare(rng, 0.3));
    put(0, 26, rare(rng, 0.3));
    put(0, 27, rare(rng, 0.2));
    put(1, 0, rng.below(1 << 16));
    put(1, 16, rng.below(16));
    put(1, 20, rng.below(256));
    put(
        2,
        0,
        if rng.chance(0.9) {
            2 * rng.below(12)
        } else {
            rng.below(256)
        },
    );
    put(2, 8, rng.below(16));
    put(2, 12, rare(rng, 0.4));
    put(2, 13, rng.below(8));
    put(
        2,
        16,
        if rng.chance(0.9) {
            rng.below(16)
        } else {
            rng.below(256)
        },
    );
    put(
        2,
        24,
        if rng.chance(0.9) {
            rng.below(3)
        } else {
            rng.below(8)
        },
    );
    put(3, 0, if rng.chance(0.8) { 0 } else { rng.below(16) });
    put(3, 8, next(rng, row, used).into());
    for i in 0..4 {
        put(4, 8 * i, rng.below(16) | rng.below(16) << 4);
        let mask = (rng.bits() & rng.bits() & rng.bits() & 0x0303_0303) as u32;
        let value = rng.bits() as u32 & mask;
        put(7 + 2 * i as usize, 0, mask.into());
        put(6 + 2 * i as usize, 0, value.into());
        put(14, 8 * i, next(rng, row, used).into());
        put(
            15,
            8 * i,
            if rng.chance(0.2) {
                1 << rng.below(8)
            } else {
                0
            },
        );
    }
    d
}

/// A frame length: short ones, those around beats and the window, and some long.
pub fn random_length(rng: &mut Rng, window: usize) -> usize {
    let window = window as u64;
    (match rng.below(10) {
        0..=1 => rng.range(1..=20),
        2..=5 => rng.range(1..=130),
        6..=7 => rng.range(window - 40..=window + 40),
        8 => 8 * rng.range(1..=40),
        _ => rng.range(1..=900),
    }) as usize
}

/// Bytes from a small alphabet, so that keys match, with some of all values.
pub fn random_bytes(rng: &mut Rng, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            if rng.chance(0.9) {
                rng.below(4) as u8
            } else {
                rng.below(256) as u8
            }
        })
        .collect()
}

/// A frame as the shipped program likes it, mostly.
pub fn tcpip_frame(rng: &mut Rng) -> Vec<u8> {
    let mut f = rng.bytes(12);
    for _ in 0..rng.below(4) {
        f.extend(if rng.chance(0.5) {
            [0x81, 0x00]
        } else {
            [0x88, 0xa8]
        });
        f.extend(rng.bytes(2));
    }
    let protocol = *rng.pick(&[6, 6, 6, 17, 17, 1, 44]);
    let l4 = segment(rng, protocol);
    if rng.chance(0.5) {
        ipv4(rng, &mut f, protocol, &l4);
    } else {
        ipv6(rng, &mut f, protocol, &l4);
    }
    if f.len() < 60 || rng.chance(0.1) {
        let padding = 60usize.saturating_sub(f.len()) + rng.below(8) as usize;
        f.extend(rng.bytes(padding));
    }
    // Now and then a byte is wrong or the end is missing.
    if rng.chance(0.1) {
        let at = rng.below(f.len().min(60) as u64) as usize;
        f[at] = rng.bits() as u8;
    }
    if rng.chance(0.1) {
        f.truncate(rng.range(1..=f.len() as u64) as usize);
    }
    f
}

fn segment(rng: &mut Rng, protocol: u8) -> Vec<u8> {
    let payload = rng.below(300) as usize;
    let mut s = rng.bytes(if protocol == 6 { 20 } else { 8 });
    if protocol == 6 {
        let words = rng.range(5..=15) as usize;
        s[12] = (words << 4) as u8;
        s.extend(rng.bytes(4 * (words - 5)));
    } else if protocol == 17 {
        s[4..6].copy_from_slice(&((8 + payload) as u16).to_be_bytes());
        if rng.chance(0.3) {
            s[6..8].fill(0);
        }
    }
    s.extend(rng.bytes(payload));
    s
}

fn ipv4(rng: &mut Rng, f: &mut Vec<u8>, protocol: u8, l4: &[u8]) {
    let words = if rng.chance(0.7) {
        5
    } else {
        rng.range(5..=15) as usize
    };
    f.extend([0x08, 0x00]);
    let mut h = rng.bytes(4 * words);
    h[0] = 0x40 | words as u8;
    h[2..4].copy_from_slice(&((4 * words + l4.len()) as u16).to_be_bytes());
    h[6] = if rng.chance(0.9) { 0x40 } else { 0x20 };
    h[7] = 0;
    h[9] = protocol;
    f.extend(h);
    f.extend(l4);
}

fn ipv6(rng: &mut Rng, f: &mut Vec<u8>, protocol: u8, l4: &[u8]) {
    f.extend([0x86, 0xdd]);
    let mut extensions: Vec<(u8, Vec<u8>)> = vec![];
    if rng.chance(0.2) {
        extensions.push((0, vec![]));
    }
    for _ in 0..rng.below(3) {
        if rng.chance(0.5) {
            extensions.push((*rng.pick(&[43, 60]), vec![]));
        }
    }
    for (_, bytes) in &mut extensions {
        let units = rng.below(3) as usize;
        *bytes = rng.bytes(8 + 8 * units);
        bytes[1] = units as u8;
        bytes[3] = rng.below(3) as u8 / 2;
    }
    let mut kinds: Vec<u8> = extensions.iter().map(|e| e.0).collect();
    kinds.push(protocol);
    let behind: Vec<u8> = extensions
        .into_iter()
        .zip(&kinds[1..])
        .flat_map(|((_, mut bytes), next)| {
            bytes[0] = *next;
            bytes
        })
        .chain(l4.iter().copied())
        .collect();
    let mut h = rng.bytes(40);
    h[0] = 0x60;
    h[4..6].copy_from_slice(&(behind.len() as u16).to_be_bytes());
    h[6] = kinds[0];
    f.extend(h);
    f.extend(behind);
}
