//! The ports of an AXI4-Lite subordinate, found by prefix.

use crate::sim::{Failure, Handle, Signal, SimError};
use crate::stream::check::HandshakeCheck;

/// Valid and ready of one channel.
pub(super) struct Channel {
    pub(super) valid: Signal,
    pub(super) ready: Signal,
}

impl Channel {
    fn find(handle: &Handle, prefix: &str, channel: &str) -> Result<Channel, SimError> {
        Ok(Channel {
            valid: handle.signal(&format!("{prefix}_{channel}valid"))?,
            ready: handle.signal(&format!("{prefix}_{channel}ready"))?,
        })
    }

    /// (valid, ready) as of now.
    #[inline]
    pub(super) fn state(&self) -> (bool, bool) {
        (self.valid.is_high(), self.ready.is_high())
    }
}

/// Ports `<prefix>_aw*`, `_w*`, `_b*`, `_ar*`, `_r*`. The protocol lets `prot`, `strb` and `resp` be missing.
pub(super) struct AxilPorts {
    pub(super) aw: Channel,
    pub(super) w: Channel,
    pub(super) b: Channel,
    pub(super) ar: Channel,
    pub(super) r: Channel,
    pub(super) awaddr: Signal,
    pub(super) wdata: Signal,
    pub(super) wstrb: Option<Signal>,
    pub(super) bresp: Option<Signal>,
    pub(super) araddr: Signal,
    pub(super) rdata: Signal,
    pub(super) rresp: Option<Signal>,
}

impl AxilPorts {
    pub(super) fn find(handle: &Handle, prefix: &str) -> Result<AxilPorts, SimError> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let signal = |suffix: &str| handle.signal(&name(suffix));
        let optional = |suffix: &str| {
            handle
                .port(&name(suffix))
                .map(|port| handle.signal(&port.name))
                .transpose()
        };
        let channel = |suffix: &str| Channel::find(handle, prefix, suffix);
        let wdata = signal("wdata")?;
        if ![32, 64].contains(&wdata.width()) {
            let rule = format!("{} bits; AXI4-Lite has 32 or 64", wdata.width());
            return Err(handle.error(Failure::Port {
                port: name("wdata"),
                rule,
            }));
        }
        Ok(AxilPorts {
            aw: channel("aw")?,
            w: channel("w")?,
            b: channel("b")?,
            ar: channel("ar")?,
            r: channel("r")?,
            awaddr: signal("awaddr")?,
            wstrb: optional("wstrb")?,
            bresp: optional("bresp")?,
            araddr: signal("araddr")?,
            rdata: signal("rdata")?,
            rresp: optional("rresp")?,
            wdata,
        })
    }
}

/// The handshake rules of one channel.
pub(super) fn check(
    handle: &Handle,
    prefix: &str,
    channel: &str,
) -> Result<HandshakeCheck, SimError> {
    let payload = ["addr", "prot", "data", "strb", "resp"]
        .map(|suffix| format!("{prefix}_{channel}{suffix}"))
        .into_iter()
        .filter(|name| handle.port(name).is_some())
        .map(|name| handle.wide(&name))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(HandshakeCheck::new(&format!("{prefix}_{channel}"), payload))
}
