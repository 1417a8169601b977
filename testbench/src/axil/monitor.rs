//! The rules of AXI4-Lite, checked on every clock.

use super::ports::{check, AxilPorts};
use crate::axi::Resp;
use crate::sim::{Component, Edge, Handle, Signal, SimError};
use crate::stream::check::HandshakeCheck;
use std::cell::RefCell;
use std::rc::Rc;

/// A listener on an AXI4-Lite port, driving nothing. Clones are handles of the same monitor.
///
/// Rules, by name: of all channels `valid_dropped`, `payload_changed`, `valid_in_reset`; `b_without_write`,
/// `r_without_read`, `resp_exokay`.
#[derive(Clone)]
pub struct AxilMonitor(Rc<RefCell<State>>);

struct State {
    prefix: String,
    ports: AxilPorts,
    checks: [HandshakeCheck; 5],
    /// Taken and not answered: write addresses, write data, reads.
    open: [u64; 3],
    writes: u64,
    reads: u64,
}

impl AxilMonitor {
    /// Listens to the register port `prefix`.
    pub fn attach(handle: &Handle, prefix: &str) -> Result<AxilMonitor, SimError> {
        let check = |channel: &str| check(handle, prefix, channel);
        let state = Rc::new(RefCell::new(State {
            prefix: prefix.to_owned(),
            ports: AxilPorts::find(handle, prefix)?,
            checks: [
                check("aw")?,
                check("w")?,
                check("b")?,
                check("ar")?,
                check("r")?,
            ],
            open: [0; 3],
            writes: 0,
            reads: 0,
        }));
        handle.attach(state.clone());
        Ok(AxilMonitor(state))
    }

    /// True if every access has its answer.
    pub fn is_idle(&self) -> bool {
        self.0.borrow().open == [0; 3]
    }

    /// Writes and reads answered so far.
    pub fn answered(&self) -> (u64, u64) {
        let state = self.0.borrow();
        (state.writes, state.reads)
    }
}

impl State {
    fn resp(&self, edge: &Edge<'_>, channel: &str, port: &Option<Signal>) {
        if port
            .as_ref()
            .is_some_and(|resp| Resp::from_bits(resp.get()) == Resp::ExOkay)
        {
            edge.report(
                &self.prefix,
                "resp_exokay",
                format!("{channel}: AXI4-Lite has no EXOKAY"),
            );
        }
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        let ports = &self.ports;
        let states =
            [&ports.aw, &ports.w, &ports.b, &ports.ar, &ports.r].map(|channel| channel.state());
        for (check, (valid, ready)) in self.checks.iter_mut().zip(states) {
            check.sample(edge, valid, ready);
        }
        if edge.in_reset {
            self.open = [0; 3];
            return;
        }
        let [aw, w, b, ar, r] = states.map(|state| state == (true, true));
        if b {
            self.resp(edge, "b", &self.ports.bresp);
            if self.open[0] == 0 || self.open[1] == 0 {
                edge.report(
                    &self.prefix,
                    "b_without_write",
                    "no write has both address and data and waits".into(),
                );
            }
            self.open[0] = self.open[0].saturating_sub(1);
            self.open[1] = self.open[1].saturating_sub(1);
            self.writes += 1;
        }
        if r {
            self.resp(edge, "r", &self.ports.rresp);
            if self.open[2] == 0 {
                edge.report(&self.prefix, "r_without_read", "no read waits".into());
            }
            self.open[2] = self.open[2].saturating_sub(1);
            self.reads += 1;
        }
        for (open, taken) in self.open.iter_mut().zip([aw, w, ar]) {
            *open += u64::from(taken);
        }
    }

    fn drives(&self) -> bool {
        false
    }
}
