//! A built module is a rust-hdl block: any `Probe` walks it, and it can be held by other blocks.
//!
//! rust-hdl's own printer gets the emitted text as a wrapped core. Our own front door wants the module itself;
//! a `&dyn Block` cannot be cast back, so [`Logic::hdl`] also leaves the module in a slot of this thread while
//! [`capture`] runs.

use super::module::Module;
use super::sig::{Kind, Sig};
use rust_hdl_core::prelude::*;
use std::cell::RefCell;

thread_local! {
    static SLOT: RefCell<Option<Option<Module>>> = const { RefCell::new(None) };
}

/// Calls `node.hdl()`; the second result is the module, when `node` is a built one.
pub(crate) fn capture(node: &dyn Block) -> (Verilog, Option<Module>) {
    SLOT.set(Some(None));
    let verilog = node.hdl();
    (verilog, SLOT.take().flatten())
}

impl Logic for Module {
    /// Built modules are simulated as Verilog, not in rust-hdl.
    fn update(&mut self) {}

    fn hdl(&self) -> Verilog {
        let asked = SLOT.with_borrow_mut(|slot| match slot {
            Some(inner) => {
                *inner = Some(self.clone());
                true
            }
            None => false,
        });
        if asked {
            return Verilog::Empty;
        }
        crate::verilog::wrapper(self)
    }
}

impl Block for Module {
    fn connect_all(&mut self) {}

    fn update_all(&mut self) {}

    fn has_changed(&self) -> bool {
        false
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for s in self.port_sigs() {
            probe.visit_atom(s.name(), s);
        }
        for child in &self.instances {
            child.module.accept(&child.name, probe);
        }
        probe.visit_end_scope(name, self);
    }
}

impl Atom for Sig {
    fn bits(&self) -> usize {
        self.width()
    }

    fn connected(&self) -> bool {
        true
    }

    fn changed(&self) -> bool {
        false
    }

    fn kind(&self) -> AtomKind {
        match self.data.kind {
            Kind::Input => AtomKind::InputParameter,
            Kind::Output | Kind::OutputReg => AtomKind::OutputParameter,
            Kind::Const(_) => AtomKind::Constant,
            Kind::Wire | Kind::Reg => AtomKind::LocalSignal,
        }
    }

    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor {
            name: format!("Bits<{}>", self.width()),
            kind: TypeKind::Bits(self.width()),
        }
    }

    fn vcd(&self) -> VCDValue {
        VCDValue::Vector(vec![vcd::Value::X; self.width()])
    }

    fn id(&self) -> usize {
        (self.data.module as usize) << 24 | self.data.index
    }

    fn verilog(&self) -> VerilogLiteral {
        false.into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        vec![]
    }
}
