//! Random traffic whose every byte the test knows: flows with gaps, repeats and flags, and frames that are no flow's.

use super::frames::{other, stream, Segment, ACK, CWR, ECE, FIN, PSH, RST, SYN, URG};
use super::Rng;

/// A frame, and what must become of it.
#[derive(Clone, Debug)]
pub struct Traffic {
    pub bytes: Vec<u8>,
    /// The flow, or none of a frame that is no TCP.
    pub flow: Option<usize>,
    /// The parser knows it: bytes up to the payload, and of the payload. Unknown: none.
    pub known: Option<(usize, usize)>,
    /// VLAN tags that can be stripped.
    pub tags: usize,
    pub seq: u32,
    pub flags: u8,
    pub good: bool,
    /// The MAC marks it bad.
    pub marked_bad: bool,
}

impl Traffic {
    /// The frame without its tags.
    pub fn stripped(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.drain(12..12 + 4 * self.tags);
        bytes
    }
}

/// The senders.
pub struct Source {
    next: Vec<u32>,
    largest: usize,
}

impl Source {
    pub fn new(rng: &mut Rng, flows: usize, largest: usize) -> Self {
        Self {
            next: (0..flows).map(|_| rng.number() as u32).collect(),
            largest,
        }
    }

    pub fn frame(&mut self, rng: &mut Rng) -> Traffic {
        let mut traffic = match rng.below(12) {
            0 => self.other(rng),
            1 => self.long_header(rng),
            _ => self.segment(rng),
        };
        traffic.marked_bad = rng.once_in(60);
        traffic
    }

    fn other(&self, rng: &mut Rng) -> Traffic {
        let len = match rng.below(3) {
            0 => rng.pick(&[14, 60, 255, 256, 257, 258, 1514]),
            _ => 14 + rng.below(self.largest as u64 - 14) as usize,
        };
        let plain = Traffic {
            bytes: other(len),
            flow: None,
            known: None,
            tags: 0,
            seq: 0,
            flags: 0,
            good: false,
            marked_bad: false,
        };
        if len > 60 && rng.once_in(2) {
            // A fragment: accepted, without a split.
            let mut bytes = Segment {
                payload: stream(3, len - 54),
                ..Segment::default()
            }
            .build();
            bytes[20] = 0x20;
            return Traffic {
                bytes,
                known: Some((0, 0)),
                ..plain
            };
        }
        plain
    }

    fn pick(&self, rng: &mut Rng) -> (usize, Segment) {
        // Few flows send most of the traffic.
        let all = self.next.len() as u64;
        let flow = if rng.once_in(3) {
            rng.below(all)
        } else {
            rng.below(all.min(4))
        } as usize;
        let tags = match flow % 5 {
            3 => vec![(0x8100, flow as u16)],
            4 => vec![(0x88A8, 0x6000 | flow as u16), (0x8100, 1)],
            _ => vec![],
        };
        let segment = Segment {
            v6: flow % 3 == 2,
            tags,
            sport: 1000 + flow as u16,
            seq: self.next[flow],
            ..Segment::default()
        };
        (flow, segment)
    }

    fn len(&self, rng: &mut Rng) -> usize {
        let most = self.largest - 150;
        match rng.below(8) {
            0 => 0,
            1 => 1 + rng.below(200) as usize,
            2 => rng.below(most as u64) as usize,
            3 => rng.pick(&[1023, 1024, 1025, 2048, 4096, 8192]).min(most),
            _ => 1448.min(most),
        }
    }

    fn segment(&mut self, rng: &mut Rng) -> Traffic {
        let (flow, mut segment) = self.pick(rng);
        let len = self.len(rng);
        if rng.once_in(25) {
            segment.seq =
                segment
                    .seq
                    .wrapping_add(rng.pick(&[1, 1448, 0u32.wrapping_sub(1448), 1 << 31]));
        }
        segment.flags = ACK | if rng.once_in(4) { PSH } else { 0 };
        if rng.once_in(25) {
            segment.flags |= rng.pick(&[FIN, SYN, RST, URG, ECE, CWR, FIN | SYN]);
        }
        segment.tcp_options = vec![1; 4 * rng.pick(&[0, 3, 10])];
        segment.ip_options = vec![1; if !segment.v6 && rng.once_in(30) { 8 } else { 0 }];
        segment.payload = stream(segment.seq, len);
        segment.bad_tcp_checksum = rng.once_in(40);
        segment.bad_ip_checksum = !segment.v6 && rng.once_in(60);
        let padding = if rng.once_in(5) {
            rng.below(40) as usize
        } else {
            0
        };
        segment.padding = rng.bytes(padding);
        self.finish(flow, segment.build(), &segment)
    }

    /// The same flows with hop-by-hop options before TCP: up to two small buffers of header.
    fn long_header(&mut self, rng: &mut Rng) -> Traffic {
        let (flow, mut segment) = self.pick(rng);
        segment.v6 = true;
        segment.payload = stream(segment.seq, self.len(rng).min(self.largest - 400));
        segment.tcp_options = vec![1; 40];
        let mut bytes = segment.build();
        let units = 1 + rng.below(19) as usize;
        let mut options = vec![6, units as u8 - 1];
        options.resize(8 * units, 0);
        let ip = 14 + 4 * segment.tags.len();
        let len = u16::from_be_bytes([bytes[ip + 4], bytes[ip + 5]]) + 8 * units as u16;
        bytes[ip + 4..ip + 6].copy_from_slice(&len.to_be_bytes());
        bytes[ip + 6] = 0;
        bytes.splice(ip + 40..ip + 40, options);
        // A v4 flow's ports over v6 are a flow of their own.
        let flow = if flow % 3 == 2 {
            flow
        } else {
            self.next.len() + flow
        };
        self.finish(flow, bytes, &segment)
    }

    fn finish(&mut self, flow: usize, bytes: Vec<u8>, segment: &Segment) -> Traffic {
        let len = segment.payload.len();
        if let Some(next) = self.next.get_mut(flow) {
            *next = segment.seq.wrapping_add(len as u32);
        }
        let header = bytes.len() - len - segment.padding.len();
        Traffic {
            bytes,
            flow: Some(flow),
            known: Some((header, len)),
            tags: segment.tags.len(),
            seq: segment.seq,
            flags: segment.flags,
            good: !segment.bad_ip_checksum && !segment.bad_tcp_checksum,
            marked_bad: false,
        }
    }
}
