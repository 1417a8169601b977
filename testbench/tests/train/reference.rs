//! What `train` must do, written from `docs/src/design.md`, section 3: the events in the order in which the trace port
//! reports them in, completion entries and copy commands out.

use pagetrain_formats::codes::{BufStatus, Csum, Reason, L3, L4};
use pagetrain_formats::completion::{Buf, BufId, Completion, Ext, Head, Pkt};
use pagetrain_formats::counters::Counter;
use pagetrain_formats::Config;
use std::collections::{BTreeMap, VecDeque};

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;

/// The registers that `train` looks at.
#[derive(Clone, Debug)]
pub struct Setup {
    pub strip_vlan: bool,
    pub backpressure: bool,
    pub merge: bool,
    pub defer_ticks: u64,
    pub tick_clocks: u64,
    pub max_aggr: u64,
    pub max_bytes: u64,
    pub admit_min: u64,
    pub fresh_page: bool,
    pub page_split: bool,
    pub train_pages: u64,
}

/// A flow's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Key {
    pub v6: bool,
    pub tags: usize,
    pub vlan0: u16,
    pub vlan1: u16,
    pub src: u128,
    pub dst: u128,
    pub sport: u16,
    pub dport: u16,
}

/// A stored frame.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pub key: Key,
    pub v4: bool,
    pub tcp: bool,
    pub udp: bool,
    pub opt: bool,
    pub rejected: bool,
    pub l3_off: u64,
    pub l4_off: u64,
    pub split: Option<u64>,
    pub end: u64,
    pub len: u64,
    pub seq: u32,
    pub flags: u8,
    pub rx_seq: u16,
    pub ip_csum: u8,
    pub l4_csum: u8,
    pub word: u64,
}

/// A posted page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub addr: u64,
    pub cookie: u32,
    pub length: u64,
    pub headroom: u64,
}

/// An event, with what the trace port does not say.
#[derive(Clone, Debug)]
pub enum Event {
    Frame,
    Drop,
    Timer(usize),
    FlushAll,
    Poll,
    FlushFlow(Key),
    Stop,
    BadSmall(u32),
    BadPage(u32),
    UnusedSmall,
    UnusedPage,
    Stopped,
}

/// A copy command, or one of those that rewrite a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    pub src: u64,
    pub len: u64,
    /// Not compared where nothing is written.
    pub addr: u64,
    pub free: Option<u64>,
    pub sum: Option<Sum>,
    pub no_write: bool,
    pub patch: bool,
    pub set: Option<Set>,
}

/// The bytes are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    pub anew: bool,
    pub odd: bool,
    pub minus: bool,
}

/// A patch is set at `src`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    pub slot: u64,
    pub value: u16,
    pub from_sum: bool,
}

impl Copy {
    pub fn plain(src: u64, len: u64, addr: u64) -> Copy {
        Copy {
            src,
            len,
            addr,
            free: None,
            sum: None,
            no_write: false,
            patch: false,
            set: None,
        }
    }
}

/// A piece of a frame: payload from `at` to `end`, and how it is copied.
struct Piece {
    at: u64,
    end: u64,
    /// The header comes behind the payload.
    header_last: bool,
    /// It is rewritten.
    rewritten: bool,
    /// The frame ends with it.
    last: bool,
}

/// A completion entry and the number of commands that must be done before it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub entry: Completion,
    pub fence: usize,
}

#[derive(Clone, Debug)]
struct Train {
    packets: Vec<Vec<Completion>>,
    bytes: u64,
    filled: u64,
    next_seq: u32,
    opened: u64,
    fence: usize,
}

impl Train {
    fn entries(&self) -> u64 {
        self.packets.iter().map(|p| p.len() as u64).sum()
    }
}

#[derive(Clone, Copy, Debug)]
struct Filling {
    page: Page,
    fill: u64,
}

impl Filling {
    fn left(&self) -> u64 {
        self.page.length - self.fill
    }
}

#[derive(Clone, Debug)]
struct Flow {
    key: Key,
    used: u64,
    train: Option<Train>,
    page: Option<Filling>,
}

