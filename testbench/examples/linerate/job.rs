//! A piece of work for one thread: some lengths of one kind of traffic on one board.

use super::setup::Engine;
use pagetrain_testbench::axi::MemoryConfig;
use pagetrain_testbench::rate::{measure, rate_board, Input, Link, Mix, Point, Run};
use pagetrain_testbench::stall::{Pause, StallProfile};

/// What a job's points are for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// At the wire's pace.
    Paced(Mix),
    /// Without a gap.
    Flooded(Mix),
    /// Latency of frames far apart.
    Apart,
    /// Latency at the wire's pace.
    Close,
    /// The bus of this number, without a gap.
    Waits(usize),
    /// The bus of this number, at the wire's pace.
    Drops(usize),
}

/// A slower bus.
#[derive(Clone, Debug)]
pub struct Bus {
    pub name: String,
    /// Share of the write data's beats that are refused.
    refused: f64,
    /// Clocks from a burst's last beat to its response.
    latency: u64,
    /// Writes under way, at most.
    writes: Option<usize>,
}

impl Bus {
    /// A beat a clock.
    pub fn quick() -> Bus {
        Bus {
            name: String::new(),
            refused: 0.0,
            latency: 0,
            writes: None,
        }
    }

    /// `percent` of the beats refused.
    pub fn refusing(percent: u32) -> Bus {
        Bus {
            name: format!("{percent} % of the beats refused"),
            refused: f64::from(percent) / 100.0,
            ..Bus::quick()
        }
    }

    /// A response after `latency` clocks, `writes` under way.
    pub fn late(latency: u64, writes: usize) -> Bus {
        let plural = if writes == 1 { "write" } else { "writes" };
        Bus {
            name: format!("{latency} clocks of latency, {writes} {plural} under way"),
            latency,
            writes: Some(writes),
            ..Bus::quick()
        }
    }

    fn config(&self) -> MemoryConfig {
        let mut config = MemoryConfig::new(StallProfile::None);
        if self.refused > 0.0 {
            config.w = Pause::Random(self.refused);
        }
        if let Some(writes) = self.writes {
            config.write_latency = self.latency..=self.latency;
            config.writes = writes;
        }
        config
    }

    /// Clocks between two frames for which the bus alone is the reason: header and payload are a burst each.
    fn clocks(&self) -> f64 {
        2.0 * self.latency as f64 / self.writes.unwrap_or(1) as f64
    }
}

/// The work.
pub struct Job<'a> {
    pub engine: &'a Engine<'a>,
    pub part: Part,
    pub mix: Mix,
    /// The pace; `None`: without a gap, the MAC waiting when told to.
    pub link: Option<Link>,
    /// Frames of each length, and bytes of each length, at least.
    pub frames: usize,
    pub bytes: usize,
    pub lengths: Vec<usize>,
    pub bus: Bus,
}

impl Job<'_> {
    /// Does it; `done` hears of each length. Fails at the first difference from the model, and when nothing moves any more.
    pub fn run(&self, mut done: impl FnMut(&Point)) -> Result<Vec<Point>, String> {
        let input = if self.link.is_some() {
            Input::Drops
        } else {
            Input::Waits
        };
        let run = Run {
            mix: self.mix,
            link: self.link,
            frames: self.frames,
            bytes: self.bytes,
        };
        let Engine { config, model, .. } = self.engine;
        let mut work = || {
            let mut bench = rate_board(config, model, self.mix, input)?;
            bench.bus().set_config(self.bus.config());
            measure(&mut bench, run, &self.lengths, &mut done)
        };
        let named = |e| {
            let (w, mix) = (config.data_width, self.mix.name());
            format!("W = {w}, {mix}, {}: {e}", self.bus.name)
        };
        work().map_err(named)
    }

    /// About how much work one length is.
    pub fn cost(&self, length: usize) -> u64 {
        let Engine { config, link, .. } = self.engine;
        let frames = self.frames.max(self.bytes / length);
        let clocks = match self.link {
            Some(pace) => pace.clocks(length),
            None => link.clocks(length).max(self.bus.clocks()),
        };
        // A clock of a wide engine takes longer.
        (frames as f64 * clocks * (1.0 + config.data_width as f64 / 128.0)) as u64
    }

    /// All its lengths.
    pub fn whole_cost(&self) -> u64 {
        self.lengths.iter().map(|&length| self.cost(length)).sum()
    }
}
