//! The engine's register port: configuration, doorbells, commands, reset; and what can be read of it (design section 7).

use pagetrain_formats::{regs, Command, Config, Counter};

use crate::counters::Counters;
use crate::engine::{Engine, Limits, State};
use crate::error::EngineError;
use crate::memory::HostMemory;
use crate::program::ROW_DWORDS;
use crate::registers::{Refusal, Settings, Target};

/// A write on the register port, with what was seen of the engine where its answer depends on its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterWrite {
    /// Byte address.
    pub addr: u16,
    /// Value.
    pub value: u32,
    /// Byte strobes.
    pub strobes: u8,
    /// Doorbells: the engine's own index (SB_HEAD, PG_HEAD, CQ_TAIL) at the write. Without it the model's counts.
    pub index: Option<u16>,
    /// Commands: the engine was still busy with another one. Without it the model's view counts.
    pub busy: Option<bool>,
}

impl RegisterWrite {
    /// A whole-dword write of which nothing else was seen.
    pub fn new(addr: u16, value: u32) -> Self {
        Self {
            addr,
            value,
            strobes: 0xF,
            index: None,
            busy: None,
        }
    }
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It took effect.
    Taken,
    /// It was ignored, and counted in `bad_writes`.
    Refused(Refusal),
    /// A command while another was under way, or in a queue that does not run: ignored, and counted in `bad_writes`.
    Busy,
    /// A doorbell that its ring does not allow: ignored, and counted in `bad_doorbells`.
    BadDoorbell,
}

impl Engine {
    /// An engine that is configured by whole-dword writes, holds the program, and is enabled.
    ///
    /// The first write that is refused is the error.
    pub fn start(
        config: &Config,
        limits: Limits,
        writes: &[(u16, u32)],
        program: &[[u32; ROW_DWORDS]],
    ) -> Result<Self, (u16, Written)> {
        let mut engine = Self::new(config, limits);
        let mut memory = HostMemory::new();
        let enable = regs::CTRL_ENABLE.mask() | regs::CTRL_PARSER_ENABLE.mask();
        let rows = program.iter().enumerate().flat_map(|(row, dwords)| {
            let first = usize::from(regs::PROGRAM_BASE) + 4 * ROW_DWORDS * row;
            dwords
                .iter()
                .enumerate()
                .map(move |(d, &value)| ((first + 4 * d) as u16, value))
        });
        for (addr, value) in writes
            .iter()
            .copied()
            .chain(rows)
            .chain([(regs::CTRL, enable)])
        {
            match engine.write_register(RegisterWrite::new(addr, value), 0, &mut memory) {
                Ok(Written::Taken) => {}
                Ok(refused) => return Err((addr, refused)),
                Err(_) => return Err((addr, Written::BadDoorbell)),
            }
        }
        Ok(engine)
    }

