//! Clock constraints: LPF (nextpnr-ecp5), SDC, XDC. Pins belong to a board, not to a configuration.

use crate::{File, Note, TOP};

/// The constraint files.
pub fn all(note: &Note) -> Vec<File> {
    let khz = note.config.clock_khz;
    // Rounded down to picoseconds: rather a little too fast than a little too slow.
    let period_ps = 1_000_000_000 / khz;
    let period = format!("{}.{:03}", period_ps / 1000, period_ps % 1000);
    let mhz = format!("{}.{:03}", khz / 1000, khz % 1000);
    let head = note.comment("#");
    let create = format!("create_clock -name clk -period {period} [get_ports clk]\n");
    let lpf = format!(
        "{head}# nextpnr-ecp5 ignores false paths; there are none: one clock, synchronous reset.\n\
         BLOCK RESETPATHS;\nBLOCK ASYNCPATHS;\nFREQUENCY PORT \"clk\" {mhz} MHZ;\n"
    );
    vec![
        File::new(format!("{TOP}.lpf"), lpf),
        File::new(format!("{TOP}.sdc"), format!("{head}{create}")),
        File::new(format!("{TOP}.xdc"), format!("{head}{create}")),
    ]
}
