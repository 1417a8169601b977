//! Worked examples of trains: each expected completion is computed by hand from the design page.

mod support;

use pagetrain_formats::{regs, Command, Config, Counter, EventCode, Reason};
use pagetrain_golden::{EngineError, Limits, Written};
use support::expect::*;
use support::frames::*;
use support::rig::Rig;

/// Bytes of a segment of 1460 payload bytes.
const FULL: usize = 1460;

#[test]
fn train_is_these_very_dwords_when_two_segments_join() {
    let mut rig = Rig::stocked(&[(regs::Q_MAX_AGGR, 2)]);
    rig.frame(&segment(0, FULL).build());
    assert_eq!(rig.dwords(0), [0; 8], "held");
    rig.frame(&segment(1460, FULL).build());
    // dw2: offset 0, 0x5B4 bytes. dw3: frame of 0x5EA, number 0. dw5: 54 | 14 << 10 | 34 << 18. dw6: 2920 | 2 << 20.
    // dw7: PKT, head, split, IPv4, TCP, both sums good, watched, reason 3, 2 entries, phase.
    let first = [
        0xA0,
        0xB0,
        0x05B4_0000,
        0x0000_05EA,
        0,
        0x0088_3836,
        0x0020_0B68,
        0x821C_2AA5,
    ];
    let second = [
        0xA1,
        0xB0,
        0x05B4_05B4,
        0x0001_05EA,
        0,
        0x0088_3836,
        0,
        0x8004_2AA1,
    ];
    assert_eq!(rig.dwords(0), first);
    assert_eq!(rig.dwords(1), second);
    assert_eq!(rig.dwords(2), [0; 8]);
    assert_eq!(
        rig.small_bytes(0, HEADER),
        segment(0, FULL).build()[..HEADER]
    );
    assert_eq!(
        rig.small_bytes(1, HEADER),
        segment(1460, FULL).build()[..HEADER]
    );
    assert_eq!(rig.page_bytes(0, 0, 2920), stream(0, 2920));
    for (counter, value) in [
        (Counter::RxFrames, 2),
        (Counter::RxBytes, 3028),
        (Counter::FlowMisses, 1),
        (Counter::FlowCreations, 1),
        (Counter::FlowHits, 1),
        (Counter::Aggregated, 1),
        (Counter::Trains, 1),
        (Counter::Completions, 2),
        (Counter::PagesFilled, 0),
    ] {
        assert_eq!(rig.count(counter), value, "{counter:?}");
    }
    assert_eq!(rig.engine.counters().of_reason(Reason::MaxAggr), 2);
}

#[test]
fn packet_opens_the_next_train_when_a_segment_is_missing() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    rig.frame(&segment(5000, 100).build());
    let first = watched(0, 0xA0)
        .page(0xB0, 0, 1460)
        .head(Reason::Seq, 1, 1460, 1);
    assert_eq!(rig.entries(), [first.entry()]);
    // The expectation starts from the packet behind the gap; an old segment breaks it again.
    rig.frame(&segment(5100, 200).build());
    rig.frame(&segment(1460, 300).build());
    let second = watched(1, 0xA1)
        .page(0xB0, 1460, 100)
        .head(Reason::Seq, 2, 300, 2);
    let third = watched(2, 0xA2).page(0xB0, 1560, 200);
    assert_eq!(rig.entries(), [second.entry(), third.entry()]);
    rig.command(Command::FlushAll, EventCode::FlushAll);
    let last = watched(3, 0xA3)
        .page(0xB0, 1760, 300)
        .head(Reason::FlushAll, 1, 300, 1);
    assert_eq!(rig.entries(), [last.entry()]);
}

#[test]
fn sequence_numbers_wrap_when_a_train_crosses_zero() {
    let mut rig = Rig::stocked(&[(regs::Q_MAX_AGGR, 2)]);
    let start = 0u32.wrapping_sub(1000);
    rig.frame(&segment(start, FULL).build());
    rig.frame(&segment(460, 10).build());
    let first = watched(0, 0xA0)
        .page(0xB0, 0, 1460)
        .head(Reason::MaxAggr, 2, 1470, 2);
    assert_eq!(
        rig.entries(),
        [first.entry(), watched(1, 0xA1).page(0xB0, 1460, 10).entry()]
    );
}

