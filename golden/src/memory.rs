//! Host memory as the engine's bus master sees it: bytes at 64-bit addresses.
//!
//! Regions that the host allocates (rings, buffers) are flat vectors; anything else falls back to 4 KiB blocks made when
//! they are first written. Memory that was never written reads as 0.

use std::collections::HashMap;

const BLOCK: u64 = 4096;

/// Memory as a driver sees it: the model's, or the one behind simulated hardware. Addresses wrap at 2^64.
pub trait Memory {
    /// Copies the bytes at `addr` into `out`.
    fn read(&self, addr: u64, out: &mut [u8]);

    /// Stores bytes of the host's.
    fn poke(&mut self, addr: u64, bytes: &[u8]);
}

impl Memory for HostMemory {
    fn read(&self, addr: u64, out: &mut [u8]) {
        HostMemory::read(self, addr, out);
    }

    fn poke(&mut self, addr: u64, bytes: &[u8]) {
        HostMemory::poke(self, addr, bytes);
    }
}

#[derive(Clone, Debug)]
struct Region {
    base: u64,
    bytes: Vec<u8>,
}

/// One recorded write: where, and how many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// Address of the first byte.
    pub addr: u64,
    /// Bytes.
    pub len: usize,
}

/// Sparse host memory.
#[derive(Clone, Debug, Default)]
pub struct HostMemory {
    /// Sorted by base, without overlap.
    regions: Vec<Region>,
    sparse: HashMap<u64, Box<[u8; BLOCK as usize]>>,
    log: Option<Vec<Write>>,
}

impl HostMemory {
    /// Memory without any region.
    pub fn new() -> Self {
        Self::default()
    }

    /// Backs `len` bytes from `base` with a flat vector of zeros. What was written there before stays as it was, by
    /// refusing: returns false, and changes nothing, if the range is empty, wraps, or meets another region or written
    /// sparse block.
    pub fn add_region(&mut self, base: u64, len: usize) -> bool {
        let Some(end) = base.checked_add(len as u64) else {
            return false;
        };
        let at = self.regions.partition_point(|r| r.base < base);
        let before = at.checked_sub(1).map(|i| &self.regions[i]);
        let clash = len == 0
            || before.is_some_and(|r| r.base + r.bytes.len() as u64 > base)
            || self.regions.get(at).is_some_and(|r| r.base < end)
            || self
                .sparse
                .keys()
                .any(|&block| block < end && block + (BLOCK - 1) >= base);
        if !clash {
            self.regions.insert(
                at,
                Region {
                    base,
                    bytes: vec![0; len],
                },
            );
        }
        !clash
    }

    /// Begins to record every write (not those of the host by [`HostMemory::poke`]).
    pub fn start_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// The writes recorded since the last call; empty if recording was never begun.
    pub fn take_log(&mut self) -> Vec<Write> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The bytes at `addr` as a slice, if they lie in one region.
    #[inline]
    pub fn slice(&self, addr: u64, len: usize) -> Option<&[u8]> {
        let (region, offset) = self.find(addr, len)?;
        Some(&self.regions[region].bytes[offset..offset + len])
    }

    /// Copies the bytes at `addr` into `out`. Addresses wrap at 2^64.
    #[inline]
    pub fn read(&self, addr: u64, out: &mut [u8]) {
        if let Some(bytes) = self.slice(addr, out.len()) {
            out.copy_from_slice(bytes);
        } else {
            for (i, byte) in out.iter_mut().enumerate() {
                *byte = self.byte(addr.wrapping_add(i as u64));
            }
        }
    }

    /// A write of the engine: stored, and recorded if the log is on.
    #[inline]
    pub fn write(&mut self, addr: u64, bytes: &[u8]) {
        if let Some(log) = &mut self.log {
            log.push(Write {
                addr,
                len: bytes.len(),
            });
        }
        self.poke(addr, bytes);
    }

