//! Pages: which page each slot is filling, and the walk of a packet's bytes over them.
//!
//! Contract: bytes go to the slot's page from its fill pointer on, then to the oldest posted pages. A page that is
//! full is nobody's any more. Slot `flows` is the queue's own, for frames that are not watched.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `slot`, `bytes`, `any`, `off` | in | | whose page; the packet's bytes for pages; any; their offset in the frame |
//! | `at_slot` | in | flows + 1 | `slot` of the clock before, decoded |
//! | `pg_valid`, `pg`, `pg_room`, `pg_pop` | | PAGE | the oldest posted page; bytes in all; it is taken |
//! | `has` | out | flows + 1 | register: slots that have a page, two clocks after `commit` or `forget` |
//! | `first_more` | out | 1 | with `choose`: bytes are left behind the fragment |
//! | `has_now`, `cookie_now`, `fill_now` | out | | registers: the slot's page |
//! | `enough_old`, `enough_new` | out | 1 | registers: the bytes fit, with or without the slot's page |
//! | `may_walk`, `head_ok` | out | 1 | the oldest posted page can be used (for `walk`; for `choose`, register) |
//! | `keep` | in | 1 | go on in the slot's page |
//! | `choose`, `take`, `walk` | in | 1 | first fragment, from `keep`; and it takes the posted page; next fragment |
//! | `walking` | in | 1 | a next fragment is due; never with `choose` |
//! | `take_unused` | in | 1 | the oldest posted page goes back unused |
//! | `place` | in | 1 | the fragment is placed |
//! | `commit`, `forget` | in | 1 | the packet is placed; the slot has no page any more |
//! | `frag_*`, `first_*` | out | | registers: the fragment; the first one. `frag_more`: bytes are left |
//! | `cookie_next`, `fill_next` | out | 32, 17 | registers: page and fill pointer behind the fragment, after `place` |
//! | `rest_next`, `off_next` | out | | registers: bytes left behind the fragment, and where they begin, after `place` |
//!
//! - Timing: `slot` and `bytes` settle in two clocks up to `enough_*`. A further fragment takes three clocks.
//!
//! ## Pipeline
//! 1. Read the slot's page; compare the bytes with all posted room. 2. Compare them with what is left of either page.
//! 3. (`choose`) Load page and fragment. 4. (`place`) Add. 5. Write back.

use super::Widths;
use crate::build::*;
use crate::bundle;
use crate::prim::lutram;
use pagetrain_formats::Config;

/// Bits of a page's length: 65536 must fit.
const FILL: usize = 17;

/// A page under way: where the next byte goes, cookie, fill pointer, bytes left.
struct Page {
    addr: Expr,
    cookie: Expr,
    fill: Expr,
    left: Expr,
}

impl Page {
    fn pack(&self) -> Expr {
        let parts = [&self.addr, &self.cookie, &self.fill, &self.left];
        cat_lsb_first(&parts.map(Expr::clone))
    }

    fn unpack(word: &Expr) -> Page {
        Page {
            addr: word.bits(0, 64),
            cookie: word.bits(64, 32),
            fill: word.bits(96, FILL),
            left: word.bits(96 + FILL, FILL),
        }
    }
}