    /// A write on the register port at `clock`. Fails only if what was seen of the engine cannot be.
    pub fn write_register(
        &mut self,
        write: RegisterWrite,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<Written, EngineError> {
        let written = match self.registers.check(write.addr, write.strobes) {
            Err(refusal) => Written::Refused(refusal),
            Ok(Target::Program { row, dword }) => {
                self.parser.load(row, dword, write.value);
                Written::Taken
            }
            Ok(Target::Register(register)) => match register.addr {
                regs::SB_TAIL | regs::PG_TAIL => self.buffer_doorbell(&write, clock, memory)?,
                regs::CQ_HEAD => self.completion_doorbell(&write, clock, memory)?,
                regs::Q_CMD => self.command(&write),
                _ => match self.registers.store(register, write.value) {
                    Err(refusal) => Written::Refused(refusal),
                    Ok(()) => {
                        self.settle(write);
                        Written::Taken
                    }
                },
            },
        };
        match written {
            Written::Taken => {}
            Written::BadDoorbell => self.counters.count(Counter::BadDoorbells),
            Written::Refused(_) | Written::Busy => self.counters.count(Counter::BadWrites),
        }
        Ok(written)
    }

    /// After a register has changed.
    fn settle(&mut self, write: RegisterWrite) {
        if write.addr & !3 == regs::CTRL && write.value & regs::CTRL_RESET.mask() != 0 {
            self.reset();
        }
        self.settings = self.registers.settings();
        let ring = self.settings.completion_ring;
        self.completions.place(ring.base, ring.log2);
    }

    fn buffer_doorbell(
        &mut self,
        write: &RegisterWrite,
        clock: u64,
        memory: &HostMemory,
    ) -> Result<Written, EngineError> {
        let (ring, place) = if write.addr & !3 == regs::SB_TAIL {
            (&mut self.smalls, self.settings.small_ring)
        } else {
            (&mut self.pages, self.settings.page_ring)
        };
        let taken = ring.post(write.value as u16, place, write.index, clock, memory)?;
        Ok(if taken {
            Written::Taken
        } else {
            Written::BadDoorbell
        })
    }

    fn completion_doorbell(
        &mut self,
        write: &RegisterWrite,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<Written, EngineError> {
        if self.completions.waiting() > 0 {
            self.excuse_timers(clock);
        }
        let taken = self
            .completions
            .take(write.value as u16, write.index, memory)?;
        Ok(if taken {
            Written::Taken
        } else {
            Written::BadDoorbell
        })
    }

    fn command(&mut self, write: &RegisterWrite) -> Written {
        let Some(command) = Command::from_code(write.value) else {
            return Written::Refused(Refusal::Illegal);
        };
        if self.state != State::Running || write.busy.unwrap_or(self.pending.is_some()) {
            return Written::Busy;
        }
        self.pending = Some(command);
        Written::Taken
    }

    /// CTRL.reset: everything but configuration, program and counters is as after power-up.
    fn reset(&mut self) {
        let fresh = Self::new(&self.config, self.limits);
        let old = std::mem::replace(self, fresh);
        self.registers = old.registers;
        self.registers.reset();
        self.parser = old.parser;
        self.counters = old.counters;
        self.completions.keep_from(old.completions);
    }

    /// An error response was seen on the bus: counted, and the engine halts.
    pub fn bus_error(&mut self) {
        self.counters.count(Counter::BusErrors);
        if self.state != State::Halted {
            self.drop_stored();
            self.state = State::Halted;
        }
    }

    /// The engine could not act up to `clock`, since its completion ring was full or the bus did not take its data:
    /// until then a timer may be late.
    pub fn excuse_timers(&mut self, clock: u64) {
        self.excused = self.excused.max(clock);
    }

    /// What a read of the register port gives; none where that depends on the engine's clocks (IRQ_STATUS, SB_HEAD,
    /// PG_HEAD). Reading the low half of a counter latches the high one.
    pub fn read_register(&mut self, addr: u16) -> Option<u32> {
        let counters = regs::counter_addr(0)..regs::PROGRAM_BASE;
        Some(match addr & !3 {
            regs::IRQ_STATUS | regs::SB_HEAD | regs::PG_HEAD => return None,
            regs::STATUS => self.status(),
            regs::Q_CMD_DONE => self.commands_done.into(),
            regs::SB_TAIL => self.smalls.tail().into(),
            regs::PG_TAIL => self.pages.tail().into(),
            regs::CQ_HEAD => self.completions.head().into(),
            regs::CQ_TAIL => self.completions.tail().into(),
            at if counters.contains(&at) => {
                self.sync_counters();
                let at = at - counters.start;
                match at % 8 {
                    0 => self.counters.read_low(usize::from(at / 8)),
                    _ if usize::from(at / 8) < self.counters.values().len() => {
                        self.counters.read_high()
                    }
                    _ => 0,
                }
            }
            at => self.registers.get(at),
        })
    }

    fn status(&self) -> u32 {
        let bit = |field: pagetrain_formats::Field, set: bool| if set { field.mask() } else { 0 };
        bit(
            regs::STATUS_ENABLED,
            self.settings.enable && self.state == State::Running,
        ) | bit(regs::STATUS_HALTED, self.state == State::Halted)
            | bit(regs::STATUS_STOPPING, self.state == State::Stopping)
            | bit(regs::STATUS_STOPPED, self.state == State::Stopped)
    }

    fn sync_counters(&mut self) {
        let written = self.completions.written() - self.counters.get(Counter::Completions);
        self.counters.add(Counter::Completions, written);
    }

    /// All counters.
    pub fn counters(&mut self) -> &Counters {
        self.sync_counters();
        &self.counters
    }

    /// Begins to record every completion entry, those that wait for room in the ring too.
    pub fn record_completions(&mut self) {
        self.completions.start_record();
    }

    /// The entries recorded since the last call, in ring order.
    pub fn take_completions(&mut self) -> Vec<pagetrain_formats::Completion> {
        self.completions.take_record()
    }

    /// Entries that wait for the host to make room in the ring.
    pub fn waiting_completions(&self) -> usize {
        self.completions.waiting()
    }

    /// Small buffers and pages that the engine has: posted, being filled, or reported only in a train that is still open.
    /// Once the host has taken every completion, it has all others.
    pub fn holds(&self) -> (usize, usize) {
        let mut smalls = self.smalls.posted() + self.smalls.bad();
        let mut pages = self.pages.posted() + self.pages.bad();
        pages += usize::from(self.queue_page.is_some());
        for flow in &self.flows {
            let (train_smalls, train_pages) = flow.train.finishes();
            smalls += train_smalls;
            pages += train_pages + usize::from(flow.page.is_some());
        }
        (smalls, pages)
    }

    /// Slot and opening clock of each open train.
    pub fn open_trains(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let open = self
            .flows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.train.is_open());
        open.map(|(slot, flow)| (slot, flow.train.opened()))
    }

    /// Number of the oldest frame in the store.
    pub fn oldest_frame(&self) -> Option<u16> {
        self.store.oldest()
    }

    /// Frames in the store, and their bytes.
    pub fn stored(&self) -> (usize, usize) {
        (self.store.len(), self.store.bytes())
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The queue's state.
    pub fn state(&self) -> State {
        self.state
    }
}
