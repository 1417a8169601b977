//! Extract: takes fields out of the chunk and keeps them, a small RAM a field, until the frame's result leaves.
//!
//! Contract: an extract writes the bytes from its chunk byte on, in network order, into its destination; if two of one step have
//! the same, the later wins. A frame's first step clears every field that it does not write. Bytes beyond the chunk are 0.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `f5_*`, `chunk`, `dw4` | in | | the frame in stage 5, its chunk, its row's extracts |
//! | `rd_ctx` | in | 5 x 4 | whose fields are read, a copy for two fields each |
//! | `<field>` | out | | the fields, in the same clock |
//!
//! - Timing: written [`LATENCY`] clocks after stage 5.
//!
//! ## Pipeline
//! 5. A copy of the chunk: the one that arrives has enough to do for the next step. Each extract: 6. shift by 8 and 4 bytes;
//! decode the destination. 7. Shift by 2 and 1; which field takes it. Each field: 8. choose among the extracts; 9. write.

use super::shape::{Shape, CHUNK_BITS};
use super::shift;
use crate::build::{cat, lit, onehot_mux, or_all, Expr, Module, Sig};
use crate::pipe::Pipe;
use crate::prim::{decode, lutram};
use pagetrain_formats::program::fields::EXTRACTS;
use pagetrain_formats::program::Dest;

/// Clocks from stage 5 until a field can be read.
pub const LATENCY: usize = 5;
/// Fields that one copy of the read address drives: their memories lie all over.
pub const FIELDS_A_COPY: usize = 2;
/// Copies of the read address.
pub const COPIES: usize = FIELDS.len().div_ceil(FIELDS_A_COPY);
/// Bytes of the longest field.
const LONGEST: usize = 8;

/// The fields: name in the PARSE bundle or half of it, destination, destination of its IPv4 form.
pub const FIELDS: [(&str, Dest, Option<Dest>); 10] = [
    ("vlan0", Dest::Vlan0, None),
    ("vlan1", Dest::Vlan1, None),
    ("src_hi", Dest::SrcHi, None),
    ("src_lo", Dest::SrcLo, Some(Dest::Src4)),
    ("dst_hi", Dest::DstHi, None),
    ("dst_lo", Dest::DstLo, Some(Dest::Dst4)),
    ("sport", Dest::Sport, None),
    ("dport", Dest::Dport, None),
    ("seq", Dest::Seq, None),
    ("tcp_flags", Dest::TcpFlags, None),
];

/// Builds the block.
pub fn parser_extract(s: &Shape) -> Module {
    let mut m = Module::new(
        "parser_extract",
        "Takes fields out of the chunk and keeps them until the result leaves.",
    );
    let chunk = m.input("chunk", CHUNK_BITS, "16 bytes of the frame, stage 5");
    let dw4 = m.input("dw4", 8 * EXTRACTS, "the row's extracts, stage 5");
    let f5_valid = m.input("f5_valid", 1, "stage 5 holds a frame");
    let f5_first = m.input("f5_first", 1, "it takes its first step");
    let f5_ctx = m.input("f5_ctx", s.ctx_bits(), "its context");
    let rd_ctx = m.input(
        "rd_ctx",
        s.ctx_bits() * COPIES,
        "whose fields are read: a copy for two fields each",
    );
    let mut p = Pipe::new();
    let valid = p.carry_rst(&mut m, "valid", &f5_valid, 5, 8);
    let first = p.carry(&mut m, "first", &f5_first, 5, 8);
    let ctx = p.carry(&mut m, "ctx", &f5_ctx, 5, 9);

    let s6_chunk = p.reg(&mut m, 5, "chunk", &chunk);
    let mut dests = vec![];
    let mut values = vec![];
    for i in 0..EXTRACTS {
        let s6_dest = p.reg(&mut m, 5, &format!("dest_{i}"), dw4.byte(i).trunc(4));
        let sel = p.reg(&mut m, 5, &format!("sel_{i}"), dw4.byte(i).from_bit(4));
        let bytes = shift::coarse(&s6_chunk, &sel, LONGEST);
        let s7_bytes = p.reg(&mut m, 6, &format!("bytes_{i}"), bytes);
        let s7_fine = p.reg(&mut m, 6, &format!("fine_{i}"), sel.trunc(2));
        let dest = decode(&s6_dest, Dest::ALL.len());
        let s7_dest = p.reg(&mut m, 6, &format!("dest_{i}"), dest);
        m.unused(s7_dest.bit(0), "no destination");
        dests.push(s7_dest);
        let value = shift::fine(&s7_bytes, &s7_fine, LONGEST);
        values.push(p.reg(&mut m, 7, &format!("value_{i}"), value));
    }

    for (i, (name, dest, short)) in FIELDS.into_iter().enumerate() {
        let bytes = dest.bytes();
        m.comment(&format!("Field {name}"));
        let whole = winners(&mut m, &mut p, name, &dests, dest, short);
        let top = |value: &Sig, n: usize| value.from_bit(8 * (LONGEST - n));
        let mut sources: Vec<Expr> = values.iter().map(|v| top(v, bytes)).collect();
        let mut selects: Vec<Expr> = whole.iter().map(Sig::expr).collect();
        if let Some(short) = short {
            let v4 = winners(
                &mut m,
                &mut p,
                &format!("{name}_v4"),
                &dests,
                short,
                Some(dest),
            );
            let n = short.bytes();
            sources.extend(
                values
                    .iter()
                    .map(|v| cat(&[lit(8 * (bytes - n), 0), top(v, n)])),
            );
            selects.extend(v4.iter().map(Sig::expr));
        }
        let s9_value = p.reg(&mut m, 8, name, onehot_mux(&selects, &sources));
        let written = &valid[3] & (&first[3] | or_all(&selects));
        let s9_write = p.reg_rst(&mut m, 8, &format!("{name}_write"), written);
        let out = m.output(name, 8 * bytes, "field of context `rd_ctx`");
        let ram = m.instance(&format!("u_{name}"), lutram(8 * bytes, s.ctx_bits()));
        m.connect(&ram, "wr_en", &s9_write);
        m.connect(&ram, "wr_addr", &ctx[4]);
        m.connect(&ram, "wr_data", &s9_value);
        let rd_addr = rd_ctx.part(i / FIELDS_A_COPY, s.ctx_bits());
        m.connect(&ram, "rd_addr", rd_addr);
        m.connect_out(&ram, "rd_data", &out);
    }
    p.finish(
        &mut m,
        &[
            (5, "copies"),
            (6, "coarse shift, destinations"),
            (7, "fine shift, who takes a field"),
            (8, "choice"),
        ],
    );
    m
}

/// For each extract, in stage 8: it writes `dest`, and no later one writes the same field.
fn winners(
    m: &mut Module,
    p: &mut Pipe,
    name: &str,
    dests: &[Sig],
    dest: Dest,
    other: Option<Dest>,
) -> Vec<Sig> {
    let is = |i: usize, d: Dest| dests[i].bit(d.code() as usize);
    let takes_field = |i: usize| other.map_or(is(i, dest), |o| is(i, dest) | is(i, o));
    (0..EXTRACTS)
        .map(|i| {
            let later: Vec<Expr> = (i + 1..EXTRACTS).map(takes_field).collect();
            let wins = is(i, dest) & !or_all(&later);
            p.reg(m, 7, &format!("{name}_from_{i}"), wins)
        })
        .collect()
}
