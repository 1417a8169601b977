//! A compiled parser program as files: its text, hexadecimal words, a C array.

use crate::{File, Note, TOP};
use pagetrain_formats::program::{Program, ROW_DWORDS, TCP_FILE, TCP_TEXT};

/// The shipped program's files.
pub fn all(note: &Note, program: &Program) -> Vec<File> {
    let array = format!("{}{}", note.comment("//"), c_array(program, "tcp"));
    vec![
        File::new(TCP_FILE, TCP_TEXT.to_string()),
        File::new("tcp.hex", hex(program)),
        File::new(format!("{TOP}_tcp.h"), array),
    ]
}

/// The program memory's words in the order of their addresses, one a line, as `$readmemh` takes them.
pub fn hex(program: &Program) -> String {
    let mut text = String::new();
    for (row, (words, name)) in program.words().iter().zip(&program.names).enumerate() {
        text += &format!("// row {row}: {name}\n");
        for word in words {
            text += &format!("{word:08x}\n");
        }
    }
    text
}

/// The rows as a C array `pagetrain_<name>_program`.
pub fn c_array(program: &Program, name: &str) -> String {
    let upper = name.to_uppercase();
    let rows = program.rows.len();
    let mut text = format!(
        "// Parser program {}: {rows} rows, at most {} steps.\n\n\
         #ifndef PAGETRAIN_{upper}_PROGRAM_H\n#define PAGETRAIN_{upper}_PROGRAM_H\n\n#include <stdint.h>\n\n\
         #define PAGETRAIN_{upper}_PROGRAM_ROWS {rows}\n\n\
         static const uint32_t pagetrain_{name}_program[{rows}][{ROW_DWORDS}] = {{\n",
        program.name, program.worst_steps
    );
    for (words, state) in program.words().iter().zip(&program.names) {
        text += &format!("    {{ /* {state} */\n");
        for line in words.chunks(4) {
            let line: Vec<String> = line.iter().map(|word| format!("0x{word:08x},")).collect();
            text += &format!("        {}\n", line.join(" "));
        }
        text += "    },\n";
    }
    text + "};\n\n#endif\n"
}
