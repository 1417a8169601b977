//! One clock after the other: the order in which ports, components and tasks take their turn.

use super::component::{Component, Edge};
use super::config::SimConfig;
use super::error::{Failure, SimError, Violation};
use super::executor::{Executor, MainTask};
use super::output::Output;
use super::signal::Signal;
use super::wires::{Phase, Wires};
use crate::verilator::PortDecl;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Length of a clock in `$time` and in waves.
const PERIOD_NS: u64 = 10;

type Shared = Rc<RefCell<dyn Component>>;

pub(super) struct Core {
    pub(super) config: SimConfig,
    pub(super) wires: Rc<Wires>,
    pub(super) executor: Executor,
    clock: Option<Signal>,
    reset: Option<Signal>,
    pub(super) components: RefCell<Vec<Shared>>,
    pub(super) drivers: RefCell<Vec<Shared>>,
    pub(super) violations: RefCell<Vec<Violation>>,
    /// Edge of the last sign of life.
    pub(super) life: Cell<u64>,
    pub(super) output: Output,
}

impl Core {
    pub(super) fn new(wires: Wires, config: SimConfig, output: Output) -> Result<Core, SimError> {
        let wires = Rc::new(wires);
        let find = |name: &str| match wires
            .instance()
            .model()
            .ports()
            .iter()
            .any(|port| port.name == name)
        {
            true => find_signal(&wires, &config, name).map(Some),
            false => Ok(None),
        };
        let clock = find(&config.clock)?;
        let reset = find(&config.reset)?;
        if let Some(reset) = &reset {
            reset.set(1);
        }
        wires.eval();
        Ok(Core {
            clock,
            reset,
            wires,
            executor: Executor::new(config.idle_limit),
            components: RefCell::default(),
            drivers: RefCell::default(),
            violations: RefCell::default(),
            life: Cell::new(0),
            output,
            config,
        })
    }

    /// Something that ends a run: the design has stopped itself, or a broken rule.
    #[inline]
    pub(super) fn alarmed(&self) -> bool {
        self.wires.stopped()
            || (!self.config.collect_violations && !self.violations.borrow().is_empty())
    }

    /// Something that the watchdog has to look at: the edge `deadline`, or nothing moving.
    #[inline]
    pub(super) fn overdue(&self, deadline: u64) -> bool {
        let now = self.executor.cycle();
        now >= deadline
            || now - self.life.get() >= self.config.idle_limit
                && !self.executor.timers.in_long_sleep()
    }

    /// One clock. Components and tasks read what the design's flip-flops are about to read; what they write
    /// arrives after the edge. So their order among one another cannot change what the design sees.
    pub(super) fn clock(&self, main: &mut Option<MainTask<'_>>, run_tasks: bool) {
        self.wires.settle();
        self.wires.set_phase(Phase::Sample);
        self.executor.begin_edge();
        let edge = Edge {
            cycle: self.executor.cycle(),
            in_reset: self.reset.as_ref().is_some_and(Signal::is_high),
            life: &self.life,
            violations: &self.violations,
        };
        for component in self.components.borrow().iter() {
            component.borrow_mut().sample(&edge);
        }
        if run_tasks {
            self.executor.run_ready(main);
        }
        self.wires.set_phase(Phase::Drive);
        self.wires.instance().set_time(edge.cycle * PERIOD_NS);
        self.set_clock(1);
        self.wires.eval();
        self.wires.apply();
        for driver in self.drivers.borrow().iter() {
            driver.borrow_mut().drive(&edge);
        }
        if self.output.tracing() {
            // One more evaluation, so that the waves show inputs change at the rising edge.
            self.wires.eval();
            self.output.dump(&self.wires);
        }
        self.wires
            .instance()
            .set_time(edge.cycle * PERIOD_NS + PERIOD_NS / 2);
        self.set_clock(0);
        self.wires.eval();
        self.output.dump(&self.wires);
        self.wires.set_phase(Phase::Between);
        if self.wires.take_touched() || self.executor.take_woken() {
            self.life.set(edge.cycle);
        }
    }

    #[inline]
    fn set_clock(&self, level: u64) {
        if let Some(clock) = &self.clock {
            clock.set(level);
        }
    }

    pub(super) fn error(&self, failure: Failure) -> SimError {
        error(&self.wires, &self.config, self.executor.cycle(), failure)
    }

    /// What waits for what, tasks and components.
    pub(super) fn pending(&self) -> Vec<String> {
        let mut pending = self.executor.pending();
        pending.extend(
            self.components
                .borrow()
                .iter()
                .filter_map(|component| component.try_borrow().ok()?.pending()),
        );
        pending
    }

    pub(super) fn set_reset(&self, active: bool) {
        if let Some(reset) = &self.reset {
            reset.set(u64::from(active));
        }
    }

    pub(super) fn clear(&self) {
        self.executor.clear();
        self.drivers.take();
        self.components.take();
    }
}

pub(super) fn error(wires: &Wires, config: &SimConfig, cycle: u64, failure: Failure) -> SimError {
    SimError {
        top: wires.instance().model().top().to_owned(),
        seed: config.seed,
        cycle,
        failure,
    }
}

pub(super) fn find_port<'a>(
    wires: &'a Wires,
    config: &SimConfig,
    name: &str,
) -> Result<(&'a PortDecl, (*mut u8, usize)), SimError> {
    let ports = wires.instance().model().ports();
    let port = ports.iter().find(|port| port.name == name);
    let storage = wires.instance().storage(name);
    port.zip(storage).ok_or_else(|| {
        let failure = Failure::Port {
            port: name.into(),
            rule: "the design has no such port".into(),
        };
        error(wires, config, 0, failure)
    })
}

pub(super) fn find_signal(
    wires: &Rc<Wires>,
    config: &SimConfig,
    name: &str,
) -> Result<Signal, SimError> {
    let (port, storage) = find_port(wires, config, name)?;
    if port.width > 64 {
        let rule = format!("{} bits wide; a `Signal` holds 64, use `wide`", port.width);
        return Err(error(
            wires,
            config,
            0,
            Failure::Port {
                port: name.into(),
                rule,
            },
        ));
    }
    Ok(Signal::new(
        wires.clone(),
        name,
        storage,
        port.width,
        port.direction,
    ))
}
