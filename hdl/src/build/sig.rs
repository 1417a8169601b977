//! Signals of a module.

use super::expr::{Expr, Node};
use super::value::Value;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What a signal is, and so who may drive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Input port.
    Input,
    /// Output port, driven by `assign`, `comb` or an instance.
    Output,
    /// Output port that is a register, driven by `seq`.
    OutputReg,
    /// Internal wire, driven by `assign`, `comb` or an instance.
    Wire,
    /// Internal register, driven by `seq`.
    Reg,
    /// Named constant (`localparam`).
    Const(Value),
}

/// The declaration of one signal.
#[derive(Debug)]
pub struct SigData {
    pub(crate) module: u64,
    pub(crate) module_name: Arc<str>,
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) kind: Kind,
    pub(crate) doc: String,
    pub(crate) reset: Option<Value>,
}

/// A signal: cheap to clone, usable wherever an [`Expr`] is (it dereferences to one).
#[derive(Clone)]
pub struct Sig {
    pub(crate) data: Arc<SigData>,
    expr: Expr,
}

impl Sig {
    pub(crate) fn new(data: SigData) -> Self {
        let data = Arc::new(data);
        let expr = Expr::raw(data.width, Node::Sig(data.clone()));
        Self { data, expr }
    }

    /// The name in the Verilog.
    pub fn name(&self) -> &str {
        &self.data.name
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.data.width
    }

    /// The signal as an expression.
    pub fn expr(&self) -> Expr {
        self.expr.clone()
    }
}

impl SigData {
    pub(crate) fn is_port(&self) -> bool {
        matches!(self.kind, Kind::Input | Kind::Output | Kind::OutputReg)
    }
}

impl Deref for Sig {
    type Target = Expr;
    fn deref(&self) -> &Expr {
        &self.expr
    }
}

impl fmt::Debug for Sig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.data.name, self.data.width)
    }
}

impl From<Sig> for Expr {
    fn from(s: Sig) -> Expr {
        s.expr
    }
}

impl From<&Sig> for Expr {
    fn from(s: &Sig) -> Expr {
        s.expr.clone()
    }
}

impl From<&Expr> for Expr {
    fn from(e: &Expr) -> Expr {
        e.clone()
    }
}
