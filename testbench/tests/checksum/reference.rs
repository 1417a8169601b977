//! What the checksum block says of a frame, from the design contract and the RFCs.

/// The parser's word on a frame, as far as it changes something here; the rest only passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parse {
    pub reject: bool,
    pub flags: u8,
    pub l3_off: u16,
    pub l4_off: u16,
    pub split: u16,
    pub l4_valid: bool,
    pub split_valid: bool,
    pub end: Option<u16>,
    pub src: u128,
    pub dst: u128,
    /// vlan0, vlan1, sport, dport, seq, tcp_flags.
    pub rest: [u128; 6],
}

/// Flag bits (design contract, section 6).
pub const V4: u8 = 1;
pub const V6: u8 = 2;
pub const TCP: u8 = 4;
pub const UDP: u8 = 8;
pub const NOCSUM: u8 = 32;
pub const VLAN0: u8 = 64;
pub const VLAN1: u8 = 128;

/// Widths of the fields of PARSE (interfaces page), first field in the lowest bits.
pub const PARSE_WIDTHS: [u32; 17] = [1, 8, 8, 9, 9, 1, 1, 1, 16, 16, 16, 128, 128, 16, 16, 32, 8];
/// Widths of what META has more: bad, frame_len, rx_seq, ip_csum, l4_csum.
pub const META_WIDTHS: [u32; 5] = [1, 16, 16, 2, 2];

impl Parse {
    /// The fields in the order of [`PARSE_WIDTHS`].
    pub fn fields(&self) -> [u128; 17] {
        let [vlan0, vlan1, sport, dport, seq, tcp_flags] = self.rest;
        [
            self.reject.into(),
            self.flags.into(),
            self.l3_off.into(),
            self.l4_off.into(),
            self.split.into(),
            self.l4_valid.into(),
            self.split_valid.into(),
            self.end.is_some().into(),
            self.end.unwrap_or(0).into(),
            vlan0,
            vlan1,
            self.src,
            self.dst,
            sport,
            dport,
            seq,
            tcp_flags,
        ]
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Sum of 16-bit numbers in network order, an odd byte padded with 0, carries added back (RFC 1071).
pub fn ones_sum(bytes: &[u8]) -> u16 {
    let mut sum = bytes
        .chunks(2)
        .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0)))
        .sum::<u64>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// The bytes whose sum is a segment's checksum: pseudo header (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1) and segment.
pub fn with_pseudo_header(parse: &Parse, segment: &[u8]) -> Vec<u8> {
    let protocol = if parse.has(TCP) { 6 } else { 17 };
    let mut bytes = vec![];
    bytes.extend(parse.src.to_be_bytes());
    bytes.extend(parse.dst.to_be_bytes());
    bytes.extend((segment.len() as u32).to_be_bytes());
    bytes.extend([0, 0, 0, protocol]);
    bytes.extend(segment);
    bytes
}

/// META's fields: PARSE after the last decision, bad, frame_len, rx_seq, ip_csum, l4_csum.
pub fn meta(parse: &Parse, frame: &[u8], bad: bool, seq: u16) -> Vec<u128> {
    let len = frame.len().min(65535);
    let end = usize::from(parse.end.unwrap_or(len as u16));
    let tags = usize::from(parse.has(VLAN0)) + usize::from(parse.has(VLAN1));
    let reject = parse.reject
        || end > len
        || parse.split_valid && end < usize::from(parse.split)
        || parse.l4_valid && end < usize::from(parse.l4_off)
        || tags > 0 && len < 12 + 4 * tags;
    let mut state = [0, 0];
    let parse = if reject {
        Parse {
            reject: true,
            ..Parse::default()
        }
    } else {
        let verdict = |sum: u16| if sum == 0xffff { 1 } else { 2 };
        let (l3, l4) = (usize::from(parse.l3_off), usize::from(parse.l4_off));
        if parse.has(V4) {
            state[0] = verdict(ones_sum(frame.get(l3..l4).unwrap_or(&[])));
        }
        if parse.has(TCP | UDP) && !parse.has(NOCSUM) {
            state[1] = verdict(ones_sum(&with_pseudo_header(parse, &frame[l4..end])));
        }
        Parse {
            end: Some(end as u16),
            ..parse.clone()
        }
    };
    let mut fields = parse.fields().to_vec();
    fields.extend([bad.into(), len as u128, seq.into(), state[0], state[1]]);
    fields
}
