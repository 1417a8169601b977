//! The memory on a manager port of the design.

use super::config::MemoryConfig;
use super::fault::Fault;
use super::memory::Memory;
use super::monitor::AxiMonitor;
use super::read::ReadHalf;
use super::write::WriteHalf;
use crate::sim::{Component, Edge, Failure, Handle, SimError};
use std::cell::RefCell;
use std::rc::Rc;

/// An AXI4 memory. Clones are handles of the same one.
#[derive(Clone)]
pub struct AxiMemory {
    state: Rc<RefCell<State>>,
    memory: Memory,
    monitor: AxiMonitor,
}

struct State {
    prefix: String,
    config: MemoryConfig,
    faults: Vec<Fault>,
    memory: Memory,
    write: Option<WriteHalf>,
    read: Option<ReadHalf>,
}

impl AxiMemory {
    /// Attaches `memory` to the manager port `prefix` of the design: its write channels, its read channels, or
    /// both, whichever it has. Attaches an [`AxiMonitor`] too.
    pub fn attach(
        handle: &Handle,
        prefix: &str,
        memory: &Memory,
        config: MemoryConfig,
    ) -> Result<AxiMemory, SimError> {
        let has = |suffix: &str| handle.port(&format!("{prefix}_{suffix}")).is_some();
        if !has("awvalid") && !has("arvalid") {
            let rule = "an AXI port has write channels, read channels, or both".into();
            return Err(handle.error(Failure::Port {
                port: format!("{prefix}_awvalid"),
                rule,
            }));
        }
        let write = has("awvalid")
            .then(|| WriteHalf::find(handle, prefix, &config))
            .transpose()?;
        let read = has("arvalid")
            .then(|| ReadHalf::find(handle, prefix, &config))
            .transpose()?;
        let monitor = AxiMonitor::attach(handle, prefix)?;
        let state = State {
            prefix: prefix.to_owned(),
            config,
            faults: Vec::new(),
            memory: memory.clone(),
            write,
            read,
        };
        let state = Rc::new(RefCell::new(state));
        handle.attach(state.clone());
        Ok(AxiMemory {
            state,
            memory: memory.clone(),
            monitor,
        })
    }

    /// The bytes behind it.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The monitor that came with it.
    pub fn monitor(&self) -> &AxiMonitor {
        &self.monitor
    }

    /// Makes bursts fail from now on. The first fault that applies to a burst counts.
    pub fn inject(&self, fault: Fault) {
        self.state.borrow_mut().faults.push(fault);
    }

    /// Ends all injected faults.
    pub fn heal(&self) {
        self.state.borrow_mut().faults.clear();
    }

    /// Changes pauses from the next clock on, and latencies, limits and order from the next burst on.
    pub fn set_config(&self, config: MemoryConfig) {
        let mut state = self.state.borrow_mut();
        if let Some(write) = &mut state.write {
            write.set_pauses(&config);
        }
        if let Some(read) = &mut state.read {
            read.set_pauses(&config);
        }
        state.config = config;
    }

    /// Bursts begun and not answered in full.
    pub fn under_way(&self) -> usize {
        let state = self.state.borrow();
        state.write.as_ref().map_or(0, WriteHalf::under_way)
            + state.read.as_ref().map_or(0, ReadHalf::under_way)
    }
}

impl Component for State {
    fn sample(&mut self, edge: &Edge<'_>) {
        if let Some(write) = &mut self.write {
            write.sample(edge, &self.config, &self.faults, &self.memory);
        }
        if let Some(read) = &mut self.read {
            read.sample(edge, &self.config, &self.faults);
        }
    }

    fn drive(&mut self, edge: &Edge<'_>) {
        if let Some(write) = &mut self.write {
            write.drive(edge, &self.config, &self.memory);
        }
        if let Some(read) = &mut self.read {
            read.drive(edge, &self.config, &self.memory);
        }
    }

    fn pending(&self) -> Option<String> {
        let writes = self.write.as_ref().map_or(0, WriteHalf::under_way);
        let reads = self.read.as_ref().map_or(0, ReadHalf::under_way);
        (writes + reads > 0).then(|| {
            format!(
                "memory `{}`: {writes} writes and {reads} reads under way",
                self.prefix
            )
        })
    }
}
