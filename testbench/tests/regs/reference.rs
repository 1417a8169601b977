//! What the register port does, from section 7 and 9 of the contract and the table in `formats`.

use pagetrain_formats::codes::Command;
use pagetrain_formats::regs::{
    self, by_addr, Access, Legal, COUNTER_BASE, PROGRAM_BASE, REGISTERS,
};
use pagetrain_formats::Config;
use std::collections::BTreeMap;

/// A ring as the register port sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ring {
    /// The host's index.
    pub host: u16,
    /// The engine's index.
    pub engine: u16,
}

/// Registers and everything that follows from writing them.
#[derive(Clone, Debug)]
pub struct Reference {
    cfg: Config,
    /// Plain storage, by address.
    values: BTreeMap<u16, u32>,
    pub enable: bool,
    pub parser_enable: bool,
    pub fetch: bool,
    /// CTRL.reset: from the write to the end of the reset.
    pub resetting: bool,
    pub halted: bool,
    /// The command under way.
    pub command: Option<u32>,
    pub stopping: bool,
    pub stopped: bool,
    pub commands_done: u16,
    pub irq_status: u32,
    pub small: Ring,
    pub page: Ring,
    pub completion: Ring,
    pub bad_writes: u64,
    pub bad_doorbells: u64,
    /// Writes to the program memory: row * 16 + dword, value.
    pub program: Vec<(u64, u64)>,
    /// Bits cleared in IRQ_STATUS, by write.
    pub clears: Vec<u64>,
    pub resets: u64,
    pub stops: u64,
}

impl Reference {
    pub fn new(cfg: Config) -> Reference {
        let values = REGISTERS
            .iter()
            .map(|r| (r.addr, r.reset.value(&cfg)))
            .collect();
        Reference {
            cfg,
            values,
            enable: false,
            parser_enable: false,
            fetch: false,
            resetting: false,
            halted: false,
            command: None,
            stopping: false,
            stopped: false,
            commands_done: 0,
            irq_status: 0,
            small: Ring::default(),
            page: Ring::default(),
            completion: Ring::default(),
            bad_writes: 0,
            bad_doorbells: 0,
            program: vec![],
            clears: vec![],
            resets: 0,
            stops: 0,
        }
    }

    /// STATUS.enabled: frames that begin now are taken.
    pub fn run(&self) -> bool {
        self.enable && !self.resetting && !self.halted && !self.stopping && !self.stopped
    }

    /// A write. The effect of everything but a refusal shows at once.
    pub fn write(&mut self, addr: u16, data: u32, strobes: u32) {
        if strobes != 0xf || !self.accepts(addr & !3, data) {
            self.bad_writes += 1;
        }
    }

    fn accepts(&mut self, addr: u16, data: u32) -> bool {
        let program_end = PROGRAM_BASE as usize + 64 * self.cfg.parser_states;
        if (PROGRAM_BASE as usize..program_end).contains(&(addr as usize)) {
            if !self.enable {
                let dword = (addr - PROGRAM_BASE) / 4;
                self.program.push((u64::from(dword), u64::from(data)));
            }
            return !self.enable;
        }
        let Some(register) = by_addr(addr) else {
            return false;
        };
        let open = match register.access {
            Access::Ro => false,
            Access::Cfg => !self.enable,
            _ => true,
        };
        if !open || !register.legal.allows(data, &self.cfg) {
            return false;
        }
        match addr {
            regs::CTRL => self.ctrl(data),
            regs::IRQ_STATUS => self.clears.push(u64::from(data & register.mask())),
            regs::Q_CMD => return self.take(data),
            regs::SB_TAIL | regs::PG_TAIL | regs::CQ_HEAD => self.doorbell(addr, data as u16),
            _ => {
                self.values.insert(addr, data & register.mask());
            }
        }
        true
    }

    fn ctrl(&mut self, data: u32) {
        let bit = |field: &pagetrain_formats::layout::Field| data & field.mask() != 0;
        self.parser_enable = bit(&regs::CTRL_PARSER_ENABLE);
        if bit(&regs::CTRL_RESET) && !self.resetting {
            self.resets += 1;
            self.resetting = true;
        }
        self.enable = bit(&regs::CTRL_ENABLE) && !self.resetting;
        if self.resetting {
            (self.command, self.stopping, self.stopped) = (None, false, false);
            self.commands_done = 0;
        }
        self.fetch = (self.fetch || self.enable) && !self.resetting && !self.stopped;
    }

