//! A simple host: owns rings and buffers, posts them, takes completions and posts again what came back.
//!
//! It touches memory and the register port only, as a driver would; the caller carries its register writes to an engine.

use pagetrain_formats::{
    regs, BufId, Config, Descriptor, COMPLETION_BYTES, DESCRIPTOR_BYTES, RING_ALIGN, SMALL_BYTES,
};

use crate::access::RegisterWrite;
use crate::deliver::{Delivery, Walker};
use crate::memory::{HostMemory, Memory};
use crate::registers::Place;

mod options;

pub use options::{HostError, HostOptions};

/// Bit of a cookie that tells a page from a small buffer.
const PAGE_COOKIE: u32 = 1 << 31;

/// Cookie of the buffer with this index: a number that has every bit set for some buffer, so that one that is lost on
/// the way shows.
fn cookie(index: usize) -> u32 {
    let low = index as u32 & 0xFFFF;
    (!low & 0x7FFF) << 16 | low
}

/// Index of the buffer with this cookie.
fn index(cookie: u32) -> u32 {
    cookie & 0xFFFF
}

/// One ring of buffers as the host keeps it.
#[derive(Clone, Debug)]
struct Pool {
    ring: Place,
    tail_register: u16,
    tail: u16,
    descriptors: Vec<Descriptor>,
    free: Vec<u32>,
    rung: u16,
}

impl Pool {
    /// Writes descriptors for every free buffer.
    fn post(&mut self, memory: &mut impl Memory, mut posted: impl FnMut(&Descriptor)) {
        for index in std::mem::take(&mut self.free) {
            let descriptor = self.descriptors[index as usize];
            self.write(&descriptor, memory);
            posted(&descriptor);
        }
    }

    /// Writes a descriptor into the next slot of the ring.
    fn write(&mut self, descriptor: &Descriptor, memory: &mut impl Memory) {
        let slot = u64::from(self.tail) & ((1 << self.ring.log2) - 1);
        memory.poke(
            self.ring.base + slot * DESCRIPTOR_BYTES as u64,
            &descriptor.encode(),
        );
        self.tail = self.tail.wrapping_add(1);
    }

    /// A buffer is the host's again; a cookie that is not of its own buffers is nobody's.
    fn free(&mut self, cookie: u32) {
        let index = index(cookie);
        let own = self.descriptors.get(index as usize);
        if own.is_some_and(|d| d.cookie == cookie) {
            self.free.push(index);
        }
    }

    /// After a reset of the engine: everything is free, nothing is posted.
    fn restart(&mut self) {
        self.free = (0..self.descriptors.len() as u32).collect();
        (self.tail, self.rung) = (0, 0);
    }

    fn doorbell(&mut self) -> Option<RegisterWrite> {
        let news = self.tail != self.rung;
        self.rung = self.tail;
        news.then(|| RegisterWrite::new(self.tail_register, self.tail.into()))
    }
}

/// The host.
#[derive(Clone, Debug)]
pub struct Host {
    smalls: Pool,
    pages: Pool,
    completions: Place,
    walker: Walker,
    taken: u64,
    stopped: bool,
    extent: (u64, usize),
}

impl Host {
    /// Allocates rings and buffers in `memory`. Nothing is posted yet.
    pub fn new(
        options: &HostOptions,
        config: &Config,
        memory: &mut HostMemory,
    ) -> Result<Self, HostError> {
        options.check(config)?;
        let mut next = options.base;
        let mut region = |bytes: usize| {
            let base = next;
            next += (bytes as u64).next_multiple_of(RING_ALIGN);
            if bytes == 0 || memory.add_region(base, bytes) {
                Ok(base)
            } else {
                Err(HostError::Taken { base, bytes })
            }
        };
        let mut ring =
            |log2: u32, entry: usize| region(entry << log2).map(|base| Place { base, log2 });
        let small_ring = ring(options.small_log2, DESCRIPTOR_BYTES)?;
        let page_ring = ring(options.page_log2, DESCRIPTOR_BYTES)?;
        let completions = ring(options.completion_log2, COMPLETION_BYTES)?;

        let first_small = region(SMALL_BYTES * options.smalls)?;
        let smalls = (0..options.smalls).map(|i| Descriptor {
            addr: first_small + (SMALL_BYTES * i) as u64,
            cookie: cookie(i),
            length: SMALL_BYTES as u32,
            headroom: 0,
        });
        let smalls = smalls.collect();
        let step = RING_ALIGN;
        let space = |length: u32| u64::from(length).next_multiple_of(step);
        let all: u64 = options.pages.iter().map(|&(length, _)| space(length)).sum();
        let mut addr = region(all as usize)?;
        let mut pages = Vec::with_capacity(options.pages.len());
        for (i, &(length, headroom)) in options.pages.iter().enumerate() {
            let cookie = PAGE_COOKIE | cookie(i);
            pages.push(Descriptor {
                addr,
                cookie,
                length,
                headroom,
            });
            addr += space(length);
        }
        let pool = |ring, tail_register, descriptors: Vec<Descriptor>| Pool {
            ring,
            tail_register,
            tail: 0,
            free: (0..descriptors.len() as u32).collect(),
            descriptors,
            rung: 0,
        };
        Ok(Self {
            smalls: pool(small_ring, regs::SB_TAIL, smalls),
            pages: pool(page_ring, regs::PG_TAIL, pages),
            completions,
            walker: Walker::new(completions),
            taken: 0,
            stopped: false,
            extent: (options.base, (addr - options.base) as usize),
        })
    }

