//! The model on its own: frames in, trains out, with a host and a clock of its own.
//!
//! The clock runs as on a link of W bits a clock; a frame's event comes when its last byte is in, a timer's when the defer
//! time is over. The host takes completions and posts buffers between frames.

use std::time::Duration;

use pagetrain_formats::{regs, Command, Config, ConfigError, EventCode};
use thiserror::Error;

use crate::access::{RegisterWrite, Written};
use crate::counters::Counters;
use crate::deliver::Delivery;
use crate::engine::{Engine, Event, Limits};
use crate::error::{EngineError, Room};
use crate::host::{Host, HostError, HostOptions};
use crate::memory::HostMemory;
use crate::program::ROW_DWORDS;
use crate::store::Seen;

/// Preamble, frame check sequence and least gap around each frame on a link, in bytes.
pub const LINK_OVERHEAD: u64 = 24;

/// When frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Back to back as on a link of W bits a clock, with [`LINK_OVERHEAD`].
    Line,
    /// As their time stamps say, but not faster than the link.
    Capture,
    /// With so many idle clocks between the last beat of one and the first of the next.
    Gap(u64),
}

/// How a run goes.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// When frames come.
    pub pace: Pace,
    /// The host ends its poll (command POLL) after every so many frames.
    pub poll_every: Option<u64>,
    /// Frames between two looks of the host at its completion ring.
    pub service_every: u64,
    /// What the host allocates.
    pub host: HostOptions,
    /// Register writes on top of the host's own, before the engine is enabled.
    pub registers: Vec<(u16, u32)>,
}

/// Why a run cannot begin or go on.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RunError {
    /// The configuration cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A register write was refused.
    #[error("write of register {addr:#06x}: {written:?}")]
    Register {
        /// Its address.
        addr: u16,
        /// The refusal.
        written: Written,
    },
    /// The host's memory or rings.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The model broke its own contract.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// With back-pressure a frame waits for buffers that can never come: the engine holds them all.
    #[error("frame {rx_seq}: waits for buffers that all lie in the engine ({room:?}); post more")]
    Stuck {
        /// Its number.
        rx_seq: u16,
        /// What it needs.
        room: Room,
    },
}

/// A run.
#[derive(Clone, Debug)]
pub struct Standalone {
    engine: Engine,
    host: Host,
    memory: HostMemory,
    options: RunOptions,
    clock_khz: u64,
    w_bytes: u64,
    /// Bytes' worth of link time gone by.
    link: u64,
    clock: u64,
    frames: u64,
    first_stamp: Option<Duration>,
}

impl Standalone {
    /// Sets engine and host up, posts all buffers, enables.
    pub fn new(
        config: &Config,
        program: &[[u32; ROW_DWORDS]],
        options: RunOptions,
    ) -> Result<Self, RunError> {
        config.validate()?;
        let mut memory = HostMemory::new();
        let host = Host::new(&options.host, config, &mut memory)?;
        let mut writes = host.configuration();
        writes.extend(&options.registers);
        let engine = Engine::start(config, Limits::NONE, &writes, program)
            .map_err(|(addr, written)| RunError::Register { addr, written })?;
        let mut run = Self {
            engine,
            host,
            memory,
            options,
            clock_khz: config.clock_khz as u64,
            w_bytes: config.w_bytes() as u64,
            link: 0,
            clock: 0,
            frames: 0,
            first_stamp: None,
        };
        run.post()?;
        Ok(run)
    }

    /// Brings a frame; `stamp` is its time in the capture. `sink` gets what the host takes, with memory and clock.
    pub fn frame(
        &mut self,
        bytes: &[u8],
        stamp: Duration,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        self.arrive(bytes.len() as u64, stamp);
        self.expire(self.clock)?;
        if let Some(rx_seq) = self.engine.ingress(bytes, false, Seen::Taken)? {
            self.process(rx_seq, sink)?;
        }
        self.frames += 1;
        if self
            .options
            .poll_every
            .is_some_and(|n| n > 0 && self.frames % n == 0)
        {
            self.command(Command::Poll, EventCode::Poll, sink)?;
        } else if self.frames % self.options.service_every.max(1) == 0 {
            self.service(sink)?;
        }
        Ok(())
    }

