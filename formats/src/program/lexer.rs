//! Words, numbers and signs of the program text.

use super::error::{Fault, Span, Spanned};

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword.
    Name(String),
    /// A number: decimal, or hexadecimal with `0x`; `_` may separate digits.
    Number(u64),
    /// A sign.
    Sign(&'static str),
    /// End of the text.
    End,
}

impl Token {
    /// As it is called in a message.
    pub fn describe(&self) -> String {
        match self {
            Token::Name(name) => format!("`{name}`"),
            Token::Number(number) => format!("{number}"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end of the file".to_string(),
        }
    }
}

/// Signs, longer ones before their beginnings.
const SIGNS: &[&str] = &[
    "->", ">>", "<<", "{", "}", "[", "]", "(", ")", ",", "=", "+", "/", "*", "&",
];

/// Splits the text; the last token is [`Token::End`].
pub fn tokens(text: &str) -> Result<Vec<Spanned<Token>>, Fault> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (value, len) = if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        } else if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if first.is_ascii_alphanumeric() || first == '_' {
            let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let word = &rest[..len.unwrap_or(rest.len())];
            let span = Span {
                start: at,
                len: word.len(),
            };
            (word_token(word, span)?, word.len())
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            let len = first.len_utf8();
            let message = format!("unexpected character {first:?}");
            return Fault::new(Span { start: at, len }, message);
        };
        let span = Span { start: at, len };
        found.push(Spanned { value, span });
        at += len;
    }
    let span = Span {
        start: text.len(),
        len: 0,
    };
    let value = Token::End;
    found.push(Spanned { value, span });
    Ok(found)
}

fn word_token(word: &str, span: Span) -> Result<Token, Fault> {
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Token::Name(word.to_string()));
    }
    let digits = word.replace('_', "");
    let number = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let rule = "not a number: decimal or 0x hexadecimal, at most 64 bits";
    number
        .map(Token::Number)
        .or_else(|_| Fault::new(span, format!("{word}: {rule}")))
}
