//! Primitives: small blocks that the others are built from.
