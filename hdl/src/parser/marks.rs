//! Marks: what the steps of a frame have found out, a record a context.
//!
//! Contract: a step ORs in its flags, and sets offsets and `end` where its row says so; the first step starts from nothing. An `end`
//! beyond an earlier one, or beyond 65535, fails the step.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `dw0`, `end_add`, `end_word` | in | | row and chunk, stages 4, 5, 7 |
//! | `f<k>_*`, `arm_set`, `s8_accept` | in | | the frame in stage k |
//! | `end_fail` | out | 1 | the step in stage 9 set a wrong end |
//! | `st_*` | out | | stage 10: the record as the step leaves it, frame done, frame rejected |
//!
//! ## Pipeline
//! 6. Read the record. 7. The new end. 8. Compare it with the earlier one; flags, `l3_off`, `end`. 9. `l4_off`, `split`: they
//!    are the cursor after the advance. 10. Write back: long before the frame's next step reads.

use super::program::column_width;
use super::shape::{Shape, ADDR_BITS, CURSOR_BITS};
use super::step::field;
use crate::build::{cat_lsb_first, mux, Expr, Module};
use crate::pipe::Pipe;
use crate::prim::lutram;
use pagetrain_formats::program::fields::{
    END_ADD, END_EN, MARK_L3, MARK_L4, MARK_SPLIT, NEED, OFF, SET,
};

/// The record: fields from bit 0, each mark with its valid bit.
const RECORD: [(&str, usize); 9] = [
    ("flags", 8),
    ("l3_off", CURSOR_BITS),
    ("l3_valid", 1),
    ("l4_off", CURSOR_BITS),
    ("l4_valid", 1),
    ("split", CURSOR_BITS),
    ("split_valid", 1),
    ("end", 16),
    ("end_valid", 1),
];

/// Bits of a record.
pub const RECORD_BITS: usize = 8 + 3 * (CURSOR_BITS + 1) + 17;

/// A field of a record.
pub fn of_record(record: &Expr, name: &str) -> Expr {
    let mut lsb = 0;
    for (n, width) in RECORD {
        if n == name {
            return record.bits(lsb, width);
        }
        lsb += width;
    }
    unreachable!("the record has no field {name}")
}

