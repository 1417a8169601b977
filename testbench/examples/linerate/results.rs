//! What was measured, in short: kept as JSON, from which the page is made.

use super::job::Part;
use super::setup::Engine;
use super::sweep::{buses, LANDMARKS};
use pagetrain_testbench::rate::{Mix, Point};
use pagetrain_testbench::verilator::workspace_root;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A whole run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Every so manieth length was measured.
    pub step: usize,
    pub engines: Vec<EngineResult>,
}

/// One engine on its wire.
#[derive(Debug, Serialize, Deserialize)]
pub struct EngineResult {
    pub data_width: usize,
    pub dma_width: usize,
    pub gbps: f64,
    pub mhz: f64,
    /// Digest of the Verilog that was simulated.
    pub verilog: String,
    pub mixes: Vec<MixResult>,
    pub latencies: Vec<LatencyResult>,
    pub buses: Vec<BusResult>,
}

/// One kind of traffic.
#[derive(Debug, Serialize, Deserialize)]
pub struct MixResult {
    pub name: String,
    /// At the wire's pace: lengths, frames, frames lost, clocks in which `tready` was low.
    pub lengths: usize,
    pub frames: usize,
    pub lost: u64,
    pub held: u64,
    /// Lengths at which frames were lost or `tready` was low: how many, and the longest.
    pub failing: usize,
    pub longest_failing: Option<usize>,
    /// The most data beats a clock, at which length.
    pub beats: f64,
    pub beats_length: usize,
    /// Without a gap: the length that takes most in proportion to the wire, and some that are always shown.
    pub worst: Pace,
    pub paces: Vec<Pace>,
}

/// Clocks a frame.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pace {
    pub length: usize,
    pub clocks: f64,
    pub wire: f64,
}

/// Clocks from the last beat in to the completion written, least and most; `None` where nothing came.
#[derive(Debug, Serialize, Deserialize)]
pub struct LatencyResult {
    pub length: usize,
    pub apart: Option<(u64, u64)>,
    pub close: Option<(u64, u64)>,
}

/// One slow bus.
#[derive(Debug, Serialize, Deserialize)]
pub struct BusResult {
    pub name: String,
    pub points: Vec<BusPoint>,
}

/// One length on it.
#[derive(Debug, Serialize, Deserialize)]
pub struct BusPoint {
    pub length: usize,
    pub bytes_a_clock: f64,
    pub sent: usize,
    pub lost: u64,
}

/// Three digits are more than a table shows.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn mix(engine: &Engine<'_>, mix: Mix, paced: &[Point], flooded: &[Point]) -> MixResult {
    let pace = |p: &Point| Pace {
        length: p.length,
        clocks: rounded(p.clocks),
        wire: rounded(engine.link.clocks(p.length)),
    };
    let load = |p: &&Point| p.clocks / engine.link.clocks(p.length);
    let worst = flooded.iter().max_by(|a, b| load(a).total_cmp(&load(b)));
    let busiest = paced.iter().max_by(|a, b| a.beats.total_cmp(&b.beats));
    let busiest = busiest.expect("every mix has lengths");
    let failing = paced.iter().filter(|p| p.dropped > 0 || p.held > 0);
    let shown = |p: &&Point| LANDMARKS.contains(&p.length);
    MixResult {
        name: mix.name().to_owned(),
        lengths: paced.len(),
        frames: paced.iter().map(|p| p.frames).sum(),
        lost: paced.iter().map(|p| p.dropped).sum(),
        held: paced.iter().map(|p| p.held).sum(),
        failing: failing.clone().count(),
        longest_failing: failing.map(|p| p.length).max(),
        beats: rounded(busiest.beats),
        beats_length: busiest.length,
        worst: pace(worst.expect("every mix has lengths")),
        paces: flooded.iter().filter(shown).map(pace).collect(),
    }
}

impl EngineResult {
    /// Sums up the points of each part.
    pub fn new(engine: &Engine<'_>, points: impl Fn(Part) -> Vec<Point>) -> EngineResult {
        let mixes = Mix::ALL.map(|m| {
            mix(
                engine,
                m,
                &points(Part::Paced(m)),
                &points(Part::Flooded(m)),
            )
        });
        let range = |p: Point| p.latencies.map(|l| (l.min, l.max));
        let latencies = points(Part::Apart).into_iter().zip(points(Part::Close));
        let latencies = latencies.map(|(apart, close)| LatencyResult {
            length: apart.length,
            apart: range(apart),
            close: range(close),
        });
        let bus = |(i, name): (usize, String)| {
            let both = points(Part::Waits(i))
                .into_iter()
                .zip(points(Part::Drops(i)));
            let point = |(waits, drops): (Point, Point)| BusPoint {
                length: waits.length,
                bytes_a_clock: rounded(waits.length as f64 / waits.clocks),
                sent: drops.frames,
                lost: drops.dropped,
            };
            BusResult {
                name,
                points: both.map(point).collect(),
            }
        };
        let buses = buses().into_iter().map(|b| b.name).enumerate().map(bus);
        EngineResult {
            data_width: engine.setup.data_width,
            dma_width: engine.setup.dma_width,
            gbps: engine.setup.gbps,
            mhz: engine.setup.mhz,
            verilog: engine.verilog.clone(),
            mixes: mixes.into(),
            latencies: latencies.collect(),
            buses: buses.filter(|b| !b.points.is_empty()).collect(),
        }
    }

    /// No frame was lost at the wire's pace, and the MAC never waited.
    pub fn holds(&self) -> bool {
        self.mixes.iter().all(|mix| mix.failing == 0)
    }
}

fn path() -> PathBuf {
    workspace_root().join("docs/results/linerate.json")
}

impl Results {
    /// What was kept.
    pub fn load() -> Result<Results, String> {
        let path = path();
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Keeps it.
    pub fn save(&self) -> Result<(), String> {
        let path = path();
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())? + "\n";
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    }
}
