//! Slices, concatenation, selection.

use super::expr::{clog2, Expr, Node};
use super::fold;
use super::op::Op;
use super::operand::{lit, Operand};

impl Expr {
    /// `width` bits from bit `lsb` up.
    ///
    /// # Panics
    /// When the range leaves the expression.
    #[track_caller]
    pub fn bits(&self, lsb: usize, width: usize) -> Expr {
        if width == 0 || lsb + width > self.width() {
            let what = self.describe();
            self.refuse(&format!("{width} bits from bit {lsb} do not lie in {what}"));
        }
        fold::slice(self, lsb, width)
    }

    /// Bit `i`.
    #[track_caller]
    pub fn bit(&self, i: usize) -> Expr {
        self.bits(i, 1)
    }

    /// The bits from `lsb` to the top.
    #[track_caller]
    pub fn from_bit(&self, lsb: usize) -> Expr {
        self.bits(lsb, self.width().saturating_sub(lsb))
    }

    /// Part number `i` of the expression seen as parts of `width` bits, part 0 lowest.
    #[track_caller]
    pub fn part(&self, i: usize, width: usize) -> Expr {
        self.bits(i * width, width)
    }

    /// Byte lane `i`.
    #[track_caller]
    pub fn byte(&self, i: usize) -> Expr {
        self.part(i, 8)
    }

    /// The bit that `index` numbers. An index beyond the width reads an undefined bit.
    #[track_caller]
    pub fn bit_at(&self, index: impl Operand) -> Expr {
        self.bits_at(index, 1)
    }

    /// `width` bits from the bit that `lsb` numbers. A range beyond the width reads undefined bits.
    #[track_caller]
    pub fn bits_at(&self, lsb: impl Operand, width: usize) -> Expr {
        let need = clog2(self.width()).max(1);
        let lsb = lsb.operand(need);
        if lsb.width() > need || width == 0 || width > self.width() {
            let (what, index) = (self.describe(), lsb.describe());
            self.refuse(&format!(
                "{width} bits at {index} do not lie in {what}: an index into it has {need} bits"
            ));
        }
        match lsb.as_value().and_then(|v| v.to_u128()) {
            Some(n) => self.bits(n as usize, width),
            None if width == self.width() => self.clone(),
            None => Expr::raw(width, Node::Dyn(self.clone(), lsb.zext(need))),
        }
    }

    /// Zero-extended to `width` bits.
    #[track_caller]
    pub fn zext(&self, width: usize) -> Expr {
        if width < self.width() {
            let what = self.describe();
            self.refuse(&format!("zext: {what} is wider than {width} bits"));
        }
        if width == self.width() {
            return self.clone();
        }
        cat(&[lit(width - self.width(), 0), self.clone()])
    }

    /// The low `width` bits.
    #[track_caller]
    pub fn trunc(&self, width: usize) -> Expr {
        self.bits(0, width)
    }

    /// Zero-extended or cut to `width` bits.
    #[track_caller]
    pub fn resize(&self, width: usize) -> Expr {
        if width < self.width() {
            self.trunc(width)
        } else {
            self.zext(width)
        }
    }

    /// `n` copies side by side.
    #[track_caller]
    pub fn repeat(&self, n: usize) -> Expr {
        match (n, self.as_value()) {
            (0, _) => self.refuse("repeat(0) has no bits"),
            (1, _) => self.clone(),
            (_, Some(_)) => cat(&vec![self.clone(); n]),
            _ => Expr::raw(self.width() * n, Node::Repeat(self.clone(), n)),
        }
    }

    /// Shifted left by a constant, zeros move in, the width stays.
    pub fn shl(&self, n: usize) -> Expr {
        self.shift_by(Op::Shl, n)
    }

    /// Shifted right by a constant, zeros move in, the width stays.
    pub fn shr(&self, n: usize) -> Expr {
        self.shift_by(Op::Shr, n)
    }

    fn shift_by(&self, op: Op, n: usize) -> Expr {
        match n {
            0 => self.clone(),
            n if n >= self.width() => lit(self.width(), 0),
            n => Expr::raw(self.width(), Node::ShiftBy(op, self.clone(), n)),
        }
    }

    /// Shifted left by an expression, zeros move in, the width stays.
    pub fn shl_by(&self, n: impl Into<Expr>) -> Expr {
        Expr::raw(self.width(), Node::Binary(Op::Shl, self.clone(), n.into()))
    }

