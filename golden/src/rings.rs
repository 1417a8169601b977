//! Rings of buffers in host memory: small buffers and pages that the host posts (design section 5).

use std::collections::VecDeque;

use pagetrain_formats::{
    Descriptor, DESCRIPTOR_BYTES, PAGE_MIN_ROOM, RING_ALIGN, SMALL_ALIGN, SMALL_BYTES,
};

use crate::error::EngineError;
use crate::memory::HostMemory;
use crate::registers::Place;

/// Which of the two rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingKind {
    /// Small buffers of 256 bytes.
    Small,
    /// Pages of at most so many bytes.
    Page {
        /// `page_size` of the configuration.
        limit: u32,
    },
}

/// A posted buffer: what a good descriptor says, and when it was posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Bus address of its first byte.
    pub addr: u64,
    /// The host's name for it.
    pub cookie: u32,
    /// Bytes.
    pub length: u32,
    /// Bytes to leave at its start.
    pub headroom: u32,
    /// Clock of the doorbell that posted it.
    pub posted: u64,
    /// Its place in the ring, counted as the tail is.
    pub index: u16,
}

impl Buffer {
    /// Bytes that may be written.
    pub fn room(&self) -> u32 {
        self.length - self.headroom
    }

    /// Writes into the buffer at `offset`. Refused if a byte would lie outside it or in its headroom.
    pub fn write(
        &self,
        offset: u32,
        bytes: &[u8],
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        let inside = offset >= self.headroom
            && self
                .length
                .checked_sub(offset)
                .is_some_and(|room| bytes.len() <= room as usize);
        if !inside {
            return Err(EngineError::WriteOutside {
                cookie: self.cookie,
                offset,
                bytes: bytes.len(),
                length: self.length,
                headroom: self.headroom,
            });
        }
        memory.write(self.addr.wrapping_add(u64::from(offset)), bytes);
        Ok(())
    }
}

/// One ring of posted buffers. Indices run freely and wrap at 2^16.
#[derive(Clone, Debug)]
pub struct BufferRing {
    kind: RingKind,
    tail: u16,
    /// Index behind the last descriptor that was used or came back: the engine has fetched at least that far.
    fetched: u16,
    good: VecDeque<Buffer>,
    bad: VecDeque<Buffer>,
    room: u64,
}

impl BufferRing {
    /// A ring with nothing posted.
    pub fn new(kind: RingKind) -> Self {
        Self {
            kind,
            tail: 0,
            fetched: 0,
            good: VecDeque::new(),
            bad: VecDeque::new(),
            room: 0,
        }
    }

    /// The tail doorbell: the host has posted up to `tail`. False, and nothing taken, if that moves backwards or makes
    /// more outstanding than the ring holds.
    ///
    /// How much is outstanding depends on how far the engine has fetched, and that on the bus. `fetch_index` is what was
    /// observed of it (SB_HEAD, PG_HEAD at the doorbell); without it the latest index that is certain counts.
    pub fn post(
        &mut self,
        tail: u16,
        place: Place,
        fetch_index: Option<u16>,
        clock: u64,
        memory: &HostMemory,
    ) -> Result<bool, EngineError> {
        let size = 1u32 << place.log2;
        let head = fetch_index.unwrap_or(self.fetched);
        if head.wrapping_sub(self.fetched) > self.tail.wrapping_sub(self.fetched) {
            return Err(EngineError::FetchIndex {
                ring: self.name(),
                head,
                low: self.fetched,
                high: self.tail,
            });
        }
        let news = tail.wrapping_sub(self.tail);
        if u32::from(news) > size
            || u32::from(self.tail.wrapping_sub(head)) + u32::from(news) > size
        {
            return Ok(false);
        }
        for _ in 0..news {
            let slot = u64::from(self.tail) & u64::from(size - 1);
            let mut bytes = [0; DESCRIPTOR_BYTES];
            memory.read(
                place.base.wrapping_add(slot * DESCRIPTOR_BYTES as u64),
                &mut bytes,
            );
            self.add(Descriptor::decode(&bytes), clock);
            self.tail = self.tail.wrapping_add(1);
        }
        Ok(true)
    }

    fn add(&mut self, d: Descriptor, posted: u64) {
        let headroom = u32::from(d.headroom);
        let (addr, cookie, length, index) = (d.addr, d.cookie, d.length, self.tail);
        let buffer = Buffer {
            addr,
            cookie,
            length,
            headroom,
            posted,
            index,
        };
        if self.is_good(&buffer) {
            self.room += u64::from(buffer.room());
            self.good.push_back(buffer);
        } else {
            self.bad.push_back(buffer);
        }
    }

    fn is_good(&self, b: &Buffer) -> bool {
        match self.kind {
            RingKind::Small => {
                b.addr % SMALL_ALIGN == 0 && b.length == SMALL_BYTES as u32 && b.headroom == 0
            }
            RingKind::Page { limit } => {
                let room = b.length.checked_sub(b.headroom);
                b.addr % RING_ALIGN == 0
                    && b.length <= limit
                    && room.is_some_and(|r| r >= PAGE_MIN_ROOM)
            }
        }
    }

    /// The next good buffer, in ring order.
    pub fn take(&mut self) -> Option<Buffer> {
        let buffer = self.good.pop_front()?;
        self.room -= u64::from(buffer.room());
        self.mark_fetched(buffer.index);
        Some(buffer)
    }

    /// The next bad descriptor, in ring order.
    pub fn take_bad(&mut self) -> Option<Buffer> {
        let buffer = self.bad.pop_front()?;
        self.mark_fetched(buffer.index);
        Some(buffer)
    }

    fn mark_fetched(&mut self, index: u16) {
        let behind = index.wrapping_add(1);
        // A bad descriptor may come back before a good one in front of it is used.
        if self.tail.wrapping_sub(behind) < self.tail.wrapping_sub(self.fetched) {
            self.fetched = behind;
        }
    }

    /// Good buffers posted and not taken.
    pub fn posted(&self) -> usize {
        self.good.len()
    }

    /// Bad descriptors posted that have not come back.
    pub fn bad(&self) -> usize {
        self.bad.len()
    }

    /// Room of the good buffers, in bytes.
    pub fn room(&self) -> u64 {
        self.room
    }

    /// Clock of the doorbell by which `buffers` were posted; none if there are fewer.
    pub fn count_since(&self, buffers: usize) -> Option<u64> {
        match buffers {
            0 => Some(0),
            n => self.good.get(n - 1).map(|b| b.posted),
        }
    }

    /// Clock of the doorbell by which `bytes` of room were posted; none if there is less.
    pub fn room_since(&self, bytes: u64) -> Option<u64> {
        let mut left = bytes;
        let mut buffers = self.good.iter();
        let mut since = 0;
        while left > 0 {
            let buffer = buffers.next()?;
            left = left.saturating_sub(u64::from(buffer.room()));
            since = buffer.posted;
        }
        Some(since)
    }

    /// The host's tail.
    pub fn tail(&self) -> u16 {
        self.tail
    }

    fn name(&self) -> &'static str {
        match self.kind {
            RingKind::Small => "small ring",
            RingKind::Page { .. } => "page ring",
        }
    }
}
