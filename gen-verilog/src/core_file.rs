//! File list and FuseSoC core (CAPI2).

use crate::{Note, TOP};

/// File list, one source a line, children before parents, relative to the folder.
pub fn file_list(sources: &[String]) -> String {
    sources.iter().map(|name| format!("{name}\n")).collect()
}

/// FuseSoC core with the targets default, lint (Verilator) and synth (Yosys for ECP5); they use the
/// flow API, since FuseSoC 2 calls the older one deprecated.
pub fn fusesoc(note: &Note, sources: &[String]) -> String {
    let files: String = sources
        .iter()
        .map(|name| format!("      - {name}\n"))
        .collect();
    format!(
        "CAPI=2:
{comment}
name: \"pagetrain:ip:pagetrain-{slug}:{version}\"
description: \"pagetrain: receive-offload engine for network cards ({label})\"
license: \"MIT OR Apache-2.0\"

filesets:
  rtl:
    files:
{files}    file_type: verilogSource-2005
  lpf:
    files:
      - {TOP}.lpf
    file_type: LPF

targets:
  default: &default
    filesets: [rtl]
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
