//! rust-hdl statements to ours: loops unrolled, macros opened, links turned into assignments.

use super::expr::unparen;
use super::scope::Scope;
use super::Refused;
use crate::build::{Expr, Kind, Part, Sig, Stmt, Target};
use rust_hdl_core::ast::*;

impl Scope {
    /// Converts a block; `top` where no condition stands above it.
    pub(super) fn block(
        &mut self,
        b: &[VerilogStatement],
        top: bool,
    ) -> Result<Vec<Stmt>, Refused> {
        let mut out = vec![];
        for s in b {
            self.statement(s, top, &mut out)?;
        }
        Ok(out)
    }

    fn statement(
        &mut self,
        s: &VerilogStatement,
        top: bool,
        out: &mut Vec<Stmt>,
    ) -> Result<(), Refused> {
        match s {
            VerilogStatement::Comment(text) => out.push(Stmt::Comment(comment(text))),
            VerilogStatement::Macro(b) => out.append(&mut self.block(b, top)?),
            VerilogStatement::Loop(l) => {
                for i in l.from.as_usize()..l.to.as_usize() {
                    self.loops.push((l.index.clone(), i as i64));
                    let body = self.block(&l.block, top);
                    self.loops.pop();
                    out.append(&mut body?);
                }
            }
            VerilogStatement::Assignment(l, r) => {
                let name = self.target_name(l)?;
                if let Some(dff) = name
                    .strip_suffix("$clock")
                    .filter(|d| self.dffs.contains(*d))
                {
                    let dff = dff.to_string();
                    return self.clock(&dff, r, top);
                }
                let sig = self.target(&name)?;
                let set = self.assign(sig, r)?;
                out.push(set);
            }
            VerilogStatement::SliceAssignment {
                base,
                width,
                offset,
                replacement,
            } => {
                let name = self.target_name(base)?;
                let sig = self.target(&name)?;
                let part = self.part(&sig, offset, *width)?;
                let value = self.expr(replacement, *width)?;
                out.push(Stmt::Set(Target { sig, part }, value));
            }
            VerilogStatement::If(c) => {
                let s = self.conditional(c)?;
                out.push(s);
            }
            VerilogStatement::Match(m) => {
                let s = self.matching(m)?;
                out.push(s);
            }
            VerilogStatement::Link(links) => {
                for l in links {
                    self.link(l, top, out)?;
                }
            }
        }
        Ok(())
    }

    fn target_name(&self, e: &VerilogExpression) -> Result<String, Refused> {
        match unparen(e) {
            VerilogExpression::Signal(name) => self.fold(name),
            _ => Err(self.unsupported("an assignment to something other than a signal")),
        }
    }

    fn target(&mut self, name: &str) -> Result<Sig, Refused> {
        match self.sigs.get(name) {
            Some(s) if matches!(s.data.kind, Kind::Reg) => {
                Err(self.unsupported(format!("an assignment to the output of register `{name}`")))
            }
            Some(s) => Ok(s.clone()),
            None => self.lookup(name, name).and_then(|_| {
                Err(self.unsupported(format!("an assignment to the constant `{name}`")))
            }),
        }
    }

    fn clock(&mut self, dff: &str, e: &VerilogExpression, top: bool) -> Result<(), Refused> {
        let VerilogExpression::Signal(source) = unparen(e) else {
            return Err(self.unsupported(format!("a computed clock of register `{dff}`")));
        };
        let folded = self.fold(source)?;
        let Some(clk) = self.sigs.get(&folded).cloned() else {
            return self.lookup(&folded, source).map(drop);
        };
        let twice = self.clocks.insert(dff.into(), clk).is_some();
        if twice || !top {
            return Err(self.unsupported(format!("a switched clock of register `{dff}`")));
        }
        Ok(())
    }

    /// `x.next = x.val().replace_bit(i, v)` reads better as `x[i] = v`.
    fn assign(&mut self, sig: Sig, r: &VerilogExpression) -> Result<Stmt, Refused> {
        if let VerilogExpression::IndexReplace(base, i, v) = unparen(r) {
            if let VerilogExpression::Signal(name) = unparen(base) {
                let folded = self.fold(name)?;
                let same = self
                    .sigs
                    .get(&folded)
                    .is_some_and(|s| s.data.index == sig.data.index);
                if same && sig.width() > 1 {
                    let part = self.part(&sig, i, 1)?;
                    let value = self.expr(v, 1)?;
                    return Ok(Stmt::Set(Target { sig, part }, value));
                }
            }
        }
        let value = self.expr(r, sig.width())?;
        Ok(Stmt::Set(Target::whole(&sig), value))
    }

