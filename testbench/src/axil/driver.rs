//! The manager's side of the five channels, clock by clock.

use super::engine::Engine;
use super::ports::AxilPorts;
use crate::axi::Resp;
use crate::sim::{Component, Edge, Handle, Level, Signal, SimError};
use crate::stall::{Pauser, Role, StallProfile};

/// Drives the five channels.
pub(super) struct Driver {
    prefix: String,
    pub(super) ports: AxilPorts,
    /// awvalid, wvalid, arvalid, bready, rready.
    levels: [Level; 5],
    pub(super) read: Engine,
    pub(super) write: Engine,
    /// Offered now: aw, w, ar.
    offered: [bool; 3],
    /// Of the oldest write: address taken, data taken.
    half: [bool; 2],
    /// The design showed bvalid, rvalid and was not served.
    waiting: [bool; 2],
    /// For aw, w, ar (as source) and b, r (as sink).
    pause: [Pauser; 5],
    /// Accesses of one direction that may be under way at a time.
    pub(super) outstanding: usize,
}

impl Driver {
    /// Finds the ports; nothing is offered yet.
    pub(super) fn new(
        handle: &Handle,
        prefix: &str,
        profile: StallProfile,
    ) -> Result<Driver, SimError> {
        let pauser = |channel: &str, role| {
            Pauser::new(
                profile.pause(role),
                handle.rng(&format!("{prefix}_{channel}")),
            )
        };
        let ports = AxilPorts::find(handle, prefix)?;
        Ok(Driver {
            prefix: prefix.to_owned(),
            levels: [
                &ports.aw.valid,
                &ports.w.valid,
                &ports.ar.valid,
                &ports.b.ready,
                &ports.r.ready,
            ]
            .map(|port| Level::low(port.clone())),
            ports,
            read: Engine::default(),
            write: Engine::default(),
            offered: [false; 3],
            half: [false; 2],
            waiting: [false; 2],
            pause: [
                pauser("aw", Role::Source),
                pauser("w", Role::Source),
                pauser("ar", Role::Source),
                pauser("b", Role::Sink),
                pauser("r", Role::Sink),
            ],
            outstanding: 4,
        })
    }

    fn sample_write(&mut self, edge: &Edge<'_>) {
        let Driver {
            ports,
            write,
            offered,
            half,
            ..
        } = self;
        for (channel, port) in [&ports.aw, &ports.w].into_iter().enumerate() {
            if offered[channel] && port.ready.is_high() {
                edge.progress();
                offered[channel] = false;
                half[channel] = true;
            }
        }
        if *half == [true, true] {
            *half = [false, false];
            write.taken();
        }
    }

    fn sample_read(&mut self, edge: &Edge<'_>) {
        if self.offered[2] && self.ports.ar.ready.is_high() {
            edge.progress();
            self.offered[2] = false;
            self.read.taken();
        }
    }

    fn drive_requests(&mut self, paused: [bool; 3]) {
        let Driver {
            ports,
            read,
            write,
            offered,
            half,
            outstanding,
            ..
        } = self;
        if let Some(request) = write
            .queue
            .front()
            .filter(|_| write.outstanding() < *outstanding)
        {
            if !offered[0] && !half[0] && !paused[0] {
                ports.awaddr.set(request.addr);
                offered[0] = true;
            }
            if !offered[1] && !half[1] && !paused[1] {
                ports.wdata.set(request.data);
                if let Some(strb) = &ports.wstrb {
                    strb.set(request.strobes);
                }
                offered[1] = true;
            }
        }
        if let Some(request) = read
            .queue
            .front()
            .filter(|_| read.outstanding() < *outstanding)
        {
            if !offered[2] && !paused[2] {
                ports.araddr.set(request.addr);
                offered[2] = true;
            }
        }
    }
}

fn resp(port: &Option<Signal>) -> Resp {
    Resp::from_bits(port.as_ref().map_or(0, Signal::get))
}

impl Component for Driver {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset {
            self.read.clear();
            self.write.clear();
            self.offered = [false; 3];
            self.half = [false; 2];
            self.waiting = [false; 2];
            return;
        }
        // Answers first: one at the edge of its own request would be too early, and the monitor says so.
        let (b, r) = (self.ports.b.state(), self.ports.r.state());
        if b == (true, true) {
            edge.progress();
            self.write.answered("write", 0, resp(&self.ports.bresp));
        }
        if r == (true, true) {
            edge.progress();
            self.read
                .answered("read", self.ports.rdata.get(), resp(&self.ports.rresp));
        }
        self.waiting = [b == (true, false), r == (true, false)];
        self.sample_write(edge);
        self.sample_read(edge);
    }

    fn drive(&mut self, edge: &Edge<'_>) {
        let [aw, w, ar, b, r] = &mut self.pause;
        let paused = [aw.next(true), w.next(true), ar.next(true)];
        let answers = [b.next(self.waiting[0]), r.next(self.waiting[1])];
        if !edge.in_reset {
            self.drive_requests(paused);
        }
        let offered = self
            .offered
            .into_iter()
            .chain(answers.map(|paused| !paused));
        for (level, high) in self.levels.iter_mut().zip(offered) {
            level.set(high);
        }
    }

    fn pending(&self) -> Option<String> {
        let (writes, reads) = (&self.write, &self.read);
        let queued = writes.queue.len() + reads.queue.len();
        let waiting = writes.outstanding() + reads.outstanding();
        (queued + waiting > 0).then(|| {
            format!(
                "registers `{}`: {queued} accesses to be taken, {waiting} to be answered",
                self.prefix
            )
        })
    }
}
