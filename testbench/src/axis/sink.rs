//! Takes frames from the design, or listens to a stream.

use super::frame::AxisFrame;
use super::ports::AxisPorts;
use super::receiver::Receiver;
use crate::sim::{Component, Edge, Handle, Level, Queue, SimError};
use crate::stall::{Pause, Pauser};
use crate::stream::Timed;
use crate::Rng;
use std::cell::RefCell;
use std::rc::Rc;

/// A sink on an output stream of the design; checks the stream's rules. Clones are handles of the same sink.
#[derive(Clone)]
pub struct AxisSink {
    state: Rc<RefCell<State>>,
    frames: Queue<Timed<AxisFrame>>,
}

/// A listener on any stream, driving nothing: frames and rules as [`AxisSink`].
pub type AxisMonitor = AxisSink;

struct State {
    receiver: Receiver,
    /// `None` for a monitor, or where there is no such port.
    ready: Option<Level>,
    /// `None` for a monitor.
    pauser: Option<Pauser>,
    rng: Rng,
}

impl AxisSink {
    /// Attaches a sink to the output stream `prefix` of the design.
    pub fn attach(handle: &Handle, prefix: &str, pause: Pause) -> Result<AxisSink, SimError> {
        AxisSink::new(handle, prefix, &[], Some(pause))
    }

    /// As [`Self::attach`], with further payload ports `<prefix>_<side>` taken at the last beat.
    pub fn attach_with(
        handle: &Handle,
        prefix: &str,
        side: &[&str],
        pause: Pause,
    ) -> Result<AxisSink, SimError> {
        AxisSink::new(handle, prefix, side, Some(pause))
    }

    /// Listens to the stream `prefix`, of either direction.
    pub fn monitor(handle: &Handle, prefix: &str) -> Result<AxisMonitor, SimError> {
        AxisSink::new(handle, prefix, &[], None)
    }

    fn new(
        handle: &Handle,
        prefix: &str,
        side: &[&str],
        pause: Option<Pause>,
    ) -> Result<AxisSink, SimError> {
        let receiver = Receiver::new(handle, AxisPorts::find(handle, prefix, side)?)?;
        let frames = receiver.frames.clone();
        let rng = handle.rng(prefix);
        let pauser = pause.map(|pause| Pauser::new(pause, rng.clone()));
        let ready = receiver.ports.ready.clone().filter(|_| pauser.is_some());
        let state = Rc::new(RefCell::new(State {
            ready: ready.map(Level::low),
            receiver,
            pauser,
            rng,
        }));
        handle.attach(state.clone());
        Ok(AxisSink { state, frames })
    }

    /// Waits for the next frame.
    pub async fn recv(&self) -> AxisFrame {
        self.frames.get().await.item
    }

    /// Waits for the next frame; says at which edges it came.
    pub async fn recv_timed(&self) -> Timed<AxisFrame> {
        self.frames.get().await
    }

    /// The next frame, if one has come.
    pub fn try_recv(&self) -> Option<AxisFrame> {
        self.frames.try_get().map(|timed| timed.item)
    }

    /// Frames that came and were not taken by a `recv`.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// True if every frame that came was taken by a `recv`, and none is half there.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && !self.state.borrow().receiver.in_frame()
    }

    /// Transfers so far.
    pub fn beats(&self) -> u64 {
        self.state.borrow().receiver.beats
    }

    /// Changes the pauses.
    pub fn set_pause(&self, pause: Pause) {
        let state = &mut *self.state.borrow_mut();
        if state.pauser.is_some() {
            state.pauser = Some(Pauser::new(pause, state.rng.clone()));
        }
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        self.receiver.sample(edge);
    }

    fn drive(&mut self, _edge: &Edge<'_>) {
        if let (Some(pauser), Some(ready)) = (&mut self.pauser, &mut self.ready) {
            ready.set(!pauser.next(self.receiver.waiting));
        }
    }

    fn drives(&self) -> bool {
        self.ready.is_some()
    }

    fn pending(&self) -> Option<String> {
        self.receiver.pending()
    }
}
