//! What the parser makes of the text: states whose rows are complete but for where they lead.

use super::error::Spanned;
use super::row::Row;

/// Where a state or an arm leads, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A state; in a repeat block, its copy beside this one.
    State(String),
    /// A state of the same repeat block: its next copy.
    Again(String),
    /// The frame is accepted.
    Accept,
    /// The frame is rejected.
    Reject,
}

/// One `state`.
#[derive(Clone, Debug)]
pub struct State {
    /// Its name.
    pub name: Spanned<String>,
    /// Its row, with all `next` still open.
    pub row: Row,
    /// Where the arms lead, in their order.
    pub arms: Vec<Spanned<Target>>,
    /// Where it leads when no arm matches.
    pub next: Spanned<Target>,
}

/// One item of the text, in order.
#[derive(Clone, Debug)]
pub enum Item {
    /// A state of its own.
    State(State),
    /// `repeat N else TARGET { ... }`.
    Repeat {
        /// Copies.
        copies: usize,
        /// Where `again` leads from the last copy.
        otherwise: Spanned<Target>,
        /// The states of one copy.
        states: Vec<State>,
    },
}
