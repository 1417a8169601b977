//! Captured blocks to modules.

use super::capture::{AtomNode, Node};
use super::group;
use super::scope::Scope;
use super::Refused;
use crate::build::*;
use rust_hdl_core::ast::Verilog;
use rust_hdl_core::prelude::AtomKind;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Modules by their text, so that equal children become one module.
type Known = HashMap<String, Arc<Module>>;

pub(super) fn assemble(node: Node) -> Result<Module, Refused> {
    let name = node.instance.clone();
    module(&node, &name, &mut Known::new())
}

fn child(node: &Node, parent: &str, known: &mut Known) -> Result<Arc<Module>, Refused> {
    if let Some(m) = &node.built {
        return Ok(Arc::new(m.clone()));
    }
    let plain = node.instance.replace('$', "_");
    // Elements of an array share the array's name where they are equal.
    let stem = plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let m = module(node, &format!("{parent}_{stem}"), known)?;
    let head = format!("module {} (", m.name());
    let text = super::super::module::print(&m).replacen(&head, "module (", 1);
    if let Some(same) = known.get(&text) {
        return Ok(same.clone());
    }
    let taken = known.values().any(|k| k.name() == m.name());
    let m = match taken {
        true => module(node, &format!("{parent}_{plain}"), known)?,
        false => m,
    };
    let m = Arc::new(m);
    known.insert(text, m.clone());
    Ok(m)
}

fn module(node: &Node, name: &str, known: &mut Known) -> Result<Module, Refused> {
    if let Some(m) = &node.built {
        return Ok(m.clone());
    }
    let mut s = Scope {
        path: node.path.clone(),
        m: Module::new(name, "From a rust-hdl description."),
        sigs: HashMap::new(),
        enums: node
            .enums
            .iter()
            .map(|(n, v, w)| (n.clone(), (*v, *w)))
            .collect(),
        states: HashMap::new(),
        dffs: HashSet::new(),
        clocks: HashMap::new(),
        loops: vec![],
    };
    for a in &node.atoms {
        declare(&mut s, a)?;
    }
    match &node.code {
        Verilog::Combinatorial(body) => {
            let mut settled = BTreeSet::new();
            for c in &node.children {
                place(&mut s, c, name, known, &mut settled)?;
            }
            let body = s.block(body, true)?;
            body_items(&mut s, node, body, &settled)?;
        }
        Verilog::Custom(text) if node.children.is_empty() => {
            s.m.text(text.trim_matches('\n'));
        }
        Verilog::Empty if node.children.is_empty() && node.atoms.is_empty() => {}
        Verilog::Custom(_) => return Err(s.unsupported("hand-written Verilog around children")),
        Verilog::Blackbox(_) => return Err(s.unsupported("a black box")),
        Verilog::Wrapper(_) => return Err(s.unsupported("a wrapped core")),
        Verilog::Empty => return Err(s.unsupported("a block without `#[hdl_gen]`")),
    }
    finish(&mut s.m);
    Ok(s.m)
}

fn declare(s: &mut Scope, a: &AtomNode) -> Result<(), Refused> {
    if a.signed {
        return Err(s.unsupported(format!("the signed signal `{}`", a.name)));
    }
    let name = a.name.replace('$', "_");
    let sig = match a.kind {
        AtomKind::InputParameter => {
            let sig = s.m.input(&name, a.width, "");
            s.m.adopt_clock(&sig);
            sig
        }
        AtomKind::OutputParameter => s.m.output(&name, a.width, ""),
        AtomKind::LocalSignal => s.m.wire(&name, a.width),
        AtomKind::Constant => match &a.value {
            Some(v) => s.m.constant_named(&name, a.width, v.clone()),
            None => return Err(s.width(&a.name, "the value of the constant does not fit")),
        },
        _ => return Err(s.unsupported(format!("the bidirectional signal `{}`", a.name))),
    };
    s.sigs.insert(a.name.clone(), sig);
    Ok(())
}

