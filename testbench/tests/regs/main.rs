//! The register port against sections 5, 7, 8 and 9 of the contract and the table in `formats`.

mod bench;
mod channels;
mod commands;
mod doorbells;
mod host_side;
mod reference;
mod traffic;
mod with_control;

use pagetrain_formats::regs::{self, Access, REGISTERS};
use pagetrain_formats::Config;
use pagetrain_hdl::regs::regs as block;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::{Design, Model, Options};

/// The configuration under test: not the default, so that no default can hide.
fn config() -> Config {
    Config {
        parser_states: 16,
        ingress_bytes: 16384,
        train_entries: 32,
        ..Config::default()
    }
}

fn design() -> Design {
    dut::design(&block(&config())).unwrap_or_else(|e| panic!("{e}"))
}

fn model_of(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|e| panic!("{e}"))
}

fn model() -> Model {
    model_of(&design())
}

/// Runs `test` on a bench.
fn with_bench<T>(
    model: &Model,
    seed: u64,
    profile: StallProfile,
    test: impl AsyncFnOnce(&mut bench::Bench) -> T,
) -> Result<T, SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let mut bench = bench::Bench::attach(&sim, config(), profile)?;
    sim.run(async |sim| {
        let result = test(&mut bench).await;
        sim.cycles(40).await;
        bench.compare();
        assert!(bench.bus.monitor().is_idle());
        result
    })
}

#[test]
fn every_register_has_its_reset_value_when_reset() {
    let model = model();
    for seed in seeds(4) {
        with_bench(&model, seed, StallProfile::None, async |bench| {
            // The high half of a counter before any low half was read.
            bench.check_read(regs::COUNTER_BASE + 4).await;
            bench.check_map().await;
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn every_bit_reads_back_when_it_may_be_written() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        for r in REGISTERS
            .iter()
            .filter(|r| r.access != Access::Ro && r.addr != regs::CTRL)
        {
            let ones: Vec<u32> = (0..32)
                .map(|i| 1 << i)
                .chain([0, u32::MAX, r.mask()])
                .collect();
            for value in ones {
                bench.write_all(&[(r.addr, value, 0xf)]).await;
                bench.check_read(r.addr).await;
                // A neighbour on either side stays what it is.
                bench.check_read(r.addr - 4).await;
                bench.check_read(r.addr + 4).await;
                if bench.reference.command.is_some() {
                    bench.pulse("cmd_done").await;
                    bench.reference.command_done();
                    if bench.reference.stopping {
                        // A command of its own test.
                        reset(bench).await;
                    }
                }
            }
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// CTRL.reset, and the end of the reset.
async fn reset(bench: &mut bench::Bench) {
    bench
        .write_all(&[(regs::CTRL, regs::CTRL_RESET.mask(), 0xf)])
        .await;
    end_reset(bench).await;
}

/// What `control` says at the end of a reset.
async fn end_reset(bench: &mut bench::Bench) {
    bench.reference.reset_done();
    bench.port("reset_done").set(1);
    bench.drive_inputs();
    bench.sim.rising_edge().await;
    bench.port("reset_done").set(0);
    bench.sim.cycles(4).await;
    bench.compare();
}

#[test]
fn every_value_at_the_edge_of_the_table_is_judged_when_written() {
    with_bench(&model(), 1, StallProfile::None, async |bench| {
        let mut judged = 0;
        for r in REGISTERS {
            if let regs::Legal::Range(low, high) = r.legal {
                if r.addr == regs::Q_CMD {
                    continue;
                }
                let (low, high) = (low.value(&config()), high.value(&config()));
                let edges = [
                    low.wrapping_sub(1),
                    low,
                    high,
                    high.wrapping_add(1),
                    0,
                    1 << 16,
                    1 << 31,
                    u32::MAX,
                ];
                for value in edges {
                    for strobes in [0xf, 0x7, 0xe, 0x0] {
                        bench.write_all(&[(r.addr, value, strobes)]).await;
                        bench.check_read(r.addr).await;
                        judged += 1;
                    }
                }
            }
        }
        assert_eq!(
            judged,
            12 * 8 * 4,
            "registers with a range, values, strobes"
        );
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn every_register_of_the_configuration_is_locked_when_enabled() {
    with_bench(&model(), 2, StallProfile::None, async |bench| {
        bench.write_all(&[(regs::CTRL, 1, 0xf)]).await;
        for r in REGISTERS {
            let value = r.reset.value(&config());
            for addr in r.addr..r.addr + 4 {
                if !matches!(r.addr, regs::CTRL | regs::Q_CMD) {
                    bench
                        .write_all(&[(addr, value ^ 4096, 0xf), (addr, 4096, 0xf)])
                        .await;
                }
            }
            bench.check_read(r.addr).await;
        }
        let row = regs::program_addr(3, 5);
        bench
            .write_all(&[(row, 17, 0xf), (regs::CTRL, 0, 0xf), (row, 18, 0xf)])
            .await;
        assert_eq!(
            bench.reference.program.len(),
            1,
            "the one of the time when it was open"
        );
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn test_fails_when_the_block_is_broken() {
    for (from, to) in [
        // Configuration is never locked.
        ("w_open <= !enable;", "w_open <= 1'b1;"),
        // Partial writes take effect.
        (
            "wire w_commit = w_done & w_strobed;",
            "wire w_commit = w_done;",
        ),
        // A ring may be overfilled by one.
        (
            "tail_pg_posted <= w_dword[15:0] - in_pg_head;",
            "tail_pg_posted <= w_dword[15:0] - in_pg_head - 16'd1;",
        ),
    ] {
        let broken = design().mutate(from, to).unwrap_or_else(|e| panic!("{e}"));
        let model = model_of(&broken);
        let random = traffic::run(&model, 1, StallProfile::None);
        let edges = doorbells::edges(&model, 1);
        assert!(random.is_err() || edges.is_err(), "`{to}` was not caught");
    }
}
