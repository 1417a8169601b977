//! The register file: what the host wrote, and which writes are refused (design section 7).

use pagetrain_formats::regs::{self, Access, Legal, Register, REGISTERS};
use pagetrain_formats::{Config, Field, MergeMode};

use crate::flow::FlowKey;

/// Why a write is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not all four byte strobes are set.
    Strobes,
    /// No register there, or one that is read-only.
    NotWritable,
    /// Configuration is locked while `CTRL.enable` is 1.
    Locked,
    /// The value is not one that the register takes.
    Illegal,
}

/// The registers' values, reads of live state apart.
#[derive(Clone, Debug)]
pub struct Registers {
    config: Config,
    values: Vec<u32>,
}

/// The settings that the data path uses, decoded once a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `CTRL.enable`.
    pub enable: bool,
    /// `CTRL.parser_enable`.
    pub parser_enable: bool,
    /// Clocks a tick.
    pub tick_clocks: u64,
    /// Leave VLAN tags out of what is written.
    pub strip_vlan: bool,
    /// Wait rather than drop.
    pub backpressure: bool,
    /// Longest frame taken, in bytes.
    pub max_frame: usize,
    /// Merge mode.
    pub merge: MergeMode,
    /// Ticks that a train is held; 0: no timer.
    pub defer_ticks: u64,
    /// Packets that close a train.
    pub max_aggr: u32,
    /// Payload bytes that close a train.
    pub max_bytes: u32,
    /// Least payload of a segment that creates an entry, in bytes.
    pub admit_min: usize,
    /// Each train begins a new page.
    pub fresh_page: bool,
    /// Pages that a train fills before `page_split` closes it; none: it is off.
    pub train_pages: Option<u32>,
    /// Where the small ring lies.
    pub small_ring: Place,
    /// Where the page ring lies.
    pub page_ring: Place,
    /// Where the completion ring lies.
    pub completion_ring: Place,
}

/// Where a ring lies in host memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bus address of its first entry.
    pub base: u64,
    /// Base-2 logarithm of its entries.
    pub log2: u32,
}

impl Registers {
    /// Values after power-up.
    pub fn new(config: &Config) -> Self {
        let values = REGISTERS.iter().map(|r| r.reset.value(config)).collect();
        Self {
            config: *config,
            values,
        }
    }

    /// Whether a write of a register or of program memory would be taken, its value and doorbells apart.
    pub fn check(&self, addr: u16, strobes: u8) -> Result<Target, Refusal> {
        if strobes & 0xF != 0xF {
            return Err(Refusal::Strobes);
        }
        let addr = addr & !3;
        let program_end = usize::from(regs::PROGRAM_BASE) + 64 * self.config.parser_states;
        let (target, access) = if addr >= regs::PROGRAM_BASE && usize::from(addr) < program_end {
            let dword = usize::from(addr - regs::PROGRAM_BASE) / 4;
            let (row, dword) = (dword / 16, dword % 16);
            (Target::Program { row, dword }, Access::Cfg)
        } else {
            let register = regs::by_addr(addr).ok_or(Refusal::NotWritable)?;
            (Target::Register(register), register.access)
        };
        match access {
            Access::Ro => Err(Refusal::NotWritable),
            Access::Cfg if self.flag(regs::CTRL, regs::CTRL_ENABLE) => Err(Refusal::Locked),
            _ => Ok(target),
        }
    }

    /// Stores a value that the register takes; bits outside its fields are left out.
    pub fn store(&mut self, register: &Register, value: u32) -> Result<(), Refusal> {
        if !register.legal.allows(value, &self.config) {
            return Err(Refusal::Illegal);
        }
        if matches!(register.access, Access::Wo | Access::W1c)
            || matches!(register.legal, Legal::Doorbell)
        {
            return Ok(());
        }
        if let Some(index) = index_of(register.addr) {
            self.values[index] = value & register.mask();
        }
        Ok(())
    }

    /// The value that the host last wrote, or the constant; 0 for an address outside the map.
    pub fn get(&self, addr: u16) -> u32 {
        index_of(addr).map_or(0, |index| self.values[index])
    }

