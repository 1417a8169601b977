//! Numbers that the parser's blocks share.

use crate::build::clog2;
use pagetrain_formats::program::fields::CHUNK_BYTES;
use pagetrain_formats::Config;

/// Bits of a cursor; a cursor that does not fit rejects.
pub const CURSOR_BITS: usize = 9;
/// Bits of cursor + `off`.
pub const ADDR_BITS: usize = 10;
/// Bits of min(frame length, window).
pub const LIMIT_BITS: usize = 9;
/// Bits of a chunk.
pub const CHUNK_BITS: usize = 8 * CHUNK_BYTES;

/// What follows from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bits of a beat.
    pub w: usize,
    /// Bytes of a beat.
    pub wb: usize,
    /// Bytes of a frame that the parser sees.
    pub window: usize,
    /// Rows of the program.
    pub states: usize,
    /// Steps that a frame may take.
    pub steps: usize,
    /// Banks of 16-byte rows in the window memory.
    pub banks: usize,
    /// Frames that may be in the parser at once: as many as the step unit holds, and those that arrive or leave.
    pub contexts: usize,
}

impl Shape {
    /// The shape of a configuration.
    pub fn new(cfg: &Config) -> Self {
        Shape {
            w: cfg.data_width,
            wb: cfg.w_bytes(),
            window: cfg.parser_window,
            states: cfg.parser_states,
            steps: cfg.parser_steps,
            // Two for a chunk across two rows; as many as a beat has rows, so that a beat is written in one clock.
            banks: (cfg.w_bytes() / CHUNK_BYTES).max(2),
            // Where a frame may come every clock, a frame of one step is in for 19 clocks.
            contexts: if cfg.data_width == 512 { 32 } else { 16 },
        }
    }

    /// Bits of a context's number.
    pub fn ctx_bits(&self) -> usize {
        clog2(self.contexts)
    }

    /// Beats that fill the window.
    pub fn beats(&self) -> usize {
        self.window / self.wb
    }

    /// Bits of a beat's number in the window.
    pub fn beat_bits(&self) -> usize {
        clog2(self.beats())
    }

    /// Bits of a row number of the program.
    pub fn row_bits(&self) -> usize {
        clog2(self.states)
    }

    /// Bits of a row number in one bank of one context.
    pub fn index_bits(&self) -> usize {
        clog2(self.window / CHUNK_BYTES / self.banks)
    }
}
