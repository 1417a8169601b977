//! What the checks refuse.

use std::fmt;

/// One violated rule of a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name that Verilog or a reader would stumble over.
    #[error("module `{module}`: name `{name}` {rule}")]
    BadName {
        /// The module.
        module: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        rule: &'static str,
    },
    /// A signal of no bits.
    #[error("module `{module}`: `{signal}` has zero width")]
    ZeroWidth {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
    },
    /// Bits that nothing drives.
    #[error("module `{module}`: `{signal}` is never driven")]
    Undriven {
        /// The module.
        module: String,
        /// The signal, with the bits where not all of it.
        signal: String,
    },
    /// Bits that two places drive.
    #[error("module `{module}`: `{signal}` is driven from two places")]
    DrivenTwice {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
    },
    /// A driver that does not fit the kind of signal.
    #[error("module `{module}`: `{signal}` {rule}")]
    WrongDriver {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
        /// What drives it wrongly.
        rule: &'static str,
    },
    /// A signal of another module, or one that [`connect_out`](super::Module::connect_out) replaced.
    #[error("module `{module}`: `{signal}` is not declared here, but in module `{owner}`")]
    Foreign {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
        /// The module that the signal belongs to.
        owner: String,
    },
    /// A path through a `comb` block that leaves a signal unassigned.
    #[error("module `{module}`: latch: a path through a comb block does not assign `{signal}`")]
    Latch {
        /// The module.
        module: String,
        /// The signal, with the bits where not all of it.
        signal: String,
    },
    /// A `comb` block that reads its own signal before it has assigned it.
    #[error("module `{module}`: a comb block reads `{signal}` before it assigns it")]
    ReadBeforeSet {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
    },
    /// A signal that depends on itself without a register between.
    #[error("module `{module}`: combinational loop {}", .path.join(" <- "))]
    CombLoop {
        /// The module.
        module: String,
        /// The signals of the loop.
        path: Vec<String>,
    },
    /// An instance input that nothing drives.
    #[error("module `{module}`: input `{port}` of `{instance}` is not connected")]
    OpenInput {
        /// The module.
        module: String,
        /// The instance.
        instance: String,
        /// Its port.
        port: String,
    },
    /// Bits that nothing reads and no `unused` explains.
    #[error("module `{module}`: `{signal}` is never read (say why with `unused`)")]
    Unused {
        /// The module.
        module: String,
        /// The signal, with the bits where not all of it.
        signal: String,
    },
    /// Two different modules of one name in a design.
    #[error(
        "module `{module}`: two modules of this name differ; put the parameters into the name"
    )]
    NameConflict {
        /// The module.
        module: String,
    },
    /// A part select of an expression over a signal that its own `comb` block assigns: the wire that would
    /// name the expression stands outside the block and would see another value.
    #[error("module `{module}`: `{term}` is sliced and reads `{signal}`, which the same comb block assigns; name it with a signal")]
    SliceOfBlockVariable {
        /// The module.
        module: String,
        /// The expression.
        term: String,
        /// The signal.
        signal: String,
    },
}

/// Everything wrong with a design, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, e) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            e.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
