//! How the engine connects its blocks.

use crate::build::{Instance, Module, Operand, Sig};
use crate::prim::reset_stage;

/// The engine's module, and the reset that most blocks are on.
pub(super) struct Wiring<'a> {
    pub m: &'a mut Module,
    clk: Sig,
    core_rst: Sig,
}

/// The name of a block without its instance's prefix.
fn short(name: &str) -> &str {
    name.trim_start_matches("u_")
}

impl<'a> Wiring<'a> {
    pub fn new(m: &'a mut Module, core_rst: &Sig) -> Self {
        let clk = m.clk();
        Wiring {
            m,
            clk,
            core_rst: core_rst.clone(),
        }
    }

    /// A block on a stage of its own of the core's reset.
    pub fn core(&mut self, name: &str, block: Module) -> Instance {
        let rst = self.reset_for(name);
        self.m.instance_on(name, block, &self.clk.clone(), &rst)
    }

    /// The core's reset as the block `name` sees it.
    pub fn reset_for(&mut self, name: &str) -> Sig {
        self.stage(name, &self.core_rst.clone())
    }

    /// A block at the bus ports: silent from the first clock of a hard reset, which is not staged. A soft reset, which
    /// finds the ports idle, is.
    pub fn bus(&mut self, name: &str, block: Module, hard: &Sig, soft: &Sig) -> Instance {
        let soft = self.stage(name, soft);
        let rst = self.m.wire(&format!("{}_rst", short(name)), 1);
        self.m.assign(&rst, hard | &soft);
        self.m.instance_on(name, block, &self.clk.clone(), &rst)
    }

    fn stage(&mut self, name: &str, rst: &Sig) -> Sig {
        let block = short(name);
        let stage = self.m.instance(&format!("u_reset_{block}"), reset_stage());
        self.m.connect(&stage, "d", rst);
        let staged = self.m.wire(&format!("reset_{block}"), 1);
        self.m.connect_out(&stage, "q", &staged);
        staged
    }

    /// A block on the hard reset.
    pub fn hard(&mut self, name: &str, block: Module) -> Instance {
        self.m.instance(name, block)
    }

    /// Drives an input.
    #[track_caller]
    pub fn wire(&mut self, to: &Instance, port: &str, value: impl Operand) {
        self.m.connect(to, port, value);
    }

    /// Drives inputs from outputs of the same names, or of the names given as `(input, output)`.
    #[track_caller]
    pub fn wires(&mut self, to: &Instance, from: &Instance, ports: &[(&str, &str)]) {
        for (input, output) in ports {
            self.m.connect(to, input, from.out(output));
        }
    }

    /// Joins a stream: payload signals by their suffixes, `tvalid` forward, `tready` back.
    #[track_caller]
    pub fn stream(&mut self, from: (&Instance, &str), to: (&Instance, &str), payload: &[&str]) {
        for suffix in payload.iter().chain(&["tvalid"]) {
            let out = from.0.out(&format!("{}_{suffix}", from.1));
            self.m.connect(to.0, &format!("{}_{suffix}", to.1), out);
        }
        let ready = to.0.out(&format!("{}_tready", to.1));
        self.m.connect(from.0, &format!("{}_tready", from.1), ready);
    }

    /// Makes an input of the engine and connects it.
    #[track_caller]
    pub fn input(&mut self, to: &Instance, port: &str, width: usize, doc: &str) {
        let sig = self.m.input(port, width, doc);
        self.m.connect(to, port, sig);
    }

    /// Makes an output of the engine from a block's output of the same name.
    #[track_caller]
    pub fn output(&mut self, from: &Instance, port: &str, doc: &str) {
        let sig = self.m.output(port, from.out(port).width(), doc);
        self.m.connect_out(from, port, &sig);
    }
}
