//! What the tests of the write masters share: a slave behind their AW, W and B ports that records every burst.

#![allow(dead_code)]

use pagetrain_hdl::bundle::Bundle;
use pagetrain_testbench::sim::{Edge, Handle, Queue, Sim, SimError};
use pagetrain_testbench::stall::Pause;
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::Bits;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// A beat as written: bytes and strobes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// `None` where the strobe is 0.
    pub bytes: Vec<Option<u8>>,
}

/// A burst as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Byte address, aligned to a beat.
    pub addr: u64,
    /// Its beats.
    pub beats: Vec<Beat>,
}

/// Packs a record by the names of its fields; fields that are not named are 0.
pub fn pack(bundle: &Bundle, values: &[(&str, u128)]) -> Bits {
    let mut record = Bits::zero(bundle.width() as u32);
    for (name, value) in values {
        let (lsb, width) = bundle.place(name);
        record.set_field(lsb as u32, width as u32, *value);
    }
    record
}

/// A field of a record, at most 128 bits.
pub fn field(bundle: &Bundle, record: &Bits, name: &str) -> u128 {
    let (lsb, width) = bundle.place(name);
    record.field(lsb as u32, width as u32)
}

/// How the slave behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// When addresses are taken.
    pub aw: Pause,
    /// When beats are taken.
    pub w: Pause,
    /// Clocks from the last beat of a burst to its response.
    pub latency: RangeInclusive<u64>,
    /// Number of the burst that is answered with an error.
    pub error: Option<usize>,
}

impl Behaviour {
    /// Takes everything at once and answers soon.
    pub fn fast() -> Behaviour {
        Behaviour {
            aw: Pause::Never,
            w: Pause::Never,
            latency: 1..=1,
            error: None,
        }
    }
}

/// Bursts in flight, seen from the wires.
#[derive(Default)]
struct Seen {
    shown: Cell<usize>,
    answered: Cell<usize>,
}

/// The slave. Bursts are recorded when they are complete, responses go out in order.
pub struct Slave {
    /// Complete bursts with the clocks of their first and last beat.
    pub bursts: Queue<(Burst, u64, u64)>,
    /// Clocks at which addresses were first shown.
    pub shown_at: Rc<RefCell<Vec<u64>>>,
    /// Bursts answered, as of the last edge.
    pub answers: Rc<Cell<usize>>,
    aw: Rc<WordSink>,
    w: Rc<WordSink>,
}

impl Slave {
    /// Attaches the slave to `m_aw`, `m_w` and `b`, and a monitor for the rules between them.
    pub fn attach(sim: &Sim, dma_width: usize, behaviour: Behaviour) -> Result<Slave, SimError> {
        let aw = Rc::new(WordSink::attach(sim, &Channel::axis("m_aw"), behaviour.aw)?);
        let w = Rc::new(WordSink::attach(sim, &Channel::axis("m_w"), behaviour.w)?);
        let slave = Slave {
            bursts: Queue::new("bursts"),
            shown_at: Rc::default(),
            answers: Rc::default(),
            aw: aw.clone(),
            w: w.clone(),
        };
        let due: Queue<u64> = Queue::new("responses");
        let (bursts, shown_at, due_in) =
            (slave.bursts.clone(), slave.shown_at.clone(), due.clone());
        let handle = sim.handle();
        let mut rng = sim.rng("response latency");
        sim.spawn("slave", async move {
            loop {
                let address = aw.recv_timed().await;
                shown_at.borrow_mut().push(address.first);
                let addr = address.item.field(0, 64) as u64;
                let beats = address.item.field(64, 8) as usize + 1;
                let mut burst = Burst {
                    addr,
                    beats: vec![],
                };
                let (mut first, mut last) = (0, 0);
                for i in 0..beats {
                    let beat = w.recv_timed().await;
                    assert_eq!(
                        is_last(&beat.item, dma_width),
                        i + 1 == beats,
                        "wlast of beat {i} of {beats}"
                    );
                    burst.beats.push(unpack_beat(&beat.item, dma_width));
                    first = if i == 0 { beat.last } else { first };
                    last = beat.last;
                }
                bursts.put((burst, first, last));
                due_in.put(handle.cycle().max(last) + rng.range(behaviour.latency.clone()));
            }
        });
        respond(sim, due, behaviour.error, slave.answers.clone())?;
        watch(sim)?;
        Ok(slave)
    }