    fn field(&self, addr: u16, field: Field) -> u32 {
        field.get(&[self.get(addr)]) as u32
    }

    fn flag(&self, addr: u16, field: Field) -> bool {
        self.field(addr, field) == 1
    }

    fn place(&self, base_lo: u16, base_hi: u16, log2: u16) -> Place {
        Place {
            base: u64::from(self.get(base_hi)) << 32 | u64::from(self.get(base_lo)),
            log2: self.get(log2),
        }
    }

    /// The settings of the data path.
    pub fn settings(&self) -> Settings {
        let page_split = self.flag(regs::Q_PAGE_CTRL, regs::Q_PAGE_CTRL_PAGE_SPLIT);
        Settings {
            enable: self.flag(regs::CTRL, regs::CTRL_ENABLE),
            parser_enable: self.flag(regs::CTRL, regs::CTRL_PARSER_ENABLE),
            tick_clocks: self.get(regs::TICK_CLOCKS).into(),
            strip_vlan: self.flag(regs::RX_CTRL, regs::RX_CTRL_STRIP_VLAN),
            backpressure: self.flag(regs::RX_CTRL, regs::RX_CTRL_BACKPRESSURE),
            max_frame: self.get(regs::MAX_FRAME) as usize,
            merge: MergeMode::from_code(self.get(regs::Q_MERGE)).unwrap_or(MergeMode::Off),
            defer_ticks: self.get(regs::Q_DEFER_TICKS).into(),
            max_aggr: self.get(regs::Q_MAX_AGGR),
            max_bytes: self.get(regs::Q_MAX_BYTES),
            admit_min: self.get(regs::Q_ADMIT_MIN) as usize,
            fresh_page: self.flag(regs::Q_PAGE_CTRL, regs::Q_PAGE_CTRL_FRESH_PAGE),
            train_pages: page_split.then(|| self.get(regs::Q_TRAIN_PAGES)),
            small_ring: self.place(regs::SB_BASE_LO, regs::SB_BASE_HI, regs::SB_LOG2),
            page_ring: self.place(regs::PG_BASE_LO, regs::PG_BASE_HI, regs::PG_LOG2),
            completion_ring: self.place(regs::CQ_BASE_LO, regs::CQ_BASE_HI, regs::CQ_LOG2),
        }
    }

    /// The key that FLUSH_FLOW looks up.
    pub fn flush_key(&self) -> FlowKey {
        let address = |low: u16| {
            let dword = |i: u16| u128::from(self.get(low + 4 * i)) << (32 * i);
            (0..4).map(dword).sum()
        };
        FlowKey {
            v6: self.flag(regs::Q_KEY10, regs::Q_KEY10_V6),
            vlan0: self.flag(regs::Q_KEY10, regs::Q_KEY10_VLAN0),
            vlan1: self.flag(regs::Q_KEY10, regs::Q_KEY10_VLAN1),
            tag0: self.field(regs::Q_KEY9, regs::Q_KEY9_VLAN0) as u16,
            tag1: self.field(regs::Q_KEY9, regs::Q_KEY9_VLAN1) as u16,
            src: address(regs::Q_KEY0),
            dst: address(regs::Q_KEY4),
            sport: self.field(regs::Q_KEY8, regs::Q_KEY8_SPORT) as u16,
            dport: self.field(regs::Q_KEY8, regs::Q_KEY8_DPORT) as u16,
        }
    }

    /// CTRL.reset: configuration stays, the enable bit goes.
    pub fn reset(&mut self) {
        if let Some(index) = index_of(regs::CTRL) {
            self.values[index] &= regs::CTRL_PARSER_ENABLE.mask();
        }
    }
}

/// What an address that may be written leads to.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A register.
    Register(&'static Register),
    /// A dword of the program memory.
    Program {
        /// Row.
        row: usize,
        /// Dword of it.
        dword: usize,
    },
}

