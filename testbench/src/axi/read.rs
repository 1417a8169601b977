//! The read half of the memory: addresses and data.

use super::burst::{Burst, Resp};
use super::config::MemoryConfig;
use super::fault::{answer, Direction, Fault};
use super::memory::Memory;
use super::order::Order;
use super::ports::{bus_port, optional, AddressPorts};
use crate::sim::{Edge, Handle, Level, Signal, SimError, WideSignal};
use crate::stall::Pauser;
use crate::Rng;
use std::collections::VecDeque;

struct Read {
    burst: Burst,
    resp: Resp,
    /// Beats that were offered.
    sent: u32,
}

pub(super) struct ReadHalf {
    prefix: String,
    ar: AddressPorts,
    arready: Level,
    rvalid: Level,
    rready: Signal,
    rdata: WideSignal,
    rid: Option<Signal>,
    rresp: Option<Signal>,
    rlast: Option<Signal>,
    bus: u64,
    pause: [Pauser; 2],
    /// Where each pauser's random numbers begin.
    pause_rng: [Rng; 2],
    /// In the order of the addresses.
    reads: VecDeque<Read>,
    order: Order,
    /// Burst whose beats go out, when they are not mixed with others'.
    current: Option<usize>,
    /// The design showed arvalid and was not served.
    waiting: bool,
    offered: bool,
    beat: Vec<u8>,
    count: u64,
    rng: Rng,
}

impl ReadHalf {
    pub(super) fn find(
        handle: &Handle,
        prefix: &str,
        config: &MemoryConfig,
    ) -> Result<ReadHalf, SimError> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let pause_rng = ["ar", "r"].map(|suffix| handle.rng(&name(suffix)));
        let rdata = bus_port(handle, &name("rdata"))?;
        let bus = u64::from(rdata.width() / 8);
        Ok(ReadHalf {
            prefix: prefix.to_owned(),
            ar: AddressPorts::find(handle, &name("ar"), bus.trailing_zeros())?,
            arready: Level::low(handle.signal(&name("arready"))?),
            rvalid: Level::low(handle.signal(&name("rvalid"))?),
            rready: handle.signal(&name("rready"))?,
            rdata,
            rid: optional(handle, &name("rid"))?,
            rresp: optional(handle, &name("rresp"))?,
            rlast: optional(handle, &name("rlast"))?,
            bus,
            pause: pausers(config, &pause_rng),
            pause_rng,
            reads: VecDeque::new(),
            order: Order::default(),
            current: None,
            waiting: false,
            offered: false,
            beat: vec![0; bus as usize],
            count: 0,
            rng: handle.rng(&name("read")),
        })
    }

    /// Takes the pauses of `config`.
    pub(super) fn set_pauses(&mut self, config: &MemoryConfig) {
        self.pause = pausers(config, &self.pause_rng);
    }

    pub(super) fn sample(&mut self, edge: &Edge<'_>, config: &MemoryConfig, faults: &[Fault]) {
        if edge.in_reset {
            self.clear();
            return;
        }
        if self.offered && self.rready.is_high() {
            self.offered = false;
            edge.progress();
        }
        let (valid, ready) = (self.ar.valid.is_high(), self.arready.get());
        self.waiting = valid && !ready;
        if valid && ready {
            edge.progress();
            let burst = self.ar.burst();
            let resp = answer(faults, Direction::Read, &burst, self.count);
            self.count += 1;
            self.reads.push_back(Read {
                burst,
                resp,
                sent: 0,
            });
            let latency = self.rng.range(config.read_latency.clone()).max(1);
            self.order.push(burst.id, edge.cycle + latency - 1);
        }
    }

    pub(super) fn drive(&mut self, edge: &Edge<'_>, config: &MemoryConfig, memory: &Memory) {
        let [ar, r] = &mut self.pause;
        let ar_paused = ar.next(self.waiting);
        let r_paused = r.next(true);
        let room = self.reads.len() < config.reads;
        self.arready.set(!edge.in_reset && !ar_paused && room);
        if !self.offered && !r_paused && !edge.in_reset {
            self.offer(edge, config, memory);
        }
        self.rvalid.set(self.offered);
    }

    /// Puts the next beat on the ports.
    #[inline]
    fn offer(&mut self, edge: &Edge<'_>, config: &MemoryConfig, memory: &Memory) {
        let next = self
            .current
            .or_else(|| self.order.choose(edge.cycle, config.reorder, &mut self.rng));
        let Some(index) = next else { return };
        let Read { burst, resp, sent } = self.reads[index];
        let addr = burst.beat_addr(sent) & !(self.bus - 1);
        let lanes = burst.lanes(sent, self.bus);
        if resp == Resp::Okay {
            self.fill(edge, &burst, addr, lanes, memory);
        } else {
            self.rng.fill(&mut self.beat);
        }
        self.rdata.write(&self.beat);
        let last = sent + 1 == burst.beats;
        for (port, value) in [
            (&self.rid, burst.id),
            (&self.rresp, resp.bits()),
            (&self.rlast, u64::from(last)),
        ] {
            if let Some(port) = port {
                port.set(value);
            }
        }
        self.offered = true;
        self.current = None;
        if last {
            self.reads.remove(index);
            self.order.remove(index);
        } else {
            self.reads[index].sent += 1;
            self.current = (!config.interleave).then_some(index);
        }
    }

    /// Takes the beat's bytes from memory as of now; lanes that are not asked for get what must not matter.
    #[inline]
    fn fill(&mut self, edge: &Edge<'_>, burst: &Burst, addr: u64, lanes: u128, memory: &Memory) {
        let denied = memory.read_beat(addr, &mut self.beat, lanes);
        if lanes != super::burst::ones(self.bus) {
            for (lane, byte) in self.beat.iter_mut().enumerate() {
                if lanes >> lane & 1 == 0 {
                    *byte ^= 0xa5;
                }
            }
        }
        if denied != 0 {
            let first = addr + u64::from(denied.trailing_zeros());
            let detail = format!(
                "{} bytes from {first:#x} on, in the burst at {:#x}, are outside what may be read",
                denied.count_ones(),
                burst.addr
            );
            edge.report(&self.prefix, "read_not_allowed", detail);
        }
    }

    fn clear(&mut self) {
        self.reads.clear();
        self.order.clear();
        self.current = None;
        self.offered = false;
    }

    /// Bursts begun and not answered in full.
    pub(super) fn under_way(&self) -> usize {
        self.reads.len() + usize::from(self.offered)
    }
}

fn pausers(config: &MemoryConfig, [ar, r]: &[Rng; 2]) -> [Pauser; 2] {
    [
        Pauser::new(config.ar.clone(), ar.clone()),
        Pauser::new(config.r.clone(), r.clone()),
    ]
}
