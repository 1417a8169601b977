//! A board for measurements: large rings, so that the host is never what limits.

use super::mix::Mix;
use crate::engine::{Bench, BenchError, BenchOptions};
use crate::stall::StallProfile;
use crate::verilator::Model;
use pagetrain_formats::program::{tcp, Limits as ProgramLimits};
use pagetrain_formats::{regs, Config};
use pagetrain_golden::host::HostOptions;
use pagetrain_golden::Limits;

/// What happens when frames come faster than they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The engine drops what it has no room for.
    Drops,
    /// The MAC waits (`backpressure`).
    Waits,
}

/// Base-2 logarithm of the buffers of each kind. A host that takes 1000 clocks to answer still keeps up.
const RING_LOG2: u32 = 10;

/// A board whose host posts pages of 4 KiB, for traffic of this kind. Its bus takes a beat a clock.
pub fn rate_board(
    config: &Config,
    model: &Model,
    mix: Mix,
    input: Input,
) -> Result<Bench, BenchError> {
    let program = tcp(&ProgramLimits::of(config)).expect("the shipped program fits");
    let mut registers = mix.registers();
    if input == Input::Waits {
        let bit = regs::RX_CTRL_BACKPRESSURE.mask();
        match registers
            .iter_mut()
            .find(|(addr, _)| *addr == regs::RX_CTRL)
        {
            Some((_, value)) => *value |= bit,
            None => registers.push((regs::RX_CTRL, bit)),
        }
    }
    let options = BenchOptions {
        seed: 1,
        stall: StallProfile::None,
        host: HostOptions::full(RING_LOG2, 4096, 0),
        registers,
        program: program.words(),
        limits: Limits::NONE,
        waves: None,
    };
    Bench::new(config, model, options, Box::new(|_, _, _| {}))
}
