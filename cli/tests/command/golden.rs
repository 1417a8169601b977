//! `replay --engine golden`: what is printed and written.

use crate::support::files::{pcap, pcapng, records};
use crate::support::{fed, pagetrain, row, Folder, CAPTURE};
use serde_json::Value;
use std::collections::HashMap;

fn golden(more: &[&str]) -> String {
    pagetrain(&[&["replay", "--engine", "golden"], more].concat()).ok()
}

fn lines(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn number(line: &Value, field: &str) -> u64 {
    line[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field}: {line}"))
}

#[test]
fn summary_adds_up() {
    let summary = golden(&[CAPTURE]);
    assert_eq!(row(&summary, "frames"), "600, 642482 bytes");
    assert_eq!(row(&summary, "dropped"), "none");
    assert_eq!(row(&summary, "bad checksums"), "0 IPv4, 0 TCP and UDP");
    let other: u64 = row(&summary, "other packets").parse().unwrap();
    let closed = row(&summary, "closed by").split(", ");
    let closed: u64 = closed
        .map(|c| c.split(' ').nth(1).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(other + closed, 600);
}

#[test]
fn trains_are_one_line_each_and_hold_every_frame_once() {
    let folder = Folder::new();
    let json = folder.name("t.jsonl");
    let summary = golden(&[CAPTURE, "--json", &json]);
    let lines = lines(&json);
    assert_eq!(lines.iter().map(|l| number(l, "packets")).sum::<u64>(), 600);
    let mut mapped = 0;
    for line in &lines {
        let fields: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), 14, "{fields:?}");
        let (first, last) = (number(line, "first_frame"), number(line, "last_frame"));
        assert!(1 <= first && first <= last && last <= 600, "{line}");
        assert!(last - first + 1 >= number(line, "packets"), "{line}");
        let pages = line["pages"].as_array().unwrap();
        let paged: u64 = pages.iter().map(|p| number(p, "length")).sum();
        assert_eq!(paged, number(line, "payload"), "{line}");
        assert!(pages
            .iter()
            .all(|p| number(p, "offset") + number(p, "length") <= 4096));
        mapped += pages.iter().filter(|p| number(p, "length") == 4096).count();
    }
    let whole = format!("{mapped} whole pages of one train");
    assert!(
        row(&summary, "mappable").ends_with(&whole),
        "{whole}\n{summary}"
    );
    let long = lines.iter().find(|l| number(l, "packets") == 32).unwrap();
    assert_eq!(
        (&long["reason"], &long["dst"], number(long, "dport")),
        (&"max_aggr".into(), &"10.9.0.2".into(), 5201)
    );
}

#[test]
fn delivered_packets_are_those_of_the_capture_in_order_of_each_flow() {
    let folder = Folder::new();
    let out = folder.name("d.pcap");
    golden(&[CAPTURE, "--deliver", &out]);
    let flows = |pcap: &[u8]| {
        let mut flows: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
        for (_, bytes) in records(pcap) {
            // Behind Ethernet: addresses and ports of IPv4 without options. Payload ends where IP says so.
            let end = 14 + usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
            assert_eq!(bytes[14], 0x45);
            flows
                .entry(bytes[26..38].to_vec())
                .or_default()
                .push(bytes[..end].to_vec());
        }
        flows
    };
    let (sent, handed) = (
        flows(&std::fs::read(CAPTURE).unwrap()),
        flows(&std::fs::read(out).unwrap()),
    );
    assert_eq!(sent, handed);
}

#[test]
fn trains_are_whole_pages_when_segments_are_cut_at_their_edges() {
    let folder = Folder::new();
    let json = folder.name("t.jsonl");
    let split = ["--set", "Q_PAGE_CTRL=2", "--set", "Q_TRAIN_PAGES=1"];
    let summary = golden(&[&[CAPTURE, "--json", &json], &split[..]].concat());
    let mapped = |summary: &str| {
        let share = row(summary, "mappable").split(' ').next().unwrap();
        share.parse::<f64>().unwrap()
    };
    let (uncut, cut) = (mapped(&golden(&[CAPTURE])), mapped(&summary));
    assert!(uncut < 94.0 && cut > 99.0, "{uncut} %, {cut} %");
    let filled = row(&summary, "pages filled");
    let (pages, cuts) = filled.split_once(", ").unwrap();
    let cuts = cuts.strip_suffix(" segments cut at their edges").unwrap();
    let cuts: u64 = cuts.parse().unwrap();
    let lines = lines(&json);
    let packets: u64 = lines.iter().map(|l| number(l, "packets")).sum();
    assert_eq!(packets, 600 + cuts, "each cut makes one packet more");
    let ended: Vec<_> = lines.iter().filter(|l| l["reason"] == "page").collect();
    assert_eq!(ended.len(), pages.parse::<usize>().unwrap());
    for line in ended {
        let pages = line["pages"].as_array().unwrap();
        assert_eq!(pages.len(), 1, "{line}");
        assert_eq!(
            (number(&pages[0], "offset"), number(&pages[0], "length")),
            (0, 4096)
        );
    }
}

