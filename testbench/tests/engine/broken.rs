//! One fault a block, seeded into the text of the whole engine: the tests of the engine must notice each.

use super::faults::{activate, all_are_noticed, Fault};
use super::frames::{other, segment};
use super::scene::{built, QUIET};
use super::support::{bench, config};
use super::traffic::Traffic;
use pagetrain_formats::{regs, Command, Descriptor};
use pagetrain_golden::host::HostOptions;
use pagetrain_golden::Written;
use pagetrain_testbench::axi::AxiMemory;
use pagetrain_testbench::engine::{Bench, BenchOptions, Driver, Ring};
use pagetrain_testbench::stall::StallProfile;
use pagetrain_testbench::verilator::Model;
use pagetrain_testbench::Rng;

const FAULTS: [Fault; 16] = [
    (
        "rx: a frame that a reset cut is numbered",
        "cut <= fire ? !s_axis_rx_tlast : in_frame;",
        "cut <= !FAULT & (fire ? !s_axis_rx_tlast : in_frame);",
    ),
    (
        "parser: the limit of steps comes early",
        "s1_last <= s0_step == 5'd16;",
        "s1_last <= s0_step == (FAULT ? 5'd8 : 5'd16);",
    ),
    (
        "checksum: one bit that is set makes it good",
        "l4_good <= (&f2_l4_0[15:0])",
        "l4_good <= (FAULT ? |f2_l4_0[15:0] : &f2_l4_0[15:0])",
    ),
    (
        "frame_store: the words of a dropped frame are not used again",
        "wr <= drop ? start : ",
        "wr <= (drop & !FAULT) ? start : ",
    ),
    (
        "flow_table: another flow than the oldest is evicted",
        "new_slot <= filled_slot;",
        "new_slot <= filled_slot ^ {3'd0, FAULT & !any_left_1};",
    ),
    (
        "train: a packet behind a gap joins",
        "& !gap",
        "& (!gap | FAULT)",
    ),
    (
        "prescaler: ticks are a clock short",
        "(left <= 16'd1) ? clocks",
        "(left <= 16'd1 + {15'd0, FAULT}) ? clocks",
    ),
    (
        "dma_write: the rest of the word before is always taken",
        "if (r4_reads) begin",
        "if (r4_reads | FAULT) begin",
    ),
    (
        "completion: does not wait for the data",
        "wire passed = f_valid & !f_short;",
        "wire passed = f_valid & (!f_short | FAULT);",
    ),
    (
        "desc_prefetch: a page of less than the least room passes",
        "j1_fits & !j1_room[20] & (|j1_room[19:10]);",
        "j1_fits & !j1_room[20] & (|j1_room[19:10] | (FAULT & j1_room[9]));",
    ),
    (
        "write_mux: responses of both masters go to the first",
        "s0_b_valid <= m_axi_bvalid & !m_axi_bid;",
        "s0_b_valid <= m_axi_bvalid & (!m_axi_bid | FAULT);",
    ),
    (
        "read_mux: data of both masters go to the second",
        "s1_r_tvalid <= m_axi_rvalid & m_axi_rid;",
        "s1_r_tvalid <= m_axi_rvalid & (m_axi_rid | FAULT);",
    ),
    (
        "counters: the memory is not cleared",
        "s0_clearing ? 64'd0",
        "(s0_clearing & !FAULT) ? 64'd0",
    ),
    (
        "regs: configuration is never locked",
        "w_open <= !enable;",
        "w_open <= !enable | FAULT;",
    ),
    (
        "interrupt: a completion does not set its bit",
        "status[0] <= (status[0] & !clear[0]) | due;",
        "status[0] <= (status[0] & !clear[0]) | (due & !FAULT);",
    ),
    (
        "control: does not wait for the bursts",
        "if (idle) begin",
        "if (idle | FAULT) begin",
    ),
];

fn options(seed: u64, stall: StallProfile) -> BenchOptions {
    let config = config(64, 128);
    BenchOptions {
        registers: vec![
            (regs::TICK_CLOCKS, 16),
            (regs::Q_DEFER_TICKS, 20),
            (regs::IRQ_ENABLE, regs::IRQ_COMPLETION.mask()),
        ],
        host: HostOptions {
            // All are fetched at once, and there is room for a descriptor that is not the host's.
            pages: vec![(4096, 0); 28],
            completion_log2: 5,
            ..HostOptions::full(6, 4096, 0)
        },
        ..bench(&config, seed, stall, 1)
    }
}

/// A little of everything.
async fn everything(driver: Driver, bus: AxiMemory, mut rng: Rng) {
    let mut traffic = Traffic::new(&mut rng, 40, 9018);
    let irq = driver.sim().signal("irq").expect("a port");
    for i in 0..150 {
        let (bytes, bad) = traffic.next(&mut rng);
        driver.send(bytes, bad);
        driver.nearly_sent().await;
        if i == 75 {
            driver.command(Command::Poll).await;
            let short = Descriptor {
                addr: 0xDEAD_0000_0000,
                cookie: 1,
                length: 1023,
                headroom: 0,
            };
            driver.post_careless(Ring::Page, &short).await;
            let locked = driver.write(regs::TICK_CLOCKS, 5).await;
            assert!(matches!(locked, Written::Refused(_)));
        }
    }
    // More flows than the table holds, then some of them again.
    for (flow, seq) in (0..24)
        .map(|flow| (flow, 0))
        .chain((6..20).map(|flow| (flow, 1024)))
    {
        driver.send(segment(seq, 1024).flow(flow).build(), false);
        driver.nearly_sent().await;
        driver.sim().cycles(100).await;
    }
    driver.quiet(QUIET).await;
    driver.command(Command::FlushAll).await;
    driver.quiet(QUIET).await;
    assert!(irq.is_high(), "completions were written");
    driver.compare_counters().await;
    // A reset in the middle of a frame and of bursts.
    for frame in built((0..6).map(|i| segment(1448 * i, 1448))) {
        driver.send(frame, false);
    }
    driver.sent().await;
    driver.send(other(9000), false);
    driver.sim().cycles(300).await;
    driver.reset().await;
    assert!(bus.monitor().is_idle(), "bursts were left under way");
    driver.restart().await;
    for _ in 0..40 {
        let (bytes, bad) = traffic.next(&mut rng);
        driver.send(bytes, bad);
        driver.nearly_sent().await;
    }
    driver.finish(QUIET).await;
}

/// How runs with a fault end: none if nothing was noticed.
fn noticed(model: &Model, fault: usize) -> Option<String> {
    let runs = [
        (1, StallProfile::Light),
        (2, StallProfile::SlowMemory),
        (3, StallProfile::None),
        (4, StallProfile::SlowSink),
    ];
    runs.into_iter().find_map(|(seed, stall)| {
        let options = options(seed, stall);
        let sink = Box::new(|_: pagetrain_golden::deliver::Delivery<'_>, _: &_, _| {});
        let mut bench = Bench::new(&config(64, 128), model, options, sink).expect("a board");
        activate(&bench, fault);
        let bus = bench.bus().clone();
        let ran = bench.run(async |driver| everything(driver, bus, Rng::new(seed, "broken")).await);
        ran.err()
            .map(|error| format!("seed {seed}, stall {stall}: {error}"))
    })
}

#[test]
fn tests_fail_when_any_block_is_broken() {
    all_are_noticed(&FAULTS, noticed);
}
