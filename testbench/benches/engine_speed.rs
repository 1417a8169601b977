//! Clocks a second of the whole engine on its board (MAC, host memory, register port, driver, model,
//! scoreboard) against a bare loop that only evaluates the same model for the same inputs.
//!
//! `cargo bench -p pagetrain-testbench --bench engine_speed [-- <frames> [<data width>]]`

mod common;

use common::{bare, cpu_time, Recorder};
use pagetrain_formats::program::{tcp, Limits as ProgramLimits};
use pagetrain_formats::{regs, Config};
use pagetrain_golden::host::HostOptions;
use pagetrain_golden::Limits;
use pagetrain_testbench::capture::read_capture;
use pagetrain_testbench::engine::{engine_model, Bench, BenchOptions, TimedFrame};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::{workspace_root, Model, Options};
use std::fs::File;

fn board(config: &Config, model: &Model) -> Bench {
    let program = tcp(&ProgramLimits::of(config)).expect("the shipped program fits");
    let options = BenchOptions {
        seed: 1,
        stall: StallProfile::None,
        host: HostOptions::full(7, config.page_size as u32, 0),
        registers: vec![(regs::Q_MERGE, 1)],
        program: program.words(),
        limits: Limits::NONE,
        waves: None,
    };
    Bench::new(config, model, options, Box::new(|_, _, _| {})).expect("a board")
}

/// Sends `frames` back to back, all that comes of them checked as it comes. Gives the clocks. What is still
/// open at the end stays so: this is about speed.
fn run(board: &mut Bench, frames: &[TimedFrame]) -> u64 {
    let ran = board.run(async |driver| {
        for frame in frames {
            driver.send(frame.bytes.clone(), frame.bad);
            driver.nearly_sent().await;
        }
        driver.sent().await;
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    board.sim().cycle()
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let count = args
        .first()
        .map_or(2_000, |arg| arg.parse().expect("frames"));
    let widths = args.get(1).map_or(vec![64, 128, 256, 512], |arg| {
        vec![arg.parse().expect("width")]
    });
    let file = File::open(workspace_root().join("captures/own_iperf_v4_1500_4flows.pcap"))
        .expect("capture");
    let mut frames = read_capture(file).expect("capture").frames;
    frames.truncate(count);
    println!("width  frames    clocks  bare kclk/s  board kclk/s  ratio  ns of board a clock");
    for width in widths {
        let config = Config {
            data_width: width,
            dma_width: width.max(128),
            ..Config::default()
        };
        let model =
            engine_model(&config, &Options::long()).unwrap_or_else(|error| panic!("{error}"));
        let mut recorded = board(&config, &model);
        let recorder = Recorder::attach(recorded.sim());
        run(&mut recorded, &frames);
        let recording = recorder.finish();
        drop(recorded);
        let (mut best_bare, mut best, mut clocks) = (0f64, 0f64, 0);
        for _ in 0..3 {
            best_bare = best_bare.max(bare(&model, &recording));
            let mut board = board(&config, &model);
            let start = cpu_time();
            clocks = run(&mut board, &frames);
            best = best.max(clocks as f64 / (cpu_time() - start).as_secs_f64());
        }
        let cost = 1e9 / best - 1e9 / best_bare;
        let (bare, board, ratio) = (best_bare / 1e3, best / 1e3, best / best_bare);
        println!(
            "{width:5}  {:6}  {clocks:8}  {bare:11.0}  {board:12.0}  {ratio:5.2}  {cost:.0}",
            frames.len()
        );
    }
}
