//! Pieces of a segment that a page's edge cuts: which fragment ends a piece, and what its header says.
//!
//! Contract: `measure` comes with the last fragment of a piece. In the clock after `done`, three clocks later, the piece may end:
//! everything that its packet and its train need is there. What its header needs stands until the next `measure`.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `measure`, `done` | | 1 | the last fragment is placed; pulse: the piece is measured |
//! | `page_bytes`, `rest` | in | 14 | payload from this piece on; what follows it, from the clock after `measure` on |
//! | `seq`, `ip_head`, `tcp_head`, `ip_len`, `l3` | in | | of the frame; `seq` of the piece |
//! | `joins`, `train_bytes`, `alone`, `by_count` | in | | of the train that the piece is in |
//! | `bytes`, `reason` | out | | that train when the piece ends it |
//! | `seq_next`, `rest_fills` | out | | of the next piece |
//! | `new_len`, `seq_high`, `seq_low` | out | 16 | fields of the header |
//! | `tcp_const`, `ip_const` | out | 16 | what the checksums need beside bytes of the frame |
//!
//! ## Pipeline
//! 1. Payload of the piece. 2. Lengths with the headers, the next sequence number, comparison with `max_bytes`.
//! 3. Length field; difference that the IPv4 header's checksum sees; reason.

use super::control::Shared;
use super::Widths;
use crate::build::*;
use pagetrain_formats::codes::{Reason, L3};
use pagetrain_formats::Config;

/// Bits of a number of pages: all that a train may fill, and twice as many where no edge ends it.
pub(super) const PAGES: usize = 5;
/// IPv6 header, which its length field does not count (RFC 8200).
const IPV6_BYTES: u128 = 40;
/// Protocol number of TCP, in its pseudo header.
const TCP: u128 = 6;

/// Pages that the train at hand has filled: registers that follow the fragments of its packet.
pub(super) struct PagesFilled {
    /// Pages, before the fragment at hand; no more than can be told.
    pub count: Sig,
    /// One more is as many as a train may fill, or as many are filled.
    pub edge: Sig,
    pub over: Sig,
}

impl PagesFilled {
    /// `joins`: the packet joins a train that has filled so many pages, all but one at least, all.
    pub fn new(
        m: &mut Module,
        sh: &Shared,
        train_pages: &Sig,
        joins: &Sig,
        (there, edge_there, over_there): (&Sig, &Sig, &Sig),
    ) -> PagesFilled {
        let count = m.reg("pages_count", PAGES);
        let edge = m.reg("pages_edge", 1);
        let over = m.reg("pages_over", 1);
        let one = m.reg("one_page", 1);
        let last_two = m.reg("last_two_pages", PAGES);
        m.seq("Pages that the train has filled", |b| {
            b.set(&one, train_pages.le(1));
            b.set(
                &last_two,
                mux(train_pages.le(2), lit(PAGES, 0), train_pages - 2),
            );
            b.first(|c| {
                c.when(&sh.walk, |b| {
                    b.comment("The fragment before filled its page");
                    b.set(&count, one_more(&count, &lit(1, 1)));
                    b.set(&edge, count.ge(&last_two));
                    b.set(&over, &edge);
                });
                c.when(&sh.deciding, |b| {
                    b.set(&count, there & joins.repeat(PAGES));
                    b.set(&edge, mux(joins, edge_there, &one));
                    b.set(&over, joins & over_there);
                });
            });
        });
        PagesFilled { count, edge, over }
    }

    /// With the fragment at hand, which may have filled its page.
    pub fn with(&self, full: &Sig) -> Expr {
        one_more(&self.count, &full.expr())
    }
}

/// `count`, and one more if `more`, up to all ones.
fn one_more(count: &Sig, more: &Expr) -> Expr {
    count + (more & !count.all()).zext(PAGES)
}

