//! How fast the engine is: clocks a frame and what is lost, by kind of traffic and frame length.
//!
//! - [`frames`]: traffic of one kind. [`Mix`] names the kinds.
//! - [`link`]: the wire's pace.
//! - [`meter`]: what is counted at the engine's ports.
//! - [`measure()`]: one length after the other through a board, compared with the model as everywhere.

mod board;
mod frames;
mod link;
mod measure;
mod meter;
mod mix;

pub use board::{rate_board, Input};
pub use link::Link;
pub use measure::{measure, Point, Run};
pub use meter::{Latencies, Meter};
pub use mix::{Mix, Traffic};
