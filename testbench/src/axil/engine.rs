//! One direction of the manager: requests out, answers in, several under way.

use super::AxilError;
use crate::axi::Resp;
use crate::sim::Queue;
use std::collections::VecDeque;

/// The value of an access: what was read, 0 for a write.
pub(super) type Answer = Result<u64, AxilError>;

/// A register access on its way.
pub(super) struct Request {
    pub(super) addr: u64,
    pub(super) data: u64,
    pub(super) strobes: u64,
    pub(super) answer: Queue<Answer>,
}

/// Requests of one direction, in order: AXI4-Lite answers in the order of the requests.
#[derive(Default)]
pub(super) struct Engine {
    /// Not yet offered on every channel of theirs.
    pub(super) queue: VecDeque<Request>,
    /// Taken by the design, waiting for the answer.
    waiting: VecDeque<(u64, Queue<Answer>)>,
}

impl Engine {
    /// The oldest request was taken on all its channels.
    pub(super) fn taken(&mut self) {
        if let Some(request) = self.queue.pop_front() {
            self.waiting.push_back((request.addr, request.answer));
        }
    }

    /// The oldest taken request has its answer. Gives false if there is none.
    pub(super) fn answered(&mut self, access: &'static str, value: u64, resp: Resp) -> bool {
        let Some((addr, answer)) = self.waiting.pop_front() else {
            return false;
        };
        answer.put(match resp {
            Resp::Okay => Ok(value),
            resp => Err(AxilError { access, addr, resp }),
        });
        true
    }

    /// Requests taken and not answered.
    pub(super) fn outstanding(&self) -> usize {
        self.waiting.len()
    }

    /// Reset: what was under way gets no answer.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
