//! Single values over valid/ready.

use crate::designs::{puppet, sim};
use pagetrain_testbench::sim::{seeds, Sim, SimConfig};
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink, WordSource};
use pagetrain_testbench::verilator::{Design, PortDecl};
use pagetrain_testbench::Bits;

/// Two registers between `s_key` and `m_key`, ready in both directions registered or not; latency 1.
fn register_slice() -> Design {
    Design::new("slice")
        .source(
            "slice.v",
            "module slice(input wire clk, input wire rst,
               input wire [69:0] s_key_tdata, input wire [2:0] s_key_ttag, input wire s_key_tvalid, output wire s_key_tready,
               output reg [69:0] m_key_tdata, output reg [2:0] m_key_ttag, output reg m_key_tvalid, input wire m_key_tready);
               assign s_key_tready = !m_key_tvalid || m_key_tready;
               always @(posedge clk) begin
                 if (s_key_tready) begin
                   m_key_tdata <= s_key_tdata;
                   m_key_ttag <= s_key_ttag;
                   m_key_tvalid <= s_key_tvalid;
                 end
                 if (rst) m_key_tvalid <= 0;
               end
             endmodule",
        )
        .ports(["clk", "rst", "s_key_tvalid", "m_key_tready"].map(|name| PortDecl::input(name, 1)))
        .ports(["s_key_tready", "m_key_tvalid"].map(|name| PortDecl::output(name, 1)))
        .input("s_key_tdata", 70)
        .input("s_key_ttag", 3)
        .output("m_key_tdata", 70)
        .output("m_key_ttag", 3)
}

fn channel(prefix: &str) -> Channel {
    Channel::axis(prefix).fields(["tdata", "ttag"])
}

fn run(sim: &mut Sim, profile: StallProfile) {
    let source = WordSource::attach(sim, &channel("s_key"), profile.pause(Role::Source)).unwrap();
    let sink = WordSink::attach(sim, &channel("m_key"), profile.pause(Role::Sink)).unwrap();
    let tap = WordSink::monitor(sim, &channel("s_key")).unwrap();
    let mut rng = sim.rng("values");
    let values: Vec<Bits> = (0..200)
        .map(|n| Bits::pack(&[(64, rng.bits().into()), (6, n % 64), (3, n % 8)]))
        .collect();
    sim.run(async move |sim| {
        values.iter().for_each(|value| source.send(value.clone()));
        for value in &values {
            let got = sink.recv_timed().await;
            assert_eq!(got.item, *value);
            let sent = source.sent().try_get().expect("sent before received");
            assert_eq!(sent.item, *value);
            assert!(got.last > sent.last, "at least a clock");
            if profile == StallProfile::None {
                assert_eq!(got.last, sent.last + 1);
            }
            assert_eq!(tap.try_recv().as_ref(), Some(value));
        }
        source.idle().await;
        sim.cycles(20).await;
        assert!(sink.is_empty() && source.pending() == 0);
    })
    .unwrap();
}

#[test]
fn values_arrive_in_order_under_every_stall_profile() {
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            println!("{profile}");
            run(&mut sim(&register_slice(), SimConfig::seed(seed)), profile);
        }
    }
}

#[test]
fn deadlock_is_found_when_valid_waits_for_ready() {
    let broken = register_slice()
        .mutate(
            "m_key_tvalid <= s_key_tvalid;",
            "m_key_tvalid <= s_key_tvalid && m_key_tready;",
        )
        .unwrap();
    let config = SimConfig {
        idle_limit: 200,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&broken, config);
    let source = WordSource::attach(&sim, &channel("s_key"), Pause::Never).unwrap();
    let sink = WordSink::attach(&sim, &channel("m_key"), Pause::AfterValid(0..=2)).unwrap();
    let error = sim.run(async move |_| {
        source.send(Bits::zero(73));
        sink.recv().await
    });
    // The design takes the value and forgets it: nothing ever moves again.
    let text = error.expect_err("deadlock").to_string();
    assert!(
        text.contains("nothing moved") && text.contains("queue `m_key received`"),
        "{text}"
    );
}

