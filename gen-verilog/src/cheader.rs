//! C header: everything of `formats` that a driver needs, for C11 and C++11.

use crate::Note;
use pagetrain_formats::completion::{self, buf, ext, pkt};
use pagetrain_formats::counters::{self, COUNTER_SLOTS};
use pagetrain_formats::layout::Layout;
use pagetrain_formats::program::fields;
use pagetrain_formats::regs::{self, COUNTER_BASE, PROGRAM_BASE, REGISTERS};
use pagetrain_formats::{codes, descriptor};
use pagetrain_formats::{Config, DESCRIPTOR_BYTES, SMALL_BYTES};
use std::fmt::Write;

/// The header of one configuration.
pub fn header(note: &Note) -> String {
    let mut out = Header(note.comment("//"));
    out.text(PROLOGUE);
    out.parameters(note.config);
    out.registers();
    out.counters();
    out.structures();
    out.codes();
    out.program();
    out.text(EPILOGUE);
    out.0
}

/// Names and values of every constant of a header, as its user sees them; a test compiles and prints them.
pub fn constants(header: &str) -> Vec<&str> {
    let names = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    let names = names
        .filter_map(|rest| rest.split_once(' '))
        .map(|(name, _)| name);
    names.filter(|name| !name.contains('(')).collect()
}

const PROLOGUE: &str = r#"
#ifndef PAGETRAIN_H
#define PAGETRAIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define PAGETRAIN_ASSERT(rule, text) static_assert(rule, text)
#else
#define PAGETRAIN_ASSERT(rule, text) _Static_assert(rule, text)
#endif

