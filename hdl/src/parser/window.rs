//! Window memory: the first bytes of each context's frame; reads any 16 bytes in one access.
//!
//! Contract: a chunk is the 16 bytes of context `rd_ctx` from byte `rd_addr` on; bytes from `rd_limit` on read as 0, so
//! what an earlier frame left in the context can never be seen. One beat is written and one chunk is read a clock.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `wr_*` | in | | a beat, its context, its number in the window |
//! | `rd_ctx`, `rd_addr`, `rd_limit` | in | | read request |
//! | `chunk` | out | 128 | the bytes, first in bits 7:0 |
//!
//! - Timing: `chunk` follows the request by [`LATENCY`] clocks.
//!
//! ## Pipeline
//! Rows of 16 bytes lie in banks in turn, so that a chunk's two rows are in two banks and a beat's rows in as many. A bank whose
//! turn is before the chunk's first row is read one row further on.
//! 1. Bank addresses. 2. Memory; how many of the 16 bytes are there. 3. Rotation, the longer half of its
//!    levels.
//! 4. The other half; bytes that are not there become 0.

use super::shape::{Shape, ADDR_BITS, CHUNK_BITS, LIMIT_BITS};
use crate::build::{cat, cat_lsb_first, clog2, lit, mux, Expr, Module, Sig};
use crate::prim::Ram;
use pagetrain_formats::program::fields::CHUNK_BYTES;

/// Clocks from the request to the chunk.
pub const LATENCY: usize = 4;

/// Builds the block.
pub fn parser_window(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_window",
        "The first bytes of each context's frame; reads any 16 of them.",
    );
    let wr_valid = m.input("wr_valid", 1, "write a beat");
    let wr_ctx = m.input("wr_ctx", s.ctx_bits(), "its context");
    let wr_beat = m.input("wr_beat", s.beat_bits(), "its number in the window");
    let wr_data = m.input("wr_data", s.w, "its bytes");
    let rd_ctx = m.input("rd_ctx", s.ctx_bits(), "read: context");
    let rd_addr = m.input("rd_addr", ADDR_BITS, "read: first byte");
    let rd_limit = m.input(
        "rd_limit",
        LIMIT_BITS,
        "read: first byte that does not count",
    );
    let chunk = m.output_reg("chunk", CHUNK_BITS, "16 bytes, first in bits 7:0");

    let bank_bits = clog2(s.banks);
    let row = rd_addr.bits(4, s.index_bits() + bank_bits);
    let in_turn = m.named("in_turn", row.trunc(bank_bits));
    let index = m.named("index", row.from_bit(bank_bits));
    m.unused(
        rd_addr.from_bit(4 + row.width()),
        "beyond the window everything reads as 0",
    );

    let wr = Write {
        valid: &wr_valid,
        ctx: &wr_ctx,
        beat: &wr_beat,
        data: &wr_data,
    };
    let lane_bytes = CHUNK_BYTES.min(s.wb);
    let mut bytes: Vec<Expr> = vec![];
    for bank in 0..s.banks {
        let wraps = if bank + 1 < s.banks {
            in_turn.gt(bank)
        } else {
            lit(1, 0)
        };
        let at = m.named(&format!("index_{bank}"), &index + wraps.zext(index.width()));
        for lane in 0..CHUNK_BYTES / lane_bytes {
            let (we, waddr, wdata) = wr.port(s, bank, lane);
            let mem = Ram::new(8 * lane_bytes, s.ctx_bits() + s.index_bits()).out_reg();
            let mem = m.instance(&format!("u_bank_{bank}_{lane}"), mem.build());
            m.connect(&mem, "wr_en", we);
            m.connect(&mem, "wr_addr", waddr);
            m.connect(&mem, "wr_data", wdata);
            m.connect(&mem, "rd_en", 1);
            m.connect(&mem, "rd_addr", cat(&[rd_ctx.expr(), at.expr()]));
            m.connect(&mem, "rd_out_en", 1);
            let data = mem.out("rd_data");
            bytes.extend((0..lane_bytes).map(|i| data.byte(i)));
        }
    }

    m.comment("How many of the 16 bytes are there");
    let s2_avail = m.reg("s2_avail", ADDR_BITS + 1);
    let s3_none = m.reg("s3_none", 1);
    let s3_all = m.reg("s3_all", 1);
    let s3_avail = m.reg("s3_avail", 4);
    let s4_there = m.reg("s4_there", CHUNK_BYTES);
    let there = (0..CHUNK_BYTES).map(|i| !&s3_none & (&s3_all | s3_avail.gt(i)));
    let there = cat_lsb_first(&there.collect::<Vec<_>>());
    m.seq("Bytes that are there", |b| {
        b.set(
            &s2_avail,
            rd_limit.zext(ADDR_BITS + 1) - rd_addr.zext(ADDR_BITS + 1),
        );
        b.set(&s3_none, s2_avail.bit(ADDR_BITS));
        b.set(&s3_all, s2_avail.bits(4, ADDR_BITS - 4).any());
        b.set(&s3_avail, s2_avail.trunc(4));
        b.set(&s4_there, there);
    });

    rotate(&mut m, s, bytes, &rd_addr, &s4_there, &chunk);
    m
}

