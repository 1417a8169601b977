//! Data path of `dma_write`: from prepared commands to beats, through the frame store and a byte rotator.
//!
//! A step reads a word, writes a beat, or both. A beat takes its low lanes from the word before and its high lanes from
//! the word at hand, each rotated by the same number of lanes; so one kept word is enough.
//! On the way a word may be patched (`patch.rs`), and the beats of a command may be summed (`sum.rs`).

use super::patch::{self, Patches};
use super::prepare::data_cmd;
use super::{sum, Widths};
use crate::build::{cat, cat_lsb_first, clog2, mux, Expr, Module, Sig};
use crate::bundle;
use crate::write_data::DEPTH;

/// Builds the module.
pub(super) fn copy(w: &Widths) -> Module {
    let mut m = Module::new(
        &format!("dma_copy_{}", w.dma_width),
        "Data path of the copy commands: words in, aligned beats out.",
    );
    let (step, turn, span, patches) = steps(&mut m, w);
    let read = while_reading(&mut m, w, (step, turn, span));
    let rotated = rotate(&mut m, w, &read, &patches);
    merge(&mut m, w, &rotated, &patches);
    m
}

/// What goes with a step through the whole pipeline.
struct Step {
    /// A word arrives.
    reads: Expr,
    /// A beat leaves.
    writes: Expr,
    ends_burst: Expr,
    /// The beat is summed, whether it leaves or not; how (fields of [`tally`](super::sum::tally)).
    tally: Expr,
}

/// How the word is turned, and whether the beat needs nothing of the word before.
struct Turn {
    shift: Expr,
    direct: Expr,
}

/// Lanes that the beat covers.
struct Span {
    /// The command's first beat, and the lane it starts at.
    is_first: Expr,
    first: Expr,
    /// The command's last beat, and the lane it ends at.
    is_last: Expr,
    last: Expr,
}

/// Stages from a step to its beat at the output, the step's own included.
const STAGES: usize = 5;

/// Clocks for which a patch that is made from the sum waits: until the beats before it are in the sum, and its value
/// was added.
fn settling(w: &Widths) -> usize {
    STAGES + sum::latency(w.dma_width)
}

/// One step a clock, across commands, as long as there is room for the beat.
fn steps(m: &mut Module, w: &Widths) -> (Step, Turn, Span, Patches) {
    let cmd = data_cmd(w);
    let valid = m.input("s_cmd_tvalid", 1, "prepared command");
    let ready = m.output("s_cmd_tready", 1, "");
    let data = m.input("s_cmd_tdata", cmd.width(), "DMA_DATA_CMD");
    let popped = m.input("popped", 1, "a beat has left the FIFO behind");
    let rd_addr = m.output_reg("rd_addr", w.word, "word of the frame store");
    let free_valid = m.output_reg_rst("free_valid", 1, 0, "a frame was read");
    let free_words = m.output_reg("free_words", w.word, "its words");

    let valid_here = m.reg_rst("c_valid", 1, 0);
    let left = m.reg("c_left", w.steps);
    let last_step = m.reg("c_last_step", 1);
    let first_step = m.reg("c_first_step", 1);
    let first_beat = m.reg("c_first_beat", 1);
    let beat = m.reg("c_beat", w.beat);
    let names = [
        "shift", "direct", "prime", "flush", "first", "last", "null", "free", "words", "sum",
        "anew", "swap", "minus", "no_write", "patch", "set", "slot", "place", "value", "from_sum",
    ];
    let kept: Vec<Sig> = names
        .iter()
        .map(|n| m.reg(&format!("c_{n}"), cmd.place(n).1))
        .collect();
    let c = |name: &str| {
        kept[names
            .iter()
            .position(|n| *n == name)
            .unwrap_or_else(|| unreachable!())]
        .clone()
    };

    let room = m.reg_rst("room", clog2(DEPTH) + 1, DEPTH);
    let wrote = m.reg_rst("wrote", 1, 0);
    let may = m.reg_rst("may_step", 1, 0);
    let settled = m.reg_rst("settled", 1, 0);
    let step = m.named("step", &valid_here & &may & (!c("from_sum") | &settled));
    let beats = m.named("beats", &step & !c("null") & !(c("prime") & &first_step));
    let writes = m.named("writes", &beats & !c("no_write"));
    let ended = m.named("ended", &step & &last_step);
    let load = m.named("load", !&valid_here | &ended);
    m.assign(&ready, &load);
    m.seq("Command at hand", |b| {
        b.when(&step, |b| {
            b.set(&rd_addr, &rd_addr + 1);
            b.set(&left, &left - 1);
            b.set(&last_step, left.eq(1));
            b.set(&first_step, 0);
        });
        b.when(&beats, |b| {
            b.set(&beat, &beat + 1);
            b.set(&first_beat, 0);
        });
        b.when(&load, |b| {
            b.set(&valid_here, &valid);
            b.set(&rd_addr, cmd.get(&data, "word"));
            b.set(&left, cmd.get(&data, "left"));
            b.set(&last_step, cmd.get(&data, "single"));
            b.set(&first_step, 1);
            b.set(&first_beat, 1);
            b.set(&beat, cmd.get(&data, "beat"));
            for name in names {
                b.set(&c(name), cmd.get(&data, name));
            }
        });
    });
    let waited = m.reg("waited", clog2(settling(w) + 1));
    m.seq("For how long the command at hand has waited", |b| {
        b.set(&waited, &waited + 1);
        b.set(&settled, &settled | waited.eq(settling(w)));
        b.when(&load, |b| {
            b.set(&waited, 0);
            b.set(&settled, 0);
        });
    });
    m.seq(
        "The words of a frame are free when its last command was read",
        |b| {
            b.set(&free_valid, &ended & c("free"));
            b.set(&free_words, c("words"));
        },
    );
    m.seq(
        "Room: places in the FIFO that no step has taken; steps in this clock and in the last one may take two more",
        |b| {
            b.set(&wrote, &writes);
            b.when(&wrote & !&popped, |b| b.set(&room, &room - 1));
            b.when(!&wrote & &popped, |b| b.set(&room, &room + 1));
            b.set(&may, room.ge(3));
        },
    );
    let span = Span {
        is_first: first_beat.expr(),
        first: c("first").expr(),
        is_last: last_step.expr(),
        last: c("last").expr(),
    };
    let turn = Turn {
        shift: c("shift").expr(),
        direct: c("direct").expr(),
    };
    let reads = &step & !c("null") & !(c("flush") & &last_step);
    let ends_burst = &last_step | beat.all();
    let sums = &beats & c("sum");
    let starts = &first_beat & c("anew");
    let tally = sum::tally().pack(&[
        ("valid", sums),
        ("anew", starts),
        ("swap", c("swap").expr()),
        ("minus", c("minus").expr()),
    ]);
    // A patch may be set in every clock in which its command is at hand: the last one counts. What is asked for without a
    // step is not read.
    let setting = patch::Setting {
        set: m.named("sets", &valid_here & c("set")),
        slot: c("slot"),
        word: rd_addr.clone(),
        place: c("place"),
        value: c("value"),
        from_sum: c("from_sum"),
    };
    let asks = c("patch");
    let patches = patch::patches(m, w, &setting, &asks);
    (
        Step {
            reads,
            writes: writes.expr(),
            ends_burst,
            tally,
        },
        turn,
        span,
        patches,
    )
}

