//! A module under construction: ports, signals, items.

use super::body::{Body, Stmt, Target};
use super::expr::{clog2, Expr};
use super::instance::InstanceData;
use super::operand::Operand;
use super::sig::{Kind, Sig, SigData};
use super::value::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// A hardware module with run-time structure: see the [module documentation](super).
#[derive(Clone, Debug)]
pub struct Module {
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) doc: String,
    pub(crate) sigs: Vec<Sig>,
    pub(crate) items: Vec<Item>,
    pub(crate) instances: Vec<InstanceData>,
    pub(crate) clk: Option<Sig>,
    pub(crate) rst: Option<Sig>,
    /// Combinational paths of a leaf: (from input, to output).
    pub(crate) leaf_paths: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Item {
    Comment(String),
    Decl(Sig),
    Assign(Target, Expr),
    Comb(String, Vec<Stmt>),
    Seq {
        doc: String,
        clk: Sig,
        rst: Option<Sig>,
        body: Vec<Stmt>,
    },
    Instance(usize),
    Unused(Expr, String),
    /// Value of a register at power-up.
    Initial(Sig, Value),
    /// Hand-written Verilog of a leaf.
    Text(String),
}

/// Direction of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    /// Into the module.
    In,
    /// Out of the module.
    Out,
}

/// A port, as a simulation shim or a parent sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name in the Verilog.
    pub name: String,
    /// Width in bits.
    pub width: usize,
    /// Direction.
    pub dir: Dir,
    /// What it means.
    pub doc: String,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Module {
    /// An empty module; `doc` is printed above it.
    pub fn new(name: &str, doc: &str) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            doc: doc.into(),
            sigs: vec![],
            items: vec![],
            instances: vec![],
            clk: None,
            rst: None,
            leaf_paths: vec![],
        }
    }

    /// The module's name, also its file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn add(
        &mut self,
        name: &str,
        width: usize,
        kind: Kind,
        doc: &str,
        reset: Option<Value>,
    ) -> Sig {
        let sig = Sig::new(SigData {
            module: self.id,
            module_name: self.name.clone(),
            index: self.sigs.len(),
            name: name.into(),
            width,
            kind,
            doc: doc.into(),
            reset,
        });
        if !sig.data.is_port() {
            self.items.push(Item::Decl(sig.clone()));
        }
        self.sigs.push(sig.clone());
        sig
    }

    #[track_caller]
    fn constant(&self, name: &str, width: usize, value: impl Operand) -> Value {
        match value.operand(width).as_value() {
            Some(v) if v.width() == width => v.clone(),
            _ => panic!(
                "module `{}`: the value of `{name}` is no constant of {width} bits",
                self.name
            ),
        }
    }

    /// An input port.
    pub fn input(&mut self, name: &str, width: usize, doc: &str) -> Sig {
        self.add(name, width, Kind::Input, doc, None)
    }

    /// An output port driven by `assign`, `comb` or an instance.
    pub fn output(&mut self, name: &str, width: usize, doc: &str) -> Sig {
        self.add(name, width, Kind::Output, doc, None)
    }

    /// An output port that is a register without reset.
    pub fn output_reg(&mut self, name: &str, width: usize, doc: &str) -> Sig {
        self.add(name, width, Kind::OutputReg, doc, None)
    }

    /// An output port that is a register, reset synchronously to `init`.
    #[track_caller]
    pub fn output_reg_rst(
        &mut self,
        name: &str,
        width: usize,
        init: impl Operand,
        doc: &str,
    ) -> Sig {
        let init = self.constant(name, width, init);
        self.add(name, width, Kind::OutputReg, doc, Some(init))
    }

    /// A wire.
    pub fn wire(&mut self, name: &str, width: usize) -> Sig {
        self.add(name, width, Kind::Wire, "", None)
    }

    /// A wire with a value: names an intermediate result.
    pub fn named(&mut self, name: &str, value: impl Into<Expr>) -> Sig {
        let value = value.into();
        let sig = self.wire(name, value.width());
        self.assign(&sig, value);
        sig
    }

    /// A register without reset.
    pub fn reg(&mut self, name: &str, width: usize) -> Sig {
        self.add(name, width, Kind::Reg, "", None)
    }

    /// A register, reset synchronously to `init`.
    #[track_caller]
    pub fn reg_rst(&mut self, name: &str, width: usize, init: impl Operand) -> Sig {
        let init = self.constant(name, width, init);
        self.add(name, width, Kind::Reg, "", Some(init))
    }

    /// `n` wires `name_0`, `name_1`...
    pub fn wires(&mut self, name: &str, n: usize, width: usize) -> Vec<Sig> {
        (0..n)
            .map(|i| self.wire(&format!("{name}_{i}"), width))
            .collect()
    }

    /// `n` registers `name_0`, `name_1`... without reset.
    pub fn regs(&mut self, name: &str, n: usize, width: usize) -> Vec<Sig> {
        (0..n)
            .map(|i| self.reg(&format!("{name}_{i}"), width))
            .collect()
    }

    /// `n` registers `name_0`, `name_1`... reset to `init`.
    #[track_caller]
    pub fn regs_rst(&mut self, name: &str, n: usize, width: usize, init: u128) -> Vec<Sig> {
        (0..n)
            .map(|i| self.reg_rst(&format!("{name}_{i}"), width, init))
            .collect()
    }

    /// A named constant (`localparam`).
    #[track_caller]
    pub fn constant_named(&mut self, name: &str, width: usize, value: impl Operand) -> Sig {
        let value = self.constant(name, width, value);
        self.add(name, width, Kind::Const(value), "", None)
    }

    /// Named states `PREFIX_A`, `PREFIX_B`..., numbered from 0, of the width that numbers them.
    pub fn states(&mut self, prefix: &str, names: &[&str]) -> Vec<Sig> {
        let width = clog2(names.len()).max(1);
        let mut state =
            |(i, n): (usize, &&str)| self.constant_named(&format!("{prefix}_{n}"), width, i);
        names.iter().enumerate().map(&mut state).collect()
    }

    /// The clock port `clk`.
    pub fn clk(&mut self) -> Sig {
        if self.clk.is_none() {
            self.clk = Some(self.add("clk", 1, Kind::Input, "clock", None));
        }
        self.clk.clone().unwrap_or_else(|| unreachable!())
    }

    /// The reset port `rst`: synchronous, active high.
    pub fn rst(&mut self) -> Sig {
        if self.rst.is_none() {
            self.rst = Some(self.add(
                "rst",
                1,
                Kind::Input,
                "synchronous reset, active high",
                None,
            ));
        }
        self.rst.clone().unwrap_or_else(|| unreachable!())
    }

    /// A comment before the next item.
    pub fn comment(&mut self, text: &str) {
        self.items.push(Item::Comment(text.into()));
    }

    /// Continuous assignment.
    #[track_caller]
    pub fn assign(&mut self, sig: &Sig, value: impl Operand) {
        let target = Target::whole(sig);
        let value = target.value(value);
        self.items.push(Item::Assign(target, value));
    }

    /// Continuous assignment of the bits from `lsb` up that `value` is wide.
    #[track_caller]
    pub fn assign_bits(&mut self, sig: &Sig, lsb: usize, value: impl Into<Expr>) {
        let value = value.into();
        let target = Target::bits(sig, lsb, value.width());
        self.items.push(Item::Assign(target, value));
    }

    /// Combinational block: every path must assign every signal that the block drives; last assignment wins.
    pub fn comb(&mut self, doc: &str, f: impl FnOnce(&mut Body)) {
        let mut b = Body::default();
        f(&mut b);
        self.items.push(Item::Comb(doc.into(), b.stmts));
    }

    /// Clocked block on `clk`; registers made with a reset value get it from `rst`. Last assignment wins.
    pub fn seq(&mut self, doc: &str, f: impl FnOnce(&mut Body)) {
        let clk = self.clk();
        self.clocked(doc, clk, None, f);
    }

    /// Clocked block on another clock (and its reset), for modules between clock domains.
    pub fn seq_on(&mut self, clk: &Sig, rst: Option<&Sig>, doc: &str, f: impl FnOnce(&mut Body)) {
        self.clocked(doc, clk.clone(), rst.cloned(), f);
    }

    fn clocked(&mut self, doc: &str, clk: Sig, rst: Option<Sig>, f: impl FnOnce(&mut Body)) {
        let mut b = Body::default();
        f(&mut b);
        let resets = super::walk::targets(&b.stmts)
            .iter()
            .any(|s| s.data.reset.is_some());
        let rst = match rst {
            Some(r) => Some(r),
            None if resets => Some(self.rst()),
            None => None,
        };
        let (doc, body) = (doc.into(), b.stmts);
        self.items.push(Item::Seq {
            doc,
            clk,
            rst,
            body,
        });
    }

    /// Declares that `value` is not used, and why; the text gets a sink that lint tools know.
    pub fn unused(&mut self, value: impl Into<Expr>, reason: &str) {
        self.items.push(Item::Unused(value.into(), reason.into()));
    }

    /// Hand-written Verilog: makes the module a leaf. Its ports are declared as usual and taken as used and driven.
    pub fn text(&mut self, verilog: &str) {
        self.items.push(Item::Text(verilog.into()));
    }

    /// Declares that output `to` of a leaf depends combinationally on input `from`.
    pub fn leaf_path(&mut self, from: &Sig, to: &Sig) {
        self.leaf_paths.push((from.name().into(), to.name().into()));
    }

    /// The value of a register at power-up.
    pub(crate) fn power_up(&mut self, sig: &Sig, value: Value) {
        self.items.push(Item::Initial(sig.clone(), value));
    }

    /// Takes inputs named `clk` and `rst` as what [`Module::clk`] and [`Module::rst`] return.
    pub(crate) fn adopt_clock(&mut self, sig: &Sig) {
        match sig.name() {
            "clk" => self.clk = Some(sig.clone()),
            "rst" => self.rst = Some(sig.clone()),
            _ => {}
        }
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.items.iter().any(|i| matches!(i, Item::Text(_)))
    }

    /// The ports in the order of the Verilog: `clk` and `rst` first.
    pub(crate) fn port_sigs(&self) -> Vec<&Sig> {
        let first = [&self.clk, &self.rst];
        let first = first.into_iter().flatten();
        let is_first = |s: &Sig| s.name() == "clk" || s.name() == "rst";
        let rest = self
            .sigs
            .iter()
            .filter(|s| s.data.is_port() && !is_first(s));
        first.chain(rest).collect()
    }

    /// The ports in the order of the Verilog: `clk` and `rst` first.
    pub fn ports(&self) -> Vec<Port> {
        let port = |s: &&Sig| Port {
            name: s.name().into(),
            width: s.width(),
            dir: match s.data.kind {
                Kind::Input => Dir::In,
                _ => Dir::Out,
            },
            doc: s.data.doc.clone(),
        };
        self.port_sigs().iter().map(port).collect()
    }
}