/// Builds the block.
pub fn pages(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let n = cfg.flows + 1;
    let mut m = Module::new(
        &format!("train_pages_{}", cfg.flows),
        "Which page each slot is filling, and the walk of a packet's bytes over them.",
    );
    let slot = m.input("slot", w.slot, "whose page");
    let at = m.input("at_slot", n, "the same, decoded, a clock later");
    let bytes = m.input("bytes", w.len, "the packet's bytes for pages");
    let any = m.input("any", 1, "there are any");
    let off = m.input("off", w.len, "their offset in the frame as written");
    let pg_valid = m.input("pg_valid", 1, "a page is posted");
    let pg_b = bundle::page();
    let pg = m.input("pg", pg_b.width(), "PAGE: the oldest one");
    let pg_room = m.input("pg_room", 24, "bytes in all posted pages");
    let keep = m.input("keep", 1, "go on in the slot's page");
    let choose = m.input("choose", 1, "load the first fragment");
    let take = m.input("take", 1, "which lies in the oldest posted page");
    let take_unused = m.input("take_unused", 1, "the oldest posted page goes back unused");
    let walk = m.input(
        "walk",
        1,
        "load the next fragment, from the oldest posted page",
    );
    let walking = m.input("walking", 1, "there is a next fragment");
    let place = m.input("place", 1, "the fragment is placed");
    let commit = m.input("commit", 1, "the packet is placed");
    let forget = m.input("forget", 1, "the slot has no page any more");

    m.comment(
        "Stage 1: the slot's page; the oldest posted one; the bytes against all that is posted",
    );
    let commit_1 = m.reg_rst("commit_1", 1, 0);
    let next = m.reg("next", 2 * FILL + 96);
    let mem = m.instance("u_page", lutram(next.width(), w.slot));
    m.connect(&mem, "wr_en", &commit_1);
    m.connect(&mem, "wr_addr", &slot);
    m.connect(&mem, "wr_data", &next);
    m.connect(&mem, "rd_addr", &slot);
    let has = m.output_reg_rst("has", n, 0, "slots that have a page");
    let has_now = m.output_reg("has_now", 1, "the slot has a page");
    let now = m.reg("now", next.width());
    let pg_pop = m.output_reg_rst("pg_pop", 1, 0, "the oldest posted page is taken");
    let head_ok_0 = m.reg_rst("head_stands", 1, 0);
    let may_walk = m.output("may_walk", 1, "walk is allowed");
    m.assign(&may_walk, &head_ok_0 & !&pg_pop);
    let head_left = m.reg("head_left", FILL);
    let lacks = m.reg("lacks", 1);
    let deficit = m.reg("deficit", FILL);
    let head = |f: &str| pg_b.get(&pg, f);
    m.seq("Stage 1: read", |b| {
        b.set(&now, mem.out("rd_data"));
        b.set(&has_now, has.bit_at(&slot));
        b.set(&head_ok_0, &pg_valid & !&pg_pop);
        b.set(&head_left, head("length") - head("headroom").zext(FILL));
        b.set(&lacks, bytes.zext(24).gt(&pg_room));
        b.set(&deficit, bytes.zext(FILL) - pg_room.trunc(FILL));
    });
    let old = Page::unpack(&now.expr());
    let new = Page {
        addr: cat(&[head("addr"), head("headroom")]),
        cookie: head("cookie"),
        fill: head("headroom").zext(FILL),
        left: head_left.expr(),
    };
    let cookie_now = m.output("cookie_now", 32, "cookie of the slot's page");
    let fill_now = m.output("fill_now", FILL, "its fill pointer");
    m.assign(&cookie_now, &old.cookie);
    m.assign(&fill_now, &old.fill);

    m.comment("Stage 2: the bytes against what is left of either page");
    let need = m.named("need", bytes.zext(FILL));
    let enough_old = m.output_reg("enough_old", 1, "the bytes fit, begun in the slot's page");
    let enough_new = m.output_reg("enough_new", 1, "the bytes fit, begun in a new page");
    let head_ok = m.output_reg_rst("head_ok", 1, 0, "the oldest posted page can be used");
    let full_old = m.reg("full_old", 1);
    let more_old = m.reg("more_old", 1);
    let full_new = m.reg("full_new", 1);
    let more_new = m.reg("more_new", 1);
    m.seq("Stage 2: compare", |b| {
        b.set(&enough_old, !&lacks | old.left.ge(&deficit));
        b.set(&enough_new, !&lacks);
        b.set(&head_ok, &head_ok_0);
        b.set(&full_old, need.ge(&old.left));
        b.set(&more_old, need.gt(&old.left));
        b.set(&full_new, need.ge(&head_left));
        b.set(&more_new, need.gt(&head_left));
    });

    m.comment(
        "Stage 3: the fragment. What is left of its page is all it takes, where it takes more",
    );
    let rest = m.reg("rest", w.len);
    let cur_addr = m.output_reg("frag_addr", 64, "fragment: where to");
    let cur_cookie = m.output_reg("frag_cookie", 32, "fragment: cookie of its page");
    let cur_fill = m.output_reg("frag_fill", FILL, "fragment: offset in its page");
    let cur_left = m.reg("frag_left", FILL);
    let frag_len = m.output_reg("frag_len", w.len, "fragment: bytes");
    let frag_off = m.output_reg(
        "frag_off",
        w.len,
        "fragment: offset in the frame as written",
    );
    let full = m.output_reg("frag_full", 1, "fragment: it fills its page");
    let more = m.output_reg("frag_more", 1, "bytes are left behind it");
    let first_cookie = m.output_reg("first_cookie", 32, "first fragment: cookie of its page");
    let first_fill = m.output_reg("first_fill", 16, "first fragment: offset in its page");
    let first_len = m.output_reg("first_len", w.len, "first fragment: bytes");
    let first_full = m.output_reg("first_full", 1, "first fragment: it fills its page");
    // `walk` comes late in its clock: it loads, but does not choose.
    let from_new = m.named("from_new", &walking | !&keep);
    let rest_next = m.output_reg("rest_next", w.len, "bytes left behind the fragment");
    let rest_f = m.named("rest_for_page", rest_next.zext(FILL));
    let off_next = m.output_reg("off_next", w.len, "where they begin in the frame");
    let (walk_full, walk_more) = (rest_f.ge(&head_left), rest_f.gt(&head_left));
    let walk_full = m.named("walk_full", walk_full);
    let walk_more = m.named("walk_more", walk_more);
    let some_more = m.output("first_more", 1, "bytes are left behind the first fragment");
    m.assign(&some_more, mux(&keep, &more_old, &more_new) & &any);
    let fills = m.named("fills", mux(&keep, &full_old, &full_new) & &any);
    let left = mux(&keep, old.left.trunc(w.len), head_left.trunc(w.len));
    let left = m.named("left_of_page", left);
    m.seq("Stage 3: load the fragment", |b| {
        b.when(&choose | &walk, |b| {
            b.set(&cur_addr, mux(&from_new, &new.addr, &old.addr));
            b.set(&cur_cookie, mux(&from_new, &new.cookie, &old.cookie));
            b.set(&cur_fill, mux(&from_new, &new.fill, &old.fill));
            b.set(&cur_left, mux(&from_new, &new.left, &old.left));
            let least = mux(&some_more, &left, &bytes);
            let next = mux(&walk_more, head_left.trunc(w.len), &rest_next);
            b.set(&frag_len, mux(&walking, next, least));
            b.set(&full, mux(&walking, &walk_full, &fills));
            b.set(&more, mux(&walking, &walk_more, &some_more));
            b.set(&frag_off, mux(&walking, &off_next, &off));
            b.set(&rest, mux(&walking, &rest_next, &bytes));
        });
        b.set(&pg_pop, &take | &walk | &take_unused);
        b.when(&choose, |b| {
            b.set(&first_cookie, mux(&keep, &old.cookie, &new.cookie));
            b.set(
                &first_fill,
                mux(&keep, old.fill.trunc(16), new.fill.trunc(16)),
            );
            b.set(&first_len, mux(&some_more, &left, &bytes));
            b.set(&first_full, &fills);
        });
    });

    m.comment("Stage 4: behind the fragment");
    let fill_next = m.output("fill_next", FILL, "fill pointer behind the fragment");
    let moved = Page {
        addr: &cur_addr + frag_len.zext(64),
        cookie: cur_cookie.expr(),
        fill: &cur_fill + frag_len.zext(FILL),
        left: &cur_left - frag_len.zext(FILL),
    };
    m.seq("Stage 4: add", |b| {
        b.when(&place, |b| {
            b.set(&next, moved.pack());
            b.set(&off_next, &frag_off + &frag_len);
            b.set(&rest_next, &rest - &frag_len);
        });
    });
    m.assign(&fill_next, Page::unpack(&next.expr()).fill);
    let cookie_next = m.output("cookie_next", 32, "its page's cookie");
    m.assign(&cookie_next, Page::unpack(&next.expr()).cookie);

    let changes = m.reg_rst("changes", 1, 0);
    let stays = m.reg("stays", 1);
    m.seq("Stage 5: write back; a full page is nobody's", |b| {
        b.comment("Which slot, and that it changes, come late; they reach n bits a clock later");
        let lies = &commit & &any;
        b.set(&commit_1, lies.clone());
        b.set(&changes, &forget | lies.clone());
        b.set(&stays, lies & !&forget & !&full);
        let others = &has & !(&at & changes.repeat(n));
        b.set(&has, others | (&at & stays.repeat(n)));
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::pages(&Default::default()));
    }
}
