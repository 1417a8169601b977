//! Flow table: exact-match lookup of flows, with the slot that a new flow would take.
//!
//! Contract: `hit`, `hit_slot` tell whether the key that stood at `key` [`LATENCY`] clocks ago is in the table, and where;
//! the table is the one that every update up to the clock before has left. `free` and `new_slot` speak of that
//! same table: whether a slot is free, and where a new flow goes: into the lowest-numbered free slot or, if there is none, into the
//! least recently touched one (true LRU).
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `key` | in | KEY | looked up every clock |
//! | `hit`, `hit_slot` | out | 1, slot | register: found, where |
//! | `free`, `new_slot` | out | 1, slot | register: there is a free slot; the slot for a new flow |
//! | `upd_touch` | in | 1 | `upd_slot` becomes the most recently used |
//! | `upd_insert` | in | 1 | `upd_slot` now holds `upd_key`, and becomes the most recently used |
//! | `upd_remove` | in | 1 | `upd_slot` becomes free |
//! | `upd_slot`, `upd_key` | in | slot, KEY | see below |
//! | `upd_clear` | in | 1 | every slot becomes free |
//!
//! - Timing: one lookup a clock. At most one strobe of touch, insert, remove a clock. `upd_slot` must stand from
//!   [`SETTLE`] clocks before its strobe to one clock after it, `upd_key` from two clocks before it to one clock after it. So an update
//!   costs nothing on the way from the strobe to the outputs: what they would be after it is known beforehand.
//! - Parameters: `flows` 4 to 64; the cost grows with it, the match stage by about one LUT level for each factor of 4.
//! - Corner cases: an insert names `new_slot`; if that is not free, it replaces the entry there. A key is
//!   never inserted twice: who inserts has looked it up.
//! - Reset clears which slots are used, never keys or ages: a slot's row of ages is written when it is filled.
//!
//! ## Pipeline
//! 1. *compare*: per slot, one bit for each 24 bits of the key: does it differ? The same against `upd_key`. Is the slot
//!    used, after this clock's update?
//! 2. *match*: a slot matches if it is used and no part differs. The slot of the update is kept apart from the others.
//! 3. *encode*: the number of the slot that matches. What this clock or the last has removed does not; the comparison with `upd_key`
//!    stands in where this clock, or one of the three before, has filled the update's slot.
//!
//! Beside it: `upd_slot` decoded; free slots and empty rows of the age matrix as they will be after an update of that
//! slot; their numbers. The strobe only chooses.

use crate::build::*;
use crate::bundle;
use crate::prim::{decode, encode, lowest_one};
use pagetrain_formats::Config;

/// Clocks from `key` to `hit` and `hit_slot`.
pub const LATENCY: usize = 3;
/// Clocks for which `upd_slot` stands before a strobe.
pub const SETTLE: usize = 3;
/// Bits of the key that one first-stage comparison covers: what begins with the key, which goes to every slot, is short.
const PART: usize = 24;

/// The strobes and what they act upon.
struct Update {
    touch: Sig,
    insert: Sig,
    remove: Sig,
    clear: Sig,
    key: Sig,
    /// `upd_slot`; and of the clock before, decoded.
    number: Sig,
    slot: Sig,
}

