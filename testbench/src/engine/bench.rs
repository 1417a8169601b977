//! The board: engine, MAC, host memory, driver, model.

use super::compare::Mismatch;
use super::driver::Driver;
use super::ledger::Ledger;
use super::memory::Twin;
use super::scoreboard::{Board, Scoreboard, Sent};
use crate::axi::{self, Access, AxiMemory, MemoryConfig};
use crate::axil::AxilManager;
use crate::axis::{AxisFrame, AxisSource};
use crate::sim::{Event, Sim, SimConfig, SimError};
use crate::stall::StallProfile;
use crate::verilator::Model;
use pagetrain_formats::counters::COUNTER_SLOTS;
use pagetrain_formats::{regs, Config, COMPLETION_BYTES};
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::host::{Host, HostError, HostOptions};
use pagetrain_golden::program::ROW_DWORDS;
use pagetrain_golden::{Engine, HostMemory, Limits, RegisterWrite, Written};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use thiserror::Error;

/// How a bench is set up.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Seed of everything random.
    pub seed: u64,
    /// Pauses and latencies of bus and register port.
    pub stall: StallProfile,
    /// What the host allocates.
    pub host: HostOptions,
    /// Register writes before the engine is enabled.
    pub registers: Vec<(u16, u32)>,
    /// Parser program.
    pub program: Vec<[u32; ROW_DWORDS]>,
    /// What the model tolerates of the engine's clocks.
    pub limits: Limits,
    /// File for the waves.
    pub waves: Option<PathBuf>,
}

/// Why a bench stopped.
#[derive(Debug, Error)]
pub enum BenchError {
    /// The host's options.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A protocol rule was broken, the watchdog bit, or a task failed.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// Hardware and model differ.
    #[error("{0}")]
    Mismatch(Mismatch),
    /// A register write was refused.
    #[error("register {addr:#06x}: value {value:#x} is refused ({written:?})")]
    Register {
        /// Its address.
        addr: u16,
        /// The value.
        value: u32,
        /// Why.
        written: Written,
    },
}

