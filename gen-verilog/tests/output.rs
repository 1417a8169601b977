//! The generated folder as a whole.

use pagetrain_formats::presets::PRESETS;
use pagetrain_formats::{BlockRam, Config};
use pagetrain_gen::{generate, write, File};

fn text<'a>(files: &'a [File], name: &str) -> &'a str {
    let file = files.iter().find(|file| file.name == name);
    &file.unwrap_or_else(|| panic!("{name} is missing")).text
}

#[test]
fn same_input_gives_the_same_bytes() {
    for preset in PRESETS {
        let config = preset.config();
        assert_eq!(
            generate(&config, preset.name).unwrap(),
            generate(&config, preset.name).unwrap()
        );
    }
}

#[test]
fn file_list_and_core_name_every_verilog_file_and_no_other() {
    let files = generate(&Config::default(), "default").unwrap();
    let verilog: Vec<&str> = files
        .iter()
        .map(|f| f.name.as_str())
        .filter(|n| n.ends_with(".v"))
        .collect();
    assert_eq!(verilog.last(), Some(&"pagetrain.v"));
    assert_eq!(
        text(&files, "pagetrain.f").lines().collect::<Vec<_>>(),
        verilog
    );
    let core = text(&files, "pagetrain.core");
    let listed = core
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- "));
    let listed: Vec<&str> = listed.filter(|name| name.ends_with(".v")).collect();
    assert_eq!(listed, verilog);
}

#[test]
fn models_of_cells_are_for_simulators_alone() {
    let config = Config {
        block_ram: BlockRam::Ecp5,
        ..Config::default()
    };
    let files = generate(&config, "ecp5").unwrap();
    let model = text(&files, "sim/DP16KD.v");
    assert!(model.contains("module DP16KD #("));
    let list = text(&files, "pagetrain.f");
    assert!(!list.contains("DP16KD") && list.contains("_ecp5.v"));
    let core = text(&files, "pagetrain.core");
    let cells = "  cells:\n    files:\n      - sim/DP16KD.v\n";
    assert!(core.contains(cells), "{core}");
    let sets = core.lines().filter(|l| l.trim().starts_with("filesets: ["));
    assert_eq!(
        sets.map(str::trim).collect::<Vec<_>>(),
        ["filesets: [rtl, cells]", "filesets: [rtl, lpf]"]
    );
    let inferred = generate(&Config::default(), "inferred").unwrap();
    assert!(inferred
        .iter()
        .all(|f| !f.name.contains('/') && !f.text.contains("DP16KD")));
}

#[test]
fn no_file_names_this_machine_or_a_date() {
    let folder = env!("CARGO_MANIFEST_DIR");
    for file in generate(&Config::default(), "default").unwrap() {
        assert!(!file.text.contains(folder), "{}", file.name);
        assert!(
            !file
                .text
                .contains(&std::env::temp_dir().display().to_string()),
            "{}",
            file.name
        );
        assert!(file.text.ends_with('\n'), "{}", file.name);
        let text = file.text.as_bytes();
        let dated = text
            .windows(5)
            .any(|w| w.starts_with(b"20") && w[2].is_ascii_digit() && w[4] == b'-');
        assert!(!dated, "{}", file.name);
    }
}

