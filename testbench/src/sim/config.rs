//! How a simulation is set up.

use crate::verilator::InitialState;
use std::path::PathBuf;

/// Environment variable: the one seed to run, instead of a test's list.
pub const SEED: &str = "PAGETRAIN_SEED";

/// Set-up of one simulation.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// Seed of all randomness: initial state, pauses, latencies, [`Handle::rng`](super::Handle::rng).
    pub seed: u64,
    /// State before the first clock; `None`: zeros for seed 0, else random from the seed.
    pub initial: Option<InitialState>,
    /// Name of the clock input; a design without it is combinational.
    pub clock: String,
    /// Name of the synchronous, active-high reset input; a design without it is not reset.
    pub reset: String,
    /// Clocks of reset before the first run. Several, so that pipelines behind the reset fill with what
    /// reset made.
    pub reset_cycles: u64,
    /// Clocks without a sign of life after which a run fails as stalled. Signs of life: a transfer, a write of a
    /// task, an item or event for a waiting task, a sleep of at least so many clocks. A shorter sleep is none: it
    /// may be a loop that polls for what never comes.
    pub idle_limit: u64,
    /// Clocks that one run may take.
    pub deadline: u64,
    /// Go on after a broken rule, for tests of the monitors; see [`Handle::take_violations`](super::Handle::take_violations).
    pub collect_violations: bool,
    /// File for the waves; needs a model with waves compiled in. `None`: a file in the folder that
    /// `PAGETRAIN_WAVES` names, if it is set.
    pub waves: Option<PathBuf>,
}

impl SimConfig {
    /// The default set-up with this seed.
    pub fn seed(seed: u64) -> SimConfig {
        SimConfig {
            seed,
            initial: None,
            clock: "clk".into(),
            reset: "rst".into(),
            reset_cycles: 8,
            idle_limit: 10_000,
            deadline: 10_000_000,
            collect_violations: false,
            waves: None,
        }
    }

    /// State before the first clock.
    pub(super) fn initial_state(&self) -> InitialState {
        self.initial.unwrap_or(match self.seed {
            0 => InitialState::Zeros,
            seed => InitialState::Random(seed),
        })
    }
}

impl Default for SimConfig {
    fn default() -> SimConfig {
        SimConfig::seed(0)
    }
}

/// The seeds 0 (all zeros before reset) to `count - 1` (random), or the one that `PAGETRAIN_SEED` names.
/// Prints each seed as it is taken, so that a failed test shows the last one.
///
/// # Panics
/// If `PAGETRAIN_SEED` is not a number.
pub fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let only: Option<u64> = std::env::var(SEED).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{SEED}={text} is not a number"))
    });
    let list = match only {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    };
    list.inspect(|seed| println!("seed {seed} (replay: {SEED}={seed})"))
}
