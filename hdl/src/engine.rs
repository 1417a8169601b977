//! The engine: all blocks, and the wires between them (`docs/src/interfaces.md`).
//!
//! | port | meaning |
//! |---|---|
//! | `clk`, `rst` | one clock; synchronous reset, active high |
//! | `s_axis_rx_*` | AXI-Stream from the MAC: frames without preamble and FCS; `tuser` at the last beat: bad frame |
//! | `m_axi_*` | AXI4 master to host memory |
//! | `s_axil_ctrl_*` | AXI4-Lite: registers |
//! | `irq` | interrupt, a level |
//! | `stat_evt_*` | trace: one record for each event, in the order in which it took effect |
//!
//! - Reset: `rst` resets everything. CTRL.reset resets all but `rx`, `regs`, `control`, `counters` and `interrupt`, once
//!   the bus masters are idle.

mod wiring;

use crate::axi;
use crate::build::{and_all, cat, cat_lsb_first, lit, mux, or_all, Expr, Instance, Module, Sig};
use crate::bundle;
use crate::counters::Event;
use crate::desc_prefetch::{desc_prefetch, Kind};
use crate::prim::{skid, Fifo};
use crate::{
    checksum, completion, control, counters, dma_write, flow_table, frame_store, interrupt, parser,
    prescaler, read_mux, regs, rx, train, write_mux,
};
use pagetrain_formats::layout::Field;
use pagetrain_formats::regs::*;
use pagetrain_formats::{Config, Counter, Reason};
use wiring::Wiring;

/// What a beat carries from `rx` to `checksum`.
const BEAT: [&str; 5] = ["tdata", "tkeep", "tlast", "tuser", "tseq"];

/// The blocks that others speak to.
struct Blocks {
    rx: Instance,
    store: Instance,
    train: Instance,
    small: Instance,
    page: Instance,
    dma: Instance,
    completion: Instance,
    read_mux: Instance,
    write_mux: Instance,
    control: Instance,
    regs: Instance,
}

/// Builds the engine.
pub fn engine(cfg: &Config) -> Module {
    let mut m = Module::new(
        "pagetrain",
        "Receive-offload engine: frames in, pages and completions in host memory out.",
    );
    let rst = m.rst();
    let core_rst = m.reg("core_rst", 1);
    let mut w = Wiring::new(&mut m, &core_rst);
    let control = w.hard("u_control", control::control());
    let soft_rst = control.out("soft_rst");
    w.m.seq("the core's reset: hard or soft", |b| {
        b.set(&core_rst, &rst | &soft_rst);
    });
    let b = Blocks {
        regs: w.hard("u_regs", regs::regs(cfg)),
        rx: w.hard("u_rx", rx::rx(cfg)),
        store: w.core("u_frame_store", frame_store::frame_store(cfg)),
        train: w.core("u_train", train::train(cfg)),
        small: w.core("u_small_prefetch", desc_prefetch(cfg, Kind::Small)),
        page: w.core("u_page_prefetch", desc_prefetch(cfg, Kind::Page)),
        dma: w.core("u_dma_write", dma_write::dma_write(cfg)),
        completion: w.core("u_completion", completion::completion(cfg)),
        read_mux: w.bus("u_read_mux", read_mux::read_mux(cfg), &rst, &soft_rst),
        write_mux: w.bus("u_write_mux", write_mux::write_mux(cfg), &rst, &soft_rst),
        control,
    };
    let rx_rst = w.reset_for("rx");
    w.wire(&b.rx, "core_rst", &rx_rst);
    receive(&mut w, cfg, &b);
    decide(&mut w, cfg, &b);
    write(&mut w, cfg, &b);
    prefetch(&mut w, &b);
    host(&mut w, &b);
    m.for_target(cfg.block_ram.name())
}

