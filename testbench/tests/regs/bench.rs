//! The block, a manager on its port, and stand-ins for the blocks around it.

use crate::reference::{is_counter, Reference};
use pagetrain_formats::regs::{self, REGISTERS};
use pagetrain_formats::Config;
use pagetrain_testbench::axil::AxilManager;
use pagetrain_testbench::sim::{Component, Edge, Handle, Signal, Sim, SimError};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::Rng;
use std::cell::RefCell;
use std::rc::Rc;

/// Prefix of the register port.
pub const PORT: &str = "s_axil_ctrl";

/// Pulses that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub bad_writes: u64,
    pub bad_doorbells: u64,
    pub program: Vec<(u64, u64)>,
    pub clears: Vec<u64>,
    pub resets: u64,
    pub stops: u64,
}

/// Answers counter reads with random values after random times.
struct Counters {
    valid: Signal,
    index: Signal,
    done: Signal,
    data: Signal,
    /// Clocks until the answer.
    left: Option<u64>,
    rng: Rng,
    /// Counter and value, by answer.
    log: Rc<RefCell<Vec<(u64, u64)>>>,
    asked: u64,
}

impl Component for Counters {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset || !self.valid.is_high() {
            return;
        }
        if self.left.is_some() {
            edge.report("counters", "asked_twice", "a read is under way".into());
        }
        self.asked = self.index.get();
        self.left = Some(self.rng.below(12));
    }

    fn drive(&mut self, _edge: &Edge<'_>) {
        let answers = self.left == Some(0);
        self.left = self.left.filter(|_| !answers).map(|n| n - 1);
        self.done.set(u64::from(answers));
        let value = self.rng.bits();
        self.data.set(value);
        if answers {
            self.log.borrow_mut().push((self.asked, value));
        }
    }
}

/// Everything around the block.
pub struct Bench {
    pub sim: Handle,
    pub bus: AxilManager,
    pub seen: Rc<RefCell<Seen>>,
    pub reference: Reference,
    counters: Rc<RefCell<Vec<(u64, u64)>>>,
    latched: Option<u64>,
}

impl Bench {
    /// Attaches everything; the manager's pauses follow `profile`.
    pub fn attach(sim: &Sim, cfg: Config, profile: StallProfile) -> Result<Bench, SimError> {
        let seen = watch(sim)?;
        let counters = Rc::new(RefCell::new(vec![]));
        let stub = Counters {
            valid: sim.signal("counter_valid")?,
            index: sim.signal("counter_index")?,
            done: sim.signal("counter_done")?,
            data: sim.signal("counter_data")?,
            left: None,
            rng: sim.rng("counters"),
            log: counters.clone(),
            asked: 0,
        };
        sim.attach(Rc::new(RefCell::new(stub)));
        quiet(sim)?;
        Ok(Bench {
            sim: sim.handle(),
            bus: AxilManager::attach(sim, PORT, profile)?,
            seen,
            reference: Reference::new(cfg),
            counters,
            latched: Some(0),
        })
    }

    /// An input or output of the block.
    pub fn port(&self, name: &str) -> Signal {
        self.sim.signal(name).expect("the block has this port")
    }

    /// An input for one clock.
    pub async fn pulse(&self, name: &str) {
        let port = self.port(name);
        port.set(1);
        self.sim.rising_edge().await;
        port.set(0);
        self.sim.cycles(4).await;
    }

    /// Drives what other blocks say from the reference.
    pub fn drive_inputs(&self) {
        let r = &self.reference;
        for (port, value) in [
            ("in_sb_head", r.small.engine.into()),
            ("in_pg_head", r.page.engine.into()),
            ("in_cq_tail", r.completion.engine.into()),
            ("cq_planned", r.completion.engine.into()),
            ("in_irq_status", u64::from(r.irq_status)),
            ("halted", u64::from(r.halted)),
            ("resetting", u64::from(r.resetting)),
        ] {
            self.port(port).set(value);
        }
    }

