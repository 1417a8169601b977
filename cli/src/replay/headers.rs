//! What identifies a flow in a delivered frame, for people: addresses and ports.

use pagetrain_formats::{Pkt, L3, L4};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses and ports of a frame, as far as the engine knew where they lie.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// Source and destination address.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// Source and destination port.
    pub ports: Option<(u16, u16)>,
}

impl Endpoints {
    /// Those of `frame`, delivered with entry `pkt`.
    pub fn of(pkt: &Pkt, frame: &[u8]) -> Self {
        let l3 = usize::from(pkt.l3_off);
        let addresses = match pkt.l3 {
            L3::None => None,
            L3::V4 => v4(frame, l3 + 12).zip(v4(frame, l3 + 16)),
            L3::V6 => v6(frame, l3 + 8).zip(v6(frame, l3 + 24)),
        };
        let l4 = usize::from(pkt.l4_off);
        let ports = match pkt.l4 {
            L4::None => None,
            L4::Tcp | L4::Udp => port(frame, l4).zip(port(frame, l4 + 2)),
        };
        Endpoints { addresses, ports }
    }
}

fn array<const N: usize>(frame: &[u8], at: usize) -> Option<[u8; N]> {
    frame.get(at..at + N)?.try_into().ok()
}

fn v4(frame: &[u8], at: usize) -> Option<IpAddr> {
    array::<4>(frame, at).map(|bytes| Ipv4Addr::from(bytes).into())
}

fn v6(frame: &[u8], at: usize) -> Option<IpAddr> {
    array::<16>(frame, at).map(|bytes| Ipv6Addr::from(bytes).into())
}

fn port(frame: &[u8], at: usize) -> Option<u16> {
    array(frame, at).map(u16::from_be_bytes)
}