/// From the MAC to the frame store.
fn receive(w: &mut Wiring, cfg: &Config, b: &Blocks) {
    let (width, bytes) = (cfg.data_width, cfg.w_bytes());
    let keep = "bytes that are there; all ones but in the last beat";
    w.input(
        &b.rx,
        "s_axis_rx_tdata",
        width,
        "frame, first byte in bits 7:0",
    );
    w.input(&b.rx, "s_axis_rx_tkeep", bytes, keep);
    w.input(&b.rx, "s_axis_rx_tvalid", 1, "");
    w.input(&b.rx, "s_axis_rx_tlast", 1, "last beat of the frame");
    w.input(&b.rx, "s_axis_rx_tuser", 1, "last beat: bad frame");
    w.output(&b.rx, "s_axis_rx_tready", "");
    w.wire(&b.rx, "enable", b.regs.out("run"));

    let parser = w.core("u_parser", parser::parser(cfg));
    // The frames that wait for the parser's result.
    let beats = parser::delay_bytes(cfg, cfg.parser_steps).next_power_of_two() / bytes;
    let word = width + bytes + 18;
    let delay = w.core("u_delay", Fifo::new(word, beats).build());
    let sum = w.core("u_checksum", checksum::checksum(cfg));

    // Both take a beat, or none does.
    let valid = b.rx.out("m_axis_tvalid");
    let (to_parser, to_delay) = (parser.out("s_axis_tready"), delay.out("s_axis_tready"));
    w.wire(&b.rx, "m_axis_tready", &to_parser & &to_delay);
    w.wire(&parser, "s_axis_tvalid", &valid & &to_delay);
    w.wire(&delay, "s_axis_tvalid", &valid & &to_parser);
    for field in ["tdata", "tkeep", "tlast"] {
        w.wire(
            &parser,
            &format!("s_axis_{field}"),
            b.rx.out(&format!("m_axis_{field}")),
        );
    }
    let beat = BEAT.map(|f| b.rx.out(&format!("m_axis_{f}")));
    w.wire(&delay, "s_axis_tdata", cat_lsb_first(&beat));
    // The memory's cells are far apart; a frame's last beat takes the parser's result in one clock.
    let near = w.core("u_delayed", skid(word));
    w.stream((&delay, "m_axis"), (&near, "s_axis"), &["tdata"]);
    let out = near.out("m_axis_tdata");
    let mut lsb = 0;
    for (field, sig) in BEAT.iter().zip(&beat) {
        w.wire(&sum, &format!("s_axis_{field}"), out.bits(lsb, sig.width()));
        lsb += sig.width();
    }
    w.wire(&sum, "s_axis_tvalid", near.out("m_axis_tvalid"));
    w.wire(&near, "m_axis_tready", sum.out("s_axis_tready"));

    w.wire(&parser, "cfg_parser_enable", b.regs.out("parser_enable"));
    let addr = b.regs.out("prog_addr");
    let addr_w = 4 + cfg.parser_states.trailing_zeros() as usize;
    w.wire(&parser, "prog_addr", addr.bits(0, addr_w));
    if addr_w < addr.width() {
        w.m.unused(addr.from_bit(addr_w), "rows that this parser does not have");
    }
    let same = |name| (name, name);
    w.wires(&parser, &b.regs, &["prog_we", "prog_wdata"].map(same));

    w.stream((&parser, "m_axis_res"), (&sum, "s_axis_res"), &["tdata"]);
    let payload = ["tdata", "tkeep", "tlast", "tmeta"];
    w.stream((&sum, "m_axis"), (&b.store, "s_axis"), &payload);
    let max_frame = b.regs.out("cfg_max_frame");
    w.wire(&b.store, "cfg_max_frame", max_frame.bits(0, 14));
    w.m.unused(max_frame.from_bit(14), "no legal value has them");
    w.wire(
        &b.store,
        "cfg_backpressure",
        field(b, &RX_CTRL_BACKPRESSURE, "cfg_rx_ctrl"),
    );
}

/// A field of a register.
fn field(b: &Blocks, field: &Field, register: &str) -> Expr {
    b.regs.out(register).bits(field.lsb, field.width)
}

