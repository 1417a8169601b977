//! Ports, wires, registers and constants of a module.

use super::expr::{clog2, Expr};
use super::module::{Dir, Item, Module, Port};
use super::operand::Operand;
use super::sig::{Kind, Sig, SigData};
use super::value::Value;

impl Module {
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
