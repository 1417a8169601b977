//! Frames a second of processor time through the whole model, host included: `cargo run --release -p pagetrain-golden --example bench`.

use std::time::{Duration, Instant};

use pagetrain_formats::program::{tcp, Limits};
use pagetrain_formats::{regs, Config, Counter};
use pagetrain_golden::checksum::{pseudo_header, Sum};
use pagetrain_golden::host::HostOptions;
use pagetrain_golden::{Pace, RunOptions, Standalone};

/// A TCP segment over IPv4 with good checksums.
fn segment(flow: u32, seq: u32, payload: usize) -> Vec<u8> {
    let src = 0x0A00_0000 + flow;
    let dst = 0x0A01_0001u32;
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00];
    let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
    ip[2..4].copy_from_slice(&(40 + payload as u16).to_be_bytes());
    ip.extend(src.to_be_bytes());
    ip.extend(dst.to_be_bytes());
    let sum = Sum::new().bytes(&ip).checksum();
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut tcp = [
        &[0x9C, 0x40, 0x14, 0x51][..],
        &seq.to_be_bytes(),
        &[0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0],
    ]
    .concat();
    tcp.extend((0..payload).map(|i| i as u8));
    let sum = pseudo_header(src.into(), dst.into(), 6, tcp.len() as u32)
        .bytes(&tcp)
        .checksum();
    tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    frame.extend(ip);
    frame.extend(tcp);
    frame
}

/// Time that this thread was on a core; other work on the machine does not count. Falls back to wall time.
fn cpu_time(start: Instant) -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn run(name: &str, flows: u32, payload: usize, admit_min: u32) {
    let config = Config::default();
    let program =
        tcp(&Limits::of(&config)).expect("the shipped program fits the default configuration");
    let options = RunOptions {
        pace: Pace::Line,
        poll_every: None,
        service_every: 32,
        host: HostOptions::full(10, 4096, 0),
        registers: vec![(regs::Q_ADMIT_MIN, admit_min)],
    };
    let mut model = Standalone::new(&config, &program.words(), options).expect("legal options");
    // Each flow repeats a stretch of its stream: a gap at the end of each lap, in-order segments else.
    const LAP: u32 = 64;
    let frames: Vec<Vec<u8>> = (0..LAP * flows)
        .map(|i| segment(i % flows, i / flows * payload as u32, payload))
        .collect();
    let (mut trains, mut packets) = (0u64, 0u64);
    let mut sink = |delivery: pagetrain_golden::deliver::Delivery<'_>, _: &_, _| {
        if let pagetrain_golden::deliver::Delivery::Train(train) = delivery {
            trains += 1;
            packets += train.packets.len() as u64;
        }
    };
    let start = Instant::now();
    let before = cpu_time(start);
    let mut count = 0u64;
    while start.elapsed() < Duration::from_secs(2) {
        for frame in &frames {
            model
                .frame(frame, Duration::ZERO, &mut sink)
                .expect("the model keeps its contract");
        }
        count += frames.len() as u64;
    }
    let seconds = (cpu_time(start) - before).as_secs_f64();
    model.stop(&mut sink).expect("the model keeps its contract");
    let dropped = model.counters().get(Counter::DropNoBuffer);
    println!(
        "{name:34} {:8.3} M frames/s  {:7.2} Gbit/s  {:5.1} packets a train  {dropped} dropped of {count}, {packets} delivered",
        count as f64 / seconds / 1e6,
        count as f64 * 8.0 * frames[0].len() as f64 / seconds / 1e9,
        packets as f64 / trains as f64,
    );
}

fn main() {
    run("60 bytes, 8 flows watched", 8, 6, 1);
    run("60 bytes, 16 flows unwatched", 16, 6, 1024);
    run("60 bytes, 64 flows, 16 entries", 64, 6, 1);
    run("1514 bytes, 8 flows watched", 8, 1460, 1024);
    run("9014 bytes, 4 flows watched", 4, 8960, 1024);
}
