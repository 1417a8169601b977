//! The golden model: the engine in plain Rust, from the specification and the RFCs.
