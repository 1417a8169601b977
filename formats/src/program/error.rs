//! A compiler message: where, what, and the line with a caret under it.
//!
//! Written here rather than taken from a diagnostics crate: this crate is a leaf that everything links, and one
//! label on one line is all that the language needs.

use thiserror::Error;

/// Bytes of the program text, from `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// Number of bytes.
    pub len: usize,
}

/// A value and where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// What is wrong and where, before the text is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// What.
    pub message: String,
}

impl Fault {
    /// A message about a place.
    pub fn new<T>(span: Span, message: impl Into<String>) -> Result<T, Fault> {
        let message = message.into();
        Err(Fault { span, message })
    }
}

/// Why a program was refused. Its one-line form is `file:line:column: message`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Error {
    /// Name of the file, as given to the compiler.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong: names the thing, its value and the rule.
    pub message: String,
    /// The line's text.
    pub text: String,
    /// Characters to underline, at least 1.
    pub length: usize,
}

impl Error {
    /// Places a fault in its text.
    pub(crate) fn new(fault: Fault, text: &str, file: &str) -> Self {
        let start = fault.span.start.min(text.len());
        let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[begin..].split('\n').next().unwrap_or("").trim_end();
        let end = (start + fault.span.len).min(begin + line.len());
        let underlined = text.get(start..end).unwrap_or("");
        Error {
            file: file.to_string(),
            line: 1 + text[..begin].matches('\n').count(),
            column: 1 + text[begin..start].chars().count(),
            message: fault.message,
            text: line.to_string(),
            length: underlined.chars().count().max(1),
        }
    }

    /// The message with the line and a caret under the place, several lines.
    pub fn render(&self) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        // Tabs stay tabs, so that the caret stands under its text whatever their width.
        let before = self.text.chars().take(self.column - 1);
        let indent: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
        let carets = "^".repeat(self.length);
        format!(
            "{self}\n{margin} |\n{number} | {}\n{margin} | {indent}{carets}\n",
            self.text
        )
    }
}
