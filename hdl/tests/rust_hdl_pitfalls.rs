//! The front door for rust-hdl, one test for each source that rust-hdl's own printer renders to Verilog of
//! another meaning and that has a meaning of its own: Yosys evaluates our text as rust-hdl simulates the source.
//! The others are in `rust_hdl_refused.rs`.

mod common;

use common::equivalence::{evaluates_to, Pin};
use pagetrain_hdl::verilog::rust_hdl::module_of;
use pagetrain_hdl::verilog::VerilogFile;
use rust_hdl_core::prelude::*;

fn files(u: &dyn Block) -> Vec<VerilogFile> {
    common::lint(&module_of(u, "dut").unwrap())
}

/// Inputs for two operands of `w` bits and one of one bit: corners, then a fixed pseudo-random walk.
fn operands(w: usize) -> Vec<(u64, u64, bool)> {
    let top = (1u64 << w) - 1;
    let mut list = vec![
        (0, 0, false),
        (top, top, true),
        (top, 1, false),
        (1, top, true),
        (top / 2, 1, true),
    ];
    let mut x = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..40 {
        x = x
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        list.push((x >> 20 & top, x >> 40 & top, x >> 63 == 1));
    }
    list
}

/// Declares a block with inputs `a`, `b` (8 bits), `flag` and output `o`, and checks it against rust-hdl.
macro_rules! combinational {
    ($test:ident, $name:ident, $ow:literal, $($update:tt)*) => {
        #[derive(LogicBlock, Default)]
        struct $name {
            pub a: Signal<In, Bits<8>>,
            pub b: Signal<In, Bits<8>>,
            pub flag: Signal<In, Bit>,
            pub o: Signal<Out, Bits<$ow>>,
        }
        impl Logic for $name {
            $($update)*
        }
        #[test]
        fn $test() {
            let mut u = $name::default();
            let text = files(&u);
            let vectors: Vec<(Vec<Pin>, Vec<Pin>)> = operands(8)
                .into_iter()
                .map(|(a, b, flag)| {
                    u.a.next = a.into();
                    u.b.next = b.into();
                    u.flag.next = flag;
                    assert!(simulate(&mut u, 10));
                    let inputs = vec![("a", 8, a.into()), ("b", 8, b.into()), ("flag", 1, flag.into())];
                    (inputs, vec![("o", $ow, u.o.val().to_u64().into())])
                })
                .collect();
            evaluates_to(&text, &vectors);
        }
    };
}

combinational! {
    and_groups_as_in_rust_when_beside_a_comparison, AndCompare, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = 0.into();
        if self.a.val() & 3 == self.b.val() & 3 ^ 1 {
            self.o.next = 1.into();
        }
    }
}

combinational! {
    sum_wraps_when_widened_afterwards, CastSum, 9,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<9, 8>(self.a.val() + self.b.val());
    }
}

combinational! {
    inverted_flag_adds_one_at_most_when_added_to_bits, SumFlag, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() + !self.flag.val();
    }
}

combinational! {
    sum_wraps_when_compared_with_a_literal, SumCompare, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = 0.into();
        if (self.a.val() + self.b.val()) == 0 {
            self.o.next = 1.into();
        }
    }
}

combinational! {
    slices_nest_when_taken_of_slices_and_sums, SliceOfSlice, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<8, 4>((self.a.val() + self.b.val()).get_bits::<4>(2)) << 4;
        if self.a.val().get_bits::<4>(2).get_bit(3) {
            self.o.next = 5.into();
        }
    }
}

combinational! {
    output_has_its_value_when_only_constants_are_assigned, OnlyConstants, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = 3.into();
        self.o.next = 7.into();
    }
}

combinational! {
    variable_index_selects_when_shifted_and_multiplied, VariableIndex, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<8, 4>(self.a.val().get_bits::<4>(self.b.val().get_bits::<1>(3).index() * 4));
        self.o.next = self.o.val().replace_bit(self.b.val().get_bits::<3>(0).index(), self.flag.val());
    }
}

combinational! {
    reductions_and_logic_agree_when_mixed, Reductions, 8,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() >> 1) ^ (self.b.val() << 2);
        if self.a.val().all() || self.b.val().xor() && !self.flag.val() {
            self.o.next = self.a.val() - self.b.val();
        } else if self.a.val().any() & (self.a.val() >= self.b.val()) {
            self.o.next = !self.a.val();
        }
    }
}

#[test]
fn constants_are_printed_as_assign_when_nothing_is_read() {
    let text = &files(&OnlyConstants::default())[0].text;
    assert!(
        text.contains("assign o = 8'd7;") && !text.contains("always"),
        "{text}"
    );
}

#[derive(LogicBlock, Default)]
struct Lane {
    pub d: [Signal<In, Bits<8>>; 2],
    pub q: Signal<Out, Bits<8>>,
}
impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        self.q.next = self.d[0].val() ^ self.d[1].val();
    }
}
#[derive(LogicBlock, Default)]
struct TwoBrackets {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    g: [[Signal<Local, Bits<8>>; 2]; 2],
    k: [Lane; 2],
}
impl Logic for TwoBrackets {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..2 {
            for j in 0..2 {
                self.g[i][j].next = self.a.val().replace_bit(i + 2 * j, true) + self.b.val();
            }
            self.g[i][1].next = self.g[i][1].val() ^ self.g[i][0].val();
        }
        for i in 0..2 {
            for j in 0..2 {
                self.k[i].d[j].next = self.g[1 - i][1 - j].val() + self.a.val();
            }
        }
        self.o.next = self.k[0].q.val() + self.k[1].q.val();
    }
}

#[test]
fn every_bracket_is_folded_when_arrays_nest() {
    let mut u = TwoBrackets::default();
    let text = files(&u);
    let names: Vec<&str> = text.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["dut_k.v", "dut.v"]);
    let mut vectors: Vec<(Vec<Pin>, Vec<Pin>)> = vec![];
    for (a, b, _) in operands(8) {
        u.a.next = a.into();
        u.b.next = b.into();
        assert!(simulate(&mut u, 10));
        let inputs = vec![("a", 8, a.into()), ("b", 8, b.into())];
        vectors.push((inputs, vec![("o", 8, u.o.val().to_u64().into())]));
    }
    evaluates_to(&text, &vectors);
}