#[test]
fn merge_off_makes_every_packet_its_own_train() {
    let folder = Folder::new();
    let json = folder.name("t.jsonl");
    golden(&[CAPTURE, "--merge", "off", "--json", &json]);
    let lines = lines(&json);
    assert_eq!(lines.len(), 600);
    assert!(lines
        .iter()
        .all(|l| number(l, "packets") == 1 && number(l, "first_frame") == number(l, "last_frame")));
}

#[test]
fn poll_flushes_after_every_so_many_frames() {
    let summary = golden(&[CAPTURE, "--poll", "1"]);
    assert!(row(&summary, "closed by").starts_with("POLL "), "{summary}");
    assert!(
        row(&summary, "trains").ends_with("1.00 packets a train"),
        "{summary}"
    );
}

#[test]
fn registers_and_flows_are_set_when_asked_for() {
    let summary = golden(&[
        CAPTURE,
        "--set",
        "q_max_aggr=2",
        "--set",
        "Q_ADMIT_MIN=0x400",
    ]);
    let closed = row(&summary, "closed by");
    assert!(
        closed.contains("MAX_AGGR") && !closed.contains("MAX_BYTES"),
        "{summary}"
    );
    let few = golden(&[CAPTURE, "--flows", "4"]);
    assert_eq!(row(&few, "frames"), "600, 642482 bytes");
}

#[test]
fn setting_is_refused_with_its_rule() {
    let refused = |set: &str| {
        let line = pagetrain(&["replay", "--engine", "golden", CAPTURE, "--set", set]).refusal();
        line.strip_prefix(&format!("--set {set}: "))
            .unwrap()
            .to_string()
    };
    assert_eq!(refused("Q_MAX_AGGR"), "must be REGISTER=VALUE");
    assert_eq!(
        refused("Q_MAX=1"),
        "no register Q_MAX; `pagetrain regs` lists them"
    );
    assert_eq!(refused("Q_MAX_AGGR=65"), "Q_MAX_AGGR = 65: must be 1 to 64");
    assert_eq!(
        refused("Q_MAX_AGGR=x"),
        "x: must be a number of 32 bits, decimal or 0x hexadecimal"
    );
    assert_eq!(
        refused("MAX_FRAME=4294967296"),
        "4294967296: must be a number of 32 bits, decimal or 0x hexadecimal"
    );
    assert_eq!(refused("ID=1"), "ID is read-only");
    assert_eq!(refused("SB_TAIL=1"), "SB_TAIL belongs to the replay's host");
    let line = pagetrain(&["replay", "--engine", "golden", CAPTURE, "--flows", "3"]).refusal();
    assert_eq!(line, "--flows: flows = 3: must be 4 to 64");
    for option in [["--stall", "heavy"], ["--seed", "3"], ["--waves", "x.fst"]] {
        let line = pagetrain(&[
            "replay", "--engine", "golden", CAPTURE, option[0], option[1],
        ])
        .refusal();
        assert!(
            line.starts_with(&format!("{}: needs --engine rtl", option[0])),
            "{line}"
        );
    }
}

#[test]
fn capture_is_read_the_same_from_every_format_and_from_standard_input() {
    let folder = Folder::new();
    let original = std::fs::read(CAPTURE).unwrap();
    let frames = records(&original);
    let expected = golden(&[CAPTURE, "--pace", "capture"]);
    let summary = |bytes: &[u8]| {
        let file = folder.file("c", bytes);
        golden(&[&file, "--pace", "capture"])
    };
    for big in [false, true] {
        for nano in [false, true] {
            assert_eq!(
                summary(&pcap(&frames, big, nano, 1)),
                expected,
                "pcap {big} {nano}"
            );
        }
        assert_eq!(summary(&pcapng(&frames, big, 1)), expected, "pcapng {big}");
    }
    let args = ["replay", "--engine", "golden", "-", "--pace", "capture"];
    assert_eq!(fed(&args, &original).ok(), expected);
    assert_eq!(fed(&args, &pcapng(&frames, false, 1)).ok(), expected);
}

