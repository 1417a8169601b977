//! Watches what the model writes: every byte inside a buffer that is posted and not back, each page byte once.

use std::collections::HashMap;

use pagetrain_golden::memory::Write;

use super::rig::COMPLETION_RING;

#[derive(Clone, Copy, Debug)]
struct Posted {
    len: u32,
    headroom: u32,
    /// End of what was written so far.
    written: u32,
    page: bool,
}

/// Buffers by address, as the test posted them.
#[derive(Default)]
pub struct Watch {
    posted: HashMap<u64, Posted>,
    pub small_bytes: u64,
    pub page_bytes: u64,
}

impl Watch {
    pub fn post(&mut self, addr: u64, len: u32, headroom: u32, page: bool) {
        let old = self.posted.insert(
            addr,
            Posted {
                len,
                headroom,
                written: headroom,
                page,
            },
        );
        assert!(old.is_none(), "{addr:#x} is posted twice");
    }

    /// The buffer at `addr` came back: nothing is to be written there any more.
    pub fn back(&mut self, addr: u64) {
        assert!(
            self.posted.remove(&addr).is_some(),
            "{addr:#x} came back twice"
        );
    }

    pub fn check(&mut self, writes: &[Write], ring_bytes: u64) {
        for write in writes {
            if (COMPLETION_RING..COMPLETION_RING + ring_bytes).contains(&write.addr) {
                assert_eq!((write.addr % 32, write.len), (0, 32), "a completion entry");
                continue;
            }
            // Small buffers lie 256 bytes apart, pages at least 64 KiB.
            let base = |step: u64| write.addr / step * step;
            let small = self.posted.get_mut(&base(256)).filter(|p| !p.page);
            if let Some(small) = small {
                assert_eq!(
                    (small.written, write.addr % 256),
                    (0, 0),
                    "a small buffer is written once, from its start"
                );
                assert!(write.len <= 256);
                small.written = write.len as u32;
                self.small_bytes += write.len as u64;
                continue;
            }
            let page = self.posted.get_mut(&base(0x1_0000)).filter(|p| p.page);
            let page = page.unwrap_or_else(|| panic!("{write:x?} outside of every posted buffer"));
            let offset = (write.addr % 0x1_0000) as u32;
            assert_eq!(
                offset, page.written,
                "{write:x?}: bytes of a page follow each other"
            );
            assert!(offset >= page.headroom, "{write:x?} in the headroom");
            page.written += write.len as u32;
            assert!(page.written <= page.len, "{write:x?} beyond the page");
            self.page_bytes += write.len as u64;
        }
    }
}
