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

    pub(crate) fn release_page(&mut self, page: Page, memory: &mut HostMemory) {
        self.counters.count(Counter::PagesReleased);
        let id = BufId::Page(page.buffer.cookie);
        self.give_back(id, page.fill as u16, BufStatus::Released, memory);
    }

    pub(crate) fn give_back(
        &mut self,
        id: BufId,
        fill: u16,
        status: BufStatus,
        memory: &mut HostMemory,
    ) {
        let entry = Completion::Buf(Buf { id, fill, status });
        self.completions.emit(entry, memory);
    }
}
