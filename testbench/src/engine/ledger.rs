//! What must hold in every run, whatever traffic and settings: checked from the frames sent and the deliveries alone,
//! the model is not asked.
//!
//! - A frame is delivered at most once, and as it was sent: all of it, or, where header and payload are split, exactly
//!   the header in small buffers and exactly the payload in pages, without the padding behind the packet.
//! - What is behind a header in its last small buffer, and behind the fill pointer of a page, was not touched.
//! - The TCP segments of a flow are delivered in the order in which they came.
//! - Every frame was delivered or is in one of the drop counters.

use super::memory::Twin;
use super::piece::piece;
use pagetrain_formats::{Buf, BufId, BufStatus, Counter, Pkt, L3, L4, SMALL_BYTES};
use pagetrain_golden::deliver::{Packet, Train};
use std::collections::HashMap;

/// A frame that was sent.
struct Sent {
    bytes: Vec<u8>,
    /// Its place in the order of arrival.
    arrival: u64,
    /// Bytes of its payload that were delivered in pieces.
    done: usize,
}

/// The books of one run.
#[derive(Default)]
pub(super) struct Ledger {
    /// Frames that were not delivered, by number.
    sent: HashMap<u16, Sent>,
    arrivals: u64,
    delivered: u64,
    /// Arrival of the last segment delivered, by flow.
    last: HashMap<Vec<u8>, u64>,
    frame: Vec<u8>,
}

impl Ledger {
    /// A frame goes to the engine. They are numbered in this order.
    pub fn sent(&mut self, bytes: &[u8]) {
        let sent = Sent {
            bytes: bytes.to_vec(),
            arrival: self.arrivals,
            done: 0,
        };
        // A frame that was dropped is forgotten when its number comes round again.
        self.sent.insert(self.arrivals as u16, sent);
        self.arrivals += 1;
    }

    /// A train was delivered; `strip`: without the VLAN tags that the engine found.
    pub fn train(&mut self, train: &Train, twin: &Twin, strip: bool) -> Result<(), String> {
        for packet in &train.packets {
            let seq = packet.pkt.rx_seq;
            self.packet(train, packet, twin, strip)
                .map_err(|why| format!("frame {seq}: {why}"))?;
        }
        Ok(())
    }

    fn packet(
        &mut self,
        train: &Train,
        packet: &Packet,
        twin: &Twin,
        strip: bool,
    ) -> Result<(), String> {
        let pkt = &packet.pkt;
        let Some(Sent {
            bytes,
            arrival,
            done,
        }) = self.sent.remove(&pkt.rx_seq)
        else {
            return Err("delivered twice, or never sent".into());
        };
        same("frame_len", pkt.frame_len.into(), bytes.len())?;
        let stripped = if strip {
            4 * usize::from(pkt.vlan_count)
        } else {
            0
        };
        let mut expected = bytes.clone();
        if stripped > 0 {
            expected.drain(12..12 + stripped);
        }
        self.frame.clear();
        train.frame(packet, twin, &mut self.frame);
        let rest = match pkt.split {
            true => {
                let (split, end) = extent(pkt, &expected)?;
                same("header bytes in small buffers", pkt.hdr_len.into(), split)?;
                expected.truncate(end);
                self.pieces(pkt, split, done, &mut expected)?
            }
            false => None,
        };
        match rest {
            None => self.delivered += 1,
            // More of it is to come; trains of other flows may come first.
            Some(done) => {
                let rest = Sent {
                    bytes,
                    arrival,
                    done,
                };
                self.sent.insert(pkt.rx_seq, rest);
            }
        }
        if self.frame != expected {
            let at = (self.frame.iter().zip(&expected)).take_while(|(a, b)| a == b);
            let (at, got, sent) = (at.count(), self.frame.len(), expected.len());
            return Err(format!(
                "{got} bytes delivered, {sent} expected, the same up to byte {at}"
            ));
        }
        if let Some(last) = packet.smalls().last() {
            let used = usize::from(pkt.hdr_len) - SMALL_BYTES * (packet.smalls().count() - 1);
            if !twin.untouched(last + used as u64, SMALL_BYTES - used) {
                return Err("something was written behind the header in its small buffer".into());
            }
        }
        self.in_order(pkt, &expected, arrival)
    }

