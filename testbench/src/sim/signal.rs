//! Handles of ports of up to 64 bits; for wider ones see [`WideSignal`](super::WideSignal).
//!
//! Reads and writes go straight to the model's storage. In a task a read gives the settled value just before
//! the edge, and a write takes effect just after it; in [`Component::drive`](super::Component::drive) and
//! between clocks a write takes effect at once.

// Storage is read and written as bytes, least significant first.
#[cfg(not(target_endian = "little"))]
compile_error!("the harness needs a little-endian host");

use super::wires::Wires;
use crate::verilator::Direction;
use std::rc::Rc;

/// A port of at most 64 bits.
#[derive(Clone)]
pub struct Signal {
    wires: Rc<Wires>,
    name: Rc<str>,
    storage: *mut u8,
    mask: u64,
    bytes: u8,
    input: bool,
}

impl Signal {
    /// `storage` must be that of port `name` in `wires`, `bytes` long.
    pub(super) fn new(
        wires: Rc<Wires>,
        name: &str,
        (storage, bytes): (*mut u8, usize),
        width: u32,
        direction: Direction,
    ) -> Signal {
        Signal {
            wires,
            name: name.into(),
            storage,
            mask: u64::MAX >> (64 - width),
            bytes: bytes as u8,
            input: direction == Direction::Input,
        }
    }

    /// The port's value.
    #[inline]
    pub fn get(&self) -> u64 {
        // SAFETY: `storage` is a live, aligned field of this many bytes; the model runs only inside `eval`.
        unsafe {
            match self.bytes {
                1 => u64::from(*self.storage),
                2 => u64::from(*self.storage.cast::<u16>()),
                4 => u64::from(*self.storage.cast::<u32>()),
                _ => *self.storage.cast::<u64>(),
            }
        }
    }

    /// True if the value is not 0.
    #[inline]
    pub fn is_high(&self) -> bool {
        if self.bytes == 1 {
            // SAFETY: as in `get`.
            return unsafe { *self.storage != 0 };
        }
        self.get() != 0
    }

    /// Drives an input.
    ///
    /// # Panics
    /// If the port is an output, or `value` does not fit it.
    #[inline]
    pub fn set(&self, value: u64) {
        if !self.input || value & !self.mask != 0 {
            self.refuse(value);
        }
        // SAFETY: the storage is aligned and has this many bytes.
        unsafe { self.wires.write_word(self.storage, value, self.bytes) }
    }

    #[cold]
    fn refuse(&self, value: u64) -> ! {
        if self.input {
            panic!(
                "{value:#x} does not fit port `{}` of {} bits",
                self.name,
                self.width()
            );
        }
        panic!(
            "port `{}` is an output of the design and cannot be driven",
            self.name
        );
    }

    /// Width in bits.
    pub fn width(&self) -> u32 {
        self.mask.count_ones()
    }

    /// Name of the port.
    pub fn name(&self) -> &str {
        &self.name
    }
}
