//! The rules of AXI4, checked on every clock, whoever drives which side.

use super::burst::{ones, Burst, BurstKind, Resp};
use super::ports::{channel_check, optional, AddressPorts, WritePorts};
use crate::sim::{Component, Edge, Handle, Signal, SimError};
use crate::stream::check::HandshakeCheck;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

/// What passed on an AXI port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AxiStats {
    /// Write bursts begun.
    pub writes: u64,
    /// Write beats.
    pub write_beats: u64,
    /// Write beats with a lane of the bus not written.
    pub partial_beats: u64,
    /// Write bursts answered.
    pub write_responses: u64,
    /// Read bursts begun.
    pub reads: u64,
    /// Read beats.
    pub read_beats: u64,
}

/// A listener on an AXI4 port, driving nothing. Clones are handles of the same monitor.
///
/// Rules, by name: of all channels `valid_dropped`, `payload_changed`, `valid_in_reset`; of addresses
/// `crosses_4k`, `burst_reserved`, `burst_len`, `wrap_unaligned`, `size_too_wide`; of write data `wlast_early`,
/// `wlast_missing`, `strobe_outside`; of responses `b_without_write`, `r_without_read`, `rlast_wrong`,
/// `resp_exokay`.
#[derive(Clone)]
pub struct AxiMonitor {
    stats: Rc<Cell<AxiStats>>,
    state: Rc<RefCell<State>>,
}

struct State {
    prefix: String,
    stats: Rc<Cell<AxiStats>>,
    write: Option<WriteSide>,
    read: Option<ReadSide>,
}

struct WriteSide {
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

struct ReadSide {
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

impl AxiMonitor {
    /// Listens to the port `prefix`: its write channels, its read channels, or both.
    pub fn attach(handle: &Handle, prefix: &str) -> Result<AxiMonitor, SimError> {
        let stats = Rc::new(Cell::new(AxiStats::default()));
        let has = |suffix: &str| handle.port(&format!("{prefix}_{suffix}")).is_some();
        let state = Rc::new(RefCell::new(State {
            prefix: prefix.to_owned(),
            stats: stats.clone(),
            write: has("awvalid")
                .then(|| WriteSide::find(handle, prefix))
                .transpose()?,
            read: has("arvalid")
                .then(|| ReadSide::find(handle, prefix))
                .transpose()?,
        }));
        handle.attach(state.clone());
        Ok(AxiMonitor { stats, state })
    }

    /// What has passed so far.
    pub fn stats(&self) -> AxiStats {
        self.stats.get()
    }

    /// True if every burst has its data and its response, and no data is without an address.
    pub fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        let write = state
            .write
            .as_ref()
            .is_none_or(|w| w.open.is_empty() && w.early.is_empty() && w.due.is_empty());
        write && state.read.as_ref().is_none_or(|r| r.open.is_empty())
    }
}

/// What an edge's reports and counts go to.
struct Seen<'a, 'b> {
    edge: &'a Edge<'b>,
    prefix: &'a str,
    stats: &'a mut AxiStats,
}

impl Seen<'_, '_> {
    #[cold]
    fn report(&self, rule: &'static str, detail: String) {
        self.edge.report(self.prefix, rule, detail);
    }

    /// The rules of one address.
    #[inline]
    fn address(&self, channel: &str, burst: &Burst, bus: u64) {
        let Burst {
            addr, beats, kind, ..
        } = *burst;
        let size = burst.size();
        let rule = if size > bus {
            "size_too_wide"
        } else if kind == BurstKind::Reserved {
            "burst_reserved"
        } else if burst.crosses_4k() {
            "crosses_4k"
        } else if kind == BurstKind::Fixed && beats > 16
            || kind == BurstKind::Wrap && ![2, 4, 8, 16].contains(&beats)
        {
            "burst_len"
        } else if kind == BurstKind::Wrap && addr % size != 0 {
            "wrap_unaligned"
        } else {
            return;
        };
        let detail = format!("{channel}: {beats} beats of {size} bytes at {addr:#x}, {kind:?}, on a bus of {bus} bytes");
        self.report(rule, detail);
    }

    fn resp(&self, channel: &str, port: &Option<Signal>) {
        // No manager here asks for exclusive access.
        if port
            .as_ref()
            .is_some_and(|resp| Resp::from_bits(resp.get()) == Resp::ExOkay)
        {
            self.report(
                "resp_exokay",
                format!("{channel}: EXOKAY to an access that is not exclusive"),
            );
        }
    }
}

impl WriteSide {
    fn find(handle: &Handle, prefix: &str) -> Result<WriteSide, SimError> {
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

    #[inline]
    fn sample(&mut self, seen: &mut Seen<'_, '_>) {
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

impl ReadSide {
    fn find(handle: &Handle, prefix: &str) -> Result<ReadSide, SimError> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let check = |channel: &str| channel_check(handle, prefix, channel);
        let bus = u64::from(super::ports::bus_port(handle, &name("rdata"))?.width() / 8);
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

    #[inline]
    fn sample(&mut self, seen: &mut Seen<'_, '_>) {
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

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        let mut stats = self.stats.get();
        let mut seen = Seen {
            edge,
            prefix: &self.prefix,
            stats: &mut stats,
        };
        if let Some(write) = &mut self.write {
            write.sample(&mut seen);
        }
        if let Some(read) = &mut self.read {
            read.sample(&mut seen);
        }
        self.stats.set(stats);
    }

    fn drives(&self) -> bool {
        false
    }
}
