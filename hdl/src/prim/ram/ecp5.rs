//! The body for Lattice ECP5: cells DP16KD, which have the output register that Yosys does not use.
//!
//! Port A writes, port B reads. At 36 bits a word takes the data pins of both ports, the upper half at B's, as Yosys
//! connects the cell too.

use super::tiling::Tiling;
use super::Ram;
use crate::build::{Cell, Module};
use std::ops::Range;

/// The cell. Its model inverts what a read of the word being written finds.
pub const DP16KD: Cell = Cell {
    name: "DP16KD",
    model: include_str!("DP16KD.v"),
};
/// Pins of a port's address.
const ADDR_PINS: usize = 14;
/// Pins of a port's data.
const DATA_PINS: usize = 18;

/// The module, with the ports of the inferred one.
pub(super) fn module(ram: &Ram) -> Module {
    let mut m = Module::new(
        &format!("{}_ecp5", ram.name()),
        "Block memory, one write and one read port on one clock, of ECP5's cells.",
    );
    ram.inputs(&mut m);
    m.output("rd_data", ram.width, "the word");
    m.cell(DP16KD);
    m.text(
        &Text {
            ram,
            tiling: Tiling::of(ram),
        }
        .all(),
    );
    m
}

/// `n` zeros, as one part of a concatenation.
fn zeros(n: usize) -> Option<String> {
    (n > 0).then(|| format!("{n}'d0"))
}

/// Parts of a concatenation, most significant first.
fn concat(parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match &parts[..] {
        [one] => one.clone(),
        _ => format!("{{{}}}", parts.join(", ")),
    }
}

/// The bits `range` of a vector of `width` bits.
fn bits(name: &str, width: usize, range: Range<usize>) -> String {
    match (width, range.len()) {
        (w, n) if w == n => name.into(),
        (_, 1) => format!("{name}[{}]", range.start),
        _ => format!("{name}[{}:{}]", range.end - 1, range.start),
    }
}

struct Text<'a> {
    ram: &'a Ram,
    tiling: Tiling,
}