/// The same step a clock later.
fn delay(m: &mut Module, stage: usize, step: &Step) -> Step {
    let reads = m.reg(&format!("r{stage}_reads"), 1);
    let writes = m.reg_rst(&format!("r{stage}_writes"), 1, 0);
    let ends_burst = m.reg(&format!("r{stage}_ends_burst"), 1);
    let tally = m.reg_rst(&format!("r{stage}_tally"), step.tally.width(), 0);
    m.seq("", |b| {
        b.set(&reads, &step.reads);
        b.set(&writes, &step.writes);
        b.set(&ends_burst, &step.ends_burst);
        b.set(&tally, &step.tally);
    });
    Step {
        reads: reads.expr(),
        writes: writes.expr(),
        ends_burst: ends_burst.expr(),
        tally: tally.expr(),
    }
}

/// The same turn a clock later.
fn delay_turn(m: &mut Module, stage: usize, turn: &Turn) -> Turn {
    let shift = m.reg(&format!("r{stage}_shift"), turn.shift.width());
    let direct = m.reg(&format!("r{stage}_direct"), 1);
    m.seq("", |b| {
        b.set(&shift, &turn.shift);
        b.set(&direct, &turn.direct);
    });
    Turn {
        shift: shift.expr(),
        direct: direct.expr(),
    }
}

/// A step whose word is at the frame store's output.
struct Read {
    step: Step,
    turn: Turn,
    /// Lanes from the first on, lanes up to the last.
    from: Sig,
    to: Sig,
}

/// The two clocks of the frame store; on the way, lane numbers become strobes.
fn while_reading(m: &mut Module, w: &Widths, (step, turn, span): (Step, Turn, Span)) -> Read {
    let n = 1 << w.lane;
    let is_first = m.reg("r1_is_first", 1);
    let first = m.reg("r1_first", w.lane);
    let is_last = m.reg("r1_is_last", 1);
    let last = m.reg("r1_last", w.lane);
    let from = m.reg("r2_from", n);
    let to = m.reg("r2_to", n);
    m.seq(
        "While the word is read: lanes of the first and of the last beat",
        |b| {
            b.set(&is_first, span.is_first);
            b.set(&first, span.first);
            b.set(&is_last, span.is_last);
            b.set(&last, span.last);
            b.set(&from, lanes(n, |l| !&is_first | first.le(l)));
            b.set(&to, lanes(n, |l| !&is_last | last.ge(l)));
        },
    );
    let (step, turn) = (delay(m, 1, &step), delay_turn(m, 1, &turn));
    Read {
        step: delay(m, 2, &step),
        turn: delay_turn(m, 2, &turn),
        from,
        to,
    }
}

