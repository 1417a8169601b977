//! Bundles: the packed records that streams between blocks carry (`docs/src/interfaces.md`).
//!
//! A bundle is a list of named fields in one vector, the first field at bit 0. Both ends of a stream
//! take the layout from here, so a field that moves cannot be read from its old place.

use crate::build::{cat_lsb_first, clog2, Expr};
use pagetrain_formats::Config;

/// The layout of a packed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    name: &'static str,
    fields: Vec<(&'static str, usize)>,
}

impl Bundle {
    pub(crate) fn new(name: &'static str, fields: &[(&'static str, usize)]) -> Self {
        Bundle {
            name,
            fields: fields.to_vec(),
        }
    }

    /// This bundle's fields and then `more`, under another name.
    fn extend(&self, name: &'static str, more: &[(&'static str, usize)]) -> Self {
        let fields = self.fields.iter().chain(more).copied().collect();
        Bundle { name, fields }
    }

    /// Bits of the whole record.
    pub fn width(&self) -> usize {
        self.fields.iter().map(|f| f.1).sum()
    }

    /// The fields, in order from bit 0: name and width.
    pub fn fields(&self) -> &[(&'static str, usize)] {
        &self.fields
    }

    /// Lowest bit and width of a field. Panics on a name that the bundle does not have.
    pub fn place(&self, field: &str) -> (usize, usize) {
        let mut lsb = 0;
        for &(name, width) in &self.fields {
            if name == field {
                return (lsb, width);
            }
            lsb += width;
        }
        panic!("bundle {} has no field `{field}`", self.name)
    }

    /// A field of a packed record.
    pub fn get(&self, record: impl Into<Expr>, field: &str) -> Expr {
        let record = record.into();
        assert_eq!(
            record.width(),
            self.width(),
            "bundle {}: `{field}` read from a vector of another width",
            self.name
        );
        let (lsb, width) = self.place(field);
        record.bits(lsb, width)
    }

    /// Packs a record. Every field must be given once, at its width; the order does not matter.
    pub fn pack(&self, values: &[(&str, Expr)]) -> Expr {
        for (name, value) in values {
            let (_, width) = self.place(name);
            assert_eq!(
                value.width(),
                width,
                "bundle {}: field `{name}` has another width",
                self.name
            );
        }
        assert_eq!(
            values.len(),
            self.fields.len(),
            "bundle {}: {} fields given of {}",
            self.name,
            values.len(),
            self.fields.len()
        );
        let parts: Vec<Expr> = self
            .fields
            .iter()
            .map(|(name, _)| match values.iter().find(|v| v.0 == *name) {
                Some((_, value)) => value.clone(),
                None => panic!("bundle {}: field `{name}` is missing", self.name),
            })
            .collect();
        cat_lsb_first(&parts)
    }
}

/// What the parser knows of a frame. All but `reject` is 0 where `reject` is 1.
pub fn parse() -> Bundle {
    Bundle::new(
        "PARSE",
        &[
            ("reject", 1),
            ("flags", 8),
            ("l3_off", 8),
            ("l4_off", 9),
            ("split", 9),
            ("l4_valid", 1),
            ("split_valid", 1),
            ("end_valid", 1),
            ("end", 16),
            ("vlan0", 16),
            ("vlan1", 16),
            ("src", 128),
            ("dst", 128),
            ("sport", 16),
            ("dport", 16),
            ("seq", 32),
            ("tcp_flags", 8),
        ],
    )
}

/// What is known of a whole frame: [`parse`] after the final decision, length, number, verdicts.
pub fn meta() -> Bundle {
    parse().extend(
        "META",
        &[
            ("bad", 1),
            ("frame_len", 16),
            ("rx_seq", 16),
            ("ip_csum", 2),
            ("l4_csum", 2),
        ],
    )
}

/// Bits of the address of a D-bit word in the frame store.
pub fn store_word_bits(cfg: &Config) -> usize {
    clog2(cfg.ingress_bytes / (cfg.dma_width / 8))
}

