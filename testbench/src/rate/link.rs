//! The wire's pace.

use pagetrain_golden::standalone::LINK_OVERHEAD;

/// A link, as fast as so many bytes a clock of the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    bytes_a_clock: f64,
}

impl Link {
    /// As fast as the stream itself: W bits a clock.
    pub fn of_width(data_width: usize) -> Link {
        Link {
            bytes_a_clock: (data_width / 8) as f64,
        }
    }

    /// `gbps` Gb/s at `mhz` MHz.
    pub fn of_rate(gbps: f64, mhz: f64) -> Link {
        Link {
            bytes_a_clock: gbps * 1e3 / mhz / 8.0,
        }
    }

    /// A link so many times slower.
    pub fn slowed(self, factor: f64) -> Link {
        Link {
            bytes_a_clock: self.bytes_a_clock / factor,
        }
    }

    /// Clocks that a frame takes on the wire, with preamble, FCS and gap.
    pub fn clocks(self, len: usize) -> f64 {
        (len as f64 + LINK_OVERHEAD as f64) / self.bytes_a_clock
    }
}
