//! Named pauses for a whole testbench.

use super::pause::Pause;
use std::fmt;
use std::str::FromStr;

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

    #[test]
    fn names_parse_back() {
        for profile in StallProfile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        let error = "wild".parse::<StallProfile>().unwrap_err();
        assert!(error.to_string().contains("`wild`") && error.to_string().contains("long-stalls"));
    }
}
