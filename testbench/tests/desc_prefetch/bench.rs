//! The block with a host, a bus and a consumer around it, and the run that the tests vary.

use crate::descriptors::{self, Posted};
use crate::host::{Bus, Host};
use crate::taker::Taker;
use pagetrain_formats::Config;
use pagetrain_hdl::desc_prefetch::{desc_prefetch, Kind};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{Handle, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Role, StallProfile};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::cell::RefCell;
use std::rc::Rc;

/// A block under test.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub kind: Kind,
    pub dma_width: usize,
    pub page_size: usize,
}

pub const VARIANTS: [Variant; 6] = [
    Variant {
        kind: Kind::Small,
        dma_width: 64,
        page_size: 4096,
    },
    Variant {
        kind: Kind::Small,
        dma_width: 128,
        page_size: 4096,
    },
    Variant {
        kind: Kind::Small,
        dma_width: 512,
        page_size: 4096,
    },
    Variant {
        kind: Kind::Page,
        dma_width: 64,
        page_size: 65536,
    },
    Variant {
        kind: Kind::Page,
        dma_width: 128,
        page_size: 4096,
    },
    Variant {
        kind: Kind::Page,
        dma_width: 512,
        page_size: 16384,
    },
];

impl Variant {
    pub fn config(&self) -> Config {
        Config {
            dma_width: self.dma_width,
            page_size: self.page_size,
            ..Config::default()
        }
    }

    pub fn design(&self) -> Design {
        dut::design(&desc_prefetch(&self.config(), self.kind)).unwrap_or_else(|e| panic!("{e}"))
    }

    pub fn lanes(&self) -> u64 {
        self.dma_width as u64 / 8
    }

    pub fn descriptor(&self, rng: &mut Rng, bad: f64) -> Posted {
        descriptors::random(rng, self.kind, self.page_size as u32, bad)
    }
}

pub fn model_of(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

pub fn bus(profile: StallProfile) -> Bus {
    let latency = match profile {
        StallProfile::SlowMemory => 100..=300,
        StallProfile::None => 1..=1,
        _ => 1..=20,
    };
    Bus {
        ar: profile.pause(Role::Sink),
        r: profile.pause(Role::Source),
        latency,
        error: None,
    }
}

/// The block with everything around it.
pub struct Bench {
    pub variant: Variant,
    pub sim: Handle,
    pub host: Rc<RefCell<Host>>,
    pub taker: Rc<RefCell<Taker>>,
}

impl Bench {
    pub fn attach(
        sim: &Sim,
        variant: Variant,
        log2: u32,
        bus: Bus,
        profile: StallProfile,
    ) -> Result<Bench, SimError> {
        // Anywhere in 64 bits; the top of the ring may carry far.
        let base = sim.rng("base").bits() & !0xfff;
        let base = if sim.seed() == 0 {
            0xffff_f000
        } else {
            base.min(!0xff_ffff)
        };
        let host = Host::attach(sim, variant.lanes(), base, log2, bus)?;
        let taker = Taker::attach(sim, variant.kind, &host, profile)?;
        if variant.kind == Kind::Small {
            sim.signal("cfg_top_up")?.set(sim.seed() / 2 % 2);
        }
        Ok(Bench {
            variant,
            sim: sim.handle(),
            host,
            taker,
        })
    }

    pub fn set(&self, port: &str, value: u64) {
        self.sim
            .signal(port)
            .expect("the block has this port")
            .set(value);
    }

    /// Posts as many of `count` descriptors as there is room for, and rings; how many they were.
    pub fn post(&self, rng: &mut Rng, count: usize, bad: f64) -> usize {
        let mut host = self.host.borrow_mut();
        let posted = (0..count)
            .take_while(|_| host.post(self.variant.descriptor(rng, bad)))
            .count();
        self.set("tail", host.posted.len() as u64 & 0xffff);
        posted
    }

    /// Waits until all that was posted has been taken.
    pub async fn all_taken(&self) {
        let done = || self.host.borrow().taken == self.host.borrow().posted.len();
        self.sim.until(done).await;
    }
}

/// How the host posts.
#[derive(Clone, Copy, Debug)]
pub enum Posting {
    /// Whatever fits, at once.
    Full,
    /// One after the other, with pauses.
    Single,
    /// Some now, some later.
    Mixed,
}

/// Posts `total` descriptors and sees them all come out.
pub async fn stream(bench: &Bench, rng: &mut Rng, posting: Posting, total: usize, bad: f64) {
    let mut left = total;
    while left > 0 {
        let count = match posting {
            Posting::Full => left,
            Posting::Single => 1,
            Posting::Mixed => left.min(rng.range(1..=40) as usize),
        };
        left -= bench.post(rng, count, bad);
        let wait = match posting {
            Posting::Full => 1,
            Posting::Single => rng.range(1..=25),
            Posting::Mixed if rng.chance(0.05) => 200,
            Posting::Mixed => rng.range(1..=60),
        };
        bench.sim.cycles(wait).await;
    }
    bench.all_taken().await;
    // Everything at rest: the checks of this time look at all outputs.
    bench.sim.cycles(150).await;
}

pub fn run(
    model: &Model,
    variant: Variant,
    seed: u64,
    profile: StallProfile,
    posting: Posting,
) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let log2 = if seed % 2 == 0 { 4 } else { 7 };
    let bench = Bench::attach(&sim, variant, log2, bus(profile), profile)?;
    sim.run(async |sim| {
        let mut rng = sim.rng("posts");
        let bad = *rng.pick(&[0.0, 0.1, 0.5, 0.9]);
        stream(&bench, &mut rng, posting, 200, bad).await;
        // With nobody taking: the FIFO fills and stays full, complete on all outputs.
        bench.taker.borrow_mut().active = false;
        while bench.post(&mut rng, 100, 0.05) > 0 {
            sim.cycles(100).await;
        }
        sim.cycles(600).await;
        bench.taker.borrow_mut().active = true;
        bench.all_taken().await;
        sim.cycles(150).await;
        let taker = bench.taker.borrow();
        assert!(
            taker.settled > 200,
            "the outputs were seen complete in {} clocks only",
            taker.settled
        );
    })
}