#[test]
fn entry_is_removed_and_its_page_released_when_a_fin_comes() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    rig.frame(&segment(1460, 100).flags(ACK | FIN).build());
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Flag, 1, 1460, 1)
            .entry(),
        watched(1, 0xA1)
            .page(0xB0, 1460, 100)
            .head(Reason::Flag, 1, 100, 1)
            .entry(),
        released(0xB0, 1560),
    ];
    assert_eq!(rig.entries(), expected);
    // The flow is unknown now: a short segment of it is not watched.
    rig.frame(&segment(1561, 10).build());
    let pkt = pagetrain_formats::Pkt {
        hdr_len: 64,
        frame_len: 64,
        split: false,
        watched: false,
        ..watched(2, 0xA2)
    };
    assert_eq!(rig.entries(), [pkt.head(Reason::None, 1, 0, 1).entry()]);
    assert_eq!(rig.engine.counters().of_reason(Reason::Flag), 2);
}

#[test]
fn entry_goes_and_no_page_is_touched_when_syn_or_rst_come_without_payload() {
    for flags in [SYN, RST | ACK] {
        let mut rig = Rig::stocked(&[]);
        rig.frame(&segment(0, 1024).build());
        rig.command(Command::Poll, EventCode::Poll);
        rig.entries();
        rig.frame(&segment(1024, 0).flags(flags).build());
        let single = watched(1, 0xA1).head(Reason::Flag, 1, 0, 1);
        assert_eq!(rig.entries(), [single.entry(), released(0xB0, 1024)]);
    }
}

#[test]
fn entry_stays_when_a_fin_has_a_bad_checksum_or_the_flag_is_urg() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    let mut fin = segment(1460, 100).flags(ACK | FIN);
    fin.bad_tcp_checksum = true;
    rig.frame(&fin.build());
    rig.frame(&segment(1560, 50).flags(ACK | URG).build());
    rig.frame(&segment(1610, 50).build());
    let mut broken = watched(1, 0xA1).page(0xB0, 1460, 100);
    broken.l4_csum = pagetrain_formats::Csum::Bad;
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Csum, 1, 1460, 1)
            .entry(),
        broken.head(Reason::Csum, 1, 100, 1).entry(),
        watched(2, 0xA2)
            .page(0xB0, 1560, 50)
            .head(Reason::Flag, 1, 50, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(
        rig.count(Counter::FlowHits),
        3,
        "the last one hit the entry too"
    );
    assert_eq!(rig.count(Counter::BadL4Csum), 1);
}

#[test]
fn packet_is_a_train_of_its_own_when_the_ip_checksum_is_bad() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    let mut bad = segment(1460, 20);
    bad.bad_ip_checksum = true;
    rig.frame(&bad.build());
    let mut single = watched(1, 0xA1).page(0xB0, 1460, 20);
    single.ip_csum = pagetrain_formats::Csum::Bad;
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Csum, 1, 1460, 1)
            .entry(),
        single.head(Reason::Csum, 1, 20, 1).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.count(Counter::BadIpCsum), 1);
}

#[test]
fn train_closes_when_a_pure_ack_comes() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    let mut ack = segment(1460, 0);
    ack.padding = vec![0xEE; 6];
    rig.frame(&ack.build());
    let mut single = watched(1, 0xA1);
    single.frame_len = 60;
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Short, 1, 1460, 1)
            .entry(),
        single.head(Reason::Short, 1, 0, 1).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.small_bytes(1, 60)[54..], [0; 6], "padding is nowhere");
    rig.frame(&segment(1460, 10).build());
    rig.command(Command::Poll, EventCode::Poll);
    let next = watched(2, 0xA2)
        .page(0xB0, 1460, 10)
        .head(Reason::Poll, 1, 10, 1);
    assert_eq!(rig.entries(), [next.entry()]);
}

