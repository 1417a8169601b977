//! Splits the one block of a rust-hdl source into independent ones.
//!
//! Statements stay together when they assign the same signal, or when one reads a signal that others have not
//! finished assigning. Everything else sees finished values only, so it may stand alone.

use crate::build::walk;
use crate::build::Stmt;
use std::collections::{BTreeSet, HashMap};

fn reads(s: &Stmt) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    walk::stmt_exprs(std::slice::from_ref(s), &mut |e| {
        walk::reads(e, &mut |d, _| {
            out.insert(d.index);
        })
    });
    out
}

fn find(parent: &mut [usize], i: usize) -> usize {
    if parent[i] != i {
        parent[i] = find(parent, parent[i]);
    }
    parent[i]
}

fn union(parent: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b)] = a.min(b);
}

/// The groups in the order of their first statements. `settled` says of a signal that reading it sees the
/// final value, not the one so far; the result's error is such a signal that is read while it is assigned.
pub(super) fn split(stmts: Vec<Stmt>, settled: &BTreeSet<usize>) -> Result<Vec<Vec<Stmt>>, usize> {
    let mut parent: Vec<usize> = (0..stmts.len()).collect();
    let mut writers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, s) in stmts.iter().enumerate() {
        for t in walk::targets(std::slice::from_ref(s)) {
            let list = writers.entry(t.data.index).or_default();
            if let Some(first) = list.first() {
                union(&mut parent, *first, i);
            }
            list.push(i);
        }
    }
    let reads: Vec<BTreeSet<usize>> = stmts.iter().map(reads).collect();
    for (i, set) in reads.iter().enumerate() {
        for list in set
            .iter()
            .filter(|s| !settled.contains(s))
            .filter_map(|s| writers.get(s))
        {
            // A reader behind every writer sees the final value and may stand alone.
            if list.iter().any(|w| *w >= i) {
                union(&mut parent, list[0], i);
            }
        }
    }
    for (i, set) in reads.iter().enumerate() {
        for s in set.intersection(settled) {
            let together =
                |w: &usize| find(&mut parent.clone(), *w) == find(&mut parent.clone(), i);
            if writers
                .get(s)
                .is_some_and(|list| list.iter().any(|w| *w >= i && together(w)))
            {
                return Err(*s);
            }
        }
    }
    let mut groups: Vec<(usize, Vec<Stmt>)> = vec![];
    let mut comments = vec![];
    for (i, s) in stmts.into_iter().enumerate() {
        if matches!(s, Stmt::Comment(_)) {
            comments.push(s);
            continue;
        }
        let root = find(&mut parent, i);
        let at = groups
            .iter()
            .position(|(r, _)| *r == root)
            .unwrap_or_else(|| {
                groups.push((root, vec![]));
                groups.len() - 1
            });
        groups[at].1.append(&mut comments);
        groups[at].1.push(s);
    }
    Ok(groups.into_iter().map(|(_, g)| g).collect())
}
