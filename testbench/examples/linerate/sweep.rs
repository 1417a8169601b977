//! What is measured: all lengths of all kinds of traffic, latencies, slow buses.

use super::job::{Bus, Job, Part};
use super::setup::Engine;
use pagetrain_testbench::rate::{Link, Mix};

/// Frames of each length without a gap. They measure a rate, so there need be no more.
const FLOOD: usize = 128;
/// Frames of each length at the wire's pace, at least.
const PACED: usize = 200;
/// Lengths that are measured whatever the step is, and shown one by one: the shortest, one that others quote, the usual longest,
/// a page, a jumbo frame.
pub const LANDMARKS: [usize; 5] = [60, 1448, 1514, 4096, 9018];
/// Lengths of latencies and slow buses.
const FEW: [usize; 3] = [60, 1514, 9018];
/// Lengths that one job does.
const CHUNK: usize = 64;
/// Every frame is a train of its own, so that none waits for others to join it.
const ALONE: Mix = Mix::Trains;

/// Slow buses.
pub fn buses() -> Vec<Bus> {
    let refusing = [0, 10, 20, 40].map(Bus::refusing);
    let late = [50, 100, 200, 500].map(|latency| [1, 4, 16, 64].map(|n| Bus::late(latency, n)));
    refusing
        .into_iter()
        .chain(late.into_iter().flatten())
        .collect()
}

fn lengths(mix: Mix, step: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (60..=1514).step_by(step).chain(LANDMARKS).collect();
    all.retain(|&length| length >= mix.shortest());
    all.sort_unstable();
    all.dedup();
    all
}

/// All jobs of an engine, with every so manieth length.
pub fn jobs<'a>(engine: &'a Engine<'a>, step: usize) -> Vec<Job<'a>> {
    let job = |part, mix, link: Option<Link>, frames, bytes, lengths: &[usize], bus| Job {
        engine,
        part,
        mix,
        link,
        frames,
        bytes,
        lengths: lengths.to_vec(),
        bus,
    };
    let pace = Some(engine.link);
    let mut jobs = vec![];
    for mix in Mix::ALL {
        for some in lengths(mix, step).chunks(CHUNK) {
            let quick = Bus::quick;
            jobs.push(job(Part::Flooded(mix), mix, None, FLOOD, 0, some, quick()));
            let bytes = engine.bytes;
            jobs.push(job(
                Part::Paced(mix),
                mix,
                pace,
                PACED,
                bytes,
                some,
                quick(),
            ));
        }
    }
    let apart = Some(engine.link.slowed(20.0));
    for (part, pace) in [(Part::Apart, apart), (Part::Close, pace)] {
        jobs.push(job(part, ALONE, pace, PACED, 0, &FEW, Bus::quick()));
    }
    if engine.setup.must_hold {
        let bytes = 4 * engine.config.ingress_bytes;
        for (i, bus) in buses().into_iter().enumerate() {
            for (part, pace) in [(Part::Waits(i), None), (Part::Drops(i), pace)] {
                let (mix, bus) = (Mix::OneFlow, bus.clone());
                jobs.push(job(part, mix, pace, 256, bytes, &FEW, bus));
            }
        }
    }
    jobs
}
