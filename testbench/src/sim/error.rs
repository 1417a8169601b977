//! How a simulation ends when it does not end well.

use std::fmt;

/// A broken rule that a monitor saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Clock edge at which it was seen.
    pub cycle: u64,
    /// The monitor: usually the prefix of its ports.
    pub checker: String,
    /// Short name of the rule, e.g. `tvalid_dropped`.
    pub rule: &'static str,
    /// What was seen and what was due.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cycle {}: {}: {}: {}",
            self.cycle, self.checker, self.rule, self.detail
        )
    }
}

/// What ended a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The design has no such port, or it does not suit its use.
    Port {
        /// Port name.
        port: String,
        /// The rule that is broken.
        rule: String,
    },
    /// Monitors saw broken rules.
    Violations(Vec<Violation>),
    /// A task or component panicked, as a failed assertion does.
    Panic {
        /// The task, or `components`.
        task: String,
        /// The panic's message.
        message: String,
    },
    /// No sign of life for this many clocks; see [`SimConfig::idle_limit`](super::SimConfig::idle_limit).
    Stalled {
        /// Clocks without a sign of life.
        cycles: u64,
        /// What waits for what, one entry a task or component.
        pending: Vec<String>,
    },
    /// The run took more clocks than it was given.
    Deadline {
        /// The limit.
        cycles: u64,
        /// As in [`Failure::Stalled`].
        pending: Vec<String>,
    },
    /// `$finish`, `$stop`, `$error`, `$fatal` or a failed assertion in the design.
    Stopped {
        /// Kind, file, line.
        reason: String,
    },
    /// Waves or coverage were asked for and cannot be had.
    Output {
        /// What and why.
        rule: String,
    },
}

/// Why a simulation failed, with what is needed to run it again.
#[derive(Clone, PartialEq, Eq)]
pub struct SimError {
    /// Top module.
    pub top: String,
    /// Seed of the run.
    pub seed: u64,
    /// Clock edges until then.
    pub cycle: u64,
    /// What happened.
    pub failure: Failure,
}

impl std::error::Error for SimError {}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SimError {
            top,
            seed,
            cycle,
            failure,
        } = self;
        write!(f, "`{top}`, seed {seed}, cycle {cycle}: ")?;
        match failure {
            Failure::Port { port, rule } => write!(f, "port `{port}`: {rule}"),
            Failure::Violations(list) => {
                write!(f, "{} broken rule(s)", list.len())?;
                list.iter()
                    .take(20)
                    .try_for_each(|violation| write!(f, "\n  {violation}"))
            }
            Failure::Panic { task, message } => write!(f, "{task} panicked: {message}"),
            Failure::Stalled { cycles, pending } => {
                write!(f, "nothing moved for {cycles} clocks; pending:")?;
                pending
                    .iter()
                    .try_for_each(|entry| write!(f, "\n  {entry}"))
            }
            Failure::Deadline { cycles, pending } => {
                write!(f, "not done after {cycles} clocks; pending:")?;
                pending
                    .iter()
                    .try_for_each(|entry| write!(f, "\n  {entry}"))
            }
            Failure::Stopped { reason } => write!(f, "the design stopped itself: {reason}"),
            Failure::Output { rule } => f.write_str(rule),
        }?;
        write!(f, "\n  (replay: PAGETRAIN_SEED={seed})")
    }
}

/// As `Display`: `unwrap` in a test shows this one, and it is written for people.
impl fmt::Debug for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
