//! Runs a capture through an engine: what is common to model and hardware.

pub mod golden;
mod headers;
mod observer;
pub mod rtl;
pub mod settings;
mod summary;
mod tally;

pub use observer::{Observer, Outputs};
pub use settings::Settings;
pub use summary::Summary;

use crate::capture::Capture;
use indicatif::{ProgressBar, ProgressStyle};
use pagetrain_formats::Config;
use pagetrain_golden::host::HostOptions;

/// Base-2 logarithm of the small buffers and of the pages that the host posts.
const BUFFERS_LOG2: u32 = 10;

/// What the host of a replay allocates: plenty, so that buffers lack only where the engine loses them.
pub fn host(config: &Config) -> HostOptions {
    HostOptions::full(BUFFERS_LOG2, config.page_size as u32, 0)
}

/// Numbers that the capture gives its frames, by the engine's count of them.
#[derive(Debug, Default)]
pub struct Numbers {
    all: Vec<u64>,
    sent: usize,
}

impl Numbers {
    /// One more frame of the capture goes to the engine, now or later.
    pub fn push(&mut self, number: u64) {
        self.all.push(number);
    }

    /// So many frames have gone to the engine by now.
    pub fn set_sent(&mut self, sent: usize) {
        self.sent = sent;
    }

    /// Frames that go to the engine.
    pub fn count(&self) -> u64 {
        self.all.len() as u64
    }

    /// The capture's number of the last frame sent whose `rx_seq` this is.
    pub fn of(&self, rx_seq: u16) -> u64 {
        let last = self.sent.saturating_sub(1);
        let back = (last as u16).wrapping_sub(rx_seq);
        let index = last.saturating_sub(back.into());
        self.all.get(index).copied().unwrap_or(0)
    }
}

/// A bar for `frames` frames, or a counter where nobody knows how many there are; silent if standard error is no terminal.
pub fn progress(frames: Option<u64>) -> ProgressBar {
    let (bar, template) = match frames {
        Some(frames) => (
            ProgressBar::new(frames),
            "{bar:32} {pos}/{len} frames {per_sec}, {eta} left",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {pos} frames {per_sec}",
        ),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Tells the user what a capture that was read to its end was like.
pub fn warn(capture: &Capture) {
    for warning in capture.warnings() {
        eprintln!("pagetrain: warning: {warning}");
    }
}
