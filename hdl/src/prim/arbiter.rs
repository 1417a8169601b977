//! Round-robin arbiter: one grant at a time, held until its owner is done.
//!
//! Contract: `grant` is one-hot or zero. A grant holds until `done`; at that edge, and whenever there is no
//! grant, the next requester in cyclic order after the last granted one is granted. A requester that waits is
//! granted after at most `n` - 1 others.
//!
//! | port    | dir | type | meaning                                                         |
//! |---------|-----|------|-----------------------------------------------------------------|
//! | `req`   | in  | n    | requests; one that is granted may fall while it holds the grant |
//! | `done`  | in  | 1    | the owner releases the grant at this edge                       |
//! | `grant` | out | n    | register: one-hot or zero                                       |
//!
//! - Timing: [`LATENCY`] clock from a request to its grant when idle, no idle clock between two grants, no
//!   combinational path from input to output.
//! - Parameters: `n` 2 to 8.
//! - Corner cases: a `req` that is high at the `done` edge of its own grant is a new request, granted again
//!   only when nobody else asks.
//! - Cost: n = 4: 30 LUT4, 7 FF, 388-432 MHz; n = 8: 82 LUT4, 15 FF, 277-291 MHz (ECP5 85k speed 8, Yosys 0.70,
//!   nextpnr 0.11, between registers, four seeds).

use super::onehot::above_lowest;
use crate::build::*;

/// Clocks from request to grant when idle.
pub const LATENCY: usize = 1;

/// An arbiter for `n` requesters, named `rr_arbiter_<n>`.
///
/// # Panics
/// When `n` is not 2 to 8: more need a tree.
pub fn rr_arbiter(n: usize) -> Module {
    assert!((2..=8).contains(&n), "rr_arbiter: n is {n}, must be 2 to 8");
    let mut m = Module::new(
        &format!("rr_arbiter_{n}"),
        "Round-robin arbiter: a grant holds until done, the next in cyclic order follows.",
    );
    let req = m.input("req", n, "requests");
    let done = m.input("done", 1, "the owner releases the grant at this edge");
    let grant = m.output_reg_rst("grant", n, 0, "one-hot or zero");

    m.comment("Requesters behind the last granted one come first");
    let after = m.reg_rst("after", n, 0);
    let ahead = m.named("ahead", &req & &after);
    let wrap = m.named("wrap", !ahead.any());
    m.comment("Places behind the next grant; the grant itself is the lowest request");
    let ahead_after = m.named("ahead_after", above_lowest(&ahead));
    let req_after = m.named("req_after", above_lowest(&req));
    let next = m.named(
        "next_grant",
        mux(&wrap, &req & !&req_after, &ahead & !&ahead_after),
    );
    m.seq("Grant", |b| {
        b.when(&done | !grant.any(), |b| {
            b.set(&grant, &next);
            b.when(req.any(), |b| {
                b.set(&after, mux(&wrap, &req_after, &ahead_after));
            });
        });
    });
    m
}
