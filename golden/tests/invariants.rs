//! What holds of every run, whatever the traffic, the settings and the order of events.

mod support;

use std::collections::{HashMap, VecDeque};

use pagetrain_formats::counters::reason_counter;
use pagetrain_formats::{
    regs, BufId, BufStatus, Command, Config, Counter, Descriptor, EventCode, MergeMode, Pkt, Reason,
};
use pagetrain_golden::deliver::{Delivery, Packet, Train, Walker};
use pagetrain_golden::registers::Place;
use pagetrain_golden::{HostMemory, Limits, Seen, State, Written};
use support::oracle::judge;
use support::rig::{Rig, COMPLETION_RING, PAGES, PAGE_STEP, SMALLS};
use support::traffic::{Source, Traffic};
use support::watch::Watch;
use support::{for_seeds, Rng};

/// Bound of the timers: the test lets them run out at the first event after their time.
const TIMER_SLACK: u64 = 20_000;

/// What the host has learnt from its completions.
#[derive(Default)]
struct Received {
    /// Frames that were taken and have not come back, by number.
    expected: HashMap<u16, Traffic>,
    /// Number of the last frame of each flow, in the order of arrival.
    last: HashMap<usize, usize>,
    order: HashMap<u16, usize>,
    /// Payload bytes that have come back of frames in pieces, by number.
    pieces: HashMap<u16, usize>,
    frames: u64,
    split: u64,
    packets: u64,
    trains: u64,
    joined: u64,
    paged: u64,
    by_reason: HashMap<Reason, u64>,
    full: u64,
    released: u64,
    unused: u64,
    bad: u64,
    stopped: bool,
}

struct Run {
    rig: Rig,
    walker: Walker,
    watch: Watch,
    rng: Rng,
    config: Config,
    addresses: HashMap<u32, u64>,
    /// Places in memory that are free.
    smalls: VecDeque<u64>,
    pages: VecDeque<u64>,
    next_cookie: u32,
    bad_posted: u64,
    received: Received,
    frames: usize,
    dropped: u64,
}

