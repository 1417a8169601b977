//! A parser program as the host loads it: rows of 16 dwords, taken apart into fields (design section 6).

/// Dwords of a row.
pub const ROW_DWORDS: usize = 16;
/// `next`: the frame is accepted.
pub const ACCEPT: u8 = 0xFE;

/// One extract of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extract {
    /// Destination number; 0 is none.
    pub dest: u8,
    /// First chunk byte.
    pub byte: u8,
}

/// One arm of a step's match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arm {
    /// What the masked key must be.
    pub value: u32,
    /// Which bits of the key count.
    pub mask: u32,
    /// Where the arm leads.
    pub next: u8,
    /// Flags that it ORs in.
    pub set: u8,
}

/// One step, decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the names are those of the table in the design page"
)]
pub struct Row {
    pub off: u8,
    pub need: u8,
    pub set: u8,
    pub mark_l3: bool,
    pub mark_l4: bool,
    pub mark_split: bool,
    pub end_en: bool,
    pub key_sel: [u8; 4],
    pub end_sel: u8,
    pub end_add: u8,
    pub adv_add: u8,
    pub adv_sel: u8,
    pub adv_en: bool,
    pub adv_rshift: u8,
    pub adv_mask: u8,
    pub adv_lshift: u8,
    pub adv_min: u8,
    pub next: u8,
    pub extracts: [Extract; 4],
    pub arms: [Arm; 4],
}

/// Bits `low` to `low + width - 1`.
fn field(dword: u32, low: u32, width: u32) -> u8 {
    ((dword >> low) & ((1 << width) - 1)) as u8
}

impl Row {
    /// Takes a row's dwords apart. Reserved bits are ignored.
    pub fn decode(d: &[u32; ROW_DWORDS]) -> Self {
        let bit = |dword: u32, n: u32| dword >> n & 1 == 1;
        let mut row = Row {
            off: field(d[0], 0, 8),
            need: field(d[0], 8, 8),
            set: field(d[0], 16, 8),
            mark_l3: bit(d[0], 24),
            mark_l4: bit(d[0], 25),
            mark_split: bit(d[0], 26),
            end_en: bit(d[0], 27),
            end_sel: field(d[1], 16, 4),
            end_add: field(d[1], 20, 8),
            adv_add: field(d[2], 0, 8),
            adv_sel: field(d[2], 8, 4),
            adv_en: bit(d[2], 12),
            adv_rshift: field(d[2], 13, 3),
            adv_mask: field(d[2], 16, 8),
            adv_lshift: field(d[2], 24, 3),
            adv_min: field(d[3], 0, 8),
            next: field(d[3], 8, 8),
            ..Row::default()
        };
        for i in 0..4 {
            let n = i as u32;
            row.key_sel[i] = field(d[1], 4 * n, 4);
            row.extracts[i] = Extract {
                dest: field(d[4], 8 * n, 4),
                byte: field(d[4], 8 * n + 4, 4),
            };
            row.arms[i] = Arm {
                value: d[6 + 2 * i],
                mask: d[7 + 2 * i],
                next: field(d[14], 8 * n, 8),
                set: field(d[15], 8 * n, 8),
            };
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_the_design_has_them_when_a_row_is_decoded() {
        let dwords = [
            0x0A33_2211,
            0x07F5_4321,
            0x05AB_D678,
            0x0000_1909,
            0x8070_B3A2,
            0,
            0x1111_1111,
            0xFFFF_FFFF,
            2,
            3,
            4,
            5,
            6,
            7,
            0xFEFF_0201,
            0x8040_2010,
        ];
        let row = Row::decode(&dwords);
        assert_eq!((row.off, row.need, row.set), (0x11, 0x22, 0x33));
        assert_eq!(
            (row.mark_l3, row.mark_l4, row.mark_split, row.end_en),
            (false, true, false, true)
        );
        assert_eq!(
            (row.key_sel, row.end_sel, row.end_add),
            ([1, 2, 3, 4], 5, 0x7F)
        );
        // dword 2: 0x05ABD678 = add 0x78, sel 6, en 1 (bit 12), rshift 0b110 (15:13), mask 0xAB, lshift 5.
        assert_eq!(
            (row.adv_add, row.adv_sel, row.adv_en, row.adv_rshift),
            (0x78, 6, true, 6)
        );
        assert_eq!((row.adv_mask, row.adv_lshift), (0xAB, 5));
        assert_eq!((row.adv_min, row.next), (9, 0x19));
        assert_eq!(row.extracts[0], Extract { dest: 2, byte: 10 });
        assert_eq!(row.extracts[1], Extract { dest: 3, byte: 11 });
        assert_eq!(row.extracts[2], Extract { dest: 0, byte: 7 });
        assert_eq!(row.extracts[3], Extract { dest: 0, byte: 8 });
        assert_eq!(
            row.arms[0],
            Arm {
                value: 0x1111_1111,
                mask: 0xFFFF_FFFF,
                next: 1,
                set: 0x10
            }
        );
        assert_eq!(
            row.arms[3],
            Arm {
                value: 6,
                mask: 7,
                next: 0xFE,
                set: 0x80
            }
        );
    }
}
