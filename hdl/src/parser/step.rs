//! Step unit: a ring of nine stages in which frames take one step of the program a round.
//!
//! Contract: one step a clock, whatever frame it belongs to. A frame that goes on has priority over a frame that begins, so
//! a frame of n steps is decided n rounds after its first. A frame is *dead* when it breaks a rule after the decision to go on was
//! made: it makes one more round, whose step counts for nothing.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `cfg_parser_enable` | in | 1 | there is a program; else every frame is rejected by its first step |
//! | `start_*` | in | | a frame is ready to be parsed |
//! | `rd_ctx`, `rd_addr`, `rd_limit` | out | | chunk request, stage 1 |
//! | `off_row`, `off`, `row_<k>`, `dw0` .. `dw3` | out, in | | program memory |
//! | `adv_byte` | in | 8 | chunk byte of the advance, stage 6 |
//! | `f5_*` .. `f9_*`, `s8_*`, `s9_*` | out, in | | the frame in that stage |
//!
//! - Timing: [`STAGES`] clocks a step.
//!
//! ## Pipeline
//! - 0: chunk address; did the last round kill the frame? 1 to 4: chunk ([`super::window`]). 4: cursor + need.
//! - 5: bytes of key and advance, and until 6 of end ([`super::select`]); is what the step needs there?
//! - 6: arms ([`super::arms`]); shift and mask of the advance. 7: next row; second shift.
//! - 8: new cursor; the next step begins, of this frame or of a new one. 9 (= 0 of the next): what the step leaves ([`super::marks`]).

use super::program::ASKED;
use super::shape::{Shape, ADDR_BITS, CURSOR_BITS, LIMIT_BITS};
use crate::build::{clog2, lit, mux, Expr, Module, Sig};
use crate::pipe::Pipe;
use crate::prim::{lutram, some_next};
use pagetrain_formats::layout::Field;
use pagetrain_formats::program::fields::{
    ADV_ADD, ADV_EN, ADV_LSHIFT, ADV_MASK, ADV_MIN, ADV_RSHIFT, ADV_SEL, NEED, NEXT, OFF, SET,
};

/// Clocks of a step.
pub const STAGES: usize = 9;
/// Bits of a cursor after any advance, before it is checked.
const SUM_BITS: usize = 16;

/// A field of a column.
pub(super) fn field(column: &Sig, f: Field) -> Expr {
    column.bits(f.lsb, f.width)
}

