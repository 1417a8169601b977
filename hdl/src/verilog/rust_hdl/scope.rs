//! Names of one source block: indices, loop variables, enum values.

use super::Refused;
use crate::build::{lit, Expr, Module, Sig};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What names mean while one block is converted.
pub(super) struct Scope {
    pub(super) path: String,
    pub(super) m: Module,
    /// Signals by their name in the source, interface and array parts joined by `$`.
    pub(super) sigs: HashMap<String, Sig>,
    /// Enum values: number and width.
    pub(super) enums: BTreeMap<String, (usize, usize)>,
    /// Enum values already declared.
    pub(super) states: HashMap<String, Sig>,
    /// Registers (by instance name) that wait for their clock.
    pub(super) dffs: HashSet<String>,
    pub(super) clocks: HashMap<String, Sig>,
    pub(super) loops: Vec<(String, i64)>,
}

impl Scope {
    pub(super) fn unsupported(&self, what: impl Into<String>) -> Refused {
        Refused::Unsupported {
            path: self.path.clone(),
            what: what.into(),
        }
    }

    pub(super) fn width(&self, what: impl Into<String>, rule: impl Into<String>) -> Refused {
        Refused::Width {
            path: self.path.clone(),
            what: what.into(),
            rule: rule.into(),
        }
    }

    /// `a[i + 1].q.next` as `a$3$q`.
    pub(super) fn fold(&self, name: &str) -> Result<String, Refused> {
        let mut s = name.replace("::", "$").replace('.', "$");
        s = s.trim_start_matches('$').to_string();
        if let Some(rest) = s.strip_suffix("$next") {
            s = rest.to_string();
        }
        while let Some(open) = s.find('[') {
            let Some(close) = matching(&s, open) else {
                return Err(self.unsupported(format!("the index in `{name}`")));
            };
            let index = self.index(&s[open + 1..close], name)?;
            s = format!("{}${index}{}", &s[..open], &s[close + 1..]);
        }
        Ok(s)
    }

    /// The value of an index expression over literals and loop variables.
    fn index(&self, text: &str, whole: &str) -> Result<i64, Refused> {
        let chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let mut p = Parser {
            chars: &chars,
            at: 0,
            loops: &self.loops,
        };
        match p.sum() {
            Some(n) if p.at == chars.len() => Ok(n),
            _ => Err(Refused::Undeclared {
                path: self.path.clone(),
                name: whole.into(),
                why: "an array index must be made of literals and loop variables",
            }),
        }
    }

    pub(super) fn loop_value(&self, name: &str) -> Option<i64> {
        let found = self.loops.iter().rev().find(|(n, _)| n == name);
        found.map(|(_, v)| *v)
    }

    /// The signal, constant or enum value of a folded name.
    pub(super) fn lookup(&mut self, folded: &str, source: &str) -> Result<Expr, Refused> {
        if let Some(s) = self.sigs.get(folded) {
            return Ok(s.expr());
        }
        if let Some((value, width)) = self.enums.get(folded).copied() {
            if width == 0 {
                return Err(self.width(source, "an enum of one value has no bits"));
            }
            if !self.states.contains_key(folded) {
                let name = folded.replace('$', "_");
                let sig = self
                    .m
                    .constant_named(&name, width, lit(width, value as u128));
                self.states.insert(folded.into(), sig);
            }
            return Ok(self.states[folded].expr());
        }
        let first = folded.split('$').next().unwrap_or_default();
        Err(Refused::Undeclared {
            path: self.path.clone(),
            name: source.into(),
            why: if first.starts_with('_') {
                "fields that start with `_` are not hardware"
            } else if folded.contains('$') {
                "only ports of direct children can be reached, and no const items"
            } else {
                "const items and const generics do not translate"
            },
        })
    }

    /// The width of a folded name.
    pub(super) fn width_of(&self, folded: &str) -> Option<usize> {
        let enum_width = || self.enums.get(folded).map(|(_, w)| *w);
        self.sigs.get(folded).map(Sig::width).or_else(enum_width)
    }
}

fn matching(s: &str, open: usize) -> Option<usize> {
    let mut depth = 0;
    for (i, c) in s.char_indices().skip(open) {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i);
        }
    }
    None
}

/// Sums and products of integers and loop variables.
struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    loops: &'a [(String, i64)],
}

impl Parser<'_> {
    fn take(&mut self, ops: &[char]) -> Option<char> {
        let c = *self.chars.get(self.at)?;
        ops.contains(&c).then(|| {
            self.at += 1;
            c
        })
    }

    fn sum(&mut self) -> Option<i64> {
        let mut v = self.product()?;
        while let Some(op) = self.take(&['+', '-']) {
            let r = self.product()?;
            v = if op == '+' { v + r } else { v - r };
        }
        Some(v)
    }

    fn product(&mut self) -> Option<i64> {
        let mut v = self.unit()?;
        while let Some(op) = self.take(&['*', '/', '%']) {
            let r = self.unit()?;
            v = match op {
                '*' => v * r,
                '/' => v.checked_div(r)?,
                _ => v.checked_rem(r)?,
            };
        }
        Some(v)
    }

    fn unit(&mut self) -> Option<i64> {
        if self.take(&['(']).is_some() {
            let v = self.sum()?;
            return self.take(&[')']).map(|_| v);
        }
        let word = self.chars[self.at..].iter();
        let word: String = word
            .take_while(|c| c.is_alphanumeric() || **c == '_')
            .collect();
        self.at += word.chars().count();
        let number = word.trim_end_matches("usize").replace('_', "");
        let variable = self.loops.iter().rev().find(|(n, _)| *n == word);
        number.parse().ok().or(variable.map(|(_, v)| *v))
    }
}
