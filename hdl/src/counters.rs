//! Counters: 64 counters of 64 bits that may all count in the same clock.
//!
//! Contract: counter i is the sum of everything that its event has added since the hard reset, once the sweep
//! has passed it: at most [`SETTLE`] clocks later. A read takes all 64 bits in one clock, so it cannot tear.
//!
//! | port | dir | meaning |
//! |---|---|---|
//! | `add_<i>` | in | what counter i gains in this clock; only the counters that exist have the port |
//! | `reason_valid`, `reason`, `reason_packets` | in | packets that were delivered for a reason: counter 32 + reason |
//! | `rd_valid`, `rd_index` | in | read request, at most one every four clocks |
//! | `rd_done`, `rd_data` | out | the answer, [`READ_LATENCY`] clocks after the request |
//!
//! ## Pipeline
//! Each counter has a small accumulator. A sweep visits one counter a clock: take and clear the accumulator, read the total,
//! add, write back. That is one 64-bit adder instead of 64. A read takes the RAM's read port for one clock, in which the sweep stands.
//! Stage 0 decides whom to visit, a register for each accumulator; 1. take the accumulator and the total; 2. one gain; 3. add.

use crate::build::{clog2, lit, mux, or_all, Expr, Module, Sig};
use crate::prim::lutram;

/// Counters, existing or not.
pub const COUNTERS: usize = 64;
/// First counter that counts packets by close reason.
pub const FIRST_REASON: usize = 32;
/// Clocks after which a total holds every event: a sweep, its pipeline, and room for reads in between.
pub const SETTLE: usize = 2 * COUNTERS;
/// Clocks from a read request to its answer.
pub const READ_LATENCY: usize = 3;

/// One counter with an event input.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Number of the counter.
    pub index: usize,
    /// Bits of what it gains in a clock.
    pub width: usize,
}

