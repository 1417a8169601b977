//! AXI4-Lite: a manager for the design's register port, and a monitor of the protocol's rules.

mod driver;
mod engine;
mod manager;
mod monitor;
mod ports;

pub use manager::{AxilManager, Pending};
pub use monitor::AxilMonitor;

use crate::axi::Resp;

/// A register access was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{access} at {addr:#x} was answered {resp:?}")]
pub struct AxilError {
    /// `read` or `write`.
    pub access: &'static str,
    /// Address of the access.
    pub addr: u64,
    /// The answer.
    pub resp: Resp,
}
