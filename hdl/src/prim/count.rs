//! A counter and the flag beside it, which says whether there is one: a comparison with zero would come too late for what waits for it.

use crate::build::*;

/// Is `count`, of what comes with `up` and goes with `down`, more than zero at the next edge? Nothing goes where there is none.
pub fn some_next(count: &Expr, up: &Expr, down: &Expr) -> Expr {
    up | count.from_bit(1).any() | (count.bit(0) & !down)
}

/// Counts up, down, or not, and keeps the flag `some` beside it.
pub fn count_some(b: &mut Body, count: &Sig, some: &Sig, up: &Expr, down: &Expr) {
    b.when(up & !down, |b| b.set(count, count + 1));
    b.when(!up & down, |b| b.set(count, count - 1));
    b.set(some, some_next(count, up, down));
}
