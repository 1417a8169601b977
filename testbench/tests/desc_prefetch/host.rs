//! The host's ring and the bus in front of it.

use crate::descriptors::Posted;
use pagetrain_testbench::sim::{Component, Edge, Signal, Sim, SimError, WideSignal};
use pagetrain_testbench::stall::{Pause, Pauser};
use pagetrain_testbench::Rng;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// Descriptors that may be fetched and not yet taken.
pub const DEPTH: usize = 32;

/// How the bus behaves.
#[derive(Clone, Debug)]
pub struct Bus {
    pub ar: Pause,
    pub r: Pause,
    /// Clocks from an address to its first beat.
    pub latency: RangeInclusive<u64>,
    /// Number of the beat that gets an error response.
    pub error: Option<u64>,
}

/// A burst under way.
struct Burst {
    addr: u64,
    beats: u64,
    ready_at: u64,
}

/// The ring, the descriptors posted in it, and the read channels.
pub struct Host {
    base: u64,
    lanes: u64,
    /// The ring's bytes: what was never posted is noise.
    memory: Vec<u8>,
    /// All descriptors posted since the reset.
    pub posted: Vec<Posted>,
    /// Descriptors good and bad that have left the block.
    pub taken: usize,
    /// Descriptors that the bursts so far asked for, exact where a beat holds at most one.
    asked: usize,
    open: VecDeque<Burst>,
    bus: Bus,
    ar_pause: Pauser,
    r_pause: Pauser,
    rng: Rng,
    /// Beats delivered.
    pub beats: u64,
    /// Edge of the last beat.
    pub last_beat: u64,
    pub bursts: u64,
    ar: [Signal; 2],
    ar_data: WideSignal,
    r: [Signal; 2],
    r_data: WideSignal,
    head: Signal,
    quiesce: Signal,
    idle: Signal,
    enable: Signal,
    /// Clocks for which quiesce has been high; for which the block may not ask any more.
    quiet: u64,
    offered: Option<(u64, u64)>,
}

impl Host {
    /// A ring of 2^`log2` descriptors at `base`, and the bus.
    pub fn attach(
        sim: &Sim,
        lanes: u64,
        base: u64,
        log2: u32,
        bus: Bus,
    ) -> Result<Rc<RefCell<Host>>, SimError> {
        let mut rng = sim.rng("host");
        for (port, value) in [
            ("tail", 0),
            ("enable", 1),
            ("quiesce", 0),
            ("s_r_tvalid", 0),
            ("cfg_log2", log2.into()),
        ] {
            sim.signal(port)?.set(value);
        }
        sim.signal("cfg_base")?.set(base);
        let host = Rc::new(RefCell::new(Host {
            base,
            lanes,
            memory: rng.bytes(16 << log2),
            posted: vec![],
            taken: 0,
            asked: 0,
            open: VecDeque::new(),
            ar_pause: Pauser::new(bus.ar.clone(), sim.rng("ar")),
            r_pause: Pauser::new(bus.r.clone(), sim.rng("r")),
            bus,
            rng,
            beats: 0,
            last_beat: 0,
            bursts: 0,
            ar: [sim.signal("m_ar_tvalid")?, sim.signal("m_ar_tready")?],
            ar_data: sim.wide("m_ar_tdata")?,
            r: [sim.signal("s_r_tvalid")?, sim.signal("s_r_err")?],
            r_data: sim.wide("s_r_tdata")?,
            head: sim.signal("head")?,
            quiesce: sim.signal("quiesce")?,
            idle: sim.signal("idle")?,
            enable: sim.signal("enable")?,
            quiet: 0,
            offered: None,
        }));
        sim.attach(host.clone());
        Ok(host)
    }

    /// Descriptors of the ring.
    pub fn size(&self) -> usize {
        self.memory.len() / 16
    }

    /// Writes a descriptor into the ring if there is a free place; the doorbell is the caller's.
    pub fn post(&mut self, descriptor: Posted) -> bool {
        let head = self.head.get() as u16;
        let outstanding = (self.posted.len() as u16).wrapping_sub(head);
        if usize::from(outstanding) >= self.size() {
            return false;
        }
        let at = self.posted.len() % self.size() * 16;
        self.memory[at..at + 16].copy_from_slice(&descriptor.bytes);
        self.posted.push(descriptor);
        true
    }

    /// After a reset of the block, with nothing under way.
    pub fn forget(&mut self) {
        assert!(self.open.is_empty());
        self.posted.clear();
        (self.taken, self.asked) = (0, 0);
    }

    pub fn bus_is_idle(&self) -> bool {
        self.open.is_empty() && self.offered.is_none()
    }

    /// Descriptors whose data have come, as the block says.
    pub fn arrived(&self) -> usize {
        let head = self.head.get() as u16;
        self.posted.len() - usize::from((self.posted.len() as u16).wrapping_sub(head))
    }

