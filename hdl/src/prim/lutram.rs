//! Distributed memory: written at the clock edge, read at once.
//!
//! Contract: `rd_data` shows what the last clock edge left at `rd_addr`.
//!
//! | port      | dir | type     | meaning                    |
//! |-----------|-----|----------|----------------------------|
//! | `wr_en`   | in  | 1        | write at this edge         |
//! | `wr_addr` | in  | `addr_w` | where to                   |
//! | `wr_data` | in  | `width`  | what                       |
//! | `rd_addr` | in  | `addr_w` | where from                 |
//! | `rd_data` | out | `width`  | the word, in the same clock |
//!
//! - Timing: read [`LATENCY`] clocks, that is, a combinational path `rd_addr` to `rd_data`; a word can be read the clock after its
//!   write.
//! - Parameters: `width` at least 1, `addr_w` 1 to 8. Not reset: a word never written is undefined.
//! - Cost: ECP5 DPR16X4, one for 4 bits of 16 words; deeper ones add a multiplexer: 32 x 64 is 32 DPR16X4 and
//!   66 LUT4 (Yosys 0.70).

use crate::build::*;

/// Clocks from `rd_addr` to `rd_data`.
pub const LATENCY: usize = 0;

/// A memory of 2^`addr_w` words of `width` bits, named `lutram_<depth>x<width>`.
///
/// # Panics
/// When `addr_w` is not 1 to 8: deeper memory belongs into block RAM.
pub fn lutram(width: usize, addr_w: usize) -> Module {
    assert!(
        (1..=8).contains(&addr_w),
        "lutram: addr_w is {addr_w}, must be 1 to 8"
    );
    let depth = 1 << addr_w;
    let mut m = Module::new(
        &format!("lutram_{depth}x{width}"),
        "Distributed memory: synchronous write, asynchronous read.",
    );
    m.clk();
    m.input("wr_en", 1, "write at this edge");
    m.input("wr_addr", addr_w, "where to");
    m.input("wr_data", width, "what");
    let rd_addr = m.input("rd_addr", addr_w, "where from");
    let rd_data = m.output("rd_data", width, "the word, in the same clock");
    m.leaf_path(&rd_addr, &rd_data);
    m.text(&format!(
        "\
(* ram_style = \"distributed\" *)
reg [{}:0] mem [0:{}];

assign rd_data = mem[rd_addr];

always @(posedge clk) begin
    if (wr_en) begin
        mem[wr_addr] <= wr_data;
    end
end
",
        width - 1,
        depth - 1
    ));
    m
}
