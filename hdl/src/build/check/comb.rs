//! Latches, order of assignment in `comb` blocks, combinational loops and paths.

use super::drive::{written, written_in};
use super::{bits_of, Error, Module};
use crate::build::body::{Part, Stmt};
use crate::build::expr::Expr;
use crate::build::module::Item;
use crate::build::sig::{Kind, SigData};
use crate::build::value::Value;
use crate::build::walk;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Signal -> the signals that it depends on without a register between.
type Edges = BTreeMap<usize, BTreeSet<usize>>;

/// The walk through one `comb` block.
struct Flow {
    /// Signals that the block assigns, with the bits assigned on every path so far.
    set: HashMap<usize, Value>,
    /// What each of them depends on so far.
    deps: Edges,
    /// What the enclosing conditions depend on.
    conditions: BTreeSet<usize>,
    early: Vec<Arc<SigData>>,
}

impl Flow {
    fn read(&mut self, e: &Expr) -> BTreeSet<usize> {
        let mut sources = BTreeSet::new();
        walk::reads(e, &mut |s, mask| match self.set.get(&s.index) {
            None => {
                sources.insert(s.index);
            }
            Some(done) => {
                if !done.covers(&mask) && !self.early.iter().any(|x| Arc::ptr_eq(x, s)) {
                    self.early.push(s.clone());
                }
                sources.extend(self.deps.get(&s.index).into_iter().flatten());
            }
        });
        sources
    }

    /// Runs the branches from the same state; a bit is set afterwards when all of them set it.
    fn branches(&mut self, condition: BTreeSet<usize>, branches: &[&[Stmt]]) {
        let outer = self.conditions.clone();
        self.conditions.extend(condition);
        let before = self.set.clone();
        let mut after: Option<HashMap<usize, Value>> = None;
        for b in branches {
            self.set = before.clone();
            self.stmts(b);
            match &mut after {
                None => after = Some(self.set.clone()),
                Some(all) => all.iter_mut().for_each(|(s, v)| v.and(&self.set[s])),
            }
        }
        self.set = after.unwrap_or(before);
        self.conditions = outer;
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        for s in stmts {
            match s {
                Stmt::Comment(_) => {}
                Stmt::Set(t, e) => {
                    let mut sources = self.read(e);
                    if let Part::Dyn(lsb, _) = &t.part {
                        sources.extend(self.read(lsb));
                    }
                    sources.extend(&self.conditions);
                    let index = t.sig.data.index;
                    self.deps.entry(index).or_default().extend(sources);
                    if let (Some(v), false) =
                        (self.set.get_mut(&index), matches!(t.part, Part::Dyn(..)))
                    {
                        v.or(&written(t));
                    }
                }
                Stmt::If(arms, otherwise) => {
                    let mut condition = BTreeSet::new();
                    for (c, _) in arms {
                        condition.extend(self.read(c));
                    }
                    let mut list: Vec<&[Stmt]> = arms.iter().map(|(_, b)| b.as_slice()).collect();
                    list.push(otherwise);
                    self.branches(condition, &list);
                }
                Stmt::Case { sel, arms, default } => {
                    let condition = self.read(sel);
                    let mut list: Vec<&[Stmt]> = arms.iter().map(|(_, b)| b.as_slice()).collect();
                    match default {
                        Some(d) => list.push(d),
                        None if exhaustive(sel, arms) => {}
                        None => list.push(&[]),
                    }
                    self.branches(condition, &list);
                }
            }
        }
    }
}

/// Whether the labels cover every value of the selector.
pub(crate) fn exhaustive(sel: &Expr, arms: &[(Vec<Expr>, Vec<Stmt>)]) -> bool {
    let labels: usize = arms.iter().map(|(l, _)| l.len()).sum();
    sel.width() < usize::BITS as usize && labels == 1 << sel.width()
}