// A field F of a structure of dwords lies in dword F_DW, in the bits F_MASK, from bit F_SHIFT on. A field of a register has no
// F_DW. Structures in host memory are little-endian: on a big-endian host convert each dword first.
#define PAGETRAIN_GET(dwords, field) \
    (((dwords)[PAGETRAIN_##field##_DW] & PAGETRAIN_##field##_MASK) >> PAGETRAIN_##field##_SHIFT)
#define PAGETRAIN_REG_GET(value, field) (((value) & PAGETRAIN_##field##_MASK) >> PAGETRAIN_##field##_SHIFT)
#define PAGETRAIN_PREP(field, value) \
    (((uint32_t)(value) << PAGETRAIN_##field##_SHIFT) & PAGETRAIN_##field##_MASK)
"#;

const EPILOGUE: &str = "\n#endif // PAGETRAIN_H\n";

/// The text so far.
struct Header(String);

impl Header {
    fn text(&mut self, text: &str) {
        self.0 += text;
    }

    fn section(&mut self, title: &str) {
        let _ = write!(self.0, "\n// {title}\n");
    }

    fn define(&mut self, name: &str, value: u32, doc: &str) {
        let name = format!("PAGETRAIN_{}", name.to_uppercase());
        let comment = if doc.is_empty() {
            String::new()
        } else {
            format!(" // {doc}")
        };
        let value = if value < 10 {
            value.to_string()
        } else {
            format!("0x{value:x}")
        };
        let _ = writeln!(self.0, "#define {name} {value}u{comment}");
    }

    fn parameters(&mut self, c: &Config) {
        self.section("Parameters of this engine; PARAMS0 to PARAMS2 tell them at run time.");
        for (name, value) in [
            ("data_width", c.data_width),
            ("dma_width", c.dma_width),
            ("flows", c.flows),
            ("page_size", c.page_size),
            ("ingress_bytes", c.ingress_bytes),
            ("parser_states", c.parser_states),
            ("parser_steps", c.parser_steps),
            ("parser_window", c.parser_window),
            ("train_entries", c.train_entries),
            ("max_frame_limit", c.max_frame_limit()),
            ("small_bytes", SMALL_BYTES),
        ] {
            self.define(name, value as u32, "");
        }
    }

    fn registers(&mut self) {
        self.section("Registers: byte addresses, then their fields.");
        for r in REGISTERS {
            self.define(&format!("reg_{}", r.name), r.addr.into(), r.doc);
        }
        self.define("id_value", regs::ID_VALUE, "what REG_ID reads");
        self.define(
            "version_value",
            regs::VERSION_VALUE,
            "what REG_VERSION reads",
        );
        for r in REGISTERS {
            for f in r.fields.iter().filter(|f| f.mask() != u32::MAX) {
                let name = format!("{}_{}", r.name, f.name);
                self.define(&format!("{name}_shift"), f.lsb as u32, "");
                self.define(&format!("{name}_mask"), f.mask(), f.doc);
            }
        }
    }

    fn counters(&mut self) {
        self.section("Counters: indices; reading the low half latches the high half.");
        for (index, name, doc) in counters::all() {
            self.define(&format!("counter_{name}"), index as u32, &doc);
        }
        self.define("counter_slots", COUNTER_SLOTS as u32, "indices in the map");
        self.define("counter_base", COUNTER_BASE.into(), "");
        self.text("#define PAGETRAIN_COUNTER_LO(i) (PAGETRAIN_COUNTER_BASE + 8u * (i))\n");
        self.text("#define PAGETRAIN_COUNTER_HI(i) (PAGETRAIN_COUNTER_BASE + 8u * (i) + 4u)\n");
    }

    fn structures(&mut self) {
        self.section("Descriptors of the small ring and of the page ring.");
        self.layout("desc", &descriptor::DESCRIPTOR);
        let bytes = DESCRIPTOR_BYTES;
        let _ = write!(
            self.0,
            "\nstruct pagetrain_desc {{\n    uint64_t addr;\n    uint32_t cookie;\n    uint32_t length_headroom; // PREP(DESC_LENGTH, l) | PREP(DESC_HEADROOM, h)\n}};\n\
             PAGETRAIN_ASSERT(sizeof(struct pagetrain_desc) == {bytes}, \"a descriptor has {bytes} bytes\");\n\
             PAGETRAIN_ASSERT(offsetof(struct pagetrain_desc, cookie) == 4 * PAGETRAIN_DESC_COOKIE_DW, \"cookie\");\n\
             PAGETRAIN_ASSERT(offsetof(struct pagetrain_desc, length_headroom) == 4 * PAGETRAIN_DESC_LENGTH_DW, \"length\");\n"
        );
        self.section("Completion entries; the type field says which layout holds.");
        self.layout("cqe", &completion::STOP);
        self.layout("pkt", &pkt::LAYOUT);
        self.layout("ext", &ext::LAYOUT);
        self.layout("buf", &buf::LAYOUT);
        let (bytes, dwords) = (completion::DWORDS * 4, completion::DWORDS);
        let _ = write!(
            self.0,
            "\nstruct pagetrain_cqe {{\n    uint32_t dw[{dwords}];\n}};\n\
             PAGETRAIN_ASSERT(sizeof(struct pagetrain_cqe) == {bytes}, \"an entry has {bytes} bytes\");\n"
        );
    }

    fn layout(&mut self, prefix: &str, layout: &Layout) {
        for f in layout.fields {
            let name = format!("{prefix}_{}", f.name);
            self.define(&format!("{name}_dw"), f.dword as u32, f.doc);
            // A field of 64 bits fills its two dwords: nothing to shift or mask.
            if f.width <= 32 {
                self.define(&format!("{name}_shift"), f.lsb as u32, "");
                self.define(&format!("{name}_mask"), f.mask(), "");
            }
        }
    }

    fn codes(&mut self) {
        macro_rules! codes {
            ($($prefix:literal, $title:literal, $kind:ty;)*) => {
                $(
                    self.section($title);
                    for c in <$kind>::ALL {
                        self.define(&format!("{}_{}", $prefix, c.name()), c.code(), c.doc());
                    }
                )*
            };
        }
        codes! {
            "type", "Types of completion entries.", codes::EntryType;
            "reason", "Why a train was closed.", codes::Reason;
            "status", "How a buffer came back.", codes::BufStatus;
            "csum", "Verdicts on checksums.", codes::Csum;
            "l3", "Network protocols.", codes::L3;
            "l4", "Transport protocols.", codes::L4;
            "merge", "Values of Q_MERGE.", codes::MergeMode;
            "cmd", "Values of Q_CMD.", codes::Command;
        }
    }

    fn program(&mut self) {
        self.section("Program memory of the parser.");
        self.define("program_base", PROGRAM_BASE.into(), "");
        self.define("row_dwords", fields::ROW_DWORDS as u32, "");
        self.text("#define PAGETRAIN_PROGRAM(row, dword) (PAGETRAIN_PROGRAM_BASE + 64u * (row) + 4u * (dword))\n");
        self.define("next_accept", fields::NEXT_ACCEPT.into(), "");
        self.define("next_reject", fields::NEXT_REJECT.into(), "");
        for (bit, name) in fields::FLAGS.iter().enumerate() {
            self.define(&format!("flag_{name}"), 1 << bit, "");
        }
        for dest in fields::Dest::ALL {
            self.define(&format!("dest_{}", dest.name()), dest.code(), dest.doc());
        }
        self.layout("row", &fields::ROW);
    }
}
