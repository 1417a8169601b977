//! File list and FuseSoC core (CAPI2).

use crate::{Note, TOP};

/// File list, one source a line, children before parents, relative to the folder.
pub fn file_list(sources: &[String]) -> String {
    sources.iter().map(|name| format!("{name}\n")).collect()
}

/// A fileset of Verilog files, as the core names it.
fn fileset(name: &str, files: &[String]) -> String {
    let files: String = files
        .iter()
        .map(|file| format!("      - {file}\n"))
        .collect();
    format!("  {name}:\n    files:\n{files}    file_type: verilogSource-2005\n")
}

/// FuseSoC core with the targets default, lint (Verilator) and synth (Yosys for ECP5); they use the
/// flow API, since FuseSoC 2 calls the older one deprecated. The cells in `models` are for default and lint: Yosys has its own.
pub fn fusesoc(note: &Note, sources: &[String], models: &[String]) -> String {
    let (mut filesets, mut simulated) = (fileset("rtl", sources), "rtl");
    if !models.is_empty() {
        filesets += &fileset("cells", models);
        simulated = "rtl, cells";
    }
    format!(
        "CAPI=2:
{comment}
name: \"pagetrain:ip:pagetrain-{slug}:{version}\"
description: \"pagetrain: receive-offload engine for network cards ({label})\"
license: \"MIT OR Apache-2.0\"

filesets:
{filesets}  lpf:
    files:
      - {TOP}.lpf
    file_type: LPF

targets:
  default: &default
    filesets: [{simulated}]
    toplevel: {TOP}

  lint:
    <<: *default
    description: \"Verilator, all warnings\"
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]

  synth:
    <<: *default
    description: \"Yosys for Lattice ECP5\"
    filesets: [rtl, lpf]
    flow: trellis
    flow_options:
      pnr: none
",
        comment = note.comment("#").trim_end(),
        slug = note.slug(),
        label = note.label.replace('"', "'"),
        version = env!("CARGO_PKG_VERSION"),
    )
}
