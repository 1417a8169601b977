//! `#[hdl_gen]` modules through our printer and through rust-hdl's own, where the latter is right: Yosys proves
//! both texts equivalent.

mod common;

use common::equivalence::proves_equivalent;
use pagetrain_hdl::verilog::rust_hdl::module_of;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// Both texts of `u`, proven equal; `registers` are the names of its `DFF` fields.
fn prove(u: &dyn Block, registers: &[&str]) {
    let mut defines = ModuleDefines::default();
    u.accept("dut", &mut defines);
    let files = common::lint(&module_of(u, "dut").unwrap());
    let rename = |r: &&str| (format!("{r}$q"), r.replace('$', "_"));
    let renames: Vec<_> = registers.iter().map(rename).collect();
    proves_equivalent(&defines.defines(), "dut", &files, "dut", &renames);
}

#[derive(LogicBlock)]
struct Counter {
    pub clk: Signal<In, Clock>,
    pub rst: Signal<In, Bit>,
    pub enable: Signal<In, Bit>,
    pub count: Signal<Out, Bits<12>>,
    pub wrapped: Signal<Out, Bit>,
    value: DFF<Bits<12>>,
    top: Constant<Bits<12>>,
}
impl Default for Counter {
    fn default() -> Self {
        Self {
            clk: Default::default(),
            rst: Default::default(),
            enable: Default::default(),
            count: Default::default(),
            wrapped: Default::default(),
            value: Default::default(),
            top: Constant::new(2999.into()),
        }
    }
}
impl Logic for Counter {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clk, value);
        self.wrapped.next = false;
        if self.enable.val() {
            self.value.d.next = self.value.q.val() + 1;
            if self.value.q.val() == self.top.val() {
                self.value.d.next = 0.into();
                self.wrapped.next = true;
            }
        }
        self.count.next = self.value.q.val();
        if self.rst.val() {
            self.value.d.next = 0.into();
        }
    }
}

#[test]
fn counter_is_equivalent_when_printed_by_both() {
    prove(&Counter::default(), &["value"]);
}

#[test]
#[should_panic(expected = "unproven")]
fn equivalence_fails_when_the_text_counts_by_two() {
    let u = Counter::default();
    let mut defines = ModuleDefines::default();
    u.accept("dut", &mut defines);
    let mut files = common::lint(&module_of(&u, "dut").unwrap());
    let right = files[0].text.clone();
    files[0].text = right.replace("+ 12'd1", "+ 12'd2");
    assert_ne!(files[0].text, right);
    let renames = [("value$q".to_string(), "value".to_string())];
    proves_equivalent(&defines.defines(), "dut", &files, "dut", &renames);
}

/// A shift register with a compare at every tap.
#[derive(LogicBlock, Default)]
struct Pipeline {
    pub clk: Signal<In, Clock>,
    pub data: Signal<In, Bits<32>>,
    pub key: Signal<In, Bits<32>>,
    pub hits: Signal<Out, Bits<4>>,
    pub last: Signal<Out, Bits<32>>,
    tap: [DFF<Bits<32>>; 4],
    hit: DFF<Bits<4>>,
    found: Signal<Local, Bits<4>>,
}
impl Logic for Pipeline {
    #[hdl_gen]
    fn update(&mut self) {
        self.hit.clock.next = self.clk.val();
        for i in 0..4 {
            self.tap[i].clock.next = self.clk.val();
        }
        self.tap[0].d.next = self.data.val();
        for i in 1..4 {
            self.tap[i].d.next = self.tap[i - 1].q.val();
        }
        self.found.next = 0.into();
        for i in 0..4 {
            self.found.next = self
                .found
                .val()
                .replace_bit(i, (self.tap[i].q.val()) == (self.key.val()));
        }
        self.hit.d.next = self.found.val();
        self.hits.next = self.hit.q.val();
        self.last.next = self.tap[3].q.val();
    }
}

#[test]
fn pipeline_is_equivalent_when_printed_by_both() {
    prove(
        &Pipeline::default(),
        &["tap$0", "tap$1", "tap$2", "tap$3", "hit"],
    );
}

#[derive(Debug, Copy, Clone, PartialEq, LogicState)]
enum Phase {
    Idle,
    Load,
    Run,
    Done,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, LogicStruct)]
struct Entry {
    key: Bits<6>,
    live: Bit,
}

