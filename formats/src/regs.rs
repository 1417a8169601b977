//! Register map of the AXI4-Lite port: the one table that RTL, model, C header and manual derive from.
//!
//! A write is refused (ignored, answered OKAY, counted in `bad_writes`) when its address is not in the map or read-only,
//! when not all four strobes are set, when the register is CFG and the engine enabled, or when [`Legal`] forbids the value.
//! Bits outside a register's fields are ignored by a write and read 0, unless [`Legal`] looks at the whole dword.

use crate::config::Config;
use crate::layout::Field;

mod map;
pub use map::*;

/// Who may use a register, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Ro,
    /// Read, and write at any time.
    Rw,
    /// Read, and write while `CTRL.enable` is 0.
    Cfg,
    /// Write at any time; reads 0.
    Wo,
    /// Read; writing a 1 clears that bit.
    W1c,
}

impl Access {
    /// Name as in the manual.
    pub const fn name(self) -> &'static str {
        match self {
            Access::Ro => "RO",
            Access::Rw => "RW",
            Access::Cfg => "CFG",
            Access::Wo => "WO",
            Access::W1c => "W1C",
        }
    }
}

/// A number that may depend on the configuration.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// The same for every engine.
    Const(u32),
    /// Computed from the configuration; with the formula as the manual shows it.
    Of(fn(&Config) -> u32, &'static str),
}

impl Number {
    /// Its value for one configuration.
    pub fn value(&self, config: &Config) -> u32 {
        match self {
            Number::Const(value) => *value,
            Number::Of(function, _) => function(config),
        }
    }
}

/// Which values a write may have.
#[derive(Clone, Copy, Debug)]
pub enum Legal {
    /// Any; bits outside the fields are ignored.
    Any,
    /// The whole dword, as a number from the first to the second, both included.
    Range(Number, Number),
    /// The whole dword must be a multiple of this power of two.
    Multiple(u32),
    /// A ring index: refused (and counted in `bad_doorbells`) unless it is a legal move (design contract, section 5).
    /// Bits outside the field are ignored.
    Doorbell,
}

impl Legal {
    /// Whether a write of `value` is legal, doorbells apart: their rule needs the ring's state.
    pub fn allows(&self, value: u32, config: &Config) -> bool {
        match self {
            Legal::Any | Legal::Doorbell => true,
            Legal::Range(low, high) => (low.value(config)..=high.value(config)).contains(&value),
            Legal::Multiple(of) => value % of == 0,
        }
    }
}

/// One register.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    /// Byte address.
    pub addr: u16,
    /// Name, the same in C and in the manual.
    pub name: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Value after power-up. CTRL.reset does not touch configuration.
    pub reset: Number,
    /// Which values a write may have.
    pub legal: Legal,
    /// Fields, by position; each in dword 0.
    pub fields: &'static [Field],
    /// One line for the manual.
    pub doc: &'static str,
}

impl Register {
    /// Bits that some field covers.
    pub fn mask(&self) -> u32 {
        self.fields.iter().fold(0, |bits, f| bits | f.mask())
    }

    /// Whether a write can have an effect at all.
    pub fn writable(&self) -> bool {
        self.access != Access::Ro
    }
}

/// The register at a byte address, whose bits 1:0 are ignored.
pub fn by_addr(addr: u16) -> Option<&'static Register> {
    REGISTERS.iter().find(|r| r.addr == addr & !3)
}

/// The register of a name, in any case of letters.
pub fn by_name(name: &str) -> Option<&'static Register> {
    REGISTERS.iter().find(|r| r.name.eq_ignore_ascii_case(name))
}

/// Address of the low half of counter `index`; its high half is 4 above.
///
/// # Panics
/// If `index` is not below [`crate::counters::COUNTER_SLOTS`].
pub const fn counter_addr(index: usize) -> u16 {
    assert!(index < crate::counters::COUNTER_SLOTS);
    COUNTER_BASE + 8 * index as u16
}

/// Address of dword `dword` of row `row` of the program memory.
///
/// # Panics
/// If no configuration has such a row, or a row no such dword.
pub const fn program_addr(row: usize, dword: usize) -> u16 {
    assert!(row < 64 && dword < 16);
    PROGRAM_BASE + 64 * row as u16 + 4 * dword as u16
}
