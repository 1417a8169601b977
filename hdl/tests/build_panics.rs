//! Mistakes that stop at the line that makes them: the message names module, signals and widths.

use pagetrain_hdl::build::*;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// The panic message of `f`, given a module `dut` with `a` (8 bits), `b` (4 bits) and output `y` (8 bits).
fn message(f: impl FnOnce(&mut Module, &Sig, &Sig, &Sig)) -> String {
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let b = m.input("b", 4, "");
    let y = m.output("y", 8, "");
    let run = AssertUnwindSafe(|| f(&mut m, &a, &b, &y));
    let payload = catch_unwind(run).expect_err("must panic");
    match payload.downcast::<String>() {
        Ok(s) => *s,
        Err(p) => p
            .downcast::<&str>()
            .map_or(String::new(), |s| s.to_string()),
    }
}

fn expect(message: &str, parts: &[&str]) {
    for p in parts {
        assert!(message.contains(p), "`{message}` does not say `{p}`");
    }
}

#[test]
fn operands_are_refused_when_widths_differ() {
    let ab = ["module `dut`", "`a` (8 bits)", "`b` (4 bits)"];
    expect(&message(|_, a, b, _| drop(a + b)), &ab);
    expect(&message(|_, a, b, _| drop(a & b)), &ab);
    expect(&message(|_, a, b, _| drop(a.eq(b))), &ab);
    expect(&message(|_, a, b, _| drop(a.add_wide(b))), &ab);
    expect(&message(|_, a, b, _| drop(mux(a.bit(0), a, b))), &ab);
}

#[test]
fn literals_are_refused_when_they_do_not_fit() {
    expect(
        &message(|_, _, b, _| drop(b + 16)),
        &["literal 16 does not fit into 4 bits"],
    );
    expect(
        &message(|_, _, b, _| drop(b.eq(-1))),
        &["literal -1 is negative"],
    );
}

#[test]
fn conditions_are_refused_when_wider_than_one_bit() {
    expect(
        &message(|_, a, _, y| drop(mux(a, y, 0))),
        &["module `dut`", "`a` (8 bits)", "not one bit"],
    );
    expect(
        &message(|m, a, _, y| m.comb("", |b| b.when(a, |b| b.set(y, 0)))),
        &["module `dut`", "`a` (8 bits)", "not one bit"],
    );
    expect(
        &message(|_, a, _, _| drop(a.and(1))),
        &["`a` (8 bits)", "&&", "not one bit"],
    );
}

#[test]
fn selection_is_refused_when_both_arms_are_integers() {
    let text = message(|_, a, _, _| drop(mux(a.bit(0), 0, 1)));
    expect(&text, &["module `dut`", "nothing gives the arms a width"]);
}

#[test]
fn slices_are_refused_when_they_leave_the_signal() {
    expect(
        &message(|_, a, _, _| drop(a.bits(5, 4))),
        &["module `dut`", "4 bits from bit 5", "`a` (8 bits)"],
    );
    expect(
        &message(|_, a, _, _| drop(a.bits(0, 0))),
        &["0 bits from bit 0"],
    );
    expect(
        &message(|_, a, b, _| drop(a.bit_at(b))),
        &["`b` (4 bits)", "an index into it has 3 bits"],
    );
    expect(
        &message(|_, a, _, _| drop(a.zext(7))),
        &["zext", "`a` (8 bits)", "7 bits"],
    );
}

#[test]
fn assignments_are_refused_when_widths_differ() {
    let parts = ["module `dut`", "`b` (4 bits)", "8 bits of `y`"];
    expect(&message(|m, _, b, y| m.assign(y, b)), &parts);
    expect(&message(|m, _, b, y| m.comb("", |c| c.set(y, b))), &parts);
    expect(
        &message(|m, a, _, y| m.assign_bits(y, 4, a)),
        &["8 bits from bit 4", "`y` (8 bits)"],
    );
}

#[test]
fn labels_are_refused_when_twice_or_not_constant() {
    let switch = |label: Expr| {
        message(|m, a, _, y| {
            let label = if label.as_value().is_some() {
                label
            } else {
                a.trunc(2)
            };
            m.comb("", |b| {
                b.switch(a.bits(0, 2), |s| {
                    s.case(1, |b| b.set(y, 0));
                    s.case(label, |b| b.set(y, 1));
                });
            });
        })
    };
    expect(&switch(lit(2, 1)), &["label `2'd1` (2 bits) stands twice"]);
    expect(
        &switch(lit(1, 0) & lit(1, 0)),
        &["`1'b0` (1 bits) is no constant label"],
    );
}

#[test]
fn connections_are_refused_when_port_or_width_is_wrong() {
    let child = || {
        let mut m = Module::new("child", "");
        let d = m.input("d", 4, "");
        let q = m.output("q", 4, "");
        m.assign(&q, &d);
        m
    };
    let with = |f: fn(&mut Module, &Instance, &Sig, &Sig)| {
        message(|m, a, _, y| {
            let u = m.instance("u_child", child());
            f(m, &u, a, y);
        })
    };
    expect(
        &with(|m, u, a, _| m.connect(u, "d", a)),
        &["module `dut`", "`a` (8 bits)", "`d` (4 bits)", "`u_child`"],
    );
    expect(
        &with(|m, u, a, _| m.connect(u, "e", a)),
        &["`u_child` has no input `e`"],
    );
    expect(
        &with(|_, u, _, _| drop(u.out("d"))),
        &["`u_child` has no output `d`"],
    );
    expect(
        &with(|m, u, _, y| m.connect_out(u, "q", y)),
        &["output `q` (4 bits)", "`y` (8 bits)"],
    );
    let twice = with(|m, u, a, _| (0..2).for_each(|_| m.connect(u, "d", a.trunc(4))));
    expect(&twice, &["input `d` of `u_child` is connected twice"]);
}

#[test]
fn stand_in_is_refused_when_its_ports_differ() {
    let text = message(|m, _, _, _| {
        let mut other = Module::new("other", "");
        other.input("a", 8, "");
        m.stand_in("part", other);
    });
    expect(&text, &["module `dut`", "`other`", "ports differ"]);
}
