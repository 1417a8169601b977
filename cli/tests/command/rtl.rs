//! `replay` and `diff` through the simulated hardware. They need the tools of `ci/setup`.

use crate::support::files::{pcap, records, Frames};
use crate::support::{pagetrain, row, Folder, CAPTURE};
use serde_json::Value;

/// The first packets of the project's capture, in a file.
fn beginning(folder: &Folder, packets: usize) -> String {
    let frames: Frames = records(&std::fs::read(CAPTURE).unwrap());
    let frames = frames.into_iter().take(packets).collect();
    folder.file("c.pcap", pcap(&frames, false, false, 1))
}

/// A file of JSON lines without what depends on when the host looks: clocks, and which buffer is used again first.
fn trains(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        value.as_object_mut().unwrap().remove("clock");
        for page in value["pages"].as_array_mut().unwrap() {
            page.as_object_mut().unwrap().remove("cookie");
        }
        value
    };
    text.lines().map(line).collect()
}

#[test]
fn hardware_delivers_what_the_model_delivers() {
    let folder = Folder::new();
    let capture = beginning(&folder, 150);
    let run = |engine: &str| {
        let (json, out) = (
            folder.name(&format!("{engine}.jsonl")),
            folder.name(&format!("{engine}.pcap")),
        );
        // Without timers the order of events is that of the frames.
        let args = [
            "--set",
            "Q_DEFER_TICKS=0",
            "--json",
            &json,
            "--deliver",
            &out,
        ];
        let said = pagetrain(&[&["replay", &capture, "--engine", engine][..], &args].concat()).ok();
        let packets: Vec<_> = records(&std::fs::read(out).unwrap())
            .into_iter()
            .map(|f| f.1)
            .collect();
        let lines: Vec<String> = said
            .lines()
            .filter(|l| !l.starts_with("clocks"))
            .map(str::to_string)
            .collect();
        (lines, trains(&json), packets)
    };
    let (rtl, golden) = (run("rtl"), run("golden"));
    assert_eq!(rtl.0, golden.0);
    assert_eq!(rtl.1, golden.1);
    assert_eq!(rtl.2, golden.2);
    assert_eq!(rtl.2.len(), 150);
}

#[test]
fn diff_prints_nothing_but_a_summary_when_hardware_and_model_agree() {
    let folder = Folder::new();
    let capture = beginning(&folder, 60);
    for more in [
        &["--merge", "off"][..],
        &["--poll", "5", "--pace", "gap:9"],
        &["--stall", "light", "--seed", "3"],
    ] {
        let said = pagetrain(&[&["diff", &capture][..], more].concat()).ok();
        assert_eq!(
            row(&said, "frames").split(',').next(),
            Some("60"),
            "{more:?}"
        );
        assert_eq!(said.lines().count(), 9, "{said}");
    }
}

#[test]
fn clocks_are_those_of_the_link_when_frames_come_back_to_back() {
    let folder = Folder::new();
    let capture = beginning(&folder, 60);
    let said = pagetrain(&["replay", &capture]).ok();
    let bytes: u64 = row(&said, "frames")
        .split(", ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let clocks: u64 = row(&said, "clocks")
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let link = (bytes + 24 * 60) / 8;
    assert!(link <= clocks && clocks < link + 2000, "{clocks} of {link}");
}

#[test]
fn missing_tool_is_named_in_one_line() {
    let folder = Folder::new();
    let capture = beginning(&folder, 2);
    let mut command = assert_cmd::Command::cargo_bin("pagetrain").unwrap();
    let missing = folder.name("no-venv");
    let ran = command
        .args(["diff", &capture])
        .env("PAGETRAIN_VENV", &missing)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(
        said.starts_with(&format!("pagetrain: no Verilator in {missing}: run ")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn bad_capture_is_refused_before_anything_is_built_or_written() {
    let folder = Folder::new();
    let capture = folder.file("c.pcap", "no capture at all, only a text of some length");
    let json = folder.name("t.jsonl");
    let line = pagetrain(&["replay", &capture, "--json", &json]).refusal();
    assert_eq!(line, format!("{capture}: neither pcap nor pcapng"));
    assert!(!folder.path("t.jsonl").exists());
}
