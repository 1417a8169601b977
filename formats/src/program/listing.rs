//! Disassembler: rows back to text, as a person checks them.

use super::compile::Program;
use super::fields::{Dest, FLAGS};
use super::row::{Arm, Next, Row};
use std::fmt::Write;

impl Program {
    /// A listing of all rows, in the words of the language; keys and patterns byte by byte.
    pub fn listing(&self) -> String {
        let mut out = format!(
            "# {}: {} rows, at most {} steps\n",
            self.name,
            self.rows.len(),
            self.worst_steps
        );
        let name = |next| self.target(next);
        for (number, (row, label)) in self.rows.iter().zip(&self.names).enumerate() {
            let _ = writeln!(out, "\n{number:2} {label}");
            list_row(&mut out, row, &name);
        }
        out
    }

    fn target(&self, next: Next) -> String {
        match next {
            Next::Accept => "accept".to_string(),
            Next::Reject => "reject".to_string(),
            Next::Row(row) => match self.names.get(usize::from(row)) {
                Some(name) => format!("{name} ({row})"),
                None => format!("row {row} (missing: reject)"),
            },
        }
    }
}

fn list_row(out: &mut String, row: &Row, name: &impl Fn(Next) -> String) {
    let mut line = |text: String| {
        let _ = writeln!(out, "     {text}");
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
        line(format!("end be16[{}] + {}", end.sel, end.add));
    }
    for extract in row.extracts.iter().filter(|e| e.dest != Dest::None) {
        line(format!("extract {}[{}]", extract.dest.name(), extract.sel));
    }
    if let Some(text) = advance(row) {
        line(text);
    }
    let arms: Vec<&Arm> = row.arms.iter().filter(|arm| **arm != Arm::NEVER).collect();
    if arms.is_empty() {
        return line(format!("next {}", name(row.next)));
    }
    let used = arms
        .iter()
        .fold(0, |mask, arm| mask | arm.mask)
        .to_be_bytes();
    let used: Vec<usize> = (0..used.len()).filter(|&i| used[i] != 0).collect();
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
    let advance = row.advance;
    let mut text = format!("advance {}", advance.add);
    if let Some(l) = advance.length {
        let _ = write!(
            text,
            " + (((byte[{}] >> {}) & {:#04x}) << {})",
            l.sel, l.rshift, l.mask, l.lshift
        );
    } else if advance.add == 0 && advance.min == 0 {
        return None;
    }
    if advance.min != 0 {
        let _ = write!(text, " min {}", advance.min);
    }
    Some(text)
}

fn flag_names(set: u8) -> String {
    let names = FLAGS.iter().enumerate();
    let names = names.filter(|(bit, _)| set & 1 << bit != 0);
    names.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}
