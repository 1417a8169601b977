//! The register port: doorbells, commands, reset, counters; and the observations that a testbench hands in.

mod support;

use pagetrain_formats::{regs, Command, Config, Counter, Descriptor, EventCode};
use pagetrain_golden::registers::Refusal;
use pagetrain_golden::{EngineError, Limits, RegisterWrite, Seen, Written};
use support::frames::*;
use support::rig::{Rig, PAGES};

fn observed(rig: &mut Rig, addr: u16, value: u32, index: u16) -> Result<Written, EngineError> {
    let write = RegisterWrite {
        index: Some(index),
        ..RegisterWrite::new(addr, value)
    };
    rig.engine.write_register(write, rig.clock, &mut rig.memory)
}

#[test]
fn doorbell_is_refused_when_it_moves_backwards_or_too_far() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    // Sixteen descriptors fit; what they hold does not matter here.
    for (tail, expected) in [
        (17, Written::BadDoorbell),
        (0xFFFF, Written::BadDoorbell),
        (10, Written::Taken),
        (9, Written::BadDoorbell),
        (10, Written::Taken),
        (16, Written::Taken),
        (17, Written::BadDoorbell),
    ] {
        assert_eq!(rig.write(regs::SB_TAIL, tail), expected, "{tail}");
    }
    assert_eq!(rig.count(Counter::BadDoorbells), 4);
    assert_eq!(rig.count(Counter::BadWrites), 0);
    assert_eq!(rig.engine.read_register(regs::SB_TAIL), Some(16));
    // All sixteen were bad: once they are back there is room again.
    for _ in 0..16 {
        rig.event(EventCode::BadSmall, 0).unwrap();
    }
    assert_eq!(rig.write(regs::SB_TAIL, 32), Written::Taken);
    assert_eq!(rig.engine.read_register(regs::SB_TAIL), Some(32));
    assert_eq!(rig.write(regs::CQ_HEAD, 17), Written::BadDoorbell);
    assert_eq!(rig.write(regs::CQ_HEAD, 16), Written::Taken);
    assert_eq!(rig.write(regs::CQ_HEAD, 15), Written::BadDoorbell);
}

#[test]
fn fetch_index_decides_when_it_was_observed() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    for i in 0..16 {
        rig.post_page(i, 4096, 0);
    }
    // The engine has prefetched four: four more fit, not five. It cannot have fetched what was not posted.
    assert_eq!(
        observed(&mut rig, regs::PG_TAIL, 21, 4),
        Ok(Written::BadDoorbell)
    );
    assert_eq!(observed(&mut rig, regs::PG_TAIL, 20, 4), Ok(Written::Taken));
    let beyond = EngineError::FetchIndex {
        ring: "page ring",
        head: 21,
        low: 0,
        high: 20,
    };
    assert_eq!(observed(&mut rig, regs::PG_TAIL, 21, 21), Err(beyond));
    rig.post_small(1);
    rig.frame(&segment(0, 5000).build());
    let behind = EngineError::FetchIndex {
        ring: "page ring",
        head: 1,
        low: 2,
        high: 20,
    };
    assert_eq!(observed(&mut rig, regs::PG_TAIL, 20, 1), Err(behind));
}

#[test]
fn produce_index_decides_when_it_was_observed() {
    let mut rig = Rig::stocked(&[]);
    (0..5).for_each(|_| rig.frame(&other(60)));
    assert_eq!(
        observed(&mut rig, regs::CQ_HEAD, 3, 2),
        Ok(Written::BadDoorbell),
        "only two are in memory yet"
    );
    assert_eq!(observed(&mut rig, regs::CQ_HEAD, 2, 2), Ok(Written::Taken));
    let beyond = EngineError::ProduceIndex {
        tail: 6,
        low: 2,
        high: 5,
    };
    assert_eq!(observed(&mut rig, regs::CQ_HEAD, 3, 6), Err(beyond));
}

