//! The bodies of the block memory side by side: the inferred one, and ECP5's cells as their model has them, against a
//! reference of what the contract defines, for every shape that an engine of a preset has.

use bitvec::prelude::{BitVec, Lsb0};
use pagetrain_formats::presets::PRESETS;
use pagetrain_formats::{BlockRam, Config};
use pagetrain_hdl::build::{Dir, Module};
use pagetrain_hdl::engine::engine;
use pagetrain_hdl::prim::Ram;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Handle, Signal, Sim, SimConfig, WideSignal};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::collections::{BTreeSet, HashMap};

type Bits = BitVec<u32, Lsb0>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    width: usize,
    addr_w: usize,
    lanes: usize,
    out_reg: bool,
}

impl Shape {
    fn new(width: usize, addr_w: usize, lanes: usize, out_reg: bool) -> Shape {
        Shape {
            width,
            addr_w,
            lanes,
            out_reg,
        }
    }

    /// The shape of a memory in a design.
    fn of(module: &Module) -> Shape {
        let ports = module.ports();
        let width = |name: &str| ports.iter().find(|p| p.name == name).map_or(0, |p| p.width);
        let shape = Shape::new(
            width("rd_data"),
            width("rd_addr"),
            width("wr_en"),
            width("rd_out_en") == 1,
        );
        assert_eq!(shape.build().name(), module.name());
        shape
    }

    fn build(&self) -> Module {
        let mut ram = Ram::new(self.width, self.addr_w);
        if self.lanes > 1 {
            ram = ram.lanes(self.width / self.lanes);
        }
        if self.out_reg {
            ram = ram.out_reg();
        }
        ram.build()
    }
}

/// Every memory of every preset's engine.
fn shapes_of_presets() -> Vec<Shape> {
    let mut shapes = BTreeSet::new();
    for preset in PRESETS {
        let config = Config {
            block_ram: BlockRam::Inferred,
            ..preset.config()
        };
        let engine = engine(&config);
        let all = engine.modules();
        let memories = all.iter().filter(|m| m.name().starts_with("ram_"));
        let before = shapes.len();
        shapes.extend(memories.map(|m| Shape::of(m)));
        println!("{}: {} new shapes", preset.name, shapes.len() - before);
    }
    shapes.into_iter().collect()
}

/// What no engine has today: lanes, every width of the cells, cells in several rows, words narrower than a cell.
fn other_shapes() -> Vec<Shape> {
    vec![
        Shape::new(64, 9, 8, true),
        Shape::new(60, 10, 6, true),
        Shape::new(5, 4, 5, false),
        Shape::new(16, 11, 2, false),
        Shape::new(8, 12, 2, true),
        Shape::new(1, 1, 1, false),
        Shape::new(1, 14, 1, true),
        Shape::new(2, 13, 1, false),
        Shape::new(4, 12, 1, true),
        Shape::new(9, 11, 1, false),
        Shape::new(18, 10, 1, true),
        Shape::new(36, 9, 1, false),
        Shape::new(3, 16, 1, true),
        Shape::new(72, 12, 8, true),
        Shape::new(40, 12, 1, false),
    ]
}

/// One module with both bodies of every shape beside each other.
fn pairs(shapes: &[Shape]) -> Design {
    let mut m = Module::new("ram_pairs", "Both bodies of block memories.");
    for (i, shape) in shapes.iter().enumerate() {
        let plain = shape.build();
        let cells = plain.for_target(BlockRam::Ecp5.name());
        assert_ne!(plain.name(), cells.name());
        let inputs = plain.ports();
        let inputs = inputs
            .iter()
            .filter(|p| p.dir == Dir::In && p.name != "clk");
        let inputs: Vec<_> = inputs
            .map(|p| {
                (
                    p.name.clone(),
                    m.input(&format!("s{i}_{}", p.name), p.width, ""),
                )
            })
            .collect();
        for (name, body) in [("inferred", plain), ("ecp5", cells)] {
            let out = m.output(&format!("s{i}_{name}"), shape.width, "");
            let ram = m.instance(&format!("u_{name}_{i}"), body);
            for (port, sig) in &inputs {
                m.connect(&ram, port, sig);
            }
            m.connect_out(&ram, "rd_data", &out);
        }
    }
    dut::design(&m).unwrap_or_else(|e| panic!("{e}"))
}

