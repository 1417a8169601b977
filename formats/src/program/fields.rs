//! Where each field of a row lies (design contract, section 6), and the numbers in them.

use crate::codes::codes;
use crate::layout::{Field, Layout};

/// Dwords of a row.
pub const ROW_DWORDS: usize = 16;
/// Bytes that a step sees, from the cursor plus `off`.
pub const CHUNK_BYTES: usize = 16;
/// Bytes of the key.
pub const KEY_BYTES: usize = 4;
/// Arms of a row.
pub const ARMS: usize = 4;
/// Extracts of a row.
pub const EXTRACTS: usize = 4;
/// `next` that accepts.
pub const NEXT_ACCEPT: u8 = 0xFE;
/// `next` that rejects.
pub const NEXT_REJECT: u8 = 0xFF;

/// Names of the flag bits, by bit.
pub const FLAGS: [&str; 8] = ["V4", "V6", "TCP", "UDP", "OPT", "NOCSUM", "VLAN0", "VLAN1"];
/// IPv4.
pub const V4: u8 = 1 << 0;
/// IPv6.
pub const V6: u8 = 1 << 1;
/// TCP.
pub const TCP: u8 = 1 << 2;
/// UDP.
pub const UDP: u8 = 1 << 3;
/// IPv4 options or IPv6 extension headers.
pub const OPT: u8 = 1 << 4;
/// The TCP or UDP checksum is not to be checked.
pub const NOCSUM: u8 = 1 << 5;
/// An outer VLAN tag.
pub const VLAN0: u8 = 1 << 6;
/// An inner VLAN tag.
pub const VLAN1: u8 = 1 << 7;

macro_rules! fields {
    ($($name:ident = $dword:literal, $lsb:literal, $width:literal, $text:literal, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: Field = Field::new($dword, $lsb, $width, $text, $doc);)*
        /// Layout of a row.
        pub const ROW: Layout = Layout::new("row", "One row of the parser's program memory.", ROW_DWORDS, &[$($name,)*]);
    };
}

fields! {
    OFF = 0, 0, 8, "off", "the chunk begins at cursor + off";
    NEED = 0, 8, 8, "need", "reject unless cursor + need <= min(frame length, window)";
    SET = 0, 16, 8, "set", "flags ORed in";
    MARK_L3 = 0, 24, 1, "mark_l3", "l3_off := cursor before the advance";
    MARK_L4 = 0, 25, 1, "mark_l4", "l4_off := cursor after the advance";
    MARK_SPLIT = 0, 26, 1, "mark_split", "split := cursor after the advance";
    END_EN = 0, 27, 1, "end_en", "end := cursor before the advance + end_add + chunk[end_sel .. end_sel+1]";
    KEY_SEL = 1, 0, 16, "key_sel", "chunk bytes of the key, 4 bits each, key byte 0 (most significant) in bits 3:0";
    END_SEL = 1, 16, 4, "end_sel", "chunk byte of the length, 0 to 14";
    END_ADD = 1, 20, 8, "end_add", "added to the length";
    ADV_ADD = 2, 0, 8, "adv_add", "advance: constant part";
    ADV_SEL = 2, 8, 4, "adv_sel", "advance: chunk byte";
    ADV_EN = 2, 12, 1, "adv_en", "advance: add ((chunk byte adv_sel >> adv_rshift) & adv_mask) << adv_lshift";
    ADV_RSHIFT = 2, 13, 3, "adv_rshift", "advance: right shift";
    ADV_MASK = 2, 16, 8, "adv_mask", "advance: mask";
    ADV_LSHIFT = 2, 24, 3, "adv_lshift", "advance: left shift";
    ADV_MIN = 3, 0, 8, "adv_min", "reject if the advance is less";
    NEXT = 3, 8, 8, "next", "next row when no arm matches; 0xFE accept, 0xFF reject";
    EXTRACT0_DEST = 4, 0, 4, "extract0_dest", "extract 0: destination";
    EXTRACT0_SEL = 4, 4, 4, "extract0_sel", "extract 0: first chunk byte";
    EXTRACT1_DEST = 4, 8, 4, "extract1_dest", "extract 1: destination";
    EXTRACT1_SEL = 4, 12, 4, "extract1_sel", "extract 1: first chunk byte";
    EXTRACT2_DEST = 4, 16, 4, "extract2_dest", "extract 2: destination";
    EXTRACT2_SEL = 4, 20, 4, "extract2_sel", "extract 2: first chunk byte";
    EXTRACT3_DEST = 4, 24, 4, "extract3_dest", "extract 3: destination";
    EXTRACT3_SEL = 4, 28, 4, "extract3_sel", "extract 3: first chunk byte";
    ARM0_VALUE = 6, 0, 32, "arm0_value", "arm 0 matches if key & mask == value";
    ARM0_MASK = 7, 0, 32, "arm0_mask", "arm 0: mask";
    ARM1_VALUE = 8, 0, 32, "arm1_value", "arm 1: value";
    ARM1_MASK = 9, 0, 32, "arm1_mask", "arm 1: mask";
    ARM2_VALUE = 10, 0, 32, "arm2_value", "arm 2: value";
    ARM2_MASK = 11, 0, 32, "arm2_mask", "arm 2: mask";
    ARM3_VALUE = 12, 0, 32, "arm3_value", "arm 3: value";
    ARM3_MASK = 13, 0, 32, "arm3_mask", "arm 3: mask";
    ARM0_NEXT = 14, 0, 8, "arm0_next", "next row when arm 0 matches";
    ARM1_NEXT = 14, 8, 8, "arm1_next", "next row when arm 1 matches";
    ARM2_NEXT = 14, 16, 8, "arm2_next", "next row when arm 2 matches";
    ARM3_NEXT = 14, 24, 8, "arm3_next", "next row when arm 3 matches";
    ARM0_SET = 15, 0, 8, "arm0_set", "flags that arm 0 ORs in";
    ARM1_SET = 15, 8, 8, "arm1_set", "flags that arm 1 ORs in";
    ARM2_SET = 15, 16, 8, "arm2_set", "flags that arm 2 ORs in";
    ARM3_SET = 15, 24, 8, "arm3_set", "flags that arm 3 ORs in";
}

