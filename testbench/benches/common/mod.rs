//! What the speed benchmarks share: recorded inputs, the bare loop that replays them, processor time.

use pagetrain_testbench::sim::Handle;
use pagetrain_testbench::verilator::{Direction, InitialState, Model, PortDecl};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Processor time of this thread: other work on the machine must not count.
pub fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Values of inputs that changed, clock by clock.
#[derive(Default)]
pub struct Recording {
    /// Changes of each clock: the end of its slice of `changes`.
    ends: Vec<usize>,
    /// (input, where in `bytes`)
    changes: Vec<(usize, usize)>,
    bytes: Vec<u8>,
}

/// Inputs but the clock.
fn is_input(port: &PortDecl) -> bool {
    port.direction == Direction::Input && port.name != "clk"
}

/// Records the inputs of a simulation.
pub struct Recorder(Rc<RefCell<Recording>>);

impl Recorder {
    /// Records from the next edge on.
    pub fn attach(sim: &Handle) -> Recorder {
        let recording = Rc::new(RefCell::new(Recording::default()));
        let names = sim.ports().iter().filter(|port| is_input(port));
        let ports: Vec<_> = names
            .map(|port| sim.wide(&port.name).expect("port"))
            .collect();
        let mut last: Vec<Vec<u8>> = ports.iter().map(|port| vec![0; port.len_bytes()]).collect();
        let target = recording.clone();
        sim.on_edge(move |_| {
            let Recording {
                ends,
                changes,
                bytes,
            } = &mut *target.borrow_mut();
            for (index, (port, last)) in ports.iter().zip(&mut last).enumerate() {
                if !port.starts_with(last) {
                    port.read(last);
                    changes.push((index, bytes.len()));
                    bytes.extend_from_slice(last);
                }
            }
            ends.push(changes.len());
        });
        Recorder(recording)
    }

    /// What was recorded.
    pub fn finish(self) -> Recording {
        self.0.take()
    }
}

/// Evaluates the model for recorded inputs, nothing else. Gives clocks a second.
pub fn bare(model: &Model, recording: &Recording) -> f64 {
    let instance = model.instance(InitialState::Random(1));
    let storage = |port: &PortDecl| {
        let (address, _) = instance.storage(&port.name).expect("port");
        (address, port.width.div_ceil(8) as usize)
    };
    let ports: Vec<(*mut u8, usize)> = model
        .ports()
        .iter()
        .filter(|port| is_input(port))
        .map(storage)
        .collect();
    let (clk, _) = instance.storage("clk").expect("port");
    let start = cpu_time();
    let mut at = 0;
    for &end in &recording.ends {
        for &(port, from) in &recording.changes[at..end] {
            let (to, len) = ports[port];
            // SAFETY: the storage of the port, whose length the recording was made with.
            unsafe {
                std::ptr::copy_nonoverlapping(recording.bytes[from..from + len].as_ptr(), to, len)
            };
        }
        at = end;
        // SAFETY: the clock's storage is a byte.
        unsafe { *clk = 0 };
        instance.eval();
        // SAFETY: as above.
        unsafe { *clk = 1 };
        instance.eval();
    }
    recording.ends.len() as f64 / (cpu_time() - start).as_secs_f64()
}
