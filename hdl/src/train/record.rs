//! Records: a packet's completion entries, written into the ring of its slot before the train is emitted.
//!
//! Contract: each slot has a ring of E records in the completion block's memory. A record is written only where the
//! one before it has been read: `room` says that the packet's records fit, whatever fragments its payload takes.
//! The PKT record comes last, since it counts the others, but stands first.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `slot`, `need` | in | slot, 4 | whose ring; records that may be needed, less [`MORE`] |
//! | `write`, `is_small`, `is_page` | in | 1 | write a record: an EXT for the second small buffer, one for a fragment, else a PKT |
//! | `restart` | in | 1 | a packet's records begin in the next clock, or later |
//! | `index`, `behind` | in | 5 | EXT records written so far for this packet; one more |
//! | `advance` | in | 1 | the packet's records end with this PKT |
//! | `wr` | out | rec | register: where the next packet's records begin |
//! | `room` | out | 1 | register: they fit |
//! | `ready` | out | 1 | register: the pointers are cleared |
//! | `rec_free`, `rec_free_slot` | in | | one record of that slot has been read |
//! | `rec_we`, `rec_addr`, `rec_data` | out | | registers: to the memory |
//!
//! - Timing: `slot` settles in one clock for `wr`, in three for `room`. A record a clock, one clock after its strobe.
//! - Corner cases: reset starts a sweep over the pointers, one slot a clock; `ready` follows it.

use super::entry::{entry, BITS};
use super::Widths;
use crate::build::*;
use crate::prim::lutram;
use pagetrain_formats::codes::EntryType;
use pagetrain_formats::completion::{ext, pkt};
use pagetrain_formats::Config;

/// A packet of n KiB (rounded down) takes at most n + 3 records: PKT, second small buffer, a fragment in the page at
/// hand, one a KiB, which every new page has room for.
pub const MORE: usize = 3;

