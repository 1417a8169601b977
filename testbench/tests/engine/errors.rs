//! Everything that goes wrong around the engine: bus errors, hosts that are slow, careless or hostile, resets at any time.
//! Each is counted and has its documented outcome, nothing hangs, nothing is written where nothing was posted, and after
//! a reset the engine agrees with the model again.

use super::frames::{other, segment, Segment};
use super::scene::{built, send, Scene, PROFILES, QUIET};
use super::support::config;
use pagetrain_formats::{regs, BufId, BufStatus, Command, Counter, Descriptor, Reason};
use pagetrain_golden::{RegisterWrite, Written};
use pagetrain_testbench::axi::{Direction, Fault, FaultAt, Resp};
use pagetrain_testbench::engine::{Driver, Ring};
use pagetrain_testbench::stall::{Pause, StallProfile};

fn scene() -> Scene {
    Scene::new(config(64, 128))
}

/// Segments of a flow, long enough to keep the bus busy.
fn flow(from: u32, count: u32) -> Vec<Vec<u8>> {
    built((from..from + count).map(|i| segment(1448 * i, 1448)))
}

async fn counter(driver: &Driver, counter: Counter) -> u64 {
    // Until a sweep has added up what was counted last.
    driver.sim().cycles(512).await;
    driver.counter(counter.code() as usize).await
}

async fn status(driver: &Driver, field: pagetrain_formats::Field) -> bool {
    driver.read(regs::STATUS).await & field.mask() != 0
}

/// After a reset: traffic goes on as if nothing had been, and all agrees with the model.
async fn recovers(driver: &Driver) {
    driver.restart().await;
    send(driver, &flow(0, 20)).await;
    driver.finish(QUIET).await;
}

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

/// A host that stops posting: every frame is dropped and counted, and the train that was open is closed for it.
#[test]
fn frames_are_dropped_and_counted_when_the_host_stops_posting() {
    for stall in PROFILES {
        let scene = scene().with(regs::RX_CTRL, 0).stock(16, vec![(4096, 0); 4]);
        let seen = scene.play(stall, async |driver| {
            driver.recycle(false);
            driver.sim().cycles(2000).await;
            for i in 0..30 {
                send(driver, &flow(i, 1)).await;
            }
            let irq = driver.read(regs::IRQ_STATUS).await;
            assert!(irq & regs::IRQ_NO_BUFFER.mask() != 0);
            driver.recycle(true);
            driver.post().await;
            driver.sim().cycles(2000).await;
            send(driver, &flow(100, 4)).await;
        });
        // Four pages hold 11 whole segments.
        assert_eq!(seen.count(Counter::DropNoBuffer), 19);
        assert_eq!(
            (seen.packets.len(), seen.closed(Reason::NoBuffer)),
            (15, 11)
        );
    }
}

/// The same with back-pressure: nothing is lost, the MAC waits, and so do commands not.
#[test]
fn frames_wait_and_commands_do_not_when_the_host_stops_posting_under_backpressure() {
    for stall in PROFILES {
        let scene = scene()
            .with(regs::Q_MAX_AGGR, 4)
            .stock(16, vec![(4096, 0); 4]);
        let seen = scene.play(stall, async |driver| {
            driver.recycle(false);
            for frame in flow(0, 60) {
                driver.send(frame, false);
            }
            driver.sim().cycles(20_000).await;
            driver.command(Command::FlushAll).await;
            driver.recycle(true);
            driver.post().await;
        });
        assert_eq!(
            (seen.packets.len(), seen.count(Counter::DropNoBuffer)),
            (60, 0)
        );
        assert!(seen.closed(Reason::FlushAll) > 0, "the train that was open");
    }
}

