//! Pauses: when a source offers nothing, a sink is not ready, a memory answers late.

mod pause;
mod profile;

pub use pause::{Pause, Pauser};
pub use profile::{Role, StallProfile, UnknownProfile};
