//! Sees every delivery of a replay, counts it, and writes what the user asked for.

use super::headers::Endpoints;
use super::tally::{parts, Tally};
use super::Numbers;
use crate::failure::Failure;
use crate::pcap::PcapWriter;
use pagetrain_formats::Config;
use pagetrain_golden::deliver::{Delivery, Piece, Train};
use pagetrain_golden::memory::Memory;
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files that a replay may write.
#[derive(Default)]
pub struct Outputs<'a> {
    /// What the host's stack would be handed.
    pub deliver: Option<&'a Path>,
    /// One line a train.
    pub json: Option<&'a Path>,
}

/// The observer.
pub struct Observer {
    /// What it has counted.
    pub tally: Tally,
    /// The capture's numbers of the frames sent so far.
    pub numbers: Numbers,
    /// Time of the capture's first frame: clock 0.
    pub begin: Duration,
    page_size: u32,
    clock_khz: u64,
    deliver: Option<PcapWriter>,
    json: Option<(PathBuf, BufWriter<File>)>,
    frame: Vec<u8>,
    failure: Option<Failure>,
}

impl Observer {
    /// Creates the files.
    pub fn new(config: &Config, outputs: &Outputs) -> Result<Self, Failure> {
        let create = |path: &Path| -> Result<_, Failure> {
            let file = File::create(path).map_err(Failure::file(path))?;
            Ok((path.to_owned(), BufWriter::new(file)))
        };
        Ok(Observer {
            tally: Tally::default(),
            numbers: Numbers::default(),
            begin: Duration::ZERO,
            page_size: config.page_size as u32,
            clock_khz: config.clock_khz as u64,
            deliver: outputs.deliver.map(PcapWriter::create).transpose()?,
            json: outputs.json.map(create).transpose()?,
            frame: Vec::new(),
            failure: None,
        })
    }

    /// Takes a delivery. A file that cannot be written is remembered until [`Observer::finish`].
    pub fn take(&mut self, delivery: Delivery<'_>, memory: &impl Memory, clock: u64) {
        let Delivery::Train(train) = delivery else {
            return;
        };
        self.tally.add(train, self.page_size);
        if self.failure.is_none() {
            self.failure = self.write(train, memory, clock).err();
        }
    }

    /// Writes out all files.
    pub fn finish(&mut self) -> Result<(), Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if let Some(deliver) = self.deliver.take() {
            deliver.finish()?;
        }
        if let Some((path, mut out)) = self.json.take() {
            out.flush().map_err(Failure::file(&path))?;
        }
        Ok(())
    }

    fn write(&mut self, train: &Train, memory: &impl Memory, clock: u64) -> Result<(), Failure> {
        if let Some(deliver) = &mut self.deliver {
            let nanos = u128::from(clock) * 1_000_000 / u128::from(self.clock_khz);
            let stamp = self.begin + Duration::from_nanos(nanos as u64);
            for packet in &train.packets {
                self.frame.clear();
                train.frame(packet, memory, &mut self.frame);
                deliver.packet(stamp, &self.frame)?;
            }
        }
        if self.json.is_none() {
            return Ok(());
        }
        let line = self.line(train, memory, clock);
        let (Some(line), Some((path, out))) = (line, &mut self.json) else {
            return Ok(());
        };
        let written = serde_json::to_writer(&mut *out, &line).map_err(std::io::Error::from);
        written
            .and_then(|()| out.write_all(b"\n"))
            .map_err(Failure::file(path))
    }

    /// One train as a line of JSON.
    fn line(&mut self, train: &Train, memory: &impl Memory, clock: u64) -> Option<Line> {
        let (first, last, head) = (train.packets.first()?, train.packets.last()?, train.head()?);
        self.frame.clear();
        train.frame(first, memory, &mut self.frame);
        let endpoints = Endpoints::of(&first.pkt, &self.frame);
        let tags = [first.pkt.vlan0, first.pkt.vlan1];
        let tags = &tags[..usize::from(first.pkt.vlan_count).min(2)];
        let page = |p: &Piece| Page {
            cookie: p.cookie,
            offset: p.offset,
            length: p.len,
        };
        Some(Line {
            queue: 0,
            src: endpoints.addresses.map(|a| a.0),
            dst: endpoints.addresses.map(|a| a.1),
            sport: endpoints.ports.map(|p| p.0),
            dport: endpoints.ports.map(|p| p.1),
            vlan: tags.iter().map(|tci| tci & 0xFFF).collect(),
            packets: train.packets.len(),
            payload: if first.pkt.split { head.train_bytes } else { 0 },
            gso_size: 0,
            reason: head.reason.name().to_lowercase(),
            pages: parts(train.all_pieces()).iter().map(page).collect(),
            first_frame: self.numbers.of(first.pkt.rx_seq),
            last_frame: self.numbers.of(last.pkt.rx_seq),
            clock,
        })
    }
}

/// A train, as `--json` writes it; fields in this order. Addresses and ports are null where the parser found none.
#[derive(Serialize)]
struct Line {
    queue: u32,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    sport: Option<u16>,
    dport: Option<u16>,
    /// VLAN identifiers, the outer one first.
    vlan: Vec<u16>,
    packets: usize,
    /// Bytes; 0 where headers and payload were not split.
    payload: u32,
    /// 0: packets keep their own headers in these merge modes, nothing is to be segmented again.
    gso_size: u32,
    reason: String,
    pages: Vec<Page>,
    /// Numbers of the first and last packet in the capture, from 1.
    first_frame: u64,
    last_frame: u64,
    /// Clock at which the host took the train.
    clock: u64,
}

/// A train's bytes in one page.
#[derive(Serialize)]
struct Page {
    cookie: u32,
    offset: u32,
    length: u32,
}
