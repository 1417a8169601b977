//! What a model is built from: Verilog text, the top module's name, its ports, and build options.

use super::error::BuildError;
use std::path::PathBuf;

/// Direction of a top-level port, seen from the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The testbench drives it.
    Input,
    /// The design drives it.
    Output,
}

/// One port of the top module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortDecl {
    /// Name in the Verilog text.
    pub name: String,
    /// Width in bits, at least 1.
    pub width: u32,
    /// Direction.
    pub direction: Direction,
}

impl PortDecl {
    /// An input of `width` bits.
    pub fn input(name: impl Into<String>, width: u32) -> PortDecl {
        PortDecl {
            name: name.into(),
            width,
            direction: Direction::Input,
        }
    }

    /// An output of `width` bits.
    pub fn output(name: impl Into<String>, width: u32) -> PortDecl {
        PortDecl {
            name: name.into(),
            width,
            direction: Direction::Output,
        }
    }
}

/// A design under test: Verilog text and the ports of its top module.
#[derive(Clone, Debug, Default)]
pub struct Design {
    pub(super) top: String,
    pub(super) sources: Vec<(String, String)>,
    pub(super) ports: Vec<PortDecl>,
}

impl Design {
    /// A design whose top module is `top`.
    pub fn new(top: impl Into<String>) -> Design {
        Design {
            top: top.into(),
            ..Design::default()
        }
    }

    /// Adds one Verilog file: the name that messages and coverage will show, and its text.
    pub fn source(mut self, file: impl Into<String>, text: impl Into<String>) -> Design {
        self.sources.push((file.into(), text.into()));
        self
    }

    /// Adds an input of the top module.
    pub fn input(self, name: impl Into<String>, width: u32) -> Design {
        self.ports([PortDecl::input(name, width)])
    }

    /// Adds an output of the top module.
    pub fn output(self, name: impl Into<String>, width: u32) -> Design {
        self.ports([PortDecl::output(name, width)])
    }

    /// Adds ports of the top module.
    pub fn ports(mut self, ports: impl IntoIterator<Item = PortDecl>) -> Design {
        self.ports.extend(ports);
        self
    }

    /// Replaces `from`, which must occur exactly once in the sources, by `to`: a deliberately broken design, to
    /// prove that a test can fail.
    pub fn mutate(mut self, from: &str, to: &str) -> Result<Design, BuildError> {
        let count: usize = self
            .sources
            .iter()
            .map(|(_, text)| text.matches(from).count())
            .sum();
        if count != 1 {
            let rule = format!("text to be replaced occurs {count} times, not once: `{from}`");
            return Err(BuildError::Design {
                top: self.top,
                rule,
            });
        }
        for (_, text) in &mut self.sources {
            *text = text.replace(from, to);
        }
        Ok(self)
    }

    /// Name of the top module.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// The Verilog files, as (name, text).
    pub fn sources(&self) -> &[(String, String)] {
        &self.sources
    }

    /// Refuses what would otherwise fail as an obscure message of a tool.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let refuse = |rule: String| {
            Err(BuildError::Design {
                top: self.top.clone(),
                rule,
            })
        };
        if !is_identifier(&self.top) {
            return refuse(format!(
                "top module name `{}` is not a plain identifier",
                self.top
            ));
        }
        if self.sources.is_empty() {
            return refuse("no Verilog source".into());
        }
        for (n, (file, _)) in self.sources.iter().enumerate() {
            if file.is_empty() || file.contains('/') {
                return refuse(format!(
                    "source name `{file}` must be a file name without folders"
                ));
            }
            if self.sources[..n].iter().any(|(other, _)| other == file) {
                return refuse(format!("source `{file}` is given twice"));
            }
        }
        for (n, port) in self.ports.iter().enumerate() {
            if !is_identifier(&port.name) {
                return refuse(format!(
                    "port name `{}` is not a plain identifier",
                    port.name
                ));
            }
            if port.width == 0 {
                return refuse(format!("port `{}` has width 0", port.name));
            }
            if self.ports[..n].iter().any(|other| other.name == port.name) {
                return refuse(format!("port `{}` is given twice", port.name));
            }
        }
        Ok(())
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// How hard the C++ compiler works on a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimize {
    /// `-O1`: the build is up to three times faster, the model a quarter slower. For short block tests.
    Short,
    /// `-O2`: for anything that runs more than some hundred thousand clocks.
    #[default]
    Long,
}

/// Options of one build. Each combination has its own entry in the cache.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Optimisation level.
    pub optimize: Optimize,
    /// Compile FST waves in (slower even when off; about 12 times slower when on).
    pub trace: bool,
    /// Count executed lines (about 12 % slower).
    pub coverage: bool,
    /// Verilog macros, `NAME` or `NAME=VALUE`.
    pub defines: Vec<String>,
    /// Cache folder; default `PAGETRAIN_MODELS`, else `build/models` below the workspace root.
    pub cache: Option<PathBuf>,
    /// Verilator and compiler; default [`Toolchain::locate`](super::Toolchain::locate).
    pub toolchain: Option<super::Toolchain>,
}

impl Options {
    /// Options for short block tests: `-O1`, waves if `PAGETRAIN_WAVES` and coverage if
    /// `PAGETRAIN_COVERAGE` is set in the environment.
    pub fn short() -> Options {
        Options {
            optimize: Optimize::Short,
            ..Options::from_env()
        }
    }

    /// Options for long runs: `-O2`, waves and coverage as in [`Options::short`].
    pub fn long() -> Options {
        Options::from_env()
    }

    fn from_env() -> Options {
        Options {
            trace: std::env::var_os(super::WAVES_DIR).is_some(),
            coverage: std::env::var_os(super::COVERAGE_DIR).is_some(),
            ..Options::default()
        }
    }
}
