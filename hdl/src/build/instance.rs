//! Instances of modules inside a module.

use super::expr::{Expr, Node};
use super::module::{Dir, Item, Module};
use super::operand::Operand;
use super::sig::{Kind, Sig};
use std::sync::Arc;

/// A child as its parent stores it.
#[derive(Clone, Debug)]
pub(crate) struct InstanceData {
    pub(crate) name: String,
    pub(crate) module: Arc<Module>,
    pub(crate) inputs: Vec<(String, Expr)>,
    pub(crate) outputs: Vec<(String, Sig)>,
}

/// A handle on a child: connects its inputs, reads its outputs.
#[derive(Clone, Debug)]
pub struct Instance {
    index: usize,
    name: String,
    outputs: Vec<(String, Sig)>,
}

impl Instance {
    /// The wire that carries output `port`.
    ///
    /// # Panics
    /// When the child has no such output: a mistake in the generator.
    #[track_caller]
    pub fn out(&self, port: &str) -> Sig {
        match self.outputs.iter().find(|(n, _)| n == port) {
            Some((_, sig)) => sig.clone(),
            None => panic!("instance `{}` has no output `{port}`", self.name),
        }
    }
}

impl Module {
    /// Places a child. Its outputs become wires `<name>_<port>` (without the `u_` of the name); its `clk`
    /// and `rst` are connected to the parent's.
    pub fn instance(&mut self, name: &str, child: impl Into<Arc<Module>>) -> Instance {
        let module: Arc<Module> = child.into();
        let clk = module.clk.is_some().then(|| self.clk());
        let rst = module.rst.is_some().then(|| self.rst());
        self.place(name, module, clk, rst)
    }

    /// Places a child on another clock and reset, for modules between clock domains.
    pub fn instance_on(
        &mut self,
        name: &str,
        child: impl Into<Arc<Module>>,
        clk: &Sig,
        rst: &Sig,
    ) -> Instance {
        let module: Arc<Module> = child.into();
        let clk = module.clk.is_some().then(|| clk.clone());
        let rst = module.rst.is_some().then(|| rst.clone());
        self.place(name, module, clk, rst)
    }

    pub(crate) fn place(
        &mut self,
        name: &str,
        module: Arc<Module>,
        clk: Option<Sig>,
        rst: Option<Sig>,
    ) -> Instance {
        let short = name.strip_prefix("u_").unwrap_or(name);
        let mut outputs = vec![];
        for p in module.ports().iter().filter(|p| p.dir == Dir::Out) {
            let wire = self.wire(&format!("{short}_{}", p.name), p.width);
            outputs.push((p.name.clone(), wire));
        }
        let clk = clk.map(|s| ("clk".to_string(), s.expr()));
        let rst = rst.map(|s| ("rst".to_string(), s.expr()));
        let inputs = clk.into_iter().chain(rst).collect();
        let index = self.instances.len();
        self.instances.push(InstanceData {
            name: name.into(),
            module,
            inputs,
            outputs: outputs.clone(),
        });
        self.items.push(Item::Instance(index));
        let name = name.into();
        Instance {
            index,
            name,
            outputs,
        }
    }

    /// Connects input `port` of a child.
    ///
    /// # Panics
    /// When the child has no such input, it is connected already, or the width differs.
    #[track_caller]
    pub fn connect(&mut self, inst: &Instance, port: &str, value: impl Operand) {
        let owner = self.name.clone();
        let data = &mut self.instances[inst.index];
        let ports = data.module.ports();
        let Some(p) = ports.iter().find(|p| p.name == port && p.dir == Dir::In) else {
            panic!("module `{owner}`: `{}` has no input `{port}`", inst.name)
        };
        let value = value.operand(p.width);
        assert!(
            value.width() == p.width,
            "module `{owner}`: {} connected to input `{port}` ({} bits) of `{}`",
            value.describe(),
            p.width,
            inst.name
        );
        assert!(
            data.inputs.iter().all(|(n, _)| n != port),
            "module `{owner}`: input `{port}` of `{}` is connected twice",
            inst.name
        );
        data.inputs.push((port.into(), value));
        self.place_last(inst);
    }

    /// Lets output `port` of a child drive `sig` of the parent directly, without a wire between them.
    ///
    /// # Panics
    /// When the child has no such output or the width differs.
    #[track_caller]
    pub fn connect_out(&mut self, inst: &Instance, port: &str, sig: &Sig) {
        let wire = inst.out(port);
        assert!(
            wire.width() == sig.width() && matches!(sig.data.kind, Kind::Wire | Kind::Output),
            "module `{}`: output `{port}` ({} bits) of `{}` cannot drive {}",
            self.name,
            wire.width(),
            inst.name,
            sig.describe()
        );
        for (n, s) in &mut self.instances[inst.index].outputs {
            if n == port {
                *s = sig.clone();
            }
        }
        self.items
            .retain(|i| !matches!(i, Item::Decl(s) if s.data.index == wire.data.index));
        self.place_last(inst);
    }

    /// Connects what drives `wire` to the instance input that `wire` is connected to, when there is one.
    pub(crate) fn connect_direct(&mut self, wire: &Sig, value: &Expr) -> bool {
        let index = wire.data.index;
        let is_wire = |e: &Expr| matches!(e.node(), Node::Sig(s) if s.index == index);
        let found = self.instances.iter_mut().enumerate().find_map(|(n, i)| {
            let slot = i.inputs.iter_mut().find(|(_, e)| is_wire(e));
            slot.map(|slot| (n, slot))
        });
        let Some((n, slot)) = found else {
            return false;
        };
        slot.1 = value.clone();
        self.items
            .retain(|i| !matches!(i, Item::Decl(s) if s.data.index == index));
        self.items
            .retain(|i| !matches!(i, Item::Instance(k) if *k == n));
        self.items.push(Item::Instance(n));
        true
    }

    /// An instance is printed after its last connection, so that every name in it is declared.
    fn place_last(&mut self, inst: &Instance) {
        self.items
            .retain(|i| !matches!(i, Item::Instance(n) if *n == inst.index));
        self.items.push(Item::Instance(inst.index));
    }
}