    /// A write of the host: stored, never recorded. Addresses wrap at 2^64.
    #[inline]
    pub fn poke(&mut self, addr: u64, bytes: &[u8]) {
        if let Some((region, offset)) = self.find(addr, bytes.len()) {
            self.regions[region].bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
            return;
        }
        for (i, &byte) in bytes.iter().enumerate() {
            let addr = addr.wrapping_add(i as u64);
            if let Some((region, offset)) = self.find(addr, 1) {
                self.regions[region].bytes[offset] = byte;
            } else {
                let block = self
                    .sparse
                    .entry(addr & !(BLOCK - 1))
                    .or_insert_with(|| Box::new([0; BLOCK as usize]));
                block[(addr % BLOCK) as usize] = byte;
            }
        }
    }

    /// Little-endian dwords from `addr` on.
    #[inline]
    pub fn read_dwords<const N: usize>(&self, addr: u64) -> [u32; N] {
        let mut dwords = [0; N];
        for (i, dword) in dwords.iter_mut().enumerate() {
            let mut bytes = [0; 4];
            self.read(addr.wrapping_add(4 * i as u64), &mut bytes);
            *dword = u32::from_le_bytes(bytes);
        }
        dwords
    }

    fn find(&self, addr: u64, len: usize) -> Option<(usize, usize)> {
        let index = self
            .regions
            .partition_point(|r| r.base <= addr)
            .checked_sub(1)?;
        let region = &self.regions[index];
        let offset = usize::try_from(addr - region.base).ok()?;
        (offset < region.bytes.len() && len <= region.bytes.len() - offset)
            .then_some((index, offset))
    }

    fn byte(&self, addr: u64) -> u8 {
        match self.find(addr, 1) {
            Some((region, offset)) => self.regions[region].bytes[offset],
            None => self
                .sparse
                .get(&(addr & !(BLOCK - 1)))
                .map_or(0, |block| block[(addr % BLOCK) as usize]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_when_a_write_crosses_into_and_out_of_a_region() {
        let mut memory = HostMemory::new();
        assert!(memory.add_region(0x1000, 0x20));
        let data: Vec<u8> = (1..=64).collect();
        memory.write(0x0FF0, &data);
        let mut back = [0; 64];
        memory.read(0x0FF0, &mut back);
        assert_eq!(back[..], data[..]);
        assert_eq!(memory.slice(0x1000, 0x20), Some(&data[0x10..0x30]));
        assert_eq!(memory.slice(0x1001, 0x20), None);
    }

    #[test]
    fn memory_reads_as_zero_when_never_written() {
        let memory = HostMemory::new();
        assert_eq!(memory.read_dwords::<4>(0xFFFF_FFFF_FFFF_FFF8), [0; 4]);
    }

    #[test]
    fn region_is_refused_when_it_overlaps() {
        let mut memory = HostMemory::new();
        assert!(memory.add_region(0x1000, 0x1000));
        for (base, len) in [
            (0x0, 0x1001),
            (0x1FFF, 1),
            (0x1800, 8),
            (0x800, 0x2000),
            (0x5000, 0),
            (u64::MAX, 2),
        ] {
            assert!(!memory.add_region(base, len), "{base:#x} {len:#x}");
        }
        assert!(memory.add_region(0x2000, 0x1000));
        assert!(memory.add_region(0x0, 0x1000));
        memory.poke(0x7FFF, &[1]);
        assert!(!memory.add_region(0x7000, 0x10), "a written block");
    }

    #[test]
    fn engine_writes_are_logged_and_host_writes_are_not_when_the_log_is_on() {
        let mut memory = HostMemory::new();
        memory.write(0, &[1]);
        assert!(memory.take_log().is_empty());
        memory.start_log();
        memory.poke(8, &[1, 2]);
        memory.write(16, &[1, 2, 3]);
        assert_eq!(memory.take_log(), [Write { addr: 16, len: 3 }]);
        assert!(memory.take_log().is_empty());
    }

    #[test]
    fn dwords_are_little_endian_when_read() {
        let mut memory = HostMemory::new();
        memory.poke(0x20, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(memory.read_dwords::<2>(0x20), [0x0403_0201, 0x0807_0605]);
    }
}
