//! The programmable parser (design section 6): runs a frame through the program and says what it found.

use crate::program::{Arm, Row, ACCEPT, ROW_DWORDS};

/// Flag bits that a program sets.
pub mod flag {
    #![allow(missing_docs, reason = "the names are those of the design page")]
    pub const V4: u8 = 1 << 0;
    pub const V6: u8 = 1 << 1;
    pub const TCP: u8 = 1 << 2;
    pub const UDP: u8 = 1 << 3;
    pub const OPT: u8 = 1 << 4;
    pub const NOCSUM: u8 = 1 << 5;
    pub const VLAN0: u8 = 1 << 6;
    pub const VLAN1: u8 = 1 << 7;
}

/// The cursor is 9 bits wide; beyond that the frame is rejected.
const MAX_CURSOR: usize = 511;
/// `l3_off` has 8 bits in a completion.
const MAX_L3_OFF: usize = 255;
/// VLAN tags follow the two MAC addresses.
pub const TAGS_AT: usize = 12;

/// What the parser says of a frame. Offsets count from the frame's first byte, tags included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the design page")]
pub struct Parsed {
    /// False: the frame is *other*, and every field below is 0 or none but `end`, the frame's length.
    pub accepted: bool,
    pub flags: u8,
    pub l3_off: Option<usize>,
    pub l4_off: Option<usize>,
    pub split: Option<usize>,
    pub end: usize,
    pub vlan0: u16,
    pub vlan1: u16,
    pub src: u128,
    pub dst: u128,
    pub sport: u16,
    pub dport: u16,
    pub seq: u32,
    pub tcp_flags: u8,
}

impl Parsed {
    /// True if every one of the flag bits is set.
    pub fn has(&self, bits: u8) -> bool {
        self.flags & bits == bits
    }

    /// How many VLAN tags the parser found.
    pub fn vlan_count(&self) -> usize {
        usize::from(self.has(flag::VLAN0)) + usize::from(self.has(flag::VLAN1))
    }

    /// What holds at the end of a program for a frame that is kept as accepted.
    fn is_consistent(&self, frame_len: usize) -> bool {
        let l4 = self.has(flag::TCP) || self.has(flag::UDP);
        let odd = |offset: Option<usize>| offset.unwrap_or(0) % 2 == 1;
        let both = |pair: u8| self.has(pair);
        let beyond = |offset: Option<usize>, limit: usize| offset.is_some_and(|o| o > limit);
        // Tags that strip_vlan would take must lie in front of whatever was marked.
        let tags_end = TAGS_AT + 4 * self.vlan_count();
        let inside_tags =
            |offset: Option<usize>| self.vlan_count() > 0 && offset.is_some_and(|o| o < tags_end);

        let bad = self.end > frame_len
            || beyond(self.split, self.end)
            || beyond(self.l4_off, self.end)
            || both(flag::V4 | flag::V6)
            || both(flag::TCP | flag::UDP)
            || l4 && (self.l4_off.is_none() || self.split.is_none())
            || l4 && !self.has(flag::V4) && !self.has(flag::V6)
            || l4 && (odd(self.l3_off) || odd(self.l4_off))
            || self.has(flag::V4) && (self.l3_off.is_none() || self.l4_off.is_none())
            || beyond(self.l3_off, MAX_L3_OFF)
            || [self.l3_off, self.l4_off, self.split, Some(frame_len)]
                .into_iter()
                .any(inside_tags);
        !bad
    }

    fn extract(&mut self, dest: u8, bytes: &[u8]) {
        let number = |len: usize| {
            bytes[..len]
                .iter()
                .fold(0u64, |n, &b| n << 8 | u64::from(b))
        };
        let high = |old: u128| u128::from(number(8)) << 64 | old & u128::from(u64::MAX);
        let low = |old: u128, new: u64| old >> 64 << 64 | u128::from(new);
        match dest {
            1 => self.vlan0 = number(2) as u16,
            2 => self.vlan1 = number(2) as u16,
            3 => self.src = high(self.src),
            4 => self.src = low(self.src, number(8)),
            5 => self.dst = high(self.dst),
            6 => self.dst = low(self.dst, number(8)),
            7 => self.src = low(self.src, number(4)),
            8 => self.dst = low(self.dst, number(4)),
            9 => self.sport = number(2) as u16,
            10 => self.dport = number(2) as u16,
            11 => self.seq = number(4) as u32,
            12 => self.tcp_flags = bytes[0],
            _ => {}
        }
    }
}

