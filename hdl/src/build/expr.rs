//! Expressions: every one knows its width, and a wrong width stops at the line that wrote it.

use super::op::{Op, Reduce};
use super::operand::Operand;
use super::sig::SigData;
use super::value::Value;
use std::sync::Arc;

/// Bits needed to number `n` things: `clog2(8) == 3`, `clog2(9) == 4`, `clog2(1) == 0`.
pub fn clog2(n: usize) -> usize {
    n.max(1).next_power_of_two().trailing_zeros() as usize
}

/// An expression over the signals of one module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr {
    width: usize,
    node: Arc<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Lit(Value),
    Sig(Arc<SigData>),
    Not(Expr),
    Reduce(Reduce, Expr),
    Binary(Op, Expr, Expr),
    /// By a constant: left or right, zeros move in.
    ShiftBy(Op, Expr, usize),
    /// From a constant lsb; the width is the expression's.
    Slice(Expr, usize),
    /// From a variable lsb.
    Dyn(Expr, Expr),
    /// Most significant part first.
    Cat(Vec<Expr>),
    Repeat(Expr, usize),
    Mux(Expr, Expr, Expr),
}

impl Expr {
    pub(crate) fn raw(width: usize, node: Node) -> Self {
        Self {
            width,
            node: Arc::new(node),
        }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The value, when the expression is a literal or a named constant.
    pub fn as_value(&self) -> Option<&Value> {
        match self.node() {
            Node::Lit(v) => Some(v),
            Node::Sig(s) => match &s.kind {
                super::sig::Kind::Const(v) => Some(v),
                _ => None,
            },
            _ => None,
        }
    }

    /// Calls `f` for each direct operand.
    pub(crate) fn operands(&self) -> Vec<&Expr> {
        match self.node() {
            Node::Lit(_) | Node::Sig(_) => vec![],
            Node::Not(a) | Node::Reduce(_, a) | Node::ShiftBy(_, a, _) => vec![a],
            Node::Slice(a, _) | Node::Repeat(a, _) => vec![a],
            Node::Binary(_, a, b) | Node::Dyn(a, b) => vec![a, b],
            Node::Cat(parts) => parts.iter().collect(),
            Node::Mux(c, a, b) => vec![c, a, b],
        }
    }

    /// The module the expression belongs to, for messages.
    pub(crate) fn module_name(&self) -> Option<Arc<str>> {
        match self.node() {
            Node::Sig(s) => Some(s.module_name.clone()),
            _ => self.operands().into_iter().find_map(|e| e.module_name()),
        }
    }

    /// Stops with a sentence that names the module and the expressions.
    #[track_caller]
    pub(crate) fn refuse(&self, rule: &str) -> ! {
        let module = self.module_name();
        panic!("module `{}`: {rule}", module.as_deref().unwrap_or("?"))
    }

    /// `name (8 bits)`, shortened, for messages.
    pub(crate) fn describe(&self) -> String {
        let mut text = self.to_string();
        if text.len() > 60 {
            text = text.chars().take(57).chain("...".chars()).collect();
        }
        format!("`{text}` ({} bits)", self.width)
    }

    #[track_caller]
    fn binary(&self, op: Op, rhs: impl Operand) -> (Expr, Expr) {
        let rhs = rhs.operand(self.width);
        if rhs.width != self.width {
            let context = if self.module_name().is_some() {
                self
            } else {
                &rhs
            };
            context.refuse(&format!(
                "widths differ in {} {} {}",
                self.describe(),
                op.symbol(),
                rhs.describe()
            ));
        }
        (self.clone(), rhs)
    }

    #[track_caller]
    pub(crate) fn bitwise(&self, op: Op, rhs: impl Operand) -> Expr {
        let (a, b) = self.binary(op, rhs);
        super::fold::bitwise(op, a, b)
    }

    #[track_caller]
    pub(crate) fn arithmetic(&self, op: Op, rhs: impl Operand) -> Expr {
        let (a, b) = self.binary(op, rhs);
        if b.as_value().is_some_and(Value::is_zero) {
            return a;
        }
        Expr::raw(self.width, Node::Binary(op, a, b))
    }

    #[track_caller]
    fn compare(&self, op: Op, rhs: impl Operand) -> Expr {
        let (a, b) = self.binary(op, rhs);
        super::fold::compare(op, a, b)
    }

    /// 1 when equal.
    #[track_caller]
    pub fn eq(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Eq, rhs)
    }

    /// 1 when different.
    #[track_caller]
    pub fn ne(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Ne, rhs)
    }

    /// 1 when less, unsigned.
    #[track_caller]
    pub fn lt(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Lt, rhs)
    }

    /// 1 when less or equal, unsigned.
    #[track_caller]
    pub fn le(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Le, rhs)
    }

    /// 1 when greater, unsigned.
    #[track_caller]
    pub fn gt(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Gt, rhs)
    }

    /// 1 when greater or equal, unsigned.
    #[track_caller]
    pub fn ge(&self, rhs: impl Operand) -> Expr {
        self.compare(Op::Ge, rhs)
    }

    #[track_caller]
    fn logical(&self, op: Op, rhs: impl Operand) -> Expr {
        if self.width != 1 {
            self.refuse(&format!(
                "{} left of {} is not one bit",
                self.describe(),
                op.symbol()
            ));
        }
        let (a, b) = self.binary(op, rhs);
        super::fold::bitwise(op, a, b)
    }

    /// Logical and (`&&`) of one-bit values.
    #[track_caller]
    pub fn and(&self, rhs: impl Operand) -> Expr {
        self.logical(Op::LogicalAnd, rhs)
    }

    /// Logical or (`||`) of one-bit values.
    #[track_caller]
    pub fn or(&self, rhs: impl Operand) -> Expr {
        self.logical(Op::LogicalOr, rhs)
    }

    /// The sum one bit wider than the operands: the top bit is the carry.
    #[track_caller]
    pub fn add_wide(&self, rhs: impl Operand) -> Expr {
        let (a, b) = self.binary(Op::Add, rhs);
        let w = self.width + 1;
        a.zext(w).arithmetic(Op::Add, b.zext(w))
    }

    /// 1 when any bit is one (`|x`).
    pub fn any(&self) -> Expr {
        self.reduce(Reduce::Any)
    }

    /// 1 when every bit is one (`&x`).
    pub fn all(&self) -> Expr {
        self.reduce(Reduce::All)
    }

    /// Parity (`^x`).
    pub fn xor(&self) -> Expr {
        self.reduce(Reduce::Xor)
    }

    fn reduce(&self, op: Reduce) -> Expr {
        if self.width == 1 {
            return self.clone();
        }
        Expr::raw(1, Node::Reduce(op, self.clone()))
    }
}
