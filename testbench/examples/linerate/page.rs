//! `docs/src/linerate.md`.

use super::results::{EngineResult, MixResult, Results};
use super::setup::{Setup, SETUPS};
use super::sweep::LANDMARKS;
use pagetrain_testbench::verilator::workspace_root;
use std::fmt::Display;

const INTRO: &str = "<!-- Written by `make linerate` from docs/results/linerate.json. -->

# Line rate

    make linerate                  # every length from 60 to 1514 bytes, 4096 and 9018
    make linerate STEP=10          # every tenth length

The whole engine in simulation, its memory compared with the model's, on a bus that takes a beat a clock. A frame on the wire has 24 bytes
more: preamble, FCS, gap. **Paced**: at least 200 frames of each length at the wire's pace, and as many as fill the frame store.
**Flooded**: frames without any gap, the MAC waiting when told to: how fast the engine could go.
Clocks a frame are those between two frames' decisions, once all queues are full.

| traffic | what it is |
|---|---|
| one-flow | data of one watched flow, in trains |
| unwatched | TCP below the admission limit, UDP, an unknown protocol, in turn |
| trains | 16 watched flows in turn, every frame a train of its own (`max_aggr` = 1) |
| evictions | 32 flows in turn through 16 entries: an eviction a frame |
| acks | pure ACKs of 16 watched flows |
| tagged-v6 | 16 watched flows in turn, VLAN tag, IPv6, TCP time stamps; tags stripped. Its shortest frame is longer than 60 bytes |
";

fn row(cells: impl IntoIterator<Item = impl Display>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|c| format!(" {c} |")).collect();
    format!("|{}\n", cells.concat())
}

fn head(cells: &[String]) -> String {
    row(cells) + &format!("|{}\n", "---|".repeat(cells.len()))
}

fn strings<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

/// Whether the source makes another Verilog today.
fn is_older(engine: &EngineResult) -> Result<bool, String> {
    let setup = SETUPS
        .iter()
        .find(|setup| setup.data_width == engine.data_width);
    let verilog = setup.map(Setup::verilog).transpose()?;
    Ok(verilog.as_ref() != Some(&engine.verilog))
}

/// The whole page.
pub fn text(results: &Results) -> Result<String, String> {
    let covered = match results.step {
        1 => "every length from 60 to 1514 bytes".to_owned(),
        2 => "**every second length only** from 60 to 1514 bytes".to_owned(),
        step => format!("**every {step}th length only** from 60 to 1514 bytes"),
    };
    let always: Vec<String> = LANDMARKS[1..].iter().map(usize::to_string).collect();
    let mut text = format!(
        "{INTRO}\nThe figures below are of {covered}, and of {}. *Verilog* says, by a hash without comments, which text was simulated;
**older**, that the source has changed since.\n",
        always.join(", ")
    );
    for engine in &results.engines {
        let older = if is_older(engine)? { ", **older**" } else { "" };
        text += &format!(
            "\n## W = {}, D = {}: {} Gb/s at {} MHz\n\nVerilog {}{}.\n\n",
            engine.data_width, engine.dma_width, engine.gbps, engine.mhz, engine.verilog, older
        );
        text += &sweep(engine);
        text += &paces(engine);
        text += &latencies(engine);
        text += &buses(engine);
    }
    Ok(text)
}

fn sweep(engine: &EngineResult) -> String {
    let mut text = head(&strings([
        "traffic",
        "paced: lengths",
        "frames",
        "lost",
        "clocks with `tready` low",
        "bus beats a clock, at most",
        "at length",
        "flooded: worst length",
        "clocks a frame",
        "the wire's",
    ]));
    for mix in &engine.mixes {
        text += &row([
            mix.name.clone(),
            mix.lengths.to_string(),
            mix.frames.to_string(),
            mix.lost.to_string(),
            mix.held.to_string(),
            format!("{:.3}", mix.beats),
            mix.beats_length.to_string(),
            mix.worst.length.to_string(),
            format!("{:.2}", mix.worst.clocks),
            format!("{:.2}", mix.worst.wire),
        ]);
    }
    text += "\n";
    text += &match engine.holds() {
        true => "Line rate holds: no frame is lost, and the MAC never waits.\n".to_owned(),
        false => engine.mixes.iter().filter_map(failing).collect(),
    };
    text
}

fn failing(mix: &MixResult) -> Option<String> {
    let longest = mix.longest_failing?;
    Some(format!(
        "- {}: holds above {longest} bytes; up to there, {} of {} lengths lose frames or make the MAC wait.\n",
        mix.name,
        mix.failing,
        mix.lengths
    ))
}

fn paces(engine: &EngineResult) -> String {
    let mut text = "\nFlooded, clocks a frame of some lengths:\n\n".to_owned();
    let bytes = LANDMARKS.map(|length| format!("{length} bytes"));
    text += &head(&[strings(["traffic"]), bytes.into()].concat());
    let cells = |name: &str, value: &dyn Fn(usize) -> Option<f64>| {
        let shown = |length| value(length).map_or("-".to_owned(), |c| format!("{c:.2}"));
        row([vec![name.to_owned()], LANDMARKS.map(shown).into()].concat())
    };
    let wire = |length| {
        let all = engine.mixes.iter().flat_map(|mix| &mix.paces);
        all.filter(|p| p.length == length).map(|p| p.wire).next()
    };
    text += &cells("*the wire*", &wire);
    for mix in &engine.mixes {
        let of = |length| mix.paces.iter().find(|p| p.length == length);
        text += &cells(&mix.name, &|length| of(length).map(|p| p.clocks));
    }
    text
}

fn latencies(engine: &EngineResult) -> String {
    let mut text = "\nLatency, in clocks from a frame's last beat in to its completion written, least and most of 200; every frame a train of its own:\n\n".to_owned();
    text += &head(&strings([
        "bytes",
        "frames far apart",
        "at the wire's pace",
    ]));
    let range =
        |r: Option<(u64, u64)>| r.map_or("-".to_owned(), |(min, max)| format!("{min} to {max}"));
    for l in &engine.latencies {
        text += &row([l.length.to_string(), range(l.apart), range(l.close)]);
    }
    text
}

fn buses(engine: &EngineResult) -> String {
    let Some(first) = engine.buses.first() else {
        return String::new();
    };
    let mut text = "\nOne flow on a slower bus: bytes of frames a clock that the engine sustains; and frames lost of those sent at the wire's pace, each whole and counted:\n\n".to_owned();
    let mut titles = strings(["bus"]);
    for point in &first.points {
        titles.extend([format!("{} bytes", point.length), "lost".to_owned()]);
    }
    text += &head(&titles);
    for bus in &engine.buses {
        let mut cells = vec![bus.name.clone()];
        for p in &bus.points {
            cells.push(format!("{:.2}", p.bytes_a_clock));
            cells.push(format!("{} of {}", p.lost, p.sent));
        }
        text += &row(cells);
    }
    text
}

/// Writes the page.
pub fn write(text: &str) -> Result<(), String> {
    let path = workspace_root().join("docs/src/linerate.md");
    std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    eprintln!("linerate: {} written", path.display());
    Ok(())
}