#[test]
fn least_recently_used_flow_is_evicted_when_a_fifth_comes_to_four_entries() {
    let config = Config {
        flows: 4,
        ..Config::default()
    };
    let mut rig = Rig::with(&config, Limits::NONE, &[]);
    rig.stock(64, 32);
    for port in 0..4 {
        rig.frame(&segment(0, 1024).flow(port).build());
    }
    rig.frame(&segment(1024, 8).flow(0).build());
    rig.frame(&segment(0, 2000).flow(9).build());
    let victim = watched(1, 0xA1)
        .page(0xB1, 0, 1024)
        .head(Reason::Evict, 1, 1024, 1);
    assert_eq!(rig.entries(), [victim.entry(), released(0xB1, 1024)]);
    // The newcomer sits in slot 1: trains are closed lowest slot first.
    rig.command(Command::FlushAll, EventCode::FlushAll);
    let flushed = |pkt: pagetrain_formats::Pkt, packets, bytes| {
        pkt.head(Reason::FlushAll, packets, bytes, packets).entry()
    };
    let expected = [
        flushed(watched(0, 0xA0).page(0xB0, 0, 1024), 2, 1032),
        watched(4, 0xA4).page(0xB0, 1024, 8).entry(),
        flushed(watched(5, 0xA5).page(0xB4, 0, 2000), 1, 2000),
        flushed(watched(2, 0xA2).page(0xB2, 0, 1024), 1, 1024),
        flushed(watched(3, 0xA3).page(0xB3, 0, 1024), 1, 1024),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(
        (
            rig.count(Counter::FlowEvictions),
            rig.count(Counter::TableFull)
        ),
        (1, 1)
    );
}

#[test]
fn flow_is_not_admitted_when_a_rule_of_creation_fails() {
    let mut rig = Rig::stocked(&[]);
    let mut optioned = segment(0, 1024);
    optioned.ip_options = vec![1; 4];
    let mut bad = segment(0, 1024);
    bad.bad_tcp_checksum = true;
    let refused = [
        segment(0, 1023),
        segment(0, 1024).flags(ACK | ECE),
        segment(0, 1024).flags(ACK | CWR),
        segment(0, 1024).flags(SYN),
        segment(0, 1024).flags(ACK | FIN),
        optioned,
        bad,
    ];
    let count = refused.len() as u64;
    refused.iter().for_each(|s| rig.frame(&s.build()));
    assert_eq!(
        (
            rig.count(Counter::FlowMisses),
            rig.count(Counter::FlowCreations)
        ),
        (count, 0)
    );
    assert_eq!(rig.engine.counters().of_reason(Reason::None), count);
    rig.frame(&segment(0, 1024).flags(ACK | PSH).build());
    assert_eq!(rig.count(Counter::FlowCreations), 1);
}

#[test]
fn segment_joins_when_ece_or_cwr_or_ip_options_are_set_on_a_watched_flow() {
    let mut rig = Rig::stocked(&[(regs::Q_MAX_AGGR, 3)]);
    rig.frame(&segment(0, 1024).build());
    rig.frame(&segment(1024, 1).flags(ACK | PSH | ECE | CWR).build());
    let mut optioned = segment(1025, 1);
    optioned.ip_options = vec![1; 4];
    rig.frame(&optioned.build());
    assert_eq!(rig.engine.counters().of_reason(Reason::MaxAggr), 3);
}

#[test]
fn no_flow_is_admitted_when_admit_min_is_zero_and_there_is_no_payload() {
    let mut rig = Rig::stocked(&[(regs::Q_ADMIT_MIN, 0)]);
    rig.frame(&segment(0, 0).build());
    assert_eq!(rig.count(Counter::FlowCreations), 0);
    rig.frame(&segment(0, 1).build());
    assert_eq!(rig.count(Counter::FlowCreations), 1);
}

#[test]
fn train_closes_by_bytes_when_it_reaches_or_would_exceed_them() {
    let mut rig = Rig::stocked(&[(regs::Q_MAX_BYTES, 3000)]);
    rig.frame(&segment(0, FULL).build());
    rig.frame(&segment(1460, 1541).build());
    let first = watched(0, 0xA0)
        .page(0xB0, 0, 1460)
        .head(Reason::MaxBytes, 1, 1460, 1);
    assert_eq!(
        rig.entries(),
        [first.entry()],
        "3001 bytes would be too many"
    );
    rig.frame(&segment(3001, 1459).build());
    let second = watched(1, 0xA1)
        .page(0xB0, 1460, 1541)
        .head(Reason::MaxBytes, 2, 3000, 3);
    let third = watched(2, 0xA2).page(0xB0, 3001, 1095).full().exts(1);
    let expected = [
        second.entry(),
        // 1459 bytes from 3001: 1095 fill the page, 364 go on.
        pagetrain_formats::Pkt {
            frame_len: 1513,
            ..third
        }
        .entry(),
        ext_page(0xB1, 0, 364, false),
    ];
    assert_eq!(rig.entries(), expected, "3000 bytes are enough");
}

#[test]
fn train_closes_by_count_when_the_next_packet_could_need_more_entries_than_there_are() {
    let config = Config {
        train_entries: 32,
        ..Config::default()
    };
    let mut rig = Rig::with(
        &config,
        Limits::NONE,
        &[(regs::Q_MAX_AGGR, 32), (regs::Q_ADMIT_MIN, 1)],
    );
    rig.stock(64, 32);
    // A packet of less than 1024 bytes may need 3 entries: the 30th is refused with 29 held + 3 = 32? No: 32 > 32 is false.
    for i in 0..30 {
        rig.frame(&segment(i * 10, 10).build());
    }
    assert_eq!(rig.entries(), []);
    rig.frame(&segment(300, 10).build());
    let entries = rig.entries();
    assert_eq!(entries.len(), 30);
    let head = watched(0, 0xA0)
        .page(0xB0, 0, 10)
        .head(Reason::MaxAggr, 30, 300, 30);
    assert_eq!(entries[0], head.entry());
    // One packet is held; 1024 bytes count one entry more: 28 + 1 + 3 = 32 would do, 29 + 1 + 3 would not.
    for i in 31..59 {
        rig.frame(&segment(i * 10, 10).build());
    }
    rig.frame(&segment(590, 1024).build());
    let entries = rig.entries();
    assert_eq!(entries.len(), 29);
    let head = watched(30, 0xBE)
        .page(0xB0, 300, 10)
        .head(Reason::MaxAggr, 29, 290, 29);
    assert_eq!(entries[0], head.entry());
}

#[test]
fn every_packet_goes_up_at_once_when_the_mode_is_off() {
    let mut rig = Rig::stocked(&[(regs::Q_MERGE, 0)]);
    rig.frame(&segment(0, FULL).build());
    rig.frame(&segment(1460, FULL).build());
    let mut bad = segment(2920, 10);
    bad.bad_tcp_checksum = true;
    rig.frame(&bad.build());
    let mut third = watched(2, 0xA2).page(0xB0, 2920, 10);
    third.l4_csum = pagetrain_formats::Csum::Bad;
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Single, 1, 1460, 1)
            .entry(),
        watched(1, 0xA1)
            .page(0xB0, 1460, 1460)
            .head(Reason::Single, 1, 1460, 1)
            .entry(),
        third.head(Reason::Single, 1, 10, 1).entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(
        (rig.count(Counter::Trains), rig.count(Counter::Aggregated)),
        (3, 0)
    );
}

