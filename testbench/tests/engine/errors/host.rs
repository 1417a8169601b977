//! Hosts that are slow, careless or hostile.

use super::{counter, flow, scene};
use crate::scene::{send, PROFILES, QUIET};
use pagetrain_formats::{regs, BufId, BufStatus, Command, Counter, Descriptor, Reason};
use pagetrain_golden::{RegisterWrite, Written};
use pagetrain_testbench::engine::Ring;

/// An address at which nothing was posted.
const BAD: u64 = 0xDEAD_0000_0000;

/// First cookie of buffers that are not the host's.
const FOREIGN: u32 = 0x4000_0000;

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

/// The same with back-pressure: nothing is lost, the MAC waits, and commands are carried out meanwhile.
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
    let bad = [
        (Ring::Small, BAD + 0x01, 256, 0),
        (Ring::Small, BAD + 0x80, 256, 0),
        (Ring::Small, BAD, 255, 0),
        (Ring::Small, BAD, 257, 0),
        (Ring::Small, BAD, 0, 0),
        (Ring::Small, BAD, 256, 1),
        (Ring::Page, BAD + 0x800, 4096, 0),
        (Ring::Page, BAD, 4097, 0),
        (Ring::Page, BAD, 0xF_FFFF, 0),
        (Ring::Page, BAD, 1023, 0),
        (Ring::Page, BAD, 4096, 3073),
        (Ring::Page, BAD, 100, 4095),
        (Ring::Page, BAD, 0, 0),
    ];
    let bad = bad.map(|(ring, addr, length, headroom)| {
        let cookie = 0;
        (
            ring,
            Descriptor {
                addr,
                cookie,
                length,
                headroom,
            },
        )
    });
    for stall in PROFILES {
        // Room in the rings for those that are not the host's.
        let mut scene = scene()
            .with(regs::Q_MAX_AGGR, 4)
            .stock(20, vec![(4096, 0); 20]);
        (scene.host.small_log2, scene.host.page_log2) = (6, 6);
        let seen = scene.play(stall, async |driver| {
            for (i, (ring, descriptor)) in bad.iter().enumerate() {
                let cookie = FOREIGN + i as u32;
                let descriptor = Descriptor {
                    cookie,
                    ..*descriptor
                };
                driver.post_careless(*ring, &descriptor).await;
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
            let cookie = FOREIGN + i as u32;
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
