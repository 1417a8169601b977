//! Statements as Verilog text.

use super::expr::{flat, select, select_at, wrapped};
use crate::build::{exhaustive, Part, Stmt, Target};

/// Writes indented lines.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) text: String,
    indent: usize,
}

impl Writer {
    pub(crate) fn new(indent: usize) -> Self {
        let text = String::new();
        Self { text, indent }
    }

    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text += &" ".repeat(self.indent);
            self.text += line;
        }
        self.text += "\n";
    }

    pub(crate) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text += "\n";
        }
    }

    /// A comment, broken at spaces.
    pub(crate) fn comment(&mut self, text: &str) {
        let room = super::expr::COLUMNS - self.indent - 3;
        for paragraph in text.lines() {
            let mut line = String::new();
            for word in paragraph.split(' ') {
                if !line.is_empty() && line.len() + 1 + word.len() > room {
                    self.line(format!("// {line}").trim_end());
                    line.clear();
                }
                if !line.is_empty() {
                    line += " ";
                }
                line += word;
            }
            self.line(format!("// {line}").trim_end());
        }
    }

    pub(crate) fn nested(&mut self, f: impl FnOnce(&mut Self)) {
        self.indent += 4;
        f(self);
        self.indent -= 4;
    }

    /// `head value;` with the value broken over lines where too long.
    pub(crate) fn assignment(&mut self, head: &str, value: &crate::build::Expr) {
        let column = self.indent + head.len() + 1;
        let value = wrapped(value, self.indent, column);
        self.line(&format!("{head} {value};"));
    }

    fn condition(&mut self, head: &str, c: &crate::build::Expr) {
        let c = wrapped(c, self.indent, self.indent + head.len() + 8);
        self.line(&format!("{head}if ({c}) begin"));
    }

    /// Statements with `op` (`=` or `<=`) as the assignment.
    pub(crate) fn stmts(&mut self, stmts: &[Stmt], op: &str) {
        for s in stmts {
            match s {
                Stmt::Comment(text) => self.comment(text),
                Stmt::Set(t, e) => self.assignment(&format!("{} {op}", target(t)), e),
                Stmt::If(arms, otherwise) => {
                    for (i, (c, body)) in arms.iter().enumerate() {
                        self.condition(if i == 0 { "" } else { "end else " }, c);
                        self.nested(|w| w.stmts(body, op));
                    }
                    if !otherwise.is_empty() {
                        self.line("end else begin");
                        self.nested(|w| w.stmts(otherwise, op));
                    }
                    self.line("end");
                }
                Stmt::Case { sel, arms, default } => {
                    self.line(&format!("case ({})", flat(sel)));
                    self.nested(|w| {
                        // The last of all values is the default, or tools see a latch.
                        let full = default.is_none() && exhaustive(sel, arms);
                        for (i, (labels, body)) in arms.iter().enumerate() {
                            let labels: Vec<String> = labels.iter().map(flat).collect();
                            let labels = labels.join(", ");
                            if full && i + 1 == arms.len() {
                                w.comment(&labels);
                                w.arm("default", body, op);
                            } else {
                                w.arm(&labels, body, op);
                            }
                        }
                        if !full {
                            w.arm("default", default.as_deref().unwrap_or(&[]), op);
                        }
                    });
                    self.line("endcase");
                }
            }
        }
    }

    fn arm(&mut self, label: &str, body: &[Stmt], op: &str) {
        if body.is_empty() {
            return self.line(&format!("{label}: ;"));
        }
        self.line(&format!("{label}: begin"));
        self.nested(|w| w.stmts(body, op));
        self.line("end");
    }
}

/// The left-hand side of an assignment.
pub(crate) fn target(t: &Target) -> String {
    match &t.part {
        Part::Whole => t.sig.name().to_string(),
        Part::Bits(lsb, width) => select(t.sig.name(), *lsb, *width),
        Part::Dyn(lsb, width) => select_at(t.sig.name(), lsb, *width),
    }
}
