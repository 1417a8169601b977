//! Blocks of captures to frames.

use super::Frame;
use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Linktype, PcapBlockOwned};
use std::time::Duration;

/// What a block holds for us.
pub(super) enum Content {
    /// No frame.
    Nothing,
    /// A frame, and its length on the wire.
    Ethernet(Frame, u32),
}

/// What the capture says of the interfaces that its packets come from; a pcap file has one.
#[derive(Default)]
pub(super) struct Interfaces(Vec<Interface>);

struct Interface {
    linktype: Linktype,
    /// Exponent of the stamps' resolution; bit 7: of 2 instead of 10.
    resolution: u8,
    /// Seconds to add to each stamp.
    offset: i64,
}

impl Interfaces {
    /// Takes a block; `number` is that of the next packet. Errors do not name the file.
    pub fn take(&mut self, block: PcapBlockOwned<'_>, number: u64) -> Result<Content, String> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.0.push(Interface {
                    // The upper bits may tell the length of an FCS.
                    linktype: Linktype(header.network.0 & 0xFFFF),
                    resolution: if header.is_nanosecond_precision() {
                        9
                    } else {
                        6
                    },
                    offset: 0,
                });
            }
            PcapBlockOwned::Legacy(b) => {
                let interface = self.ethernet(0, number)?;
                let parts = 10u64.pow(interface.resolution.into());
                let stamp = interface.stamp(u64::from(b.ts_sec) * parts + u64::from(b.ts_usec));
                return Ok(frame(number, stamp, b.data, b.origlen));
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => self.0.clear(),
            PcapBlockOwned::NG(Block::InterfaceDescription(b)) => self.0.push(Interface {
                linktype: b.linktype,
                resolution: b.if_tsresol,
                offset: b.if_tsoffset,
            }),
            PcapBlockOwned::NG(Block::EnhancedPacket(b)) => {
                let interface = self.ethernet(b.if_id, number)?;
                let stamp = interface.stamp(u64::from(b.ts_high) << 32 | u64::from(b.ts_low));
                return Ok(frame(number, stamp, b.packet_data(), b.origlen));
            }
            PcapBlockOwned::NG(Block::SimplePacket(b)) => {
                self.ethernet(0, number)?;
                let length = b.data.len().min(b.origlen as usize);
                return Ok(frame(number, Duration::ZERO, &b.data[..length], b.origlen));
            }
            // Statistics, names, and whatever others add.
            PcapBlockOwned::NG(_) => {}
        }
        Ok(Content::Nothing)
    }

    /// The interface of packet `number`, which must be an Ethernet.
    fn ethernet(&self, interface: u32, number: u64) -> Result<&Interface, String> {
        let Some(description) = self.0.get(interface as usize) else {
            return Err(format!(
                "packet {number}: interface {interface} is not described"
            ));
        };
        match description.linktype {
            Linktype::ETHERNET => Ok(description),
            Linktype(other) => Err(format!(
                "packet {number}: link type {other}: must be 1 (Ethernet)"
            )),
        }
    }
}

impl Interface {
    /// The time that a stamp of the interface tells.
    fn stamp(&self, ticks: u64) -> Duration {
        let exponent = u32::from(self.resolution & 0x7F);
        let base: u128 = if self.resolution & 0x80 == 0 { 10 } else { 2 };
        // A resolution that no clock has: its stamps mean nothing.
        let Some(a_second) = base.checked_pow(exponent) else {
            return Duration::ZERO;
        };
        let ticks = u128::from(ticks);
        let nanos = (ticks % a_second).saturating_mul(1_000_000_000) / a_second;
        let seconds = (ticks / a_second) as i128 + i128::from(self.offset);
        Duration::new(u64::try_from(seconds).unwrap_or(0), nanos as u32)
    }
}

fn frame(number: u64, stamp: Duration, bytes: &[u8], on_the_wire: u32) -> Content {
    let bytes = bytes.to_vec();
    let frame = Frame {
        number,
        stamp,
        bytes,
    };
    Content::Ethernet(frame, on_the_wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_told_in_every_resolution() {
        let stamp = |resolution, offset, ticks| {
            let linktype = Linktype::ETHERNET;
            let interface = Interface {
                linktype,
                resolution,
                offset,
            };
            interface.stamp(ticks)
        };
        assert_eq!(stamp(6, 0, 1_500_000), Duration::from_millis(1500));
        assert_eq!(stamp(9, -1, 1_500_000_000), Duration::from_millis(500));
        assert_eq!(stamp(0, 3, 4), Duration::from_secs(7));
        assert_eq!(stamp(0x80 | 10, 0, 1536), Duration::from_millis(1500));
        assert_eq!(stamp(6, -5, 0), Duration::ZERO);
        assert_eq!(stamp(0x7f, 0, u64::MAX), Duration::ZERO);
        assert!(stamp(38, i64::MAX, u64::MAX) > Duration::ZERO);
    }
}
