//! A capture through the model alone, frame by frame, in constant memory.

use super::{host, progress, warn, Observer, Outputs, Settings, Summary};
use crate::args::TrafficArgs;
use crate::capture::Capture;
use crate::failure::Failure;
use pagetrain_golden::standalone::RunError;
use pagetrain_golden::{RunOptions, Standalone};

/// Frames between two looks of the host at its completion ring.
const SERVICE_EVERY: u64 = 16;

/// Runs the capture; returns the summary's text.
pub fn run(args: &TrafficArgs, settings: &Settings, outputs: &Outputs) -> Result<String, Failure> {
    let mut capture = Capture::open(&args.capture)?;
    let mut observer = Observer::new(&settings.config, outputs)?;
    let options = RunOptions {
        pace: args.pace,
        poll_every: args.poll,
        service_every: SERVICE_EVERY,
        host: host(&settings.config),
        registers: settings.registers.clone(),
    };
    let mut model =
        Standalone::new(&settings.config, &settings.program, options).map_err(failed)?;
    let bar = progress(None);
    let mut bytes = 0;
    while let Some(frame) = capture.next_frame()? {
        if observer.numbers.count() == 0 {
            observer.begin = frame.stamp;
        }
        observer.numbers.push(frame.number);
        let sent = observer.numbers.count();
        observer.numbers.set_sent(sent as usize);
        bytes += frame.bytes.len() as u64;
        model
            .frame(&frame.bytes, frame.stamp, &mut |delivery, memory, clock| {
                observer.take(delivery, memory, clock)
            })
            .map_err(failed)?;
        bar.inc(1);
    }
    model
        .flush(&mut |delivery, memory, clock| observer.take(delivery, memory, clock))
        .map_err(failed)?;
    bar.finish_and_clear();
    warn(&capture);
    observer.finish()?;
    let clocks = model.clock();
    let counters = model.counters().values().to_vec();
    let summary = Summary {
        tally: &observer.tally,
        frames: observer.numbers.count(),
        bytes,
        counters: &counters,
        clocks,
        config: &settings.config,
    };
    Ok(summary.text())
}

/// Register writes and buffers are the user's; a broken contract is not.
fn failed(error: RunError) -> Failure {
    match error {
        RunError::Engine(_) => Failure::Different(error.to_string()),
        _ => Failure::Usage(error.to_string()),
    }
}
