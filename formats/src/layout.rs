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

    /// Whether the field lies in one dword, where shift and mask do; the model decodes millions of them a second.
    const fn in_one_dword(&self) -> bool {
        self.lsb + self.width <= 32
    }

    /// Value of the field.
    ///
    /// # Panics
    /// If the structure is too short to hold the field.
    #[inline]
    pub fn get(&self, dwords: &[u32]) -> u64 {
        if self.in_one_dword() {
            return u64::from(dwords[self.dword] >> self.lsb) & self.max();
        }
        dwords.view_bits::<Lsb0>()[self.bit()..self.bit() + self.width].load_le()
    }

    /// Stores `value`; the bits around it keep theirs.
    ///
    /// # Panics
    /// If `value` is wider than the field: silently cut values are how drivers get foreign buffers.
    #[inline]
    pub fn put(&self, dwords: &mut [u32], value: u64) {
        assert!(
            value <= self.max(),
            "{} = {value}: wider than {} bits",
            self.name,
            self.width
        );
        if self.in_one_dword() {
            let dword = &mut dwords[self.dword];
            *dword = *dword & !self.mask() | (value as u32) << self.lsb;
        } else {
            dwords.view_bits_mut::<Lsb0>()[self.bit()..self.bit() + self.width].store_le(value);
        }
    }

    /// Whether any bit of it is set.
    #[inline]
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
    /// Bits of each dword that no field covers.
    reserved: [u32; MAX_DWORDS],
}

/// Dwords of the largest structure, a row of the program memory.
const MAX_DWORDS: usize = 16;

impl Layout {
    /// A structure of `dwords` dwords, at most 16.
    pub const fn new(
        name: &'static str,
        doc: &'static str,
        dwords: usize,
        fields: &'static [Field],
    ) -> Self {
        let mut reserved = [u32::MAX; MAX_DWORDS];
        let mut i = 0;
        while i < fields.len() {
            let f = &fields[i];
            let bits = f.max() as u128 * (1u128 << f.lsb);
            reserved[f.dword] &= !(bits as u32);
            if f.lsb + f.width > 32 {
                reserved[f.dword + 1] &= !((bits >> 32) as u32);
            }
            i += 1;
        }
        Layout {
            name,
            doc,
            dwords,
            fields,
            reserved,
        }
    }

    /// Bits of `dwords` that no field covers and that must therefore be zero: (dword, bits) of the first such dword.
    pub fn reserved_bits(&self, dwords: &[u32]) -> Option<(usize, u32)> {
        let stray = dwords.iter().zip(&self.reserved).map(|(d, r)| d & r);
        stray.enumerate().find(|&(_, bits)| bits != 0)
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
