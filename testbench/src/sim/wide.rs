//! Handles of ports of any width.

use super::copy::copy;
use super::wires::Wires;
use crate::verilator::Direction;
use bitvec::prelude::{BitSlice, BitVec, Lsb0};
use std::rc::Rc;

/// A port of any width, as bytes or words, least significant first.
#[derive(Clone)]
pub struct WideSignal {
    wires: Rc<Wires>,
    name: Rc<str>,
    storage: *mut u8,
    width: u32,
    bytes: usize,
    input: bool,
}

impl WideSignal {
    /// As [`Signal::new`](super::Signal::new).
    pub(super) fn new(
        wires: Rc<Wires>,
        name: &str,
        (storage, bytes): (*mut u8, usize),
        width: u32,
        direction: Direction,
    ) -> WideSignal {
        let input = direction == Direction::Input;
        WideSignal {
            wires,
            name: name.into(),
            storage,
            width,
            bytes,
            input,
        }
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Width in bytes, rounded up: what [`Self::read`] and [`Self::write`] take at most.
    pub fn len_bytes(&self) -> usize {
        self.width.div_ceil(8) as usize
    }

    /// Name of the port.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Copies the lowest `to.len()` bytes of the value out.
    ///
    /// # Panics
    /// If `to` is longer than the port.
    #[inline]
    pub fn read(&self, to: &mut [u8]) {
        assert!(
            to.len() <= self.bytes,
            "`{}`: read beyond the port",
            self.name
        );
        // SAFETY: within the live storage, which is not Rust memory.
        unsafe { copy(self.storage, to.as_mut_ptr(), to.len()) }
    }

    /// True if the lowest bytes of the value are `expected`.
    #[inline]
    pub fn starts_with(&self, expected: &[u8]) -> bool {
        assert!(
            expected.len() <= self.bytes,
            "`{}`: read beyond the port",
            self.name
        );
        // SAFETY: within the live storage; no evaluation happens while the slice exists.
        unsafe { std::slice::from_raw_parts(self.storage, expected.len()) == expected }
    }

    /// Appends the lowest `len` bytes of the value to `to`.
    #[inline]
    pub fn append_to(&self, to: &mut Vec<u8>, len: usize) {
        assert!(len <= self.bytes, "`{}`: read beyond the port", self.name);
        to.reserve(len);
        // SAFETY: `len` bytes of the live storage into spare capacity just reserved, then counted.
        unsafe {
            copy(self.storage, to.as_mut_ptr().add(to.len()), len);
            to.set_len(to.len() + len);
        }
    }

    /// Drives the lowest bytes of an input; the rest keeps its value.
    ///
    /// # Panics
    /// If the port is an output, or `from` has a bit above the port's width.
    #[inline]
    pub fn write(&self, from: &[u8]) {
        assert!(
            self.input,
            "port `{}` is an output of the design and cannot be driven",
            self.name
        );
        let len = self.len_bytes();
        let spare = self.width % 8;
        let fits =
            from.len() < len || (from.len() == len && (spare == 0 || from[len - 1] >> spare == 0));
        assert!(
            fits,
            "value does not fit port `{}` of {} bits",
            self.name, self.width
        );
        // SAFETY: `from` is no longer than the storage.
        unsafe { self.wires.write(self.storage, from) }
    }

    /// Word `index` of the value, 32 bits.
    pub fn word(&self, index: usize) -> u32 {
        let mut word = [0; 4];
        let at = index * 4;
        assert!(at < self.bytes, "`{}`: read beyond the port", self.name);
        let len = 4.min(self.bytes - at);
        // SAFETY: within the live storage.
        unsafe { std::ptr::copy_nonoverlapping(self.storage.add(at), word.as_mut_ptr(), len) };
        u32::from_le_bytes(word)
    }

    /// The value as words of 32 bits.
    pub fn words(&self) -> Vec<u32> {
        (0..self.width.div_ceil(32) as usize)
            .map(|index| self.word(index))
            .collect()
    }

    /// Drives an input from words of 32 bits; missing words are 0.
    ///
    /// # Panics
    /// As [`Self::write`].
    pub fn set_words(&self, words: &[u32]) {
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let len = self.len_bytes();
        let excess = bytes.len() > len && bytes[len..].iter().any(|&byte| byte != 0);
        assert!(
            !excess,
            "value does not fit port `{}` of {} bits",
            self.name, self.width
        );
        bytes.resize(len, 0);
        self.write(&bytes);
    }

    /// Bits `lsb + width - 1 .. lsb` of the value, at most 64 of them.
    ///
    /// # Panics
    /// If the field is wider than 64 bits or reaches beyond the port.
    pub fn field(&self, lsb: u32, width: u32) -> u64 {
        assert!(
            (1..=64).contains(&width) && lsb + width <= self.width,
            "`{}`: no such field",
            self.name
        );
        let (first, shift) = (lsb as usize / 8, lsb % 8);
        let mut bytes = [0u8; 16];
        let len = (self.bytes - first).min(9);
        // SAFETY: within the live storage.
        unsafe { std::ptr::copy_nonoverlapping(self.storage.add(first), bytes.as_mut_ptr(), len) };
        (u128::from_le_bytes(bytes) >> shift) as u64 & (u64::MAX >> (64 - width))
    }

    /// The value as a bit vector, bit 0 first.
    pub fn bits(&self) -> BitVec<u32, Lsb0> {
        let mut bits = BitVec::from_vec(self.words());
        bits.truncate(self.width as usize);
        bits
    }

    /// Drives an input from a bit vector, bit 0 first; missing bits are 0.
    ///
    /// # Panics
    /// As [`Self::write`].
    pub fn set_bits(&self, bits: &BitSlice<u32, Lsb0>) {
        let mut words = BitVec::<u32, Lsb0>::repeat(false, bits.len().div_ceil(32).max(1) * 32);
        words[..bits.len()].copy_from_bitslice(bits);
        self.set_words(words.as_raw_slice());
    }
}
