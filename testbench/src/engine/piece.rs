//! A piece of a segment as the contract has it (page split), made from the frame alone.

use pagetrain_formats::{Pkt, L3};
use std::ops::Range;

/// Header and payload `range` of a packet of which `split` bytes are header: lengths, sequence number and checksums are
/// the piece's own.
pub(super) fn piece(pkt: &Pkt, packet: &[u8], split: usize, range: Range<usize>) -> Vec<u8> {
    let (l3, l4) = (usize::from(pkt.l3_off), usize::from(pkt.l4_off));
    let mut bytes = packet[..split].to_vec();
    bytes.extend(&packet[split + range.start..split + range.end]);
    let be16 = |bytes: &[u8], at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let tcp = bytes.len() - l4;
    let addresses = match pkt.l3 {
        L3::V4 => {
            let (old, new) = (packet.len() - l3, bytes.len() - l3);
            // RFC 1624: the sum is brought up to date, so that one that was wrong stays wrong.
            let sum = !be16(&bytes, l3 + 10);
            let sum = fold(u32::from(sum) + u32::from(!(old as u16)) + new as u32);
            bytes[l3 + 2..l3 + 4].copy_from_slice(&(new as u16).to_be_bytes());
            bytes[l3 + 10..l3 + 12].copy_from_slice(&(!sum).to_be_bytes());
            l3 + 12..l3 + 20
        }
        _ => {
            let new = (bytes.len() - l3 - 40) as u16;
            bytes[l3 + 4..l3 + 6].copy_from_slice(&new.to_be_bytes());
            l3 + 8..l3 + 40
        }
    };
    let four = [0, 1, 2, 3].map(|i| bytes[l4 + 4 + i]);
    let seq = u32::from_be_bytes(four).wrapping_add(range.start as u32);
    bytes[l4 + 4..l4 + 8].copy_from_slice(&seq.to_be_bytes());
    bytes[l4 + 16..l4 + 18].fill(0);
    let sum = sum(&bytes[addresses]) + 6 + tcp as u32 + sum(&bytes[l4..]);
    bytes[l4 + 16..l4 + 18].copy_from_slice(&(!fold(sum)).to_be_bytes());
    bytes
}

fn sum(bytes: &[u8]) -> u32 {
    let pairs = bytes.chunks(2);
    pairs
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum as u16
}
