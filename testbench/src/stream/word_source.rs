//! Drives single values into a channel of the design.

use super::channel::{Channel, ChannelPorts};
use super::Timed;
use crate::sim::{Component, Edge, Event, Handle, Queue, SimError};
use crate::stall::{Pause, Pauser};
use crate::Bits;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A source of single values. Clones are handles of the same source.
#[derive(Clone)]
pub struct WordSource {
    state: Rc<RefCell<State>>,
    sent: Queue<Timed<Bits>>,
    idle: Event,
}

struct State {
    ports: ChannelPorts,
    pauser: Pauser,
    queue: VecDeque<Bits>,
    offered: Option<Bits>,
    since: u64,
    sent: Queue<Timed<Bits>>,
    idle: Event,
    rng: crate::Rng,
}

impl WordSource {
    /// Attaches a source to the input channel `channel` of the design.
    pub fn attach(
        handle: &Handle,
        channel: &Channel,
        pause: Pause,
    ) -> Result<WordSource, SimError> {
        let ports = ChannelPorts::find(handle, channel)?;
        let rng = handle.rng(&ports.name);
        let sent = Queue::new(&format!("{} sent", ports.name));
        let idle = Event::new(&format!("{} idle", ports.name));
        idle.set();
        ports.valid.set(0);
        let state = Rc::new(RefCell::new(State {
            ports,
            pauser: Pauser::new(pause, rng.clone()),
            queue: VecDeque::new(),
            offered: None,
            since: 0,
            sent: sent.clone(),
            idle: idle.clone(),
            rng,
        }));
        handle.attach(state.clone());
        Ok(WordSource { state, sent, idle })
    }

    /// Queues a value; it goes out from the coming clock on.
    ///
    /// # Panics
    /// If its width is not the channel's.
    pub fn send(&self, value: Bits) {
        let state = &mut *self.state.borrow_mut();
        assert_eq!(
            value.width(),
            state.ports.width,
            "`{}`: width of a value",
            state.ports.name
        );
        state.queue.push_back(value);
        self.idle.clear();
    }

    /// Waits until everything queued has been taken.
    pub async fn idle(&self) {
        self.idle.wait().await;
    }

    /// What has been taken by the design, oldest first, with the edges; reading removes it.
    pub fn sent(&self) -> &Queue<Timed<Bits>> {
        &self.sent
    }

    /// Changes the pauses.
    pub fn set_pause(&self, pause: Pause) {
        let state = &mut *self.state.borrow_mut();
        state.pauser = Pauser::new(pause, state.rng.clone());
    }

    /// Values not yet taken.
    pub fn pending(&self) -> usize {
        let state = self.state.borrow();
        state.queue.len() + usize::from(state.offered.is_some())
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        if self.offered.is_none() || edge.in_reset || !self.ports.is_ready() {
            return;
        }
        edge.progress();
        if let Some(item) = self.offered.take() {
            self.sent.put(Timed {
                item,
                first: edge.cycle,
                last: edge.cycle,
            });
        }
        if self.queue.is_empty() {
            self.idle.set();
        }
    }

    fn drive(&mut self, edge: &Edge<'_>) {
        let paused = self.pauser.next(true);
        if edge.in_reset {
            self.offered = None;
        } else if self.offered.is_none() && !paused {
            if let Some(value) = self.queue.pop_front() {
                self.ports.write(&value);
                self.offered = Some(value);
                self.since = edge.cycle;
            }
        }
        self.ports.valid.set(u64::from(self.offered.is_some()));
    }

    fn pending(&self) -> Option<String> {
        let name = &self.ports.name;
        match &self.offered {
            Some(_) => Some(format!(
                "source `{name}` waits for ready since cycle {}",
                self.since
            )),
            None if !self.queue.is_empty() => Some(format!(
                "source `{name}` has {} values queued",
                self.queue.len()
            )),
            None => None,
        }
    }
}
