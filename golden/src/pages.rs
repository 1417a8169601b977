//! Pages that are being filled: who owns them, where the next byte goes, what lay where (design section 2).

use crate::error::EngineError;
use crate::memory::HostMemory;
use crate::rings::{Buffer, BufferRing};

/// The page that an owner (a flow, or the queue) is filling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The posted buffer.
    pub buffer: Buffer,
    /// Where the next byte goes, from the page's start.
    pub fill: u32,
}

impl Page {
    /// A page with nothing in it.
    pub fn new(buffer: Buffer) -> Self {
        Self {
            buffer,
            fill: buffer.headroom,
        }
    }

    /// Bytes that still fit.
    pub fn left(&self) -> u32 {
        self.buffer.length - self.fill
    }
}

/// Bytes of one packet in one page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The page.
    pub cookie: u32,
    /// First byte, from the page's start.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// It filled the page.
    pub full: bool,
}

/// Writes `data` to the owner's page and, as that one fills, to new ones, of which it fills at most `edges`. Fragments are
/// appended to `out`. The bytes written.
///
/// The caller has made sure that the pages suffice; if they do not, what fits is written.
pub fn fill(
    owner: &mut Option<Page>,
    ring: &mut BufferRing,
    data: &[u8],
    edges: usize,
    out: &mut Vec<Fragment>,
    memory: &mut HostMemory,
) -> Result<usize, EngineError> {
    let (mut left, mut filled) = (data, 0);
    while !left.is_empty() && filled < edges {
        let mut page = match owner.take() {
            Some(page) => page,
            None => match ring.take() {
                Some(buffer) => Page::new(buffer),
                None => break,
            },
        };
        let (now, later) = left.split_at(left.len().min(page.left() as usize));
        page.buffer.write(page.fill, now, memory)?;
        let fragment = Fragment {
            cookie: page.buffer.cookie,
            offset: page.fill,
            len: now.len() as u32,
            full: now.len() as u32 == page.left(),
        };
        page.fill += fragment.len;
        if fragment.full {
            filled += 1;
        } else {
            *owner = Some(page);
        }
        out.push(fragment);
        left = later;
    }
    Ok(data.len() - left.len())
}
