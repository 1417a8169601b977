//! Hardware against model: the completion ring, what was delivered, all memory, all counters.

use super::compare::Mismatch;
use super::driver::Driver;
use super::scoreboard::Board;
use pagetrain_formats::counters::COUNTER_SLOTS;
use pagetrain_formats::{Completion, COMPLETION_BYTES};
use pagetrain_golden::deliver::Train;

impl Driver {
    /// Keeps a difference for the end of the run, and ends it.
    pub(super) fn fail(&self, mismatch: Mismatch) -> ! {
        let text = mismatch.to_string();
        *self.parts.mismatch.borrow_mut() = Some(mismatch);
        panic!("{text}")
    }

    /// Every entry that the hardware has written, against the model's.
    pub(super) fn compare_ring(
        &self,
        board: &Board,
        host: &pagetrain_golden::host::Host,
        clock: u64,
    ) {
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
    pub(super) fn compare_train(
        &self,
        board: &Board,
        train: &Train,
        clock: u64,
    ) -> Option<Mismatch> {
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
        let stored = self
            .counter(0)
            .await
            .wrapping_sub(self.parts.baseline.borrow()[0]);
        {
            let mut board = self.parts.board.borrow_mut();
            if let Err(why) = board.ingress_rest(stored) {
                panic!("{why}");
            }
        }
        for index in 0..COUNTER_SLOTS {
            let hardware = self
                .counter(index)
                .await
                .wrapping_sub(self.parts.baseline.borrow()[index]);
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
