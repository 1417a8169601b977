//! Reads captures frame by frame: pcap and pcapng, files and standard input.
//!
//! A capture that ends within a packet gives the packets before it and a warning. What makes the rest meaningless is an
//! error: another link type, a damaged block.

use crate::failure::Failure;
use pcap_parser::pcapng::{Block, InterfaceDescriptionBlock};
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{create_reader, Linktype, PcapBlockOwned, PcapError};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// Bytes that are read ahead at first.
const BUFFER: usize = 1 << 18;
/// Largest block that is believed: anything beyond is damage, not a packet.
const LARGEST_BLOCK: usize = 1 << 26;

/// A frame of the capture.
pub struct Frame {
    /// Its number in the capture, from 1, as Wireshark shows it.
    pub number: u64,
    /// Its time stamp.
    pub stamp: Duration,
    /// Its bytes as captured, without FCS.
    pub bytes: Vec<u8>,
}

/// A capture that is being read.
pub struct Capture {
    name: String,
    reader: Box<dyn PcapReaderIterator + Send>,
    interfaces: Vec<Interface>,
    /// Parts of a second that a stamp of a pcap file counts.
    nanosecond: bool,
    number: u64,
    cut: u64,
    empty: u64,
    warnings: Vec<String>,
    ended: bool,
}

/// What an interface description says.
struct Interface {
    linktype: Linktype,
    /// Exponent of the stamps' resolution; bit 7: of 2 instead of 10.
    resolution: u8,
    offset: i64,
}

/// What a block holds for us.
enum Content {
    Nothing,
    Ethernet(Frame, u32),
}

impl Capture {
    /// Opens a capture; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let standard = path.as_os_str() == "-";
        let name = if standard {
            "standard input".to_string()
        } else {
            path.display().to_string()
        };
        let source: Box<dyn Read + Send> = if standard {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(Failure::file(path))?)
        };
        let reader = create_reader(BUFFER, Full(source)).map_err(|error| {
            let why = match error {
                PcapError::Eof => "is empty",
                PcapError::Incomplete(_) => "ends within its header",
                PcapError::ReadError => "cannot be read",
                _ => "neither pcap nor pcapng",
            };
            Failure::Usage(format!("{name}: {why}"))
        })?;
        Ok(Capture {
            name,
            reader,
            interfaces: Vec::new(),
            nanosecond: false,
            number: 0,
            cut: 0,
            empty: 0,
            warnings: Vec::new(),
            ended: false,
        })
    }

    /// The next frame, or none at the end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Failure> {
        while !self.ended {
            let content = match self.reader.next() {
                Ok((length, block)) => {
                    let content = content(
                        block,
                        &mut self.interfaces,
                        &mut self.nanosecond,
                        self.number + 1,
                    );
                    self.reader.consume(length);
                    content.map_err(|why| Failure::Usage(format!("{}: {why}", self.name)))?
                }
                Err(error) => {
                    let state = State::of(&error);
                    self.more(state)?;
                    continue;
                }
            };
            let Content::Ethernet(frame, on_the_wire) = content else {
                continue;
            };
            self.number = frame.number;
            if frame.bytes.is_empty() {
                self.empty += 1;
                continue;
            }
            self.cut += u64::from((frame.bytes.len() as u64) < u64::from(on_the_wire));
            return Ok(Some(frame));
        }
        Ok(None)
    }

    /// Everything that the user should know of a capture that was read to its end.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = self.warnings.clone();
        if self.cut > 0 {
            let what = "packets were cut when they were captured (snap length) and are replayed as they are";
            all.push(format!("{}: {} {what}", self.name, self.cut));
        }
        if self.empty > 0 {
            all.push(format!(
                "{}: {} empty packets left out",
                self.name, self.empty
            ));
        }
        all
    }

    /// Gets the reader out of the state in which it has no whole block at hand.
    fn more(&mut self, state: State) -> Result<(), Failure> {
        let next = self.number + 1;
        let damaged = format!("{}: damaged behind packet {}", self.name, self.number);
        match state {
            State::End => self.ended = true,
            State::Truncated => {
                self.ended = true;
                self.warnings.push(format!(
                    "{}: ends within packet {next}; the {} packets before it are taken",
                    self.name, self.number
                ));
            }
            State::Refill => {
                let before = self.reader.data().len();
                self.reader.refill().map_err(|_| {
                    Failure::Usage(format!(
                        "{}: cannot be read behind packet {}",
                        self.name, self.number
                    ))
                })?;
                // A reader that wants more but has no room for it would ask for ever.
                if self.reader.data().len() == before && !self.reader.reader_exhausted() {
                    return self.more(State::Grow);
                }
            }
            State::Grow => {
                let size = 2 * self.reader.data().len().max(BUFFER);
                if size > LARGEST_BLOCK {
                    let rule = format!("a block of more than {LARGEST_BLOCK} bytes");
                    return Err(Failure::Usage(format!("{damaged}: {rule}")));
                }
                self.reader.grow(size);
                return self.more(State::Refill);
            }
            State::Damaged => return Err(Failure::Usage(damaged)),
        }
        Ok(())
    }
}