    /// Makes of a split packet what is to be delivered now: all of it, or the piece that is due. Where that does not end
    /// it: bytes of its payload delivered so far.
    fn pieces(
        &self,
        pkt: &Pkt,
        split: usize,
        done: usize,
        expected: &mut Vec<u8>,
    ) -> Result<Option<usize>, String> {
        if !pkt.piece {
            let whole = done == 0;
            return whole
                .then_some(None)
                .ok_or("a piece, then the whole".into());
        }
        let end = done + self.frame.len().saturating_sub(split);
        let all = expected.len() - split;
        if end == done || end > all {
            return Err(format!("piece of payload {done} to {end} of {all}"));
        }
        *expected = piece(pkt, expected, split, done..end);
        Ok((end < all).then_some(end))
    }

    /// A segment is delivered behind those of its flow that came before it.
    fn in_order(&mut self, pkt: &Pkt, frame: &[u8], arrival: u64) -> Result<(), String> {
        if !pkt.split || pkt.l4 != L4::Tcp {
            return Ok(());
        }
        let (l3, l4) = (usize::from(pkt.l3_off), usize::from(pkt.l4_off));
        let addresses = match pkt.l3 {
            L3::V4 => &frame[l3 + 12..l3 + 20],
            _ => &frame[l3 + 8..l3 + 40],
        };
        let tags = [pkt.vlan_count.into(), pkt.vlan0, pkt.vlan1].map(u16::to_be_bytes);
        let key = [addresses, &frame[l4..l4 + 4], tags.as_flattened()].concat();
        match self.last.insert(key, arrival) {
            Some(last) if last > arrival => Err(format!(
                "delivered after a later one of its flow ({last} after {arrival})"
            )),
            _ => Ok(()),
        }
    }

    /// A buffer came back by a BUF entry.
    pub fn returned(&self, buf: &Buf, twin: &Twin) -> Result<(), String> {
        let (cookie, used) = match (buf.id, buf.status) {
            (_, BufStatus::BadDesc) => return Ok(()),
            (BufId::Page(cookie), BufStatus::Released) => (cookie, Some(buf.fill)),
            (BufId::Page(cookie) | BufId::Small(cookie), _) => (cookie, None),
        };
        match twin.rest_untouched(cookie, used) {
            true => Ok(()),
            false => Err(format!(
                "buffer {cookie:#x}: bytes beyond its fill pointer were written"
            )),
        }
    }

    /// Every frame is accounted for, with `count` the hardware's counters. For the end of a run, when nothing is under way.
    pub fn balance(&self, count: impl Fn(Counter) -> u64) -> Result<(), String> {
        let lost = [
            Counter::DropBad,
            Counter::DropOversize,
            Counter::DropOverflow,
            Counter::DropDisabled,
        ];
        let stored = count(Counter::RxFrames);
        let came = stored + lost.map(&count).iter().sum::<u64>();
        if came != self.arrivals {
            return Err(format!("{} frames sent, {came} counted", self.arrivals));
        }
        let left = stored - count(Counter::DropNoBuffer);
        if left != self.delivered {
            return Err(format!("{left} frames kept, {} delivered", self.delivered));
        }
        Ok(())
    }
}

fn same(what: &str, told: usize, own: usize) -> Result<(), String> {
    if told == own {
        return Ok(());
    }
    Err(format!("{what}: {told}, by the frame itself {own}"))
}

/// Where header and packet end in a frame, read from its own length fields at the offsets that the completion names.
fn extent(pkt: &Pkt, frame: &[u8]) -> Result<(usize, usize), String> {
    let (l3, l4) = (usize::from(pkt.l3_off), usize::from(pkt.l4_off));
    let be16 = |at: usize| match frame.get(at..at + 2) {
        Some(two) => Ok(usize::from(u16::from_be_bytes([two[0], two[1]]))),
        None => Err(format!("offsets {l3} and {l4} leave the frame")),
    };
    let (ether_type, end, first) = match pkt.l3 {
        L3::V4 => (0x0800, be16(l3 + 2)?, l3 + 4 * (be16(l3)? >> 8 & 15)),
        _ => (0x86DD, 40 + be16(l3 + 4)?, l3 + 40),
    };
    same(
        "EtherType before l3_off",
        be16(l3.saturating_sub(2))?,
        ether_type,
    )?;
    // Extension headers of IPv6 may stand between.
    if l4 != first && (pkt.l3 == L3::V4 || !pkt.ip_opt || l4 < first) {
        same("l4_off", l4, first)?;
    }
    let header = match pkt.l4 {
        L4::Udp => 8,
        _ => 4 * (be16(l4 + 12)? >> 12),
    };
    Ok((l4 + header, l3 + end))
}
