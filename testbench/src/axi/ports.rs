//! The ports of AXI4 channels, found by prefix.

use super::burst::{Burst, BurstKind};
use crate::sim::{Failure, Handle, Signal, SimError, WideSignal};
use crate::stream::check::HandshakeCheck;

/// An address channel, `<prefix>_aw*` or `<prefix>_ar*`. Missing ports count as: id 0, len 0, size that of
/// the bus, burst INCR.
pub(super) struct AddressPorts {
    pub(super) valid: Signal,
    pub(super) ready: Signal,
    addr: Signal,
    id: Option<Signal>,
    len: Option<Signal>,
    size: Option<Signal>,
    kind: Option<Signal>,
    log2_bus: u32,
}

impl AddressPorts {
    pub(super) fn find(
        handle: &Handle,
        prefix: &str,
        log2_bus: u32,
    ) -> Result<AddressPorts, SimError> {
        let signal = |suffix: &str| handle.signal(&format!("{prefix}{suffix}"));
        let optional = |suffix: &str| optional(handle, &format!("{prefix}{suffix}"));
        Ok(AddressPorts {
            valid: signal("valid")?,
            ready: signal("ready")?,
            addr: signal("addr")?,
            id: optional("id")?,
            len: optional("len")?,
            size: optional("size")?,
            kind: optional("burst")?,
            log2_bus,
        })
    }

    /// The burst on the ports.
    pub(super) fn burst(&self) -> Burst {
        let value = |port: &Option<Signal>| port.as_ref().map(Signal::get);
        Burst {
            id: value(&self.id).unwrap_or(0),
            addr: self.addr.get(),
            beats: value(&self.len).unwrap_or(0) as u32 + 1,
            log2_size: value(&self.size).map_or(self.log2_bus, |size| size as u32),
            kind: match value(&self.kind) {
                None | Some(1) => BurstKind::Incr,
                Some(0) => BurstKind::Fixed,
                Some(2) => BurstKind::Wrap,
                Some(_) => BurstKind::Reserved,
            },
        }
    }
}

/// The write data channel.
pub(super) struct WritePorts {
    pub(super) valid: Signal,
    pub(super) ready: Signal,
    pub(super) data: WideSignal,
    pub(super) last: Option<Signal>,
    strb: Option<WideSignal>,
    /// Bytes of the bus.
    pub(super) bus: u64,
}

impl WritePorts {
    pub(super) fn find(handle: &Handle, prefix: &str) -> Result<WritePorts, SimError> {
        let data = bus_port(handle, &format!("{prefix}_wdata"))?;
        let strb = format!("{prefix}_wstrb");
        Ok(WritePorts {
            valid: handle.signal(&format!("{prefix}_wvalid"))?,
            ready: handle.signal(&format!("{prefix}_wready"))?,
            last: optional(handle, &format!("{prefix}_wlast"))?,
            strb: handle
                .port(&strb)
                .map(|port| handle.wide(&port.name))
                .transpose()?,
            bus: u64::from(data.width() / 8),
            data,
        })
    }

    /// Strobes, all ones where there is no such port.
    #[inline]
    pub(super) fn strobes(&self) -> u128 {
        let Some(strb) = &self.strb else {
            return super::burst::ones(self.bus);
        };
        if strb.width() <= 64 {
            return u128::from(strb.field(0, strb.width()));
        }
        let mut bytes = [0; 16];
        strb.read(&mut bytes);
        u128::from_le_bytes(bytes)
    }
}

/// A port that may be missing.
pub(super) fn optional(handle: &Handle, name: &str) -> Result<Option<Signal>, SimError> {
    handle
        .port(name)
        .map(|port| handle.signal(&port.name))
        .transpose()
}

/// A data port, whose width must be a power of two from 8 to 1024.
pub(super) fn bus_port(handle: &Handle, name: &str) -> Result<WideSignal, SimError> {
    let port = handle.wide(name)?;
    if !(8..=1024).contains(&port.width()) || !port.width().is_power_of_two() {
        let rule = format!(
            "{} bits; a data bus has 8 to 1024, a power of two",
            port.width()
        );
        return Err(handle.error(Failure::Port {
            port: name.into(),
            rule,
        }));
    }
    Ok(port)
}

/// The handshake rules of channel `prefix` + `channel` (aw, w, b, ar, r): every port of it but valid and
/// ready is payload.
pub(super) fn channel_check(
    handle: &Handle,
    prefix: &str,
    channel: &str,
) -> Result<HandshakeCheck, SimError> {
    let start = format!("{prefix}_{channel}");
    let known: &[&str] = match channel {
        "aw" | "ar" => &[
            "id", "addr", "len", "size", "burst", "lock", "cache", "prot", "qos", "region", "user",
        ],
        "w" => &["data", "strb", "last", "user"],
        "b" => &["id", "resp", "user"],
        _ => &["id", "data", "resp", "last", "user"],
    };
    let names = known.iter().map(|suffix| format!("{start}{suffix}"));
    let payload: Result<Vec<_>, _> = names
        .filter(|name| handle.port(name).is_some())
        .map(|name| handle.wide(&name))
        .collect();
    Ok(HandshakeCheck::new(&start, payload?))
}
