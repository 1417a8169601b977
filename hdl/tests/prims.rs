//! Primitives: the text of each is frozen and lints clean; timing contracts that the structure shows.

mod common;

use pagetrain_hdl::build::Module;
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