/// Builds the table for `cfg.flows` flows.
pub fn flow_table(cfg: &Config) -> Module {
    let (n, slot_w) = (cfg.flows, cfg.slot_bits());
    let kw = bundle::key().width();
    let mut m = Module::new(
        &format!("flow_table_{n}"),
        &format!("Exact-match table of {n} flows with true LRU replacement."),
    );
    let key = m.input("key", kw, "KEY: looked up every clock");
    let touch = m.input("upd_touch", 1, "upd_slot becomes the most recently used");
    let insert = m.input("upd_insert", 1, "upd_slot holds upd_key from now on");
    let remove = m.input("upd_remove", 1, "upd_slot becomes free");
    let upd_slot = m.input("upd_slot", slot_w, "slot of an update");
    let upd_key = m.input("upd_key", kw, "KEY of an insert");
    let clear = m.input("upd_clear", 1, "every slot becomes free");

    m.comment("The slot of an update, known before its strobe");
    let slot = m.reg("slot", n);
    m.seq("Decode", |b| b.set(&slot, decode(&upd_slot, n)));
    let upd = Update {
        touch,
        insert,
        remove,
        clear,
        key: upd_key,
        number: upd_slot,
        slot,
    };

    m.comment("Which slots hold a flow");
    let used = m.reg_rst("used", n, 0);
    let used_next = m.named(
        "used_next",
        ((&used & !(&upd.slot & upd.remove.repeat(n))) | (&upd.slot & upd.insert.repeat(n)))
            & !upd.clear.repeat(n),
    );
    m.seq("Used slots", |b| b.set(&used, &used_next));

    lookup(&mut m, &key, &upd, (&used, &used_next), slot_w);
    places(&mut m, &upd, &used, slot_w);
    m
}

/// For each part of the key: does it differ?
fn differs(a: &Expr, b: &Expr) -> Expr {
    let width = a.width();
    let part = |lsb: usize| {
        let n = PART.min(width - lsb);
        (a.bits(lsb, n) ^ b.bits(lsb, n)).any()
    };
    cat_lsb_first(&(0..width).step_by(PART).map(part).collect::<Vec<_>>())
}

/// Keys, comparison, match, encoding.
fn lookup(m: &mut Module, key: &Sig, upd: &Update, (used, used_next): (&Sig, &Sig), slot_w: usize) {
    let n = used.width();
    let parts = key.width().div_ceil(PART);

    let filled_1 = m.reg_rst("filled_1", n, 0);
    let inserts = m.regs_rst("insert", 3, 1, 0);
    m.seq(
        "The slot filled in the last clock; inserts of the last three",
        |b| {
            b.set(&filled_1, &upd.slot & upd.insert.repeat(n));
            b.set(&inserts[0], &upd.insert);
            b.set(&inserts[1], &inserts[0]);
            b.set(&inserts[2], &inserts[1]);
        },
    );

    let keys = m.regs("key", n, key.width());
    m.seq(
        "Keys, a clock late: the enables fan out to a whole key",
        |b| {
            for (i, k) in keys.iter().enumerate() {
                b.when(filled_1.bit(i), |b| b.set(k, &upd.key));
            }
        },
    );

    let diff = m.regs("diff", n, parts + 1);
    let diff_new = m.reg("diff_new", parts);
    m.seq(
        "Stage 1, compare: which parts of the key differ; above them, whether the slot is not used",
        |b| {
            for (i, (d, k)) in diff.iter().zip(&keys).enumerate() {
                b.set(d, cat(&[!used_next.bit(i), differs(key, k)]));
            }
            b.set(&diff_new, differs(key, &upd.key));
        },
    );

    let standing = m.reg("standing", n);
    let own = m.reg("own", n);
    let own_used = m.reg("own_used", 1);
    let same = m.reg("same", 1);
    let clear_1 = m.reg_rst("clear_1", 1, 0);
    m.seq(
        "Stage 2, match, the slot of the update apart; and whether that is still used",
        |b| {
            for (i, d) in diff.iter().enumerate() {
                b.set_bit(&standing, i, !d.any() & !upd.slot.bit(i));
                b.set_bit(&own, i, !d.any() & upd.slot.bit(i));
            }
            b.set(&own_used, (used & &upd.slot).any() & !&upd.remove);
            b.set(&same, !diff_new.any());
            b.set(&clear_1, &upd.clear);
        },
    );

    let hit = m.output_reg("hit", 1, "the key of LATENCY clocks ago is in the table");
    let hit_slot = m.output_reg("hit_slot", slot_w, "where");
    m.comment("Beside the slot of the update the table is as it was; the strobe only chooses what of that slot counts");
    m.comment("A slot just filled holds upd_key, whatever its comparison says");
    let there = mux(&inserts[1] | &inserts[2], &same, own.any());
    let there = m.named("there", there & &own_used);
    let filled_now = &upd.insert | &inserts[0];
    let by_update = mux(filled_now, &same, !&upd.remove & &there);
    let by_update = m.named("by_update", by_update);
    let number_1 = m.reg("number_1", slot_w);
    let slot_number = m.reg("slot_number", slot_w);
    m.seq("Stage 3, encode", |b| {
        b.set(&number_1, &upd.number);
        b.set(&slot_number, &number_1);
        let cleared = &upd.clear | &clear_1;
        b.set(&hit, (standing.any() | &by_update) & !cleared);
        let of_update = &slot_number & by_update.repeat(slot_w);
        b.set(&hit_slot, encode(&standing) | of_update);
    });
}

