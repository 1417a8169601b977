//! What a driver can find wrong in its completion ring.

use pagetrain_formats::completion::CompletionError;
use thiserror::Error;

/// An entry that a driver cannot live with. `entry` counts from the ring's first lap on.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DeliverError {
    /// The entry itself is malformed.
    #[error("completion {entry}: {source}")]
    Entry {
        /// The entry.
        entry: u64,
        /// What is wrong.
        source: CompletionError,
    },
    /// A train's entries must be contiguous.
    #[error("completion {entry}: a {what} must not lie inside the train that began at {first}")]
    Inside {
        /// The entry.
        entry: u64,
        /// Its type.
        what: &'static str,
        /// First entry of the train.
        first: u64,
    },
    /// A PKT without HEAD, or an EXT that no PKT announced.
    #[error("completion {entry}: {what} belongs to no train")]
    Headless {
        /// The entry.
        entry: u64,
        /// Its type.
        what: &'static str,
    },
    /// A buffer that the engine does not have, or that comes back unused after it was used.
    #[error("completion {entry}: {kind} {cookie:#010x} must be one that is posted and has not come back")]
    Cookie {
        /// The entry.
        entry: u64,
        /// Kind of buffer.
        kind: &'static str,
        /// Its cookie.
        cookie: u32,
    },
    /// A fragment that does not go on where the page's last one ended, or leaves it, or is wrong about filling it.
    #[error(
        "completion {entry}: fragment of {len} bytes at {offset} of page {cookie:#010x} (full: {full}): \
         must begin at {expected}, end by {length}, and be full there only"
    )]
    Piece {
        /// The entry.
        entry: u64,
        /// The page.
        cookie: u32,
        /// First byte.
        offset: u32,
        /// Bytes.
        len: u32,
        /// What `page_full` says.
        full: bool,
        /// Where it must begin.
        expected: u32,
        /// Length of the page.
        length: u32,
    },
    /// A released page with another fill pointer than its fragments say.
    #[error("completion {entry}: fill = {fill} of page {cookie:#010x}: must be {expected}")]
    Fill {
        /// The entry.
        entry: u64,
        /// The page.
        cookie: u32,
        /// Fill pointer in the entry.
        fill: u32,
        /// End of its last fragment.
        expected: u32,
    },
    /// A train's sums are not those of its entries.
    #[error("completion {entry}: train of (entries, packets, bytes) {seen:?}: HEAD says {told:?}")]
    Totals {
        /// Its last entry.
        entry: u64,
        /// As counted.
        seen: (usize, usize, u32),
        /// As in HEAD.
        told: (usize, usize, u32),
    },
    /// A packet whose header length, small buffers, fragments and flags contradict each other.
    #[error("completion {entry}: packet {rx_seq}: hdr_len, small buffers, split and frame_len must agree")]
    Packet {
        /// Last entry of its train.
        entry: u64,
        /// Its number.
        rx_seq: u16,
    },
}
