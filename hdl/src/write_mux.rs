//! Write multiplexer: `dma_write` (master 0) and `completion` (master 1) share the AW, W and B channels.
//!
//! Contract: bursts are granted in turn while both wait, so neither starves; data follow in the order of the
//! addresses (AXI4 has no write interleaving); `awid` is the master, and responses go to the master that `bid` names.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `sN_aw_t*` | in | AW | bursts of master N |
//! | `sN_w_t*` | in | WD | their data, in the same order |
//! | `sN_b_valid`, `sN_b_err` | out | | a response; it was not OKAY |
//! | `m_axi_aw*`, `m_axi_w*`, `m_axi_b*` | | AXI4 | |
//!
//! - Timing: [`LATENCY`] clocks from a burst to its address on the bus, [`RESPONSE_LATENCY`] from a response to its master; [`data_latency`] clocks from
//!   a burst to its first beat, if that waits already. A burst and a beat a clock; no clock is lost between bursts, also of different masters.
//! - Corner case: addresses may run up to [`AHEAD`] bursts ahead of data.

use crate::axi;
use crate::build::{cat, mux, Module};
use crate::bundle;
use crate::prim::{skid, Fifo};
use pagetrain_formats::Config;

/// Bursts whose address may be out before their data.
pub const AHEAD: usize = 32;

/// Clocks of an address on the way to the bus.
pub const LATENCY: usize = skid::LATENCY + 1;

/// Clocks of a response on the way back.
pub const RESPONSE_LATENCY: usize = 1;

/// Whose burst is next, in the order of the addresses.
fn order() -> Fifo {
    Fifo::new(1, AHEAD).almost_full(AHEAD - 2).unguarded()
}

/// Clocks from a burst's transfer to its first beat on the bus, when the bus is idle and the beat is there.
pub fn data_latency() -> usize {
    skid::LATENCY + 1 + order().latency() + skid::LATENCY
}

/// Builds the block.
pub fn write_mux(cfg: &Config) -> Module {
    let mut m = Module::new("write_mux", "Two write masters on one AXI4 port.");
    let (aw, wd) = (bundle::aw(), bundle::wd(cfg.dma_width));
    let port = axi::write_port(&mut m, cfg);
    let mut inputs = |suffix: &str, width: usize, doc: &str| {
        [0, 1].map(|i| m.input(&format!("s{i}_{suffix}"), width, doc))
    };
    let aw_valid = inputs("aw_tvalid", 1, "burst");
    let aw_data = inputs("aw_tdata", aw.width(), "AW");
    let w_valid = inputs("w_tvalid", 1, "beat");
    let w_data = inputs("w_tdata", wd.width(), "WD");
    let aw_ready = [0, 1].map(|i| m.output(&format!("s{i}_aw_tready"), 1, ""));
    m.comment("A master that is far away sees a ready out of a register");
    let asked = [0, 1].map(|i| m.instance(&format!("u_aw{i}"), skid(aw.width())));
    for (i, skid) in asked.iter().enumerate() {
        m.connect(skid, "s_axis_tvalid", &aw_valid[i]);
        m.connect(skid, "s_axis_tdata", &aw_data[i]);
        m.connect_out(skid, "s_axis_tready", &aw_ready[i]);
    }
    let aw_valid = [0, 1].map(|i: usize| asked[i].out("m_axis_tvalid"));
    let aw_data = [0, 1].map(|i: usize| asked[i].out("m_axis_tdata"));
    let w_ready = [0, 1].map(|i| m.output(&format!("s{i}_w_tready"), 1, ""));

    let order = m.instance("u_order", order().build());
    let room = m.named("room", !order.out("almost_full"));
    let last = m.reg_rst("last", 1, 0);
    let burst = m.instance("u_burst", skid(1 + aw.width()));
    let open = m.named("open", burst.out("s_axis_tready") & &room);
    // With both waiting, the one that was not served last is granted. Ready never depends on its own valid.
    let turns = [
        m.named("turn0", &open & (!&aw_valid[1] | &last)),
        m.named("turn1", &open & !(&aw_valid[0] & &last)),
    ];
    let take = [
        m.named("take0", &turns[0] & &aw_valid[0]),
        m.named("take1", &turns[1] & &aw_valid[1]),
    ];
    for (skid, turn) in asked.iter().zip(&turns) {
        m.connect(skid, "m_axis_tready", turn);
    }
    let chosen = m.named("chosen", mux(&take[1], &aw_data[1], &aw_data[0]));
    m.connect(&burst, "s_axis_tvalid", &take[0] | &take[1]);
    m.connect(&burst, "s_axis_tdata", cat(&[&take[1], &chosen]));
    m.connect_out(&burst, "m_axis_tvalid", &port.aw_valid);
    m.connect(&burst, "m_axis_tready", &port.aw_ready);
    let id_and_burst = burst.out("m_axis_tdata");
    m.assign(&port.aw_id, id_and_burst.bit(aw.width()));
    let shown = m.named("burst_shown", id_and_burst.trunc(aw.width()));
    m.assign(&port.aw_addr, aw.get(&shown, "addr"));
    m.assign(&port.aw_len, aw.get(&shown, "len"));
    m.seq("who was served last", |b| {
        b.when(&take[0] | &take[1], |b| b.set(&last, &take[1]));
    });
    let ordered = m.reg_rst("ordered", 1, 0);
    let ordered_owner = m.reg("ordered_owner", 1);
    m.seq("its data's turn is noted a clock later", |b| {
        b.set(&ordered, &take[0] | &take[1]);
        b.set(&ordered_owner, &take[1]);
    });
    m.connect(&order, "s_axis_tvalid", &ordered);
    m.connect(&order, "s_axis_tdata", &ordered_owner);

    // Data of the burst whose turn it is.
    let out = m.instance("u_beat", skid(wd.width()));
    let owner = order.out("m_axis_tdata");
    let turn = order.out("m_axis_tvalid");
    let free = m.named("free", &turn & out.out("s_axis_tready"));
    m.assign(&w_ready[0], &free & !&owner);
    m.assign(&w_ready[1], &free & &owner);
    let beat = m.named("beat", mux(&owner, &w_data[1], &w_data[0]));
    let there = m.named("there", mux(&owner, &w_valid[1], &w_valid[0]));
    m.connect(&out, "s_axis_tdata", &beat);
    m.connect(&out, "s_axis_tvalid", &turn & &there);
    m.connect(
        &order,
        "m_axis_tready",
        &free & &there & wd.get(&beat, "last"),
    );
    m.connect_out(&out, "m_axis_tvalid", &port.w_valid);
    m.connect(&out, "m_axis_tready", &port.w_ready);
    let shown = out.out("m_axis_tdata");
    m.assign(&port.w_data, wd.get(&shown, "data"));
    m.assign(&port.w_strb, wd.get(&shown, "strb"));
    m.assign(&port.w_last, wd.get(&shown, "last"));

    for i in 0..2usize {
        let valid = m.output_reg_rst(&format!("s{i}_b_valid"), 1, 0, "response");
        let err = m.output_reg(&format!("s{i}_b_err"), 1, "it was not OKAY");
        m.seq("responses go where the ID says", |b| {
            b.set(&valid, &port.b_valid & port.b_id.eq(i));
            b.set(&err, port.b_resp.any());
        });
    }
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&write_mux(&Config::default()));
    }
}
