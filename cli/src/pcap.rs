//! Writes pcap files with nanosecond stamps.
//!
//! The format is 24 + 16 bytes of fields, fewer than a dependency would bring lines.

use crate::failure::Failure;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// "Nanosecond" pcap, written little-endian.
const MAGIC: u32 = 0xa1b2_3c4d;
/// LINKTYPE_ETHERNET.
const ETHERNET: u32 = 1;
/// Largest record that readers take.
const SNAP_LENGTH: u32 = 262_144;

/// A pcap file under construction.
pub struct PcapWriter {
    path: PathBuf,
    out: BufWriter<File>,
}

impl PcapWriter {
    /// Creates the file.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(Failure::file(path))?;
        let mut writer = PcapWriter {
            path: path.to_owned(),
            out: BufWriter::new(file),
        };
        // Version 2.4; time zone and accuracy are always 0.
        let header = [MAGIC, 4 << 16 | 2, 0, 0, SNAP_LENGTH, ETHERNET];
        writer.words(&header)?;
        Ok(writer)
    }

    /// Appends one packet.
    pub fn packet(&mut self, stamp: Duration, bytes: &[u8]) -> Result<(), Failure> {
        let length = bytes.len() as u32;
        self.words(&[stamp.as_secs() as u32, stamp.subsec_nanos(), length, length])?;
        self.bytes(bytes)
    }

    /// Writes out what is buffered.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::file(&self.path))
    }

    fn words(&mut self, words: &[u32]) -> Result<(), Failure> {
        words
            .iter()
            .try_for_each(|word| self.bytes(&word.to_le_bytes()))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(Failure::file(&self.path))
    }
}
