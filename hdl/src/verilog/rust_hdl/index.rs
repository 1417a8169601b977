//! Bits picked and replaced by constant and variable numbers.

use super::expr::{bits_op, unparen};
use super::scope::Scope;
use super::Refused;
use crate::build::{cat_lsb_first, clog2, lit, Expr, Op};
use rust_hdl_core::ast::{VerilogExpression as Ast, VerilogOp};

impl Scope {
    pub(super) fn select(&mut self, a: &Ast, i: &Ast, n: usize) -> Result<Expr, Refused> {
        let a = self.own_width(a)?;
        match self.constant(i) {
            Some(k) => match usize::try_from(k)
                .ok()
                .filter(|k| n > 0 && k + n <= a.width())
            {
                Some(k) => Ok(a.bits(k, n)),
                None => Err(self.width(a.describe(), format!("no {n} bits from bit {k} in it"))),
            },
            None => {
                let need = clog2(a.width()).max(1);
                let i = self.offset(i, need)?;
                if n > a.width() {
                    return Err(self.width(a.describe(), format!("no {n} bits in it")));
                }
                Ok(a.bits_at(i, n))
            }
        }
    }

    /// A variable bit number, `need` bits wide. It is a `usize` in Rust: sums and products do not wrap there.
    pub(super) fn offset(&mut self, e: &Ast, need: usize) -> Result<Expr, Refused> {
        if let Some(n) = self.constant(e) {
            return self.fixed(n, need);
        }
        match unparen(e) {
            Ast::Binary(a, op @ (VerilogOp::Add | VerilogOp::Sub), b) => {
                let (a, b) = (self.offset(a, need)?, self.offset(b, need)?);
                let op = bits_op(op).unwrap_or(Op::Add);
                Ok(a.arithmetic(op, b))
            }
            Ast::Binary(a, VerilogOp::Mul, b) => {
                let (factor, other) = match (self.constant(a), self.constant(b)) {
                    (Some(n), _) => (n, b),
                    (_, Some(n)) => (n, a),
                    _ => return Err(self.unsupported("a product of two variables as an index")),
                };
                let power = u64::try_from(factor).ok().filter(|n| n.is_power_of_two());
                let Some(n) = power else {
                    return Err(
                        self.unsupported(format!("an index times {factor}, no power of two,"))
                    );
                };
                Ok(self.offset(other, need)?.shl(n.trailing_zeros() as usize))
            }
            Ast::Binary(_, op, _) if bits_op(op).is_none() => {
                Err(self.unsupported("a comparison as an index"))
            }
            _ => {
                let i = self.own_width(e)?;
                // Rust panics on an index beyond the signal, so the bits cut off are zero.
                Ok(i.resize(need))
            }
        }
    }

    pub(super) fn replace(&mut self, a: &Ast, i: &Ast, v: &Ast, w: usize) -> Result<Expr, Refused> {
        let (a, v) = (self.sized(a, w)?, self.expr(v, 1)?);
        match self.constant(i) {
            Some(k) => {
                let Some(k) = usize::try_from(k).ok().filter(|k| *k < w) else {
                    return Err(self.width(a.describe(), format!("no bit {k} in it")));
                };
                let mut bits = a.each_bit();
                bits[k] = v;
                Ok(cat_lsb_first(&bits))
            }
            None => {
                let i = self.offset(i, clog2(w).max(1))?;
                let mask = lit(w, 1).shl_by(&i);
                Ok((a & !mask) | v.zext(w).shl_by(&i))
            }
        }
    }
}
