//! The pagetrain command.
fn main() {}
