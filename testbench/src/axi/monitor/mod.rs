//! The rules of AXI4, checked on every clock, whoever drives which side.

mod read;
mod write;

use super::burst::{Burst, BurstKind, Resp};
use crate::sim::{Component, Edge, Handle, Signal, SimError};
use read::ReadSide;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use write::WriteSide;

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
        state.write.as_ref().is_none_or(WriteSide::is_idle)
            && state.read.as_ref().is_none_or(ReadSide::is_idle)
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
