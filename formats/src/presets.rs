//! Presets: configurations with a name, each a TOML file of `formats/presets`.

use crate::config::Config;

/// A configuration with a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name as given on the command line.
    pub name: &'static str,
    /// The file's text; its first line is a comment that says what it is for.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal),* $(,)?) => {
        /// All presets.
        pub const PRESETS: &[Preset] = &[$(Preset {
            name: $name,
            text: include_str!(concat!("../presets/", $name, ".toml")),
        },)*];
    };
}

presets!(
    "default", "ecp5-10g", "ecp5-25g", "small", "w256", "w512", "flows4", "flows32", "flows64",
);

impl Preset {
    /// Finds a preset by name.
    pub fn find(name: &str) -> Option<Preset> {
        PRESETS.iter().find(|preset| preset.name == name).copied()
    }

    /// Its configuration.
    ///
    /// # Panics
    /// Never: a test reads every preset.
    pub fn config(&self) -> Config {
        Config::from_toml(self.text).expect("presets are valid")
    }

    /// What it is for: the comment in its first line.
    pub fn summary(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or("");
        first.trim_start_matches('#').trim()
    }
}
