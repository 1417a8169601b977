//! Disassembler: rows back to text, as a person checks them. The listing is itself a program that compiles to the same
//! rows; repeat blocks are unrolled in it, consts are numbers, and keys are taken byte by byte.

use super::compile::Program;
use super::fields::{Dest, FLAGS};
use super::row::{Advance, Arm, Next, Row};
use std::fmt::Write;

impl Program {
    /// A listing of all rows, in the words of the language.
    pub fn listing(&self) -> String {
        let mut out = format!(
            "# {}: {} rows, at most {} steps\n",
            self.name,
            self.rows.len(),
            self.worst_steps
        );
        let name = |next| self.target(next);
        for (number, (row, label)) in self.rows.iter().zip(&self.names).enumerate() {
            let _ = writeln!(out, "\nstate {label} {{ # row {number}");
            list_row(&mut out, row, &name);
            out.push_str("}\n");
        }
        out
    }

    fn target(&self, next: Next) -> String {
        match next {
            Next::Accept => "accept".to_string(),
            Next::Reject => "reject".to_string(),
            Next::Row(row) => match self.names.get(usize::from(row)) {
                Some(name) => name.clone(),
                None => "reject".to_string(), // a row that does not exist rejects
            },
        }
    }
}

fn list_row(out: &mut String, row: &Row, name: &impl Fn(Next) -> String) {
    let mut line = |text: String| {
        let _ = writeln!(out, "    {text}");
    };
    if row.off != 0 {
        line(format!("at {}", row.off));
    }
    if row.need != 0 {
        line(format!("need {}", row.need));
    }
    if row.set != 0 {
        line(format!("set {}", flag_names(row.set)));
    }
    let marks = [
        (row.mark_l3, "l3"),
        (row.mark_l4, "l4"),
        (row.mark_split, "split"),
    ];
    let marks: Vec<_> = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
    if !marks.is_empty() {
        line(format!("mark {}", marks.join(", ")));
    }
    if let Some(end) = row.end {
        let add = if end.add == 0 {
            String::new()
        } else {
            format!(" + {}", end.add)
        };
        line(format!("end be16[{}]{add}", end.sel));
    }
    let extracts = row.extracts.iter().filter(|e| e.dest != Dest::None);
    let extracts: Vec<_> = extracts
        .map(|e| format!("{}[{}]", e.dest.name(), e.sel))
        .collect();
    if !extracts.is_empty() {
        line(format!("extract {}", extracts.join(", ")));
    }
    if let Some(text) = advance(row) {
        line(text);
    }
    let arms: Vec<&Arm> = row.arms.iter().filter(|arm| **arm != Arm::NEVER).collect();
    if arms.is_empty() {
        return line(format!("next {}", name(row.next)));
    }
    let masks = arms.iter().fold(0, |all, arm| all | arm.mask).to_be_bytes();
    let last = (0..masks.len()).rfind(|&i| masks[i] != 0 || row.key_sel[i] != 0);
    let used: Vec<usize> = (0..=last.unwrap_or(0)).collect();
    let keys = used.iter().map(|&i| format!("byte[{}]", row.key_sel[i]));
    line(format!("match {} {{", keys.collect::<Vec<_>>().join(", ")));
    for arm in arms {
        let (value, mask) = (arm.value.to_be_bytes(), arm.mask.to_be_bytes());
        let bytes = used.iter().map(|&i| match mask[i] {
            0 => "*".to_string(),
            0xff => format!("{:#04x}", value[i]),
            mask => format!("{:#04x}/{mask:#04x}", value[i]),
        });
        let bytes = bytes.collect::<Vec<_>>().join(", ");
        let set = match arm.set {
            0 => String::new(),
            set => format!(" set {}", flag_names(set)),
        };
        line(format!("    {bytes} -> {}{set}", name(arm.next)));
    }
    line(format!("    else -> {}", name(row.next)));
    line("}".to_string());
}

fn advance(row: &Row) -> Option<String> {
    let Advance { add, length, min } = row.advance;
    let length = length.map(|l| {
        let mut text = format!("byte[{}]", l.sel);
        for (sign, operand, neutral) in [
            (">>", l.rshift, 0),
            ("&", l.mask, 0xff),
            ("<<", l.lshift, 0),
        ] {
            if operand != neutral {
                let inner = if text.contains(' ') {
                    format!("({text})")
                } else {
                    text
                };
                text = match sign {
                    "&" => format!("{inner} & {operand:#04x}"),
                    _ => format!("{inner} {sign} {operand}"),
                };
            }
        }
        text
    });
    let sum = match (add, length) {
        (0, None) if min == 0 => return None,
        (add, None) => add.to_string(),
        (0, Some(length)) => length,
        (add, Some(length)) if length.contains(' ') => format!("{add} + ({length})"),
        (add, Some(length)) => format!("{add} + {length}"),
    };
    let min = if min == 0 {
        String::new()
    } else {
        format!(" min {min}")
    };
    Some(format!("advance {sum}{min}"))
}

fn flag_names(set: u8) -> String {
    let names = FLAGS.iter().enumerate();
    let names = names.filter(|(bit, _)| set & 1 << bit != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}
