//! What may stand right of an operator, and the operators themselves.

use super::expr::Expr;
use super::fold;
use super::op::Op;
use super::sig::Sig;
use super::value::Value;
use std::ops::{Add, BitAnd, BitOr, BitXor, Not, Sub};

/// A right-hand side: an expression, a signal, or a Rust integer that takes the width of its place.
pub trait Operand {
    /// The expression, `width` bits wide if this is an integer.
    ///
    /// # Panics
    /// When an integer does not fit: that is a mistake in the generator.
    #[track_caller]
    fn operand(self, width: usize) -> Expr;

    /// The width, which integers do not have.
    fn own_width(&self) -> Option<usize> {
        None
    }
}

impl Operand for Expr {
    fn operand(self, _width: usize) -> Expr {
        self
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for &Expr {
    fn operand(self, _width: usize) -> Expr {
        self.clone()
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for Sig {
    fn operand(self, _width: usize) -> Expr {
        self.into()
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for &Sig {
    fn operand(self, _width: usize) -> Expr {
        self.into()
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for &&Sig {
    fn operand(self, _width: usize) -> Expr {
        (*self).into()
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for &&Expr {
    fn operand(self, _width: usize) -> Expr {
        (*self).clone()
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for Value {
    fn operand(self, _width: usize) -> Expr {
        fold::literal(self)
    }

    fn own_width(&self) -> Option<usize> {
        Some(self.width())
    }
}

impl Operand for bool {
    #[track_caller]
    fn operand(self, width: usize) -> Expr {
        lit(width, u128::from(self))
    }
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl Operand for $t {
            #[track_caller]
            fn operand(self, width: usize) -> Expr {
                match u128::try_from(self) {
                    Ok(n) => lit(width, n),
                    Err(_) => panic!("literal {self} is negative"),
                }
            }
        }
    )*};
}
integer!(u8, u16, u32, u64, u128, usize, i32, i64);

/// A literal of `width` bits.
///
/// # Panics
/// When `n` does not fit.
#[track_caller]
pub fn lit(width: usize, n: u128) -> Expr {
    match Value::from_u128(width, n) {
        Some(v) if width > 0 => fold::literal(v),
        _ => panic!("literal {n} does not fit into {width} bits"),
    }
}

/// A literal of any width from bytes, least significant first.
///
/// # Panics
/// When a one bit lies beyond `width`.
#[track_caller]
pub fn lit_bytes(width: usize, bytes: &[u8]) -> Expr {
    match Value::from_le_bytes(width, bytes) {
        Some(v) if width > 0 => fold::literal(v),
        _ => panic!(
            "literal of {} bytes does not fit into {width} bits",
            bytes.len()
        ),
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident $apply:ident $op:expr;)*) => {$(
        operator!(@ $trait $method $apply $op; Expr, &Expr, Sig, &Sig);
    )*};
    (@ $trait:ident $method:ident $apply:ident $op:expr; $($lhs:ty),*) => {$(
        impl<R: Operand> $trait<R> for $lhs {
            type Output = Expr;
            #[track_caller]
            fn $method(self, rhs: R) -> Expr {
                Expr::from(self).$apply($op, rhs)
            }
        }
    )*};
}
operator! {
    BitAnd bitand bitwise Op::And;
    BitOr bitor bitwise Op::Or;
    BitXor bitxor bitwise Op::Xor;
    Add add arithmetic Op::Add;
    Sub sub arithmetic Op::Sub;
}

macro_rules! not {
    ($($t:ty),*) => {$(
        impl Not for $t {
            type Output = Expr;
            fn not(self) -> Expr {
                fold::not(Expr::from(self))
            }
        }
    )*};
}
not!(Expr, &Expr, Sig, &Sig);
