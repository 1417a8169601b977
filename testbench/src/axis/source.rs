//! Drives frames into the design.

use super::frame::AxisFrame;
use super::ports::AxisPorts;
use crate::sim::{Component, Edge, Event, Handle, Level, Signal, SimError};
use crate::stall::{Pause, Pauser};
use crate::Rng;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A source on an input stream of the design. Clones are handles of the same source.
#[derive(Clone)]
pub struct AxisSource {
    state: Rc<RefCell<State>>,
    idle: Event,
}

struct State {
    ports: AxisPorts,
    valid: Level,
    pauser: Pauser,
    rng: Rng,
    queue: VecDeque<AxisFrame>,
    /// The frame under way is `queue[0]`; bytes of it that were taken.
    taken: usize,
    /// Bytes in the beat on offer; 0 for none.
    offered: usize,
    /// Edge since which the beat is on offer.
    since: u64,
    frames: u64,
    beats: u64,
    idle: Event,
}

impl AxisSource {
    /// Attaches a source to the input stream `prefix` of the design.
    pub fn attach(handle: &Handle, prefix: &str, pause: Pause) -> Result<AxisSource, SimError> {
        AxisSource::attach_with(handle, prefix, &[], pause)
    }

    /// As [`Self::attach`], with further payload ports `<prefix>_<side>` held over each frame.
    pub fn attach_with(
        handle: &Handle,
        prefix: &str,
        side: &[&str],
        pause: Pause,
    ) -> Result<AxisSource, SimError> {
        let ports = AxisPorts::find(handle, prefix, side)?;
        let rng = handle.rng(prefix);
        let idle = Event::new(&format!("{prefix} idle"));
        idle.set();
        let state = Rc::new(RefCell::new(State {
            valid: Level::low(ports.valid.clone()),
            ports,
            pauser: Pauser::new(pause, rng.clone()),
            rng,
            queue: VecDeque::new(),
            taken: 0,
            offered: 0,
            since: 0,
            frames: 0,
            beats: 0,
            idle: idle.clone(),
        }));
        handle.attach(state.clone());
        Ok(AxisSource { state, idle })
    }

    /// Queues a frame; it goes out from the coming clock on.
    ///
    /// # Panics
    /// If the frame is empty, or ends inside a beat where the stream has no `tkeep`.
    pub fn send(&self, frame: impl Into<AxisFrame>) {
        let frame = frame.into();
        let state = &mut *self.state.borrow_mut();
        let ports = &state.ports;
        assert!(
            !frame.data.is_empty(),
            "`{}`: a frame has at least one byte",
            ports.prefix
        );
        assert_eq!(
            frame.side.len(),
            ports.side.len(),
            "`{}`: sideband values of a frame",
            ports.prefix
        );
        let whole = matches!(ports.keep, super::ports::Keep::None);
        assert!(
            !whole || frame.data.len() % ports.lanes == 0,
            "`{}`: without tkeep a frame fills its beats",
            ports.prefix
        );
        state.queue.push_back(frame);
        self.idle.clear();
    }

    /// Waits until everything queued has been taken.
    pub async fn idle(&self) {
        self.idle.wait().await;
    }

    /// Frames not yet taken in full.
    pub fn pending(&self) -> usize {
        self.state.borrow().queue.len()
    }

    /// Frames taken in full so far.
    pub fn frames(&self) -> u64 {
        self.state.borrow().frames
    }

    /// Transfers so far.
    pub fn beats(&self) -> u64 {
        self.state.borrow().beats
    }

    /// Changes the pauses.
    pub fn set_pause(&self, pause: Pause) {
        let state = &mut *self.state.borrow_mut();
        state.pauser = Pauser::new(pause, state.rng.clone());
    }
}

impl State {
    /// Puts the next beat of `queue[0]` on the ports.
    #[inline]
    fn offer(&mut self, edge: &Edge<'_>) {
        let Some(frame) = self.queue.front() else {
            return;
        };
        let ports = &self.ports;
        let rest = &frame.data[self.taken..];
        let count = rest.len().min(ports.lanes);
        let last = count == rest.len();
        ports.data.write(&rest[..count]);
        ports.write_keep(count);
        set(&ports.last, u64::from(last));
        if let Some(user) = &ports.user {
            let other = !frame.user & (u64::MAX >> (64 - user.width()));
            user.set(if last { frame.user } else { other });
        }
        if self.taken == 0 {
            set(&ports.id, frame.id);
            set(&ports.dest, frame.dest);
            for (port, value) in ports.side.iter().zip(&frame.side) {
                assert_eq!(
                    port.width(),
                    value.width(),
                    "width of sideband `{}`",
                    port.name()
                );
                port.write(&value.to_bytes());
            }
        }
        self.offered = count;
        self.since = edge.cycle;
    }
}

#[inline]
fn set(port: &Option<Signal>, value: u64) {
    if let Some(port) = port {
        port.set(value);
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        if self.offered == 0 || edge.in_reset || !self.ports.is_ready() {
            return;
        }
        edge.progress();
        self.beats += 1;
        self.taken += self.offered;
        self.offered = 0;
        if self
            .queue
            .front()
            .is_some_and(|frame| frame.data.len() == self.taken)
        {
            self.queue.pop_front();
            self.taken = 0;
            self.frames += 1;
            if self.queue.is_empty() {
                self.idle.set();
            }
        }
    }

    fn drive(&mut self, edge: &Edge<'_>) {
        let paused = self.pauser.next(true);
        if edge.in_reset {
            // The design forgot the frame's first beats; the rest of it would be a frame of its own.
            if self.taken > 0 || self.offered > 0 {
                self.queue.pop_front();
                if self.queue.is_empty() {
                    self.idle.set();
                }
            }
            self.taken = 0;
            self.offered = 0;
        } else if self.offered == 0 && !paused {
            self.offer(edge);
        }
        self.valid.set(self.offered > 0);
    }

    fn pending(&self) -> Option<String> {
        let State {
            queue,
            taken,
            since,
            ports,
            ..
        } = self;
        let frame = queue.front()?;
        let rest = format!(
            "{} frames queued, {taken} of {} bytes of the first taken",
            queue.len(),
            frame.data.len()
        );
        Some(match self.offered {
            0 => format!("source `{}`: {rest}", ports.prefix),
            _ => format!(
                "source `{}` waits for tready since cycle {since}: {rest}",
                ports.prefix
            ),
        })
    }
}
