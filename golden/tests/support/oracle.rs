//! What etherparse says of a frame, in the terms of the shipped program: which headers it walks (two VLAN tags, IPv4, IPv6
//! with hop-by-hop, destination options and routing headers, TCP, UDP), every field and length read by etherparse.

use etherparse::checksum::Sum16BitWords;
use etherparse::{
    ether_type, ip_number, EtherType, Ethernet2HeaderSlice, IpNumber, Ipv4HeaderSlice,
    Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, SingleVlanHeaderSlice, TcpHeaderSlice, UdpHeaderSlice,
};
use pagetrain_formats::Csum;

/// Bytes that the parser sees.
const WINDOW: usize = 256;

/// A frame that the program accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    pub tags: Vec<u16>,
    pub v6: bool,
    pub l3: usize,
    pub l4: usize,
    pub split: Option<usize>,
    pub end: usize,
    /// 6, 17, or 0 for anything without a split.
    pub protocol: u8,
    pub src: u128,
    pub dst: u128,
    pub sport: u16,
    pub dport: u16,
    pub seq: u32,
    /// FIN SYN RST PSH ACK URG ECE CWR, bit 0 first.
    pub tcp_flags: u8,
    pub options: bool,
    pub ip_csum: Option<bool>,
    pub l4_csum: Option<bool>,
}

pub fn csum(verdict: Option<bool>) -> Csum {
    match verdict {
        None => Csum::None,
        Some(true) => Csum::Good,
        Some(false) => Csum::Bad,
    }
}

/// None: the frame is *other*.
pub fn judge(frame: &[u8]) -> Option<Judged> {
    let seen = frame.len().min(WINDOW);
    let mut judged = Judged {
        end: frame.len(),
        ..Judged::default()
    };
    let mut ether = Ethernet2HeaderSlice::from_slice(frame).ok()?.ether_type();
    let mut at = 14;
    let is_tag =
        |e: EtherType| e == ether_type::VLAN_TAGGED_FRAME || e == ether_type::PROVIDER_BRIDGING;
    while is_tag(ether) && judged.tags.len() < 2 && at + 4 <= seen {
        let tag = SingleVlanHeaderSlice::from_slice(&frame[at..]).ok()?;
        let dei = u16::from(tag.drop_eligible_indicator());
        let tci = u16::from(tag.priority_code_point().value()) << 13
            | dei << 12
            | tag.vlan_identifier().value();
        judged.tags.push(tci);
        ether = tag.ether_type();
        at += 4;
    }
    judged.l3 = at;
    match ether {
        ether_type::IPV4 => ipv4(frame, seen, at, &mut judged)?,
        ether_type::IPV6 => ipv6(frame, seen, at, &mut judged)?,
        _ => return None,
    }
    let inside = judged.end <= frame.len() && judged.l4 <= judged.end;
    if !inside || judged.split.is_some_and(|split| split > judged.end) {
        return None;
    }
    judged.check_l4(frame);
    Some(judged)
}

fn ipv4(frame: &[u8], seen: usize, at: usize, judged: &mut Judged) -> Option<()> {
    (at + 20 <= seen).then_some(())?;
    let ip = Ipv4HeaderSlice::from_slice(&frame[at..]).ok()?;
    judged.l4 = at + ip.slice().len();
    judged.end = at + usize::from(ip.total_len());
    judged.src = u32::from_be_bytes(ip.source()).into();
    judged.dst = u32::from_be_bytes(ip.destination()).into();
    judged.options = !ip.options().is_empty();
    judged.ip_csum = Some(Sum16BitWords::new().add_slice(ip.slice()).ones_complement() == 0);
    if ip.is_fragmenting_payload() {
        return Some(());
    }
    transport(frame, seen, ip.protocol(), judged.l4, judged)
}

fn ipv6(frame: &[u8], seen: usize, at: usize, judged: &mut Judged) -> Option<()> {
    (at + 40 <= seen).then_some(())?;
    let ip = Ipv6HeaderSlice::from_slice(&frame[at..]).ok()?;
    judged.v6 = true;
    judged.end = at + 40 + usize::from(ip.payload_length());
    judged.src = u128::from_be_bytes(ip.source());
    judged.dst = u128::from_be_bytes(ip.destination());
    let mut next = ip.next_header();
    let mut no_csum = false;
    judged.l4 = at + 40;
    let mut extensions = 0;
    let mut hop_by_hop = next == ip_number::IPV6_HEADER_HOP_BY_HOP;
    while hop_by_hop
        || extensions < 3
            && [
                ip_number::IPV6_DESTINATION_OPTIONS,
                ip_number::IPV6_ROUTE_HEADER,
            ]
            .contains(&next)
    {
        (judged.l4 + 8 <= seen).then_some(())?;
        // A header that leaves the frame makes `end` lie before what follows it: refused in any case.
        let extension = Ipv6RawExtHeaderSlice::from_slice(&frame[judged.l4..]).ok()?;
        judged.l4 += extension.slice().len();
        (judged.l4 <= 511).then_some(())?;
        judged.options = true;
        no_csum |= next == ip_number::IPV6_ROUTE_HEADER && extension.slice()[3] != 0;
        extensions += u32::from(!hop_by_hop);
        next = extension.next_header();
        hop_by_hop = false;
    }
    transport(frame, seen, next, judged.l4, judged)?;
    if no_csum {
        judged.l4_csum = None;
    }
    Some(())
}

fn transport(
    frame: &[u8],
    seen: usize,
    next: IpNumber,
    at: usize,
    judged: &mut Judged,
) -> Option<()> {
    match next {
        ip_number::TCP => {
            (at + 20 <= seen).then_some(())?;
            let tcp = TcpHeaderSlice::from_slice(&frame[at..]).ok()?;
            let bits = [
                tcp.fin(),
                tcp.syn(),
                tcp.rst(),
                tcp.psh(),
                tcp.ack(),
                tcp.urg(),
                tcp.ece(),
                tcp.cwr(),
            ];
            judged.tcp_flags = (0..8).map(|i| u8::from(bits[i]) << i).sum();
            judged.split = Some(at + tcp.slice().len());
            judged.sport = tcp.source_port();
            judged.dport = tcp.destination_port();
            judged.seq = tcp.sequence_number();
            judged.l4_csum = Some(false);
        }
        ip_number::UDP => {
            (at + 8 <= seen).then_some(())?;
            let udp = UdpHeaderSlice::from_slice(&frame[at..]).ok()?;
            let end = at + usize::from(udp.length());
            (end <= judged.end).then_some(())?;
            judged.end = end;
            judged.split = Some(at + 8);
            judged.sport = udp.source_port();
            judged.dport = udp.destination_port();
            judged.l4_csum = (udp.checksum() != 0).then_some(false);
        }
        _ => return Some(()),
    }
    judged.protocol = next.0;
    Some(())
}

impl Judged {
    /// The checksum verdict, once it is known where the packet ends.
    fn check_l4(&mut self, frame: &[u8]) {
        if self.l4_csum.is_some() {
            let segment = &frame[self.l4..self.end];
            let sum = Sum16BitWords::new()
                .add_16bytes(self.src.to_be_bytes())
                .add_16bytes(self.dst.to_be_bytes())
                .add_2bytes([0, self.protocol])
                .add_4bytes((segment.len() as u32).to_be_bytes())
                .add_slice(segment);
            self.l4_csum = Some(sum.ones_complement() == 0);
        }
    }
}
