//! What a set of random runs must have met, so that it cannot pass by doing nothing.

use super::setup::Setup;
use pagetrain_formats::counters::reason_counter;
use pagetrain_formats::{regs, BufStatus, Counter, Csum, Reason, L3, L4};
use pagetrain_golden::deliver::Delivery;
use std::collections::BTreeMap;

/// How often each thing happened.
#[derive(Default)]
pub struct Cover(BTreeMap<String, u64>);

/// What deliveries and settings show; counters are points of their own.
const POINTS: [&str; 19] = [
    "header split",
    "second small buffer",
    "fragment crosses a page's edge",
    "segment ends at a page's edge",
    "headroom",
    "whole in a small buffer",
    "whole in a page",
    "train of many packets",
    "train as long as the ring",
    "one tag",
    "two tags",
    "tags stripped",
    "IPv4 options or IPv6 extensions",
    "IPv6",
    "UDP",
    "checksum not checked",
    "released page",
    "small ring wraps",
    "completion ring wraps",
];

/// Counters that stay at 0 in random runs: other tests are about them.
const ELSEWHERE: [Counter; 5] = [
    Counter::DropDisabled,
    Counter::BadDescriptors,
    Counter::BadDoorbells,
    Counter::BadWrites,
    Counter::BusErrors,
];

/// Reasons of modes that a run of `make test` does not use.
const ABSENT: [Reason; 2] = [Reason::Header, Reason::IpId];

/// Too rare for a list of a few runs: seen when tests of more seeds run.
const RARE: [&str; 7] = [
    "segment ends at a page's edge",
    "closed_evict",
    "closed_flush_flow",
    "closed_no_buffer",
    "closed_stop",
    "train as long as the ring",
    "closed_single",
];

impl Cover {
    fn hit(&mut self, point: &str, when: bool) {
        *self.0.entry(point.to_owned()).or_default() += u64::from(when);
    }

    pub fn delivery(&mut self, delivery: Delivery<'_>) {
        let train = match delivery {
            Delivery::Train(train) => train,
            Delivery::Returned(buf) => {
                return self.hit("released page", buf.status == BufStatus::Released)
            }
            Delivery::Finished(_) | Delivery::Stopped => return,
        };
        let many = train.packets.len();
        self.hit("train of many packets", many > 1);
        self.hit("train as long as the ring", train.entries() >= 16);
        for packet in &train.packets {
            let pkt = &packet.pkt;
            let pieces = train.pieces(packet);
            self.hit(
                "header split",
                pkt.split && pkt.hdr_len > 0 && !pieces.is_empty(),
            );
            self.hit("second small buffer", packet.smalls().count() == 2);
            self.hit("fragment crosses a page's edge", pieces.len() > 1);
            let last = pieces.last();
            self.hit(
                "segment ends at a page's edge",
                last.is_some_and(|p| p.full),
            );
            self.hit("whole in a small buffer", !pkt.split && pieces.is_empty());
            self.hit("whole in a page", !pkt.split && pkt.hdr_len == 0);
            self.hit("one tag", pkt.vlan_count == 1);
            self.hit("two tags", pkt.vlan_count == 2);
            self.hit("IPv4 options or IPv6 extensions", pkt.ip_opt);
            self.hit("IPv6", pkt.l3 == L3::V6);
            self.hit("UDP", pkt.l4 == L4::Udp);
            let unchecked = pkt.l4 != L4::None && pkt.l4_csum == Csum::None;
            self.hit("checksum not checked", unchecked);
        }
    }

    /// A run has ended with these counters.
    pub fn run(&mut self, counters: &[u64], setup: &Setup) {
        let host = &setup.bench.host;
        let count = |c: Counter| counters[c.code() as usize];
        for &c in Counter::ALL {
            *self.0.entry(c.name().to_owned()).or_default() += count(c);
        }
        for &reason in Reason::ALL {
            let name = format!("closed_{}", reason.name().to_lowercase());
            *self.0.entry(name).or_default() += counters[reason_counter(reason)];
        }
        let strip = setup.register(regs::RX_CTRL) & regs::RX_CTRL_STRIP_VLAN.mask() != 0;
        self.hit(
            "tags stripped",
            strip && self.0.get("one tag").is_some_and(|&n| n > 0),
        );
        self.hit("headroom", host.pages.iter().any(|p| p.1 % 2 == 1));
        // Each frame takes a small buffer, or is in a page.
        let frames = count(Counter::RxFrames) - count(Counter::DropNoBuffer);
        self.hit("small ring wraps", frames > 4 << host.small_log2);
        let entries = count(Counter::Completions);
        self.hit("completion ring wraps", entries > 4 << host.completion_log2);
    }

    /// Points never met.
    fn missing(&self) -> Vec<String> {
        let counters = Counter::ALL.iter().filter(|c| !ELSEWHERE.contains(c));
        let reasons = Reason::ALL.iter().filter(|r| !ABSENT.contains(r));
        let reasons = reasons.map(|r| format!("closed_{}", r.name().to_lowercase()));
        let all = (POINTS.iter().map(|p| p.to_string()))
            .chain(counters.map(|c| c.name().to_owned()))
            .chain(reasons);
        all.filter(|p| self.0.get(p).is_none_or(|&n| n == 0))
            .collect()
    }

    /// Fails if anything never happened. A single seed need not meet everything.
    pub fn check(&self) {
        self.check_but(&[]);
    }

    /// The same for a short list of runs.
    pub fn check_short(&self) {
        self.check_but(&RARE);
    }

    /// The same, whether or not the `excused` points were met.
    pub fn check_but(&self, excused: &[&str]) {
        println!("met: {:?}", self.0);
        if std::env::var_os(pagetrain_testbench::sim::SEED).is_some() {
            return;
        }
        let mut missing = self.missing();
        missing.retain(|p| !excused.contains(&p.as_str()));
        assert!(missing.is_empty(), "never met: {missing:?}");
    }
}
