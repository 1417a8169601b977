//! Every bit of every signal is read, or declared unused with a reason.

use super::{bits_of, Error, Module};
use crate::build::sig::Kind;
use crate::build::walk;

pub(super) fn check(m: &Module) -> Vec<Error> {
    let used = walk::used(m);
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
