//! The summary that a replay prints.

use super::tally::Tally;
use crate::output::table;
use pagetrain_formats::{Config, Counter};

/// What a replay came to.
pub struct Summary<'a> {
    /// What was delivered.
    pub tally: &'a Tally,
    /// Frames sent.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Counters, by index.
    pub counters: &'a [u64],
    /// Clocks from the first frame to the last delivery.
    pub clocks: u64,
    /// The engine.
    pub config: &'a Config,
}

/// Causes for which frames are dropped.
const DROPS: [Counter; 5] = [
    Counter::DropBad,
    Counter::DropOversize,
    Counter::DropOverflow,
    Counter::DropNoBuffer,
    Counter::DropDisabled,
];

impl Summary<'_> {
    /// The summary as text.
    pub fn text(&self) -> String {
        let t = self.tally;
        let rows = [
            ("frames", format!("{}, {} bytes", self.frames, self.bytes)),
            (
                "trains",
                format!(
                    "{} of watched flows, {} packets a train",
                    t.trains,
                    ratio(t.train_packets, t.trains)
                ),
            ),
            ("other packets", t.other_packets.to_string()),
            ("closed by", self.reasons()),
            ("pages filled", self.pages()),
            (
                "mappable",
                format!(
                    "{} % of {} bytes of payload: {} whole pages of one train",
                    percent(t.mappable, t.payload),
                    t.payload,
                    t.mappable_pages
                ),
            ),
            ("dropped", self.drops()),
            (
                "bad checksums",
                format!(
                    "{} IPv4, {} TCP and UDP",
                    self.counter(Counter::BadIpCsum),
                    self.counter(Counter::BadL4Csum)
                ),
            ),
            (
                "clocks",
                format!(
                    "{}, {} bytes a clock of at most {}",
                    self.clocks,
                    ratio(self.bytes, self.clocks),
                    self.config.w_bytes()
                ),
            ),
        ];
        table(&rows.map(|(name, value)| vec![name.to_string(), value]))
    }

    fn counter(&self, counter: Counter) -> u64 {
        self.counters
            .get(counter.code() as usize)
            .copied()
            .unwrap_or(0)
    }

    fn pages(&self) -> String {
        let filled = self.counter(Counter::PagesFilled);
        match self.counter(Counter::SplitSegments) {
            0 => filled.to_string(),
            cut => format!("{filled}, {cut} segments cut at their edges"),
        }
    }

    fn reasons(&self) -> String {
        let reasons = self.tally.reasons.iter();
        let reasons = reasons.map(|(r, packets)| format!("{} {packets}", r.name()));
        or_none(reasons.collect())
    }

    fn drops(&self) -> String {
        let drops = DROPS.into_iter().filter(|&c| self.counter(c) > 0);
        let drops = drops.map(|c| format!("{} {}", c.name(), self.counter(c)));
        or_none(drops.collect())
    }
}

fn or_none(list: Vec<String>) -> String {
    if list.is_empty() {
        "none".to_string()
    } else {
        list.join(", ")
    }
}

fn ratio(a: u64, b: u64) -> String {
    match b {
        0 => "0".to_string(),
        b => format!("{:.2}", a as f64 / b as f64),
    }
}

fn percent(a: u64, b: u64) -> String {
    match b {
        0 => "0".to_string(),
        b => format!("{:.2}", 100.0 * a as f64 / b as f64),
    }
}
