//! Frames of a few kinds, with right checksums (RFC 791, 793, 1071, 7323, 8200).

/// Ethernet's shortest frame, without FCS.
const MIN_FRAME: usize = 60;

/// TCP without payload, sent by a receiver; else data.
const ACK: u8 = 0x10;
/// Time stamps: two times NOP, kind 8, length 10, two values.
const TIMESTAMPS: [u8; 12] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];

/// What the frames of a stream look like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// IPv6 behind one VLAN tag, with time stamps; else IPv4, neither.
    pub tagged_v6: bool,
    /// No payload: the frame is filled with padding.
    pub pure_ack: bool,
}

impl Shape {
    /// Bytes up to the payload.
    pub fn header(self) -> usize {
        match self.tagged_v6 {
            true => 14 + 4 + 40 + 20 + TIMESTAMPS.len(),
            false => 14 + 20 + 20,
        }
    }

    /// The shortest frame: a data frame has a byte of payload.
    pub fn shortest(self) -> usize {
        let payload = usize::from(!self.pure_ack);
        (self.header() + payload).max(MIN_FRAME)
    }
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    shape: Shape,
    port: u16,
    seq: u32,
}

impl Stream {
    pub fn new(shape: Shape, number: u16) -> Stream {
        Stream {
            shape,
            port: 1000 + number,
            seq: 0,
        }
    }

    /// The next segment, in a frame of `len` bytes.
    pub fn frame(&mut self, len: usize) -> Vec<u8> {
        let Shape {
            tagged_v6,
            pure_ack,
        } = self.shape;
        let room = len - self.shape.header();
        let payload = if pure_ack { 0 } else { room };
        let options: &[u8] = if tagged_v6 { &TIMESTAMPS } else { &[] };
        let tcp = self.tcp(options, payload);
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        if tagged_v6 {
            frame.extend([0x81, 0x00, 0x20, 0x05, 0x86, 0xDD, 0x60, 0, 0, 0]);
            frame.extend((tcp.len() as u16).to_be_bytes());
            frame.extend([6, 64]);
            frame.extend(addresses(true).concat());
        } else {
            frame.extend([0x08, 0x00]);
            frame.extend(ipv4(6, tcp.len()));
        }
        let l4 = frame.len();
        frame.extend(tcp);
        let pseudo = sum(&addresses(tagged_v6).concat()) + 6 + (frame.len() - l4) as u32;
        let checksum = !fold(pseudo + sum(&frame[l4..]));
        frame[l4 + 16..l4 + 18].copy_from_slice(&checksum.to_be_bytes());
        frame.resize(len, 0);
        self.seq = self.seq.wrapping_add(payload as u32);
        frame
    }

    /// Header and payload, the checksum 0.
    fn tcp(&self, options: &[u8], payload: usize) -> Vec<u8> {
        let offset = ((20 + options.len()) / 4) as u8;
        let mut tcp = [self.port.to_be_bytes(), 80u16.to_be_bytes()].concat();
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend([0, 0, 0, 9, offset << 4, ACK, 0x20, 0, 0, 0, 0, 0]);
        tcp.extend(options);
        tcp.extend((0..payload as u32).map(|i| byte(self.seq.wrapping_add(i))));
        tcp
    }
}

/// UDP over IPv4 without a checksum.
pub(super) fn udp(len: usize) -> Vec<u8> {
    let payload = len - 14 - 20 - 8;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    frame.extend(ipv4(17, 8 + payload));
    frame.extend([0, 53, 0, 54]);
    frame.extend((8 + payload as u16).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend((0..payload as u32).map(byte));
    frame
}

/// An EtherType that nobody knows.
pub(super) fn unknown(len: usize) -> Vec<u8> {
    let mut frame = vec![
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 3, 0x88, 0xB5,
    ];
    frame.extend((0..(len - frame.len()) as u32).map(byte));
    frame
}

fn byte(i: u32) -> u8 {
    (i.wrapping_mul(2_654_435_761) >> 24) as u8
}

fn addresses(v6: bool) -> [Vec<u8>; 2] {
    let address = |n: u8| match v6 {
        true => [&[0x20, 0x01, 0x0d, 0xb8][..], &[n; 12]].concat(),
        false => vec![10, 0, 0, n],
    };
    [address(1), address(2)]
}

fn ipv4(protocol: u8, len: usize) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend((20 + len as u16).to_be_bytes());
    ip.extend([0, 7, 0x40, 0, 64, protocol, 0, 0]);
    ip.extend(addresses(false).concat());
    let checksum = !fold(sum(&ip));
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    ip
}

fn sum(bytes: &[u8]) -> u32 {
    let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    bytes.chunks(2).map(word).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_length_asked_for() {
        for tagged_v6 in [false, true] {
            for pure_ack in [false, true] {
                let shape = Shape {
                    tagged_v6,
                    pure_ack,
                };
                for len in [shape.shortest(), 1514, 9018] {
                    assert_eq!(Stream::new(shape, 0).frame(len).len(), len);
                }
            }
        }
        assert_eq!((udp(60).len(), unknown(60).len()), (60, 60));
    }
}
