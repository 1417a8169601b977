//! The language in which blocks are written: *built modules*.
//!
//! A hardware block is a Rust function from a configuration to a [`Module`]. Loops, tables and conditions of
//! the generator are plain Rust; widths and ports are run-time values. A wrong width stops at the line that
//! wrote it and names module, signals and widths; everything else is checked by [`Module::check_tree`], which
//! [`crate::verilog::emit`] calls: undriven or doubly driven bits, latches, combinational loops, open inputs,
//! unread signals, foreign signals, bad names.
//!
//! ```
//! use pagetrain_hdl::build::*;
//! use pagetrain_hdl::verilog::{emit, Header};
//!
//! /// Running sum of the payload lanes with a small state machine.
//! fn summer(lanes: usize, w: usize) -> Module {
//!     let mut m = Module::new(&format!("summer_{lanes}x{w}"), "Adds the lanes of every beat of a frame.");
//!     let data = m.input("s_axis_tdata", lanes * w, "payload lanes");
//!     let valid = m.input("s_axis_tvalid", 1, "beat valid");
//!     let last = m.input("s_axis_tlast", 1, "last beat of the frame");
//!     let sum = m.output_reg("sum", w, "sum of the frame, wraps");
//!     let done = m.output_reg_rst("sum_valid", 1, 0, "one pulse a frame");
//!     let first_beat = m.output("first_beat", 1, "the next beat is the first of a frame");
//!
//!     m.comment("Sum of one beat");
//!     let lane_sum = (1..lanes).fold(data.part(0, w), |s, i| s + data.part(i, w));
//!     let beat = m.named("beat", lane_sum);
//!
//!     let [idle, busy] = &m.states("ST", &["IDLE", "BUSY"])[..] else { unreachable!() };
//!     let state = m.reg_rst("state", 1, idle);
//!     m.seq("State: inside a frame or between two", |b| {
//!         b.when(&valid, |b| {
//!             b.switch(&state, |s| {
//!                 s.case(idle, |b| b.when(!&last, |b| b.set(&state, busy)));
//!                 s.default(|b| b.when(&last, |b| b.set(&state, idle)));
//!             });
//!         });
//!     });
//!     m.assign(&first_beat, state.eq(idle));
//!     m.seq("Accumulate", |b| {
//!         b.set(&done, &valid & &last);
//!         b.when(&valid, |b| b.set(&sum, mux(&first_beat, &beat, &sum + &beat)));
//!     });
//!     m
//! }
//!
//! /// Two of them beside each other.
//! fn pair(w: usize) -> Module {
//!     let mut m = Module::new("pair", "Two summers that share a valid.");
//!     let data = m.input("s_axis_tdata", 8 * w, "payload lanes");
//!     let valid = m.input("s_axis_tvalid", 1, "beat valid");
//!     let last = m.input("s_axis_tlast", 1, "last beat of the frame");
//!     let total = m.output("total", w, "sum of both");
//!     let total_valid = m.output("total_valid", 1, "one pulse a frame");
//!     let low = m.instance("u_low", summer(4, w));
//!     let high = m.instance("u_high", summer(4, w));
//!     for (i, u) in [&low, &high].into_iter().enumerate() {
//!         m.connect(u, "s_axis_tdata", data.part(i, 4 * w));
//!         m.connect(u, "s_axis_tvalid", &valid);
//!         m.connect(u, "s_axis_tlast", &last);
//!         m.unused(u.out("first_beat"), "frame borders are the source's business");
//!     }
//!     m.assign(&total, low.out("sum") + high.out("sum"));
//!     m.connect_out(&low, "sum_valid", &total_valid);
//!     m.unused(high.out("sum_valid"), "both sums end together");
//!     m
//! }
//!
//! let files = emit(&pair(16), &Header::default()).unwrap();
//! assert_eq!(files.iter().map(|f| &f.name[..]).collect::<Vec<_>>(), ["summer_4x16.v", "pair.v"]);
//! ```
//!
//! Rules that the checks cannot tell you:
//! - `clk` and `rst` appear by themselves: `seq` adds `clk`, a register with a reset value adds `rst`, an
//!   instance that has them gets them. They are always the first two ports. [`Module::clk`] and
//!   [`Module::rst`] give the signals where a block needs them.
//! - The reset branch is written by `seq`: it clears, as its last statement, exactly the `_rst` registers that
//!   the block assigns. Payload registers have none.
//! - A name must say which variant it is where a design holds several: two modules of one name must have the
//!   same text.
//! - Inside `comb` the last assignment wins and every path must assign; start with defaults.
//! - Integers right of an operator take the width of the left side. There is no implicit widening:
//!   [`Expr::zext`], [`Expr::trunc`], [`Expr::add_wide`].
//! - An expression used twice is printed twice: give it a name with [`Module::named`].

mod body;
mod branch;
mod check;
mod declare;
mod error;
mod expr;
mod fold;
mod instance;
mod module;
mod op;
mod operand;
mod pick;
pub(crate) mod rust_hdl;
mod sig;
mod target;
mod value;
pub(crate) mod walk;

pub use body::Body;
pub use branch::{Chain, Switch};
pub use error::{Error, Errors};
pub use expr::{clog2, Expr};
pub use instance::Instance;
pub use module::{Dir, Module, Port};
pub use operand::{lit, lit_bytes, Operand};
pub use pick::{and_all, cat, cat_lsb_first, mux, onehot_mux, or_all};
pub use sig::Sig;
pub use target::Cell;
pub use value::Value;

pub(crate) use body::{Part, Stmt, Target};
pub(crate) use check::exhaustive;
pub(crate) use expr::Node;
pub(crate) use instance::InstanceData;
pub(crate) use module::Item;
pub(crate) use op::{Op, Reduce};
pub(crate) use sig::Kind;
