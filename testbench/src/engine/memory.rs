//! Host memory twice: the one that the hardware reads and writes, and the model's.

use crate::axi::{self, Access};
use pagetrain_formats::{Descriptor, DESCRIPTOR_BYTES};
use pagetrain_golden::memory::Memory;
use pagetrain_golden::HostMemory;
use std::collections::HashMap;

/// What the driver works on: it reads the hardware's memory and writes both. A descriptor that it writes opens
/// the buffer for the hardware; [`Twin::close`] shuts it again.
pub struct Twin {
    /// Behind the simulated bus.
    pub hw: axi::Memory,
    /// The model's.
    pub model: HostMemory,
    open: HashMap<u32, (u64, usize)>,
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
        if let Some((addr, len)) = self.open.remove(&cookie) {
            self.hw.revoke(Access::Write, addr, len);
        }
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
}

impl Memory for Twin {
    fn read(&self, addr: u64, out: &mut [u8]) {
        self.hw.read(addr, out);
    }

    fn poke(&mut self, addr: u64, bytes: &[u8]) {
        self.hw.write(addr, bytes);
        self.model.poke(addr, bytes);
        // The driver writes nothing but descriptors.
        if let Ok(bytes) = <&[u8; DESCRIPTOR_BYTES]>::try_from(bytes) {
            let d = Descriptor::decode(bytes);
            let (start, len) = (
                u64::from(d.headroom),
                d.length.saturating_sub(d.headroom.into()),
            );
            let place = (d.addr.wrapping_add(start), len as usize);
            self.hw.allow(Access::Write, place.0, place.1);
            self.open.insert(d.cookie, place);
        }
    }
}
