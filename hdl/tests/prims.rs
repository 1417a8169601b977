//! Primitives: the text of each is frozen and lints clean; timing contracts that the structure shows.

mod common;

use pagetrain_hdl::build::{lit, Module};
use pagetrain_hdl::prim::*;
use pagetrain_hdl::verilog::{emit, Header};

fn frozen(name: &str, m: &Module) {
    let files = common::lint(m);
    let text: Vec<String> = files
        .into_iter()
        .map(|f| format!("==> {} <==\n{}", f.name, f.text))
        .collect();
    insta::assert_snapshot!(name, text.join("\n"));
}

#[test]
fn skid_text_is_frozen_when_built() {
    frozen("skid_72", &skid(72));
    frozen("skid_of_lanes", &skid_of_lanes(72, 48));
}

#[test]
fn arbiter_text_is_frozen_when_built() {
    frozen("rr_arbiter_4", &rr_arbiter(4));
}

#[test]
fn memory_text_is_frozen_when_built() {
    frozen("lutram_16x8", &lutram(8, 4));
    frozen(
        "ram_512x64_lane8_reg",
        &Ram::new(64, 9).lanes(8).out_reg().build(),
    );
    frozen(
        "ram_512x64_lane8_reg_ecp5",
        &Ram::new(64, 9)
            .lanes(8)
            .out_reg()
            .build()
            .for_target("ecp5"),
    );
}

/// The fewest cells of 16 Ki bits, which are 1, 2, 4, 9, 18 or 36 bits wide: what Yosys takes for the inferred body.
#[test]
fn cells_are_as_few_as_can_be_when_the_memory_is_made_of_them() {
    let line = |ram: Ram| {
        let files = emit(&ram.build().for_target("ecp5"), &Header::default()).unwrap();
        let text = &files[0].text;
        let line = text.lines().find(|l| l.contains("x DP16KD")).unwrap();
        line.trim().trim_start_matches("// ").to_string()
    };
    for (ram, cells) in [
        (Ram::new(72, 9), "2 x DP16KD, 512 words of 36 bits each"),
        (Ram::new(73, 9), "3 x DP16KD, 512 words of 36 bits each"),
        (Ram::new(256, 10), "15 x DP16KD, 1024 words of 18 bits each"),
        (Ram::new(128, 11), "15 x DP16KD, 2048 words of 9 bits each"),
        (Ram::new(4, 12), "1 x DP16KD, 4096 words of 4 bits each"),
        (Ram::new(2, 13), "1 x DP16KD, 8192 words of 2 bits each"),
        (Ram::new(1, 14), "1 x DP16KD, 16384 words of 1 bits each"),
        (
            Ram::new(64, 15),
            "2 rows of 64 x DP16KD, 16384 words of 1 bits each",
        ),
        (
            Ram::new(64, 9).lanes(8),
            "2 x DP16KD, 512 words of 36 bits each",
        ),
        (
            Ram::new(60, 9).lanes(10),
            "3 x DP16KD, 512 words of 36 bits each",
        ),
    ] {
        assert_eq!(line(ram), cells);
    }
}

#[test]
fn fifo_text_is_frozen_when_built() {
    frozen(
        "fifo_lut",
        &Fifo::new(8, 16).count().almost_full(12).build(),
    );
    frozen("fifo_bram", &Fifo::new(72, 512).build());
}

#[test]
fn every_primitive_lints_clean_when_parameters_vary() {
    for w in [1, 2, 64] {
        common::lint(&skid(w));
        common::lint(&lutram(w, 1));
        for ram in [
            Ram::new(w, 1),
            Ram::new(w, 9).out_reg(),
            Ram::new(w, 4).lanes(1),
        ] {
            common::lint(&ram.build());
            common::lint(&ram.build().for_target("ecp5"));
        }
        for depth in [2, 8, 64] {
            for storage in [Storage::Distributed, Storage::Block] {
                let fifo = Fifo::new(w, depth).storage(storage);
                common::lint(&fifo.build());
                common::lint(&fifo.count().almost_full(1).build());
                common::lint(&fifo.almost_full(depth).build());
            }
        }
    }
    (2..=8).for_each(|n| drop(common::lint(&rr_arbiter(n))));
}

#[test]
fn no_combinational_path_exists_when_a_stream_primitive_is_built() {
    for m in [
        skid(8),
        Fifo::new(8, 16).build(),
        Fifo::new(8, 512).build(),
        rr_arbiter(3),
    ] {
        assert_eq!(m.comb_paths(), [], "{}", m.name());
    }
}

#[test]
fn distributed_memory_shows_its_path_when_asked() {
    assert_eq!(
        lutram(8, 4).comb_paths(),
        [("rd_addr".to_string(), "rd_data".to_string())]
    );
}

#[test]
fn onehot_helpers_agree_with_integers_when_all_inputs_are_tried() {
    let mut m = Module::new("onehot_helpers", "Every helper over five bits.");
    let x = m.input("x", 5, "pattern");
    let lowest = m.output("lowest", 5, "lowest one");
    let above = m.output("above", 5, "ones above the lowest");
    let index = m.output("index", 3, "number of the lowest one");
    let back = m.output("back", 5, "the number decoded");
    m.assign(&lowest, lowest_one(&x));
    m.assign(&above, above_lowest(&x));
    m.assign(&index, encode(&lowest));
    m.assign(&back, decode(&(&index + lit(3, 1)), 5));
    let vectors: Vec<_> = (0..32u128)
        .map(|x| {
            let lowest = x & x.wrapping_neg();
            let above = if x == 0 { 0 } else { 31 & !(2 * lowest - 1) };
            let index = if x == 0 {
                0
            } else {
                u128::from(x.trailing_zeros())
            };
            let back = 31 & (1 << (index + 1));
            let outputs = vec![
                ("lowest", 5, lowest),
                ("above", 5, above),
                ("index", 3, index),
                ("back", 5, back),
            ];
            (vec![("x", 5, x)], outputs)
        })
        .collect();
    common::equivalence::evaluates_to(&common::lint(&m), &vectors);
}