/// A word as far as it is defined.
#[derive(Clone)]
struct Word {
    value: Bits,
    known: Bits,
}

/// One pair, its pins and its reference.
struct Pair {
    shape: Shape,
    wr_en: Signal,
    wr_addr: Signal,
    wr_data: WideSignal,
    rd_en: Signal,
    rd_addr: Signal,
    rd_out_en: Option<Signal>,
    inferred: WideSignal,
    ecp5: WideSignal,
    addresses: Vec<u64>,
    words: HashMap<u64, Word>,
    read: Word,
    shown: Word,
    compared: u64,
}

/// Addresses that differ in each single bit, so that no address pin can be mistaken for another.
fn addresses(rng: &mut Rng, addr_w: usize) -> Vec<u64> {
    let base = rng.below(1 << addr_w);
    let mut all: Vec<u64> = (0..addr_w).map(|bit| base ^ (1 << bit)).collect();
    all.extend([base, 0, (1 << addr_w) - 1]);
    all
}

impl Pair {
    fn new(sim: &Handle, rng: &mut Rng, index: usize, shape: Shape) -> Pair {
        let signal = |name: &str| {
            let name = format!("s{index}_{name}");
            sim.signal(&name).unwrap_or_else(|e| panic!("{e}"))
        };
        let wide = |name: &str| {
            let name = format!("s{index}_{name}");
            sim.wide(&name).unwrap_or_else(|e| panic!("{e}"))
        };
        let unknown = Word {
            value: Bits::repeat(false, shape.width),
            known: Bits::repeat(false, shape.width),
        };
        Pair {
            shape,
            wr_en: signal("wr_en"),
            wr_addr: signal("wr_addr"),
            wr_data: wide("wr_data"),
            rd_en: signal("rd_en"),
            rd_addr: signal("rd_addr"),
            rd_out_en: shape.out_reg.then(|| signal("rd_out_en")),
            inferred: wide("inferred"),
            ecp5: wide("ecp5"),
            addresses: addresses(rng, shape.addr_w),
            words: HashMap::new(),
            read: unknown.clone(),
            shown: unknown,
            compared: 0,
        }
    }

    fn unknown(&self) -> Word {
        Word {
            value: Bits::repeat(false, self.shape.width),
            known: Bits::repeat(false, self.shape.width),
        }
    }

    /// Random inputs for the next edge, and what the reference makes of them.
    fn drive(&mut self, rng: &mut Rng) {
        let Shape { width, lanes, .. } = self.shape;
        let mut write = if rng.chance(0.6) { rng.bits() } else { 0 } & (u64::MAX >> (64 - lanes));
        if lanes > 1 && rng.chance(0.3) {
            write = u64::MAX >> (64 - lanes);
        }
        let (to, from) = (*rng.pick(&self.addresses), *rng.pick(&self.addresses));
        // A read of the word being written is undefined: here nobody does it.
        let read = rng.chance(0.6) && (write == 0 || to != from);
        let show = rng.chance(0.6);
        let data: Bits = (0..width).map(|_| rng.chance(0.5)).collect();
        self.wr_en.set(write);
        self.wr_addr.set(to);
        self.wr_data.set_bits(&data);
        self.rd_en.set(u64::from(read));
        self.rd_addr.set(from);
        if let Some(enable) = &self.rd_out_en {
            enable.set(u64::from(show));
            if show {
                self.shown = self.read.clone();
            }
        }
        let unknown = self.unknown();
        if read {
            self.read = self.words.get(&from).cloned().unwrap_or(unknown.clone());
        }
        if self.rd_out_en.is_none() {
            self.shown = self.read.clone();
        }
        let word = self.words.entry(to).or_insert(unknown);
        let lane = width / lanes;
        for bit in (0..width).filter(|bit| write >> (bit / lane) & 1 == 1) {
            word.value.set(bit, data[bit]);
            word.known.set(bit, true);
        }
    }

