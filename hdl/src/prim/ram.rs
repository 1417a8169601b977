//! Block memory with one write and one read port on one clock.
//!
//! Contract: a read returns what the last write to its address left there. A read and a write of the same
//! address at the same edge return an undefined word: the block that uses the memory must not do it (or must
//! not look). That is what lets every target map the memory without collision logic.
//!
//! | port        | dir | type     | meaning                                                   |
//! |-------------|-----|----------|-----------------------------------------------------------|
//! | `wr_en`     | in  | lanes    | write at this edge, a bit a lane (one bit without lanes)  |
//! | `wr_addr`   | in  | `addr_w` | where to                                                  |
//! | `wr_data`   | in  | `width`  | what                                                      |
//! | `rd_en`     | in  | 1        | read at this edge; else the read word holds               |
//! | `rd_addr`   | in  | `addr_w` | where from                                                |
//! | `rd_out_en` | in  | 1        | with output register: it loads the read word at this edge |
//! | `rd_data`   | out | `width`  | the word                                                  |
//!
//! - Timing: `rd_data` 1 clock after `rd_en`, with output register 1 clock after `rd_out_en`. One read and one
//!   write a clock, no combinational path from input to output.
//! - Parameters: `width` at least 1, `addr_w` 1 to 16, `lane` divides `width`. Not reset: a word never written
//!   is undefined.
//! - Bodies: inferred, or ECP5's cells in a design made for that target (`hdl-style.md`): the fewest DP16KD that the
//!   shape needs, as many as Yosys takes for the inferred body. Words of several rows of cells pass a multiplexer.
//! - Cost: 512 x 64, with or without lanes of 8: 2 DP16KD and nothing else; the output register adds 64 FF to the
//!   inferred body, nothing to ECP5's. Between a FIFO's pointers and a
//!   register, 512 x 72: 114 FF with the inferred body, 42 with cells (Yosys 0.70, nextpnr 0.11, between registers, two
//!   seeds). LFE5U-85F speed 8: inferred 193-195 MHz, at the memory's 4.1 ns from clock to output; of cells 292-296 MHz,
//!   in the pointers. LFE5UM5G-85F speed 8, whose cells nextpnr has as faster: inferred 304-346 MHz, of cells 326-354
//!   MHz, both in the pointers.

mod ecp5;
mod tiling;

use crate::build::*;
pub use ecp5::DP16KD;
use pagetrain_formats::BlockRam;

/// The parameters of a block memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ram {
    width: usize,
    addr_w: usize,
    lane: Option<usize>,
    out_reg: bool,
}

impl Ram {
    /// 2^`addr_w` words of `width` bits, written whole, without output register.
    pub fn new(width: usize, addr_w: usize) -> Self {
        Self {
            width,
            addr_w,
            lane: None,
            out_reg: false,
        }
    }

    /// Write enables for lanes of `bits` bits each.
    pub fn lanes(self, bits: usize) -> Self {
        let lane = Some(bits);
        Self { lane, ..self }
    }

    /// An output register behind the read register: the memory's own clock-to-output time is long.
    pub fn out_reg(self) -> Self {
        Self {
            out_reg: true,
            ..self
        }
    }

    /// Clocks from `rd_en` to `rd_data` where `rd_out_en` follows one clock later.
    pub fn latency(&self) -> usize {
        1 + usize::from(self.out_reg)
    }

    fn name(&self) -> String {
        let lanes = self
            .lane
            .map_or(String::new(), |bits| format!("_lane{bits}"));
        let out = if self.out_reg { "_reg" } else { "" };
        format!("ram_{}x{}{lanes}{out}", 1usize << self.addr_w, self.width)
    }

    /// The module, named after its parameters.
    ///
    /// # Panics
    /// When `addr_w` is not 1 to 16 or the lanes do not divide the width.
    pub fn build(&self) -> Module {
        let (width, addr_w) = (self.width, self.addr_w);
        assert!(
            (1..=16).contains(&addr_w),
            "ram: addr_w is {addr_w}, must be 1 to 16"
        );
        let lane = self.lane.unwrap_or(width);
        assert!(
            lane > 0 && width % lane == 0,
            "ram: lanes of {lane} bits do not divide {width} bits"
        );
        let mut m = Module::new(
            &self.name(),
            "Block memory, one write and one read port on one clock.",
        );
        self.inputs(&mut m);
        m.output_reg("rd_data", width, "the word");
        m.text(&self.inferred(lane));
        m.stand_in(BlockRam::Ecp5.name(), ecp5::module(self));
        m
    }

    fn inputs(&self, m: &mut Module) {
        let lanes = self.lane.map_or(1, |bits| self.width / bits);
        m.clk();
        m.input("wr_en", lanes, "write at this edge");
        m.input("wr_addr", self.addr_w, "where to");
        m.input("wr_data", self.width, "what");
        m.input("rd_en", 1, "read at this edge");
        m.input("rd_addr", self.addr_w, "where from");
        if self.out_reg {
            m.input("rd_out_en", 1, "load the output register at this edge");
        }
    }

    /// A description that every synthesis tool takes for block memory.
    fn inferred(&self, lane: usize) -> String {
        let range = if self.width == 1 {
            String::new()
        } else {
            format!("[{}:0] ", self.width - 1)
        };
        let word = if self.out_reg { "rd_word" } else { "rd_data" };
        let mut t = String::from("// A read of the address being written is undefined\n");
        t += "(* no_rw_check, ram_style = \"block\" *)\n";
        t += &format!("reg {range}mem [0:{}];\n", (1usize << self.addr_w) - 1);
        if self.out_reg {
            t += &format!("reg {range}rd_word;\n");
        }
        t += "\nalways @(posedge clk) begin\n";
        for i in 0..self.width / lane {
            let (en, part) = match self.lane {
                Some(_) if self.width > lane => (
                    format!("wr_en[{i}]"),
                    format!("[{}:{}]", (i + 1) * lane - 1, i * lane),
                ),
                _ => ("wr_en".into(), String::new()),
            };
            t += &format!(
                "    if ({en}) begin\n        mem[wr_addr]{part} <= wr_data{part};\n    end\n"
            );
        }
        t += &format!("    if (rd_en) begin\n        {word} <= mem[rd_addr];\n    end\n");
        if self.out_reg {
            t += "    if (rd_out_en) begin\n        rd_data <= rd_word;\n    end\n";
        }
        t + "end\n"
    }
}
