//! Read multiplexer: the two prefetchers share the AR and R channels.
//!
//! Contract: bursts of a master stay in order, `arid` is its number. What comes back goes to the master that
//! `rid` names; masters always take it.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `sN_ar_t*` | in | AR | bursts of master N |
//! | `sN_r_tvalid`, `sN_r_tdata`, `sN_r_err` | out | RD | its data; the response was not OKAY |
//! | `m_axi_ar*`, `m_axi_r*` | | AXI4 | |
//!
//! - Timing: [`LATENCY`] clock from a burst to its address on the bus, and from a beat to its master; a burst a clock; the master served last waits for the other.

use crate::axi;
use crate::build::{mux, Module};
use crate::bundle;
use pagetrain_formats::Config;

/// Clocks on the way to the bus, and on the way back.
pub const LATENCY: usize = 1;

/// Builds the block.
pub fn read_mux(cfg: &Config) -> Module {
    let mut m = Module::new("read_mux", "Two read masters on one AXI4 port.");
    let (ar, rd) = (bundle::ar(), bundle::rd(cfg.dma_width));
    let port = axi::read_port(&mut m, cfg);
    let valid: Vec<_> = (0..2)
        .map(|i| m.input(&format!("s{i}_ar_tvalid"), 1, "burst"))
        .collect();
    let data: Vec<_> = (0..2)
        .map(|i| m.input(&format!("s{i}_ar_tdata"), ar.width(), "AR"))
        .collect();
    let ready: Vec<_> = (0..2)
        .map(|i| m.output(&format!("s{i}_ar_tready"), 1, ""))
        .collect();
    let last = m.reg_rst("last", 1, 0);
    let open = m.named("open", !&port.ar_valid | &port.ar_ready);
    // Ready may depend on the other master's valid, never on its own.
    let grant = [
        m.named("grant0", &open & (!&valid[1] | &last)),
        m.named("grant1", &open & !(&valid[0] & &last)),
    ];
    // With both waiting, exactly one is granted: grant0 if `last` is 1.
    m.assign(&ready[0], &grant[0]);
    m.assign(&ready[1], &grant[1]);
    let take = [
        m.named("take0", &grant[0] & &valid[0]),
        m.named("take1", &grant[1] & &valid[1]),
    ];
    let chosen = m.named("chosen", mux(&take[1], &data[1], &data[0]));
    m.seq("one burst a clock", |b| {
        b.when(&port.ar_ready, |b| b.set(&port.ar_valid, 0));
        b.when(&take[0] | &take[1], |b| {
            b.set(&port.ar_valid, 1);
            b.set(&last, &take[1]);
        });
        b.when(&open, |b| {
            b.set(&port.ar_id, &take[1]);
            b.set(&port.ar_addr, ar.get(&chosen, "addr"));
            b.set(&port.ar_len, ar.get(&chosen, "len"));
        });
    });
    let beat = rd.pack(&[("data", port.r_data.expr()), ("last", port.r_last.expr())]);
    for i in 0..2usize {
        let out_valid = m.output_reg_rst(&format!("s{i}_r_tvalid"), 1, 0, "beat");
        let out_data = m.output_reg(&format!("s{i}_r_tdata"), rd.width(), "RD");
        let out_err = m.output_reg(&format!("s{i}_r_err"), 1, "the response was not OKAY");
        m.seq("read data go where the ID says", |b| {
            b.set(&out_valid, &port.r_valid & port.r_id.eq(i));
            b.set(&out_data, &beat);
            b.set(&out_err, port.r_resp.any());
        });
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&read_mux(&Config::default()));
    }
}
