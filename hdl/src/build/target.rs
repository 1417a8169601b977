//! Modules for a target: a module can bring others that stand in for it where the design is made for a part whose
//! cells do better, and the cells that such a module is made of.

use super::module::Module;
use std::sync::Arc;

/// A cell that the synthesis tool brings, and that a simulation does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The cell's name, also its model's file.
    pub name: &'static str,
    /// A behavioural model of it in Verilog, for simulation only.
    pub model: &'static str,
}

impl Module {
    /// `stand_in` takes this module's place in a design that is made for `target`.
    ///
    /// # Panics
    /// When the ports differ.
    #[track_caller]
    pub fn stand_in(&mut self, target: &'static str, stand_in: Module) {
        assert!(
            stand_in.ports() == self.ports(),
            "module `{}`: its ports differ from those of `{}`, which stands in for it",
            self.name,
            stand_in.name
        );
        self.stand_ins.push((target, Arc::new(stand_in)));
    }

    /// Declares that the text of this leaf instances `cell`.
    pub fn cell(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// The design made for `target`: this module and all below it, each replaced by what stands in for it there.
    pub fn for_target(&self, target: &str) -> Module {
        let stand_in = self.stand_ins.iter().find(|(name, _)| *name == target);
        let mut made = match stand_in {
            Some((_, module)) => Module::clone(module),
            None => self.clone(),
        };
        for instance in &mut made.instances {
            instance.module = Arc::new(instance.module.for_target(target));
        }
        made
    }

    /// Every module of the design once, children before parents, this one last.
    pub fn modules(&self) -> Vec<&Module> {
        let mut all = vec![];
        self.collect(&mut all);
        all
    }

    fn collect<'a>(&'a self, all: &mut Vec<&'a Module>) {
        for instance in &self.instances {
            instance.module.collect(all);
        }
        if all.iter().all(|m| m.name != self.name) {
            all.push(self);
        }
    }
}
