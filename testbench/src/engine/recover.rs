//! What a driver does when the engine has halted, and what only a broken driver does.

use super::driver::Driver;
use super::memory::Careless;
use pagetrain_formats::counters::COUNTER_SLOTS;
use pagetrain_formats::{regs, Descriptor};
use pagetrain_golden::{RegisterWrite, Written};

/// A ring of buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Small buffers.
    Small,
    /// Pages.
    Page,
}

impl Driver {
    /// Resets the engine by CTRL.reset and waits until it has happened. All buffers are the host's then, and everything
    /// that is sent later is numbered from 0.
    ///
    /// The MAC must have nothing waiting behind the frame that it may be sending: that one is swallowed.
    pub async fn reset(&self) {
        let (reset, parser) = (regs::CTRL_RESET.mask(), regs::CTRL_PARSER_ENABLE.mask());
        // Completions that come before the reset takes effect are nobody's.
        self.serve(false);
        self.parts.board.borrow_mut().resetting = true;
        let written = self.write(regs::CTRL, reset | parser).await;
        assert_eq!(written, Written::Taken, "a reset is always taken");
        while self.read(regs::STATUS).await & regs::STATUS_RESETTING.mask() != 0 {
            self.sim.cycles(8).await;
        }
        self.sent().await;
        self.sim.cycles(512).await;
        let mut hardware = [0; COUNTER_SLOTS];
        for (index, value) in hardware.iter_mut().enumerate() {
            *value = self.counter(index).await;
        }
        let mut board = self.parts.board.borrow_mut();
        let model = *board.engine.counters().values();
        // What the hardware still did, or no longer did, before it stopped is not for the model to know.
        for (index, base) in self.parts.baseline.borrow_mut().iter_mut().enumerate() {
            *base = hardware[index].wrapping_sub(model[index]);
        }
        *self.parts.before.borrow_mut() = model;
        (board.next, board.disabled, board.resetting) = (0, false, false);
        board.sent.clear();
        let mut host = self.parts.host.borrow_mut();
        let (base, len) = host.extent();
        board.twin.reset(base, len);
        host.restart(&mut board.twin);
        *self.parts.ledger.borrow_mut() = Default::default();
    }

    /// Enables the engine after [`Driver::reset`], with every buffer posted.
    pub async fn restart(&self) {
        let enable = regs::CTRL_ENABLE.mask() | regs::CTRL_PARSER_ENABLE.mask();
        assert_eq!(self.write(regs::CTRL, enable).await, Written::Taken);
        self.recycle(true);
        self.serve(true);
        self.post().await;
    }

    /// Frames that are lost from now on are so because the engine is disabled, stopped or halted.
    pub fn expect_disabled(&self) {
        self.parts.board.borrow_mut().disabled = true;
    }

    /// Posts a descriptor that is none of the host's: the engine may write nowhere that it names.
    pub async fn post_careless(&self, ring: Ring, descriptor: &Descriptor) {
        let doorbell: Option<RegisterWrite> = {
            let mut board = self.parts.board.borrow_mut();
            let mut host = self.parts.host.borrow_mut();
            let mut memory = Careless(&mut board.twin);
            match ring {
                Ring::Small => host.post_small(descriptor, &mut memory),
                Ring::Page => host.post_page(descriptor, &mut memory),
            }
        };
        self.ring(doorbell.into_iter().collect()).await;
    }
}
