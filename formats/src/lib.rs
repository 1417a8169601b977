//! What pagetrain defines, once: configuration, registers, descriptors, completions, parser programs.
//!
//! Hardware, model, testbench, C header and manual all derive from the tables here, so a number of ours exists in one
//! place; `tests/frozen.rs` repeats each of them as a literal, since drivers depend on them. Formats of others (Ethernet,
//! IP, TCP, checksums) are deliberately absent: hardware and model each take them from their RFC.

pub mod block_ram;
pub mod codes;
pub mod completion;
pub mod config;
pub mod counters;
pub mod descriptor;
pub mod layout;
pub mod presets;
pub mod program;
pub mod regs;

pub use block_ram::BlockRam;
pub use codes::{BufStatus, Command, Csum, EntryType, EventCode, MergeMode, Reason, L3, L4};
pub use completion::{Buf, BufId, Completion, Ext, Head, Pkt};
pub use config::{Config, ConfigError};
pub use counters::Counter;
pub use descriptor::{Descriptor, DescriptorError};
pub use layout::Field;

/// Bytes of a small buffer: its descriptor's `length`, and the largest unwatched frame that goes whole into one.
pub const SMALL_BYTES: usize = 256;
/// Bytes of a descriptor in host memory.
pub const DESCRIPTOR_BYTES: usize = 16;
/// Bytes of a completion entry in host memory.
pub const COMPLETION_BYTES: usize = 32;
/// Smallest and largest base-2 logarithm of a ring's entries.
pub const RING_LOG2: std::ops::RangeInclusive<u32> = 4..=15;
/// Alignment of a ring's base and of a page's address, in bytes.
pub const RING_ALIGN: u64 = 4096;
/// Alignment of a small buffer's address, in bytes.
pub const SMALL_ALIGN: u64 = 256;
/// Least room of a page behind its headroom, in bytes.
pub const PAGE_MIN_ROOM: u32 = 1024;
/// Largest cursor of the parser, hence the largest header in bytes.
pub const MAX_SPLIT: usize = 511;
