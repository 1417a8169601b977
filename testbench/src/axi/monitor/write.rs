//! The rules of write addresses, write data and write responses.

use super::super::burst::{ones, Burst};
use super::super::ports::{channel_check, optional, AddressPorts, WritePorts};
use super::Seen;
use crate::sim::{Handle, Signal, SimError};
use crate::stream::check::HandshakeCheck;
use std::collections::VecDeque;

pub(super) struct WriteSide {
    aw: AddressPorts,
    w: WritePorts,
    bvalid: Signal,
    bready: Signal,
    bid: Option<Signal>,
    bresp: Option<Signal>,
    checks: [HandshakeCheck; 3],
    /// Bursts whose data is not all here.
    open: VecDeque<Burst>,
    /// Beats of `open[0]` that are here.
    beat: u32,
    /// Beats ahead of their address: strobes and wlast.
    early: VecDeque<(u128, bool)>,
    /// IDs whose data is all here and whose response is due.
    due: VecDeque<u64>,
}

impl WriteSide {
    pub(super) fn find(handle: &Handle, prefix: &str) -> Result<WriteSide, SimError> {
        let w = WritePorts::find(handle, prefix)?;
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let check = |channel: &str| channel_check(handle, prefix, channel);
        Ok(WriteSide {
            aw: AddressPorts::find(handle, &name("aw"), w.bus.trailing_zeros())?,
            bvalid: handle.signal(&name("bvalid"))?,
            bready: handle.signal(&name("bready"))?,
            bid: optional(handle, &name("bid"))?,
            bresp: optional(handle, &name("bresp"))?,
            checks: [check("aw")?, check("w")?, check("b")?],
            w,
            open: VecDeque::new(),
            beat: 0,
            early: VecDeque::new(),
            due: VecDeque::new(),
        })
    }

    /// True if every burst has its data and its response, and no data is without an address.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.early.is_empty() && self.due.is_empty()
    }

    #[inline]
    pub(super) fn sample(&mut self, seen: &mut Seen<'_, '_>) {
        let aw = (self.aw.valid.is_high(), self.aw.ready.is_high());
        let w = (self.w.valid.is_high(), self.w.ready.is_high());
        let b = (self.bvalid.is_high(), self.bready.is_high());
        for (check, (valid, ready)) in self.checks.iter_mut().zip([aw, w, b]) {
            check.sample(seen.edge, valid, ready);
        }
        if seen.edge.in_reset {
            self.open.clear();
            self.early.clear();
            self.due.clear();
            self.beat = 0;
            return;
        }
        // A response is due at the earliest in the clock after address and last beat.
        if b == (true, true) {
            self.response(seen);
        }
        if aw == (true, true) {
            let burst = self.aw.burst();
            seen.stats.writes += 1;
            seen.address("aw", &burst, self.w.bus);
            self.open.push_back(burst);
            while !self.early.is_empty() && !self.open.is_empty() {
                if let Some((strobes, last)) = self.early.pop_front() {
                    self.data(seen, strobes, last);
                }
            }
        }
        if w == (true, true) {
            let strobes = self.w.strobes();
            seen.stats.write_beats += 1;
            seen.stats.partial_beats += u64::from(strobes != ones(self.w.bus));
            let last = self.w.last.as_ref().is_none_or(Signal::is_high);
            match self.open.is_empty() {
                true => self.early.push_back((strobes, last)),
                false => self.data(seen, strobes, last),
            }
        }
    }

    /// The next beat of the oldest burst that wants one.
    #[inline]
    fn data(&mut self, seen: &Seen<'_, '_>, strobes: u128, last: bool) {
        let Some(&burst) = self.open.front() else {
            return;
        };
        let outside = strobes & !burst.lanes(self.beat, self.w.bus);
        if outside != 0 {
            let detail = format!(
                "beat {} of the burst at {:#x} strobes lanes {outside:#x}",
                self.beat, burst.addr
            );
            seen.report("strobe_outside", detail);
        }
        self.beat += 1;
        let end = self.beat == burst.beats;
        if last != end {
            let rule = if last { "wlast_early" } else { "wlast_missing" };
            let detail = format!(
                "beat {} of {} of the burst at {:#x}",
                self.beat, burst.beats, burst.addr
            );
            seen.report(rule, detail);
        }
        // After a wrong wlast the next beat counts to the next burst: one report an error.
        if last || end {
            self.open.pop_front();
            self.due.push_back(burst.id);
            self.beat = 0;
        }
    }

    fn response(&mut self, seen: &mut Seen<'_, '_>) {
        seen.stats.write_responses += 1;
        seen.resp("b", &self.bresp);
        let id = self.bid.as_ref().map_or(0, Signal::get);
        match self.due.iter().position(|&due| due == id) {
            Some(index) => {
                self.due.remove(index);
            }
            None => seen.report(
                "b_without_write",
                format!("no burst with ID {id} has all its data and waits"),
            ),
        }
    }
}
