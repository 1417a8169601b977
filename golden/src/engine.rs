//! The engine: its state, and every event but frames (design section 3).

use pagetrain_formats::{
    Buf, BufId, BufStatus, Command, Completion, Config, Counter, EventCode, Reason,
};

use crate::completions::CompletionRing;
use crate::counters::Counters;
use crate::error::{EngineError, Room};
use crate::flow::FlowTable;
use crate::memory::HostMemory;
use crate::pages::{Fragment, Page};
use crate::parser::Parser;
use crate::plan::FlowState;
use crate::registers::{Registers, Settings};
use crate::rings::{BufferRing, RingKind};
use crate::store::Store;

/// What happened in the engine, in its order: a record of its trace port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub code: EventCode,
    /// `rx_seq` of FRAME and DROP_NO_BUFFER, slot of TIMER, else 0.
    pub arg: u16,
}

/// How much later than by the model's own reckoning the engine may do things. In clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `TIMER_SLACK`: a train may be held that much longer than its defer time.
    pub timer_slack: u64,
    /// A frame may still be dropped for want of a buffer that was posted so long ago.
    pub buffer_slack: u64,
}

impl Limits {
    /// No limit: the caller judges.
    pub const NONE: Limits = Limits {
        timer_slack: u64::MAX,
        buffer_slack: u64::MAX,
    };
}

/// What an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// DROP_NO_BUFFER: with what was needed and what was there, for the caller to judge.
    Dropped(Room),
}

/// The queue's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Frames are processed.
    Running,
    /// STOP was executed; buffers are coming back.
    Stopping,
    /// Every buffer has come back.
    Stopped,
    /// A bus error was seen.
    Halted,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Stopping => "stopping",
            State::Stopped => "stopped",
            State::Halted => "halted",
        }
    }
}

/// The model of one engine.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) registers: Registers,
    pub(crate) settings: Settings,
    pub(crate) parser: Parser,
    pub(crate) counters: Counters,
    pub(crate) state: State,
    pub(crate) next_rx_seq: u16,
    pub(crate) store: Store,
    pub(crate) table: FlowTable,
    pub(crate) flows: Vec<FlowState>,
    pub(crate) queue_page: Option<Page>,
    pub(crate) smalls: BufferRing,
    pub(crate) pages: BufferRing,
    pub(crate) completions: CompletionRing,
    pub(crate) pending: Option<Command>,
    pub(crate) commands_done: u16,
    /// No open train was opened before this clock.
    pub(crate) oldest: u64,
    /// Timers may be late up to this clock: the completion ring was full.
    pub(crate) excused: u64,
    pub(crate) entries: Vec<Completion>,
    pub(crate) fragments: Vec<Fragment>,
    pub(crate) stripped: Vec<u8>,
}

impl Engine {
    /// An engine after power-up. `config` must be valid.
    pub fn new(config: &Config, limits: Limits) -> Self {
        let registers = Registers::new(config);
        let page_limit = config.page_size as u32;
        Self {
            config: *config,
            limits,
            settings: registers.settings(),
            registers,
            parser: Parser::new(
                config.parser_states,
                config.parser_steps,
                config.parser_window,
            ),
            counters: Counters::default(),
            state: State::Running,
            next_rx_seq: 0,
            store: Store::default(),
            table: FlowTable::new(config.flows),
            flows: vec![FlowState::default(); config.flows],
            queue_page: None,
            smalls: BufferRing::new(RingKind::Small),
            pages: BufferRing::new(RingKind::Page { limit: page_limit }),
            completions: CompletionRing::default(),
            pending: None,
            commands_done: 0,
            oldest: u64::MAX,
            excused: 0,
            entries: Vec::new(),
            fragments: Vec::new(),
            stripped: Vec::new(),
        }
    }

