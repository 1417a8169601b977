//! Registers, reset control, counters and interrupt as the engine joins them.

use crate::config;
use pagetrain_formats::codes::Reason;
use pagetrain_formats::counters::Counter;
use pagetrain_hdl::build::{cat, lit, Dir, Instance, Module, Port};
use pagetrain_hdl::counters::Event;
use pagetrain_hdl::{control, counters, interrupt, regs};

/// A gain of this many bits in every clock: the upper half moves in almost every clock.
pub const WIDE: usize = 32;

fn counts() -> Vec<Event> {
    [
        (Counter::RxBytes, WIDE),
        (Counter::BadDoorbells, 1),
        (Counter::BadWrites, 1),
        (Counter::BusErrors, 1),
    ]
    .map(|(c, width)| Event {
        index: c.code() as usize,
        width,
    })
    .to_vec()
}

/// Makes every port of a child that is not in `joined` a port of `m`.
fn show(m: &mut Module, instance: &Instance, ports: &[Port], joined: &[&str]) {
    for p in ports {
        if joined.contains(&p.name.as_str()) || p.name == "clk" || p.name == "rst" {
            continue;
        }
        match p.dir {
            Dir::In => {
                let sig = m.input(&p.name, p.width, &p.doc);
                m.connect(instance, &p.name, &sig);
            }
            Dir::Out => {
                let sig = m.output(&p.name, p.width, &p.doc);
                m.connect_out(instance, &p.name, &sig);
            }
        }
    }
}

/// The host's side of the engine.
pub fn host_side() -> Module {
    let mut m = Module::new("host_side", "Registers, control, counters, interrupt.");
    let mut place = |name: &str, child: Module| {
        let ports = child.ports();
        (m.instance(name, child), ports)
    };
    let (regs, regs_ports) = place("u_regs", regs::regs(&config()));
    let (control, control_ports) = place("u_control", control::control());
    let (counters, counter_ports) = place(
        "u_counters",
        counters::counters(&counts(), Reason::ALL.len()),
    );
    let (irq, irq_ports) = place("u_interrupt", interrupt::interrupt());

    let mut joined = vec![
        "counter_done",
        "counter_data",
        "in_irq_status",
        "halted",
        "resetting",
        "reset_done",
    ];
    for name in ["halted", "resetting", "reset_done"] {
        m.connect(&regs, name, control.out(name));
    }
    m.connect(&regs, "counter_done", counters.out("rd_done"));
    m.connect(&regs, "counter_data", counters.out("rd_data"));
    m.connect(&regs, "in_irq_status", irq.out("status"));
    joined.extend([
        "reset_req",
        "counter_valid",
        "counter_index",
        "irq_clear",
        "cfg_irq_enable",
        "cfg_irq_holdoff",
    ]);
    joined.extend(["stat_bad_write", "stat_bad_doorbell", "stat_stopped"]);
    show(&mut m, &regs, &regs_ports, &joined);

    m.connect(&control, "reset_req", regs.out("reset_req"));
    show(
        &mut m,
        &control,
        &control_ports,
        &[
            "reset_req",
            "halted",
            "resetting",
            "reset_done",
            "stat_halt",
        ],
    );

    m.connect(&counters, "rd_valid", regs.out("counter_valid"));
    m.connect(&counters, "rd_index", regs.out("counter_index"));
    m.connect(&counters, "add_20", regs.out("stat_bad_doorbell"));
    m.connect(&counters, "add_21", regs.out("stat_bad_write"));
    m.connect(&counters, "add_22", control.out("stat_halt"));
    let of_regs = [
        "rd_valid", "rd_index", "rd_done", "rd_data", "add_20", "add_21", "add_22",
    ];
    show(&mut m, &counters, &counter_ports, &of_regs);

    let refused = regs.out("stat_bad_write") | regs.out("stat_bad_doorbell");
    let (stopped, halt) = (regs.out("stat_stopped"), control.out("stat_halt"));
    let cause = cat(&[refused, lit(1, 0), stopped.expr(), halt.expr(), lit(1, 0)]);
    m.connect(&irq, "cause", cause);
    m.connect(&irq, "clear", regs.out("irq_clear"));
    m.connect(&irq, "enable", regs.out("cfg_irq_enable"));
    m.connect(&irq, "holdoff", regs.out("cfg_irq_holdoff"));
    show(
        &mut m,
        &irq,
        &irq_ports,
        &["cause", "clear", "enable", "holdoff", "status"],
    );
    m
}
