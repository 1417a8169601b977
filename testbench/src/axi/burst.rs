//! The arithmetic of bursts (AMBA AXI, IHI 0022, chapter A3.4).

/// How the address moves from beat to beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstKind {
    /// It stays.
    Fixed,
    /// It grows.
    Incr,
    /// It grows and wraps at the burst's size.
    Wrap,
    /// Encoding 3, which is not allowed.
    Reserved,
}

/// A response (IHI 0022, A3.4.4), of two bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resp {
    /// Done.
    #[default]
    Okay,
    /// Exclusive access done.
    ExOkay,
    /// The subordinate failed.
    SlvErr,
    /// Nobody has this address.
    DecErr,
}

impl Resp {
    /// From its two bits.
    pub fn from_bits(bits: u64) -> Resp {
        match bits & 3 {
            0 => Resp::Okay,
            1 => Resp::ExOkay,
            2 => Resp::SlvErr,
            _ => Resp::DecErr,
        }
    }

    /// Its two bits.
    pub fn bits(self) -> u64 {
        self as u64
    }
}

/// One read or write address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Transaction ID.
    pub id: u64,
    /// Address of the first byte.
    pub addr: u64,
    /// Transfers, 1 to 256.
    pub beats: u32,
    /// Log2 of the bytes of a transfer.
    pub log2_size: u32,
    /// How the address moves.
    pub kind: BurstKind,
}

impl Burst {
    /// Bytes of a transfer.
    pub fn size(&self) -> u64 {
        1 << self.log2_size
    }

    /// Address of transfer `beat`, from 0.
    #[inline]
    pub fn beat_addr(&self, beat: u32) -> u64 {
        let size = self.size();
        let step = u64::from(beat) * size;
        match self.kind {
            BurstKind::Fixed | BurstKind::Reserved => self.addr,
            _ if beat == 0 => self.addr,
            BurstKind::Incr => (self.addr & !(size - 1)).wrapping_add(step),
            BurstKind::Wrap => {
                let span = size * u64::from(self.beats);
                let base = self.addr - self.addr % span;
                base + (self.addr - base + step) % span
            }
        }
    }

    /// Byte lanes of transfer `beat` on a bus of `bus` bytes, a bit each.
    #[inline]
    pub fn lanes(&self, beat: u32, bus: u64) -> u128 {
        let addr = self.beat_addr(beat);
        let size = self.size().min(bus);
        let first = addr & (bus - 1);
        let end = (addr & !(size - 1) & (bus - 1)) + size;
        ones(end) & !ones(first)
    }

    /// True if the burst touches two 4 KiB pages.
    pub fn crosses_4k(&self) -> bool {
        let last = (self.addr & !(self.size() - 1)) + u64::from(self.beats) * self.size() - 1;
        self.kind == BurstKind::Incr && self.addr >> 12 != last >> 12
    }
}

/// `count` ones, at most 128.
#[inline]
pub(super) fn ones(count: u64) -> u128 {
    match count {
        0 => 0,
        _ => u128::MAX >> (128 - count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(addr: u64, beats: u32, log2_size: u32, kind: BurstKind) -> Burst {
        Burst {
            id: 0,
            addr,
            beats,
            log2_size,
            kind,
        }
    }

    #[test]
    fn addresses_are_as_the_specification_has_them() {
        let incr = burst(0x1003, 4, 2, BurstKind::Incr);
        assert_eq!(
            [0, 1, 2, 3].map(|n| incr.beat_addr(n)),
            [0x1003, 0x1004, 0x1008, 0x100c]
        );
        assert_eq!([0, 1, 2].map(|n| incr.lanes(n, 8)), [0x08, 0xf0, 0x0f]);
        let wrap = burst(0x34, 4, 2, BurstKind::Wrap);
        assert_eq!(
            [0, 1, 2, 3].map(|n| wrap.beat_addr(n)),
            [0x34, 0x38, 0x3c, 0x30]
        );
        let fixed = burst(0x1002, 3, 1, BurstKind::Fixed);
        assert_eq!([0, 1, 2].map(|n| fixed.beat_addr(n)), [0x1002; 3]);
        assert_eq!(fixed.lanes(2, 4), 0b1100);
        assert_eq!(burst(0, 1, 7, BurstKind::Incr).lanes(0, 128), u128::MAX);
    }

    #[test]
    fn page_crossing_is_seen_when_the_last_byte_is_beyond() {
        assert!(!burst(0xfc0, 1, 6, BurstKind::Incr).crosses_4k());
        assert!(burst(0xfc0, 2, 6, BurstKind::Incr).crosses_4k());
        assert!(burst(0xfff, 2, 0, BurstKind::Incr).crosses_4k());
        assert!(
            !burst(0xfc1, 1, 6, BurstKind::Incr).crosses_4k(),
            "unaligned start, same beat"
        );
        assert!(!burst(0xfc0, 2, 6, BurstKind::Wrap).crosses_4k());
    }
}
