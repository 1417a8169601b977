//! The primitives in simulation: each one's clocks are those of its constant, no more and no fewer.

use pagetrain_hdl::build::Module;
use pagetrain_hdl::prim::{arbiter, lutram, reset_stage, rr_arbiter, skid, Fifo, Ram, Storage};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{Sim, SimConfig};
use pagetrain_testbench::verilator::Options;

/// More than any primitive takes.
const LIMIT: usize = 16;

fn sim(module: &Module) -> Sim {
    let model = dut::build(module, &Options::short()).unwrap_or_else(|e| panic!("{e}"));
    Sim::new(&model, SimConfig::seed(1)).unwrap_or_else(|e| panic!("{e}"))
}

fn set(sim: &Sim, port: &str, value: u64) {
    sim.signal(port)
        .expect("the module has this port")
        .set(value);
}

fn get(sim: &Sim, port: &str) -> u64 {
    sim.signal(port).expect("the module has this port").get()
}

fn step(sim: &mut Sim) {
    sim.step().unwrap_or_else(|e| panic!("{e}"));
}

/// Clock edges until `port` shows `value`: 0 if it does at once. `after_first` is called behind the first edge.
fn edges(sim: &mut Sim, port: &str, value: u64, after_first: impl Fn(&Sim)) -> usize {
    sim.settle();
    for n in 0..LIMIT {
        if get(sim, port) == value {
            return n;
        }
        step(sim);
        if n == 0 {
            after_first(sim);
        }
        sim.settle();
    }
    panic!("{port} does not become {value}");
}

/// Latency of a stream primitive that is empty, and then clocks for so many words, without a stall.
fn stream(module: &Module, words: u64) -> (usize, usize) {
    let mut sim = sim(module);
    set(&sim, "s_axis_tvalid", 0);
    set(&sim, "m_axis_tready", 1);
    sim.reset().unwrap_or_else(|e| panic!("{e}"));
    set(&sim, "s_axis_tvalid", 1);
    set(&sim, "s_axis_tdata", 0xA5);
    let latency = edges(&mut sim, "m_axis_tvalid", 1, |sim| {
        set(sim, "s_axis_tvalid", 0);
    });
    assert_eq!(get(&sim, "m_axis_tdata"), 0xA5);
    for _ in 0..LIMIT {
        step(&mut sim);
    }
    let (mut sent, mut got, mut clocks) = (0, 0, 0);
    while got < words {
        set(&sim, "s_axis_tvalid", u64::from(sent < words));
        set(&sim, "s_axis_tdata", sent & 0xFF);
        sim.settle();
        if get(&sim, "m_axis_tvalid") == 1 {
            assert_eq!(get(&sim, "m_axis_tdata"), got & 0xFF);
            got += 1;
        }
        sent += u64::from(sent < words && get(&sim, "s_axis_tready") == 1);
        step(&mut sim);
        clocks += 1;
    }
    (latency, clocks)
}

#[test]
fn word_takes_the_documented_clocks_when_a_stream_register_or_fifo_is_empty() {
    let words = 100;
    let fifo = |depth, storage| Fifo::new(8, depth).storage(storage);
    for (module, latency) in [
        (skid(8), skid::LATENCY),
        (
            fifo(16, Storage::Distributed).build(),
            fifo(16, Storage::Distributed).latency(),
        ),
        (
            fifo(64, Storage::Block).build(),
            fifo(64, Storage::Block).latency(),
        ),
    ] {
        let measured = stream(&module, words);
        let all = words as usize + latency;
        assert_eq!(measured, (latency, all), "{}", module.name());
    }
}

#[test]
fn word_takes_the_documented_clocks_when_a_block_memory_is_read() {
    for ram in [Ram::new(8, 4), Ram::new(8, 4).out_reg()] {
        let module = ram.build();
        let registered = ram.latency() > 1;
        let mut sim = sim(&module);
        let read = |sim: &mut Sim, addr: u64, value: u64| {
            set(sim, "rd_en", 1);
            set(sim, "rd_addr", addr);
            edges(sim, "rd_data", value, |sim| {
                set(sim, "rd_en", 0);
                if registered {
                    set(sim, "rd_out_en", 1);
                }
            })
        };
        set(&sim, "wr_en", 1);
        for addr in 0..2 {
            set(&sim, "wr_addr", addr);
            set(&sim, "wr_data", 0x10 + addr);
            step(&mut sim);
        }
        set(&sim, "wr_en", 0);
        // Whatever stood there before: from now on it is the first word.
        read(&mut sim, 0, 0x10);
        if registered {
            set(&sim, "rd_out_en", 0);
        }
        assert_eq!(read(&mut sim, 1, 0x11), ram.latency(), "{}", module.name());
    }
}

#[test]
fn word_is_there_at_once_when_a_distributed_memory_is_read() {
    let mut sim = sim(&lutram(8, 4));
    set(&sim, "wr_en", 1);
    for addr in 0..2 {
        set(&sim, "wr_addr", addr);
        set(&sim, "wr_data", 0x10 + addr);
        step(&mut sim);
        set(&sim, "rd_addr", addr);
        assert_eq!(
            edges(&mut sim, "rd_data", 0x10 + addr, |_| {}),
            lutram::LATENCY,
            "written at the edge before"
        );
    }
}

#[test]
fn grant_takes_the_documented_clocks_when_an_arbiter_is_idle() {
    let mut sim = sim(&rr_arbiter(4));
    set(&sim, "req", 0);
    set(&sim, "done", 0);
    sim.reset().unwrap_or_else(|e| panic!("{e}"));
    set(&sim, "req", 0b0100);
    assert_eq!(edges(&mut sim, "grant", 0b0100, |_| {}), arbiter::LATENCY);
    // The next one at the edge at which this one is done: no idle clock between.
    set(&sim, "req", 0b1001);
    set(&sim, "done", 1);
    for grant in [0b1000, 0b0001, 0b1000] {
        step(&mut sim);
        assert_eq!(get(&sim, "grant"), grant);
    }
}

#[test]
fn reset_takes_the_documented_clocks_when_it_passes_its_stage() {
    let mut sim = sim(&reset_stage());
    set(&sim, "d", 0);
    for _ in 0..LIMIT {
        step(&mut sim);
    }
    for level in [1, 0] {
        set(&sim, "d", level);
        assert_eq!(edges(&mut sim, "q", level, |_| {}), reset_stage::LATENCY);
    }
}
