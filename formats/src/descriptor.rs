//! Buffer descriptors: what the host posts in the rings of small buffers and of pages.

use crate::layout::{to_bytes, to_dwords, Field, Layout};
use crate::{DESCRIPTOR_BYTES, PAGE_MIN_ROOM, RING_ALIGN, SMALL_ALIGN, SMALL_BYTES};
use thiserror::Error;

/// Bus address of the buffer.
pub const ADDR: Field = Field::new(0, 0, 64, "addr", "bus address");
/// The host's name for the buffer, reported in completions.
pub const COOKIE: Field = Field::new(2, 0, 32, "cookie", "the host's name for the buffer");
/// Bytes of the buffer.
pub const LENGTH: Field = Field::new(3, 0, 20, "length", "bytes, headroom included");
/// Bytes to leave untouched at its start.
pub const HEADROOM: Field = Field::new(3, 20, 12, "headroom", "bytes to leave at its start");

/// The descriptor's layout.
pub const DESCRIPTOR: Layout = Layout::new(
    "desc",
    "Descriptor of a posted buffer, in the small ring and in the page ring.",
    DESCRIPTOR_BYTES / 4,
    &[ADDR, COOKIE, LENGTH, HEADROOM],
);

/// One posted buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptor {
    /// Bus address: of a small buffer 256-aligned, of a page 4096-aligned.
    pub addr: u64,
    /// The host's name for the buffer.
    pub cookie: u32,
    /// Bytes, headroom included (20 bits).
    pub length: u32,
    /// Bytes to leave at the start (12 bits); 0 for a small buffer.
    pub headroom: u16,
}

/// The rule that a descriptor breaks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DescriptorError {
    /// The address is not aligned.
    #[error("addr = {addr:#x}: must be a multiple of {align}")]
    Align {
        /// Address posted.
        addr: u64,
        /// Alignment asked for.
        align: u64,
    },
    /// The length is not one that this ring takes.
    #[error("length = {length}: must be {rule}")]
    Length {
        /// Length posted.
        length: u32,
        /// What is allowed.
        rule: String,
    },
    /// The headroom is not allowed, or leaves too little room.
    #[error("headroom = {headroom}: must be {rule}")]
    Headroom {
        /// Headroom posted.
        headroom: u16,
        /// What is allowed.
        rule: String,
    },
}

impl Descriptor {
    /// As it lies in host memory.
    ///
    /// # Panics
    /// If `length` or `headroom` is wider than its field.
    pub fn encode(&self) -> [u8; DESCRIPTOR_BYTES] {
        let mut d = [0u32; DESCRIPTOR_BYTES / 4];
        ADDR.put(&mut d, self.addr);
        COOKIE.put(&mut d, self.cookie.into());
        LENGTH.put(&mut d, self.length.into());
        HEADROOM.put(&mut d, self.headroom.into());
        to_bytes(&d)
    }

    /// From host memory. Every bit pattern is a descriptor; whether it is a good one is for the checks to say.
    pub fn decode(bytes: &[u8; DESCRIPTOR_BYTES]) -> Self {
        let d: [u32; DESCRIPTOR_BYTES / 4] = to_dwords(bytes);
        Descriptor {
            addr: ADDR.get(&d),
            cookie: COOKIE.get(&d) as u32,
            length: LENGTH.get(&d) as u32,
            headroom: HEADROOM.get(&d) as u16,
        }
    }

    /// Whether the engine takes it as a small buffer.
    pub fn check_small(&self) -> Result<(), DescriptorError> {
        self.check_align(SMALL_ALIGN)?;
        if self.length as usize != SMALL_BYTES {
            return Err(self.bad_length(format!("{SMALL_BYTES} for a small buffer")));
        }
        if self.headroom != 0 {
            return Err(self.bad_headroom("0 for a small buffer".to_string()));
        }
        Ok(())
    }

    /// Whether the engine takes it as a page, pages being at most `page_size` bytes.
    pub fn check_page(&self, page_size: usize) -> Result<(), DescriptorError> {
        self.check_align(RING_ALIGN)?;
        if self.length as usize > page_size {
            return Err(self.bad_length(format!("at most page_size ({page_size})")));
        }
        if self.length < u32::from(self.headroom) + PAGE_MIN_ROOM {
            let rule = format!(
                "at least {PAGE_MIN_ROOM} less than length ({})",
                self.length
            );
            return Err(self.bad_headroom(rule));
        }
        Ok(())
    }

    fn check_align(&self, align: u64) -> Result<(), DescriptorError> {
        let addr = self.addr;
        if addr % align == 0 {
            Ok(())
        } else {
            Err(DescriptorError::Align { addr, align })
        }
    }

    fn bad_length(&self, rule: String) -> DescriptorError {
        let length = self.length;
        DescriptorError::Length { length, rule }
    }

    fn bad_headroom(&self, rule: String) -> DescriptorError {
        let headroom = self.headroom;
        DescriptorError::Headroom { headroom, rule }
    }
}
