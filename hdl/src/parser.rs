//! Programmable parser: runs the program over the first bytes of each frame.
//!
//! Contract: section 6 of the design contract, for every program: a hostile one can only get frames rejected. One result a frame, in
//! frame order. Everything but `reject` is 0 in the result of a rejected frame.
//!
//! | port | dir | type | meaning |
//! |---|---|---|---|
//! | `cfg_parser_enable` | in | 1 | there is a program; else every frame is rejected |
//! | `prog_we`, `prog_addr`, `prog_wdata` | in | | program write port: row * 16 + dword |
//! | `s_axis_t*` | in | stream | beats of frames; ready is low only where a frame would begin and all contexts are taken |
//! | `m_axis_res_t*` | out | PARSE | results |
//!
//! - Timing: the result of a frame of n steps follows the beat that closes its window by [`latency`]`(n)` clocks, if the parser is
//!   otherwise idle and the sink ready. Throughput: a beat a clock; a step a clock; a result a clock.
//! - Parameters: `data_width`, `parser_window`, `parser_states`, `parser_steps`.
//! - Corner cases: a frame shorter than the window is parsed when its last beat is there; a longer one when the window is full, so a
//!   result may leave before its frame has ended. `tkeep` may be 0 in a last beat. The program is written while the parser is off.
//! - Cost at W = 64, in the engine, ECP5's memory cells: 5170 LUT4, 3796 FF, 83 CCU2C, 125 DPR16X4, 23 DP16KD (Yosys 0.70; registers
//!   at ports count for the engine).
//!
//! ## Pipeline
//! - [`fill`]: each frame gets a *context*, one of 16 (32 at W = 512), and its first bytes go to the [`window`] memory.
//! - [`step`]: the ring: nine stages, a step a round, up to nine frames on their way at once. Around it: [`program`] memory, chunk from
//!   the [`window`], byte [`select`]ion, match of the [`arms`].
//! - [`marks`], [`extract`]: what the steps leave behind, in RAMs a context deep.
//! - [`result`]: last checks; results leave in order.
//!
//! Why a ring: the next row is known only when the key was compared, some nine clocks after its row was asked for. Frames in
//! between fill these clocks; a unit that waited would take nine clocks a step and miss line rate already at W = 64.

pub mod arms;
pub mod extract;
pub mod fill;
pub mod marks;
pub mod program;
pub mod result;
pub mod select;
pub mod shape;
pub mod shift;
pub mod step;
pub mod window;

use crate::build::{Instance, Module};
use crate::bundle;
use pagetrain_formats::program::fields::{ADV_SEL, ARMS, END_ADD, END_SEL, KEY_SEL, NEXT};
use pagetrain_formats::Config;
use shape::Shape;

/// Clocks from the transfer of the beat that closes a frame's window to its result, for a frame of `steps` steps
/// that is alone in the parser.
pub const fn latency(steps: usize) -> usize {
    fill::LATENCY + 2 + step::STAGES * steps + 1 + result::LATENCY
}

/// Bytes that a FIFO beside the parser must hold so that frames of `steps` steps flow without a stop.
pub fn delay_bytes(cfg: &Config, steps: usize) -> usize {
    cfg.parser_window + (latency(steps) + 8) * cfg.w_bytes()
}

