//! An AXI4 manager made of streams on a puppet design, to drive the memory and the monitor.

use crate::designs::{puppet, sim};
use pagetrain_testbench::axi::{AxiMemory, Memory, MemoryConfig};
use pagetrain_testbench::sim::{Handle, Sim, SimConfig};
use pagetrain_testbench::stall::Pause;
use pagetrain_testbench::stream::{Channel, WordSink, WordSource};
use pagetrain_testbench::verilator::{Design, Direction, PortDecl};
use pagetrain_testbench::Bits;

/// Bytes of the bus.
pub const BUS: u64 = 8;

const AW: [(&str, u32); 5] = [
    ("id", 3),
    ("addr", 64),
    ("len", 8),
    ("size", 3),
    ("burst", 2),
];

/// An AXI4 manager port `m_axi` of 64 bits, every output scripted through `set_m_axi_*`.
pub fn design() -> Design {
    use Direction::{Input, Output};
    let mut ports = Vec::new();
    let mut add = |name: &str, width: u32, direction| {
        ports.push(PortDecl {
            name: format!("m_axi_{name}"),
            width,
            direction,
        });
    };
    for channel in ["aw", "ar"] {
        AW.iter()
            .for_each(|(name, width)| add(&format!("{channel}{name}"), *width, Output));
        add(&format!("{channel}valid"), 1, Output);
        add(&format!("{channel}ready"), 1, Input);
    }
    for (name, width, direction) in [
        ("wdata", 64, Output),
        ("wstrb", 8, Output),
        ("wlast", 1, Output),
        ("wvalid", 1, Output),
        ("wready", 1, Input),
        ("bid", 3, Input),
        ("bresp", 2, Input),
        ("bvalid", 1, Input),
        ("bready", 1, Output),
        ("rid", 3, Input),
        ("rdata", 64, Input),
        ("rresp", 2, Input),
        ("rlast", 1, Input),
        ("rvalid", 1, Input),
        ("rready", 1, Output),
    ] {
        add(name, width, direction);
    }
    puppet("puppet_axi", ports)
}

/// The five channels.
pub struct Manager {
    pub aw: WordSource,
    pub w: WordSource,
    pub ar: WordSource,
    pub b: WordSink,
    pub r: WordSink,
}

impl Manager {
    pub fn attach(handle: &Handle, pause: Pause) -> Manager {
        let source = |channel: &str, fields: &[&str]| {
            let fields: Vec<String> = fields
                .iter()
                .map(|f| format!("set_m_axi_{channel}{f}"))
                .collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let (valid, ready) = (
                format!("set_m_axi_{channel}valid"),
                format!("m_axi_{channel}ready"),
            );
            WordSource::attach(
                handle,
                &Channel::ports(channel, &valid, &ready, &fields),
                pause.clone(),
            )
            .unwrap()
        };
        let sink = |channel: &str, fields: &[&str]| {
            let fields: Vec<String> = fields
                .iter()
                .map(|f| format!("m_axi_{channel}{f}"))
                .collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let (valid, ready) = (
                format!("m_axi_{channel}valid"),
                format!("set_m_axi_{channel}ready"),
            );
            WordSink::attach(
                handle,
                &Channel::ports(channel, &valid, &ready, &fields),
                pause.clone(),
            )
            .unwrap()
        };
        let address = AW.map(|(name, _)| name);
        Manager {
            aw: source("aw", &address),
            w: source("w", &["data", "strb", "last"]),
            ar: source("ar", &address),
            b: sink("b", &["id", "resp"]),
            r: sink("r", &["id", "data", "resp", "last"]),
        }
    }

    /// Begins a write burst: its address and all its beats.
    pub fn write(&self, address: Bits, beats: &[(u64, u8)]) {
        self.aw.send(address);
        for (index, &(data, strobes)) in beats.iter().enumerate() {
            let last = u128::from(index + 1 == beats.len());
            self.w.send(Bits::pack(&[
                (64, data.into()),
                (8, strobes.into()),
                (1, last),
            ]));
        }
    }

    /// The next write response: ID and response.
    pub async fn b(&self) -> (u64, u64) {
        let fields = self.b.recv().await.unpack(&[3, 2]);
        (fields[0] as u64, fields[1] as u64)
    }

    /// The next read beat: ID, data, response, last.
    pub async fn r(&self) -> (u64, u64, u64, bool) {
        let fields = self.r.recv().await.unpack(&[3, 64, 2, 1]);
        (
            fields[0] as u64,
            fields[1] as u64,
            fields[2] as u64,
            fields[3] == 1,
        )
    }
}

/// An address of the bus's full width: INCR.
pub fn incr(id: u64, addr: u64, beats: u64) -> Bits {
    address(id, addr, beats, 3, 1)
}

/// An address of any kind.
pub fn address(id: u64, addr: u64, beats: u64, log2_size: u64, kind: u64) -> Bits {
    let values = [id, addr, beats - 1, log2_size, kind];
    let fields: Vec<(u32, u128)> = AW
        .iter()
        .zip(values)
        .map(|((_, width), value)| (*width, value.into()))
        .collect();
    Bits::pack(&fields)
}

/// A simulation with manager and memory.
pub fn bench(
    config: SimConfig,
    memory: &Memory,
    timing: MemoryConfig,
    pause: Pause,
) -> (Sim, Manager, AxiMemory) {
    let sim = sim(&design(), config);
    let manager = Manager::attach(&sim, pause);
    let axi = AxiMemory::attach(&sim, "m_axi", memory, timing).unwrap();
    (sim, manager, axi)
}
