//! Patches of `dma_write`: 16-bit values that take the place of what lies at some addresses of the frame store, in the
//! words of those commands that ask for it.
//!
//! A patch is set by a command of its own, in its turn. Words asked for before it never see it, words asked for after it
//! always do: the comparison of addresses stands in the same stage as the setting. Its value is a number, so its
//! more significant byte comes first in the word.

use super::Widths;
use crate::build::{cat_lsb_first, mux, or_all, Expr, Module, Sig};
use crate::prim::decode;

/// Patches that may stand at a time.
pub(crate) const SLOTS: usize = 5;

/// A patch being set.
pub(super) struct Setting {
    pub set: Sig,
    pub slot: Sig,
    pub word: Sig,
    /// Its 16-bit lane of the word.
    pub place: Sig,
    pub value: Sig,
    /// The value is what the sum makes of it.
    pub from_sum: Sig,
}

/// What the patches put into the word that is at the frame store's output.
pub(super) struct Patches {
    here: Vec<Expr>,
    values: Vec<Expr>,
    /// For the sum: the value of the command at hand; to be driven: the complement of the sum with it.
    pub value: Sig,
    pub total: Sig,
}

/// Adds the patches. `asks`: the word asked for in this clock, at `setting.word`, is to be patched.
pub(super) fn patches(m: &mut Module, w: &Widths, setting: &Setting, asks: &Sig) -> Patches {
    let lanes = w.dma_width / 16;
    let total = m.wire("patch_total", 16);
    let value = mux(&setting.from_sum, &total, &setting.value);
    let value = m.named("patch_value_next", value);
    let place = m.named("patch_place_next", decode(&setting.place, lanes));
    let set: Vec<Sig> = (0..SLOTS)
        .map(|i| m.named(&format!("sets_{i}"), &setting.set & setting.slot.eq(i)))
        .collect();
    let valid = m.regs_rst("patch_valid", SLOTS, 1, 0);
    let words = m.regs("patch_word", SLOTS, w.word);
    let places = m.regs("patch_place", SLOTS, lanes);
    let values = m.regs("patch_value", SLOTS, 16);
    let hits = m.regs("r1_patch", SLOTS, 1);
    m.seq("Patches; is the word asked for one of theirs?", |b| {
        for i in 0..SLOTS {
            b.set(&hits[i], asks & &valid[i] & words[i].eq(&setting.word));
            if i > 0 {
                b.when(&set[0], |b| b.set(&valid[i], 0));
            }
            b.when(&set[i], |b| {
                b.set(&valid[i], 1);
                b.set(&words[i], &setting.word);
                b.set(&places[i], &place);
                b.set(&values[i], &value);
            });
        }
    });
    let here = m.reg("r2_patched", lanes);
    let word = m.reg("r2_patch", w.dma_width);
    let hit =
        |lane: usize| -> Vec<Expr> { (0..SLOTS).map(|i| &hits[i] & places[i].bit(lane)).collect() };
    let value_of = |lane: usize| {
        let terms: Vec<Expr> = hit(lane)
            .iter()
            .zip(&values)
            .map(|(hit, v)| hit.repeat(16) & v)
            .collect();
        or_all(&terms).swap_bytes()
    };
    let hit_lanes: Vec<Expr> = (0..lanes).map(|l| or_all(&hit(l))).collect();
    let value_lanes: Vec<Expr> = (0..lanes).map(value_of).collect();
    m.seq("Patches by lanes, while the word is read", |b| {
        b.set(&here, cat_lsb_first(&hit_lanes));
        b.set(&word, cat_lsb_first(&value_lanes));
    });
    Patches {
        here: here.each_bit(),
        values: (0..lanes).map(|l| word.part(l, 16)).collect(),
        value: setting.value.clone(),
        total,
    }
}

impl Patches {
    /// The word with the patches in it.
    pub(super) fn apply(&self, m: &mut Module, word: &Sig) -> Expr {
        let lane = |l: usize| mux(&self.here[l], &self.values[l], word.part(l, 16));
        let lanes: Vec<Expr> = (0..self.here.len()).map(lane).collect();
        m.named("patched", cat_lsb_first(&lanes)).expr()
    }
}
