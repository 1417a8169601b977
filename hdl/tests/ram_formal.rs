//! Both bodies of the block memory proven equal, by induction with the SAT solver inside Yosys, the cell being its model.
//!
//! From states in which the memories hold the same words every sequence of writes, reads and enables leads to such states,
//! and both show the same; a read of the word being written is assumed away, as the contract does. Shapes are small; the
//! cell is cut to the words that they reach. `testbench/tests/ram.rs` runs the shapes of the engines.

mod common;

use common::proof::{induction, inject, replace};
use pagetrain_hdl::build::Module;
use pagetrain_hdl::prim::Ram;
use pagetrain_hdl::verilog::{cell_models, emit, Header, VerilogFile};

const ADDR_W: usize = 2;
const WORDS: usize = 1 << ADDR_W;

struct Shape {
    width: usize,
    lanes: usize,
    out_reg: bool,
    /// Bits of the cells' words: said here, so that each kind of cell is known to be proven.
    cell: usize,
}

impl Shape {
    fn build(&self) -> Module {
        let mut ram = Ram::new(self.width, ADDR_W);
        if self.lanes > 1 {
            ram = ram.lanes(self.width / self.lanes);
        }
        if self.out_reg {
            ram = ram.out_reg();
        }
        ram.build()
    }

    /// Column and bit of the cell in which a bit of a word lies: a lane begins at a unit of its own.
    fn place(&self, bit: usize) -> (usize, usize) {
        let (lane, unit) = (self.width / self.lanes, self.cell.min(9));
        let bit = bit / lane * lane.div_ceil(unit) * unit + bit % lane;
        (bit / self.cell, bit % self.cell)
    }

    fn columns(&self) -> usize {
        self.place(self.width - 1).0 + 1
    }
}

fn text_of(m: &Module) -> VerilogFile {
    emit(m, &Header::default()).unwrap().pop().unwrap()
}

/// Words and read register as outputs of the inferred body.
fn open_inferred(file: &mut VerilogFile, shape: &Shape) {
    let name = file.name.trim_end_matches(".v").to_string();
    let top = WORDS * shape.width - 1;
    let ports = format!(
        "output wire [{top}:0] words, output wire [{}:0] read,",
        shape.width - 1
    );
    replace(
        file,
        &format!("module {name} ("),
        &format!("module {name} ({ports}"),
    );
    let words: Vec<String> = (0..WORDS).rev().map(|n| format!("mem[{n}]")).collect();
    let read = if shape.out_reg { "rd_word" } else { "rd_data" };
    inject(
        file,
        &format!(
            "assign words = {{{}}};\nassign read = {read};\n",
            words.join(", ")
        ),
    );
}

/// Words and read register as outputs of the cell, 36 bits each.
fn open_cell(file: &mut VerilogFile) {
    let ports = format!(
        ") (\n    output wire [{}:0] words, output wire [35:0] read,",
        WORDS * 36 - 1
    );
    replace(file, ") (\n", &ports);
    replace(file, "[0:DEPTH-1]", &format!("[0:{}]", WORDS - 1));
    let words: Vec<String> = (0..WORDS)
        .rev()
        .map(|n| format!("36'd0 | mem[{n}]"))
        .collect();
    inject(
        file,
        &format!(
            "assign words = {{{}}};\nassign read = 36'd0 | rd_reg;\n",
            words.join(", ")
        ),
    );
}

/// The same as outputs of the body that holds the cells.
fn open_cells(file: &mut VerilogFile, shape: &Shape) {
    let name = file.name.trim_end_matches(".v").to_string();
    let (words, read) = (WORDS * 36, shape.columns() * 36);
    let ports = format!(
        "output wire [{}:0] words, output wire [{}:0] read,",
        shape.columns() * words - 1,
        read - 1
    );
    replace(
        file,
        &format!("module {name} ("),
        &format!("module {name} ({ports}"),
    );
    let pins = format!(
        ") u_cell (.words(words[column * {words} +: {words}]), .read(read[column * 36 +: 36]),"
    );
    replace(file, ") u_cell (", &pins);
    let width = format!(".DATA_WIDTH_A({})", shape.cell);
    assert!(file.text.contains(&width), "{}", file.text);
}

