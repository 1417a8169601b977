//! The statements of a state, each of which fills a part of its row.
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
use super::fields::{ARMS, CHUNK_BYTES, EXTRACTS, FLAGS, KEY_BYTES};
use super::lexer::Token;
use super::parse::Parser;
use super::row::{Arm, End, Extract, Length, Row};
use super::syntax::{State, Target};
use super::Dest;

/// A state under construction.
pub(super) struct Builder {
    name: Spanned<String>,
    row: Row,
    arms: Vec<Spanned<Target>>,
    next: Option<Spanned<Target>>,
    seen: Vec<String>,
}

/// A part of the key.
struct View {
    bytes: usize,
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

    fn matches(&mut self, p: &mut Parser, span: Span) -> Result<(), Fault> {
        let views = self.views(p)?;
        p.sign("{")?;
        loop {
            if p.found_word("else") {
                p.sign("->")?;
                self.next = Some(p.target()?);
                p.sign("}")?;
                return Ok(());
            }
            if p.found_sign("}") {
                return Fault::new(span, "`match` without `else`: what if no arm matches?");
            }
            self.arm(p, &views)?;
        }
    }

    fn views(&mut self, p: &mut Parser) -> Result<Vec<View>, Fault> {
        let mut views = Vec::new();
        let mut bytes = 0;
        loop {
            let word = p.name("`byte`, `be16` or `be32`")?;
            let size = match word.value.as_str() {
                "byte" => 1,
                "be16" => 2,
                "be32" => 4,
                other => {
                    let message = format!("unknown view `{other}`: must be byte, be16 or be32");
                    return Fault::new(word.span, message);
                }
            };
            let sel = index(p, &word.value, size)?;
            if bytes + size > KEY_BYTES {
                let message = format!("key of {} bytes: must be at most 4", bytes + size);
                return Fault::new(word.span, message);
            }
            for i in 0..size {
                self.row.key_sel[bytes + i] = sel + i as u8;
            }
            bytes += size;
            views.push(View { bytes: size });
            if !p.found_sign(",") {
                return Ok(views);
            }
        }
    }

    fn arm(&mut self, p: &mut Parser, views: &[View]) -> Result<(), Fault> {
        let (mut value, mut mask, mut left) = (0u32, 0u32, KEY_BYTES);
        let start = p.here();
        for (i, view) in views.iter().enumerate() {
            if i > 0 {
                p.sign(",")?;
            }
            let (v, m) = pattern(p, view)?;
            left -= view.bytes;
            value |= v << (8 * left);
            mask |= m << (8 * left);
        }
        let end = p.sign("->")?;
        let span = Span {
            start,
            len: end.start.saturating_sub(start + 1).max(1),
        };
        let place = self.arms.len();
        if place == ARMS {
            return Fault::new(
                span,
                "a fifth arm: a state has at most 4 (`else` not counted)",
            );
        }
        let covered = |arm: &Arm| arm.mask & mask == arm.mask && value & arm.mask == arm.value;
        if let Some(by) = self.row.arms[..place].iter().position(covered) {
            let message = format!("this arm never matches: arm {} takes all of it", by + 1);
            return Fault::new(span, message);
        }
        self.arms.push(p.target()?);
        let set = if p.found_word("set") { flags(p)? } else { 0 };
        self.row.arms[place] = Arm {
            value,
            mask,
            set,
            ..Arm::NEVER
        };
        Ok(())
    }
}

fn flags(p: &mut Parser) -> Result<u8, Fault> {
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
fn index(p: &mut Parser, what: &str, bytes: usize) -> Result<u8, Fault> {
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

/// Value and mask of one pattern, right-aligned.
fn pattern(p: &mut Parser, view: &View) -> Result<(u32, u32), Fault> {
    if p.found_sign("*") {
        return Ok((0, 0));
    }
    let all = u32::MAX >> (32 - 8 * view.bytes);
    let bits = 8 * view.bytes;
    let value = p.number()?;
    let wide = |what, n: &Spanned<u64>| {
        let message = format!(
            "{what} {:#x} is wider than its {bits} bits of the key",
            n.value
        );
        Fault::new(n.span, message)
    };
    if value.value > all.into() {
        return wide("value", &value);
    }
    if !p.found_sign("/") {
        return Ok((value.value as u32, all));
    }
    let mask = p.number()?;
    if mask.value > all.into() {
        return wide("mask", &mask);
    }
    if value.value & !mask.value != 0 {
        let message = format!(
            "value {:#x} has bits outside its mask {:#x}: it never matches",
            value.value, mask.value
        );
        return Fault::new(value.span, message);
    }
    Ok((value.value as u32, mask.value as u32))
}

/// The form of a length, for messages.
const LENGTH_FORM: &str = "a length is ((byte[i] >> r) & m) << l, in this order";

/// A length taken from the chunk: operators in the order of the hardware, each operand in parentheses.
fn length(p: &mut Parser) -> Result<Length, Fault> {
    let (length, _) = length_step(p, 0)?;
    Ok(length)
}

/// The length so far, and the last operator in it (0: none).
fn length_step(p: &mut Parser, depth: usize) -> Result<(Length, u8), Fault> {
    let word = p.take();
    let (mut length, stage) = match &word.value {
        Token::Sign("(") if depth == 4 => return Fault::new(word.span, LENGTH_FORM),
        Token::Sign("(") => {
            let inner = length_step(p, depth + 1)?;
            p.sign(")")?;
            inner
        }
        Token::Name(name) if name == "byte" => {
            let sel = index(p, "byte", 1)?;
            let length = Length {
                sel,
                rshift: 0,
                mask: 0xff,
                lshift: 0,
            };
            (length, 0)
        }
        _ => return p.unexpected(&word, "`byte` or `(`"),
    };
    for (order, sign) in [(1, ">>"), (2, "&"), (3, "<<")] {
        let start = p.here();
        if !p.found_sign(sign) {
            continue;
        }
        if stage >= order {
            let len = sign.len();
            return Fault::new(Span { start, len }, LENGTH_FORM);
        }
        match order {
            1 => length.rshift = p.number_to("shift", 7)?.value as u8,
            2 => length.mask = p.number_to("mask", 255)?.value as u8,
            _ => length.lshift = p.number_to("shift", 7)?.value as u8,
        }
        return Ok((length, order));
    }
    Ok((length, stage))
}
