//! AXI4-Lite: registers through the manager, every rule of the monitor broken once.

use crate::designs::{puppet, sim};
use pagetrain_testbench::axi::Resp;
use pagetrain_testbench::axil::{AxilManager, AxilMonitor};
use pagetrain_testbench::sim::{seeds, SimConfig};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::{Design, PortDecl};

/// Sixteen registers of 32 bits; from 0x40 on SLVERR. Takes address and data in either order.
fn registers() -> Design {
    let text = "module registers(input wire clk, input wire rst,
      input wire [7:0] s_axil_awaddr, input wire s_axil_awvalid, output wire s_axil_awready,
      input wire [31:0] s_axil_wdata, input wire [3:0] s_axil_wstrb, input wire s_axil_wvalid, output wire s_axil_wready,
      output reg [1:0] s_axil_bresp, output reg s_axil_bvalid, input wire s_axil_bready,
      input wire [7:0] s_axil_araddr, input wire s_axil_arvalid, output wire s_axil_arready,
      output reg [31:0] s_axil_rdata, output reg [1:0] s_axil_rresp, output reg s_axil_rvalid, input wire s_axil_rready);
      reg [31:0] regs [0:15];
      reg have_a, have_d;
      reg [7:0] addr; reg [31:0] data; reg [3:0] strb;
      integer i;
      assign s_axil_awready = !have_a;
      assign s_axil_wready = !have_d;
      assign s_axil_arready = !s_axil_rvalid;
      wire go = have_a && have_d && !s_axil_bvalid;
      always @(posedge clk) begin
        if (s_axil_awvalid && s_axil_awready) begin addr <= s_axil_awaddr; have_a <= 1; end
        if (s_axil_wvalid && s_axil_wready) begin data <= s_axil_wdata; strb <= s_axil_wstrb; have_d <= 1; end
        if (s_axil_bvalid && s_axil_bready) s_axil_bvalid <= 0;
        if (go) begin
          have_a <= 0; have_d <= 0;
          s_axil_bvalid <= 1;
          s_axil_bresp <= addr[7:6] != 0 ? 2'd2 : 2'd0;
          for (i = 0; i < 4; i = i + 1) if (strb[i] && addr[7:6] == 0) regs[addr[5:2]][8*i +: 8] <= data[8*i +: 8];
        end
        if (s_axil_rvalid && s_axil_rready) s_axil_rvalid <= 0;
        if (s_axil_arvalid && s_axil_arready) begin
          s_axil_rvalid <= 1;
          s_axil_rresp <= s_axil_araddr[7:6] != 0 ? 2'd2 : 2'd0;
          s_axil_rdata <= regs[s_axil_araddr[5:2]];
        end
        if (rst) begin have_a <= 0; have_d <= 0; s_axil_bvalid <= 0; s_axil_rvalid <= 0; end
      end
    endmodule";
    Design::new("registers")
        .source("registers.v", text)
        .ports(ports(false))
}

/// Names and widths of ports.
type Named = &'static [(&'static str, u32)];

/// The ports of an AXI4-Lite subordinate; `puppet`: without clock and reset, which a puppet adds itself.
fn ports(puppet: bool) -> Vec<PortDecl> {
    let (ins, outs): (Named, Named) = (
        &[
            ("awaddr", 8),
            ("awvalid", 1),
            ("wdata", 32),
            ("wstrb", 4),
            ("wvalid", 1),
            ("bready", 1),
        ],
        &[
            ("awready", 1),
            ("wready", 1),
            ("bresp", 2),
            ("bvalid", 1),
            ("arready", 1),
            ("rdata", 32),
        ],
    );
    let more_ins: Named = &[("araddr", 8), ("arvalid", 1), ("rready", 1)];
    let more_outs: Named = &[("rresp", 2), ("rvalid", 1)];
    let name = |name: &str| format!("s_axil_{name}");
    let mut ports: Vec<PortDecl> = Vec::new();
    if !puppet {
        ports.extend(["clk", "rst"].map(|name| PortDecl::input(name, 1)));
    }
    ports.extend(
        [ins, more_ins]
            .concat()
            .into_iter()
            .map(|(n, w)| PortDecl::input(name(n), w)),
    );
    ports.extend(
        [outs, more_outs]
            .concat()
            .into_iter()
            .map(|(n, w)| PortDecl::output(name(n), w)),
    );
    ports
}

