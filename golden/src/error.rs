//! Events that the contract does not allow, each with the numbers that show it.

use pagetrain_formats::{Command, EventCode};
use thiserror::Error;

/// What a frame needs, and what is at hand for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Small buffers that its header takes.
    pub smalls_needed: usize,
    /// Small buffers posted.
    pub smalls_posted: usize,
    /// Bytes that go to pages.
    pub bytes_needed: u64,
    /// Room in the posted pages and in what is left of the owner's page.
    pub bytes_at_hand: u64,
    /// Clock of the doorbell that brought the last buffer needed; none if they do not suffice (0: none was needed).
    pub since: Option<u64>,
}

/// An event that cannot have happened, or an engine that did what it must not.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EngineError {
    /// The model itself would write outside a posted buffer.
    #[error("write of {bytes} bytes at offset {offset} of buffer {cookie:#010x}: must lie within {headroom} to {length}")]
    WriteOutside {
        /// Cookie of the buffer.
        cookie: u32,
        /// First byte, from the buffer's start.
        offset: u32,
        /// Bytes.
        bytes: usize,
        /// Length of the buffer.
        length: u32,
        /// Bytes at its start that must stay untouched.
        headroom: u32,
    },
    /// Frames leave the store in the order in which they arrived.
    #[error("rx_seq = {rx_seq} in {event:?}: must be that of the oldest frame in the store ({oldest:?})")]
    NotOldest {
        /// The event.
        event: EventCode,
        /// Its argument.
        rx_seq: u16,
        /// The frame whose turn it was, if there is any.
        oldest: Option<u16>,
    },
    /// A frame was processed that has no place.
    #[error("FRAME {rx_seq}: buffers must suffice ({room:?})")]
    FrameWithoutRoom {
        /// Number of the frame.
        rx_seq: u16,
        /// What it needs.
        room: Room,
    },
    /// A frame was dropped although there was a place for it.
    #[error("DROP_NO_BUFFER {rx_seq} at clock {clock}: buffers have sufficed for more than {slack} clocks ({room:?})")]
    DropWithRoom {
        /// Number of the frame.
        rx_seq: u16,
        /// Clock of the drop.
        clock: u64,
        /// [`crate::Limits::buffer_slack`].
        slack: u64,
        /// What it needs.
        room: Room,
    },
    /// With back-pressure a frame waits.
    #[error("{cause} of frame {rx_seq}: RX_CTRL.backpressure is set, frames must wait")]
    DropWithBackpressure {
        /// Number of the frame.
        rx_seq: u16,
        /// `drop_no_buffer` or `drop_overflow`.
        cause: &'static str,
    },
    /// A timer event of a slot that holds no train, or while the timer is off.
    #[error("TIMER {slot}: must name a slot with an open train while Q_DEFER_TICKS is not 0")]
    TimerWithoutTrain {
        /// The slot.
        slot: usize,
    },
    /// A train was closed by its timer too early.
    #[error(
        "TIMER {slot} at clock {clock}: must not come before {earliest} (train opened at {opened})"
    )]
    TimerEarly {
        /// The slot.
        slot: usize,
        /// When its train was opened.
        opened: u64,
        /// Clock of the event.
        clock: u64,
        /// First clock that is allowed.
        earliest: u64,
    },
    /// A train is, or was, open for too long.
    #[error("slot {slot} at clock {clock}: its timer must have run out by {latest} (train opened at {opened})")]
    TimerLate {
        /// The slot.
        slot: usize,
        /// When its train was opened.
        opened: u64,
        /// Clock of the event that showed it.
        clock: u64,
        /// Last clock that is allowed.
        latest: u64,
    },
    /// A command was executed that was not given.
    #[error("{event:?}: the command under way is {pending:?}")]
    NotCommanded {
        /// The event.
        event: EventCode,
        /// What the host wrote last to Q_CMD and was not done.
        pending: Option<Command>,
    },
    /// An event that does not fit the queue's state.
    #[error("{event:?}: must not happen while {state}")]
    WrongState {
        /// The event.
        event: EventCode,
        /// The state, in words.
        state: &'static str,
    },
    /// No descriptor of that kind waits.
    #[error("{event:?}: no such descriptor is outstanding")]
    NoDescriptor {
        /// The event.
        event: EventCode,
    },
    /// STOPPED came before every buffer had come back.
    #[error("STOPPED: {smalls} small buffers, {pages} pages and {bad} bad descriptors must come back first")]
    StoppedEarly {
        /// Posted small buffers left.
        smalls: usize,
        /// Posted pages left.
        pages: usize,
        /// Bad descriptors left.
        bad: usize,
    },
    /// The observed fetch index of a ring cannot be.
    #[error("{ring} fetch index {head}: must lie within {low} to {high}")]
    FetchIndex {
        /// The ring.
        ring: &'static str,
        /// Index observed.
        head: u16,
        /// Index behind the last descriptor used.
        low: u16,
        /// The tail.
        high: u16,
    },
    /// The observed produce index of the completion ring cannot be.
    #[error("CQ_TAIL {tail}: must lie within {low} to {high}")]
    ProduceIndex {
        /// Index observed.
        tail: u16,
        /// What the host has taken.
        low: u16,
        /// What the model has produced.
        high: u16,
    },
}
