//! The write half of the memory: addresses, data, responses.

use super::burst::{Burst, Resp};
use super::config::{MemoryConfig, WriteVisible};
use super::fault::{answer, Direction, Fault};
use super::memory::Memory;
use super::order::Order;
use super::ports::{optional, AddressPorts, WritePorts};
use crate::sim::{Edge, Handle, Level, Signal, SimError};
use crate::stall::Pauser;
use crate::Rng;
use std::collections::VecDeque;

/// One write burst. Address and data arrive on channels of their own, in either order.
#[derive(Default)]
struct Write {
    burst: Option<Burst>,
    resp: Resp,
    data: Vec<u8>,
    strobes: Vec<u128>,
    /// All data is here.
    complete: bool,
    /// Beats that are in memory.
    visible: usize,
    /// Beats become visible at once.
    at_once: bool,
}

pub(super) struct WriteHalf {
    prefix: String,
    aw: AddressPorts,
    w: WritePorts,
    awready: Level,
    wready: Level,
    bvalid: Level,
    bready: Signal,
    bid: Option<Signal>,
    bresp: Option<Signal>,
    pause: [Pauser; 3],
    /// Where each pauser's random numbers begin.
    pause_rng: [Rng; 3],
    /// In the order of the addresses, which is that of the data.
    writes: VecDeque<Write>,
    /// Bursts at the front that have their address.
    addressed: usize,
    /// Bursts at the front that have all their data.
    filled: usize,
    /// Bursts at the front that have both, and when each may be answered.
    order: Order,
    /// The design showed awvalid, wvalid and was not served.
    waiting: [bool; 2],
    /// Buffers of answered bursts, for the next ones.
    spare: Vec<Write>,
    offered: bool,
    count: u64,
    rng: Rng,
}

impl WriteHalf {
    pub(super) fn find(
        handle: &Handle,
        prefix: &str,
        config: &MemoryConfig,
    ) -> Result<WriteHalf, SimError> {
        let w = WritePorts::find(handle, prefix)?;
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let pause_rng = ["aw", "w", "b"].map(|suffix| handle.rng(&name(suffix)));
        Ok(WriteHalf {
            prefix: prefix.to_owned(),
            aw: AddressPorts::find(handle, &name("aw"), w.bus.trailing_zeros())?,
            awready: Level::low(handle.signal(&name("awready"))?),
            wready: Level::low(handle.signal(&name("wready"))?),
            bvalid: Level::low(handle.signal(&name("bvalid"))?),
            bready: handle.signal(&name("bready"))?,
            bid: optional(handle, &name("bid"))?,
            bresp: optional(handle, &name("bresp"))?,
            pause: pausers(config, &pause_rng),
            pause_rng,
            w,
            writes: VecDeque::new(),
            addressed: 0,
            filled: 0,
            order: Order::default(),
            waiting: [false; 2],
            spare: Vec::new(),
            offered: false,
            count: 0,
            rng: handle.rng(&name("write")),
        })
    }

    /// Takes the pauses of `config`.
    pub(super) fn set_pauses(&mut self, config: &MemoryConfig) {
        self.pause = pausers(config, &self.pause_rng);
    }

    pub(super) fn sample(
        &mut self,
        edge: &Edge<'_>,
        config: &MemoryConfig,
        faults: &[Fault],
        memory: &Memory,
    ) {
        if edge.in_reset {
            self.clear();
            return;
        }
        if self.offered && self.bready.is_high() {
            self.offered = false;
            edge.progress();
        }
        let (aw_valid, aw_ready) = (self.aw.valid.is_high(), self.awready.get());
        let (w_valid, w_ready) = (self.w.valid.is_high(), self.wready.get());
        self.waiting = [aw_valid && !aw_ready, w_valid && !w_ready];
        if aw_valid && aw_ready {
            edge.progress();
            self.take_address(edge, config, faults, memory);
        }
        if w_valid && w_ready {
            edge.progress();
            self.take_data(edge, config, memory);
        }
    }

    fn take_address(
        &mut self,
        edge: &Edge<'_>,
        config: &MemoryConfig,
        faults: &[Fault],
        memory: &Memory,
    ) {
        let burst = self.aw.burst();
        let index = self.entry(self.addressed);
        self.addressed += 1;
        let at_once = match config.visible {
            WriteVisible::EachBeat => true,
            WriteVisible::AtResponse => false,
            WriteVisible::Mixed => self.rng.chance(0.5),
        };
        let write = &mut self.writes[index];
        write.burst = Some(burst);
        write.resp = answer(faults, Direction::Write, &burst, self.count);
        write.at_once = at_once;
        self.count += 1;
        if at_once {
            self.show(edge, index, memory);
        }
        if self.writes[index].complete {
            self.schedule(edge, burst.id, config);
        }
    }

