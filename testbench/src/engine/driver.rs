//! The host: configures, posts, takes completions and compares them, gives commands.

use super::bench::{BenchError, BenchOptions, Parts};
use super::compare::Mismatch;
use super::scoreboard::Board;
use crate::sim::Handle;
use pagetrain_formats::counters::COUNTER_SLOTS;
use pagetrain_formats::{regs, BufId, Command, Completion, COMPLETION_BYTES};
use pagetrain_golden::deliver::{Delivery, Train};
use pagetrain_golden::program::ROW_DWORDS;
use pagetrain_golden::{RegisterWrite, Written};
use std::rc::Rc;

/// The host's hands on a running board. Cheap to clone.
#[derive(Clone)]
pub struct Driver {
    sim: Handle,
    parts: Rc<Parts>,
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
            .spawn("driver", async move { server.serve().await });
        Ok(())
    }

    /// Writes a register of model and hardware; what the model made of it.
    pub async fn write(&self, addr: u16, value: u32) -> Written {
        let write = RegisterWrite::new(addr, value);
        let written = match self.parts.tell_model(write, self.sim.cycle()) {
            Ok(written) => written,
            Err(why) => panic!("the model refuses register {addr:#06x} = {value:#x}: {why}"),
        };
        let answer = self.parts.regs.write(addr.into(), value.into()).await;
        answer.expect("every write is answered OKAY");
        written
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
        for doorbell in doorbells {
            self.write(doorbell.addr, doorbell.value).await;
        }
    }

    /// Whether the host posts buffers again as they become free.
    pub fn recycle(&self, on: bool) {
        self.parts.recycle.set(on);
    }

    /// Serves completions for ever.
    async fn serve(&self) {
        loop {
            self.parts.written.wait().await;
            self.parts.written.clear();
            // A write of one beat is seen before the next; a train is taken when it is whole.
            while self.take().await {}
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
            let taken = host.poll(&board.twin, |delivery| {
                match delivery {
                    Delivery::Train(train) => {
                        if trouble.is_none() {
                            trouble = self.compare_train(&board, train, clock);
                        }
                    }
                    Delivery::Finished(id) => closed.push(cookie(id)),
                    Delivery::Returned(buf) => closed.push(cookie(buf.id)),
                    Delivery::Stopped => {}
                }
                sink(delivery, &board.twin, clock);
            });
            if let Some(mismatch) = trouble {
                self.fail(mismatch);
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

    /// Keeps a difference for the end of the run, and ends it.
    fn fail(&self, mismatch: Mismatch) -> ! {
        let text = mismatch.to_string();
        *self.parts.mismatch.borrow_mut() = Some(mismatch);
        panic!("{text}")
    }

    /// Every entry that the hardware has written, against the model's.
    fn compare_ring(&self, board: &Board, host: &pagetrain_golden::host::Host, clock: u64) {
        let (base, log2) = host.completion_ring();
        let mut index = host.taken();
        loop {
            let addr = base + (index & ((1 << log2) - 1)) * COMPLETION_BYTES as u64;
            let mut hw = [0; COMPLETION_BYTES];
            board.twin.hw.read(addr, &mut hw);
            let phase = (index >> log2) % 2 == 0;
            if (hw[COMPLETION_BYTES - 1] & 0x80 != 0) != phase {
                return;
            }
            let mut model = [0; COMPLETION_BYTES];
            board.twin.model.read(addr, &mut model);
            if hw != model {
                let frame = frame_of(&hw).or(frame_of(&model));
                self.fail(differing_field(index, frame, &hw, &model, clock));
            }
            index += 1;
            if index - host.taken() >= 1 << log2 {
                return;
            }
        }
    }

    /// Headers and payload of a train, against the model's memory.
    fn compare_train(&self, board: &Board, train: &Train, clock: u64) -> Option<Mismatch> {
        let (mut hw, mut model) = (vec![], vec![]);
        for packet in &train.packets {
            hw.clear();
            model.clear();
            train.frame(packet, &board.twin, &mut hw);
            train.frame(packet, &board.twin.model, &mut model);
            if let Some(at) = hw.iter().zip(&model).position(|(a, b)| a != b) {
                return Some(Mismatch {
                    frame: Some(packet.pkt.rx_seq),
                    field: format!("byte {at} as delivered"),
                    hardware: format!("{:#04x}", hw[at]),
                    model: format!("{:#04x}", model[at]),
                    clock,
                });
            }
        }
        None
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
                return;
            }
        }
    }

    /// The host has taken everything that the model has emitted.
    fn caught_up(&self) -> bool {
        let mut board = self.parts.board.borrow_mut();
        let taken = self.parts.host.borrow().taken() as u16;
        let tail = board.engine.read_register(regs::CQ_TAIL);
        tail == Some(taken.into()) && board.engine.waiting_completions() == 0
    }

    /// Closes all trains, stops the queue, takes every buffer back, and compares all memory and all counters.
    pub async fn finish(&self, quiet: u64) {
        self.quiet(quiet).await;
        self.command(Command::FlushAll).await;
        self.quiet(quiet).await;
        self.command(Command::Stop).await;
        self.quiet(quiet).await;
        self.compare_counters().await;
        self.compare_memory();
        let left = self.parts.host.borrow().outstanding();
        assert_eq!(left, (0, 0), "small buffers and pages that never came back");
        assert!(self.parts.host.borrow().is_stopped(), "no STOP entry");
    }

    /// All bytes of rings and buffers.
    pub fn compare_memory(&self) {
        let board = self.parts.board.borrow();
        let (base, len) = self.parts.host.borrow().extent();
        let clock = self.sim.cycle();
        if let Some((addr, hw, model)) = board.twin.difference(base, len) {
            drop(board);
            self.fail(Mismatch {
                frame: None,
                field: format!("byte at {addr:#x}"),
                hardware: format!("{hw:#04x}"),
                model: format!("{model:#04x}"),
                clock,
            });
        }
    }

    /// All counters.
    pub async fn compare_counters(&self) {
        self.sim.cycles(512).await;
        let stored = self.counter(0).await;
        {
            let mut board = self.parts.board.borrow_mut();
            if let Err(why) = board.ingress_rest(stored) {
                panic!("{why}");
            }
        }
        for index in 0..COUNTER_SLOTS {
            let hardware = self.counter(index).await;
            let model = self.parts.board.borrow_mut().engine.counters().values()[index];
            if hardware != model {
                let name = pagetrain_formats::counters::all()
                    .into_iter()
                    .find(|c| c.0 == index)
                    .map_or(format!("counter {index}"), |c| format!("counter {}", c.1));
                self.fail(Mismatch {
                    frame: None,
                    field: name,
                    hardware: hardware.to_string(),
                    model: model.to_string(),
                    clock: self.sim.cycle(),
                });
            }
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

fn frame_of(entry: &[u8; COMPLETION_BYTES]) -> Option<u16> {
    match Completion::decode(entry) {
        Ok((Completion::Pkt(pkt), _)) => Some(pkt.rx_seq),
        _ => None,
    }
}

/// The first field in which two entries differ.
fn differing_field(
    index: u64,
    frame: Option<u16>,
    hw: &[u8; COMPLETION_BYTES],
    model: &[u8; COMPLETION_BYTES],
    clock: u64,
) -> Mismatch {
    let dword = |bytes: &[u8; COMPLETION_BYTES], i: usize| {
        let four = [0, 1, 2, 3].map(|k| bytes[4 * i + k]);
        u32::from_le_bytes(four)
    };
    let show = |bytes: &[u8; COMPLETION_BYTES]| match Completion::decode(bytes) {
        Ok((completion, _)) => format!("{completion:?}"),
        Err(why) => format!("{bytes:02x?} ({why})"),
    };
    let kind = dword(model, 7) & 3;
    let names = pagetrain_formats::completion::LAYOUTS[kind as usize].fields;
    let same_kind = dword(hw, 7) & 3 == kind;
    let hw_dwords: Vec<u32> = (0..8).map(|i| dword(hw, i)).collect();
    let model_dwords: Vec<u32> = (0..8).map(|i| dword(model, i)).collect();
    let field = names
        .iter()
        .find(|f| f.get(&hw_dwords) != f.get(&model_dwords));
    let (field, hardware, model) = match field {
        Some(f) if same_kind => (
            f.name.to_string(),
            format!("{:#x}", f.get(&hw_dwords)),
            format!("{:#x}", f.get(&model_dwords)),
        ),
        _ => ("whole entry".to_string(), show(hw), show(model)),
    };
    Mismatch {
        frame,
        field: format!("completion {index}, {field}"),
        hardware,
        model,
        clock,
    }
}
