//! The engine's register port: configuration, doorbells, commands, reset (design section 7).

use pagetrain_formats::{regs, Command, Config, Counter};

use crate::engine::{Engine, Limits, State};
use crate::error::EngineError;
use crate::memory::HostMemory;
use crate::program::ROW_DWORDS;
use crate::registers::{Refusal, Target};

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
}
