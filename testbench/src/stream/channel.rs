//! Names of a channel's ports, and the ports.

use super::check::HandshakeCheck;
use crate::sim::{Handle, Signal, SimError, WideSignal};
use crate::Bits;

/// Names of the ports of one valid/ready channel.
#[derive(Clone, Debug)]
pub struct Channel {
    name: String,
    valid: String,
    ready: String,
    fields: Vec<String>,
}

impl Channel {
    /// `<prefix>_tvalid`, `<prefix>_tready`, payload `<prefix>_tdata`.
    pub fn axis(prefix: &str) -> Channel {
        let port = |suffix: &str| format!("{prefix}_{suffix}");
        Channel {
            name: prefix.into(),
            valid: port("tvalid"),
            ready: port("tready"),
            fields: vec![port("tdata")],
        }
    }

    /// `<prefix>_valid`, `<prefix>_ready`, no payload yet.
    pub fn plain(prefix: &str) -> Channel {
        let port = |suffix: &str| format!("{prefix}_{suffix}");
        Channel {
            name: prefix.into(),
            valid: port("valid"),
            ready: port("ready"),
            fields: Vec::new(),
        }
    }

    /// A channel whose ports have names of no pattern; messages call it `name`.
    pub fn ports(name: &str, valid: &str, ready: &str, fields: &[&str]) -> Channel {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        Channel {
            name: name.into(),
            valid: valid.into(),
            ready: ready.into(),
            fields,
        }
    }

    /// Sets the payload: ports `<prefix>_<field>`, the first in the lowest bits of a transfer's value.
    pub fn fields<S: AsRef<str>>(mut self, fields: impl IntoIterator<Item = S>) -> Channel {
        self.fields = fields
            .into_iter()
            .map(|field| format!("{}_{}", self.name, field.as_ref()))
            .collect();
        self
    }
}

/// The ports of one channel. One without a ready port transfers whenever it is valid.
pub(super) struct ChannelPorts {
    pub(super) name: String,
    pub(super) valid: Signal,
    pub(super) ready: Option<Signal>,
    pub(super) fields: Vec<WideSignal>,
    pub(super) width: u32,
}

impl ChannelPorts {
    pub(super) fn find(handle: &Handle, channel: &Channel) -> Result<ChannelPorts, SimError> {
        let fields = channel
            .fields
            .iter()
            .map(|name| handle.wide(name))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(ChannelPorts {
            name: channel.name.clone(),
            valid: handle.signal(&channel.valid)?,
            ready: handle
                .port(&channel.ready)
                .map(|port| handle.signal(&port.name))
                .transpose()?,
            width: fields.iter().map(WideSignal::width).sum(),
            fields,
        })
    }

    pub(super) fn check(&self) -> HandshakeCheck {
        HandshakeCheck::new(&self.name, self.fields.clone())
    }

    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.as_ref().is_none_or(Signal::is_high)
    }

    /// The payload as one value.
    pub(super) fn read(&self) -> Bits {
        let mut value = Bits::zero(self.width);
        let mut lsb = 0;
        for field in &self.fields {
            for at in (0..field.width()).step_by(64) {
                let width = (field.width() - at).min(64);
                value.set_field(lsb + at, width, u128::from(field.field(at, width)));
            }
            lsb += field.width();
        }
        value
    }

    /// Drives the payload.
    pub(super) fn write(&self, value: &Bits) {
        let mut lsb = 0;
        for field in &self.fields {
            let mut part = Bits::zero(field.width());
            for at in (0..field.width()).step_by(64) {
                let width = (field.width() - at).min(64);
                part.set_field(at, width, value.field(lsb + at, width));
            }
            field.write(&part.to_bytes());
            lsb += field.width();
        }
    }
}
