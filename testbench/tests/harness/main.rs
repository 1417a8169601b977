//! Tests of the harness itself, on small hand-written designs.

mod axis;
mod block;
mod designs;
mod executor;
mod model_cache;
mod stopping;
mod streams;
