//! Reads captures frame by frame: pcap and pcapng, files and standard input.
//!
//! A capture that ends within a packet gives the packets before it and a warning. What makes the rest meaningless is an
//! error: another link type, a damaged block.

mod blocks;

use crate::failure::Failure;
use blocks::{Content, Interfaces};
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{create_reader, PcapError};
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
    interfaces: Interfaces,
    number: u64,
    cut: u64,
    empty: u64,
    warnings: Vec<String>,
    ended: bool,
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
            interfaces: Interfaces::default(),
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
                    let content = self.interfaces.take(block, self.number + 1);
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
