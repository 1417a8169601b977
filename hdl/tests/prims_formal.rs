//! The stream register, the counter with a flag, the FIFO and the arbiter, proven by induction with the SAT solver inside Yosys.
//!
//! The emitted text is proven, not a model of it: the properties in `fixtures/` are put in before `endmodule`.

mod common;

use common::proof::{induction, inject, replace};
use pagetrain_hdl::build::Module;
use pagetrain_hdl::prim::*;
use pagetrain_hdl::verilog::{emit, Header, VerilogFile};

/// A free choice in every clock.
const PICK: &str = "module input_pick (output pick); assign pick = $anyseq; endmodule\n";

/// Runs the proof; the Yosys log.
fn sat(files: &[VerilogFile], defines: &str) -> Result<(), String> {
    let pick = VerilogFile {
        name: "input_pick.v".into(),
        text: PICK.into(),
    };
    let files: Vec<_> = [pick].into_iter().chain(files.iter().cloned()).collect();
    induction(&files, defines, "setundef -anyseq", 8)
}

fn emitted(m: &Module) -> Vec<VerilogFile> {
    emit(m, &Header::default()).unwrap()
}

/// `more`: properties beside those of every stream register.
fn skid_proof(m: &Module, more: &str, break_it: impl Fn(&mut VerilogFile)) -> Result<(), String> {
    let mut files = emitted(m);
    break_it(&mut files[0]);
    let properties = format!("{}{more}", include_str!("fixtures/skid_properties.v"));
    inject(&mut files[0], &properties);
    sat(&files, "-DP_WIDTH=3")
}

/// Lanes of two bits and one: their handshakes are those of the whole.
fn skid_of_lanes_proof(break_it: impl Fn(&mut VerilogFile)) -> Result<(), String> {
    let alike = "always @(posedge clk) if (past) begin
        assert ({s_ready_1, s_ready_0} == {2{s_axis_tready}});
        assert ({valid_1, valid_0} == {2{m_axis_tvalid}});
    end\n";
    skid_proof(&skid_of_lanes(3, 2), alike, break_it)
}

#[test]
fn skid_keeps_order_and_contract_when_stalled_in_any_way() {
    skid_proof(&skid(3), "", |_| ()).unwrap();
    skid_of_lanes_proof(|_| ()).unwrap();
}

#[test]
fn skid_proof_fails_when_a_lane_differs() {
    let e = skid_of_lanes_proof(|f| {
        replace(
            f,
            "s_ready_1 <= free_1 | (s_ready_1 & !s_axis_tvalid);",
            "s_ready_1 <= free_1;",
        );
    });
    let text = e.unwrap_err();
    assert!(text.contains("FAIL"), "{text}");
}

#[test]
fn skid_proof_fails_when_ready_ignores_the_spare() {
    let e = skid_proof(&skid(3), "", |f| {
        replace(
            f,
            "s_axis_tready <= free | (s_axis_tready & !s_axis_tvalid);",
            "s_axis_tready <= 1'b1;",
        );
    });
    let text = e.unwrap_err();
    assert!(text.contains("model found for base case: FAIL"), "{text}");
}

/// The flag of `count_some` says that the count is not zero, whatever comes and goes, as long as neither end is crossed.
fn count_proof(break_it: impl Fn(&mut VerilogFile)) -> Result<(), String> {
    let mut m = Module::new("counter", "A counter with a flag.");
    let up = m.input("up", 1, "one comes");
    let down = m.input("down", 1, "one goes");
    let count = m.output_reg_rst("count", 3, 0, "how many there are");
    let some = m.output_reg_rst("some", 1, 0, "there is one");
    m.seq("Count", |b| count_some(b, &count, &some, &up, &down));
    let mut files = emitted(&m);
    break_it(&mut files[0]);
    inject(&mut files[0], include_str!("fixtures/count_properties.v"));
    sat(&files, "")
}

#[test]
fn count_and_flag_agree_when_both_come_and_go() {
    count_proof(|_| ()).unwrap();
}

#[test]
fn count_proof_fails_when_the_flag_forgets_what_stays() {
    let e = count_proof(|f| replace(f, "(count[0] & !down)", "1'b0")).unwrap_err();
    assert!(e.contains("FAIL"), "{e}");
}

/// The module that an instance is of.
fn instance_of(file: &VerilogFile, instance: &str) -> String {
    let line = file
        .text
        .lines()
        .find(|l| l.ends_with(&format!(" {instance} (")));
    line.unwrap().trim().split(' ').next().unwrap().to_string()
}