/// Builds the block for these counters and `reasons` close reasons.
pub fn counters(events: &[Event], reasons: usize) -> Module {
    let mut m = Module::new("counters", "64-bit counters in RAM, summed up by a sweep.");
    // A counter is visited every 64 clocks, or 96 when the host reads as fast as it can.
    let slack = 7;
    let reason_valid = m.input("reason_valid", 1, "a train was delivered");
    let reason = m.input("reason", 5, "its close reason");
    let reason_packets = m.input("reason_packets", 7, "its packets");
    let rd_valid = m.input("rd_valid", 1, "read request");
    let rd_index = m.input("rd_index", 6, "counter to read");
    let rd_done = m.output_reg_rst("rd_done", 1, 0, "the answer is there");
    let rd_data = m.output_reg("rd_data", 64, "total");

    let index = m.reg_rst("index", 6, 0);
    let clearing = m.reg_rst("clearing", 1, 1);

    // The blocks that count are all over the engine.
    let mut come: Vec<(Sig, Sig)> = vec![];
    let mut register = |m: &mut Module, port: &Sig| {
        let reg = m.reg_rst(&format!("{}_came", port.name()), port.width(), 0);
        come.push((reg.clone(), port.clone()));
        reg
    };
    let valid = register(&mut m, &reason_valid);
    let (why, packets) = (register(&mut m, &reason), register(&mut m, &reason_packets));
    // The accumulators, each with the gain of the clock before.
    let mut taken: Vec<(usize, Expr)> = vec![];
    let of_reason: Vec<Sig> = (0..reasons)
        .map(|r| m.reg(&format!("of_reason_{r}"), 1))
        .collect();
    let packets_1 = m.reg("packets_1", packets.width());
    m.seq("which reason's it is takes a clock more", |b| {
        for (r, reg) in of_reason.iter().enumerate() {
            b.set(reg, &valid & why.eq(r));
        }
        b.set(&packets_1, &packets);
    });
    let gain_of_reason = |r: usize| &packets_1 & of_reason[r].repeat(packets_1.width());
    let gains: Vec<(usize, Expr)> = events
        .iter()
        .map(|e| {
            let port = m.input(&format!("add_{}", e.index), e.width, "gain in this clock");
            (e.index, register(&mut m, &port).expr())
        })
        .collect();
    m.seq("what comes is added a clock later", |b| {
        come.iter().for_each(|(reg, port)| b.set(reg, port));
    });
    let by_reason = (0..reasons).map(|r| (FIRST_REASON + r, gain_of_reason(r)));
    let gains: Vec<(usize, Expr)> = gains.into_iter().chain(by_reason).collect();
    let step = m.named("step", !&rd_valid);
    let visits: Vec<(usize, Sig)> = gains
        .iter()
        .map(|(i, _)| (*i, m.reg(&format!("visit_{i}"), 1)))
        .collect();
    for ((i, gain), (_, visited)) in gains.iter().zip(&visits) {
        let width = gain.width() + slack;
        let acc = m.reg_rst(&format!("acc_{i}"), width, 0);
        m.seq("", |b| {
            b.set(&acc, mux(visited, lit(width, 0), &acc) + gain.zext(width));
        });
        taken.push((*i, acc.expr()));
    }
    let widest = taken.iter().map(|t| t.1.width()).max().unwrap_or(1);

    let addr = m.reg("addr", 6);
    let we = m.reg_rst("we", 1, 0);
    let waddr = m.reg("waddr", 6);
    let wdata = m.reg("wdata", 64);
    let ram = m.instance("u_totals", lutram(64, clog2(COUNTERS)));
    m.connect(&ram, "wr_en", &we);
    m.connect(&ram, "wr_addr", &waddr);
    m.connect(&ram, "wr_data", &wdata);
    m.connect(&ram, "rd_addr", &addr);
    let total = ram.out("rd_data");

    // Accumulators in four groups. The sweep stands still during a read: then no accumulator is visited.
    let groups: Vec<Expr> = (0..4)
        .map(|g| {
            let of_group = taken.iter().zip(&visits).filter(|(t, _)| t.0 % 4 == g);
            let terms: Vec<Expr> = of_group
                .map(|((_, acc), (_, visited))| visited.repeat(widest) & acc.zext(widest))
                .collect();
            let any = or_all(&terms);
            if terms.is_empty() {
                lit(widest, 0)
            } else {
                any
            }
        })
        .collect();
    let s0_index = m.reg("s0_index", 6);
    let s0_step = m.reg_rst("s0_step", 1, 0);
    let s0_read = m.reg_rst("s0_read", 1, 0);
    let s0_clearing = m.reg("s0_clearing", 1);
    let s1_group = m.regs("s1_group", 4, widest);
    let s1_total = m.reg("s1_total", 64);
    let s1_index = m.reg("s1_index", 6);
    let s1_step = m.reg_rst("s1_step", 1, 0);
    let s1_read = m.reg_rst("s1_read", 1, 0);
    // The first sweep takes every total as 0; until its last write is done, so does a read.
    let fresh = m.reg_rst("fresh", 1, 1);
    let s1_fresh = m.reg("s1_fresh", 1);
    let s2_gain = m.reg("s2_gain", widest);
    let s2_total = m.reg("s2_total", 64);
    let s2_index = m.reg("s2_index", 6);
    let s2_step = m.reg_rst("s2_step", 1, 0);
    m.seq("stage 0: whom to visit, what to read", |b| {
        b.set(&addr, mux(&rd_valid, &rd_index, &index));
        b.set(&s0_index, &index);
        b.set(&s0_step, &step);
        b.set(&s0_read, &rd_valid);
        b.set(&s0_clearing, &clearing);
        for (i, visited) in &visits {
            b.set(visited, &step & index.eq(*i));
        }
        b.when(&step, |b| {
            b.set(&index, &index + 1);
            b.when(index.all(), |b| {
                b.set(&clearing, 0);
            });
        });
    });
    m.seq("stage 1: take the accumulator and the total", |b| {
        b.set(&s1_step, &s0_step);
        b.set(&s1_read, &s0_read);
        b.set(&s1_index, &s0_index);
        b.set(&s1_fresh, &fresh);
        b.set(&s1_total, mux(&s0_clearing, lit(64, 0), &total));
        for (reg, group) in s1_group.iter().zip(&groups) {
            b.set(reg, group);
        }
    });
    m.seq("stage 2: one gain", |b| {
        b.set(&s2_step, &s1_step);
        b.set(&s2_index, &s1_index);
        b.set(&s2_total, &s1_total);
        b.set(&s2_gain, or_all(&s1_group));
    });
    m.seq("stage 3: add and write back", |b| {
        b.set(&we, &s2_step);
        b.set(&waddr, &s2_index);
        b.set(&wdata, &s2_total + s2_gain.zext(64));
        b.when(&we & waddr.all(), |b| {
            b.set(&fresh, 0);
        });
    });
    m.seq("answer of a read", |b| {
        b.set(&rd_done, &s1_read);
        b.set(&rd_data, mux(&s1_fresh, lit(64, 0), &s1_total));
    });
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        let events =
            [(0, 1), (1, 16), (5, 1), (23, 7)].map(|(index, width)| Event { index, width });
        crate::testkit::lint(&counters(&events, 18));
    }
}
