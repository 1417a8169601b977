//! `flow_table` against a list in order of use, every clock.

use pagetrain_formats::Config;
use pagetrain_hdl::bundle;
use pagetrain_hdl::flow_table::{flow_table, LATENCY, SETTLE};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::collections::VecDeque;

/// A table as the contract has it: slots, and their order of use, the most recent last.
#[derive(Clone)]
struct Table {
    slots: Vec<Option<Vec<u8>>>,
    order: Vec<usize>,
}

impl Table {
    fn find(&self, key: &[u8]) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.as_deref() == Some(key))
    }

    fn free(&self) -> Option<usize> {
        self.slots.iter().position(Option::is_none)
    }

    fn touch(&mut self, slot: usize) {
        self.order.retain(|&s| s != slot);
        self.order.push(slot);
    }
}

/// How often the updates come, and which.
#[derive(Clone, Copy, Debug)]
struct Mix {
    name: &'static str,
    /// Extra clocks between two updates, at most.
    gap: u64,
    /// Chances of remove and clear; a key that is not there is inserted, else touched.
    remove: f64,
    clear: f64,
    /// Keys to choose from, per slot.
    keys: usize,
}

const MIXES: [Mix; 4] = [
    Mix {
        name: "dense",
        gap: 0,
        remove: 0.1,
        clear: 0.002,
        keys: 2,
    },
    Mix {
        name: "flood",
        gap: 1,
        remove: 0.0,
        clear: 0.0,
        keys: 20,
    },
    Mix {
        name: "sparse",
        gap: 9,
        remove: 0.2,
        clear: 0.01,
        keys: 2,
    },
    Mix {
        name: "touch only",
        gap: 2,
        remove: 0.02,
        clear: 0.0,
        keys: 1,
    },
];

