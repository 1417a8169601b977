//! Channels AW, W and B; storage; program memory; what is refused.

use super::{bits, keep, row, Keep, Shown};
use crate::build::{lit, or_all, Expr, Module, Sig};
use pagetrain_formats::regs::{Access, Legal, Register, PROGRAM_BASE, REGISTERS};
use pagetrain_formats::Config;

/// A write that has been decoded and judged.
pub(super) struct Write {
    /// The dword.
    pub data: Sig,
    /// The clock in which it takes effect, if all strobes are set.
    pub commit: Sig,
    /// Any write's last clock, with all strobes or not.
    done: Sig,
    /// A CFG register may be written.
    pub open: Sig,
    /// By table row: the address fits; the value is legal.
    hits: Vec<Option<Sig>>,
    goods: Vec<Option<Sig>>,
    /// Conditions under which the write was not refused.
    pub accepted: Vec<Expr>,
    /// Conditions under which a doorbell was refused.
    pub bad_bells: Vec<Expr>,
    /// CTRL.enable.
    pub enable: Sig,
    /// CTRL.reset: a reset was asked for and has not ended.
    pub resetting: Sig,
}

impl Write {
    /// The address is this register's.
    pub fn hit(&self, addr: u16) -> Expr {
        let hit = self.hits[row(addr)].as_ref();
        hit.expect("every writable register has a decoder").expr()
    }

    /// The write is to this register and allowed now.
    pub fn allowed(&self, addr: u16) -> Expr {
        let i = row(addr);
        let good = self.goods[i].as_ref().map_or(lit(1, 1), Sig::expr);
        let time = match REGISTERS[i].access {
            Access::Cfg => self.open.expr(),
            _ => lit(1, 1),
        };
        self.hit(addr) & good & time
    }
}

/// Whether a dword is a legal value of the register, doorbells apart.
fn legal(register: &Register, cfg: &Config, data: &Expr) -> Option<Expr> {
    match register.legal {
        Legal::Any | Legal::Doorbell => None,
        Legal::Range(low, high) => {
            let not_above = data.le(high.value(cfg));
            Some(match low.value(cfg) {
                0 => not_above,
                low => data.ge(low) & not_above,
            })
        }
        Legal::Multiple(of) => {
            assert!(of.is_power_of_two(), "{} is no power of two", register.name);
            Some(!data.bits(0, of.trailing_zeros() as usize).any())
        }
    }
}

