//! Random traffic: flows with losses, repeats and flags, every header that the shipped program knows, and what no
//! program knows.

use super::frames::{other, stream, Segment, ACK, CWR, ECE, FIN, HEADER, PSH, RST, SYN, URG};
use etherparse::PacketBuilder;
use pagetrain_formats::regs;
use pagetrain_testbench::Rng;

/// The senders.
pub struct Traffic {
    flows: Vec<Segment>,
    /// The one that is sending.
    current: usize,
    /// Share of the traffic that the first few flows send.
    favour: f64,
    largest: usize,
    /// Of so many frames 8 are not simply the next segment.
    calm: u64,
    /// Segments that were overtaken.
    late: Vec<Vec<u8>>,
    /// What was sent last, to be sent again.
    last: Vec<u8>,
}

/// Addresses, ports and tags of a flow: nothing else tells one from another.
fn flow(rng: &mut Rng, number: usize) -> Segment {
    let tags = match number % 5 {
        3 => vec![(0x8100, number as u16)],
        4 => vec![(0x88A8, 0x6000 | number as u16), (0x8100, 1)],
        _ => vec![],
    };
    // Half of them wrap soon.
    let low = rng.range(0..=100_000) as u32;
    let seq = if rng.chance(0.5) {
        low.wrapping_neg()
    } else {
        rng.bits() as u32
    };
    Segment {
        v6: number % 3 == 2,
        tags,
        src: 1 + (number / 7) as u8,
        sport: 1000 + number as u16,
        seq,
        ..Segment::default()
    }
}

impl Traffic {
    pub fn new(rng: &mut Rng, flows: usize, largest: usize) -> Self {
        Self {
            flows: (0..flows).map(|n| flow(rng, n)).collect(),
            current: 0,
            calm: *rng.pick(&[40, 200]),
            favour: *rng.pick(&[0.9, 0.6, 0.1]),
            largest,
            late: vec![],
            last: other(64),
        }
    }

    /// The next frame, and whether the MAC finds it bad.
    pub fn next(&mut self, rng: &mut Rng) -> (Vec<u8>, bool) {
        let bytes = match rng.below(self.calm) {
            0 | 1 => self.other(rng),
            2 => self.garbage(rng),
            3 => self.udp(rng),
            4 => self.cut(rng),
            5 => self.last.clone(),
            6 => self.oversize(rng),
            7 if !self.late.is_empty() => self.late.remove(0),
            8 => {
                let overtaken = self.segment(rng);
                self.late.push(overtaken);
                self.segment(rng)
            }
            _ => self.segment(rng),
        };
        self.last.clone_from(&bytes);
        (bytes, rng.chance(0.02))
    }

    /// Writes of the key registers that name one of the flows.
    pub fn key(&self, rng: &mut Rng) -> Vec<(u16, u32)> {
        let number = if rng.chance(0.5) {
            self.current
        } else {
            self.pick(rng)
        };
        let segment = &self.flows[number];
        let frame = segment.build();
        let ip = 14 + 4 * segment.tags.len();
        let (src, dst, tcp) = match segment.v6 {
            false => (ip + 12..ip + 16, ip + 16..ip + 20, ip + 20),
            true => (ip + 8..ip + 24, ip + 24..ip + 40, ip + 40),
        };
        let mut writes = vec![];
        for (first, range) in [(regs::Q_KEY0, src), (regs::Q_KEY4, dst)] {
            // The last four bytes of the address are the first register's.
            let mut dwords: Vec<u32> = (frame[range].rchunks(4))
                .map(|four| four.iter().fold(0, |value, &b| value << 8 | u32::from(b)))
                .collect();
            dwords.resize(4, 0);
            writes.extend((0..4).map(|i| (first + 4 * i, dwords[usize::from(i)])));
        }
        let be16 = |at: usize| u32::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
        let tag = |n: usize| segment.tags.get(n).map_or(0, |tag| u32::from(tag.1));
        let present = |n: usize| u32::from(segment.tags.len() > n);
        writes.push((regs::Q_KEY8, be16(tcp) | be16(tcp + 2) << 16));
        writes.push((regs::Q_KEY9, tag(0) | tag(1) << 16));
        let v6 = u32::from(segment.v6);
        writes.push((regs::Q_KEY10, v6 | present(0) << 1 | present(1) << 2));
        writes
    }

