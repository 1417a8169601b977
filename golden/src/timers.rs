//! Defer timers: when a train must close, and which closings were too early or too late (design section 3).

use pagetrain_formats::Reason;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::HostMemory;

impl Engine {
    /// TIMER.
    pub(crate) fn timer(
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
    pub(crate) fn check_timers(&mut self, clock: u64) -> Result<(), EngineError> {
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
}
