//! One module as Verilog text.

use super::stmt::{target, Writer};
use crate::build::walk;
use crate::build::{InstanceData, Item, Kind, Module, Part, Sig, Stmt};
use std::collections::HashSet;

/// `module ... endmodule` of a module that has passed the checks and [`super::lower`].
pub(crate) fn print(m: &Module) -> String {
    let procedural = procedural(m);
    let mut w = Writer::new(0);
    w.comment(&m.doc);
    if m.kept {
        w.line("(* keep_hierarchy = \"yes\" *)");
    }
    w.line(&format!("module {} (", m.name()));
    w.nested(|w| ports(w, m, &procedural));
    w.line(");");
    let mut body = Writer::new(4);
    items(&mut body, m, &procedural);
    w.line("");
    w.text += body.text.trim_matches('\n');
    w.line("");
    w.line("endmodule");
    w.text
}

/// The nets assigned in an `always @*`: Verilog wants them declared `reg`.
fn procedural(m: &Module) -> HashSet<usize> {
    let blocks = m.items.iter().filter_map(|i| match i {
        Item::Comb(_, body) if !is_constant(body) => Some(body),
        _ => None,
    });
    let targets = blocks.flat_map(|b| walk::targets(b));
    targets.map(|s| s.data.index).collect()
}

fn range(width: usize) -> String {
    match width {
        1 => String::new(),
        _ => format!("[{}:0]", width - 1),
    }
}

fn ports(w: &mut Writer, m: &Module, procedural: &HashSet<usize>) {
    let list = m.port_sigs();
    let widest = list.iter().map(|s| range(s.width()).len()).max();
    let widest = widest.unwrap_or(0);
    let longest = list.iter().map(|s| s.name().len()).max().unwrap_or(0);
    for (i, s) in list.iter().enumerate() {
        let dir = match s.data.kind {
            Kind::Input => "input  wire",
            Kind::OutputReg => "output reg ",
            _ if procedural.contains(&s.data.index) => "output reg ",
            _ => "output wire",
        };
        let comma = if i + 1 < list.len() { "," } else { "" };
        let name = format!("{}{comma}", s.name());
        let range = range(s.width());
        let line = match widest {
            0 => format!("{dir} {name}"),
            _ => format!("{dir} {range:widest$} {name}"),
        };
        let doc = &s.data.doc;
        let pad = (longest + 1).saturating_sub(name.len());
        let full = format!("{line}{} // {doc}", " ".repeat(pad));
        if doc.is_empty() {
            w.line(&line);
        } else if full.len() + 4 <= super::expr::COLUMNS + 10 {
            w.line(&full);
        } else {
            w.comment(doc);
            w.line(&line);
        }
    }
}

fn declaration(s: &Sig, procedural: &HashSet<usize>) -> String {
    let word = match &s.data.kind {
        Kind::Const(_) => "localparam",
        Kind::Reg => "reg",
        _ if procedural.contains(&s.data.index) => "reg",
        _ => "wire",
    };
    let range = range(s.width());
    let sep = if range.is_empty() { "" } else { " " };
    format!("{word} {range}{sep}{}", s.name())
}

/// Whether a `comb` block reads nothing: a simulator would never run it, so it is printed as `assign`.
fn is_constant(body: &[Stmt]) -> bool {
    let mut reads = false;
    walk::stmt_exprs(body, &mut |e| walk::reads(e, &mut |_, _| reads = true));
    !reads
        && body
            .iter()
            .all(|s| matches!(s, Stmt::Set(t, _) if matches!(t.part, Part::Whole)))
}

fn items(w: &mut Writer, m: &Module, procedural: &HashSet<usize>) {
    let (mut unused, mut skip) = (0, false);
    for (i, item) in m.items.iter().enumerate() {
        if std::mem::take(&mut skip) {
            continue;
        }
        match item {
            Item::Comment(text) => {
                w.blank();
                w.comment(text);
            }
            Item::Decl(s) => {
                let head = declaration(s, procedural);
                match (&s.data.kind, m.items.get(i + 1)) {
                    (Kind::Const(v), _) => w.line(&format!("{head} = {v};")),
                    (_, Some(Item::Assign(t, e)))
                        if t.sig.data.index == s.data.index && matches!(t.part, Part::Whole) =>
                    {
                        w.assignment(&format!("{head} ="), e);
                        skip = true;
                    }
                    _ => w.line(&format!("{head};")),
                }
            }
            Item::Assign(t, e) => w.assignment(&format!("assign {} =", target(t)), e),
            Item::Comb(doc, body) if is_constant(body) => {
                w.blank();
                w.comment(doc);
                let last = |s: &Sig| {
                    body.iter().rev().find_map(|x| match x {
                        Stmt::Set(t, e) if t.sig.data.index == s.data.index => Some(e),
                        _ => None,
                    })
                };
                for s in walk::targets(body) {
                    if let Some(e) = last(&s) {
                        w.assignment(&format!("assign {} =", s.name()), e);
                    }
                }
            }
            Item::Comb(doc, body) => {
                w.blank();
                w.comment(doc);
                w.line("always @* begin");
                w.nested(|w| w.stmts(body, "="));
                w.line("end");
                w.blank();
            }
            Item::Seq {
                doc,
                clk,
                rst,
                body,
            } => {
                w.blank();
                w.comment(doc);
                w.line(&format!("always @(posedge {}) begin", clk.name()));
                w.nested(|w| {
                    w.stmts(body, "<=");
                    reset(w, rst.as_ref(), body);
                });
                w.line("end");
                w.blank();
            }
            Item::Instance(n) => instance(w, &m.instances[*n]),
            Item::Unused(e, reason) => {
                w.comment(&format!("Not used: {reason}"));
                w.assignment(&format!("wire unused_{unused} ="), &e.any());
                unused += 1;
            }
            Item::Initial(s, v) => w.line(&format!("initial {} = {v};", s.name())),
            Item::Text(text) => text.lines().for_each(|l| w.line(l)),
        }
    }
}

fn reset(w: &mut Writer, rst: Option<&Sig>, body: &[Stmt]) {
    let Some(rst) = rst else { return };
    w.line(&format!("if ({}) begin", rst.name()));
    w.nested(|w| {
        for s in walk::targets(body) {
            if let Some(v) = &s.data.reset {
                w.line(&format!("{} <= {v};", s.name()));
            }
        }
    });
    w.line("end");
}

fn instance(w: &mut Writer, inst: &InstanceData) {
    w.blank();
    w.line(&format!("{} {} (", inst.module.name(), inst.name));
    let list = inst.module.ports();
    let longest = list.iter().map(|p| p.name.len()).max().unwrap_or(0);
    w.nested(|w| {
        for (i, p) in list.iter().enumerate() {
            let comma = if i + 1 < list.len() { "," } else { "" };
            let input = inst.inputs.iter().find(|(n, _)| *n == p.name);
            let output = inst.outputs.iter().find(|(n, _)| *n == p.name);
            let value = match (input, output) {
                (Some((_, e)), _) => super::expr::wrapped(e, 8, 8 + longest + 3),
                (_, Some((_, s))) => s.name().to_string(),
                // The checks refuse an open input before anything is printed.
                _ => String::new(),
            };
            w.line(&format!(".{:longest$} ({value}){comma}", p.name));
        }
    });
    w.line(");");
    w.blank();
}
