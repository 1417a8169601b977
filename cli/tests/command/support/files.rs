//! Captures made by hand.

/// Frames and their stamps in nanoseconds.
pub type Frames = Vec<(u64, Vec<u8>)>;

/// The records of a little-endian pcap file with microsecond stamps.
pub fn records(pcap: &[u8]) -> Frames {
    let word = |at: usize| u32::from_le_bytes(pcap[at..at + 4].try_into().unwrap());
    let unit = if word(0) == 0xa1b2_3c4d { 1 } else { 1000 };
    let (mut at, mut frames) = (24, Vec::new());
    while at < pcap.len() {
        let stamp = u64::from(word(at)) * 1_000_000_000 + u64::from(word(at + 4)) * unit;
        let length = word(at + 8) as usize;
        frames.push((stamp, pcap[at + 16..at + 16 + length].to_vec()));
        at += 16 + length;
    }
    frames
}

/// Writes numbers in one byte order.
pub struct Bytes {
    pub bytes: Vec<u8>,
    big: bool,
}

impl Bytes {
    pub fn new(big: bool) -> Self {
        let bytes = Vec::new();
        Bytes { bytes, big }
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        let [little, big] = [value.to_le_bytes(), value.to_be_bytes()];
        self.raw(if self.big { &big } else { &little })
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        let [little, big] = [value.to_le_bytes(), value.to_be_bytes()];
        self.raw(if self.big { &big } else { &little })
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    /// A pcapng block around `body`.
    pub fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let padded = body.len().next_multiple_of(4);
        let total = (12 + padded) as u32;
        self.u32(kind).u32(total).raw(body);
        self.raw(&vec![0; padded - body.len()]).u32(total)
    }
}

/// A pcap file: byte order, nanosecond stamps or not, link type.
pub fn pcap(frames: &Frames, big: bool, nano: bool, link: u32) -> Vec<u8> {
    let mut out = Bytes::new(big);
    out.u32(if nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
    out.u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link);
    for (stamp, bytes) in frames {
        let parts = stamp % 1_000_000_000 / if nano { 1 } else { 1000 };
        out.u32((stamp / 1_000_000_000) as u32).u32(parts as u32);
        out.u32(bytes.len() as u32)
            .u32(bytes.len() as u32)
            .raw(bytes);
    }
    out.bytes
}

/// A pcapng file with nanosecond stamps, in enhanced packet blocks, behind a block that no reader knows.
pub fn pcapng(frames: &Frames, big: bool, link: u16) -> Vec<u8> {
    let body = |fill: &dyn Fn(&mut Bytes)| {
        let mut bytes = Bytes::new(big);
        fill(&mut bytes);
        bytes.bytes
    };
    let mut out = Bytes::new(big);
    out.block(
        0x0a0d_0d0a,
        &body(&|b| {
            b.u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX);
        }),
    );
    out.block(
        1,
        &body(&|b| {
            b.u16(link).u16(0).u32(0);
            b.u16(9).u16(1).raw(&[9, 0, 0, 0]); // if_tsresol: 10^-9
            b.u16(0).u16(0);
        }),
    );
    out.block(0x0bad_0001, &[1, 2, 3, 4]);
    for (stamp, bytes) in frames {
        out.block(
            6,
            &body(&|b| {
                b.u32(0).u32((stamp >> 32) as u32).u32(*stamp as u32);
                b.u32(bytes.len() as u32).u32(bytes.len() as u32).raw(bytes);
            }),
        );
    }
    out.bytes
}