#[test]
fn registers_hold_what_was_written_under_every_stall_profile() {
    let design = registers();
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            let mut sim = sim(&design, SimConfig::seed(seed));
            let bus = AxilManager::attach(&sim, "s_axil", profile).unwrap();
            sim.run(async |sim| {
                let mut rng = sim.rng("accesses");
                let mut model = [0u64; 16];
                for (n, value) in model.iter_mut().enumerate() {
                    *value = rng.bits() & 0xffff_ffff;
                    bus.write(n as u64 * 4, *value).await.unwrap();
                }
                for _ in 0..40 {
                    let (n, value, strobes) =
                        (rng.below(16), rng.bits() & 0xffff_ffff, rng.below(16));
                    bus.write_bytes(n * 4, value, strobes).await.unwrap();
                    let mask: u64 = (0..4)
                        .filter(|i| strobes >> i & 1 == 1)
                        .map(|i| 0xff << (8 * i))
                        .sum();
                    model[n as usize] = model[n as usize] & !mask | value & mask;
                    assert_eq!(bus.read(n * 4).await, Ok(model[n as usize]));
                }
                let reads: Vec<_> = (0..16).map(|n| bus.begin_read(n * 4)).collect();
                let writes: Vec<_> = (0..16).map(|n| bus.begin_write(n * 4, n)).collect();
                for (n, read) in reads.into_iter().enumerate() {
                    let got = read.answer().await.unwrap();
                    assert!(
                        got == model[n] || got == n as u64,
                        "before or after the write"
                    );
                }
                for write in writes {
                    write.answer().await.unwrap();
                }
                let error = bus.read(0x44).await.expect_err("SLVERR");
                assert_eq!((error.addr, error.resp), (0x44, Resp::SlvErr));
                assert_eq!(error.to_string(), "read at 0x44 was answered SlvErr");
                assert!(bus.write(0x80, 1).await.is_err());
                assert!(bus.monitor().is_idle());
                assert_eq!(bus.monitor().answered(), (16 + 40 + 16 + 1, 40 + 16 + 1));
            })
            .unwrap_or_else(|error| panic!("{profile}: {error}"));
        }
    }
}

#[test]
fn watchdog_names_the_register_port_when_no_answer_comes() {
    let broken = registers()
        .mutate("s_axil_bvalid <= 1;", "s_axil_bvalid <= 0;")
        .unwrap();
    let mut sim = sim(
        &broken,
        SimConfig {
            idle_limit: 100,
            ..SimConfig::seed(1)
        },
    );
    let bus = AxilManager::attach(&sim, "s_axil", StallProfile::None).unwrap();
    let error = sim
        .run(async |_| bus.write(0x10, 1).await)
        .expect_err("no answer");
    let text = error.to_string();
    assert!(
        text.contains("`s_axil`: 0 accesses to be taken, 1 to be answered"),
        "{text}"
    );
    assert!(text.contains("answer to the write at 0x10"), "{text}");
}

/// Ports that a clock sets; all others are 0.
type Clock<'a> = &'a [(&'a str, u64)];

fn rules(script: &[Clock<'_>]) -> Vec<(u64, &'static str)> {
    let config = SimConfig {
        collect_violations: true,
        ..SimConfig::seed(1)
    };
    let mut sim = sim(&puppet("puppet_axil", ports(true)), config);
    AxilMonitor::attach(&sim, "s_axil").unwrap();
    let names: Vec<String> = ports(true)
        .into_iter()
        .map(|port| match sim.port(&format!("set_{}", port.name)) {
            Some(set) => set.name.clone(),
            None => port.name,
        })
        .collect();
    sim.run(async |sim| {
        for clock in script {
            for name in &names {
                let short = name
                    .trim_start_matches("set_")
                    .trim_start_matches("s_axil_");
                let value = clock
                    .iter()
                    .find(|(port, _)| *port == short)
                    .map_or(0, |(_, value)| *value);
                sim.signal(name).unwrap().set(value);
            }
            sim.rising_edge().await;
        }
    })
    .unwrap();
    sim.take_violations()
        .into_iter()
        .map(|violation| (violation.cycle - 9, violation.rule))
        .collect()
}

const AW: Clock<'_> = &[("awvalid", 1), ("awready", 1)];
const W: Clock<'_> = &[("wvalid", 1), ("wready", 1)];
const B: Clock<'_> = &[("bvalid", 1), ("bready", 1)];
const AR: Clock<'_> = &[("arvalid", 1), ("arready", 1)];
const R: Clock<'_> = &[("rvalid", 1), ("rready", 1)];

#[test]
fn nothing_is_reported_when_the_port_keeps_the_rules() {
    assert_eq!(rules(&[AW, W, B, W, AW, B, AR, AR, R, R]), []);
}

#[test]
fn each_rule_is_reported_when_broken() {
    assert_eq!(rules(&[AW, B]), [(1, "b_without_write")]);
    assert_eq!(rules(&[W, B]), [(1, "b_without_write")]);
    assert_eq!(
        rules(&[AW, &[W, B].concat()]),
        [(1, "b_without_write")],
        "with its data"
    );
    assert_eq!(rules(&[R]), [(0, "r_without_read")]);
    assert_eq!(rules(&[AR, R, R]), [(2, "r_without_read")]);
    assert_eq!(
        rules(&[AR, &[R, &[("rresp", 1)]].concat()]),
        [(1, "resp_exokay")]
    );
    assert_eq!(
        rules(&[&[AW, W].concat(), &[B, &[("bresp", 1)]].concat()]),
        [(1, "resp_exokay")]
    );
    for (channel, field) in [
        ("aw", "addr"),
        ("w", "data"),
        ("w", "strb"),
        ("b", "resp"),
        ("ar", "addr"),
        ("r", "data"),
    ] {
        let (valid, field) = (format!("{channel}valid"), format!("{channel}{field}"));
        assert_eq!(
            rules(&[&[(&valid, 1)], &[]]),
            [(1, "valid_dropped")],
            "{channel}"
        );
        let (before, after): (Clock<'_>, Clock<'_>) = (&[(&valid, 1)], &[(&valid, 1), (&field, 2)]);
        assert_eq!(
            rules(&[before, after, after]),
            [(1, "payload_changed")],
            "{field}"
        );
    }
}