/// Why there is no whole block at hand.
#[derive(Clone, Copy)]
enum State {
    End,
    Truncated,
    Refill,
    Grow,
    Damaged,
}

impl State {
    fn of<I>(error: &PcapError<I>) -> State {
        match error {
            PcapError::Eof => State::End,
            PcapError::UnexpectedEof => State::Truncated,
            PcapError::Incomplete(_) => State::Refill,
            PcapError::BufferTooSmall => State::Grow,
            _ => State::Damaged,
        }
    }
}

fn content(
    block: PcapBlockOwned<'_>,
    interfaces: &mut Vec<Interface>,
    nanosecond: &mut bool,
    number: u64,
) -> Result<Content, String> {
    let plain = |linktype, resolution| Interface {
        linktype,
        resolution,
        offset: 0,
    };
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            *nanosecond = header.is_nanosecond_precision();
            let resolution = if *nanosecond { 9 } else { 6 };
            // The upper bits may tell the length of an FCS.
            let linktype = Linktype(header.network.0 & 0xFFFF);
            interfaces.push(plain(linktype, resolution));
            Ok(Content::Nothing)
        }
        PcapBlockOwned::Legacy(b) => {
            let parts = if *nanosecond { 1 } else { 1000 };
            let nanos = u64::from(b.ts_usec) * parts;
            let stamp = Duration::from_secs(b.ts_sec.into()) + Duration::from_nanos(nanos);
            frame(interfaces, 0, number, stamp, b.data, b.origlen)
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            Ok(Content::Nothing)
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(b)) => {
            interfaces.push(described(&b));
            Ok(Content::Nothing)
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(b)) => {
            let ticks = u64::from(b.ts_high) << 32 | u64::from(b.ts_low);
            let stamp = interfaces.get(b.if_id as usize).map(|i| i.stamp(ticks));
            let stamp = stamp.unwrap_or_default();
            frame(
                interfaces,
                b.if_id as usize,
                number,
                stamp,
                b.packet_data(),
                b.origlen,
            )
        }
        PcapBlockOwned::NG(Block::SimplePacket(b)) => {
            let length = b.data.len().min(b.origlen as usize);
            frame(
                interfaces,
                0,
                number,
                Duration::ZERO,
                &b.data[..length],
                b.origlen,
            )
        }
        PcapBlockOwned::NG(_) => Ok(Content::Nothing),
    }
}

fn frame(
    interfaces: &[Interface],
    interface: usize,
    number: u64,
    stamp: Duration,
    bytes: &[u8],
    on_the_wire: u32,
) -> Result<Content, String> {
    let Some(description) = interfaces.get(interface) else {
        return Err(format!(
            "packet {number}: interface {interface} is not described"
        ));
    };
    if description.linktype != Linktype::ETHERNET {
        let rule = "must be 1 (Ethernet)";
        return Err(format!(
            "packet {number}: link type {}: {rule}",
            description.linktype.0
        ));
    }
    let bytes = bytes.to_vec();
    let frame = Frame {
        number,
        stamp,
        bytes,
    };
    Ok(Content::Ethernet(frame, on_the_wire))
}

fn described(block: &InterfaceDescriptionBlock<'_>) -> Interface {
    Interface {
        linktype: block.linktype,
        resolution: block.if_tsresol,
        offset: block.if_tsoffset,
    }
}

impl Interface {
    /// The time that a stamp of the interface tells.
    fn stamp(&self, ticks: u64) -> Duration {
        let exponent = u32::from(self.resolution & 0x7F);
        let base: u128 = if self.resolution & 0x80 == 0 { 10 } else { 2 };
        // A resolution that no clock has; its stamps mean nothing.
        let Some(a_second) = base.checked_pow(exponent) else {
            return Duration::ZERO;
        };
        let ticks = u128::from(ticks);
        let nanos = (ticks % a_second).saturating_mul(1_000_000_000) / a_second;
        let seconds = (ticks / a_second) as i128 + i128::from(self.offset);
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Duration::new(seconds, nanos as u32)
    }
}

/// Reads until the buffer is full or the source is at its end: a pipe gives what it has, the parser wants whole headers.
struct Full<R>(R);

impl<R: Read> Read for Full<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}
