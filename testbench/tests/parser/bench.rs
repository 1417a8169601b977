//! Models of the parser, and batches of frames through them.

use crate::reference::{parse, Limits, Parsed, Row, PARSE_WIDTHS};
use pagetrain_formats::program::{self, Limits as ProgramLimits};
use pagetrain_formats::{BlockRam, Config};
use pagetrain_hdl::parser::parser;
use pagetrain_testbench::axis::AxisSource;
use pagetrain_testbench::sim::{Handle, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::{dut, Bits, Rng};
use std::sync::OnceLock;

/// One configuration and its model, built once.
pub struct Variant {
    pub cfg: Config,
    model: OnceLock<Model>,
}

impl Variant {
    pub const fn new(
        data_width: usize,
        parser_window: usize,
        parser_states: usize,
        parser_steps: usize,
    ) -> Variant {
        let cfg = Config {
            data_width,
            dma_width: 512,
            flows: 16,
            page_size: 4096,
            ingress_bytes: 32768,
            parser_states,
            parser_steps,
            parser_window,
            train_entries: 64,
            block_ram: BlockRam::Inferred,
            clock_khz: 156_250,
        };
        Variant {
            cfg,
            model: OnceLock::new(),
        }
    }

    pub fn design(&self) -> Design {
        dut::design(&parser(&self.cfg)).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn model(&self) -> &Model {
        self.model.get_or_init(|| build(&self.design()))
    }

    pub fn limits(&self) -> Limits {
        Limits {
            states: self.cfg.parser_states,
            steps: self.cfg.parser_steps,
            window: self.cfg.parser_window,
        }
    }

    pub fn tcp(&self) -> Vec<Row> {
        let limits = ProgramLimits {
            states: self.cfg.parser_states,
            steps: self.cfg.parser_steps,
            window: self.cfg.parser_window,
        };
        program::tcp(&limits)
            .unwrap_or_else(|error| panic!("{error}"))
            .words()
    }
}

pub fn build(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

pub static W64: Variant = Variant::new(64, 256, 32, 16);
pub static W128: Variant = Variant::new(128, 128, 16, 5);
pub static W256: Variant = Variant::new(256, 256, 32, 4);
pub static W512: Variant = Variant::new(512, 256, 64, 32);

/// Writes the program while the parser is off, and turns it on. Rows that are not given keep what they held.
pub async fn load(sim: &Handle, rows: &[Row]) -> Result<(), SimError> {
    let (we, addr, data) = (
        sim.signal("prog_we")?,
        sim.signal("prog_addr")?,
        sim.signal("prog_wdata")?,
    );
    sim.signal("cfg_parser_enable")?.set(0);
    for (i, dword) in rows.iter().flatten().enumerate() {
        we.set(1);
        addr.set(i as u64);
        data.set(u64::from(*dword));
        sim.rising_edge().await;
    }
    we.set(0);
    sim.cycles(4).await;
    sim.signal("cfg_parser_enable")?.set(1);
    Ok(())
}

pub fn expect(got: &Bits, want: &Parsed, frame: &[u8], what: &str) {
    let got = got.unpack(&PARSE_WIDTHS);
    assert_eq!(
        got,
        want.fields(),
        "{what}: frame of {} bytes {frame:02x?}\nwanted {want:x?}",
        frame.len()
    );
}

/// Batches of frames, each with a program of its own; counts the frames that are accepted.
pub fn run_batches(
    model: &Model,
    limits: Limits,
    seed: u64,
    profile: StallProfile,
    batches: usize,
    mut make: impl FnMut(&mut Rng, usize) -> (Vec<Row>, Vec<Vec<u8>>),
) -> Result<usize, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let source = AxisSource::attach(&sim, "s_axis", profile.pause(Role::Source))?;
    let sink = WordSink::attach(
        &sim,
        &Channel::axis("m_axis_res"),
        profile.pause(Role::Sink),
    )?;
    let mut accepted = 0;
    sim.run(async |sim| {
        let mut rng = sim.rng("traffic");
        for batch in 0..batches {
            let (rows, frames) = make(&mut rng, batch);
            load(&sim, &rows).await.expect("ports");
            for frame in &frames {
                source.send(frame.clone());
            }
            for (i, frame) in frames.iter().enumerate() {
                let (want, _) = parse(&rows, limits, frame);
                accepted += usize::from(!want.reject);
                expect(
                    &sink.recv().await,
                    &want,
                    frame,
                    &format!("batch {batch} frame {i}"),
                );
            }
            source.idle().await;
            sim.cycles(40).await;
            assert!(sink.is_empty(), "a result too many");
        }
    })?;
    Ok(accepted)
}

/// A row that stays where it is and goes to `next`, whatever it sees.
pub fn plain_row(next: u32) -> Row {
    let mut row: Row = [0; 16];
    row[3] = next << 8;
    for arm in 0..4 {
        row[6 + 2 * arm] = 1;
    }
    row
}

/// A program that accepts in its step number `steps`.
pub fn chain(steps: usize) -> Vec<Row> {
    (1..=steps)
        .map(|step| plain_row(if step == steps { 0xFE } else { step as u32 }))
        .collect()
}
