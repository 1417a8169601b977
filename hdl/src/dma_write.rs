//! DMA write engine: copies byte ranges of the frame store to host memory, at any alignment of either side.
//!
//! Contract: commands are carried out in order, and every byte of a command is written once, at its address; no other
//! byte is touched. `done_seq` counts the commands whose last response has come, a command of length 0 when its turn
//! comes. After a bad response nothing counts as done any more, so that no completion can speak of lost data.
//! It knows no protocol, but it has what it takes to rewrite a header on its way: a command may be summed (ones'
//! complement, RFC 1071), read for the sum only (`no_write`), or have its words patched: 16-bit values put in the place
//! of what lies in the store. A patch is set by a command of its own, in its turn, to a constant or to the complement of
//! the sum. The sum before the first `anew` is undefined.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `s_axis_cmd_t*` | in | CMD | what to copy |
//! | `rd_addr`, `rd_data` | out, in | word, D | frame store, data two clocks later |
//! | `free_valid`, `free_words` | out | 1, words | the oldest words of the store are not needed any more |
//! | `m_aw_t*`, `m_w_t*` | out | AW, WD | bursts |
//! | `b_valid`, `b_err` | in | 1 | responses, in order |
//! | `done_seq` | out | 16 | commands done |
//! | `quiesce`, `idle` | in, out | 1 | announce no further burst; none is under way |
//!
//! - Timing: a command that covers n beats of the destination and m words of the source takes max(n, m) clocks, and one
//!   more where n = m > 1 and the source starts at a higher lane than the destination. [`LATENCY`] clocks from command to
//!   address, [`DATA_LATENCY`] to data. No path from an input to an output without a register.
//! - Bursts end with the command and at multiples of min(4096, 256 x D/8) bytes; so each is at most 256 beats and crosses
//!   no 4 KiB line. Addresses are aligned to D; strobes name the bytes.
//! - A command that sets a patch takes a clock; from the sum, about 20 more (until the beats before it are in the sum). A
//!   command with `no_write` takes one clock a word. Patches cost nothing, and nothing else is slower for them.
//! - `idle` tells the truth from the second clock after `quiesce` rose.
//! - Cost at W = 64, D = 128, in the engine: 2317 LUT4, 2868 FF, 246 CCU2C, 101 DPR16X4 (Yosys 0.70; registers at ports count for the engine),
//!   of which sums and patches are about 900 LUT4, 690 FF.
//!
//! ## Pipeline
//! 1. Prepare (4 clocks): numbers of words, beats and blocks; which steps only read or only write.
//! 2. Two FIFOs of commands, so that addresses and data run apart.
//! 3. Bursts: one a clock into a FIFO; from there to the address output if the data path can follow, nothing is to be
//!    quiesced and the response FIFO has room. A command that writes nothing goes straight to the response FIFO.
//! 4. Data: a step a clock reads the store (2 clocks; meanwhile its address is compared with the patches, and their values
//!    are laid out by lanes), two stages rotate the bytes, one merges them with the word before, a FIFO waits for the bus.
//!    A step starts only if the FIFO has a place for its beat: back-pressure reaches the front as a missing place, never
//!    as a stalled pipeline. The sum taps the merged beats, with a pipeline of its own.
//! 5. Responses: the head of the response FIFO is done when it is answered, or at once if it is empty.

mod bursts;
mod copy;
mod patch;
mod prepare;
mod sum;

use crate::build::Module;
use crate::bundle;
use crate::part::Part;
use crate::prim::Fifo;
use crate::write_data::write_data;
use pagetrain_formats::Config;

/// Clocks from a command to its first address, when nothing is in the way.
pub const LATENCY: usize = 11;
/// Clocks from a command to its first data beat, when nothing is in the way and no priming step is needed.
pub const DATA_LATENCY: usize = 14;
/// Commands that wait in front of bursts and of data, each.
const COMMANDS: usize = 16;

/// Widths that follow from the configuration.
pub(crate) struct Widths {
    dma_width: usize,
    /// Lane of a beat.
    lane: usize,
    /// Beat of a block; a burst never leaves its block.
    beat: usize,
    /// Number of a block in host memory.
    block: usize,
    /// Word of the frame store.
    word: usize,
    /// Steps of a command.
    steps: usize,
    /// Blocks of a command behind the first.
    more: usize,
}

impl Widths {
    fn of(cfg: &Config) -> Self {
        let lane = cfg.log2_d_bytes();
        let beat = (12 - lane).min(8);
        Widths {
            dma_width: cfg.dma_width,
            lane,
            beat,
            block: 64 - lane - beat,
            word: bundle::store_word_bits(cfg),
            // Lane and length together are below 2^15.
            steps: 15 - lane,
            more: 15 - lane - beat,
        }
    }
}

/// Builds the block.
pub fn dma_write(cfg: &Config) -> Module {
    let w = Widths::of(cfg);
    let mut m = Module::new(
        "dma_write",
        "Copies byte ranges of the frame store to host memory.",
    );
    let cmd = bundle::cmd(cfg);
    let valid = m.input("s_axis_cmd_tvalid", 1, "command valid");
    let ready = m.output_reg_rst("s_axis_cmd_tready", 1, 0, "command taken");
    let record = m.input("s_axis_cmd_tdata", cmd.width(), "CMD");

    let accepted = m.named("accepted", &valid & &ready);
    let prepared = prepare::prepare(&mut m, &w, &cmd, &accepted.expr(), &record);

    let copy = Part::new(&mut m, "u_copy", copy::copy(&w));
    let bursts = Part::new(&mut m, "u_bursts", bursts::bursts(&w));
    let data = Part::new(&mut m, "u_data", write_data(cfg.dma_width));
    copy.show(&mut m, &["rd_addr", "rd_data", "free_valid", "free_words"]);
    let queues = [
        ("data", &copy, &prepared.data),
        ("burst", &bursts, &prepared.burst),
    ];
    let full = queues.map(|(name, sink, record)| {
        // The stages hold four, `ready` is two clocks behind.
        let fifo = Fifo::new(record.width(), COMMANDS)
            .almost_full(COMMANDS - 7)
            .unguarded();
        let queue = m.instance(&format!("u_{name}_commands"), fifo.build());
        m.connect(&queue, "s_axis_tvalid", &prepared.valid);
        m.connect(&queue, "s_axis_tdata", record);
        m.connect(&queue, "m_axis_tready", sink.out("s_cmd_tready"));
        m.connect(sink, "s_cmd_tvalid", queue.out("m_axis_tvalid"));
        m.connect(sink, "s_cmd_tdata", queue.out("m_axis_tdata"));
        queue.out("almost_full")
    });
    m.seq(
        "Commands are taken while both queues have room for what the stages hold",
        |b| {
            b.set(&ready, !&full[0] & !&full[1]);
        },
    );

    bursts.show(&mut m, &["m_aw_tvalid", "m_aw_tready", "m_aw_tdata"]);
    data.show(&mut m, &["m_w_tvalid", "m_w_tready", "m_w_tdata"]);
    bursts.show(&mut m, &["b_valid", "b_err", "done_seq", "quiesce", "idle"]);
    m.connect(&bursts, "ahead", data.out("ahead"));
    m.connect(&data, "grant", bursts.out("grant"));
    m.connect(&copy, "popped", data.out("popped"));
    m.connect(&data, "push", copy.out("push"));
    m.connect(&data, "push_data", copy.out("push_data"));
    m
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for dma_width in [64, 128, 256, 512] {
            let cfg = Config {
                dma_width,
                ..Config::default()
            };
            crate::testkit::lint(&dma_write(&cfg));
        }
    }
}
