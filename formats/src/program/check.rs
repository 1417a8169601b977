//! Checks of the graph of states: bounded, all of it reachable, short enough, and no accept that the engine would refuse.

use super::compile::{Limits, Node};
use super::error::Fault;
use super::fields::{TCP, UDP, V4, V6};
use super::row::Next;
use std::collections::HashSet;

/// Checks the graph; returns the steps of the longest way.
pub(super) fn check(nodes: &[Node], limits: &Limits) -> Result<usize, Fault> {
    let mut walk = Walk {
        nodes,
        longest: vec![None; nodes.len()],
        path: Vec::new(),
    };
    let steps = walk.from(0)?;
    if let Some(at) = walk.longest.iter().position(Option::is_none) {
        let node = &nodes[at];
        let message = format!("state `{}` is never reached", node.label);
        return Fault::new(node.state.name.span, message);
    }
    if steps > limits.steps {
        let way = walk.longest_way().join(" -> ");
        let message = format!(
            "the longest way takes {steps} steps, parser_steps allows {}: {way}",
            limits.steps
        );
        return Fault::new(nodes[0].state.name.span, message);
    }
    let mut accepts = Accepts {
        nodes,
        seen: HashSet::new(),
    };
    accepts.from(0, Facts::default())?;
    Ok(steps)
}

/// Depth-first walk that finds cycles and the longest way.
struct Walk<'a> {
    nodes: &'a [Node],
    /// Steps from a row to the end, once known.
    longest: Vec<Option<usize>>,
    /// Rows between the start and here.
    path: Vec<usize>,
}

impl Walk<'_> {
    fn from(&mut self, at: usize) -> Result<usize, Fault> {
        if let Some(steps) = self.longest[at] {
            return Ok(steps);
        }
        self.path.push(at);
        let mut steps = 0;
        for &(next, span) in &self.nodes[at].ways {
            let Next::Row(row) = next else { continue };
            let row = usize::from(row);
            if let Some(begin) = self.path.iter().position(|&p| p == row) {
                let names = self.path[begin..].iter().chain([&row]);
                let names: Vec<_> = names.map(|&p| self.nodes[p].label.as_str()).collect();
                let message = format!(
                    "cycle {}: a program must be bounded; use `repeat`",
                    names.join(" -> ")
                );
                return Fault::new(span, message);
            }
            steps = steps.max(self.from(row)?);
        }
        self.path.pop();
        self.longest[at] = Some(steps + 1);
        Ok(steps + 1)
    }

    /// Labels along the longest way.
    fn longest_way(&self) -> Vec<&str> {
        let mut way = vec![self.nodes[0].label.as_str()];
        let mut at = 0;
        while let Some(next) = self.nodes[at]
            .ways
            .iter()
            .filter_map(|&(next, _)| match next {
                Next::Row(row) => Some(usize::from(row)),
                _ => None,
            })
            .max_by_key(|&row| self.longest[row])
        {
            way.push(&self.nodes[next].label);
            at = next;
        }
        way
    }
}

/// What a frame has collected on its way.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Facts {
    set: u8,
    l3: bool,
    l4: bool,
    split: bool,
}

impl Facts {
    /// The rule by which the engine rejects such a frame at its end.
    fn fault(&self) -> Option<&'static str> {
        let has = |flag| self.set & flag != 0;
        let transport = has(TCP) || has(UDP);
        [
            (has(V4) && has(V6), "V4 and V6 together"),
            (has(TCP) && has(UDP), "TCP and UDP together"),
            (has(V4) && !self.l3, "V4 without `mark l3`"),
            (has(V4) && !self.l4, "V4 without `mark l4`"),
            (transport && !self.l4, "TCP or UDP without `mark l4`"),
            (transport && !self.split, "TCP or UDP without `mark split`"),
            (
                transport && !has(V4) && !has(V6),
                "TCP or UDP without V4 or V6",
            ),
        ]
        .into_iter()
        .find_map(|(broken, rule)| broken.then_some(rule))
    }
}

/// Follows every way with what it collects. Few combinations exist, so each is visited once.
struct Accepts<'a> {
    nodes: &'a [Node],
    seen: HashSet<(usize, Facts)>,
}

impl Accepts<'_> {
    fn from(&mut self, at: usize, before: Facts) -> Result<(), Fault> {
        if !self.seen.insert((at, before)) {
            return Ok(());
        }
        let nodes = self.nodes;
        let row = &nodes[at].state.row;
        let arm_sets = row.arms.iter().map(|arm| arm.set);
        let arm_sets = arm_sets.take(nodes[at].ways.len() - 1);
        for (&(next, span), arm_set) in nodes[at].ways.iter().zip(arm_sets.chain([0])) {
            let facts = Facts {
                set: before.set | row.set | arm_set,
                l3: before.l3 || row.mark_l3,
                l4: before.l4 || row.mark_l4,
                split: before.split || row.mark_split,
            };
            match (next, facts.fault()) {
                (Next::Row(row), _) => self.from(row.into(), facts)?,
                (Next::Accept, Some(rule)) => {
                    let message = format!("the engine rejects what is accepted here: {rule}");
                    return Fault::new(span, message);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
