//! The commands that make a piece's header, between its payload and the copies of the header.
//!
//! Contract: after `start` one command is shown after the other, until `last` is taken. Before them the payload has
//! been summed; behind them the patches hold all that differs in the header (RFC 9293 section 3.1; IPv4: RFC 791 and,
//! for the checksum, RFC 1624; IPv6: RFC 8200).
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `start` | in | 1 | a piece's header is to be made; the values stand from the next clock on |
//! | `v4` | in | 1 | IPv4, else IPv6 |
//! | `head_len` | in | 9 | bytes from the TCP header to the payload |
//! | `new_len` to `ip_const` | in | 16 | as `split` gives them |
//! | `valid`, `last`, `take` | out, out, in | 1 | a command is shown; it is the last one; it is taken |
//! | `of_tcp`, `off`, `len`, `addr` | out | | the command: from the TCP header on, else from the IP header; how far; length; PATCH |
//! | `sum`, `anew`, `minus`, `patch`, `set` | out | 1 | its flags, as in CMD |
//!
//! The rewritten header is read twice: once for its part of the TCP checksum, with 0 in its place, and once to be copied.

use crate::build::*;
use crate::bundle;

/// Patches, in the order in which they are set; setting the first one forgets those of the header before.
const LENGTH: u128 = 0;
const SEQ_HIGH: u128 = 1;
const SEQ_LOW: u128 = 2;
const TCP_SUM: u128 = 3;
const IP_SUM: u128 = 4;

/// A command.
#[derive(Default)]
struct Step {
    of_tcp: u128,
    off: Option<Expr>,
    len: Option<Expr>,
    /// Slot, value, from the sum.
    set: Option<(u128, Expr, bool)>,
    anew: bool,
    minus: bool,
    patch: bool,
}

impl Step {
    /// Sets a patch.
    fn set(of_tcp: u128, off: Expr, slot: u128, value: &Expr, from_sum: bool) -> Step {
        Step {
            of_tcp,
            off: Some(off),
            set: Some((slot, value.clone(), from_sum)),
            ..Step::default()
        }
    }

    /// Sums bytes.
    fn sum(of_tcp: u128, off: Expr, len: Expr) -> Step {
        Step {
            of_tcp,
            off: Some(off),
            len: Some(len),
            ..Step::default()
        }
    }
}

/// Bits of an offset from a header, of a length.
const OFF: usize = 5;
const LEN: usize = 9;

/// A command as the copy unit keeps it: the outputs, and their widths.
pub(super) const SCRIPT: [(&str, usize); 10] = [
    ("of_tcp", 1),
    ("off", OFF),
    ("len", LEN),
    ("addr", 64),
    ("sum", 1),
    ("anew", 1),
    ("minus", 1),
    ("patch", 1),
    ("set", 1),
    ("last", 1),
];

/// Builds the block.
pub fn script() -> Module {
    let mut m = Module::new(
        "train_script",
        "The commands that make the header of a piece.",
    );
    let start = m.input("start", 1, "a header is to be made");
    let take = m.input("take", 1, "the command is taken");
    let v4 = m.input("v4", 1, "IPv4, else IPv6");
    let head_len = m.input("head_len", LEN, "bytes from the TCP header to the payload");
    let mut value = |name: &str, doc: &str| m.input(name, 16, doc).expr();
    let new_len = value("new_len", "length field");
    let seq_high = value("seq_high", "sequence number, upper half");
    let seq_low = value("seq_low", "lower half");
    let tcp_const = value("tcp_const", "protocol and length");
    let ip_const = value("ip_const", "what changes in the IPv4 header's sum");

    let off = |n: u128| lit(OFF, n);
    let by_version = |a: u128, b: u128| mux(&v4, off(a), off(b));
    let len = |n: u128| lit(LEN, n);
    let zero = lit(16, 0);
    let steps = [
        Step::set(0, by_version(2, 4), LENGTH, &new_len, false),
        Step::set(1, off(4), SEQ_HIGH, &seq_high, false),
        Step::set(1, off(6), SEQ_LOW, &seq_low, false),
        Step::set(1, off(16), TCP_SUM, &zero, false),
        // The addresses.
        Step::sum(0, by_version(12, 8), mux(&v4, len(8), len(32))),
        Step {
            patch: true,
            ..Step::sum(1, off(0), head_len.expr())
        },
        Step::set(1, off(16), TCP_SUM, &tcp_const, true),
        // IPv4 only: what the checksum was, and what it becomes.
        Step {
            anew: true,
            minus: true,
            ..Step::sum(0, off(10), len(2))
        },
        Step::set(0, off(10), IP_SUM, &ip_const, true),
    ];
    let end_v6 = 6;

    let valid = m.output_reg_rst("valid", 1, 0, "a command is shown");
    let last = m.output("last", 1, "the last one");
    let bits = clog2(steps.len());
    let at = m.reg("at", bits);
    m.assign(
        &last,
        at.eq(mux(
            &v4,
            lit(bits, steps.len() as u128 - 1),
            lit(bits, end_v6),
        )),
    );
    m.seq("One command after the other", |b| {
        b.when(&take, |b| {
            b.set(&at, &at + 1);
            b.when(&last, |b| b.set(&valid, 0));
        });
        b.when(&start, |b| {
            b.set(&valid, 1);
            b.set(&at, 0);
        });
    });

    let patch = bundle::patch();
    let mut output = |name: &str, width, doc: &str| m.output(name, width, doc);
    let ports = [
        output("of_tcp", 1, "from the TCP header on"),
        output("off", OFF, "so far behind it"),
        output("len", LEN, "bytes to be summed"),
        output("addr", patch.width(), "PATCH"),
        output("sum", 1, "sum them"),
        output("anew", 1, "beginning anew"),
        output("minus", 1, "subtract them"),
        output("patch", 1, "as patched"),
        output("set", 1, "set a patch"),
    ];
    m.comb("The command", |b| {
        b.switch(&at, |s| {
            let values = |step: &Step| {
                let (slot, value, from_sum) = step.set.clone().unwrap_or((0, zero.clone(), false));
                let flag = |f: bool| lit(1, f.into());
                [
                    lit(1, step.of_tcp),
                    step.off.clone().unwrap_or_else(|| off(0)),
                    step.len.clone().unwrap_or_else(|| len(0)),
                    patch.pack(&[
                        ("value", value),
                        ("slot", lit(3, slot)),
                        ("from_sum", flag(from_sum)),
                        ("reserved", lit(44, 0)),
                    ]),
                    flag(step.len.is_some()),
                    flag(step.anew),
                    flag(step.minus),
                    flag(step.patch),
                    flag(step.set.is_some()),
                ]
            };
            let all = |b: &mut Body, step: &Step| {
                ports
                    .iter()
                    .zip(values(step))
                    .for_each(|(p, v)| b.set(p, v))
            };
            for (i, step) in steps.iter().enumerate().skip(1) {
                s.case(i as u32, |b| all(b, step));
            }
            s.default(|b| all(b, &steps[0]));
        });
    });
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::script());
    }
}
