//! The driver's side: walks the completion ring in host memory and hands up trains and returned buffers.
//!
//! Knows nothing of the engine but the formats: it reads entries by their phase bit, finds buffers by the cookies that it
//! posted, and refuses whatever a driver could not live with. So it serves for the hardware's memory as for the model's.

use std::collections::HashMap;

use pagetrain_formats::{
    Buf, BufId, BufStatus, Completion, Ext, Head, Pkt, COMPLETION_BYTES, SMALL_BYTES,
};

use crate::memory::Memory;
use crate::registers::Place;

pub use crate::deliver_error::DeliverError;

/// A page that the driver has posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedPage {
    /// Bus address.
    pub addr: u64,
    /// Bytes.
    pub length: u32,
    /// Bytes to leave at its start.
    pub headroom: u32,
    /// End of the last fragment seen, from the page's start.
    pub seen: u32,
}

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
    smalls: [Option<u64>; 2],
    /// Where its fragments lie in [`Train::pieces`].
    pieces: std::ops::Range<usize>,
}

/// A train: packets that were delivered together, in arrival order.
#[derive(Clone, Debug, Default)]
pub struct Train {
    head: Option<Head>,
    /// Free-running index of its first entry in the completion ring.
    pub first_entry: u64,
    /// Its packets.
    pub packets: Vec<Packet>,
    pieces: Vec<Piece>,
    smalls: Vec<u32>,
    entries: usize,
    missing_exts: usize,
}