/// Gives an instance of the last file's module ports that are connected to wires of their names.
fn probe(files: &mut [VerilogFile], instance: &str, ports: &[(String, &str, &str)]) {
    let top = files.last_mut().unwrap();
    let module = instance_of(top, instance);
    let wires: String = ports
        .iter()
        .map(|(ty, name, _)| {
            format!(
                "{} {name};\n",
                ty.replace("input ", "").replace("output ", "")
            )
        })
        .collect();
    let connected: String = ports
        .iter()
        .map(|(_, name, _)| format!(".{name}({name}), "))
        .collect();
    top.text = top.text.replacen(");\n\n", &format!(");\n{wires}\n"), 1);
    let head = format!("{module} {instance} (\n");
    replace(top, &head, &format!("{head}{connected}\n"));
    let name = format!("{module}.v");
    let child = files.iter_mut().find(|f| f.name == name).unwrap();
    let declared: String = ports
        .iter()
        .map(|(ty, name, _)| format!("{ty}{name}, "))
        .collect();
    let head = format!("module {module} (\n");
    replace(child, &head, &format!("{head}{declared}\n"));
    for (_, name, value) in ports.iter().filter(|p| !p.2.is_empty()) {
        inject(child, &format!("assign {name} = {value};\n"));
    }
}

fn fifo_proof(
    depth: usize,
    storage: Storage,
    guarded: bool,
    break_it: impl Fn(&mut [VerilogFile]),
) -> Result<(), String> {
    let threshold = depth - 1;
    let fifo = Fifo::new(2, depth)
        .storage(storage)
        .count()
        .almost_full(threshold);
    let fifo = if guarded { fifo } else { fifo.unguarded() };
    let mut files = emitted(&fifo.build());
    break_it(&mut files);
    let block = storage == Storage::Block;
    let aw = depth.trailing_zeros();
    let address = match aw {
        1 => String::new(),
        _ => format!("[{}:0] ", aw - 1),
    };
    // The memory shows the word at an address of the proof's choice, and what stands behind it shows its spare word.
    let fetched = if block { "rd_word" } else { "0" };
    probe(
        &mut files,
        "u_ram",
        &[
            (format!("input wire {address}"), "probe_addr", ""),
            ("output wire [1:0] ".into(), "probe_word", "mem[probe_addr]"),
            ("output wire [1:0] ".into(), "probe_fetched", fetched),
        ],
    );
    if !block {
        let spare = ("output wire [1:0] ".into(), "probe_spare", "spare");
        probe(&mut files, "u_out", &[spare]);
    }
    inject(
        files.last_mut().unwrap(),
        include_str!("fixtures/fifo_properties.v"),
    );
    let block = if block { "-DP_BLOCK" } else { "" };
    let guard = if guarded { "" } else { "-DP_UNGUARDED" };
    let defines = format!(
        "-DP_WIDTH=2 -DP_AW={aw} -DP_DEPTH={depth} -DP_THRESHOLD={threshold} {block} {guard}"
    );
    sat(&files, &defines)
}

#[test]
fn fifo_keeps_order_count_and_contract_when_storage_is_distributed() {
    [(2, true), (4, true), (4, false)]
        .iter()
        .for_each(|(d, guarded)| fifo_proof(*d, Storage::Distributed, *guarded, |_| ()).unwrap());
}

#[test]
fn fifo_keeps_order_count_and_contract_when_storage_is_block() {
    [(2, true), (4, true), (4, false)]
        .iter()
        .for_each(|(d, guarded)| fifo_proof(*d, Storage::Block, *guarded, |_| ()).unwrap());
}

#[test]
fn fifo_proof_fails_when_the_flag_forgets_a_word() {
    let e = fifo_proof(4, Storage::Block, true, |files| {
        replace(
            files.last_mut().unwrap(),
            "rd_next == wr_addr",
            "rd_addr == wr_addr",
        );
    });
    let text = e.unwrap_err();
    assert!(text.contains("model found for base case: FAIL"), "{text}");
}

fn arbiter_proof(n: usize, me: usize, break_it: impl Fn(&mut VerilogFile)) -> Result<(), String> {
    let mut files = emitted(&rr_arbiter(n));
    break_it(&mut files[0]);
    inject(&mut files[0], include_str!("fixtures/arbiter_properties.v"));
    sat(&files, &format!("-DP_N={n} -DP_ME={me}"))
}

#[test]
fn arbiter_is_fair_and_exclusive_when_requests_are_arbitrary() {
    for n in [2, 3, 5, 8] {
        for me in [0, n - 1] {
            arbiter_proof(n, me, |_| ()).unwrap();
        }
    }
}

#[test]
fn arbiter_proof_fails_when_the_lowest_always_wins() {
    let e = arbiter_proof(3, 2, |f| {
        replace(f, "wire wrap = !(|ahead);", "wire wrap = 1'b1;")
    });
    let text = e.unwrap_err();
    assert!(text.contains("model found for base case: FAIL"), "{text}");
}
