//! `write_data` alone: its clocks. What it holds back, and when, the tests of `dma_write` and `completion` show.

mod back;

use back::pack;
use pagetrain_hdl::bundle;
use pagetrain_hdl::write_data::{write_data, DEPTH, LATENCY};
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{Sim, SimConfig};
use pagetrain_testbench::verilator::Options;

const BUS: usize = 64;

/// A burst of one beat.
fn beat(data: u64) -> Vec<u8> {
    let values = [("data", data.into()), ("strb", 0xFF), ("last", 1)];
    pack(&bundle::wd(BUS), &values).to_bytes()
}

#[test]
fn beat_takes_the_documented_clocks_and_none_is_lost_when_every_beat_is_a_burst() {
    let model = dut::build(&write_data(BUS), &Options::short()).unwrap_or_else(|e| panic!("{e}"));
    let mut sim = Sim::new(&model, SimConfig::seed(1)).unwrap_or_else(|e| panic!("{e}"));
    let port = |name: &str| sim.signal(name).expect("the block has this port");
    let (push, grant) = (port("push"), port("grant"));
    let (valid, ready) = (port("m_w_tvalid"), port("m_w_tready"));
    let (push_data, data) = (sim.wide("push_data"), sim.wide("m_w_tdata"));
    let (push_data, data) = (push_data.expect("a port"), data.expect("a port"));
    push.set(0);
    grant.set(0);
    ready.set(1);
    sim.reset().unwrap_or_else(|e| panic!("{e}"));
    let beats = 10 * DEPTH;
    let mut left = vec![];
    for clock in 0..beats + LATENCY {
        let more = u64::from(clock < beats);
        push.set(more);
        grant.set(more);
        push_data.write(&beat(clock as u64));
        if valid.is_high() {
            let mut bytes = vec![0; data.len_bytes()];
            data.read(&mut bytes);
            left.push((clock, bytes));
        }
        sim.step().unwrap_or_else(|e| panic!("{e}"));
    }
    let want: Vec<_> = (0..beats).map(|i| (i + LATENCY, beat(i as u64))).collect();
    assert_eq!(left, want);
}
