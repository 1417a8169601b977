//! Synchronous FIFO with registered, first-word-fall-through output.
//!
//! Contract: words leave in the order in which they came. Holds `depth` words: `s_axis_tready` is low exactly while
//! `depth` words have come and not left by the clock before. A word that is written is never read at the same edge (what block memory
//! reads where no word is does not count).
//!
//! | port            | dir | type              | meaning                                        |
//! |-----------------|-----|-------------------|------------------------------------------------|
//! | `s_axis_tdata`  | in  | w                 | payload, any fields the user packs             |
//! | `s_axis_tvalid` | in  | 1                 | payload is there                               |
//! | `s_axis_tready` | out | 1                 | register: room for a word; not with [`Fifo::unguarded`] |
//! | `m_axis_tdata`  | out | w                 | register: the oldest word                      |
//! | `m_axis_tvalid` | out | 1                 | register                                       |
//! | `m_axis_tready` | in  | 1                 | receiver takes the word                        |
//! | `count`         | out | clog2(`depth` + 1) | register, on request: words inside, with one that left in the clock before |
//! | `almost_full`   | out | 1                 | register, on request: `count` >= the threshold |
//!
//! - Timing: [`Fifo::latency`] clocks from a transfer into an empty FIFO to `m_axis_tvalid`: 2 with distributed
//!   memory, 3 with block memory. One word in and one out every clock; no combinational path from input to
//!   output.
//! - Parameters: `width` at least 1; `depth` a power of two, 2 to 65536; `almost_full` 1 to `depth`.
//! - Corner cases: full: a word may leave, the next comes in two clocks later.
//! - Cost, unguarded: 16 x 111 distributed, with a flag: 146 LUT4, 248 FF, 6 CCU2C, 28 DPR16X4, 354-364 MHz; 512 x 461 block of
//!   ECP5's cells, with `count`: 28 LUT4, 41 FF, 20 CCU2C, 13 DP16KD, 350-370 MHz (LFE5UM5G-85F speed 8, Yosys 0.70,
//!   nextpnr 0.11, static placer, between registers, two seeds).
//!
//! Internals: distributed memory is followed by a stream register (`skid`), where the receiver's ready ends: in a wide FIFO
//! the memory lies all over, and a ready that went on to its pointers would be the longest path of the design. Block
//! memory has two registers of its own (in its cells, where the target allows), each with a valid bit, that move on whenever
//! the next is free; so its read latency costs fill time, never throughput.

use super::{lutram, skid, Ram};
use crate::build::*;

/// Where the words are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Distributed memory up to 32 words, block memory beyond.
    Auto,
    /// Distributed memory, 256 words at most.
    Distributed,
    /// Block memory.
    Block,
}

/// The parameters of a FIFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fifo {
    width: usize,
    depth: usize,
    storage: Storage,
    count: bool,
    almost_full: Option<usize>,
    guarded: bool,
}

impl Fifo {
    /// `depth` words of `width` bits, storage by depth, no status outputs.
    pub const fn new(width: usize, depth: usize) -> Self {
        Self {
            width,
            depth,
            storage: Storage::Auto,
            count: false,
            almost_full: None,
            guarded: true,
        }
    }

    /// Chooses the memory.
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// Adds the output `count`.
    pub fn count(self) -> Self {
        let count = true;
        Self { count, ..self }
    }

    /// Adds the output `almost_full`, high while at least `threshold` words are inside.
    pub fn almost_full(self, threshold: usize) -> Self {
        let almost_full = Some(threshold);
        Self {
            almost_full,
            ..self
        }
    }

    /// Leaves `s_axis_tready` out: the writer knows that there is room, from a flag or since it counts itself.
    pub fn unguarded(self) -> Self {
        let guarded = false;
        Self { guarded, ..self }
    }

    const fn block(&self) -> bool {
        match self.storage {
            Storage::Auto => self.depth > 32,
            Storage::Distributed => false,
            Storage::Block => true,
        }
    }

    /// Clocks from a transfer into an empty FIFO to its word at the output.
    pub const fn latency(&self) -> usize {
        match self.block() {
            true => 3,
            false => 1 + skid::LATENCY,
        }
    }

    fn name(&self) -> String {
        let kind = if self.block() { "bram" } else { "lut" };
        let count = if self.count { "_count" } else { "" };
        let almost = self
            .almost_full
            .map_or(String::new(), |n| format!("_af{n}"));
        let guard = if self.guarded { "" } else { "_u" };
        format!(
            "fifo_{kind}_{}x{}{count}{almost}{guard}",
            self.depth, self.width
        )
    }