    fn pick(&self, rng: &mut Rng) -> usize {
        let all = self.flows.len() as u64;
        let some = match rng.chance(self.favour) {
            true => all.min(3),
            false => all,
        };
        rng.below(some) as usize
    }

    fn payload_len(&self, rng: &mut Rng) -> usize {
        // Room for the longest header.
        let most = self.largest - 400;
        // Each sender has a size of its own; some of them fill pages exactly.
        let usual = [1448, 1024, 1448, 2048, 8192][self.current % 5];
        match rng.below(20) {
            0 => 0,
            1 => rng.range(1..=200) as usize,
            2 => rng.below(most as u64) as usize,
            3 => (*rng.pick(&[1023, 1024, 1025, 2048, 4096, 8192])).min(most),
            4 => rng.range(1000..=1500) as usize,
            _ => usual.min(most),
        }
    }

    /// The next segment of a flow, or one that is wrong.
    fn segment(&mut self, rng: &mut Rng) -> Vec<u8> {
        // Several in a row, as a sender's window goes out.
        if rng.chance(0.3) {
            self.current = self.pick(rng);
        }
        let number = self.current;
        let mut segment = self.flows[number].clone();
        let len = self.payload_len(rng).min(self.largest - 400);
        if rng.chance(0.04) {
            // A gap or an old one: the sender goes on from there, as after a loss.
            let jump = *rng.pick(&[1, 1448, 1448u32.wrapping_neg(), 1 << 31]);
            segment.seq = segment.seq.wrapping_add(jump);
        }
        segment.flags = ACK | if rng.chance(0.25) { PSH } else { 0 };
        if rng.chance(0.04) {
            segment.flags |= *rng.pick(&[FIN, SYN, RST, URG, ECE, CWR, FIN | SYN]);
        }
        segment.tcp_options = vec![1; 4 * *rng.pick(&[0, 3, 10])];
        segment.payload = stream(segment.seq, len);
        segment.bad_tcp_checksum = rng.chance(0.02);
        if !segment.v6 {
            segment.ip_options = vec![
                1;
                if rng.chance(0.03) {
                    4 * rng.range(1..=10) as usize
                } else {
                    0
                }
            ];
            segment.bad_ip_checksum = rng.chance(0.02);
        }
        if rng.chance(0.2) {
            let padding = rng.below(40) as usize;
            segment.padding = rng.bytes(padding);
        }
        self.flows[number].seq = segment.seq.wrapping_add(len as u32);
        let mut frame = segment.build();
        if segment.v6 && rng.chance(0.15) {
            extend(rng, &mut frame, &segment);
        }
        if !segment.v6 && rng.chance(0.02) {
            // A fragment; its checksum is bad then, which is of no account.
            let at = 14 + 4 * segment.tags.len() + 6;
            let bits = *rng.pick(&[0x2000u16, 0x0001, 0x20B9, 0x1FFF]);
            frame[at..at + 2].copy_from_slice(&bits.to_be_bytes());
        }
        frame
    }

    fn other(&self, rng: &mut Rng) -> Vec<u8> {
        let len = match rng.chance(0.5) {
            true => *rng.pick(&[14, 15, 60, 255, 256, 257, 1514]),
            false => rng.range(14..=self.largest as u64) as usize,
        };
        other(len)
    }

    /// Bytes of chance, or a good frame with some bytes of its headers changed.
    fn garbage(&mut self, rng: &mut Rng) -> Vec<u8> {
        if rng.chance(0.3) {
            let len = rng.range(1..=300) as usize;
            return rng.bytes(len);
        }
        let mut frame = self.segment(rng);
        for _ in 0..rng.range(1..=4) {
            let header = frame.len().min(100) as u64;
            let at = rng.range(12..=header - 1) as usize;
            frame[at] = rng.bits() as u8;
        }
        frame
    }

