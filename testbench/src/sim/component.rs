//! Drivers and monitors that run every clock without being tasks.

use super::error::Violation;
use std::cell::{Cell, RefCell};

/// What a component is told at an edge.
pub struct Edge<'a> {
    /// Number of this edge, from 1.
    pub cycle: u64,
    /// The design's reset is active at this edge.
    pub in_reset: bool,
    pub(super) life: &'a Cell<u64>,
    pub(super) violations: &'a RefCell<Vec<Violation>>,
}

impl Edge<'_> {
    /// Says that something moved, for the watchdog.
    #[inline]
    pub fn progress(&self) {
        self.life.set(self.cycle);
    }

    /// Records a broken rule. The run ends with it, unless it was told to collect.
    #[cold]
    pub fn report(&self, checker: &str, rule: &'static str, detail: String) {
        self.violations.borrow_mut().push(Violation {
            cycle: self.cycle,
            checker: checker.to_owned(),
            rule,
            detail,
        });
    }
}

/// Something that looks at the ports before every edge and may drive some after it.
///
/// A component costs two calls a clock; a task that awaits every edge costs ten times that. All drivers and
/// monitors of this crate are components, and tasks sleep until one of them has something for them.
pub trait Component {
    /// Just before the edge: reads settled values. Writes from here take effect after the edge.
    fn sample(&mut self, edge: &Edge<'_>);

    /// Just after the edge: drives inputs. Must not read outputs, which are between two values.
    fn drive(&mut self, _edge: &Edge<'_>) {}

    /// False if [`Self::drive`] does nothing, so that it need not be called. Asked once.
    fn drives(&self) -> bool {
        true
    }

    /// What it still waits for, for the watchdog's message; `None` when idle.
    fn pending(&self) -> Option<String> {
        None
    }
}

/// A closure as a monitor.
pub(super) struct OnEdge<F>(pub(super) F);

impl<F: FnMut(&Edge<'_>)> Component for OnEdge<F> {
    fn sample(&mut self, edge: &Edge<'_>) {
        (self.0)(edge);
    }

    fn drives(&self) -> bool {
        false
    }
}
