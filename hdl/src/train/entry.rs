//! Completion entries as expressions: fields of `formats` put where they belong.

use crate::build::*;
use pagetrain_formats::completion::DWORDS;
use pagetrain_formats::Field;

/// Bits of an entry.
pub const BITS: usize = 32 * DWORDS;

/// An entry with these fields; each is zero-extended to its width, all else is 0.
///
/// # Panics
/// When a value is wider than its field, or fields overlap.
pub fn entry(fields: &[(Field, Expr)]) -> Expr {
    let mut sorted: Vec<&(Field, Expr)> = fields.iter().collect();
    sorted.sort_by_key(|(field, _)| field.bit());
    let mut parts: Vec<Expr> = vec![];
    let mut at = 0;
    for (field, value) in sorted {
        assert!(
            field.bit() >= at,
            "field {} overlaps the one before",
            field.name
        );
        if field.bit() > at {
            parts.push(lit(field.bit() - at, 0));
        }
        parts.push(value.zext(field.width));
        at = field.bit() + field.width;
    }
    if at < BITS {
        parts.push(lit(BITS - at, 0));
    }
    cat_lsb_first(&parts)
}
