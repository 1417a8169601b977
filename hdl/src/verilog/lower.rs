//! Gives a name to what Verilog can slice only by name: `(a + b)[7:4]` becomes a wire and its slice.

use crate::build::walk;
use crate::build::{Error, Expr, Item, Kind, Module, Node, Part, Sig, Stmt, Target, Value};
use std::collections::HashSet;
use std::sync::Arc;

/// The module with every part select on a name. Bits of new names that nobody reads get a sink.
pub(crate) fn lower(m: &Module) -> Result<Module, Error> {
    let mut out = m.clone();
    out.items.clear();
    let mut l = Lower {
        taken: m.sigs.iter().map(|s| s.name().to_string()).collect(),
        out,
        pending: vec![],
        made: vec![],
        own: HashSet::new(),
        clash: None,
    };
    for item in &m.items {
        let lowered = l.item(item);
        let mut pending = std::mem::take(&mut l.pending);
        // A declaration stays beside the assignment that it merges with.
        let decl = match (&lowered, l.out.items.last()) {
            (Item::Assign(t, _), Some(Item::Decl(s)))
                if !pending.is_empty() && s.data.index == t.sig.data.index =>
            {
                l.out.items.pop()
            }
            _ => None,
        };
        l.out.items.append(&mut pending);
        l.out.items.extend(decl);
        l.out.items.push(lowered);
    }
    if let Some((term, signal)) = l.clash {
        return Err(Error::SliceOfBlockVariable {
            module: m.name().into(),
            term,
            signal,
        });
    }
    let made = std::mem::take(&mut l.made);
    let mut out = l.out;
    sinks(&mut out, &made);
    Ok(out)
}

fn sinks(out: &mut Module, made: &[Sig]) {
    for s in made {
        let mut used = Value::zeros(s.width());
        let mut note = |e: &Expr| {
            walk::reads(e, &mut |d, mask| {
                if d.index == s.data.index {
                    used.or(&mask);
                }
            })
        };
        walk::item_exprs(out, &mut note);
        let parts: Vec<Expr> = used
            .not()
            .runs()
            .iter()
            .map(|(lsb, w)| s.bits(*lsb, *w))
            .collect();
        if !parts.is_empty() {
            out.unused(
                crate::build::cat_lsb_first(&parts),
                "bits outside the slices taken",
            );
        }
    }
}

struct Lower {
    out: Module,
    taken: HashSet<String>,
    pending: Vec<Item>,
    made: Vec<Sig>,
    /// Signals that the current `comb` block assigns: a wire outside would see another value of them.
    own: HashSet<usize>,
    clash: Option<(String, String)>,
}

impl Lower {
    fn item(&mut self, item: &Item) -> Item {
        match item {
            Item::Assign(t, e) => {
                let hint = t.sig.name().to_string();
                Item::Assign(t.clone(), self.expr(e, &hint))
            }
            Item::Comb(doc, body) => {
                self.own = walk::targets(body).iter().map(|s| s.data.index).collect();
                let body = self.stmts(body);
                self.own.clear();
                Item::Comb(doc.clone(), body)
            }
            Item::Seq {
                doc,
                clk,
                rst,
                body,
            } => Item::Seq {
                doc: doc.clone(),
                clk: clk.clone(),
                rst: rst.clone(),
                body: self.stmts(body),
            },
            Item::Instance(n) => {
                let mut inputs = std::mem::take(&mut self.out.instances[*n].inputs);
                for (port, e) in &mut inputs {
                    let hint = format!("{}_{port}", self.out.instances[*n].name);
                    *e = self.expr(e, &hint);
                }
                self.out.instances[*n].inputs = inputs;
                Item::Instance(*n)
            }
            Item::Unused(e, reason) => Item::Unused(self.expr(e, "unused"), reason.clone()),
            Item::Comment(_) | Item::Decl(_) | Item::Initial(..) | Item::Text(_) => item.clone(),
        }
    }

    fn stmts(&mut self, stmts: &[Stmt]) -> Vec<Stmt> {
        stmts.iter().map(|s| self.stmt(s)).collect()
    }

