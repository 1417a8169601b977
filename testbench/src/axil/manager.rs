//! Reads and writes registers of the design.

use super::engine::{Answer, Engine, Request};
use super::monitor::AxilMonitor;
use super::ports::AxilPorts;
use super::AxilError;
use crate::axi::Resp;
use crate::sim::{Component, Edge, Handle, Level, Queue, Signal, SimError};
use crate::stall::{Pauser, Role, StallProfile};
use std::cell::RefCell;
use std::rc::Rc;

/// A manager on the register port of the design. Clones are handles of the same manager.
///
/// Writes go out in the order in which they were begun, and so do reads; a read may overtake a write whose
/// answer is not awaited, as on a real bus. Address and data of a write go out apart from one another.
#[derive(Clone)]
pub struct AxilManager {
    state: Rc<RefCell<State>>,
    monitor: AxilMonitor,
}

/// An access that was begun; awaiting it gives its answer.
#[must_use = "the access goes on by itself, but its answer may be an error"]
pub struct Pending(Queue<Answer>);

impl Pending {
    /// Waits for the answer: what was read, 0 for a write.
    pub async fn answer(self) -> Result<u64, AxilError> {
        self.0.get().await
    }
}

struct State {
    prefix: String,
    ports: AxilPorts,
    /// awvalid, wvalid, arvalid, bready, rready.
    levels: [Level; 5],
    read: Engine,
    write: Engine,
    /// Offered now: aw, w, ar.
    offered: [bool; 3],
    /// Of the oldest write: address taken, data taken.
    half: [bool; 2],
    /// The design showed bvalid, rvalid and was not served.
    waiting: [bool; 2],
    /// For aw, w, ar (as source) and b, r (as sink).
    pause: [Pauser; 5],
    outstanding: usize,
}

impl AxilManager {
    /// Attaches a manager, and an [`AxilMonitor`], to the register port `prefix` of the design.
    pub fn attach(
        handle: &Handle,
        prefix: &str,
        profile: StallProfile,
    ) -> Result<AxilManager, SimError> {
        let pauser = |channel: &str, role| {
            Pauser::new(
                profile.pause(role),
                handle.rng(&format!("{prefix}_{channel}")),
            )
        };
        let ports = AxilPorts::find(handle, prefix)?;
        let state = Rc::new(RefCell::new(State {
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
        }));
        let monitor = AxilMonitor::attach(handle, prefix)?;
        handle.attach(state.clone());
        Ok(AxilManager { state, monitor })
    }

    /// The monitor that came with it.
    pub fn monitor(&self) -> &AxilMonitor {
        &self.monitor
    }

    /// Reads a register.
    pub async fn read(&self, addr: u64) -> Result<u64, AxilError> {
        self.begin_read(addr).answer().await
    }

    /// Writes a register.
    pub async fn write(&self, addr: u64, value: u64) -> Result<(), AxilError> {
        self.begin_write(addr, value).answer().await.map(|_| ())
    }

    /// Writes the bytes of a register for which `strobes` has a bit.
    pub async fn write_bytes(&self, addr: u64, value: u64, strobes: u64) -> Result<(), AxilError> {
        self.begin(addr, value, Some(strobes))
            .answer()
            .await
            .map(|_| ())
    }

    /// Begins a read; the answer can be awaited later.
    pub fn begin_read(&self, addr: u64) -> Pending {
        let answer = Queue::new(&format!("answer to the read at {addr:#x}"));
        let request = Request {
            addr,
            data: 0,
            strobes: 0,
            answer: answer.clone(),
        };
        self.state.borrow_mut().read.queue.push_back(request);
        Pending(answer)
    }

    /// Begins a write; the answer can be awaited later.
    pub fn begin_write(&self, addr: u64, value: u64) -> Pending {
        self.begin(addr, value, None)
    }

    fn begin(&self, addr: u64, data: u64, strobes: Option<u64>) -> Pending {
        let answer = Queue::new(&format!("answer to the write at {addr:#x}"));
        let mut state = self.state.borrow_mut();
        let strobes = strobes.unwrap_or((1 << (state.ports.wdata.width() / 8)) - 1);
        state.write.queue.push_back(Request {
            addr,
            data,
            strobes,
            answer: answer.clone(),
        });
        Pending(answer)
    }

    /// Accesses of one direction that may be under way at a time; 4 at first.
    pub fn set_outstanding(&self, count: usize) {
        self.state.borrow_mut().outstanding = count.max(1);
    }
}

impl State {
    fn sample_write(&mut self, edge: &Edge<'_>) {
        let State {
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
        let State {
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

impl Component for State {
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
