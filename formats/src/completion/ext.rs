//! EXT entry: fields and their coding.

use super::pkt::{fields, PHASE, TYPE};
use super::{CompletionError, Ext, DWORDS};
use crate::layout::{Field, Layout};

fields! {
    HDR_COOKIE = 0, 0, 32, "hdr_cookie", "has_hdr: cookie of the second small buffer";
    PAGE_COOKIE = 1, 0, 32, "page_cookie", "has_page: cookie of the page";
    PAGE_OFFSET = 2, 0, 16, "page_offset", "has_page: where the fragment begins, bytes from the page's start";
    FRAG_LEN = 2, 16, 16, "frag_len", "has_page: bytes of the fragment";
    PAGE_FULL = 7, 4, 1, "page_full", "this fragment filled its page";
    HAS_PAGE = 7, 5, 1, "has_page", "a page fragment";
    HAS_HDR = 7, 6, 1, "has_hdr", "the second small buffer";
}

const FIELDS: &[Field] = &[
    HDR_COOKIE,
    PAGE_COOKIE,
    PAGE_OFFSET,
    FRAG_LEN,
    TYPE,
    PAGE_FULL,
    HAS_PAGE,
    HAS_HDR,
    PHASE,
];

/// The entry's layout.
pub const LAYOUT: Layout = Layout::new(
    "cqe_ext",
    "Completion entry EXT: one more buffer of the packet before it.",
    DWORDS,
    FIELDS,
);

pub(super) fn encode(e: &Ext, d: &mut [u32; DWORDS]) {
    match *e {
        Ext::Small { cookie } => {
            HAS_HDR.put(d, 1);
            HDR_COOKIE.put(d, cookie.into());
        }
        Ext::Page {
            cookie,
            offset,
            len,
            full,
        } => {
            HAS_PAGE.put(d, 1);
            PAGE_COOKIE.put(d, cookie.into());
            PAGE_OFFSET.put(d, offset.into());
            FRAG_LEN.put(d, len.into());
            PAGE_FULL.put(d, full.into());
        }
    }
}

pub(super) fn decode(d: &[u32; DWORDS]) -> Result<Ext, CompletionError> {
    let (foreign, rule) = match (HAS_HDR.is_set(d), HAS_PAGE.is_set(d)) {
        (true, false) => (
            &[PAGE_COOKIE, PAGE_OFFSET, FRAG_LEN, PAGE_FULL][..],
            "0 with has_hdr",
        ),
        (false, true) => (&[HDR_COOKIE][..], "0 with has_page"),
        _ => return Err(bad(HAS_PAGE, d, "the opposite of has_hdr")),
    };
    if let Some(&field) = foreign.iter().find(|field| field.is_set(d)) {
        return Err(bad(field, d, rule));
    }
    Ok(if HAS_HDR.is_set(d) {
        Ext::Small {
            cookie: HDR_COOKIE.get(d) as u32,
        }
    } else {
        Ext::Page {
            cookie: PAGE_COOKIE.get(d) as u32,
            offset: PAGE_OFFSET.get(d) as u16,
            len: FRAG_LEN.get(d) as u16,
            full: PAGE_FULL.is_set(d),
        }
    })
}

fn bad(field: Field, d: &[u32], rule: &'static str) -> CompletionError {
    CompletionError::Field {
        entry: "EXT",
        field: field.name,
        value: field.get(d),
        rule,
    }
}