/// Bits of a byte address in the frame store.
pub fn store_byte_bits(cfg: &Config) -> usize {
    clog2(cfg.ingress_bytes)
}

/// A stored frame: [`meta`] and the word at which it begins.
pub fn frame(cfg: &Config) -> Bundle {
    meta().extend("FRAME", &[("word", store_word_bits(cfg))])
}

/// A flow's key.
pub fn key() -> Bundle {
    Bundle::new(
        "KEY",
        &[
            ("v6", 1),
            ("has_vlan0", 1),
            ("has_vlan1", 1),
            ("vlan0", 16),
            ("vlan1", 16),
            ("src", 128),
            ("dst", 128),
            ("sport", 16),
            ("dport", 16),
        ],
    )
}

/// A posted small buffer: bits 63:8 of its address, cookie.
pub fn small() -> Bundle {
    Bundle::new("SMALL", &[("addr", 56), ("cookie", 32)])
}

/// A posted page: bits 63:12 of its address, cookie, length and headroom in bytes.
pub fn page() -> Bundle {
    Bundle::new(
        "PAGE",
        &[
            ("addr", 52),
            ("cookie", 32),
            ("length", 17),
            ("headroom", 12),
        ],
    )
}

/// A copy from the frame store to host memory, or a step of rewriting a header on such a way ([`patch`]).
pub fn cmd(cfg: &Config) -> Bundle {
    Bundle::new(
        "CMD",
        &[
            ("src", store_byte_bits(cfg)),
            ("len", 14),
            ("addr", 64),
            ("free", 1),
            ("words", store_word_bits(cfg)),
            // Add the bytes to the ones' complement sum; the sum begins anew; the first byte is the second of its
            // 16-bit word; subtract instead.
            ("sum", 1),
            ("anew", 1),
            ("odd", 1),
            ("minus", 1),
            // Read, write nothing.
            ("no_write", 1),
            // Words that are read are patched.
            ("patch", 1),
            // Copy nothing: `src` and `addr` (as PATCH) set a patch.
            ("set", 1),
        ],
    )
}

/// What `addr` of a CMD with `set` holds: the 16 bits at `src` become `value`, or the complement of sum and `value`.
/// Setting slot 0 forgets the others.
pub fn patch() -> Bundle {
    Bundle::new(
        "PATCH",
        &[
            ("value", 16),
            ("slot", 3),
            ("from_sum", 1),
            ("reserved", 44),
        ],
    )
}

/// Bits of a slot number: `flows` flows and one slot for frames that are not watched.
pub fn slot_bits(cfg: &Config) -> usize {
    clog2(cfg.flows + 1)
}

/// Bits of an index into a slot's ring of records.
pub fn record_bits(cfg: &Config) -> usize {
    clog2(cfg.train_entries)
}

/// What goes to the completion ring next: one whole entry, or the records of a train.
pub fn emit(cfg: &Config) -> Bundle {
    Bundle::new(
        "EMIT",
        &[
            ("direct", 1),
            ("entry", 256),
            ("slot", slot_bits(cfg)),
            ("start", record_bits(cfg)),
            ("count", 7),
            ("train_bytes", 20),
            ("train_packets", 7),
            ("reason", 5),
            ("fence", 16),
        ],
    )
}

/// A burst's address: byte address, beats - 1.
pub fn aw() -> Bundle {
    Bundle::new("AW", &[("addr", 64), ("len", 8)])
}

/// A beat of write data.
pub fn wd(dma_width: usize) -> Bundle {
    Bundle::new(
        "WD",
        &[("data", dma_width), ("strb", dma_width / 8), ("last", 1)],
    )
}

/// A read burst's address, as [`aw`].
pub fn ar() -> Bundle {
    Bundle::new("AR", &[("addr", 64), ("len", 8)])
}

/// A beat of read data.
pub fn rd(dma_width: usize) -> Bundle {
    Bundle::new("RD", &[("data", dma_width), ("last", 1)])
}
