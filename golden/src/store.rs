//! Ingress and the frame store: what is dropped before anything is known of a frame (design section 2).

use std::collections::VecDeque;

use crate::parser::Parsed;

/// What the observer of the engine says of a frame, since it depends on the engine's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: the frame went into the store unless the model itself finds a cause to drop it.
    Taken,
    /// The store had no room for it.
    Overflow,
    /// The engine was disabled, stopped or halted at its first beat.
    Disabled,
}

/// A frame in the store.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Its number, modulo 2^16.
    pub rx_seq: u16,
    /// Its bytes as received.
    pub bytes: Vec<u8>,
    /// What the parser found.
    pub parsed: Parsed,
}

/// The frame store: first in, first out.
#[derive(Clone, Debug, Default)]
pub struct Store {
    frames: VecDeque<Stored>,
    /// Frames that have left, kept for their allocations.
    spare: Vec<Stored>,
    bytes: usize,
}

impl Store {
    /// Puts a frame at the end.
    pub fn push(&mut self, rx_seq: u16, bytes: &[u8], parsed: Parsed) {
        let mut frame = self.spare.pop().unwrap_or_default();
        frame.bytes.clear();
        frame.bytes.extend_from_slice(bytes);
        frame.rx_seq = rx_seq;
        frame.parsed = parsed;
        self.bytes += bytes.len();
        self.frames.push_back(frame);
    }

    /// Number of the oldest frame.
    pub fn oldest(&self) -> Option<u16> {
        self.frames.front().map(|f| f.rx_seq)
    }

    /// Takes the oldest frame out.
    pub fn pop(&mut self) -> Option<Stored> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes.len();
        Some(frame)
    }

    /// Gives a frame back that was taken out, for its allocation.
    pub fn recycle(&mut self, frame: Stored) {
        self.spare.push(frame);
    }

    /// Undoes [`Store::pop`].
    pub fn put_back(&mut self, frame: Stored) {
        self.bytes += frame.bytes.len();
        self.frames.push_front(frame);
    }

    /// Empties the store; how many frames there were.
    pub fn clear(&mut self) -> usize {
        let count = self.frames.len();
        self.spare.extend(self.frames.drain(..));
        self.bytes = 0;
        count
    }

    /// Frames in the store.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes of the frames in the store.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