    fn take_address(&mut self, edge: &Edge<'_>) {
        let valid = self.ar[0].is_high();
        let (addr, len) = (self.ar_data.field(0, 64), self.ar_data.field(64, 8));
        if let Some(before) = self.offered {
            if !valid || before != (addr, len) {
                edge.report(
                    "m_ar",
                    "payload_changed",
                    format!("{before:x?} -> {addr:#x}, {len}, valid {valid}"),
                );
            }
        }
        if !valid {
            return;
        }
        if self.offered.is_none() {
            self.check_burst(edge, addr, len + 1);
        }
        self.offered = Some((addr, len));
        if self.ar[1].is_high() {
            edge.progress();
            self.offered = None;
            let latency = self.rng.range(self.bus.latency.clone());
            let ready_at = edge.cycle + latency;
            self.open.push_back(Burst {
                addr,
                beats: len + 1,
                ready_at,
            });
        }
    }

    /// A burst lies in lines of posted descriptors, and asks for no more than fits.
    fn check_burst(&mut self, edge: &Edge<'_>, addr: u64, beats: u64) {
        let bytes = beats * self.lanes;
        let fail = |rule, detail: String| {
            edge.report(
                "m_ar",
                rule,
                format!("{detail}: {bytes} bytes at {addr:#x}"),
            )
        };
        if self.quiet > 2 || !self.enable.is_high() {
            fail("not_now", format!("quiesced for {} clocks", self.quiet));
        }
        let ring = self.base..self.base + self.memory.len() as u64;
        if !ring.contains(&addr) || addr + bytes > ring.end || addr % self.lanes != 0 {
            return fail("outside", "not in the ring, or not aligned".into());
        }
        if (addr / 64) != (addr + bytes - 1) / 64 {
            fail("crosses_line", String::new());
        }
        self.bursts += 1;
        let place = (addr - self.base) as usize / 16;
        if self.lanes <= 16 {
            // Exactly the next ones.
            let count = bytes as usize / 16;
            if place != self.asked % self.size() {
                fail("out_of_order", format!("descriptor {} is next", self.asked));
            }
            self.asked += count;
            if self.asked > self.posted.len() {
                fail(
                    "not_posted",
                    format!("{} of {} asked for", self.asked, self.posted.len()),
                );
            }
            if self.asked - self.taken > DEPTH {
                fail(
                    "too_many",
                    format!("{} asked for, {} taken", self.asked, self.taken),
                );
            }
        } else {
            // The beats of posted descriptors that have not come.
            let wanted = self.arrived()..self.posted.len();
            let covered = place..place + bytes as usize / 16;
            if !wanted.clone().any(|i| covered.contains(&(i % self.size()))) {
                fail("not_posted", format!("{wanted:?} are to come"));
            }
            if self.arrived() - self.taken + self.open.len() + 1 > DEPTH {
                fail(
                    "too_many",
                    format!("{} arrived, {} taken", self.arrived(), self.taken),
                );
            }
        }
    }

    /// The next beat, as the memory is now.
    fn beat(&mut self, cycle: u64) -> Option<(Vec<u8>, bool, bool)> {
        let paused = self.r_pause.next(true);
        let burst = self.open.front_mut()?;
        if paused || burst.ready_at > cycle {
            return None;
        }
        let at = (burst.addr - self.base) as usize;
        let data = self.memory[at..at + self.lanes as usize].to_vec();
        burst.addr += self.lanes;
        burst.beats -= 1;
        let last = burst.beats == 0;
        if last {
            self.open.pop_front();
        }
        let error = self.bus.error == Some(self.beats);
        self.beats += 1;
        self.last_beat = cycle;
        Some((data, last, error))
    }
}

impl Component for Host {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset {
            self.offered = None;
            return;
        }
        self.quiet = if self.quiesce.is_high() {
            self.quiet + 1
        } else {
            0
        };
        self.take_address(edge);
        if self.quiet > 3
            && self.idle.is_high()
            && !(self.open.is_empty() && self.offered.is_none())
        {
            edge.report(
                "idle",
                "not_idle",
                format!("{} bursts under way", self.open.len()),
            );
        }
    }

    fn drive(&mut self, edge: &Edge<'_>) {
        let waiting = self.offered.is_some();
        self.ar[1].set(u64::from(!self.ar_pause.next(waiting)));
        let beat = self.beat(edge.cycle);
        self.r[0].set(u64::from(beat.is_some()));
        // Noise where nothing is valid.
        let (mut data, last, error) = match beat {
            Some(beat) => beat,
            None => (
                self.rng.bytes(self.lanes as usize),
                self.rng.chance(0.5),
                self.rng.chance(0.5),
            ),
        };
        data.push(u8::from(last));
        self.r_data.write(&data);
        self.r[1].set(u64::from(error));
    }
}
