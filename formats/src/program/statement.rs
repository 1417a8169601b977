//! The statements of a state, each of which fills a part of its row; `matching.rs` and `length.rs` hold the larger ones.
//!
//! ```text
//! statement = "at" number                                     chunk begins at cursor + number
//!           | "need" number                                   reject a frame without that many bytes from the cursor
//!           | "set" FLAG { "," FLAG }
//!           | "mark" MARK { "," MARK }                        l3, l4, split
//!           | "end" "be16" "[" number "]" [ "+" number ]      end of the packet, from the cursor
//!           | "extract" DEST "[" number "]" { "," ... }
//!           | "advance" advance [ "min" number ]
//!           | "next" target
//!           | "match" view { "," view } "{" { arm } "}"
//! advance   = number [ "+" length ] | length
//! length    = "byte" "[" number "]" | length OP number | "(" length ")"      OP: >> then & then <<
//! view      = ( "byte" | "be16" | "be32" ) "[" number "]"
//! arm       = pattern { "," pattern } "->" target [ "set" FLAG { "," FLAG } ] | "else" "->" target
//! pattern   = number [ "/" mask ] | "*"
//! ```

use super::error::{Fault, Span, Spanned};
use super::fields::{CHUNK_BYTES, EXTRACTS, FLAGS};
use super::length::length;
use super::parse::Parser;
use super::row::{End, Extract, Row};
use super::syntax::{State, Target};
use super::Dest;

/// A state under construction.
pub(super) struct Builder {
    name: Spanned<String>,
    pub(super) row: Row,
    pub(super) arms: Vec<Spanned<Target>>,
    pub(super) next: Option<Spanned<Target>>,
    seen: Vec<String>,
}

impl Builder {
    pub(super) fn new(name: Spanned<String>) -> Self {
        Builder {
            name,
            row: Row::default(),
            arms: Vec::new(),
            next: None,
            seen: Vec::new(),
        }
    }

    /// The state, once all statements are read.
    pub(super) fn finish(self) -> Result<State, Fault> {
        let Some(next) = self.next else {
            let message = format!(
                "state `{}` leads nowhere: it needs `next`, or `match` with `else`",
                self.name.value
            );
            return Fault::new(self.name.span, message);
        };
        Ok(State {
            name: self.name,
            row: self.row,
            arms: self.arms,
            next,
        })
    }

    /// Reads one statement.
    pub(super) fn statement(&mut self, p: &mut Parser) -> Result<(), Fault> {
        let word = p.name("a statement or `}`")?;
        if self.seen.contains(&word.value) {
            let message = format!("`{}` twice in state `{}`", word.value, self.name.value);
            return Fault::new(word.span, message);
        }
        match word.value.as_str() {
            "at" => self.row.off = p.number_to("at", 255)?.value as u8,
            "need" => {
                // A frame shows no more than the window, so a larger need would reject every frame.
                let need = p.number_to("need", 255)?;
                if need.value > p.window as u64 {
                    let message = format!(
                        "need = {}: must be at most parser_window ({})",
                        need.value, p.window
                    );
                    return Fault::new(need.span, message);
                }
                self.row.need = need.value as u8;
            }
            "set" => self.row.set = flags(p)?,
            "mark" => self.marks(p)?,
            "end" => self.end(p)?,
            "extract" => self.extracts(p)?,
            "advance" => self.advance(p)?,
            "next" => {
                self.one_way_on(word.span)?;
                self.next = Some(p.target()?);
            }
            "match" => {
                self.one_way_on(word.span)?;
                self.matches(p, word.span)?;
            }
            other => {
                let message = format!("unknown statement `{other}`");
                return Fault::new(word.span, message);
            }
        }
        self.seen.push(word.value);
        Ok(())
    }

    fn one_way_on(&self, span: Span) -> Result<(), Fault> {
        if self.next.is_some() {
            return Fault::new(
                span,
                "`match` names its own `else`: `next` beside it is too much",
            );
        }
        Ok(())
    }

    fn marks(&mut self, p: &mut Parser) -> Result<(), Fault> {
        loop {
            let word = p.name("`l3`, `l4` or `split`")?;
            match word.value.as_str() {
                "l3" => self.row.mark_l3 = true,
                "l4" => self.row.mark_l4 = true,
                "split" => self.row.mark_split = true,
                other => {
                    let message = format!("unknown mark `{other}`: must be l3, l4 or split");
                    return Fault::new(word.span, message);
                }
            }
            if !p.found_sign(",") {
                return Ok(());
            }
        }
    }

    fn end(&mut self, p: &mut Parser) -> Result<(), Fault> {
        let word = p.name("`be16`")?;
        if word.value != "be16" {
            return Fault::new(word.span, "the end of a packet is told by a `be16`");
        }
        let sel = index(p, "be16", 2)?;
        let add = if p.found_sign("+") {
            p.number_to("the number added to end", 255)?.value as u8
        } else {
            0
        };
        self.row.end = Some(End { sel, add });
        Ok(())
    }

    fn extracts(&mut self, p: &mut Parser) -> Result<(), Fault> {
        for place in 0.. {
            let word = p.name("the name of a field")?;
            let known = Dest::ALL.iter().find(|d| d.name() == word.value);
            let Some(&dest) = known.filter(|&&d| d != Dest::None) else {
                let names: Vec<_> = Dest::ALL[1..].iter().map(|d| d.name()).collect();
                let message = format!(
                    "unknown field `{}`: must be one of {}",
                    word.value,
                    names.join(", ")
                );
                return Fault::new(word.span, message);
            };
            if place == EXTRACTS {
                let message = format!("extract `{}`: a state has at most 4", word.value);
                return Fault::new(word.span, message);
            }
            let sel = index(p, &word.value, dest.bytes())?;
            self.row.extracts[place] = Extract { dest, sel };
            if !p.found_sign(",") {
                break;
            }
        }
        Ok(())
    }

    fn advance(&mut self, p: &mut Parser) -> Result<(), Fault> {
        if p.peek_length() {
            self.row.advance.length = Some(length(p)?);
        } else {
            self.row.advance.add = p.number_to("advance", 255)?.value as u8;
            if p.found_sign("+") {
                self.row.advance.length = Some(length(p)?);
            }
        }
        if p.found_word("min") {
            self.row.advance.min = p.number_to("min", 255)?.value as u8;
        }
        Ok(())
    }
}

pub(super) fn flags(p: &mut Parser) -> Result<u8, Fault> {
    let mut set = 0;
    loop {
        let word = p.name("a flag")?;
        let Some(bit) = FLAGS.iter().position(|name| *name == word.value) else {
            let message = format!(
                "unknown flag `{}`: must be one of {}",
                word.value,
                FLAGS.join(", ")
            );
            return Fault::new(word.span, message);
        };
        set |= 1 << bit;
        if !p.found_sign(",") {
            return Ok(set);
        }
    }
}

/// `[number]`, the first of `bytes` bytes of the chunk.
pub(super) fn index(p: &mut Parser, what: &str, bytes: usize) -> Result<u8, Fault> {
    p.sign("[")?;
    let at = p.number()?;
    p.sign("]")?;
    let max = (CHUNK_BYTES - bytes) as u64;
    if at.value > max {
        let message = format!(
            "{what}[{}] lies outside the chunk of 16 bytes: must be at most {max}",
            at.value
        );
        return Fault::new(at.span, message);
    }
    Ok(at.value as u8)
}