fn block(m: &Module, body: &[Stmt], edges: &mut Edges, errors: &mut Vec<Error>) {
    let own = walk::targets(body);
    let mut flow = Flow {
        set: own
            .iter()
            .map(|s| (s.data.index, Value::zeros(s.width())))
            .collect(),
        deps: Edges::new(),
        conditions: BTreeSet::new(),
        early: vec![],
    };
    flow.stmts(body);
    for s in &flow.early {
        errors.push(Error::ReadBeforeSet {
            module: m.name().into(),
            signal: s.name.clone(),
        });
    }
    for s in own {
        let mut missing = written_in(body, &s);
        missing.and(&flow.set[&s.data.index].not());
        if !missing.is_zero() {
            errors.push(Error::Latch {
                module: m.name().into(),
                signal: bits_of(&s.data, &missing),
            });
        }
    }
    for (s, deps) in flow.deps {
        edges.entry(s).or_default().extend(deps);
    }
}

fn edges(m: &Module, errors: &mut Vec<Error>) -> Edges {
    let mut edges = Edges::new();
    let sources = |e: &Expr| {
        let mut out = BTreeSet::new();
        walk::reads(e, &mut |s, _| {
            out.insert(s.index);
        });
        out
    };
    for item in &m.items {
        match item {
            Item::Assign(t, e) => edges
                .entry(t.sig.data.index)
                .or_default()
                .extend(sources(e)),
            Item::Comb(_, body) => block(m, body, &mut edges, errors),
            Item::Instance(n) => {
                let inst = &m.instances[*n];
                for (from, to) in inst.module.comb_paths() {
                    let input = inst.inputs.iter().find(|(p, _)| *p == from);
                    let output = inst.outputs.iter().find(|(p, _)| *p == to);
                    if let (Some((_, e)), Some((_, s))) = (input, output) {
                        edges.entry(s.data.index).or_default().extend(sources(e));
                    }
                }
            }
            _ => {}
        }
    }
    edges
}

/// A loop reachable from `at`, as the path of signals; `done` holds what is known to be loop-free.
fn find_loop(
    edges: &Edges,
    at: usize,
    path: &mut Vec<usize>,
    done: &mut BTreeSet<usize>,
) -> Option<Vec<usize>> {
    if let Some(i) = path.iter().position(|s| *s == at) {
        return Some(path[i..].iter().copied().chain([at]).collect());
    }
    if done.contains(&at) {
        return None;
    }
    path.push(at);
    let found = edges
        .get(&at)
        .into_iter()
        .flatten()
        .find_map(|s| find_loop(edges, *s, path, done));
    path.pop();
    done.insert(at);
    found
}

pub(super) fn check(m: &Module) -> Vec<Error> {
    let mut errors = vec![];
    let edges = edges(m, &mut errors);
    let mut done = BTreeSet::new();
    for s in edges.keys() {
        if let Some(path) = find_loop(&edges, *s, &mut vec![], &mut done) {
            let path = path.iter().map(|s| m.sigs[*s].name().to_string());
            errors.push(Error::CombLoop {
                module: m.name().into(),
                path: path.collect(),
            });
            break;
        }
    }
    errors
}

/// The combinational paths of a module from inputs to outputs.
pub(super) fn paths(m: &Module) -> Vec<(String, String)> {
    if m.is_leaf() {
        return m.leaf_paths.clone();
    }
    let edges = edges(m, &mut vec![]);
    let mut out = vec![];
    for o in m
        .sigs
        .iter()
        .filter(|s| matches!(s.data.kind, Kind::Output))
    {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![o.data.index]);
        while let Some(s) = todo.pop() {
            if seen.insert(s) {
                todo.extend(edges.get(&s).into_iter().flatten());
            }
        }
        let inputs = seen.iter().map(|s| &m.sigs[*s]);
        let inputs = inputs.filter(|s| matches!(s.data.kind, Kind::Input));
        out.extend(inputs.map(|i| (i.name().to_string(), o.name().to_string())));
    }
    out
}
