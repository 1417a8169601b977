//! An engine whose host is the test itself: it posts each buffer, brings each frame, and reads each entry.

use pagetrain_formats::program::{tcp, Limits as ProgramLimits};
use pagetrain_formats::{regs, Command, Completion, Config, Counter, Descriptor, EventCode};
use pagetrain_golden::{
    Engine, EngineError, Event, HostMemory, Limits, Outcome, RegisterWrite, Room, Seen, Written,
};

pub const SMALL_RING: u64 = 0x10_0000;
pub const PAGE_RING: u64 = 0x20_0000;
pub const COMPLETION_RING: u64 = 0x30_0000;
pub const SMALLS: u64 = 0x100_0000;
pub const PAGES: u64 = 0x4000_0000;
/// Addresses between two pages: the largest page.
pub const PAGE_STEP: u64 = 0x1_0000;
/// Base-2 logarithm of each ring's size, unless the test says otherwise.
pub const LOG2: u32 = 8;

pub struct Rig {
    pub engine: Engine,
    pub memory: HostMemory,
    pub clock: u64,
    pub log2: u32,
    pub small_tail: u16,
    pub page_tail: u16,
    next_small: u64,
    next_page: u64,
}

/// The register writes that tell where the rings lie.
pub fn rings(log2: u32) -> Vec<(u16, u32)> {
    vec![
        (regs::SB_BASE_LO, SMALL_RING as u32),
        (regs::SB_LOG2, log2),
        (regs::PG_BASE_LO, PAGE_RING as u32),
        (regs::PG_LOG2, log2),
        (regs::CQ_BASE_LO, COMPLETION_RING as u32),
        (regs::CQ_LOG2, log2),
    ]
}

impl Rig {
    /// The default configuration, with these register writes.
    pub fn new(writes: &[(u16, u32)]) -> Self {
        Self::with(&Config::default(), Limits::NONE, writes)
    }

    pub fn with(config: &Config, limits: Limits, writes: &[(u16, u32)]) -> Self {
        let program = tcp(&ProgramLimits::of(config)).unwrap().words();
        Self::with_program(config, limits, writes, &program)
    }

    pub fn with_program(
        config: &Config,
        limits: Limits,
        writes: &[(u16, u32)],
        program: &[[u32; 16]],
    ) -> Self {
        let log2 = writes
            .iter()
            .find(|w| w.0 == regs::CQ_LOG2)
            .map_or(LOG2, |w| w.1);
        let all = [rings(log2), writes.to_vec()].concat();
        let mut engine = Engine::start(config, limits, &all, program).unwrap();
        engine.record_completions();
        let mut memory = HostMemory::new();
        assert!(memory.add_region(COMPLETION_RING, 32 << 15));
        memory.start_log();
        Self {
            engine,
            memory,
            clock: 0,
            log2,
            small_tail: 0,
            page_tail: 0,
            next_small: 0,
            next_page: 0,
        }
    }

    /// A rig with 64 small buffers (cookies 0xA0 on) and 32 pages of 4096 bytes (cookies 0xB0 on).
    pub fn stocked(writes: &[(u16, u32)]) -> Self {
        let mut rig = Self::new(writes);
        rig.stock(64, 32);
        rig
    }

    pub fn stock(&mut self, smalls: u32, pages: u32) {
        (0..smalls).for_each(|i| self.post_small(0xA0 + i));
        (0..pages).for_each(|i| self.post_page(0xB0 + i, 4096, 0));
    }

    pub fn write(&mut self, addr: u16, value: u32) -> Written {
        let write = RegisterWrite::new(addr, value);
        self.engine
            .write_register(write, self.clock, &mut self.memory)
            .unwrap()
    }

    /// Writes a descriptor into the small ring and rings the doorbell.
    pub fn post_small_descriptor(&mut self, descriptor: Descriptor) -> Written {
        let slot = u64::from(self.small_tail) % (1 << self.log2);
        self.memory
            .poke(SMALL_RING + 16 * slot, &descriptor.encode());
        self.small_tail = self.small_tail.wrapping_add(1);
        self.write(regs::SB_TAIL, self.small_tail.into())
    }

