//! Reads and writes registers of the design.

use super::driver::Driver;
use super::engine::{Answer, Request};
use super::monitor::AxilMonitor;
use super::AxilError;
use crate::sim::{Handle, Queue, SimError};
use crate::stall::StallProfile;
use std::cell::RefCell;
use std::rc::Rc;

/// A manager on the register port of the design. Clones are handles of the same manager.
///
/// Writes go out in the order in which they were begun, and so do reads; a read may overtake a write whose
/// answer is not awaited, as on a real bus. Address and data of a write go out apart from one another.
#[derive(Clone)]
pub struct AxilManager {
    state: Rc<RefCell<Driver>>,
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

impl AxilManager {
    /// Attaches a manager, and an [`AxilMonitor`], to the register port `prefix` of the design.
    pub fn attach(
        handle: &Handle,
        prefix: &str,
        profile: StallProfile,
    ) -> Result<AxilManager, SimError> {
        let state = Rc::new(RefCell::new(Driver::new(handle, prefix, profile)?));
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

    /// Begins a write of the bytes of a register for which `strobes` has a bit.
    pub fn begin_write_bytes(&self, addr: u64, value: u64, strobes: u64) -> Pending {
        self.begin(addr, value, Some(strobes))
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
