//! States to rows: unrolls repeat blocks, gives each state a row, resolves names.

use super::check;
use super::error::{Error, Fault, Span, Spanned};
use super::fields::ROW_DWORDS;
use super::parse::parse;
use super::row::{Next, Row};
use super::syntax::{Item, State, Target};
use crate::config::Config;
use std::collections::HashMap;

/// What the engine allows a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the program memory.
    pub states: usize,
    /// Steps that a frame may take.
    pub steps: usize,
    /// Bytes of a frame that the parser sees.
    pub window: usize,
}

impl Limits {
    /// Those of a configuration.
    pub const fn of(config: &Config) -> Self {
        Limits {
            states: config.parser_states,
            steps: config.parser_steps,
            window: config.parser_window,
        }
    }
}

/// A compiled program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// File name that it was compiled from.
    pub name: String,
    /// Its rows; row 0 is the start.
    pub rows: Vec<Row>,
    /// The state that each row comes from; copies of a repeat block are numbered: `dstopt_2`.
    pub names: Vec<String>,
    /// Steps that the longest way through it takes.
    pub worst_steps: usize,
}

impl Program {
    /// The rows as the program memory takes them.
    pub fn words(&self) -> Vec<[u32; ROW_DWORDS]> {
        self.rows.iter().map(Row::encode).collect()
    }
}

/// Compiles a program's text. `file` is its name in messages.
pub fn compile(text: &str, file: &str, limits: &Limits) -> Result<Program, Error> {
    rows(text, limits)
        .map(|(nodes, worst_steps)| Program {
            name: file.to_string(),
            rows: nodes.iter().map(|node| node.state.row).collect(),
            names: nodes.into_iter().map(|node| node.label).collect(),
            worst_steps,
        })
        .map_err(|fault| Error::new(fault, text, file))
}

/// A state with a row of its own.
pub(super) struct Node {
    /// The state, its row complete.
    pub(super) state: State,
    /// Its name, numbered if it is a copy.
    pub(super) label: String,
    /// Copy number and block, if it is of a repeat block.
    copy: Option<(usize, usize)>,
    /// Rows that the arms and then `next` lead to, with the place in the text.
    pub(super) ways: Vec<(Next, Span)>,
}

fn rows(text: &str, limits: &Limits) -> Result<(Vec<Node>, usize), Fault> {
    let items = parse(text, limits.window)?;
    let mut nodes = unroll(&items)?;
    if nodes.is_empty() {
        let span = Span { start: 0, len: 0 };
        return Fault::new(span, "a program has at least one state");
    }
    if let Some(first) = nodes.get(limits.states) {
        let message = format!(
            "the program has {} rows: parser_states allows {}",
            nodes.len(),
            limits.states
        );
        return Fault::new(first.state.name.span, message);
    }
    resolve(&items, &mut nodes)?;
    let worst_steps = check::check(&nodes, limits)?;
    Ok((nodes, worst_steps))
}

fn unroll(items: &[Item]) -> Result<Vec<Node>, Fault> {
    let mut nodes: Vec<Node> = Vec::new();
    for (block, item) in items.iter().enumerate() {
        let (copies, states) = match item {
            Item::State(state) => (None, std::slice::from_ref(state)),
            Item::Repeat { copies, states, .. } => (Some(*copies), states.as_slice()),
        };
        for copy in 1..=copies.unwrap_or(1) {
            for state in states {
                let name = &state.name.value;
                let label = match copies {
                    Some(_) => format!("{name}_{copy}"),
                    None => name.clone(),
                };
                let place = copies.map(|_| (copy, block));
                // Copies of one state share its name; anything else that does is a mistake. Labels must differ too,
                // since listings use them as names.
                let twice = nodes.iter().any(|node| {
                    let same_state = node
                        .copy
                        .zip(place)
                        .is_some_and(|(a, b)| a.1 == b.1 && a.0 != b.0);
                    node.label == label || node.state.name.value == *name && !same_state
                });
                if twice {
                    let message = format!("state `{label}` is defined twice");
                    return Fault::new(state.name.span, message);
                }
                nodes.push(Node {
                    state: state.clone(),
                    label,
                    copy: place,
                    ways: Vec::new(),
                });
            }
        }
    }
    Ok(nodes)
}

fn resolve(items: &[Item], nodes: &mut [Node]) -> Result<(), Fault> {
    let rows: HashMap<(String, usize), (u8, Option<usize>)> = nodes
        .iter()
        .enumerate()
        .map(|(row, node)| {
            let copy = node.copy.map_or(1, |(copy, _)| copy);
            let block = node.copy.map(|(_, block)| block);
            ((node.state.name.value.clone(), copy), (row as u8, block))
        })
        .collect();
    let find = |target: &Spanned<Target>, from: Option<(usize, usize)>| {
        let block_of = |name: &str| rows.get(&(name.to_string(), 1)).map(|&(_, block)| block);
        let row = |name: &str, copy| Next::Row(rows[&(name.to_string(), copy)].0);
        match &target.value {
            Target::Accept => Ok(Next::Accept),
            Target::Reject => Ok(Next::Reject),
            Target::State(name) => match (block_of(name), from) {
                (None, _) => Fault::new(target.span, format!("unknown state `{name}`")),
                // Within a block a name means the copy beside this one, from outside the first.
                (Some(Some(block)), Some((copy, own))) if block == own => Ok(row(name, copy)),
                _ => Ok(row(name, 1)),
            },
            Target::Again(name) => match (block_of(name), from) {
                (Some(Some(block)), Some((copy, own))) if block == own => {
                    Ok(match rows.get(&(name.clone(), copy + 1)) {
                        Some(&(row, _)) => Next::Row(row),
                        None => Next::Reject, // replaced by the block's `else` below
                    })
                }
                _ => {
                    let message = format!("`again {name}`: no state `{name}` in this repeat block");
                    Fault::new(target.span, message)
                }
            },
        }
    };
    for node in nodes {
        let last = node.copy.and_then(|(copy, block)| match &items[block] {
            Item::Repeat {
                copies, otherwise, ..
            } if *copies == copy => Some(otherwise),
            _ => None,
        });
        let lead = |target: &Spanned<Target>| {
            let next = find(target, node.copy)?;
            match (&target.value, last) {
                (Target::Again(_), Some(otherwise)) => find(otherwise, None),
                _ => Ok(next),
            }
            .map(|next| (next, target.span))
        };
        let targets = node.state.arms.iter().chain([&node.state.next]);
        node.ways = targets.map(lead).collect::<Result<_, _>>()?;
        for (arm, way) in node
            .state
            .row
            .arms
            .iter_mut()
            .zip(&node.ways[..node.state.arms.len()])
        {
            arm.next = way.0;
        }
        node.state.row.next = node.ways[node.state.arms.len()].0;
    }
    Ok(())
}
