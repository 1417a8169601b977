//! What is counted of the trains that the host takes.

use pagetrain_formats::Reason;
use pagetrain_golden::deliver::{Piece, Train};
use std::collections::BTreeMap;

/// Sums over all trains.
#[derive(Debug, Default)]
pub struct Tally {
    /// Trains of watched flows, and their packets.
    pub trains: u64,
    /// Packets in them.
    pub train_packets: u64,
    /// Packets of no watched flow.
    pub other_packets: u64,
    /// Bytes of payload in pages: of packets that were split.
    pub payload: u64,
    /// Of these, bytes in pages that one train filled from first to last byte.
    pub mappable: u64,
    /// Such pages.
    pub mappable_pages: u64,
    /// Packets of watched flows by close reason.
    pub reasons: BTreeMap<Reason, u64>,
}

impl Tally {
    /// Counts a train; pages are `page_size` bytes long.
    pub fn add(&mut self, train: &Train, page_size: u32) {
        let packets = train.packets.len() as u64;
        let watched = train.packets.first().is_some_and(|p| p.pkt.watched);
        if watched {
            self.trains += 1;
            self.train_packets += packets;
            if let Some(head) = train.head() {
                *self.reasons.entry(head.reason).or_default() += packets;
            }
        } else {
            self.other_packets += packets;
        }
        if !train.packets.iter().all(|p| p.pkt.split) {
            return;
        }
        for part in parts(train.all_pieces()) {
            self.payload += u64::from(part.len);
            if part.offset == 0 && part.len == page_size {
                self.mappable += u64::from(part.len);
                self.mappable_pages += 1;
            }
        }
    }
}

/// A train's pieces, those that follow one another in a page taken together.
pub fn parts(pieces: &[Piece]) -> Vec<Piece> {
    let mut parts: Vec<Piece> = Vec::new();
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.cookie == piece.cookie && last.offset + last.len == piece.offset => {
                last.len += piece.len;
                last.full = piece.full;
            }
            _ => parts.push(*piece),
        }
    }
    parts
}
