//! rust-hdl expressions to typed ones.

use super::capture::literal;
use super::scope::Scope;
use super::Refused;
use crate::build::{lit, Expr, Op};
use rust_hdl_core::ast::{VerilogExpression as Ast, VerilogLiteral, VerilogOp, VerilogOpUnary};

impl Scope {
    /// The value of an expression of literals and loop variables.
    pub(super) fn constant(&self, e: &Ast) -> Option<i64> {
        match e {
            Ast::Literal(l) => number(l),
            Ast::Paren(e) => self.constant(e),
            Ast::Signal(name) => self.loop_value(name),
            Ast::Binary(a, op, b) => {
                let (a, b) = (self.constant(a)?, self.constant(b)?);
                match op {
                    VerilogOp::Add => a.checked_add(b),
                    VerilogOp::Sub => a.checked_sub(b),
                    VerilogOp::Mul => a.checked_mul(b),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The width that Rust gives an expression; `None` for a literal, which takes that of its partner.
    fn natural(&self, e: &Ast) -> Result<Option<usize>, Refused> {
        if self.constant(e).is_some() {
            return Ok(None);
        }
        Ok(match e {
            Ast::Signal(name) => self.width_of(&self.fold(name)?),
            Ast::Literal(_) => None,
            Ast::Cast(_, n) | Ast::Slice(_, n, _) => Some(*n),
            Ast::Paren(e) | Ast::IndexReplace(e, ..) => self.natural(e)?,
            Ast::Unary(VerilogOpUnary::Not | VerilogOpUnary::Neg, e) => self.natural(e)?,
            Ast::Unary(..) | Ast::Index(..) => Some(1),
            Ast::Binary(a, VerilogOp::Shl | VerilogOp::Shr, _) => self.natural(a)?,
            Ast::Binary(a, op, b) if bits_op(op).is_some() => {
                self.natural(a)?.max(self.natural(b)?)
            }
            Ast::Binary(..) => Some(1),
            Ast::Signed(_) | Ast::Unsigned(_) => return Err(self.unsupported("signed arithmetic")),
        })
    }

    /// Converts an expression that stands where `want` bits are expected.
    pub(super) fn expr(&mut self, e: &Ast, want: usize) -> Result<Expr, Refused> {
        let width = self.natural(e)?.unwrap_or(want);
        let e = self.sized(e, width)?;
        if e.width() != want {
            return Err(self.width(e.describe(), format!("{want} bits are expected")));
        }
        Ok(e)
    }

    /// Converts an expression whose width the source fixes.
    pub(super) fn own_width(&mut self, e: &Ast) -> Result<Expr, Refused> {
        match self.natural(e)? {
            Some(w) => self.sized(e, w),
            // An unknown name has no width either: say so rather than complain about the width.
            None => match unparen(e) {
                Ast::Signal(name) => {
                    let folded = self.fold(name)?;
                    self.lookup(&folded, name)
                }
                _ => Err(self.width("a literal", "nothing gives it a width")),
            },
        }
    }

    pub(super) fn fixed(&self, n: i64, width: usize) -> Result<Expr, Refused> {
        let fits = u128::try_from(n)
            .ok()
            .filter(|n| width >= 128 || n >> width == 0);
        match fits {
            Some(n) if width > 0 => Ok(lit(width, n)),
            _ => Err(self.width(
                format!("literal {n}"),
                format!("does not fit into {width} bits"),
            )),
        }
    }

    pub(super) fn sized(&mut self, e: &Ast, w: usize) -> Result<Expr, Refused> {
        if let Some(n) = self.constant(e) {
            return self.fixed(n, w);
        }
        match e {
            Ast::Signal(name) => {
                let folded = self.fold(name)?;
                self.lookup(&folded, name)
            }
            Ast::Literal(l) => match literal(l, w) {
                Some(v) => Ok(crate::build::Operand::operand(v, w)),
                None => Err(self.width(
                    format!("literal {l}"),
                    format!("does not fit into {w} bits"),
                )),
            },
            Ast::Paren(e) => self.sized(e, w),
            Ast::Cast(e, n) => match self.natural(e)? {
                Some(iw) => Ok(self.sized(e, iw)?.resize(*n)),
                None => self.sized(e, *n),
            },
            Ast::Unary(VerilogOpUnary::Not, e) => Ok(!self.sized(e, w)?),
            Ast::Unary(VerilogOpUnary::Neg, _) => {
                Err(self.unsupported("negation of signed values"))
            }
            Ast::Unary(op, e) => {
                let e = self.own_width(e)?;
                Ok(match op {
                    VerilogOpUnary::All => e.all(),
                    VerilogOpUnary::Any => e.any(),
                    _ => e.xor(),
                })
            }
            Ast::Binary(a, op, b) => self.binary(a, op, b, w),
            Ast::Index(a, i) => self.select(a, i, 1),
            Ast::Slice(a, n, i) => self.select(a, i, *n),
            Ast::IndexReplace(a, i, v) => self.replace(a, i, v, w),
            Ast::Signed(_) | Ast::Unsigned(_) => Err(self.unsupported("signed arithmetic")),
        }
    }

    fn binary(&mut self, a: &Ast, op: &VerilogOp, b: &Ast, w: usize) -> Result<Expr, Refused> {
        match op {
            VerilogOp::Shl | VerilogOp::Shr => {
                let a = self.sized(a, w)?;
                let left = matches!(op, VerilogOp::Shl);
                match self.constant(b).map(usize::try_from) {
                    Some(Ok(n)) => Ok(if left { a.shl(n) } else { a.shr(n) }),
                    Some(Err(_)) => Err(self.unsupported("a shift by a negative number")),
                    None => {
                        let b = self.own_width(b)?;
                        Ok(if left { a.shl_by(b) } else { a.shr_by(b) })
                    }
                }
            }
            VerilogOp::LogicalAnd => Ok(self.expr(a, 1)?.and(self.expr(b, 1)?)),
            VerilogOp::LogicalOr => Ok(self.expr(a, 1)?.or(self.expr(b, 1)?)),
            VerilogOp::Mul => Err(self.unsupported("multiplication")),
            _ => {
                let partner = self.natural(a)?.max(self.natural(b)?);
                let w = partner.unwrap_or(w);
                let (mut x, mut y) = (self.partner(a, w)?, self.partner(b, w)?);
                // `Bits<N> + bool` is the one sum of unequal widths that Rust allows.
                if matches!(op, VerilogOp::Add) {
                    (x, y) = match (x.width(), y.width()) {
                        (_, 1) => (x, y.zext(w)),
                        (1, _) => (x.zext(w), y),
                        _ => (x, y),
                    };
                }
                if x.width() != y.width() {
                    let what = format!("{} and {}", x.describe(), y.describe());
                    return Err(self.width(what, "they differ"));
                }
                Ok(match op {
                    VerilogOp::Eq => x.eq(y),
                    VerilogOp::Ne => x.ne(y),
                    VerilogOp::Lt => x.lt(y),
                    VerilogOp::Le => x.le(y),
                    VerilogOp::Gt => x.gt(y),
                    VerilogOp::Ge => x.ge(y),
                    _ => match bits_op(op) {
                        Some(op @ (Op::Add | Op::Sub)) => x.arithmetic(op, y),
                        Some(op) => x.bitwise(op, y),
                        None => return Err(self.unsupported(format!("operator {op:?}"))),
                    },
                })
            }
        }
    }

    /// An operand beside a partner of `w` bits.
    fn partner(&mut self, e: &Ast, w: usize) -> Result<Expr, Refused> {
        let own = self.natural(e)?.unwrap_or(w);
        self.sized(e, own)
    }
}

pub(super) fn unparen(e: &Ast) -> &Ast {
    match e {
        Ast::Paren(e) => unparen(e),
        e => e,
    }
}

fn number(l: &VerilogLiteral) -> Option<i64> {
    let v = literal(l, 63)?;
    v.to_u128().and_then(|n| i64::try_from(n).ok())
}

pub(super) fn bits_op(op: &VerilogOp) -> Option<Op> {
    Some(match op {
        VerilogOp::Add => Op::Add,
        VerilogOp::Sub => Op::Sub,
        VerilogOp::BitAnd => Op::And,
        VerilogOp::BitOr => Op::Or,
        VerilogOp::BitXor => Op::Xor,
        VerilogOp::Mul | VerilogOp::Shl | VerilogOp::Shr => return None,
        _ => return None,
    })
}
