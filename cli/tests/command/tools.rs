//! The subcommands that simulate nothing: gen, parser, regs, presets.

use crate::support::{pagetrain, Folder};
use std::process::{Command, Stdio};

#[test]
fn gen_writes_a_folder_that_every_tool_finds_its_way_in() {
    let folder = Folder::new();
    let out = folder.name("a/b");
    let said = pagetrain(&["gen", "--preset", "small", "-o", &out]).ok();
    assert!(
        said.starts_with(&format!("{out}: ")) && said.ends_with(" files of configuration small\n"),
        "{said}"
    );
    let list = std::fs::read_to_string(folder.path("a/b/pagetrain.f")).unwrap();
    assert!(list.lines().count() > 5);
    for name in list.lines().chain([
        "pagetrain.core",
        "pagetrain.h",
        "registers.md",
        "pagetrain.lpf",
        "tcp.hex",
    ]) {
        assert!(folder.path("a/b").join(name).is_file(), "{name}");
    }
}

#[test]
fn gen_gives_the_same_bytes_when_the_input_is_the_same() {
    let folder = Folder::new();
    let config = folder.file("mine.toml", "flows = 7\n");
    for out in ["one", "two"] {
        pagetrain(&["gen", "--config", &config, "-o", &folder.name(out)]).ok();
    }
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path("one")).unwrap() {
        let name = entry.unwrap().file_name();
        let read = |out: &str| std::fs::read(folder.path(out).join(&name)).unwrap();
        assert_eq!(read("one"), read("two"), "{name:?}");
        files += 1;
    }
    assert_eq!(
        files,
        std::fs::read_dir(folder.path("two")).unwrap().count()
    );
    let header = std::fs::read_to_string(folder.path("one/pagetrain.h")).unwrap();
    assert!(
        header.contains("Configuration mine:") && header.contains("#define PAGETRAIN_FLOWS 7u")
    );
}

#[test]
fn message_names_file_field_and_rule_when_a_configuration_is_bad() {
    let folder = Folder::new();
    let bad = |text: &str| {
        let file = folder.file("c.toml", text);
        let line = pagetrain(&["gen", "--config", &file, "-o", &folder.name("out")]).refusal();
        line.strip_prefix(&format!("{file}: ")).unwrap().to_string()
    };
    assert_eq!(bad("flows = 3"), "flows = 3: must be 4 to 64");
    assert_eq!(
        bad("data_width = 256\n"),
        "dma_width = 128: must be at least data_width (256)"
    );
    assert!(bad("\nflow = 3").starts_with("line 2: unknown field `flow`"));
    assert!(bad("flows = [").starts_with("line 1: "));
    assert!(!folder.path("out").exists());
}

#[test]
fn message_names_the_file_when_it_is_missing_or_in_the_way() {
    let folder = Folder::new();
    let missing = folder.name("none.toml");
    let line = pagetrain(&["gen", "--config", &missing, "-o", "x"]).refusal();
    assert!(line.starts_with(&format!("{missing}: ")), "{line}");
    let file = folder.file("file", "");
    let line = pagetrain(&["gen", "-o", &file]).refusal();
    assert!(line.starts_with(&format!("{file}: ")), "{line}");
    let line = pagetrain(&["parser", "check", &folder.name("none.parse")]).refusal();
    assert!(line.contains("none.parse: "), "{line}");
}

#[test]
fn command_line_is_refused_in_one_line() {
    let line = |args: &[&str]| pagetrain(args).refusal();
    assert!(line(&["gen"]).contains("--output <DIR>"));
    assert!(line(&["gen", "--preset", "x", "-o", "y"])
        .starts_with("preset x: must be one of default, "));
    assert!(
        line(&["gen", "--preset", "small", "--config", "c", "-o", "y"])
            .contains("cannot be used with")
    );
    assert!(line(&["fly"]).contains("unrecognized subcommand 'fly'"));
    assert!(
        line(&["replay", "x", "--pace", "fast"]).contains("must be line, capture or gap:CLOCKS")
    );
    assert!(line(&["replay", "x", "--stall", "much"]).contains("must be one of none, light, "));
    assert!(line(&["replay", "x", "--merge", "gro"]).contains("[possible values: off, train]"));
    assert!(line(&["replay", "x", "--poll", "0"]).contains("0 is not in"));
    assert_eq!(line(&[]), "a subcommand is missing (see `pagetrain help`)");
    assert_eq!(
        line(&["parser"]),
        "a subcommand is missing (see `pagetrain help`)"
    );
}

