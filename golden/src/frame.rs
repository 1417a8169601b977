//! Frames: ingress, and what the events FRAME and DROP_NO_BUFFER do (design sections 2, 3).

use std::ops::Range;

use pagetrain_formats::{Completion, Counter, Csum, EventCode, Head, Reason};

use crate::engine::{Engine, State};
use crate::error::{EngineError, Room};
use crate::memory::HostMemory;
use crate::parser::Parser;
use crate::plan::{train_limits, Context, Lookup, Plan};
use crate::store::{Seen, Stored};
use crate::train::full_pages;

impl Engine {
    /// A frame has arrived on `s_axis_rx`. `bad` is its `tuser`. Returns its number (modulo 2^16) if it is in the store now.
    pub fn ingress(
        &mut self,
        bytes: &[u8],
        bad: bool,
        seen: Seen,
    ) -> Result<Option<u16>, EngineError> {
        let rx_seq = self.next_rx_seq;
        let cause = if seen == Seen::Disabled {
            Some(Counter::DropDisabled)
        } else if bad {
            Some(Counter::DropBad)
        } else if bytes.len() > self.settings.max_frame {
            Some(Counter::DropOversize)
        } else if seen == Seen::Overflow {
            Some(Counter::DropOverflow)
        } else {
            None
        };
        if cause == Some(Counter::DropOverflow) && self.settings.backpressure {
            let cause = "drop_overflow";
            return Err(EngineError::DropWithBackpressure { rx_seq, cause });
        }
        self.next_rx_seq = rx_seq.wrapping_add(1);
        if let Some(cause) = cause {
            self.counters.count(cause);
            return Ok(None);
        }
        self.counters.count(Counter::RxFrames);
        self.counters.add(Counter::RxBytes, bytes.len() as u64);
        if self.state != State::Running {
            self.counters.count(Counter::DropDisabled);
            return Ok(None);
        }
        let parsed = if self.settings.parser_enable {
            self.parser.parse(bytes)
        } else {
            Parser::rejected(bytes.len())
        };
        self.store.push(rx_seq, bytes, parsed);
        Ok(Some(rx_seq))
    }

    fn plan(&self, frame: &Stored) -> Plan {
        let Engine {
            config,
            settings,
            table,
            flows,
            ..
        } = self;
        Plan::new(
            frame,
            &Context {
                config,
                settings,
                table,
                flows,
            },
        )
    }

    /// What the frame needs, and what is at hand.
    fn room(&self, plan: &Plan) -> Room {
        let owner = match plan.lookup {
            Lookup::Hit(slot) if plan.fresh => {
                debug_assert!(self.flows[slot].page.is_some());
                None
            }
            Lookup::Hit(slot) => self.flows[slot].page,
            Lookup::Create(_) => None,
            Lookup::None | Lookup::Miss => self.queue_page,
        };
        let left = owner.map_or(0, |page| u64::from(page.left()));
        let needed = plan.paged.len() as u64;
        let smalls = self.smalls.count_since(plan.smalls());
        let bytes = self.pages.room_since(needed.saturating_sub(left));
        Room {
            smalls_needed: plan.smalls(),
            smalls_posted: self.smalls.posted(),
            bytes_needed: needed,
            bytes_at_hand: left + self.pages.room(),
            since: smalls.zip(bytes).map(|(a, b)| a.max(b)),
        }
    }

    /// What the oldest frame in the store needs, and what is at hand: `since` is none if it must wait or be dropped.
    pub fn next_frame_room(&mut self) -> Option<Room> {
        let frame = self.store.pop()?;
        let room = self.room(&self.plan(&frame));
        self.store.put_back(frame);
        Some(room)
    }

    fn pop(&mut self, event: EventCode, rx_seq: u16) -> Result<Stored, EngineError> {
        let oldest = self.store.oldest();
        match self.store.pop() {
            Some(frame) if frame.rx_seq == rx_seq => Ok(frame),
            other => {
                other
                    .into_iter()
                    .for_each(|frame| self.store.put_back(frame));
                Err(EngineError::NotOldest {
                    event,
                    rx_seq,
                    oldest,
                })
            }
        }
    }