/// Builds the block.
pub fn parser_marks(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_marks",
        "What the steps of a frame have found out, a record a context.",
    );
    let dw0 = m.input("dw0", column_width(0), "dword 0, stage 4");
    let end_add = m.input("end_add", END_ADD.width, "added to the length, stage 5");
    let end_word = m.input("end_word", 16, "length, stage 7");
    let f5_cursor = m.input("f5_cursor", CURSOR_BITS, "cursor of the frame in stage 5");
    let f6_ctx = m.input("f6_ctx", s.ctx_bits(), "context of the frame in stage 6");
    let f6_first = m.input("f6_first", 1, "it takes its first step");
    let f8_cursor = m.input("f8_cursor", CURSOR_BITS, "cursor of the frame in stage 8");
    let arm_set = m.input("arm_set", 8, "flags of the arm");
    let s8_accept = m.input("s8_accept", 1, "the program accepts the frame");
    let f9_valid = m.input("f9_valid", 1, "stage 9 holds a frame");
    let f9_ctx = m.input("f9_ctx", s.ctx_bits(), "its context");
    let f9_going = m.input("f9_going", 1, "it takes another step");
    let f9_late = m.input("f9_late", 1, "its step broke a rule");
    let f9_cursor = m.input("f9_cursor", 16, "its cursor after the advance");
    m.unused(
        f9_cursor.from_bit(CURSOR_BITS),
        "a cursor that is too large rejects",
    );
    m.unused(field(&dw0, OFF), "the address is computed elsewhere");
    m.unused(field(&dw0, NEED), "the need is checked elsewhere");

    let mut p = Pipe::new();
    let s5_set = p.reg(&mut m, 4, "set", field(&dw0, SET));
    let set = p.carry(&mut m, "set", &s5_set, 5, 8);
    let s5_end_en = p.reg(&mut m, 4, "end_en", field(&dw0, END_EN));
    let end_en = p.carry(&mut m, "end_en", &s5_end_en, 5, 8);
    let s5_mark_l3 = p.reg(&mut m, 4, "mark_l3", field(&dw0, MARK_L3));
    let mark_l3 = p.carry(&mut m, "mark_l3", &s5_mark_l3, 5, 8);
    let s5_mark_l4 = p.reg(&mut m, 4, "mark_l4", field(&dw0, MARK_L4));
    let mark_l4 = p.carry(&mut m, "mark_l4", &s5_mark_l4, 5, 9);
    let s5_mark_split = p.reg(&mut m, 4, "mark_split", field(&dw0, MARK_SPLIT));
    let mark_split = p.carry(&mut m, "mark_split", &s5_mark_split, 5, 9);

    m.comment("Stages 6 and 7: the record so far; the new end");
    let st_valid = m.output_reg_rst("st_valid", 1, 0, "stage 10 holds a frame");
    let st_ctx = m.output_reg("st_ctx", s.ctx_bits(), "its context");
    let st_record = m.output_reg("st_record", RECORD_BITS, "its record");
    let records = m.instance("u_records", lutram(RECORD_BITS, s.ctx_bits()));
    m.connect(&records, "wr_en", &st_valid);
    m.connect(&records, "wr_addr", &st_ctx);
    m.connect(&records, "wr_data", &st_record);
    m.connect(&records, "rd_addr", &f6_ctx);
    let read = records.out("rd_data") & (!&f6_first).repeat(RECORD_BITS);
    let s7_old = p.reg(&mut m, 6, "old", read);
    let end_base = f5_cursor.zext(ADDR_BITS) + end_add.zext(ADDR_BITS);
    let s6_end_base = p.reg(&mut m, 5, "end_base", end_base);
    let s7_end_base = p.reg(&mut m, 6, "end_base", &s6_end_base);
    let s8_end = p.reg(&mut m, 7, "end", s7_end_base.zext(17) + end_word.zext(17));
    let s8_old = p.reg(&mut m, 7, "old", &s7_old);

    m.comment("Stage 8: may end be that");
    let earlier = of_record(&s8_old, "end");
    let beyond = of_record(&s8_old, "end_valid") & s8_end.trunc(16).gt(earlier);
    let end_fail = m.output_reg("end_fail", 1, "the step in stage 9 set a wrong end");
    p.load(8, &end_fail, &end_en[3] & (s8_end.bit(16) | beyond));

    m.comment("Stages 8 and 9: the new record");
    let old8 = |name: &str| of_record(&s8_old, name);
    let s9_flags = p.reg(&mut m, 8, "flags", old8("flags") | &set[3] | &arm_set);
    let s9_l3_off = p.reg(
        &mut m,
        8,
        "l3_off",
        mux(&mark_l3[3], &f8_cursor, old8("l3_off")),
    );
    let s9_l3_valid = p.reg(&mut m, 8, "l3_valid", &mark_l3[3] | old8("l3_valid"));
    let s9_end = p.reg(
        &mut m,
        8,
        "end",
        mux(&end_en[3], s8_end.trunc(16), old8("end")),
    );
    let s9_end_valid = p.reg(&mut m, 8, "end_valid", &end_en[3] | old8("end_valid"));
    let s9_l4_off = p.reg(&mut m, 8, "l4_off", old8("l4_off"));
    let s9_l4_valid = p.reg(&mut m, 8, "l4_valid", old8("l4_valid"));
    let s9_split = p.reg(&mut m, 8, "split", old8("split"));
    let s9_split_valid = p.reg(&mut m, 8, "split_valid", old8("split_valid"));
    let s9_accept = p.reg(&mut m, 8, "accept", &s8_accept);
    let cursor = f9_cursor.trunc(CURSOR_BITS);
    let record = [
        s9_flags.expr(),
        s9_l3_off.expr(),
        s9_l3_valid.expr(),
        mux(&mark_l4[4], &cursor, &s9_l4_off),
        &mark_l4[4] | &s9_l4_valid,
        mux(&mark_split[4], &cursor, &s9_split),
        &mark_split[4] | &s9_split_valid,
        s9_end.expr(),
        s9_end_valid.expr(),
    ];
    p.load(9, &st_valid, &f9_valid);
    p.load(9, &st_ctx, &f9_ctx);
    p.load(9, &st_record, cat_lsb_first(&record));
    let st_done = m.output_reg_rst("st_done", 1, 0, "the frame takes no further step");
    let st_reject = m.output_reg("st_reject", 1, "it is rejected");
    p.load(9, &st_done, &f9_valid & !&f9_going);
    p.load(9, &st_reject, !&s9_accept | &f9_late);
    let titles = [
        (4, "row"),
        (5, "constant part of end"),
        (6, "record so far"),
        (7, "new end"),
        (8, "check of end; flags, l3_off, end"),
        (9, "l4_off, split"),
    ];
    p.finish(&mut m, &titles);
    m
}
