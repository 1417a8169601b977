//! Program memory: a column of block RAM for each dword of a row, each read when its stage comes.
//!
//! Contract: every stage sees the dwords of the row of the frame that it holds. A step asks for a column three clocks before it
//! needs it, so no row is carried along the pipeline. `off` is needed before all else and has a column of distributed RAM.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `prog_*` | in | | write port: row * 16 + dword |
//! | `off_row`, `off` | in, out | | `off` of that row, in the same clock |
//! | `row_<k>` | in | | row of the frame in stage k |
//! | `dw<n>` | out | | dword n of the row whose frame is now three stages further on |
//!
//! - Timing: [`READ_STAGES`] clocks: the memory, its register, and a register more, since the memories lie far apart and their
//!   clock-to-output time leaves no room for the way.
//! - Corner cases: not reset; the program is written while the parser is off. Dword 5 is reserved and not kept.

use super::shape::Shape;
use crate::build::{Module, Sig};
use crate::prim::{lutram, Ram};
use pagetrain_formats::program::fields::{OFF, ROW};

/// Stages between the request of a column and its use.
pub const READ_STAGES: usize = 3;
/// Dwords, each with the stage that uses it.
pub const COLUMNS: [(usize, usize); 15] = [
    (0, 4),
    (1, 5),
    (2, 5),
    (3, 6),
    (4, 5),
    (6, 6),
    (7, 6),
    (8, 6),
    (9, 6),
    (10, 6),
    (11, 6),
    (12, 6),
    (13, 6),
    (14, 6),
    (15, 7),
];
/// Stages whose row the memory must be told.
pub const ASKED: std::ops::RangeInclusive<usize> = 1..=4;

/// Bits of a dword that are kept, from bit 0.
pub fn column_width(dword: usize) -> usize {
    let of_dword = ROW.fields.iter().filter(|f| f.dword == dword);
    of_dword.map(|f| f.lsb + f.width).max().unwrap_or(0)
}

/// Builds the block.
pub fn parser_program(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_program",
        "Program memory: a column a dword, each read when its stage comes.",
    );
    let we = m.input("prog_we", 1, "write a dword");
    let addr = m.input("prog_addr", s.row_bits() + 4, "row * 16 + dword");
    let data = m.input("prog_wdata", 32, "the dword");
    let off_row = m.input("off_row", s.row_bits(), "row whose `off` is asked for");
    let off = m.output("off", OFF.width, "`off` of that row, in the same clock");
    let rows: Vec<Sig> = ASKED
        .map(|k| {
            m.input(
                &format!("row_{k}"),
                s.row_bits(),
                &format!("row of the frame in stage {k}"),
            )
        })
        .collect();

    m.comment("Write port, registered: it reaches every column");
    let w_en = m.reg_rst("w_en", 16, 0);
    let w_row = m.reg("w_row", s.row_bits());
    let w_data = m.reg("w_data", 32);
    m.seq("Which column is written", |b| {
        for dword in 0..16 {
            b.set_bit(&w_en, dword, &we & addr.trunc(4).eq(dword));
        }
        b.set(&w_row, addr.from_bit(4));
        b.set(&w_data, &data);
    });
    m.unused(w_en.bit(5), "dword 5 is reserved");

    let offs = m.instance("u_off", lutram(OFF.width, s.row_bits()));
    m.connect(&offs, "wr_en", w_en.bit(OFF.dword));
    m.connect(&offs, "wr_addr", &w_row);
    m.connect(&offs, "wr_data", w_data.bits(OFF.lsb, OFF.width));
    m.connect(&offs, "rd_addr", &off_row);
    m.connect_out(&offs, "rd_data", &off);

    let mut columns = vec![];
    for (dword, stage) in COLUMNS {
        let width = column_width(dword);
        let doc = format!("dword {dword} of the row of the frame in stage {stage}");
        let out = m.output_reg(&format!("dw{dword}"), width, &doc);
        let mem = Ram::new(width, s.row_bits()).out_reg();
        let mem = m.instance(&format!("u_dw{dword}"), mem.build());
        m.connect(&mem, "wr_en", w_en.bit(dword));
        m.connect(&mem, "wr_addr", &w_row);
        m.connect(&mem, "wr_data", w_data.trunc(width));
        m.connect(&mem, "rd_en", 1);
        let asked = &rows[stage - READ_STAGES - ASKED.start()];
        m.connect(&mem, "rd_addr", asked);
        m.connect(&mem, "rd_out_en", 1);
        columns.push((out, mem.out("rd_data")));
    }
    m.seq("A register beside the logic", |b| {
        for (out, word) in &columns {
            b.set(out, word);
        }
    });
    m
}