    /// DROP_NO_BUFFER.
    pub(crate) fn drop_no_buffer(
        &mut self,
        rx_seq: u16,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<Room, EngineError> {
        if self.settings.backpressure {
            let cause = "drop_no_buffer";
            return Err(EngineError::DropWithBackpressure { rx_seq, cause });
        }
        let frame = self.pop(EventCode::DropNoBuffer, rx_seq)?;
        let plan = self.plan(&frame);
        let room = self.room(&plan);
        let slack = self.limits.buffer_slack;
        if room
            .since
            .is_some_and(|since| clock > since.saturating_add(slack))
        {
            self.store.put_back(frame);
            return Err(EngineError::DropWithRoom {
                rx_seq,
                clock,
                slack,
                room,
            });
        }
        self.store.recycle(frame);
        self.counters.count(Counter::DropNoBuffer);
        if let Lookup::Hit(slot) = plan.lookup {
            self.close(slot, Reason::NoBuffer, memory);
        }
        Ok(room)
    }

    /// FRAME.
    pub(crate) fn frame(
        &mut self,
        rx_seq: u16,
        clock: u64,
        memory: &mut HostMemory,
    ) -> Result<(), EngineError> {
        let frame = self.pop(EventCode::Frame, rx_seq)?;
        let plan = self.plan(&frame);
        let room = self.room(&plan);
        if room.since.is_none() {
            self.store.put_back(frame);
            return Err(EngineError::FrameWithoutRoom { rx_seq, room });
        }
        self.count_frame(&frame, &plan);
        self.enter_flow(&plan, memory);
        if let Some(slot) = plan.slot() {
            if let Some(reason) = plan.closes {
                self.close(slot, reason, memory);
            }
            if plan.fresh {
                self.release(slot, memory);
            }
        }
        let mut from = 0;
        loop {
            let edge = self.write_part(&frame, &plan, from, memory)?;
            self.deliver(&frame, &plan, from..edge, clock, memory);
            if edge == plan.paged.len() {
                break;
            }
            from = edge;
        }
        self.counters.add(Counter::SplitSegments, (from > 0).into());
        if let (Some(slot), true) = (plan.slot(), plan.ends) {
            self.release(slot, memory);
            self.table.remove(slot);
        }
        self.store.recycle(frame);
        Ok(())
    }

    fn count_frame(&mut self, frame: &Stored, plan: &Plan) {
        let mut count = |counter, when: bool| self.counters.add(counter, when.into());
        count(Counter::BadIpCsum, plan.ip_csum == Csum::Bad);
        count(Counter::BadL4Csum, plan.l4_csum == Csum::Bad);
        count(Counter::Rejected, !frame.parsed.accepted);
        count(Counter::FlowHits, matches!(plan.lookup, Lookup::Hit(_)));
        count(
            Counter::FlowMisses,
            matches!(plan.lookup, Lookup::Miss | Lookup::Create(_)),
        );
        count(Counter::Aggregated, plan.joins);
    }

    /// Step 1, and the order of use.
    fn enter_flow(&mut self, plan: &Plan, memory: &mut HostMemory) {
        match plan.lookup {
            Lookup::Hit(slot) => self.table.refresh(slot),
            Lookup::Create(place) => {
                if place.evicts {
                    self.counters.count(Counter::TableFull);
                    self.counters.count(Counter::FlowEvictions);
                    self.close(place.slot, Reason::Evict, memory);
                    self.release(place.slot, memory);
                }
                self.counters.count(Counter::FlowCreations);
                self.table.insert(place.slot, plan.key);
            }
            Lookup::None | Lookup::Miss => {}
        }
    }

    /// Steps 4 and 5, of the frame or of its piece `part`: the entries join their train, or go up at once.
    fn deliver(
        &mut self,
        frame: &Stored,
        plan: &Plan,
        part: Range<usize>,
        clock: u64,
        memory: &mut HostMemory,
    ) {
        let limits = train_limits(&self.config, &self.settings);
        if let (Some(slot), true) = (plan.slot(), plan.held) {
            let train = &mut self.flows[slot].train;
            let seq = frame.parsed.seq.wrapping_add(part.start as u32);
            train.push(&self.entries, seq, part.len(), clock);
            self.oldest = self.oldest.min(train.opened());
            if let Some(reason) = train.is_complete(&limits) {
                self.close(slot, reason, memory);
            }
            return;
        }
        let reason = match plan.single_reason(&frame.parsed, self.settings.merge) {
            Reason::Single if limits.ends_page(full_pages(&self.entries) as u32) => Reason::Page,
            reason => reason,
        };
        let head = Head {
            train_bytes: part.len() as u32,
            train_packets: 1,
            reason,
            train_entries: self.entries.len() as u8,
        };
        if let Completion::Pkt(pkt) = &mut self.entries[0] {
            pkt.head = Some(head);
        }
        for entry in &self.entries {
            self.completions.emit(*entry, memory);
        }
        self.counters
            .add(Counter::Trains, plan.slot().is_some().into());
        self.counters.closed(reason, 1);
    }
}
