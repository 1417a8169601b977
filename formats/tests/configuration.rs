//! Every rule of the configuration, and the texts that break it.

use pagetrain_formats::presets::{Preset, PRESETS};
use pagetrain_formats::{BlockRam, Config};

fn message(text: &str) -> String {
    match Config::from_toml(text) {
        Ok(config) => panic!("accepted: {config:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn message_names_field_value_and_rule_when_a_rule_is_broken() {
    let cases = [
        (
            "data_width = 32",
            "data_width = 32: must be 64, 128, 256 or 512",
        ),
        (
            "data_width = 1024",
            "data_width = 1024: must be 64, 128, 256 or 512",
        ),
        (
            "dma_width = 32",
            "dma_width = 32: must be 64, 128, 256 or 512",
        ),
        (
            "data_width = 256",
            "dma_width = 128: must be at least data_width (256)",
        ),
        ("flows = 3", "flows = 3: must be 4 to 64"),
        ("flows = 65", "flows = 65: must be 4 to 64"),
        (
            "page_size = 8192",
            "page_size = 8192: must be 4096, 16384 or 65536",
        ),
        (
            "ingress_bytes = 4096",
            "ingress_bytes = 4096: must be 8192 to 262144",
        ),
        (
            "ingress_bytes = 524288",
            "ingress_bytes = 524288: must be 8192 to 262144",
        ),
        (
            "ingress_bytes = 12288",
            "ingress_bytes = 12288: must be a power of two",
        ),
        (
            "parser_states = 33",
            "parser_states = 33: must be 16, 32 or 64",
        ),
        ("parser_steps = 3", "parser_steps = 3: must be 4 to 32"),
        ("parser_steps = 33", "parser_steps = 33: must be 4 to 32"),
        (
            "parser_window = 64",
            "parser_window = 64: must be 128 or 256",
        ),
        (
            "flows = 8\nblock_ram = \"xilinx\"",
            "line 2: block_ram = xilinx: must be inferred or ecp5",
        ),
        ("train_entries = 16", "train_entries = 16: must be 32 or 64"),
        (
            "clock_khz = 999",
            "clock_khz = 999: must be 1000 to 1000000",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected);
    }
}

#[test]
fn limits_are_accepted() {
    for text in [
        "flows = 4\ningress_bytes = 8192\nparser_steps = 4\nparser_states = 16\nparser_window = 128\ntrain_entries = 32",
        "flows = 64\ningress_bytes = 262144\nparser_steps = 32\nparser_states = 64\npage_size = 65536",
        "data_width = 512\ndma_width = 512",
        "block_ram = \"inferred\"",
        "data_width = 64\ndma_width = 64",
        "",
    ] {
        Config::from_toml(text).unwrap();
    }
}

#[test]
fn message_names_the_line_when_the_text_is_not_a_configuration() {
    let unknown = message("flows = 8\nflow = 9\n");
    assert!(
        unknown.starts_with("line 2: unknown field `flow`"),
        "{unknown}"
    );
    let kind = message("\n\nflows = \"eight\"\n");
    assert!(kind.starts_with("line 3: "), "{kind}");
    assert!(!kind.contains('\n'));
    let negative = message("flows = -1");
    assert!(negative.starts_with("line 1: "), "{negative}");
    let syntax = message("flows 8");
    assert!(syntax.starts_with("line 1: "), "{syntax}");
}

#[test]
fn text_reads_back_as_the_same_configuration() {
    for preset in PRESETS {
        let config = preset.config();
        assert_eq!(Config::from_toml(&config.to_toml()), Ok(config));
    }
}

#[test]
fn presets_are_what_their_names_say() {
    let get = |name: &str| Preset::find(name).unwrap().config();
    assert_eq!(get("default"), Config::default());
    let size = |name: &str| {
        let c = get(name);
        (c.data_width, c.dma_width, c.flows)
    };
    for preset in PRESETS {
        let cells = preset.config().block_ram == BlockRam::Ecp5;
        assert_eq!(cells, preset.name.starts_with("ecp5"), "{}", preset.name);
    }
    assert_eq!(size("ecp5-10g"), (64, 128, 16));
    assert_eq!(size("ecp5-25g"), (128, 256, 16));
    assert_eq!(size("small"), (64, 64, 4));
    assert_eq!(size("w256"), (256, 256, 16));
    assert_eq!(size("w512"), (512, 512, 16));
    assert_eq!(
        [4, 32, 64],
        ["flows4", "flows32", "flows64"].map(|n| get(n).flows)
    );
    assert!(Preset::find("ecp5").is_none());
    for preset in PRESETS {
        assert!(preset.text.starts_with("# ") && !preset.summary().is_empty());
    }
}

#[test]
fn derived_numbers_follow_the_parameters() {
    let c = Config::from_toml("data_width = 128\ndma_width = 512\nflows = 5\npage_size = 65536")
        .unwrap();
    assert_eq!((c.w_bytes(), c.d_bytes()), (16, 64));
    assert_eq!((c.log2_w_bytes(), c.log2_d_bytes()), (4, 6));
    assert_eq!((c.log2_page_size(), c.log2_ingress_bytes()), (16, 15));
    let bits = |flows| Config { flows, ..c }.slot_bits();
    assert_eq!([4, 5, 8, 9, 16, 63, 64].map(bits), [2, 3, 3, 4, 4, 6, 6]);
}