/// Builds the block.
pub fn split(cfg: &Config) -> Module {
    let w = Widths::new(cfg);
    let mut m = Module::new(
        "train_split",
        "What a piece of a segment is, and what its header says.",
    );
    let measure = m.input("measure", 1, "the piece's last fragment is placed");
    let done = m.output_reg_rst("done", 1, 0, "pulse: it is measured");
    let page_bytes = m.input("page_bytes", w.len, "payload from the piece on");
    let rest = m.input("rest", w.len, "what follows the piece");
    let seq = m.input("seq", 32, "sequence number of the piece");
    let ip_head = m.input("ip_head", w.hdr, "bytes from the IP header to the payload");
    let tcp_head = m.input(
        "tcp_head",
        w.hdr,
        "bytes from the TCP header to the payload",
    );
    let ip_len = m.input("ip_len", w.len, "bytes from the IP header to the end");
    let l3 = m.input("l3", 2, "network protocol");
    let joins = m.input("joins", 1, "the piece has joined a train");
    let train_bytes = m.input("train_bytes", 20, "with this payload");
    let alone = m.input("alone", 1, "the piece is a train of one");
    let by_count = m.input("by_count", 1, "its train holds as many packets as it may");
    let max_bytes = m.input("cfg_max_bytes", 20, "most bytes of a train");
    let is_v6 = m.named("is_v6", l3.eq(L3::V6.code()));

    let steps = m.regs_rst("measuring", 2, 1, 0);
    m.seq("Stages", |b| {
        b.set(&steps[0], &measure);
        b.set(&steps[1], &steps[0]);
        b.set(&done, &steps[1]);
    });

    let pay = m.reg("pay", w.len);
    m.seq("Stage 1: its payload", |b| {
        b.when(&steps[0], |b| b.set(&pay, &page_bytes - &rest));
    });

    let ip_all = m.reg("ip_all", 16);
    let bytes = m.output_reg("bytes", 20, "payload of its train");
    let seq_next = m.output_reg("seq_next", 32, "sequence number of the next piece");
    let seq_high = m.output_reg("seq_high", 16, "its own, upper half");
    let seq_low = m.output_reg("seq_low", 16, "its own, lower half");
    let tcp_const = m.output_reg("tcp_const", 16, "protocol and length, for the TCP checksum");
    let fills = m.reg("fills", 1);
    let rest_fills = m.output_reg("rest_fills", 1, "what follows reaches max_bytes alone");
    m.seq("Stage 2: lengths, sequence numbers, comparison", |b| {
        b.when(&steps[1], |b| {
            b.set(&ip_all, ip_head.zext(16) + pay.zext(16));
            b.set(&bytes, (&train_bytes & joins.repeat(20)) + pay.zext(20));
            b.set(&seq_next, &seq + pay.zext(32));
            b.set(&seq_high, seq.from_bit(16));
            b.set(&seq_low, seq.trunc(16));
            b.set(&tcp_const, tcp_head.zext(16) + pay.zext(16) + lit(16, TCP));
            b.set(&fills, pay.zext(20).ge(&max_bytes));
            b.set(&rest_fills, rest.zext(20).ge(&max_bytes));
        });
    });

    let new_len = m.output_reg("new_len", 16, "its length field");
    let ip_const = m.output_reg("ip_const", 16, "what changes in the IPv4 header's sum");
    let reason = m.output_reg("reason", 5, "why the train closes that the piece ends");
    m.seq("Stage 3: length field, difference, reason", |b| {
        b.when(&done, |b| {
            let less = lit(16, IPV6_BYTES) & is_v6.repeat(16);
            b.set(&new_len, &ip_all - less);
            b.comment("No carry: a piece is not longer than the whole");
            b.set(&ip_const, !ip_len.zext(16) + &ip_all);
            let code = |r: Reason| lit(5, r.code().into());
            // A piece that has joined is shorter than the segment that was allowed to.
            let by_bytes = &fills & !&joins;
            let train = mux(by_bytes, code(Reason::MaxBytes), code(Reason::Page));
            let train = mux(&by_count, code(Reason::MaxAggr), train);
            b.set(&reason, mux(&alone, code(Reason::Page), train));
        });
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::split(&Default::default()));
    }
}
