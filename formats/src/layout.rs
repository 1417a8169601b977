//! Packed structures: where each field of a structure of little-endian dwords lies.

use bitvec::prelude::*;

/// One field: `width` bits at bit `lsb` of dword `dword`. A field of more than 32 bits goes on in the next dword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Dword in which the field begins.
    pub dword: usize,
    /// Its least significant bit there.
    pub lsb: usize,
    /// Bits, 1 to 64.
    pub width: usize,
    /// Name, the same in C and in the manual.
    pub name: &'static str,
    /// One line for the manual.
    pub doc: &'static str,
}

impl Field {
    /// A field of a structure.
    pub const fn new(
        dword: usize,
        lsb: usize,
        width: usize,
        name: &'static str,
        doc: &'static str,
    ) -> Self {
        Field {
            dword,
            lsb,
            width,
            name,
            doc,
        }
    }

    /// Bit position counted from bit 0 of dword 0: the position in the structure seen as one wide value.
    pub const fn bit(&self) -> usize {
        self.dword * 32 + self.lsb
    }

    /// Largest value that fits.
    pub const fn max(&self) -> u64 {
        u64::MAX >> (64 - self.width)
    }

    /// The field's bits within its dword. Only for fields that lie in one dword.
    pub const fn mask(&self) -> u32 {
        (self.max() << self.lsb) as u32
    }

    /// Value of the field.
    ///
    /// # Panics
    /// If the structure is too short to hold the field.
    pub fn get(&self, dwords: &[u32]) -> u64 {
        dwords.view_bits::<Lsb0>()[self.bit()..self.bit() + self.width].load_le()
    }

    /// Stores `value`; the bits around it keep theirs.
    ///
    /// # Panics
    /// If `value` is wider than the field: silently cut values are how drivers get foreign buffers.
    pub fn put(&self, dwords: &mut [u32], value: u64) {
        assert!(
            value <= self.max(),
            "{} = {value}: wider than {} bits",
            self.name,
            self.width
        );
        dwords.view_bits_mut::<Lsb0>()[self.bit()..self.bit() + self.width].store_le(value);
    }

    /// One-bit fields: whether it is set.
    pub fn is_set(&self, dwords: &[u32]) -> bool {
        self.get(dwords) != 0
    }
}

/// A structure's name, size and fields: what the C header and the manual are written from.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Name, as in the C header (without prefix).
    pub name: &'static str,
    /// One line for the manual.
    pub doc: &'static str,
    /// Size in dwords.
    pub dwords: usize,
    /// Fields, by position.
    pub fields: &'static [Field],
}

impl Layout {
    /// Bits of `dwords` that no field covers and that must therefore be zero: (dword, bits) of the first such dword.
    pub fn reserved_bits(&self, dwords: &[u32]) -> Option<(usize, u32)> {
        let mut rest = dwords.to_vec();
        self.fields.iter().for_each(|field| field.put(&mut rest, 0));
        rest.into_iter().enumerate().find(|&(_, bits)| bits != 0)
    }
}

/// Dwords as they lie in host memory.
pub fn to_bytes<const D: usize, const B: usize>(dwords: &[u32; D]) -> [u8; B] {
    const { assert!(B == 4 * D) };
    let mut bytes = [0; B];
    for (to, from) in bytes.chunks_exact_mut(4).zip(dwords) {
        to.copy_from_slice(&from.to_le_bytes());
    }
    bytes
}

/// Dwords of a structure in host memory.
pub fn to_dwords<const D: usize, const B: usize>(bytes: &[u8; B]) -> [u32; D] {
    const { assert!(B == 4 * D) };
    std::array::from_fn(|i| {
        let at = 4 * i;
        u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    })
}
