//! A block of the `hdl` crate under the harness: the shape of every block test.

use pagetrain_hdl::build::Module;
use pagetrain_testbench::dut;
use pagetrain_testbench::sim::{seeds, Sim, SimConfig, SimError};
use pagetrain_testbench::stall::{Role, StallProfile};
use pagetrain_testbench::stream::{Channel, WordSink, WordSource};
use pagetrain_testbench::verilator::{Design, Model, Options};
use pagetrain_testbench::Bits;

/// Adds its two operands; one register behind.
fn adder(width: usize) -> Module {
    let mut m = Module::new(&format!("adder_{width}"), "Adds two operands.");
    let a = m.input("s_axis_tdata", width, "first operand");
    let b = m.input("s_axis_toperand", width, "second operand");
    let valid_in = m.input("s_axis_tvalid", 1, "operands are valid");
    let ready_in = m.output("s_axis_tready", 1, "operands are taken");
    let sum = m.output_reg("m_axis_tdata", width + 1, "sum");
    let valid_out = m.output_reg_rst("m_axis_tvalid", 1, 0, "sum is valid");
    let ready_out = m.input("m_axis_tready", 1, "sum is taken");
    let go = m.named("go", (!&valid_out).or(&ready_out));
    m.assign(&ready_in, &go);
    m.seq("result register", |s| {
        s.when(&go, |s| {
            s.set(&sum, a.add_wide(&b));
            s.set(&valid_out, &valid_in);
        });
    });
    m
}

fn run(model: &Model, seed: u64, profile: StallProfile) -> Result<(), SimError> {
    let mut sim = Sim::new(model, SimConfig::seed(seed))?;
    let input = Channel::axis("s_axis").fields(["tdata", "toperand"]);
    let source = WordSource::attach(&sim, &input, profile.pause(Role::Source))?;
    let sink = WordSink::attach(&sim, &Channel::axis("m_axis"), profile.pause(Role::Sink))?;
    sim.run(async |sim| {
        let mut rng = sim.rng("operands");
        for _ in 0..100 {
            let (a, b) = (rng.below(1 << 16).into(), rng.below(1 << 16).into());
            source.send(Bits::pack(&[(16, a), (16, b)]));
        }
        for _ in 0..100 {
            let sum = sink.recv_timed().await;
            let sent = source.sent().get().await;
            let operands = sent.item.unpack(&[16, 16]);
            assert_eq!(sum.item, Bits::new(17, operands[0] + operands[1]));
            if profile == StallProfile::None {
                assert_eq!(sum.last - sent.last, 1, "latency");
            }
        }
        sim.cycles(50).await;
        assert!(sink.is_empty());
    })
}

fn model(design: &Design) -> Model {
    Model::build(design, &Options::short()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn sums_are_right_under_every_stall_profile() {
    let model = dut::build(&adder(16), &Options::short()).unwrap_or_else(|error| panic!("{error}"));
    for seed in seeds(3) {
        for profile in StallProfile::ALL {
            run(&model, seed, profile).unwrap_or_else(|error| panic!("{profile}: {error}"));
        }
    }
}

#[test]
fn test_fails_when_the_adder_is_broken() {
    let design = dut::design(&adder(16)).unwrap();
    let reset = model(
        &design
            .clone()
            .mutate("m_axis_tvalid <= 1'b0;", "m_axis_tvalid <= 1'b1;")
            .unwrap(),
    );
    let error = run(&reset, 1, StallProfile::None).expect_err("valid in reset");
    assert!(error.to_string().contains("valid_in_reset"), "{error}");
    let sum = model(&design.mutate(" + ", " | ").unwrap());
    assert!(run(&sum, 1, StallProfile::Heavy).is_err());
}

#[test]
fn rules_are_named_when_the_module_is_refused() {
    let mut undriven = Module::new("undriven", "Lacks a driver.");
    undriven.output("y", 1, "never driven");
    let error = dut::design(&undriven).expect_err("refused").to_string();
    assert!(error.contains("undriven") && error.contains('y'), "{error}");
}
