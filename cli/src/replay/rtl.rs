//! A capture through the simulated hardware, every byte held against the model.

use super::{host, progress, warn, Observer, Outputs, Settings, Summary};
use crate::args::{SimulationArgs, TrafficArgs};
use crate::capture::Capture;
use crate::failure::Failure;
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::Limits;
use pagetrain_testbench::engine::{
    self, BenchError, BenchOptions, Mismatch, ReplayOptions, TimedFrame,
};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Options;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// Runs the capture; returns the summary's text. Fails at the first difference from the model.
pub fn run(
    args: &TrafficArgs,
    simulation: &SimulationArgs,
    settings: &Settings,
    outputs: &Outputs,
) -> Result<String, Failure> {
    let mut observer = Observer::new(&settings.config, outputs)?;
    let frames = read(&args.capture, &mut observer)?;
    let model = engine::engine_model(&settings.config, &Options::long())
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let options = ReplayOptions {
        bench: BenchOptions {
            seed: simulation.seed.unwrap_or(1),
            stall: simulation.stall.unwrap_or(StallProfile::None),
            host: host(&settings.config),
            registers: settings.registers.clone(),
            program: settings.program.clone(),
            limits: Limits::NONE,
            waves: simulation.waves.clone(),
        },
        pace: args.pace,
        poll_every: args.poll,
    };
    let observer = Rc::new(RefCell::new(observer));
    let (taker, counter) = (observer.clone(), observer.clone());
    let sink = move |delivery: Delivery<'_>, memory: &_, clock| {
        taker.borrow_mut().take(delivery, memory, clock);
    };
    let bar = progress(Some(frames.len() as u64));
    let done = quietly(|| {
        let sink = Box::new(sink);
        engine::replay(&settings.config, &model, options, &frames, sink, |sent| {
            bar.set_position(sent as u64);
            counter.borrow_mut().numbers.set_sent(sent);
        })
    });
    bar.finish_and_clear();
    let mut observer = observer.borrow_mut();
    let done = done.map_err(|error| failed(error, &observer))?;
    observer.finish()?;
    let summary = Summary {
        tally: &observer.tally,
        frames: frames.len() as u64,
        bytes: done.bytes,
        counters: &done.counters,
        clocks: done.clocks,
        config: &settings.config,
    };
    Ok(summary.text())
}

/// Runs `simulation` without the message that a failing task would print on its way to becoming an error.
fn quietly<T>(simulation: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = simulation();
    std::panic::set_hook(hook);
    result
}

/// All frames of the capture: the bench plans ahead of the simulation.
fn read(path: &Path, observer: &mut Observer) -> Result<Vec<TimedFrame>, Failure> {
    let mut capture = Capture::open(path)?;
    let mut frames = Vec::new();
    while let Some(frame) = capture.next_frame()? {
        observer.numbers.push(frame.number);
        frames.push(TimedFrame {
            bytes: frame.bytes,
            stamp: frame.stamp,
            bad: false,
        });
    }
    warn(&capture);
    observer.begin = frames.first().map_or(observer.begin, |frame| frame.stamp);
    Ok(frames)
}

fn failed(error: BenchError, observer: &Observer) -> Failure {
    match error {
        BenchError::Mismatch(difference) => Failure::Different(describe(&difference, observer)),
        BenchError::Host(_) | BenchError::Register { .. } => Failure::Usage(error.to_string()),
        BenchError::Sim(_) => Failure::Different(error.to_string()),
    }
}

/// Packet number as in the capture, field, both values, clock.
fn describe(difference: &Mismatch, observer: &Observer) -> String {
    let Mismatch {
        frame,
        field,
        hardware,
        model,
        clock,
    } = difference;
    let packet = match frame {
        Some(rx_seq) => format!("packet {}: ", observer.numbers.of(*rx_seq)),
        None => String::new(),
    };
    format!("{packet}{field}: hardware {hardware}, model {model}, clock {clock}")
}
