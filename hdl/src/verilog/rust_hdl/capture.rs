//! Walks a block tree and keeps what the conversion needs.

use crate::build::{rust_hdl, Module, Value};
use rust_hdl_core::prelude::*;

/// One signal of a block.
#[derive(Clone, Debug)]
pub(super) struct AtomNode {
    /// Name with the interface it stands in, joined by `$`.
    pub(super) name: String,
    pub(super) kind: AtomKind,
    pub(super) width: usize,
    pub(super) value: Option<Value>,
    pub(super) signed: bool,
}

/// One block.
pub(super) struct Node {
    /// Name of the instance in its parent.
    pub(super) instance: String,
    pub(super) path: String,
    pub(super) atoms: Vec<AtomNode>,
    /// Enum values that signals of this block or its children can have: name, number, width.
    pub(super) enums: Vec<(String, usize, usize)>,
    pub(super) children: Vec<Node>,
    pub(super) code: Verilog,
    /// Set when the block is a built module; then nothing else matters.
    pub(super) built: Option<Module>,
    pub(super) is_dff: bool,
}

#[derive(Default)]
struct Capture {
    stack: Vec<Node>,
    namespace: Vec<String>,
    top: Option<Node>,
}

pub(super) fn capture(block: &dyn Block, name: &str) -> Node {
    let mut c = Capture::default();
    block.accept(name, &mut c);
    match c.top {
        Some(node) => node,
        // A lone signal or interface: a block without code.
        None => Node {
            instance: name.into(),
            path: name.into(),
            atoms: vec![],
            enums: vec![],
            children: vec![],
            code: Verilog::Empty,
            built: None,
            is_dff: false,
        },
    }
}

/// The value of a literal; the digits of its hexadecimal form are all that rust-hdl shows of it.
pub(super) fn literal(l: &VerilogLiteral, width: usize) -> Option<Value> {
    let text = format!("{l:x}");
    let digits = text.split_once("'h")?.1;
    let mut value = Value::zeros(width);
    for (i, c) in digits.chars().rev().enumerate() {
        let nibble = c.to_digit(16)?;
        for bit in (0..4).filter(|b| nibble >> b & 1 == 1) {
            if i * 4 + bit >= width {
                return None;
            }
            value.set(i * 4 + bit);
        }
    }
    Some(value)
}

fn enums(t: &TypeDescriptor, out: &mut Vec<(String, usize, usize)>) {
    match &t.kind {
        TypeKind::Enum(names) => {
            for (i, n) in names.iter().enumerate() {
                let value = (n.replace("::", "$"), i, clog2(names.len()));
                if !out.contains(&value) {
                    out.push(value);
                }
            }
        }
        TypeKind::Composite(fields) => fields.iter().for_each(|f| enums(&f.kind, out)),
        TypeKind::Bits(_) | TypeKind::Signed(_) => {}
    }
}

fn signed(t: &TypeDescriptor) -> bool {
    match &t.kind {
        TypeKind::Signed(_) => true,
        TypeKind::Composite(fields) => fields.iter().any(|f| signed(&f.kind)),
        TypeKind::Bits(_) | TypeKind::Enum(_) => false,
    }
}

impl Probe for Capture {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let path = match self.stack.last() {
            Some(parent) => format!("{}.{}", parent.path, name),
            None => name.to_string(),
        };
        let (code, built) = rust_hdl::capture(node);
        let is_dff = node.timing().first().is_some_and(|t| t.name == "dff");
        self.namespace.clear();
        self.stack.push(Node {
            instance: name.into(),
            path,
            atoms: vec![],
            enums: vec![],
            children: vec![],
            code,
            built,
            is_dff,
        });
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.namespace.push(name.into());
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let Some(node) = self.stack.last_mut() else {
            return;
        };
        let mut parts = self.namespace.clone();
        parts.push(name.into());
        let descriptor = signal.descriptor();
        enums(&descriptor, &mut node.enums);
        node.atoms.push(AtomNode {
            name: parts.join("$"),
            kind: signal.kind(),
            width: signal.bits(),
            value: literal(&signal.verilog(), signal.bits()),
            signed: signed(&descriptor),
        });
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.namespace.clear();
        let Some(node) = self.stack.pop() else {
            return;
        };
        match self.stack.last_mut() {
            Some(parent) => {
                let new = node.enums.iter().filter(|e| !parent.enums.contains(e));
                let new: Vec<_> = new.cloned().collect();
                parent.enums.extend(new);
                parent.children.push(node);
            }
            None => self.top = Some(node),
        }
    }
}
