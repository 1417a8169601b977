//! CTRL, STATUS, IRQ_STATUS and the queue's commands.

use super::write::Write;
use super::Shown;
use crate::build::{cat, lit, mux, Module, Sig};
use pagetrain_formats::codes::Command;
use pagetrain_formats::regs;

pub(super) fn commands(m: &mut Module, w: &mut Write, shown: &mut Shown, reset_done: &Sig) {
    let halted = m.input("halted", 1, "a bus error stopped the engine");
    let resetting = m.input("resetting", 1, "a reset is under way");
    let cmd_done = m.input("cmd_done", 1, "pulse: the command has been carried out");
    let stop_written = m.input("stop_written", 1, "the STOP entry has reached the host");
    let parser_enable = m.output_reg_rst("parser_enable", 1, 0, "a program is loaded");
    let reset_req = m.output_reg_rst("reset_req", 1, 0, "pulse: reset the engine");
    let run = m.output_reg_rst("run", 1, 0, "take frames that begin now");
    let fetch = m.output_reg_rst("fetch", 1, 0, "fetch descriptors");
    let irq_clear = m.output_reg_rst(
        "irq_clear",
        shown.get(regs::IRQ_STATUS).width(),
        0,
        "causes to clear",
    );
    let cmd_valid = m.output_reg_rst("cmd_valid", 1, 0, "a command waits or is under way");
    let cmd_op = m.output_reg("cmd_op", 3, "which");
    let stat_stopped = m.output_reg_rst("stat_stopped", 1, 0, "pulse: the queue has stopped");
    let stopping = m.reg_rst("stopping", 1, 0);
    let stopped = m.reg_rst("stopped", 1, 0);
    let stop_seen = m.reg_rst("stop_seen", 1, 0);
    let count = m.reg_rst("cmd_count", 16, 0);
    let (enable, wait_reset) = (w.enable.clone(), w.resetting.clone());

    let write_ctrl = m.named("write_ctrl", &w.commit & w.hit(regs::CTRL));
    m.seq("CTRL: a reset also disables", |b| {
        b.set(&reset_req, 0);
        b.when(&write_ctrl, |b| {
            b.set(&enable, w.data.bit(regs::CTRL_ENABLE.lsb));
            b.set(&parser_enable, w.data.bit(regs::CTRL_PARSER_ENABLE.lsb));
            b.when(w.data.bit(regs::CTRL_RESET.lsb), |b| {
                b.set(&enable, 0);
                b.set(&reset_req, !&wait_reset);
                b.set(&wait_reset, 1);
            });
        });
        b.when(reset_done, |b| {
            b.set(&wait_reset, 0);
        });
        b.when(&wait_reset, |b| {
            b.set(&enable, 0);
        });
        b.set(
            &run,
            &enable & !&wait_reset & !&halted & !&stopping & !&stopped,
        );
    });

    m.seq(
        "descriptors are fetched from the first enable to a stop or reset",
        |b| {
            b.set(&fetch, (&fetch | &enable) & !&stopped & !&wait_reset);
        },
    );

    // After a STOP or a bus error there is nothing left that a command could act on.
    let dead = m.named("dead", &stopping | &stopped | &halted);
    let take = m.named(
        "take_cmd",
        w.allowed(regs::Q_CMD) & !&cmd_valid & !&wait_reset & !&dead,
    );
    let is_stop = w.data.bits(0, 3).eq(Command::Stop.code());
    m.seq("one command at a time", |b| {
        b.set(&stat_stopped, 0);
        b.when(&w.commit & &take, |b| {
            b.set(&cmd_valid, 1);
            b.set(&cmd_op, w.data.bits(0, 3));
            b.set(&stopping, &is_stop);
        });
        b.when(&cmd_done, |b| {
            b.set(&cmd_valid, 0);
            b.when(!&stopping, |b| {
                b.set(&count, &count + 1);
            });
        });
        // STOP is finished when the host can see that it is.
        b.set(&stop_seen, &stopping & (&stop_seen | &stop_written));
        b.when(&stopping & !&cmd_valid & &stop_seen, |b| {
            b.set(&stopping, 0);
            b.set(&stopped, 1);
            b.set(&stat_stopped, 1);
            b.set(&count, &count + 1);
        });
        b.when(&wait_reset, |b| {
            b.set(&cmd_valid, 0);
            b.set(&stopping, 0);
            b.set(&stopped, 0);
            b.set(&count, 0);
        });
    });
    m.seq("IRQ_STATUS: written ones clear", |b| {
        b.set(
            &irq_clear,
            mux(
                &w.commit & w.hit(regs::IRQ_STATUS),
                w.data.bits(0, irq_clear.width()),
                lit(irq_clear.width(), 0),
            ),
        );
    });
    w.accepted.push(take.expr());
    w.accepted.push(w.hit(regs::CTRL));
    w.accepted.push(w.hit(regs::IRQ_STATUS));

    let ctrl = m.named("ctrl", cat(&[&parser_enable, &wait_reset, &enable]));
    let status = m.named(
        "status",
        cat(&[&stopped, &stopping, &resetting, &halted, &run]),
    );
    shown.set(regs::CTRL, &ctrl);
    shown.set(regs::STATUS, &status);
    shown.set(regs::Q_CMD_DONE, &count);
}