    /// The module, named after its parameters.
    ///
    /// # Panics
    /// When a parameter is outside its range.
    pub fn build(&self) -> Module {
        let (width, depth) = (self.width, self.depth);
        assert!(
            depth.is_power_of_two() && (2..=65536).contains(&depth),
            "fifo: depth is {depth}, must be a power of two from 2 to 65536"
        );
        if let Some(n) = self.almost_full {
            assert!(
                (1..=depth).contains(&n),
                "fifo: almost_full is {n}, must be 1 to {depth}"
            );
        }
        let mut m = Module::new(
            &self.name(),
            "FIFO with registered first-word-fall-through output.",
        );
        let s_data = m.input("s_axis_tdata", width, "payload");
        let s_valid = m.input("s_axis_tvalid", 1, "payload is there");
        let s_ready = self
            .guarded
            .then(|| m.output_reg_rst("s_axis_tready", 1, 1, "room for a word"));
        let m_data = m.output("m_axis_tdata", width, "the oldest word");
        let m_valid = match self.block() {
            true => m.output_reg_rst("m_axis_tvalid", 1, 0, "a word is there"),
            false => m.output("m_axis_tvalid", 1, "a word is there"),
        };
        let m_ready = m.input("m_axis_tready", 1, "receiver takes the word");

        let push = match &s_ready {
            Some(s_ready) => m.named("push", &s_valid & s_ready),
            None => s_valid,
        };
        if self.guarded || self.count || self.almost_full.is_some() {
            let pop = m.named("pop", &m_valid & &m_ready);
            self.occupancy(&mut m, &push, &pop, &s_ready);
        }

        m.comment("Words in the memory: pointers, and whether there is one to read. None is left when the last one leaves");
        let aw = clog2(depth);
        let wr_addr = m.reg_rst("wr_addr", aw, 0);
        let rd_addr = m.reg_rst("rd_addr", aw, 0);
        let rd_next = m.reg_rst("rd_next", aw, 1);
        let filled = m.reg_rst("filled", 1, 0);
        let load = m.wire("load", 1);
        m.seq("Pointers", |b| {
            b.when(&push, |b| b.set(&wr_addr, &wr_addr + 1));
            b.when(&load, |b| {
                b.set(&rd_addr, &rd_next);
                b.set(&rd_next, &rd_next + 1);
            });
            b.set(&filled, &push | (&filled & !(&load & rd_next.eq(&wr_addr))));
        });

        let mem = match self.block() {
            true => m.instance("u_ram", Ram::new(width, aw).out_reg().build()),
            false => m.instance("u_ram", lutram(width, aw)),
        };
        m.connect(&mem, "wr_en", &push);
        m.connect(&mem, "wr_addr", &wr_addr);
        m.connect(&mem, "wr_data", &s_data);
        m.connect(&mem, "rd_addr", &rd_addr);
        if self.block() {
            m.comment("The memory's two registers move on whenever the next is free; the first one reads whatever is there");
            let fetched = m.reg_rst("fetched", 1, 0);
            let out_free = m.named("out_free", &m_ready | !&m_valid);
            let read = m.named("read", &out_free | !&fetched);
            m.assign(&load, &filled & &read);
            m.seq("Whether they hold a word", |b| {
                b.when(&read, |b| b.set(&fetched, &filled));
                b.when(&out_free, |b| b.set(&m_valid, &fetched));
            });
            m.connect(&mem, "rd_en", &read);
            m.connect(&mem, "rd_out_en", &out_free);
            m.connect_out(&mem, "rd_data", &m_data);
        } else {
            let out = m.instance("u_out", skid(width));
            m.connect(&out, "s_axis_tvalid", &filled);
            m.assign(&load, &filled & out.out("s_axis_tready"));
            m.connect(&out, "s_axis_tdata", mem.out("rd_data"));
            m.connect_out(&out, "m_axis_tdata", &m_data);
            m.connect_out(&out, "m_axis_tvalid", &m_valid);
            m.connect(&out, "m_axis_tready", &m_ready);
        }
        m
    }

    /// Words inside and the flags over them. A word that leaves is counted a clock later. Flags are computed from the
    /// count before the edge and what happens at the edge: an adder before the comparison would be the longest path of
    /// the block.
    fn occupancy(&self, m: &mut Module, push: &Sig, pop: &Sig, s_ready: &Option<Sig>) {
        let width = clog2(self.depth + 1);
        let words = match self.count {
            true => m.output_reg_rst("count", width, 0, "words inside"),
            false => m.reg_rst("words", width, 0),
        };
        let almost = self.almost_full.map(|n| {
            let doc = format!("at least {n} words inside");
            (n, m.output_reg_rst("almost_full", 1, 0, &doc))
        });
        let left = m.reg_rst("left", 1, 0);
        m.seq("Words inside", |b| {
            b.set(&left, pop);
            b.first(|c| {
                c.when(push & !&left, |b| {
                    b.set(&words, &words + 1);
                    if let Some(s_ready) = s_ready {
                        b.set(s_ready, words.ne(self.depth - 1));
                    }
                    if let Some((n, out)) = &almost {
                        b.when(words.eq(n - 1), |b| b.set(out, 1));
                    }
                });
                c.when(&left & !push, |b| {
                    b.set(&words, &words - 1);
                    if let Some(s_ready) = s_ready {
                        b.set(s_ready, 1);
                    }
                    if let Some((n, out)) = &almost {
                        b.when(words.eq(*n), |b| b.set(out, 0));
                    }
                });
            });
        });
    }
}