    fn take(&mut self, code: u32) -> bool {
        let free = self.command.is_none() && !self.resetting && !self.stopping;
        if !free || self.stopped || self.halted {
            return false;
        }
        self.command = Some(code);
        self.stopping = code == Command::Stop.code();
        true
    }

    /// The engine has carried the command out.
    pub fn command_done(&mut self) {
        self.command = None;
        if !self.stopping {
            self.commands_done = self.commands_done.wrapping_add(1);
        }
    }

    /// The STOP entry is in the host's memory.
    pub fn stop_written(&mut self) {
        (self.stopping, self.stopped, self.fetch) = (false, true, false);
        self.commands_done = self.commands_done.wrapping_add(1);
        self.stops += 1;
    }

    /// The reset has ended.
    pub fn reset_done(&mut self) {
        self.resetting = false;
        self.halted = false;
        (self.small, self.page, self.completion) = Default::default();
    }

    fn doorbell(&mut self, addr: u16, new: u16) {
        let size = |log2: u16| 1u32 << self.values[&log2];
        let (ring, size) = match addr {
            regs::SB_TAIL => (self.small, Some(size(regs::SB_LOG2))),
            regs::PG_TAIL => (self.page, Some(size(regs::PG_LOG2))),
            _ => (self.completion, None),
        };
        let moved = u32::from(new.wrapping_sub(ring.host));
        let fine = match size {
            // Not backwards, and no more outstanding than the ring holds.
            Some(size) => moved <= size && u32::from(new.wrapping_sub(ring.engine)) <= size,
            // Not backwards, and not beyond what was written.
            None => moved <= u32::from(ring.engine.wrapping_sub(ring.host)),
        };
        if !fine || self.resetting {
            self.bad_doorbells += 1;
            return;
        }
        match addr {
            regs::SB_TAIL => self.small.host = new,
            regs::PG_TAIL => self.page.host = new,
            _ => self.completion.host = new,
        }
    }

    /// What a read gives; counters apart.
    pub fn read(&self, addr: u16) -> u32 {
        let addr = addr & !3;
        let Some(register) = by_addr(addr) else {
            return 0;
        };
        let flags = |list: &[bool]| {
            let bits = list.iter().enumerate();
            bits.fold(0, |v, (i, &b)| v | u32::from(b) << i)
        };
        match addr {
            regs::CTRL => flags(&[self.enable, self.resetting, self.parser_enable]),
            regs::STATUS => flags(&[
                self.run(),
                self.halted,
                self.resetting,
                self.stopping,
                self.stopped,
            ]),
            regs::IRQ_STATUS => self.irq_status,
            regs::Q_CMD_DONE => self.commands_done.into(),
            regs::SB_TAIL => self.small.host.into(),
            regs::SB_HEAD => self.small.engine.into(),
            regs::PG_TAIL => self.page.host.into(),
            regs::PG_HEAD => self.page.engine.into(),
            regs::CQ_HEAD => self.completion.host.into(),
            regs::CQ_TAIL => self.completion.engine.into(),
            _ if register.access == Access::Wo => 0,
            _ => self.values[&addr],
        }
    }

    /// A register of plain storage, by its port's name.
    pub fn ports(&self) -> impl Iterator<Item = (String, u32)> + '_ {
        REGISTERS
            .iter()
            .filter(|r| matches!(r.access, Access::Rw | Access::Cfg))
            .filter(|r| r.addr != regs::CTRL && !matches!(r.legal, Legal::Doorbell))
            .map(|r| {
                (
                    format!("cfg_{}", r.name.to_lowercase()),
                    self.values[&r.addr],
                )
            })
    }
}

/// Whether the address is a counter's.
pub fn is_counter(addr: u16) -> bool {
    (COUNTER_BASE..COUNTER_BASE + 512).contains(&addr)
}
