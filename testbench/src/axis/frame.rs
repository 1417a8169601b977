//! One frame.

use crate::Bits;
use std::fmt;

/// One frame on an AXI-Stream.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct AxisFrame {
    /// Its bytes, first byte first; at least one.
    pub data: Vec<u8>,
    /// `tuser` at the last beat; 0 where there is no such port.
    pub user: u64,
    /// `tid`; 0 where there is no such port.
    pub id: u64,
    /// `tdest`; 0 where there is no such port.
    pub dest: u64,
    /// Values of the sideband ports that source or sink was attached with, in that order. A source holds
    /// them over the frame, a sink takes them at the last beat.
    pub side: Vec<Bits>,
}

impl AxisFrame {
    /// A frame with these bytes and no sideband.
    pub fn new(data: impl Into<Vec<u8>>) -> AxisFrame {
        AxisFrame {
            data: data.into(),
            ..AxisFrame::default()
        }
    }

    /// Sets `tuser`.
    pub fn with_user(mut self, user: u64) -> AxisFrame {
        self.user = user;
        self
    }

    /// Sets the sideband values.
    pub fn with_side(mut self, side: impl IntoIterator<Item = Bits>) -> AxisFrame {
        self.side = side.into_iter().collect();
        self
    }
}

impl From<Vec<u8>> for AxisFrame {
    fn from(data: Vec<u8>) -> AxisFrame {
        AxisFrame::new(data)
    }
}

/// Bytes in hexadecimal, so that a failed comparison can be read.
impl fmt::Debug for AxisFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.data.len())?;
        for (name, value) in [("user", self.user), ("id", self.id), ("dest", self.dest)] {
            if value != 0 {
                write!(f, " {name}={value:#x}")?;
            }
        }
        if !self.side.is_empty() {
            write!(f, " side={:?}", self.side)?;
        }
        f.write_str(" [")?;
        for (index, byte) in self.data.iter().enumerate() {
            let gap = if index > 0 && index % 8 == 0 { " " } else { "" };
            write!(f, "{gap}{byte:02x}")?;
        }
        f.write_str("]")
    }
}
