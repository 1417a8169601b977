//! Parser programs: rows of the program memory, and the text language that is compiled to them.

pub mod fields;
pub mod row;

pub use fields::{Dest, ROW_DWORDS};
pub use row::{Advance, Arm, End, Extract, Length, Next, Row, RowError};
