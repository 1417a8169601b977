//! The parser and the checksums against etherparse: on recorded frames, on each of their truncations, on flipped bits, and
//! on frames that etherparse builds.

mod support;

use std::collections::BTreeMap;

use etherparse::{
    EtherType, IpFragOffset, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv4Options,
    Ipv6Extensions, Ipv6FragmentHeader, Ipv6Header, Ipv6RawExtHeader, Ipv6RoutingExtensions,
    LinkExtSlice, NetSlice, PacketBuilder, SlicedPacket, TcpHeader, TransportSlice, VlanId,
};
use pagetrain_formats::program::{tcp, Limits};
use pagetrain_formats::{Config, Csum};
use pagetrain_golden::flow::FlowTable;
use pagetrain_golden::parser::flag;
use pagetrain_golden::plan::{Context, FlowState, Plan};
use pagetrain_golden::registers::{Registers, Settings};
use pagetrain_golden::store::Stored;
use pagetrain_golden::{Parsed, Parser};
use support::oracle::{csum, judge, Judged};
use support::{captures, for_seeds, Rng};

/// The model's parser and checksum unit with the shipped program.
struct Model {
    config: Config,
    settings: Settings,
    parser: Parser,
    table: FlowTable,
    flows: Vec<FlowState>,
}

impl Model {
    fn new() -> Self {
        let config = Config::default();
        let mut parser = Parser::new(
            config.parser_states,
            config.parser_steps,
            config.parser_window,
        );
        let rows = tcp(&Limits::of(&config)).unwrap().words();
        for (row, dwords) in rows.iter().enumerate() {
            for (dword, &value) in dwords.iter().enumerate() {
                assert!(parser.load(row, dword, value));
            }
        }
        Self {
            settings: Registers::new(&config).settings(),
            config,
            parser,
            table: FlowTable::new(4),
            flows: vec![FlowState::default(); 4],
        }
    }

    fn judge(&self, frame: &[u8]) -> (Parsed, Csum, Csum) {
        let parsed = self.parser.parse(frame);
        let Model {
            config,
            settings,
            table,
            flows,
            ..
        } = self;
        let stored = Stored {
            rx_seq: 0,
            bytes: frame.to_vec(),
            parsed,
        };
        let plan = Plan::new(
            &stored,
            &Context {
                config,
                settings,
                table,
                flows,
            },
        );
        (parsed, plan.ip_csum, plan.l4_csum)
    }

    /// Holds the model against etherparse, field by field.
    fn check(&self, frame: &[u8], what: &dyn Fn() -> String) -> Option<Judged> {
        let (parsed, ip_csum, l4_csum) = self.judge(frame);
        let Some(judged) = judge(frame) else {
            assert_eq!(parsed, Parser::rejected(frame.len()), "{}: other", what());
            assert_eq!((ip_csum, l4_csum), (Csum::None, Csum::None), "{}", what());
            return None;
        };
        let mut flags = if judged.v6 { flag::V6 } else { flag::V4 };
        flags |= match judged.protocol {
            6 => flag::TCP,
            17 => flag::UDP,
            _ => 0,
        };
        flags |= if judged.options { flag::OPT } else { 0 };
        flags |= [0, flag::VLAN0, flag::VLAN0 | flag::VLAN1][judged.tags.len()];
        // Whether the checksum is left alone shows in the verdict.
        let expected = Parsed {
            accepted: true,
            flags: flags | parsed.flags & flag::NOCSUM,
            l3_off: Some(judged.l3),
            l4_off: Some(judged.l4),
            split: judged.split,
            end: judged.end,
            vlan0: *judged.tags.first().unwrap_or(&0),
            vlan1: *judged.tags.get(1).unwrap_or(&0),
            src: judged.src,
            dst: judged.dst,
            sport: judged.sport,
            dport: judged.dport,
            seq: judged.seq,
            tcp_flags: judged.tcp_flags,
        };
        assert_eq!(parsed, expected, "{}", what());
        assert_eq!(ip_csum, csum(judged.ip_csum), "{}: IP checksum", what());
        assert_eq!(l4_csum, csum(judged.l4_csum), "{}: L4 checksum", what());
        Some(judged)
    }
}

