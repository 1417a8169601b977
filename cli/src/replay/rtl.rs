//! A capture through the simulated hardware, every byte held against the model.

use super::{host, progress, warn, Numbers, Observer, Outputs, Settings, Summary};
use crate::args::{SimulationArgs, TrafficArgs};
use crate::capture::Capture;
use crate::failure::Failure;
use indicatif::ProgressBar;
use pagetrain_formats::Config;
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::Limits;
use pagetrain_testbench::engine::{
    self, BenchError, BenchOptions, Mismatch, ReplayOptions, TimedFrame,
};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::{Model, Options};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// Runs the capture; returns the summary's text. Fails at the first difference from the model.
pub fn run(
    args: &TrafficArgs,
    simulation: &SimulationArgs,
    settings: &Settings,
    outputs: &Outputs,
) -> Result<String, Failure> {
    let (frames, numbers) = read(&args.capture)?;
    let mut observer = Observer::new(&settings.config, outputs)?;
    observer.numbers = numbers;
    observer.begin = frames.first().map_or(observer.begin, |frame| frame.stamp);
    let model = model(&settings.config, simulation)?;
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
    let done = done?;
    let mut observer = observer.borrow_mut();
    let done = done.map_err(|error| failed(error, &observer.numbers))?;
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

/// Runs `simulation` without the messages that a failing task prints on its way to becoming an error. A panic that nobody
/// makes an error of becomes one here.
fn quietly<T>(simulation: impl FnOnce() -> T) -> Result<T, Failure> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(simulation));
    std::panic::set_hook(hook);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Failure::Different(format!(
            "the simulation failed: {}",
            text.unwrap_or("no reason given")
        ))
    })
}

/// Builds the simulation, or finds it among those built before.
fn model(config: &Config, simulation: &SimulationArgs) -> Result<Model, Failure> {
    let options = Options {
        trace: simulation.waves.is_some(),
        ..Options::long()
    };
    let wait = ProgressBar::new_spinner()
        .with_message("building the simulation, once for each configuration");
    wait.enable_steady_tick(Duration::from_millis(200));
    let model = engine::engine_model(config, &options);
    wait.finish_and_clear();
    model.map_err(|error| Failure::Usage(error.to_string()))
}

/// All frames of the capture, for the bench plans ahead of the simulation, and their numbers.
fn read(path: &Path) -> Result<(Vec<TimedFrame>, Numbers), Failure> {
    let mut capture = Capture::open(path)?;
    let (mut frames, mut numbers) = (Vec::new(), Numbers::default());
    while let Some(frame) = capture.next_frame()? {
        numbers.push(frame.number);
        frames.push(TimedFrame {
            bytes: frame.bytes,
            stamp: frame.stamp,
            bad: false,
        });
    }
    warn(&capture);
    Ok((frames, numbers))
}

fn failed(error: BenchError, numbers: &Numbers) -> Failure {
    match error {
        BenchError::Mismatch(difference) => Failure::Different(describe(&difference, numbers)),
        BenchError::Host(_) | BenchError::Register { .. } => Failure::Usage(error.to_string()),
        BenchError::Sim(_) => Failure::Different(error.to_string()),
    }
}

/// Packet number as in the capture, field, both values, clock.
fn describe(difference: &Mismatch, numbers: &Numbers) -> String {
    let Mismatch {
        frame,
        field,
        hardware,
        model,
        clock,
    } = difference;
    let packet = match frame {
        Some(rx_seq) => format!("packet {}: ", numbers.of(*rx_seq)),
        None => String::new(),
    };
    format!("{packet}{field}: hardware {hardware}, model {model}, clock {clock}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_names_the_packet_of_the_capture_and_ends_with_exit_code_1() {
        let mut numbers = Numbers::default();
        // The capture's packet 3 was left out, and the engine's count of frames has gone round.
        (1..=70_001)
            .filter(|&n| n != 3)
            .for_each(|n| numbers.push(n));
        numbers.set_sent(70_000);
        let difference = Mismatch {
            frame: Some((69_990 % 65_536) as u16),
            field: "completion 7, frag_len".to_string(),
            hardware: "0x5a8".to_string(),
            model: "0x5a7".to_string(),
            clock: 123,
        };
        let failure = failed(BenchError::Mismatch(difference), &numbers);
        assert_eq!(
            failure.to_string(),
            "packet 69992: completion 7, frag_len: hardware 0x5a8, model 0x5a7, clock 123"
        );
        assert_eq!(failure.exit_code(), 1);
    }

    #[test]
    fn panic_of_the_simulation_becomes_a_failure() {
        let failure = quietly(|| panic!("frame {}", 7)).map(|()| 0).unwrap_err();
        assert_eq!(failure.to_string(), "the simulation failed: frame 7");
        assert_eq!(failure.exit_code(), 1);
        assert_eq!(quietly(|| 3).ok(), Some(3));
    }
}
