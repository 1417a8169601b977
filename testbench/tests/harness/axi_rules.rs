//! The AXI4 monitor: every rule broken once, and the same traffic unbroken.

use crate::axi_manager::design;
use crate::designs::sim;
use pagetrain_testbench::axi::AxiMonitor;
use pagetrain_testbench::sim::SimConfig;

/// Ports that a clock sets; all others are 0, but size 3 and burst INCR.
type Clock<'a> = &'a [(&'a str, u64)];

/// Rules broken by the script, each with the number of its clock, and whether the monitor is idle at the end.
fn rules_of(script: &[Clock<'_>]) -> (Vec<(u64, &'static str)>, bool) {
    let config = SimConfig {
        collect_violations: true,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&design(), config);
    let monitor = AxiMonitor::attach(&sim, "m_axi").unwrap();
    let names: Vec<String> = sim
        .ports()
        .iter()
        .filter(|port| port.direction == pagetrain_testbench::verilator::Direction::Input)
        .filter(|port| port.name.contains("m_axi_"))
        .map(|port| port.name.clone())
        .collect();
    let idle = sim
        .run(async |sim| {
            for clock in script {
                for name in &names {
                    let short = name.trim_start_matches("set_").trim_start_matches("m_axi_");
                    let default = match short {
                        "awsize" | "arsize" => 3,
                        "awburst" | "arburst" => 1,
                        _ => 0,
                    };
                    let value = clock
                        .iter()
                        .find(|(port, _)| *port == short)
                        .map_or(default, |(_, value)| *value);
                    sim.signal(name).unwrap().set(value);
                }
                assert!(clock
                    .iter()
                    .all(|(port, _)| names.iter().any(|name| name.ends_with(port))));
                sim.rising_edge().await;
            }
            monitor.is_idle()
        })
        .unwrap();
    let rules = sim
        .take_violations()
        .into_iter()
        .map(|violation| (violation.cycle - 9, violation.rule))
        .collect();
    (rules, idle)
}

fn rules(script: &[Clock<'_>]) -> Vec<(u64, &'static str)> {
    rules_of(script).0
}

const AW: Clock<'_> = &[("awvalid", 1), ("awready", 1), ("awid", 2)];
const AW2: Clock<'_> = &[("awvalid", 1), ("awready", 1), ("awid", 2), ("awlen", 1)];
const W: Clock<'_> = &[("wvalid", 1), ("wready", 1), ("wstrb", 0xff)];
const WLAST: Clock<'_> = &[("wvalid", 1), ("wready", 1), ("wstrb", 0xff), ("wlast", 1)];
const B: Clock<'_> = &[("bvalid", 1), ("bready", 1), ("bid", 2)];
const AR2: Clock<'_> = &[("arvalid", 1), ("arready", 1), ("arid", 5), ("arlen", 1)];
const R: Clock<'_> = &[("rvalid", 1), ("rready", 1), ("rid", 5)];
const RLAST: Clock<'_> = &[("rvalid", 1), ("rready", 1), ("rid", 5), ("rlast", 1)];
const IDLE: Clock<'_> = &[];

#[test]
fn nothing_is_reported_when_both_sides_keep_the_rules() {
    assert_eq!(
        rules_of(&[AW2, W, WLAST, B, AR2, R, RLAST, IDLE]),
        (vec![], true)
    );
    assert_eq!(
        rules_of(&[W, WLAST, WLAST, AW2, AW, B, B, IDLE]),
        (vec![], true),
        "data ahead of addresses"
    );
    assert_eq!(
        rules_of(&[AW, AW2, WLAST, B, W, WLAST, IDLE]),
        (vec![], false),
        "a response is missing"
    );
    assert_eq!(
        rules_of(&[AR2, R, IDLE]),
        (vec![], false),
        "a beat is missing"
    );
    assert_eq!(
        rules_of(&[W, IDLE]),
        (vec![], false),
        "the address is missing"
    );
}

#[test]
fn address_rules_are_reported_when_broken() {
    let aw = |fields: &[(&'static str, u64)]| {
        let mut clock = vec![("awvalid", 1), ("awready", 1)];
        clock.extend_from_slice(fields);
        rules(&[&clock])
    };
    let no_report: Vec<(u64, &str)> = vec![];
    assert_eq!(aw(&[("awaddr", 0xff8), ("awlen", 1)]), [(0, "crosses_4k")]);
    assert_eq!(aw(&[("awaddr", 0xff8), ("awlen", 0)]), no_report);
    assert_eq!(aw(&[("awburst", 3)]), [(0, "burst_reserved")]);
    assert_eq!(aw(&[("awsize", 4)]), [(0, "size_too_wide")]);
    assert_eq!(aw(&[("awburst", 0), ("awlen", 16)]), [(0, "burst_len")]);
    assert_eq!(aw(&[("awburst", 0), ("awlen", 15)]), no_report);
    assert_eq!(aw(&[("awburst", 2), ("awlen", 2)]), [(0, "burst_len")]);
    assert_eq!(
        aw(&[("awburst", 2), ("awlen", 3), ("awaddr", 4)]),
        [(0, "wrap_unaligned")]
    );
    assert_eq!(
        aw(&[("awburst", 2), ("awlen", 3), ("awaddr", 0xff8)]),
        no_report
    );
    let ar: Clock<'_> = &[
        ("arvalid", 1),
        ("arready", 1),
        ("araddr", 0x1ff0),
        ("arlen", 2),
    ];
    assert_eq!(rules(&[ar]), [(0, "crosses_4k")]);
}

#[test]
fn write_data_rules_are_reported_when_broken() {
    assert_eq!(rules(&[AW2, WLAST]), [(1, "wlast_early")]);
    assert_eq!(rules(&[AW2, W, W]), [(2, "wlast_missing")]);
    assert_eq!(
        rules(&[WLAST, AW2]),
        [(1, "wlast_early")],
        "found when the address comes"
    );
    let narrow: Clock<'_> = &[("awvalid", 1), ("awready", 1), ("awsize", 1), ("awaddr", 2)];
    let wide: Clock<'_> = &[("wvalid", 1), ("wready", 1), ("wstrb", 0x1c), ("wlast", 1)];
    let right: Clock<'_> = &[("wvalid", 1), ("wready", 1), ("wstrb", 0x0c), ("wlast", 1)];
    assert_eq!(rules(&[narrow, wide]), [(1, "strobe_outside")]);
    assert_eq!(rules(&[narrow, right]), []);
    let unaligned: Clock<'_> = &[("awvalid", 1), ("awready", 1), ("awaddr", 3)];
    assert_eq!(rules(&[unaligned, WLAST]), [(1, "strobe_outside")]);
}

#[test]
fn response_rules_are_reported_when_broken() {
    assert_eq!(rules(&[AW, B]), [(1, "b_without_write")], "no data yet");
    assert_eq!(rules(&[AW, WLAST, B, B]), [(3, "b_without_write")], "twice");
    let both: Vec<(&str, u64)> = [WLAST, B].concat();
    assert_eq!(
        rules(&[AW, &both]),
        [(1, "b_without_write")],
        "with the last beat"
    );
    let other: Clock<'_> = &[("bvalid", 1), ("bready", 1), ("bid", 3)];
    assert_eq!(
        rules(&[AW, WLAST, other]),
        [(2, "b_without_write")],
        "another ID"
    );
    let exokay: Clock<'_> = &[("bvalid", 1), ("bready", 1), ("bid", 2), ("bresp", 1)];
    assert_eq!(rules(&[AW, WLAST, exokay]), [(2, "resp_exokay")]);
    assert_eq!(rules(&[R]), [(0, "r_without_read")]);
    assert_eq!(rules(&[AR2, R, RLAST, R]), [(3, "r_without_read")]);
    assert_eq!(rules(&[AR2, RLAST]), [(1, "rlast_wrong")]);
    assert_eq!(rules(&[AR2, R, R]), [(2, "rlast_wrong")]);
}

#[test]
fn handshake_rules_are_reported_on_every_channel() {
    for channel in ["aw", "w", "b", "ar", "r"] {
        let valid = format!("{channel}valid");
        let wait: Clock<'_> = &[(&valid, 1)];
        assert_eq!(
            rules(&[wait, wait, IDLE]),
            [(2, "valid_dropped")],
            "{channel}"
        );
    }
    for (channel, fields) in [
        ("aw", &["id", "addr", "len", "size", "burst"][..]),
        ("w", &["data", "strb", "last"]),
        ("b", &["id", "resp"]),
        ("ar", &["id", "addr", "len", "size", "burst"]),
        ("r", &["id", "data", "resp", "last"]),
    ] {
        for field in fields {
            let (valid, field) = (format!("{channel}valid"), format!("{channel}{field}"));
            let (before, after): (Clock<'_>, Clock<'_>) =
                (&[(&valid, 1), (&field, 0)], &[(&valid, 1), (&field, 1)]);
            assert_eq!(
                rules(&[before, before, after, after]),
                [(2, "payload_changed")],
                "{field}"
            );
        }
    }
}
