//! Ingress: numbers the frames that the MAC hands over and swallows those that come while the engine is off.
//!
//! Contract: frames whose first beat comes while `enable` is set leave unchanged and in order, each with its
//! number; all others are swallowed to their end, numbered too, and reported by a pulse. What is decided at a frame's
//! first beat holds for the whole frame, so no cut frame ever leaves.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `enable` | in | 1 | accept frames that begin now |
//! | `core_rst` | in | 1 | the blocks behind are reset |
//! | `s_axis_rx_*` | in | stream | from the MAC; `tuser` at the last beat: bad frame |
//! | `m_axis_*` | out | stream | the same beats |
//! | `m_axis_tseq` | out | 16 | number of the frame, the same on every beat |
//! | `stat_drop_disabled` | out | 1 | pulse: a frame is swallowed because the engine is off |
//!
//! - Timing: a beat leaves [`LATENCY`] clocks after it was taken; a beat a clock. `s_axis_rx_tready` is a register.
//! - Corner cases: `rst` is the hard reset. At `core_rst` the frame under way is swallowed to its end without a
//!   number, what waits here is dropped, and the next frame is number 0. Frames that begin during `core_rst` are swallowed.
//! - Cost (ECP5-85 speed 8, Yosys 0.70, nextpnr 0.11): W = 64: 112 LUT4, 202 FF, 8 CCU2C; 394, 310 MHz (seeds 1, 2).
//!
//! ## Pipeline
//! One decision at the input (first beat: `enable`; other beats: as the first), then an output register with a spare
//! ([`skid`](crate::prim::skid())), so that ready is a register and a stalled sink costs no beat.
//!
//! ```wavedrom
//! { "signal": [
//!   { "name": "s_axis_rx_tvalid", "wave": "01..0.1.0" },
//!   { "name": "s_axis_rx_tlast",  "wave": "0.10..10." },
//!   { "name": "enable",           "wave": "1....0..." },
//!   { "name": "m_axis_tvalid",    "wave": "0.1..0..." },
//!   { "name": "m_axis_tseq",      "wave": "x.3..x...", "data": ["0"] },
//!   { "name": "stat_drop_disabled", "wave": "0......10" }
//! ]}
//! ```

use crate::build::{cat, mux, Module};
use crate::prim::skid;
use pagetrain_formats::Config;

/// Clocks from the transfer of a beat at `s_axis_rx` to the first at which it can leave at `m_axis`.
pub const LATENCY: usize = 1;

/// Builds the block.
pub fn rx(cfg: &Config) -> Module {
    let mut m = Module::new(
        "rx",
        "Ingress: numbers frames, swallows those that come while the engine is off.",
    );
    let (w, wb) = (cfg.data_width, cfg.w_bytes());
    let enable = m.input("enable", 1, "accept frames that begin now");
    let core_rst = m.input(
        "core_rst",
        1,
        "the blocks behind are reset: the frame under way is swallowed",
    );
    let tdata = m.input("s_axis_rx_tdata", w, "frame, first byte in bits 7:0");
    let tkeep = m.input(
        "s_axis_rx_tkeep",
        wb,
        "bytes that are there; all ones but in the last beat",
    );
    let tvalid = m.input("s_axis_rx_tvalid", 1, "");
    let tready = m.output("s_axis_rx_tready", 1, "");
    let tlast = m.input("s_axis_rx_tlast", 1, "last beat of the frame");
    let tuser = m.input("s_axis_rx_tuser", 1, "last beat: bad frame");
    let out_data = m.output("m_axis_tdata", w, "frame, first byte in bits 7:0");
    let out_keep = m.output("m_axis_tkeep", wb, "bytes that are there");
    let out_valid = m.output("m_axis_tvalid", 1, "");
    let out_ready = m.input("m_axis_tready", 1, "");
    let out_last = m.output("m_axis_tlast", 1, "last beat of the frame");
    let out_user = m.output("m_axis_tuser", 1, "last beat: bad frame");
    let out_seq = m.output(
        "m_axis_tseq",
        16,
        "number of the frame, the same on every beat",
    );
    let out_fields = [out_data, out_keep, out_last, out_user, out_seq];
    let drop_pulse = m.output_reg_rst(
        "stat_drop_disabled",
        1,
        0,
        "a frame is swallowed because the engine is off",
    );

    let in_frame = m.reg_rst("in_frame", 1, 0);
    let dropping = m.reg_rst("dropping", 1, 0);
    let cut = m.reg_rst("cut", 1, 0);
    let number = m.reg_rst("number", 16, 0);

    m.comment("The decision: a frame's first beat makes it for all");
    let fire = m.named("fire", &tvalid & &tready);
    let first = m.named("first", &fire & !&in_frame);
    let off = m.named("off", !&enable | &core_rst);
    let swallow = m.named("swallow", mux(&in_frame, &dropping, &off));
    let pass = m.named("pass", &fire & !&swallow);

    m.seq("Frame tracking", |b| {
        b.set(&drop_pulse, &first & &off);
        b.when(&fire, |b| {
            b.set(&in_frame, !&tlast);
            b.set(&dropping, &swallow);
            b.set(&cut, &cut & !&tlast);
            b.when(&tlast & !&cut, |b| b.set(&number, &number + 1));
        });
        b.when(&core_rst, |b| {
            b.comment("Whatever is under way, or begins now, has no number");
            b.set(&dropping, 1);
            b.set(&cut, mux(&fire, !&tlast, &in_frame));
            b.set(&number, 0);
        });
    });

    m.comment("Output register with a spare; what waits in it is dropped with the core");
    let clk = m.clk();
    let rst = m.rst();
    let out_rst = m.named("out_rst", &rst | &core_rst);
    let beat = cat(&[
        number.expr(),
        tuser.expr(),
        tlast.expr(),
        tkeep.expr(),
        tdata.expr(),
    ]);
    let out = m.instance_on("u_out", skid(beat.width()), &clk, &out_rst);
    m.connect(&out, "s_axis_tdata", beat);
    m.connect(&out, "s_axis_tvalid", &pass);
    m.connect(&out, "m_axis_tready", &out_ready);
    m.connect_out(&out, "s_axis_tready", &tready);
    m.connect_out(&out, "m_axis_tvalid", &out_valid);
    let word = out.out("m_axis_tdata");
    let mut lsb = 0;
    for field in &out_fields {
        m.assign(field, word.bits(lsb, field.width()));
        lsb += field.width();
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::lint;

    #[test]
    fn rx_lints_clean_when_built_for_narrow_and_wide_streams() {
        for data_width in [64, 512] {
            let cfg = Config {
                data_width,
                dma_width: 512,
                ..Config::default()
            };
            lint(&rx(&cfg));
        }
    }
}
