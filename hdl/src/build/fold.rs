//! Constant folding and identities, so that generator loops may start from a literal
//! and the emitted text still reads as if written by hand.

use super::expr::{Expr, Node};
use super::op::Op;
use super::value::Value;

pub(crate) fn literal(v: Value) -> Expr {
    Expr::raw(v.width(), Node::Lit(v))
}

fn bool_lit(b: bool) -> Expr {
    literal(if b { Value::ones(1) } else { Value::zeros(1) })
}

/// `&`, `|`, `^`, `&&`, `||` of equal widths.
pub(crate) fn bitwise(op: Op, a: Expr, b: Expr) -> Expr {
    for (x, y) in [(&a, &b), (&b, &a)] {
        let Node::Lit(v) = x.node() else { continue };
        match op {
            Op::And | Op::LogicalAnd if v.is_ones() => return y.clone(),
            Op::And | Op::LogicalAnd if v.is_zero() => return x.clone(),
            Op::Or | Op::LogicalOr if v.is_zero() => return y.clone(),
            Op::Or | Op::LogicalOr if v.is_ones() => return x.clone(),
            Op::Xor if v.is_zero() => return y.clone(),
            _ => {}
        }
    }
    Expr::raw(a.width(), Node::Binary(op, a, b))
}

/// Comparisons; those that a literal decides alone become a literal (lint calls them constant).
pub(crate) fn compare(op: Op, a: Expr, b: Expr) -> Expr {
    if let (Node::Lit(x), Node::Lit(y)) = (a.node(), b.node()) {
        match op {
            Op::Eq => return bool_lit(x == y),
            Op::Ne => return bool_lit(x != y),
            _ => {}
        }
    }
    if let Some(v) = b.as_value() {
        let (zero, ones) = (v.is_zero(), v.is_ones());
        match op {
            Op::Lt if zero => return bool_lit(false),
            Op::Ge if zero => return bool_lit(true),
            Op::Gt if ones => return bool_lit(false),
            Op::Le if ones => return bool_lit(true),
            // A named constant keeps its name in the text.
            Op::Eq if v.width() == 1 && is_literal(&b) => return if zero { not(a) } else { a },
            Op::Ne if v.width() == 1 && is_literal(&b) => return if zero { a } else { not(a) },
            _ => {}
        }
    }
    Expr::raw(1, Node::Binary(op, a, b))
}

fn is_literal(e: &Expr) -> bool {
    matches!(e.node(), Node::Lit(_))
}

pub(crate) fn not(a: Expr) -> Expr {
    match a.node() {
        Node::Lit(v) => literal(v.not()),
        Node::Not(x) => x.clone(),
        _ => Expr::raw(a.width(), Node::Not(a)),
    }
}

/// `width` bits of `e` from `lsb` up; the caller has checked the range.
///
/// Verilog slices names only, so the slice moves inward where that costs no logic.
pub(crate) fn slice(e: &Expr, lsb: usize, width: usize) -> Expr {
    if width == e.width() {
        return e.clone();
    }
    if let Some(v) = e.as_value() {
        return literal(v.slice(lsb, width));
    }
    match e.node() {
        Node::Slice(x, inner) => slice(x, inner + lsb, width),
        Node::Not(x) if simple(x) => not(slice(x, lsb, width)),
        Node::Binary(op @ (Op::And | Op::Or | Op::Xor), a, b) if simple(a) && simple(b) => {
            bitwise(*op, slice(a, lsb, width), slice(b, lsb, width))
        }
        Node::Binary(op @ (Op::Add | Op::Sub), a, b) if lsb == 0 && simple(a) && simple(b) => {
            Expr::raw(
                width,
                Node::Binary(*op, slice(a, 0, width), slice(b, 0, width)),
            )
        }
        Node::ShiftBy(Op::Shl, x, n) => {
            let moved = cat(vec![slice(x, 0, x.width() - n), literal(Value::zeros(*n))]);
            slice(&moved, lsb, width)
        }
        Node::ShiftBy(_, x, n) => {
            let moved = cat(vec![literal(Value::zeros(*n)), slice(x, *n, x.width() - n)]);
            slice(&moved, lsb, width)
        }
        Node::Repeat(x, n) => slice(&cat(vec![x.clone(); *n]), lsb, width),
        Node::Cat(parts) => {
            let (mut at, mut picked) = (0, vec![]);
            for p in parts.iter().rev() {
                let (from, to) = (lsb.max(at), (lsb + width).min(at + p.width()));
                if from < to {
                    picked.push(slice(p, from - at, to - from));
                }
                at += p.width();
            }
            picked.reverse();
            cat(picked)
        }
        _ => Expr::raw(width, Node::Slice(e.clone(), lsb)),
    }
}

/// Whether a slice of `e` is still a name, a literal or a concatenation of these.
fn simple(e: &Expr) -> bool {
    match e.node() {
        Node::Lit(_) | Node::Sig(_) => true,
        Node::Slice(x, _) | Node::Not(x) | Node::Repeat(x, _) => simple(x),
        Node::Cat(parts) => parts.iter().all(simple),
        _ => false,
    }
}

/// Concatenation, most significant first; nested ones are flattened, literals and slices that touch are joined.
pub(crate) fn cat(parts: Vec<Expr>) -> Expr {
    let mut flat: Vec<Expr> = vec![];
    for p in parts {
        match p.node() {
            Node::Cat(inner) => inner.iter().for_each(|x| push(&mut flat, x.clone())),
            _ => push(&mut flat, p),
        }
    }
    if flat.len() == 1 {
        return flat.swap_remove(0);
    }
    Expr::raw(flat.iter().map(Expr::width).sum(), Node::Cat(flat))
}

fn push(flat: &mut Vec<Expr>, low: Expr) {
    let joined = flat.last().and_then(|high| join(high, &low));
    match joined {
        Some(e) => {
            flat.pop();
            flat.push(e);
        }
        None => flat.push(low),
    }
}

fn join(high: &Expr, low: &Expr) -> Option<Expr> {
    let width = high.width() + low.width();
    match (high.node(), low.node()) {
        (Node::Lit(h), Node::Lit(l)) => {
            let mut v = Value::zeros(width);
            (0..width)
                .filter(|i| match i.checked_sub(l.width()) {
                    Some(j) => h.get(j),
                    None => l.get(*i),
                })
                .for_each(|i| v.set(i));
            Some(literal(v))
        }
        (Node::Slice(h, hl), Node::Slice(l, ll)) => match (h.node(), l.node()) {
            (Node::Sig(a), Node::Sig(b))
                if std::sync::Arc::ptr_eq(a, b) && *hl == ll + low.width() =>
            {
                Some(slice(l, *ll, width))
            }
            _ => None,
        },
        _ => None,
    }
}
