//! AXI4: a memory that answers as real ones do, and a monitor of the protocol's rules.
//!
//! [`AxiMemory`] is the subordinate on a manager port of the design: it delays, reorders across IDs, pauses,
//! fails on demand, and makes writes visible as late as the protocol lets it. What it may be asked to do is
//! told by [`Memory::allow`]: a byte outside is a broken rule. [`AxiMonitor`] checks the protocol of both
//! sides; every [`AxiMemory`] brings one along.

mod burst;
mod config;
mod fault;
mod memory;
mod monitor;
mod order;
mod ports;
mod read;
mod store;
mod subordinate;
mod write;

pub use burst::{Burst, BurstKind, Resp};
pub use config::{MemoryConfig, WriteVisible};
pub use fault::{Direction, Fault, FaultAt};
pub use memory::{Access, Memory};
pub use monitor::{AxiMonitor, AxiStats};
pub use subordinate::AxiMemory;
