//! Clocks from a descriptor's arrival to its offer.

use crate::bench::{bus, model_of, Bench, VARIANTS};
use crate::host::Bus;
use pagetrain_hdl::desc_prefetch::{latency, Kind};
use pagetrain_testbench::sim::{Sim, SimConfig};
use pagetrain_testbench::stall::StallProfile;
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn descriptor_is_offered_after_the_documented_clocks_when_none_is_at_hand() {
    for variant in VARIANTS {
        let model = model_of(&variant.design());
        let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap();
        let profile = StallProfile::None;
        // An answer that comes at once overtakes the note of what was asked for, and waits for it.
        let bus = Bus {
            latency: 20..=20,
            ..bus(profile)
        };
        let bench = Bench::attach(&sim, variant, 6, bus, profile).unwrap();
        let offer = match variant.kind {
            Kind::Small => "sb0_valid",
            Kind::Page => "pg_valid",
        };
        let [beat, offer] = ["s_r_tvalid", offer].map(|port| sim.signal(port).unwrap());
        let seen: Rc<Cell<[Option<u64>; 2]>> = Rc::default();
        let log = seen.clone();
        sim.on_edge(move |edge| {
            let [came, offered] = log.get();
            // Where a descriptor takes two beats, the last one counts.
            let came = if beat.is_high() && offered.is_none() {
                Some(edge.cycle)
            } else {
                came
            };
            let offered = offered.or((offer.is_high() && !edge.in_reset).then_some(edge.cycle));
            log.set([came, offered]);
        });
        sim.run(async |sim| {
            let mut rng = sim.rng("posts");
            bench.post(&mut rng, 1, 0.0);
            bench.all_taken().await;
        })
        .unwrap_or_else(|e| panic!("{variant:?}: {e}"));
        let [came, offered] = seen.get().map(|at| at.expect("it came"));
        assert_eq!(
            (offered - came) as usize,
            latency(&variant.config(), variant.kind),
            "{variant:?}"
        );
    }
}
