//! The front door for rust-hdl: sources that have no exact Verilog counterpart are refused with a sentence.

use pagetrain_hdl::verilog::rust_hdl::module_of;
use pagetrain_hdl::verilog::{emit, Header};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// Why the source is not converted.
fn refusal(u: &dyn Block) -> String {
    module_of(u, "dut").unwrap_err().to_string()
}

/// What the checks find in the converted module.
fn error(u: &dyn Block) -> String {
    let m = module_of(u, "dut").unwrap();
    emit(&m, &Header::default()).unwrap_err().to_string()
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
        #[allow(clippy::needless_range_loop)] // kernels have no iterators
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
struct EarlyRead {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    x: Signal<Local, Bits<8>>,
}
impl Logic for EarlyRead {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.x.val();
        self.x.next = self.a.val();
        self.x.next = self.x.val() + 1;
    }
}

#[test]
fn early_read_of_a_local_is_refused_when_it_would_see_the_last_pass() {
    let text = error(&EarlyRead::default());
    assert!(text.contains("reads `x` before it assigns it"), "{text}");
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
    let text = error(&Keywords::default());
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
    let text = error(&LatchSource::default());
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

#[derive(LogicBlock, Default)]
struct ChildInputRead {
    pub a: Signal<In, Bits<8>>,
    pub o: Signal<Out, Bits<8>>,
    pub kid: Inner,
}
impl Logic for ChildInputRead {
    #[hdl_gen]
    fn update(&mut self) {
        self.kid.a.next = self.a.val();
        if self.kid.a.val().any() {
            self.kid.a.next = 7.into();
        }
        self.o.next = self.kid.o.val();
    }
}

#[test]
fn child_input_is_refused_when_read_while_it_is_assigned() {
    let text = refusal(&ChildInputRead::default());
    assert_eq!(
        text,
        "dut: reading `kid_a` while it is being assigned is not supported"
    );
}

#[derive(LogicBlock, Default)]
struct SwitchedClock {
    pub clk: Signal<In, Clock>,
    pub a: Signal<In, Bits<16>>,
    pub o: Signal<Out, Bits<32>>,
    r: DFF<Bits<16>>,
}
impl Logic for SwitchedClock {
    #[hdl_gen]
    fn update(&mut self) {
        self.r.d.next = self.a.val();
        if self.a.val().any() {
            self.r.clock.next = self.clk.val();
        }
        self.o.next = bit_cast::<32, 16>(self.r.q.val());
    }
}

#[test]
fn switched_clock_is_refused_when_assigned_in_a_branch() {
    let text = refusal(&SwitchedClock::default());
    assert_eq!(
        text,
        "dut: a switched clock of register `r` is not supported"
    );
}

#[derive(LogicBlock, Default)]
struct Product {
    pub a: Signal<In, Bits<16>>,
    pub o: Signal<Out, Bits<32>>,
}
impl Logic for Product {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() * self.a.val();
    }
}

#[test]
fn product_is_refused_when_multiplied() {
    assert_eq!(
        refusal(&Product::default()),
        "dut: multiplication is not supported"
    );
}

#[derive(LogicBlock, Default)]
struct Pad {
    pub pad: Signal<InOut, Bit>,
    pub o: Signal<Out, Bit>,
}
impl Logic for Pad {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.pad.val();
    }
}

#[test]
fn bidirectional_signal_is_refused_when_declared() {
    assert_eq!(
        refusal(&Pad::default()),
        "dut: the bidirectional signal `pad` is not supported"
    );
}

#[derive(LogicBlock, Default)]
struct Core {
    pub a: Signal<In, Bit>,
    pub o: Signal<Out, Bit>,
    _black: bool,
}
impl Logic for Core {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.o.connect();
    }
    fn hdl(&self) -> Verilog {
        match self._black {
            true => Verilog::Blackbox(BlackBox {
                code: String::new(),
                name: "core".into(),
            }),
            false => Verilog::Wrapper(Wrapper {
                code: "core u (.a(a), .o(o));".into(),
                cores: String::new(),
            }),
        }
    }
}

#[test]
fn foreign_core_is_refused_when_boxed_or_wrapped() {
    let mut u = Core::default();
    assert_eq!(refusal(&u), "dut: a wrapped core is not supported");
    u._black = true;
    assert_eq!(refusal(&u), "dut: a black box is not supported");
}
