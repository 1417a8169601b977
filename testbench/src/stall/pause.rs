//! Patterns of pauses, and the clocks they make.

use crate::Rng;
use std::ops::RangeInclusive;

/// A pattern of pauses.
#[derive(Clone, Debug, PartialEq)]
pub enum Pause {
    /// No pause.
    Never,
    /// Each clock pauses with this probability, in steps of 2^-16.
    Random(f64),
    /// Runs and pauses of random lengths, in clocks.
    Bursts {
        /// Clocks without pause.
        run: RangeInclusive<u64>,
        /// Clocks of pause.
        pause: RangeInclusive<u64>,
    },
    /// One clock without pause in every so many.
    EveryNth(u64),
    /// Paused until the other side shows valid, then for a random number of clocks more, then open for one
    /// transfer. For sinks: finds a source whose valid waits for ready. A source waits so long before each transfer.
    AfterValid(RangeInclusive<u64>),
}

/// The clocks of one [`Pause`].
#[derive(Clone, Debug)]
pub struct Pauser {
    pattern: Pause,
    rng: Rng,
    paused: bool,
    /// Clocks until `paused` changes; for `Random`, 16-bit numbers left in `bits`.
    left: u64,
    bits: u64,
    /// For `Random`: a clock pauses if its number is below.
    threshold: u64,
}

impl Pauser {
    /// A generator for `pattern` with its own random numbers.
    pub fn new(pattern: Pause, rng: Rng) -> Pauser {
        let left = match pattern {
            Pause::EveryNth(_) | Pause::Random(_) => 0,
            _ => 1,
        };
        let threshold = match pattern {
            Pause::Random(p) => (p * 65536.0) as u64,
            _ => 0,
        };
        Pauser {
            pattern,
            rng,
            paused: true,
            left,
            bits: 0,
            threshold,
        }
    }

    /// True if the coming clock pauses. Called once a clock. `waiting`: the other side shows valid and has
    /// not been served.
    #[inline]
    pub fn next(&mut self, waiting: bool) -> bool {
        match self.pattern {
            Pause::Never => false,
            Pause::Random(_) => {
                if self.left == 0 {
                    self.bits = self.rng.bits();
                    self.left = 4;
                }
                self.left -= 1;
                let number = self.bits & 0xffff;
                self.bits >>= 16;
                number < self.threshold
            }
            Pause::AfterValid(_) => self.after_valid(waiting),
            _ => {
                self.left = self.left.saturating_sub(1);
                if self.left == 0 {
                    self.turn();
                }
                self.paused
            }
        }
    }

    /// Begins the next run or pause. Random numbers are drawn here alone, not every clock.
    #[cold]
    fn turn(&mut self) {
        // A pattern may give a length of 0: then the other phase goes on.
        for _ in 0..64 {
            self.paused = !self.paused;
            self.left = match &self.pattern {
                Pause::Bursts { run, pause } => self.rng.range(if self.paused {
                    pause.clone()
                } else {
                    run.clone()
                }),
                Pause::EveryNth(n) => {
                    if self.paused {
                        n.saturating_sub(1)
                    } else {
                        1
                    }
                }
                Pause::Never | Pause::Random(_) | Pause::AfterValid(_) => 1,
            };
            if self.left > 0 {
                return;
            }
        }
    }

    fn after_valid(&mut self, waiting: bool) -> bool {
        let Pause::AfterValid(delay) = &self.pattern else {
            return false;
        };
        if !waiting {
            self.left = u64::MAX; // drawn when valid shows
            return true;
        }
        if self.left == u64::MAX {
            self.left = self.rng.range(delay.clone());
        }
        if self.left == 0 {
            self.left = u64::MAX;
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_share(pattern: Pause, clocks: u64) -> f64 {
        let mut pauser = Pauser::new(pattern, Rng::new(1, "test"));
        (0..clocks).filter(|_| !pauser.next(true)).count() as f64 / clocks as f64
    }

    #[test]
    fn share_of_open_clocks_is_as_told_when_random() {
        for p in [0.05, 0.3, 0.7, 0.95] {
            let open = open_share(Pause::Random(p), 200_000);
            assert!((open - (1.0 - p)).abs() < 0.01, "p = {p}: open {open}");
        }
        assert_eq!(open_share(Pause::Random(0.0), 1000), 1.0);
        assert_eq!(open_share(Pause::Random(1.0), 1000), 0.0);
    }

    #[test]
    fn every_third_clock_is_open_when_every_third_is_asked() {
        let mut pauser = Pauser::new(Pause::EveryNth(3), Rng::new(1, "test"));
        let clocks: Vec<bool> = (0..9).map(|_| !pauser.next(false)).collect();
        assert_eq!(
            clocks,
            [true, false, false, true, false, false, true, false, false]
        );
        assert_eq!(open_share(Pause::EveryNth(1), 100), 1.0);
    }

    #[test]
    fn lengths_stay_in_range_when_bursty() {
        let mut pauser = Pauser::new(
            Pause::Bursts {
                run: 2..=5,
                pause: 7..=9,
            },
            Rng::new(3, "test"),
        );
        let clocks: Vec<bool> = (0..10_000).map(|_| pauser.next(false)).collect();
        let groups: Vec<(bool, usize)> = clocks
            .chunk_by(|a, b| a == b)
            .map(|g| (g[0], g.len()))
            .collect();
        let (_, inner) = groups.split_first().expect("groups");
        let (_, inner) = inner.split_last().expect("groups");
        assert!(inner
            .iter()
            .all(|&(paused, len)| (if paused { 7..=9 } else { 2..=5 }).contains(&len)));
        assert!(
            (7..=9).all(|len| inner.contains(&(true, len)))
                && (2..=5).all(|len| inner.contains(&(false, len)))
        );
    }

    #[test]
    fn opens_once_for_each_valid_when_after_valid() {
        let mut pauser = Pauser::new(Pause::AfterValid(2..=2), Rng::new(3, "test"));
        assert!(pauser.next(false) && pauser.next(false));
        let clocks: Vec<bool> = (0..6).map(|_| pauser.next(true)).collect();
        assert_eq!(clocks, [true, true, false, true, true, false]);
    }
}
