//! Sparse byte memory with permissions a byte.

use super::burst::ones;
use super::store::{permission, Store, CHUNK};
use crate::sim::{copy_slice, Event};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// What the design may do with a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Write it.
    Write,
}

/// Memory that testbench and design share: 2^64 bytes, 0 until written. Clones are handles of the same memory.
///
/// The design may touch nothing until [`Memory::allow`] says so; the testbench may always read and write.
#[derive(Clone)]
pub struct Memory(Rc<RefCell<Store>>);

impl Memory {
    /// A memory of which the design may touch nothing yet.
    pub fn new() -> Memory {
        Memory(Rc::new(RefCell::new(Store::new())))
    }

    /// A memory of which the design may touch everything, for tests that are about something else.
    pub fn open() -> Memory {
        let memory = Memory::new();
        memory.0.borrow_mut().open = true;
        memory
    }

    /// Copies bytes out.
    pub fn read(&self, addr: u64, to: &mut [u8]) {
        let len = to.len();
        self.0.borrow_mut().parts(addr, len, |chunk, at, whole| {
            to[whole].copy_from_slice(&chunk.bytes[at])
        });
    }

    /// Copies `len` bytes out.
    pub fn read_vec(&self, addr: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.read(addr, &mut bytes);
        bytes
    }

    /// Writes bytes, whatever the design may do with them.
    pub fn write(&self, addr: u64, from: &[u8]) {
        self.0
            .borrow_mut()
            .parts(addr, from.len(), |chunk, at, whole| {
                chunk.bytes[at].copy_from_slice(&from[whole])
            });
    }

    /// Lets the design access `len` bytes at `addr`.
    pub fn allow(&self, access: Access, addr: u64, len: usize) {
        self.permit(access, addr, len, true);
    }

    /// Forbids the design to access `len` bytes at `addr`: a buffer that went back to its owner.
    pub fn revoke(&self, access: Access, addr: u64, len: usize) {
        self.permit(access, addr, len, false);
    }

    fn permit(&self, access: Access, addr: u64, len: usize, yes: bool) {
        self.0.borrow_mut().parts(addr, len, |chunk, at, _| {
            let words = chunk.permissions(access);
            let mut bit = at.start;
            while bit < at.end {
                let count = (64 - bit % 64).min(at.end - bit);
                let mask = (u64::MAX >> (64 - count)) << (bit % 64);
                match yes {
                    true => words[bit / 64] |= mask,
                    false => words[bit / 64] &= !mask,
                }
                bit += count;
            }
        });
    }

    /// An event that is set whenever the design writes into `range`. Clear it, then look.
    pub fn watch(&self, range: Range<u64>) -> Event {
        let event = Event::new(&format!(
            "a write into {:#x}..{:#x}",
            range.start, range.end
        ));
        self.0.borrow_mut().watches.push((range, event.clone()));
        event
    }

    /// The design writes a beat: `bytes` at `addr`, which is a multiple of their number, where `strobes` has
    /// a bit. Gives the strobes of bytes that it must not write; those are not written.
    #[inline]
    pub(super) fn write_beat(&self, addr: u64, bytes: &[u8], strobes: u128) -> u128 {
        let store = &mut *self.0.borrow_mut();
        let open = store.open;
        let chunk = store.chunk(addr);
        let at = addr as usize % CHUNK;
        let denied = if open {
            0
        } else {
            strobes & !permission(&chunk.writable, at, bytes.len())
        };
        let strobes = strobes & !denied;
        if strobes == ones(bytes.len() as u64) {
            copy_slice(bytes, &mut chunk.bytes[at..at + bytes.len()]);
        } else {
            let mut rest = strobes;
            while rest != 0 {
                let first = rest.trailing_zeros() as usize;
                let count = (rest >> first).trailing_ones() as usize;
                chunk.bytes[at + first..at + first + count]
                    .copy_from_slice(&bytes[first..first + count]);
                rest &= !(ones(count as u64) << first);
            }
        }
        if strobes != 0 && !store.watches.is_empty() {
            let first = u64::from(strobes.trailing_zeros());
            let end = 128 - u64::from(strobes.leading_zeros());
            store.touched(addr + first..addr + end);
        }
        denied
    }

    /// The design reads a beat into `to` from `addr`, which is a multiple of its length. Gives the lanes of
    /// `lanes` that it must not read.
    #[inline]
    pub(super) fn read_beat(&self, addr: u64, to: &mut [u8], lanes: u128) -> u128 {
        let store = &mut *self.0.borrow_mut();
        let open = store.open;
        let chunk = store.chunk(addr);
        let at = addr as usize % CHUNK;
        copy_slice(&chunk.bytes[at..at + to.len()], to);
        if open {
            0
        } else {
            lanes & !permission(&chunk.readable, at, to.len())
        }
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_when_they_span_chunks() {
        let memory = Memory::new();
        let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        memory.write(0xffff_ffff_0000_fff1, &bytes);
        assert_eq!(memory.read_vec(0xffff_ffff_0000_fff1, bytes.len()), bytes);
        assert_eq!(memory.read_vec(0xffff_ffff_0000_fff0, 1), [0]);
    }

    #[test]
    fn beat_is_denied_byte_by_byte_outside_the_allowed_ranges() {
        let memory = Memory::new();
        memory.allow(Access::Write, 0x1_0000 - 3, 10);
        assert_eq!(memory.write_beat(0x1_0000 - 8, &[7; 8], 0xff), 0x1f);
        assert_eq!(
            memory.read_vec(0x1_0000 - 8, 9),
            [0, 0, 0, 0, 0, 7, 7, 7, 0]
        );
        assert_eq!(memory.write_beat(0x1_0000, &[8; 128], 0x7f), 0);
        assert_eq!(memory.write_beat(0x1_0000, &[9; 128], 0x180), 0x180);
        assert_eq!(memory.read_vec(0x1_0000, 8), [8, 8, 8, 8, 8, 8, 8, 0]);
        let mut to = [0; 64];
        assert_eq!(
            memory.read_beat(0x1_0000, &mut to, 3),
            3,
            "writable is not readable"
        );
        memory.allow(Access::Read, 0x1_0001, 1);
        assert_eq!(memory.read_beat(0x1_0000, &mut to, 3), 1);
        memory.revoke(Access::Write, 0x1_0000, 2);
        assert_eq!(memory.write_beat(0x1_0000, &[1; 4], 0b1111), 0b0011);
        assert_eq!(Memory::open().write_beat(0, &[1; 4], 0b1111), 0);
    }

    #[test]
    fn watch_is_set_when_the_design_writes_into_its_range() {
        let memory = Memory::open();
        let watch = memory.watch(100..104);
        memory.write_beat(64, &[0; 64], 1 << 35 | 1 << 40);
        assert!(watch.is_set());
        watch.clear();
        memory.write_beat(64, &[0; 64], 1 << 35);
        memory.write_beat(64, &[0; 64], 1 << 40);
        memory.write(100, &[1]);
        assert!(!watch.is_set());
    }
}
