//! Trace port to model: each record of the engine is an event that the model carries out at once.

use crate::sim::{Component, Edge, Handle, Signal, SimError};
use pagetrain_formats::{Counter, EventCode};
use pagetrain_golden::{Engine, Event, Seen};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::memory::Twin;

/// A frame on its way to the engine's trace.
pub(super) struct Sent {
    pub bytes: Vec<u8>,
    pub bad: bool,
}

/// Model and memories, and the frames that the trace has not spoken of.
pub(super) struct Board {
    pub engine: Engine,
    pub twin: Twin,
    pub sent: VecDeque<Sent>,
    /// Number of the first of `sent`.
    pub next: u64,
    /// Frames that were not in the trace although the model had no cause to drop them.
    pub overflows: u64,
    /// Events seen, by code.
    pub events: u64,
    /// Frames lost before `train` count as disabled rather than as overflow.
    pub disabled: bool,
    /// A reset is under way: what the engine still does the model, which has been reset, does not hear of.
    pub resetting: bool,
}

impl Board {
    /// Frames up to number `seq` (the last one included) have gone through the ingress; it itself was `taken`.
    fn ingress_up_to(&mut self, seq: u16) -> Result<(), String> {
        loop {
            let number = self.next as u16;
            let Some(frame) = self.sent.pop_front() else {
                return Err(format!("the trace names frame {seq}, which was not sent"));
            };
            self.next += 1;
            let here = number == seq;
            let seen = match (here, self.disabled) {
                (true, _) => Seen::Taken,
                (false, true) => Seen::Disabled,
                (false, false) => Seen::Overflow,
            };
            // Bad and oversize frames are the model's own decision; it is told of a lack of room only.
            let stored = self
                .engine
                .ingress(&frame.bytes, frame.bad, seen)
                .map_err(|e| e.to_string())?;
            if here {
                return match stored {
                    Some(_) => Ok(()),
                    None => Err(format!("frame {seq} was processed, the model dropped it")),
                };
            }
            self.overflows += u64::from(!frame.bad);
        }
    }

    /// Every frame that was sent and is not in the trace: lost at the ingress, or, as far as the hardware's `rx_frames`
    /// says so, found in the store after a stop.
    pub fn ingress_rest(&mut self, rx_frames: u64) -> Result<(), String> {
        while let Some(frame) = self.sent.pop_front() {
            self.next += 1;
            let stored = self.engine.counters().get(Counter::RxFrames) < rx_frames;
            let seen = match (stored, self.disabled) {
                (true, _) => Seen::Taken,
                (false, true) => Seen::Disabled,
                (false, false) => Seen::Overflow,
            };
            self.engine
                .ingress(&frame.bytes, frame.bad, seen)
                .map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event, clock: u64) -> Result<(), String> {
        self.events += 1;
        if matches!(event.code, EventCode::Frame | EventCode::DropNoBuffer) {
            self.ingress_up_to(event.arg)?;
        }
        self.engine
            .event(event, clock, &mut self.twin.model)
            .map(|_| ())
            .map_err(|e| e.to_string())
    }
}

/// The monitor on `stat_evt_*`.
pub(super) struct Scoreboard {
    valid: Signal,
    code: Signal,
    arg: Signal,
    board: Rc<RefCell<Board>>,
}

impl Scoreboard {
    pub fn attach(sim: &Handle, board: &Rc<RefCell<Board>>) -> Result<(), SimError> {
        let scoreboard = Scoreboard {
            valid: sim.signal("stat_evt_valid")?,
            code: sim.signal("stat_evt_code")?,
            arg: sim.signal("stat_evt_arg")?,
            board: board.clone(),
        };
        sim.attach(Rc::new(RefCell::new(scoreboard)));
        Ok(())
    }
}

impl Component for Scoreboard {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset || !self.valid.is_high() {
            return;
        }
        edge.progress();
        if self.board.borrow().resetting {
            return;
        }
        let code = self.code.get() as u32;
        let Some(code) = EventCode::from_code(code) else {
            edge.report("scoreboard", "unknown event", format!("code {code}"));
            return;
        };
        let event = Event {
            code,
            arg: self.arg.get() as u16,
        };
        if let Err(why) = self.board.borrow_mut().event(event, edge.cycle) {
            edge.report("scoreboard", "event against the contract", why);
        }
    }

    fn drives(&self) -> bool {
        false
    }
}