    /// Base and bytes of everything that was allocated, rings and buffers.
    pub fn extent(&self) -> (u64, usize) {
        self.extent
    }

    /// Base of the completion ring, and the base-2 logarithm of its entries.
    pub fn completion_ring(&self) -> (u64, u32) {
        (self.completions.base, self.completions.log2)
    }

    /// Completion entries taken so far.
    pub fn taken(&self) -> u64 {
        self.walker.taken()
    }

    /// The register writes that tell the engine where the rings lie.
    pub fn configuration(&self) -> Vec<(u16, u32)> {
        let rings = [
            (
                regs::SB_BASE_LO,
                regs::SB_BASE_HI,
                regs::SB_LOG2,
                self.smalls.ring,
            ),
            (
                regs::PG_BASE_LO,
                regs::PG_BASE_HI,
                regs::PG_LOG2,
                self.pages.ring,
            ),
            (
                regs::CQ_BASE_LO,
                regs::CQ_BASE_HI,
                regs::CQ_LOG2,
                self.completions,
            ),
        ];
        let writes = rings.map(|(low, high, log2, ring)| {
            [
                (low, ring.base as u32),
                (high, (ring.base >> 32) as u32),
                (log2, ring.log2),
            ]
        });
        writes.concat()
    }

    /// Posts every buffer that is free; the doorbells to ring.
    pub fn post(&mut self, memory: &mut impl Memory) -> impl Iterator<Item = RegisterWrite> {
        if !self.stopped {
            let walker = &mut self.walker;
            self.smalls.post(memory, |d| {
                walker.post_small(d.cookie, d.addr);
            });
            self.pages.post(memory, |d| {
                walker.post_page(d.cookie, d.addr, d.length, d.headroom.into());
            });
        }
        self.smalls
            .doorbell()
            .into_iter()
            .chain(self.pages.doorbell())
    }

    /// Posts a small buffer by a descriptor that is not the host's own: what a broken driver would do. The doorbell to ring.
    pub fn post_small(
        &mut self,
        descriptor: &Descriptor,
        memory: &mut impl Memory,
    ) -> Option<RegisterWrite> {
        self.smalls.write(descriptor, memory);
        self.walker.post_small(descriptor.cookie, descriptor.addr);
        self.smalls.doorbell()
    }

    /// The same for a page.
    pub fn post_page(
        &mut self,
        descriptor: &Descriptor,
        memory: &mut impl Memory,
    ) -> Option<RegisterWrite> {
        let (length, headroom) = (descriptor.length, descriptor.headroom.into());
        self.pages.write(descriptor, memory);
        self.walker
            .post_page(descriptor.cookie, descriptor.addr, length, headroom);
        self.pages.doorbell()
    }

    /// After a reset of the engine: every buffer is the host's again, and the completion ring is empty.
    pub fn restart(&mut self, memory: &mut impl Memory) {
        self.smalls.restart();
        self.pages.restart();
        let ring = self.completions;
        memory.poke(ring.base, &vec![0; COMPLETION_BYTES << ring.log2]);
        self.walker = Walker::new(ring);
        (self.taken, self.stopped) = (0, false);
    }

    /// Takes every completion that is there and hands it up; buffers that are the host's again are free to be posted.
    /// The doorbell that tells the engine.
    pub fn poll(
        &mut self,
        memory: &impl Memory,
        mut sink: impl FnMut(Delivery<'_>),
    ) -> Result<Option<RegisterWrite>, HostError> {
        let Self {
            smalls,
            pages,
            stopped,
            ..
        } = self;
        let mut free = |id: BufId| match id {
            BufId::Small(cookie) => smalls.free(cookie),
            BufId::Page(cookie) => pages.free(cookie),
        };
        self.walker.poll(memory, |delivery| {
            sink(delivery);
            match delivery {
                Delivery::Train(_) => {}
                Delivery::Finished(id) => free(id),
                Delivery::Returned(buf) => free(buf.id),
                Delivery::Stopped => *stopped = true,
            }
        })?;
        let taken = self.walker.taken();
        let news = taken != self.taken;
        self.taken = taken;
        Ok(news.then(|| RegisterWrite::new(regs::CQ_HEAD, taken as u32 & 0xFFFF)))
    }

    /// The queue has stopped.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Small buffers and pages that the engine has.
    pub fn outstanding(&self) -> (usize, usize) {
        self.walker.outstanding()
    }
}
