//! Tokens to states: the items of the text. The statements of a state are in `statement.rs`.
//!
//! ```text
//! program   = { "const" NAME "=" number | state | repeat }
//! repeat    = "repeat" number "else" target "{" state { state } "}"
//! state     = "state" NAME "{" { statement } "}"
//! target    = NAME | "again" NAME | "accept" | "reject"
//! number    = decimal | "0x" hexadecimal | name of a const
//! ```

use super::error::{Fault, Span, Spanned};
use super::lexer::{tokens, Token};
use super::statement::Builder;
use super::syntax::{Item, State, Target};
use std::collections::HashMap;

/// Largest number of copies of a repeat block: no program memory holds more than 64 rows.
const MAX_COPIES: u64 = 16;
/// Words that no state or const may have as its name.
const KEYWORDS: &[&str] = &[
    "accept", "advance", "again", "at", "be16", "be32", "byte", "const", "else", "end", "extract",
    "mark", "match", "min", "need", "next", "reject", "repeat", "set", "state",
];

/// Parses a whole program. `window` is the configuration's parser window in bytes.
pub fn parse(text: &str, window: usize) -> Result<Vec<Item>, Fault> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        consts: HashMap::new(),
        window,
    };
    let mut items = Vec::new();
    loop {
        let token = parser.take();
        match &token.value {
            Token::End => return Ok(items),
            Token::Name(word) if word == "const" => parser.constant()?,
            Token::Name(word) if word == "state" => items.push(Item::State(parser.state()?)),
            Token::Name(word) if word == "repeat" => items.push(parser.repeat()?),
            _ => return parser.unexpected(&token, "`const`, `state` or `repeat`"),
        }
    }
}

/// Reads tokens in order.
pub(super) struct Parser {
    tokens: Vec<Spanned<Token>>,
    at: usize,
    consts: HashMap<String, u64>,
    /// The configuration's parser window in bytes.
    pub(super) window: usize,
}

impl Parser {
    fn constant(&mut self) -> Result<(), Fault> {
        let name = self.new_name("a name for the const")?;
        self.sign("=")?;
        let number = self.number()?;
        if self
            .consts
            .insert(name.value.clone(), number.value)
            .is_some()
        {
            let message = format!("const `{}` is defined twice", name.value);
            return Fault::new(name.span, message);
        }
        Ok(())
    }

    fn repeat(&mut self) -> Result<Item, Fault> {
        let copies = self.number_to("copies", MAX_COPIES)?;
        if copies.value == 0 {
            return Fault::new(copies.span, "copies = 0: must be 1 to 16");
        }
        self.keyword("else")?;
        let otherwise = self.target()?;
        if matches!(otherwise.value, Target::Again(_)) {
            let message = "`again` means nothing here: the last copy must lead out of the block";
            return Fault::new(otherwise.span, message);
        }
        self.sign("{")?;
        let mut states = Vec::new();
        while !self.found_sign("}") {
            self.keyword("state")?;
            states.push(self.state()?);
        }
        Ok(Item::Repeat {
            copies: copies.value as usize,
            otherwise,
            states,
        })
    }

    fn state(&mut self) -> Result<State, Fault> {
        let name = self.new_name("a name for the state")?;
        self.sign("{")?;
        let mut builder = Builder::new(name);
        while !self.found_sign("}") {
            builder.statement(self)?;
        }
        builder.finish()
    }

    /// Where to go on.
    pub(super) fn target(&mut self) -> Result<Spanned<Target>, Fault> {
        let word = self.name("a state, `again`, `accept` or `reject`")?;
        let mut span = word.span;
        let value = match word.value.as_str() {
            "accept" => Target::Accept,
            "reject" => Target::Reject,
            "again" => {
                let name = self.name("the name of a state of this repeat block")?;
                span.len = name.span.start + name.span.len - span.start;
                Target::Again(name.value)
            }
            _ => Target::State(word.value),
        };
        Ok(Spanned { value, span })
    }

    /// The next token; the end stays.
    pub(super) fn take(&mut self) -> Spanned<Token> {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Where the next token begins.
    pub(super) fn here(&self) -> usize {
        self.tokens[self.at].span.start
    }

    /// Whether a length taken from the chunk comes next.
    pub(super) fn peek_length(&self) -> bool {
        match &self.tokens[self.at].value {
            Token::Name(name) => name == "byte",
            token => *token == Token::Sign("("),
        }
    }

    /// A name, described as `wanted` if it is missing.
    pub(super) fn name(&mut self, wanted: &str) -> Result<Spanned<String>, Fault> {
        let token = self.take();
        match token.value {
            Token::Name(value) => Ok(Spanned {
                value,
                span: token.span,
            }),
            _ => self.unexpected(&token, wanted),
        }
    }

    fn new_name(&mut self, wanted: &str) -> Result<Spanned<String>, Fault> {
        let name = self.name(wanted)?;
        if KEYWORDS.contains(&name.value.as_str()) {
            let message = format!("`{}` is a word of the language, not a name", name.value);
            return Fault::new(name.span, message);
        }
        Ok(name)
    }

    fn keyword(&mut self, word: &str) -> Result<Span, Fault> {
        let token = self.take();
        match &token.value {
            Token::Name(name) if name == word => Ok(token.span),
            _ => self.unexpected(&token, &format!("`{word}`")),
        }
    }

    /// Takes the next token if it is this word.
    pub(super) fn found_word(&mut self, word: &str) -> bool {
        let found = matches!(&self.tokens[self.at].value, Token::Name(name) if name == word);
        self.at += usize::from(found);
        found
    }

    /// The sign, or an error.
    pub(super) fn sign(&mut self, sign: &str) -> Result<Span, Fault> {
        let token = self.take();
        match token.value {
            Token::Sign(found) if found == sign => Ok(token.span),
            _ => self.unexpected(&token, &format!("`{sign}`")),
        }
    }

    /// Takes the next token if it is this sign.
    pub(super) fn found_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens[self.at].value, Token::Sign(here) if here == sign);
        self.at += usize::from(found);
        found
    }

    /// A number or the name of a const.
    pub(super) fn number(&mut self) -> Result<Spanned<u64>, Fault> {
        let token = self.take();
        let span = token.span;
        match &token.value {
            Token::Number(value) => Ok(Spanned {
                value: *value,
                span,
            }),
            Token::Name(name) => match self.consts.get(name) {
                Some(&value) => Ok(Spanned { value, span }),
                None if KEYWORDS.contains(&name.as_str()) => self.unexpected(&token, "a number"),
                None => Fault::new(span, format!("unknown const `{name}`")),
            },
            _ => self.unexpected(&token, "a number"),
        }
    }

    /// A number from 0 to `max`; `what` names it in the message.
    pub(super) fn number_to(&mut self, what: &str, max: u64) -> Result<Spanned<u64>, Fault> {
        let number = self.number()?;
        if number.value > max {
            let message = format!("{what} = {}: must be at most {max}", number.value);
            return Fault::new(number.span, message);
        }
        Ok(number)
    }

    /// The error for a token that does not belong there.
    pub(super) fn unexpected<T>(&self, token: &Spanned<Token>, wanted: &str) -> Result<T, Fault> {
        let message = format!("expected {wanted}, found {}", token.value.describe());
        Fault::new(token.span, message)
    }
}
