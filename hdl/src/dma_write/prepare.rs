//! From a copy command to what the burst generator and the data path need to know: four stages, a command a clock.

use super::Widths;
use crate::build::{cat, mux, Expr, Module, Sig};
use crate::bundle::{self, Bundle};

/// Bits of a patch's number.
pub(super) const SLOT: usize = 3;
/// Flags of a command that only the data path looks at.
const FLAGS: [&str; 6] = ["sum", "anew", "minus", "no_write", "patch", "set"];

/// A command for the data path.
pub(super) fn data_cmd(w: &Widths) -> Bundle {
    let fields = [
        ("word", w.word),
        // Steps - 1, and whether there is only one.
        ("left", w.steps),
        ("single", 1),
        // Source bytes are moved down by this many lanes, around the end.
        ("shift", w.lane),
        // All lanes come from the word at hand: nothing of the one before is needed.
        ("direct", 1),
        // The first step reads a word and writes nothing; the last writes what is left and reads nothing.
        ("prime", 1),
        ("flush", 1),
        // First lane of the first beat, last lane of the last.
        ("first", w.lane),
        ("last", w.lane),
        ("beat", w.beat),
        ("null", 1),
        ("free", 1),
        ("words", w.word),
        // The bytes are summed: from the first beat on anew, with the bytes of a pair swapped, subtracted.
        ("sum", 1),
        ("anew", 1),
        ("swap", 1),
        ("minus", 1),
        ("no_write", 1),
        ("patch", 1),
        // A patch is set: which, its 16-bit lane of the word, its value; wait for the sum.
        ("set", 1),
        ("slot", SLOT),
        ("place", w.lane - 1),
        ("value", 16),
        ("from_sum", 1),
    ];
    Bundle::new("DMA_DATA_CMD", &fields)
}

/// A command for the burst generator: bursts end where `beat` does.
pub(super) fn burst_cmd(w: &Widths) -> Bundle {
    let fields = [
        ("block", w.block),
        ("start", w.beat),
        ("end", w.beat),
        ("more", w.more),
        ("null", 1),
    ];
    Bundle::new("DMA_BURST_CMD", &fields)
}

/// What leaves the last stage.
pub(super) struct Prepared {
    pub(super) valid: Sig,
    pub(super) data: Expr,
    pub(super) burst: Expr,
}