fn settings(rng: &mut Rng, config: &Config) -> Vec<(u16, u32)> {
    let limit = config.max_frame_limit() as u32;
    let entries = config.train_entries as u32;
    vec![
        (regs::CQ_LOG2, rng.pick(&[4, 5, 8])),
        (regs::TICK_CLOCKS, rng.pick(&[1, 16, 256])),
        (regs::RX_CTRL, rng.below(4) as u32),
        (regs::MAX_FRAME, rng.pick(&[1514, 9018, limit]).min(limit)),
        (regs::Q_MERGE, u32::from(!rng.once_in(5))),
        (regs::Q_DEFER_TICKS, rng.pick(&[0, 1, 64, 500])),
        (regs::Q_MAX_AGGR, rng.pick(&[1, 2, 8, entries])),
        (regs::Q_MAX_BYTES, rng.pick(&[1, 3000, 65535, 1_048_575])),
        (regs::Q_ADMIT_MIN, rng.pick(&[0, 1, 1024, 4000])),
        (regs::Q_PAGE_CTRL, rng.below(4) as u32),
        (regs::Q_TRAIN_PAGES, rng.pick(&[1, 1, 2, 8, 16])),
    ]
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let config = Config {
            flows: rng.pick(&[4, 16]),
            page_size: rng.pick(&[4096, 16384, 65536]),
            train_entries: rng.pick(&[32, 64]),
            ..Config::default()
        };
        let writes = settings(&mut rng, &config);
        let limits = Limits {
            timer_slack: TIMER_SLACK,
            buffer_slack: 0,
        };
        let rig = Rig::with(&config, limits, &writes);
        let ring = Place {
            base: COMPLETION_RING,
            log2: rig.log2,
        };
        Self {
            walker: Walker::new(ring),
            watch: Watch::default(),
            smalls: (0..1 << rig.log2).map(|i| SMALLS + 256 * i).collect(),
            pages: (0..1 << rig.log2).map(|i| PAGES + PAGE_STEP * i).collect(),
            rig,
            rng,
            config,
            addresses: HashMap::new(),
            next_cookie: 1,
            bad_posted: 0,
            received: Received::default(),
            frames: 0,
            dropped: 0,
        }
    }

    fn cookie(&mut self) -> u32 {
        self.next_cookie += 1;
        self.next_cookie
    }

    fn post_small(&mut self) {
        let Some(addr) = self.smalls.pop_front() else {
            return;
        };
        let cookie = self.cookie();
        let bad = self.rng.once_in(40);
        let length = if bad { 128 } else { 256 };
        self.bad_posted += u64::from(bad);
        assert!(self.walker.post_small(cookie, addr));
        self.watch.post(addr, length, 0, false);
        self.addresses.insert(cookie, addr);
        let written = self.rig.post_small_descriptor(Descriptor {
            addr,
            cookie,
            length,
            headroom: 0,
        });
        assert_eq!(written, Written::Taken);
    }

    fn post_page(&mut self) {
        let Some(addr) = self.pages.pop_front() else {
            return;
        };
        let cookie = self.cookie();
        let bad = self.rng.once_in(40);
        self.bad_posted += u64::from(bad);
        let most = self.config.page_size as u64;
        let length = if self.rng.once_in(2) {
            most
        } else {
            1024 + self.rng.below(most - 1023)
        } as u32;
        let headroom = self.rng.below(u64::from((length - 1024).min(4095) + 1)) as u16;
        let headroom = if self.rng.once_in(2) { 0 } else { headroom };
        let length = if bad { most as u32 + 1 } else { length };
        assert!(self.walker.post_page(cookie, addr, length, headroom.into()));
        self.watch.post(addr, length, headroom.into(), true);
        self.addresses.insert(cookie, addr);
        let written = self.rig.post_page_descriptor(Descriptor {
            addr,
            cookie,
            length,
            headroom,
        });
        assert_eq!(written, Written::Taken);
    }

    fn event(&mut self, code: EventCode, arg: u16) {
        self.rig.event(code, arg).unwrap();
        let writes = self.rig.memory.take_log();
        self.watch.check(&writes, 32 << self.rig.log2);
    }

    fn expire(&mut self) {
        while let Some((slot, due)) = self.rig.engine.next_timer() {
            // A tick early is allowed.
            let tick = self.rig.engine.settings().tick_clocks;
            if due.saturating_sub(self.rng.below(tick + 1)) > self.rig.clock {
                break;
            }
            self.rig.clock = self.rig.clock.max(due - tick);
            self.event(EventCode::Timer, slot as u16);
        }
    }

    fn frame(&mut self, traffic: Traffic) {
        let seen = match self.rng.below(50) {
            0 => Seen::Disabled,
            1 if !self.rig.engine.settings().backpressure => Seen::Overflow,
            _ => Seen::Taken,
        };
        let number = self
            .rig
            .engine
            .ingress(&traffic.bytes, traffic.marked_bad, seen)
            .unwrap();
        if let Some(rx_seq) = number {
            self.received.order.insert(rx_seq, self.frames);
            self.received.expected.insert(rx_seq, traffic);
            self.frames += 1;
        }
    }

    /// The oldest frame in the store leaves it.
    fn process(&mut self) {
        let Some(room) = self.rig.engine.next_frame_room() else {
            return;
        };
        let first = self.rig.engine.oldest_frame().unwrap();
        if room.since.is_some() {
            self.event(EventCode::Frame, first);
        } else if !self.rig.engine.settings().backpressure {
            self.event(EventCode::DropNoBuffer, first);
            self.received.expected.remove(&first);
            self.dropped += 1;
        }
    }

    fn poll(&mut self) {
        let Self {
            walker,
            rig,
            received,
            watch,
            addresses,
            smalls,
            pages,
            ..
        } = self;
        let limits = *rig.engine.settings();
        let entries = self.config.train_entries;
        let mut free = |id: BufId| {
            let (cookie, list) = match id {
                BufId::Small(cookie) => (cookie, &mut *smalls),
                BufId::Page(cookie) => (cookie, &mut *pages),
            };
            let addr = addresses.remove(&cookie).expect("a cookie that is posted");
            watch.back(addr);
            list.push_back(addr);
        };
        walker
            .poll(&rig.memory, |delivery| match delivery {
                Delivery::Train(train) => {
                    received.train(train, &rig.memory, limits.strip_vlan);
                    check_train(
                        train,
                        limits.max_aggr,
                        limits.max_bytes,
                        entries,
                        limits.merge,
                    );
                    check_pages(train, limits.train_pages);
                }
                Delivery::Finished(id) => free(id),
                Delivery::Returned(buf) => {
                    match buf.status {
                        BufStatus::Released => received.released += 1,
                        BufStatus::Unused => received.unused += 1,
                        BufStatus::BadDesc => received.bad += 1,
                    }
                    free(buf.id);
                }
                Delivery::Stopped => received.stopped = true,
            })
            .unwrap();
        let head = self.walker.taken() as u16;
        assert_eq!(self.rig.write(regs::CQ_HEAD, head.into()), Written::Taken);
        let writes = self.rig.memory.take_log();
        self.watch.check(&writes, 32 << self.rig.log2);
    }

    /// Takes everything; then what is not the host's is the engine's.
    fn poll_all(&mut self) {
        loop {
            self.poll();
            if self.rig.engine.waiting_completions() == 0 {
                break;
            }
        }
        self.poll();
        assert_eq!(
            self.walker.outstanding(),
            self.rig.engine.holds(),
            "posted = returned + held"
        );
    }

    fn step(&mut self, source: &mut Source) {
        self.rig.clock += self.rng.below(2000);
        self.expire();
        match self.rng.below(100) {
            0..=2 => self.command(Command::FlushAll, EventCode::FlushAll),
            3..=5 => self.command(Command::Poll, EventCode::Poll),
            6 => self.command(Command::FlushFlow, EventCode::FlushFlow),
            7 => {
                let timed = self.rig.event(EventCode::UnusedSmall, 0);
                assert!(timed.is_err(), "not before STOP");
            }
            8..=9 => self.bad_descriptors(),
            10..=34 => (0..4).for_each(|_| self.post_small()),
            35..=49 => (0..2).for_each(|_| self.post_page()),
            50..=59 => self.poll_all(),
            60..=64 => self.poll(),
            _ => {
                let traffic = source.frame(&mut self.rng);
                self.frame(traffic);
                let burst = self.rng.below(3);
                (0..burst).for_each(|_| self.process());
            }
        }
    }

    fn bad_descriptors(&mut self) {
        for code in [EventCode::BadSmall, EventCode::BadPage] {
            if self.rig.event(code, 0).is_ok() {
                let writes = self.rig.memory.take_log();
                self.watch.check(&writes, 32 << self.rig.log2);
            }
        }
    }

    fn command(&mut self, command: Command, code: EventCode) {
        assert_eq!(self.rig.write(regs::Q_CMD, command.code()), Written::Taken);
        self.event(code, 0);
    }

    fn stop(&mut self) {
        let stored = self.rig.engine.stored().0;
        self.command(Command::Stop, EventCode::Stop);
        self.dropped += stored as u64;
        while let Some(code) = self.rig.engine.next_stop_event() {
            self.event(code, 0);
            if self.rng.once_in(10) {
                self.poll();
            }
        }
        self.poll_all();
        assert_eq!(self.rig.engine.state(), State::Stopped);
        assert!(self.received.stopped);
        assert_eq!(self.walker.outstanding(), (0, 0), "every buffer is back");
        assert_eq!(self.addresses.len(), 0);
        let left = self.received.expected.len();
        assert_eq!(
            left, stored,
            "every frame that was taken was delivered, but those in the store"
        );
    }

    fn check_counters(&mut self) {
        let received = &self.received;
        let counters = self.rig.engine.counters();
        let count = |c: Counter| counters.get(c);
        let stored = received.expected.len() as u64;
        assert_eq!(count(Counter::RxFrames), received.frames + self.dropped);
        assert_eq!(count(Counter::SplitSegments), received.split);
        assert!(
            received.pieces.is_empty(),
            "a frame in pieces comes back whole"
        );
        assert_eq!(count(Counter::DropNoBuffer), self.dropped - stored);
        assert_eq!(count(Counter::Trains), received.trains);
        assert_eq!(count(Counter::Aggregated), received.joined);
        assert_eq!(count(Counter::PagesFilled), received.full);
        assert_eq!(count(Counter::PagesReleased), received.released);
        assert_eq!(count(Counter::BadDescriptors), received.bad);
        assert_eq!(received.bad, self.bad_posted);
        assert_eq!(count(Counter::Completions), self.walker.taken());
        assert_eq!(count(Counter::TableFull), count(Counter::FlowEvictions));
        assert!(count(Counter::FlowCreations) <= count(Counter::FlowMisses));
        assert_eq!(count(Counter::BadDoorbells) + count(Counter::BadWrites), 0);
        for &reason in Reason::ALL {
            let value = counters.values()[reason_counter(reason)];
            assert_eq!(
                value,
                *received.by_reason.get(&reason).unwrap_or(&0),
                "{reason:?}"
            );
        }
        let sum: u64 = Reason::ALL.iter().map(|&r| counters.of_reason(r)).sum();
        assert_eq!(sum, received.packets, "each packet has one reason");
        assert_eq!(
            self.watch.page_bytes, received.paged,
            "pages hold fragments and nothing else"
        );
    }
}

