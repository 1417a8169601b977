//! Pauses: when a source offers nothing, a sink is not ready, a memory answers late.

use crate::Rng;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

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

/// One name for the pauses and latencies of a whole testbench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StallProfile {
    /// No pause, shortest latencies.
    None,
    /// A pause in one clock of ten.
    Light,
    /// A pause in seven clocks of ten.
    Heavy,
    /// Runs and pauses of 1 to 40 clocks.
    Bursty,
    /// One transfer in every three clocks, for all alike: phases lock.
    Periodic,
    /// Long runs, then nothing for hundreds of clocks.
    LongStalls,
    /// Sinks are ready only after valid.
    AfterValid,
    /// Sources without pause, slow sinks: everything inside fills up.
    SlowSink,
    /// Slow sources, sinks without pause: everything inside runs empty.
    SlowSource,
    /// Streams without pause, a memory with latencies of hundreds of clocks.
    SlowMemory,
}

/// Which side of a stream pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It drives valid.
    Source,
    /// It drives ready.
    Sink,
}

impl StallProfile {
    /// All profiles.
    pub const ALL: [StallProfile; 10] = [
        StallProfile::None,
        StallProfile::Light,
        StallProfile::Heavy,
        StallProfile::Bursty,
        StallProfile::Periodic,
        StallProfile::LongStalls,
        StallProfile::AfterValid,
        StallProfile::SlowSink,
        StallProfile::SlowSource,
        StallProfile::SlowMemory,
    ];

    /// Name, as the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            StallProfile::None => "none",
            StallProfile::Light => "light",
            StallProfile::Heavy => "heavy",
            StallProfile::Bursty => "bursty",
            StallProfile::Periodic => "periodic",
            StallProfile::LongStalls => "long-stalls",
            StallProfile::AfterValid => "after-valid",
            StallProfile::SlowSink => "slow-sink",
            StallProfile::SlowSource => "slow-source",
            StallProfile::SlowMemory => "slow-memory",
        }
    }

    /// The pauses of one side of a stream.
    pub fn pause(self, role: Role) -> Pause {
        use StallProfile as P;
        match (self, role) {
            (P::None | P::SlowMemory, _)
            | (P::SlowSink, Role::Source)
            | (P::SlowSource, Role::Sink) => Pause::Never,
            (P::Light, _) => Pause::Random(0.1),
            (P::Heavy, _) => Pause::Random(0.7),
            (P::Bursty, _) => Pause::Bursts {
                run: 1..=40,
                pause: 1..=40,
            },
            (P::Periodic, _) => Pause::EveryNth(3),
            (P::LongStalls, _) => Pause::Bursts {
                run: 20..=400,
                pause: 100..=600,
            },
            (P::AfterValid, Role::Source) => Pause::Random(0.2),
            (P::AfterValid, Role::Sink) => Pause::AfterValid(0..=4),
            (P::SlowSink, Role::Sink) | (P::SlowSource, Role::Source) => Pause::Random(0.85),
        }
    }
}

impl fmt::Display for StallProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No profile has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stall profile `{name}` is not one of {}", StallProfile::ALL.map(StallProfile::name).join(", "))]
pub struct UnknownProfile {
    /// The name given.
    pub name: String,
}

impl FromStr for StallProfile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<StallProfile, UnknownProfile> {
        StallProfile::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| UnknownProfile {
                name: name.to_owned(),
            })
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

    #[test]
    fn names_parse_back() {
        for profile in StallProfile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        let error = "wild".parse::<StallProfile>().unwrap_err();
        assert!(error.to_string().contains("`wild`") && error.to_string().contains("long-stalls"));
    }
}