/// The model.
pub struct Reference {
    cfg: Config,
    pub setup: Setup,
    flows: Vec<Option<Flow>>,
    own_page: Option<Filling>,
    clock: u64,
    now: u64,
    pub frames: VecDeque<Frame>,
    pub smalls: VecDeque<(u64, u32)>,
    pub pages: VecDeque<Page>,
    pub entries: Vec<Entry>,
    pub copies: Vec<Copy>,
    pub counters: BTreeMap<usize, u64>,
    pub stopped: bool,
}

/// What a packet makes of its frame.
struct Placed {
    entries: Vec<Completion>,
    /// Bytes in pages, and pages that they filled.
    bytes: u64,
    filled: u64,
    /// More of the payload follows in another piece.
    cut: bool,
}

impl Reference {
    pub fn new(cfg: Config, setup: Setup) -> Reference {
        Reference {
            flows: vec![None; cfg.flows],
            cfg,
            setup,
            own_page: None,
            clock: 0,
            now: 0,
            frames: VecDeque::new(),
            smalls: VecDeque::new(),
            pages: VecDeque::new(),
            entries: vec![],
            copies: vec![],
            counters: BTreeMap::new(),
            stopped: false,
        }
    }

    fn count(&mut self, counter: Counter, n: u64) {
        *self.counters.entry(counter.code() as usize).or_default() += n;
    }

    fn emit(&mut self, entry: Completion, fence: usize) {
        self.entries.push(Entry { entry, fence });
    }

    fn emit_buf(&mut self, id: BufId, fill: u64, status: BufStatus) {
        let fill = fill as u16;
        self.emit(Completion::Buf(Buf { id, fill, status }), 0);
    }

    /// BUF(page, RELEASED): only once what was written to the page is there.
    fn release(&mut self, page: Filling) {
        self.emit_buf(
            BufId::Page(page.page.cookie),
            page.fill,
            BufStatus::Released,
        );
        self.count(Counter::PagesReleased, 1);
    }

    fn emit_train(&mut self, train: Train, reason: Reason, watched: bool) {
        let packets = train.packets.len() as u64;
        let head = Head {
            train_bytes: train.bytes as u32,
            train_packets: packets as u8,
            reason,
            train_entries: train.entries() as u8,
        };
        let mut entries = train.packets.concat();
        if let Completion::Pkt(pkt) = &mut entries[0] {
            pkt.head = Some(head);
        }
        for entry in entries {
            self.emit(entry, train.fence);
        }
        if watched {
            self.count(Counter::Trains, 1);
        }
        let by_reason = pagetrain_formats::counters::reason_counter(reason);
        *self.counters.entry(by_reason).or_default() += packets;
    }

    fn close(&mut self, slot: usize, reason: Reason) -> bool {
        let train = self.flows[slot].as_mut().and_then(|flow| flow.train.take());
        let open = train.is_some();
        if let Some(train) = train {
            self.emit_train(train, reason, true);
        }
        open
    }

    fn release_of(&mut self, slot: usize) {
        if let Some(page) = self.flows[slot].as_mut().and_then(|flow| flow.page.take()) {
            self.release(page);
        }
    }

    fn find(&self, key: &Key) -> Option<usize> {
        self.flows
            .iter()
            .position(|f| f.as_ref().is_some_and(|f| f.key == *key))
    }

    /// The clock at which the open train of `slot` began.
    pub fn opened(&self, slot: usize) -> Option<u64> {
        self.flows[slot]
            .as_ref()?
            .train
            .as_ref()
            .map(|train| train.opened)
    }

    /// Trains that have been open at `clock` for more than `limit` clocks.
    pub fn overdue(&self, clock: u64, limit: u64) -> Option<usize> {
        (0..self.flows.len()).find(|&slot| self.opened(slot).is_some_and(|at| clock - at > limit))
    }