impl Received {
    fn train(&mut self, train: &Train, memory: &HostMemory, strip: bool) {
        let head = train.head().unwrap();
        *self.by_reason.entry(head.reason).or_default() += u64::from(head.train_packets);
        let watched = train.packets[0].pkt.watched;
        self.trains += u64::from(watched);
        self.joined += train.packets.len() as u64 - 1;
        self.full += train.all_pieces().iter().filter(|p| p.full).count() as u64;
        for packet in &train.packets {
            self.packets += 1;
            let pkt = &packet.pkt;
            let sent = self.expected.get(&pkt.rx_seq).cloned();
            let sent = sent.unwrap_or_else(|| {
                panic!("frame {} was delivered twice, or never taken", pkt.rx_seq)
            });
            let begun = self.pieces.contains_key(&pkt.rx_seq);
            assert_eq!(usize::from(pkt.frame_len), sent.bytes.len());
            assert_eq!(pkt.watched, watched);
            let tags = if strip && sent.known.is_some() {
                4 * sent.tags
            } else {
                0
            };
            let whole = if tags > 0 {
                sent.stripped()
            } else {
                sent.bytes.clone()
            };
            let mut frame = Vec::new();
            train.frame(packet, memory, &mut frame);
            let (header, payload) = sent.known.unwrap_or_default();
            if pkt.split {
                assert_eq!(
                    usize::from(pkt.hdr_len),
                    header - tags,
                    "the header, the whole header and nothing else"
                );
                if pkt.piece {
                    let done = self.piece(pkt, &frame, &whole[header - tags..][..payload]);
                    assert!(done < payload || begun, "a piece is not the whole");
                } else {
                    assert_eq!(frame, whole[..header - tags + payload], "without padding");
                }
            } else {
                assert_eq!(frame, whole, "frame {}", pkt.rx_seq);
            }
            if !self.pieces.contains_key(&pkt.rx_seq) {
                self.frames += 1;
                self.expected.remove(&pkt.rx_seq);
            }
            self.paged += train
                .pieces(packet)
                .iter()
                .map(|p| u64::from(p.len))
                .sum::<u64>();
            if let Some(flow) = sent.flow {
                let arrived = self.order[&pkt.rx_seq];
                let last = self.last.insert(flow, arrived);
                assert!(
                    last.is_none_or(|last| last < arrived || begun && last == arrived),
                    "flow {flow} out of order at {}",
                    pkt.rx_seq
                );
            }
        }
    }
}