    /// A frame that ends too early.
    fn cut(&mut self, rng: &mut Rng) -> Vec<u8> {
        let mut frame = self.segment(rng);
        let most = frame.len().min(160) as u64;
        frame.truncate(rng.range(1..=most) as usize);
        frame
    }

    fn oversize(&mut self, rng: &mut Rng) -> Vec<u8> {
        let more = *rng.pick(&[0, 1, 2, 8, 64, 9000]);
        let mut frame = self.segment(rng);
        frame.resize(self.largest + more, 0x5A);
        frame
    }

    fn udp(&self, rng: &mut Rng) -> Vec<u8> {
        let macs = ([2, 0, 0, 0, 0, 3], [2, 0, 0, 0, 0, 4]);
        let builder = PacketBuilder::ethernet2(macs.0, macs.1);
        let ports = (5000 + rng.below(20) as u16, 53);
        let len = self.payload_len(rng).min(self.largest - 400);
        let payload = rng.bytes(len);
        let mut frame = vec![];
        let written = match rng.chance(0.5) {
            true => builder
                .ipv4([192, 168, 0, 1], [192, 168, 0, 2], 9)
                .udp(ports.0, ports.1)
                .write(&mut frame, &payload),
            false => builder
                .ipv6([0x20; 16], [0x21; 16], 9)
                .udp(ports.0, ports.1)
                .write(&mut frame, &payload),
        };
        written.expect("a vector takes what is written");
        let checksum = frame.len() - len - 2;
        match rng.below(4) {
            0 => frame[checksum..checksum + 2].fill(0),
            1 => frame[checksum] ^= 0x40,
            _ => {}
        }
        frame
    }
}

/// Puts extension headers between IPv6 and TCP.
fn extend(rng: &mut Rng, frame: &mut Vec<u8>, segment: &Segment) {
    const TCP: u8 = 6;
    let ip = 14 + 4 * segment.tags.len();
    let mut kinds: Vec<u8> = vec![];
    if rng.chance(0.6) {
        kinds.push(0); // hop-by-hop options
    }
    for kind in [60, 43, 44] {
        if rng.chance(0.4) {
            kinds.push(kind); // destination options, routing, fragment
        }
    }
    let mut chain = vec![];
    for (i, kind) in kinds.iter().enumerate() {
        let next = kinds.get(i + 1).copied().unwrap_or(TCP);
        // A fragment header has one size; this one says that the packet is whole, or not.
        let units = match (kind, kinds.len()) {
            (44, _) => 1,
            // Up to the end of what the parser sees.
            (_, 1) => rng.range(1..=22) as usize,
            _ => rng.range(1..=6) as usize,
        };
        let mut header = vec![0; 8 * units];
        header[0] = next;
        match kind {
            44 => header[3] = u8::from(rng.chance(0.5)),
            43 => (header[1], header[3]) = (units as u8 - 1, u8::from(rng.chance(0.3))),
            _ => header[1] = units as u8 - 1,
        }
        chain.extend(header);
    }
    if let Some(&first) = kinds.first() {
        let len = u16::from_be_bytes([frame[ip + 4], frame[ip + 5]]) + chain.len() as u16;
        frame[ip + 4..ip + 6].copy_from_slice(&len.to_be_bytes());
        frame[ip + 6] = first;
        frame.splice(ip + 40..ip + 40, chain);
    }
}

/// A frame of exactly `len` bytes: a segment of its flow where a header fits, else one that belongs to none.
pub fn of_length(len: usize, flows: &mut [u32], number: usize) -> Vec<u8> {
    let Some(payload) = len.checked_sub(HEADER) else {
        return other(len);
    };
    let seq = flows[number];
    flows[number] = seq.wrapping_add(payload as u32);
    let segment = Segment {
        sport: 3000 + number as u16,
        seq,
        payload: stream(seq, payload),
        ..Segment::default()
    };
    segment.build()
}
