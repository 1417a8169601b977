//! One row of the program memory as a typed structure, and its coding.

use super::fields::*;
use crate::layout::Field;
use thiserror::Error;

/// Where a step goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// This row.
    Row(u8),
    /// The frame is accepted.
    Accept,
    /// The frame is rejected.
    Reject,
}

impl Next {
    /// Its byte in a row.
    pub const fn code(self) -> u8 {
        match self {
            Next::Row(row) => row,
            Next::Accept => NEXT_ACCEPT,
            Next::Reject => NEXT_REJECT,
        }
    }

    /// The target of a byte.
    pub const fn from_code(code: u8) -> Self {
        match code {
            NEXT_ACCEPT => Next::Accept,
            NEXT_REJECT => Next::Reject,
            row => Next::Row(row),
        }
    }
}

/// A field taken out of the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extract {
    /// Where it goes.
    pub dest: Dest,
    /// First byte in the chunk.
    pub sel: u8,
}

/// How `end` is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// First of two bytes in the chunk, 0 to 14.
    pub sel: u8,
    /// Added to it and to the cursor.
    pub add: u8,
}

/// The part of an advance that comes from the chunk: `((chunk[sel] >> rshift) & mask) << lshift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Byte in the chunk.
    pub sel: u8,
    /// Right shift, 0 to 7.
    pub rshift: u8,
    /// Mask.
    pub mask: u8,
    /// Left shift, 0 to 7.
    pub lshift: u8,
}

/// How the cursor moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advance {
    /// Constant part.
    pub add: u8,
    /// Part from the chunk.
    pub length: Option<Length>,
    /// The frame is rejected if the sum is less.
    pub min: u8,
}

/// One arm of the match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arm {
    /// Matches if key & mask == value.
    pub value: u32,
    /// Bits that are compared.
    pub mask: u32,
    /// Where to go on.
    pub next: Next,
    /// Flags ORed in.
    pub set: u8,
}

impl Arm {
    /// The arm of an unused place: no key matches it.
    pub const NEVER: Arm = Arm {
        value: 1,
        mask: 0,
        next: Next::Reject,
        set: 0,
    };
}

/// One row: what a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The chunk begins at cursor + off.
    pub off: u8,
    /// Bytes from the cursor that must be there.
    pub need: u8,
    /// Flags ORed in.
    pub set: u8,
    /// l3_off := cursor before the advance.
    pub mark_l3: bool,
    /// l4_off := cursor after the advance.
    pub mark_l4: bool,
    /// split := cursor after the advance.
    pub mark_split: bool,
    /// Sets `end`.
    pub end: Option<End>,
    /// Chunk bytes of the key, the most significant first.
    pub key_sel: [u8; KEY_BYTES],
    /// How the cursor moves.
    pub advance: Advance,
    /// Where to go on when no arm matches.
    pub next: Next,
    /// Fields taken out; unused places have [`Dest::None`] and byte 0.
    pub extracts: [Extract; EXTRACTS],
    /// Arms; the first that matches wins. Unused places hold [`Arm::NEVER`].
    pub arms: [Arm; ARMS],
}

impl Default for Row {
    /// A row that looks at nothing and rejects.
    fn default() -> Self {
        Row {
            off: 0,
            need: 0,
            set: 0,
            mark_l3: false,
            mark_l4: false,
            mark_split: false,
            end: None,
            key_sel: [0; KEY_BYTES],
            advance: Advance::default(),
            next: Next::Reject,
            extracts: [Extract {
                dest: Dest::None,
                sel: 0,
            }; EXTRACTS],
            arms: [Arm::NEVER; ARMS],
        }
    }
}

/// Dwords that no compiler makes and whose effect is not defined.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RowError {
    /// Bits that no field covers are set.
    #[error("dword {dword} = {bits:#010x}: these bits are reserved, must be 0")]
    Reserved {
        /// Dword concerned.
        dword: usize,
        /// The bits that are set.
        bits: u32,
    },
    /// A field breaks its rule.
    #[error("{field} = {value}: must be {rule}")]
    Field {
        /// Field concerned.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        rule: &'static str,
    },
}

