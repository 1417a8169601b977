//! Puts beats together to frames and checks the stream's rules: what sink and monitor share.

use super::frame::AxisFrame;
use super::ports::{lane_mask, AxisPorts};
use crate::sim::{Edge, Handle, Queue, Signal, SimError};
use crate::stream::check::HandshakeCheck;
use crate::stream::Timed;

pub(super) struct Receiver {
    pub(super) ports: AxisPorts,
    check: HandshakeCheck,
    partial: Vec<u8>,
    /// Edge of the present frame's first beat; 0 between frames.
    first: u64,
    /// Valid was seen and not served at the last edge.
    pub(super) waiting: bool,
    pub(super) beats: u64,
    pub(super) frames: Queue<Timed<AxisFrame>>,
}

impl Receiver {
    pub(super) fn new(handle: &Handle, ports: AxisPorts) -> Result<Receiver, SimError> {
        Ok(Receiver {
            check: ports.check(handle)?,
            partial: Vec::new(),
            first: 0,
            waiting: false,
            beats: 0,
            frames: Queue::new(&format!("{} frames", ports.prefix)),
            ports,
        })
    }

    #[inline]
    pub(super) fn sample(&mut self, edge: &Edge<'_>) {
        let valid = self.ports.valid.is_high();
        let ready = self.ports.is_ready();
        self.check.sample(edge, valid, ready);
        self.waiting = valid && !ready;
        if edge.in_reset {
            self.partial.clear();
            self.first = 0;
        } else if valid && ready {
            edge.progress();
            self.beat(edge);
        }
    }

    fn beat(&mut self, edge: &Edge<'_>) {
        self.beats += 1;
        if self.first == 0 {
            self.first = edge.cycle;
        }
        let last = self.ports.is_last();
        let keep = self.ports.read_keep();
        let count = keep.trailing_ones() as usize;
        if keep != lane_mask(count) {
            self.report(
                edge,
                "tkeep_hole",
                format!("tkeep {keep:#x} is not contiguous from lane 0"),
            );
        } else if count == 0 {
            self.report(edge, "tkeep_empty", "a beat without a byte".into());
        } else if count < self.ports.lanes && !last {
            self.report(
                edge,
                "tkeep_partial",
                format!("tkeep {keep:#x} is not full, and this is not the last beat"),
            );
        }
        self.ports.data.append_to(&mut self.partial, count);
        if last {
            self.frame(edge);
        }
    }

    fn frame(&mut self, edge: &Edge<'_>) {
        let value = |signal: &Option<Signal>| signal.as_ref().map_or(0, Signal::get);
        // The next frame is likely as long as this one.
        let next = Vec::with_capacity(self.partial.len());
        let item = AxisFrame {
            data: std::mem::replace(&mut self.partial, next),
            user: value(&self.ports.user),
            id: value(&self.ports.id),
            dest: value(&self.ports.dest),
            side: self.ports.read_side(),
        };
        self.frames.put(Timed {
            item,
            first: self.first,
            last: edge.cycle,
        });
        self.first = 0;
    }

    fn report(&self, edge: &Edge<'_>, rule: &'static str, detail: String) {
        edge.report(&self.ports.prefix, rule, detail);
    }

    pub(super) fn pending(&self) -> Option<String> {
        let Receiver {
            first,
            partial,
            ports,
            ..
        } = self;
        (*first != 0).then(|| {
            format!(
                "`{}`: the frame that began at cycle {first} has {} bytes and no tlast",
                ports.prefix,
                partial.len()
            )
        })
    }

    /// True in the middle of a frame.
    pub(super) fn in_frame(&self) -> bool {
        self.first != 0
    }
}
