//! The hand-written designs that the tests of the harness use.

use pagetrain_testbench::sim::{Sim, SimConfig};
use pagetrain_testbench::verilator::{Design, Direction, Model, Options, PortDecl};

/// Counts clocks since reset; `q` is `d` a clock later, `sum` is combinational; `free` is never reset.
pub fn counter() -> Design {
    Design::new("counter")
        .source(
            "counter.v",
            "module counter(input wire clk, input wire rst, input wire [7:0] d, output reg [7:0] q,
                output wire [8:0] sum, output reg [31:0] count, output reg [15:0] free,
                input wire [299:0] wide, output reg [299:0] wide_q, input wire [2:0] stop);
               assign sum = {1'b0, d} + {1'b0, q};
               always @(posedge clk) begin
                 q <= d;
                 wide_q <= wide;
                 free <= free + 1;
                 if (rst) count <= 0; else count <= count + 1;
                 if (stop == 1) $stop;
                 if (stop == 2) $error(\"told to\");
                 if (stop == 3) $fatal(1, \"told to\");
                 if (stop == 4) $finish;
               end
             endmodule",
        )
        .input("clk", 1)
        .input("rst", 1)
        .input("d", 8)
        .output("q", 8)
        .output("sum", 9)
        .output("count", 32)
        .output("free", 16)
        .input("wide", 300)
        .output("wide_q", 300)
        .input("stop", 3)
}

/// The ports of an AXI-Stream with `bytes` lanes and 2 bits of tuser.
pub fn axis_ports(prefix: &str, bytes: u32, out: bool) -> Vec<PortDecl> {
    let (forward, back) = if out {
        (Direction::Output, Direction::Input)
    } else {
        (Direction::Input, Direction::Output)
    };
    let port = |suffix: &str, width, direction| PortDecl {
        name: format!("{prefix}_{suffix}"),
        width,
        direction,
    };
    vec![
        port("tdata", bytes * 8, forward),
        port("tkeep", bytes, forward),
        port("tvalid", 1, forward),
        port("tready", 1, back),
        port("tlast", 1, forward),
        port("tuser", 2, forward),
    ]
}

/// A FIFO of 16 beats between `s_axis` and `m_axis`.
pub fn axis_fifo(bytes: u32) -> Design {
    let (data, payload) = (bytes * 8, bytes * 9 + 3);
    let text = format!(
        "module axis_fifo(input wire clk, input wire rst,
            input wire [{dm}:0] s_axis_tdata, input wire [{km}:0] s_axis_tkeep, input wire s_axis_tvalid,
            output wire s_axis_tready, input wire s_axis_tlast, input wire [1:0] s_axis_tuser,
            output wire [{dm}:0] m_axis_tdata, output wire [{km}:0] m_axis_tkeep, output wire m_axis_tvalid,
            input wire m_axis_tready, output wire m_axis_tlast, output wire [1:0] m_axis_tuser);
           reg [{pm}:0] mem [0:15];
           reg [4:0] wr, rd;
           wire [4:0] used = wr - rd;
           assign s_axis_tready = !used[4];
           assign m_axis_tvalid = used != 0;
           assign {{m_axis_tuser, m_axis_tlast, m_axis_tkeep, m_axis_tdata}} = mem[rd[3:0]];
           always @(posedge clk) begin
             if (s_axis_tvalid && s_axis_tready) begin
               mem[wr[3:0]] <= {{s_axis_tuser, s_axis_tlast, s_axis_tkeep, s_axis_tdata}};
               wr <= wr + 5'd1;
             end
             if (m_axis_tvalid && m_axis_tready) rd <= rd + 5'd1;
             if (rst) begin wr <= 0; rd <= 0; end
           end
         endmodule",
        dm = data - 1,
        km = bytes - 1,
        pm = payload - 1,
    );
    Design::new("axis_fifo")
        .source("axis_fifo.v", text)
        .input("clk", 1)
        .input("rst", 1)
        .ports(axis_ports("s_axis", bytes, false))
        .ports(axis_ports("m_axis", bytes, true))
}

/// A design whose outputs are what the test says: output `x` follows input `set_x`. A monitor on it sees
/// whatever is scripted, so every rule can be broken.
pub fn puppet(top: &str, ports: Vec<PortDecl>) -> Design {
    let mut text = format!("module {top}(input wire clk, input wire rst");
    let mut body = String::new();
    let mut design = Design::new(top).input("clk", 1).input("rst", 1);
    for port in ports {
        let PortDecl {
            name,
            width,
            direction,
        } = &port;
        let range = format!("[{}:0]", width - 1);
        match direction {
            Direction::Input => text += &format!(", input wire {range} {name}"),
            Direction::Output => {
                text += &format!(", output wire {range} {name}, input wire {range} set_{name}");
                body += &format!("  assign {name} = set_{name};\n");
                design = design.input(format!("set_{name}"), *width);
            }
        }
        design = design.ports([port]);
    }
    text += &format!(");\n{body}endmodule\n");
    design.source(format!("{top}.v"), text)
}

/// Builds a design of this file.
pub fn build(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

/// A simulation of a design of this file.
pub fn sim(design: &Design, config: SimConfig) -> Sim {
    Sim::new(&build(design), config).unwrap_or_else(|error| panic!("{error}"))
}
