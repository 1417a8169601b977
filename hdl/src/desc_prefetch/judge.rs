//! Judges descriptors by the rules of the contract (section 5).

use super::unpack::Raw;
use super::Kind;
use crate::build::{lit, Expr, Module, Sig};
use crate::bundle;
use pagetrain_formats::{descriptor, Config, PAGE_MIN_ROOM, SMALL_BYTES};

/// A descriptor and its verdict.
pub(super) struct Judged {
    pub good: Sig,
    pub bad: Sig,
    pub cookie: Sig,
    /// SMALL or PAGE.
    pub record: Sig,
    /// Pages: length - headroom.
    pub room: Sig,
}

/// Clocks to the verdict.
pub(super) const LATENCY: usize = 2;

pub(super) fn judge(m: &mut Module, cfg: &Config, kind: Kind, raw: &Raw) -> Judged {
    let field = |f: &pagetrain_formats::layout::Field| raw.desc.bits(f.bit(), f.width);
    let addr = field(&descriptor::ADDR);
    let cookie = field(&descriptor::COOKIE);
    let length = field(&descriptor::LENGTH);
    let headroom = field(&descriptor::HEADROOM);

    let align = match kind {
        Kind::Small => SMALL_BYTES.ilog2() as usize,
        Kind::Page => 12,
    };
    let aligned = !addr.bits(0, align).any();
    let (record, fits): (Expr, Expr) = match kind {
        Kind::Small => (
            bundle::small().pack(&[("addr", addr.from_bit(align)), ("cookie", cookie.clone())]),
            length.eq(SMALL_BYTES) & !headroom.any(),
        ),
        Kind::Page => (
            bundle::page().pack(&[
                ("addr", addr.from_bit(align)),
                ("cookie", cookie.clone()),
                ("length", length.bits(0, 17)),
                ("headroom", headroom.clone()),
            ]),
            length.le(cfg.page_size),
        ),
    };

    let j1_valid = m.reg_rst("j1_valid", 1, 0);
    let j1_fits = m.reg("j1_fits", 1);
    let j1_cookie = m.reg("j1_cookie", 32);
    let j1_record = m.reg("j1_record", record.width());
    // One bit more than the length: a headroom beyond it shows as a borrow.
    let j1_room = m.reg("j1_room", length.width() + 1);
    m.seq("judge: what the fields say alone, and the room", |b| {
        b.set(&j1_valid, &raw.valid);
        b.set(&j1_fits, &aligned & &fits);
        b.set(&j1_cookie, &cookie);
        b.set(&j1_record, &record);
        b.set(&j1_room, length.zext(21) - headroom.zext(21));
    });
    let good = m.reg_rst("judged_good", 1, 0);
    let bad = m.reg_rst("judged_bad", 1, 0);
    let out_cookie = m.reg("judged_cookie", 32);
    let out_record = m.reg("judged_record", record.width());
    let out_room = m.reg("judged_room", 17);
    let min = PAGE_MIN_ROOM.ilog2() as usize;
    let roomy = match kind {
        // A small buffer's length and headroom are given.
        Kind::Small => lit(1, 1),
        Kind::Page => !j1_room.bit(20) & j1_room.bits(min, 20 - min).any(),
    };
    m.seq("judge: verdict", |b| {
        b.set(&good, &j1_valid & &j1_fits & &roomy);
        b.set(&bad, &j1_valid & !(&j1_fits & &roomy));
        b.set(&out_cookie, &j1_cookie);
        b.set(&out_record, &j1_record);
        b.set(&out_room, j1_room.bits(0, 17));
    });
    m.unused(
        j1_room.from_bit(17),
        "a verdict of pages; no page is longer",
    );
    Judged {
        good,
        bad,
        cookie: out_cookie,
        record: out_record,
        room: out_room,
    }
}
