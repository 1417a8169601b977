//! AXI-Stream with frames of bytes: source, sink, monitor.
//!
//! Lane 0 is the first byte. `tkeep` is contiguous from lane 0 and full but at `tlast`; `tuser` counts at
//! `tlast`. The source drives the inverse of `tuser` on other beats and leaves old bytes in lanes that are
//! not kept, so that a design that looks at them fails.

mod frame;
mod ports;
mod receiver;
mod sink;
mod source;

pub use frame::AxisFrame;
pub use ports::AxisPorts;
pub use sink::{AxisMonitor, AxisSink};
pub use source::AxisSource;
