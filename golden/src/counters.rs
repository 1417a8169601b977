//! Counters: 64 bits each, read in halves without tearing (design section 7).

use pagetrain_formats::counters::{reason_counter, COUNTER_SLOTS};
use pagetrain_formats::{Counter, Reason};

/// All counters, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    values: [u64; COUNTER_SLOTS],
    /// High half as it was when the low half was last read.
    latch: u32,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            values: [0; COUNTER_SLOTS],
            latch: 0,
        }
    }
}

impl Counters {
    /// Adds one.
    pub fn count(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Adds `n`.
    pub fn add(&mut self, counter: Counter, n: u64) {
        let value = &mut self.values[counter.code() as usize];
        *value = value.wrapping_add(n);
    }

    /// Counts the packets of a train that was closed for `reason`.
    pub fn closed(&mut self, reason: Reason, packets: u64) {
        self.values[reason_counter(reason)] += packets;
    }

    /// Value of a counter.
    pub fn get(&self, counter: Counter) -> u64 {
        self.values[counter.code() as usize]
    }

    /// Packets delivered with a close reason.
    pub fn of_reason(&self, reason: Reason) -> u64 {
        self.values[reason_counter(reason)]
    }

    /// Values by index; slots that no counter has are 0.
    pub fn values(&self) -> &[u64; COUNTER_SLOTS] {
        &self.values
    }

    /// Reads the low half of counter `index` and latches the high one.
    pub fn read_low(&mut self, index: usize) -> u32 {
        let value = self.values.get(index).copied().unwrap_or(0);
        self.latch = (value >> 32) as u32;
        value as u32
    }

    /// The high half as it was when a low half was last read, of whatever counter.
    pub fn read_high(&self) -> u32 {
        self.latch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn high_half_is_latched_when_the_low_half_is_read() {
        let mut counters = Counters::default();
        counters.add(Counter::RxBytes, 0x1_FFFF_FFFF);
        assert_eq!(counters.read_low(1), 0xFFFF_FFFF);
        counters.count(Counter::RxBytes);
        assert_eq!(counters.read_high(), 1, "no tearing");
        assert_eq!(counters.read_low(1), 0);
        assert_eq!(counters.read_high(), 2);
    }

    #[test]
    fn packets_are_counted_by_reason_when_trains_close() {
        let mut counters = Counters::default();
        counters.closed(Reason::Seq, 5);
        counters.closed(Reason::Stop, 1);
        assert_eq!(counters.values()[32 + 5], 5);
        assert_eq!(counters.of_reason(Reason::Stop), 1);
    }
}
