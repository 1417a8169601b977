//! The C header compiles as C11 and C++11 without a warning, and its user sees the numbers of the tables.

use pagetrain_formats::completion::{self, buf, ext, pkt};
use pagetrain_formats::layout::Layout;
use pagetrain_formats::presets::PRESETS;
use pagetrain_formats::program::{self, fields, Limits};
use pagetrain_formats::regs::REGISTERS;
use pagetrain_formats::{codes, counters, descriptor, Config, Descriptor};
use pagetrain_gen::{cheader, program as program_files, Note};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn note(config: &Config) -> Note<'_> {
    Note {
        config,
        label: "test",
    }
}

/// Writes both headers and `main`, compiles strictly, runs it, and returns what it prints.
fn run(config: &Config, compiler: &str, standard: &str, main: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("pagetrain.h"), cheader::header(&note(config))).unwrap();
    let program = program::tcp(&Limits::of(&Config::default())).unwrap();
    std::fs::write(
        path("pagetrain_tcp.h"),
        program_files::c_array(&program, "tcp"),
    )
    .unwrap();
    let source = if compiler == "gcc" {
        "main.c"
    } else {
        "main.cc"
    };
    std::fs::write(path(source), main).unwrap();
    let mut command = Command::new(compiler);
    let warnings = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"];
    command
        .arg(standard)
        .args(warnings)
        .arg("-I")
        .arg(folder.path());
    let built = command
        .arg("-o")
        .arg(path("main"))
        .arg(path(source))
        .output();
    let built = built.unwrap_or_else(|e| panic!("{compiler}: {e}"));
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    output(&path("main"))
}

fn output(program: &Path) -> String {
    let run = Command::new(program).output().unwrap();
    assert!(run.status.success());
    String::from_utf8(run.stdout).unwrap()
}

/// A program that prints every constant of the header.
fn printer(header: &str) -> String {
    let prints = cheader::constants(header).into_iter();
    let prints =
        prints.map(|name| format!("    printf(\"{name} %lu\\n\", (unsigned long){name});\n"));
    let prints: String = prints.collect();
    format!("#include <stdio.h>\n#include \"pagetrain.h\"\n#include \"pagetrain_tcp.h\"\nint main(void)\n{{\n{prints}    return 0;\n}}\n")
}

/// Every constant that the tables ask for.
fn expected(config: &Config) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    let mut put = |name: String, value: u64| {
        let name = format!("PAGETRAIN_{}", name.to_uppercase());
        assert_eq!(all.insert(name.clone(), value), None, "{name} twice");
    };
    for r in REGISTERS {
        put(format!("reg_{}", r.name), r.addr.into());
        for f in r.fields.iter().filter(|f| f.width < 32) {
            put(format!("{}_{}_shift", r.name, f.name), f.lsb as u64);
            put(
                format!("{}_{}_mask", r.name, f.name),
                ((1u64 << f.width) - 1) << f.lsb,
            );
        }
    }
    for (index, name, _) in counters::all() {
        put(format!("counter_{name}"), index as u64);
    }
    let layouts: [(&str, Layout); 6] = [
        ("desc", descriptor::DESCRIPTOR),
        ("cqe", completion::STOP),
        ("pkt", pkt::LAYOUT),
        ("ext", ext::LAYOUT),
        ("buf", buf::LAYOUT),
        ("row", fields::ROW),
    ];
    for (prefix, layout) in layouts {
        for f in layout.fields {
            put(format!("{prefix}_{}_dw", f.name), f.dword as u64);
            if f.width <= 32 {
                put(format!("{prefix}_{}_shift", f.name), f.lsb as u64);
                put(
                    format!("{prefix}_{}_mask", f.name),
                    ((1u64 << f.width) - 1) << f.lsb,
                );
            }
        }
    }
    for c in codes::EntryType::ALL {
        put(format!("type_{}", c.name()), c.code().into());
    }
    for c in codes::Reason::ALL {
        put(format!("reason_{}", c.name()), c.code().into());
    }
    for c in codes::BufStatus::ALL {
        put(format!("status_{}", c.name()), c.code().into());
    }
    for c in codes::Csum::ALL {
        put(format!("csum_{}", c.name()), c.code().into());
    }
    for c in codes::L3::ALL {
        put(format!("l3_{}", c.name()), c.code().into());
    }
    for c in codes::L4::ALL {
        put(format!("l4_{}", c.name()), c.code().into());
    }
    for c in codes::MergeMode::ALL {
        put(format!("merge_{}", c.name()), c.code().into());
    }
    for c in codes::Command::ALL {
        put(format!("cmd_{}", c.name()), c.code().into());
    }
    for d in fields::Dest::ALL {
        put(format!("dest_{}", d.name()), d.code().into());
    }
    for (bit, name) in fields::FLAGS.iter().enumerate() {
        put(format!("flag_{name}"), 1 << bit);
    }
    for (name, value) in [
        ("data_width", config.data_width),
        ("dma_width", config.dma_width),
        ("flows", config.flows),
        ("page_size", config.page_size),
        ("ingress_bytes", config.ingress_bytes),
        ("parser_states", config.parser_states),
        ("parser_steps", config.parser_steps),
        ("parser_window", config.parser_window),
        ("train_entries", config.train_entries),
        ("max_frame_limit", config.max_frame_limit()),
        ("small_bytes", 256),
        ("id_value", 0x5047_5452),
        ("version_value", 1),
        ("counter_slots", 64),
        ("counter_base", 0x2000),
        ("program_base", 0x4000),
        ("row_dwords", 16),
        ("next_accept", 0xFE),
        ("next_reject", 0xFF),
    ] {
        put(name.to_string(), value as u64);
    }
    all
}

