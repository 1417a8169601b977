//! What is to be done with a frame, decided before anything is done: checksums, flow, placement (design sections 2, 3).

use std::ops::Range;

use pagetrain_formats::{Config, Csum, MergeMode, Reason, SMALL_BYTES};

use crate::checksum::{pseudo_header, Sum};
use crate::flow::{FlowKey, FlowTable, Placement};
use crate::pages::Page;
use crate::parser::{flag, Parsed};
use crate::registers::Settings;
use crate::split::{is_splittable, most_pieces};
use crate::store::Stored;
use crate::train::{Train, TrainLimits};

/// Bits of byte 13 of a TCP header (RFC 9293 section 3.1).
mod tcp {
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
}
/// Protocol numbers (IANA), as the pseudo header has them.
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;

/// What one slot of the flow table owns besides its key.
#[derive(Clone, Debug, Default)]
pub struct FlowState {
    /// The train, open or not.
    pub train: Train,
    /// The page being filled.
    pub page: Option<Page>,
}

/// What the flow table says to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Not TCP: never looked up.
    None,
    /// No entry, and the frame creates none.
    Miss,
    /// No entry; this frame creates one.
    Create(Placement),
    /// The entry in this slot.
    Hit(usize),
}

/// Where a frame's bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Whole into one small buffer.
    Small,
    /// Header to small buffers, payload to pages.
    Split,
    /// Whole to pages.
    Unsplit,
}

/// The decisions on one frame.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Verdict on the IPv4 header checksum.
    pub ip_csum: Csum,
    /// Verdict on the TCP or UDP checksum.
    pub l4_csum: Csum,
    /// All checksums that TCP needs were checked and are good.
    pub csum_ok: bool,
    /// What the flow table says.
    pub lookup: Lookup,
    /// The flow's key, of TCP only.
    pub key: FlowKey,
    /// Where its bytes go.
    pub way: Way,
    /// Bytes of VLAN tags that are left out of what is written.
    pub tags: usize,
    /// Bytes in small buffers, after stripping.
    pub hdr_len: usize,
    /// Bytes in pages: a range of the frame after stripping.
    pub paged: Range<usize>,
    /// Payload bytes: 0 if the frame is not split.
    pub payload: usize,
    /// A page's edge may cut it.
    pub splittable: bool,
    /// Step 2: the open train closes first.
    pub closes: Option<Reason>,
    /// Step 3: the flow's page is released first.
    pub fresh: bool,
    /// Step 4: the packet opens or joins a train. Otherwise it is a train of one.
    pub held: bool,
    /// Step 4: the train is already open.
    pub joins: bool,
    /// Step 6: the entry is removed.
    pub ends: bool,
}

/// What the decisions depend on.
pub struct Context<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The registers.
    pub settings: &'a Settings,
    /// The flow table.
    pub table: &'a FlowTable,
    /// What each slot owns.
    pub flows: &'a [FlowState],
}

impl Plan {
    /// Decides on a frame.
    pub fn new(frame: &Stored, context: &Context) -> Self {
        let Context {
            settings, flows, ..
        } = *context;
        let (parsed, bytes) = (&frame.parsed, &frame.bytes[..]);
        let ip_csum = ip_verdict(parsed, bytes);
        let l4_csum = l4_verdict(parsed, bytes);
        let csum_ok = l4_csum == Csum::Good && (ip_csum == Csum::Good || parsed.has(flag::V6));
        let payload = parsed.split.map_or(0, |split| parsed.end - split);
        let joinable = csum_ok
            && payload > 0
            && parsed.tcp_flags & (tcp::FIN | tcp::SYN | tcp::RST | tcp::URG) == 0;
        let creates = csum_ok
            && !parsed.has(flag::OPT)
            && payload > 0
            && payload >= settings.admit_min
            && parsed.tcp_flags & !(tcp::ACK | tcp::PSH) == 0;

        let key = key_of(parsed);
        let lookup = if !parsed.has(flag::TCP) || parsed.split.is_none() {
            Lookup::None
        } else {
            match context.table.find(&key) {
                Some(slot) => Lookup::Hit(slot),
                None if creates => Lookup::Create(context.table.place()),
                None => Lookup::Miss,
            }
        };
        let watched = matches!(lookup, Lookup::Hit(_) | Lookup::Create(_));
        let held = watched && joinable && settings.merge == MergeMode::Train;

        let mut plan = Plan {
            ip_csum,
            l4_csum,
            csum_ok,
            lookup,
            key,
            way: Way::Small,
            tags: if settings.strip_vlan {
                4 * parsed.vlan_count()
            } else {
                0
            },
            hdr_len: 0,
            paged: 0..0,
            payload,
            splittable: settings.train_pages.is_some()
                && watched
                && joinable
                && is_splittable(parsed, payload),
            closes: None,
            fresh: false,
            held,
            joins: false,
            ends: watched && csum_ok && parsed.tcp_flags & (tcp::FIN | tcp::SYN | tcp::RST) != 0,
        };
        plan.place(frame, watched);
        if let Lookup::Hit(slot) = lookup {
            let flow = &flows[slot];
            if flow.train.is_open() {
                plan.closes = refusal(&plan, parsed, &flow.train, context);
                plan.joins = plan.closes.is_none();
            }
            plan.fresh = settings.fresh_page && payload > 0 && !plan.joins && flow.page.is_some();
        }
        plan
    }

