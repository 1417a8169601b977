//! The Verilog of each preset is frozen: a digest of each file, and the ports of the top in full. So no change of the
//! generator changes an engine that it was not meant to change.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p pagetrain-gen --test frozen`, and look at the
//! difference in `tests/snapshots` before it is committed: it lists the modules that changed.

use pagetrain_formats::presets::PRESETS;
use pagetrain_gen::generate;
use sha2::{Digest, Sha256};

/// The text without its header, which repeats the configuration.
fn body(text: &str) -> &str {
    let start = text.find("`default_nettype").expect("every file has it");
    &text[start..]
}

fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Direction, range and name of each port of a module.
fn ports(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let ports = lines.filter(|line| line.starts_with("input ") || line.starts_with("output "));
    let words = ports.map(|line| line.split("//").next().unwrap_or("").replace(',', ""));
    words
        .map(|port| port.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn verilog_of_each_preset_is_frozen() {
    let mut changed = vec![];
    for preset in PRESETS {
        let files = generate(&preset.config(), preset.name).expect("presets are valid");
        let verilog = files.iter().filter(|file| file.name.ends_with(".v"));
        let mut lines = vec![];
        for file in verilog {
            let body = body(&file.text);
            if file.name == "pagetrain.v" {
                lines.extend(ports(body));
            }
            lines.push(format!("{}  {}", digest(body), file.name));
        }
        let name = format!("verilog_{}", preset.name);
        let same = std::panic::catch_unwind(|| {
            insta::assert_snapshot!(name, lines.join("\n"));
        });
        if same.is_err() {
            changed.push(preset.name);
        }
    }
    assert!(
        changed.is_empty(),
        "the Verilog of {changed:?} has changed. If that is meant: \
         INSTA_UPDATE=always cargo test -p pagetrain-gen --test frozen, and commit tests/snapshots"
    );
}