impl Received {
    /// A piece goes on where the last one of its frame ended, in a packet of its own that a stack accepts. The payload bytes
    /// that have come back with it; after the last one the frame has.
    fn piece(&mut self, pkt: &Pkt, frame: &[u8], payload: &[u8]) -> usize {
        let done = self.pieces.remove(&pkt.rx_seq).unwrap_or(0);
        let part = &frame[usize::from(pkt.hdr_len)..];
        assert_eq!(part, &payload[done..done + part.len()]);
        let judged = judge(frame).expect("a packet that the program knows");
        assert_eq!(judged.end, frame.len());
        assert_eq!(judged.l4_csum, Some(true), "{pkt:?}");
        assert_ne!(judged.ip_csum, Some(false), "{pkt:?}");
        let done = done + part.len();
        if done < payload.len() {
            assert!(done > 0);
            self.pieces.insert(pkt.rx_seq, done);
        } else {
            self.split += 1;
        }
        done
    }
}

/// A train goes on after its last page only if it is not to be split, or if the segment could not be cut.
fn check_pages(train: &Train, train_pages: Option<u32>) {
    let head = train.head().unwrap();
    let filled = |packets: &[Packet]| {
        let pieces = packets.iter().flat_map(|p| train.pieces(p));
        pieces.filter(|p| p.full).count() as u32
    };
    let Some((last, before)) = train.packets.split_last() else {
        return;
    };
    let ends = |filled: u32| train_pages.is_some_and(|pages| filled >= pages);
    assert!(!ends(filled(before)), "{head:?}");
    let all = filled(&train.packets);
    if head.reason == Reason::Page {
        assert!(ends(all));
    }
    if last.pkt.piece && ends(all) {
        assert_eq!(Some(all), train_pages);
        assert!(train.pieces(last).last().is_some_and(|p| p.full));
    }
}

