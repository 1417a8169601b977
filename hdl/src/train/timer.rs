//! Defer timers: one deadline a slot, one slot examined a clock.
//!
//! Contract: `late` has a slot's bit from at most `flows` + 3 clocks after the tick at which its deadline came, until
//! `set` or `clear` names the slot. A deadline counts whole ticks: `cfg_ticks` ticks after `set`, of which the first may
//! be cut short. With `cfg_ticks` 0 nothing is ever late.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `tick` | in | 1 | pulse |
//! | `cfg_ticks` | in | 15 | ticks from `set` to the deadline |
//! | `set`, `clear` | in | 1 | the slot's deadline begins; the slot has none any more |
//! | `slot`, `at_slot` | in | flow, flows | whose; decoded |
//! | `open` | in | flows | slots that have a deadline |
//! | `late` | out | flows | register: deadline has come |
//! | `req`, `req_slot` | out | 1, flow | register: the lowest late slot, possibly served a clock ago |
//! | `serving`, `serving_slot` | in | 1, flow | this one is being served: `req` looks for the next |
//!
//! ## Pipeline
//! 1. Read a slot's deadline. 2. Subtract it from now: the sign tells. 3. Set its `late` bit, which stays: however long
//! the engine is kept from serving it, a deadline is not taken for one of the far future.
//! A `set` or `clear` takes effect on what the pipeline holds of that slot.

use super::Widths;
use crate::build::*;
use crate::prim::{decode, encode, lowest_one, lutram};
use pagetrain_formats::Config;

/// Bits of the tick counter: differences of up to half its range are told apart.
const NOW: usize = 16;

/// Builds the block.
pub fn timer(cfg: &Config) -> Module {
    let n = cfg.flows;
    let w = Widths::new(cfg);
    let mut m = Module::new(
        &format!("train_timer_{n}"),
        "Defer timers: one deadline a slot, one slot examined a clock.",
    );
    let tick = m.input("tick", 1, "pulse every tick");
    let ticks = m.input(
        "cfg_ticks",
        NOW - 1,
        "ticks from set to the deadline; 0: none",
    );
    let set = m.input("set", 1, "the slot's deadline begins");
    let clear = m.input("clear", 1, "the slot has no deadline any more");
    let slot = m.input("slot", w.flow, "whose");
    let at_slot = m.input("at_slot", n, "the same, decoded");
    let open = m.input("open", n, "slots that have a deadline");
    let serving = m.input("serving", 1, "a timer is being served");
    let serving_slot = m.input("serving_slot", w.flow, "of this slot");
    let late = m.output_reg_rst("late", n, 0, "deadline has come");
    let req = m.output_reg_rst("req", 1, 0, "a slot is late");
    let req_slot = m.output_reg("req_slot", w.flow, "the lowest one");

    let now = m.reg_rst("now", NOW, 0);
    let deadline_next = m.reg("deadline_next", NOW);
    m.seq("Ticks", |b| {
        b.when(&tick, |b| b.set(&now, &now + 1));
        b.set(&deadline_next, &now + ticks.zext(NOW));
    });

    m.comment("Stage 1: the deadline of one slot after the other");
    let scan = m.reg_rst("scan", w.flow, 0);
    let mem = m.instance("u_deadline", lutram(NOW, w.flow));
    m.connect(&mem, "wr_en", &set);
    m.connect(&mem, "wr_addr", &slot);
    m.connect(&mem, "wr_data", &deadline_next);
    m.connect(&mem, "rd_addr", &scan);
    let changed = m.named("changed", &set | &clear);
    let deadline = m.reg("deadline", NOW);
    let slot_1 = m.reg("slot_1", w.flow);
    let valid_1 = m.reg_rst("valid_1", 1, 0);
    let left = m.reg("left", NOW);
    let slot_2 = m.reg("slot_2", w.flow);
    let valid_2 = m.reg_rst("valid_2", 1, 0);
    let same = |s: &Sig| &changed & s.eq(&slot);
    let last = scan.eq(n - 1);
    m.seq("Stages 1 and 2: read, subtract", |b| {
        b.set(&scan, mux(&last, lit(w.flow, 0), &scan + 1));
        b.set(&deadline, mem.out("rd_data"));
        b.set(&slot_1, &scan);
        b.set(&valid_1, ticks.any() & !same(&scan));
        b.set(&left, &now - &deadline);
        b.set(&slot_2, &slot_1);
        b.set(&valid_2, &valid_1 & !same(&slot_1));
    });
    m.unused(left.trunc(NOW - 1), "only the sign tells");

    let expired = m.named("expired", &valid_2 & !left.bit(NOW - 1));
    let hit = m.named("hit", decode(&slot_2, n) & expired.repeat(n));
    let touched = m.named("touched", &at_slot & changed.repeat(n));
    m.seq("Stage 3: late, until served", |b| {
        b.set(&late, (&late | (&hit & &open)) & !&touched);
    });

    let pick = m.reg_rst("pick", n, 0);
    let at_work = m.reg_rst("at_work", n, 0);
    let waiting = m.named("waiting", &pick & !&at_work);
    m.seq("The lowest late slot", |b| {
        b.set(&at_work, decode(&serving_slot, n) & serving.repeat(n));
        b.set(&pick, lowest_one(&(&late & !&at_work)) & !&touched);
        let others = (&waiting & !&at_slot).any();
        b.set(&req, mux(&changed, others, waiting.any()));
        b.set(&req_slot, encode(&pick));
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::timer(&Default::default()));
    }
}
