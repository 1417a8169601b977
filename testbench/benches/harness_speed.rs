//! Clocks a second of the harness with everything at work, against a bare loop that only evaluates the model.
//!
//! The design stores frames and writes each to memory. With the harness: AXI-Stream source, AXI4 memory with
//! its monitor, and a scoreboard that compares every byte in memory. The bare loop replays the same inputs,
//! recorded before, so that the design does the same work in both.
//!
//! `cargo bench -p pagetrain-testbench [-- <clocks> [<width> [<profile>]]]`

mod common;

use common::{bare, cpu_time, Recorder, Recording};
use pagetrain_testbench::axi::{AxiMemory, Memory, MemoryConfig};
use pagetrain_testbench::axis::{AxisMonitor, AxisSink, AxisSource};
use pagetrain_testbench::sim::{Handle, Sim, SimConfig};
use pagetrain_testbench::stall::{Role, StallProfile};
use pagetrain_testbench::verilator::{Design, Model, Options};

/// Memory that the design writes, as slots of 2 KiB.
const SLOTS: u64 = 1024;

/// Frames of up to 1536 bytes from `s_axis_rx` to slots of memory, one burst a frame.
fn frame_writer(width: u32) -> Design {
    let (bytes, log2_bytes) = (width / 8, (width / 8).trailing_zeros());
    let text = format!(
        "module frame_writer(input wire clk, input wire rst,
           input wire [{dm}:0] s_axis_rx_tdata, input wire [{km}:0] s_axis_rx_tkeep, input wire s_axis_rx_tvalid,
           output wire s_axis_rx_tready, input wire s_axis_rx_tlast, input wire s_axis_rx_tuser,
           output wire [0:0] m_axi_awid, output wire [63:0] m_axi_awaddr, output wire [7:0] m_axi_awlen,
           output wire [2:0] m_axi_awsize, output wire [1:0] m_axi_awburst, output reg m_axi_awvalid, input wire m_axi_awready,
           output wire [{dm}:0] m_axi_wdata, output wire [{km}:0] m_axi_wstrb, output wire m_axi_wlast,
           output wire m_axi_wvalid, input wire m_axi_wready,
           input wire [0:0] m_axi_bid, input wire [1:0] m_axi_bresp, input wire m_axi_bvalid, output wire m_axi_bready,
           output reg [31:0] stat_frames, output reg [31:0] stat_bytes_xor);
           reg [{pm}:0] store [0:1023];
           reg [10:0] wr, commit, rd;
           reg [7:0] lens [0:63];
           reg [6:0] len_wr, len_rd;
           reg [7:0] beats;
           reg [31:0] slot;
           reg busy;
           wire [10:0] used = wr - rd;
           wire take = s_axis_rx_tvalid && s_axis_rx_tready;
           assign s_axis_rx_tready = used < 11'd1020 && (len_wr - len_rd) < 7'd60;
           wire [{pm}:0] head = store[rd[9:0]];
           assign m_axi_wdata = head[{dm}:0];
           assign m_axi_wstrb = head[{wh}:{width}];
           assign m_axi_wlast = head[{pm}];
           assign m_axi_wvalid = busy;
           assign m_axi_awid = 0;
           assign m_axi_awaddr = {{42'd0, 1'b1, slot[9:0], 11'd0}};
           assign m_axi_awlen = lens[len_rd[5:0]];
           assign m_axi_awsize = 3'd{log2_bytes};
           assign m_axi_awburst = 1;
           assign m_axi_bready = 1;
           always @(posedge clk) begin
             if (take) begin
               store[wr[9:0]] <= {{s_axis_rx_tlast, s_axis_rx_tkeep, s_axis_rx_tdata}};
               wr <= wr + 11'd1;
               beats <= beats + 8'd1;
               stat_bytes_xor <= stat_bytes_xor ^ s_axis_rx_tdata[31:0];
               if (s_axis_rx_tlast) begin
                 beats <= 0;
                 if (s_axis_rx_tuser) wr <= commit;
                 else begin
                   commit <= wr + 11'd1;
                   lens[len_wr[5:0]] <= beats;
                   len_wr <= len_wr + 7'd1;
                   stat_frames <= stat_frames + 1;
                 end
               end
             end
             if (!busy && !m_axi_awvalid && len_wr != len_rd) m_axi_awvalid <= 1;
             if (m_axi_awvalid && m_axi_awready) begin
               m_axi_awvalid <= 0;
               busy <= 1;
               slot <= slot + 1;
               len_rd <= len_rd + 7'd1;
             end
             if (busy && m_axi_wready) begin
               rd <= rd + 11'd1;
               if (m_axi_wlast) busy <= 0;
             end
             if (rst) begin
               wr <= 0; commit <= 0; rd <= 0; len_wr <= 0; len_rd <= 0; beats <= 0; slot <= 0; busy <= 0;
               m_axi_awvalid <= 0; stat_frames <= 0; stat_bytes_xor <= 0;
             end
           end
         endmodule",
        dm = width - 1,
        km = bytes - 1,
        wh = width + bytes - 1,
        pm = width + bytes,
    );
    let design = Design::new("frame_writer").source("frame_writer.v", text);
    let inputs = [
        "clk",
        "rst",
        "s_axis_rx_tvalid",
        "s_axis_rx_tlast",
        "s_axis_rx_tuser",
    ];
    let more = ["m_axi_awready", "m_axi_wready", "m_axi_bid", "m_axi_bvalid"];
    let design = inputs
        .iter()
        .chain(&more)
        .fold(design, |design, name| design.input(*name, 1));
    let outputs = [
        "s_axis_rx_tready",
        "m_axi_awvalid",
        "m_axi_wvalid",
        "m_axi_wlast",
        "m_axi_bready",
        "m_axi_awid",
    ];
    let design = outputs
        .iter()
        .fold(design, |design, name| design.output(*name, 1));
    design
        .input("s_axis_rx_tdata", width)
        .input("s_axis_rx_tkeep", bytes)
        .input("m_axi_bresp", 2)
        .output("m_axi_awaddr", 64)
        .output("m_axi_awlen", 8)
        .output("m_axi_awsize", 3)
        .output("m_axi_awburst", 2)
        .output("m_axi_wdata", width)
        .output("m_axi_wstrb", bytes)
        .output("stat_frames", 32)
        .output("stat_bytes_xor", 32)
}

/// The testbench: traffic, memory, scoreboard. Runs for `clocks` and gives the frames checked.
fn harnessed(sim: &mut Sim, profile: StallProfile, clocks: u64) -> u64 {
    let memory = Memory::open();
    let source = AxisSource::attach(sim, "s_axis_rx", profile.pause(Role::Source)).expect("ports");
    let monitor = AxisSink::monitor(sim, "s_axis_rx").expect("ports");
    let axi = AxiMemory::attach(sim, "m_axi", &memory, MemoryConfig::new(profile)).expect("ports");
    sim.run(async |sim| {
        let checker = sim.spawn(
            "scoreboard",
            check(sim.clone(), monitor, axi.clone(), memory),
        );
        let mut rng = sim.rng("frames");
        let pool: Vec<Vec<u8>> = (0..256)
            .map(|_| {
                let len = *rng.pick(&[64, 64, 128, 300, 1460, 1514]);
                rng.bytes(len)
            })
            .collect();
        let end = sim.cycle() + clocks;
        let mut next = 0;
        while sim.cycle() < end {
            while source.pending() < 16 {
                source.send(pool[next % pool.len()].clone());
                next += 1;
            }
            sim.cycles(32).await;
        }
        checker.cancel();
        axi.monitor().stats().write_responses
    })
    .unwrap_or_else(|error| panic!("{error}"))
}

/// Compares every frame in memory with what went in.
async fn check(sim: Handle, monitor: AxisMonitor, axi: AxiMemory, memory: Memory) {
    let mut found = vec![0; 2048];
    for slot in 0.. {
        let frame = monitor.recv().await;
        while axi.monitor().stats().write_responses <= slot {
            sim.cycles(16).await;
        }
        let found = &mut found[..frame.data.len()];
        memory.read(1 << 21 | (slot % SLOTS) << 11, found);
        assert_eq!(found, frame.data, "frame {slot}");
    }
}

fn record(model: &Model, profile: StallProfile, clocks: u64) -> Recording {
    let mut sim = Sim::new(model, SimConfig::seed(1)).expect("model");
    let recorder = Recorder::attach(&sim);
    harnessed(&mut sim, profile, clocks);
    recorder.finish()
}

fn main() {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let clocks = args
        .first()
        .map_or(400_000, |arg| arg.parse().expect("clocks"));
    let widths = args.get(1).map_or(vec![64, 128, 256, 512], |arg| {
        vec![arg.parse().expect("width")]
    });
    let profiles = [
        StallProfile::None,
        StallProfile::Light,
        StallProfile::SlowMemory,
    ];
    let profiles = args
        .get(2)
        .map_or(profiles.to_vec(), |arg| vec![arg.parse().expect("profile")]);
    println!("width  profile      bare Mclk/s  harness Mclk/s  ratio  ns of harness a clock");
    for width in widths {
        let model = Model::build(&frame_writer(width), &Options::long())
            .unwrap_or_else(|error| panic!("{error}"));
        for &profile in &profiles {
            let recording = record(&model, profile, clocks);
            let (mut best_bare, mut best) = (0f64, 0f64);
            for _ in 0..5 {
                best_bare = best_bare.max(bare(&model, &recording));
                let mut sim = Sim::new(&model, SimConfig::seed(1)).expect("model");
                let start = cpu_time();
                let frames = harnessed(&mut sim, profile, clocks);
                assert!(frames > clocks / 1000, "{frames} frames");
                best = best.max(sim.cycle() as f64 / (cpu_time() - start).as_secs_f64());
            }
            let cost = 1e9 / best - 1e9 / best_bare;
            let (bare, harness, ratio) = (best_bare / 1e6, best / 1e6, best / best_bare);
            println!(
                "{width:5}  {:11}  {bare:11.2}  {harness:14.2}  {ratio:5.2}  {cost:.0}",
                profile.name()
            );
        }
    }
}
