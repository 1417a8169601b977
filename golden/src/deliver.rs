//! The driver's side: walks the completion ring in host memory and hands up trains and returned buffers.
//!
//! Knows nothing of the engine but the formats: it reads entries by their phase bit, finds buffers by the cookies that it
//! posted, and refuses whatever a driver could not live with. So it serves for the hardware's memory as for the model's.

use std::collections::HashMap;

use pagetrain_formats::{Buf, BufId, BufStatus, Completion, Ext, Pkt, COMPLETION_BYTES};

use crate::memory::Memory;
use crate::registers::Place;

mod error;
mod train;

pub use error::DeliverError;
pub use train::{Packet, Piece, Train};

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
