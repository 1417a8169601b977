//! The counters against section 7: exact sums of everything, 64-bit reads that do not tear.

use pagetrain_formats::codes::Reason;
use pagetrain_formats::counters::{reason_counter, Counter, COUNTER_SLOTS};
use pagetrain_hdl::counters::{counters, Event, READ_LATENCY, SETTLE};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Signal, Sim, SimConfig, SimError};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Rng;
use std::collections::VecDeque;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Clocks from a read request to its answer.
const READ: u64 = READ_LATENCY as u64;

/// Every counter with an input of its own; the widths that the engine has, and one that reaches beyond 2^32 soon.
fn events() -> Vec<Event> {
    let width = |c: &Counter| match c {
        Counter::RxBytes => 16,
        Counter::PagesFilled => 32,
        Counter::DropDisabled => 2,
        Counter::Completions => 8,
        _ => 1,
    };
    Counter::ALL
        .iter()
        .map(|c| Event {
            index: c.code() as usize,
            width: width(c),
        })
        .collect()
}

fn design() -> Design {
    dut::design(&counters(&events(), Reason::ALL.len())).unwrap_or_else(|e| panic!("{e}"))
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

/// What counts in a clock.
#[derive(Clone, Copy, Debug)]
enum Load {
    /// Everything, as much as it can.
    All,
    /// Some, anything.
    Random,
    /// Rarely something.
    Rare,
}

/// The block and what it must have counted.
struct Bench {
    sim: Sim,
    adds: Vec<(usize, Signal)>,
    reason: [Signal; 3],
    read: [Signal; 3],
    data: Signal,
    /// Sums after every clock so far, by counter.
    sums: Vec<u64>,
    /// The same of the last clocks, oldest first.
    before: VecDeque<Vec<u64>>,
}

impl Bench {
    fn new(model: &Model, seed: u64) -> Result<Bench, SimError> {
        let sim = Sim::new(model, SimConfig::seed(seed))?;
        let adds = events()
            .iter()
            .map(|e| Ok((e.index, sim.signal(&format!("add_{}", e.index))?)))
            .collect::<Result<_, SimError>>()?;
        let mut bench = Bench {
            adds,
            reason: [
                sim.signal("reason_valid")?,
                sim.signal("reason")?,
                sim.signal("reason_packets")?,
            ],
            read: [
                sim.signal("rd_valid")?,
                sim.signal("rd_index")?,
                sim.signal("rd_done")?,
            ],
            data: sim.signal("rd_data")?,
            sums: vec![0; COUNTER_SLOTS],
            before: VecDeque::new(),
            sim,
        };
        bench.still();
        bench.read[0].set(0);
        bench.read[1].set(0);
        bench.sim.reset()?;
        Ok(bench)
    }

    /// Nothing counts.
    fn still(&mut self) {
        self.adds.iter().for_each(|(_, s)| s.set(0));
        self.reason.iter().for_each(|s| s.set(0));
    }

    fn drive(&mut self, load: Load, rng: &mut Rng) {
        for (_, add) in &self.adds {
            let most = (1u64 << add.width()) - 1;
            add.set(match load {
                Load::All => most,
                Load::Random => rng.below(most + 1),
                Load::Rare => u64::from(rng.chance(0.02)) * rng.below(most + 1),
            });
        }
        let valid = !matches!(load, Load::Rare) || rng.chance(0.02);
        self.reason[0].set(u64::from(valid));
        self.reason[1].set(rng.below(Reason::ALL.len() as u64));
        self.reason[2].set(if matches!(load, Load::All) {
            127
        } else {
            rng.below(128)
        });
    }

    fn clock(&mut self) -> Result<(), SimError> {
        self.before.push_back(self.sums.clone());
        if self.before.len() > SETTLE + 1 {
            self.before.pop_front();
        }
        for (i, add) in &self.adds {
            self.sums[*i] += add.get();
        }
        if self.reason[0].is_high() {
            let reason =
                Reason::from_code(self.reason[1].get() as u32).expect("a reason that exists");
            self.sums[reason_counter(reason)] += self.reason[2].get();
        }
        self.sim.step()
    }

    /// Reads a counter while `load` goes on; checks the answer's clock and its bounds.
    fn read(&mut self, index: usize, load: Option<Load>, rng: &mut Rng) -> Result<u64, SimError> {
        self.read[0].set(1);
        self.read[1].set(index as u64);
        let (oldest, newest) = (
            self.before.front().map_or(0, |b| b[index]),
            self.sums[index],
        );
        for n in 1..=READ {
            if let Some(load) = load {
                self.drive(load, rng);
            }
            self.clock()?;
            self.read[0].set(0);
            self.read[1].set(rng.below(64));
            assert_eq!(
                self.read[2].is_high(),
                n == READ,
                "answer {n} clocks after the request"
            );
        }
        let value = self.data.get();
        assert!(
            (oldest..=newest).contains(&value),
            "counter {index}: {value:#x} is not within {oldest:#x} to {newest:#x}"
        );
        Ok(value)
    }

    fn check_all(&mut self, rng: &mut Rng) -> Result<(), SimError> {
        self.still();
        for _ in 0..SETTLE {
            self.clock()?;
        }
        for i in 0..COUNTER_SLOTS {
            let value = self.read(i, None, rng)?;
            assert_eq!(value, self.sums[i], "counter {i}");
        }
        Ok(())
    }
}

/// Counts for about `clocks` clocks, with a read every `gap` clocks.
fn count(
    model: &Model,
    seed: u64,
    load: Load,
    clocks: u64,
    gap: u64,
) -> Result<Vec<u64>, SimError> {
    let mut bench = Bench::new(model, seed)?;
    let mut rng = bench.sim.rng("load");
    let mut last = [0; COUNTER_SLOTS];
    for _ in 0..clocks / gap {
        let index = if rng.chance(0.5) {
            Counter::PagesFilled.code() as usize
        } else {
            rng.below(64) as usize
        };
        let value = bench.read(index, Some(load), &mut rng)?;
        assert!(value >= last[index], "counter {index} went back");
        last[index] = value;
        for _ in READ..gap {
            bench.drive(load, &mut rng);
            bench.clock()?;
        }
    }
    bench.check_all(&mut rng)?;
    Ok(bench.sums)
}

#[test]
fn sums_are_exact_when_everything_counts_in_every_clock() {
    let model = model(&design());
    for seed in seeds(4) {
        for load in [Load::All, Load::Random, Load::Rare] {
            for gap in [4, 13, 500] {
                count(&model, seed, load, 4000, gap)
                    .unwrap_or_else(|e| panic!("{load:?}, {gap}: {e}"));
            }
        }
    }
}

#[test]
fn upper_half_counts_on_when_bytes_pass_two_to_the_32() {
    let model = model(&design());
    let sums = count(&model, 2, Load::All, 70_000, 5).unwrap_or_else(|e| panic!("{e}"));
    assert!(sums[Counter::RxBytes.code() as usize] > 1 << 32);
    assert!(sums[Counter::PagesFilled.code() as usize] > 1 << 47);
}

#[test]
fn every_counter_is_zero_when_reset_again() {
    let model = model(&design());
    for seed in seeds(3) {
        let mut bench = Bench::new(&model, seed).unwrap();
        let mut rng = bench.sim.rng("load");
        // At once, while the memory is being cleared.
        for i in 0..COUNTER_SLOTS {
            assert_eq!(bench.read(i, None, &mut rng).unwrap(), 0);
            for _ in READ..4 {
                bench.clock().unwrap();
            }
        }
        for _ in 0..1000 {
            bench.drive(Load::Random, &mut rng);
            bench.clock().unwrap();
        }
        bench.still();
        bench.sim.reset().unwrap();
        bench.sums = vec![0; COUNTER_SLOTS];
        bench.before.clear();
        // Counted from the first clock on.
        bench.drive(Load::All, &mut rng);
        bench.clock().unwrap();
        bench.check_all(&mut rng).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn test_fails_when_the_counters_are_broken() {
    for (from, to) in [
        // What comes in the clock of the visit is lost.
        (
            "8'd0 : acc_7) + {7'd0, add_7_came};",
            "8'd0 : acc_7 + {7'd0, add_7_came});",
        ),
        // No carry beyond 32 bits.
        (
            "wdata <= s2_total + ",
            "wdata[63:32] <= s2_total[63:32]; wdata[31:0] <= s2_total[31:0] + ",
        ),
        // The memory is not cleared.
        ("s0_clearing ? 64'd0", "1'b0 ? 64'd0"),
    ] {
        let broken = design().mutate(from, to).unwrap_or_else(|e| panic!("{e}"));
        let model = model(&broken);
        let run = || count(&model, 1, Load::All, 4000, 4).is_ok();
        let passed = catch_unwind(AssertUnwindSafe(run)).unwrap_or(false);
        assert!(!passed, "`{to}` was not caught");
    }
}
