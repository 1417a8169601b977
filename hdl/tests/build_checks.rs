//! Every check of the building language fires, and says which module and signal.

mod common;

use pagetrain_hdl::build::*;
use pagetrain_hdl::verilog::{emit, Header};

/// A module with input `a` (8), output `y` (8), and whatever `f` does; the messages of its checks.
fn messages(f: impl FnOnce(&mut Module, &Sig, &Sig)) -> String {
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let y = m.output("y", 8, "");
    f(&mut m, &a, &y);
    m.check().map_or_else(|e| e.to_string(), |()| String::new())
}

/// A one-register child with ports `d`, `q` and `early`, the last a combinational path.
fn child() -> Module {
    let mut m = Module::new("child", "");
    let d = m.input("d", 8, "");
    let q = m.output_reg("q", 8, "");
    let early = m.output("early", 1, "");
    m.assign(&early, d.any());
    m.seq("", |b| b.set(&q, &d));
    m
}

#[test]
fn nothing_is_reported_when_module_is_sound() {
    assert_eq!(messages(|m, a, y| m.assign(y, a)), "");
}

#[test]
fn undriven_is_reported_when_no_driver_exists() {
    let text = messages(|m, a, _| m.unused(a, "test"));
    assert_eq!(text, "module `dut`: `y` is never driven");
}

#[test]
fn undriven_bits_are_reported_when_only_some_are_driven() {
    let text = messages(|m, a, y| {
        m.assign_bits(y, 2, a.bits(0, 4));
        m.unused(a.bits(4, 4), "test");
    });
    assert_eq!(text, "module `dut`: `y[1:0,7:6]` is never driven");
}

#[test]
fn double_drive_is_reported_when_two_assigns_overlap() {
    let text = messages(|m, a, y| {
        m.assign(y, a);
        m.assign_bits(y, 7, a.bit(0));
    });
    assert_eq!(text, "module `dut`: `y` is driven from two places");
}

#[test]
fn double_drive_is_reported_when_two_blocks_set_one_register() {
    let text = messages(|m, a, y| {
        let r = m.reg("r", 8);
        m.seq("", |b| b.set(&r, a));
        m.seq("", |b| b.when(a.bit(0), |b| b.set(&r, 0)));
        m.assign(y, &r);
    });
    assert_eq!(text, "module `dut`: `r` is driven from two places");
}

#[test]
fn wrong_driver_is_reported_when_kind_does_not_fit() {
    let text = messages(|m, a, y| m.seq("", |b| b.set(y, a)));
    assert!(
        text.contains("`y` is no register and is driven by seq"),
        "{text}"
    );
    let text = messages(|m, a, y| {
        let r = m.reg("r", 8);
        m.comb("", |b| b.set(&r, a));
        m.assign(y, &r);
    });
    assert!(
        text.contains("`r` is a register and is not driven by seq"),
        "{text}"
    );
    let text = messages(|m, a, y| {
        m.assign(a, 0);
        m.assign(y, a);
    });
    assert!(
        text.contains("`a` is an input and is driven inside the module"),
        "{text}"
    );
    let text = messages(|m, a, y| {
        let k = m.constant_named("K", 8, 5);
        m.assign(&k, a);
        m.assign(y, &k);
    });
    assert!(text.contains("`K` is a constant and is driven"), "{text}");
}

#[test]
fn foreign_signal_is_reported_when_read_or_driven() {
    let mut other = Module::new("other", "");
    let theirs = other.input("theirs", 8, "");
    let text = messages(|m, a, y| m.assign(y, a & &theirs));
    assert_eq!(
        text,
        "module `dut`: `theirs` is not declared here, but in module `other`"
    );
    let text = messages(|m, a, y| {
        m.assign(y, a);
        m.assign(&theirs, a);
    });
    assert_eq!(
        text,
        "module `dut`: `theirs` is not declared here, but in module `other`"
    );
}

#[test]
fn replaced_wire_is_reported_when_read_after_connect_out() {
    let text = messages(|m, a, y| {
        let u = m.instance("u_child", child());
        m.connect(&u, "d", a);
        let gone = u.out("q");
        m.connect_out(&u, "q", y);
        m.unused(cat(&[gone, u.out("early")]), "test");
    });
    assert_eq!(
        text,
        "module `dut`: `child_q` is not declared here, but in module `dut`"
    );
}

