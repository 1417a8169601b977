//! `--deliver`: each flow's bytes are in the file as they came in, byte for byte and in order, in packets that a stack accepts,
//! whatever the merge mode and wherever segments are cut.

use crate::support::files::records;
use crate::support::{pagetrain, row, Folder};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Register writes of a run: none, or segments cut at the edge of each page, or of each eighth.
const SPLITS: [&[&str]; 3] = [
    &[],
    &["--set", "Q_PAGE_CTRL=2", "--set", "Q_TRAIN_PAGES=1"],
    &["--set", "Q_PAGE_CTRL=2"],
];

/// One direction of a TCP connection: all payload in the order of the file, and how many packets had none.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flow {
    bytes: Vec<u8>,
    empty: usize,
}

/// What a file holds.
#[derive(Debug, Default)]
struct Content {
    flows: BTreeMap<Vec<u8>, Flow>,
    others: Vec<Vec<u8>>,
    packets: usize,
}

impl Content {
    /// Reads a pcap file. Refuses TCP segments with a wrong checksum.
    fn of(path: &Path) -> Self {
        let mut content = Content::default();
        for (_, frame) in records(&std::fs::read(path).unwrap()) {
            content.packets += 1;
            let packet = SlicedPacket::from_ethernet(&frame).unwrap();
            let Some(TransportSlice::Tcp(tcp)) = &packet.transport else {
                content.others.push(frame.clone());
                continue;
            };
            let (addresses, checksum) = match &packet.net {
                Some(NetSlice::Ipv4(ip)) => {
                    let header = ip.header();
                    assert_eq!(
                        header.header_checksum(),
                        header.to_header().calc_header_checksum()
                    );
                    let (src, dst) = (header.source(), header.destination());
                    let sum = tcp
                        .to_header()
                        .calc_checksum_ipv4_raw(src, dst, tcp.payload());
                    ([src, dst].concat(), sum.unwrap())
                }
                Some(NetSlice::Ipv6(ip)) => {
                    let header = ip.header();
                    let (src, dst) = (header.source(), header.destination());
                    let sum = tcp
                        .to_header()
                        .calc_checksum_ipv6_raw(src, dst, tcp.payload());
                    ([src, dst].concat(), sum.unwrap())
                }
                _ => panic!("TCP over {:?}", packet.net),
            };
            assert_eq!(tcp.checksum(), checksum, "packet {}", content.packets);
            let ports = [tcp.source_port(), tcp.destination_port()].map(u16::to_be_bytes);
            let key = [addresses, ports.concat()].concat();
            let flow = content.flows.entry(key).or_default();
            flow.empty += usize::from(tcp.payload().is_empty());
            flow.bytes.extend(tcp.payload());
        }
        content
    }
}

fn captures() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|f| f.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "pcap"));
    paths.sort();
    paths
}

/// Replays a capture, and holds what is delivered against it. How many packets more than frames there were.
fn check(capture: &Path, engine: &str, merge: &str, split: &[&str]) -> usize {
    let folder = Folder::new();
    let out = folder.name("d.pcap");
    let file = capture.to_str().unwrap();
    let args = [
        "replay",
        "--engine",
        engine,
        "--merge",
        merge,
        "--deliver",
        &out,
        file,
    ];
    let summary = pagetrain(&[&args, split].concat()).ok();
    let what = format!("{file}: {engine}, {merge}, {split:?}");
    assert_eq!(row(&summary, "dropped"), "none", "{what}");
    let (sent, handed) = (Content::of(capture), Content::of(Path::new(&out)));
    assert!(!sent.flows.is_empty(), "{what}");
    let keys = |content: &Content| content.flows.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&sent), keys(&handed), "{what}");
    for (key, flow) in &sent.flows {
        let other = &handed.flows[key];
        let differ = flow
            .bytes
            .iter()
            .zip(&other.bytes)
            .position(|(a, b)| a != b);
        assert_eq!(
            differ, None,
            "{what}: first byte of flow {key:?} that differs"
        );
        let facts = |flow: &Flow| (flow.bytes.len(), flow.empty);
        assert_eq!(facts(flow), facts(other), "{what}: flow {key:?}");
    }
    assert_eq!(sent.others.len(), handed.others.len(), "{what}");
    for (sent, handed) in sent.others.iter().zip(&handed.others) {
        // Without the padding behind a datagram.
        assert!(sent.starts_with(handed) && handed.len() >= 14, "{what}");
    }
    handed.packets - sent.packets
}

#[test]
fn each_flow_comes_out_as_it_came_in_when_the_model_replays_every_capture() {
    let captures = captures();
    assert!(captures.len() >= 5, "{captures:?}");
    for capture in &captures {
        for merge in ["off", "train"] {
            let more = SPLITS.map(|split| check(capture, "golden", merge, split));
            assert_eq!(more[0], 0, "{capture:?}: each frame is one packet");
            assert!(more[1] > 100, "{capture:?}, {merge}: {} cuts", more[1]);
            let eighth = if merge == "off" { 0 } else { 1 };
            assert!(more[2] >= eighth && more[2] < more[1], "{capture:?}");
        }
    }
}

#[test]
fn each_flow_comes_out_as_it_came_in_when_the_hardware_replays_a_capture() {
    for name in ["own_iperf_v4_9000_3flows", "own_iperf_v6_1500_4flows"] {
        let captures = captures();
        let capture = captures.iter().find(|c| c.file_stem().unwrap() == name);
        let more = SPLITS.map(|split| check(capture.unwrap(), "rtl", "train", split));
        assert_eq!(more[0], 0);
        assert!(more[1] > 50 && more[2] > 0, "{name}: {more:?}");
    }
}
