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
    skid_of_lanes(width, width)
}

/// The same with a copy of the handshake for each `lane` bits of the payload: for a wide word whose bits lie all over, where one
/// handshake would be late for the last of them. It costs two or three flip-flops a lane, and an input more at `s_axis_tvalid` and
/// `m_axis_tready`: where these come from afar, one is better.
pub fn skid_of_lanes(width: usize, lane: usize) -> Module {
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
        "A word that comes while the output is stuck fills the spare",
        |b| handshake(b, &free, &s_valid, &s_ready, &valid),
    );
    let mut controls = vec![(s_ready, free)];
    if width > lane {
        m.comment(
            "Each lane of the payload has a handshake of its own; all are alike at every clock",
        );
        let lanes = width.div_ceil(lane);
        let s_readys = m.regs_rst("s_ready", lanes, 1, 1);
        let valids = m.regs_rst("valid", lanes, 1, 0);
        let of_lane =
            |m: &mut Module, i: usize| m.named(&format!("free_{i}"), &ready | !&valids[i]);
        let frees: Vec<Sig> = (0..lanes).map(|i| of_lane(&mut m, i)).collect();
        m.seq("Handshakes of the lanes", |b| {
            for ((free, s_ready), valid) in frees.iter().zip(&s_readys).zip(&valids) {
                handshake(b, free, &s_valid, s_ready, valid);
            }
        });
        controls = s_readys.into_iter().zip(frees).collect();
    }
    m.seq(
        "Payload: from the spare while it is full, else from the input",
        |b| {
            for (i, (s_ready, free)) in controls.iter().enumerate() {
                let lsb = i * lane;
                let n = lane.min(width - lsb);
                let (word, spared) = (s_data.bits(lsb, n), spare.bits(lsb, n));
                b.when(s_ready, |b| b.set_bits(&spare, lsb, &word));
                b.when(free, |b| {
                    b.set_bits(&data, lsb, mux(s_ready, &word, spared))
                });
            }
        },
    );
    m
}

/// The two flags at the next edge: is the spare empty, is the output full?
fn handshake(b: &mut Body, free: &Sig, s_valid: &Sig, s_ready: &Sig, valid: &Sig) {
    b.set(s_ready, free | (s_ready & !s_valid));
    b.when(free, |b| b.set(valid, s_valid | !s_ready));
}