/// Frames of one kind are cut in the same way.
type Shape = (bool, usize, usize, usize, Option<usize>, u8);

fn shape(frame: &[u8]) -> Shape {
    judge(frame).map_or((false, 0, 0, frame.len().min(64), None, 0), |j| {
        (true, j.tags.len(), j.l3, j.l4, j.split, j.protocol)
    })
}

#[test]
fn model_agrees_with_etherparse_when_given_recorded_frames() {
    let model = Model::new();
    let (mut accepted, mut all) = (0, 0);
    for (name, frames) in captures::all() {
        for (i, frame) in frames.iter().enumerate() {
            let what = || format!("{name} frame {}", i + 1);
            let judged = model.check(&frame.bytes, &what);
            all += 1;
            accepted += usize::from(judged.is_some());
            hold_against_whole_packet(&frame.bytes, judged.as_ref(), &what);
        }
    }
    println!("{accepted} of {all} frames accepted");
    assert!(
        accepted > 2000,
        "the project's own captures alone have more than 2000 of IP"
    );
}

/// etherparse's own walk through the whole packet, where it gets to the end of a TCP or UDP header.
fn hold_against_whole_packet(frame: &[u8], judged: Option<&Judged>, what: &dyn Fn() -> String) {
    let Ok(packet) = SlicedPacket::from_ethernet(frame) else {
        return;
    };
    let plain = packet
        .link_exts
        .iter()
        .all(|e| matches!(e, LinkExtSlice::Vlan(_)));
    let (offset, ports) = match &packet.transport {
        Some(TransportSlice::Tcp(t)) => (
            t.header_slice().len(),
            (t.source_port(), t.destination_port()),
        ),
        Some(TransportSlice::Udp(u)) => (8, (u.source_port(), u.destination_port())),
        _ => {
            assert_eq!(
                judged.and_then(|j| j.split),
                None,
                "{}: etherparse sees no header to split at",
                what()
            );
            return;
        }
    };
    let start = match &packet.transport {
        Some(TransportSlice::Tcp(t)) => t.slice().as_ptr() as usize,
        Some(TransportSlice::Udp(u)) => u.slice().as_ptr() as usize,
        _ => return,
    };
    let at = start - frame.as_ptr() as usize;
    let judged = match judged {
        // Behind a third tag or beyond the window is out of the program's reach.
        None if packet.link_exts.len() > 2 || !plain || at + 20 > 256 => return,
        None => panic!("{}: etherparse finds TCP or UDP at {at}", what()),
        Some(judged) => judged,
    };
    assert_eq!(
        (judged.l4, judged.split),
        (at, Some(at + offset)),
        "{}",
        what()
    );
    assert_eq!((judged.sport, judged.dport), ports, "{}", what());
    let addresses = match &packet.net {
        Some(NetSlice::Ipv4(ip)) => (
            u32::from(ip.header().source_addr()).into(),
            u32::from(ip.header().destination_addr()).into(),
        ),
        Some(NetSlice::Ipv6(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        _ => panic!("{}: TCP without IP", what()),
    };
    assert_eq!((judged.src, judged.dst), addresses, "{}", what());
    let ids: Vec<u16> = packet.vlan_ids().iter().map(|id| id.value()).collect();
    assert_eq!(
        judged
            .tags
            .iter()
            .map(|tci| tci & 0xFFF)
            .collect::<Vec<_>>(),
        ids,
        "{}",
        what()
    );
}

#[test]
fn model_agrees_with_etherparse_when_each_shape_of_frame_is_cut_anywhere() {
    let model = Model::new();
    let mut shapes: BTreeMap<Shape, (String, Vec<u8>)> = BTreeMap::new();
    for (name, frames) in captures::all() {
        for frame in frames {
            shapes
                .entry(shape(&frame.bytes))
                .or_insert_with(|| (name.clone(), frame.bytes));
        }
    }
    println!("{} shapes", shapes.len());
    assert!(shapes.len() >= 7, "the project's own captures alone have 7");
    for (shape, (name, frame)) in &shapes {
        for len in 1..frame.len().min(2000) {
            model.check(&frame[..len], &|| {
                format!("{name}, {shape:?} cut to {len} bytes")
            });
        }
    }
}

#[test]
fn model_agrees_with_etherparse_when_header_bytes_are_flipped() {
    let model = Model::new();
    let captures = captures::all();
    for_seeds(2, |seed| {
        let mut rng = Rng::new(seed);
        for (name, frames) in &captures {
            for (i, frame) in frames.iter().enumerate() {
                let mut bytes = frame.bytes.clone();
                for _ in 0..1 + rng.below(3) {
                    // Most flips where the parser decides: type, version, lengths, fragment bits, protocol.
                    let at = rng.below(bytes.len().min(100) as u64) as usize;
                    bytes[at] = if rng.once_in(2) {
                        rng.number() as u8
                    } else {
                        bytes[at] ^ 1 << rng.below(8)
                    };
                }
                let len = bytes.len();
                if rng.once_in(4) {
                    bytes.truncate(1 + rng.below(len as u64) as usize);
                }
                model.check(&bytes, &|| {
                    format!("seed {seed}: {name} frame {}: {bytes:02x?}", i + 1)
                });
            }
        }
    });
}

/// A raw extension header with a random length, mostly short.
fn extension(rng: &mut Rng) -> Ipv6RawExtHeader {
    let units = if rng.once_in(8) {
        rng.below(16)
    } else {
        rng.below(3)
    };
    let mut payload = rng.bytes(6 + 8 * units as usize);
    // Byte 3 of a routing header is "segments left", usually 0.
    if !rng.once_in(4) {
        payload[1] = 0;
    }
    Ipv6RawExtHeader::new_raw(IpNumber(59), &payload).unwrap()
}

fn ip_headers(rng: &mut Rng) -> (IpHeaders, &'static str) {
    if rng.once_in(2) {
        let mut ip = Ipv4Header::new(0, rng.number() as u8, IpNumber(0), [0; 4], [0; 4]).unwrap();
        ip.source = rng.bytes(4).try_into().unwrap();
        ip.destination = rng.bytes(4).try_into().unwrap();
        ip.identification = rng.number() as u16;
        ip.dont_fragment = rng.once_in(2);
        if rng.once_in(3) {
            let len = 4 * (1 + rng.below(10) as usize);
            ip.options = Ipv4Options::try_from(&rng.bytes(len)[..]).unwrap();
        }
        if rng.once_in(8) {
            ip.more_fragments = rng.once_in(2);
            ip.fragment_offset = IpFragOffset::try_new(rng.below(3) as u16).unwrap();
        }
        return (IpHeaders::Ipv4(ip, Ipv4Extensions::default()), "v4");
    }
    let ip = Ipv6Header {
        traffic_class: rng.number() as u8,
        source: rng.bytes(16).try_into().unwrap(),
        destination: rng.bytes(16).try_into().unwrap(),
        hop_limit: 9,
        ..Ipv6Header::default()
    };
    let mut extensions = Ipv6Extensions::default();
    if rng.once_in(3) {
        extensions.hop_by_hop_options = Some(extension(rng));
    }
    if rng.once_in(3) {
        extensions.destination_options = Some(extension(rng));
    }
    if rng.once_in(3) {
        let routing = extension(rng);
        let final_destination_options = rng.once_in(2).then(|| extension(rng));
        extensions.routing = Some(Ipv6RoutingExtensions {
            routing,
            final_destination_options,
        });
    }
    if rng.once_in(8) {
        let offset = IpFragOffset::try_new(rng.below(3) as u16).unwrap();
        extensions.fragment = Some(Ipv6FragmentHeader::new(
            IpNumber(59),
            offset,
            rng.once_in(2),
            7,
        ));
    }
    (IpHeaders::Ipv6(ip, extensions), "v6")
}

#[test]
fn model_agrees_with_etherparse_when_it_builds_the_frames() {
    let model = Model::new();
    for_seeds(3, |seed| {
        let mut rng = Rng::new(seed);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..4000 {
            let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
            let vlan = |rng: &mut Rng| VlanId::try_new(rng.below(4096) as u16).unwrap();
            let (ip, kind) = ip_headers(&mut rng);
            let tags = rng.below(3);
            let ip = match tags {
                0 => link.ip(ip),
                1 => link.single_vlan(vlan(&mut rng)).ip(ip),
                _ => link.double_vlan(vlan(&mut rng), vlan(&mut rng)).ip(ip),
            };
            let len = rng.pick(&[0, 1, 2, 100, 1459, 1460, 8000]);
            let payload = rng.bytes(len);
            let (sport, dport) = (rng.number() as u16, rng.number() as u16);
            let mut frame = Vec::new();
            let transport = if rng.once_in(3) {
                ip.udp(sport, dport).write(&mut frame, &payload).unwrap();
                "udp"
            } else {
                let mut header =
                    TcpHeader::new(sport, dport, rng.number() as u32, rng.number() as u16);
                (header.ack, header.psh, header.fin, header.ece) =
                    (true, rng.once_in(2), rng.once_in(9), rng.once_in(9));
                let options = 4 * rng.below(11) as usize;
                header.set_options_raw(&vec![1; options]).unwrap();
                ip.tcp_header(header).write(&mut frame, &payload).unwrap();
                "tcp"
            };
            let packet_len = frame.len();
            let padding = rng.pick(&[0, 0, 1, 6, 46]);
            frame.extend(rng.bytes(padding));
            let what = || {
                format!("seed {seed}: {tags} tags, {kind}, {transport}, {len} bytes: {frame:02x?}")
            };
            let judged = model.check(&frame, &what);
            let whole = judged.as_ref().filter(|j| j.split.is_some());
            if let Some(judged) = whole {
                assert_eq!(
                    (judged.end, judged.tags.len() as u64),
                    (packet_len, tags),
                    "{}",
                    what()
                );
                assert_eq!((judged.sport, judged.dport), (sport, dport), "{}", what());
                assert_eq!(judged.end - judged.split.unwrap(), len, "{}", what());
                assert_ne!(judged.l4_csum, Some(false), "{}", what());
                assert_ne!(judged.ip_csum, Some(false), "{}", what());
                // One wrong bit of what the sum covers.
                if judged.l4_csum == Some(true) {
                    let covered = judged.l4 + rng.below((judged.end - judged.l4) as u64) as usize;
                    let mut broken = frame.clone();
                    broken[covered] ^= 1 << rng.below(8);
                    model.check(&broken, &what);
                }
            }
            let class = match &judged {
                None => "rejected",
                Some(j) if j.split.is_none() => "no split",
                Some(j) if j.l4_csum.is_none() => "not checked",
                Some(j) if j.options => "options",
                Some(_) => "plain",
            };
            *seen
                .entry(format!("{kind} {transport} {class}"))
                .or_default() += 1;
        }
        println!("{seen:?}");
        for class in [
            "v4 tcp plain",
            "v4 tcp options",
            "v4 udp no split",
            "v6 tcp options",
            "v6 tcp not checked",
            "v6 udp plain",
        ] {
            assert!(
                seen.get(class).is_some_and(|&n| n > 20),
                "seed {seed}: too few of {class}: {seen:?}"
            );
        }
    });
}

#[test]
fn third_tag_and_unknown_types_are_other_when_parsed() {
    let model = Model::new();
    for ether_type in [0x0806u16, 0x8847, 0x88CC, 0x86DE, 0x0000] {
        let mut frame = support::frames::segment(0, 100).build();
        frame[12..14].copy_from_slice(&EtherType(ether_type).0.to_be_bytes());
        assert_eq!(model.check(&frame, &|| format!("{ether_type:#x}")), None);
    }
    let tags = vec![(0x8100, 1), (0x88A8, 2), (0x8100, 3)];
    let frame = support::frames::Segment {
        tags,
        ..support::frames::segment(0, 100)
    }
    .build();
    assert_eq!(model.check(&frame, &|| "three tags".into()), None);
}
