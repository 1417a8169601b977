//! CTRL.reset and STOP at any time.

use super::{counter, flow, recovers, scene, status};
use crate::frames::{other, segment, Segment};
use crate::scene::{PROFILES, QUIET};
use pagetrain_formats::{regs, BufStatus, Command, Counter};
use pagetrain_golden::Written;
use pagetrain_testbench::stall::Pause;

/// CTRL.reset while bursts are under way: they end in good order (the bus monitor sees to that), and all begins anew.
#[test]
fn engine_begins_anew_when_it_is_reset_in_the_middle_of_bursts() {
    for (i, stall) in PROFILES.into_iter().enumerate() {
        for clocks in [150, 700, 1500] {
            let (mut bench, _) = scene().board(stall, 30 + i as u64);
            let bus = bench.bus().clone();
            let ran = bench.run(async |driver| {
                for frame in flow(0, 8) {
                    driver.send(frame, false);
                }
                driver.sent().await;
                driver.send(other(9000), false);
                driver.sim().cycles(clocks).await;
                driver.reset().await;
                assert!(bus.monitor().is_idle(), "nothing is left under way");
                for head in [regs::SB_HEAD, regs::PG_HEAD, regs::CQ_TAIL, regs::CTRL] {
                    let kept = if head == regs::CTRL { 4 } else { 0 };
                    assert_eq!(driver.read(head).await, kept, "{head:#x}");
                }
                recovers(&driver).await;
            });
            ran.unwrap_or_else(|e| panic!("stall {stall}, after {clocks}: {e}"));
        }
    }
}

/// CTRL.reset while a frame is coming in: it is swallowed to its end, and the next one is whole and has number 0.
#[test]
fn frame_is_swallowed_when_a_reset_cuts_it() {
    for stall in PROFILES {
        let (mut bench, seen) = scene().board(stall, 40);
        // The frame takes longer than the reset.
        bench.mac().set_pause(Pause::EveryNth(20));
        let mac = bench.mac().clone();
        let ran = bench.run(async |driver| {
            driver.sim().cycles(2000).await;
            let begun = mac.beats();
            driver.send(other(4000), false);
            driver.sim().until(|| mac.beats() > begun + 100).await;
            assert_eq!(mac.pending(), 1, "the frame is still coming");
            driver.reset().await;
            assert_eq!(counter(&driver, Counter::RxFrames).await, 0);
            recovers(&driver).await;
        });
        ran.unwrap_or_else(|e| panic!("stall {stall}: {e}"));
        let seen = seen.borrow();
        let numbers: Vec<u16> = seen.packets.iter().map(|p| p.rx_seq).collect();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    }
}

/// Frames that come while the engine is disabled are counted, and have numbers.
#[test]
fn frames_are_counted_and_numbered_when_they_come_before_the_engine_is_enabled() {
    for stall in PROFILES {
        let (mut bench, seen) = scene().board(stall, 50);
        let ran = bench.run(async |driver| {
            driver.reset().await;
            driver.expect_disabled();
            for frame in flow(0, 3) {
                driver.send(frame, false);
            }
            driver.sent().await;
            driver.sim().cycles(200).await;
            recovers(&driver).await;
            assert_eq!(counter(&driver, Counter::DropDisabled).await, 3);
        });
        ran.unwrap_or_else(|e| panic!("stall {stall}: {e}"));
        assert_eq!(seen.borrow().packets[0].rx_seq, 3);
    }
}

/// STOP while frames are coming: what was processed is delivered, the rest is counted, every buffer comes back, and a
/// second command is refused while the first is under way.
#[test]
fn every_buffer_comes_back_when_the_queue_is_stopped_under_traffic() {
    for stall in PROFILES {
        let scene = scene().with(regs::RX_CTRL, 0);
        let (mut bench, seen) = scene.board(stall, 60);
        // Slow enough that the store does not overflow.
        bench.mac().set_pause(Pause::Random(0.9));
        let ran = bench.run(async |driver| {
            driver.sim().cycles(2000).await;
            for i in 0..40 {
                let frame = Segment {
                    v6: i % 2 == 1,
                    ..segment(1200 * (i / 2), 1200)
                };
                driver.send(frame.build(), false);
            }
            driver.sim().cycles(20_000).await;
            driver.expect_disabled();
            driver.command(Command::Stop).await;
            assert!(status(&driver, regs::STATUS_STOPPED).await);
            let irq = driver.read(regs::IRQ_STATUS).await;
            assert!(irq & regs::IRQ_STOPPED.mask() != 0);
            let written = driver.write(regs::Q_CMD, Command::FlushAll.code()).await;
            assert_eq!(written, Written::Busy, "a stopped queue takes no command");
            driver.sent().await;
            driver.quiet(QUIET).await;
            driver.compare_counters().await;
            driver.compare_memory();
            let kept = counter(&driver, Counter::RxFrames).await;
            let lost = counter(&driver, Counter::DropDisabled).await;
            assert!(lost > 0 && kept > 0, "{kept} kept, {lost} lost");
            driver.reset().await;
            recovers(&driver).await;
        });
        ran.unwrap_or_else(|e| panic!("stall {stall}: {e}"));
        let seen = seen.borrow();
        let unused = seen
            .returned
            .iter()
            .filter(|b| b.status == BufStatus::Unused);
        assert!(unused.count() > 100, "what was never used");
    }
}