/// Flow table and train.
fn decide(w: &mut Wiring, cfg: &Config, b: &Blocks) {
    let table = w.core("u_flow_table", flow_table::flow_table(cfg));
    let t = &b.train;
    let same = |name| (name, name);
    let updates = [
        "key",
        "upd_touch",
        "upd_insert",
        "upd_remove",
        "upd_slot",
        "upd_key",
        "upd_clear",
    ];
    w.wires(&table, t, &updates.map(same));
    w.wires(
        t,
        &table,
        &["hit", "hit_slot", "free", "new_slot"].map(same),
    );
    w.stream((&b.store, "m_axis_frame"), (t, "s_axis_frame"), &["tdata"]);
    w.wire(t, "halted", b.control.out("halted"));

    for (port, register, reg_field) in [
        ("cfg_merge", "cfg_q_merge", &Q_MERGE_MODE),
        ("cfg_defer_ticks", "cfg_q_defer_ticks", &Q_DEFER_TICKS_VALUE),
        ("cfg_max_aggr", "cfg_q_max_aggr", &Q_MAX_AGGR_PACKETS),
        ("cfg_max_bytes", "cfg_q_max_bytes", &Q_MAX_BYTES_VALUE),
        ("cfg_admit_min", "cfg_q_admit_min", &Q_ADMIT_MIN_BYTES),
        ("cfg_fresh_page", "cfg_q_page_ctrl", &Q_PAGE_CTRL_FRESH_PAGE),
        ("cfg_page_split", "cfg_q_page_ctrl", &Q_PAGE_CTRL_PAGE_SPLIT),
        ("cfg_train_pages", "cfg_q_train_pages", &Q_TRAIN_PAGES_VALUE),
        ("cfg_strip_vlan", "cfg_rx_ctrl", &RX_CTRL_STRIP_VLAN),
        ("cfg_backpressure", "cfg_rx_ctrl", &RX_CTRL_BACKPRESSURE),
    ] {
        w.wire(t, port, field(b, reg_field, register));
    }
    let tick = w.core("u_prescaler", prescaler::prescaler());
    w.wire(&tick, "clocks", b.regs.out("cfg_tick_clocks"));
    w.wire(t, "tick", tick.out("tick"));

    w.wires(t, &b.regs, &["cmd_valid", "cmd_op"].map(same));
    w.wire(&b.regs, "cmd_done", t.out("cmd_done"));
    let key = bundle::key();
    let dword = |i: usize| b.regs.out(&format!("cfg_q_key{i}")).expr();
    let address = |first: usize| {
        cat(&[
            dword(first + 3),
            dword(first + 2),
            dword(first + 1),
            dword(first),
        ])
    };
    let flush_key = key.pack(&[
        ("v6", field(b, &Q_KEY10_V6, "cfg_q_key10")),
        ("has_vlan0", field(b, &Q_KEY10_VLAN0, "cfg_q_key10")),
        ("has_vlan1", field(b, &Q_KEY10_VLAN1, "cfg_q_key10")),
        ("vlan0", field(b, &Q_KEY9_VLAN0, "cfg_q_key9")),
        ("vlan1", field(b, &Q_KEY9_VLAN1, "cfg_q_key9")),
        ("src", address(0)),
        ("dst", address(4)),
        ("sport", field(b, &Q_KEY8_SPORT, "cfg_q_key8")),
        ("dport", field(b, &Q_KEY8_DPORT, "cfg_q_key8")),
    ]);
    w.wire(t, "flush_key", flush_key);
    w.output(t, "stat_evt_valid", "trace: an event took effect");
    w.output(t, "stat_evt_code", "trace: which");
    w.output(
        t,
        "stat_evt_arg",
        "trace: rx_seq of a frame, slot of a timer",
    );
}

/// From train to host memory.
fn write(w: &mut Wiring, cfg: &Config, b: &Blocks) {
    let same = |name| (name, name);
    w.stream((&b.train, "m_axis_cmd"), (&b.dma, "s_axis_cmd"), &["tdata"]);
    w.stream(
        (&b.train, "m_axis_emit"),
        (&b.completion, "s_axis_emit"),
        &["tdata"],
    );
    w.wires(
        &b.completion,
        &b.train,
        &["rec_we", "rec_addr", "rec_data"].map(same),
    );
    w.wires(
        &b.train,
        &b.completion,
        &["rec_free", "rec_free_slot"].map(same),
    );
    w.wires(&b.dma, &b.store, &[same("rd_data")]);
    w.wires(
        &b.store,
        &b.dma,
        &["rd_addr", "free_valid", "free_words"].map(same),
    );
    w.wire(&b.completion, "done_seq", b.dma.out("done_seq"));
    for (i, master) in [&b.dma, &b.completion].into_iter().enumerate() {
        let (aw, wd) = (format!("s{i}_aw"), format!("s{i}_w"));
        w.stream((master, "m_aw"), (&b.write_mux, &aw), &["tdata"]);
        w.stream((master, "m_w"), (&b.write_mux, &wd), &["tdata"]);
        for signal in ["b_valid", "b_err"] {
            w.wire(master, signal, b.write_mux.out(&format!("s{i}_{signal}")));
        }
    }
    let mux = &b.write_mux;
    for (port, doc) in axi::WRITE_OUTPUTS {
        w.output(mux, port, doc);
    }
    for (port, width, doc) in axi::write_inputs() {
        w.input(mux, port, width, doc);
    }
    for (port, doc) in axi::READ_OUTPUTS {
        w.output(&b.read_mux, port, doc);
    }
    for (port, width, doc) in axi::read_inputs(cfg) {
        w.input(&b.read_mux, port, width, doc);
    }
}

