//! The prescaler against its contract: a pulse of one clock every `clocks` clocks.

use pagetrain_hdl::prescaler::prescaler;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::verilator::{Design, Model, Options};

fn design() -> Design {
    dut::design(&prescaler()).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// Clocks until the next pulse, and how long it lasts is checked by the next call: a second clock of it would count as 1.
fn interval(sim: &mut Sim, limit: u64) -> Result<u64, SimError> {
    let tick = sim.signal("tick")?;
    for n in 1..=limit {
        sim.step()?;
        if tick.is_high() {
            return Ok(n);
        }
    }
    panic!("no tick within {limit} clocks");
}

/// Sets one period after the other, in the middle of an interval, and measures.
fn measure(model: &Model, seed: u64, periods: &[u64]) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let clocks = sim.signal("clocks")?;
    let mut rng = sim.rng("when");
    clocks.set(periods[0]);
    sim.reset()?;
    interval(&mut sim, periods[0] + 4)?;
    let mut old = periods[0];
    for &new in periods {
        let wait = rng.below(old) + 1;
        for _ in 1..wait {
            sim.step()?;
        }
        clocks.set(new);
        // The interval under way keeps its length, the one behind it may; from then on it is the new one.
        let first = interval(&mut sim, old + new + 4)?;
        assert!(
            wait - 1 + first <= old + new,
            "{first} after {wait} of {old}"
        );
        let second = interval(&mut sim, old + new + 4)?;
        assert!(
            second == old || second == new,
            "{second}, was {old}, is {new}"
        );
        for _ in 0..3 {
            assert_eq!(interval(&mut sim, new + 4)?, new);
        }
        old = new;
    }
    Ok(())
}

const PERIODS: [u64; 12] = [256, 1, 2, 3, 1, 255, 4, 256, 5, 17, 2, 1000];

#[test]
fn pulses_come_every_so_many_clocks_when_the_period_changes() {
    let model = model(&design());
    for seed in seeds(8) {
        measure(&model, seed, &PERIODS).unwrap_or_else(|e| panic!("{e}"));
    }
    measure(&model, 1, &[65535]).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn test_fails_when_the_prescaler_is_broken() {
    let broken = design()
        .mutate("(left <= 16'd1) ? clocks", "(left <= 16'd2) ? clocks")
        .unwrap_or_else(|e| panic!("{e}"));
    let model = model(&broken);
    let verdict = std::panic::catch_unwind(|| measure(&model, 1, &PERIODS).is_ok());
    assert!(!verdict.unwrap_or(false));
}