/// The parser with its program memory.
#[derive(Clone, Debug)]
pub struct Parser {
    dwords: Vec<[u32; ROW_DWORDS]>,
    rows: Vec<Row>,
    steps: usize,
    window: usize,
}

impl Parser {
    /// A parser of `states` rows, at most `steps` steps a frame, that sees the first `window` bytes of it. Every row is 0.
    pub fn new(states: usize, steps: usize, window: usize) -> Self {
        let empty = [0; ROW_DWORDS];
        Self {
            dwords: vec![empty; states],
            rows: vec![Row::decode(&empty); states],
            steps,
            window,
        }
    }

    /// Writes one dword of the program memory. False if there is no such row or dword.
    pub fn load(&mut self, row: usize, dword: usize, value: u32) -> bool {
        let Some(cell) = self.dwords.get_mut(row).and_then(|r| r.get_mut(dword)) else {
            return false;
        };
        *cell = value;
        self.rows[row] = Row::decode(&self.dwords[row]);
        true
    }

    /// Runs `frame` through the program.
    pub fn parse(&self, frame: &[u8]) -> Parsed {
        match self.run(frame) {
            Some(parsed) if parsed.is_consistent(frame.len()) => parsed,
            _ => Self::rejected(frame.len()),
        }
    }

    /// What is known of a rejected frame of `frame_len` bytes: nothing but its length.
    pub fn rejected(frame_len: usize) -> Parsed {
        Parsed {
            end: frame_len,
            ..Parsed::default()
        }
    }

    fn run(&self, frame: &[u8]) -> Option<Parsed> {
        let visible = &frame[..frame.len().min(self.window)];
        let mut parsed = Parsed {
            accepted: true,
            end: frame.len(),
            ..Parsed::default()
        };
        let mut end_set = false;
        let mut cursor = 0;
        let mut row = self.rows.first()?;
        for _ in 0..self.steps {
            if cursor + usize::from(row.need) > visible.len() {
                return None;
            }
            let chunk = chunk(visible, cursor + usize::from(row.off));
            let arm = matching_arm(row, &chunk);
            for extract in row.extracts {
                parsed.extract(extract.dest, &chunk[usize::from(extract.byte)..]);
            }
            let advance = advance(row, &chunk);
            let next_cursor = cursor + advance;
            if advance < usize::from(row.adv_min) || next_cursor > MAX_CURSOR {
                return None;
            }
            if row.end_en {
                let at = usize::from(row.end_sel);
                let length = usize::from(u16::from_be_bytes([chunk[at], chunk[at + 1]]));
                let end = cursor + usize::from(row.end_add) + length;
                if end > 65535 || end_set && end > parsed.end {
                    return None;
                }
                parsed.end = end;
                end_set = true;
            }
            if row.mark_l3 {
                parsed.l3_off = Some(cursor);
            }
            if row.mark_l4 {
                parsed.l4_off = Some(next_cursor);
            }
            if row.mark_split {
                parsed.split = Some(next_cursor);
            }
            parsed.flags |= row.set | arm.map_or(0, |a| a.set);
            cursor = next_cursor;
            let next = arm.map_or(row.next, |a| a.next);
            if next == ACCEPT {
                return Some(parsed);
            }
            row = self.rows.get(usize::from(next))?;
        }
        None
    }
}

/// The 16 bytes at `at`, and as many zeros behind them as a misplaced extract may reach.
#[inline]
fn chunk(visible: &[u8], at: usize) -> [u8; 24] {
    let mut chunk = [0; 24];
    if let Some(bytes) = visible.get(at..at + 16) {
        chunk[..16].copy_from_slice(bytes);
    } else if let Some(bytes) = visible.get(at..) {
        chunk[..bytes.len()].copy_from_slice(bytes);
    }
    chunk
}

#[inline]
fn matching_arm<'a>(row: &'a Row, chunk: &[u8; 24]) -> Option<&'a Arm> {
    let key = u32::from_be_bytes(row.key_sel.map(|byte| chunk[usize::from(byte)]));
    row.arms.iter().find(|arm| key & arm.mask == arm.value)
}

#[inline]
fn advance(row: &Row, chunk: &[u8; 24]) -> usize {
    let field = usize::from(chunk[usize::from(row.adv_sel)] >> row.adv_rshift & row.adv_mask);
    usize::from(row.adv_add)
        + if row.adv_en {
            field << row.adv_lshift
        } else {
            0
        }
}
