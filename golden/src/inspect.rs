//! What can be seen of the engine: register reads, counters, completions, and what it holds.

use pagetrain_formats::{regs, Completion, Counter, Field};

use crate::counters::Counters;
use crate::engine::{Engine, State};
use crate::registers::Settings;

impl Engine {
    /// What a read of the register port gives; none where that depends on the engine's clocks (IRQ_STATUS, SB_HEAD,
    /// PG_HEAD). Reading the low half of a counter latches the high one.
    pub fn read_register(&mut self, addr: u16) -> Option<u32> {
        let counters = regs::counter_addr(0)..regs::PROGRAM_BASE;
        Some(match addr & !3 {
            regs::IRQ_STATUS | regs::SB_HEAD | regs::PG_HEAD => return None,
            regs::STATUS => self.status(),
            regs::Q_CMD_DONE => self.commands_done.into(),
            regs::SB_TAIL => self.smalls.tail().into(),
            regs::PG_TAIL => self.pages.tail().into(),
            regs::CQ_HEAD => self.completions.head().into(),
            regs::CQ_TAIL => self.completions.tail().into(),
            at if counters.contains(&at) => {
                self.sync_counters();
                let at = at - counters.start;
                match at % 8 {
                    0 => self.counters.read_low(usize::from(at / 8)),
                    _ if usize::from(at / 8) < self.counters.values().len() => {
                        self.counters.read_high()
                    }
                    _ => 0,
                }
            }
            at => self.registers.get(at),
        })
    }

    fn status(&self) -> u32 {
        let bit = |field: Field, set: bool| if set { field.mask() } else { 0 };
        bit(
            regs::STATUS_ENABLED,
            self.settings.enable && self.state == State::Running,
        ) | bit(regs::STATUS_HALTED, self.state == State::Halted)
            | bit(regs::STATUS_STOPPING, self.state == State::Stopping)
            | bit(regs::STATUS_STOPPED, self.state == State::Stopped)
    }

    fn sync_counters(&mut self) {
        let written = self.completions.written() - self.counters.get(Counter::Completions);
        self.counters.add(Counter::Completions, written);
    }

    /// All counters.
    pub fn counters(&mut self) -> &Counters {
        self.sync_counters();
        &self.counters
    }

    /// Begins to record every completion entry, those that wait for room in the ring too.
    pub fn record_completions(&mut self) {
        self.completions.start_record();
    }

    /// The entries recorded since the last call, in ring order.
    pub fn take_completions(&mut self) -> Vec<Completion> {
        self.completions.take_record()
    }

    /// Entries that wait for the host to make room in the ring.
    pub fn waiting_completions(&self) -> usize {
        self.completions.waiting()
    }

    /// Small buffers and pages that the engine has: posted, being filled, or reported only in a train that is still open.
    /// Once the host has taken every completion, it has all others.
    pub fn holds(&self) -> (usize, usize) {
        let mut smalls = self.smalls.posted() + self.smalls.bad();
        let mut pages = self.pages.posted() + self.pages.bad();
        pages += usize::from(self.queue_page.is_some());
        for flow in &self.flows {
            let (train_smalls, train_pages) = flow.train.finishes();
            smalls += train_smalls;
            pages += train_pages + usize::from(flow.page.is_some());
        }
        (smalls, pages)
    }

    /// Slot and opening clock of each open train.
    pub fn open_trains(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let open = self
            .flows
            .iter()
            .enumerate()
            .filter(|(_, flow)| flow.train.is_open());
        open.map(|(slot, flow)| (slot, flow.train.opened()))
    }

    /// Number of the oldest frame in the store.
    pub fn oldest_frame(&self) -> Option<u16> {
        self.store.oldest()
    }

    /// Frames in the store, and their bytes.
    pub fn stored(&self) -> (usize, usize) {
        (self.store.len(), self.store.bytes())
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The queue's state.
    pub fn state(&self) -> State {
        self.state
    }
}
