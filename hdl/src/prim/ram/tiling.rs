//! How a memory is cut into cells of 16 Ki bits that can be 1 to 36 bits wide.

use super::Ram;

/// What a cell can be: bits of a word, base-2 logarithm of the words.
const SHAPES: [(usize, usize); 6] = [(1, 14), (2, 13), (4, 12), (9, 11), (18, 10), (36, 9)];

/// `rows` x `columns` cells. A row holds all bits of some words, a column some bits of all words.
///
/// A lane begins at a *unit* of its own, which is what a cell writes or leaves alone: 9 bits where the cell has them, else
/// the cell's width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tiling {
    /// Bits of a cell's word.
    pub(super) bits: usize,
    /// Base-2 logarithm of a cell's words.
    pub(super) log2_words: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Bits of a unit.
    pub(super) unit: usize,
    /// Units of a lane.
    pub(super) lane_units: usize,
}

impl Tiling {
    /// The tiling with the fewest cells; of equal ones that with the fewest rows, for rows need a multiplexer.
    pub(super) fn of(ram: &Ram) -> Self {
        let all = SHAPES.map(|(bits, log2_words)| Self::with(ram, bits, log2_words));
        let best = all.iter().min_by_key(|t| (t.columns * t.rows, t.rows));
        *best.expect("a cell has shapes")
    }

    fn with(ram: &Ram, bits: usize, log2_words: usize) -> Self {
        let lane = ram.lane.unwrap_or(ram.width);
        let unit = bits.min(9);
        let lane_units = lane.div_ceil(unit);
        let units = ram.width / lane * lane_units;
        Self {
            bits,
            log2_words,
            columns: units.div_ceil(bits / unit),
            rows: 1 << ram.addr_w.saturating_sub(log2_words),
            unit,
            lane_units,
        }
    }

    /// Units that a cell can write apart.
    pub(super) fn cell_units(&self) -> usize {
        self.bits / self.unit
    }

    /// Bits of all columns.
    pub(super) fn word_bits(&self) -> usize {
        self.columns * self.bits
    }

    /// Bits that a lane takes, those that it leaves empty included.
    pub(super) fn lane_bits(&self) -> usize {
        self.lane_units * self.unit
    }
}
