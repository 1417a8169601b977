//! What can be known of a frame before its flow's state is read, worked out while the frame before it is carried out.
//!
//! Contract: while a frame waits at the input, its classes and lengths settle in three clocks and its lookup with
//! them; `coming` says that the frame may be taken in the next clock. At `take` everything moves into the `job_*`
//! registers, which hold until the next one.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `frame_valid`, `frame` | in | FRAME | the frame that waits |
//! | `take` | in | 1 | the frame is taken in this clock |
//! | `coming` | out | 1 | register: `take` is allowed in the next clock |
//! | `flush`, `flush_key` | in | 1, KEY | look this key up instead |
//! | `key` | out | KEY | register: to the flow table |
//! | `hit` to `new_slot` | in | | the flow table's answer |
//! | `slot_next` | out | slot | slot of the frame that is taken in this clock |
//! | `advance`, `piece_*` | in | | the frame taken last goes on with its next piece, whose payload is this |
//! | `job_*` | out | | registers: the frame taken last |
//!
//! ## Pipeline
//! 1. Tags to strip, payload length, TCP flags; the key goes to the table.
//! 2. Lengths without the tags, comparison with the registers, what comes next in sequence.
//! 3. Classes: joinable, may create; where it would go if it is not watched.
//! 4. (`take`) With the table's answer: watched or not, slot, bytes for a page.

use super::Widths;
use crate::build::*;
use crate::bundle;
use pagetrain_formats::codes::{L3, L4};
use pagetrain_formats::program::fields as flag;
use pagetrain_formats::{Config, SMALL_BYTES};

/// Verdict on a checksum: good.
const GOOD: u128 = 1;
/// TCP flags (RFC 9293 section 3.1), byte 13 of the header.
const FIN: usize = 0;
const SYN: usize = 1;
const RST: usize = 2;
const PSH: usize = 3; // and ACK above it
const URG: usize = 5;

/// Least bytes of a header (RFC 791, 8200, 9293).
const IPV4_BYTES: usize = 20;
const IPV6_BYTES: usize = 40;
const TCP_BYTES: usize = 20;
/// Bits of an offset in a header.
const OFFSET: usize = 9;

/// Registers of one stage.
struct Stage<'a> {
    m: &'a mut Module,
    prefix: &'static str,
    set: Vec<(Sig, Expr)>,
}

impl<'a> Stage<'a> {
    fn new(m: &'a mut Module, prefix: &'static str) -> Self {
        let set = vec![];
        Stage { m, prefix, set }
    }

    /// A register that takes `value` every clock.
    fn reg(&mut self, name: &str, value: impl Into<Expr>) -> Sig {
        let value = value.into();
        let reg = self
            .m
            .reg(&format!("{}_{name}", self.prefix), value.width());
        self.set.push((reg.clone(), value));
        reg
    }

    fn end(self, doc: &str) {
        let set = self.set;
        self.m
            .seq(doc, |b| set.iter().for_each(|(r, v)| b.set(r, v)));
    }
}

