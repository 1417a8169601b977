//! Channels AR and R, and the read port of the counters.

use super::{keep, Keep, Shown};
use crate::build::{lit, or_all, Expr, Module, Sig};
use pagetrain_formats::regs::{Access, Register, COUNTER_BASE, REGISTERS};
use pagetrain_formats::Config;

pub(super) fn read(m: &mut Module, cfg: &Config, shown: &Shown) {
    let ar_addr = m.input(
        "s_axil_ctrl_araddr",
        16,
        "byte address; bits 1:0 are ignored",
    );
    let ar_prot = m.input("s_axil_ctrl_arprot", 3, "ignored");
    let ar_valid = m.input("s_axil_ctrl_arvalid", 1, "");
    let ar_ready = m.output_reg_rst("s_axil_ctrl_arready", 1, 0, "");
    let r_data = m.output_reg("s_axil_ctrl_rdata", 32, "");
    let r_resp = m.output("s_axil_ctrl_rresp", 2, "always OKAY");
    let r_valid = m.output_reg_rst("s_axil_ctrl_rvalid", 1, 0, "");
    let r_ready = m.input("s_axil_ctrl_rready", 1, "");
    let counter_valid = m.output_reg_rst("counter_valid", 1, 0, "read request to counters");
    let counter_index = m.output_reg("counter_index", 6, "counter to read");
    let counter_done = m.input("counter_done", 1, "the counter's value is there");
    let counter_data = m.input("counter_data", 64, "its value");
    m.assign(&r_resp, 0);
    m.unused(&ar_prot, "there are no protection levels");
    m.unused(ar_addr.bits(0, 2), "registers are dwords");

    let addr = m.reg("r_addr", 14);
    let high = m.reg_rst("counter_high", 32, 0);
    let st: Vec<Sig> = m.states(
        "R",
        &["ANSWER", "TAKE", "DECODE", "SELECT", "GATHER", "COUNTER"],
    );
    let state = m.reg_rst("r_state", 3, 0);

    // Stage 1: one-hot row. Stage 2: groups of rows. Stage 3: one dword. The counters' upper half is one more row.
    let readable = |r: &&Register| r.access != Access::Wo;
    let mut rows: Vec<Expr> = REGISTERS
        .iter()
        .filter(readable)
        .map(|r| match keep(r) {
            Keep::Constant => lit(32, u128::from(r.reset.value(cfg))),
            _ => shown.get(r.addr).zext(32),
        })
        .collect();
    rows.push(high.expr());
    let sel = m.reg("r_sel", rows.len());
    let is_counter = m.named("r_is_counter", sel.bit(rows.len() - 1));
    let groups: Vec<Expr> = rows
        .chunks(6)
        .enumerate()
        .map(|(g, rows)| {
            let terms: Vec<Expr> = rows
                .iter()
                .enumerate()
                .map(|(i, v)| sel.bit(6 * g + i).repeat(32) & v)
                .collect();
            or_all(&terms)
        })
        .collect();
    let group = m.regs("r_group", groups.len(), 32);
    m.seq("select the register", |b| {
        for (i, r) in REGISTERS.iter().filter(readable).enumerate() {
            b.set_bit(&sel, i, addr.eq(r.addr >> 2));
        }
        let counters = addr.from_bit(7).eq(COUNTER_BASE >> 9);
        b.set_bit(&sel, rows.len() - 1, counters);
        for (reg, value) in group.iter().zip(&groups) {
            b.set(reg, value);
        }
    });
    m.seq("one read at a time", |b| {
        b.set(&counter_valid, 0);
        b.switch(&state, |s| {
            s.case(&st[0], |b| {
                b.when(&r_ready | !&r_valid, |b| {
                    b.set(&r_valid, 0);
                    b.set(&ar_ready, 1);
                    b.set(&state, &st[1]);
                });
            });
            s.case(&st[1], |b| {
                b.set(&addr, ar_addr.from_bit(2));
                b.when(&ar_valid, |b| {
                    b.set(&ar_ready, 0);
                    b.set(&state, &st[2]);
                });
            });
            s.case(&st[2], |b| b.set(&state, &st[3]));
            s.case(&st[3], |b| {
                b.set(&counter_index, addr.bits(1, 6));
                b.set(&state, &st[4]);
                b.when(&is_counter & !addr.bit(0), |b| {
                    b.set(&counter_valid, 1);
                    b.set(&state, &st[5]);
                });
            });
            s.case(&st[4], |b| {
                b.set(&r_data, or_all(&group));
                b.set(&r_valid, 1);
                b.set(&state, &st[0]);
            });
            s.default(|b| {
                b.when(&counter_done, |b| {
                    b.set(&r_data, counter_data.bits(0, 32));
                    b.set(&high, counter_data.bits(32, 32));
                    b.set(&r_valid, 1);
                    b.set(&state, &st[0]);
                });
            });
        });
    });
}
