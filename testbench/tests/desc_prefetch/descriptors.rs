//! Descriptors, good and bad, by the rules of section 5.

use pagetrain_formats::descriptor::Descriptor;
use pagetrain_hdl::bundle;
use pagetrain_hdl::desc_prefetch::Kind;
use pagetrain_testbench::{Bits, Rng};

/// A descriptor and what must become of it.
#[derive(Clone, Debug)]
pub struct Posted {
    pub bytes: [u8; 16],
    pub cookie: u32,
    pub good: bool,
    /// What the block must offer: SMALL or PAGE.
    pub record: Bits,
    /// Bytes that a page holds.
    pub room: u64,
}

/// A descriptor of this kind; every `bad`th or so breaks one rule, or more.
pub fn random(rng: &mut Rng, kind: Kind, page_size: u32, bad: f64) -> Posted {
    let mut d = match kind {
        Kind::Small => Descriptor {
            addr: rng.bits() & !0xff,
            cookie: rng.bits() as u32,
            length: 256,
            headroom: 0,
        },
        Kind::Page => page(rng, page_size),
    };
    if rng.chance(bad) {
        let flaws = if rng.chance(0.2) { 2 } else { 1 };
        for _ in 0..flaws {
            spoil(rng, &mut d, kind, page_size);
        }
    }
    posted(&d, kind, page_size)
}

/// A good page, often at a limit.
fn page(rng: &mut Rng, page_size: u32) -> Descriptor {
    let length = match rng.below(4) {
        0 => page_size,
        1 => 1024 + rng.below(8) as u32,
        _ => rng.range(1024..=page_size.into()) as u32,
    };
    let most = (length - 1024).min(4095);
    let headroom = match rng.below(4) {
        0 => 0,
        1 => most,
        _ => rng.below(u64::from(most) + 1) as u32,
    };
    Descriptor {
        addr: rng.bits() & !0xfff,
        cookie: rng.bits() as u32,
        length,
        headroom: headroom as u16,
    }
}

/// Breaks a rule (or, rarely, mends another by chance: `posted` judges the outcome).
fn spoil(rng: &mut Rng, d: &mut Descriptor, kind: Kind, page_size: u32) {
    let low = match kind {
        Kind::Small => 8,
        Kind::Page => 12,
    };
    match (kind, rng.below(3)) {
        (_, 0) => d.addr |= 1 << rng.below(low),
        (Kind::Small, 1) => {
            let bit = 1 << rng.below(20);
            d.length = *rng.pick(&[0, 255, 257, 256 ^ bit, 512, 0xf_ffff]);
        }
        (Kind::Small, _) => d.headroom = 1 << rng.below(12),
        (Kind::Page, 1) => {
            let above = page_size + 1 + rng.below(u64::from(0xf_ffff - page_size)) as u32;
            let bit = page_size + (1 << rng.below(12));
            d.length = *rng.pick(&[page_size + 1, above, bit, 0xf_ffff, 1023, 0]);
        }
        (Kind::Page, _) => {
            d.headroom = rng.range(1..=4095) as u16;
            let room = rng.below(1024) as u32;
            d.length = *rng.pick(&[
                u32::from(d.headroom) + room,
                u32::from(d.headroom) + 1023,
                u32::from(d.headroom) - 1,
            ]);
        }
    }
}

/// What the contract says of a descriptor.
fn posted(d: &Descriptor, kind: Kind, page_size: u32) -> Posted {
    let room = i64::from(d.length) - i64::from(d.headroom);
    let (addr, cookie, length, headroom) = (
        u128::from(d.addr),
        u128::from(d.cookie),
        u128::from(d.length),
        u128::from(d.headroom),
    );
    let (good, record) = match kind {
        Kind::Small => (
            d.addr % 256 == 0 && d.length == 256 && d.headroom == 0,
            Bits::pack(&[(56, addr >> 8), (32, cookie)]),
        ),
        Kind::Page => (
            d.addr % 4096 == 0 && d.length <= page_size && room >= 1024,
            Bits::pack(&[
                (52, addr >> 12),
                (32, cookie),
                (17, length & 0x1_ffff),
                (12, headroom),
            ]),
        ),
    };
    let width = match kind {
        Kind::Small => bundle::small().width(),
        Kind::Page => bundle::page().width(),
    };
    assert_eq!(record.width() as usize, width);
    Posted {
        bytes: d.encode(),
        cookie: d.cookie,
        good,
        record,
        room: room.max(0) as u64,
    }
}