/// Builds the block.
pub fn record(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let e = cfg.train_entries;
    let mut m = Module::new(
        &format!("train_record_f{}_e{e}", cfg.flows),
        "A packet's completion entries, written into the ring of its slot.",
    );
    let slot = m.input("slot", w.slot, "whose ring");
    let need = m.input("need", 4, "records that may be needed, less 3");
    let write = m.input(
        "write",
        1,
        "write a record: a PKT if it is not one of these",
    );
    let is_small = m.input("is_small", 1, "an EXT: second small buffer");
    let is_page = m.input("is_page", 1, "an EXT: one more fragment");
    let restart = m.input("restart", 1, "a packet's records begin");
    let index = m.input("index", 5, "EXT records written so far");
    let behind = m.input("behind", 5, "one more");
    let advance = m.input("advance", 1, "the packet ends with this PKT");
    let wr = m.output("wr", w.rec, "where the next packet's records begin");
    let room = m.output_reg_rst("room", 1, 0, "they fit");
    let ready = m.output_reg_rst("ready", 1, 0, "the pointers are cleared");
    let free_in = m.input("rec_free", 1, "one record has been read");
    let free_slot_in = m.input("rec_free_slot", w.slot, "of this slot");
    let free = m.reg_rst("free_1", 1, 0);
    let free_slot = m.reg("free_slot_1", w.slot);
    m.seq("Records that were read: it comes from afar", |b| {
        b.set(&free, &free_in);
        b.set(&free_slot, &free_slot_in);
    });

    m.comment("After a reset, a sweep clears the pointers");
    let sweep = m.reg_rst("sweep", w.slot, 0);
    m.seq("Sweep", |b| {
        b.when(!&ready, |b| b.set(&sweep, &sweep + 1));
        b.when(sweep.eq(cfg.flows), |b| b.set(&ready, 1));
    });

    m.comment("Pointers count modulo 2 E, so that a full ring differs from an empty one");
    let pw = w.rec + 1;
    let pointer = || lutram(pw, w.slot);
    let written = m.instance("u_written", pointer());
    let read = m.instance("u_read", pointer());
    let read_copy = m.instance("u_read_copy", pointer());
    let wr_now = m.reg("wr_now", pw);
    let rd_now = m.reg("rd_now", pw);
    let wr_next = m.reg("wr_next", pw);
    let move_on = m.reg_rst("move_on", 1, 0);
    m.connect(&written, "wr_en", &move_on | !&ready);
    m.connect(&written, "wr_addr", mux(&ready, &slot, &sweep));
    m.connect(&written, "wr_data", &wr_next & ready.repeat(pw));
    m.connect(&written, "rd_addr", &slot);
    let one_more = read.out("rd_data") + 1;
    let one_more = m.named("one_more", one_more & ready.repeat(pw));
    m.connect(&read, "rd_addr", &free_slot);
    m.connect(&read_copy, "rd_addr", &slot);
    for r in [&read, &read_copy] {
        m.connect(r, "wr_en", &free | !&ready);
        m.connect(r, "wr_addr", mux(&ready, &free_slot, &sweep));
        m.connect(r, "wr_data", &one_more);
    }
    let held = m.reg("held", pw);
    let limit = m.reg("limit", pw);
    m.seq("Is there room in the slot's ring?", |b| {
        b.set(&wr_now, written.out("rd_data"));
        b.set(&rd_now, read_copy.out("rd_data"));
        b.set(&held, &wr_now - &rd_now);
        b.set(&limit, lit(pw, (e - MORE) as u128) - need.zext(pw));
        b.set(&room, held.le(&limit));
    });
    m.assign(&wr, wr_now.trunc(w.rec));
    m.seq(
        "The next packet's place; written while `slot` still stands",
        |b| {
            b.set(&move_on, &advance);
            b.set(&wr_next, &wr_now + behind.zext(pw));
        },
    );

    let mut input = |name: &str, width, doc: &str| m.input(name, width, doc);
    let hdr_cookie = input("hdr_cookie", 32, "PKT: first small buffer");
    let second_cookie = input("second_cookie", 32, "EXT: second small buffer");
    let pkt_page = [
        input("pkt_cookie", 32, "PKT: page of the first fragment"),
        input("pkt_offset", 16, "PKT: where it begins"),
        input("pkt_len", 16, "PKT: bytes"),
        input("pkt_full", 1, "PKT: it filled its page"),
    ];
    let pkt_any = input("pkt_any", 1, "PKT: it has a fragment");
    let hdr_any = input("hdr_any", 1, "PKT: it has a small buffer");
    let ext_page = [
        input("ext_cookie", 32, "EXT: page of this fragment"),
        input("ext_offset", 16, "EXT: where it begins"),
        input("ext_len", 16, "EXT: bytes"),
        input("ext_full", 1, "EXT: it filled its page"),
    ];
    let fields: Vec<_> = [
        ("frame_len", 16, pkt::FRAME_LEN),
        ("rx_seq", 16, pkt::RX_SEQ),
        ("vlan0", 16, pkt::VLAN0),
        ("vlan1", 16, pkt::VLAN1),
        ("hdr_len", w.hdr, pkt::HDR_LEN),
        ("l3_off", 8, pkt::L3_OFF),
        ("l4_off", 9, pkt::L4_OFF),
        ("split", 1, pkt::SPLIT),
        ("l3", 2, pkt::L3_TYPE),
        ("l4", 2, pkt::L4_TYPE),
        ("ip_csum", 2, pkt::IP_CSUM),
        ("l4_csum", 2, pkt::L4_CSUM),
        ("vlan_count", 2, pkt::VLAN_COUNT),
        ("ip_opt", 1, pkt::IP_OPT),
        ("watched", 1, pkt::WATCHED),
        ("piece", 1, pkt::PIECE),
    ]
    .into_iter()
    .map(|(name, width, field)| (field, input(name, width, "PKT").expr()))
    .collect();

    let mut pkt_fields = fields;
    pkt_fields.extend([
        (pkt::HDR_COOKIE, &hdr_cookie & hdr_any.repeat(32)),
        (pkt::PAGE_COOKIE, &pkt_page[0] & pkt_any.repeat(32)),
        (pkt::PAGE_OFFSET, &pkt_page[1] & pkt_any.repeat(16)),
        (pkt::FRAG_LEN, pkt_page[2].expr()),
        (pkt::PAGE_FULL, pkt_page[3].expr()),
        (pkt::EXT_COUNT, index.expr()),
        (pkt::TYPE, lit(2, EntryType::Pkt.code().into())),
    ]);
    let ext_type = || lit(2, EntryType::Ext.code().into());
    let small = entry(&[
        (ext::HDR_COOKIE, second_cookie.expr()),
        (ext::HAS_HDR, lit(1, 1)),
        (pkt::TYPE, ext_type()),
    ]);
    let page = entry(&[
        (ext::PAGE_COOKIE, ext_page[0].expr()),
        (ext::PAGE_OFFSET, ext_page[1].expr()),
        (ext::FRAG_LEN, ext_page[2].expr()),
        (ext::PAGE_FULL, ext_page[3].expr()),
        (ext::HAS_PAGE, lit(1, 1)),
        (pkt::TYPE, ext_type()),
    ]);
    let pkt_entry = m.named("pkt_entry", entry(&pkt_fields));
    let small_entry = m.named("small_entry", small);
    let page_entry = m.named("page_entry", page);

    let rec_we = m.output_reg_rst("rec_we", 1, 0, "write a record");
    let rec_addr = m.output_reg("rec_addr", w.slot + w.rec, "slot, index in its ring");
    let rec_data = m.output_reg("rec_data", BITS, "the entry, without head and phase");
    // It is `wr` + `behind`; but whether an EXT is written comes late, and an adder behind that was among the slowest paths.
    let ext_at = m.reg("ext_at", w.rec);
    m.seq("Place of the next EXT", |b| {
        b.first(|c| {
            c.when(&restart, |b| b.set(&ext_at, &wr + 1));
            c.when(&write, |b| b.set(&ext_at, &ext_at + 1));
        });
    });
    m.seq("The record", |b| {
        b.set(&rec_we, &write);
        let at = mux(&is_small | &is_page, &ext_at, &wr);
        b.set(&rec_addr, cat(&[slot.expr(), at]));
        b.set(
            &rec_data,
            mux(
                &is_page,
                &page_entry,
                mux(&is_small, &small_entry, &pkt_entry),
            ),
        );
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::record(&Default::default()));
    }
}