    /// Carries out one event that was reported at `now`.
    pub fn event(&mut self, event: &Event, now: u64) {
        self.now = now;
        match event {
            Event::Frame => {
                let frame = self.frames.pop_front().expect("an event without a frame");
                self.frame(&frame);
            }
            Event::Drop => {
                let frame = self.frames.pop_front().expect("an event without a frame");
                self.count(Counter::DropNoBuffer, 1);
                if let Some(slot) = self.lookup(&frame) {
                    self.close(slot, Reason::NoBuffer);
                }
                self.copy_nothing(&frame);
            }
            Event::Timer(slot) => {
                assert!(self.close(*slot, Reason::Timer), "TIMER without a train")
            }
            Event::FlushAll => self.close_all(Reason::FlushAll),
            Event::Poll => self.close_all(Reason::Poll),
            Event::FlushFlow(key) => {
                if let Some(slot) = self.find(key) {
                    self.close(slot, Reason::FlushFlow);
                }
            }
            Event::Stop => {
                self.close_all(Reason::Stop);
                (0..self.flows.len()).for_each(|slot| self.release_of(slot));
                if let Some(page) = self.own_page.take() {
                    self.release(page);
                }
                self.flows.fill(None);
                self.stopped = true;
            }
            Event::BadSmall(cookie) => {
                self.emit_buf(BufId::Small(*cookie), 0, BufStatus::BadDesc);
                self.count(Counter::BadDescriptors, 1);
            }
            Event::BadPage(cookie) => {
                self.emit_buf(BufId::Page(*cookie), 0, BufStatus::BadDesc);
                self.count(Counter::BadDescriptors, 1);
            }
            Event::UnusedSmall => {
                let (_, cookie) = self.smalls.pop_front().expect("a small buffer to return");
                self.emit_buf(BufId::Small(cookie), 0, BufStatus::Unused);
            }
            Event::UnusedPage => {
                assert!(self.smalls.is_empty(), "small buffers come back first");
                let page = self.pages.pop_front().expect("a page to return");
                self.emit_buf(BufId::Page(page.cookie), 0, BufStatus::Unused);
            }
            Event::Stopped => self.emit(Completion::Stop, 0),
        }
    }

    /// Frames that were still waiting when the engine stopped.
    pub fn discard_rest(&mut self) {
        while let Some(frame) = self.frames.pop_front() {
            self.count(Counter::DropDisabled, 1);
            self.copy_nothing(&frame);
        }
    }

    fn close_all(&mut self, reason: Reason) {
        for slot in 0..self.flows.len() {
            self.close(slot, reason);
        }
    }

    fn lookup(&self, frame: &Frame) -> Option<usize> {
        let looked_up = frame.tcp && frame.split.is_some();
        looked_up.then(|| self.find(&frame.key)).flatten()
    }

    fn creates(&self, frame: &Frame) -> bool {
        let pay = payload(frame);
        let tcp = frame.tcp && frame.split.is_some();
        let plain = frame.flags & !(ACK | PSH) == 0;
        tcp && self.lookup(frame).is_none()
            && csum_ok(frame)
            && !frame.opt
            && pay > 0
            && pay >= self.setup.admit_min
            && plain
    }

    /// Why the packet may not join the open train of its flow.
    fn refuses(&self, frame: &Frame, train: &Train) -> Option<Reason> {
        let pay = payload(frame);
        let room = train.entries() + (pay >> 10) + 3 <= self.cfg.train_entries as u64;
        if !csum_ok(frame) {
            Some(Reason::Csum)
        } else if frame.flags & (FIN | SYN | RST | URG) != 0 {
            Some(Reason::Flag)
        } else if pay == 0 {
            Some(Reason::Short)
        } else if !self.setup.merge {
            Some(Reason::Single)
        } else if frame.seq != train.next_seq {
            Some(Reason::Seq)
        } else if train.bytes + pay > self.setup.max_bytes {
            Some(Reason::MaxBytes)
        } else if !room {
            Some(Reason::MaxAggr)
        } else {
            None
        }
    }