impl Row {
    /// The row's dwords.
    ///
    /// # Panics
    /// If a selector or shift is wider than its field; the compiler never makes such a row.
    pub fn encode(&self) -> [u32; ROW_DWORDS] {
        let mut d = [0u32; ROW_DWORDS];
        let mut put = |field: Field, value: u32| field.put(&mut d, value.into());
        put(OFF, self.off.into());
        put(NEED, self.need.into());
        put(SET, self.set.into());
        put(MARK_L3, self.mark_l3.into());
        put(MARK_L4, self.mark_l4.into());
        put(MARK_SPLIT, self.mark_split.into());
        if let Some(end) = self.end {
            put(END_EN, 1);
            put(END_SEL, end.sel.into());
            put(END_ADD, end.add.into());
        }
        let key = self.key_sel.iter().rev();
        put(KEY_SEL, key.fold(0, |key, &sel| key << 4 | u32::from(sel)));
        put(ADV_ADD, self.advance.add.into());
        if let Some(length) = self.advance.length {
            put(ADV_EN, 1);
            put(ADV_SEL, length.sel.into());
            put(ADV_RSHIFT, length.rshift.into());
            put(ADV_MASK, length.mask.into());
            put(ADV_LSHIFT, length.lshift.into());
        }
        put(ADV_MIN, self.advance.min.into());
        put(NEXT, self.next.code().into());
        for (extract, (dest, sel)) in self.extracts.iter().zip(EXTRACT_FIELDS) {
            put(dest, extract.dest.code());
            put(sel, extract.sel.into());
        }
        for (arm, [value, mask, next, set]) in self.arms.iter().zip(ARM_FIELDS) {
            put(value, arm.value);
            put(mask, arm.mask);
            put(next, arm.next.code().into());
            put(set, arm.set.into());
        }
        d
    }

    /// The row of dwords. Refuses reserved bits, undefined destinations and bytes outside the chunk.
    pub fn decode(d: &[u32; ROW_DWORDS]) -> Result<Self, RowError> {
        if let Some((dword, bits)) = ROW.reserved_bits(d) {
            return Err(RowError::Reserved { dword, bits });
        }
        let byte = |field: Field| field.get(d) as u8;
        let end = END_EN.is_set(d).then(|| End {
            sel: byte(END_SEL),
            add: byte(END_ADD),
        });
        if byte(END_SEL) > 14 {
            return Err(bad(END_SEL, d, "0 to 14"));
        }
        let length = ADV_EN.is_set(d).then(|| Length {
            sel: byte(ADV_SEL),
            rshift: byte(ADV_RSHIFT),
            mask: byte(ADV_MASK),
            lshift: byte(ADV_LSHIFT),
        });
        let mut row = Row {
            off: byte(OFF),
            need: byte(NEED),
            set: byte(SET),
            mark_l3: MARK_L3.is_set(d),
            mark_l4: MARK_L4.is_set(d),
            mark_split: MARK_SPLIT.is_set(d),
            end,
            key_sel: std::array::from_fn(|i| (KEY_SEL.get(d) >> (4 * i)) as u8 & 15),
            advance: Advance {
                add: byte(ADV_ADD),
                length,
                min: byte(ADV_MIN),
            },
            next: Next::from_code(byte(NEXT)),
            ..Row::default()
        };
        for (extract, (dest, sel)) in row.extracts.iter_mut().zip(EXTRACT_FIELDS) {
            extract.dest = Dest::from_code(dest.get(d) as u32)
                .ok_or_else(|| bad(dest, d, "a defined destination (0 to 12)"))?;
            extract.sel = byte(sel);
            if usize::from(extract.sel) + extract.dest.bytes() > CHUNK_BYTES {
                return Err(bad(sel, d, "so that the bytes lie inside the chunk"));
            }
        }
        for (arm, [value, mask, next, set]) in row.arms.iter_mut().zip(ARM_FIELDS) {
            *arm = Arm {
                value: value.get(d) as u32,
                mask: mask.get(d) as u32,
                next: Next::from_code(byte(next)),
                set: byte(set),
            };
        }
        Ok(row)
    }
}

fn bad(field: Field, d: &[u32], rule: &'static str) -> RowError {
    RowError::Field {
        field: field.name,
        value: field.get(d),
        rule,
    }
}