/// The lowest free and the least recently used slot, prepared for every update of the slot that is announced.
fn places(m: &mut Module, upd: &Update, used: &Sig, slot_w: usize) {
    let n = used.width();
    m.comment("Age matrix: bit j of row i says that slot i was touched after slot j");
    let ages = m.regs("age", n, n);
    let touched = m.named("touched", &upd.touch | &upd.insert);
    m.seq("Ages", |b| {
        b.when(&touched, |b| {
            for (i, row) in ages.iter().enumerate() {
                b.set(row, mux(upd.slot.bit(i), !&upd.slot, row & !&upd.slot));
            }
        });
    });

    m.comment(
        "After an insert, after a removal: lowest free slot. After a touch: the row that is empty",
    );
    let left = m.named("left", !used & !&upd.slot);
    let freed = m.named("freed", !used | &upd.slot);
    let any_left = m.reg("any_left", 1);
    let first_left = m.reg("first_left", n);
    let first_freed = m.reg("first_freed", n);
    let oldest = m.reg("oldest", n);
    let any_left_1 = m.reg("any_left_1", 1);
    let filled_slot = m.reg("filled_slot", slot_w);
    let freed_slot = m.reg("freed_slot", slot_w);
    let oldest_slot = m.reg("oldest_slot", slot_w);
    m.seq("Prepare: choose, then encode", |b| {
        b.set(&any_left, left.any());
        b.set(&first_left, lowest_one(&left));
        b.set(&first_freed, lowest_one(&freed));
        for (i, row) in ages.iter().enumerate() {
            let empty = !(row & !&upd.slot).any();
            b.set_bit(&oldest, i, !upd.slot.bit(i) & empty);
        }
        b.set(&any_left_1, &any_left);
        let filled = mux(&any_left, encode(&first_left), encode(&oldest));
        b.set(&filled_slot, filled);
        b.set(&freed_slot, encode(&first_freed));
        b.set(&oldest_slot, encode(&oldest));
    });
    for choice in [&first_left, &first_freed, &oldest] {
        m.unused(choice.bit(0), "slot 0 is encoded as 0");
    }

    let free = m.output_reg_rst("free", 1, 1, "there is a free slot");
    let new_slot = m.output_reg_rst(
        "new_slot",
        slot_w,
        0,
        "the lowest free slot, else the least recently touched one",
    );
    m.seq("The strobe chooses", |b| {
        b.first(|c| {
            c.when(&upd.clear, |b| {
                b.set(&free, 1);
                b.set(&new_slot, 0);
            });
            c.when(&upd.insert, |b| {
                b.set(&free, &any_left_1);
                b.set(&new_slot, &filled_slot);
            });
            c.when(&upd.remove, |b| {
                b.set(&free, 1);
                b.set(&new_slot, &freed_slot);
            });
            c.when(&upd.touch & !&free, |b| b.set(&new_slot, &oldest_slot));
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for flows in [4, 16, 24] {
            let cfg = Config {
                flows,
                ..Config::default()
            };
            crate::testkit::lint(&flow_table(&cfg));
        }
    }
}
