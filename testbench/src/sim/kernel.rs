//! One clock after the other: the order in which ports, components and tasks take their turn.

use super::component::{Component, Edge, OnEdge};
use super::config::SimConfig;
use super::error::{Failure, SimError, Violation};
use super::executor::{Executor, MainTask};
use super::output::Output;
use super::signal::{Signal, WideSignal};
use super::sync::{JoinHandle, Spawned};
use super::wait::{Cycles, RisingEdge, Timeout};
use super::wires::{Phase, Wires};
use crate::rng::Rng;
use crate::verilator::PortDecl;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;

/// Length of a clock in `$time` and in waves.
const PERIOD_NS: u64 = 10;

type Shared = Rc<RefCell<dyn Component>>;

/// The simulation as tasks and components see it. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(super) Rc<Core>);

pub(super) struct Core {
    pub(super) config: SimConfig,
    pub(super) wires: Rc<Wires>,
    pub(super) executor: Executor,
    clock: Option<Signal>,
    reset: Option<Signal>,
    components: RefCell<Vec<Shared>>,
    drivers: RefCell<Vec<Shared>>,
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
            || now - self.life.get() >= self.config.idle_limit && !self.executor.in_long_sleep()
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

impl Handle {
    /// The port `name` of at most 64 bits.
    pub fn signal(&self, name: &str) -> Result<Signal, SimError> {
        find_signal(&self.0.wires, &self.0.config, name)
    }

    /// The port `name`, of any width.
    pub fn wide(&self, name: &str) -> Result<WideSignal, SimError> {
        let wires = &self.0.wires;
        let (port, storage) = find_port(wires, &self.0.config, name)?;
        Ok(WideSignal::new(
            wires.clone(),
            name,
            storage,
            port.width,
            port.direction,
        ))
    }

    /// Ports of the top module.
    pub fn ports(&self) -> &[PortDecl] {
        self.0.wires.instance().model().ports()
    }

    /// The declaration of port `name`, if there is one.
    pub fn port(&self, name: &str) -> Option<&PortDecl> {
        self.ports().iter().find(|port| port.name == name)
    }

    /// Adds a driver or monitor. It keeps its turn: components run in the order of their adding.
    pub fn attach(&self, component: Rc<RefCell<dyn Component>>) {
        if component.borrow().drives() {
            self.0.drivers.borrow_mut().push(component.clone());
        }
        self.0.components.borrow_mut().push(component);
    }

    /// Calls `monitor` before every edge, with settled values.
    pub fn on_edge(&self, monitor: impl FnMut(&Edge<'_>) + 'static) {
        self.attach(Rc::new(RefCell::new(OnEdge(monitor))));
    }

    /// Starts a task. It is polled first in this clock if a task or component starts it, else when the next
    /// run begins.
    pub fn spawn<F: Future + 'static>(&self, name: &str, future: F) -> JoinHandle<F::Output> {
        let mut handle = None;
        self.0.executor.spawn(name, |waker| {
            let (spawned, join) = Spawned::new(name, future, waker);
            handle = Some(join);
            Box::pin(spawned)
        });
        handle.expect("spawn calls its closure")
    }

    /// Waits for the next rising edge: reads then see the values just before it, writes act just after it.
    #[inline]
    pub fn rising_edge(&self) -> RisingEdge<'_> {
        RisingEdge {
            executor: &self.0.executor,
            armed: None,
        }
    }

    /// Waits for the `count`th edge from here, asleep until then; 0 does not wait.
    pub fn cycles(&self, count: u64) -> Cycles<'_> {
        Cycles::new(&self.0.executor, count)
    }

    /// Waits until `condition` holds at an edge, looking at every edge from the next on.
    pub async fn until(&self, mut condition: impl FnMut() -> bool) {
        loop {
            self.rising_edge().await;
            if condition() {
                return;
            }
        }
    }

    /// Awaits `future` for at most `cycles` clocks.
    pub fn timeout<F: Future>(&self, cycles: u64, future: F) -> Timeout<'_, F> {
        Timeout {
            limit: self.cycles(cycles),
            inner: Box::pin(future),
        }
    }

    /// Resets the design in the middle of a run, for `cycles` clocks. Drivers drop what they have under way.
    pub async fn pulse_reset(&self, cycles: u64) {
        self.0.set_reset(true);
        self.cycles(cycles.max(1)).await;
        self.0.set_reset(false);
    }

    /// Number of the last edge reached, from 1.
    #[inline]
    pub fn cycle(&self) -> u64 {
        self.0.executor.cycle()
    }

    /// Seed of this simulation.
    pub fn seed(&self) -> u64 {
        self.0.config.seed
    }

    /// Random numbers for the user `name`, fixed by the simulation's seed.
    pub fn rng(&self, name: &str) -> Rng {
        Rng::new(self.seed(), name)
    }

    /// An error of this simulation, as of now.
    pub fn error(&self, failure: Failure) -> SimError {
        self.0.error(failure)
    }

    /// Takes the broken rules recorded so far.
    pub fn take_violations(&self) -> Vec<Violation> {
        self.0.violations.take()
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

fn find_port<'a>(
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

fn find_signal(wires: &Rc<Wires>, config: &SimConfig, name: &str) -> Result<Signal, SimError> {
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
