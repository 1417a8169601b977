//! Every bit of every signal is driven once, by the right kind of driver; every instance input is connected.

use super::{bits_of, Error, Module};
use crate::build::body::{Part, Stmt, Target};
use crate::build::module::{Dir, Item};
use crate::build::sig::{Kind, Sig};
use crate::build::value::Value;
use crate::build::walk;

/// The bits that a target may write.
pub(super) fn written(t: &Target) -> Value {
    let mut mask = Value::zeros(t.sig.width());
    match t.part {
        Part::Whole | Part::Dyn(..) => mask.set_range(0, t.sig.width()),
        Part::Bits(lsb, w) => mask.set_range(lsb, w),
    }
    mask
}

/// The bits of `sig` that the statements may write.
pub(super) fn written_in(stmts: &[Stmt], sig: &Sig) -> Value {
    let mut mask = Value::zeros(sig.width());
    walk::sets(stmts, &mut |t, _| {
        if t.sig.data.index == sig.data.index {
            mask.or(&written(t));
        }
    });
    mask
}

struct Drivers<'a> {
    m: &'a Module,
    driven: Vec<Value>,
    errors: Vec<Error>,
}

impl Drivers<'_> {
    fn drive(&mut self, sig: &Sig, mask: &Value) {
        let slot = &mut self.driven[sig.data.index];
        if slot.intersects(mask) {
            let module = self.m.name().into();
            let signal = sig.name().into();
            let e = Error::DrivenTwice { module, signal };
            if !self.errors.contains(&e) {
                self.errors.push(e);
            }
        }
        slot.or(mask);
    }

    fn kind(&mut self, sig: &Sig, clocked: bool) {
        let rule = match sig.data.kind {
            Kind::Input => "is an input and is driven inside the module",
            Kind::Const(_) => "is a constant and is driven",
            Kind::Reg | Kind::OutputReg if !clocked => "is a register and is not driven by seq",
            Kind::Wire | Kind::Output if clocked => "is no register and is driven by seq",
            _ => return,
        };
        let module = self.m.name().into();
        let signal = sig.name().into();
        self.errors.push(Error::WrongDriver {
            module,
            signal,
            rule,
        });
    }
}

pub(super) fn check(m: &Module) -> Vec<Error> {
    let driven = m.sigs.iter().map(|s| Value::zeros(s.width())).collect();
    let mut d = Drivers {
        m,
        driven,
        errors: vec![],
    };
    for item in &m.items {
        match item {
            Item::Assign(t, _) => {
                d.kind(&t.sig, false);
                d.drive(&t.sig, &written(t));
            }
            Item::Comb(_, body) | Item::Seq { body, .. } => {
                let clocked = matches!(item, Item::Seq { .. });
                for s in walk::targets(body) {
                    d.kind(&s, clocked);
                    d.drive(&s, &written_in(body, &s));
                }
            }
            Item::Instance(n) => {
                for (_, s) in &m.instances[*n].outputs {
                    d.kind(s, false);
                    d.drive(s, &Value::ones(s.width()));
                }
            }
            Item::Comment(_)
            | Item::Decl(_)
            | Item::Unused(..)
            | Item::Initial(..)
            | Item::Text(_) => {}
        }
    }
    let mut errors = d.errors;
    for s in walk::declared(m) {
        let open = d.driven[s.data.index].not();
        if matches!(s.data.kind, Kind::Input | Kind::Const(_)) || open.is_zero() {
            continue;
        }
        let (module, signal) = (m.name().into(), bits_of(&s.data, &open));
        errors.push(Error::Undriven { module, signal });
    }
    for inst in &m.instances {
        let ports = inst.module.ports().into_iter().filter(|p| p.dir == Dir::In);
        let open = ports.filter(|p| inst.inputs.iter().all(|(n, _)| *n != p.name));
        errors.extend(open.map(|p| Error::OpenInput {
            module: m.name().into(),
            instance: inst.name.clone(),
            port: p.name,
        }));
    }
    errors
}