impl Train {
    /// The facts in its HEAD. None only for a train that has not been handed up.
    pub fn head(&self) -> Option<Head> {
        self.head
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

    fn clear(&mut self) {
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

/// What the walk gives, in ring order.
#[derive(Clone, Copy, Debug)]
pub enum Delivery<'a> {
    /// A train. Its buffers may be read until the driver posts them again.
    Train(&'a Train),
    /// A buffer is the driver's again: a small buffer whose train was handed up, or a page that is full.
    Finished(BufId),
    /// A buffer came back by a BUF entry.
    Returned(Buf),
    /// The queue has stopped.
    Stopped,
}

/// The walk along one completion ring.
#[derive(Clone, Debug)]
pub struct Walker {
    ring: Place,
    taken: u64,
    smalls: HashMap<u32, u64>,
    pages: HashMap<u32, PostedPage>,
    train: Train,
}

impl Walker {
    /// A walk from the first entry of a ring that the host has zeroed.
    pub fn new(ring: Place) -> Self {
        Self {
            ring,
            taken: 0,
            smalls: HashMap::new(),
            pages: HashMap::new(),
            train: Train::default(),
        }
    }

    /// The driver posts a small buffer. Returns false if the cookie is in use.
    pub fn post_small(&mut self, cookie: u32, addr: u64) -> bool {
        self.smalls.insert(cookie, addr).is_none()
    }

    /// The driver posts a page. Returns false if the cookie is in use.
    pub fn post_page(&mut self, cookie: u32, addr: u64, length: u32, headroom: u32) -> bool {
        let page = PostedPage {
            addr,
            length,
            headroom,
            seen: headroom,
        };
        self.pages.insert(cookie, page).is_none()
    }

    /// Entries taken so far; its low 16 bits are what CQ_HEAD is to be set to.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Small buffers and pages that the engine still has.
    pub fn outstanding(&self) -> (usize, usize) {
        (self.smalls.len(), self.pages.len())
    }

    /// Takes every entry that is there and hands up what is complete. Stops at the first entry that breaks a rule.
    pub fn poll(
        &mut self,
        memory: &impl Memory,
        mut sink: impl FnMut(Delivery<'_>),
    ) -> Result<(), DeliverError> {
        loop {
            let index = self.taken & ((1 << self.ring.log2) - 1);
            let lap = self.taken >> self.ring.log2;
            let mut bytes = [0; COMPLETION_BYTES];
            memory.read(
                self.ring.base.wrapping_add(index * COMPLETION_BYTES as u64),
                &mut bytes,
            );
            // Bit 31 of the last dword; the rest of the entry is only valid once it has this lap's phase.
            if (bytes[COMPLETION_BYTES - 1] & 0x80 != 0) != (lap % 2 == 0) {
                return Ok(());
            }
            let entry = self.taken;
            let at = |source| DeliverError::Entry { entry, source };
            let (completion, _) = Completion::decode(&bytes).map_err(at)?;
            self.taken += 1;
            match completion {
                Completion::Pkt(pkt) => self.packet(entry, pkt, &mut sink)?,
                Completion::Ext(ext) => self.extension(entry, ext, &mut sink)?,
                Completion::Buf(buf) => {
                    self.between_trains(entry, "BUF")?;
                    self.returned(entry, &buf)?;
                    sink(Delivery::Returned(buf));
                }
                Completion::Stop => {
                    self.between_trains(entry, "STOP")?;
                    sink(Delivery::Stopped);
                }
            }
        }
    }

    fn between_trains(&self, entry: u64, what: &'static str) -> Result<(), DeliverError> {
        match self.train.head {
            Some(_) => Err(DeliverError::Inside {
                entry,
                what,
                first: self.train.first_entry,
            }),
            None => Ok(()),
        }
    }

    fn packet(
        &mut self,
        entry: u64,
        pkt: Pkt,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<(), DeliverError> {
        match (pkt.head, self.train.head) {
            (Some(head), None) => {
                self.train.head = Some(head);
                self.train.first_entry = entry;
            }
            (None, Some(_)) if self.train.missing_exts == 0 => {}
            (Some(_), Some(_)) | (None, Some(_)) => {
                let first = self.train.first_entry;
                return Err(DeliverError::Inside {
                    entry,
                    what: "PKT",
                    first,
                });
            }
            (None, None) => return Err(DeliverError::Headless { entry, what: "PKT" }),
        }
        let mut smalls = [None; 2];
        if pkt.hdr_len > 0 {
            smalls[0] = Some(self.take_small(entry, pkt.hdr_cookie)?);
        }
        let first = self.train.pieces.len();
        self.train.packets.push(Packet {
            pkt,
            smalls,
            pieces: first..first,
        });
        self.train.missing_exts = pkt.ext_count.into();
        if pkt.frag_len > 0 {
            self.piece(
                entry,
                pkt.page_cookie,
                pkt.page_offset,
                pkt.frag_len,
                pkt.page_full,
            )?;
        }
        self.entry_done(entry, sink)
    }

    fn extension(
        &mut self,
        entry: u64,
        ext: Ext,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<(), DeliverError> {
        if self.train.missing_exts == 0 {
            return Err(DeliverError::Headless { entry, what: "EXT" });
        }
        self.train.missing_exts -= 1;
        match ext {
            Ext::Small { cookie } => {
                let addr = self.take_small(entry, cookie)?;
                if let Some(packet) = self.train.packets.last_mut() {
                    packet.smalls[1] = Some(addr);
                }
            }
            Ext::Page {
                cookie,
                offset,
                len,
                full,
            } => self.piece(entry, cookie, offset, len, full)?,
        }
        self.entry_done(entry, sink)
    }

    fn take_small(&mut self, entry: u64, cookie: u32) -> Result<u64, DeliverError> {
        self.train.smalls.push(cookie);
        self.smalls.remove(&cookie).ok_or(DeliverError::Cookie {
            entry,
            kind: "small buffer",
            cookie,
        })
    }

    fn piece(
        &mut self,
        entry: u64,
        cookie: u32,
        offset: u16,
        len: u16,
        full: bool,
    ) -> Result<(), DeliverError> {
        let unknown = DeliverError::Cookie {
            entry,
            kind: "page",
            cookie,
        };
        let page = self.pages.get_mut(&cookie).ok_or(unknown)?;
        let (offset, len) = (u32::from(offset), u32::from(len));
        let end = offset + len;
        let fits = offset == page.seen && len > 0 && end <= page.length;
        if !fits || full != (end == page.length) {
            let (expected, length) = (page.seen, page.length);
            return Err(DeliverError::Piece {
                entry,
                cookie,
                offset,
                len,
                full,
                expected,
                length,
            });
        }
        page.seen = end;
        let addr = page.addr.wrapping_add(offset.into());
        if full {
            self.pages.remove(&cookie);
        }
        self.train.pieces.push(Piece {
            cookie,
            addr,
            offset,
            len,
            full,
        });
        if let Some(packet) = self.train.packets.last_mut() {
            packet.pieces.end = self.train.pieces.len();
        }
        Ok(())
    }

    fn returned(&mut self, entry: u64, buf: &Buf) -> Result<(), DeliverError> {
        let (kind, cookie) = match buf.id {
            BufId::Small(cookie) => ("small buffer", cookie),
            BufId::Page(cookie) => ("page", cookie),
        };
        let fill = u32::from(buf.fill);
        let (known, expected) = match buf.id {
            BufId::Small(cookie) => (self.smalls.remove(&cookie).is_some(), 0),
            BufId::Page(cookie) => match self.pages.remove(&cookie) {
                Some(page) if buf.status == BufStatus::Released => (true, page.seen),
                page => (page.is_some_and(|p| p.seen == p.headroom), 0),
            },
        };
        if !known {
            return Err(DeliverError::Cookie {
                entry,
                kind,
                cookie,
            });
        }
        if fill != expected {
            return Err(DeliverError::Fill {
                entry,
                cookie,
                fill,
                expected,
            });
        }
        Ok(())
    }

    /// After each entry of a train: checks its packet and, after the last one, hands the train up.
    fn entry_done(
        &mut self,
        entry: u64,
        sink: &mut impl FnMut(Delivery<'_>),
    ) -> Result<(), DeliverError> {
        let train = &mut self.train;
        train.entries += 1;
        if train.missing_exts > 0 {
            return Ok(());
        }
        let Some(head) = train.head else {
            return Ok(());
        };
        if train.entries < usize::from(head.train_entries) {
            return Ok(());
        }
        train.check(entry, &head)?;
        sink(Delivery::Train(train));
        for &cookie in &train.smalls {
            sink(Delivery::Finished(BufId::Small(cookie)));
        }
        for piece in train.pieces.iter().filter(|p| p.full) {
            sink(Delivery::Finished(BufId::Page(piece.cookie)));
        }
        train.clear();
        Ok(())
    }
}

impl Train {
    fn check(&self, entry: u64, head: &Head) -> Result<(), DeliverError> {
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
}
