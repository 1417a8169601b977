//! The simulation's owner: makes it, runs it, ends it.

use super::config::SimConfig;
use super::error::{Failure, SimError};
use super::executor::MainTask;
use super::handle::Handle;
use super::kernel::Core;
use super::output::Output;
use super::wires::Wires;
use crate::verilator::Model;
use std::any::Any;
use std::cell::Cell;
use std::ops::Deref;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::rc::Rc;

/// A running simulation. Derefs to [`Handle`]; dropping it ends all tasks, waves and coverage.
pub struct Sim {
    handle: Handle,
    reset_done: bool,
    /// After a panic tasks and components are in no known state.
    broken: bool,
}

impl Deref for Sim {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Sim {
    /// An instance of `model`, its reset active, no clock yet.
    pub fn new(model: &Model, config: SimConfig) -> Result<Sim, SimError> {
        let wires = Wires::new(model.instance(config.initial_state()));
        let output = Output::open(&wires, &config)?;
        let core = Core::new(wires, config, output)?;
        Ok(Sim {
            handle: Handle(Rc::new(core)),
            reset_done: false,
            broken: false,
        })
    }

    /// A handle that tasks can own.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Holds reset for the configured number of clocks and releases it. Components run, tasks do not. The
    /// first [`Sim::run`] does this by itself.
    pub fn reset(&mut self) -> Result<(), SimError> {
        let core = self.handle.0.clone();
        self.reset_done = true;
        core.set_reset(true);
        for _ in 0..core.config.reset_cycles {
            self.guarded(|core| core.clock(&mut None, false))?;
            self.check()?;
        }
        core.set_reset(false);
        Ok(())
    }

    /// One clock, for loops without tasks: set inputs, `step`, read outputs. Components and spawned tasks
    /// run as in [`Sim::run`]; reset is up to the caller.
    pub fn step(&mut self) -> Result<(), SimError> {
        self.reset_done = true;
        self.guarded(|core| core.clock(&mut None, true))?;
        self.check()
    }

    /// Brings combinational outputs up to date after inputs were set between two [`Sim::step`]s.
    pub fn settle(&self) {
        self.handle.0.wires.settle();
    }

    /// Runs `main`, an `async |sim| { .. }` closure, until it is done, and gives its result. Tasks it started live on and
    /// go on in the next run. Resets the design first if nothing was run before.
    ///
    /// # Errors
    /// A panic in a task, a broken rule, a design that stops itself, and the watchdog end the run; the error
    /// says seed and cycle.
    pub fn run<T>(&mut self, main: impl AsyncFnOnce(Handle) -> T) -> Result<T, SimError> {
        if !self.reset_done {
            self.reset()?;
        }
        let core = self.handle.0.clone();
        let result = Cell::new(None);
        let handle = self.handle();
        let mut task = pin!(async {
            result.set(Some(main(handle).await));
        });
        let mut main: Option<MainTask<'_>> = Some(task.as_mut());
        let start = core.executor.cycle();
        core.life.set(start);
        core.executor.start_main();
        let deadline = start.saturating_add(core.config.deadline);
        // One guard around all clocks: it costs nothing within.
        let ended = self.guarded(|core| {
            core.executor.run_ready(&mut main);
            while main.is_some() && !core.alarmed() && !core.overdue(deadline) {
                core.clock(&mut main, true);
            }
        });
        let done = main.is_none();
        let ended = ended.and_then(|()| self.check()).and_then(|()| match done {
            true => Ok(()),
            false => Err(self.overdue(deadline)),
        });
        core.executor.end_main();
        ended?;
        Ok(result.take().expect("the main task is done"))
    }

    /// Which limit has passed.
    fn overdue(&self, deadline: u64) -> SimError {
        let core = &self.handle.0;
        let pending = core.pending();
        let SimConfig {
            deadline: limit,
            idle_limit,
            ..
        } = core.config;
        core.error(match core.executor.cycle() >= deadline {
            true => Failure::Deadline {
                cycles: limit,
                pending,
            },
            false => Failure::Stalled {
                cycles: idle_limit,
                pending,
            },
        })
    }

    /// Fails if the design has stopped itself or a monitor saw a broken rule.
    fn check(&self) -> Result<(), SimError> {
        let core = &self.handle.0;
        if core.wires.stopped() {
            return Err(core.error(Failure::Stopped {
                reason: core.wires.instance().reason(),
            }));
        }
        if !core.config.collect_violations && !core.violations.borrow().is_empty() {
            return Err(core.error(Failure::Violations(core.violations.take())));
        }
        Ok(())
    }

    /// Turns a panic of a task or component into an error with seed and cycle.
    #[inline]
    fn guarded(&mut self, work: impl FnOnce(&Core)) -> Result<(), SimError> {
        let core = &self.handle.0;
        if self.broken {
            let message = "not usable after a panic".into();
            return Err(core.error(Failure::Panic {
                task: "simulation".into(),
                message,
            }));
        }
        catch_unwind(AssertUnwindSafe(|| work(core))).map_err(|payload| {
            self.broken = true;
            core.wires.abandon();
            let task = core
                .executor
                .current_name()
                .unwrap_or_else(|| "a component".into());
            core.error(Failure::Panic {
                task,
                message: message_of(payload.as_ref()),
            })
        })
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let core = &self.handle.0;
        core.clear();
        core.output.close(&core.wires);
    }
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| "a payload that is no text".to_owned())
}