/// A word that was rotated, with all that the merge needs.
struct Rotated {
    step: Step,
    word: Sig,
    strobes: Sig,
    /// Lanes that come from the word at hand.
    here: Sig,
}

/// Two stages of the byte rotator, the first for the low bits of the shift, behind the patches.
fn rotate(m: &mut Module, w: &Widths, read: &Read, patches: &Patches) -> Rotated {
    let n = 1 << w.lane;
    let low = w.lane / 2;
    let rd_data = m.input("rd_data", w.dma_width, "word asked for two clocks ago");
    let shift = &read.turn.shift;

    let mut word = patches.apply(m, &rd_data);
    for bit in 0..low {
        word = rotate_if(m, &word, &shift.bit(bit), 1 << bit);
    }
    let s3_word = m.reg("s3_word", w.dma_width);
    let s3_shift = m.reg("s3_shift", w.lane - low);
    let s3_strobes = m.reg("s3_strobes", n);
    let s3_here = m.reg("s3_here", n);
    m.seq(
        "Rotator, low bits of the shift; strobes; lanes that come from this word",
        |b| {
            b.set(&s3_word, word);
            b.set(&s3_shift, shift.from_bit(low));
            b.set(&s3_strobes, &read.from & &read.to);
            let here = |l: usize| match l {
                0 => read.turn.direct.clone(),
                _ => &read.turn.direct | shift.ge(n - l),
            };
            b.set(&s3_here, lanes(n, here));
        },
    );

    let mut word = s3_word.expr();
    for bit in low..w.lane {
        word = rotate_if(m, &word, &s3_shift.bit(bit - low), 1 << bit);
    }
    let s4_word = m.reg("s4_word", w.dma_width);
    let strobes = m.reg("s4_strobes", n);
    let here = m.reg("s4_here", n);
    m.seq("Rotator, high bits of the shift", |b| {
        b.set(&s4_word, word);
        b.set(&strobes, &s3_strobes);
        b.set(&here, &s3_here);
    });
    let step = delay(m, 3, &read.step);
    Rotated {
        step: delay(m, 4, &step),
        word: s4_word,
        strobes,
        here,
    }
}

/// `word`, moved down by `by` lanes around the end if `bit` is set.
fn rotate_if(m: &mut Module, word: &Expr, bit: &Expr, by: usize) -> Expr {
    let moved = cat(&[word.trunc(8 * by), word.from_bit(8 * by)]);
    m.named(&format!("rotated_{by}"), mux(bit, moved, word))
        .expr()
}

/// Joins the word at hand with what is left of the one before.
fn merge(m: &mut Module, w: &Widths, rotated: &Rotated, patches: &Patches) {
    let wd = bundle::wd(w.dma_width);
    let push = m.output_reg_rst("push", 1, 0, "a beat for the FIFO");
    let push_data = m.output_reg("push_data", wd.width(), "WD");
    let before = m.reg("word_before", w.dma_width);
    let word = &rotated.word;
    m.seq(
        "Merge: low lanes from the word before, high lanes from the word at hand",
        |b| {
            let lane = |l: usize| mux(rotated.here.bit(l), word.byte(l), before.byte(l));
            let beat: Vec<Expr> = (0..1 << w.lane).map(lane).collect();
            let values = [
                ("data", cat_lsb_first(&beat)),
                ("strb", rotated.strobes.expr()),
                ("last", rotated.step.ends_burst.clone()),
            ];
            b.set(&push, &rotated.step.writes);
            b.set(&push_data, wd.pack(&values));
            b.when(&rotated.step.reads, |b| b.set(&before, word));
        },
    );
    let tally = m.reg_rst("r5_tally", rotated.step.tally.width(), 0);
    m.seq("", |b| b.set(&tally, &rotated.step.tally));
    let total = m.instance("u_sum", sum::sum(w.dma_width));
    m.connect(&total, "tally", &tally);
    m.connect(&total, "data", wd.get(&push_data, "data"));
    m.connect(&total, "strb", wd.get(&push_data, "strb"));
    // A wire of the patches, which stand at the front of the pipeline.
    m.connect(&total, "value", &patches.value);
    m.assign(&patches.total, total.out("total"));
}

/// One bit a lane.
fn lanes(n: usize, f: impl Fn(usize) -> Expr) -> Expr {
    cat_lsb_first(&(0..n).map(f).collect::<Vec<_>>())
}