#[test]
fn timer_closes_a_train_when_its_time_is_over_and_not_before() {
    let writes = [(regs::TICK_CLOCKS, 10), (regs::Q_DEFER_TICKS, 5)];
    let limits = Limits {
        timer_slack: 100,
        buffer_slack: u64::MAX,
    };
    let mut rig = Rig::with(&Config::default(), limits, &writes);
    rig.stock(64, 32);
    rig.clock = 999;
    rig.frame(&segment(0, FULL).build());
    // Held for at least 4 ticks.
    rig.clock = 1039;
    let early = EngineError::TimerEarly {
        slot: 0,
        opened: 1000,
        clock: 1039,
        earliest: 1040,
    };
    assert_eq!(rig.event(EventCode::Timer, 0), Err(early));
    // A packet that joins does not put the timer back.
    rig.frame(&segment(1460, 10).build());
    rig.clock = 1040;
    rig.timer(0);
    let first = watched(0, 0xA0)
        .page(0xB0, 0, 1460)
        .head(Reason::Timer, 2, 1470, 2);
    assert_eq!(
        rig.entries(),
        [first.entry(), watched(1, 0xA1).page(0xB0, 1460, 10).entry()]
    );
    assert_eq!(
        rig.event(EventCode::Timer, 0),
        Err(EngineError::TimerWithoutTrain { slot: 0 })
    );
    assert_eq!(
        rig.event(EventCode::Timer, 99),
        Err(EngineError::TimerWithoutTrain { slot: 99 })
    );

    rig.clock = 1999;
    rig.frame(&segment(1470, 10).build());
    rig.clock = 2150;
    rig.timer(0);
    rig.clock = 2999;
    rig.frame(&segment(1480, 10).build());
    rig.clock = 3151;
    let late = EngineError::TimerLate {
        slot: 0,
        opened: 3000,
        clock: 3151,
        latest: 3150,
    };
    assert_eq!(rig.event(EventCode::Timer, 0), Err(late.clone()));
    // Any other event shows it as well.
    rig.clock = 3150;
    let other = support::frames::other(64);
    assert_eq!(rig.try_frame(&other), Err(late));
    rig.engine.excuse_timers(3051);
    rig.timer(0);
}