    fn stmt(&mut self, s: &Stmt) -> Stmt {
        match s {
            Stmt::Comment(_) => s.clone(),
            Stmt::Set(t, e) => {
                let hint = t.sig.name().to_string();
                let part = match &t.part {
                    Part::Dyn(lsb, w) => Part::Dyn(self.expr(lsb, &hint), *w),
                    p => p.clone(),
                };
                let sig = t.sig.clone();
                Stmt::Set(Target { sig, part }, self.expr(e, &hint))
            }
            Stmt::If(arms, otherwise) => {
                let arm = |(c, b): &(Expr, Vec<Stmt>)| (self.expr(c, "condition"), self.stmts(b));
                let arms = arms.iter().map(arm).collect();
                Stmt::If(arms, self.stmts(otherwise))
            }
            Stmt::Case { sel, arms, default } => Stmt::Case {
                sel: self.expr(sel, "selector"),
                arms: arms
                    .iter()
                    .map(|(l, b)| (l.clone(), self.stmts(b)))
                    .collect(),
                default: default.as_ref().map(|b| self.stmts(b)),
            },
        }
    }

    fn expr(&mut self, e: &Expr, hint: &str) -> Expr {
        if !has_term(e) {
            return e.clone();
        }
        let node = match e.node() {
            Node::Lit(_) | Node::Sig(_) => return e.clone(),
            Node::Not(a) => Node::Not(self.expr(a, hint)),
            Node::Reduce(op, a) => Node::Reduce(*op, self.expr(a, hint)),
            Node::ShiftBy(op, a, n) => Node::ShiftBy(*op, self.expr(a, hint), *n),
            Node::Repeat(a, n) => Node::Repeat(self.expr(a, hint), *n),
            Node::Binary(op, a, b) => Node::Binary(*op, self.expr(a, hint), self.expr(b, hint)),
            Node::Cat(parts) => Node::Cat(parts.iter().map(|p| self.expr(p, hint)).collect()),
            Node::Mux(c, a, b) => {
                Node::Mux(self.expr(c, hint), self.expr(a, hint), self.expr(b, hint))
            }
            Node::Slice(a, lsb) => Node::Slice(self.name(a, hint), *lsb),
            Node::Dyn(a, lsb) => Node::Dyn(self.name(a, hint), self.expr(lsb, hint)),
        };
        Expr::raw(e.width(), node)
    }

    /// `a` as a name: itself, or a new wire that carries it. Equal nodes share one wire.
    fn name(&mut self, a: &Expr, hint: &str) -> Expr {
        if matches!(a.node(), Node::Sig(s) if !matches!(s.kind, Kind::Const(_))) {
            return a.clone();
        }
        let value = self.expr(a, hint);
        walk::reads(&value, &mut |s, _| {
            if self.own.contains(&s.index) {
                self.clash = Some((value.to_string(), s.name.clone()));
            }
        });
        let same = |i: &Item| match i {
            Item::Assign(t, e)
                if e.width() == value.width() && e.to_string() == value.to_string() =>
            {
                self.made
                    .iter()
                    .find(|s| Arc::ptr_eq(&s.data, &t.sig.data))
                    .cloned()
            }
            _ => None,
        };
        if let Some(s) = self.out.items.iter().chain(&self.pending).find_map(same) {
            return s.expr();
        }
        let mut name = format!("{hint}_term");
        let mut n = 1;
        while !self.taken.insert(name.clone()) {
            name = format!("{hint}_term_{n}");
            n += 1;
        }
        let kept = self.out.items.len();
        let sig = self.out.named(&name, value);
        self.pending.extend(self.out.items.drain(kept..));
        self.made.push(sig.clone());
        sig.expr()
    }
}

/// Whether `e` holds a part select of something other than a name.
fn has_term(e: &Expr) -> bool {
    match e.node() {
        Node::Slice(a, _) | Node::Dyn(a, _) if !matches!(a.node(), Node::Sig(s) if !matches!(s.kind, Kind::Const(_))) => {
            true
        }
        _ => e.operands().into_iter().any(has_term),
    }
}
