//! Branches: `if` chains and `case`.

use super::body::{collect, condition, Body, Stmt};
use super::expr::Expr;
use super::operand::Operand;

/// The branches of [`Body::first`].
#[derive(Debug, Default)]
pub struct Chain {
    pub(crate) arms: Vec<(Expr, Vec<Stmt>)>,
    pub(crate) otherwise: Vec<Stmt>,
}

impl Chain {
    /// The next condition.
    #[track_caller]
    pub fn when(&mut self, c: impl Into<Expr>, then: impl FnOnce(&mut Body)) {
        self.arms.push((condition(c), collect(then)));
    }

    /// When no condition held.
    pub fn otherwise(&mut self, then: impl FnOnce(&mut Body)) {
        self.otherwise = collect(then);
    }
}

/// The branches of [`Body::switch`].
#[derive(Debug)]
pub struct Switch {
    pub(crate) sel: Expr,
    pub(crate) arms: Vec<(Vec<Expr>, Vec<Stmt>)>,
    pub(crate) default: Option<Vec<Stmt>>,
}

impl Switch {
    /// One label: an integer, a literal or a named constant.
    #[track_caller]
    pub fn case(&mut self, label: impl Operand, body: impl FnOnce(&mut Body)) {
        self.cases([label], body);
    }

    /// Several labels with one body.
    #[track_caller]
    pub fn cases<O: Operand>(
        &mut self,
        labels: impl IntoIterator<Item = O>,
        body: impl FnOnce(&mut Body),
    ) {
        let width = self.sel.width();
        let labels: Vec<Expr> = labels.into_iter().map(|l| l.operand(width)).collect();
        for l in &labels {
            let (what, sel) = (l.describe(), self.sel.describe());
            if l.as_value().is_none() || l.width() != width {
                self.sel
                    .refuse(&format!("{what} is no constant label for {sel}"));
            }
            if self
                .arms
                .iter()
                .flat_map(|a| &a.0)
                .any(|x| x.as_value() == l.as_value())
            {
                self.sel
                    .refuse(&format!("label {what} stands twice in a switch of {sel}"));
            }
        }
        self.arms.push((labels, collect(body)));
    }

    /// Every other value.
    pub fn default(&mut self, body: impl FnOnce(&mut Body)) {
        self.default = Some(collect(body));
    }
}