    /// Whether buffers do not suffice for `frame`, with so many small ones and so many bytes in pages at hand.
    pub fn short_of(&self, frame: &Frame, smalls: usize, room: u64) -> bool {
        let strip = self.strip(frame);
        let hit = self.lookup(frame);
        let watched = hit.is_some() || self.creates(frame);
        let split = frame.split.filter(|_| watched || frame.len > 256);
        let (hdr, bytes) = match split {
            Some(split) => (split - strip, payload(frame)),
            None if frame.len <= 256 => (frame.len - strip, 0),
            None => (0, frame.len - strip),
        };
        let left = match hit {
            Some(slot) => {
                let flow = self.flows[slot].as_ref().unwrap();
                let joins = flow
                    .train
                    .as_ref()
                    .is_some_and(|t| self.refuses(frame, t).is_none());
                let usable = !self.setup.fresh_page || joins;
                flow.page.filter(|_| usable).map_or(0, |p| p.left())
            }
            None if watched => 0,
            None => self.own_page.map_or(0, |p| p.left()),
        };
        let pieces = if self.splits(frame, watched) {
            2 + (payload(frame) >> 10)
        } else {
            1
        };
        hdr.div_ceil(256) * pieces > smalls as u64 || bytes > room + left
    }

    /// The packet may be cut at the edge of a page.
    fn splits(&self, frame: &Frame, watched: bool) -> bool {
        let least = match (frame.v4, frame.key.v6) {
            (true, _) => 20,
            (_, true) => 40,
            _ => return false,
        };
        self.setup.page_split
            && watched
            && joinable(frame)
            && payload(frame) < 14336
            && frame.l3_off > 0
            && frame.l4_off >= frame.l3_off + least
            && frame.split.is_some_and(|split| split >= frame.l4_off + 20)
    }

    fn strip(&self, frame: &Frame) -> u64 {
        if self.setup.strip_vlan && !frame.rejected {
            4 * frame.key.tags as u64
        } else {
            0
        }
    }

    fn frame(&mut self, frame: &Frame) {
        let hit = self.lookup(frame);
        let creates = self.creates(frame);
        let pay = payload(frame);
        let tcp = frame.tcp && frame.split.is_some();
        self.count(Counter::FlowHits, u64::from(hit.is_some()));
        self.count(Counter::FlowMisses, u64::from(tcp && hit.is_none()));
        self.count(Counter::BadIpCsum, u64::from(frame.ip_csum == 2));
        self.count(Counter::BadL4Csum, u64::from(frame.l4_csum == 2));
        self.count(Counter::Rejected, u64::from(frame.rejected));
        let mut slot = hit;
        if creates {
            slot = Some(self.create(frame.key));
        }
        if let Some(slot) = slot {
            self.clock += 1;
            let clock = self.clock;
            self.flow(slot).used = clock;
        }

        // 2. A train that the packet may not join.
        let mut join = false;
        if let Some(slot) = slot {
            if let Some(train) = self.flow(slot).train.clone() {
                match self.refuses(frame, &train) {
                    Some(reason) => {
                        self.close(slot, reason);
                    }
                    None => join = true,
                }
            }
        }
        // 3. A fresh page.
        if let Some(slot) = slot {
            if self.setup.fresh_page && pay > 0 && !join {
                self.release_of(slot);
            }
        }
        // 4. The packet, or its pieces.
        let mut at = 0;
        while let Some(next) = self.packet(frame, slot, join && at == 0, at) {
            if at == 0 {
                self.count(Counter::SplitSegments, 1);
            }
            at = next;
        }
        // 6. The end of the flow.
        if let Some(slot) = slot {
            if csum_ok(frame) && frame.flags & (FIN | SYN | RST) != 0 {
                self.release_of(slot);
                self.flows[slot] = None;
            }
        }
    }