#[test]
fn stamps_of_the_capture_set_the_pace() {
    let clocks = |more: &[&str]| {
        let summary = golden(&[&[CAPTURE], more].concat());
        let clocks = row(&summary, "clocks").split(',').next().unwrap();
        clocks.parse::<u64>().unwrap()
    };
    let line = clocks(&[]);
    assert!(clocks(&["--pace", "capture"]) > line);
    assert!(clocks(&["--pace", "gap:1000"]) > 599 * 1000 + 642_482 / 8);
}

#[test]
fn every_file_that_ends_early_gives_the_packets_so_far_or_one_line() {
    let folder = Folder::new();
    let frames: Vec<_> = records(&std::fs::read(CAPTURE).unwrap())
        .into_iter()
        .take(4)
        .collect();
    for whole in [
        pcap(&frames, false, false, 1),
        pcapng(&frames, false, 1),
        pcapng(&frames, true, 1),
    ] {
        for length in 0..whole.len() {
            let file = folder.file("cut", &whole[..length]);
            let ran = pagetrain(&["replay", "--engine", "golden", &file]);
            assert!(ran.err.lines().count() <= 1, "{length}: {}", ran.err);
            let complaint = ran.err.trim_end().strip_prefix("pagetrain: ").unwrap_or("");
            match ran.code {
                0 if complaint.is_empty() => {}
                0 => assert!(
                    complaint.starts_with(&format!("warning: {file}: ends within packet ")),
                    "{complaint}"
                ),
                2 => assert!(complaint.starts_with(&format!("{file}: ")), "{complaint}"),
                code => panic!("{length}: exit code {code}: {}", ran.err),
            }
        }
    }
}

#[test]
fn packets_before_the_cut_are_replayed_with_a_warning() {
    let folder = Folder::new();
    let bytes = std::fs::read(CAPTURE).unwrap();
    let file = folder.file("cut.pcap", &bytes[..bytes.len() - 1]);
    let ran = pagetrain(&["replay", "--engine", "golden", &file]);
    assert_eq!(ran.code, 0);
    let warning = "ends within packet 600; the 599 packets before it are taken";
    assert_eq!(ran.err, format!("pagetrain: warning: {file}: {warning}\n"));
    assert!(row(&ran.out, "frames").starts_with("599, "));
}

#[test]
fn file_is_refused_when_it_is_no_capture_of_ethernet() {
    let folder = Folder::new();
    let refused = |bytes: &[u8]| {
        let file = folder.file("c", bytes);
        let line = pagetrain(&["replay", "--engine", "golden", &file]).refusal();
        line.strip_prefix(&format!("{file}: ")).unwrap().to_string()
    };
    let frames = records(&std::fs::read(CAPTURE).unwrap());
    assert_eq!(refused(b""), "is empty");
    assert_eq!(
        refused(b"neither of the two formats, but long enough"),
        "neither pcap nor pcapng"
    );
    assert_eq!(
        refused(&pcap(&frames, false, false, 1)[..20]),
        "ends within its header"
    );
    assert_eq!(
        refused(&pcap(&frames, false, false, 113)),
        "packet 1: link type 113: must be 1 (Ethernet)"
    );
    assert_eq!(
        refused(&pcapng(&frames, false, 101)),
        "packet 1: link type 101: must be 1 (Ethernet)"
    );
    let line = pagetrain(&["replay", "--engine", "golden", &folder.name("none")]).refusal();
    assert!(line.starts_with(&folder.name("none")), "{line}");
    let line = pagetrain(&["replay", "--engine", "golden", &folder.name("")]).refusal();
    assert!(!line.is_empty());
}

#[test]
fn nothing_panics_when_a_capture_is_damaged() {
    let folder = Folder::new();
    let frames: Vec<_> = records(&std::fs::read(CAPTURE).unwrap())
        .into_iter()
        .take(3)
        .collect();
    for whole in [pcap(&frames, false, false, 1), pcapng(&frames, false, 1)] {
        for at in (0..whole.len()).step_by(5) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let file = folder.file("bad", &bytes);
            let ran = pagetrain(&["replay", "--engine", "golden", &file]);
            assert!(
                matches!(ran.code, 0 | 2),
                "byte {at}: exit code {}: {}",
                ran.code,
                ran.err
            );
        }
    }
}

#[test]
fn output_file_is_named_when_it_cannot_be_written() {
    let folder = Folder::new();
    for option in ["--json", "--deliver"] {
        let target = folder.name("none/x");
        let line = pagetrain(&["replay", "--engine", "golden", CAPTURE, option, &target]).refusal();
        assert!(line.starts_with(&target), "{line}");
    }
}

#[test]
fn no_frame_is_no_error() {
    let folder = Folder::new();
    let file = folder.file("empty.pcap", pcap(&Vec::new(), false, false, 1));
    let summary = golden(&[&file]);
    assert_eq!(row(&summary, "frames"), "0, 0 bytes");
}
