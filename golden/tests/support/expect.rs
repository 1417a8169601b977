//! Expected completions, written from the design page.

use pagetrain_formats::{Buf, BufId, BufStatus, Completion, Csum, Ext, Head, Pkt, Reason, L3, L4};

use super::frames::HEADER;

/// PKT of a default TCP/IPv4 segment of a watched flow, without payload, not the first of its train.
pub fn watched(rx_seq: u16, small: u32) -> Pkt {
    Pkt {
        hdr_cookie: small,
        page_cookie: 0,
        page_offset: 0,
        frag_len: 0,
        frame_len: HEADER as u16,
        rx_seq,
        vlan0: 0,
        vlan1: 0,
        hdr_len: HEADER as u16,
        l3_off: 14,
        l4_off: 34,
        ext_count: 0,
        head: None,
        page_full: false,
        split: true,
        piece: false,
        l3: L3::V4,
        l4: L4::Tcp,
        ip_csum: Csum::Good,
        l4_csum: Csum::Good,
        vlan_count: 0,
        ip_opt: false,
        watched: true,
    }
}

/// PKT of a frame of which nothing is known.
pub fn unknown(rx_seq: u16, small: u32, len: u16) -> Pkt {
    Pkt {
        hdr_len: if small == 0 { 0 } else { len },
        frame_len: len,
        l3_off: 0,
        l4_off: 0,
        split: false,
        l3: L3::None,
        l4: L4::None,
        ip_csum: Csum::None,
        l4_csum: Csum::None,
        watched: false,
        ..watched(rx_seq, small)
    }
}

pub trait PktExt: Sized {
    /// With its first fragment; `frame_len` grows by `len`.
    fn page(self, cookie: u32, offset: u16, len: u16) -> Self;
    fn full(self) -> Self;
    fn exts(self, count: u8) -> Self;
    fn head(self, reason: Reason, packets: u8, bytes: u32, entries: u8) -> Self;
    fn entry(self) -> Completion;
}

impl PktExt for Pkt {
    fn page(self, cookie: u32, offset: u16, len: u16) -> Self {
        let frame_len = self.frame_len + len;
        Pkt {
            page_cookie: cookie,
            page_offset: offset,
            frag_len: len,
            frame_len,
            ..self
        }
    }

    fn full(self) -> Self {
        Pkt {
            page_full: true,
            ..self
        }
    }

    fn exts(self, ext_count: u8) -> Self {
        Pkt { ext_count, ..self }
    }

    fn head(self, reason: Reason, packets: u8, bytes: u32, entries: u8) -> Self {
        let (train_bytes, train_packets, train_entries) = (bytes, packets, entries);
        Pkt {
            head: Some(Head {
                train_bytes,
                train_packets,
                reason,
                train_entries,
            }),
            ..self
        }
    }

    fn entry(self) -> Completion {
        Completion::Pkt(self)
    }
}

pub fn ext_page(cookie: u32, offset: u16, len: u16, full: bool) -> Completion {
    Completion::Ext(Ext::Page {
        cookie,
        offset,
        len,
        full,
    })
}

pub fn ext_small(cookie: u32) -> Completion {
    Completion::Ext(Ext::Small { cookie })
}

pub fn released(cookie: u32, fill: u16) -> Completion {
    Completion::Buf(Buf {
        id: BufId::Page(cookie),
        fill,
        status: BufStatus::Released,
    })
}

pub fn unused_small(cookie: u32) -> Completion {
    Completion::Buf(Buf {
        id: BufId::Small(cookie),
        fill: 0,
        status: BufStatus::Unused,
    })
}

pub fn unused_page(cookie: u32) -> Completion {
    Completion::Buf(Buf {
        id: BufId::Page(cookie),
        fill: 0,
        status: BufStatus::Unused,
    })
}

pub fn bad(id: BufId) -> Completion {
    Completion::Buf(Buf {
        id,
        fill: 0,
        status: BufStatus::BadDesc,
    })
}
