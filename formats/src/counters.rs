//! Counters: 64 bits each, low half at `0x2000 + 8 i`, high half 4 above; reading the low half latches the high one.

use crate::codes::{codes, Reason};

codes! {
    /// A counter, by its index.
    Counter {
        RxFrames = 0, "rx_frames", "frames taken in at ingress";
        RxBytes = 1, "rx_bytes", "their bytes";
        DropBad = 2, "drop_bad", "frames dropped: marked bad by the MAC";
        DropOversize = 3, "drop_oversize", "frames dropped: longer than MAX_FRAME";
        DropOverflow = 4, "drop_overflow", "frames dropped: no room in the frame store";
        DropNoBuffer = 5, "drop_no_buffer", "frames dropped: no small buffer or page posted";
        DropDisabled = 6, "drop_disabled", "frames dropped: disabled, stopped or halted";
        BadIpCsum = 7, "bad_ip_csum", "frames with a bad IPv4 header checksum";
        BadL4Csum = 8, "bad_l4_csum", "frames with a bad TCP or UDP checksum";
        Rejected = 9, "rejected", "frames that the parser rejected: delivered as other";
        FlowHits = 10, "flow_hits", "TCP frames whose flow had an entry";
        FlowMisses = 11, "flow_misses", "TCP frames whose flow had none";
        FlowCreations = 12, "flow_creations", "entries created";
        FlowEvictions = 13, "flow_evictions", "entries evicted";
        TableFull = 14, "table_full", "creations that found no free slot";
        Trains = 15, "trains", "HEAD entries of watched flows";
        Aggregated = 16, "aggregated", "packets that joined an open train";
        PagesFilled = 17, "pages_filled", "pages filled to their last byte";
        PagesReleased = 18, "pages_released", "pages given back before they were full";
        BadDescriptors = 19, "bad_descriptors", "descriptors that break a rule";
        BadDoorbells = 20, "bad_doorbells", "doorbells refused";
        BadWrites = 21, "bad_writes", "register writes refused";
        BusErrors = 22, "bus_errors", "error responses on the AXI master";
        Completions = 23, "completions", "completion entries written";
        SplitSegments = 24, "split_segments", "frames delivered in pieces, cut at the edge of a page";
    }
}

/// Counter slots in the register map; those that are not defined read 0.
pub const COUNTER_SLOTS: usize = 64;
/// Index of the first of the counters of packets by close reason.
pub const REASON_BASE: usize = 32;

/// Index of the counter of packets delivered with close reason `reason` (counted when their train closes).
pub const fn reason_counter(reason: Reason) -> usize {
    REASON_BASE + reason.code() as usize
}

/// All counters: index, name, meaning.
pub fn all() -> Vec<(usize, String, String)> {
    let plain = Counter::ALL.iter();
    let plain = plain.map(|c| (c.code() as usize, c.name().to_string(), c.doc().to_string()));
    let by_reason = Reason::ALL.iter().map(|&r| {
        let name = format!("closed_{}", r.name().to_lowercase());
        let doc = format!("packets delivered with close reason {}", r.name());
        (reason_counter(r), name, doc)
    });
    plain.chain(by_reason).collect()
}
