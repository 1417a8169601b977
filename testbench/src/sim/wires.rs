//! The ports' storage: who may write when, and writes that wait for the edge.

use super::copy::copy;
use crate::verilator::Instance;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where in a clock the simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between clocks: writes act at once; the design settles before the next edge.
    Between,
    /// Just before the edge: everything reads settled values, writes wait until after the edge.
    Sample,
    /// Just after the edge: writes act at once.
    Drive,
}

/// Ports of one instance. Signals share it, so that a signal can never outlive the model.
pub(crate) struct Wires {
    instance: Rc<Instance>,
    phase: Cell<Phase>,
    /// Inputs changed since the last evaluation.
    unsettled: Cell<bool>,
    stopped: Cell<bool>,
    staged: RefCell<Staged>,
    /// A task wrote something since this was last cleared: the watchdog's sign of life.
    touched: Cell<bool>,
}

#[derive(Default)]
struct Staged {
    writes: Vec<Write>,
    /// Bytes of the staged values, one after the other.
    bytes: Vec<u8>,
}

struct Write {
    to: *mut u8,
    from: usize,
    len: usize,
}

impl Wires {
    pub(crate) fn new(instance: Rc<Instance>) -> Wires {
        Wires {
            instance,
            phase: Cell::new(Phase::Between),
            unsettled: Cell::new(true),
            stopped: Cell::new(false),
            staged: RefCell::default(),
            touched: Cell::new(false),
        }
    }

    pub(crate) fn instance(&self) -> &Rc<Instance> {
        &self.instance
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// True once the design has stopped itself.
    pub(crate) fn stopped(&self) -> bool {
        self.stopped.get()
    }

    pub(crate) fn take_touched(&self) -> bool {
        self.touched.replace(false)
    }

    #[inline]
    pub(crate) fn eval(&self) {
        if self.instance.eval() {
            self.stopped.set(true);
        }
        self.unsettled.set(false);
    }

    /// Evaluates if an input changed since the last evaluation.
    #[inline]
    pub(crate) fn settle(&self) {
        if self.unsettled.get() {
            self.eval();
        }
    }

    /// Writes `value` to the port storage `to`, now or after the edge.
    ///
    /// # Safety
    /// `to` is the storage of a port of this instance with at least `value.len()` bytes.
    #[inline]
    pub(crate) unsafe fn write(&self, to: *mut u8, value: &[u8]) {
        if self.phase.get() == Phase::Sample {
            let staged = &mut *self.staged.borrow_mut();
            staged.writes.push(Write {
                to,
                from: staged.bytes.len(),
                len: value.len(),
            });
            staged.bytes.extend_from_slice(value);
            self.touched.set(true);
        } else {
            // SAFETY: promised by the caller; `value` is Rust memory and cannot overlap the model's.
            unsafe { copy(value.as_ptr(), to, value.len()) };
            self.unsettled.set(true);
        }
    }

    /// As [`Self::write`] for a value of 1, 2, 4 or 8 bytes, without a call.
    ///
    /// # Safety
    /// `to` is the aligned storage of a port of this instance with `bytes` bytes.
    #[inline]
    pub(crate) unsafe fn write_word(&self, to: *mut u8, value: u64, bytes: u8) {
        if self.phase.get() == Phase::Sample {
            // SAFETY: promised by the caller.
            return unsafe { self.write(to, &value.to_le_bytes()[..usize::from(bytes)]) };
        }
        // SAFETY: promised by the caller.
        unsafe {
            match bytes {
                1 => *to = value as u8,
                2 => *to.cast::<u16>() = value as u16,
                4 => *to.cast::<u32>() = value as u32,
                _ => *to.cast::<u64>() = value,
            }
        }
        self.unsettled.set(true);
    }

    /// Carries out the writes of the sample phase, in their order.
    #[inline]
    pub(crate) fn apply(&self) {
        let staged = &mut *self.staged.borrow_mut();
        if staged.writes.is_empty() {
            return;
        }
        for write in &staged.writes {
            // SAFETY: checked when staged; the storage lives as long as the instance.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    staged.bytes.as_ptr().add(write.from),
                    write.to,
                    write.len,
                );
            }
        }
        staged.writes.clear();
        staged.bytes.clear();
    }

    /// Forgets staged writes: the run ended in the middle of a clock.
    pub(crate) fn abandon(&self) {
        let staged = &mut *self.staged.borrow_mut();
        staged.writes.clear();
        staged.bytes.clear();
        self.phase.set(Phase::Between);
        self.unsettled.set(true);
    }
}
