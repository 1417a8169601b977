//! The `match` statement: the key, the arms and where they lead.

use super::error::{Fault, Span, Spanned};
use super::fields::{ARMS, KEY_BYTES};
use super::parse::Parser;
use super::row::Arm;
use super::statement::{flags, index, Builder};

/// A part of the key.
struct View {
    bytes: usize,
}

impl Builder {
    /// `match`, whose keyword stands at `span`.
    pub(super) fn matches(&mut self, p: &mut Parser, span: Span) -> Result<(), Fault> {
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
