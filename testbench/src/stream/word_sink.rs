//! Takes single values from a channel of the design, and checks its rules.

use super::channel::{Channel, ChannelPorts};
use super::check::HandshakeCheck;
use super::Timed;
use crate::sim::{Component, Edge, Handle, Queue, SimError};
use crate::stall::{Pause, Pauser};
use crate::{Bits, Rng};
use std::cell::RefCell;
use std::rc::Rc;

/// A sink of single values. Clones are handles of the same sink.
#[derive(Clone)]
pub struct WordSink {
    state: Rc<RefCell<State>>,
    received: Queue<Timed<Bits>>,
}

struct State {
    ports: ChannelPorts,
    check: HandshakeCheck,
    /// `None` for a monitor, which drives nothing.
    pauser: Option<Pauser>,
    rng: Rng,
    /// The design showed valid and was not served.
    waiting: bool,
    received: Queue<Timed<Bits>>,
}

impl WordSink {
    /// Attaches a sink to the output channel `channel` of the design.
    pub fn attach(handle: &Handle, channel: &Channel, pause: Pause) -> Result<WordSink, SimError> {
        WordSink::new(handle, channel, Some(pause))
    }

    /// Listens to a channel, of either direction, without driving it.
    pub fn monitor(handle: &Handle, channel: &Channel) -> Result<WordSink, SimError> {
        WordSink::new(handle, channel, None)
    }

    fn new(handle: &Handle, channel: &Channel, pause: Option<Pause>) -> Result<WordSink, SimError> {
        let ports = ChannelPorts::find(handle, channel)?;
        let received = Queue::new(&format!("{} received", ports.name));
        let rng = handle.rng(&ports.name);
        let state = Rc::new(RefCell::new(State {
            check: ports.check(),
            pauser: pause.map(|pause| Pauser::new(pause, rng.clone())),
            waiting: false,
            received: received.clone(),
            rng,
            ports,
        }));
        handle.attach(state.clone());
        Ok(WordSink { state, received })
    }

    /// Waits for the next value.
    pub async fn recv(&self) -> Bits {
        self.received.get().await.item
    }

    /// Waits for the next value; says at which edge it came.
    pub async fn recv_timed(&self) -> Timed<Bits> {
        self.received.get().await
    }

    /// The next value, if one has come.
    pub fn try_recv(&self) -> Option<Bits> {
        self.received.try_get().map(|timed| timed.item)
    }

    /// Values that came and were not taken by a `recv`.
    pub fn len(&self) -> usize {
        self.received.len()
    }

    /// True if every value that came was taken by a `recv`.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
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
        let valid = self.ports.valid.is_high();
        let ready = self.ports.is_ready();
        self.check.sample(edge, valid, ready);
        self.waiting = valid && !ready;
        if valid && ready && !edge.in_reset {
            edge.progress();
            self.received.put(Timed {
                item: self.ports.read(),
                first: edge.cycle,
                last: edge.cycle,
            });
        }
    }

    fn drive(&mut self, _edge: &Edge<'_>) {
        if let (Some(pauser), Some(ready)) = (&mut self.pauser, &self.ports.ready) {
            ready.set(u64::from(!pauser.next(self.waiting)));
        }
    }

    fn drives(&self) -> bool {
        self.pauser.is_some() && self.ports.ready.is_some()
    }
}
