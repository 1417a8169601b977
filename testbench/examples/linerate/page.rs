//! `docs/src/linerate.md`.

use super::setup::Setup;
use super::{latency, slow, sweep};
use pagetrain_testbench::rate::{Latencies, Point};
use pagetrain_testbench::verilator::workspace_root;

const INTRO: &str = "<!-- Written by `make linerate`. -->

# Line rate

    make linerate                  # every length from 60 to 1514 bytes, 4096 and 9018
    make linerate STEP=10          # every tenth length

The whole engine in simulation, its memory compared with the model's, on a bus that takes a beat a clock. A frame on the wire has 24 bytes
more: preamble, FCS, gap. **Paced**: at least 200 frames of each length at the wire's pace, and as many as fill the frame store.
**Flooded**: frames without any gap, the MAC waiting when told to: how fast the engine could go.

| traffic | what it is |
|---|---|
| one-flow | data of one watched flow, in trains |
| unwatched | TCP below the admission limit, UDP, an unknown protocol, in turn |
| trains | 16 watched flows in turn, every frame a train of its own |
| evictions | 32 flows in turn through 16 entries: an eviction a frame |
| acks | pure ACKs of 16 watched flows |
| tagged-v6 | 16 watched flows in turn, VLAN tag, IPv6, TCP time stamps; tags stripped |
";

/// What the page says first.
pub fn intro(step: usize) -> String {
    match step {
        1 => INTRO.to_owned(),
        _ => format!(
            "{INTRO}\nThe figures below are of every {step}th length, of 1514, 4096 and 9018.\n"
        ),
    }
}

/// The table of one setup.
pub fn sweep(setup: &Setup, rows: &[sweep::Row]) -> String {
    let mut text = format!(
        "\n## W = {}, D = {}: {} Gb/s at {} MHz\n\n",
        setup.data_width, setup.dma_width, setup.gbps, setup.mhz
    );
    text += "| traffic | paced: frames | lost | clocks the MAC waited | bus beats a clock, at most | flooded: worst length | clocks a frame | the wire's |\n";
    text += "|---|---|---|---|---|---|---|---|\n";
    for row in rows {
        let sum = |f: fn(&Point) -> u64| row.paced.iter().map(f).sum::<u64>();
        let worst = row.worst();
        text += &format!(
            "| {} | {} | {} | {} | {:.3} | {} | {:.2} | {:.2} |\n",
            row.mix.name(),
            sum(|p| p.frames as u64),
            sum(|p| p.dropped),
            sum(|p| p.held),
            row.beats(),
            worst.length,
            worst.clocks,
            row.link.clocks(worst.length),
        );
    }
    for row in rows {
        if let Some(longest) = row.failing().map(|p| p.length).max() {
            text += &format!(
                "\n{}: holds above {longest} bytes; there or below, {} of {} lengths lose frames or make the MAC wait.\n",
                row.mix.name(),
                row.failing().count(),
                row.paced.len()
            );
        }
    }
    text
}

fn range(latencies: Option<Latencies>) -> String {
    latencies.map_or("-".to_owned(), |l| format!("{} to {}", l.min, l.max))
}

/// The table of latencies.
pub fn latency(rows: &[latency::Row]) -> String {
    let mut text = "\nClocks from the last beat in to the completion written, every frame a train of its own:\n\n".to_owned();
    text += "| bytes | frames far apart | at the wire's pace |\n|---|---|---|\n";
    for row in rows {
        let (apart, paced) = (range(row.apart.latencies), range(row.paced.latencies));
        text += &format!("| {} | {apart} | {paced} |\n", row.apart.length);
    }
    text
}

/// The table of slow buses.
pub fn slow(rows: &[slow::Row]) -> String {
    let mut text = "\nOne flow on a slower bus: bytes of frames a clock that the engine sustains, and frames lost of those sent at the wire's pace:\n\n".to_owned();
    let head: Vec<String> = slow::LENGTHS
        .iter()
        .map(|l| format!(" {l} bytes | lost |"))
        .collect();
    text += &format!(
        "| bus |{}\n|---|{}\n",
        head.concat(),
        "---|---|".repeat(head.len())
    );
    for row in rows {
        let cells: Vec<String> = row
            .points
            .iter()
            .map(|(waits, drops)| {
                let bytes = waits.length as f64 / waits.clocks;
                format!(" {bytes:.2} | {} of {} |", drops.dropped, drops.frames)
            })
            .collect();
        text += &format!("| {} |{}\n", row.bus, cells.concat());
    }
    text
}

/// Writes the page.
pub fn write(text: &str) {
    let path = workspace_root().join("docs/src/linerate.md");
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    eprintln!("linerate: {} written", path.display());
}
