//! BUF entry: fields and their coding.

use super::pkt::{fields, PHASE, TYPE};
use super::{Buf, BufId, CompletionError, DWORDS};
use crate::codes::BufStatus;
use crate::layout::{Field, Layout};

fields! {
    HDR_COOKIE = 0, 0, 32, "hdr_cookie", "has_hdr: cookie of the small buffer";
    PAGE_COOKIE = 1, 0, 32, "page_cookie", "has_page: cookie of the page";
    FILL = 2, 0, 16, "fill", "RELEASED: fill pointer, bytes from the page's start; else 0";
    HAS_PAGE = 7, 5, 1, "has_page", "a page";
    HAS_HDR = 7, 6, 1, "has_hdr", "a small buffer";
    STATUS = 7, 19, 5, "status", "how it came back";
}

const FIELDS: &[Field] = &[
    HDR_COOKIE,
    PAGE_COOKIE,
    FILL,
    TYPE,
    HAS_PAGE,
    HAS_HDR,
    STATUS,
    PHASE,
];

/// The entry's layout.
pub const LAYOUT: Layout = Layout::new(
    "cqe_buf",
    "Completion entry BUF: a buffer comes back without (more) data.",
    DWORDS,
    FIELDS,
);

pub(super) fn encode(b: &Buf, d: &mut [u32; DWORDS]) {
    match b.id {
        BufId::Small(cookie) => {
            HAS_HDR.put(d, 1);
            HDR_COOKIE.put(d, cookie.into());
        }
        BufId::Page(cookie) => {
            HAS_PAGE.put(d, 1);
            PAGE_COOKIE.put(d, cookie.into());
        }
    }
    FILL.put(d, b.fill.into());
    STATUS.put(d, b.status.code().into());
}

pub(super) fn decode(d: &[u32; DWORDS]) -> Result<Buf, CompletionError> {
    let (id, foreign, rule) = match (HAS_HDR.is_set(d), HAS_PAGE.is_set(d)) {
        (true, false) => (
            BufId::Small(HDR_COOKIE.get(d) as u32),
            PAGE_COOKIE,
            "0 with has_hdr",
        ),
        (false, true) => (
            BufId::Page(PAGE_COOKIE.get(d) as u32),
            HDR_COOKIE,
            "0 with has_page",
        ),
        _ => return Err(bad(HAS_PAGE, d, "the opposite of has_hdr")),
    };
    if foreign.is_set(d) {
        return Err(bad(foreign, d, rule));
    }
    let status = BufStatus::from_code(STATUS.get(d) as u32)
        .ok_or_else(|| bad(STATUS, d, "a defined code"))?;
    if FILL.is_set(d) && (status != BufStatus::Released || HAS_HDR.is_set(d)) {
        return Err(bad(FILL, d, "0 but for a released page"));
    }
    Ok(Buf {
        id,
        fill: FILL.get(d) as u16,
        status,
    })
}

fn bad(field: Field, d: &[u32], rule: &'static str) -> CompletionError {
    CompletionError::Field {
        entry: "BUF",
        field: field.name,
        value: field.get(d),
        rule,
    }
}