#[test]
fn indices_wrap_when_65536_buffers_were_posted() {
    let mut rig = Rig::new(&[(regs::CQ_LOG2, 4)]);
    for i in 0..70_000u32 {
        let small = Descriptor {
            addr: 0x100_0000 + 256 * u64::from(i % 16),
            cookie: i,
            length: 256,
            headroom: 0,
        };
        assert_eq!(rig.post_small_descriptor(small), Written::Taken);
        rig.frame(&other(60));
        assert_eq!(rig.entries().len(), 1);
    }
    assert_eq!(rig.count(Counter::Completions), 70_000);
    assert_eq!(
        rig.engine.read_register(regs::CQ_TAIL),
        Some(70_000 - 65_536)
    );
}

#[test]
fn command_is_refused_when_one_is_under_way() {
    let mut rig = Rig::stocked(&[]);
    assert_eq!(rig.write(regs::Q_CMD, 1), Written::Taken);
    assert_eq!(rig.write(regs::Q_CMD, 2), Written::Busy);
    let other = EngineError::NotCommanded {
        event: EventCode::Poll,
        pending: Some(Command::FlushAll),
    };
    assert_eq!(rig.event(EventCode::Poll, 0), Err(other));
    rig.event(EventCode::FlushAll, 0).unwrap();
    let none = EngineError::NotCommanded {
        event: EventCode::FlushAll,
        pending: None,
    };
    assert_eq!(rig.event(EventCode::FlushAll, 0), Err(none));
    for value in [0, 5, 0x1_0001] {
        assert_eq!(
            rig.write(regs::Q_CMD, value),
            Written::Refused(Refusal::Illegal)
        );
    }
    assert_eq!(rig.count(Counter::BadWrites), 4);
    assert_eq!(rig.engine.read_register(regs::Q_CMD_DONE), Some(1));
    assert_eq!(rig.engine.read_register(regs::Q_CMD), Some(0));
    // The engine's own word on whether it was busy goes before the model's.
    let write = RegisterWrite {
        busy: Some(true),
        ..RegisterWrite::new(regs::Q_CMD, 1)
    };
    assert_eq!(
        rig.engine.write_register(write, 0, &mut rig.memory),
        Ok(Written::Busy)
    );
}

#[test]
fn writes_are_ignored_and_counted_when_they_are_refused() {
    let mut rig = Rig::stocked(&[]);
    let partial = RegisterWrite {
        strobes: 0b0111,
        ..RegisterWrite::new(regs::CTRL, 0)
    };
    assert_eq!(
        rig.engine.write_register(partial, 0, &mut rig.memory),
        Ok(Written::Refused(Refusal::Strobes))
    );
    assert_eq!(
        rig.write(regs::Q_MERGE, 0),
        Written::Refused(Refusal::Locked)
    );
    assert_eq!(rig.write(0x4000, 0), Written::Refused(Refusal::Locked));
    assert_eq!(
        rig.write(regs::counter_addr(0), 0),
        Written::Refused(Refusal::NotWritable)
    );
    assert_eq!(rig.write(0xFFFC, 0), Written::Refused(Refusal::NotWritable));
    assert_eq!(rig.count(Counter::BadWrites), 5);
    assert_eq!(rig.engine.read_register(regs::CTRL), Some(5));
    assert_eq!(rig.engine.read_register(regs::Q_MERGE), Some(1));
    assert_eq!(rig.engine.read_register(0xFFFC), Some(0));
    assert_eq!(
        rig.engine.read_register(0x4000),
        Some(0),
        "the program cannot be read"
    );
    // With enable 0 they are taken; address bits 1:0 do not matter.
    assert_eq!(rig.write(regs::CTRL, 4), Written::Taken);
    assert_eq!(rig.write(regs::Q_MERGE + 3, 0), Written::Taken);
    assert_eq!(rig.engine.read_register(regs::Q_MERGE + 1), Some(0));
    assert_eq!(rig.count(Counter::BadWrites), 5);
}