/// Turns the banks' bytes until the chunk's first byte is the lowest.
fn rotate(m: &mut Module, s: &Shape, bytes: Vec<Expr>, rd_addr: &Sig, there: &Sig, chunk: &Sig) {
    let levels = 4 + clog2(s.banks);
    // The memory's clock-to-output time is long: the levels behind it are the fewer ones.
    let coarse = levels / 2;
    let s2_turn = m.reg("s2_turn", levels);
    let s3_turn = m.reg("s3_turn", levels);
    let s4_turn = m.reg("s4_turn", levels - coarse);
    let mut bytes = bytes;
    let mut s4_bytes = None;
    m.comment("Rotation, coarse levels first; bytes that no later level can reach are left out");
    for level in (0..levels).rev() {
        let by = 1 << level;
        // The chunk, and what the levels below may still turn away.
        let kept = CHUNK_BYTES - 1 + by;
        let turn = if levels - level <= coarse {
            s3_turn.bit(level)
        } else {
            s4_turn.bit(level)
        };
        let turned: Vec<Expr> = (0..kept)
            .map(|i| mux(&turn, bytes[(i + by) % bytes.len()].clone(), &bytes[i]))
            .collect();
        let wire = m.named(&format!("turn_{by}"), cat_lsb_first(&turned));
        bytes = (0..kept).map(|i| wire.byte(i)).collect();
        if levels - level == coarse {
            let reg = m.reg("s4_bytes", 8 * kept);
            bytes = (0..kept).map(|i| reg.byte(i)).collect();
            s4_bytes = Some((reg, wire));
        }
    }
    let masked: Vec<Expr> = (0..CHUNK_BYTES)
        .map(|i| &bytes[i] & there.bit(i).repeat(8))
        .collect();
    m.seq("Rotation", |b| {
        b.set(&s2_turn, rd_addr.trunc(levels));
        b.set(&s3_turn, &s2_turn);
        b.set(&s4_turn, s3_turn.trunc(levels - coarse));
        if let Some((reg, wire)) = &s4_bytes {
            b.set(reg, wire);
        }
        b.set(chunk, cat_lsb_first(&masked));
    });
}

/// The write port of the whole memory.
struct Write<'a> {
    valid: &'a Sig,
    ctx: &'a Sig,
    beat: &'a Sig,
    data: &'a Sig,
}

impl Write<'_> {
    /// Enable, address and data for one lane of one bank.
    fn port(&self, s: &Shape, bank: usize, lane: usize) -> (Expr, Expr, Expr) {
        let in_beat = (s.wb / CHUNK_BYTES).max(1);
        let lane_bytes = CHUNK_BYTES.min(s.wb);
        let lanes = CHUNK_BYTES / lane_bytes;
        // The lowest bits of the beat's number choose lane and bank, where a beat does not fill them all.
        let skip = clog2(lanes) + clog2(s.banks / in_beat);
        let chosen = lane + lanes * (bank / in_beat);
        let we = if skip == 0 {
            self.valid.expr()
        } else {
            self.valid & self.beat.trunc(skip).eq(chosen)
        };
        let waddr = cat(&[self.ctx.expr(), self.beat.from_bit(skip)]);
        let wdata = self.data.part(bank % in_beat, 8 * lane_bytes);
        (we, waddr, wdata)
    }
}
