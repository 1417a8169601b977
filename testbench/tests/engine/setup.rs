//! A random board: settings, buffers, pauses.

use super::support::{bench, cut_clocks};
use pagetrain_formats::{regs, Config};
use pagetrain_golden::host::HostOptions;
use pagetrain_testbench::engine::BenchOptions;
use pagetrain_testbench::stall::{Pause, Role, StallProfile};
use pagetrain_testbench::Rng;
use std::fmt;

/// What one run is made of.
pub struct Setup {
    pub bench: BenchOptions,
    /// Senders.
    pub flows: usize,
    /// Longest frame that is taken.
    pub largest: usize,
    pub mac: Pause,
}

impl Setup {
    /// The value written to a register.
    pub fn register(&self, addr: u16) -> u32 {
        let found = self.bench.registers.iter().find(|w| w.0 == addr);
        found.expect("every register is chosen").1
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.bench.host;
        write!(f, "{} flows, MAC {:?}, registers", self.flows, self.mac)?;
        for (addr, value) in &self.bench.registers {
            write!(
                f,
                " {}={value}",
                regs::by_addr(*addr).map_or("?", |r| r.name)
            )?;
        }
        let logs = (host.small_log2, host.page_log2, host.completion_log2);
        write!(
            f,
            ", rings {logs:?}, {} small buffers, pages {:?}",
            host.smalls, host.pages
        )
    }
}

/// The registers that decide what happens to frames.
fn registers(rng: &mut Rng, config: &Config) -> Vec<(u16, u32)> {
    let limit = config.max_frame_limit() as u32;
    let entries = config.train_entries as u32;
    let strip = u32::from(rng.chance(0.5));
    let backpressure = u32::from(rng.chance(0.25));
    // Without a timer, trains hold the buffers that a frame may be waiting for.
    let first = usize::from(backpressure == 1);
    vec![
        (regs::TICK_CLOCKS, *rng.pick(&[1, 3, 16, 100, 100])),
        (regs::RX_CTRL, strip | backpressure << 1),
        (
            regs::MAX_FRAME,
            (*rng.pick(&[1600, 9018, limit])).min(limit),
        ),
        (regs::Q_MERGE, u32::from(rng.chance(0.85))),
        (
            regs::Q_DEFER_TICKS,
            *rng.pick(&[0, 0, 1, 2, 20, 64][2 * first..]),
        ),
        (
            regs::Q_MAX_AGGR,
            *rng.pick(&[1, 2, 8, 20, entries, entries, entries]),
        ),
        (
            regs::Q_MAX_BYTES,
            *rng.pick(&[1, 3000, 20_000, 65535, 65535, 1_048_575, 1_048_575]),
        ),
        (regs::Q_ADMIT_MIN, *rng.pick(&[0, 1, 1024, 1024, 4000])),
        (regs::Q_PAGE_CTRL, rng.below(4) as u32),
        (regs::Q_TRAIN_PAGES, *rng.pick(&[1, 1, 2, 3, 16])),
    ]
}

/// Pages of one length or of any, with and without headroom, in rings that wrap soon.
fn host(rng: &mut Rng, config: &Config, patient: bool) -> HostOptions {
    let most = config.page_size as u64;
    let log2 = |rng: &mut Rng, least: u64| rng.range(least..=7) as u32;
    // A frame that waits must find its buffers some day, whatever the flows hold.
    let (small_log2, page_log2) = match patient {
        true => (6, 6),
        false => (log2(rng, 4), log2(rng, 4)),
    };
    let length = |rng: &mut Rng| match rng.below(4) {
        0 => rng.range(1024..=most) as u32,
        _ => *rng.pick(&[4096, 16384, 65536].map(|l: u64| l.min(most))) as u32,
    };
    let one = rng.chance(0.5).then(|| length(rng));
    let headrooms = rng.chance(0.6);
    let page = |_| {
        let length = one.unwrap_or_else(|| length(rng));
        let most = u64::from(length - 1024).min(4095);
        let headroom = match headrooms && rng.chance(0.7) {
            true => rng.range(0..=most) as u16,
            false => 0,
        };
        (length, headroom)
    };
    HostOptions {
        base: 0x1_0000_0000,
        small_log2,
        page_log2,
        completion_log2: 4,
        smalls: 1 << small_log2,
        pages: (0..1 << page_log2).map(page).collect(),
    }
}

/// The board of a seed.
pub fn setup(rng: &mut Rng, config: &Config, stall: StallProfile, seed: u64) -> Setup {
    let registers = registers(rng, config);
    let value = |addr: u16| registers.iter().find(|w| w.0 == addr).map_or(0, |w| w.1);
    let patient = value(regs::RX_CTRL) & regs::RX_CTRL_BACKPRESSURE.mask() != 0;
    let mut host = host(rng, config, patient);
    host.completion_log2 = rng.range(4..=8) as u32;
    let largest = value(regs::MAX_FRAME) as usize;
    let mac = match rng.below(4) {
        0 => Pause::Never,
        1 => stall.pause(Role::Source),
        2 => Pause::Random(0.5),
        _ => Pause::Bursts {
            run: 1..=300,
            pause: 1..=300,
        },
    };
    let mut bench = bench(config, seed, stall, 1);
    if value(regs::Q_PAGE_CTRL) & regs::Q_PAGE_CTRL_PAGE_SPLIT.mask() != 0 {
        bench.limits.timer_slack += cut_clocks(config);
    }
    Setup {
        bench: BenchOptions {
            host,
            registers,
            ..bench
        },
        flows: *rng.pick(&[1, 3, 20, 70, 70, 200]),
        largest,
        mac,
    }
}
