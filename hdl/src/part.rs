//! Parts of a block: children some of whose ports are the block's own.

use crate::build::{Dir, Instance, Module, Port};
use std::ops::Deref;

/// A child and its ports. Dereferences to the [`Instance`].
pub(crate) struct Part {
    instance: Instance,
    ports: Vec<Port>,
}

impl Deref for Part {
    type Target = Instance;
    fn deref(&self) -> &Instance {
        &self.instance
    }
}

impl Part {
    /// Places `child` in `m`.
    pub(crate) fn new(m: &mut Module, name: &str, child: Module) -> Self {
        let ports = child.ports();
        let instance = m.instance(name, child);
        Part { instance, ports }
    }

    /// Makes these ports of the child ports of `m`, with their names, widths and meanings.
    ///
    /// # Panics
    /// When the child has no such port: a mistake in the generator.
    pub(crate) fn show(&self, m: &mut Module, names: &[&str]) {
        for name in names {
            let Some(p) = self.ports.iter().find(|p| p.name == *name) else {
                panic!("module `{}`: a part has no port `{name}`", m.name())
            };
            match p.dir {
                Dir::In => {
                    let port = m.input(name, p.width, &p.doc);
                    m.connect(self, name, &port);
                }
                Dir::Out => {
                    let port = m.output(name, p.width, &p.doc);
                    m.connect_out(self, name, &port);
                }
            }
        }
    }
}