/// Both bodies on the same inputs, and what is assumed and proven.
fn proof_top(shape: &Shape, plain: &Module, cells: &Module) -> String {
    let (width, columns) = (shape.width, shape.columns());
    let inputs: Vec<_> = plain.ports();
    let inputs = inputs.iter().filter(|p| p.name != "rd_data");
    let mut ports = vec![];
    let mut pins = String::new();
    for p in inputs {
        ports.push(format!("input wire [{}:0] {}", p.width - 1, p.name));
        pins += &format!(", .{0}({0})", p.name);
    }
    let mut text = format!("module proof ({});\n", ports.join(", "));
    for (name, module, words, read) in [
        ("a", plain, WORDS * width, width),
        ("b", cells, columns * WORDS * 36, columns * 36),
    ] {
        text += &format!(
            "wire [{}:0] {name}_words;\nwire [{}:0] {name}_read;\nwire [{}:0] {name}_data;\n\
             {} u_{name} (.words({name}_words), .read({name}_read), .rd_data({name}_data){pins});\n",
            words - 1,
            read - 1,
            width - 1,
            module.name()
        );
    }
    let mut same = vec!["a_data == b_data".to_string()];
    for bit in 0..width {
        let (column, place) = shape.place(bit);
        same.push(format!("a_read[{bit}] == b_read[{}]", column * 36 + place));
        for word in 0..WORDS {
            let (a, b) = (word * width + bit, (column * WORDS + word) * 36 + place);
            same.push(format!("a_words[{a}] == b_words[{b}]"));
        }
    }
    text + &format!(
        "wire same = {};\nreg begun = 0;\nalways @(posedge clk) begun <= 1;\n\
         always @* begin\n    assume (!(rd_en && |wr_en && rd_addr == wr_addr));\n    \
         if (begun) assert (same); else assume (same);\nend\nendmodule\n",
        same.join(" && ")
    )
}

fn prove(shape: &Shape, break_it: impl Fn(&mut VerilogFile)) -> Result<(), String> {
    let plain = shape.build();
    let cells = plain.for_target("ecp5");
    let (mut inferred, mut ecp5) = (text_of(&plain), text_of(&cells));
    let [mut cell] = <[VerilogFile; 1]>::try_from(cell_models(&cells)).unwrap();
    open_inferred(&mut inferred, shape);
    open_cells(&mut ecp5, shape);
    open_cell(&mut cell);
    break_it(&mut ecp5);
    let top = VerilogFile {
        name: "proof.v".into(),
        text: proof_top(shape, &plain, &cells),
    };
    induction(&[cell, inferred, ecp5, top], "", "opt_clean", 4)
}

fn shapes() -> Vec<Shape> {
    let shape = |width, lanes, out_reg, cell| Shape {
        width,
        lanes,
        out_reg,
        cell,
    };
    vec![
        shape(1, 1, false, 1),
        shape(2, 1, true, 2),
        shape(4, 1, true, 4),
        shape(7, 1, false, 9),
        shape(12, 1, true, 18),
        shape(18, 2, false, 18),
        shape(36, 1, false, 36),
        shape(40, 1, true, 36),
        shape(40, 5, true, 36),
    ]
}

#[test]
fn bodies_are_equal_when_all_inputs_are_arbitrary() {
    for shape in shapes() {
        let proven = prove(&shape, |_| ());
        proven.unwrap_or_else(|e| panic!("{} bits, {} lanes: {e}", shape.width, shape.lanes));
    }
}

#[test]
fn proof_fails_when_a_pin_is_wrong() {
    let shape = &shapes()[7];
    for (from, to) in [
        (".DIB3(wr_cell[21])", ".DIB3(wr_cell[22])"),
        (".DOA5(rd_cell[5])", ".DOA6(rd_cell[5])"),
        (".ADB6(rd_pins[6])", ".ADB6(rd_pins[5])"),
        (".CEB(rd_en)", ".CEB(1'b1)"),
        (".OCEB(rd_out_en)", ".OCEB(rd_en)"),
    ] {
        // Two drivers of a pin, or none, would be an error of another kind.
        let swapped = |file: &mut VerilogFile| {
            if from.starts_with(".DOA") {
                replace(file, ".DOA6(rd_cell[6])", ".DOA5(rd_cell[6])");
            }
            replace(file, from, to);
        };
        let text = prove(shape, swapped).unwrap_err();
        assert!(text.contains("model found"), "{from}: {text}");
    }
}
