//! Statements inside `comb` and `seq`.

use super::branch::{Chain, Switch};
use super::expr::{clog2, Expr};
use super::operand::Operand;
use super::sig::Sig;

/// What an assignment writes.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) sig: Sig,
    pub(crate) part: Part,
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Whole,
    /// Constant lsb and width.
    Bits(usize, usize),
    /// Variable lsb, width.
    Dyn(Expr, usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Comment(String),
    Set(Target, Expr),
    /// `if`, `else if`..., `else`.
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    Case {
        sel: Expr,
        arms: Vec<(Vec<Expr>, Vec<Stmt>)>,
        default: Option<Vec<Stmt>>,
    },
}

impl Target {
    pub(crate) fn whole(sig: &Sig) -> Self {
        Self {
            sig: sig.clone(),
            part: Part::Whole,
        }
    }

    #[track_caller]
    pub(crate) fn bits(sig: &Sig, lsb: usize, width: usize) -> Self {
        if width == 0 || lsb + width > sig.width() {
            let what = sig.describe();
            sig.refuse(&format!("{width} bits from bit {lsb} do not lie in {what}"));
        }
        let part = if width == sig.width() {
            Part::Whole
        } else {
            Part::Bits(lsb, width)
        };
        Self {
            sig: sig.clone(),
            part,
        }
    }

    fn width(&self) -> usize {
        match self.part {
            Part::Whole => self.sig.width(),
            Part::Bits(_, w) | Part::Dyn(_, w) => w,
        }
    }

    /// The value at the target's width.
    #[track_caller]
    pub(crate) fn value(&self, value: impl Operand) -> Expr {
        let value = value.operand(self.width());
        if value.width() != self.width() {
            let (what, want) = (value.describe(), self.width());
            let name = self.sig.name();
            self.sig
                .refuse(&format!("{what} assigned to {want} bits of `{name}`"));
        }
        value
    }
}

/// The statements of a `comb` or `seq` block, or of one branch in it.
#[derive(Debug, Default)]
pub struct Body {
    pub(crate) stmts: Vec<Stmt>,
}

#[track_caller]
pub(crate) fn condition(c: impl Into<Expr>) -> Expr {
    let c = c.into();
    if c.width() != 1 {
        let what = c.describe();
        c.refuse(&format!("the condition {what} is not one bit"));
    }
    c
}

pub(crate) fn collect(f: impl FnOnce(&mut Body)) -> Vec<Stmt> {
    let mut b = Body::default();
    f(&mut b);
    b.stmts
}

impl Body {
    /// A comment line.
    pub fn comment(&mut self, text: &str) {
        self.stmts.push(Stmt::Comment(text.into()));
    }

    #[track_caller]
    fn push(&mut self, target: Target, value: impl Operand) {
        let value = target.value(value);
        self.stmts.push(Stmt::Set(target, value));
    }

    /// `sig <= value` in `seq`, `sig = value` in `comb`.
    #[track_caller]
    pub fn set(&mut self, sig: &Sig, value: impl Operand) {
        self.push(Target::whole(sig), value);
    }

    /// Assigns the bits from `lsb` up that `value` is wide.
    #[track_caller]
    pub fn set_bits(&mut self, sig: &Sig, lsb: usize, value: impl Into<Expr>) {
        let value = value.into();
        self.push(Target::bits(sig, lsb, value.width()), value);
    }

    /// Assigns bit `i`.
    #[track_caller]
    pub fn set_bit(&mut self, sig: &Sig, i: usize, value: impl Operand) {
        self.push(Target::bits(sig, i, 1), value);
    }

    /// Assigns the bit that `index` numbers; an index beyond the width writes nothing.
    #[track_caller]
    pub fn set_bit_at(&mut self, sig: &Sig, index: impl Into<Expr>, value: impl Operand) {
        let value = value.operand(1);
        self.set_bits_at(sig, index, value);
    }

    /// Assigns as many bits as `value` has from the bit that `lsb` numbers.
    #[track_caller]
    pub fn set_bits_at(&mut self, sig: &Sig, lsb: impl Into<Expr>, value: impl Into<Expr>) {
        let (lsb, value) = (lsb.into(), value.into());
        let need = clog2(sig.width()).max(1);
        if lsb.width() > need || value.width() > sig.width() {
            let (what, index) = (sig.describe(), lsb.describe());
            sig.refuse(&format!(
                "{} bits at {index} do not lie in {what}: an index into it has {need} bits",
                value.width()
            ));
        }
        let part = if sig.width() == value.width() {
            Part::Whole
        } else {
            Part::Dyn(lsb.zext(need), value.width())
        };
        let sig = sig.clone();
        self.push(Target { sig, part }, value);
    }

    /// `if (c)`.
    #[track_caller]
    pub fn when(&mut self, c: impl Into<Expr>, then: impl FnOnce(&mut Body)) {
        let arm = (condition(c), collect(then));
        self.stmts.push(Stmt::If(vec![arm], vec![]));
    }

    /// `if (c) ... else ...`.
    #[track_caller]
    pub fn when_else(
        &mut self,
        c: impl Into<Expr>,
        then: impl FnOnce(&mut Body),
        otherwise: impl FnOnce(&mut Body),
    ) {
        let arm = (condition(c), collect(then));
        self.stmts.push(Stmt::If(vec![arm], collect(otherwise)));
    }

    /// `if ... else if ... else`, the first true condition wins.
    pub fn first(&mut self, f: impl FnOnce(&mut Chain)) {
        let mut chain = Chain::default();
        f(&mut chain);
        if chain.arms.is_empty() {
            self.stmts.append(&mut chain.otherwise);
        } else {
            self.stmts.push(Stmt::If(chain.arms, chain.otherwise));
        }
    }

    /// `case (sel)`.
    pub fn switch(&mut self, sel: impl Into<Expr>, f: impl FnOnce(&mut Switch)) {
        let mut s = Switch {
            sel: sel.into(),
            arms: vec![],
            default: None,
        };
        f(&mut s);
        self.stmts.push(Stmt::Case {
            sel: s.sel,
            arms: s.arms,
            default: s.default,
        });
    }
}
