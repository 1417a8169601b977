//! DMA write engine: copies byte ranges of the frame store to host memory, at any alignment of either side.
//!
//! Contract: commands are carried out in order, and every byte of a command is written once, at its address; no other
//! byte is touched. `done_seq` counts the commands whose last response has come, a command of length 0 when its turn
//! comes. After a bad response nothing counts as done any more, so that no completion can speak of lost data.
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
//! - `idle` tells the truth from the second clock after `quiesce` rose.
//!
//! ## Pipeline
//! 1. Prepare (4 clocks): numbers of words, beats and blocks; which steps only read or only write.
//! 2. Two FIFOs of commands, so that addresses and data run apart.
//! 3. Bursts: one a clock into a FIFO; from there to the address output if the data path can follow, nothing is to be
//!    quiesced and the response FIFO has room. An empty command goes straight to the response FIFO.
//! 4. Data: a step a clock reads the store (2 clocks), two stages rotate the bytes, one merges them with the word
//!    before, a FIFO waits for the bus. A step starts only if the FIFO has a place for its beat: back-pressure
//!    reaches the front as a missing place, never as a stalled pipeline.
//! 5. Responses: the head of the response FIFO is done when it is answered, or at once if it is empty.

mod bursts;
mod copy;
mod prepare;

use crate::build::{Instance, Module};
use crate::bundle;
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

    let copy = m.instance("u_copy", copy::copy(&w));
    let bursts = m.instance("u_bursts", bursts::bursts(&w));
    let data = m.instance("u_data", write_data(cfg.dma_width));
    let queues = [
        ("data", &copy, &prepared.data),
        ("burst", &bursts, &prepared.burst),
    ];
    let full = queues.map(|(name, sink, record)| {
        // The stages hold four, `ready` is two clocks behind.
        let fifo = Fifo::new(record.width(), COMMANDS).almost_full(COMMANDS - 7);
        let queue = m.instance(&format!("u_{name}_commands"), fifo.build());
        m.connect(&queue, "s_axis_tvalid", &prepared.valid);
        m.connect(&queue, "s_axis_tdata", record);
        m.unused(
            queue.out("s_axis_tready"),
            "almost_full stops the commands in time",
        );
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

    connect_bursts(&mut m, &bursts, &data);
    connect_copy(&mut m, cfg, &w, &copy, &data);
    m
}

/// Addresses, responses, and what ties them to the data.
fn connect_bursts(m: &mut Module, bursts: &Instance, data: &Instance) {
    for (name, width, doc) in [
        ("quiesce", 1, "announce no further burst"),
        ("m_aw_tready", 1, "burst taken"),
        ("b_valid", 1, "a burst was answered"),
        ("b_err", 1, "with an error"),
    ] {
        let port = m.input(name, width, doc);
        m.connect(bursts, name, &port);
    }
    for (name, width, doc) in [
        ("m_aw_tvalid", 1, "burst valid"),
        ("m_aw_tdata", bundle::aw().width(), "AW"),
        ("done_seq", 16, "commands done"),
        ("idle", 1, "no burst is under way"),
    ] {
        let port = m.output(name, width, doc);
        m.connect_out(bursts, name, &port);
    }
    m.connect(bursts, "ahead", data.out("ahead"));
    m.connect(data, "grant", bursts.out("grant"));
}

/// Frame store and data.
fn connect_copy(m: &mut Module, cfg: &Config, w: &Widths, copy: &Instance, data: &Instance) {
    let rd_data = m.input(
        "rd_data",
        cfg.dma_width,
        "word of the frame store asked for two clocks ago",
    );
    m.connect(copy, "rd_data", &rd_data);
    for (name, width, doc) in [
        ("rd_addr", w.word, "word of the frame store"),
        ("free_valid", 1, "a frame was read"),
        ("free_words", w.word, "its words"),
    ] {
        let port = m.output(name, width, doc);
        m.connect_out(copy, name, &port);
    }
    m.connect(copy, "popped", data.out("popped"));
    m.connect(data, "push", copy.out("push"));
    m.connect(data, "push_data", copy.out("push_data"));
    let ready = m.input("m_w_tready", 1, "beat taken");
    m.connect(data, "m_w_tready", &ready);
    for (name, width, doc) in [
        ("m_w_tvalid", 1, "beat valid"),
        ("m_w_tdata", bundle::wd(cfg.dma_width).width(), "WD"),
    ] {
        let port = m.output(name, width, doc);
        m.connect_out(data, name, &port);
    }
}
