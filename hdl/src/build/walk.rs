//! Walks over expressions and statements.

use super::body::{Part, Stmt, Target};
use super::expr::{Expr, Node};
use super::module::{Item, Module};
use super::sig::{Sig, SigData};
use super::value::Value;
use std::sync::Arc;

/// Calls `f` with every signal that `e` reads and the bits it reads of it.
pub(crate) fn reads(e: &Expr, f: &mut dyn FnMut(&Arc<SigData>, Value)) {
    match e.node() {
        Node::Sig(s) => f(s, Value::ones(s.width)),
        Node::Slice(x, lsb) => match x.node() {
            Node::Sig(s) => {
                let mut mask = Value::zeros(s.width);
                mask.set_range(*lsb, e.width());
                f(s, mask);
            }
            _ => reads(x, f),
        },
        _ => e.operands().into_iter().for_each(|x| reads(x, f)),
    }
}

/// The signals that the statements assign, each once, in order.
pub(crate) fn targets(stmts: &[Stmt]) -> Vec<Sig> {
    fn go(stmts: &[Stmt], out: &mut Vec<Sig>) {
        for s in stmts {
            match s {
                Stmt::Comment(_) => {}
                Stmt::Set(t, _) => {
                    if !out.iter().any(|s| Arc::ptr_eq(&s.data, &t.sig.data)) {
                        out.push(t.sig.clone());
                    }
                }
                Stmt::If(arms, otherwise) => {
                    arms.iter().for_each(|(_, b)| go(b, out));
                    go(otherwise, out);
                }
                Stmt::Case { arms, default, .. } => {
                    arms.iter().for_each(|(_, b)| go(b, out));
                    default.iter().for_each(|b| go(b, out));
                }
            }
        }
    }
    let mut out = vec![];
    go(stmts, &mut out);
    out
}

/// Calls `f` with every expression that the statements evaluate: values, conditions, selectors, indices.
pub(crate) fn stmt_exprs<'a>(stmts: &'a [Stmt], f: &mut dyn FnMut(&'a Expr)) {
    for s in stmts {
        match s {
            Stmt::Comment(_) => {}
            Stmt::Set(t, e) => {
                if let Part::Dyn(lsb, _) = &t.part {
                    f(lsb);
                }
                f(e);
            }
            Stmt::If(arms, otherwise) => {
                for (c, b) in arms {
                    f(c);
                    stmt_exprs(b, f);
                }
                stmt_exprs(otherwise, f);
            }
            Stmt::Case { sel, arms, default } => {
                f(sel);
                for (labels, b) in arms {
                    labels.iter().for_each(&mut *f);
                    stmt_exprs(b, f);
                }
                default.iter().for_each(|b| stmt_exprs(b, f));
            }
        }
    }
}

/// Calls `f` with every assignment in the statements.
pub(crate) fn sets<'a>(stmts: &'a [Stmt], f: &mut dyn FnMut(&'a Target, &'a Expr)) {
    for s in stmts {
        match s {
            Stmt::Comment(_) => {}
            Stmt::Set(t, e) => f(t, e),
            Stmt::If(arms, otherwise) => {
                arms.iter().for_each(|(_, b)| sets(b, f));
                sets(otherwise, f);
            }
            Stmt::Case { arms, default, .. } => {
                arms.iter().for_each(|(_, b)| sets(b, f));
                default.iter().for_each(|b| sets(b, f));
            }
        }
    }
}

/// Calls `f` with every expression of a module, clocks and resets included.
pub(crate) fn item_exprs(m: &Module, f: &mut dyn FnMut(&Expr)) {
    for item in &m.items {
        match item {
            Item::Assign(_, e) | Item::Unused(e, _) => f(e),
            Item::Comb(_, body) => stmt_exprs(body, &mut |e| f(e)),
            Item::Seq { clk, rst, body, .. } => {
                f(clk);
                rst.iter().for_each(|r| f(r));
                stmt_exprs(body, &mut |e| f(e));
            }
            Item::Instance(n) => m.instances[*n].inputs.iter().for_each(|(_, e)| f(e)),
            Item::Comment(_) | Item::Decl(_) | Item::Initial(..) | Item::Text(_) => {}
        }
    }
}

/// Every signal that a module drives.
pub(crate) fn item_targets(m: &Module) -> Vec<Sig> {
    let mut out = vec![];
    for item in &m.items {
        match item {
            Item::Assign(t, _) => out.push(t.sig.clone()),
            Item::Comb(_, body) | Item::Seq { body, .. } => out.append(&mut targets(body)),
            Item::Instance(n) => {
                out.extend(m.instances[*n].outputs.iter().map(|(_, s)| s.clone()));
            }
            _ => {}
        }
    }
    out
}

/// Ports and declared signals: not the wires that `connect_out` replaced.
pub(crate) fn declared(m: &Module) -> Vec<&Sig> {
    let decls = m.items.iter().filter_map(|i| match i {
        Item::Decl(s) => Some(s.data.index),
        _ => None,
    });
    let decls: std::collections::HashSet<usize> = decls.collect();
    let is_declared = |s: &&Sig| s.data.is_port() || decls.contains(&s.data.index);
    m.sigs.iter().filter(is_declared).collect()
}

/// The bits that a module reads of each of its signals.
pub(crate) fn used(m: &Module) -> Vec<Value> {
    let mut used: Vec<Value> = m.sigs.iter().map(|s| Value::zeros(s.width())).collect();
    item_exprs(m, &mut |e| reads(e, &mut |s, mask| used[s.index].or(&mask)));
    used
}
