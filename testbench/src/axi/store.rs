//! Bytes and permissions in chunks.

use super::burst::ones;
use super::memory::Access;
use crate::sim::Event;
use std::collections::HashMap;
use std::ops::Range;

/// Bytes of a chunk.
pub(super) const CHUNK: usize = 1 << 16;
/// Entries of the lookaside table, so that a beat does not hash.
const LOOKASIDE: usize = 256;

/// Chunks of memory, found without hashing in the usual case.
pub(super) struct Store {
    chunks: Vec<Chunk>,
    index: HashMap<u64, usize>,
    lookaside: Vec<(u64, usize)>,
    /// The design may touch everything.
    pub(super) open: bool,
    pub(super) watches: Vec<(Range<u64>, Event)>,
}

/// 64 KiB: bytes, and a permission bit for each.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) readable: Vec<u64>,
    pub(super) writable: Vec<u64>,
}

impl Chunk {
    pub(super) fn permissions(&mut self, access: Access) -> &mut Vec<u64> {
        match access {
            Access::Read => &mut self.readable,
            Access::Write => &mut self.writable,
        }
    }
}

impl Store {
    pub(super) fn new() -> Store {
        Store {
            chunks: Vec::new(),
            index: HashMap::new(),
            lookaside: vec![(u64::MAX, 0); LOOKASIDE],
            open: false,
            watches: Vec::new(),
        }
    }

    /// The chunk of an address, made if it does not exist.
    #[inline]
    pub(super) fn chunk(&mut self, addr: u64) -> &mut Chunk {
        let tag = addr / CHUNK as u64;
        let slot = tag as usize % LOOKASIDE;
        let (held, index) = self.lookaside[slot];
        if held != tag {
            let index = self.find(tag);
            self.lookaside[slot] = (tag, index);
            return &mut self.chunks[index];
        }
        &mut self.chunks[index]
    }

    #[cold]
    fn find(&mut self, tag: u64) -> usize {
        let Store { chunks, index, .. } = self;
        *index.entry(tag).or_insert_with(|| {
            chunks.push(Chunk {
                bytes: vec![0; CHUNK],
                readable: vec![0; CHUNK / 64],
                writable: vec![0; CHUNK / 64],
            });
            chunks.len() - 1
        })
    }

    /// Calls `part` with each chunk that `len` bytes at `addr` touch: chunk, range in it, range in the whole.
    pub(super) fn parts(
        &mut self,
        addr: u64,
        len: usize,
        mut part: impl FnMut(&mut Chunk, Range<usize>, Range<usize>),
    ) {
        let mut done = 0;
        while done < len {
            let addr = addr.wrapping_add(done as u64);
            let at = addr as usize % CHUNK;
            let count = (CHUNK - at).min(len - done);
            part(self.chunk(addr), at..at + count, done..done + count);
            done += count;
        }
    }

    /// Sets the events of watched ranges that this one meets.
    pub(super) fn touched(&self, range: Range<u64>) {
        for (watched, event) in &self.watches {
            if range.start < watched.end && watched.start < range.end {
                event.set();
            }
        }
    }
}

/// The permission bits of `len` bytes at `at`, `len` a power of two up to 128 and `at` a multiple of it.
#[inline]
pub(super) fn permission(words: &[u64], at: usize, len: usize) -> u128 {
    let word = at / 64;
    match len {
        128 => u128::from(words[word]) | u128::from(words[word + 1]) << 64,
        _ => u128::from(words[word] >> (at % 64)) & ones(len as u64),
    }
}