    /// The packet whose payload begins at byte `at` of the frame's. Where another piece follows: its beginning.
    fn packet(&mut self, frame: &Frame, slot: Option<usize>, join: bool, at: u64) -> Option<u64> {
        let pages = self.setup.train_pages;
        let filled = match slot {
            Some(slot) if join => self.flow(slot).train.as_ref().unwrap().filled,
            _ => 0,
        };
        let limit = self
            .splits(frame, slot.is_some())
            .then(|| pages.saturating_sub(filled).max(1));
        let placed = self.place(frame, slot, at, limit);
        let next = placed.cut.then_some(at + placed.bytes);
        let full = self.setup.page_split && filled + placed.filled >= pages;
        let fence = self.copies.len();
        let bad = frame.flags & (FIN | SYN | RST | URG) != 0;
        match slot {
            Some(slot) if joinable(frame) && self.setup.merge => {
                self.count(Counter::Aggregated, u64::from(join));
                let now = self.now;
                let train = self.flow(slot).train.get_or_insert_with(|| Train {
                    packets: vec![],
                    bytes: 0,
                    filled: 0,
                    next_seq: 0,
                    opened: now,
                    fence: 0,
                });
                train.packets.push(placed.entries);
                train.bytes += placed.bytes;
                train.filled += placed.filled;
                train.next_seq = frame.seq.wrapping_add((at + placed.bytes) as u32);
                train.fence = fence;
                // 5. Full trains.
                if train.packets.len() as u64 >= self.setup.max_aggr {
                    self.close(slot, Reason::MaxAggr);
                } else if self.flow(slot).train.as_ref().unwrap().bytes >= self.setup.max_bytes {
                    self.close(slot, Reason::MaxBytes);
                } else if full {
                    self.close(slot, Reason::Page);
                }
            }
            _ => {
                let reason = match slot {
                    None => Reason::None,
                    Some(_) if !self.setup.merge && full => Reason::Page,
                    Some(_) if !self.setup.merge => Reason::Single,
                    Some(_) if !csum_ok(frame) => Reason::Csum,
                    Some(_) if bad => Reason::Flag,
                    Some(_) => Reason::Short,
                };
                let train = Train {
                    packets: vec![placed.entries],
                    bytes: placed.bytes,
                    filled: 0,
                    next_seq: 0,
                    opened: 0,
                    fence,
                };
                self.emit_train(train, reason, slot.is_some());
            }
        }
        next
    }

    fn flow(&mut self, slot: usize) -> &mut Flow {
        self.flows[slot].as_mut().expect("the slot is in use")
    }

    /// 1. The slot of a new entry.
    fn create(&mut self, key: Key) -> usize {
        self.count(Counter::FlowCreations, 1);
        let slot = match self.flows.iter().position(Option::is_none) {
            Some(slot) => slot,
            None => {
                let used = |slot: &usize| self.flows[*slot].as_ref().unwrap().used;
                let victim = (0..self.flows.len()).min_by_key(used).unwrap();
                self.count(Counter::TableFull, 1);
                self.count(Counter::FlowEvictions, 1);
                self.close(victim, Reason::Evict);
                self.release_of(victim);
                victim
            }
        };
        self.flows[slot] = Some(Flow {
            key,
            used: 0,
            train: None,
            page: None,
        });
        slot
    }