#[test]
fn latch_is_reported_when_a_branch_assigns_nothing() {
    let text = messages(|m, a, y| m.comb("", |b| b.when(a.any(), |b| b.set(y, 1))));
    assert_eq!(
        text,
        "module `dut`: latch: a path through a comb block does not assign `y`"
    );
    let text = messages(|m, a, y| {
        m.comb("", |b| {
            b.switch(a.bits(0, 2), |s| {
                (0..3).for_each(|i| s.case(i, |b| b.set(y, a)))
            });
        })
    });
    assert!(text.contains("latch") && text.contains("`y`"), "{text}");
}

#[test]
fn latch_bits_are_reported_when_branch_assigns_part() {
    let text = messages(|m, a, y| {
        m.comb("", |b| {
            b.when_else(a.any(), |b| b.set(y, a), |b| b.set_bits(y, 0, lit(6, 0)));
        })
    });
    assert!(text.contains("does not assign `y[7:6]`"), "{text}");
}

#[test]
fn no_latch_is_reported_when_all_values_or_a_default_assign() {
    let full = messages(|m, a, y| {
        m.comb("", |b| {
            b.switch(a.bits(0, 2), |s| {
                (0..4).for_each(|i| s.case(i, |b| b.set(y, a)))
            });
        })
    });
    let default_first = messages(|m, a, y| {
        m.comb("", |b| {
            b.set(y, 0);
            b.when(a.any(), |b| b.set_bit_at(y, a.bits(0, 3), 1));
        })
    });
    assert_eq!((full, default_first), (String::new(), String::new()));
}

#[test]
fn early_read_is_reported_when_comb_reads_its_own_signal() {
    let text = messages(|m, a, y| {
        m.comb("", |b| {
            b.set(y, a & y);
        })
    });
    assert!(text.contains("reads `y` before it assigns it"), "{text}");
}

#[test]
fn loop_is_reported_when_wires_depend_on_each_other() {
    let text = messages(|m, a, y| {
        let x = m.wire("x", 8);
        m.assign(&x, a & y);
        m.comb("", |b| {
            b.when_else(x.any(), |b| b.set(y, 1), |b| b.set(y, 0))
        });
    });
    assert_eq!(text, "module `dut`: combinational loop y <- x <- y");
}

#[test]
fn loop_is_reported_when_it_runs_through_a_child() {
    let text = messages(|m, a, y| {
        let u = m.instance("u_child", child());
        m.connect(&u, "d", u.out("early").repeat(8) & a);
        m.connect_out(&u, "q", y);
    });
    assert_eq!(
        text,
        "module `dut`: combinational loop child_early <- child_early"
    );
}

#[test]
fn no_loop_is_reported_when_a_register_lies_between() {
    let text = messages(|m, a, y| {
        let u = m.instance("u_child", child());
        m.connect(&u, "d", a & u.out("q"));
        m.unused(u.out("early"), "test");
        m.assign(y, u.out("q"));
    });
    assert_eq!(text, "");
}

#[test]
fn open_input_is_reported_when_not_connected() {
    let text = messages(|m, a, y| {
        let u = m.instance("u_child", child());
        m.connect_out(&u, "q", y);
        m.unused(cat(&[a.expr(), u.out("early").expr()]), "test");
    });
    assert_eq!(
        text,
        "module `dut`: input `d` of `u_child` is not connected"
    );
}

#[test]
fn unused_bits_are_reported_when_nothing_reads_them() {
    let text = messages(|m, a, y| m.assign(y, a.bits(2, 4).zext(8)));
    assert_eq!(
        text,
        "module `dut`: `a[1:0,7:6]` is never read (say why with `unused`)"
    );
    let text = messages(|m, a, y| {
        let u = m.instance("u_child", child());
        m.connect(&u, "d", a);
        m.connect_out(&u, "q", y);
    });
    assert_eq!(
        text,
        "module `dut`: `child_early` is never read (say why with `unused`)"
    );
}