/// Descriptors from host memory.
fn prefetch(w: &mut Wiring, b: &Blocks) {
    let t = &b.train;
    let same = |name| (name, name);
    for (i, (block, ring, tail)) in [(&b.small, "sb", "tail_sb"), (&b.page, "pg", "tail_pg")]
        .into_iter()
        .enumerate()
    {
        w.stream(
            (block, "m_ar"),
            (&b.read_mux, &format!("s{i}_ar")),
            &["tdata"],
        );
        for (input, output) in [
            ("s_r_tvalid", "r_tvalid"),
            ("s_r_tdata", "r_tdata"),
            ("s_r_err", "r_err"),
        ] {
            w.wire(block, input, b.read_mux.out(&format!("s{i}_{output}")));
        }
        let (low, high) = (format!("cfg_{ring}_base_lo"), format!("cfg_{ring}_base_hi"));
        w.wire(
            block,
            "cfg_base",
            cat(&[b.regs.out(&high), b.regs.out(&low)]),
        );
        w.wire(block, "cfg_log2", b.regs.out(&format!("cfg_{ring}_log2")));
        w.wire(block, "tail", b.regs.out(tail));
        w.wire(block, "enable", b.regs.out("fetch"));
        w.wire(t, &format!("{ring}_drained"), block.out("drained"));
        w.wire(&b.regs, &format!("in_{ring}_head"), block.out("head"));
    }
    w.wires(
        t,
        &b.small,
        &["sb0_valid", "sb0", "sb1_valid", "sb1", "sb_count"].map(same),
    );
    let top_up = field(b, &Q_PAGE_CTRL_PAGE_SPLIT, "cfg_q_page_ctrl");
    w.wire(&b.small, "cfg_top_up", top_up);
    w.wires(&b.small, t, &[same("sb_pop")]);
    w.wires(t, &b.page, &["pg_valid", "pg", "pg_room"].map(same));
    w.wires(&b.page, t, &[same("pg_pop")]);
    w.stream((&b.small, "bad"), (t, "s_axis_bad_small"), &["tdata"]);
    w.stream((&b.page, "bad"), (t, "s_axis_bad_page"), &["tdata"]);
}