#[test]
fn identity_tells_the_configuration_when_read() {
    let config = Config {
        flows: 64,
        page_size: 65536,
        ..Config::default()
    };
    let mut rig = Rig::with(&config, Limits::NONE, &[]);
    assert_eq!(rig.engine.read_register(regs::ID), Some(0x5047_5452));
    // W/8 = 8, D/8 = 16, 64 flows, 2^16. 32 states, 16 steps, 256 bytes. 64 entries, 2^15 bytes, one queue.
    assert_eq!(rig.engine.read_register(regs::PARAMS0), Some(0x1040_1008));
    assert_eq!(rig.engine.read_register(regs::PARAMS1), Some(0x0100_1020));
    assert_eq!(rig.engine.read_register(regs::PARAMS2), Some(0x010F_0040));
    assert_eq!(rig.engine.read_register(regs::STATUS), Some(1));
    assert_eq!(
        rig.engine.read_register(regs::SB_HEAD),
        None,
        "depends on the engine's clocks"
    );
}

#[test]
fn counters_are_read_in_halves_when_the_host_asks() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&other(100));
    rig.frame(&other(60));
    let read = |rig: &mut Rig, c: Counter| {
        let addr = regs::counter_addr(c.code() as usize);
        (
            rig.engine.read_register(addr),
            rig.engine.read_register(addr + 4),
        )
    };
    assert_eq!(read(&mut rig, Counter::RxBytes), (Some(160), Some(0)));
    assert_eq!(read(&mut rig, Counter::Completions), (Some(2), Some(0)));
    assert_eq!(read(&mut rig, Counter::Rejected), (Some(2), Some(0)));
    assert_eq!(rig.engine.read_register(regs::counter_addr(63)), Some(0));
}

#[test]
fn reset_forgets_rings_and_flows_and_keeps_configuration_when_written() {
    let mut rig = Rig::stocked(&[(regs::Q_ADMIT_MIN, 500)]);
    rig.frame(&segment(0, 600).build());
    rig.frame(&other(300));
    rig.engine.ingress(&other(64), false, Seen::Taken).unwrap();
    rig.write(regs::Q_CMD, 4);
    assert_eq!(rig.write(regs::CTRL, 7), Written::Taken);
    for (addr, value) in [
        (regs::CTRL, 4),
        (regs::Q_ADMIT_MIN, 500),
        (regs::SB_TAIL, 0),
        (regs::PG_TAIL, 0),
        (regs::CQ_HEAD, 0),
        (regs::CQ_TAIL, 0),
        (regs::Q_CMD_DONE, 0),
        (regs::STATUS, 0),
    ] {
        assert_eq!(rig.engine.read_register(addr), Some(value), "{addr:#x}");
    }
    assert_eq!(rig.engine.stored(), (0, 0));
    let none = EngineError::NotCommanded {
        event: EventCode::Stop,
        pending: None,
    };
    assert_eq!(rig.event(EventCode::Stop, 0), Err(none));
    assert_eq!(
        (
            rig.count(Counter::FlowCreations),
            rig.count(Counter::Completions)
        ),
        (1, 1)
    );
    rig.write(regs::CTRL, 5);
    (rig.small_tail, rig.page_tail) = (0, 0);
    rig.stock(2, 2);
    rig.frame(&segment(600, 600).build());
    assert_eq!(
        rig.count(Counter::FlowCreations),
        2,
        "the program is there, the flow is not"
    );
    assert_eq!(rig.engine.open_trains().count(), 1);
}

#[test]
fn engine_does_not_start_when_a_write_is_refused() {
    let config = Config::default();
    let start = |writes: &[(u16, u32)]| {
        pagetrain_golden::Engine::start(&config, Limits::NONE, writes, &[]).err()
    };
    assert_eq!(
        start(&[(regs::Q_MAX_AGGR, 65)]),
        Some((regs::Q_MAX_AGGR, Written::Refused(Refusal::Illegal)))
    );
    assert_eq!(
        start(&[(regs::SB_BASE_LO, 0x1001)]),
        Some((regs::SB_BASE_LO, Written::Refused(Refusal::Illegal)))
    );
    assert_eq!(start(&[(regs::SB_BASE_LO, PAGES as u32)]), None);
}