#[test]
fn small_files_are_frozen() {
    let config = Config::default();
    let files = generate(&config, "default").unwrap();
    for name in [
        "pagetrain.lpf",
        "pagetrain.sdc",
        "pagetrain.xdc",
        "pagetrain.core",
        "pagetrain.toml",
    ] {
        // The list of modules changes with every block; another test holds it against the files.
        let lines = text(&files, name)
            .lines()
            .filter(|line| !line.ends_with(".v"));
        insta::assert_snapshot!(name, lines.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn clock_is_the_presets() {
    let period = |name: &str| {
        let preset = PRESETS.iter().find(|p| p.name == name).unwrap();
        let files = generate(&preset.config(), name).unwrap();
        let line = |file: &str, word: &str| {
            let mut lines = text(&files, file).lines();
            lines.find(|l| l.starts_with(word)).unwrap().to_string()
        };
        let sdc = line("pagetrain.sdc", "create_clock");
        assert_eq!(line("pagetrain.xdc", "create_clock"), sdc);
        (sdc, line("pagetrain.lpf", "FREQUENCY"))
    };
    let (sdc, lpf) = period("ecp5-25g");
    assert_eq!(sdc, "create_clock -name clk -period 5.119 [get_ports clk]");
    assert_eq!(lpf, "FREQUENCY PORT \"clk\" 195.313 MHZ;");
    assert!(period("small").0.contains("-period 8.000 "));
}

#[test]
fn written_configuration_generates_the_same_engine() {
    let preset = PRESETS.iter().find(|p| p.name == "ecp5-25g").unwrap();
    let files = generate(&preset.config(), "ecp5-25g").unwrap();
    let again = Config::from_toml(text(&files, "pagetrain.toml")).unwrap();
    assert_eq!(generate(&again, "ecp5-25g").unwrap(), files);
}

#[test]
fn program_is_left_out_when_the_engine_is_too_small_for_it() {
    let config = Config {
        parser_states: 16,
        ..Config::default()
    };
    let files = generate(&config, "tiny").unwrap();
    assert!(files.iter().all(|file| !file.name.contains("tcp")));
}

#[test]
fn rule_is_named_when_the_configuration_breaks_it() {
    let config = Config {
        flows: 2,
        ..Config::default()
    };
    assert_eq!(
        generate(&config, "x").unwrap_err().to_string(),
        "flows = 2: must be 4 to 64"
    );
}

#[test]
fn files_are_written_and_others_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b");
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("mine.txt"), "mine").unwrap();
    let config = Config {
        block_ram: BlockRam::Ecp5,
        ..Config::default()
    };
    let files = generate(&config, "ecp5").unwrap();
    write(&out, &files).unwrap();
    for file in &files {
        assert_eq!(
            std::fs::read_to_string(out.join(&file.name)).unwrap(),
            file.text
        );
    }
    assert_eq!(
        std::fs::read_to_string(out.join("mine.txt")).unwrap(),
        "mine"
    );
    let error = write(&out.join("mine.txt"), &files)
        .unwrap_err()
        .to_string();
    assert!(error.contains("mine.txt: "), "{error}");
}

/// Every legal value of every parameter, the others at their default; every pair of widths.
fn corners() -> Vec<Config> {
    let texts = [
        ("flows", &[4, 5, 31, 33, 63, 64][..]),
        ("page_size", &[4096, 16384, 65536]),
        ("ingress_bytes", &[8192, 16384, 65536, 131_072, 262_144]),
        ("parser_states", &[16, 32, 64]),
        ("parser_steps", &[4, 5, 31, 32]),
        ("parser_window", &[128, 256]),
        ("train_entries", &[32, 64]),
    ];
    // Memories of every depth that the parameters make, as cells too.
    let cells = "block_ram = \"ecp5\"";
    let one = |(name, values): (&str, &[usize])| -> Vec<String> {
        values.iter().map(|v| format!("{name} = {v}")).collect()
    };
    let mut texts: Vec<String> = texts.into_iter().flat_map(one).collect();
    texts.extend(
        ["ingress_bytes = 8192", "ingress_bytes = 262144"].map(|t| format!("{t}\n{cells}")),
    );
    for w in [64, 128, 256, 512] {
        let wider = [64, 128, 256, 512].into_iter().filter(|&d| d >= w);
        texts.extend(wider.map(|d| format!("data_width = {w}\ndma_width = {d}")));
    }
    texts.push(format!("data_width = 512\ndma_width = 512\n{cells}"));
    let configs = texts.iter().map(|text| Config::from_toml(text).unwrap());
    configs.collect()
}

/// What is wrong with the engine of one configuration, if anything.
fn fault(config: &Config) -> Option<String> {
    let files = match generate(config, "corner") {
        Ok(files) => files,
        Err(error) => return Some(error.to_string()),
    };
    let widths = [
        ("s_axis_rx_tdata", config.data_width),
        ("m_axi_wdata", config.dma_width),
    ];
    let top = text(&files, "pagetrain.v");
    let missing = widths.iter().find(|(port, width)| {
        let range = format!("[{}:0]", width - 1);
        !top.lines()
            .any(|line| line.contains(port) && line.contains(&range))
    });
    missing.map(|(port, width)| format!("no port {port} of {width} bits"))
}

#[test]
fn every_legal_value_of_every_parameter_generates() {
    let faults = corners().into_iter().filter_map(|config| {
        // A part of the hardware that panics must not hide the others.
        let fault = std::panic::catch_unwind(|| fault(&config));
        let fault = fault.unwrap_or_else(|_| Some("panics".to_string()))?;
        Some(format!("{}: {fault}", config.to_toml().replace('\n', ", ")))
    });
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
