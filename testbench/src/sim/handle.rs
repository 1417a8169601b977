//! What tasks and components hold of a simulation.

use super::component::{Component, Edge, OnEdge};
use super::error::{Failure, SimError, Violation};
use super::kernel::{find_port, find_signal, Core};
use super::signal::Signal;
use super::sync::{JoinHandle, Spawned};
use super::wait::{Cycles, RisingEdge, Timeout};
use super::wide::WideSignal;
use crate::verilator::PortDecl;
use crate::Rng;
use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

/// The simulation as tasks and components see it. Cheap to clone.
#[derive(Clone)]
pub struct Handle(pub(super) Rc<Core>);

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
