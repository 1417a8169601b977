//! A bit pattern of any width: literal values, and sets of bits in the checks.

use std::fmt;

/// `width` bits, least significant first; the bits above `width` are always zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value {
    width: usize,
    words: Vec<u64>,
}

impl Value {
    /// All bits zero.
    pub fn zeros(width: usize) -> Self {
        Self {
            width,
            words: vec![0; width.div_ceil(64)],
        }
    }

    /// All bits one.
    pub fn ones(width: usize) -> Self {
        let mut v = Self::zeros(width);
        v.set_range(0, width);
        v
    }

    /// The number `n`, or `None` when it does not fit into `width` bits.
    pub fn from_u128(width: usize, n: u128) -> Option<Self> {
        if width < 128 && n >> width != 0 {
            return None;
        }
        let mut v = Self::zeros(width);
        for (i, w) in v.words.iter_mut().enumerate().take(2) {
            *w = (n >> (64 * i)) as u64;
        }
        Some(v)
    }

    /// From bytes, least significant first; `None` when a bit beyond `width` is set.
    pub fn from_le_bytes(width: usize, bytes: &[u8]) -> Option<Self> {
        let mut v = Self::zeros(width);
        for (i, byte) in bytes.iter().enumerate() {
            for bit in (0..8).filter(|b| byte >> b & 1 == 1) {
                if i * 8 + bit >= width {
                    return None;
                }
                v.set(i * 8 + bit);
            }
        }
        Some(v)
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bit `i`.
    pub fn get(&self, i: usize) -> bool {
        i < self.width && self.words[i / 64] >> (i % 64) & 1 == 1
    }

    /// Sets bit `i`.
    pub fn set(&mut self, i: usize) {
        self.words[i / 64] |= 1 << (i % 64);
    }

    /// Sets `width` bits from `lsb` up.
    pub fn set_range(&mut self, lsb: usize, width: usize) {
        (lsb..lsb + width).for_each(|i| self.set(i));
    }

    /// `width` bits from `lsb` up.
    pub fn slice(&self, lsb: usize, width: usize) -> Self {
        let mut v = Self::zeros(width);
        (0..width)
            .filter(|i| self.get(lsb + i))
            .for_each(|i| v.set(i));
        v
    }

    /// Whether every bit is zero.
    pub fn is_zero(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// Whether every bit is one.
    pub fn is_ones(&self) -> bool {
        (0..self.width).all(|i| self.get(i))
    }

    /// Union with another pattern of the same width.
    pub fn or(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(a, b)| *a |= b);
    }

    /// Intersection with another pattern of the same width.
    pub fn and(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(a, b)| *a &= b);
    }

    /// Whether both have a common one bit.
    pub fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    /// Whether every one bit of `other` is one here.
    pub fn covers(&self, other: &Self) -> bool {
        self.words
            .iter()
            .zip(&other.words)
            .all(|(a, b)| b & !a == 0)
    }

    /// The complement.
    pub fn not(&self) -> Self {
        let mut v = Self::zeros(self.width);
        (0..self.width)
            .filter(|i| !self.get(*i))
            .for_each(|i| v.set(i));
        v
    }

    /// The number, when it fits.
    pub fn to_u128(&self) -> Option<u128> {
        if self.words.iter().skip(2).any(|w| *w != 0) {
            return None;
        }
        Some((0..2).fold(0, |n, i| {
            n | u128::from(self.words.get(i).copied().unwrap_or(0)) << (64 * i)
        }))
    }

    /// The runs of one bits as `(lsb, width)`, lowest first.
    pub fn runs(&self) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = vec![];
        for i in (0..self.width).filter(|i| self.get(*i)) {
            match runs.last_mut() {
                Some((lsb, n)) if *lsb + *n == i => *n += 1,
                _ => runs.push((i, 1)),
            }
        }
        runs
    }
}

impl fmt::Display for Value {
    /// A sized Verilog literal: `1'b1`, `16'h0800`; decimal where small or of no whole digits, `8'd7`, `9'd300`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let w = self.width;
        match self.to_u128() {
            Some(n) if w == 1 => write!(f, "1'b{n}"),
            Some(n) if n < 10 || (w % 4 != 0 && n < 10_000) => write!(f, "{w}'d{n}"),
            _ => {
                write!(f, "{w}'h")?;
                for digit in (0..w.div_ceil(4)).rev() {
                    let nibble = (0..4).fold(0, |n, b| n | u32::from(self.get(digit * 4 + b)) << b);
                    write!(f, "{nibble:x}")?;
                }
                Ok(())
            }
        }
    }
}
