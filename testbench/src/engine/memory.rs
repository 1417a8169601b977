//! Host memory twice: the one that the hardware reads and writes, and the model's.

use crate::axi::{self, Access};
use pagetrain_formats::{Descriptor, DESCRIPTOR_BYTES};
use pagetrain_golden::memory::Memory;
use pagetrain_golden::HostMemory;
use std::collections::HashMap;

/// What a buffer holds when it is posted, so that a byte too many shows.
const FILLING: u8 = 0xC3;

/// What the driver works on: it reads the hardware's memory and writes both. A descriptor that it writes opens
/// the buffer for the hardware; [`Twin::close`] shuts it again.
pub struct Twin {
    /// Behind the simulated bus.
    pub hw: axi::Memory,
    /// The model's.
    pub model: HostMemory,
    /// Buffers that the hardware may write, by cookie: first byte, behind the headroom, number of bytes, headroom.
    open: HashMap<u32, (u64, usize, u16)>,
}

impl Twin {
    /// Both memories. `model` has its regions already.
    pub fn new(hw: axi::Memory, model: HostMemory) -> Twin {
        Twin {
            hw,
            model,
            open: HashMap::new(),
        }
    }

    /// The buffer is the driver's: the hardware may not write it any more.
    pub fn close(&mut self, cookie: u32) {
        if let Some((addr, len, _)) = self.open.remove(&cookie) {
            self.hw.revoke(Access::Write, addr, len);
        }
    }

    /// Every buffer is the driver's again, and both memories hold what the hardware's holds.
    pub fn reset(&mut self, base: u64, len: usize) {
        let open: Vec<u32> = self.open.keys().copied().collect();
        open.into_iter().for_each(|cookie| self.close(cookie));
        self.model.poke(base, &self.hw.read_vec(base, len));
    }

    /// First of `len` bytes at `addr` in which the two differ, with both values.
    pub fn difference(&self, addr: u64, len: usize) -> Option<(u64, u8, u8)> {
        let mut hw = vec![0; len];
        let mut model = vec![0; len];
        self.hw.read(addr, &mut hw);
        self.model.read(addr, &mut model);
        let at = hw.iter().zip(&model).position(|(a, b)| a != b)?;
        Some((addr.wrapping_add(at as u64), hw[at], model[at]))
    }

    /// The hardware has not written these bytes of a buffer since it was posted.
    pub fn untouched(&self, addr: u64, len: usize) -> bool {
        self.hw.read_vec(addr, len).iter().all(|&b| b == FILLING)
    }

    /// The hardware has not written what lies behind `used` bytes of an open buffer, counted from its start with headroom;
    /// none: nothing of it.
    pub fn rest_untouched(&self, cookie: u32, used: Option<u16>) -> bool {
        let Some(&(addr, len, headroom)) = self.open.get(&cookie) else {
            return false;
        };
        let used = usize::from(used.map_or(0, |used| used - headroom));
        self.untouched(addr + used as u64, len - used)
    }

    fn write(&mut self, addr: u64, bytes: &[u8]) {
        self.hw.write(addr, bytes);
        self.model.poke(addr, bytes);
    }
}

impl Memory for Twin {
    fn read(&self, addr: u64, out: &mut [u8]) {
        self.hw.read(addr, out);
    }

    fn poke(&mut self, addr: u64, bytes: &[u8]) {
        self.write(addr, bytes);
        // Of this length the driver writes descriptors only.
        if let Ok(bytes) = <&[u8; DESCRIPTOR_BYTES]>::try_from(bytes) {
            let d = Descriptor::decode(bytes);
            let len = d.length.saturating_sub(d.headroom.into()) as usize;
            let addr = d.addr.wrapping_add(d.headroom.into());
            self.write(addr, &vec![FILLING; len]);
            self.hw.allow(Access::Write, addr, len);
            self.open.insert(d.cookie, (addr, len, d.headroom));
        }
    }
}

/// The same for a driver that does not know what it is doing: a descriptor that it writes opens nothing.
pub(super) struct Careless<'a>(pub &'a mut Twin);

impl Memory for Careless<'_> {
    fn read(&self, addr: u64, out: &mut [u8]) {
        self.0.read(addr, out);
    }

    fn poke(&mut self, addr: u64, bytes: &[u8]) {
        self.0.write(addr, bytes);
    }
}
