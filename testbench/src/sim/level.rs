//! One-bit inputs that a driver sets every clock and that rarely change.

use super::signal::Signal;

/// An input that is written only when its value changes.
pub(crate) struct Level {
    signal: Signal,
    level: bool,
}

impl Level {
    /// `signal`, low from now on.
    pub(crate) fn low(signal: Signal) -> Level {
        signal.set(0);
        Level {
            signal,
            level: false,
        }
    }

    /// Drives it.
    #[inline]
    pub(crate) fn set(&mut self, level: bool) {
        if level != self.level {
            self.level = level;
            self.signal.set(u64::from(level));
        }
    }

    /// What it is driven to.
    #[inline]
    pub(crate) fn get(&self) -> bool {
        self.level
    }
}