#[test]
fn bad_name_is_reported_when_verilog_or_a_reader_would_stumble() {
    for (name, rule) in [
        ("logic", "is a keyword"),
        ("a$b", "has a `$`"),
        ("9lives", "does not start with a letter"),
        ("", "does not start with a letter"),
        ("a-b", "has a character other"),
        ("y", "is used twice"),
    ] {
        let text = messages(|m, a, y| {
            let x = m.named(name, a);
            m.assign(y, &x);
        });
        assert!(
            text.contains(&format!("name `{name}` {rule}")),
            "{name}: {text}"
        );
    }
    let e = Module::new("module", "").check().unwrap_err();
    assert!(e.to_string().contains("name `module` is a keyword"), "{e}");
}

#[test]
fn zero_width_is_reported_when_declared() {
    let text = messages(|m, a, y| {
        m.wire("none", 0);
        m.assign(y, a);
    });
    assert_eq!(text, "module `dut`: `none` has zero width");
}

#[test]
fn name_conflict_is_reported_when_two_modules_differ() {
    let leaf = |w: usize| {
        let mut m = Module::new("leaf", "");
        let a = m.input("a", w, "");
        let y = m.output("y", w, "");
        m.assign(&y, &a);
        m
    };
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let y = m.output("y", 8, "");
    for (i, w) in [3, 5].into_iter().enumerate() {
        let u = m.instance(&format!("u_leaf{i}"), leaf(w));
        m.connect(&u, "a", a.bits(3 * i, w));
        m.assign_bits(&y, 3 * i, u.out("y"));
    }
    let e = emit(&m, &Header::default()).unwrap_err().to_string();
    assert_eq!(
        e,
        "module `leaf`: two modules of this name differ; put the parameters into the name"
    );
}

#[test]
fn one_file_is_emitted_when_a_module_is_used_twice() {
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let y = m.output("y", 8, "");
    let first = m.instance("u_first", child());
    m.connect(&first, "d", &a);
    let second = m.instance("u_second", child());
    m.connect(&second, "d", first.out("q"));
    m.connect_out(&second, "q", &y);
    m.unused(cat(&[first.out("early"), second.out("early")]), "test");
    let files = common::lint(&m);
    assert_eq!(
        files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["child.v", "dut.v"]
    );
}

#[test]
fn errors_of_children_are_reported_when_the_top_is_emitted() {
    let mut bad = child();
    bad.wire("floating", 1);
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let y = m.output("y", 8, "");
    let u = m.instance("u_child", bad);
    m.connect(&u, "d", &a);
    m.connect_out(&u, "q", &y);
    m.unused(u.out("early"), "test");
    let e = emit(&m, &Header::default()).unwrap_err().to_string();
    assert!(
        e.contains("module `child`: `floating` is never driven"),
        "{e}"
    );
}

#[test]
fn sliced_block_variable_is_refused_when_printed() {
    let text = messages_of_emit(|m, a, y| {
        m.comb("", |b| {
            b.set(y, a);
            b.set(y, (&**y + 1).bits(1, 7).zext(8));
        })
    });
    assert!(
        text.contains("`y + 8'd1` is sliced and reads `y`"),
        "{text}"
    );
}

fn messages_of_emit(f: impl FnOnce(&mut Module, &Sig, &Sig)) -> String {
    let mut m = Module::new("dut", "");
    let a = m.input("a", 8, "");
    let y = m.output("y", 8, "");
    f(&mut m, &a, &y);
    emit(&m, &Header::default()).map_or_else(|e| e.to_string(), |_| String::new())
}

#[test]
#[should_panic(expected = "%Warning-WIDTHTRUNC")]
fn lint_fails_when_verilog_has_a_width_warning() {
    let mut m = Module::new("dut", "");
    m.input("a", 8, "");
    m.output("y", 4, "");
    m.text("assign y = a;");
    common::lint(&m);
}

#[test]
#[should_panic(expected = "nowhere")]
fn lint_fails_when_verilog_has_an_undeclared_name() {
    let mut m = Module::new("dut", "");
    m.output("y", 4, "");
    m.text("assign y = nowhere;");
    common::lint(&m);
}
