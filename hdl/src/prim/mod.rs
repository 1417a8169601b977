//! Primitives: small blocks that the others are built from.
//!
//! Stream contract, here and everywhere: a transfer happens on `tvalid` and `tready`; `tvalid` and the payload
//! hold until then; `tvalid` never waits for `tready`.

pub mod arbiter;
pub mod count;
pub mod fifo;
pub mod lutram;
pub mod onehot;
pub mod ram;
pub mod reset_stage;
pub mod skid;

pub use arbiter::rr_arbiter;
pub use count::{count_some, some_next};
pub use fifo::{Fifo, Storage};
pub use lutram::lutram;
pub use onehot::{above_lowest, decode, encode, lowest_one};
pub use ram::Ram;
pub use reset_stage::reset_stage;
pub use skid::{skid, skid_of_lanes};
