//! The rules of every valid/ready channel.
//!
//! A transfer happens on valid and ready. Valid and payload hold until then. Valid is low in reset.

use crate::sim::{Edge, WideSignal};

/// Checks one channel. Made for the side that the design drives, but holds for either.
pub(crate) struct HandshakeCheck {
    name: String,
    payload: Vec<WideSignal>,
    /// Payload at the first clock of the wait, one after the other.
    held: Vec<u8>,
    waiting: bool,
    /// Edges in reset so far.
    in_reset: u32,
}

impl HandshakeCheck {
    pub(crate) fn new(name: &str, payload: Vec<WideSignal>) -> HandshakeCheck {
        let len = payload.iter().map(WideSignal::len_bytes).sum();
        HandshakeCheck {
            name: name.to_owned(),
            payload,
            held: vec![0; len],
            waiting: false,
            in_reset: 0,
        }
    }

    /// One edge. Call it for every edge, with the channel's settled values.
    #[inline]
    pub(crate) fn sample(&mut self, edge: &Edge<'_>, valid: bool, ready: bool) {
        if edge.in_reset {
            self.reset(edge, valid);
            return;
        }
        self.in_reset = 0;
        if !self.waiting && (!valid || ready) {
            return; // nothing waited, and nothing begins to
        }
        if self.waiting {
            self.compare(edge, valid);
        }
        if valid && !ready {
            if !self.waiting {
                self.hold();
            }
            self.waiting = true;
        } else {
            self.waiting = false;
        }
    }

    fn reset(&mut self, edge: &Edge<'_>, valid: bool) {
        // The first reset edge is the one that clears it.
        if valid && self.in_reset > 0 {
            edge.report(
                &self.name,
                "valid_in_reset",
                "valid is high though reset was active at the last edge".into(),
            );
        }
        self.in_reset = self.in_reset.saturating_add(1);
        self.waiting = false;
    }

    fn compare(&mut self, edge: &Edge<'_>, valid: bool) {
        if !valid {
            edge.report(
                &self.name,
                "valid_dropped",
                "valid fell before ready had been seen".into(),
            );
            return;
        }
        let mut at = 0;
        for field in &self.payload {
            let held = &self.held[at..at + field.len_bytes()];
            if !field.starts_with(held) {
                let detail = format!("`{}` changed while valid waited for ready", field.name());
                edge.report(&self.name, "payload_changed", detail);
                self.hold(); // one report a change
                return;
            }
            at += held.len();
        }
    }

    fn hold(&mut self) {
        let mut at = 0;
        for field in &self.payload {
            let end = at + field.len_bytes();
            field.read(&mut self.held[at..end]);
            at = end;
        }
    }
}
