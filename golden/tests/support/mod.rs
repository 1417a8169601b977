//! What the tests of the model share: frames, captures, seeds, and an engine with a host that the test drives by hand.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod captures;
pub mod expect;
pub mod frames;
pub mod oracle;
pub mod rig;
pub mod traffic;
pub mod watch;
pub mod wire;

use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random numbers that a seed replays.
pub struct Rng(ChaCha8Rng);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 to `n` - 1.
    pub fn below(&mut self, n: u64) -> u64 {
        self.number() % n
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

/// Runs a random test: for each seed from 0 on, or for the one in PAGETRAIN_SEED. The seed is printed before its run, so
/// that it stands last in the output of a failure.
pub fn for_seeds(count: u64, mut test: impl FnMut(u64)) {
    let chosen = std::env::var("PAGETRAIN_SEED")
        .ok()
        .and_then(|s| s.parse::<u64>().ok());
    for seed in chosen.map_or(0..count, |seed| seed..seed + 1) {
        println!("seed {seed} (replay with PAGETRAIN_SEED={seed})");
        test(seed);
    }
}