impl Text<'_> {
    fn all(&self) -> String {
        let t = &self.tiling;
        let (rows, columns) = (t.rows, t.columns);
        let cells = match rows {
            1 => format!("{columns}"),
            _ => format!("{rows} rows of {columns}"),
        };
        let words = 1usize << t.log2_words;
        let mut text = format!(
            "// {cells} x DP16KD, {words} words of {} bits each\n",
            t.bits
        );
        text += &self.write_side();
        text += &self.read_side();
        let mut cell = self.cell();
        for (count, name) in [(columns, "column"), (rows, "row")] {
            if name == "column" || rows > 1 {
                let body: String = cell.lines().map(|line| format!("    {line}\n")).collect();
                cell = format!(
                    "for ({name} = 0; {name} < {count}; {name} = {name} + 1) begin : {name}s\n{body}end\n"
                );
            }
        }
        let names = if rows > 1 { "row, column" } else { "column" };
        let body: String = cell.lines().map(|line| format!("    {line}\n")).collect();
        text + &format!("\ngenvar {names};\ngenerate\n{body}endgenerate\n")
    }

    /// Lanes: one, where the memory is written whole.
    fn lanes(&self) -> usize {
        self.ram.width / self.ram.lane.unwrap_or(self.ram.width)
    }

    /// The words of one row of cells, each lane moved to its own units.
    fn write_side(&self) -> String {
        let (t, width) = (&self.tiling, self.ram.width);
        let (lanes, lane) = (self.lanes(), width / self.lanes());
        let pad = t.lane_bits() - lane;
        let rest = t.word_bits() - lanes * t.lane_bits();
        let word =
            match pad {
                0 => concat([zeros(rest), Some("wr_data".into())]),
                _ => {
                    let slice = |i| Some(bits("wr_data", width, i * lane..(i + 1) * lane));
                    let lanes = (0..lanes).rev().map(|i| (i, slice(i)));
                    let top = lanes.clone().next().expect("a lane").0;
                    concat(lanes.flat_map(|(i, slice)| {
                        [zeros(if i == top { rest + pad } else { pad }), slice]
                    }))
                }
            };
        let units = t.columns * t.cell_units();
        let enables = match lanes {
            1 if units == 1 => "wr_en".into(),
            1 => format!("{{{units}{{wr_en}}}}"),
            _ => {
                let copies = |i| match t.lane_units {
                    1 => format!("wr_en[{i}]"),
                    n => format!("{{{n}{{wr_en[{i}]}}}}"),
                };
                let used = (0..lanes).rev().map(|i| Some(copies(i)));
                concat(
                    [zeros(units - lanes * t.lane_units)]
                        .into_iter()
                        .chain(used),
                )
            }
        };
        let mut text = format!("wire [{}:0] wr_word = {word};\n", t.word_bits() - 1);
        text += &format!("wire [{}:0] wr_units = {enables};\n", units - 1);
        if t.rows > 1 {
            let row = bits("wr_addr", self.ram.addr_w, t.log2_words..self.ram.addr_w);
            let row_bits = self.ram.addr_w - t.log2_words;
            let is = |r| Some(format!("{row} == {row_bits}'d{r}"));
            let rows = concat((0..t.rows).rev().map(is));
            text += &format!("wire [{}:0] wr_row = {rows};\n", t.rows - 1);
        }
        text
    }

    /// The word of one row of cells, and of it what was put in.
    fn read_side(&self) -> String {
        let (t, width) = (&self.tiling, self.ram.width);
        let (lanes, lane) = (self.lanes(), width / self.lanes());
        let mut text = format!(
            "wire [{}:0] rd_pins = {};\n",
            ADDR_PINS - 1,
            self.pins("rd", None)
        );
        match t.rows {
            1 => text += &format!("wire [{}:0] rd_word;\n", t.word_bits() - 1),
            _ => text += &self.row_select(),
        }
        let (step, pad) = (t.lane_bits(), t.lane_bits() - lane);
        let (mut used, mut empty) = (vec![], vec![]);
        match pad {
            0 => used.push(Some(self.rd_bits(0..width))),
            _ => used.extend(
                (0..lanes)
                    .rev()
                    .map(|i| Some(self.rd_bits(i * step..i * step + lane))),
            ),
        }
        for i in (0..lanes).filter(|_| pad > 0) {
            empty.push(Some(self.rd_bits(i * step + lane..(i + 1) * step)));
        }
        if t.word_bits() > lanes * step {
            empty.push(Some(self.rd_bits(lanes * step..t.word_bits())));
        }
        text += &format!("assign rd_data = {};\n", concat(used));
        if !empty.is_empty() {
            text += &format!("wire unused_bits = |{};\n", concat(empty));
        }
        text
    }

    fn rd_bits(&self, range: Range<usize>) -> String {
        bits("rd_word", self.tiling.word_bits(), range)
    }

    /// The row that was read, one stage behind the address for each register of the cells.
    fn row_select(&self) -> String {
        let t = &self.tiling;
        let (word, row_bits) = (t.word_bits(), self.ram.addr_w - t.log2_words);
        let row = bits("rd_addr", self.ram.addr_w, t.log2_words..self.ram.addr_w);
        let range = match row_bits {
            1 => String::new(),
            n => format!("[{}:0] ", n - 1),
        };
        let mut text = format!(
            "wire [{}:0] rd_rows;\nreg {range}rd_row;\n",
            word * t.rows - 1
        );
        let mut load = format!("    if (rd_en) begin\n        rd_row <= {row};\n    end\n");
        let mut select = "rd_row";
        if self.ram.out_reg {
            select = "out_row";
            text += &format!("reg {range}out_row;\n");
            load += "    if (rd_out_en) begin\n        out_row <= rd_row;\n    end\n";
        }
        text += &format!(
            "reg [{}:0] rd_word;\n\nalways @(posedge clk) begin\n{load}end\n",
            word - 1
        );
        text += &format!("\nalways @* begin\n    case ({select})\n");
        for r in 0..t.rows {
            let label = match r + 1 == t.rows {
                true => "default".into(),
                false => format!("{row_bits}'d{r}"),
            };
            let slice = bits("rd_rows", word * t.rows, r * word..(r + 1) * word);
            text += &format!("        {label}: rd_word = {slice};\n");
        }
        text + "    endcase\nend\n"
    }

    /// The address pins of one side: the word's number above, `enables` at the lowest pins.
    fn pins(&self, side: &str, enables: Option<(String, usize)>) -> String {
        let t = &self.tiling;
        let used = self.ram.addr_w.min(t.log2_words);
        let addr = bits(&format!("{side}_addr"), self.ram.addr_w, 0..used);
        let below = ADDR_PINS - t.log2_words;
        let (enables, taken) = match enables {
            Some((text, n)) => (Some(text), n),
            None => (None, 0),
        };
        concat([
            zeros(t.log2_words - used),
            Some(addr),
            zeros(below - taken),
            enables,
        ])
    }

    /// The cell at `row` and `column`.
    fn cell(&self) -> String {
        let t = &self.tiling;
        let (width, units) = (t.bits, t.cell_units());
        let mut enable = match units {
            1 => "wr_units[column]".to_string(),
            n => format!("wr_units[column * {n} +: {n}]"),
        };
        if t.rows > 1 {
            enable = match units {
                1 => format!("{enable} & wr_row[row]"),
                n => format!("({enable} & {{{n}{{wr_row[row]}}}})"),
            };
        }
        // Cells that write bytes apart take the enables at the lowest address pins.
        let (wea, low) = match units {
            1 => (enable, None),
            n => ("1'b1".to_string(), Some((enable, n))),
        };
        let place = match t.rows {
            1 => format!("rd_word[column * {width} +: {width}]"),
            _ => format!(
                "rd_rows[(row * {} + column) * {width} +: {width}]",
                t.columns
            ),
        };
        let both = width > DATA_PINS;
        let word = Some(format!("wr_word[column * {width} +: {width}]"));
        let mut text = format!(
            "wire [35:0] wr_cell = {};\n",
            concat([zeros(36 - width), word])
        );
        text += &format!("wire [13:0] wr_pins = {};\n", self.pins("wr", low));
        text += "wire [35:0] rd_cell;\n";
        let shown = match both {
            true => "rd_cell".into(),
            false => bits("rd_cell", 36, DATA_PINS..DATA_PINS + width),
        };
        text += &format!("assign {place} = {shown};\n");
        if !both {
            let above =
                (DATA_PINS + width < 36).then(|| bits("rd_cell", 36, DATA_PINS + width..36));
            let below = Some(bits("rd_cell", 36, 0..DATA_PINS));
            text += &format!("wire unused_pins = |{};\n", concat([above, below]));
        }
        let (mode, out_en) = match self.ram.out_reg {
            true => ("OUTREG", "rd_out_en"),
            false => ("NOREG", "1'b1"),
        };
        // At 36 bits port A's data outputs are the lower half of what port B reads.
        let (mode_a, out_en_a) = if both {
            (mode, out_en)
        } else {
            ("NOREG", "1'b1")
        };
        text += &format!(
            "DP16KD #(\n    .DATA_WIDTH_A({width}), .DATA_WIDTH_B({width}),\n    \
             .REGMODE_A(\"{mode_a}\"), .REGMODE_B(\"{mode}\"),\n    .GSR(\"DISABLED\")\n) u_cell (\n"
        );
        for (port, clock_en, out_en, write) in [
            ("A", "1'b1", out_en_a, &wea[..]),
            ("B", "rd_en", out_en, "1'b0"),
        ] {
            text += &format!(
                "    .CLK{port}(clk), .CE{port}({clock_en}), .OCE{port}({out_en}), .WE{port}({write}), .RST{port}(1'b0),\n    \
                 .CS{port}2(1'b0), .CS{port}1(1'b0), .CS{port}0(1'b0),\n"
            );
        }
        text += &vector("ADA", ADDR_PINS, "wr_pins", 0);
        text += &vector("ADB", ADDR_PINS, "rd_pins", 0);
        text += &vector("DIA", DATA_PINS, "wr_cell", 0);
        text += &vector("DIB", DATA_PINS, "wr_cell", DATA_PINS);
        text += &vector("DOA", DATA_PINS, "rd_cell", 0);
        text += vector("DOB", DATA_PINS, "rd_cell", DATA_PINS).trim_end_matches(",\n");
        text + "\n);\n"
    }
}

/// The pins `name0` to `name<count - 1>`, connected to a vector from `lsb` on.
fn vector(name: &str, count: usize, net: &str, lsb: usize) -> String {
    let pins: Vec<String> = (0..count)
        .map(|i| format!(".{name}{i}({net}[{}])", lsb + i))
        .collect();
    let lines = pins
        .chunks(6)
        .map(|line| format!("    {},\n", line.join(", ")));
    lines.collect()
}
