//! Errors on demand.

use super::burst::{Burst, Resp};
use std::ops::Range;

/// Which accesses a [`Fault`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Reads.
    Read,
    /// Writes.
    Write,
}

/// Which bursts fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAt {
    /// Those that begin in this range of addresses.
    Addresses(Range<u64>),
    /// The one with this number, counted from 0 over the bursts of its direction.
    Nth(u64),
    /// All from this number on.
    From(u64),
}

/// An error that the memory answers. A failing write changes no byte; a failing read gives bytes that mean
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Reads or writes.
    pub direction: Direction,
    /// Which of them.
    pub at: FaultAt,
    /// The answer.
    pub resp: Resp,
}

impl Fault {
    fn applies(&self, direction: Direction, burst: &Burst, number: u64) -> bool {
        self.direction == direction
            && match &self.at {
                FaultAt::Addresses(range) => range.contains(&burst.addr),
                FaultAt::Nth(n) => *n == number,
                FaultAt::From(n) => number >= *n,
            }
    }
}

/// The answer to a burst: that of the first fault that applies.
pub(super) fn answer(faults: &[Fault], direction: Direction, burst: &Burst, number: u64) -> Resp {
    faults
        .iter()
        .find(|fault| fault.applies(direction, burst, number))
        .map_or(Resp::Okay, |fault| fault.resp)
}
