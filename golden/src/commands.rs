//! Commands, STOP, and buffers that come back without having been used (design section 3).

use pagetrain_formats::{BufId, BufStatus, Command, Completion, Counter, EventCode, Reason};

use crate::engine::{Engine, State};
use crate::error::EngineError;
use crate::memory::HostMemory;

impl Engine {
    /// While stopping: the event that is next if bad descriptors come back first.
    pub fn next_stop_event(&self) -> Option<EventCode> {
        if self.state != State::Stopping {
            None
        } else if self.smalls.bad() > 0 {
            Some(EventCode::BadSmall)
        } else if self.pages.bad() > 0 {
            Some(EventCode::BadPage)
        } else if self.smalls.posted() > 0 {
            Some(EventCode::UnusedSmall)
        } else if self.pages.posted() > 0 {
            Some(EventCode::UnusedPage)
        } else {
            Some(EventCode::Stopped)
        }
    }

    fn finish_command(&mut self) {
        self.pending = None;
        self.commands_done = self.commands_done.wrapping_add(1);
    }

    fn check_command(&self, event: EventCode, command: Command) -> Result<(), EngineError> {
        if self.pending == Some(command) {
            return Ok(());
        }
        Err(EngineError::NotCommanded {
            event,
            pending: self.pending,
        })
    }

    pub(crate) fn flush(
        &mut self,
        event: EventCode,
        command: Command,
        reason: Reason,
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        self.check_command(event, command)?;
        self.close_all(reason, memory);
        self.finish_command();
        Ok(())
    }

    pub(crate) fn flush_flow(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
        self.check_command(EventCode::FlushFlow, Command::FlushFlow)?;
        if let Some(slot) = self.table.find(&self.registers.flush_key()) {
            self.close(slot, Reason::FlushFlow, memory);
        }
        self.finish_command();
        Ok(())
    }

    pub(crate) fn stop(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
        self.check_command(EventCode::Stop, Command::Stop)?;
        self.close_all(Reason::Stop, memory);
        for slot in 0..self.flows.len() {
            self.release(slot, memory);
            self.table.remove(slot);
        }
        if let Some(page) = self.queue_page.take() {
            self.release_page(page, memory);
        }
        self.drop_stored();
        self.state = State::Stopping;
        Ok(())
    }

    pub(crate) fn drop_stored(&mut self) {
        let frames = self.store.clear();
        self.counters.add(Counter::DropDisabled, frames as u64);
    }

    pub(crate) fn bad_descriptor(
        &mut self,
        event: EventCode,
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        let id = if event == EventCode::BadSmall {
            self.smalls.take_bad().map(|b| BufId::Small(b.cookie))
        } else {
            self.pages.take_bad().map(|b| BufId::Page(b.cookie))
        };
        let id = id.ok_or(EngineError::NoDescriptor { event })?;
        self.counters.count(Counter::BadDescriptors);
        self.give_back(id, 0, BufStatus::BadDesc, memory);
        Ok(())
    }

    pub(crate) fn unused(
        &mut self,
        event: EventCode,
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        let id = if event == EventCode::UnusedSmall {
            self.smalls.take().map(|b| BufId::Small(b.cookie))
        } else if self.smalls.posted() > 0 {
            let state = "posted small buffers have not come back";
            return Err(EngineError::WrongState { event, state });
        } else {
            self.pages.take().map(|b| BufId::Page(b.cookie))
        };
        let id = id.ok_or(EngineError::NoDescriptor { event })?;
        self.give_back(id, 0, BufStatus::Unused, memory);
        Ok(())
    }

    pub(crate) fn stopped(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
        let (smalls, pages) = (self.smalls.posted(), self.pages.posted());
        let bad = self.smalls.bad() + self.pages.bad();
        if smalls + pages + bad > 0 {
            return Err(EngineError::StoppedEarly { smalls, pages, bad });
        }
        self.completions.emit(Completion::Stop, memory);
        self.state = State::Stopped;
        self.finish_command();
        Ok(())
    }
}
