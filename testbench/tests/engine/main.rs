//! The whole engine against the model.

mod captures;
mod linerate;
mod support;
