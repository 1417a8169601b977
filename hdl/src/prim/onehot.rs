//! One-hot helpers: expressions, no modules.

use crate::build::*;

/// Ones above the lowest one bit: `4'b0110` becomes `4'b1100`.
pub fn above_lowest(x: &Expr) -> Expr {
    let below = |i: usize| match i {
        0 => lit(1, 0),
        _ => x.trunc(i).any(),
    };
    cat_lsb_first(&(0..x.width()).map(below).collect::<Vec<_>>())
}

/// The lowest one bit alone: `4'b0110` becomes `4'b0010`.
pub fn lowest_one(x: &Expr) -> Expr {
    x & !above_lowest(x)
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