    fn part(
        &mut self,
        sig: &Sig,
        offset: &VerilogExpression,
        width: usize,
    ) -> Result<Part, Refused> {
        if width == 0 || width > sig.width() {
            return Err(self.width(sig.describe(), format!("no {width} bits in it")));
        }
        if width == sig.width() {
            return Ok(Part::Whole);
        }
        match self.constant(offset) {
            Some(k) => match usize::try_from(k).ok().filter(|k| k + width <= sig.width()) {
                Some(k) => Ok(Part::Bits(k, width)),
                None => Err(self.width(
                    sig.describe(),
                    format!("no {width} bits from bit {k} in it"),
                )),
            },
            None => {
                let need = crate::build::clog2(sig.width()).max(1);
                Ok(Part::Dyn(self.offset(offset, need)?, width))
            }
        }
    }

    fn conditional(&mut self, c: &VerilogConditional) -> Result<Stmt, Refused> {
        let mut arms = vec![(self.expr(&c.test, 1)?, self.block(&c.then, false)?)];
        let mut rest = &c.otherwise;
        loop {
            match rest {
                VerilogBlockOrConditional::None => return Ok(Stmt::If(arms, vec![])),
                VerilogBlockOrConditional::Block(b) => {
                    return Ok(Stmt::If(arms, self.block(b, false)?))
                }
                VerilogBlockOrConditional::Conditional(s) => match s.as_ref() {
                    VerilogStatement::If(c) => {
                        arms.push((self.expr(&c.test, 1)?, self.block(&c.then, false)?));
                        rest = &c.otherwise;
                    }
                    s => {
                        let mut other = vec![];
                        self.statement(s, false, &mut other)?;
                        return Ok(Stmt::If(arms, other));
                    }
                },
            }
        }
    }

    fn matching(&mut self, m: &VerilogMatch) -> Result<Stmt, Refused> {
        let sel = self.own_width(&m.test)?;
        let (mut arms, mut default) = (vec![], None);
        for case in &m.cases {
            // Rust takes the first arm that fits: nothing after `_` is reached.
            if default.is_some() {
                return Err(self.unsupported("a match arm behind `_`"));
            }
            let body = self.block(&case.block, false)?;
            if case.condition == "default" {
                default = Some(body);
            } else {
                let label = self.label(&case.condition, &sel)?;
                arms.push((vec![label], body));
            }
        }
        Ok(Stmt::Case { sel, arms, default })
    }

    fn label(&mut self, text: &str, sel: &Expr) -> Result<Expr, Refused> {
        let label = match integer(text) {
            Some(n) => self.expr(&VerilogExpression::Literal(n.into()), sel.width())?,
            None => {
                let folded = self.fold(text)?;
                self.lookup(&folded, text)?
            }
        };
        if label.as_value().is_none() || label.width() != sel.width() {
            return Err(self.width(label.describe(), format!("no label for {}", sel.describe())));
        }
        Ok(label)
    }

    fn link(&mut self, l: &VerilogLink, top: bool, out: &mut Vec<Stmt>) -> Result<(), Refused> {
        let (d, forward) = match l {
            VerilogLink::Forward(d) => (d, true),
            VerilogLink::Backward(d) => (d, false),
            VerilogLink::Bidirectional(_) => return Err(self.unsupported("a bidirectional link")),
        };
        let name = |side: &str| match d.my_name.trim_start_matches('.') {
            "" => side.to_string(),
            port => format!("{side}${port}"),
        };
        let (owner, other) = (name(&d.owner_name), name(&d.other_name));
        let (to, from) = if forward {
            (other, owner)
        } else {
            (owner, other)
        };
        let set = VerilogStatement::Assignment(
            VerilogExpression::Signal(to),
            VerilogExpression::Signal(from),
        );
        self.statement(&set, top, out)
    }
}

/// The text of a `comment!("...")`, which arrives as the macro call.
fn comment(text: &str) -> String {
    let inner = text.split_once("(\"").map_or(text, |(_, t)| t);
    inner.trim_end_matches("\")").to_string()
}

/// A Rust integer literal: `12`, `0x1f`, `0b11`, `1_000`, `7_u8`.
fn integer(text: &str) -> Option<u128> {
    let mut t = text.trim().replace('_', "");
    for suffix in ["usize", "u8", "u16", "u32", "u64", "u128", "i32", "i64"] {
        if let Some(rest) = t.strip_suffix(suffix) {
            t = rest.to_string();
            break;
        }
    }
    match t.get(..2) {
        Some("0x") => u128::from_str_radix(&t[2..], 16).ok(),
        Some("0b") => u128::from_str_radix(&t[2..], 2).ok(),
        _ if t == "true" => Some(1),
        _ if t == "false" => Some(0),
        _ => t.parse().ok(),
    }
}
