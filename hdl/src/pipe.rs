//! Bookkeeping for a pipeline: registers are named after the stage that reads them, and each stage gets one clocked block.

use crate::build::{Expr, Module, Operand, Sig};
use std::collections::BTreeMap;

/// The registers of a pipeline under construction.
#[derive(Debug, Default)]
pub struct Pipe {
    /// By the stage that computes the value.
    stages: BTreeMap<usize, Vec<(Sig, Expr)>>,
}

impl Pipe {
    /// No registers yet.
    pub fn new() -> Self {
        Pipe::default()
    }

    /// Lets stage `stage` load `sig`.
    #[track_caller]
    pub fn load(&mut self, stage: usize, sig: &Sig, value: impl Operand) {
        let value = value.operand(sig.width());
        self.stages
            .entry(stage)
            .or_default()
            .push((sig.clone(), value));
    }

    /// A register `s<stage + 1>_<name>` that stage `stage` loads.
    #[track_caller]
    pub fn reg(&mut self, m: &mut Module, stage: usize, name: &str, value: impl Into<Expr>) -> Sig {
        let value = value.into();
        let sig = m.reg(&format!("s{}_{name}", stage + 1), value.width());
        self.load(stage, &sig, value);
        sig
    }

    /// The same with reset to 0.
    #[track_caller]
    pub fn reg_rst(
        &mut self,
        m: &mut Module,
        stage: usize,
        name: &str,
        value: impl Into<Expr>,
    ) -> Sig {
        let value = value.into();
        let sig = m.reg_rst(&format!("s{}_{name}", stage + 1), value.width(), 0);
        self.load(stage, &sig, value);
        sig
    }

    /// Carries a value that stage `from` sees along to stage `to`: element i is what stage `from` + i sees.
    pub fn carry(
        &mut self,
        m: &mut Module,
        name: &str,
        sig: &Sig,
        from: usize,
        to: usize,
    ) -> Vec<Sig> {
        let mut copies = vec![sig.clone()];
        for stage in from..to {
            let next = self.reg(m, stage, name, &copies[stage - from]);
            copies.push(next);
        }
        copies
    }

    /// The same with reset to 0, for valid bits.
    pub fn carry_rst(
        &mut self,
        m: &mut Module,
        name: &str,
        sig: &Sig,
        from: usize,
        to: usize,
    ) -> Vec<Sig> {
        let mut copies = vec![sig.clone()];
        for stage in from..to {
            let next = self.reg_rst(m, stage, name, &copies[stage - from]);
            copies.push(next);
        }
        copies
    }

    /// Writes the clocked blocks; `titles` says what a stage does.
    pub fn finish(self, m: &mut Module, titles: &[(usize, &str)]) {
        for (stage, loads) in self.stages {
            let title = titles.iter().find(|t| t.0 == stage).map_or("", |t| t.1);
            let title = format!("Stage {stage}: {title}");
            m.seq(title.trim_end_matches(": "), |b| {
                for (sig, value) in &loads {
                    b.set(sig, value);
                }
            });
        }
    }
}
