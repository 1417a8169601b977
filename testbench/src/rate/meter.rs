//! What is counted at the engine's ports.

use crate::sim::{Component, Edge, Handle, Signal, SimError, WideSignal};
use pagetrain_formats::{Completion, EventCode, COMPLETION_BYTES};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// `awid` of completions.
const COMPLETION_ID: u64 = 1;

/// Clocks from a frame's last beat to the clock in which its entry was written: least and most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// Least.
    pub min: u64,
    /// Most.
    pub max: u64,
}

/// Counts of one stretch of a run.
#[derive(Default)]
struct Counts {
    /// Clocks in which the MAC would have had to wait.
    held: u64,
    /// Clock, and bus beats up to then, of each frame that `train` decided on.
    decided: Vec<(u64, u64)>,
    /// Data beats on the bus.
    beats: u64,
    latencies: Option<Latencies>,
}

/// A beat of write data. It may come before its address.
struct Beat {
    cycle: u64,
    entries: Vec<u8>,
    last: bool,
}

/// Counts at the ports. Clones are handles of the same meter.
#[derive(Clone)]
pub struct Meter(Rc<RefCell<State>>);

struct State {
    mac: [Signal; 3],
    event: [Signal; 2],
    aw: [Signal; 3],
    w: [Signal; 3],
    data: WideSignal,
    strobes: Signal,
    /// Bursts whose data have not all gone by: whether each is of completions.
    bursts: VecDeque<bool>,
    beats: VecDeque<Beat>,
    /// Bytes of completion entries that have not made up one yet.
    entry: Vec<u8>,
    /// Clock of each frame's last beat, by `rx_seq`.
    arrived: Vec<u64>,
    frames: u64,
    counts: Counts,
}

impl Meter {
    /// Counts from the next clock on.
    pub fn attach(sim: &Handle) -> Result<Meter, SimError> {
        let port = |name: &str| sim.signal(name);
        let state = State {
            mac: [
                port("s_axis_rx_tvalid")?,
                port("s_axis_rx_tready")?,
                port("s_axis_rx_tlast")?,
            ],
            event: [port("stat_evt_valid")?, port("stat_evt_code")?],
            aw: [
                port("m_axi_awvalid")?,
                port("m_axi_awready")?,
                port("m_axi_awid")?,
            ],
            w: [
                port("m_axi_wvalid")?,
                port("m_axi_wready")?,
                port("m_axi_wlast")?,
            ],
            data: sim.wide("m_axi_wdata")?,
            strobes: port("m_axi_wstrb")?,
            bursts: VecDeque::new(),
            beats: VecDeque::new(),
            entry: vec![],
            arrived: vec![0; 1 << 16],
            frames: 0,
            counts: Counts::default(),
        };
        let state = Rc::new(RefCell::new(state));
        sim.attach(state.clone());
        Ok(Meter(state))
    }

    /// Begins a new stretch.
    pub fn restart(&self) {
        self.0.borrow_mut().counts = Counts::default();
    }

    /// Clocks in which `tready` towards the MAC was low, whether it had a beat or not.
    pub fn held(&self) -> u64 {
        self.0.borrow().counts.held
    }

    /// Frames that `train` decided on.
    pub fn decided(&self) -> usize {
        self.0.borrow().counts.decided.len()
    }

    /// Clocks a frame and bus beats a clock, from the decision on frame `skip` to that on the last one.
    pub fn pace(&self, skip: usize) -> Option<(f64, f64)> {
        let state = self.0.borrow();
        let decided = &state.counts.decided;
        let (&first, &last) = (decided.get(skip)?, decided.last()?);
        let (clocks, beats) = (last.0 - first.0, last.1 - first.1);
        let frames = decided.len() - 1 - skip;
        (frames > 0).then(|| (clocks as f64 / frames as f64, beats as f64 / clocks as f64))
    }

    /// From last beat in to entry written, of all frames in this stretch.
    pub fn latencies(&self) -> Option<Latencies> {
        self.0.borrow().counts.latencies
    }
}

impl State {
    fn arrive(&mut self, edge: &Edge<'_>) {
        let [valid, ready, last] = &self.mac;
        if !ready.is_high() {
            self.counts.held += 1;
        } else if valid.is_high() && last.is_high() {
            self.arrived[usize::from(self.frames as u16)] = edge.cycle;
            self.frames += 1;
        }
    }

    fn bus(&mut self, edge: &Edge<'_>) {
        let [valid, ready, id] = &self.aw;
        if valid.is_high() && ready.is_high() {
            self.bursts.push_back(id.get() == COMPLETION_ID);
        }
        let [valid, ready, last] = &self.w;
        if valid.is_high() && ready.is_high() {
            self.counts.beats += 1;
            let (cycle, last) = (edge.cycle, last.is_high());
            let entries = self.entry_bytes();
            self.beats.push_back(Beat {
                cycle,
                entries,
                last,
            });
        }
        while let Some(&completions) = self.bursts.front() {
            let Some(beat) = self.beats.pop_front() else {
                return;
            };
            if beat.last {
                self.bursts.pop_front();
            }
            if completions {
                self.entry.extend(beat.entries);
                self.entries(beat.cycle);
            }
        }
    }

    /// The beat on the bus, if it is one of completions: a wide one may hold a single entry.
    fn entry_bytes(&self) -> Vec<u8> {
        let bus = self.data.len_bytes();
        let mut beat = Vec::with_capacity(bus);
        self.data.append_to(&mut beat, bus);
        if bus > COMPLETION_BYTES {
            let strobes = self.strobes.get();
            let mut at = 0;
            beat.retain(|_| {
                at += 1;
                strobes >> (at - 1) & 1 != 0
            });
        }
        beat
    }

    /// Entries that are whole.
    fn entries(&mut self, cycle: u64) {
        while self.entry.len() >= COMPLETION_BYTES {
            let rest = self.entry.split_off(COMPLETION_BYTES);
            let bytes = std::mem::replace(&mut self.entry, rest);
            let bytes = bytes.try_into().expect("split off at this length");
            let Ok((Completion::Pkt(pkt), _)) = Completion::decode(&bytes) else {
                continue;
            };
            // The first of a frame's entries says how long it took.
            let arrived = std::mem::take(&mut self.arrived[usize::from(pkt.rx_seq)]);
            if arrived > 0 {
                let took = cycle - arrived;
                let old = self.counts.latencies;
                self.counts.latencies = Some(Latencies {
                    min: old.map_or(took, |l| l.min.min(took)),
                    max: old.map_or(took, |l| l.max.max(took)),
                });
            }
        }
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset {
            return;
        }
        self.arrive(edge);
        self.bus(edge);
        if self.event[0].is_high() && self.event[1].get() == u64::from(EventCode::Frame.code()) {
            self.counts.decided.push((edge.cycle, self.counts.beats));
        }
    }

    fn drives(&self) -> bool {
        false
    }
}
