//! Kinds of traffic: each one strains another part of the engine.

use super::frames::{udp, unknown, Shape, Stream};
use pagetrain_formats::regs;

/// A kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Data of one watched flow, in trains.
    OneFlow,
    /// Nothing is watched: TCP data below the admission limit, UDP, an unknown protocol, in turn.
    Unwatched,
    /// 16 watched flows in turn, every frame a train of its own.
    Trains,
    /// 32 flows in turn through 16 entries: every frame evicts a flow.
    Evictions,
    /// Pure ACKs of 16 watched flows, padded to their length.
    Acks,
    /// 16 watched flows in turn, IPv6 behind a VLAN tag with time stamps, tags stripped.
    TaggedV6,
}

impl Mix {
    /// All kinds.
    pub const ALL: [Mix; 6] = [
        Mix::OneFlow,
        Mix::Unwatched,
        Mix::Trains,
        Mix::Evictions,
        Mix::Acks,
        Mix::TaggedV6,
    ];

    /// Name, as the command line and the tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Mix::OneFlow => "one-flow",
            Mix::Unwatched => "unwatched",
            Mix::Trains => "trains",
            Mix::Evictions => "evictions",
            Mix::Acks => "acks",
            Mix::TaggedV6 => "tagged-v6",
        }
    }

    /// What it needs of the engine's registers.
    pub fn registers(self) -> Vec<(u16, u32)> {
        let admit = |bytes| (regs::Q_ADMIT_MIN, bytes);
        match self {
            Mix::OneFlow | Mix::Evictions | Mix::Acks => vec![admit(1)],
            Mix::Unwatched => vec![admit(u16::MAX.into())],
            Mix::Trains => vec![admit(1), (regs::Q_MAX_AGGR, 1)],
            Mix::TaggedV6 => vec![admit(1), (regs::RX_CTRL, regs::RX_CTRL_STRIP_VLAN.mask())],
        }
    }

    fn shape(self) -> Shape {
        Shape {
            tagged_v6: self == Mix::TaggedV6,
            pure_ack: self == Mix::Acks,
        }
    }

    /// Its shortest frame.
    pub fn shortest(self) -> usize {
        self.shape().shortest()
    }

    fn streams(self) -> u16 {
        match self {
            Mix::OneFlow => 1,
            Mix::Evictions => 32,
            _ => 16,
        }
    }
}

/// Frames of one kind, one after the other.
pub struct Traffic {
    mix: Mix,
    streams: Vec<Stream>,
    count: usize,
}

impl Traffic {
    /// From the first frame on.
    pub fn new(mix: Mix) -> Traffic {
        let stream = |number| Stream::new(mix.shape(), number);
        Traffic {
            mix,
            streams: (0..mix.streams()).map(stream).collect(),
            count: 0,
        }
    }

    /// What makes the flows known: a data frame each, where the traffic itself has none.
    pub fn opening(&self) -> Vec<Vec<u8>> {
        let data = Shape {
            pure_ack: false,
            ..self.mix.shape()
        };
        let count = match self.mix {
            Mix::Acks => self.mix.streams(),
            _ => 0,
        };
        (0..count)
            .map(|n| Stream::new(data, n).frame(1514))
            .collect()
    }

    /// The next frame, `len` bytes long.
    pub fn frame(&mut self, len: usize) -> Vec<u8> {
        let turn = self.count;
        self.count += 1;
        if self.mix == Mix::Unwatched {
            match turn % 3 {
                1 => return udp(len),
                2 => return unknown(len),
                _ => {}
            }
        }
        let stream = turn % self.streams.len();
        self.streams[stream].frame(len)
    }
}
