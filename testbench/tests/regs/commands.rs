//! Commands, the STOP sequence, CTRL.reset.

use crate::bench::Bench;
use crate::{end_reset, model, reset, with_bench};
use pagetrain_formats::codes::Command;
use pagetrain_formats::regs::{self, Q_CMD};
use pagetrain_testbench::stall::StallProfile;

async fn give(bench: &mut Bench, command: Command) {
    bench.write_all(&[(Q_CMD, command.code(), 0xf)]).await;
}

/// Tries every command; none may be taken.
async fn refused(bench: &mut Bench) {
    let before = bench.reference.bad_writes;
    for command in Command::ALL {
        give(bench, *command).await;
    }
    // Each, and the write that ends each batch.
    assert_eq!(
        bench.reference.bad_writes - before,
        2 * Command::ALL.len() as u64
    );
}

#[test]
fn one_command_at_a_time_when_more_are_given() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        for round in 0..3 {
            for command in [Command::FlushAll, Command::Poll, Command::FlushFlow] {
                give(bench, command).await;
                refused(bench).await;
                bench.pulse("cmd_done").await;
                bench.reference.command_done();
                bench.check_read(regs::Q_CMD_DONE).await;
                bench.check_read(Q_CMD).await;
            }
            assert_eq!(bench.reference.commands_done, 3 * (round + 1));
        }
        for value in [0, 5, 7, 8, 0x1_0001, 0x8000_0004, u32::MAX] {
            bench.write_all(&[(Q_CMD, value, 0xf)]).await;
            assert_eq!(bench.reference.command, None);
        }
        // Two in a row: the second comes while the first is under way.
        bench.write_all(&[(Q_CMD, 1, 0xf), (Q_CMD, 2, 0xf)]).await;
        assert_eq!(bench.reference.command, Some(1));
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn stopped_shows_when_the_stop_entry_is_written() {
    for entry_first in [false, true] {
        with_bench(&model(), 1, StallProfile::None, async |bench| {
            bench.write_all(&[(regs::CTRL, 1, 0xf)]).await;
            // An entry's report without a STOP is nobody's.
            bench.pulse("stop_written").await;
            bench.check_read(regs::STATUS).await;
            give(bench, Command::Stop).await;
            bench.check_read(regs::STATUS).await;
            refused(bench).await;
            if entry_first {
                bench.pulse("stop_written").await;
                bench.check_read(regs::STATUS).await;
                bench.pulse("cmd_done").await;
                bench.reference.command_done();
            } else {
                bench.pulse("cmd_done").await;
                bench.reference.command_done();
                bench.check_read(regs::STATUS).await;
                bench.check_read(regs::Q_CMD_DONE).await;
                refused(bench).await;
                // Tail doorbells are taken while stopping.
                bench.write_all(&[(regs::SB_TAIL, 3, 0xf)]).await;
                assert_eq!(bench.reference.small.host, 3);
                bench.pulse("stop_written").await;
            }
            bench.reference.stop_written();
            bench.compare();
            bench.check_map().await;
            refused(bench).await;
            // Enable again: nothing but a reset helps.
            bench
                .write_all(&[(regs::CTRL, 0, 0xf), (regs::CTRL, 1, 0xf)])
                .await;
            bench.check_read(regs::STATUS).await;
            reset(bench).await;
            bench.check_map().await;
            bench.write_all(&[(regs::CTRL, 1, 0xf)]).await;
            assert!(bench.reference.run());
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn commands_are_refused_when_halted() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        bench.write_all(&[(regs::CTRL, 1, 0xf)]).await;
        bench.reference.halted = true;
        bench.drive_inputs();
        bench.sim.cycles(3).await;
        bench.compare();
        refused(bench).await;
        bench.check_map().await;
        reset(bench).await;
        give(bench, Command::Poll).await;
        assert!(bench.reference.command.is_some());
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn command_is_forgotten_when_reset() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        for command in Command::ALL {
            give(bench, *command).await;
            reset(bench).await;
            assert_eq!(bench.reference.command, None);
            bench.check_map().await;
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn configuration_stays_and_rings_go_back_when_reset() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        let writes = [
            (regs::SB_BASE_LO, 0x1234_5000, 0xf),
            (regs::PG_LOG2, 11, 0xf),
            (regs::Q_KEY3, 77, 0xf),
            (regs::IRQ_HOLDOFF, 1000, 0xf),
            (regs::SB_TAIL, 200, 0xf),
            (regs::PG_TAIL, 2000, 0xf),
            (regs::CTRL, 5, 0xf),
        ];
        bench.write_all(&writes).await;
        bench.reference.completion.engine = 9;
        bench.drive_inputs();
        bench.write_all(&[(regs::CQ_HEAD, 8, 0xf)]).await;
        // Enable and reset in one write: reset wins; the other bit is taken.
        bench.write_all(&[(regs::CTRL, 7, 0xf)]).await;
        bench.check_read(regs::CTRL).await;
        // During the reset: enable is forced to 0, doorbells and commands are refused, configuration is open.
        let during = [
            (regs::CTRL, 1, 0xf),
            (regs::CTRL, 2, 0xf),
            (regs::SB_TAIL, 201, 0xf),
            (regs::CQ_HEAD, 9, 0xf),
            (Q_CMD, 1, 0xf),
            (regs::TICK_CLOCKS, 99, 0xf),
        ];
        bench.write_all(&during).await;
        assert_eq!(
            (bench.reference.resets, bench.reference.bad_doorbells),
            (1, 2)
        );
        bench.check_map().await;
        end_reset(bench).await;
        bench.check_map().await;
        assert_eq!(bench.reference.read(regs::SB_TAIL), 0);
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// A doorbell that is under way when the reset ends is taken from 0 or refused, never added to the old index.
#[test]
fn doorbell_is_never_judged_by_the_old_index_when_a_reset_ends() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        for lead in 0..16 {
            bench.write_all(&[(regs::SB_TAIL, 200, 0xf)]).await;
            bench.write_all(&[(regs::CTRL, 2, 0xf)]).await;
            let pending = bench.bus.begin_write(regs::SB_TAIL.into(), 300);
            bench.sim.cycles(lead).await;
            bench.reference.reset_done();
            bench.port("reset_done").set(1);
            bench.sim.rising_edge().await;
            bench.port("reset_done").set(0);
            bench.drive_inputs();
            pending.answer().await.expect("OKAY");
            bench.sim.cycles(3).await;
            // 300 are more than the ring has, and 300 are legal from 200.
            bench.reference.bad_doorbells += 1;
            bench.compare();
            assert_eq!(bench.port("tail_sb").get(), 0, "{lead} clocks before");
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}