    pub fn post_page_descriptor(&mut self, descriptor: Descriptor) -> Written {
        let slot = u64::from(self.page_tail) % (1 << self.log2);
        self.memory
            .poke(PAGE_RING + 16 * slot, &descriptor.encode());
        self.page_tail = self.page_tail.wrapping_add(1);
        self.write(regs::PG_TAIL, self.page_tail.into())
    }

    pub fn post_small(&mut self, cookie: u32) {
        let addr = SMALLS + 256 * self.next_small;
        self.next_small += 1;
        let small = Descriptor {
            addr,
            cookie,
            length: 256,
            headroom: 0,
        };
        assert_eq!(self.post_small_descriptor(small), Written::Taken);
    }

    pub fn post_page(&mut self, cookie: u32, length: u32, headroom: u16) {
        let addr = PAGES + PAGE_STEP * self.next_page;
        self.next_page += 1;
        let page = Descriptor {
            addr,
            cookie,
            length,
            headroom,
        };
        assert_eq!(self.post_page_descriptor(page), Written::Taken);
    }

    pub fn event(&mut self, code: EventCode, arg: u16) -> Result<Outcome, EngineError> {
        self.engine
            .event(Event { code, arg }, self.clock, &mut self.memory)
    }

    /// Brings a frame and has it processed, one clock later than the last.
    pub fn try_frame(&mut self, bytes: &[u8]) -> Result<Outcome, EngineError> {
        self.clock += 1;
        let rx_seq = self
            .engine
            .ingress(bytes, false, Seen::Taken)
            .unwrap()
            .expect("taken into the store");
        self.event(EventCode::Frame, rx_seq)
    }

    pub fn frame(&mut self, bytes: &[u8]) {
        self.try_frame(bytes).unwrap();
    }

    /// Brings a frame and has it dropped for want of buffers.
    pub fn try_drop(&mut self, bytes: &[u8]) -> Result<Room, EngineError> {
        self.clock += 1;
        let rx_seq = self
            .engine
            .ingress(bytes, false, Seen::Taken)
            .unwrap()
            .expect("taken into the store");
        match self.event(EventCode::DropNoBuffer, rx_seq)? {
            Outcome::Dropped(room) => Ok(room),
            Outcome::Done => panic!("a drop was reported as done"),
        }
    }

    pub fn command(&mut self, command: Command, code: EventCode) {
        assert_eq!(self.write(regs::Q_CMD, command.code()), Written::Taken);
        self.event(code, 0).unwrap();
    }

    pub fn timer(&mut self, slot: u16) {
        self.event(EventCode::Timer, slot).unwrap();
    }

    /// Everything that follows STOP, in the order that a host sees.
    pub fn drain(&mut self) {
        while let Some(code) = self.engine.next_stop_event() {
            self.event(code, 0).unwrap();
        }
    }

    /// The entries since the last call, in ring order; the host has taken them.
    pub fn entries(&mut self) -> Vec<Completion> {
        let entries = self.engine.take_completions();
        loop {
            let tail = self.engine.read_register(regs::CQ_TAIL).unwrap();
            assert_eq!(self.write(regs::CQ_HEAD, tail), Written::Taken);
            // More may have waited for the room that this makes.
            if self.engine.waiting_completions() == 0 {
                return entries;
            }
        }
    }

    /// Entry `index` of the completion ring as it lies in memory.
    pub fn dwords(&self, index: u64) -> [u32; 8] {
        self.memory.read_dwords(COMPLETION_RING + 32 * index)
    }

    pub fn bytes(&self, addr: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.memory.read(addr, &mut bytes);
        bytes
    }

    pub fn small_bytes(&self, n: u64, len: usize) -> Vec<u8> {
        self.bytes(SMALLS + 256 * n, len)
    }

    pub fn page_bytes(&self, n: u64, at: u64, len: usize) -> Vec<u8> {
        self.bytes(PAGES + PAGE_STEP * n + at, len)
    }

    pub fn count(&mut self, counter: Counter) -> u64 {
        self.engine.counters().get(counter)
    }
}
