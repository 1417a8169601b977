//! PKT entry: fields and their coding.

use super::{CompletionError, Head, Pkt, DWORDS};
use crate::codes::{Csum, Reason, L3, L4};
use crate::layout::{Field, Layout};

/// One constant a field; with a name before the first, also the list of them all.
macro_rules! fields {
    ($([$list:ident])? $($name:ident = $dword:literal, $lsb:literal, $width:literal, $text:literal, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: Field = Field::new($dword, $lsb, $width, $text, $doc);)*
        fields!(@list [$($list)?] $($name)*);
    };
    (@list [] $($name:ident)*) => {};
    (@list [$list:ident] $($name:ident)*) => {
        const $list: &[Field] = &[$($name,)*];
    };
}
pub(crate) use fields;

fields! {
    [FIELDS]
    HDR_COOKIE = 0, 0, 32, "hdr_cookie", "cookie of the (first) small buffer; 0 if hdr_len = 0";
    PAGE_COOKIE = 1, 0, 32, "page_cookie", "cookie of the page of the first fragment; 0 if none";
    PAGE_OFFSET = 2, 0, 16, "page_offset", "where the fragment begins, bytes from the page's start, headroom included";
    FRAG_LEN = 2, 16, 16, "frag_len", "bytes of the first fragment";
    FRAME_LEN = 3, 0, 16, "frame_len", "bytes of the frame as received";
    RX_SEQ = 3, 16, 16, "rx_seq", "number of the frame since reset, dropped ones counted";
    VLAN0 = 4, 0, 16, "vlan0", "outer tag (TCI); 0 if absent";
    VLAN1 = 4, 16, 16, "vlan1", "inner tag (TCI); 0 if absent";
    HDR_LEN = 5, 0, 10, "hdr_len", "bytes in small buffers";
    L3_OFF = 5, 10, 8, "l3_off", "offset of the IP header in what was written";
    L4_OFF = 5, 18, 9, "l4_off", "offset of the TCP or UDP header in what was written";
    EXT_COUNT = 5, 27, 5, "ext_count", "EXT entries that follow";
    TRAIN_BYTES = 6, 0, 20, "train_bytes", "HEAD only: payload bytes of the train (whole frame where unsplit in a page; 0 where it lies whole in a small buffer)";
    TRAIN_PACKETS = 6, 20, 7, "train_packets", "HEAD only: packets of the train";
    TYPE = 7, 0, 2, "type", "type of the entry";
    HEAD = 7, 2, 1, "head", "first packet of a train";
    PAGE_FULL = 7, 4, 1, "page_full", "this fragment filled its page";
    SPLIT = 7, 5, 1, "split", "header in small buffers, payload (if any) in pages";
    PIECE = 7, 6, 1, "piece", "part of a segment that a page's edge cut; its header was rewritten";
    L3_TYPE = 7, 7, 2, "l3", "network protocol";
    L4_TYPE = 7, 9, 2, "l4", "transport protocol";
    IP_CSUM = 7, 11, 2, "ip_csum", "verdict on the IPv4 header checksum";
    L4_CSUM = 7, 13, 2, "l4_csum", "verdict on the TCP or UDP checksum";
    VLAN_COUNT = 7, 15, 2, "vlan_count", "tags found";
    IP_OPT = 7, 17, 1, "ip_opt", "IPv4 options or IPv6 extension headers";
    WATCHED = 7, 18, 1, "watched", "the flow is watched";
    REASON = 7, 19, 5, "reason", "HEAD only: why the train was closed";
    TRAIN_ENTRIES = 7, 24, 7, "train_entries", "HEAD only: entries of the train, this one included";
    PHASE = 7, 31, 1, "phase", "1 in the first lap of the ring, inverted each lap";
}

/// The entry's layout.
pub const LAYOUT: Layout = Layout::new(
    "cqe_pkt",
    "Completion entry PKT: one packet.",
    DWORDS,
    FIELDS,
);