    fn place(&mut self, frame: &Stored, watched: bool) {
        let tags = self.tags;
        let all = frame.bytes.len() - tags;
        match frame.parsed.split {
            Some(split) if watched || frame.bytes.len() > SMALL_BYTES => {
                self.way = Way::Split;
                self.hdr_len = split - tags;
                self.paged = split - tags..frame.parsed.end - tags;
            }
            _ if frame.bytes.len() <= SMALL_BYTES => self.hdr_len = all,
            _ => {
                self.way = Way::Unsplit;
                self.paged = 0..all;
            }
        }
    }

    /// The slot of the watched flow.
    pub fn slot(&self) -> Option<usize> {
        match self.lookup {
            Lookup::Hit(slot) | Lookup::Create(Placement { slot, .. }) => Some(slot),
            Lookup::None | Lookup::Miss => None,
        }
    }

    /// Small buffers that must be posted: those of the header, for each piece that there could be.
    pub fn smalls(&self) -> usize {
        let pieces = if self.splittable {
            most_pieces(self.payload)
        } else {
            1
        };
        self.hdr_len.div_ceil(SMALL_BYTES) * pieces
    }

    /// Why a packet that is not held is delivered at once.
    pub fn single_reason(&self, parsed: &Parsed, merge: MergeMode) -> Reason {
        if self.slot().is_none() {
            Reason::None
        } else if merge == MergeMode::Off {
            Reason::Single
        } else {
            self.unjoinable(parsed).unwrap_or(Reason::Single)
        }
    }

    /// The first reason for which a packet can join no train whatever.
    fn unjoinable(&self, parsed: &Parsed) -> Option<Reason> {
        if !self.csum_ok {
            Some(Reason::Csum)
        } else if parsed.tcp_flags & (tcp::FIN | tcp::SYN | tcp::RST | tcp::URG) != 0 {
            Some(Reason::Flag)
        } else if self.payload == 0 {
            Some(Reason::Short)
        } else {
            None
        }
    }
}

/// Step 2: the reason for which the packet may not join the open train of its flow.
fn refusal(plan: &Plan, parsed: &Parsed, train: &Train, context: &Context) -> Option<Reason> {
    let limits = train_limits(context.config, context.settings);
    // A train can be open in mode `off` only if the mode was changed without a reset.
    let off = (context.settings.merge == MergeMode::Off).then_some(Reason::Single);
    plan.unjoinable(parsed)
        .or_else(|| train.refuses(parsed.seq, plan.payload, &limits))
        .or(off)
}

/// The limits of a train.
pub fn train_limits(config: &Config, settings: &Settings) -> TrainLimits {
    TrainLimits {
        packets: settings.max_aggr,
        bytes: settings.max_bytes,
        entries: config.train_entries,
        pages: settings.train_pages,
    }
}

fn key_of(parsed: &Parsed) -> FlowKey {
    FlowKey {
        v6: parsed.has(flag::V6),
        vlan0: parsed.has(flag::VLAN0),
        vlan1: parsed.has(flag::VLAN1),
        tag0: parsed.vlan0,
        tag1: parsed.vlan1,
        src: parsed.src,
        dst: parsed.dst,
        sport: parsed.sport,
        dport: parsed.dport,
    }
}

fn verdict(sum: Sum) -> Csum {
    if sum.is_good() {
        Csum::Good
    } else {
        Csum::Bad
    }
}

fn ip_verdict(parsed: &Parsed, frame: &[u8]) -> Csum {
    match (parsed.has(flag::V4), parsed.l3_off, parsed.l4_off) {
        // A range that ends before it begins holds nothing, and nothing sums to 0: bad.
        (true, Some(l3), Some(l4)) => verdict(Sum::new().bytes(frame.get(l3..l4).unwrap_or(&[]))),
        _ => Csum::None,
    }
}

fn l4_verdict(parsed: &Parsed, frame: &[u8]) -> Csum {
    let protocol = if parsed.has(flag::TCP) {
        PROTOCOL_TCP
    } else if parsed.has(flag::UDP) {
        PROTOCOL_UDP
    } else {
        return Csum::None;
    };
    match parsed.l4_off {
        Some(l4) if !parsed.has(flag::NOCSUM) => {
            let segment = &frame[l4..parsed.end];
            let pseudo = pseudo_header(parsed.src, parsed.dst, protocol, segment.len() as u32);
            verdict(pseudo.bytes(segment))
        }
        _ => Csum::None,
    }
}
