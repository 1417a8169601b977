//! Valid/ready streams whose transfers are single values: packed records between blocks, register-like ports.
//!
//! For streams of bytes with `tkeep` and `tlast` see [`axis`](crate::axis).

mod channel;
pub(crate) mod check;
mod word_sink;
mod word_source;

pub use channel::Channel;
pub use word_sink::WordSink;
pub use word_source::WordSource;

/// Something received, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed<T> {
    /// What was received.
    pub item: T,
    /// Edge of its first transfer.
    pub first: u64,
    /// Edge of its last transfer; the same for single values.
    pub last: u64,
}
