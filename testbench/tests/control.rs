//! Reset and halt against section 8: bursts end before the core is reset, a bus error halts until then.

use pagetrain_hdl::control::{control, RESET_CLOCKS};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Signal, Sim, SimConfig, SimError};
use pagetrain_testbench::verilator::{Design, Model, Options};
use std::panic::{catch_unwind, AssertUnwindSafe};

fn design() -> Design {
    dut::design(&control()).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// The block, and bus masters around it that behave as the contract of blocks says: `idle` is exact three clocks after
/// `quiesce` has risen; a burst that began before then ends when it likes.
struct Bench {
    sim: Sim,
    reset_req: Signal,
    bus_err: Signal,
    idle: Signal,
    quiesce: Signal,
    soft_rst: Signal,
    halted: Signal,
    resetting: Signal,
    stat_halt: Signal,
    reset_done: Signal,
    /// Clocks since quiesce rose.
    quiet: u64,
    /// Clocks until the bursts under way have ended.
    busy: u64,
    halts: u64,
    dones: u64,
    soft_clocks: u64,
}

impl Bench {
    fn new(model: &Model, seed: u64) -> Result<Bench, SimError> {
        let sim = Sim::new(model, SimConfig::seed(seed))?;
        let s = |name: &str| sim.signal(name);
        let mut bench = Bench {
            reset_req: s("reset_req")?,
            bus_err: s("bus_err")?,
            idle: s("idle")?,
            quiesce: s("quiesce")?,
            soft_rst: s("soft_rst")?,
            halted: s("halted")?,
            resetting: s("resetting")?,
            stat_halt: s("stat_halt")?,
            reset_done: s("reset_done")?,
            quiet: 0,
            busy: 0,
            halts: 0,
            dones: 0,
            soft_clocks: 0,
            sim,
        };
        for input in [&bench.reset_req, &bench.bus_err, &bench.idle] {
            input.set(0);
        }
        bench.sim.reset()?;
        assert!(bench.soft_rst.is_high(), "the core is in reset as well");
        for _ in 0..4 {
            bench.clock()?;
        }
        assert!(!bench.soft_rst.is_high());
        (bench.soft_clocks, bench.halts, bench.dones) = (0, 0, 0);
        Ok(bench)
    }

    fn clock(&mut self) -> Result<(), SimError> {
        self.sim.step()?;
        self.reset_req.set(0);
        self.bus_err.set(0);
        self.halts += self.stat_halt.get();
        self.dones += self.reset_done.get();
        self.soft_clocks += self.soft_rst.get();
        self.quiet = if self.quiesce.is_high() {
            self.quiet + 1
        } else {
            0
        };
        if self.soft_rst.is_high() {
            assert!(self.busy == 0, "a burst was cut");
            assert!(self.quiesce.is_high() || self.reset_done.is_high());
        }
        self.busy = self.busy.saturating_sub(1);
        // In the first clocks `idle` may still say what was before.
        let late = self.quiet < 3;
        self.idle.set(u64::from(self.busy == 0 || late));
        Ok(())
    }

    /// Asks for a reset while bursts are under way for `busy` more clocks; follows it to its end.
    fn reset(&mut self, busy: u64, errors: &[u64]) -> Result<(), SimError> {
        let was_halted = self.halted.is_high();
        let (halts, dones) = (self.halts, self.dones);
        self.soft_clocks = 0;
        self.busy = busy;
        self.reset_req.set(1);
        let mut n = 0u64;
        loop {
            if errors.contains(&n) && n < busy {
                self.bus_err.set(1);
            }
            self.clock()?;
            n += 1;
            if self.reset_done.is_high() {
                break;
            }
            assert!(
                self.quiesce.is_high() && self.resetting.is_high(),
                "from the next clock on"
            );
            assert!(self.soft_clocks == 0 || n > busy);
            assert!(n < busy + 64, "the reset does not end");
        }
        let new_halt = !was_halted && errors.iter().any(|&e| e < busy);
        assert_eq!(
            self.halts - halts,
            u64::from(new_halt),
            "halts are counted once"
        );
        for _ in 0..20 {
            self.clock()?;
        }
        assert_eq!(self.soft_clocks, RESET_CLOCKS as u64);
        assert_eq!(self.dones - dones, 1);
        let after = [&self.quiesce, &self.soft_rst, &self.halted, &self.resetting];
        assert!(
            after.iter().all(|s| !s.is_high()),
            "all over after the reset"
        );
        Ok(())
    }
}

fn resets(model: &Model, seed: u64) -> Result<(), SimError> {
    let mut bench = Bench::new(model, seed)?;
    let mut rng = bench.sim.rng("bursts");
    for busy in (0..40).chain([100, 500]) {
        let errors: Vec<u64> = (0..rng.below(4)).map(|_| rng.below(60)).collect();
        bench.reset(busy, &errors)?;
        for _ in 0..rng.below(10) {
            bench.clock()?;
        }
        if rng.chance(0.3) {
            halt(&mut bench, rng.below(30))?;
        }
    }
    Ok(())
}

/// A bus error, more of them, and a while in which nothing else may change.
fn halt(bench: &mut Bench, wait: u64) -> Result<(), SimError> {
    let halts = bench.halts;
    bench.soft_clocks = 0;
    bench.bus_err.set(1);
    bench.clock()?;
    for i in 0..wait {
        assert!(bench.halted.is_high() && bench.quiesce.is_high());
        assert!(!bench.resetting.is_high());
        bench.bus_err.set(i % 3 / 2);
        bench.clock()?;
    }
    assert_eq!((bench.halts - halts, bench.soft_clocks), (1, 0));
    Ok(())
}

#[test]
fn core_is_reset_for_sixteen_clocks_when_the_last_burst_has_ended() {
    let model = model(&design());
    for seed in seeds(6) {
        resets(&model, seed).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn reset_waits_when_a_burst_never_ends() {
    let model = model(&design());
    let mut bench = Bench::new(&model, 1).unwrap();
    bench.busy = u64::MAX;
    bench.reset_req.set(1);
    for _ in 0..2000 {
        bench.clock().unwrap();
        assert!(bench.resetting.is_high() && !bench.soft_rst.is_high());
    }
}

#[test]
fn test_fails_when_control_is_broken() {
    for (from, to) in [
        // Does not wait for the bursts.
        ("if (idle) begin", "if (1'b1) begin"),
        // Looks at `idle` at once.
        ("if (count[4]) begin", "if (1'b1) begin"),
        // A clock too short.
        ("if (count == ", "if (5'd1 + count == "),
    ] {
        let broken = design().mutate(from, to).unwrap_or_else(|e| panic!("{e}"));
        let model = model(&broken);
        let passed = catch_unwind(AssertUnwindSafe(|| resets(&model, 1).is_ok())).unwrap_or(false);
        assert!(!passed, "`{to}` was not caught");
    }
}
