//! Expressions as Verilog text: on one line, or broken over lines where too long.
//!
//! Operands of one operator have equal widths by construction and widening is written as a concatenation,
//! so every operand is self-determined: Verilog's context rules cannot change a value.

use crate::build::{Expr, Node, Op, Reduce};
use std::fmt;

/// Lines are broken beyond this column.
pub(crate) const COLUMNS: usize = 100;

impl fmt::Display for Expr {
    /// The Verilog text on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&flat(self))
    }
}

fn associative(op: Op) -> bool {
    use Op::*;
    matches!(op, And | Or | Xor | Add | LogicalAnd | LogicalOr)
}

/// The operands of a chain of one associative operator, left to right.
fn chain<'a>(e: &'a Expr, op: Op, out: &mut Vec<&'a Expr>) {
    match e.node() {
        Node::Binary(o, a, b) if *o == op && associative(op) => {
            chain(a, op, out);
            chain(b, op, out);
        }
        _ => out.push(e),
    }
}

fn operands(e: &Expr) -> (Op, Vec<&Expr>) {
    let Node::Binary(op, a, b) = e.node() else {
        unreachable!("only called on operators")
    };
    let mut out = vec![];
    if associative(*op) {
        chain(e, *op, &mut out);
    } else {
        out.extend([a, b]);
    }
    (*op, out)
}

fn needs_parens(e: &Expr) -> bool {
    matches!(
        e.node(),
        Node::Binary(..) | Node::ShiftBy(..) | Node::Mux(..) | Node::Reduce(..)
    )
}

fn not_symbol(e: &Expr) -> &'static str {
    if e.width() == 1 {
        "!"
    } else {
        "~"
    }
}

fn reduce_symbol(op: Reduce) -> &'static str {
    match op {
        Reduce::Any => "|",
        Reduce::All => "&",
        Reduce::Xor => "^",
    }
}

fn inner(e: &Expr) -> String {
    if needs_parens(e) {
        format!("({})", flat(e))
    } else {
        flat(e)
    }
}

/// The part select of a name: `x[3]`, `x[7:4]`.
pub(crate) fn select(name: &str, lsb: usize, width: usize) -> String {
    match width {
        1 => format!("{name}[{lsb}]"),
        _ => format!("{name}[{}:{lsb}]", lsb + width - 1),
    }
}

/// The variable part select of a name: `x[i]`, `x[i +: 4]`.
pub(crate) fn select_at(name: &str, lsb: &Expr, width: usize) -> String {
    match width {
        1 => format!("{name}[{}]", flat(lsb)),
        _ => format!("{name}[{} +: {width}]", flat(lsb)),
    }
}

/// The text on one line.
pub(crate) fn flat(e: &Expr) -> String {
    match e.node() {
        Node::Lit(v) => v.to_string(),
        Node::Sig(s) => s.name.clone(),
        Node::Not(a) => format!("{}{}", not_symbol(e), inner(a)),
        Node::Reduce(op, a) => format!("{}{}", reduce_symbol(*op), inner(a)),
        Node::Binary(..) => {
            let (op, list) = operands(e);
            let list: Vec<String> = list.into_iter().map(inner).collect();
            list.join(&format!(" {} ", op.symbol()))
        }
        Node::ShiftBy(op, a, n) => format!("{} {} {n}", inner(a), op.symbol()),
        Node::Slice(a, lsb) => select(&inner(a), *lsb, e.width()),
        Node::Dyn(a, lsb) => select_at(&inner(a), lsb, e.width()),
        Node::Cat(parts) => {
            let parts: Vec<String> = parts.iter().map(flat).collect();
            format!("{{{}}}", parts.join(", "))
        }
        Node::Repeat(a, n) => format!("{{{n}{{{}}}}}", flat(a)),
        Node::Mux(c, a, b) => format!("{} ? {} : {}", inner(c), inner(a), inner(b)),
    }
}

/// The text that starts at column `column`, its further lines indented deeper than `indent`.
pub(crate) fn wrapped(e: &Expr, indent: usize, column: usize) -> String {
    let line = flat(e);
    if column + line.len() < COLUMNS {
        return line;
    }
    let deeper = indent + 4;
    let pad = format!("\n{}", " ".repeat(deeper));
    match e.node() {
        Node::Not(a) => format!("{}{}", not_symbol(e), wrapped_inner(a, indent, column + 1)),
        Node::Reduce(op, a) => {
            let a = wrapped_inner(a, indent, column + 1);
            format!("{}{a}", reduce_symbol(*op))
        }
        Node::Binary(..) => {
            let (op, list) = operands(e);
            let mut list = list.into_iter();
            let first = list.next().map(|x| wrapped_inner(x, deeper, column));
            let mut text = first.unwrap_or_default();
            for x in list {
                let x = wrapped_inner(x, deeper, deeper + op.symbol().len() + 1);
                text += &format!("{pad}{} {x}", op.symbol());
            }
            text
        }
        Node::ShiftBy(op, a, n) => {
            format!("{} {} {n}", wrapped_inner(a, indent, column), op.symbol())
        }
        Node::Cat(parts) => {
            let end = " ".repeat(indent);
            format!("{{{pad}{}\n{end}}}", fill(parts, deeper))
        }
        Node::Repeat(a, n) => format!("{{{n}{{{}}}}}", wrapped(a, indent, column + 3)),
        Node::Mux(..) => selection(e, &pad, deeper, column),
        Node::Lit(_) | Node::Sig(_) | Node::Slice(..) | Node::Dyn(..) => line,
    }
}

/// `c ? a : d ? b : e`, an arm a line: `c ? a`, `: d ? b`, `: e`.
fn selection(e: &Expr, pad: &str, deeper: usize, column: usize) -> String {
    let (mut text, mut rest, mut at) = (String::new(), e, column);
    while let Node::Mux(c, a, b) = rest.node() {
        let arm = format!("{} ? {}", inner(c), inner(a));
        if at + arm.len() < COLUMNS {
            text += &arm;
        } else {
            let c = wrapped_inner(c, deeper, at);
            text += &format!("{c}{pad}? {}", wrapped_inner(a, deeper, deeper + 2));
        }
        text += &format!("{pad}: ");
        (rest, at) = (b, deeper + 2);
    }
    text + &wrapped_inner(rest, deeper, deeper + 2)
}

fn wrapped_inner(e: &Expr, indent: usize, column: usize) -> String {
    if needs_parens(e) {
        format!("({})", wrapped(e, indent, column + 1))
    } else {
        wrapped(e, indent, column)
    }
}

/// The parts of a concatenation, as many a line as fit.
fn fill(parts: &[Expr], indent: usize) -> String {
    let (mut text, mut column) = (String::new(), indent);
    for (i, p) in parts.iter().enumerate() {
        let line = flat(p);
        if i > 0 {
            text += ",";
            if column + line.len() + 3 > COLUMNS {
                text += &format!("\n{}", " ".repeat(indent));
                column = indent;
            } else {
                text += " ";
                column += 2;
            }
        }
        let piece = wrapped(p, indent, column);
        column += piece.rsplit('\n').next().map_or(0, str::len);
        text += &piece;
    }
    text
}
