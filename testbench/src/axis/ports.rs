//! The ports of an AXI-Stream, found by prefix.

use crate::sim::{Failure, Handle, Signal, SimError, WideSignal};
use crate::stream::check::HandshakeCheck;
use crate::Bits;

/// Ports of one AXI-Stream: `<prefix>_tdata`, `_tvalid`; and if they exist `_tready`, `_tkeep`, `_tlast`,
/// `_tuser`, `_tid`, `_tdest`.
pub struct AxisPorts {
    pub(super) prefix: String,
    pub(super) valid: Signal,
    pub(super) ready: Option<Signal>,
    pub(super) data: WideSignal,
    pub(super) keep: Keep,
    pub(super) last: Option<Signal>,
    pub(super) user: Option<Signal>,
    pub(super) id: Option<Signal>,
    pub(super) dest: Option<Signal>,
    pub(super) side: Vec<WideSignal>,
    /// Byte lanes.
    pub(super) lanes: usize,
}

/// `tkeep`, by how it is held.
pub(super) enum Keep {
    /// No such port: all lanes count.
    None,
    /// Up to 64 lanes.
    Narrow(Signal),
    /// Up to 128 lanes.
    Wide(WideSignal),
}

impl AxisPorts {
    /// Finds the ports; `side` names further payload ports, `<prefix>_<side>`.
    pub(super) fn find(
        handle: &Handle,
        prefix: &str,
        side: &[&str],
    ) -> Result<AxisPorts, SimError> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let optional = |suffix: &str| {
            handle
                .port(&name(suffix))
                .map(|port| handle.signal(&port.name))
                .transpose()
        };
        let data = handle.wide(&name("tdata"))?;
        let refuse = |suffix: &str, rule: String| {
            Err(handle.error(Failure::Port {
                port: name(suffix),
                rule,
            }))
        };
        if data.width() % 8 != 0 || data.width() > 1024 {
            return refuse(
                "tdata",
                format!(
                    "{} bits; a byte stream has whole bytes, at most 128",
                    data.width()
                ),
            );
        }
        let lanes = data.width() / 8;
        let keep = match handle.port(&name("tkeep")) {
            None => Keep::None,
            Some(port) if port.width != lanes => {
                return refuse(
                    "tkeep",
                    format!("{} bits, but tdata has {lanes} bytes", port.width),
                );
            }
            Some(_) if lanes <= 64 => Keep::Narrow(handle.signal(&name("tkeep"))?),
            Some(_) => Keep::Wide(handle.wide(&name("tkeep"))?),
        };
        Ok(AxisPorts {
            prefix: prefix.to_owned(),
            valid: handle.signal(&name("tvalid"))?,
            ready: optional("tready")?,
            keep,
            last: optional("tlast")?,
            user: optional("tuser")?,
            id: optional("tid")?,
            dest: optional("tdest")?,
            side: side
                .iter()
                .map(|suffix| handle.wide(&name(suffix)))
                .collect::<Result<_, _>>()?,
            lanes: lanes as usize,
            data,
        })
    }

    /// Every payload port under the rules of the handshake. Sideband ports count at the last beat only and
    /// are left out.
    pub(super) fn check(&self, handle: &Handle) -> Result<HandshakeCheck, SimError> {
        let mut payload = vec![self.data.clone()];
        for suffix in ["tkeep", "tlast", "tuser", "tid", "tdest"] {
            let name = format!("{}_{suffix}", self.prefix);
            if handle.port(&name).is_some() {
                payload.push(handle.wide(&name)?);
            }
        }
        Ok(HandshakeCheck::new(&self.prefix, payload))
    }

    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.as_ref().is_none_or(Signal::is_high)
    }

    #[inline]
    pub(super) fn is_last(&self) -> bool {
        self.last.as_ref().is_none_or(Signal::is_high)
    }

    /// `tkeep`, all ones where there is no such port.
    #[inline]
    pub(super) fn read_keep(&self) -> u128 {
        match &self.keep {
            Keep::None => lane_mask(self.lanes),
            Keep::Narrow(keep) => u128::from(keep.get()),
            Keep::Wide(keep) => {
                let mut bytes = [0; 16];
                keep.read(&mut bytes[..self.lanes.div_ceil(8)]);
                u128::from_le_bytes(bytes)
            }
        }
    }

    /// Drives `tkeep` for the first `count` lanes.
    #[inline]
    pub(super) fn write_keep(&self, count: usize) {
        match &self.keep {
            Keep::None => {}
            Keep::Narrow(keep) => keep.set(lane_mask(count) as u64),
            Keep::Wide(keep) => {
                keep.write(&lane_mask(count).to_le_bytes()[..self.lanes.div_ceil(8)]);
            }
        }
    }

    /// Sideband values as of now.
    pub(super) fn read_side(&self) -> Vec<Bits> {
        let read = |port: &WideSignal| {
            let mut bytes = vec![0; port.len_bytes()];
            port.read(&mut bytes);
            Bits::from_bytes(port.width(), &bytes)
        };
        self.side.iter().map(read).collect()
    }
}

/// `count` ones.
#[inline]
pub(super) fn lane_mask(count: usize) -> u128 {
    match count {
        0 => 0,
        _ => u128::MAX >> (128 - count),
    }
}
