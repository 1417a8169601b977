//! The part of an advance that the frame itself tells.

use super::error::{Fault, Span};
use super::lexer::Token;
use super::parse::Parser;
use super::row::Length;
use super::statement::index;

/// The form of a length, for messages.
const LENGTH_FORM: &str = "a length is ((byte[i] >> r) & m) << l, in this order";

/// A length taken from the chunk: operators in the order of the hardware, each operand in parentheses.
pub(super) fn length(p: &mut Parser) -> Result<Length, Fault> {
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