    /// Bytes to where they belong, as commands and entries: of the payload from byte `at` on, up to the edge of the page
    /// that is number `limit`.
    fn place(&mut self, frame: &Frame, slot: Option<usize>, at: u64, limit: Option<u64>) -> Placed {
        let strip = self.strip(frame);
        let all = frame.len - strip;
        let split = frame.split.filter(|_| slot.is_some() || frame.len > 256);
        let (hdr, from, bytes) = match split {
            Some(split) => (split - strip, split - strip + at, payload(frame) - at),
            None if frame.len <= 256 => (all, 0, 0),
            None => (0, 0, all),
        };
        let mut header: Vec<(u64, u64, u64)> = vec![];
        let mut parts: Vec<(u64, u64, u64)> = vec![];
        let mut cookies = vec![];
        for at in (0..hdr).step_by(256) {
            let (addr, cookie) = self.smalls.pop_front().expect("a small buffer");
            header.push((at, (hdr - at).min(256), addr));
            cookies.push(cookie);
        }
        let mut page = match slot {
            Some(slot) => self.flow(slot).page.take(),
            None => self.own_page.take(),
        };
        let mut fragments = vec![];
        let mut done = 0;
        let mut filled = 0;
        while done < bytes && (filled == 0 || Some(filled) != limit) {
            let mut now = page.take().unwrap_or_else(|| {
                let page = self.pages.pop_front().expect("a page");
                let fill = page.headroom;
                Filling { page, fill }
            });
            let len = now.left().min(bytes - done);
            parts.push((from + done, len, now.page.addr + now.fill));
            let full = now.left() == len;
            fragments.push((now.page.cookie, now.fill as u16, len as u16, full));
            now.fill += len;
            done += len;
            if full {
                self.count(Counter::PagesFilled, 1);
                filled += 1;
            } else {
                page = Some(now);
            }
        }
        match slot {
            Some(slot) => self.flow(slot).page = page,
            None => self.own_page = page,
        }
        let cut = done < bytes;
        let piece = Piece {
            at,
            end: at + done,
            header_last: limit.is_some() && (at > 0 || cut || fragments.len() > 1),
            rewritten: cut || at > 0,
            last: !cut,
        };
        self.copy(frame, strip, &header, &parts, &piece);

        let off = |o: u64| if o == 0 { 0 } else { o - strip };
        let first = fragments.first().copied().unwrap_or_default();
        let mut entries = vec![Completion::Pkt(Pkt {
            hdr_cookie: cookies.first().copied().unwrap_or(0),
            page_cookie: first.0,
            page_offset: first.1,
            frag_len: first.2,
            frame_len: frame.len as u16,
            rx_seq: frame.rx_seq,
            vlan0: frame.key.vlan0,
            vlan1: frame.key.vlan1,
            hdr_len: hdr as u16,
            l3_off: off(frame.l3_off) as u8,
            l4_off: off(frame.l4_off) as u16,
            ext_count: (cookies.len().max(1) + fragments.len().max(1) - 2) as u8,
            head: None,
            page_full: first.3,
            split: split.is_some(),
            piece: piece.rewritten,
            l3: match (frame.v4, frame.key.v6) {
                (true, _) => L3::V4,
                (_, true) => L3::V6,
                _ => L3::None,
            },
            l4: match (frame.tcp, frame.udp) {
                (true, _) => L4::Tcp,
                (_, true) => L4::Udp,
                _ => L4::None,
            },
            ip_csum: Csum::from_code(frame.ip_csum.into()).unwrap(),
            l4_csum: Csum::from_code(frame.l4_csum.into()).unwrap(),
            vlan_count: frame.key.tags as u8,
            ip_opt: frame.opt,
            watched: slot.is_some(),
        })];
        entries.extend(
            cookies
                .iter()
                .skip(1)
                .map(|&cookie| Completion::Ext(Ext::Small { cookie })),
        );
        entries.extend(
            fragments
                .iter()
                .skip(1)
                .map(|&(cookie, offset, len, full)| {
                    Completion::Ext(Ext::Page {
                        cookie,
                        offset,
                        len,
                        full,
                    })
                }),
        );
        Placed {
            entries,
            bytes: done,
            filled,
            cut,
        }
    }

    fn words(&self, frame: &Frame) -> u64 {
        frame.len.div_ceil(self.cfg.d_bytes() as u64)
    }

    /// The commands for header and payload.
    fn copy(
        &mut self,
        frame: &Frame,
        strip: u64,
        header: &[(u64, u64, u64)],
        payload: &[(u64, u64, u64)],
        piece: &Piece,
    ) {
        let mut header = self.parts(frame, strip, header);
        let mut payload = self.parts(frame, strip, payload);
        let mut copies = if piece.header_last {
            // The bytes before it in the segment: of the TCP header, and of the piece.
            let mut before = frame.split.unwrap() - frame.l4_off;
            for (i, copy) in payload.iter_mut().enumerate() {
                copy.sum = Some(Sum {
                    anew: i == 0,
                    odd: before % 2 == 1,
                    minus: false,
                });
                before += copy.len;
            }
            if piece.rewritten {
                payload.extend(self.rewrite(frame, piece));
                header.iter_mut().for_each(|copy| copy.patch = true);
            }
            [payload, header].concat()
        } else {
            [header, payload].concat()
        };
        match copies.last_mut() {
            Some(last) => last.free = piece.last.then(|| self.words(frame)),
            None => return self.copy_nothing(frame),
        }
        self.copies.extend(copies);
    }

