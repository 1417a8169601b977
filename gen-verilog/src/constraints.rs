//! Constraints: LPF (nextpnr-ecp5, Diamond), SDC, XDC, all with the same content: the clock, and half of its period for what
//! lies outside of each port. Pins belong to a board, not to a configuration.

use crate::{File, Note, TOP};
use pagetrain_hdl::build::{Dir, Port};

/// Why the budget is what it is.
const BUDGET: &str = "Half of a period lies outside of every port. Inside, ports are registers or a few gates from one.";

/// The constraint files of a top module with these ports.
pub fn all(note: &Note, ports: &[Port]) -> Vec<File> {
    let khz = note.config.clock_khz;
    // Rounded down to picoseconds: rather a little too fast than a little too slow.
    let period_ps = 1_000_000_000 / khz;
    let ns = |ps: usize| format!("{}.{:03}", ps / 1000, ps % 1000);
    let (period, half) = (ns(period_ps), ns(period_ps / 2));
    let mhz = format!("{}.{:03}", khz / 1000, khz % 1000);
    let head = format!("{}# {BUDGET}\n", note.comment("#"));
    let delay = |direction: &str, dir: Dir| {
        format!(
            "set_{direction}_delay -clock clk -max {half} [get_ports {{{}}}]\n",
            names(ports, dir)
        )
    };
    let sdc = format!(
        "{head}create_clock -name clk -period {period} [get_ports clk]\n{}{}",
        delay("input", Dir::In),
        delay("output", Dir::Out)
    );
    let lpf = format!(
        "{head}# nextpnr-ecp5 takes the frequency and passes over the rest. There are no false paths: one clock, synchronous reset.\n\
         BLOCK RESETPATHS;\nBLOCK ASYNCPATHS;\nFREQUENCY PORT \"clk\" {mhz} MHZ;\n\
         INPUT_SETUP ALLPORTS {half} NS CLKPORT \"clk\";\nCLOCK_TO_OUT ALLPORTS {half} NS CLKPORT \"clk\";\n"
    );
    vec![
        File::new(format!("{TOP}.lpf"), lpf),
        File::new(format!("{TOP}.sdc"), sdc.clone()),
        File::new(format!("{TOP}.xdc"), sdc),
    ]
}

/// The ports of a direction, but for the clock, as a Tcl list of patterns.
fn names(ports: &[Port], dir: Dir) -> String {
    let ports = ports.iter().filter(|p| p.dir == dir && p.name != "clk");
    let pattern = |p: &Port| match p.width {
        1 => p.name.clone(),
        _ => format!("{}[*]", p.name),
    };
    ports.map(pattern).collect::<Vec<_>>().join(" ")
}
