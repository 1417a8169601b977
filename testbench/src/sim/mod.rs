//! The simulation: a clock, tasks, components, signals.
//!
//! Every clock runs in this order, whatever the number of tasks and components:
//! 1. the design is settled; [`Component::sample`] of every component, then all tasks that wait for this edge
//!    or are woken by a component. They read the values that the design's flip-flops are about to read.
//! 2. the rising edge.
//! 3. what was written in step 1 arrives at the inputs; [`Component::drive`] of every driver.
//! 4. the falling edge; the design settles.
//!
//! So one await samples and drives, as in cocotb, and no two tasks can race for a value. If two write one
//! input in the same clock, the last write counts.

mod component;
mod config;
mod copy;
mod error;
mod executor;
mod handle;
mod kernel;
mod level;
mod output;
mod run;
mod signal;
mod sync;
mod timers;
mod wait;
mod waker;
mod wide;
mod wires;

pub use component::{Component, Edge};
pub use config::{seeds, SimConfig, SEED};
pub(crate) use copy::copy_slice;
pub use error::{Failure, SimError, Violation};
pub use handle::Handle;
pub(crate) use level::Level;
pub use run::Sim;
pub use signal::Signal;
pub use sync::{Cancelled, Event, JoinHandle, Queue};
pub use wait::{Cycles, Elapsed, RisingEdge, Timeout};
pub use wide::WideSignal;