/// Keys that differ in a single bit, or in many.
fn keys(rng: &mut Rng, count: usize) -> Vec<Vec<u8>> {
    let width = bundle::key().width();
    let bytes = width.div_ceil(8);
    let mask = |key: &mut Vec<u8>| key[bytes - 1] &= 0xff >> (bytes * 8 - width);
    let mut first = rng.bytes(bytes);
    mask(&mut first);
    let mut keys = vec![first.clone()];
    while keys.len() < count {
        let mut key = first.clone();
        if rng.chance(0.7) {
            let bit = rng.below(width as u64) as usize;
            key[bit / 8] ^= 1 << (bit % 8);
        } else {
            key = rng.bytes(bytes);
            mask(&mut key);
        }
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// What was at the inputs in one clock, and the table behind all updates up to it.
struct Past {
    key: Vec<u8>,
}

fn run(model: &Model, flows: usize, mix: Mix, seed: u64, clocks: usize) {
    println!("{flows} flows, mix `{}`, seed {seed}", mix.name);
    let mut rng = Rng::new(seed, mix.name);
    let mut sim = Sim::new(model, SimConfig::seed(seed)).unwrap();
    let signal = |name: &str| sim.signal(name).unwrap();
    let (touch, insert, remove, clear) = (
        signal("upd_touch"),
        signal("upd_insert"),
        signal("upd_remove"),
        signal("upd_clear"),
    );
    let (slot, hit, hit_slot) = (signal("upd_slot"), signal("hit"), signal("hit_slot"));
    let (free, new_slot) = (signal("free"), signal("new_slot"));
    let (key, upd_key) = (sim.wide("key").unwrap(), sim.wide("upd_key").unwrap());
    [&touch, &insert, &remove, &clear]
        .iter()
        .for_each(|s| s.set(0));
    sim.reset().unwrap();

    let keys = keys(&mut rng, mix.keys * flows);
    let mut table = Table {
        slots: vec![None; flows],
        order: vec![],
    };
    let mut past: VecDeque<Past> = VecDeque::new();
    // The update under preparation: clocks until its strobe, key.
    let mut coming: Option<(usize, usize)> = None;
    let mut hold = 0;
    let (mut hits, mut misses, mut full) = (0, 0, 0);
    for clock in 0..clocks {
        // Mostly the key that is about to change, so that the forwarding is seen.
        let looked = match coming {
            Some((_, k)) if rng.chance(0.6) => k,
            _ => rng.below(keys.len() as u64) as usize,
        };
        key.write(&keys[looked]);
        [&touch, &insert, &remove, &clear]
            .iter()
            .for_each(|s| s.set(0));
        if hold > 0 {
            hold -= 1;
        } else if coming.is_none() && rng.below(mix.gap + 1) == 0 {
            let k = rng.below(keys.len() as u64) as usize;
            let place = table.find(&keys[k]).or(table.free());
            let place = place.unwrap_or_else(|| table.order[0]);
            slot.set(place as u64);
            upd_key.write(&keys[k]);
            coming = Some((SETTLE, k));
        }
        let mut cleared = false;
        match coming {
            Some((0, k)) => {
                let place = slot.get() as usize;
                let known = table.find(&keys[k]).is_some();
                if known && rng.chance(mix.remove) {
                    remove.set(1);
                    table.slots[place] = None;
                } else if known {
                    touch.set(1);
                    table.touch(place);
                } else {
                    insert.set(1);
                    table.slots[place] = Some(keys[k].clone());
                    table.touch(place);
                }
                coming = None;
                // The key stands for one clock more.
                hold = 1;
            }
            Some((n, k)) => coming = Some((n - 1, k)),
            None if hold == 0 && rng.chance(mix.clear) => {
                clear.set(1);
                table.slots.fill(None);
                cleared = true;
            }
            None => {}
        }
        if cleared {
            hold = SETTLE as u64;
        }
        past.push_front(Past {
            key: keys[looked].clone(),
        });
        past.truncate(LATENCY);
        sim.step().unwrap();

        // Behind the edge: the key of LATENCY clocks ago, the table with everything up to the last clock.
        if past.len() == LATENCY && clock > 2 * LATENCY {
            let want = table.find(&past[LATENCY - 1].key);
            assert_eq!(hit.is_high(), want.is_some(), "clock {clock}: hit");
            match want {
                Some(place) => {
                    hits += 1;
                    assert_eq!(hit_slot.get(), place as u64, "clock {clock}: hit_slot");
                }
                None => misses += 1,
            }
        }
        match table.free() {
            Some(lowest) => {
                assert!(free.is_high(), "clock {clock}: free");
                assert_eq!(
                    new_slot.get(),
                    lowest as u64,
                    "clock {clock}: new_slot, free"
                );
            }
            None => {
                full += 1;
                assert!(!free.is_high(), "clock {clock}: free");
                let oldest = table.order[0] as u64;
                assert_eq!(new_slot.get(), oldest, "clock {clock}: new_slot, oldest");
            }
        }
    }
    assert!(hits > 100 && misses > 10, "{hits} hits, {misses} misses");
    assert!(full > 10 || mix.clear > 0.0, "never full");
}

fn design(flows: usize) -> Design {
    let cfg = Config {
        flows,
        ..Config::default()
    };
    dut::design(&flow_table(&cfg)).unwrap()
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn answers_are_those_of_a_list_when_updates_are_random() {
    for flows in [4, 5, 16] {
        let model = model(&design(flows));
        for seed in seeds(3) {
            for mix in MIXES {
                run(&model, flows, mix, seed, 8_000);
            }
        }
    }
}

#[test]
fn is_caught_when_the_table_is_broken() {
    for (from, to) in [
        ("(insert_1 | insert_2) ? same", "insert_1 ? same"),
        ("(upd_insert | insert_0) ? same", "upd_insert ? same"),
        (
            "(upd_insert | insert_0) ? same",
            "(upd_insert | insert_0) ? 1'b0",
        ),
        ("(upd_clear | clear_1)", "upd_clear"),
        ("any_left <= |left;", "any_left <= |freed;"),
        ("new_slot <= oldest_slot;", "new_slot <= freed_slot;"),
        ("new_slot <= filled_slot;", "new_slot <= freed_slot;"),
    ] {
        let broken = design(4)
            .mutate(from, to)
            .unwrap_or_else(|error| panic!("{error}"));
        let model = model(&broken);
        let caught = MIXES
            .iter()
            .any(|&mix| std::panic::catch_unwind(|| run(&model, 4, mix, 1, 4_000)).is_err());
        assert!(caught, "mutant `{to}` lives");
    }
}