/// Destination and byte of each extract.
pub(super) const EXTRACT_FIELDS: [(Field, Field); EXTRACTS] = [
    (EXTRACT0_DEST, EXTRACT0_SEL),
    (EXTRACT1_DEST, EXTRACT1_SEL),
    (EXTRACT2_DEST, EXTRACT2_SEL),
    (EXTRACT3_DEST, EXTRACT3_SEL),
];
/// Value, mask, next and flags of each arm.
pub(super) const ARM_FIELDS: [[Field; 4]; ARMS] = [
    [ARM0_VALUE, ARM0_MASK, ARM0_NEXT, ARM0_SET],
    [ARM1_VALUE, ARM1_MASK, ARM1_NEXT, ARM1_SET],
    [ARM2_VALUE, ARM2_MASK, ARM2_NEXT, ARM2_SET],
    [ARM3_VALUE, ARM3_MASK, ARM3_NEXT, ARM3_SET],
];

codes! {
    /// Where an extract goes.
    Dest {
        None = 0, "none", "nothing is extracted";
        Vlan0 = 1, "vlan0", "outer tag, 2 bytes";
        Vlan1 = 2, "vlan1", "inner tag, 2 bytes";
        SrcHi = 3, "src_hi", "source address, upper 8 bytes";
        SrcLo = 4, "src_lo", "source address, lower 8 bytes";
        DstHi = 5, "dst_hi", "destination address, upper 8 bytes";
        DstLo = 6, "dst_lo", "destination address, lower 8 bytes";
        Src4 = 7, "src4", "IPv4 source address, 4 bytes: src_lo, its upper half 0";
        Dst4 = 8, "dst4", "IPv4 destination address, 4 bytes: dst_lo, its upper half 0";
        Sport = 9, "sport", "source port, 2 bytes";
        Dport = 10, "dport", "destination port, 2 bytes";
        Seq = 11, "seq", "TCP sequence number, 4 bytes";
        TcpFlags = 12, "tcp_flags", "TCP flags, 1 byte";
    }
}

impl Dest {
    /// Bytes taken from the chunk.
    pub const fn bytes(self) -> usize {
        match self {
            Dest::None => 0,
            Dest::TcpFlags => 1,
            Dest::Vlan0 | Dest::Vlan1 | Dest::Sport | Dest::Dport => 2,
            Dest::Src4 | Dest::Dst4 | Dest::Seq => 4,
            Dest::SrcHi | Dest::SrcLo | Dest::DstHi | Dest::DstLo => 8,
        }
    }
}
