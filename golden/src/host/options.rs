//! What the host allocates, and what can be wrong with it.

use pagetrain_formats::{Config, Descriptor, RING_ALIGN, RING_LOG2};
use thiserror::Error;

use crate::deliver::DeliverError;

/// What the host allocates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOptions {
    /// Bus address of its memory; a multiple of 4096.
    pub base: u64,
    /// Base-2 logarithm of the small ring's descriptors.
    pub small_log2: u32,
    /// Base-2 logarithm of the page ring's descriptors.
    pub page_log2: u32,
    /// Base-2 logarithm of the completion ring's entries.
    pub completion_log2: u32,
    /// Small buffers; at most the ring's descriptors.
    pub smalls: usize,
    /// Length and headroom of each page, in bytes; at most the ring's descriptors.
    pub pages: Vec<(u32, u16)>,
}

impl HostOptions {
    /// Rings that hold `2^log2` buffers of each kind, all posted, and completions for them.
    pub fn full(log2: u32, page_length: u32, headroom: u16) -> Self {
        Self {
            base: 0x1_0000_0000,
            small_log2: log2,
            page_log2: log2,
            completion_log2: (log2 + 2).min(*RING_LOG2.end()),
            smalls: 1 << log2,
            pages: vec![(page_length, headroom); 1 << log2],
        }
    }

    /// The rule that the options break, if any.
    pub fn check(&self, config: &Config) -> Result<(), HostError> {
        let fail = |field, value: u64, rule: String| Err(HostError::Option { field, value, rule });
        for (field, log2, buffers) in [
            ("small_log2", self.small_log2, self.smalls),
            ("page_log2", self.page_log2, self.pages.len()),
            ("completion_log2", self.completion_log2, 0),
        ] {
            if !RING_LOG2.contains(&log2) {
                return fail(field, log2.into(), format!("{RING_LOG2:?}"));
            }
            if buffers > 1 << log2 {
                return fail(
                    field,
                    log2.into(),
                    format!("large enough for {buffers} buffers"),
                );
            }
        }
        if self.base % RING_ALIGN != 0 {
            return fail("base", self.base, format!("a multiple of {RING_ALIGN}"));
        }
        for &(length, headroom) in &self.pages {
            let page = Descriptor {
                addr: 0,
                cookie: 0,
                length,
                headroom,
            };
            if let Err(rule) = page.check_page(config.page_size) {
                return fail("pages", length.into(), format!("good pages: {rule}"));
            }
        }
        Ok(())
    }
}

/// What can go wrong at the host.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum HostError {
    /// An option breaks its rule.
    #[error("{field} = {value}: must be {rule}")]
    Option {
        /// The option.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        rule: String,
    },
    /// The memory that the host wants is taken.
    #[error("base = {base:#x}: {bytes} bytes must be free there")]
    Taken {
        /// Address.
        base: u64,
        /// Bytes.
        bytes: usize,
    },
    /// The completion ring holds what no driver could live with.
    #[error(transparent)]
    Deliver(#[from] DeliverError),
}
