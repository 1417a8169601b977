//! What block memory is made of.

use serde::{Deserialize, Serialize};

/// The body of every block memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum BlockRam {
    /// A description that every synthesis tool takes for block memory.
    #[default]
    Inferred,
    /// The cell DP16KD of Lattice ECP5, with its output register where a memory has one.
    Ecp5,
}

impl BlockRam {
    /// All of them.
    pub const ALL: &'static [BlockRam] = &[BlockRam::Inferred, BlockRam::Ecp5];

    /// Name as written in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            BlockRam::Inferred => "inferred",
            BlockRam::Ecp5 => "ecp5",
        }
    }
}

impl From<BlockRam> for &str {
    fn from(value: BlockRam) -> Self {
        value.name()
    }
}

impl TryFrom<String> for BlockRam {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|kind| kind.name() == text);
        found.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("block_ram = {text}: must be {}", names.join(" or "))
        })
    }
}
