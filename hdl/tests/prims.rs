//! Primitives: the text of each is frozen and lints clean; timing contracts that the structure shows.

mod common;

use pagetrain_hdl::build::{lit, Module};
use pagetrain_hdl::prim::*;

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
