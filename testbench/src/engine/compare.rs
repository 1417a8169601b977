//! What is reported where hardware and model differ.

use std::fmt;

/// The first difference between hardware and model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Number of the frame, if the difference belongs to one: `rx_seq`.
    pub frame: Option<u16>,
    /// What differs.
    pub field: String,
    /// The hardware's value.
    pub hardware: String,
    /// The model's.
    pub model: String,
    /// Clock at which the difference was seen.
    pub clock: u64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(frame) = self.frame {
            write!(f, "frame {frame}: ")?;
        }
        let Mismatch {
            field,
            hardware,
            model,
            clock,
            ..
        } = self;
        write!(
            f,
            "{field}: hardware {hardware}, model {model}, clock {clock}"
        )
    }
}

impl std::error::Error for Mismatch {}