/// Builds the block.
pub fn parser_step(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_step",
        "A ring of nine stages in which frames take one step of the program a round.",
    );
    let enable = m.input("cfg_parser_enable", 1, "there is a program");
    let start_valid = m.input("start_valid", 1, "a frame is ready to be parsed");
    let start_ctx = m.input("start_ctx", s.ctx_bits(), "its context");
    let start_limit = m.input("start_limit", LIMIT_BITS, "its bytes that can be seen");
    let off = m.input("off", 8, "`off` of row `off_row`");
    let dw0 = m.input("dw0", super::program::column_width(0), "dword 0, stage 4");
    let dw2 = m.input("dw2", super::program::column_width(2), "dword 2, stage 5");
    let dw3 = m.input("dw3", super::program::column_width(3), "dword 3, stage 6");
    let adv_byte = m.input("adv_byte", 8, "chunk byte of the advance, stage 6");
    let s8_go = m.input("s8_go", 1, "the frame in stage 8 takes another step");
    let s8_row = m.input("s8_row", s.row_bits(), "of this row");
    let s9_end_fail = m.input("s9_end_fail", 1, "the step in stage 9 set a wrong end");

    let mut p = Pipe::new();
    let steps_bits = clog2(s.steps + 1);
    let s0_valid = m.reg_rst("s0_valid", 1, 0);
    let s0_first = m.reg("s0_first", 1);
    let s0_off_air = m.reg("s0_off_air", 1);
    let s0_ctx = m.reg("s0_ctx", s.ctx_bits());
    let s0_row = m.reg("s0_row", s.row_bits());
    let s0_cursor = m.reg("s0_cursor", CURSOR_BITS);
    let s0_limit = m.reg("s0_limit", LIMIT_BITS);
    let s0_off = m.reg("s0_off", 8);
    let s0_step = m.reg("s0_step", steps_bits);
    let valid = p.carry_rst(&mut m, "valid", &s0_valid, 0, 9);
    let first = p.carry(&mut m, "first", &s0_first, 0, 6);
    let ctx = p.carry(&mut m, "ctx", &s0_ctx, 0, 9);
    let row = p.carry(&mut m, "row", &s0_row, 0, *ASKED.end());
    let cursor = p.carry(&mut m, "cursor", &s0_cursor, 0, 8);
    let limit = p.carry(&mut m, "limit", &s0_limit, 0, 5);

    m.comment("Stage 0: chunk address, number of the next step, rules broken in the round before");
    let s9_late = m.wire("s9_late", 1);
    let address = s0_cursor.zext(ADDR_BITS) + s0_off.zext(ADDR_BITS);
    let s1_addr = p.reg(&mut m, 0, "addr", address);
    let s1_step = p.reg(&mut m, 0, "step", &s0_step + 1);
    let next_step = p.carry(&mut m, "step", &s1_step, 1, 8);
    let s1_last = p.reg(&mut m, 0, "last", s0_step.eq(s.steps));
    let last = p.carry(&mut m, "last", &s1_last, 1, 7);
    let s1_dead = p.reg(&mut m, 0, "dead", &s0_off_air | (!&s0_first & &s9_late));
    let dead = p.carry(&mut m, "dead", &s1_dead, 1, 6);

    m.comment("Stages 4 to 6: bytes that the step needs");
    let needed = cursor[4].zext(ADDR_BITS) + field(&dw0, NEED).zext(ADDR_BITS);
    m.unused(field(&dw0, OFF), "the address uses a column of its own");
    m.unused(dw0.from_bit(SET.lsb), "flags and marks are kept elsewhere");
    let s5_needed = p.reg(&mut m, 4, "needed", needed);
    let s6_short = p.reg(&mut m, 5, "short", s5_needed.gt(limit[5].zext(ADDR_BITS)));
    let s7_killed = p.reg(&mut m, 6, "killed", &dead[5] | &s6_short);
    let s7_alive = m.named("s7_alive", &valid[7] & !&s7_killed);

    let sum = advance(&mut m, &mut p, &cursor, &dw2, &dw3, &adv_byte);
    let over = sum.s9_sum.from_bit(CURSOR_BITS).any();
    m.assign(&s9_late, over | &sum.s9_small | &s9_end_fail);

    m.comment("Stage 8: a frame that goes on, else one that waits");
    let waiting = m.reg_rst("waiting", s.ctx_bits() + 1, 0);
    let ready = m.reg_rst("ready", 1, 0);
    let next_ctx = m.reg_rst("next_ctx", s.ctx_bits(), 0);
    let new_frame = m.named("new_frame", !&s8_go & &ready);
    let width = waiting.width();
    let waiting_next = &waiting + start_valid.zext(width) - new_frame.zext(width);
    m.seq(
        "Frames that wait to begin; they begin in the order in which they came",
        |b| {
            b.set(&waiting, waiting_next);
            b.set(&ready, some_next(&waiting, &start_valid, &new_frame));
            b.when(&new_frame, |b| b.set(&next_ctx, &next_ctx + 1));
        },
    );
    let issue_ctx = m.named("issue_ctx", mux(&s8_go, &ctx[8], &next_ctx));
    let off_row = m.output("off_row", s.row_bits(), "row whose `off` is wanted");
    m.assign(&off_row, &s8_row & s8_go.repeat(s.row_bits()));
    let limits = m.instance("u_limits", lutram(LIMIT_BITS, s.ctx_bits()));
    m.connect(&limits, "wr_en", &start_valid);
    m.connect(&limits, "wr_addr", &start_ctx);
    m.connect(&limits, "wr_data", &start_limit);
    m.connect(&limits, "rd_addr", &issue_ctx);
    p.load(8, &s0_valid, &s8_go | &ready);
    p.load(8, &s0_first, !&s8_go);
    p.load(8, &s0_off_air, !&s8_go & !&enable);
    p.load(8, &s0_ctx, &issue_ctx);
    p.load(8, &s0_row, &off_row);
    p.load(
        8,
        &s0_cursor,
        sum.s8_sum.trunc(CURSOR_BITS) & s8_go.repeat(CURSOR_BITS),
    );
    p.load(8, &s0_limit, limits.out("rd_data"));
    p.load(8, &s0_off, &off);
    p.load(8, &s0_step, mux(&s8_go, &next_step[7], lit(steps_bits, 1)));
    let s9_going = p.reg(&mut m, 8, "going", &s8_go);

    let tell: [(&str, &Sig, &str); 21] = [
        ("rd_ctx", &ctx[1], "chunk request: context"),
        ("rd_addr", &s1_addr, "chunk request: first byte"),
        ("rd_limit", &limit[1], "chunk request: bytes that are there"),
        ("row_1", &row[1], "row of the frame in stage 1"),
        ("row_2", &row[2], "row of the frame in stage 2"),
        ("row_3", &row[3], "row of the frame in stage 3"),
        ("row_4", &row[4], "row of the frame in stage 4"),
        ("f5_valid", &valid[5], "stage 5 holds a frame"),
        ("f5_first", &first[5], "it takes its first step"),
        ("f5_ctx", &ctx[5], "its context"),
        ("f5_cursor", &cursor[5], "its cursor"),
        (
            "f6_first",
            &first[6],
            "the frame in stage 6 takes its first step",
        ),
        ("f6_ctx", &ctx[6], "its context"),
        (
            "f7_alive",
            &s7_alive,
            "stage 7 holds a frame that is not rejected",
        ),
        ("f7_last", &last[6], "it may take no further step"),
        ("f8_cursor", &cursor[8], "cursor of the frame in stage 8"),
        ("f9_valid", &valid[9], "stage 9 holds a frame"),
        ("f9_ctx", &ctx[9], "its context"),
        ("f9_going", &s9_going, "it takes another step"),
        ("f9_late", &s9_late, "its step broke a rule"),
        (
            "f9_cursor",
            &sum.s9_sum,
            "its cursor after the advance, unchecked",
        ),
    ];
    for (name, sig, doc) in tell {
        let port = m.output(name, sig.width(), doc);
        m.assign(&port, sig);
    }
    p.finish(
        &mut m,
        &[
            (0, "chunk address"),
            (4, "bytes that the step needs"),
            (5, "are they there"),
            (6, "advance: right shift and mask"),
            (7, "advance: left shift"),
            (8, "new cursor; the next step begins"),
        ],
    );
    m
}

