//! Error responses on the bus.

use super::{counter, flow, recovers, scene, status};
use crate::scene::PROFILES;
use pagetrain_formats::{regs, Counter};
use pagetrain_testbench::axi::{Direction, Fault, FaultAt, Resp};
use pagetrain_testbench::stall::StallProfile;

/// An error response is answered to one burst, whichever it is: one that writes data, a completion, or reads descriptors.
#[test]
fn engine_halts_and_recovers_by_a_reset_when_a_response_is_an_error() {
    let faults = [
        (Direction::Write, 0, Resp::SlvErr),
        (Direction::Write, 7, Resp::DecErr),
        (Direction::Write, 20, Resp::SlvErr),
        (Direction::Read, 0, Resp::DecErr),
        (Direction::Read, 3, Resp::SlvErr),
    ];
    for (i, (direction, burst, resp)) in faults.into_iter().enumerate() {
        let stall = PROFILES[i % PROFILES.len()];
        println!("{direction:?} {burst}: {resp:?}");
        let (mut bench, _) = scene().board(stall, 10 + i as u64);
        let at = FaultAt::Nth(burst);
        bench.bus().inject(Fault {
            direction,
            at,
            resp,
        });
        let bus = bench.bus().clone();
        let ran = bench.run(async |driver| {
            driver
                .write(regs::IRQ_ENABLE, regs::IRQ_HALTED.mask())
                .await;
            let irq = driver.sim().signal("irq").expect("a port");
            for frame in flow(0, 12) {
                driver.send(frame, false);
            }
            driver.sent().await;
            driver.sim().until(|| irq.is_high()).await;
            assert!(status(&driver, regs::STATUS_HALTED).await);
            driver.sim().cycles(3000).await;
            assert!(counter(&driver, Counter::BusErrors).await >= 1);
            assert!(bus.monitor().is_idle(), "bursts under way are finished");
            let before = (bus.monitor().stats(), driver.read(regs::CQ_TAIL).await);
            let lost = counter(&driver, Counter::DropDisabled).await;
            driver.expect_disabled();
            for frame in flow(12, 5) {
                driver.send(frame, false);
            }
            driver.sent().await;
            driver.sim().cycles(3000).await;
            assert_eq!(counter(&driver, Counter::DropDisabled).await - lost, 5);
            let after = (bus.monitor().stats(), driver.read(regs::CQ_TAIL).await);
            assert_eq!(before, after, "no new burst, no further completion");
            bus.heal();
            driver.reset().await;
            assert!(!status(&driver, regs::STATUS_HALTED).await);
            recovers(&driver).await;
        });
        ran.unwrap_or_else(|e| panic!("{direction:?} {burst}, stall {stall}: {e}"));
    }
}

/// Errors that follow one another while the engine is halting are each counted, and change nothing more.
#[test]
fn engine_halts_once_when_every_response_is_an_error() {
    for (direction, stall) in [
        (Direction::Write, StallProfile::SlowMemory),
        (Direction::Read, StallProfile::None),
    ] {
        let (mut bench, seen) = scene().board(stall, 20);
        let fault = Fault {
            direction,
            at: FaultAt::From(2),
            resp: Resp::SlvErr,
        };
        bench.bus().inject(fault);
        let bus = bench.bus().clone();
        let ran = bench.run(async |driver| {
            for frame in flow(0, 12) {
                driver.send(frame, false);
            }
            driver.sent().await;
            driver.sim().cycles(6000).await;
            assert!(status(&driver, regs::STATUS_HALTED).await);
            bus.heal();
            driver.reset().await;
            recovers(&driver).await;
        });
        ran.unwrap_or_else(|e| panic!("{direction:?}, stall {stall}: {e}"));
        assert!(
            seen.borrow().packets.len() >= 20,
            "what came after the reset"
        );
    }
}
