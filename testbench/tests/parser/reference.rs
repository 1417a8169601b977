//! The parser as section 6 of the design contract tells it, one frame at a time.

/// Dwords of a row.
pub type Row = [u32; 16];

/// What the parser says of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub reject: bool,
    pub flags: u8,
    pub l3_off: u16,
    pub l4_off: u16,
    pub split: u16,
    pub l4_valid: bool,
    pub split_valid: bool,
    pub end: Option<u16>,
    pub vlan0: u16,
    pub vlan1: u16,
    pub src: u128,
    pub dst: u128,
    pub sport: u16,
    pub dport: u16,
    pub seq: u32,
    pub tcp_flags: u8,
}

/// Widths of the fields of PARSE (interfaces page), first field in the lowest bits.
pub const PARSE_WIDTHS: [u32; 17] = [1, 8, 8, 9, 9, 1, 1, 1, 16, 16, 16, 128, 128, 16, 16, 32, 8];

impl Parsed {
    /// A rejected frame: nothing is known.
    pub fn rejected() -> Parsed {
        Parsed {
            reject: true,
            ..Parsed::default()
        }
    }

    /// The fields in the order of [`PARSE_WIDTHS`].
    pub fn fields(&self) -> [u128; 17] {
        [
            self.reject.into(),
            self.flags.into(),
            self.l3_off.into(),
            self.l4_off.into(),
            self.split.into(),
            self.l4_valid.into(),
            self.split_valid.into(),
            self.end.is_some().into(),
            self.end.unwrap_or(0).into(),
            self.vlan0.into(),
            self.vlan1.into(),
            self.src,
            self.dst,
            self.sport.into(),
            self.dport.into(),
            self.seq.into(),
            self.tcp_flags.into(),
        ]
    }
}

/// Limits of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub states: usize,
    pub steps: usize,
    pub window: usize,
}

/// Runs the program over a frame; the result and the steps taken.
pub fn parse(program: &[Row], limits: Limits, frame: &[u8]) -> (Parsed, usize) {
    let seen = frame.len().min(limits.window);
    let byte_at = |i: usize| if i < seen { frame[i] } else { 0 };
    let mut p = Parsed::default();
    let mut l3: Option<usize> = None;
    let (mut cursor, mut at) = (0usize, 0usize);
    for step in 1..=limits.steps {
        let row = &program[at];
        let bits = |dword: usize, lsb: u32, width: u32| {
            (row[dword] >> lsb & ((1u64 << width) - 1) as u32) as usize
        };
        let rejected = (Parsed::rejected(), step);
        if cursor + bits(0, 8, 8) > seen {
            return rejected;
        }
        let mut chunk = [0u8; 24];
        for (i, byte) in chunk.iter_mut().take(16).enumerate() {
            *byte = byte_at(cursor + bits(0, 0, 8) + i);
        }
        let key = (0..4).fold(0u32, |key, i| {
            key << 8 | u32::from(chunk[bits(1, 4 * i, 4)])
        });
        let arm = (0..4).find(|i| key & row[7 + 2 * i] == row[6 + 2 * i]);
        for i in 0..4 {
            extract(&mut p, bits(4, 8 * i, 4), &chunk[bits(4, 8 * i + 4, 4)..]);
        }
        let mut advance = bits(2, 0, 8);
        if bits(2, 12, 1) == 1 {
            let byte = usize::from(chunk[bits(2, 8, 4)]);
            advance += (byte >> bits(2, 13, 3) & bits(2, 16, 8)) << bits(2, 24, 3);
        }
        if advance < bits(3, 0, 8) || cursor + advance > 511 {
            return rejected;
        }
        if bits(0, 27, 1) == 1 {
            let sel = bits(1, 16, 4);
            let end = cursor
                + bits(1, 20, 8)
                + usize::from(u16::from_be_bytes([chunk[sel], chunk[sel + 1]]));
            if end > 65535 || p.end.is_some_and(|earlier| end > usize::from(earlier)) {
                return rejected;
            }
            p.end = Some(end as u16);
        }
        if bits(0, 24, 1) == 1 {
            l3 = Some(cursor);
        }
        cursor += advance;
        if bits(0, 25, 1) == 1 {
            p.l4_off = cursor as u16;
            p.l4_valid = true;
        }
        if bits(0, 26, 1) == 1 {
            p.split = cursor as u16;
            p.split_valid = true;
        }
        p.flags |= bits(0, 16, 8) as u8 | arm.map_or(0, |i| bits(15, 8 * i as u32, 8) as u8);
        match arm.map_or(bits(3, 8, 8), |i| bits(14, 8 * i as u32, 8)) {
            0xFE => return (judge(p, l3), step),
            next if next < limits.states => at = next,
            _ => return rejected,
        }
    }
    (Parsed::rejected(), limits.steps)
}

fn extract(p: &mut Parsed, dest: usize, bytes: &[u8]) {
    // The chunk is followed by zeros, so that eight bytes are always there.
    let number = |n: usize| {
        bytes
            .iter()
            .copied()
            .chain([0; 8])
            .take(n)
            .fold(0u128, |v, b| v << 8 | u128::from(b))
    };
    let low = (1u128 << 64) - 1;
    match dest {
        1 => p.vlan0 = number(2) as u16,
        2 => p.vlan1 = number(2) as u16,
        3 => p.src = number(8) << 64 | p.src & low,
        4 => p.src = p.src & !low | number(8),
        5 => p.dst = number(8) << 64 | p.dst & low,
        6 => p.dst = p.dst & !low | number(8),
        7 => p.src = p.src & !low | number(4),
        8 => p.dst = p.dst & !low | number(4),
        9 => p.sport = number(2) as u16,
        10 => p.dport = number(2) as u16,
        11 => p.seq = number(4) as u32,
        12 => p.tcp_flags = number(1) as u8,
        _ => {}
    }
}

/// The rules for the end of a parse that do not need the frame's length.
fn judge(mut p: Parsed, l3: Option<usize>) -> Parsed {
    p.l3_off = l3.unwrap_or(0) as u16;
    let flag = |bit: u8| p.flags >> bit & 1 == 1;
    let (v4, v6, tcp, udp) = (flag(0), flag(1), flag(2), flag(3));
    let l4_needs =
        p.l4_valid && (v4 || v6) && p.split_valid && p.l3_off % 2 == 0 && p.l4_off % 2 == 0;
    let tags = u16::from(flag(6)) + u16::from(flag(7));
    let strip = if tags > 0 { 12 + 4 * tags } else { 0 };
    let inside = l3.is_some_and(|x| x < usize::from(strip))
        || p.l4_valid && p.l4_off < strip
        || p.split_valid && p.split < strip;
    let wrong = v4 && v6
        || tcp && udp
        || (tcp || udp) && !l4_needs
        || v4 && (l3.is_none() || !p.l4_valid)
        || p.l3_off > 255
        || inside;
    if wrong {
        Parsed::rejected()
    } else {
        p
    }
}
