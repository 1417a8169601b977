//! One-hot helpers: expressions, no modules.

use crate::build::*;

/// The lowest one bit alone: `4'b0110` becomes `4'b0010`.
pub fn lowest_one(x: &Expr) -> Expr {
    let bits = x.each_bit();
    let pick = |i: usize| match i {
        0 => bits[0].clone(),
        _ => &bits[i] & !x.trunc(i).any(),
    };
    cat_lsb_first(&(0..bits.len()).map(pick).collect::<Vec<_>>())
}

/// The number of the bit that is one (0 when none is; or of the numbers when several are), `clog2(width)` bits,
/// at least one.
pub fn encode(onehot: &Expr) -> Expr {
    let n = onehot.width();
    let bit = |b: usize| {
        let members: Vec<Expr> = (0..n)
            .filter(|i| i >> b & 1 == 1)
            .map(|i| onehot.bit(i))
            .collect();
        or_all(&members)
    };
    cat_lsb_first(&(0..clog2(n).max(1)).map(bit).collect::<Vec<_>>())
}

/// Bit `index` alone of `n` bits; zero when `index` is `n` or more.
pub fn decode(index: &Expr, n: usize) -> Expr {
    cat_lsb_first(&(0..n).map(|i| index.eq(i)).collect::<Vec<_>>())
}