    /// No burst, address or beat is left.
    pub fn is_empty(&self) -> bool {
        self.aw.is_empty() && self.w.is_empty() && self.bursts.is_empty()
    }
}

fn is_last(beat: &Bits, dma_width: usize) -> bool {
    beat.field((dma_width + dma_width / 8) as u32, 1) == 1
}

fn unpack_beat(beat: &Bits, dma_width: usize) -> Beat {
    let bytes = beat.to_bytes();
    let lane = |i: usize| {
        let strobe = beat.field((dma_width + i) as u32, 1) == 1;
        strobe.then(|| bytes[i])
    };
    Beat {
        bytes: (0..dma_width / 8).map(lane).collect(),
    }
}

/// Answers bursts in order, one a clock at most.
fn respond(
    sim: &Sim,
    due: Queue<u64>,
    error: Option<usize>,
    answers: Rc<Cell<usize>>,
) -> Result<(), SimError> {
    let (valid, err) = (sim.signal("b_valid")?, sim.signal("b_err")?);
    let handle = sim.handle();
    sim.spawn("responses", async move {
        for number in 0.. {
            let at = due.get().await;
            while handle.cycle() < at {
                handle.rising_edge().await;
            }
            valid.set(1);
            err.set(u64::from(error == Some(number)));
            handle.rising_edge().await;
            valid.set(0);
            answers.set(number + 1);
        }
    });
    Ok(())
}

/// Checks what no single channel shows: data never before their address is shown.
fn watch(sim: &Sim) -> Result<(), SimError> {
    let seen = Seen::default();
    let aw = [sim.signal("m_aw_tvalid")?, sim.signal("m_aw_tready")?];
    let w = [sim.signal("m_w_tvalid")?, sim.signal("m_w_tready")?];
    let data = sim.wide("m_w_tdata")?;
    let last = data.width() - 1;
    let mut taken = 0;
    sim.on_edge(move |edge: &Edge<'_>| {
        if edge.in_reset {
            return;
        }
        let shown = taken + usize::from(aw[0].is_high());
        if aw[0].is_high() && aw[1].is_high() {
            taken += 1;
        }
        seen.shown.set(shown);
        if w[0].is_high() && seen.answered.get() >= shown {
            edge.report("slave", "data_before_address", format!("{shown} addresses"));
        }
        if w[0].is_high() && w[1].is_high() && data.field(last, 1) == 1 {
            seen.answered.set(seen.answered.get() + 1);
        }
    });
    Ok(())
}

/// Cuts a write of `bytes` to `addr` into bursts of a bus of `lanes` bytes: at 4 KiB lines and after 256 beats of an
/// aligned block.
pub fn bursts_of(addr: u64, bytes: &[u8], lanes: u64) -> Vec<Burst> {
    let block = (256 * lanes).min(4096);
    let mut rest: VecDeque<u8> = bytes.iter().copied().collect();
    let mut at = addr;
    let mut bursts = vec![];
    while !rest.is_empty() {
        let mut burst = Burst {
            addr: at / lanes * lanes,
            beats: vec![],
        };
        loop {
            let mut beat = Beat {
                bytes: vec![None; lanes as usize],
            };
            while let Some(byte) = rest.pop_front() {
                beat.bytes[(at % lanes) as usize] = Some(byte);
                at += 1;
                if at % lanes == 0 {
                    break;
                }
            }
            burst.beats.push(beat);
            if rest.is_empty() || at % block == 0 {
                break;
            }
        }
        bursts.push(burst);
    }
    bursts
}

/// Waits for a condition that ports show.
pub async fn until(sim: &Handle, condition: impl FnMut() -> bool) {
    sim.until(condition).await;
}

/// Records the clock of the first transfer on each channel, of which `valid` and `ready` are the names; `valid` twice where it
/// has no ready.
pub fn first_transfers<const N: usize>(
    sim: &Sim,
    channels: [[&str; 2]; N],
) -> Result<Rc<Cell<[Option<u64>; N]>>, SimError> {
    let mut signals = vec![];
    for names in channels {
        signals.push([sim.signal(names[0])?, sim.signal(names[1])?]);
    }
    let seen = Rc::new(Cell::new([None; N]));
    let log = seen.clone();
    sim.on_edge(move |edge| {
        let mut at = log.get();
        for (at, signals) in at.iter_mut().zip(&signals) {
            let now = signals.iter().all(|s| s.is_high()) && !edge.in_reset;
            *at = at.or(now.then_some(edge.cycle));
        }
        log.set(at);
    });
    Ok(seen)
}
