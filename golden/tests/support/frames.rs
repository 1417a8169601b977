//! Frames made by hand, byte by byte, with checksums of a plain loop.

/// A TCP segment in an Ethernet frame. Change fields, then [`Segment::build`].
#[derive(Clone, Debug)]
pub struct Segment {
    pub v6: bool,
    /// EtherType and tag control information of each VLAN tag, outermost first.
    pub tags: Vec<(u16, u16)>,
    pub src: u8,
    pub dst: u8,
    pub sport: u16,
    pub dport: u16,
    pub seq: u32,
    pub flags: u8,
    /// IPv4 options; a multiple of 4 bytes.
    pub ip_options: Vec<u8>,
    /// TCP options; a multiple of 4 bytes.
    pub tcp_options: Vec<u8>,
    pub payload: Vec<u8>,
    /// What an Ethernet card puts behind a short packet.
    pub padding: Vec<u8>,
    pub bad_ip_checksum: bool,
    pub bad_tcp_checksum: bool,
}

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;
pub const ECE: u8 = 0x40;
pub const CWR: u8 = 0x80;

/// 54 bytes of header: Ethernet, IPv4, TCP without options.
pub const HEADER: usize = 54;

impl Default for Segment {
    fn default() -> Self {
        Self {
            v6: false,
            tags: Vec::new(),
            src: 1,
            dst: 2,
            sport: 1000,
            dport: 2000,
            seq: 0,
            flags: ACK,
            ip_options: Vec::new(),
            tcp_options: Vec::new(),
            payload: Vec::new(),
            padding: Vec::new(),
            bad_ip_checksum: false,
            bad_tcp_checksum: false,
        }
    }
}

/// A stretch of a stream: the byte at position `i` of it is a known function of `i`.
pub fn stream(seq: u32, len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|i| stream_byte(seq.wrapping_add(i)))
        .collect()
}

/// Byte `i` of every flow's stream.
pub fn stream_byte(i: u32) -> u8 {
    (i.wrapping_mul(2_654_435_761) >> 24) as u8
}

/// A segment of the default flow with `len` bytes of its stream from `seq` on.
pub fn segment(seq: u32, len: usize) -> Segment {
    Segment {
        seq,
        payload: stream(seq, len),
        ..Segment::default()
    }
}

fn sum(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|p| u32::from(p[0]) << 8 | u32::from(*p.get(1).unwrap_or(&0)))
        .sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

impl Segment {
    pub fn flow(mut self, sport: u16) -> Self {
        self.sport = sport;
        self
    }

    pub fn flags(mut self, flags: u8) -> Self {
        self.flags = flags;
        self
    }

    fn addresses(&self) -> (Vec<u8>, Vec<u8>) {
        let v4 = |n: u8| vec![10, 0, 0, n];
        let v6 = |n: u8| [&[0x20, 0x01, 0x0d, 0xb8][..], &[n; 12]].concat();
        if self.v6 {
            (v6(self.src), v6(self.dst))
        } else {
            (v4(self.src), v4(self.dst))
        }
    }

    fn tcp(&self) -> Vec<u8> {
        let (src, dst) = self.addresses();
        let offset = ((20 + self.tcp_options.len()) / 4) as u8;
        let mut tcp = [self.sport.to_be_bytes(), self.dport.to_be_bytes()].concat();
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend([0, 0, 0, 9, offset << 4, self.flags, 0x20, 0, 0, 0, 0, 0]);
        tcp.extend(&self.tcp_options);
        tcp.extend(&self.payload);
        let pseudo = sum(&src) + sum(&dst) + 6 + tcp.len() as u32;
        let checksum = !fold(pseudo + sum(&tcp)) ^ u16::from(self.bad_tcp_checksum);
        tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
        tcp
    }

    fn ip(&self, len: usize) -> Vec<u8> {
        let (src, dst) = self.addresses();
        if self.v6 {
            let mut ip = vec![0x60, 0, 0, 0];
            ip.extend((len as u16).to_be_bytes());
            ip.extend([6, 64]);
            return [ip, src, dst].concat();
        }
        let header = 20 + self.ip_options.len();
        let mut ip = vec![0x40 | (header / 4) as u8, 0];
        ip.extend(((header + len) as u16).to_be_bytes());
        ip.extend([0, 7, 0x40, 0, 64, 6, 0, 0]);
        ip.extend([src, dst, self.ip_options.clone()].concat());
        let checksum = !fold(sum(&ip)) ^ u16::from(self.bad_ip_checksum);
        ip[10..12].copy_from_slice(&checksum.to_be_bytes());
        ip
    }

    /// The frame's bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for (ether_type, tci) in &self.tags {
            frame.extend(ether_type.to_be_bytes());
            frame.extend(tci.to_be_bytes());
        }
        frame.extend(if self.v6 { [0x86, 0xDD] } else { [0x08, 0x00] });
        let tcp = self.tcp();
        frame.extend(self.ip(tcp.len()));
        frame.extend(tcp);
        frame.extend(&self.padding);
        frame
    }
}

/// A frame that the shipped program knows nothing of, `len` bytes long.
pub fn other(len: usize) -> Vec<u8> {
    let mut frame = vec![0xFF; 6];
    frame.extend([2, 0, 0, 0, 0, 3, 0x88, 0xB5]);
    frame.extend(stream(77, len - 14));
    frame
}
