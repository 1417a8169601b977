//! The completion ring (design section 4): phase bit, and never ahead of the host.

use std::collections::VecDeque;

use pagetrain_formats::{Completion, COMPLETION_BYTES};

use crate::error::EngineError;
use crate::memory::HostMemory;

/// The ring as the engine keeps it. Indices run freely and wrap at 2^16.
#[derive(Clone, Debug, Default)]
pub struct CompletionRing {
    base: u64,
    log2: u32,
    head: u16,
    tail: u16,
    waiting: VecDeque<Completion>,
    written: u64,
    record: Option<Vec<Completion>>,
}

impl CompletionRing {
    /// Sets where the ring lies. For use before the first entry.
    pub fn place(&mut self, base: u64, log2: u32) {
        self.base = base;
        self.log2 = log2;
    }

    /// After a reset: the count of entries written and the record go on.
    pub fn keep_from(&mut self, old: CompletionRing) {
        self.written = old.written;
        self.record = old.record;
    }

    /// Puts an entry at the end; it waits if the host has not made room. Entries written are never taken back.
    pub fn emit(&mut self, entry: Completion, memory: &mut HostMemory) {
        if let Some(record) = &mut self.record {
            record.push(entry);
        }
        if self.waiting.is_empty() && self.has_room() {
            self.write(&entry, memory);
        } else {
            self.waiting.push_back(entry);
        }
    }

    /// The CQ_HEAD doorbell: the host has taken the entries before `head`. False, and nothing done, if that moves
    /// backwards or passes what was produced.
    ///
    /// `tail` is the engine's produce index as observed (CQ_TAIL at the doorbell): the model writes an entry at its event,
    /// the engine later. Without it the model's own counts.
    pub fn take(
        &mut self,
        head: u16,
        tail: Option<u16>,
        memory: &mut HostMemory,
    ) -> Result<bool, EngineError> {
        let produced = self.tail.wrapping_sub(self.head);
        let seen = tail.map_or(produced, |t| t.wrapping_sub(self.head));
        if seen > produced {
            let tail = self.head.wrapping_add(seen);
            return Err(EngineError::ProduceIndex {
                tail,
                low: self.head,
                high: self.tail,
            });
        }
        if head.wrapping_sub(self.head) > seen {
            return Ok(false);
        }
        self.head = head;
        while self.has_room() {
            let Some(entry) = self.waiting.pop_front() else {
                break;
            };
            self.write(&entry, memory);
        }
        Ok(true)
    }

    fn has_room(&self) -> bool {
        u32::from(self.tail.wrapping_sub(self.head)) < 1 << self.log2
    }

    fn write(&mut self, entry: &Completion, memory: &mut HostMemory) {
        let lap = u32::from(self.tail) >> self.log2;
        let slot = u64::from(self.tail) & ((1 << self.log2) - 1);
        let addr = self.base.wrapping_add(slot * COMPLETION_BYTES as u64);
        memory.write(addr, &entry.encode(lap % 2 == 0));
        self.tail = self.tail.wrapping_add(1);
        self.written += 1;
    }

    /// Entries that wait for the host to make room.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Entries written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// CQ_TAIL.
    pub fn tail(&self) -> u16 {
        self.tail
    }

    /// CQ_HEAD as last accepted.
    pub fn head(&self) -> u16 {
        self.head
    }

    /// Begins to record every entry, the waiting ones too.
    pub fn start_record(&mut self) {
        self.record = Some(Vec::new());
    }

    /// The entries recorded since the last call, in ring order.
    pub fn take_record(&mut self) -> Vec<Completion> {
        self.record.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