fn index_of(addr: u16) -> Option<usize> {
    REGISTERS.binary_search_by_key(&addr, |r| r.addr).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(registers: &mut Registers, addr: u16, value: u32) -> Result<(), Refusal> {
        match registers.check(addr, 0xF)? {
            Target::Register(register) => registers.store(register, value),
            Target::Program { .. } => Ok(()),
        }
    }

    #[test]
    fn settings_are_the_design_defaults_when_nothing_was_written() {
        let settings = Registers::new(&Config::default()).settings();
        assert_eq!((settings.tick_clocks, settings.max_frame), (256, 9018));
        assert_eq!(settings.merge, MergeMode::Train);
        assert_eq!((settings.defer_ticks, settings.max_aggr), (64, 32));
        assert_eq!((settings.max_bytes, settings.admit_min), (65535, 1024));
        assert_eq!(settings.small_ring, Place { base: 0, log2: 8 });
    }

    #[test]
    fn registers_are_sorted_when_searched_by_address() {
        assert!(REGISTERS.windows(2).all(|w| w[0].addr < w[1].addr));
    }

    #[test]
    fn writes_are_refused_when_a_rule_forbids_them() {
        let mut r = Registers::new(&Config::default());
        assert_eq!(
            r.check(regs::TICK_CLOCKS, 0x7).err(),
            Some(Refusal::Strobes)
        );
        for addr in [
            regs::ID,
            regs::CQ_TAIL,
            0x0040,
            0x2000,
            0x4000 + 32 * 64,
            0xFFFC,
        ] {
            assert_eq!(
                r.check(addr, 0xF).err(),
                Some(Refusal::NotWritable),
                "{addr:#x}"
            );
        }
        for (addr, value) in [
            (regs::TICK_CLOCKS, 0),
            (regs::TICK_CLOCKS, 65536),
            (regs::MAX_FRAME, 63),
            (regs::MAX_FRAME, 16129),
            (regs::Q_MERGE, 2),
            (regs::Q_MAX_AGGR, 65),
            (regs::Q_TRAIN_PAGES, 0),
            (regs::Q_TRAIN_PAGES, 17),
            (regs::SB_BASE_LO, 0x800),
            (regs::SB_LOG2, 3),
            (regs::Q_CMD, 5),
        ] {
            assert_eq!(
                write(&mut r, addr, value),
                Err(Refusal::Illegal),
                "{addr:#x} {value}"
            );
        }
        assert_eq!(write(&mut r, regs::CTRL, 1), Ok(()));
        assert_eq!(write(&mut r, regs::TICK_CLOCKS, 5), Err(Refusal::Locked));
        assert_eq!(write(&mut r, 0x4000, 5), Err(Refusal::Locked));
        assert_eq!(write(&mut r, regs::Q_KEY3, 5), Ok(()));
        r.reset();
        assert_eq!(write(&mut r, regs::TICK_CLOCKS, 5), Ok(()));
        assert_eq!(r.settings().tick_clocks, 5);
    }

    #[test]
    fn flush_key_is_put_together_when_its_dwords_are_written() {
        let mut r = Registers::new(&Config::default());
        for i in 0..8u16 {
            write(&mut r, regs::Q_KEY0 + 4 * i, 0x1111_1111 * u32::from(i)).unwrap();
        }
        write(&mut r, regs::Q_KEY8, 0x01BB_C000).unwrap();
        write(&mut r, regs::Q_KEY9, 0x0002_0001).unwrap();
        write(&mut r, regs::Q_KEY10, 0xFFFF_FFFD).unwrap();
        let key = r.flush_key();
        assert_eq!(key.src, 0x33333333_22222222_11111111_00000000);
        assert_eq!(key.dst, 0x77777777_66666666_55555555_44444444);
        assert_eq!((key.sport, key.dport), (0xC000, 0x01BB));
        assert_eq!((key.tag0, key.tag1), (1, 2));
        assert_eq!((key.v6, key.vlan0, key.vlan1), (true, false, true));
        assert_eq!(
            r.get(regs::Q_KEY10),
            5,
            "bits outside the fields are left out"
        );
    }
}