    #[inline]
    fn take_data(&mut self, edge: &Edge<'_>, config: &MemoryConfig, memory: &Memory) {
        let index = self.entry(self.filled);
        let write = &mut self.writes[index];
        self.w.data.append_to(&mut write.data, self.w.bus as usize);
        write.strobes.push(self.w.strobes());
        // Whether wlast agrees with the length is the monitor's to say.
        let last = match (&self.w.last, &write.burst) {
            (Some(last), _) => last.is_high(),
            (None, Some(burst)) => write.strobes.len() == burst.beats as usize,
            (None, None) => true,
        };
        write.complete = last;
        if write.at_once {
            self.show(edge, index, memory);
        }
        if last {
            self.filled += 1;
            if let Some(burst) = self.writes[index].burst {
                self.schedule(edge, burst.id, config);
            }
        }
    }

    /// Entry `index`, made if it is the next.
    fn entry(&mut self, index: usize) -> usize {
        if index == self.writes.len() {
            self.writes.push_back(self.spare.pop().unwrap_or_default());
        }
        index
    }

    /// Address and data of the next burst are here: the response's time is set. Both channels keep the order
    /// of the addresses, so bursts become complete in it.
    fn schedule(&mut self, edge: &Edge<'_>, id: u64, config: &MemoryConfig) {
        let latency = self.rng.range(config.write_latency.clone()).max(1);
        self.order.push(id, edge.cycle + latency - 1);
    }

    /// Brings the beats that are here into memory.
    #[inline]
    fn show(&mut self, edge: &Edge<'_>, index: usize, memory: &Memory) {
        let write = &mut self.writes[index];
        let (Some(burst), Resp::Okay) = (write.burst, write.resp) else {
            return;
        };
        let bus = self.w.bus;
        for beat in write.visible..write.strobes.len() {
            let addr = burst.beat_addr(beat as u32) & !(bus - 1);
            let data = &write.data[beat * bus as usize..][..bus as usize];
            let denied = memory.write_beat(addr, data, write.strobes[beat]);
            if denied != 0 {
                let first = addr + u64::from(denied.trailing_zeros());
                let detail = format!(
                    "{} bytes from {first:#x} on, beat {beat} of the burst at {:#x}, are outside what may be written",
                    denied.count_ones(),
                    burst.addr
                );
                edge.report(&self.prefix, "write_not_allowed", detail);
            }
        }
        write.visible = write.strobes.len();
    }

    pub(super) fn drive(&mut self, edge: &Edge<'_>, config: &MemoryConfig, memory: &Memory) {
        let [aw, w, b] = &mut self.pause;
        let aw_paused = aw.next(self.waiting[0]);
        let w_paused = w.next(self.waiting[1]);
        let b_paused = b.next(true);
        let room = self.addressed < config.writes;
        self.awready.set(!edge.in_reset && !aw_paused && room);
        // Data may run ahead of its address, but not without end.
        let wanted = self.filled < self.addressed + config.early_data;
        self.wready.set(!edge.in_reset && !w_paused && wanted);
        if !self.offered && !b_paused && !edge.in_reset {
            self.offer(edge, config, memory);
        }
        self.bvalid.set(self.offered);
    }

    fn offer(&mut self, edge: &Edge<'_>, config: &MemoryConfig, memory: &Memory) {
        let Some(index) = self.order.choose(edge.cycle, config.reorder, &mut self.rng) else {
            return;
        };
        self.show(edge, index, memory);
        let Some(mut write) = self.writes.remove(index) else {
            return;
        };
        self.order.remove(index);
        self.addressed -= 1;
        self.filled -= 1;
        if let (Some(port), Some(burst)) = (&self.bid, &write.burst) {
            port.set(burst.id);
        }
        if let Some(port) = &self.bresp {
            port.set(write.resp.bits());
        }
        write.data.clear();
        write.strobes.clear();
        let Write { data, strobes, .. } = write;
        self.spare.push(Write {
            data,
            strobes,
            ..Write::default()
        });
        self.offered = true;
    }

    fn clear(&mut self) {
        self.writes.clear();
        self.order.clear();
        self.addressed = 0;
        self.filled = 0;
        self.offered = false;
    }

    /// Bursts begun and not answered.
    pub(super) fn under_way(&self) -> usize {
        self.writes.len() + usize::from(self.offered)
    }
}

fn pausers(config: &MemoryConfig, [aw, w, b]: &[Rng; 3]) -> [Pauser; 3] {
    [
        Pauser::new(config.aw.clone(), aw.clone()),
        Pauser::new(config.w.clone(), w.clone()),
        Pauser::new(config.b.clone(), b.clone()),
    ]
}
