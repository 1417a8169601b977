//! A directed scenario: a board set up by the test, a few frames, and what came of them.

use super::frames::Segment;
use super::support::bench;
use pagetrain_formats::counters::reason_counter;
use pagetrain_formats::{regs, Buf, BufId, Config, Counter, Pkt, Reason};
use pagetrain_golden::deliver::Delivery;
use pagetrain_golden::host::HostOptions;
use pagetrain_testbench::engine::{engine_model, Bench, Driver};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Options;
use std::cell::RefCell;
use std::ops::AsyncFnOnce;
use std::rc::Rc;

/// Stall profiles that a scenario runs under.
pub const PROFILES: [StallProfile; 4] = [
    StallProfile::None,
    StallProfile::Heavy,
    StallProfile::AfterValid,
    StallProfile::SlowMemory,
];

/// Clocks without news after which nothing more is expected.
pub const QUIET: u64 = 4000;

/// A board.
#[derive(Clone)]
pub struct Scene {
    pub config: Config,
    pub registers: Vec<(u16, u32)>,
    pub host: HostOptions,
}

/// What the host was handed.
#[derive(Clone, Default)]
pub struct Seen {
    /// In ring order; the first of each train has its HEAD.
    pub packets: Vec<Pkt>,
    /// Header and payload of each, as delivered.
    pub frames: Vec<Vec<u8>>,
    /// Payload in pages of each, as delivered.
    pub paged: Vec<Vec<u8>>,
    /// Pages that were full, small buffers that were taken.
    pub finished: Vec<BufId>,
    /// What came back by BUF entries.
    pub returned: Vec<Buf>,
    /// The model's counters, which are the hardware's.
    pub counters: Vec<u64>,
}

impl Seen {
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters[counter.code() as usize]
    }

    pub fn closed(&self, reason: Reason) -> u64 {
        self.counters[reason_counter(reason)]
    }

    /// Reason, packets and bytes of each train.
    pub fn trains(&self) -> Vec<(Reason, u8, u32)> {
        let heads = self.packets.iter().filter_map(|p| p.head);
        heads
            .map(|h| (h.reason, h.train_packets, h.train_bytes))
            .collect()
    }

    fn take(&mut self, delivery: Delivery<'_>, memory: &impl pagetrain_golden::memory::Memory) {
        match delivery {
            Delivery::Train(train) => {
                for packet in &train.packets {
                    let (mut frame, mut paged) = (vec![], vec![]);
                    train.frame(packet, memory, &mut frame);
                    train.payload(packet, memory, &mut paged);
                    self.packets.push(packet.pkt);
                    self.frames.push(frame);
                    self.paged.push(paged);
                }
            }
            Delivery::Finished(id) => self.finished.push(id),
            Delivery::Returned(buf) => self.returned.push(buf),
            Delivery::Stopped => {}
        }
    }
}

impl Scene {
    /// Small buffers and 4 KiB pages in plenty; no timer closes a train, and no frame is lost because the bus is slow.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            registers: vec![
                (regs::Q_DEFER_TICKS, 0),
                (regs::RX_CTRL, regs::RX_CTRL_BACKPRESSURE.mask()),
            ],
            host: HostOptions::full(7, 4096, 0),
        }
    }

    pub fn with(mut self, addr: u16, value: u32) -> Self {
        self.registers.push((addr, value));
        self
    }

    /// So many buffers of each kind, in rings that are just large enough.
    pub fn stock(mut self, smalls: usize, pages: Vec<(u32, u16)>) -> Self {
        let log2 = |n: usize| n.next_power_of_two().ilog2().max(4);
        (self.host.small_log2, self.host.page_log2) = (log2(smalls), log2(pages.len()));
        (self.host.smalls, self.host.pages) = (smalls, pages);
        self
    }

    /// A board, with what its host is handed. `play` does as it likes with it.
    pub fn board(&self, stall: StallProfile, seed: u64) -> (Bench, Rc<RefCell<Seen>>) {
        println!("stall {stall}, seed {seed}");
        let seen = Rc::new(RefCell::new(Seen::default()));
        let here = seen.clone();
        let mut options = bench(&self.config, seed, stall, 1);
        options.host = self.host.clone();
        options.registers = self.registers.clone();
        let model = engine_model(&self.config, &Options::long()).expect("the engine builds");
        let bench = Bench::new(
            &self.config,
            &model,
            options,
            Box::new(move |delivery, twin, _| here.borrow_mut().take(delivery, twin)),
        );
        (bench.expect("a board"), seen)
    }

    /// Plays, then stops the queue and compares everything with the model.
    pub fn play(&self, stall: StallProfile, play: impl AsyncFnOnce(&Driver)) -> Seen {
        let (mut bench, seen) = self.board(stall, 1 + stall as u64);
        let counters = bench.run(async |driver| {
            play(&driver).await;
            driver.quiet(QUIET).await;
            driver.stop(QUIET).await;
            driver.model_counters()
        });
        let counters = counters.unwrap_or_else(|e| panic!("stall {stall}: {e}"));
        let seen = seen.borrow().clone();
        Seen { counters, ..seen }
    }

    /// The same, with nothing but frames.
    pub fn frames(&self, stall: StallProfile, frames: &[Vec<u8>]) -> Seen {
        self.play(stall, async |driver| send(driver, frames).await)
    }
}

/// Sends frames back to back.
pub async fn send(driver: &Driver, frames: &[Vec<u8>]) {
    for frame in frames {
        driver.send(frame.clone(), false);
        driver.nearly_sent().await;
    }
    driver.quiet(QUIET).await;
}

/// The frames of some segments.
pub fn built(segments: impl IntoIterator<Item = Segment>) -> Vec<Vec<u8>> {
    segments.into_iter().map(|s| s.build()).collect()
}