/// A host that takes nothing: the engine waits in front of its entries, and loses frames at its input only.
#[test]
fn engine_waits_and_goes_on_when_the_completion_ring_is_full() {
    for stall in PROFILES {
        let mut scene = scene().with(regs::RX_CTRL, 0).with(regs::Q_MERGE, 0);
        scene.host.completion_log2 = 4;
        let seen = scene.play(stall, async |driver| {
            driver.sim().cycles(2000).await;
            driver.serve(false);
            for frame in flow(0, 200) {
                driver.send(frame, false);
                driver.nearly_sent().await;
            }
            driver.sent().await;
            driver.sim().cycles(2000).await;
            assert_eq!(driver.read(regs::CQ_TAIL).await, 16, "not one more");
            driver.serve(true);
        });
        assert!(seen.count(Counter::DropOverflow) > 0, "the store filled");
        let kept = 200 - seen.count(Counter::DropOverflow) - seen.count(Counter::DropNoBuffer);
        assert_eq!(seen.packets.len() as u64, kept);
    }
}

/// Doorbells backwards, too far, and of entries that nobody has seen.
#[test]
fn doorbells_are_refused_and_counted_when_they_are_out_of_range() {
    for stall in PROFILES {
        let seen = scene().play(stall, async |driver| {
            send(driver, &flow(0, 10)).await;
            driver.recycle(false);
            driver.quiet(QUIET).await;
            let mut expected = 0;
            for (tail, head) in [
                (regs::SB_TAIL, regs::SB_HEAD),
                (regs::PG_TAIL, regs::PG_HEAD),
            ] {
                let now = driver.read(tail).await;
                let fetched = driver.read(head).await;
                let far = now.wrapping_add(129) & 0xFFFF;
                for bad in [now.wrapping_sub(1) & 0xFFFF, far, now ^ 0x8000] {
                    let write = RegisterWrite {
                        index: Some(fetched as u16),
                        ..RegisterWrite::new(tail, bad)
                    };
                    assert_eq!(
                        driver.write_as(write).await,
                        Written::BadDoorbell,
                        "{bad:#x}"
                    );
                    expected += 1;
                }
                // The present value is allowed.
                assert_eq!(driver.write(tail, now).await, Written::Taken);
                assert_eq!(driver.read(tail).await, now);
            }
            let taken = driver.read(regs::CQ_HEAD).await;
            for bad in [taken + 1, taken.wrapping_sub(1) & 0xFFFF, taken ^ 0x8000] {
                assert_eq!(driver.write(regs::CQ_HEAD, bad).await, Written::BadDoorbell);
                expected += 1;
            }
            assert_eq!(counter(driver, Counter::BadDoorbells).await, expected);
            let irq = driver.read(regs::IRQ_STATUS).await;
            assert!(irq & regs::IRQ_REFUSED.mask() != 0);
            driver.recycle(true);
            driver.post().await;
            send(driver, &flow(10, 10)).await;
        });
        assert_eq!(
            (seen.packets.len(), seen.count(Counter::BadDoorbells)),
            (20, 9)
        );
    }
}