/// Takes a write, decodes and judges it, and commits it to plain storage.
pub(super) fn channel(m: &mut Module, cfg: &Config, shown: &Shown) -> Write {
    let aw_addr = m.input(
        "s_axil_ctrl_awaddr",
        16,
        "byte address; bits 1:0 are ignored",
    );
    let aw_prot = m.input("s_axil_ctrl_awprot", 3, "ignored");
    let aw_valid = m.input("s_axil_ctrl_awvalid", 1, "");
    let aw_ready = m.output_reg_rst("s_axil_ctrl_awready", 1, 0, "");
    let w_data = m.input("s_axil_ctrl_wdata", 32, "");
    let w_strb = m.input("s_axil_ctrl_wstrb", 4, "all four, or the write is refused");
    let w_valid = m.input("s_axil_ctrl_wvalid", 1, "");
    let w_ready = m.output_reg_rst("s_axil_ctrl_wready", 1, 0, "");
    let b_resp = m.output("s_axil_ctrl_bresp", 2, "always OKAY");
    let b_valid = m.output_reg_rst("s_axil_ctrl_bvalid", 1, 0, "");
    let b_ready = m.input("s_axil_ctrl_bready", 1, "");
    m.assign(&b_resp, 0);
    m.unused(&aw_prot, "there are no protection levels");
    m.unused(aw_addr.bits(0, 2), "registers are dwords");

    let enable = m.reg_rst("enable", 1, 0);
    let resetting = m.reg_rst("wait_reset", 1, 0);
    let addr = m.reg("w_addr", 14);
    let data = m.reg("w_dword", 32);
    let strobed = m.reg("w_strobed", 1);
    let st: Vec<Sig> = m.states(
        "W",
        &["ANSWER", "TAKE", "DECODE", "JUDGE", "JUDGE2", "COMMIT"],
    );
    let state = m.reg_rst("w_state", 3, 0);
    m.seq("AW and W are taken each when it comes", |b| {
        b.switch(&state, |s| {
            s.case(&st[0], |b| {
                b.when(&b_ready | !&b_valid, |b| {
                    b.set(&b_valid, 0);
                    b.set(&aw_ready, 1);
                    b.set(&w_ready, 1);
                    b.set(&state, &st[1]);
                });
            });
            s.case(&st[1], |b| {
                b.set(&aw_ready, &aw_ready & !&aw_valid);
                b.set(&w_ready, &w_ready & !&w_valid);
                b.when(&aw_ready, |b| {
                    b.set(&addr, aw_addr.from_bit(2));
                });
                b.when(&w_ready, |b| {
                    b.set(&data, &w_data);
                    b.set(&strobed, w_strb.all());
                });
                b.when((!&aw_ready | &aw_valid) & (!&w_ready | &w_valid), |b| {
                    b.set(&state, &st[2]);
                });
            });
            for i in 2..5 {
                s.case(&st[i], |b| b.set(&state, &st[i + 1]));
            }
            s.default(|b| {
                b.set(&b_valid, 1);
                b.set(&state, &st[0]);
            });
        });
    });
    let done = m.named("w_done", state.eq(&st[5]));
    let commit = m.named("w_commit", &done & &strobed);

    // By table row. The registers follow address and dword, which hold still for four clocks.
    let mut w = Write {
        open: m.reg("w_open", 1),
        data,
        commit,
        done,
        hits: vec![None; REGISTERS.len()],
        goods: vec![None; REGISTERS.len()],
        accepted: vec![],
        bad_bells: vec![],
        enable,
        resetting,
    };
    for (i, r) in REGISTERS.iter().enumerate().filter(|(_, r)| r.writable()) {
        let name = r.name.to_lowercase();
        w.hits[i] = Some(m.reg(&format!("hit_{name}"), 1));
        if legal(r, cfg, &w.data).is_some() {
            w.goods[i] = Some(m.reg(&format!("good_{name}"), 1));
        }
    }
    let program = m.reg("hit_program", 1);
    let below = 4 + cfg.parser_states.trailing_zeros() as usize;
    m.seq("decode and judge", |b| {
        b.set(&w.open, !&w.enable);
        b.set(
            &program,
            addr.from_bit(below).eq(PROGRAM_BASE >> (2 + below)),
        );
        for (i, r) in REGISTERS.iter().enumerate() {
            if let Some(hit) = &w.hits[i] {
                b.set(hit, addr.eq(r.addr >> 2));
            }
            if let (Some(good), Some(legal)) = (&w.goods[i], legal(r, cfg, &w.data)) {
                b.set(good, legal);
            }
        }
    });

    m.seq("storage", |b| {
        for r in REGISTERS.iter().filter(|r| keep(r) == Keep::Storage) {
            b.when(&w.commit & w.allowed(r.addr), |b| {
                b.set(shown.get(r.addr), w.data.bits(0, bits(r)));
            });
        }
    });
    for r in REGISTERS.iter().filter(|r| keep(r) == Keep::Storage) {
        w.accepted.push(w.allowed(r.addr));
    }

    let prog_we = m.output_reg_rst("prog_we", 1, 0, "program memory: write");
    let prog_addr = m.output_reg("prog_addr", 10, "program memory: row * 16 + dword");
    let prog_wdata = m.output_reg("prog_wdata", 32, "program memory: data");
    m.seq("program memory", |b| {
        b.set(&prog_we, &w.commit & &program & &w.open);
        b.set(&prog_addr, addr.bits(0, 10));
        b.set(&prog_wdata, &w.data);
    });
    w.accepted.push(&program & &w.open);
    w
}

/// Counts the writes and doorbells that had no effect.
pub(super) fn refused(m: &mut Module, w: &Write) {
    let bad_write = m.output_reg_rst("stat_bad_write", 1, 0, "pulse: a write was refused");
    let bad_bell = m.output_reg_rst("stat_bad_doorbell", 1, 0, "pulse: a doorbell was refused");
    m.seq("what was refused is counted", |b| {
        b.set(&bad_write, &w.done & !(&w.commit & or_all(&w.accepted)));
        b.set(&bad_bell, &w.commit & or_all(&w.bad_bells));
    });
}
