//! The configuration that the command line asks for.

use crate::args::ConfigArgs;
use crate::failure::Failure;
use pagetrain_formats::presets::{Preset, PRESETS};
use pagetrain_formats::Config;

/// A configuration and the name by which files and messages call it.
pub struct Named {
    pub config: Config,
    pub label: String,
}

/// Reads the configuration.
pub fn load(args: &ConfigArgs) -> Result<Named, Failure> {
    if let Some(path) = &args.config {
        let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
        let config = Config::from_toml(&text)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        let label = path.file_stem().unwrap_or(path.as_os_str());
        let label = label.to_string_lossy().into_owned();
        return Ok(Named { config, label });
    }
    let preset = find(args.preset.as_deref().unwrap_or("default"))?;
    Ok(Named {
        config: preset.config(),
        label: preset.name.to_string(),
    })
}

/// The preset of a name.
pub fn find(name: &str) -> Result<Preset, Failure> {
    Preset::find(name).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|p| p.name).collect();
        Failure::Usage(format!(
            "preset {name}: must be one of {}",
            names.join(", ")
        ))
    })
}
