//! Tests of the harness itself, on small hand-written designs.

mod axi_manager;
mod axi_memory;
mod axi_rules;
mod axil;
mod axis;
mod block;
mod designs;
mod executor;
mod model_cache;
mod stopping;
mod streams;
mod waves;