    /// Shifted right by an expression, zeros move in, the width stays.
    pub fn shr_by(&self, n: impl Into<Expr>) -> Expr {
        Expr::raw(self.width(), Node::Binary(Op::Shr, self.clone(), n.into()))
    }

    /// The bytes in reverse order: network order to lane order and back.
    #[track_caller]
    pub fn swap_bytes(&self) -> Expr {
        if self.width() % 8 != 0 {
            let what = self.describe();
            self.refuse(&format!("swap_bytes: {what} is not whole bytes"));
        }
        cat(&(0..self.width() / 8)
            .map(|i| self.byte(i))
            .collect::<Vec<_>>())
    }

    /// The bits as single expressions, bit 0 first.
    pub fn each_bit(&self) -> Vec<Expr> {
        (0..self.width()).map(|i| self.bit(i)).collect()
    }
}

/// Concatenation, most significant part first, as Verilog's `{a, b}`.
///
/// # Panics
/// When there is no part.
#[track_caller]
pub fn cat<E: Clone + Into<Expr>>(parts: &[E]) -> Expr {
    assert!(!parts.is_empty(), "cat of nothing has no bits");
    fold::cat(parts.iter().cloned().map(Into::into).collect())
}

/// Concatenation, least significant part first: the natural order of a generator's `Vec`.
#[track_caller]
pub fn cat_lsb_first<E: Clone + Into<Expr>>(parts: &[E]) -> Expr {
    let reversed: Vec<E> = parts.iter().rev().cloned().collect();
    cat(&reversed)
}

/// `c ? a : b`. One arm may be an integer: it has the width of the other.
///
/// # Panics
/// When `c` is not one bit, the arms differ in width, or both are integers.
#[track_caller]
pub fn mux(c: impl Into<Expr>, a: impl Operand, b: impl Operand) -> Expr {
    let c = c.into();
    let Some(width) = a.own_width().or(b.own_width()) else {
        c.refuse("mux: nothing gives the arms a width")
    };
    let (a, b) = (a.operand(width), b.operand(width));
    if c.width() != 1 {
        c.refuse(&format!(
            "mux: the condition {} is not one bit",
            c.describe()
        ));
    }
    if a.width() != b.width() {
        c.refuse(&format!(
            "mux: widths differ in {} : {}",
            a.describe(),
            b.describe()
        ));
    }
    match c.as_value() {
        Some(v) if v.is_zero() => b,
        Some(_) => a,
        None => Expr::raw(a.width(), Node::Mux(c, a, b)),
    }
}

/// The value whose select bit is set: `({w{s0}} & v0) | ({w{s1}} & v1) | ...`; zero when none is.
///
/// # Panics
/// When there is no value, or numbers or widths do not agree.
#[track_caller]
pub fn onehot_mux<S: Clone + Into<Expr>, V: Clone + Into<Expr>>(sel: &[S], vals: &[V]) -> Expr {
    assert!(
        !vals.is_empty() && sel.len() == vals.len(),
        "onehot_mux: {} selects for {} values",
        sel.len(),
        vals.len()
    );
    let terms = sel.iter().cloned().zip(vals.iter().cloned()).map(|(s, v)| {
        let (s, v): (Expr, Expr) = (s.into(), v.into());
        if s.width() != 1 {
            s.refuse(&format!(
                "onehot_mux: the select {} is not one bit",
                s.describe()
            ));
        }
        s.repeat(v.width()) & v
    });
    terms.reduce(|a, b| a | b).unwrap_or_else(|| unreachable!())
}

/// Or of all, 0 (one bit) when there is none.
#[track_caller]
pub fn or_all<E: Clone + Into<Expr>>(terms: &[E]) -> Expr {
    let terms = terms.iter().cloned().map(Into::into);
    terms
        .reduce(|a: Expr, b| a | b)
        .unwrap_or_else(|| lit(1, 0))
}

/// And of all, 1 (one bit) when there is none.
#[track_caller]
pub fn and_all<E: Clone + Into<Expr>>(terms: &[E]) -> Expr {
    let terms = terms.iter().cloned().map(Into::into);
    terms
        .reduce(|a: Expr, b| a & b)
        .unwrap_or_else(|| lit(1, 1))
}
