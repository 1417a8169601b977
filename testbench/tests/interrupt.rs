//! The interrupt block against section 7: sticky causes, mask, hold-off of cause 0.

use pagetrain_hdl::interrupt::{interrupt, CAUSES, IRQ_LATENCY, STATUS_LATENCY};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;

fn design() -> Design {
    dut::design(&interrupt()).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// What the contract says, in clock numbers instead of counters.
#[derive(Default)]
struct Reference {
    status: u64,
    irq: bool,
    /// A completion that has not set its cause yet.
    waiting: bool,
    /// First clock in which cause 0 may be set.
    free_from: u64,
}

impl Reference {
    /// The state after clock `now` with these inputs.
    fn clock(&mut self, now: u64, cause: u64, clear: u64, enable: u64, holdoff: u64) {
        self.irq = self.status & enable != 0;
        self.waiting |= cause & 1 != 0;
        let mut set = cause & !1;
        if self.waiting && now >= self.free_from {
            self.waiting = false;
            set |= 1;
            // `holdoff` clocks in which it is not set, and then one in which it may be.
            self.free_from = now + holdoff + 1;
        }
        self.status = (self.status & !clear) | set;
    }
}

/// How the inputs behave.
#[derive(Clone, Copy)]
struct Traffic {
    cause: f64,
    clear: f64,
    holdoff: u64,
}

const TRAFFIC: [Traffic; 5] = [
    Traffic {
        cause: 0.02,
        clear: 0.05,
        holdoff: 40,
    },
    Traffic {
        cause: 1.0,
        clear: 0.5,
        holdoff: 0,
    },
    Traffic {
        cause: 0.5,
        clear: 0.5,
        holdoff: 1,
    },
    Traffic {
        cause: 0.3,
        clear: 1.0,
        holdoff: 5,
    },
    Traffic {
        cause: 0.01,
        clear: 0.01,
        holdoff: 300,
    },
];

fn bits(rng: &mut Rng, p: f64) -> u64 {
    (0..CAUSES).fold(0, |bits, i| bits | u64::from(rng.chance(p)) << i)
}

fn compare(model: &Model, seed: u64, traffic: Traffic) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let [cause, clear, enable, holdoff, status, irq] =
        ["cause", "clear", "enable", "holdoff", "status", "irq"].map(|n| sim.signal(n));
    let (cause, clear, enable, holdoff) = (cause?, clear?, enable?, holdoff?);
    let (status, irq) = (status?, irq?);
    let mut rng = sim.rng("inputs");
    holdoff.set(traffic.holdoff);
    enable.set(bits(&mut rng, 0.5));
    sim.reset()?;
    assert_eq!((status.get(), irq.get()), (0, 0));
    let mut reference = Reference::default();
    for now in 0..4000 {
        cause.set(bits(&mut rng, traffic.cause));
        clear.set(bits(&mut rng, traffic.clear));
        if rng.chance(0.05) {
            enable.set(bits(&mut rng, 0.5));
        }
        if rng.chance(0.01) {
            holdoff.set(rng.below(2 * traffic.holdoff + 1));
        }
        reference.clock(now, cause.get(), clear.get(), enable.get(), holdoff.get());
        sim.step()?;
        assert_eq!(status.get(), reference.status, "clock {now}: status");
        assert_eq!(irq.is_high(), reference.irq, "clock {now}: irq");
    }
    Ok(())
}

#[test]
fn status_and_irq_follow_the_contract_when_causes_and_clears_are_random() {
    let model = model(&design());
    for seed in seeds(4) {
        for traffic in TRAFFIC {
            compare(&model, seed, traffic).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}

/// Clocks between two sets of cause 0, with completions in every clock and a host that clears at once.
fn distance(model: &Model, clocks: u64) -> Result<u64, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(3))?;
    let [cause, clear, enable, holdoff] =
        ["cause", "clear", "enable", "holdoff"].map(|n| sim.signal(n));
    let (cause, clear) = (cause?, clear?);
    let status = sim.signal("status")?;
    holdoff?.set(clocks);
    enable?.set(1);
    cause.set(0);
    clear.set(1);
    sim.reset()?;
    cause.set(1);
    sim.step()?;
    assert_eq!(status.get(), 1, "the first completion is not held off");
    let mut n = 0;
    loop {
        sim.step()?;
        n += 1;
        // A single completion in the hold-off must not be lost.
        cause.set(0);
        if status.get() == 1 {
            return Ok(n);
        }
        assert!(n < clocks + 10, "the completion was lost");
    }
}

#[test]
fn completion_is_not_set_for_so_many_clocks_when_it_was_set() {
    let model = model(&design());
    for clocks in [0, 1, 2, 100, 65_536, 100_000] {
        let n = distance(&model, clocks).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(n, clocks + 1);
    }
}

/// Clocks from a pulse of one cause to its bit of `status` and to `irq`.
fn latency(model: &Model, cause: usize) -> Result<(usize, usize), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(1))?;
    let [pulses, clear, enable, holdoff, status, irq] =
        ["cause", "clear", "enable", "holdoff", "status", "irq"].map(|n| sim.signal(n));
    let (pulses, status, irq) = (pulses?, status?, irq?);
    pulses.set(0);
    clear?.set(0);
    holdoff?.set(0);
    enable?.set(1 << cause);
    sim.reset()?;
    pulses.set(1 << cause);
    let mut to_status = None;
    for clock in 1..=8 {
        sim.step()?;
        pulses.set(0);
        if status.get() == 1 << cause {
            to_status = to_status.or(Some(clock));
        }
        if irq.is_high() {
            return Ok((to_status.expect("a cause is in `status` first"), clock));
        }
    }
    panic!("no interrupt");
}

#[test]
fn cause_takes_the_documented_clocks_when_it_is_not_held_off() {
    let model = model(&design());
    for cause in 0..CAUSES {
        let clocks = latency(&model, cause).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(clocks, (STATUS_LATENCY, IRQ_LATENCY), "cause {cause}");
    }
}

#[test]
fn test_fails_when_the_interrupt_is_broken() {
    for (from, to) in [
        // A completion in the hold-off is lost.
        (
            "pending <= (cause[0] | pending) & waiting;",
            "pending <= 1'b0;",
        ),
        // A clear wins over a cause.
        (
            "status[0] <= (status[0] & !clear[0]) | due;",
            "status[0] <= (status[0] | due) & !clear[0];",
        ),
    ] {
        let broken = design().mutate(from, to).unwrap_or_else(|e| panic!("{e}"));
        let model = model(&broken);
        let passed = TRAFFIC
            .iter()
            .all(|&t| std::panic::catch_unwind(|| compare(&model, 1, t).is_ok()).unwrap_or(false));
        assert!(!passed, "`{to}` was not caught");
    }
}
