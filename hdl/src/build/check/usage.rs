//! Every bit of every signal is read, or declared unused with a reason.

use super::{bits_of, Error, Module};
use crate::build::sig::Kind;
use crate::build::value::Value;
use crate::build::walk;

pub(super) fn check(m: &Module) -> Vec<Error> {
    let mut used: Vec<Value> = m.sigs.iter().map(|s| Value::zeros(s.width())).collect();
    walk::item_exprs(m, &mut |e| {
        walk::reads(e, &mut |s, mask| used[s.index].or(&mask))
    });
    let mut errors = vec![];
    for s in walk::declared(m) {
        let idle = used[s.data.index].not();
        let partial_const = matches!(s.data.kind, Kind::Const(_)) && !idle.is_ones();
        if matches!(s.data.kind, Kind::Output | Kind::OutputReg) || idle.is_zero() || partial_const
        {
            continue;
        }
        let (module, signal) = (m.name().into(), bits_of(&s.data, &idle));
        errors.push(Error::Unused { module, signal });
    }
    errors
}