#[test]
fn timer_never_fires_when_defer_ticks_is_zero() {
    let limits = Limits {
        timer_slack: 0,
        buffer_slack: u64::MAX,
    };
    let mut rig = Rig::with(&Config::default(), limits, &[(regs::Q_DEFER_TICKS, 0)]);
    rig.stock(64, 32);
    rig.frame(&segment(0, FULL).build());
    rig.clock = 1 << 40;
    assert_eq!(
        rig.event(EventCode::Timer, 0),
        Err(EngineError::TimerWithoutTrain { slot: 0 })
    );
    rig.command(Command::Poll, EventCode::Poll);
    assert_eq!(rig.entries().len(), 1);
}

#[test]
fn flush_flow_closes_that_train_only_and_is_acknowledged_when_the_flow_is_unknown() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).flow(1).build());
    rig.frame(&segment(0, FULL).flow(2).build());
    let key = |rig: &mut Rig, sport: u32| {
        for (addr, value) in [
            (regs::Q_KEY0, 0x0A00_0001),
            (regs::Q_KEY4, 0x0A00_0002),
            (regs::Q_KEY8, sport | 2000 << 16),
        ] {
            assert_eq!(rig.write(addr, value), Written::Taken);
        }
    };
    key(&mut rig, 3);
    rig.command(Command::FlushFlow, EventCode::FlushFlow);
    assert_eq!(rig.entries(), []);
    assert_eq!(rig.engine.read_register(regs::Q_CMD_DONE), Some(1));
    key(&mut rig, 2);
    rig.command(Command::FlushFlow, EventCode::FlushFlow);
    let second = watched(1, 0xA1)
        .page(0xB1, 0, 1460)
        .head(Reason::FlushFlow, 1, 1460, 1);
    assert_eq!(rig.entries(), [second.entry()]);
    // A known flow without a train: acknowledged.
    rig.command(Command::FlushFlow, EventCode::FlushFlow);
    assert_eq!(rig.entries(), []);
    assert_eq!(rig.engine.read_register(regs::Q_CMD_DONE), Some(3));
}

#[test]
fn flush_flow_does_not_refresh_when_it_hits() {
    let config = Config {
        flows: 4,
        ..Config::default()
    };
    let mut rig = Rig::with(&config, Limits::NONE, &[]);
    rig.stock(64, 32);
    for port in 0..4 {
        rig.frame(&segment(0, 1024).flow(port).build());
    }
    rig.write(regs::Q_KEY0, 0x0A00_0001);
    rig.write(regs::Q_KEY4, 0x0A00_0002);
    rig.write(regs::Q_KEY8, 2000 << 16);
    rig.command(Command::FlushFlow, EventCode::FlushFlow);
    rig.entries();
    rig.frame(&segment(0, 1024).flow(7).build());
    assert_eq!(
        rig.entries(),
        [released(0xB0, 1024)],
        "slot 0 was still the oldest; its train was closed before"
    );
}

#[test]
fn train_goes_on_after_a_poll_in_the_same_page_when_fresh_page_is_off() {
    let mut rig = Rig::stocked(&[]);
    rig.frame(&segment(0, FULL).build());
    rig.command(Command::Poll, EventCode::Poll);
    rig.frame(&segment(1460, FULL).build());
    rig.command(Command::Poll, EventCode::Poll);
    let expected = [
        watched(0, 0xA0)
            .page(0xB0, 0, 1460)
            .head(Reason::Poll, 1, 1460, 1)
            .entry(),
        watched(1, 0xA1)
            .page(0xB0, 1460, 1460)
            .head(Reason::Poll, 1, 1460, 1)
            .entry(),
    ];
    assert_eq!(rig.entries(), expected);
    assert_eq!(rig.engine.counters().of_reason(Reason::Poll), 2);
}