/// An enum state and a structure: what `match` and fields become.
#[derive(LogicBlock, Default)]
struct Machine {
    pub clk: Signal<In, Clock>,
    pub go: Signal<In, Bit>,
    pub key: Signal<In, Bits<6>>,
    pub busy: Signal<Out, Bit>,
    pub live: Signal<Out, Bit>,
    pub out: Signal<Out, Bits<6>>,
    phase: DFF<Phase>,
    entry: DFF<Entry>,
}
impl Logic for Machine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clk, phase, entry);
        self.busy.next = true;
        match self.phase.q.val() {
            Phase::Idle => {
                self.busy.next = false;
                if self.go.val() {
                    self.phase.d.next = Phase::Load;
                }
            }
            Phase::Load => {
                self.entry.d.next.key = self.key.val();
                self.entry.d.next.live = true;
                self.phase.d.next = Phase::Run;
            }
            Phase::Run => {
                if self.entry.q.val().key == self.key.val() {
                    self.phase.d.next = Phase::Done;
                }
            }
            _ => {
                self.phase.d.next = Phase::Idle;
            }
        }
        self.out.next = self.entry.q.val().key;
        self.live.next = self.entry.q.val().live;
    }
}

#[test]
fn machine_is_equivalent_when_printed_by_both() {
    prove(&Machine::default(), &["phase", "entry"]);
}

#[derive(LogicInterface, Clone, Debug, Default)]
#[join = "WordOut"]
struct WordIn {
    pub data: Signal<In, Bits<8>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}
#[derive(LogicInterface, Clone, Debug, Default)]
#[join = "WordIn"]
struct WordOut {
    pub data: Signal<Out, Bits<8>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,
}

/// One register between two interfaces.
#[derive(LogicBlock, Default)]
struct Stage {
    pub clk: Signal<In, Clock>,
    pub s: WordIn,
    pub m: WordOut,
    data: DFF<Bits<8>>,
    full: DFF<Bit>,
}
impl Logic for Stage {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clk, data, full);
        self.s.ready.next = !self.full.q.val() || self.m.ready.val();
        if !self.full.q.val() || self.m.ready.val() {
            self.data.d.next = self.s.data.val();
            self.full.d.next = self.s.valid.val();
        }
        self.m.data.next = self.data.q.val();
        self.m.valid.next = self.full.q.val();
    }
}

/// Two stages: interfaces linked to the outside and joined between.
#[derive(LogicBlock, Default)]
struct Chain {
    pub clk: Signal<In, Clock>,
    pub s: WordIn,
    pub m: WordOut,
    first: Stage,
    second: Stage,
}
impl Logic for Chain {
    #[hdl_gen]
    fn update(&mut self) {
        self.first.clk.next = self.clk.val();
        self.second.clk.next = self.clk.val();
        WordIn::link(&mut self.s, &mut self.first.s);
        WordOut::join(&mut self.first.m, &mut self.second.s);
        WordOut::link(&mut self.m, &mut self.second.m);
    }
}

#[test]
fn chain_is_equivalent_when_interfaces_are_linked_and_joined() {
    let u = Chain::default();
    let mut defines = ModuleDefines::default();
    u.accept("dut", &mut defines);
    let files = common::lint(&module_of(&u, "dut").unwrap());
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        names,
        ["dut_first.v", "dut.v"],
        "equal children are one module"
    );
    let ports = ["data", "valid", "ready"].iter().flat_map(|p| {
        let side = |i: &str| (format!("{i}${p}"), format!("{i}_{p}"));
        [side("s"), side("m")]
    });
    let registers = ["first", "second"].iter().flat_map(|u| {
        let register = |r: &str| (format!("{u}.{r}$q"), format!("u_{u}.{r}"));
        [register("data"), register("full")]
    });
    let renames: Vec<_> = ports.chain(registers).collect();
    proves_equivalent(&defines.defines(), "dut", &files, "dut", &renames);
}

include!("fixtures/parser64.rs");

#[test]
fn parser_is_equivalent_when_printed_by_both() {
    let registers = "d0 v0 l0 k0 beat d1 v1 l1 full1 b1 ety_ok ihl_ok proto_ok frag_ok doff_ok full_ok sip dip \
                     sport dport seq tlen flags done2 short2 o_v o_ok o_sip o_dip o_sport o_dport o_seq o_tlen \
                     o_flags";
    prove(
        &Parser64::default(),
        &registers.split_whitespace().collect::<Vec<_>>(),
    );
}