/// What makes a train of more than one packet.
fn check_train(train: &Train, max_aggr: u32, max_bytes: u32, max_entries: usize, merge: MergeMode) {
    let head = train.head().unwrap();
    let packets = &train.packets;
    assert!(u32::from(head.train_packets) <= max_aggr.max(1));
    assert!(usize::from(head.train_entries) <= max_entries);
    assert_eq!(head.reason == Reason::None, !packets[0].pkt.watched);
    if packets.len() == 1 {
        return;
    }
    assert_eq!(merge, MergeMode::Train);
    assert!(head.train_bytes <= max_bytes);
    for packet in packets {
        let pkt = &packet.pkt;
        assert!(pkt.watched && pkt.split && pkt.frag_len > 0);
        assert_eq!(pkt.l4_csum, pagetrain_formats::Csum::Good);
        assert_eq!(
            (pkt.vlan0, pkt.vlan1, pkt.l3),
            (
                packets[0].pkt.vlan0,
                packets[0].pkt.vlan1,
                packets[0].pkt.l3
            )
        );
    }
}

#[test]
fn every_byte_and_buffer_is_accounted_for_when_events_are_random() {
    let mut totals: HashMap<Reason, u64> = HashMap::new();
    for_seeds(60, |seed| {
        let mut run = Run::new(seed);
        let flows = run.rng.pick(&[3, 12, 40]);
        let largest = run.rig.engine.settings().max_frame;
        let mut source = Source::new(&mut run.rng, flows, largest);
        for _ in 0..1500 {
            run.step(&mut source);
        }
        run.stop();
        run.check_counters();
        for (reason, packets) in run.received.by_reason {
            *totals.entry(reason).or_default() += packets;
        }
    });
    println!("packets by reason: {totals:?}");
    if std::env::var("PAGETRAIN_SEED").is_err() {
        // Header and IpId belong to modes that this engine does not have.
        let absent = [Reason::Header, Reason::IpId, Reason::FlushFlow];
        for reason in Reason::ALL.iter().filter(|r| !absent.contains(r)) {
            assert!(
                totals.get(reason).is_some_and(|&n| n > 0),
                "{reason:?} never happened: {totals:?}"
            );
        }
    }
}

#[test]
fn consecutive_segments_join_and_others_do_not_when_a_flow_is_random() {
    // The rule of joining, said again in the plainest way: per flow, the sequence numbers of a train follow each other.
    for_seeds(20, |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::new(&[
            (regs::Q_MAX_BYTES, 1_048_575),
            (regs::Q_DEFER_TICKS, 0),
            (regs::Q_ADMIT_MIN, 1),
        ]);
        let mut source = Source::new(&mut rng, 6, 1600);
        let mut sent: HashMap<u16, Traffic> = HashMap::new();
        for rx_seq in 0..100u16 {
            rig.post_small(1 + u32::from(rx_seq));
            rig.post_small(0x1000 + u32::from(rx_seq));
            rig.post_page(1 + u32::from(rx_seq), 4096, 0);
            let mut traffic = source.frame(&mut rng);
            traffic.marked_bad = false;
            rig.frame(&traffic.bytes);
            sent.insert(rx_seq, traffic);
        }
        rig.command(Command::Poll, EventCode::Poll);
        let mut open: Option<(usize, u32)> = None;
        let mut last_closed: HashMap<usize, (u32, Reason)> = HashMap::new();
        for entry in rig.entries() {
            let pagetrain_formats::Completion::Pkt(pkt) = entry else {
                continue;
            };
            let traffic = &sent[&pkt.rx_seq];
            let Some(flow) = traffic.flow.filter(|_| pkt.watched) else {
                continue;
            };
            let (_, len) = traffic.known.unwrap();
            let next = traffic.seq.wrapping_add(len as u32);
            match (pkt.head, open) {
                (None, Some((train_flow, expected))) => {
                    assert_eq!(
                        (flow, traffic.seq),
                        (train_flow, expected),
                        "seed {seed}: {}",
                        pkt.rx_seq
                    );
                    assert!(traffic.good && len > 0 && traffic.flags & 0x27 == 0);
                }
                (None, None) => panic!("seed {seed}: a packet without a train"),
                (Some(head), _) => {
                    if let Some((expected, Reason::Seq)) = last_closed.get(&flow) {
                        assert_ne!(
                            traffic.seq, *expected,
                            "seed {seed}: {} would have joined",
                            pkt.rx_seq
                        );
                    }
                    last_closed.insert(flow, (next, head.reason));
                }
            }
            if let Some(closed) = last_closed.get_mut(&flow) {
                closed.0 = next;
            }
            open = Some((flow, next));
        }
    });
}