    /// Moves the clock to the frame's last byte.
    fn arrive(&mut self, len: u64, stamp: Duration) {
        let first = *self.first_stamp.get_or_insert(stamp);
        match self.options.pace {
            Pace::Line => {}
            Pace::Capture => {
                let clocks =
                    stamp.saturating_sub(first).as_nanos() * u128::from(self.clock_khz) / 1_000_000;
                self.link = self.link.max(clocks as u64 * self.w_bytes);
            }
            Pace::Gap(clocks) => {
                let beat = self.link.next_multiple_of(self.w_bytes);
                self.clock = (beat + len).div_ceil(self.w_bytes);
                self.link = (self.clock + clocks) * self.w_bytes;
                return;
            }
        }
        self.clock = (self.link + len).div_ceil(self.w_bytes);
        self.link += len + LINK_OVERHEAD;
    }

    /// Lets the timers run out that are due by `clock`.
    fn expire(&mut self, clock: u64) -> Result<(), RunError> {
        while let Some((slot, due)) = self.engine.next_timer() {
            if due > clock {
                break;
            }
            let event = Event {
                code: EventCode::Timer,
                arg: slot as u16,
            };
            self.engine.event(event, due, &mut self.memory)?;
        }
        Ok(())
    }

    fn process(
        &mut self,
        rx_seq: u16,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        let mut room = self.engine.next_frame_room().unwrap_or_default();
        if room.since.is_none() {
            // Perhaps the host only has to be asked.
            self.service(sink)?;
            room = self.engine.next_frame_room().unwrap_or_default();
        }
        let code = match room.since {
            Some(_) => EventCode::Frame,
            None if self.engine.settings().backpressure => {
                return Err(RunError::Stuck { rx_seq, room });
            }
            None => EventCode::DropNoBuffer,
        };
        self.engine
            .event(Event { code, arg: rx_seq }, self.clock, &mut self.memory)?;
        Ok(())
    }

    /// Gives a command and has it carried out.
    fn command(
        &mut self,
        command: Command,
        code: EventCode,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        self.write(RegisterWrite::new(regs::Q_CMD, command.code()))?;
        self.engine
            .event(Event { code, arg: 0 }, self.clock, &mut self.memory)?;
        self.service(sink)
    }

    /// The host's end of poll: every train is closed and delivered.
    pub fn poll(
        &mut self,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        self.command(Command::Poll, EventCode::Poll, sink)
    }

    /// Closes every train by FLUSH_ALL, and delivers them.
    pub fn flush(
        &mut self,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        self.command(Command::FlushAll, EventCode::FlushAll, sink)
    }

    /// Stops the queue: trains and every buffer come back.
    pub fn stop(
        &mut self,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        self.command(Command::Stop, EventCode::Stop, sink)?;
        while let Some(code) = self.engine.next_stop_event() {
            self.engine
                .event(Event { code, arg: 0 }, self.clock, &mut self.memory)?;
            self.service(sink)?;
        }
        Ok(())
    }

    /// The host takes what is there and, unless the queue is stopping, posts what is free.
    fn service(
        &mut self,
        sink: &mut impl FnMut(Delivery<'_>, &HostMemory, u64),
    ) -> Result<(), RunError> {
        loop {
            let (memory, clock) = (&self.memory, self.clock);
            let doorbell = self
                .host
                .poll(memory, |delivery| sink(delivery, memory, clock))?;
            let Some(doorbell) = doorbell else { break };
            // More may have waited for the room that this makes.
            self.write(doorbell)?;
        }
        if self.engine.state() == crate::State::Running {
            self.post()?;
        }
        Ok(())
    }

    fn post(&mut self) -> Result<(), RunError> {
        let doorbells: [Option<RegisterWrite>; 2] = {
            let mut writes = self.host.post(&mut self.memory);
            [writes.next(), writes.next()]
        };
        doorbells
            .into_iter()
            .flatten()
            .try_for_each(|write| self.write(write))
    }

    fn write(&mut self, write: RegisterWrite) -> Result<(), RunError> {
        match self
            .engine
            .write_register(write, self.clock, &mut self.memory)?
        {
            Written::Taken => Ok(()),
            written => Err(RunError::Register {
                addr: write.addr,
                written,
            }),
        }
    }

    /// Clocks gone by.
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// All counters.
    pub fn counters(&mut self) -> &Counters {
        self.engine.counters()
    }

    /// Small buffers and pages that the engine has.
    pub fn outstanding(&self) -> (usize, usize) {
        self.host.outstanding()
    }
}