/// Builds the block.
pub fn parser(cfg: &Config) -> Module {
    let s = Shape::new(cfg);
    let mut m = Module::new(
        "parser",
        "Runs the parser program over the first bytes of each frame.",
    );
    let enable = m.input("cfg_parser_enable", 1, "there is a program");
    let prog_we = m.input("prog_we", 1, "program: write a dword");
    let prog_addr = m.input("prog_addr", s.row_bits() + 4, "program: row * 16 + dword");
    let prog_wdata = m.input("prog_wdata", 32, "program: the dword");
    let tdata = m.input("s_axis_tdata", s.w, "frame, first byte in bits 7:0");
    let tkeep = m.input("s_axis_tkeep", s.wb, "bytes that are there");
    let tvalid = m.input("s_axis_tvalid", 1, "");
    let tready = m.output("s_axis_tready", 1, "");
    let tlast = m.input("s_axis_tlast", 1, "last beat of the frame");
    let res_data = m.output("m_axis_res_tdata", bundle::parse().width(), "PARSE");
    let res_valid = m.output("m_axis_res_tvalid", 1, "");
    let res_ready = m.input("m_axis_res_tready", 1, "");

    let fill = m.instance("u_fill", fill::parser_fill(&s));
    let window = m.instance("u_window", window::parser_window(&s));
    let program = m.instance("u_program", program::parser_program(&s));
    let step = m.instance("u_step", step::parser_step(&s));
    let select = m.instance("u_select", select::parser_select());
    let arms = m.instance("u_match", arms::parser_match(&s));
    let marks = m.instance("u_marks", marks::parser_marks(&s));
    let extract = m.instance("u_extract", extract::parser_extract(&s));
    let result = m.instance("u_result", result::parser_result(&s));

    let outside = [
        (&fill, "s_axis_tdata", &tdata),
        (&fill, "s_axis_tkeep", &tkeep),
        (&fill, "s_axis_tvalid", &tvalid),
        (&fill, "s_axis_tlast", &tlast),
        (&program, "prog_we", &prog_we),
        (&program, "prog_addr", &prog_addr),
        (&program, "prog_wdata", &prog_wdata),
        (&step, "cfg_parser_enable", &enable),
        (&result, "m_axis_res_tready", &res_ready),
    ];
    for (inst, port, sig) in outside {
        m.connect(inst, port, sig);
    }
    // Wires that carry the same name at both ends.
    let mut join = |from: &Instance, to: &Instance, ports: &[&str]| {
        for port in ports {
            m.connect(to, port, from.out(port));
        }
    };
    join(
        &fill,
        &window,
        &["wr_valid", "wr_ctx", "wr_beat", "wr_data"],
    );
    join(&fill, &step, &["start_valid", "start_ctx", "start_limit"]);
    join(&step, &window, &["rd_ctx", "rd_addr", "rd_limit"]);
    join(
        &step,
        &program,
        &["off_row", "row_1", "row_2", "row_3", "row_4"],
    );
    join(&program, &step, &["off", "dw0", "dw2", "dw3"]);
    join(&program, &marks, &["dw0"]);
    join(&program, &extract, &["dw4"]);
    join(&window, &select, &["chunk"]);
    join(&window, &extract, &["chunk"]);
    join(&select, &arms, &["key"]);
    join(&select, &step, &["adv_byte"]);
    join(&select, &marks, &["end_word"]);
    join(&step, &extract, &["f5_valid", "f5_first", "f5_ctx"]);
    join(
        &step,
        &marks,
        &["f5_cursor", "f6_ctx", "f6_first", "f8_cursor"],
    );
    join(
        &step,
        &marks,
        &["f9_valid", "f9_ctx", "f9_going", "f9_late", "f9_cursor"],
    );
    join(
        &marks,
        &result,
        &["st_valid", "st_ctx", "st_record", "st_done", "st_reject"],
    );
    let fields = extract::FIELDS.map(|f| f.0);
    join(&extract, &result, &fields);
    join(&result, &extract, &["rd_ctx"]);
    join(&result, &fill, &["release_ctx"]);

    let (dw1, dw2, dw3) = (program.out("dw1"), program.out("dw2"), program.out("dw3"));
    m.connect(&select, "key_sel", step::field(&dw1, KEY_SEL));
    m.connect(&select, "end_sel", step::field(&dw1, END_SEL));
    m.connect(&select, "adv_sel", step::field(&dw2, ADV_SEL));
    m.connect(&marks, "end_add", step::field(&dw1, END_ADD));
    m.connect(&arms, "else_next", step::field(&dw3, NEXT));
    m.connect(&arms, "arm_next", program.out("dw14"));
    m.connect(&arms, "arm_set", program.out("dw15"));
    for i in 0..ARMS {
        m.connect(
            &arms,
            &format!("value_{i}"),
            program.out(&format!("dw{}", 6 + 2 * i)),
        );
        m.connect(
            &arms,
            &format!("mask_{i}"),
            program.out(&format!("dw{}", 7 + 2 * i)),
        );
    }
    m.connect(&arms, "alive", step.out("f7_alive"));
    m.connect(&arms, "last_step", step.out("f7_last"));
    m.connect(&step, "s8_go", arms.out("go"));
    m.connect(&step, "s8_row", arms.out("row"));
    m.connect(&step, "s9_end_fail", marks.out("end_fail"));
    m.connect(&marks, "arm_set", arms.out("set"));
    m.connect(&marks, "s8_accept", arms.out("accept"));

    m.connect_out(&fill, "s_axis_tready", &tready);
    m.connect_out(&result, "m_axis_res_tdata", &res_data);
    m.connect_out(&result, "m_axis_res_tvalid", &res_valid);
    m
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::lint;

    #[test]
    fn parser_lints_clean_when_built_for_every_width_and_both_windows() {
        for (data_width, parser_window, parser_states) in [
            (64, 256, 32),
            (128, 128, 64),
            (256, 256, 16),
            (512, 128, 32),
        ] {
            let cfg = Config {
                data_width,
                dma_width: 512,
                parser_window,
                parser_states,
                ..Config::default()
            };
            lint(&parser(&cfg));
        }
    }
}
