//! What the host is handed, read back from memory as a driver would, and judged by etherparse.

use pagetrain_formats::{Csum, Head, Pkt};
use pagetrain_golden::deliver::{Delivery, Walker};
use pagetrain_golden::registers::Place;

use super::oracle::judge;
use super::rig::{Rig, COMPLETION_RING, PAGES, PAGE_STEP, SMALLS};

/// A packet as the stack gets it.
#[derive(Clone, Debug)]
pub struct Handed {
    pub pkt: Pkt,
    pub frame: Vec<u8>,
}

impl Handed {
    /// Sequence number and payload of a TCP segment whose every length and checksum must be right.
    pub fn intact(&self) -> (u32, &[u8]) {
        let (pkt, frame) = (&self.pkt, &self.frame);
        let judged = judge(frame).unwrap_or_else(|| panic!("packet {}: other", pkt.rx_seq));
        assert_eq!(judged.end, frame.len(), "length of {pkt:?}");
        assert_eq!(judged.l4_csum, Some(true), "TCP checksum of {pkt:?}");
        assert_ne!(judged.ip_csum, Some(false), "IPv4 checksum of {pkt:?}");
        assert_eq!(judged.split, Some(usize::from(pkt.hdr_len)), "{pkt:?}");
        assert_eq!(
            (judged.l3, judged.l4),
            (pkt.l3_off.into(), pkt.l4_off.into())
        );
        assert_eq!(pkt.l4_csum, Csum::Good);
        (judged.seq, &frame[usize::from(pkt.hdr_len)..])
    }
}

/// A train as the stack gets it.
#[derive(Clone, Debug)]
pub struct HandedTrain {
    pub head: Head,
    pub packets: Vec<Handed>,
    /// Offset and length of its bytes in each page that it touches.
    pub pages: Vec<(u32, u32)>,
}

/// Walks a rig's completion ring from its beginning, once; `smalls` and `pages` are what was posted, in order: cookies, and
/// of pages length and headroom.
pub fn handed(rig: &Rig, smalls: &[u32], pages: &[(u32, u32, u16)]) -> Vec<HandedTrain> {
    let mut walker = Walker::new(Place {
        base: COMPLETION_RING,
        log2: rig.log2,
    });
    for (at, &cookie) in (SMALLS..).step_by(256).zip(smalls) {
        assert!(walker.post_small(cookie, at));
    }
    for (at, &(cookie, length, headroom)) in (PAGES..).step_by(PAGE_STEP as usize).zip(pages) {
        assert!(walker.post_page(cookie, at, length, headroom.into()));
    }
    let mut trains = Vec::new();
    let taken = walker.poll(&rig.memory, |delivery| {
        let Delivery::Train(train) = delivery else {
            return;
        };
        let packets = train.packets.iter().map(|packet| {
            let mut frame = Vec::new();
            train.frame(packet, &rig.memory, &mut frame);
            let pkt = packet.pkt;
            Handed { pkt, frame }
        });
        let mut pages: Vec<(u32, u32)> = Vec::new();
        for piece in train.all_pieces() {
            match pages.last_mut() {
                Some(last) if piece.offset == last.0 + last.1 => last.1 += piece.len,
                _ => pages.push((piece.offset, piece.len)),
            }
        }
        trains.push(HandedTrain {
            head: train.head().unwrap(),
            packets: packets.collect(),
            pages,
        });
    });
    taken.unwrap();
    trains
}

/// The same of a rig with the buffers of [`Rig::stock`].
pub fn handed_of_stock(rig: &Rig, smalls: u32, pages: u32) -> Vec<HandedTrain> {
    let smalls: Vec<u32> = (0..smalls).map(|i| 0xA0 + i).collect();
    let pages: Vec<_> = (0..pages).map(|i| (0xB0 + i, 4096, 0)).collect();
    handed(rig, &smalls, &pages)
}