/// Rules broken on channel `m` when its valid, ready and data are scripted, a tuple a clock after reset.
pub fn rules_of(script: &'static [(u64, u64, u64)]) -> Vec<(u64, &'static str)> {
    let ports = vec![
        PortDecl::output("m_tvalid", 1),
        PortDecl::input("m_tready", 1),
        PortDecl::output("m_tdata", 100),
    ];
    let config = SimConfig {
        collect_violations: true,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&puppet("puppet_stream", ports), config);
    let _monitor = WordSink::monitor(&sim, &Channel::axis("m")).unwrap();
    let (valid, ready) = (
        sim.signal("set_m_tvalid").unwrap(),
        sim.signal("m_tready").unwrap(),
    );
    let data = sim.wide("set_m_tdata").unwrap();
    sim.run(async move |sim| {
        for &(v, r, d) in script {
            valid.set(v);
            ready.set(r);
            data.set_words(&[0, 0, d as u32]);
            sim.rising_edge().await;
        }
    })
    .unwrap();
    // The first tuple is there at the first edge after reset.
    sim.take_violations()
        .into_iter()
        .map(|violation| (violation.cycle - 9, violation.rule))
        .collect()
}

#[test]
fn nothing_is_reported_when_a_channel_keeps_the_rules() {
    assert_eq!(
        rules_of(&[
            (0, 0, 1),
            (1, 0, 5),
            (1, 0, 5),
            (1, 1, 5),
            (1, 1, 6),
            (0, 1, 7),
            (0, 0, 3)
        ]),
        []
    );
}

#[test]
fn drop_is_reported_when_valid_falls_before_ready() {
    assert_eq!(
        rules_of(&[(1, 0, 5), (0, 0, 5), (0, 1, 5)]),
        [(1, "valid_dropped")]
    );
}

#[test]
fn change_is_reported_when_payload_moves_under_wait() {
    let script = &[(1, 0, 5), (1, 0, 6), (1, 0, 6), (1, 1, 7), (0, 0, 0)];
    assert_eq!(
        rules_of(script),
        [(1, "payload_changed"), (3, "payload_changed")]
    );
}

#[test]
fn valid_in_reset_is_reported_but_for_the_first_clock() {
    let ports = vec![
        PortDecl::output("m_tvalid", 1),
        PortDecl::input("m_tready", 1),
        PortDecl::output("m_tdata", 8),
    ];
    let config = SimConfig {
        collect_violations: true,
        reset_cycles: 3,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&puppet("puppet_reset", ports), config);
    let _monitor = WordSink::monitor(&sim, &Channel::axis("m")).unwrap();
    sim.signal("set_m_tvalid").unwrap().set(1);
    sim.reset().unwrap();
    let seen: Vec<_> = sim
        .take_violations()
        .into_iter()
        .map(|v| (v.cycle, v.rule))
        .collect();
    assert_eq!(seen, [(2, "valid_in_reset"), (3, "valid_in_reset")]);
}

#[test]
fn run_ends_at_the_first_broken_rule_unless_told_to_collect() {
    let ports = vec![
        PortDecl::output("m_tvalid", 1),
        PortDecl::input("m_tready", 1),
        PortDecl::output("m_tdata", 8),
    ];
    let mut sim = sim(&puppet("puppet_reset", ports), SimConfig::seed(4));
    let _monitor = WordSink::monitor(&sim, &Channel::axis("m")).unwrap();
    let valid = sim.signal("set_m_tvalid").unwrap();
    let error = sim.run(async move |sim| {
        valid.set(1);
        sim.rising_edge().await;
        valid.set(0);
        sim.cycles(1000).await;
    });
    let text = error.expect_err("a broken rule").to_string();
    assert!(
        text.contains("seed 4, cycle 10") && text.contains("cycle 10: m: valid_dropped"),
        "{text}"
    );
}