pub(super) fn encode(p: &Pkt, d: &mut [u32; DWORDS]) {
    let mut put = |field: Field, value: u32| field.put(d, value.into());
    put(HDR_COOKIE, p.hdr_cookie);
    put(PAGE_COOKIE, p.page_cookie);
    put(PAGE_OFFSET, p.page_offset.into());
    put(FRAG_LEN, p.frag_len.into());
    put(FRAME_LEN, p.frame_len.into());
    put(RX_SEQ, p.rx_seq.into());
    put(VLAN0, p.vlan0.into());
    put(VLAN1, p.vlan1.into());
    put(HDR_LEN, p.hdr_len.into());
    put(L3_OFF, p.l3_off.into());
    put(L4_OFF, p.l4_off.into());
    put(EXT_COUNT, p.ext_count.into());
    if let Some(head) = &p.head {
        put(HEAD, 1);
        put(TRAIN_BYTES, head.train_bytes);
        put(TRAIN_PACKETS, head.train_packets.into());
        put(REASON, head.reason.code());
        put(TRAIN_ENTRIES, head.train_entries.into());
    }
    put(PAGE_FULL, p.page_full.into());
    put(SPLIT, p.split.into());
    put(PIECE, p.piece.into());
    put(L3_TYPE, p.l3.code());
    put(L4_TYPE, p.l4.code());
    put(IP_CSUM, p.ip_csum.code());
    put(L4_CSUM, p.l4_csum.code());
    put(VLAN_COUNT, p.vlan_count.into());
    put(IP_OPT, p.ip_opt.into());
    put(WATCHED, p.watched.into());
}

pub(super) fn decode(d: &[u32; DWORDS]) -> Result<Pkt, CompletionError> {
    Ok(Pkt {
        hdr_cookie: HDR_COOKIE.get(d) as u32,
        page_cookie: PAGE_COOKIE.get(d) as u32,
        page_offset: PAGE_OFFSET.get(d) as u16,
        frag_len: FRAG_LEN.get(d) as u16,
        frame_len: FRAME_LEN.get(d) as u16,
        rx_seq: RX_SEQ.get(d) as u16,
        vlan0: VLAN0.get(d) as u16,
        vlan1: VLAN1.get(d) as u16,
        hdr_len: HDR_LEN.get(d) as u16,
        l3_off: L3_OFF.get(d) as u8,
        l4_off: L4_OFF.get(d) as u16,
        ext_count: EXT_COUNT.get(d) as u8,
        head: decode_head(d)?,
        page_full: PAGE_FULL.is_set(d),
        split: SPLIT.is_set(d),
        piece: PIECE.is_set(d),
        l3: code(L3_TYPE, d, L3::from_code)?,
        l4: code(L4_TYPE, d, L4::from_code)?,
        ip_csum: code(IP_CSUM, d, Csum::from_code)?,
        l4_csum: code(L4_CSUM, d, Csum::from_code)?,
        vlan_count: code(VLAN_COUNT, d, |c| (c <= 2).then_some(c as u8))?,
        ip_opt: IP_OPT.is_set(d),
        watched: WATCHED.is_set(d),
    })
}

fn decode_head(d: &[u32; DWORDS]) -> Result<Option<Head>, CompletionError> {
    if HEAD.is_set(d) {
        return Ok(Some(Head {
            train_bytes: TRAIN_BYTES.get(d) as u32,
            train_packets: TRAIN_PACKETS.get(d) as u8,
            reason: code(REASON, d, Reason::from_code)?,
            train_entries: TRAIN_ENTRIES.get(d) as u8,
        }));
    }
    for field in [TRAIN_BYTES, TRAIN_PACKETS, REASON, TRAIN_ENTRIES] {
        if field.is_set(d) {
            return Err(bad(field, d, "0 in an entry without HEAD"));
        }
    }
    Ok(None)
}

fn code<T>(
    field: Field,
    d: &[u32],
    decode: impl Fn(u32) -> Option<T>,
) -> Result<T, CompletionError> {
    decode(field.get(d) as u32).ok_or_else(|| bad(field, d, "a defined code"))
}

fn bad(field: Field, d: &[u32], rule: &'static str) -> CompletionError {
    CompletionError::Field {
        entry: "PKT",
        field: field.name,
        value: field.get(d),
        rule,
    }
}
