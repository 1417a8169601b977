//! Configuration: what is fixed when the engine is generated.

use crate::block_ram::BlockRam;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Parameters of one engine. Fields not named in a file have their default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Bits of the AXI-Stream input (W): 64, 128, 256 or 512.
    pub data_width: usize,
    /// Bits of the AXI4 master's data (D): 64 to 512, at least W.
    pub dma_width: usize,
    /// Entries of the flow table: 4 to 64.
    pub flows: usize,
    /// Largest page that may be posted: 4096, 16384 or 65536 bytes.
    pub page_size: usize,
    /// Frame store: 8192 to 262144 bytes, a power of two.
    pub ingress_bytes: usize,
    /// Rows of the parser's program memory: 16, 32 or 64.
    pub parser_states: usize,
    /// A frame that needs more steps is rejected: 4 to 32.
    pub parser_steps: usize,
    /// Bytes of a frame that the parser can see: 128 or 256.
    pub parser_window: usize,
    /// Completion entries that a train may hold (E): 32 or 64.
    pub train_entries: usize,
    /// What block memory is made of: nothing outside the memories depends on it.
    pub block_ram: BlockRam,
    /// Clock in kHz that the constraints ask for; the logic does not depend on it.
    pub clock_khz: usize,
}

/// A configuration that cannot be built.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// A field's value breaks its rule.
    #[error("{field} = {value}: must be {rule}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: usize,
        /// What is allowed.
        rule: String,
    },
    /// The text is not TOML, or names a field that does not exist, or gives it a value of another type.
    #[error("line {line}: {message}")]
    Syntax {
        /// Line of the text, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_width: 64,
            dma_width: 128,
            flows: 16,
            page_size: 4096,
            ingress_bytes: 32768,
            parser_states: 32,
            parser_steps: 16,
            parser_window: 256,
            train_entries: 64,
            block_ram: BlockRam::Inferred,
            clock_khz: 156_250,
        }
    }
}

const WIDTHS: &[usize] = &[64, 128, 256, 512];

impl Config {
    /// Reads and validates a configuration file's text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            ConfigError::Syntax {
                line: 1 + text.bytes().take(start).filter(|&b| b == b'\n').count(),
                message: error.message().replace('\n', " "),
            }
        })?;
        config.validate()?;
        Ok(config)
    }

    /// The configuration as a file's text.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a flat structure of integers and words is always TOML")
    }

    /// The first rule that the configuration breaks, if any.
    pub fn validate(&self) -> Result<(), ConfigError> {
        one_of("data_width", self.data_width, WIDTHS)?;
        one_of("dma_width", self.dma_width, WIDTHS)?;
        let rule = || format!("at least data_width ({})", self.data_width);
        require(
            "dma_width",
            self.dma_width,
            self.dma_width >= self.data_width,
            rule,
        )?;
        range("flows", self.flows, 4, 64)?;
        one_of("page_size", self.page_size, &[4096, 16384, 65536])?;
        range("ingress_bytes", self.ingress_bytes, 8192, 262_144)?;
        let rule = || "a power of two".to_string();
        let power = self.ingress_bytes.is_power_of_two();
        require("ingress_bytes", self.ingress_bytes, power, rule)?;
        one_of("parser_states", self.parser_states, &[16, 32, 64])?;
        range("parser_steps", self.parser_steps, 4, 32)?;
        one_of("parser_window", self.parser_window, &[128, 256])?;
        one_of("train_entries", self.train_entries, &[32, 64])?;
        range("clock_khz", self.clock_khz, 1_000, 1_000_000)
    }

    /// Bytes of a beat of the input.
    pub const fn w_bytes(&self) -> usize {
        self.data_width / 8
    }

    /// Bytes of a beat of the AXI4 master.
    pub const fn d_bytes(&self) -> usize {
        self.dma_width / 8
    }

    /// Base-2 logarithm of [`Config::w_bytes`].
    pub const fn log2_w_bytes(&self) -> usize {
        self.w_bytes().ilog2() as usize
    }

    /// Base-2 logarithm of [`Config::d_bytes`].
    pub const fn log2_d_bytes(&self) -> usize {
        self.d_bytes().ilog2() as usize
    }

    /// Base-2 logarithm of the page size.
    pub const fn log2_page_size(&self) -> usize {
        self.page_size.ilog2() as usize
    }

    /// Base-2 logarithm of the frame store's bytes.
    pub const fn log2_ingress_bytes(&self) -> usize {
        self.ingress_bytes.ilog2() as usize
    }

    /// Bits of a flow slot's number.
    pub const fn slot_bits(&self) -> usize {
        (self.flows - 1).ilog2() as usize + 1
    }

    /// Largest legal value of the register MAX_FRAME: half the store, so that a frame never waits for itself.
    pub const fn max_frame_limit(&self) -> usize {
        min(16128, self.ingress_bytes / 2)
    }

    /// Reset value of the register MAX_FRAME.
    pub const fn max_frame_reset(&self) -> usize {
        min(9018, self.ingress_bytes / 2)
    }
}

const fn min(a: usize, b: usize) -> usize {
    if a < b {
        a
    } else {
        b
    }
}

fn require(
    field: &'static str,
    value: usize,
    holds: bool,
    rule: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    let rule = rule();
    Err(ConfigError::Field { field, value, rule })
}

fn one_of(field: &'static str, value: usize, legal: &[usize]) -> Result<(), ConfigError> {
    require(field, value, legal.contains(&value), || {
        let words: Vec<String> = legal.iter().map(usize::to_string).collect();
        let (last, rest) = words.split_last().expect("a rule names values");
        format!("{} or {last}", rest.join(", "))
    })
}

fn range(field: &'static str, value: usize, low: usize, high: usize) -> Result<(), ConfigError> {
    require(field, value, (low..=high).contains(&value), || {
        format!("{low} to {high}")
    })
}
