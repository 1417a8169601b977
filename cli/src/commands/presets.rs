//! `pagetrain presets`

use crate::configuration::find;
use crate::failure::Failure;
use crate::output::{print, table};
use pagetrain_formats::presets::PRESETS;

/// Lists all presets, or prints one in full, every field named.
pub fn run(name: Option<&str>) -> Result<(), Failure> {
    if let Some(name) = name {
        let preset = find(name)?;
        let fields = preset.config().to_toml();
        return print(&format!("# {}\n{fields}", preset.summary()));
    }
    let mut rows = vec![["name", "W", "D", "flows", "MHz", ""]
        .map(String::from)
        .to_vec()];
    rows.extend(PRESETS.iter().map(|preset| {
        let c = preset.config();
        vec![
            preset.name.to_string(),
            c.data_width.to_string(),
            c.dma_width.to_string(),
            c.flows.to_string(),
            format!("{:.2}", c.clock_khz as f64 / 1000.0),
            preset.summary().to_string(),
        ]
    }));
    print(&table(&rows))
}
