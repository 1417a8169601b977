//! The checks of a finished module.

mod comb;
mod drive;
mod names;
mod usage;

pub(crate) use comb::exhaustive;

use super::error::{Error, Errors};
use super::module::{Item, Module};
use super::sig::SigData;
use super::value::Value;

impl Module {
    /// Checks this module, not its children.
    ///
    /// # Errors
    /// Every rule that it violates.
    pub fn check(&self) -> Result<(), Errors> {
        let mut errors = names::check(self);
        if errors.is_empty() && !self.is_leaf() {
            errors.append(&mut foreign(self));
            if errors.is_empty() {
                errors.append(&mut drive::check(self));
                errors.append(&mut comb::check(self));
                errors.append(&mut usage::check(self));
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Errors(errors))
        }
    }

    /// Checks this module and everything below it.
    ///
    /// # Errors
    /// Every rule that any of them violates.
    pub fn check_tree(&self) -> Result<(), Errors> {
        let mut errors = vec![];
        for child in &self.instances {
            if let Err(e) = child.module.check_tree() {
                errors.extend(
                    e.0.into_iter()
                        .filter(|e| !errors.contains(e))
                        .collect::<Vec<_>>(),
                );
            }
        }
        if let Err(e) = self.check() {
            errors.extend(e.0);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Errors(errors))
        }
    }

    /// The combinational paths from inputs to outputs, as `(input, output)`, through children too.
    pub fn comb_paths(&self) -> Vec<(String, String)> {
        comb::paths(self)
    }
}

/// `name`, or `name[7:4]` where only some bits are meant.
fn bits_of(s: &SigData, bits: &Value) -> String {
    if bits.is_ones() {
        return s.name.clone();
    }
    let runs = bits.runs();
    let runs = runs.iter().map(|(lsb, w)| match w {
        1 => format!("{lsb}"),
        _ => format!("{}:{lsb}", lsb + w - 1),
    });
    format!("{}[{}]", s.name, runs.collect::<Vec<_>>().join(","))
}

/// Signals that are read or driven here and declared elsewhere.
fn foreign(m: &Module) -> Vec<Error> {
    let mut errors: Vec<Error> = vec![];
    let mut declared = vec![false; m.sigs.len()];
    let ports = m.sigs.iter().filter(|s| s.data.is_port());
    ports.for_each(|s| declared[s.data.index] = true);
    for item in &m.items {
        if let Item::Decl(s) = item {
            declared[s.data.index] = true;
        }
    }
    let mut note = |s: &SigData| {
        if s.module == m.id && declared[s.index] {
            return;
        }
        let e = Error::Foreign {
            module: m.name().into(),
            signal: s.name.clone(),
            owner: s.module_name.to_string(),
        };
        if !errors.contains(&e) {
            errors.push(e);
        }
    };
    super::walk::item_exprs(m, &mut |e| super::walk::reads(e, &mut |s, _| note(s)));
    for t in super::walk::item_targets(m) {
        note(&t.data);
    }
    errors
}
