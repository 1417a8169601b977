//! The host: configures, posts, takes completions and compares them, gives commands.

use super::bench::{BenchError, BenchOptions, Parts};
use super::compare::Mismatch;
use crate::axil::Pending;
use crate::sim::Handle;
use pagetrain_formats::{regs, BufId, Command, Counter};
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::program::ROW_DWORDS;
use pagetrain_golden::{RegisterWrite, Written};
use std::rc::Rc;

/// The host's hands on a running board. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    pub(super) sim: Handle,
    pub(super) parts: Rc<Parts>,
}

impl Driver {
    pub(super) fn new(sim: Handle, parts: Rc<Parts>) -> Driver {
        Driver { sim, parts }
    }

    /// The simulation.
    pub fn sim(&self) -> &Handle {
        &self.sim
    }

    /// Configures, loads the program, enables, posts every buffer, and begins to serve completions.
    pub(super) async fn start(&self, options: &BenchOptions) -> Result<(), BenchError> {
        let mut writes = self.parts.host.borrow().configuration();
        writes.extend(&options.registers);
        for (row, dwords) in options.program.iter().enumerate() {
            for (d, &value) in dwords.iter().enumerate() {
                let addr = usize::from(regs::PROGRAM_BASE) + 4 * (ROW_DWORDS * row + d);
                writes.push((addr as u16, value));
            }
        }
        let enable = regs::CTRL_ENABLE.mask() | regs::CTRL_PARSER_ENABLE.mask();
        writes.push((regs::CTRL, enable));
        for (addr, value) in writes {
            let written = self.write(addr, value).await;
            if written != Written::Taken {
                return Err(BenchError::Register {
                    addr,
                    value,
                    written,
                });
            }
        }
        self.post().await;
        let server = self.clone();
        self.sim
            .spawn("driver", async move { server.server().await });
        Ok(())
    }

    /// Writes a register of model and hardware; what the model made of it.
    pub async fn write(&self, addr: u16, value: u32) -> Written {
        self.write_as(RegisterWrite::new(addr, value)).await
    }

    /// The same for some of a register's bytes, or with what the engine is known to be at.
    pub async fn write_as(&self, write: RegisterWrite) -> Written {
        let (written, answer) = self.begin(write);
        let answer = answer.answer().await;
        answer.expect("every write is answered OKAY");
        written
    }

    /// The model carries it out, the hardware's write is on its way.
    fn begin(&self, write: RegisterWrite) -> (Written, Pending) {
        let RegisterWrite { addr, value, .. } = write;
        let written = match self.parts.tell_model(write, self.sim.cycle()) {
            Ok(written) => written,
            Err(why) => panic!("the model refuses register {addr:#06x} = {value:#x}: {why}"),
        };
        let (regs, strobes) = (&self.parts.regs, write.strobes.into());
        let answer = regs.begin_write_bytes(addr.into(), value.into(), strobes);
        (written, answer)
    }

    /// Reads a register of the hardware.
    pub async fn read(&self, addr: u16) -> u32 {
        let answer = self.parts.regs.read(addr.into()).await;
        answer.expect("every read is answered OKAY") as u32
    }

    /// Sends a frame.
    pub fn send(&self, bytes: Vec<u8>, bad: bool) {
        self.parts.send(bytes, bad);
    }

    /// Clocks until the MAC has sent everything.
    pub async fn sent(&self) {
        self.parts.mac.idle().await;
    }

    /// Clocks until the MAC has begun the last frame that it was given, or has no other one waiting.
    pub async fn nearly_sent(&self) {
        while self.parts.mac.pending() > 1 {
            self.sim.rising_edge().await;
        }
    }

    /// The model's counters, by index.
    pub fn model_counters(&self) -> Vec<u64> {
        let mut board = self.parts.board.borrow_mut();
        board.engine.counters().values().to_vec()
    }

    /// Posts every free buffer.
    pub async fn post(&self) {
        let doorbells: Vec<RegisterWrite> = {
            let mut board = self.parts.board.borrow_mut();
            let host = &mut *self.parts.host.borrow_mut();
            host.post(&mut board.twin).collect()
        };
        self.ring(doorbells).await;
    }

    /// Writes doorbells. All are begun at once: another task that posts meanwhile must not overtake them.
    pub(super) async fn ring(&self, doorbells: Vec<RegisterWrite>) {
        let begun: Vec<_> = doorbells.into_iter().map(|d| self.begin(d)).collect();
        for (written, answer) in begun {
            assert_eq!(written, Written::Taken, "the host's doorbells are good");
            let answer = answer.answer().await;
            answer.expect("every write is answered OKAY");
        }
    }

    /// Whether the host posts buffers again as they become free.
    pub fn recycle(&self, on: bool) {
        self.parts.recycle.set(on);
    }

    /// Whether the host takes completions as they come. While it does not, [`Driver::take`] does.
    pub fn serve(&self, on: bool) {
        self.parts.serving.set(on);
        self.parts.written.set();
    }

    /// Serves completions for ever.
    async fn server(&self) {
        loop {
            self.parts.written.wait().await;
            self.parts.written.clear();
            // A write of one beat is seen before the next; a train is taken when it is whole.
            while self.parts.serving.get() && self.take().await {}
        }
    }

