//! The rules of read addresses and read data.

use super::super::burst::Burst;
use super::super::ports::{bus_port, channel_check, optional, AddressPorts};
use super::Seen;
use crate::sim::{Handle, Signal, SimError};
use crate::stream::check::HandshakeCheck;
use std::collections::VecDeque;

pub(super) struct ReadSide {
    ar: AddressPorts,
    rvalid: Signal,
    rready: Signal,
    rid: Option<Signal>,
    rresp: Option<Signal>,
    rlast: Option<Signal>,
    checks: [HandshakeCheck; 2],
    bus: u64,
    /// Bursts that are not answered in full, and the beats that are here.
    open: VecDeque<(Burst, u32)>,
}

impl ReadSide {
    pub(super) fn find(handle: &Handle, prefix: &str) -> Result<ReadSide, SimError> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let check = |channel: &str| channel_check(handle, prefix, channel);
        let bus = u64::from(bus_port(handle, &name("rdata"))?.width() / 8);
        Ok(ReadSide {
            ar: AddressPorts::find(handle, &name("ar"), bus.trailing_zeros())?,
            rvalid: handle.signal(&name("rvalid"))?,
            rready: handle.signal(&name("rready"))?,
            rid: optional(handle, &name("rid"))?,
            rresp: optional(handle, &name("rresp"))?,
            rlast: optional(handle, &name("rlast"))?,
            checks: [check("ar")?, check("r")?],
            bus,
            open: VecDeque::new(),
        })
    }

    /// True if every burst has all its data.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    #[inline]
    pub(super) fn sample(&mut self, seen: &mut Seen<'_, '_>) {
        let ar = (self.ar.valid.is_high(), self.ar.ready.is_high());
        let r = (self.rvalid.is_high(), self.rready.is_high());
        for (check, (valid, ready)) in self.checks.iter_mut().zip([ar, r]) {
            check.sample(seen.edge, valid, ready);
        }
        if seen.edge.in_reset {
            self.open.clear();
            return;
        }
        if r == (true, true) {
            self.data(seen);
        }
        if ar == (true, true) {
            let burst = self.ar.burst();
            seen.stats.reads += 1;
            seen.address("ar", &burst, self.bus);
            self.open.push_back((burst, 0));
        }
    }

    #[inline]
    fn data(&mut self, seen: &mut Seen<'_, '_>) {
        seen.stats.read_beats += 1;
        seen.resp("r", &self.rresp);
        let id = self.rid.as_ref().map_or(0, Signal::get);
        // Within an ID in order of the addresses: the oldest gets it.
        let Some(index) = self.open.iter().position(|(burst, _)| burst.id == id) else {
            return seen.report("r_without_read", format!("no read with ID {id} waits"));
        };
        let (burst, beat) = &mut self.open[index];
        *beat += 1;
        let end = *beat == burst.beats;
        let last = self.rlast.as_ref().map_or(end, Signal::is_high);
        if last != end {
            let detail = format!(
                "rlast {last} in beat {beat} of {} of the read at {:#x}",
                burst.beats, burst.addr
            );
            seen.report("rlast_wrong", detail);
        }
        if last || end {
            self.open.remove(index);
        }
    }
}