/// Adds the stages for the command `record`, present when `valid`.
pub(super) fn prepare(
    m: &mut Module,
    w: &Widths,
    cmd: &Bundle,
    valid: &Expr,
    record: &Sig,
) -> Prepared {
    let (lane, beat) = (w.lane, w.beat);
    let src = cmd.get(record, "src");
    let len = cmd.get(record, "len");
    // Where nothing is written, the beats lie as the words do.
    let no_write = cmd.get(record, "no_write");
    let addr = cmd.get(record, "addr");
    let low_addr = mux(&no_write, src.trunc(lane), addr.trunc(lane));
    let low_addr = m.named("low_addr", low_addr);
    let addr = cat(&[addr.from_bit(lane), low_addr.expr()]);
    let low = lane + beat;
    let flags = |stage: usize, m: &mut Module| -> Vec<Sig> {
        let reg = |name: &&str| m.reg(&format!("p{stage}_{name}"), 1);
        FLAGS.iter().map(reg).collect()
    };
    let (p1_flags, p2_flags, p3_flags) = (flags(1, m), flags(2, m), flags(3, m));
    let p1_swap = m.reg("p1_swap", 1);
    let p2_swap = m.reg("p2_swap", 1);
    let p3_swap = m.reg("p3_swap", 1);
    let p2_place = m.reg("p2_place", lane - 1);
    let p3_place = m.reg("p3_place", lane - 1);

    // Stage 1: alignment of source and destination to each other.
    let p1_valid = m.reg_rst("p1_valid", 1, 0);
    let p1_src = m.reg("p1_src", src.width());
    let p1_addr = m.reg("p1_addr", 64);
    let p1_len = m.reg("p1_len", 14);
    let p1_shift = m.reg("p1_shift", lane);
    let p1_below = m.reg("p1_below", 1);
    let p1_null = m.reg("p1_null", 1);
    let p1_free = m.reg("p1_free", 1);
    let p1_words = m.reg("p1_words", w.word);
    m.seq(
        "Stage 1: alignment of source and destination to each other",
        |b| {
            b.set(&p1_valid, valid);
            b.set(&p1_src, &src);
            b.set(&p1_addr, &addr);
            b.set(&p1_len, &len - 1);
            b.set(&p1_null, !len.any() | cmd.get(record, "set"));
            b.set(&p1_shift, src.trunc(lane) - &low_addr);
            b.set(&p1_below, src.trunc(lane).lt(&low_addr));
            b.set(&p1_swap, low_addr.bit(0) ^ cmd.get(record, "odd"));
            for (flag, name) in p1_flags.iter().zip(FLAGS) {
                b.set(flag, cmd.get(record, name));
            }
            b.set(&p1_free, cmd.get(record, "free"));
            b.set(&p1_words, cmd.get(record, "words"));
        },
    );

    // Stage 2: source words, destination beats, blocks touched, each - 1.
    let sum = 15;
    let p2_valid = m.reg_rst("p2_valid", 1, 0);
    let p2_word = m.reg("p2_word", w.word);
    let p2_block = m.reg("p2_block", w.block);
    let p2_start = m.reg("p2_start", low);
    let p2_reads = m.reg("p2_reads", sum - lane);
    let p2_writes = m.reg("p2_writes", sum - lane);
    let p2_end = m.reg("p2_end", sum);
    let p2_shift = m.reg("p2_shift", lane);
    let p2_below = m.reg("p2_below", 1);
    let p2_null = m.reg("p2_null", 1);
    let p2_free = m.reg("p2_free", 1);
    let p2_words = m.reg("p2_words", w.word);
    let reads = m.named("reads", p1_src.trunc(lane).zext(sum) + p1_len.zext(sum));
    let writes = m.named("writes", p1_addr.trunc(lane).zext(sum) + p1_len.zext(sum));
    m.seq(
        "Stage 2: source words, destination beats and blocks that the command touches, each - 1",
        |b| {
            b.set(&p2_valid, &p1_valid);
            b.set(&p2_word, p1_src.from_bit(lane));
            b.set(&p2_block, p1_addr.from_bit(low));
            b.set(&p2_start, p1_addr.trunc(low));
            b.set(&p2_reads, reads.from_bit(lane));
            b.set(&p2_writes, writes.from_bit(lane));
            b.set(&p2_end, p1_addr.trunc(low).zext(sum) + p1_len.zext(sum));
            b.set(&p2_shift, &p1_shift);
            b.set(&p2_below, &p1_below);
            b.set(&p2_null, &p1_null);
            b.set(&p2_free, &p1_free);
            b.set(&p2_words, &p1_words);
            b.set(&p2_swap, &p1_swap);
            b.set(&p2_place, p1_src.bits(1, lane - 1));
            p2_flags
                .iter()
                .zip(&p1_flags)
                .for_each(|(r, v)| b.set(r, v));
        },
    );
    for (sum, what) in [
        (&reads, "lane of the last source byte"),
        (&writes, "p2_end has it"),
    ] {
        m.unused(sum.trunc(lane), what);
    }

    // Stage 3: which steps only read or only write.
    let p3_valid = m.reg_rst("p3_valid", 1, 0);
    let p3_word = m.reg("p3_word", w.word);
    let p3_block = m.reg("p3_block", w.block);
    let p3_start = m.reg("p3_start", low);
    let p3_writes = m.reg("p3_writes", w.steps);
    let p3_end = m.reg("p3_end", sum);
    let p3_shift = m.reg("p3_shift", lane);
    let p3_direct = m.reg("p3_direct", 1);
    let p3_prime = m.reg("p3_prime", 1);
    let p3_flush = m.reg("p3_flush", 1);
    let p3_one = m.reg("p3_one", 1);
    let p3_null = m.reg("p3_null", 1);
    let p3_free = m.reg("p3_free", 1);
    let p3_words = m.reg("p3_words", w.word);
    let above = m.named("above", !&p2_below & p2_shift.any());
    let one_read = m.named("one_read", !p2_reads.any());
    let as_many = m.named("as_many", !(p2_reads.bit(0) ^ p2_writes.bit(0)));
    m.seq("Stage 3: which steps only read or only write", |b| {
        b.set(&p3_valid, &p2_valid);
        b.set(&p3_word, &p2_word);
        b.set(&p3_block, &p2_block);
        b.set(&p3_start, &p2_start);
        b.set(&p3_writes, &p2_writes);
        b.set(&p3_end, &p2_end);
        b.set(&p3_shift, &p2_shift);
        b.set(&p3_direct, !p2_shift.any() | (&above & &one_read));
        b.set(&p3_prime, &above & !&one_read);
        // Words and beats differ by one at most, so one bit of each tells which are more.
        b.set(
            &p3_flush,
            (&above & !&one_read & &as_many) | (&p2_below & !&as_many),
        );
        b.set(&p3_one, !p2_writes.any());
        b.set(&p3_null, &p2_null);
        b.set(&p3_free, &p2_free);
        b.set(&p3_words, &p2_words);
        b.set(&p3_swap, &p2_swap);
        b.set(&p3_place, &p2_place);
        p3_flags
            .iter()
            .zip(&p2_flags)
            .for_each(|(r, v)| b.set(r, v));
    });

    // Stage 4: number of steps. For the bursts, a command that writes nothing is an empty one.
    let p4_valid = m.reg_rst("p4_valid", 1, 0);
    let (data, burst) = (data_cmd(w), burst_cmd(w));
    let p4_data = m.reg("p4_data", data.width());
    let p4_burst = m.reg("p4_burst", burst.width());
    let end_beat = p3_end.bits(lane, beat);
    let flag = |name: &str| {
        let i = FLAGS.iter().position(|f| *f == name);
        p3_flags[i.unwrap_or_else(|| unreachable!("{name} is a flag"))].expr()
    };
    let silent = m.named("silent", &p3_null | flag("no_write"));
    let patch = bundle::patch();
    let p3_addr = cat(&[&p3_block, &p3_start]);
    let of_patch = |name: &str| patch.get(p3_addr.clone(), name);
    m.seq("Stage 4: number of steps", |b| {
        b.set(&p4_valid, &p3_valid);
        let steps = &p3_writes + p3_prime.zext(w.steps);
        let values = [
            ("word", p3_word.expr()),
            ("left", (!&p3_null).repeat(w.steps) & steps),
            ("single", &p3_null | (&p3_one & !&p3_prime)),
            ("shift", p3_shift.expr()),
            ("direct", p3_direct.expr()),
            ("prime", p3_prime.expr()),
            ("flush", p3_flush.expr()),
            ("first", p3_start.trunc(lane)),
            ("last", p3_end.trunc(lane)),
            ("beat", p3_start.from_bit(lane)),
            ("null", p3_null.expr()),
            ("free", p3_free.expr()),
            ("words", p3_words.expr()),
            ("sum", flag("sum")),
            ("anew", flag("anew")),
            ("swap", p3_swap.expr()),
            ("minus", flag("minus")),
            ("no_write", flag("no_write")),
            ("patch", flag("patch")),
            ("set", flag("set")),
            ("slot", of_patch("slot")),
            ("place", p3_place.expr()),
            ("value", of_patch("value")),
            ("from_sum", of_patch("from_sum") & flag("set")),
        ];
        b.set(&p4_data, data.pack(&values));
        let values = [
            ("block", p3_block.expr()),
            ("start", p3_start.from_bit(lane)),
            ("end", end_beat),
            ("more", (!&silent).repeat(w.more) & p3_end.from_bit(low)),
            ("null", silent.expr()),
        ];
        b.set(&p4_burst, burst.pack(&values));
    });
    Prepared {
        valid: p4_valid,
        data: p4_data.expr(),
        burst: p4_burst.expr(),
    }
}