/// Registers, counters, interrupt, halt and reset.
fn host(w: &mut Wiring, b: &Blocks) {
    let (regs, control) = (&b.regs, &b.control);
    for (port, width, doc) in axi::LITE_INPUTS {
        w.input(regs, port, *width, doc);
    }
    for (port, doc) in axi::LITE_OUTPUTS {
        w.output(regs, port, doc);
    }
    let base = cat(&[regs.out("cfg_cq_base_hi"), regs.out("cfg_cq_base_lo")]);
    w.wire(&b.completion, "cfg_base", base);
    w.wire(&b.completion, "cfg_log2", regs.out("cfg_cq_log2"));
    w.wire(&b.completion, "cq_head", regs.out("head_cq"));
    w.wire(regs, "in_cq_tail", b.completion.out("cq_tail"));
    w.wire(regs, "cq_planned", b.completion.out("cq_planned"));
    w.wire(regs, "stop_written", b.completion.out("stop_written"));

    // Halt and reset.
    let masters = [&b.dma, &b.completion, &b.small, &b.page];
    for master in masters {
        w.wire(master, "quiesce", control.out("quiesce"));
    }
    w.wire(control, "idle", and_all(&masters.map(|i| i.out("idle"))));
    let beat_err = |i: usize| {
        b.read_mux.out(&format!("s{i}_r_tvalid")) & b.read_mux.out(&format!("s{i}_r_err"))
    };
    let b_err = |i: usize| {
        b.write_mux.out(&format!("s{i}_b_valid")) & b.write_mux.out(&format!("s{i}_b_err"))
    };
    let errors = [beat_err(0), beat_err(1), b_err(0), b_err(1)];
    let bus_err = w.m.reg_rst("bus_err", 1, 0);
    let bus_errors = w.m.reg_rst("bus_errors", 3, 0);
    w.m.seq("responses that were not OKAY", |s| {
        s.set(&bus_err, or_all(&errors));
        let sum = errors.iter().map(|e| e.zext(3)).reduce(|a, e| a + e);
        s.set(&bus_errors, sum.unwrap_or_else(|| lit(3, 0)));
    });
    w.wire(control, "bus_err", &bus_err);
    w.wire(control, "reset_req", regs.out("reset_req"));
    for port in ["halted", "resetting", "reset_done"] {
        w.wire(regs, port, control.out(port));
    }

    counters(w, b, &bus_errors);

    let irq = w.hard("u_interrupt", interrupt::interrupt());
    let refused = regs.out("stat_bad_write") | regs.out("stat_bad_doorbell");
    let entries = w.m.reg_rst("entries_written", 1, 0);
    w.m.seq("any entry was acknowledged", |s| {
        s.set(&entries, b.completion.out("stat_entries").any());
    });
    let cause = [
        refused,
        b.train.out("stat_drop_no_buffer").expr(),
        regs.out("stat_stopped").expr(),
        control.out("stat_halt").expr(),
        entries.expr(),
    ];
    w.wire(&irq, "cause", cat(&cause));
    w.wire(&irq, "clear", regs.out("irq_clear"));
    w.wire(&irq, "enable", regs.out("cfg_irq_enable"));
    w.wire(&irq, "holdoff", regs.out("cfg_irq_holdoff"));
    w.wire(regs, "in_irq_status", irq.out("status"));
    w.output(&irq, "irq", "interrupt, a level");
}

/// What each counter gains.
fn counters(w: &mut Wiring, b: &Blocks, bus_errors: &Sig) {
    let store = |port: &str| b.store.out(port).expr();
    let train = |counter: Counter| b.train.out(&format!("stat_{}", counter.name())).expr();
    let stored = b.store.out("stat_rx_frame");
    let disabled = b.rx.out("stat_drop_disabled").zext(2) + train(Counter::DropDisabled).zext(2);
    let gain = |counter: Counter| match counter {
        Counter::RxFrames => stored.expr(),
        Counter::RxBytes => mux(&stored, store("stat_rx_len"), 0),
        Counter::DropBad | Counter::DropOversize | Counter::DropOverflow => {
            store(&format!("stat_{}", counter.name()))
        }
        Counter::DropDisabled => disabled.clone(),
        Counter::BadDoorbells => b.regs.out("stat_bad_doorbell").expr(),
        Counter::BadWrites => b.regs.out("stat_bad_write").expr(),
        Counter::BusErrors => bus_errors.expr(),
        Counter::Completions => b.completion.out("stat_entries").expr(),
        in_train => train(in_train),
    };
    let gains: Vec<(Counter, Expr)> = Counter::ALL.iter().map(|&c| (c, gain(c))).collect();
    let events: Vec<Event> = gains
        .iter()
        .map(|(c, gain)| Event {
            index: c.code() as usize,
            width: gain.width(),
        })
        .collect();
    let block = w.hard("u_counters", counters::counters(&events, Reason::ALL.len()));
    for ((_, gain), event) in gains.into_iter().zip(&events) {
        w.wire(&block, &format!("add_{}", event.index), gain);
    }
    for (port, stat) in [
        ("reason_valid", "stat_reason_valid"),
        ("reason", "stat_reason"),
        ("reason_packets", "stat_reason_packets"),
    ] {
        w.wire(&block, port, b.train.out(stat));
    }
    w.wire(&block, "rd_valid", b.regs.out("counter_valid"));
    w.wire(&block, "rd_index", b.regs.out("counter_index"));
    w.wire(&b.regs, "counter_done", block.out("rd_done"));
    w.wire(&b.regs, "counter_data", block.out("rd_data"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_clean_when_linted() {
        for (data_width, dma_width) in [(64, 64), (64, 128), (128, 256), (256, 256), (512, 512)] {
            let cfg = Config {
                data_width,
                dma_width,
                ..Config::default()
            };
            crate::testkit::lint(&engine(&cfg));
        }
    }
}
