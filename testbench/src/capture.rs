//! Reads captures: pcap and pcapng, Ethernet only.

use crate::engine::TimedFrame;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{create_reader, Block, Linktype, PcapBlockOwned, PcapError};
use std::io::Read;
use std::time::Duration;
use thiserror::Error;

/// Larger than any block that is read: a packet of 256 KiB and its header.
const BUFFER: usize = 1 << 19;

/// A capture that cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CaptureError {
    /// It is neither pcap nor pcapng.
    #[error("not a capture: must be pcap or pcapng")]
    Format,
    /// Its frames are not Ethernet.
    #[error("link type {0}: must be 1 (Ethernet)")]
    LinkType(i32),
    /// A block breaks the format.
    #[error("packet {packet}: {rule}")]
    Damaged {
        /// Packets read before it.
        packet: usize,
        /// What is wrong.
        rule: String,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Read(String),
}

/// A capture.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    /// The frames, in file order.
    pub frames: Vec<TimedFrame>,
    /// The file ends inside a packet: the frames are those before it.
    pub truncated: bool,
    /// Frames of which the capture holds a part only (snap length). They are among `frames` as far as they go.
    pub cut: usize,
}

/// Time stamp resolution of each interface of a pcapng section.
struct Interface {
    resolution: u64,
    offset: u64,
}

/// Reads a whole capture.
pub fn read_capture(source: impl Read + Send) -> Result<Capture, CaptureError> {
    let mut reader = create_reader(BUFFER, source).map_err(|error| match error {
        PcapError::ReadError => CaptureError::Read("the file cannot be read".into()),
        _ => CaptureError::Format,
    })?;
    let mut capture = Capture::default();
    let mut interfaces: Vec<Interface> = vec![];
    let mut nanos_per_unit = 1_000;
    loop {
        let damaged = |rule: String| CaptureError::Damaged {
            packet: capture.frames.len(),
            rule,
        };
        match reader.next() {
            Ok((size, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        ethernet(header.network)?;
                        nanos_per_unit = if header.is_nanosecond_precision() {
                            1
                        } else {
                            1_000
                        };
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        let nanos = u64::from(packet.ts_usec) * nanos_per_unit;
                        let stamp =
                            Duration::from_secs(packet.ts_sec.into()) + Duration::from_nanos(nanos);
                        let held = packet.data.len().min(packet.caplen as usize);
                        capture.add(&packet.data[..held], stamp, packet.origlen);
                    }
                    PcapBlockOwned::NG(Block::SectionHeader(_)) => interfaces.clear(),
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        ethernet(interface.linktype)?;
                        interfaces.push(Interface {
                            resolution: interface.ts_resolution().unwrap_or(1_000_000),
                            offset: interface.ts_offset() as u64,
                        });
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let interface = interfaces.get(packet.if_id as usize).ok_or_else(|| {
                            damaged(format!("interface {} is not declared", packet.if_id))
                        })?;
                        let (secs, fraction) =
                            packet.decode_ts(interface.offset, interface.resolution);
                        let nanos = u128::from(fraction) * 1_000_000_000
                            / u128::from(interface.resolution.max(1));
                        let stamp = Duration::new(u64::from(secs), (nanos as u32).min(999_999_999));
                        capture.add(packet.packet_data(), stamp, packet.origlen);
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        let held = packet.packet_data().len().min(packet.origlen as usize);
                        capture.add(
                            &packet.packet_data()[..held],
                            Duration::ZERO,
                            packet.origlen,
                        );
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(size);
            }
            Err(PcapError::Eof) => return Ok(capture),
            Err(PcapError::UnexpectedEof) => {
                capture.truncated = true;
                return Ok(capture);
            }
            Err(PcapError::Incomplete(_)) => {
                if reader.reader_exhausted() {
                    capture.truncated = true;
                    return Ok(capture);
                }
                reader
                    .refill()
                    .map_err(|e| CaptureError::Read(format!("{e:?}")))?;
            }
            Err(PcapError::BufferTooSmall) => {
                return Err(damaged(format!("longer than {BUFFER} bytes")));
            }
            Err(_) if capture.frames.is_empty() => return Err(CaptureError::Format),
            Err(error) => return Err(damaged(format!("{error:?}"))),
        }
    }
}

fn ethernet(link: Linktype) -> Result<(), CaptureError> {
    if link == Linktype::ETHERNET {
        return Ok(());
    }
    Err(CaptureError::LinkType(link.0))
}

impl Capture {
    fn add(&mut self, bytes: &[u8], stamp: Duration, wire: u32) {
        // A frame has at least one byte.
        if bytes.is_empty() {
            return;
        }
        self.cut += usize::from(bytes.len() < wire as usize);
        self.frames.push(TimedFrame {
            bytes: bytes.to_vec(),
            stamp,
            bad: false,
        });
    }
}
