//! Page split: which segments a page's edge may cut, and the header of each piece (design section 3).

use std::ops::Range;

use crate::checksum::Sum;
use crate::parser::{flag, Parsed};

/// Payload from which on a segment is never cut: its small buffers would be too many.
const UNCUT_FROM: usize = 14336;
/// Least header of TCP (RFC 9293 section 3.1), IPv4 (RFC 791 section 3.1) and IPv6 (RFC 8200 section 3), in bytes.
const TCP_HEADER: usize = 20;
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
const PROTOCOL_TCP: u32 = 6;

/// Where the headers lie whose fields a piece has of its own, in bytes from the frame's start, tags included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Headers {
    v4: bool,
    l3: usize,
    l4: usize,
    split: usize,
}

impl Headers {
    /// None where the header has no room for the fields.
    fn of(parsed: &Parsed) -> Option<Self> {
        let (v4, v6) = (parsed.has(flag::V4), parsed.has(flag::V6));
        let (l3, l4, split) = (parsed.l3_off?, parsed.l4_off?, parsed.split?);
        let l3_len = if v4 { V4_HEADER } else { V6_HEADER };
        let fits = (v4 || v6) && l3 > 0 && l4 >= l3 + l3_len && split >= l4 + TCP_HEADER;
        fits.then_some(Self { v4, l3, l4, split })
    }
}

/// Whether a page's edge may cut the segment of a watched flow, which is fit to join a train.
pub fn is_splittable(parsed: &Parsed, payload: usize) -> bool {
    payload < UNCUT_FROM && Headers::of(parsed).is_some()
}

/// Small buffers that must be posted for each one of the header: as many as there could be pieces, pages having at least
/// 1024 bytes of room.
pub fn most_pieces(payload: usize) -> usize {
    2 + (payload >> 10)
}

/// Turns `header`, a copy of the frame up to its split point, into that of the piece with the payload bytes `part`.
///
/// A frame that is not splittable is left as it is.
pub fn rewrite(header: &mut [u8], frame: &[u8], parsed: &Parsed, part: Range<usize>) {
    let Some(Headers { v4, l3, l4, split }) = Headers::of(parsed) else {
        return;
    };
    let mut put = |at: usize, value: &[u8]| header[at..at + value.len()].copy_from_slice(value);
    let old_len = (parsed.end - l3) as u16;
    let len = (split - l3 + part.len()) as u16;
    if v4 {
        put(l3 + 2, &len.to_be_bytes());
        let old = u16::from_be_bytes([frame[l3 + 10], frame[l3 + 11]]);
        let sum = [!old, !old_len, len].map(u32::from);
        let sum = sum.into_iter().fold(Sum::new(), Sum::number);
        put(l3 + 10, &sum.checksum().to_be_bytes());
    } else {
        put(l3 + 4, &(len - V6_HEADER as u16).to_be_bytes());
    }
    let seq = parsed.seq.wrapping_add(part.start as u32);
    put(l4 + 4, &seq.to_be_bytes());
    put(l4 + 16, &[0, 0]);

    let addresses = if v4 {
        l3 + 12..l3 + 20
    } else {
        l3 + 8..l3 + 40
    };
    // The header may be of odd length: the sum runs over it and the payload as one.
    let mut segment = header[l4..].to_vec();
    segment.extend_from_slice(&frame[split + part.start..split + part.end]);
    let sum = Sum::new()
        .bytes(&frame[addresses])
        .number(PROTOCOL_TCP)
        .number(segment.len() as u32)
        .bytes(&segment);
    header[l4 + 16..l4 + 18].copy_from_slice(&sum.checksum().to_be_bytes());
}
