//! The whole engine against the model.

mod broken;
mod captures;
mod cover;
mod errors;
mod faults;
#[path = "../../../golden/tests/support/frames.rs"]
#[allow(dead_code, reason = "the model's tests use the rest")]
mod frames;
mod lessons;
mod linerate;
mod page_split;
mod random;
mod scene;
mod setup;
mod support;
mod traffic;