/// What the driver hands up: deliveries, with the memory to read them from and the clock.
pub type Sink = Box<dyn FnMut(Delivery<'_>, &Twin, u64)>;

/// The parts that tasks share.
pub(super) struct Parts {
    pub board: Rc<RefCell<Board>>,
    pub host: RefCell<Host>,
    pub regs: AxilManager,
    pub mac: AxisSource,
    pub bus: AxiMemory,
    pub written: Event,
    pub sink: RefCell<Sink>,
    pub mismatch: RefCell<Option<Mismatch>>,
    pub ledger: RefCell<Ledger>,
    pub limits: Limits,
    /// Counters of the hardware that the model does not have: what was counted up to an error.
    pub baseline: RefCell<[u64; COUNTER_SLOTS]>,
    /// The model's counters at the last reset.
    pub before: RefCell<[u64; COUNTER_SLOTS]>,
    /// The host posts what is free again.
    pub recycle: Cell<bool>,
    /// The host takes completions as they come.
    pub serving: Cell<bool>,
}

/// The board.
pub struct Bench {
    sim: Sim,
    parts: Rc<Parts>,
    options: BenchOptions,
}

impl Bench {
    /// Puts the board together. Nothing has been clocked yet.
    pub fn new(
        config: &Config,
        model: &Model,
        options: BenchOptions,
        sink: Sink,
    ) -> Result<Bench, BenchError> {
        let mut sim_config = SimConfig::seed(options.seed);
        sim_config.waves.clone_from(&options.waves);
        sim_config.deadline = 1 << 40;
        sim_config.idle_limit = 50_000;
        let sim = Sim::new(model, sim_config)?;
        let memory = axi::Memory::new();
        let mut model_memory = HostMemory::new();
        let host = Host::new(&options.host, config, &mut model_memory)?;
        let ring = completion_ring(&host);
        let written = memory.watch(ring.0..ring.0 + ring.1 as u64);
        memory.allow(Access::Write, ring.0, ring.1);
        for (base, len) in descriptor_rings(&host) {
            memory.allow(Access::Read, base, len);
        }
        let bus = AxiMemory::attach(&sim, "m_axi", &memory, MemoryConfig::new(options.stall))?;
        let regs = AxilManager::attach(&sim, "s_axil_ctrl", options.stall)?;
        let mac = AxisSource::attach(&sim, "s_axis_rx", crate::stall::Pause::Never)?;
        let board = Rc::new(RefCell::new(Board {
            engine: Engine::new(config, options.limits),
            twin: Twin::new(memory, model_memory),
            sent: VecDeque::new(),
            next: 0,
            overflows: 0,
            events: 0,
            disabled: false,
            resetting: false,
        }));
        Scoreboard::attach(&sim, &board)?;
        let parts = Rc::new(Parts {
            board,
            host: RefCell::new(host),
            regs,
            mac,
            bus,
            written,
            sink: RefCell::new(sink),
            mismatch: RefCell::new(None),
            ledger: RefCell::default(),
            limits: options.limits,
            baseline: RefCell::new([0; COUNTER_SLOTS]),
            before: RefCell::new([0; COUNTER_SLOTS]),
            recycle: Cell::new(true),
            serving: Cell::new(true),
        });
        Ok(Bench {
            sim,
            parts,
            options,
        })
    }

    /// The simulation, for what a test does to it.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// The bus memory, for faults and changes of its timing.
    pub fn bus(&self) -> &AxiMemory {
        &self.parts.bus
    }

    /// The MAC's source, for its pauses.
    pub fn mac(&self) -> &AxisSource {
        &self.parts.mac
    }

    /// Runs `main` on the running board. The first run configures and enables the engine and posts all buffers.
    pub fn run<T>(&mut self, main: impl AsyncFnOnce(Driver) -> T) -> Result<T, BenchError> {
        let driver = Driver::new(self.sim.handle(), self.parts.clone());
        let options = self.options.clone();
        let first = !self.parts.board.borrow().engine.settings().parser_enable;
        let result = self.sim.run(async |_| {
            if first {
                driver.start(&options).await?;
            }
            Ok(main(driver).await)
        });
        if let Some(mismatch) = self.parts.mismatch.borrow_mut().take() {
            return Err(BenchError::Mismatch(mismatch));
        }
        result?
    }
}

/// Base and bytes of the completion ring.
fn completion_ring(host: &Host) -> (u64, usize) {
    ring(host, regs::CQ_BASE_LO, COMPLETION_BYTES)
}

fn descriptor_rings(host: &Host) -> [(u64, usize); 2] {
    let bytes = pagetrain_formats::DESCRIPTOR_BYTES;
    [
        ring(host, regs::SB_BASE_LO, bytes),
        ring(host, regs::PG_BASE_LO, bytes),
    ]
}

/// Base and bytes of the ring whose registers begin at `first`, as the host would configure it.
fn ring(host: &Host, first: u16, entry: usize) -> (u64, usize) {
    let writes = host.configuration();
    let value = |addr: u16| {
        let found = writes.iter().find(|w| w.0 == addr);
        u64::from(found.map_or(0, |w| w.1))
    };
    let base = value(first) | value(first + 4) << 32;
    (base, entry << value(first + 8))
}

impl Parts {
    /// Sends a frame; the model will hear of it.
    pub fn send(&self, bytes: Vec<u8>, bad: bool) {
        self.ledger.borrow_mut().sent(&bytes);
        self.board.borrow_mut().sent.push_back(Sent {
            bytes: bytes.clone(),
            bad,
        });
        self.mac.send(AxisFrame::new(bytes).with_user(bad.into()));
    }

    /// The model's answer to a register write. Comes before the hardware's, so that the model is never behind.
    pub fn tell_model(&self, write: RegisterWrite, clock: u64) -> Result<Written, String> {
        let mut board = self.board.borrow_mut();
        let Board { engine, twin, .. } = &mut *board;
        engine
            .write_register(write, clock, &mut twin.model)
            .map_err(|e| e.to_string())
    }
}
