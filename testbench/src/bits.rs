//! A value of any width: payload of a stream, a packed record.

use std::fmt;

/// A bit vector of fixed width, bit 0 least significant.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bits {
    width: u32,
    /// Least significant first; bits above the width are 0.
    words: Vec<u64>,
}

impl Bits {
    /// A value of `width` bits, all 0.
    pub fn zero(width: u32) -> Bits {
        Bits {
            width,
            words: vec![0; width.div_ceil(64) as usize],
        }
    }

    /// `value` as `width` bits.
    ///
    /// # Panics
    /// If it does not fit.
    pub fn new(width: u32, value: u128) -> Bits {
        assert!(
            width >= 128 || value >> width == 0,
            "{value:#x} does not fit {width} bits"
        );
        let mut bits = Bits::zero(width);
        for (word, shift) in bits.words.iter_mut().zip([0, 64]) {
            *word = (value >> shift) as u64;
        }
        bits
    }

    /// Fields joined to one value, each as (width, value), the first in the lowest bits.
    ///
    /// # Panics
    /// If a value does not fit its width.
    pub fn pack(fields: &[(u32, u128)]) -> Bits {
        let mut bits = Bits::zero(fields.iter().map(|field| field.0).sum());
        let mut lsb = 0;
        for &(width, value) in fields {
            bits.set_field(lsb, width, value);
            lsb += width;
        }
        bits
    }

    /// The value cut into fields of these widths (at most 128 bits each), the first from the lowest bits.
    ///
    /// # Panics
    /// If the widths do not add up to the value's.
    pub fn unpack(&self, widths: &[u32]) -> Vec<u128> {
        assert_eq!(
            widths.iter().sum::<u32>(),
            self.width,
            "widths of the fields"
        );
        let mut lsb = 0;
        let field = |&width: &u32| {
            lsb += width;
            self.field(lsb - width, width)
        };
        widths.iter().map(field).collect()
    }

    /// A value from bytes, least significant first; bits beyond `width` must be 0.
    ///
    /// # Panics
    /// If they are not.
    pub fn from_bytes(width: u32, bytes: &[u8]) -> Bits {
        let mut bits = Bits::zero(width);
        for (index, &byte) in bytes.iter().enumerate().filter(|(_, &byte)| byte != 0) {
            let top = index as u32 * 8 + 8 - byte.leading_zeros();
            assert!(top <= width, "bit {} does not fit {width} bits", top - 1);
            bits.words[index / 8] |= u64::from(byte) << (index % 8 * 8);
        }
        bits
    }

    /// The value's bytes, least significant first, `ceil(width / 8)` of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self
            .words
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect();
        bytes.truncate(self.width.div_ceil(8) as usize);
        bytes
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Bits `lsb + width - 1 .. lsb`, at most 128.
    ///
    /// # Panics
    /// If the field is wider than 128 bits or reaches beyond the value.
    pub fn field(&self, lsb: u32, width: u32) -> u128 {
        self.check_field(lsb, width);
        (0..width).step_by(64).fold(0, |value, at| {
            let take = (width - at).min(64);
            value | u128::from(self.word_at(lsb + at) & (u64::MAX >> (64 - take))) << at
        })
    }

    /// Writes bits `lsb + width - 1 .. lsb`, at most 128.
    ///
    /// # Panics
    /// If the value does not fit the field, or the field does not fit as in [`Self::field`].
    pub fn set_field(&mut self, lsb: u32, width: u32, value: u128) {
        self.check_field(lsb, width);
        assert!(
            width >= 128 || value >> width == 0,
            "{value:#x} does not fit a field of {width} bits"
        );
        for bit in 0..width {
            let at = lsb + bit;
            let word = &mut self.words[at as usize / 64];
            *word = *word & !(1 << (at % 64)) | ((value >> bit) as u64 & 1) << (at % 64);
        }
    }

    fn check_field(&self, lsb: u32, width: u32) {
        let inside = width <= 128 && lsb.checked_add(width).is_some_and(|end| end <= self.width);
        assert!(
            inside,
            "no field of {width} bits at bit {lsb} of {}",
            self.width
        );
    }

    /// The 64 bits from bit `lsb` on, zeros beyond the end.
    fn word_at(&self, lsb: u32) -> u64 {
        let (index, shift) = (lsb as usize / 64, lsb % 64);
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        match shift {
            0 => word(index),
            _ => word(index) >> shift | word(index + 1) << (64 - shift),
        }
    }
}

/// Verilog notation: `12'habc`.
impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h", self.width)?;
        let digits = self.width.div_ceil(4).max(1);
        (0..digits)
            .rev()
            .try_for_each(|digit| write!(f, "{:x}", self.word_at(digit * 4) & 15))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_when_they_cross_words() {
        let fields = [
            (1, 1),
            (63, 5),
            (7, 0x55),
            (128, u128::MAX - 3),
            (100, 9),
            (9, 0x1ff),
        ];
        let bits = Bits::pack(&fields);
        assert_eq!(bits.width(), 308);
        let widths = fields.map(|field| field.0);
        assert_eq!(bits.unpack(&widths), fields.map(|field| field.1));
        assert_eq!(Bits::from_bytes(308, &bits.to_bytes()), bits);
    }

    #[test]
    fn debug_is_verilog_notation() {
        assert_eq!(format!("{:?}", Bits::new(12, 0xabc)), "12'habc");
        assert_eq!(
            format!("{:?}", Bits::new(70, 1 << 69)),
            "70'h200000000000000000"
        );
    }

    #[test]
    #[should_panic(expected = "bit 9 does not fit 9 bits")]
    fn bytes_are_refused_when_they_exceed_the_width() {
        let _ = Bits::from_bytes(9, &[0, 2]);
    }
}
