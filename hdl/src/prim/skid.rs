//! Stream register: cuts every path between its two sides at full throughput.
//!
//! Contract: words leave in the order in which they came, none lost, none doubled, whatever the stalls.
//!
//! | port            | dir | type | meaning                                       |
//! |-----------------|-----|------|-----------------------------------------------|
//! | `s_axis_tdata`  | in  | w    | payload, any fields the user packs            |
//! | `s_axis_tvalid` | in  | 1    | payload is there                              |
//! | `s_axis_tready` | out | 1    | register: low exactly while the spare is full |
//! | `m_axis_tdata`  | out | w    | register                                      |
//! | `m_axis_tvalid` | out | 1    | register                                      |
//! | `m_axis_tready` | in  | 1    | receiver takes the payload                    |
//!
//! - Timing: [`LATENCY`] clock, one word a clock, no combinational path from input to output.
//! - Parameters: `width` at least 1.
//! - Corner cases: the receiver stops while a word is on its way: that word waits in the spare register.
//! - Cost: 64 bits: 67 LUT4, 130 FF, 400-459 MHz; 512 bits: 515 LUT4, 1026 FF, 263-288 MHz (ECP5 85k speed 8, Yosys 0.70,
//!   nextpnr 0.11, between registers, four seeds).
//!
//! ```wavedrom
//! { "signal": [
//!   { "name": "clk",           "wave": "p......." },
//!   { "name": "s_axis_tvalid", "wave": "01...0.." },
//!   { "name": "s_axis_tdata",  "wave": "x345.x..", "data": "A B C" },
//!   { "name": "s_axis_tready", "wave": "1..01..." },
//!   { "name": "m_axis_tvalid", "wave": "0.1....0" },
//!   { "name": "m_axis_tdata",  "wave": "x.3.45.x", "data": "A B C" },
//!   { "name": "m_axis_tready", "wave": "1.01...." }
//! ] }
//! ```

use crate::build::*;

/// Clocks from a transfer in to the word standing at the output.
pub const LATENCY: usize = 1;

/// A stream register of `width` payload bits, named `skid_<width>`.
pub fn skid(width: usize) -> Module {
    let mut m = Module::new(
        &format!("skid_{width}"),
        "Stream register with a spare: full throughput, every output a register.",
    );
    let s_data = m.input("s_axis_tdata", width, "payload");
    let s_valid = m.input("s_axis_tvalid", 1, "payload is there");
    let s_ready = m.output_reg_rst("s_axis_tready", 1, 1, "low while the spare is full");
    let data = m.output_reg("m_axis_tdata", width, "payload");
    let valid = m.output_reg_rst("m_axis_tvalid", 1, 0, "payload is there");
    let ready = m.input("m_axis_tready", 1, "receiver takes the payload");

    m.comment("The output register is free, or becomes free at this edge");
    let free = m.named("free", &ready | !&valid);
    let spare = m.reg("spare", width);
    m.seq(
        "Payload: from the spare while it is full, else from the input",
        |b| {
            b.when(&s_ready, |b| b.set(&spare, &s_data));
            b.when(&free, |b| b.set(&data, mux(&s_ready, &s_data, &spare)));
        },
    );
    m.seq(
        "A word that comes while the output is stuck fills the spare",
        |b| {
            b.set(&s_ready, &free | (&s_ready & !&s_valid));
            b.when(&free, |b| b.set(&valid, &s_valid | !&s_ready));
        },
    );
    m
}
