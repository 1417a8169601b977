//! How an AXI memory behaves in time.

use crate::stall::{Pause, Role, StallProfile};
use std::ops::RangeInclusive;

/// When the bytes of a write reach the memory. A manager may rely on the last of these only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteVisible {
    /// Each beat at once.
    EachBeat,
    /// All beats when the response is offered.
    AtResponse,
    /// One or the other, at random for each burst: what is written out of order shows.
    Mixed,
}

/// Timing of an [`AxiMemory`](super::AxiMemory).
#[derive(Clone, Debug)]
pub struct MemoryConfig {
    /// Pauses of awready.
    pub aw: Pause,
    /// Pauses of wready.
    pub w: Pause,
    /// Pauses of bvalid.
    pub b: Pause,
    /// Pauses of arready.
    pub ar: Pause,
    /// Pauses of rvalid.
    pub r: Pause,
    /// Clocks from the last write beat to the response, at least 1.
    pub write_latency: RangeInclusive<u64>,
    /// Clocks from a read address to its first beat, at least 1.
    pub read_latency: RangeInclusive<u64>,
    /// Write bursts under way at most.
    pub writes: usize,
    /// Read bursts under way at most.
    pub reads: usize,
    /// Bursts whose data may come before their address.
    pub early_data: usize,
    /// Answer bursts of different IDs in any order. Within an ID the order of the addresses always holds.
    pub reorder: bool,
    /// Mix the read beats of different IDs.
    pub interleave: bool,
    /// When writes are seen.
    pub visible: WriteVisible,
}

impl MemoryConfig {
    /// The timing of a named profile.
    pub fn new(profile: StallProfile) -> MemoryConfig {
        let sink = profile.pause(Role::Sink);
        let source = profile.pause(Role::Source);
        let latency = match profile {
            StallProfile::None | StallProfile::SlowSource => 1..=2,
            StallProfile::Light | StallProfile::Periodic | StallProfile::AfterValid => 1..=16,
            StallProfile::SlowMemory => 100..=400,
            StallProfile::LongStalls => 1..=600,
            StallProfile::Heavy | StallProfile::Bursty | StallProfile::SlowSink => 1..=60,
        };
        let quiet = profile == StallProfile::None;
        MemoryConfig {
            aw: sink.clone(),
            w: sink.clone(),
            ar: sink,
            b: source.clone(),
            r: source,
            write_latency: latency.clone(),
            read_latency: latency,
            writes: 32,
            reads: 32,
            early_data: 2,
            reorder: !quiet,
            interleave: !quiet,
            visible: if quiet {
                WriteVisible::AtResponse
            } else {
                WriteVisible::Mixed
            },
        }
    }
}
