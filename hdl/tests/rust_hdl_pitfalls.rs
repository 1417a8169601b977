//! The front door for rust-hdl, one test for each source that rust-hdl's own printer renders to Verilog of
//! another meaning: printed so that Yosys evaluates it as rust-hdl simulates it, or refused with a sentence.

mod common;

use common::equivalence::{evaluates_to, Pin};
use pagetrain_hdl::verilog::rust_hdl::module_of;
use pagetrain_hdl::verilog::{emit, Header, VerilogFile};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

fn files(u: &dyn Block) -> Vec<VerilogFile> {
    common::lint(&module_of(u, "dut").unwrap())
}

fn refusal(u: &dyn Block) -> String {
    module_of(u, "dut").unwrap_err().to_string()
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
        if self.a.val() & 3 == self.b.val() | 1 ^ 1 {
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

const K: u64 = 3;
const TABLE: [u64; 2] = [5, 9];

macro_rules! block {
    ($name:ident $(<const $n:ident>)?, $($update:tt)*) => {
        #[derive(LogicBlock, Default)]
        struct $name $(<const $n: usize>)? {
            pub a: Signal<In, Bits<8>>,
            pub o: Signal<Out, Bits<8>>,
        }
        impl $(<const $n: usize>)? Logic for $name $(<$n>)? {
            $($update)*
        }
    };
}

block! {ConstItem,
    #[hdl_gen]
    fn update(&mut self) {
    self.o.next = self.a.val() + K;
}}
block! {ConstGeneric<const N>,
    #[hdl_gen]
    fn update(&mut self) {
    self.o.next = self.a.val();
    if N == 4 {
        self.o.next = 0.into();
    }
}}
block! {ConstTable,
    #[hdl_gen]
    fn update(&mut self) {
    self.o.next = self.a.val();
    for k in 0..2 {
        self.o.next = self.o.val() + TABLE[k];
    }
}}

#[test]
fn const_item_is_refused_when_used_in_a_kernel() {
    assert_eq!(
        refusal(&ConstItem::default()),
        "dut: undeclared identifier `K` (const items and const generics do not translate)"
    );
}

#[test]
fn const_generic_is_refused_when_used_in_a_kernel() {
    let text = refusal(&ConstGeneric::<4>::default());
    assert!(text.contains("undeclared identifier `N`"), "{text}");
}

#[test]
fn const_table_is_refused_when_indexed_in_a_loop() {
    let text = refusal(&ConstTable::default());
    assert!(text.contains("undeclared identifier `TABLE[k]`"), "{text}");
}

block! {Inner,
    #[hdl_gen]
    fn update(&mut self) {
    self.o.next = !self.a.val();
}}
#[derive(LogicBlock, Default)]
struct Middle {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    pub sub: Inner,
}
impl Logic for Middle {
    #[hdl_gen]
    fn update(&mut self) {
        self.sub.a.next = self.a.val();
        self.o.next = self.sub.o.val();
    }
}
#[derive(LogicBlock, Default)]
struct Grandchild {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    pub kid: Middle,
}
impl Logic for Grandchild {
    #[hdl_gen]
    fn update(&mut self) {
        self.kid.a.next = self.a.val();
        self.o.next = self.kid.sub.o.val() & self.kid.o.val();
    }
}

#[test]
fn grandchild_is_refused_when_read() {
    let text = refusal(&Grandchild::default());
    assert!(text.contains("undeclared identifier `kid$sub$o"), "{text}");
    assert!(
        text.contains("only ports of direct children can be reached"),
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
            for j in 0..2 {
                self.k[i].d[j].next = self.g[1 - i][1 - j].val() + self.a.val();
            }
        }
        self.o.next = self.k[0].q.val() + self.k[1].q.val();
    }
}

#[test]
fn early_read_of_a_local_is_refused_when_it_would_see_the_last_pass() {
    let m = module_of(&TwoBrackets::default(), "dut").unwrap();
    let text = emit(&m, &Header::default()).unwrap_err().to_string();
    assert!(
        text.contains("reads `g_1_1` before it assigns it"),
        "{text}"
    );
}

#[derive(LogicBlock, Default)]
struct TwoBracketsInOrder {
    pub a: Signal<In, Bits<8>>,
    pub b: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    g: [[Signal<Local, Bits<8>>; 2]; 2],
    k: [Lane; 2],
}
impl Logic for TwoBracketsInOrder {
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
    let mut u = TwoBracketsInOrder::default();
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

#[derive(LogicBlock, Default)]
struct Underscore {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    _hidden: Signal<Local, Bits<8>>,
}
impl Logic for Underscore {
    #[hdl_gen]
    fn update(&mut self) {
        self._hidden.next = self.a.val();
        self.o.next = self._hidden.val();
    }
}

#[test]
fn underscore_field_is_refused_when_used_as_signal() {
    let text = refusal(&Underscore::default());
    assert!(
        text.contains("`_hidden") && text.contains("start with `_` are not hardware"),
        "{text}"
    );
}

#[derive(LogicBlock, Default)]
struct Keywords {
    pub logic: Signal<In, Bits<8>>,
    pub signed: Signal<Out, Bits<8>>,
}
impl Logic for Keywords {
    #[hdl_gen]
    fn update(&mut self) {
        self.signed.next = self.logic.val();
    }
}

#[test]
fn keyword_is_refused_when_used_as_field_name() {
    let m = module_of(&Keywords::default(), "dut").unwrap();
    let text = emit(&m, &Header::default()).unwrap_err().to_string();
    assert!(
        text.contains("name `logic` is a keyword") && text.contains("name `signed` is a keyword"),
        "{text}"
    );
}

#[derive(LogicBlock, Default)]
struct LatchSource {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    pub clk: Signal<In, Clock>,
    r: DFF<Bits<8>>,
}
impl Logic for LatchSource {
    #[hdl_gen]
    fn update(&mut self) {
        self.r.clock.next = self.clk.val();
        if self.a.val().any() {
            self.r.d.next = self.a.val();
        }
        self.o.next = self.r.q.val();
    }
}

#[test]
fn latch_is_refused_when_a_register_has_no_default() {
    let m = module_of(&LatchSource::default(), "dut").unwrap();
    let text = emit(&m, &Header::default()).unwrap_err().to_string();
    assert!(text.contains("latch") && text.contains("`r_d`"), "{text}");
}

#[derive(LogicBlock, Default)]
struct SignedSource {
    pub a: Signal<In, Signed<8>>,
    pub o: Signal<Out, Signed<8>>,
}
impl Logic for SignedSource {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = -self.a.val();
    }
}

#[test]
fn signed_signal_is_refused_when_declared() {
    assert_eq!(
        refusal(&SignedSource::default()),
        "dut: the signed signal `a` is not supported"
    );
}