/// Builds the block.
pub fn decide(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let key_b = bundle::key();
    let frame_b = bundle::frame(cfg);
    let mut m = Module::new(
        &format!(
            "train_decide_f{}_d{}_s{}",
            cfg.flows, cfg.dma_width, cfg.ingress_bytes
        ),
        "What is known of a frame before its flow's state is read.",
    );
    let frame_valid = m.input("frame_valid", 1, "a frame waits");
    let frame = m.input("frame", frame_b.width(), "FRAME");
    let take = m.input("take", 1, "it is taken in this clock");
    let flush = m.input("flush", 1, "look flush_key up");
    let flush_key = m.input("flush_key", key_b.width(), "KEY of a command");
    let hit = m.input("hit", 1, "flow table: found");
    let hit_slot = m.input("hit_slot", w.flow, "flow table: where");
    let free = m.input("free", 1, "flow table: there is a free slot");
    let new_slot = m.input("new_slot", w.flow, "flow table: the slot for a new flow");
    let strip_vlan = m.input("cfg_strip_vlan", 1, "leave tags out of what is written");
    let admit_min = m.input("cfg_admit_min", 16, "least payload that creates an entry");
    let max_bytes = m.input("cfg_max_bytes", 20, "most bytes of a train");
    let page_split = m.input("cfg_page_split", 1, "trains end at the edges of pages");
    let advance = m.input("advance", 1, "the frame's next piece begins");
    let piece_bytes = m.input("piece_bytes", w.len, "its payload");
    let piece_off = m.input(
        "piece_off",
        w.len,
        "where it begins in the frame as written",
    );
    let piece_seq = m.input("piece_seq", 32, "its sequence number");
    let piece_fills = m.input("piece_fills", 1, "it alone reaches max_bytes");
    m.unused(frame_b.get(&frame, "bad"), "bad frames are dropped before");
    m.unused(frame_b.get(&frame, "end_valid"), "always set in META");
    m.unused(
        frame_b.get(&frame, "end").from_bit(w.len),
        "not beyond the frame",
    );
    m.unused(
        is_nocsum(&frame_b.get(&frame, "flags")),
        "the verdict says so",
    );
    let ack_psh = frame_b.get(&frame, "tcp_flags").bits(PSH, 2);
    m.unused(ack_psh, "ACK and PSH mean nothing here");
    m.unused(
        frame_b.get(&frame, "l4_valid"),
        "an offset that was not marked is 0",
    );

    let f = |name: &str| frame_b.get(&frame, name);
    let flags = f("flags");
    let is = |mask: u8| flags.bit(mask.trailing_zeros() as usize);

    m.comment(
        "A frame may be taken when it has stood for three clocks, with the table looking at it",
    );
    let seen_1 = m.reg_rst("seen_1", 1, 0);
    let seen_2 = m.reg_rst("seen_2", 1, 0);
    let coming = m.output_reg_rst("coming", 1, 0, "take is allowed in the next clock");
    let keep = m.named("keep", !&take & !&flush);
    m.seq("For how long the frame has stood", |b| {
        b.set(&seen_1, &frame_valid & &keep);
        b.set(&seen_2, &seen_1 & &keep);
        b.set(&coming, &seen_2 & &keep);
    });

    let key = m.output_reg("key", key_b.width(), "KEY to look up");
    let frame_key = key_b.pack(&[
        ("v6", is(flag::V6)),
        ("has_vlan0", is(flag::VLAN0)),
        ("has_vlan1", is(flag::VLAN1)),
        ("vlan0", f("vlan0")),
        ("vlan1", f("vlan1")),
        ("src", f("src")),
        ("dst", f("dst")),
        ("sport", f("sport")),
        ("dport", f("dport")),
    ]);
    let frame_key = m.named("frame_key", frame_key);
    m.seq("Key", |b| b.set(&key, mux(&flush, &flush_key, &frame_key)));

    // Stage 1.
    let tcp = f("tcp_flags");
    let tags = m.named("tags", is(flag::VLAN0).zext(2) + is(flag::VLAN1).zext(2));
    let frame_len = f("frame_len");
    let is_tcp = is(flag::TCP) & f("split_valid");
    let word_low = cfg.log2_d_bytes();
    let words =
        (frame_len.trunc(w.len + 1) + lit(w.len + 1, (1 << word_low) - 1)).from_bit(word_low);
    let mut s = Stage::new(&mut m, "a");
    let a_strip = s.reg("strip", &tags & strip_vlan.repeat(2));
    let a_pay = s.reg(
        "pay",
        mux(
            f("split_valid"),
            f("end").trunc(w.len) - f("split").zext(w.len),
            0,
        ),
    );
    let a_csum_ok = s.reg(
        "csum_ok",
        f("l4_csum").eq(GOOD) & (f("ip_csum").eq(GOOD) | is(flag::V6)),
    );
    let a_ending = s.reg("ending", tcp.bit(FIN) | tcp.bit(SYN) | tcp.bit(RST));
    let a_urgent = s.reg("urgent", tcp.bit(URG));
    let plain = !(0..8)
        .filter(|i| ![PSH, PSH + 1].contains(i))
        .fold(lit(1, 0), |e, i| e | tcp.bit(i));
    let a_plain = s.reg("plain", plain & !is(flag::OPT));
    let a_tcp = s.reg("tcp", &is_tcp);
    let a_long = s.reg("long", frame_len.gt(SMALL_BYTES));
    let a_words = s.reg("words", words.resize(w.words));
    // One bit more than the offsets: a difference below 0 shows as a borrow.
    let between = |from: &str, to: &str| f(to).zext(OFFSET + 1) - f(from).zext(OFFSET + 1);
    let a_net = s.reg("net", between("l3_off", "l4_off"));
    let a_ip_head = s.reg("ip_head", between("l3_off", "split"));
    let a_tcp_head = s.reg("tcp_head", between("l4_off", "split"));
    let a_ip_len = s.reg("ip_len", f("end").trunc(w.len) - f("l3_off").zext(w.len));
    s.end("Stage 1: tags to strip, payload, flags");

    // Stage 2.
    let strip_bytes = cat(&[a_strip.expr(), lit(2, 0)]);
    let base = cat(&[f("word"), lit(word_low, 0)]);
    let less = |e: Expr| {
        let width = e.width();
        mux(e.any(), &e - strip_bytes.zext(width), 0)
    };
    let (l3, l4) = (less(f("l3_off")), less(f("l4_off")));
    let mut s = Stage::new(&mut m, "b");
    let b_hdr = s.reg("hdr", f("split") - strip_bytes.zext(w.hdr));
    let b_all = s.reg("all", frame_len.trunc(w.len) - strip_bytes.zext(w.len));
    let b_l3 = s.reg("l3_off", l3);
    let b_l4 = s.reg("l4_off", l4);
    let b_base_strip = s.reg("base_strip", &base + strip_bytes.zext(w.src));
    let b_pay_any = s.reg("pay_any", a_pay.any());
    let b_admit = s.reg("admit", a_pay.zext(16).ge(&admit_min));
    let b_room = s.reg("room", max_bytes.zext(21) - a_pay.zext(21));
    let b_seq_next = s.reg("seq_next", f("seq") + a_pay.zext(32));
    let b_flagged = s.reg("flagged", &a_ending | &a_urgent);
    let at_least =
        |length: &Sig, least: usize| !length.bit(OFFSET) & length.trunc(OFFSET).ge(least);
    let net_v4 = is(flag::V4) & at_least(&a_net, IPV4_BYTES);
    let net_v6 = is(flag::V6) & at_least(&a_net, IPV6_BYTES);
    // An IP header that was not found lies at 0.
    let b_found = s.reg("found", f("l3_off").any());
    let b_whole = s.reg(
        "whole",
        (net_v4 | net_v6) & at_least(&a_tcp_head, TCP_BYTES),
    );
    // Below 14 KiB.
    let b_few = s.reg("few", !a_pay.bits(11, 3).all());
    let b_l3_at = s.reg("l3_at", &base + f("l3_off").zext(w.src));
    let b_l4_at = s.reg("l4_at", &base + f("l4_off").zext(w.src));
    let b_pieces = s.reg("pieces", a_pay.from_bit(10).zext(5) + 2);
    s.end("Stage 2: lengths without the tags, comparison with the registers");

    // Stage 3.
    let split = f("split_valid");
    let mut s = Stage::new(&mut m, "c");
    let c_joinable = s.reg("joinable", &a_csum_ok & &b_pay_any & !&b_flagged);
    let c_may_create = s.reg(
        "may_create",
        &a_tcp & &a_csum_ok & &b_pay_any & &b_admit & &a_plain,
    );
    let to_page = || &split & &a_long;
    let c_to_page = s.reg("split", to_page());
    let c_hdr_split = s.reg("hdr_any", b_hdr.any());
    let whole = mux(&a_long, lit(w.hdr, 0), b_all.trunc(w.hdr));
    let own_hdr = s.reg("own_hdr", mux(to_page(), &b_hdr, whole));
    let own_hdr_any = s.reg("own_hdr_any", mux(to_page(), b_hdr.any(), !&a_long));
    let all_page = &b_all & a_long.repeat(w.len);
    let own_page = s.reg("own_page", mux(to_page(), &a_pay, all_page));
    let own_page_any = s.reg("own_page_any", mux(to_page(), &b_pay_any, &a_long));
    let own_off = s.reg("own_off", b_hdr.zext(w.len) & to_page().repeat(w.len));
    let c_full = s.reg("fills", b_room.bit(20) | !b_room.any());
    let c_splits = s.reg(
        "splits",
        &page_split & &a_csum_ok & &b_pay_any & !&b_flagged & &b_found & &b_whole & &b_few,
    );
    let c_two = s.reg("hdr_two", b_hdr.bit(8) & b_hdr.trunc(8).any());
    let c_pieces = s.reg("pieces", &b_pieces);
    s.end("Stage 3: classes; how much would go where if the frame is not watched (`own`)");

    // Take.
    let found = m.named("found", &a_tcp & &hit);
    let creates = m.named("creates", &c_may_create & !&hit);
    let watched = m.named("watched", &found | &creates);
    let own = lit(w.slot, cfg.flows as u128);
    let slot_next = m.output("slot_next", w.slot, "slot of the frame taken in this clock");
    m.assign(
        &slot_next,
        mux(
            &found,
            hit_slot.zext(w.slot),
            mux(&creates, new_slot.zext(w.slot), &own),
        ),
    );
    let to_split = m.named("to_split", &watched | &c_to_page);
    let strips = a_strip.any();
    let hdr = mux(&watched, &b_hdr, &own_hdr);
    let for_page = m.named("for_page", mux(&watched, &a_pay, &own_page));
    let mut job: Vec<(Sig, Expr)> = vec![];
    let mut out = |name: &str, value: Expr, doc: &str| {
        job.push((
            m.output_reg(&format!("job_{name}"), value.width(), doc),
            value,
        ));
    };
    out("key", frame_key.expr(), "KEY");
    out("slot", slot_next.expr(), "its slot");
    out("tcp", a_tcp.expr(), "was looked up");
    out("hit", found.expr(), "its flow has an entry");
    out("creates", creates.expr(), "it creates one");
    out("table_full", !&free, "which takes the place of another");
    out("csum_ok", a_csum_ok.expr(), "checksums good");
    out("ending", a_ending.expr(), "FIN, SYN or RST");
    out("flagged", b_flagged.expr(), "FIN, SYN, RST or URG");
    out(
        "joinable",
        c_joinable.expr(),
        "checksums good, payload, no flag that ends a train",
    );
    out("no_payload", !&b_pay_any, "no payload");
    out("seq", f("seq"), "sequence number");
    out("seq_next", b_seq_next.expr(), "the one expected next");
    out(
        "room",
        b_room.expr(),
        "max_bytes less its payload, two's complement",
    );
    out(
        "fills",
        c_full.expr(),
        "its payload alone reaches max_bytes",
    );
    out(
        "need",
        for_page.from_bit(10),
        "entries that it may need, less 3",
    );
    out(
        "split",
        to_split.expr(),
        "header to small buffers, payload to a page",
    );
    out("hdr_len", hdr.clone(), "bytes for small buffers");
    out(
        "hdr_any",
        mux(&watched, &c_hdr_split, &own_hdr_any),
        "at least one small buffer",
    );
    out("hdr_two", &to_split & &c_two, "two small buffers");
    out(
        "splits",
        &watched & &c_splits,
        "it may be cut at a page's edge",
    );
    out(
        "small_need",
        mux(&c_two, cat(&[c_pieces.expr(), lit(1, 0)]), c_pieces.zext(6)),
        "small buffers that all its pieces may need",
    );
    out("l3_at", b_l3_at.expr(), "store address of the IP header");
    out("l4_at", b_l4_at.expr(), "store address of the TCP header");
    out(
        "ip_head",
        a_ip_head.trunc(OFFSET),
        "bytes from the IP header to the payload",
    );
    out(
        "tcp_head",
        a_tcp_head.trunc(OFFSET),
        "bytes from the TCP header to the payload",
    );
    out(
        "ip_len",
        a_ip_len.expr(),
        "bytes from the IP header to the end",
    );
    out("page_bytes", for_page.expr(), "bytes for a page");
    out(
        "page_any",
        mux(&watched, &b_pay_any, &own_page_any),
        "any byte for a page",
    );
    out(
        "page_off",
        mux(&watched, b_hdr.zext(w.len), own_off.expr()),
        "where they begin in the stripped frame",
    );
    out("strips", strips, "tags are left out");
    out("base", base, "store address of the frame");
    out(
        "base_strip",
        b_base_strip.expr(),
        "the same plus the bytes left out",
    );
    out("words", a_words.expr(), "D-bit words in the store");
    out("frame_len", frame_len.clone(), "bytes as received");
    out("rx_seq", f("rx_seq"), "its number");
    out("vlan0", f("vlan0"), "outer tag");
    out("vlan1", f("vlan1"), "inner tag");
    out("l3_off", b_l3.expr(), "offset of the IP header, stripped");
    out(
        "l4_off",
        b_l4.expr(),
        "offset of the transport header, stripped",
    );
    out(
        "l3",
        code2(&is(flag::V4), L3::V4.code(), &is(flag::V6), L3::V6.code()),
        "network protocol",
    );
    out(
        "l4",
        code2(
            &is(flag::TCP),
            L4::Tcp.code(),
            &is(flag::UDP),
            L4::Udp.code(),
        ),
        "transport protocol",
    );
    out("ip_csum", f("ip_csum"), "verdict");
    out("l4_csum", f("l4_csum"), "verdict");
    out("vlan_count", tags.expr(), "tags found");
    out("ip_opt", is(flag::OPT), "IP options or extension headers");
    out("rejected", f("reject"), "the parser rejected it");
    m.unused(a_ip_head.bit(OFFSET), "0 where the frame may be cut");
    let of = |name: &str| {
        let name = format!("job_{name}");
        let found = job.iter().find(|(r, _)| r.name() == name);
        found
            .unwrap_or_else(|| unreachable!("{name} was made above"))
            .0
            .clone()
    };
    m.seq("Take; or the next piece of the same frame", |b| {
        b.when(&take, |b| job.iter().for_each(|(r, v)| b.set(r, v)));
        b.when(&advance, |b| {
            b.set(&of("page_bytes"), &piece_bytes);
            b.set(&of("page_off"), &piece_off);
            b.set(&of("seq"), &piece_seq);
            b.set(&of("fills"), &piece_fills);
            b.comment("Its flow has an entry by now");
            b.set(&of("hit"), 1);
            b.set(&of("creates"), 0);
        });
    });
    m
}

/// The flag NOCSUM.
fn is_nocsum(flags: &Expr) -> Expr {
    flags.bit(flag::NOCSUM.trailing_zeros() as usize)
}

/// A two-bit code: `x` where `a`, `y` where `b`; never both.
fn code2(a: &Expr, x: u32, b: &Expr, y: u32) -> Expr {
    (a.repeat(2) & lit(2, x.into())) | (b.repeat(2) & lit(2, y.into()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::decide(&Default::default()));
    }
}
