//! The checks that every design passes in `make synth` (ci/fpga/checks.py): here on a few primitives, and each of them on text that it
//! must refuse.

mod common;

use pagetrain_hdl::build::Module;
use pagetrain_hdl::prim::{lutram, Fifo, Ram, Storage};
use pagetrain_hdl::verilog::{emit, Header, VerilogFile};
use std::path::Path;
use std::process::Command;

/// What the checks say of `top` in `files`; `Err` if they refuse it.
fn checked(top: &str, files: &[VerilogFile]) -> Result<String, String> {
    let dir = common::write(files);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/fpga/checks.py");
    let out = Command::new("python3")
        .arg(script)
        .arg(top)
        .args(files.iter().map(|file| &file.name))
        .env("PAGETRAIN_VENV", common::venv())
        .current_dir(dir.path())
        .output()
        .expect("python3 runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => Err(text(&out.stderr)),
    }
}

fn memories(module: &Module) -> String {
    let files = emit(module, &Header::default()).unwrap_or_else(|e| panic!("{e}"));
    let said = checked(module.name(), &files).unwrap_or_else(|e| panic!("{e}"));
    let (_, memories) = said
        .trim_end()
        .split_once("memories in ")
        .expect("a summary");
    memories.to_owned()
}

#[test]
fn memories_are_memory_cells_when_primitives_are_synthesised() {
    let block = "block RAM 1, distributed 0, in registers 0";
    let distributed = "block RAM 0, distributed 1, in registers 0";
    assert_eq!(memories(&Ram::new(72, 9).build()), block);
    let lanes = Ram::new(64, 9).lanes(8).out_reg().build();
    assert_eq!(memories(&lanes), block);
    assert_eq!(memories(&lanes.for_target("ecp5")), block);
    let rows = Fifo::new(72, 8192).storage(Storage::Block).build();
    assert_eq!(memories(&rows.for_target("ecp5")), block);
    assert_eq!(memories(&lutram(64, 5)), distributed);
    let fifo = Fifo::new(72, 16).storage(Storage::Distributed);
    assert_eq!(memories(&fifo.build()), distributed);
}

/// A module `bad` and a part of what must be said of it.
const REFUSED: [(&str, &str); 5] = [
    (
        "module bad(input clk, input [7:0] x, y, output reg [15:0] p); always @(posedge clk) p <= x * y; endmodule",
        "a multiplier: MULT18X18D",
    ),
    // Two write ports: no memory cell has them.
    (
        "module bad(input clk, we, input [3:0] wa, ra, input [7:0] d, x, output reg [7:0] q); reg [7:0] m [0:15];
         always @(posedge clk) begin if (we) begin m[wa] <= d; m[wa + 4'd1] <= x; end q <= m[ra]; end endmodule",
        "a memory in flip-flops: bad.m",
    ),
    // A read of what is being written is promised to give the old word.
    (
        "module bad(input clk, we, input [8:0] wa, ra, input [63:0] d, output reg [63:0] q);
         (* ram_style = \"block\" *) reg [63:0] m [0:511];
         always @(posedge clk) begin if (we) m[wa] <= d; q <= m[ra]; end endmodule",
        "logic for collisions at a memory",
    ),
    (
        "module bad(input en, d, output reg q); always @* if (en) q = d; endmodule",
        "is a latch",
    ),
    (
        "module bad(input a, output q); wire b; assign b = a ^ q; assign q = b & a; endmodule",
        "Found and reported 1 problems",
    ),
];

#[test]
fn design_is_refused_when_it_breaks_a_rule() {
    for (text, expected) in REFUSED {
        let file = VerilogFile {
            name: "bad.v".into(),
            text: text.into(),
        };
        let said = checked("bad", &[file]).expect_err(text);
        assert!(said.contains(expected), "{text}\n{said}");
    }
}