#[test]
fn constants_are_those_of_the_tables_in_c_and_in_cpp() {
    let config = Config::default();
    let main = printer(&cheader::header(&note(&config)));
    for (compiler, standard) in [("gcc", "-std=c11"), ("g++", "-std=c++11")] {
        let printed = run(&config, compiler, standard, &main);
        let seen: BTreeMap<String, u64> = printed
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, value)| (name.to_string(), value.parse().unwrap()))
            .collect();
        assert_eq!(seen, expected(&config), "{compiler}");
    }
}

#[test]
fn macros_read_what_the_tables_write() {
    let entry = completion::Completion::Pkt(completion::Pkt {
        hdr_cookie: 0x1234_5678,
        page_cookie: 7,
        page_offset: 0xABC0,
        frag_len: 1448,
        frame_len: 1514,
        rx_seq: 0xFFFE,
        vlan0: 1,
        vlan1: 2,
        hdr_len: 1023,
        l3_off: 14,
        l4_off: 300,
        ext_count: 21,
        head: Some(completion::Head {
            train_bytes: 0xF_1234,
            train_packets: 45,
            reason: codes::Reason::Poll,
            train_entries: 99,
        }),
        page_full: true,
        split: true,
        piece: true,
        l3: codes::L3::V6,
        l4: codes::L4::Tcp,
        ip_csum: codes::Csum::None,
        l4_csum: codes::Csum::Good,
        vlan_count: 2,
        ip_opt: false,
        watched: true,
    });
    let dwords = entry.to_dwords(true);
    let words: Vec<String> = dwords.iter().map(|w| format!("0x{w:08x}u")).collect();
    let mut main = format!(
        "#include <stdio.h>\n#include \"pagetrain.h\"\n#include \"pagetrain_tcp.h\"\nint main(void)\n{{\n    struct pagetrain_cqe e = {{{{{}}}}};\n",
        words.join(", ")
    );
    for f in pkt::LAYOUT.fields {
        let name = format!("PKT_{}", f.name.to_uppercase());
        main += &format!("    printf(\"%lu\\n\", (unsigned long)PAGETRAIN_GET(e.dw, {name}));\n");
    }
    main += "    struct pagetrain_desc d = {0x1122334455667788ull, 0x99aabbccu,\n        PAGETRAIN_PREP(DESC_LENGTH, 4096) | PAGETRAIN_PREP(DESC_HEADROOM, 0x123)};\n";
    main += "    const unsigned char *p = (const unsigned char *)&d;\n    for (unsigned i = 0; i < sizeof d; i++) printf(\"%u \", (unsigned)p[i]);\n";
    main += "    printf(\"\\n%lu %lu\\n\", (unsigned long)PAGETRAIN_COUNTER_HI(33u), (unsigned long)PAGETRAIN_PROGRAM(63u, 15u));\n";
    main += "    for (unsigned r = 0; r < PAGETRAIN_TCP_PROGRAM_ROWS; r++) for (unsigned i = 0; i < PAGETRAIN_ROW_DWORDS; i++) printf(\"%08x\\n\", (unsigned)pagetrain_tcp_program[r][i]);\n    return 0;\n}\n";
    let mut expected: Vec<String> = pkt::LAYOUT
        .fields
        .iter()
        .map(|f| f.get(&dwords).to_string())
        .collect();
    let descriptor = Descriptor {
        addr: 0x1122_3344_5566_7788,
        cookie: 0x99aa_bbcc,
        length: 4096,
        headroom: 0x123,
    };
    let bytes = descriptor
        .encode()
        .iter()
        .map(|b| format!("{b} "))
        .collect();
    expected.push(bytes);
    expected.push(format!("{} {}", 0x210c, 0x4ffc));
    let program = program::tcp(&Limits::of(&Config::default())).unwrap();
    expected.extend(program.words().iter().flatten().map(|w| format!("{w:08x}")));
    for (compiler, standard) in [("gcc", "-std=c11"), ("g++", "-std=c++11")] {
        let printed = run(&Config::default(), compiler, standard, &main);
        assert_eq!(printed.lines().collect::<Vec<_>>(), expected, "{compiler}");
    }
}

#[test]
fn header_of_every_preset_compiles() {
    let empty = "#include \"pagetrain.h\"\nint main(void) { return 0; }\n";
    for config in PRESETS.iter().map(|p| p.config()) {
        assert_eq!(run(&config, "gcc", "-std=c11", empty), "");
    }
}
