//! A train that is held: its entries, and what may join it (design section 3).

use pagetrain_formats::{Completion, Ext, Head, Reason};

/// An open train. Closed is the state in which it holds no entry.
#[derive(Clone, Debug, Default)]
pub struct Train {
    entries: Vec<Completion>,
    packets: u32,
    bytes: u32,
    next_seq: u32,
    pages: u32,
    opened: u64,
}

/// Limits of a train, from the registers and the configuration.
#[derive(Clone, Copy, Debug)]
pub struct TrainLimits {
    /// Q_MAX_AGGR.
    pub packets: u32,
    /// Q_MAX_BYTES.
    pub bytes: u32,
    /// `train_entries`.
    pub entries: usize,
    /// Q_TRAIN_PAGES with `page_split`.
    pub pages: Option<u32>,
}

impl TrainLimits {
    /// Whether a train that has filled so many pages is to end there.
    pub fn ends_page(&self, filled: u32) -> bool {
        self.pages.is_some_and(|pages| filled >= pages)
    }
}

impl Train {
    /// True if it holds a packet.
    pub fn is_open(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Clock at which its first packet was processed.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Packets held.
    pub fn packets(&self) -> u32 {
        self.packets
    }

    /// Pages that its packets have filled; 0 of a train that is not open.
    pub fn pages(&self) -> u32 {
        if self.is_open() {
            self.pages
        } else {
            0
        }
    }

    /// Small buffers and pages that are the host's once the train is closed and taken.
    pub fn finishes(&self) -> (usize, usize) {
        let small = |e: &&Completion| match e {
            Completion::Pkt(pkt) => pkt.hdr_len > 0,
            Completion::Ext(ext) => matches!(ext, Ext::Small { .. }),
            Completion::Buf(_) | Completion::Stop => false,
        };
        let smalls = self.entries.iter().filter(small).count();
        (smalls, full_pages(&self.entries))
    }

    /// The reason for which a packet that is otherwise fit to join does not: sequence number `seq`, payload `len` bytes.
    pub fn refuses(&self, seq: u32, len: usize, limits: &TrainLimits) -> Option<Reason> {
        // Entries that the packet takes at most: its own, one for a second small buffer, and one for each page edge that
        // its payload can cross, pages having at least 1024 bytes of room.
        let entries = (len >> 10) + 3;
        if seq != self.next_seq {
            Some(Reason::Seq)
        } else if self.bytes as usize + len > limits.bytes as usize {
            Some(Reason::MaxBytes)
        } else if self.entries.len() + entries > limits.entries {
            Some(Reason::MaxAggr)
        } else {
            None
        }
    }

    /// Appends a packet's entries; the first packet opens the train at `clock`.
    pub fn push(&mut self, entries: &[Completion], seq: u32, len: usize, clock: u64) {
        if !self.is_open() {
            self.packets = 0;
            self.bytes = 0;
            self.pages = 0;
            self.opened = clock;
        }
        self.entries.extend_from_slice(entries);
        self.packets += 1;
        self.bytes += len as u32;
        self.pages += full_pages(entries) as u32;
        self.next_seq = seq.wrapping_add(len as u32);
    }

    /// The reason for which it must close after a packet has joined.
    pub fn is_complete(&self, limits: &TrainLimits) -> Option<Reason> {
        if self.packets >= limits.packets {
            Some(Reason::MaxAggr)
        } else if self.bytes >= limits.bytes {
            Some(Reason::MaxBytes)
        } else if limits.ends_page(self.pages) {
            Some(Reason::Page)
        } else {
            None
        }
    }

    /// Closes it: hands its entries, the first with the HEAD fields, to `emit`. The number of packets.
    pub fn close(&mut self, reason: Reason, mut emit: impl FnMut(Completion)) -> u32 {
        let head = Head {
            train_bytes: self.bytes,
            train_packets: self.packets as u8,
            reason,
            train_entries: self.entries.len() as u8,
        };
        if let Some(Completion::Pkt(first)) = self.entries.first_mut() {
            first.head = Some(head);
        }
        self.entries.drain(..).for_each(&mut emit);
        self.packets
    }
}

/// Fragments among the entries that filled their page.
pub fn full_pages(entries: &[Completion]) -> usize {
    let full = |e: &&Completion| match e {
        Completion::Pkt(pkt) => pkt.page_full,
        Completion::Ext(ext) => matches!(ext, Ext::Page { full: true, .. }),
        Completion::Buf(_) | Completion::Stop => false,
    };
    entries.iter().filter(full).count()
}
