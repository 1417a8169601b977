//! A module under construction: ports, signals, items.

use super::body::{Body, Stmt, Target};
use super::expr::Expr;
use super::instance::InstanceData;
use super::operand::Operand;
use super::sig::Sig;
use super::target::Cell;
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
    /// Synthesis leaves the module as it is.
    pub(crate) kept: bool,
    /// What takes the module's place where the design is made for a target.
    pub(crate) stand_ins: Vec<(&'static str, Arc<Module>)>,
    /// Cells of the target that a leaf's text instances.
    pub(crate) cells: Vec<Cell>,
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
            kept: false,
            stand_ins: vec![],
            cells: vec![],
        }
    }

    /// The module's name, also its file's.
    pub fn name(&self) -> &str {
        &self.name
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

    /// Synthesis tools must not merge this module with others.
    pub fn keep_hierarchy(&mut self) {
        self.kept = true;
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
}
