//! Built modules and rust-hdl blocks hold each other, and rust-hdl's own probes walk both.

mod common;

use common::equivalence::proves_equivalent;
use pagetrain_hdl::build::Module;
use pagetrain_hdl::prim::skid;
use pagetrain_hdl::verilog::rust_hdl::module_of;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::prelude::*;

/// Two stream registers in a row.
fn two_skids() -> Module {
    let mut m = Module::new("two_skids", "Two stream registers in a row.");
    let data = m.input("s_axis_tdata", 4, "payload");
    let valid = m.input("s_axis_tvalid", 1, "payload is there");
    let s_ready = m.output("s_axis_tready", 1, "room");
    let m_data = m.output("m_axis_tdata", 4, "payload");
    let m_valid = m.output("m_axis_tvalid", 1, "payload is there");
    let ready = m.input("m_axis_tready", 1, "receiver takes it");
    let a = m.instance("u_a", skid(4));
    let b = m.instance("u_b", skid(4));
    m.connect(&a, "s_axis_tdata", &data);
    m.connect(&a, "s_axis_tvalid", &valid);
    m.connect(&a, "m_axis_tready", b.out("s_axis_tready"));
    m.connect(&b, "s_axis_tdata", a.out("m_axis_tdata"));
    m.connect(&b, "s_axis_tvalid", a.out("m_axis_tvalid"));
    m.connect(&b, "m_axis_tready", &ready);
    m.connect_out(&a, "s_axis_tready", &s_ready);
    m.connect_out(&b, "m_axis_tdata", &m_data);
    m.connect_out(&b, "m_axis_tvalid", &m_valid);
    m
}

#[test]
fn stock_printer_text_is_equivalent_when_tree_is_built() {
    let m = two_skids();
    let mut defines = ModuleDefines::default();
    m.accept("two_skids_stock", &mut defines);
    let files = common::lint(&m);
    // The stock printer names what it wraps `u_core`; registers are matched by that prefix.
    let registers = ["a", "b"].iter().flat_map(|u| {
        let names = ["spare", "s_axis_tready", "m_axis_tdata", "m_axis_tvalid"];
        names.map(|n| (format!("u_core.u_{u}.{n}"), format!("u_{u}.{n}")))
    });
    let stock = defines
        .defines()
        .replace("two_skids_stock", "two_skids_wrapped");
    let stock = stock.replace("module two_skids_wrapped(", "module stock_top(");
    proves_equivalent(
        &stock,
        "stock_top",
        &files,
        "two_skids",
        &registers.collect::<Vec<_>>(),
    );
}

#[derive(Default)]
struct Census {
    scopes: Vec<String>,
    ports: usize,
}

impl Probe for Census {
    fn visit_start_scope(&mut self, name: &str, _node: &dyn Block) {
        self.scopes.push(name.into());
    }
    fn visit_atom(&mut self, _name: &str, signal: &dyn Atom) {
        assert!(signal.bits() > 0 && signal.connected());
        self.ports += usize::from(signal.kind() == AtomKind::InputParameter);
    }
}

#[test]
fn probe_sees_children_and_ports_when_it_walks_a_built_module() {
    let mut census = Census::default();
    two_skids().accept("top", &mut census);
    assert_eq!(census.scopes, ["top", "u_a", "u_b"]);
    assert_eq!(census.ports, 3 * 5);
}

#[derive(LogicBlock, Default)]
struct Toggle {
    pub clk: Signal<In, Clock>,
    pub enable: Signal<In, Bit>,
    pub level: Signal<Out, Bit>,
    state: DFF<Bit>,
}
impl Logic for Toggle {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clk, state);
        if self.enable.val() {
            self.state.d.next = !self.state.q.val();
        }
        self.level.next = self.state.q.val();
    }
}

#[test]
fn rust_hdl_block_is_held_when_instanced_in_a_built_module() {
    let mut m = Module::new("holder", "Holds a rust-hdl block.");
    let go = m.input("go", 1, "toggle");
    let y = m.output("y", 1, "level");
    let u = m.instance("u_toggle", module_of(&Toggle::default(), "toggle").unwrap());
    m.connect(&u, "enable", &go);
    m.connect_out(&u, "level", &y);
    let files = common::lint(&m);
    assert_eq!(files.len(), 2);
    assert_eq!(m.ports()[0].name, "clk");
    insta::assert_snapshot!(files[0].text);
}

/// A hand-made block around built modules, as rust-hdl lets anyone write one.
struct Rack(Vec<Module>);
impl Logic for Rack {
    fn update(&mut self) {}
}
impl Block for Rack {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {}
    fn has_changed(&self) -> bool {
        false
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.0.accept("slot", probe);
        probe.visit_end_scope(name, self);
    }
}

#[test]
fn built_module_comes_back_unchanged_when_converted() {
    let m = module_of(&two_skids(), "ignored").unwrap();
    assert_eq!(common::lint(&m), common::lint(&two_skids()));
}

#[test]
fn block_without_description_is_refused_when_converted() {
    let e = module_of(&Rack(vec![skid(4)]), "rack")
        .unwrap_err()
        .to_string();
    assert_eq!(e, "rack: a block without `#[hdl_gen]` is not supported");
}