/// The cursor after the advance.
struct Sum {
    /// As stage 8 computes it.
    s8_sum: Sig,
    /// As stage 9 sees it.
    s9_sum: Sig,
    /// The advance is less than its minimum.
    s9_small: Sig,
}

/// Stages 5 to 8: cursor + constant + (((byte >> rshift) & mask) << lshift).
fn advance(m: &mut Module, p: &mut Pipe, cursor: &[Sig], dw2: &Sig, dw3: &Sig, byte: &Sig) -> Sum {
    m.comment("Stages 5 to 8: advance");
    let add = field(dw2, ADV_ADD);
    let s6_base = p.reg(
        m,
        5,
        "base",
        cursor[5].zext(ADDR_BITS) + add.zext(ADDR_BITS),
    );
    let base = p.carry(m, "base", &s6_base, 6, 8);
    let s6_add = p.reg(m, 5, "add", add);
    let s6_rshift = p.reg(m, 5, "rshift", field(dw2, ADV_RSHIFT));
    let s6_mask = p.reg(
        m,
        5,
        "mask",
        field(dw2, ADV_MASK) & field(dw2, ADV_EN).repeat(8),
    );
    let s6_lshift = p.reg(m, 5, "lshift", field(dw2, ADV_LSHIFT));
    m.unused(field(dw2, ADV_SEL), "the bytes are chosen elsewhere");

    let s7_part = p.reg(m, 6, "part", byte.shr_by(&s6_rshift) & &s6_mask);
    let s7_lshift = p.reg(m, 6, "lshift", &s6_lshift);
    m.comment(
        "What the variable part must be at least: minimum - constant, if that is not negative",
    );
    let lack = m.named("lack", field(dw3, ADV_MIN).zext(9) - s6_add.zext(9));
    let s7_least = p.reg(m, 6, "least", lack.trunc(8) & (!lack.bit(8)).repeat(8));
    m.unused(field(dw3, NEXT), "the next row is chosen elsewhere");

    let part_bits = 8 + 7;
    let s8_part = p.reg(m, 7, "part", s7_part.zext(part_bits).shl_by(&s7_lshift));
    let s8_least = p.reg(m, 7, "least", &s7_least);
    let s8_sum = m.named("s8_sum", base[2].zext(SUM_BITS) + s8_part.zext(SUM_BITS));
    let s9_sum = p.reg(m, 8, "sum", &s8_sum);
    let s9_small = p.reg(m, 8, "small", s8_part.lt(s8_least.zext(part_bits)));
    Sum {
        s8_sum,
        s9_sum,
        s9_small,
    }
}
