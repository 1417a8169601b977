//! Completion entries: what the host reads, 32 bytes each.

use crate::codes::{BufStatus, Csum, EntryType, Reason, L3, L4};
use crate::layout::{to_bytes, to_dwords, Layout};
use crate::COMPLETION_BYTES;
use thiserror::Error;

pub mod buf;
pub mod ext;
pub mod pkt;

/// Dwords of an entry.
pub const DWORDS: usize = COMPLETION_BYTES / 4;
/// STOP: all zero but the phase.
pub const STOP: Layout = Layout::new(
    "cqe_stop",
    "Completion entry STOP: the queue has stopped, every buffer has come back.",
    DWORDS,
    &[pkt::TYPE, pkt::PHASE],
);
/// All entries' layouts, by type code.
pub const LAYOUTS: [Layout; 4] = [STOP, pkt::LAYOUT, ext::LAYOUT, buf::LAYOUT];

/// A train's facts, in the entry of its first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Payload bytes of the train; of an unsplit frame in a page the whole frame; 0 where a frame lies whole in a small buffer.
    pub train_bytes: u32,
    /// Packets of the train (1 to 64).
    pub train_packets: u8,
    /// Why it was closed.
    pub reason: Reason,
    /// Entries of the train, this one included.
    pub train_entries: u8,
}

/// PKT: one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pkt {
    /// Cookie of the (first) small buffer; 0 if `hdr_len` is 0.
    pub hdr_cookie: u32,
    /// Cookie of the page of the first fragment; 0 if there is none.
    pub page_cookie: u32,
    /// Where the fragment begins, in bytes from the page's start.
    pub page_offset: u16,
    /// Bytes of the fragment.
    pub frag_len: u16,
    /// Bytes of the frame as received.
    pub frame_len: u16,
    /// The frame's number since reset, modulo 2^16.
    pub rx_seq: u16,
    /// Outer tag, 0 if absent.
    pub vlan0: u16,
    /// Inner tag, 0 if absent.
    pub vlan1: u16,
    /// Bytes in small buffers (10 bits).
    pub hdr_len: u16,
    /// Offset of the IP header in what was written, 0 if unknown.
    pub l3_off: u8,
    /// Offset of what follows the IP header (9 bits), 0 if unknown.
    pub l4_off: u16,
    /// EXT entries that follow (5 bits).
    pub ext_count: u8,
    /// Present in the first packet of a train.
    pub head: Option<Head>,
    /// The fragment filled its page.
    pub page_full: bool,
    /// Header in small buffers, payload (if any) in pages.
    pub split: bool,
    /// Part of a segment that a page's edge cut; its header was rewritten.
    pub piece: bool,
    /// Network protocol.
    pub l3: L3,
    /// Transport protocol.
    pub l4: L4,
    /// Verdict on the IPv4 header checksum.
    pub ip_csum: Csum,
    /// Verdict on the TCP or UDP checksum.
    pub l4_csum: Csum,
    /// Tags found: 0 to 2.
    pub vlan_count: u8,
    /// IPv4 options or IPv6 extension headers.
    pub ip_opt: bool,
    /// The flow is watched.
    pub watched: bool,
}

/// EXT: one more buffer of the packet before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ext {
    /// The second small buffer; holds `hdr_len` - 256 bytes.
    Small {
        /// Its cookie.
        cookie: u32,
    },
    /// One more fragment of the payload.
    Page {
        /// Cookie of the page.
        cookie: u32,
        /// Where the fragment begins, in bytes from the page's start.
        offset: u16,
        /// Bytes of the fragment.
        len: u16,
        /// The fragment filled its page.
        full: bool,
    },
}

/// Which buffer a BUF entry speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufId {
    /// The small buffer with this cookie.
    Small(u32),
    /// The page with this cookie.
    Page(u32),
}

/// BUF: a buffer comes back without (more) data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buf {
    /// Which one.
    pub id: BufId,
    /// Fill pointer of a released page, in bytes from its start; else 0.
    pub fill: u16,
    /// How it came back.
    pub status: BufStatus,
}

/// One completion entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The queue has stopped.
    Stop,
    /// One packet.
    Pkt(Pkt),
    /// One more buffer of the packet before it.
    Ext(Ext),
    /// A buffer comes back.
    Buf(Buf),
}

/// An entry that the engine cannot have written.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CompletionError {
    /// Bits that no field covers are set.
    #[error("{entry} dword {dword} = {bits:#010x}: these bits are reserved, must be 0")]
    Reserved {
        /// Type of the entry.
        entry: &'static str,
        /// Dword concerned.
        dword: usize,
        /// The bits that are set.
        bits: u32,
    },
    /// A field holds a code that is not defined, or one that its neighbours forbid.
    #[error("{entry}.{field} = {value}: must be {rule}")]
    Field {
        /// Type of the entry.
        entry: &'static str,
        /// Field concerned.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        rule: &'static str,
    },
}

impl Completion {
    /// Its type.
    pub const fn entry_type(&self) -> EntryType {
        match self {
            Completion::Stop => EntryType::Stop,
            Completion::Pkt(_) => EntryType::Pkt,
            Completion::Ext(_) => EntryType::Ext,
            Completion::Buf(_) => EntryType::Buf,
        }
    }

    /// The entry's dwords, with the phase bit of its lap.
    ///
    /// # Panics
    /// If a value is wider than its field.
    pub fn to_dwords(&self, phase: bool) -> [u32; DWORDS] {
        let mut d = [0; DWORDS];
        pkt::TYPE.put(&mut d, self.entry_type().code().into());
        pkt::PHASE.put(&mut d, phase.into());
        match self {
            Completion::Stop => {}
            Completion::Pkt(p) => pkt::encode(p, &mut d),
            Completion::Ext(e) => ext::encode(e, &mut d),
            Completion::Buf(b) => buf::encode(b, &mut d),
        }
        d
    }

    /// As it lies in host memory, with the phase bit of its lap. Panics like [`Completion::to_dwords`].
    pub fn encode(&self, phase: bool) -> [u8; COMPLETION_BYTES] {
        to_bytes(&self.to_dwords(phase))
    }

    /// The entry and its phase bit. Refuses what no engine may write: reserved bits, undefined codes.
    pub fn from_dwords(d: &[u32; DWORDS]) -> Result<(Self, bool), CompletionError> {
        let code = pkt::TYPE.get(d) as u32;
        let kind = EntryType::ALL[code as usize];
        if let Some((dword, bits)) = LAYOUTS[code as usize].reserved_bits(d) {
            let entry = kind.name();
            return Err(CompletionError::Reserved { entry, dword, bits });
        }
        let entry = match kind {
            EntryType::Stop => Completion::Stop,
            EntryType::Pkt => Completion::Pkt(pkt::decode(d)?),
            EntryType::Ext => Completion::Ext(ext::decode(d)?),
            EntryType::Buf => Completion::Buf(buf::decode(d)?),
        };
        Ok((entry, pkt::PHASE.is_set(d)))
    }

    /// The entry and its phase bit, from host memory. Errors as [`Completion::from_dwords`].
    pub fn decode(bytes: &[u8; COMPLETION_BYTES]) -> Result<(Self, bool), CompletionError> {
        Self::from_dwords(&to_dwords(bytes))
    }
}
