//! Shift: takes bytes out of the chunk in two halves, with a register of the user's between them.

use crate::build::{cat, cat_lsb_first, lit, mux, Expr};

/// Bytes behind those wanted that the second half may still need.
const FINE: usize = 3;

/// By 8 and 4 bytes: what the second half needs for `n` bytes of `chunk` from byte `sel` on.
pub fn coarse(chunk: &Expr, sel: &Expr, n: usize) -> Expr {
    let by_8 = shift(&bytes(chunk), 8, &sel.bit(3), n + 4 + FINE);
    cat_lsb_first(&shift(&by_8, 4, &sel.bit(2), n + FINE))
}

/// By 2 bytes and 1, as the lowest two bits of `sel` say: `n` bytes in network order, the first one most significant.
pub fn fine(coarse: &Expr, sel: &Expr, n: usize) -> Expr {
    let by_2 = shift(&bytes(coarse), 2, &sel.bit(1), n + 1);
    cat(&shift(&by_2, 1, &sel.bit(0), n))
}

fn bytes(of: &Expr) -> Vec<Expr> {
    (0..of.width() / 8).map(|i| of.byte(i)).collect()
}

/// `n` bytes of `bytes` from byte `by` on, or from the first; what lies beyond is 0.
fn shift(bytes: &[Expr], by: usize, shifted: &Expr, n: usize) -> Vec<Expr> {
    let byte = |i: usize| bytes.get(i).cloned().unwrap_or_else(|| lit(8, 0));
    (0..n)
        .map(|i| {
            if i + by < bytes.len() {
                mux(shifted, byte(i + by), byte(i))
            } else {
                byte(i) & (!shifted).repeat(8)
            }
        })
        .collect()
}