    /// Takes what is there. False if nothing was.
    pub async fn take(&self) -> bool {
        let doorbell = {
            let mut board = self.parts.board.borrow_mut();
            let mut host = self.parts.host.borrow_mut();
            let clock = self.sim.cycle();
            self.compare_ring(&board, &host, clock);
            let mut sink = self.parts.sink.borrow_mut();
            let mut closed: Vec<u32> = vec![];
            let mut trouble: Option<Mismatch> = None;
            let mut ledger = self.parts.ledger.borrow_mut();
            let strip = board.engine.settings().strip_vlan;
            let mut broken = Ok(());
            let taken = host.poll(&board.twin, |delivery| {
                match delivery {
                    Delivery::Train(train) => {
                        if trouble.is_none() {
                            trouble = self.compare_train(&board, train, clock);
                        }
                        if broken.is_ok() {
                            broken = ledger.train(train, &board.twin, strip);
                        }
                    }
                    Delivery::Finished(id) => closed.push(cookie(id)),
                    Delivery::Returned(buf) => {
                        if broken.is_ok() {
                            broken = ledger.returned(&buf, &board.twin);
                        }
                        closed.push(cookie(buf.id));
                    }
                    Delivery::Stopped => {}
                }
                sink(delivery, &board.twin, clock);
            });
            if let Some(mismatch) = trouble {
                self.fail(mismatch);
            }
            if let Err(why) = broken {
                panic!("{why}");
            }
            for cookie in closed {
                board.twin.close(cookie);
            }
            match taken {
                Ok(doorbell) => doorbell,
                Err(why) => panic!("the driver: {why}"),
            }
        };
        let Some(doorbell) = doorbell else {
            return false;
        };
        self.write(doorbell.addr, doorbell.value).await;
        if self.parts.recycle.get() && !self.parts.host.borrow().is_stopped() {
            self.post().await;
        }
        true
    }

    /// Gives a command and waits until the engine has carried it out.
    pub async fn command(&self, command: Command) {
        if command == Command::Stop {
            // What comes back now is the host's to keep; posted again it would come back again, for ever.
            self.recycle(false);
        }
        let before = self.read(regs::Q_CMD_DONE).await;
        self.write(regs::Q_CMD, command.code()).await;
        while self.read(regs::Q_CMD_DONE).await == before {
            self.sim.cycles(16).await;
        }
    }

    /// Clocks until everything that was sent has left the store, and every completion has been taken.
    pub async fn quiet(&self, clocks: u64) {
        self.sent().await;
        let mut last = (0, 0);
        let mut since = self.sim.cycle();
        loop {
            self.sim.cycles(32).await;
            let now = {
                let board = self.parts.board.borrow();
                (board.events, self.parts.host.borrow().taken())
            };
            if now != last {
                last = now;
                since = self.sim.cycle();
            }
            let done = self.parts.board.borrow().sent.is_empty() && self.caught_up();
            if self.sim.cycle() - since >= if done { 64 } else { clocks } {
                break;
            }
        }
        self.no_train_is_late();
        if self.caught_up() {
            let held = self.parts.board.borrow().engine.holds();
            let outstanding = self.parts.host.borrow().outstanding();
            assert_eq!(outstanding, held, "posted = returned + held");
        }
    }

    /// No train is open whose time is up: the model itself looks only when the next event comes.
    fn no_train_is_late(&self) {
        let (clock, slack) = (self.sim.cycle(), self.parts.limits.timer_slack);
        if let Some((slot, due)) = self.parts.board.borrow().engine.next_timer() {
            let latest = due.saturating_add(slack);
            assert!(
                clock <= latest,
                "slot {slot}: open at {clock}, due at {due}"
            );
        }
    }

    /// The host has taken everything that the model has emitted.
    fn caught_up(&self) -> bool {
        let mut board = self.parts.board.borrow_mut();
        let taken = self.parts.host.borrow().taken() as u16;
        let tail = board.engine.read_register(regs::CQ_TAIL);
        tail == Some(taken.into()) && board.engine.waiting_completions() == 0
    }

    /// Closes all trains, then stops as [`Driver::stop`] does.
    pub async fn finish(&self, quiet: u64) {
        self.quiet(quiet).await;
        self.command(Command::FlushAll).await;
        self.quiet(quiet).await;
        self.stop(quiet).await;
    }

    /// Stops the queue, takes every buffer back, and compares all memory and all counters. Nothing may be under way.
    pub async fn stop(&self, quiet: u64) {
        self.command(Command::Stop).await;
        self.quiet(quiet).await;
        self.compare_counters().await;
        self.compare_memory();
        self.balance();
        let left = self.parts.host.borrow().outstanding();
        assert_eq!(left, (0, 0), "small buffers and pages that never came back");
        assert!(self.parts.host.borrow().is_stopped(), "no STOP entry");
    }

    /// Every frame that was sent was delivered or is counted as lost.
    fn balance(&self) {
        let counters = self.model_counters();
        let before = self.parts.before.borrow();
        let count = |c: Counter| counters[c.code() as usize] - before[c.code() as usize];
        if let Err(why) = self.parts.ledger.borrow().balance(count) {
            panic!("{why}");
        }
    }

    /// A counter of the hardware.
    pub async fn counter(&self, index: usize) -> u64 {
        let addr = regs::counter_addr(index);
        let low = self.read(addr).await;
        let high = self.read(addr + 4).await;
        u64::from(high) << 32 | u64::from(low)
    }
}

fn cookie(id: BufId) -> u32 {
    match id {
        BufId::Small(cookie) | BufId::Page(cookie) => cookie,
    }
}
