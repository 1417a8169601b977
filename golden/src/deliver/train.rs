//! A train as the driver sees it.

use pagetrain_formats::{Head, Pkt, SMALL_BYTES};

use super::DeliverError;
use crate::memory::Memory;

/// Bytes of a packet in one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The page.
    pub cookie: u32,
    /// Bus address of the first byte.
    pub addr: u64,
    /// First byte, from the page's start.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// It filled the page.
    pub full: bool,
}

/// One packet of a train.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its PKT entry.
    pub pkt: Pkt,
    /// Bus addresses of its small buffers.
    pub(super) smalls: [Option<u64>; 2],
    /// Where its fragments lie in [`Train::pieces`].
    pub(super) pieces: std::ops::Range<usize>,
}

impl Packet {
    /// Bus addresses of its small buffers.
    pub fn smalls(&self) -> impl Iterator<Item = u64> + '_ {
        self.smalls.iter().copied().flatten()
    }
}

/// A train: packets that were delivered together, in arrival order.
#[derive(Clone, Debug, Default)]
pub struct Train {
    pub(super) head: Option<Head>,
    /// Free-running index of its first entry in the completion ring.
    pub first_entry: u64,
    /// Its packets.
    pub packets: Vec<Packet>,
    pub(super) pieces: Vec<Piece>,
    pub(super) smalls: Vec<u32>,
    pub(super) entries: usize,
    pub(super) missing_exts: usize,
}

impl Train {
    /// The facts in its HEAD. None only for a train that has not been handed up.
    pub fn head(&self) -> Option<Head> {
        self.head
    }

    /// Its entries in the completion ring.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The page fragments of a packet.
    pub fn pieces(&self, packet: &Packet) -> &[Piece] {
        &self.pieces[packet.pieces.clone()]
    }

    /// Every page fragment of the train, in order.
    pub fn all_pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Appends a packet's header, as it lies in its small buffers, to `out`.
    pub fn header(&self, packet: &Packet, memory: &impl Memory, out: &mut Vec<u8>) {
        let mut left = usize::from(packet.pkt.hdr_len);
        for addr in packet.smalls.into_iter().flatten() {
            append(memory, addr, left.min(SMALL_BYTES), out);
            left = left.saturating_sub(SMALL_BYTES);
        }
    }

    /// Appends what lies of a packet in pages to `out`: the payload, or the whole frame if it is unsplit.
    pub fn payload(&self, packet: &Packet, memory: &impl Memory, out: &mut Vec<u8>) {
        for piece in self.pieces(packet) {
            append(memory, piece.addr, piece.len as usize, out);
        }
    }

    /// Appends the frame as a stack is handed it: header and payload, without padding and stripped tags.
    pub fn frame(&self, packet: &Packet, memory: &impl Memory, out: &mut Vec<u8>) {
        self.header(packet, memory, out);
        self.payload(packet, memory, out);
    }

    /// Holds the HEAD against the entries.
    pub(super) fn check(&self, entry: u64, head: &Head) -> Result<(), DeliverError> {
        let bytes: u32 = self.pieces.iter().map(|p| p.len).sum();
        let seen = (self.entries, self.packets.len(), bytes);
        let told = (
            head.train_entries.into(),
            head.train_packets.into(),
            head.train_bytes,
        );
        if seen != told {
            return Err(DeliverError::Totals { entry, seen, told });
        }
        for packet in &self.packets {
            let pkt = &packet.pkt;
            let paged: u32 = self.pieces(packet).iter().map(|p| p.len).sum();
            let smalls = usize::from(pkt.hdr_len).div_ceil(SMALL_BYTES);
            let has = packet.smalls.iter().flatten().count();
            let total = u32::from(pkt.hdr_len) + paged;
            let split_ok = pkt.split || pkt.hdr_len == 0 || paged == 0;
            if smalls != has || total > pkt.frame_len.into() || !split_ok {
                return Err(DeliverError::Packet {
                    entry,
                    rx_seq: pkt.rx_seq,
                });
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.head = None;
        self.packets.clear();
        self.pieces.clear();
        self.smalls.clear();
        self.entries = 0;
        self.missing_exts = 0;
    }
}

fn append(memory: &impl Memory, addr: u64, len: usize, out: &mut Vec<u8>) {
    let at = out.len();
    out.resize(at + len, 0);
    memory.read(addr, &mut out[at..]);
}