/// Descriptors of a hostile driver among good ones.
#[test]
fn descriptors_come_back_and_nothing_is_written_when_they_break_a_rule() {
    let page = Descriptor {
        addr: 0xDEAD_0000_0000,
        cookie: 0x4000_0000,
        length: 4096,
        headroom: 0,
    };
    let small = Descriptor {
        length: 256,
        ..page
    };
    let bad = [
        (
            Ring::Small,
            Descriptor {
                addr: 0xDEAD_0000_0001,
                ..small
            },
        ),
        (
            Ring::Small,
            Descriptor {
                addr: 0xDEAD_0000_0080,
                ..small
            },
        ),
        (
            Ring::Small,
            Descriptor {
                length: 255,
                ..small
            },
        ),
        (
            Ring::Small,
            Descriptor {
                length: 257,
                ..small
            },
        ),
        (Ring::Small, Descriptor { length: 0, ..small }),
        (
            Ring::Small,
            Descriptor {
                headroom: 1,
                ..small
            },
        ),
        (
            Ring::Page,
            Descriptor {
                addr: 0xDEAD_0000_0800,
                ..page
            },
        ),
        (
            Ring::Page,
            Descriptor {
                length: 4097,
                ..page
            },
        ),
        (
            Ring::Page,
            Descriptor {
                length: 0xF_FFFF,
                ..page
            },
        ),
        (
            Ring::Page,
            Descriptor {
                length: 1023,
                ..page
            },
        ),
        (
            Ring::Page,
            Descriptor {
                headroom: 3073,
                ..page
            },
        ),
        (
            Ring::Page,
            Descriptor {
                length: 100,
                headroom: 4095,
                ..page
            },
        ),
        (Ring::Page, Descriptor { length: 0, ..page }),
    ];
    for stall in PROFILES {
        // Room in the rings for those that are not the host's.
        let mut scene = scene()
            .with(regs::Q_MAX_AGGR, 4)
            .stock(20, vec![(4096, 0); 20]);
        (scene.host.small_log2, scene.host.page_log2) = (6, 6);
        let seen = scene.play(stall, async |driver| {
            for (i, (ring, descriptor)) in bad.iter().enumerate() {
                let cookie = descriptor.cookie + i as u32;
                driver
                    .post_careless(
                        *ring,
                        &Descriptor {
                            cookie,
                            ..*descriptor
                        },
                    )
                    .await;
                send(driver, &flow(3 * i as u32, 3)).await;
            }
        });
        assert_eq!(seen.count(Counter::BadDescriptors), bad.len() as u64);
        let returned: Vec<_> = (seen.returned.iter())
            .filter(|b| b.status == BufStatus::BadDesc)
            .map(|b| b.id)
            .collect();
        assert_eq!(returned.len(), bad.len());
        for (i, (ring, descriptor)) in bad.iter().enumerate() {
            let cookie = descriptor.cookie + i as u32;
            let id = match ring {
                Ring::Small => BufId::Small(cookie),
                Ring::Page => BufId::Page(cookie),
            };
            assert!(returned.contains(&id), "{descriptor:?}");
        }
        assert_eq!(seen.packets.len(), 3 * bad.len());
    }
}

/// Writes of configuration while it is locked, of values that are not legal, of parts of registers, and beside the map.
#[test]
fn register_writes_are_refused_and_counted_when_they_break_a_rule() {
    for stall in PROFILES {
        let seen = scene().play(stall, async |driver| {
            send(driver, &flow(0, 5)).await;
            let mut refused = 0;
            let locked = [
                regs::TICK_CLOCKS,
                regs::MAX_FRAME,
                regs::Q_MERGE,
                regs::SB_BASE_LO,
                regs::CQ_LOG2,
                regs::PROGRAM_BASE,
            ];
            let beside = [0x0040, 0x1FFC, 0x3000, 0xFFFC, regs::ID, regs::CQ_TAIL];
            for addr in locked.into_iter().chain(beside) {
                let written = driver.write(addr, 0x1000).await;
                assert!(matches!(written, Written::Refused(_)), "{addr:#x}");
                refused += 1;
            }
            for strobes in [0x0, 0x1, 0x7, 0xE] {
                let write = RegisterWrite {
                    strobes,
                    ..RegisterWrite::new(regs::SB_TAIL, 0xFFFF)
                };
                assert!(matches!(driver.write_as(write).await, Written::Refused(_)));
                refused += 1;
            }
            for command in [0, 5, 0xFFFF_FFFF] {
                let written = driver.write(regs::Q_CMD, command).await;
                assert!(matches!(written, Written::Refused(_)), "{command}");
                refused += 1;
            }
            assert_eq!(counter(driver, Counter::BadWrites).await, refused);
            assert_eq!(driver.read(regs::MAX_FRAME).await, 9018, "as it was");
            for beside in [0x0040, 0x3000, 0xFFFC] {
                assert_eq!(driver.read(beside).await, 0, "{beside:#x}");
            }
            send(driver, &flow(5, 5)).await;
        });
        assert_eq!(
            (seen.packets.len(), seen.count(Counter::BadWrites)),
            (10, 19)
        );
    }
}

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