    /// Both bodies show what the reference does, where that is defined.
    fn compare(&mut self) -> Result<(), String> {
        for (name, pins) in [("inferred", &self.inferred), ("ecp5", &self.ecp5)] {
            let found = pins.bits();
            for bit in self.shown.known.iter_ones() {
                if found[bit] != self.shown.value[bit] {
                    return Err(format!("{:?}, {name}: bit {bit} is wrong", self.shape));
                }
            }
        }
        self.compared += self.shown.known.count_ones() as u64;
        Ok(())
    }
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// Random clocks; the first difference.
fn run(model: &Model, shapes: &[Shape], seed: u64, clocks: u64) -> Result<(), String> {
    let mut sim = Sim::new(model, SimConfig::seed(seed)).map_err(|e| e.to_string())?;
    let handle = sim.handle();
    let mut rng = handle.rng("memories");
    let mut pairs: Vec<Pair> = vec![];
    for (i, shape) in shapes.iter().enumerate() {
        pairs.push(Pair::new(&handle, &mut rng, i, *shape));
    }
    for clock in 0..clocks {
        pairs.iter_mut().for_each(|pair| pair.drive(&mut rng));
        sim.step().map_err(|e| e.to_string())?;
        for pair in &mut pairs {
            let wrong = pair.compare();
            wrong.map_err(|e| format!("seed {seed}, clock {clock}: {e}"))?;
        }
    }
    for pair in &pairs {
        let bits = clocks * pair.shape.width as u64 / 4;
        assert!(pair.compared > bits, "{:?}: little is read", pair.shape);
    }
    Ok(())
}

fn check(shapes: &[Shape]) {
    let model = model(&pairs(shapes));
    for seed in seeds(4) {
        println!("seed {seed}");
        run(&model, shapes, seed, 4000).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn both_bodies_keep_the_contract_when_the_shape_is_an_engines() {
    let shapes = shapes_of_presets();
    println!("{shapes:#?}");
    assert!(shapes.len() >= 10);
    check(&shapes);
}

#[test]
fn both_bodies_keep_the_contract_when_the_shape_is_any() {
    check(&other_shapes());
}

/// Old word and new word are the same, so every memory of the world gives that one; the model does not.
#[test]
fn model_of_the_cell_inverts_what_is_read_when_it_is_being_written() {
    let shapes = [Shape::new(72, 9, 1, true), Shape::new(8, 12, 1, false)];
    let model = model(&pairs(&shapes));
    let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
    let handle = sim.handle();
    let mut rng = handle.rng("words");
    for (i, shape) in shapes.into_iter().enumerate() {
        let pair = Pair::new(&handle, &mut rng, i, shape);
        let data: Bits = (0..shape.width).map(|_| rng.chance(0.5)).collect();
        for addr in [&pair.wr_addr, &pair.rd_addr] {
            addr.set(5);
        }
        pair.wr_data.set_bits(&data);
        pair.wr_en.set(1);
        sim.step().unwrap();
        pair.rd_en.set(1);
        if let Some(enable) = &pair.rd_out_en {
            sim.step().unwrap();
            enable.set(1);
        }
        sim.step().unwrap();
        assert_eq!(pair.inferred.bits(), data);
        assert_eq!(pair.ecp5.bits(), !data);
    }
}

#[test]
fn test_fails_when_a_body_is_broken() {
    let shape = Shape::new(72, 9, 8, true);
    let design = pairs(&[shape]);
    let broken: [&[(&str, &str)]; 6] = [
        &[
            (".DIA3(wr_cell[3])", ".DIA3(wr_cell[4])"),
            (".DIA4(wr_cell[4])", ".DIA4(wr_cell[3])"),
        ],
        &[
            (".DOA0(rd_cell[0])", ".DOA0(rd_cell[18])"),
            (".DOB0(rd_cell[18])", ".DOB0(rd_cell[0])"),
        ],
        &[(".ADB13(rd_pins[13])", ".ADB13(1'b0)")],
        &[(".OCEB(rd_out_en)", ".OCEB(1'b1)")],
        &[(".CEB(rd_en)", ".CEB(1'b1)")],
        &[("wr_units[column * 4 +: 4]", "4'd15")],
    ];
    for changes in broken {
        let change = |design: Design, (from, to): &(&str, &str)| {
            let changed = design.mutate(from, to);
            changed.unwrap_or_else(|e| panic!("{e}"))
        };
        let model = model(&changes.iter().fold(design.clone(), change));
        let verdict = run(&model, &[shape], 1, 4000).unwrap_err();
        assert!(verdict.contains("ecp5: bit"), "{changes:?}: {verdict}");
    }
}
