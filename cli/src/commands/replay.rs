//! `pagetrain replay`

use crate::args::{EngineKind, ReplayArgs};
use crate::failure::Failure;
use crate::output::print;
use crate::replay::{golden, rtl, Outputs, Settings};

/// Runs the capture and prints the summary.
pub fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let outputs = Outputs {
        deliver: args.deliver.as_deref(),
        json: args.json.as_deref(),
    };
    let simulation = &args.simulation;
    if args.engine == EngineKind::Golden {
        let given = [
            ("--stall", simulation.stall.is_some()),
            ("--seed", simulation.seed.is_some()),
            ("--waves", simulation.waves.is_some()),
        ];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            let rule = "needs --engine rtl: the model has no clocked signals";
            return Err(Failure::Usage(format!("{option}: {rule}")));
        }
    }
    let settings = Settings::load(&args.traffic)?;
    let text = match args.engine {
        EngineKind::Golden => golden::run(&args.traffic, &settings, &outputs)?,
        EngineKind::Rtl => rtl::run(&args.traffic, simulation, &settings, &outputs)?,
    };
    print(&text)
}