#[test]
fn help_and_version_are_output_and_not_errors() {
    assert!(pagetrain(&["help"]).ok().contains("Usage: pagetrain"));
    assert!(pagetrain(&["replay", "--help"])
        .ok()
        .contains("--deliver <OUT.pcap>"));
    assert!(pagetrain(&["--version"]).ok().starts_with("pagetrain "));
}

#[test]
fn parser_check_says_rows_and_steps() {
    let folder = Folder::new();
    let file = folder.file("x.parse", pagetrain_formats::program::TCP_TEXT);
    let said = pagetrain(&["parser", "check", &file]).ok();
    assert_eq!(said, format!("{file}: 25 rows, at most 15 steps\n"));
}

#[test]
fn parser_check_shows_the_place_when_a_program_is_wrong() {
    let folder = Folder::new();
    let file = folder.file("x.parse", "state a {\n    next b\n}\n");
    let ran = pagetrain(&["parser", "check", &file]);
    let expected =
        format!("pagetrain: {file}:2:10: unknown state `b`\n  |\n2 |     next b\n  |          ^\n");
    assert_eq!((ran.code, ran.err, ran.out), (2, expected, String::new()));
    let config = folder.file("c.toml", "parser_states = 16\n");
    let file = folder.file("y.parse", pagetrain_formats::program::TCP_TEXT);
    let ran = pagetrain(&["parser", "check", &file, "--config", &config]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .contains("the program has 25 rows: parser_states allows 16"),
        "{}",
        ran.err
    );
}

#[test]
fn parser_compile_gives_every_form() {
    let folder = Folder::new();
    let file = folder.file("my-own.parse", "state a { need 14 next accept }\n");
    let compile = |more: &[&str]| pagetrain(&[&["parser", "compile", &file], more].concat()).ok();
    let listing = compile(&[]);
    assert!(
        listing.contains("state a { # row 0\n    need 14\n    next accept\n}\n"),
        "{listing}"
    );
    let again = folder.file("again.parse", &listing);
    assert_eq!(
        pagetrain(&["parser", "check", &again]).ok(),
        format!("{again}: 1 rows, at most 1 steps\n")
    );
    let hex = compile(&["--format", "hex"]);
    assert!(hex.starts_with("// row 0: a\n00000e00\n"), "{hex}");
    assert_eq!(hex.lines().count(), 17);
    let c = compile(&["--format", "c"]);
    assert!(c.contains("pagetrain_my_own_program[1][16]"), "{c}");
    let out = folder.name("out.hex");
    assert_eq!(compile(&["--format", "hex", "-o", &out]), "");
    assert_eq!(std::fs::read_to_string(out).unwrap(), hex);
}

#[test]
fn regs_shows_the_numbers_of_the_configuration() {
    let list = pagetrain(&["regs"]).ok();
    assert!(
        list.contains("0x003c   MAX_FRAME          CFG     9018        64..16128    "),
        "{list}"
    );
    assert!(
        list.lines().any(|l| l.starts_with("0x2188   closed_stop ")),
        "{list}"
    );
    let list = pagetrain(&["regs", "--preset", "small"]).ok();
    assert!(list.contains("64..8192 "), "{list}");
    let manual = pagetrain(&["regs", "--markdown"]).ok();
    assert_eq!(manual, include_str!("../../../docs/src/registers.md"));
}

#[test]
fn presets_are_listed_and_printed_as_configurations() {
    let list = pagetrain(&["presets"]).ok();
    assert_eq!(
        list.lines().count(),
        1 + pagetrain_formats::presets::PRESETS.len()
    );
    let folder = Folder::new();
    let file = folder.file("p.toml", pagetrain(&["presets", "ecp5-25g"]).ok());
    pagetrain(&["regs", "--config", &file]).ok();
    assert!(pagetrain(&["presets", "x"])
        .refusal()
        .starts_with("preset x: must be one of "));
}

#[test]
fn nothing_is_said_when_the_reader_of_the_output_goes_away() {
    let program = assert_cmd::cargo::cargo_bin("pagetrain");
    let mut child = Command::new(program)
        .args(["regs", "--markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), vec![]));
}