    /// What makes the header of a piece: RFC 1071, 1624, 9293 section 3.1.
    fn rewrite(&self, frame: &Frame, piece: &Piece) -> Vec<Copy> {
        let base = frame.word * self.cfg.d_bytes() as u64;
        let place = |offset: u64| (base + offset) % self.cfg.ingress_bytes as u64;
        let (l3, l4, split) = (frame.l3_off, frame.l4_off, frame.split.unwrap());
        let set = |offset: u64, slot: u64, value: u64, from_sum: bool| Copy {
            set: Some(Set {
                slot,
                value: value as u16,
                from_sum,
            }),
            ..Copy::plain(place(offset), 0, 0)
        };
        let sum = |offset: u64, len: u64, patch: bool, minus: bool| Copy {
            sum: Some(Sum {
                anew: minus,
                odd: false,
                minus,
            }),
            no_write: true,
            patch,
            ..Copy::plain(place(offset), len, 0)
        };
        let bytes = piece.end - piece.at;
        let seq = u64::from(frame.seq.wrapping_add(piece.at as u32));
        let length = split - l3 + bytes;
        let (length_at, length_field) = if frame.v4 {
            (2, length)
        } else {
            (4, length - 40)
        };
        let addresses = if frame.v4 { (12, 8) } else { (8, 32) };
        let mut commands = vec![
            set(l3 + length_at, 0, length_field, false),
            set(l4 + 4, 1, seq >> 16, false),
            set(l4 + 6, 2, seq & 0xffff, false),
            set(l4 + 16, 3, 0, false),
            sum(l3 + addresses.0, addresses.1, false, false),
            sum(l4, split - l4, true, false),
            set(l4 + 16, 3, 6 + split - l4 + bytes, true),
        ];
        if frame.v4 {
            let old = frame.end - l3;
            let differ = u64::from(!(old as u16)) + length;
            let differ = (differ & 0xffff) + (differ >> 16);
            commands.push(sum(l3 + 10, 2, false, true));
            commands.push(set(l3 + 10, 4, differ, true));
        }
        commands
    }

    /// The commands for parts (offset in the stripped frame, bytes, address): what lies across the tags is cut there.
    fn parts(&self, frame: &Frame, strip: u64, parts: &[(u64, u64, u64)]) -> Vec<Copy> {
        let base = frame.word * self.cfg.d_bytes() as u64;
        let wrap = self.cfg.ingress_bytes as u64;
        let mut copies = vec![];
        for &(off, len, addr) in parts {
            let cuts = if strip > 0 && off < 12 && off + len > 12 {
                vec![12 - off, len - (12 - off)]
            } else {
                vec![len]
            };
            let (mut off, mut addr) = (off, addr);
            for len in cuts {
                let gap = if off >= 12 { strip } else { 0 };
                let src = (base + off + gap) % wrap;
                copies.push(Copy::plain(src, len, addr));
                off += len;
                addr += len;
            }
        }
        copies
    }

    fn copy_nothing(&mut self, frame: &Frame) {
        let free = Some(self.words(frame));
        self.copies.push(Copy {
            free,
            ..Copy::plain(0, 0, 0)
        });
    }
}

pub fn payload(frame: &Frame) -> u64 {
    frame.split.map_or(0, |split| frame.end - split)
}

fn joinable(frame: &Frame) -> bool {
    csum_ok(frame) && payload(frame) > 0 && frame.flags & (FIN | SYN | RST | URG) == 0
}

pub fn csum_ok(frame: &Frame) -> bool {
    frame.l4_csum == 1 && (frame.ip_csum == 1 || frame.key.v6)
}