    /// Carries out one event of the trace, at `clock`. On an error nothing was done.
    pub fn event(
        &mut self,
        event: Event,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<Outcome, EngineError> {
        self.check_state(event.code)?;
        // The event that closes a train may be the one that shows that it was late.
        self.check_timers(clock)?;
        match event.code {
            EventCode::Frame => self.frame(event.arg, clock, memory)?,
            EventCode::DropNoBuffer => {
                return self
                    .drop_no_buffer(event.arg, clock, memory)
                    .map(Outcome::Dropped);
            }
            EventCode::Timer => self.timer(event.arg.into(), clock, memory)?,
            EventCode::FlushAll => {
                self.flush(event.code, Command::FlushAll, Reason::FlushAll, memory)?
            }
            EventCode::Poll => self.flush(event.code, Command::Poll, Reason::Poll, memory)?,
            EventCode::FlushFlow => self.flush_flow(memory)?,
            EventCode::Stop => self.stop(memory)?,
            EventCode::BadSmall | EventCode::BadPage => self.bad_descriptor(event.code, memory)?,
            EventCode::UnusedSmall | EventCode::UnusedPage => self.unused(event.code, memory)?,
            EventCode::Stopped => self.stopped(memory)?,
        }
        Ok(Outcome::Done)
    }

    fn check_state(&self, event: EventCode) -> Result<(), EngineError> {
        use EventCode::{BadPage, BadSmall, Stopped, UnusedPage, UnusedSmall};
        let allowed = match self.state {
            State::Running => !matches!(event, UnusedSmall | UnusedPage | Stopped),
            State::Stopping => {
                matches!(
                    event,
                    UnusedSmall | UnusedPage | Stopped | BadSmall | BadPage
                )
            }
            State::Stopped | State::Halted => false,
        };
        let state = self.state.name();
        allowed
            .then_some(())
            .ok_or(EngineError::WrongState { event, state })
    }

    /// Closes the open train of a slot.
    pub(crate) fn close(&mut self, slot: usize, reason: Reason, memory: &mut HostMemory) {
        let train = &mut self.flows[slot].train;
        if train.is_open() {
            let completions = &mut self.completions;
            let packets = train.close(reason, |entry| completions.emit(entry, memory));
            self.counters.count(Counter::Trains);
            self.counters.closed(reason, packets.into());
        }
    }

    pub(crate) fn close_all(&mut self, reason: Reason, memory: &mut HostMemory) {
        for slot in 0..self.flows.len() {
            self.close(slot, reason, memory);
        }
        self.oldest = u64::MAX;
    }

    /// Gives the page back that a flow is filling.
    pub(crate) fn release(&mut self, slot: usize, memory: &mut HostMemory) {
        if let Some(page) = self.flows[slot].page.take() {
            self.release_page(page, memory);
        }
    }

    fn release_page(&mut self, page: Page, memory: &mut HostMemory) {
        self.counters.count(Counter::PagesReleased);
        let id = BufId::Page(page.buffer.cookie);
        self.give_back(id, page.fill as u16, BufStatus::Released, memory);
    }

    fn give_back(&mut self, id: BufId, fill: u16, status: BufStatus, memory: &mut HostMemory) {
        let entry = Completion::Buf(Buf { id, fill, status });
        self.completions.emit(entry, memory);
    }

    fn timer(
        &mut self,
        slot: usize,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        let open = self.flows.get(slot).is_some_and(|f| f.train.is_open());
        if !open || self.settings.defer_ticks == 0 {
            return Err(EngineError::TimerWithoutTrain { slot });
        }
        let opened = self.flows[slot].train.opened();
        let earliest = opened + (self.settings.defer_ticks - 1) * self.settings.tick_clocks;
        if clock < earliest {
            return Err(EngineError::TimerEarly {
                slot,
                opened,
                clock,
                earliest,
            });
        }
        self.close(slot, Reason::Timer, memory);
        Ok(())
    }

    /// Refuses a clock at which a train is open that should have been closed before.
    fn check_timers(&mut self, clock: u64) -> Result<(), EngineError> {
        if self.completions.waiting() > 0 {
            self.excused = self.excused.max(clock);
        }
        let held = self.settings.defer_ticks * self.settings.tick_clocks;
        let latest = |opened: u64| {
            (opened.saturating_add(held))
                .max(self.excused)
                .saturating_add(self.limits.timer_slack)
        };
        if self.settings.defer_ticks == 0 || clock <= latest(self.oldest) {
            return Ok(());
        }
        let open = self
            .flows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.train.is_open());
        let Some((slot, flow)) = open.min_by_key(|(_, flow)| flow.train.opened()) else {
            self.oldest = u64::MAX;
            return Ok(());
        };
        let opened = flow.train.opened();
        let latest = latest(opened);
        if clock > latest {
            return Err(EngineError::TimerLate {
                slot,
                opened,
                clock,
                latest,
            });
        }
        self.oldest = opened;
        Ok(())
    }

    /// The slot whose timer runs out next, and when by the model's own clock: `defer_ticks` whole ticks after its opening.
    pub fn next_timer(&self) -> Option<(usize, u64)> {
        let held = self.settings.defer_ticks * self.settings.tick_clocks;
        let open = self
            .flows
            .iter()
            .enumerate()
            .filter(|(_, f)| held > 0 && f.train.is_open());
        open.map(|(slot, f)| (slot, f.train.opened() + held))
            .min_by_key(|&(_, due)| due)
    }

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

    fn flush(
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

    fn flush_flow(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
        self.check_command(EventCode::FlushFlow, Command::FlushFlow)?;
        if let Some(slot) = self.table.find(&self.registers.flush_key()) {
            self.close(slot, Reason::FlushFlow, memory);
        }
        self.finish_command();
        Ok(())
    }

    fn stop(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
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

    fn bad_descriptor(
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

    fn unused(&mut self, event: EventCode, memory: &mut HostMemory) -> Result<(), EngineError> {
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

    fn stopped(&mut self, memory: &mut HostMemory) -> Result<(), EngineError> {
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
