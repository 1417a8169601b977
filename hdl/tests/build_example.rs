//! A module with every construct of the language: what it prints, and that the tools take it.

mod common;

use pagetrain_hdl::build::*;

fn everything() -> Module {
    let mut m = Module::new("everything", "Every construct once.");
    let a = m.input("a", 16, "operand");
    let b = m.input("b", 16, "operand");
    let index = m.input("index", 3, "byte number");
    let go = m.input("go", 1, "start");
    let y = m.output("y", 8, "a byte of the sum");
    let carry = m.output("carry", 1, "carry of the sum");
    let z = m.output("z", 16, "selection");
    let q = m.output_reg("q", 16, "registered");
    let n = m.output_reg_rst("n", 4, 3, "counter");
    m.comment("Slices of an expression get a name");
    m.assign(&y, (&a + &b).bits(4, 8));
    m.assign(&carry, a.add_wide(&b).bit(16));
    let table = m.named("table_word", a.repeat(4));
    let picked = m.wire("picked", 8);
    m.comb("Selection", |c| {
        c.set(&z, 0);
        c.set(&picked, table.bits_at(cat(&[index.expr(), lit(3, 0)]), 8));
        c.switch(index.bits(0, 2), |s| {
            s.case(0, |c| c.set(&z, &a));
            s.cases([1, 2], |c| c.set_bits(&z, 4, &picked));
            s.case(3, |c| c.set_bit_at(&z, n.expr(), go.expr()));
        });
    });
    m.seq("Counter and register", |c| {
        c.first(|f| {
            f.when(&go, |c| c.set(&n, &n + 1));
            f.when(n.ge(7), |c| c.set(&n, &n - 1));
            f.otherwise(|c| c.set(&n, n.shl(1)));
        });
        c.when_else(
            n.ne(0).and(a.any() | !b.all()),
            |c| {
                c.set(
                    &q,
                    onehot_mux(&[a.bit(0), a.bit(1)], &[a.expr(), b.swap_bytes()]),
                )
            },
            |c| c.set(&q, mux(go.expr(), &a ^ &b, a.shr_by(&n))),
        );
    });
    m
}

#[test]
fn every_construct_lints_clean_when_printed() {
    let files = common::lint(&everything());
    insta::assert_snapshot!(files[0].text);
}
