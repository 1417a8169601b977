//! Takes buffers as `train` does, and holds every clock of the outputs against the list of what was posted.

use crate::host::Host;
use pagetrain_hdl::desc_prefetch::Kind;
use pagetrain_testbench::sim::{Component, Edge, Signal, Sim, SimError, WideSignal};
use pagetrain_testbench::stall::{Pause, Pauser, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::{Bits, Rng};
use std::cell::RefCell;
use std::rc::Rc;

/// Clocks between two pops, at least, and after which the outputs are right again.
const POP_GAP: u64 = 3;
/// Clocks after the last beat in which the deepest backlog has become buffers.
const SETTLED: u64 = 80;

/// One buffer output.
struct Output {
    valid: Signal,
    data: WideSignal,
}

impl Output {
    fn shows(&self) -> Option<Bits> {
        let mut bytes = vec![0; self.data.len_bytes()];
        self.data.read(&mut bytes);
        let bits = Bits::from_bytes(self.data.width(), &bytes);
        self.valid.is_high().then_some(bits)
    }
}

/// The consumer and its checks.
pub struct Taker {
    kind: Kind,
    host: Rc<RefCell<Host>>,
    outputs: Vec<Output>,
    pop: Signal,
    room: Option<Signal>,
    count: Option<Signal>,
    drained: Signal,
    tail: Signal,
    bad: WordSink,
    pause: Pauser,
    rng: Rng,
    /// Buffers taken by the pop that the block sees at the coming edge.
    popping: u64,
    last_pop: u64,
    /// Indices into what was posted: the next good one, the next bad one.
    next_good: usize,
    next_bad: usize,
    pub goods: usize,
    pub bads: usize,
    tail_before: u64,
    taken_before: usize,
    /// Edge since which everything was at rest.
    rest_since: u64,
    /// Clocks in which the outputs were complete and compared as such.
    pub settled: u64,
    /// No pop while it is false.
    pub active: bool,
    /// No descriptor from this one on may be offered.
    pub offered_limit: Option<usize>,
}

impl Taker {
    pub fn attach(
        sim: &Sim,
        kind: Kind,
        host: &Rc<RefCell<Host>>,
        profile: StallProfile,
    ) -> Result<Rc<RefCell<Taker>>, SimError> {
        let output = |valid: &str, data: &str| -> Result<Output, SimError> {
            Ok(Output {
                valid: sim.signal(valid)?,
                data: sim.wide(data)?,
            })
        };
        let (outputs, pop, room) = match kind {
            Kind::Small => (
                vec![output("sb0_valid", "sb0")?, output("sb1_valid", "sb1")?],
                "sb_pop",
                None,
            ),
            Kind::Page => (
                vec![output("pg_valid", "pg")?],
                "pg_pop",
                Some(sim.signal("pg_room")?),
            ),
        };
        sim.signal(pop)?.set(0);
        let pause = match profile.pause(Role::Sink) {
            // Pops have a rhythm of their own.
            Pause::AfterValid(_) => Pause::Random(0.5),
            pause => pause,
        };
        let taker = Rc::new(RefCell::new(Taker {
            kind,
            host: host.clone(),
            outputs,
            pop: sim.signal(pop)?,
            room,
            count: match kind {
                Kind::Small => Some(sim.signal("sb_count")?),
                Kind::Page => None,
            },
            drained: sim.signal("drained")?,
            tail: sim.signal("tail")?,
            bad: WordSink::attach(sim, &Channel::axis("bad"), profile.pause(Role::Sink))?,
            pause: Pauser::new(pause, sim.rng("pops")),
            rng: sim.rng("taker"),
            popping: 0,
            last_pop: 0,
            next_good: 0,
            next_bad: 0,
            goods: 0,
            bads: 0,
            tail_before: 0,
            taken_before: 0,
            rest_since: 0,
            settled: 0,
            active: true,
            offered_limit: None,
        }));
        sim.attach(taker.clone());
        Ok(taker)
    }

    /// After a reset of the block.
    pub fn forget(&mut self) {
        (self.next_good, self.next_bad, self.goods, self.bads) = (0, 0, 0, 0);
        (self.popping, self.tail_before, self.taken_before) = (0, 0, 0);
    }

    /// The `n`th good descriptor from `from` on: its index.
    fn good_from(&self, from: usize, n: usize) -> Option<usize> {
        let host = self.host.borrow();
        (from..host.posted.len())
            .filter(|&i| host.posted[i].good)
            .nth(n)
    }

    fn check_outputs(&mut self, edge: &Edge<'_>) {
        let shown: Vec<Option<Bits>> = self.outputs.iter().map(Output::shows).collect();
        if shown.len() == 2 && shown[1].is_some() && shown[0].is_none() {
            edge.report("sb1", "hole", "the second buffer without the first".into());
        }
        for (n, record) in shown.iter().enumerate() {
            let Some(record) = record else { continue };
            let index = self.good_from(self.next_good, n);
            let due = index.map(|i| self.host.borrow().posted[i].record.clone());
            if due.as_ref() != Some(record) {
                edge.report(
                    "buffer",
                    "not_the_next",
                    format!("output {n}: {record:?}, due {due:?}"),
                );
            }
            if self
                .offered_limit
                .is_some_and(|limit| index.is_none_or(|i| i >= limit))
            {
                edge.report(
                    "buffer",
                    "poisoned",
                    format!("output {n} is descriptor {index:?}"),
                );
            }
        }
        let since_pop = edge.cycle - self.last_pop;
        let host = self.host.borrow();
        let settled = edge.cycle > host.last_beat + SETTLED && host.bus_is_idle();
        let arrived = host.arrived();
        let here: Vec<usize> = (self.next_good..arrived)
            .filter(|&i| host.posted[i].good)
            .collect();
        if let Some(room) = &self.room {
            let room = room.get();
            let all: u64 = here.iter().map(|&i| host.posted[i].room).sum();
            let first = here.first().map_or(0, |&i| host.posted[i].room);
            if room > all {
                edge.report("pg_room", "too_much", format!("{room} in pages of {all}"));
            }
            if since_pop >= POP_GAP && shown[0].is_some() && room < first {
                edge.report(
                    "pg_room",
                    "without_the_head",
                    format!("{room}, the head has {first}"),
                );
            }
            if settled && since_pop >= POP_GAP && room != all && self.offered_limit.is_none() {
                edge.report("pg_room", "not_exact", format!("{room} in pages of {all}"));
            }
        }
        if let Some(count) = &self.count {
            // What is counted is there, and one is shown as long as there are any.
            let count = count.get() as usize;
            if count > here.len() || (count > 0) != shown[0].is_some() {
                let detail = format!("{count} of {}, shown {}", here.len(), shown[0].is_some());
                edge.report("sb_count", "wrong", detail);
            }
            if settled && count != here.len() && self.offered_limit.is_none() {
                edge.report(
                    "sb_count",
                    "not_exact",
                    format!("{count} of {}", here.len()),
                );
            }
        }
        if settled && since_pop >= POP_GAP && self.offered_limit.is_none() {
            self.settled += 1;
            for (n, record) in shown.iter().enumerate() {
                if record.is_some() != (here.len() > n) {
                    edge.report(
                        "buffer",
                        "not_shown",
                        format!("output {n}: {} are here", here.len()),
                    );
                }
            }
        }
    }

    fn check_drained(&mut self, edge: &Edge<'_>) {
        let taken = self.goods + self.bads;
        if self.drained.is_high() && (self.taken_before as u64) & 0xffff != self.tail_before {
            let detail = format!("tail {}, {} taken", self.tail_before, self.taken_before);
            edge.report("drained", "too_early", detail);
        }
        let rest = taken as u64 & 0xffff == self.tail.get() && self.host.borrow().bus_is_idle();
        if !rest {
            self.rest_since = edge.cycle;
        } else if edge.cycle > self.rest_since + 4 && !self.drained.is_high() {
            edge.report(
                "drained",
                "too_late",
                format!("all taken since clock {}", self.rest_since),
            );
        }
        self.tail_before = self.tail.get();
        self.taken_before = taken;
    }

    /// The pop that the block sees at this edge.
    fn count_pop(&mut self, edge: &Edge<'_>) {
        for _ in 0..self.popping {
            let index = self
                .good_from(self.next_good, 0)
                .expect("only what is shown is popped");
            self.next_good = index + 1;
            self.goods += 1;
        }
        if self.popping > 0 {
            edge.progress();
            self.last_pop = edge.cycle;
        }
        self.popping = 0;
    }

    fn count_bad(&mut self, edge: &Edge<'_>) {
        while let Some(cookie) = self.bad.try_recv() {
            let host = self.host.borrow();
            let index = (self.next_bad..host.posted.len()).find(|&i| !host.posted[i].good);
            let due = index.map(|i| Bits::new(32, host.posted[i].cookie.into()));
            if due.as_ref() != Some(&cookie) {
                edge.report("bad", "not_the_next", format!("{cookie:?}, due {due:?}"));
            }
            if self
                .offered_limit
                .is_some_and(|limit| index.is_none_or(|i| i >= limit))
            {
                edge.report("bad", "poisoned", format!("descriptor {index:?}"));
            }
            self.next_bad = index.map_or(self.next_bad, |i| i + 1);
            self.bads += 1;
        }
    }

    /// Decides on the pop of the coming clock.
    fn decide(&mut self, edge: &Edge<'_>) {
        let paused = self.pause.next(true);
        let shown = self.outputs.iter().filter(|o| o.valid.is_high()).count() as u64;
        if paused || !self.active || shown == 0 || edge.cycle + 1 < self.last_pop + POP_GAP {
            return;
        }
        self.popping = match self.kind {
            Kind::Small => self.rng.range(1..=shown),
            Kind::Page => 1,
        };
    }
}

impl Component for Taker {
    fn sample(&mut self, edge: &Edge<'_>) {
        if edge.in_reset {
            return;
        }
        self.check_outputs(edge);
        self.check_drained(edge);
        self.count_pop(edge);
        self.count_bad(edge);
        self.host.borrow_mut().taken = self.goods + self.bads;
        self.decide(edge);
    }

    fn drive(&mut self, _edge: &Edge<'_>) {
        self.pop.set(self.popping);
    }
}
