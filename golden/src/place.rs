//! Placement: a frame's bytes into small buffers and pages, and the entries that tell where (design sections 2, 4).

use pagetrain_formats::{Completion, Counter, Ext, Pkt, L3, L4, SMALL_BYTES};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::HostMemory;
use crate::pages::{fill, Fragment};
use crate::parser::{flag, TAGS_AT};
use crate::plan::{Plan, Way};
use crate::split::rewrite;
use crate::store::Stored;

impl Engine {
    /// Writes the frame, or of what goes to pages the part from byte `from` on, and leaves its entries (PKT without HEAD,
    /// EXT) in `self.entries`. Where the part ends: short of the last byte if a page's edge cuts the frame there.
    pub(crate) fn write_part(
        &mut self,
        frame: &Stored,
        plan: &Plan,
        from: usize,
        memory: &mut HostMemory,
    ) -> Result<usize, EngineError> {
        let edges = self.edges(plan);
        let all = if plan.tags == 0 {
            &frame.bytes[..]
        } else {
            self.stripped.clear();
            self.stripped.extend_from_slice(&frame.bytes[..TAGS_AT]);
            self.stripped
                .extend_from_slice(&frame.bytes[TAGS_AT + plan.tags..]);
            &self.stripped[..]
        };
        let owner = match plan.slot() {
            Some(slot) => &mut self.flows[slot].page,
            None => &mut self.queue_page,
        };
        self.fragments.clear();
        let data = &all[plan.paged.start + from..plan.paged.end];
        let written = fill(
            owner,
            &mut self.pages,
            data,
            edges,
            &mut self.fragments,
            memory,
        )?;
        let part = from..from + written;
        let is_piece = part.len() < plan.paged.len();
        debug_assert!(
            part.end == plan.paged.len() || plan.splittable,
            "room was counted before"
        );
        let mut rewritten;
        let header = if is_piece {
            rewritten = frame.bytes[..plan.hdr_len + plan.tags].to_vec();
            rewrite(&mut rewritten, &frame.bytes, &frame.parsed, part.clone());
            rewritten.drain(TAGS_AT..TAGS_AT + plan.tags);
            &rewritten[..]
        } else {
            &all[..plan.hdr_len]
        };
        let mut cookies = [None; 2];
        for (cookie, part) in cookies.iter_mut().zip(header.chunks(SMALL_BYTES)) {
            if let Some(buffer) = self.smalls.take() {
                buffer.write(0, part, memory)?;
                *cookie = Some(buffer.cookie);
            }
        }
        let filled = self.fragments.iter().filter(|f| f.full).count();
        self.counters.add(Counter::PagesFilled, filled as u64);

        let extra = cookies[1].map(|cookie| Completion::Ext(Ext::Small { cookie }));
        let (first, more) = self.fragments.split_first().unzip();
        self.entries.clear();
        self.entries.push(Completion::Pkt(packet(
            frame,
            plan,
            cookies[0],
            first.copied(),
        )));
        self.entries.extend(extra);
        self.entries
            .extend(more.unwrap_or_default().iter().map(|f| {
                Completion::Ext(Ext::Page {
                    cookie: f.cookie,
                    offset: f.offset as u16,
                    len: f.len as u16,
                    full: f.full,
                })
            }));
        let ext_count = (self.entries.len() - 1) as u8;
        if let Completion::Pkt(pkt) = &mut self.entries[0] {
            pkt.ext_count = ext_count;
            pkt.piece = is_piece;
        }
        Ok(part.end)
    }

    /// How many pages the next part of the frame may fill before it is cut.
    fn edges(&self, plan: &Plan) -> usize {
        let Some(pages) = self.settings.train_pages.filter(|_| plan.splittable) else {
            return usize::MAX;
        };
        // A train that is open at this point is the one that the part joins.
        let filled = plan.slot().map_or(0, |s| self.flows[s].train.pages());
        // At least one: a train that held more when the register was written is not cut before its next edge.
        pages.saturating_sub(filled).max(1) as usize
    }
}

/// The PKT entry, but for HEAD, `ext_count` and `piece`.
fn packet(frame: &Stored, plan: &Plan, small: Option<u32>, first: Option<Fragment>) -> Pkt {
    let parsed = &frame.parsed;
    let either = |a, b| (parsed.has(a), parsed.has(b));
    let offset = |marked: Option<usize>| marked.map_or(0, |o| o - plan.tags);
    let fragment = first.unwrap_or_default();
    Pkt {
        hdr_cookie: small.unwrap_or(0),
        page_cookie: fragment.cookie,
        page_offset: fragment.offset as u16,
        frag_len: fragment.len as u16,
        frame_len: frame.bytes.len() as u16,
        rx_seq: frame.rx_seq,
        vlan0: parsed.vlan0,
        vlan1: parsed.vlan1,
        hdr_len: plan.hdr_len as u16,
        l3_off: offset(parsed.l3_off) as u8,
        l4_off: offset(parsed.l4_off) as u16,
        ext_count: 0,
        head: None,
        page_full: fragment.full,
        split: plan.way == Way::Split,
        piece: false,
        l3: match either(flag::V4, flag::V6) {
            (true, _) => L3::V4,
            (_, true) => L3::V6,
            _ => L3::None,
        },
        l4: match either(flag::TCP, flag::UDP) {
            (true, _) => L4::Tcp,
            (_, true) => L4::Udp,
            _ => L4::None,
        },
        ip_csum: plan.ip_csum,
        l4_csum: plan.l4_csum,
        vlan_count: parsed.vlan_count() as u8,
        ip_opt: parsed.has(flag::OPT),
        watched: plan.slot().is_some(),
    }
}