/// A register, or an instance whose inputs are wires until [`body_items`] finds out what drives them.
fn place(
    s: &mut Scope,
    c: &Node,
    parent: &str,
    known: &mut Known,
    settled: &mut BTreeSet<usize>,
) -> Result<(), Refused> {
    let plain = c.instance.replace('$', "_");
    if c.is_dff {
        let Some(q) = c.atoms.iter().find(|a| a.name == "q") else {
            return Err(s.unsupported(format!("register `{}` without `q`", c.instance)));
        };
        if q.signed {
            return Err(s.unsupported(format!("the signed register `{}`", c.instance)));
        }
        let reg = s.m.reg(&plain, q.width);
        if let Some(v) = &q.value {
            s.m.power_up(&reg, v.clone());
        }
        let next = s.m.wire(&format!("{plain}_d"), q.width);
        settled.insert(next.data.index);
        s.sigs.insert(format!("{}$q", c.instance), reg);
        s.sigs.insert(format!("{}$d", c.instance), next);
        s.dffs.insert(c.instance.clone());
        return Ok(());
    }
    let module = child(c, parent, known)?;
    let ports = module.ports();
    let inst = s.m.place(&format!("u_{plain}"), module, None, None);
    for a in c.atoms.iter().filter(|a| a.kind.is_parameter()) {
        let port = a.name.replace('$', "_");
        let Some(p) = ports.iter().find(|p| p.name == port) else {
            return Err(s.unsupported(format!("port `{}` of `{}`", a.name, c.instance)));
        };
        let sig = match p.dir {
            Dir::Out => inst.out(&port),
            Dir::In => {
                let wire = s.m.wire(&format!("{plain}_{port}"), p.width);
                settled.insert(wire.data.index);
                s.m.connect(&inst, &port, &wire);
                wire
            }
        };
        s.sigs.insert(format!("{}${}", c.instance, a.name), sig);
    }
    Ok(())
}

fn body_items(
    s: &mut Scope,
    node: &Node,
    body: Vec<Stmt>,
    settled: &BTreeSet<usize>,
) -> Result<(), Refused> {
    let groups = group::split(body, settled).map_err(|i| {
        let name = s.m.sigs[i].name().to_string();
        s.unsupported(format!("reading `{name}` while it is being assigned"))
    })?;
    for g in groups {
        let sets = g.iter().filter(|s| !matches!(s, Stmt::Comment(_))).count();
        for c in g.iter().filter(|_| sets == 1) {
            if let Stmt::Comment(text) = c {
                s.m.comment(text);
            }
        }
        match g.last() {
            Some(Stmt::Set(t, e)) if sets == 1 && matches!(t.part, Part::Whole) => {
                if !s.m.connect_direct(&t.sig, e) {
                    s.m.items.push(Item::Assign(t.clone(), e.clone()));
                }
            }
            _ if sets == 1 => {
                s.m.items
                    .push(Item::Comb(String::new(), vec![g[g.len() - 1].clone()]))
            }
            _ => s.m.items.push(Item::Comb(String::new(), g)),
        }
    }
    let mut order: Vec<(Sig, Vec<Stmt>)> = vec![];
    for c in node.children.iter().filter(|c| c.is_dff) {
        let Some(clk) = s.clocks.get(&c.instance).cloned() else {
            return Err(s.unsupported(format!("register `{}` without a clock", c.instance)));
        };
        let (q, d) = (
            &s.sigs[&format!("{}$q", c.instance)],
            &s.sigs[&format!("{}$d", c.instance)],
        );
        let set = Stmt::Set(Target::whole(q), d.expr());
        match order
            .iter_mut()
            .find(|(k, _)| k.data.index == clk.data.index)
        {
            Some((_, list)) => list.push(set),
            None => order.push((clk, vec![set])),
        }
    }
    for (clk, body) in order {
        let (doc, rst) = ("Registers".into(), None);
        s.m.items.push(Item::Seq {
            doc,
            clk,
            rst,
            body,
        });
    }
    Ok(())
}

/// Drops signals that nothing drives or reads; says of the rest that the source does not read it.
fn finish(m: &mut Module) {
    if m.is_leaf() {
        return;
    }
    let used = walk::used(m);
    let driven: HashSet<usize> = walk::item_targets(m).iter().map(|s| s.data.index).collect();
    let idle = |s: &Sig| used[s.data.index].is_zero() && !driven.contains(&s.data.index);
    m.items.retain(|i| !matches!(i, Item::Decl(s) if idle(s)));
    let unread =
        |s: &&&Sig| !matches!(s.data.kind, Kind::Output | Kind::OutputReg | Kind::Const(_));
    let mut parts = vec![];
    for s in walk::declared(m).iter().filter(unread) {
        let open = used[s.data.index].not();
        parts.extend(open.runs().into_iter().map(|(lsb, w)| s.bits(lsb, w)));
    }
    if !parts.is_empty() {
        m.unused(cat(&parts), "the source does not read these");
    }
}
