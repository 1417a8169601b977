//! Registers: the AXI4-Lite slave in front of everything that the host configures, commands and reads.
//!
//! Contract (section 7): the map is `formats::regs::REGISTERS`; no address, width, reset value or legal range
//! is written here again. A refused write changes nothing, is answered OKAY, and is counted.
//!
//! | port | dir | meaning |
//! |---|---|---|
//! | `s_axil_ctrl_*` | | AXI4-Lite, 32-bit data, 16-bit addresses |
//! | `cfg_<register>` | out | every register that is plain storage |
//! | `in_<register>` | in | ring indices and IRQ_STATUS, which other blocks keep |
//! | `tail_sb`, `tail_pg`, `head_cq` | out | doorbells that passed the check |
//! | `prog_*` | out | write port of the program memory |
//! | `cmd_valid`, `cmd_op`, `cmd_done` | out, out, in | a command; `cmd_valid` holds until `cmd_done` |
//! | `reset_req`, `resetting`, `reset_done`, `halted` | | to and from `control` |
//! | `stop_written` | in | the STOP entry has reached the host |
//! | `run`, `fetch`, `parser_enable` | out | take frames that begin now; fetch descriptors; a program is loaded |
//! | `irq_clear` | out | what the host writes to IRQ_STATUS |
//! | `counter_*` | | read port of `counters` |
//! | `stat_bad_write`, `stat_bad_doorbell`, `stat_stopped` | out | pulses |
//!
//! ## Pipeline
//! One access at a time: this port is for a driver, not for data. A write takes [`WRITE_CLOCKS`] (take, decode, judge twice,
//! commit, answer), so that no comparison shares a clock with a decoder. A read takes [`READ_CLOCKS`] (take, decode, select,
//! gather, answer), a counter some more.

mod command;
mod doorbell;
mod read;
mod write;

use crate::build::{Module, Sig};
use pagetrain_formats::regs::{self, Access, Legal, Register, REGISTERS};
use pagetrain_formats::Config;

/// Clocks from a write to the next when nobody stalls.
pub const WRITE_CLOCKS: usize = 6;
/// Clocks from a read to the next when nobody stalls; counters take longer.
pub const READ_CLOCKS: usize = 5;

/// How a register of the table is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// A value of the configuration.
    Constant,
    /// Plain storage here.
    Storage,
    /// Another block's: an input.
    Input,
    /// Logic of its own here: CTRL, STATUS, commands, doorbells.
    Special,
}

fn keep(register: &Register) -> Keep {
    match register.addr {
        regs::CTRL | regs::STATUS | regs::Q_CMD | regs::Q_CMD_DONE => Keep::Special,
        regs::IRQ_STATUS | regs::SB_HEAD | regs::PG_HEAD | regs::CQ_TAIL => Keep::Input,
        _ if matches!(register.legal, Legal::Doorbell) => Keep::Special,
        _ if register.access == Access::Ro => Keep::Constant,
        _ => Keep::Storage,
    }
}

/// Bits of a register from bit 0 to its highest field's.
fn bits(register: &Register) -> usize {
    32 - register.mask().leading_zeros() as usize
}

/// Row of the table that has this address.
fn row(addr: u16) -> usize {
    REGISTERS
        .iter()
        .position(|r| r.addr == addr)
        .expect("the address is a constant of the table")
}

/// What a read of each row of the table shows, as far as it is a signal.
struct Shown(Vec<Option<Sig>>);

impl Shown {
    fn get(&self, addr: u16) -> &Sig {
        self.0[row(addr)]
            .as_ref()
            .expect("the register is a signal by now")
    }

    fn set(&mut self, addr: u16, sig: &Sig) {
        self.0[row(addr)] = Some(sig.clone());
    }
}

/// Builds the block.
pub fn regs(cfg: &Config) -> Module {
    let mut m = Module::new(
        "regs",
        "AXI4-Lite slave: configuration, commands, doorbells, status.",
    );
    let mut shown = Shown(vec![None; REGISTERS.len()]);
    for r in REGISTERS {
        let name = r.name.to_lowercase();
        match keep(r) {
            Keep::Storage => {
                let sig =
                    m.output_reg_rst(&format!("cfg_{name}"), bits(r), r.reset.value(cfg), r.doc);
                shown.set(r.addr, &sig);
            }
            Keep::Input => {
                let sig = m.input(&format!("in_{name}"), bits(r), r.doc);
                shown.set(r.addr, &sig);
            }
            Keep::Constant | Keep::Special => {}
        }
    }
    let reset_done = m.input("reset_done", 1, "pulse: the reset has ended");
    let mut w = write::channel(&mut m, cfg, &shown);
    doorbell::doorbells(&mut m, &mut w, &mut shown, &reset_done);
    command::commands(&mut m, &mut w, &mut shown, &reset_done);
    write::refused(&mut m, &w);
    read::read(&mut m, cfg, &shown);
    m
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_clean_when_linted() {
        crate::testkit::lint(&super::regs(&pagetrain_formats::Config::default()));
    }
}