    /// Writes one after the other, several under way, and compares everything that must follow.
    pub async fn write_all(&mut self, writes: &[(u16, u32, u32)]) {
        for &(addr, data, strobes) in writes {
            self.reference.write(addr, data, strobes);
            let (addr, data) = (u64::from(addr), u64::from(data));
            // A write with all strobes may be under way with others.
            if strobes == 0xf {
                let _ = self.bus.begin_write(addr, data);
            } else {
                let written = self.bus.write_bytes(addr, data, u64::from(strobes)).await;
                written.expect("every write is answered OKAY");
            }
        }
        // Writes are answered in order: this one is the last.
        let last = self.bus.write(regs::ID.into(), 0).await;
        last.expect("every write is answered OKAY");
        self.reference.write(regs::ID, 0, 0xf);
        self.sim.cycles(4).await;
        self.drive_inputs();
        self.sim.cycles(2).await;
        self.compare();
    }

    /// Reads a register and compares.
    pub async fn check_read(&mut self, addr: u16) {
        let asked = self.counters.borrow().len();
        let value = self
            .bus
            .read(addr.into())
            .await
            .expect("every read is answered OKAY");
        if !is_counter(addr) {
            assert_eq!(
                value,
                u64::from(self.reference.read(addr)),
                "read at {addr:#06x}"
            );
            assert_eq!(self.counters.borrow().len(), asked);
            return;
        }
        if addr & 4 == 0 {
            let (index, counter) = *self.counters.borrow().last().expect("a counter was read");
            assert_eq!(self.counters.borrow().len(), asked + 1);
            assert_eq!(index, u64::from(addr - regs::COUNTER_BASE) / 8);
            assert_eq!(value, counter & 0xffff_ffff, "counter {index}, low half");
            self.latched = Some(counter >> 32);
        } else {
            assert_eq!(Some(value), self.latched, "high half at {addr:#06x}");
        }
    }

    /// Ports and pulses against the reference.
    pub fn compare(&self) {
        let r = &self.reference;
        let expected = Seen {
            bad_writes: r.bad_writes,
            bad_doorbells: r.bad_doorbells,
            program: r.program.clone(),
            clears: r.clears.iter().copied().filter(|&c| c != 0).collect(),
            resets: r.resets,
            stops: r.stops,
        };
        assert_eq!(*self.seen.borrow(), expected, "pulses");
        for (port, value) in r.ports() {
            assert_eq!(self.port(&port).get(), u64::from(value), "{port}");
        }
        for (port, value) in [
            ("run", u64::from(r.run())),
            ("fetch", u64::from(r.fetch)),
            ("parser_enable", u64::from(r.parser_enable)),
            ("tail_sb", r.small.host.into()),
            ("tail_pg", r.page.host.into()),
            ("head_cq", r.completion.host.into()),
            ("cmd_valid", u64::from(r.command.is_some())),
        ] {
            assert_eq!(self.port(port).get(), value, "{port}");
        }
        if let Some(code) = r.command {
            assert_eq!(self.port("cmd_op").get(), u64::from(code));
        }
    }

    /// Reads the whole map.
    pub async fn check_map(&mut self) {
        for r in REGISTERS {
            self.check_read(r.addr).await;
        }
    }
}

/// Inputs at rest.
pub fn quiet(sim: &Sim) -> Result<(), SimError> {
    let inputs = [
        "in_sb_head",
        "in_pg_head",
        "in_cq_tail",
        "cq_planned",
        "in_irq_status",
        "halted",
        "resetting",
        "reset_done",
        "cmd_done",
        "stop_written",
        "counter_done",
    ];
    for name in inputs {
        sim.signal(name)?.set(0);
    }
    Ok(())
}

/// Counts pulses.
pub fn watch(sim: &Sim) -> Result<Rc<RefCell<Seen>>, SimError> {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let port = |name: &str| sim.signal(name);
    let (bad_write, bad_bell) = (port("stat_bad_write")?, port("stat_bad_doorbell")?);
    let (we, addr, data) = (port("prog_we")?, port("prog_addr")?, port("prog_wdata")?);
    let (clear, reset, stop) = (
        port("irq_clear")?,
        port("reset_req")?,
        port("stat_stopped")?,
    );
    let log = seen.clone();
    sim.on_edge(move |edge| {
        if edge.in_reset {
            return;
        }
        let mut seen = log.borrow_mut();
        seen.bad_writes += bad_write.get();
        seen.bad_doorbells += bad_bell.get();
        seen.resets += reset.get();
        seen.stops += stop.get();
        if we.is_high() {
            seen.program.push((addr.get(), data.get()));
        }
        if clear.is_high() {
            seen.clears.push(clear.get());
        }
    });
    Ok(seen)
}
