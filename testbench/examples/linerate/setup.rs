//! Engines and the wires they are for.

use pagetrain_formats::Config;
use pagetrain_testbench::dut;
use pagetrain_testbench::rate::Link;
use pagetrain_testbench::verilator::{Design, Model, Options};
use sha2::{Digest, Sha256};

/// An engine on a wire.
pub struct Setup {
    /// W.
    pub data_width: usize,
    /// D.
    pub dma_width: usize,
    /// Rate of the wire, in Gb/s.
    pub gbps: f64,
    /// Clock, in MHz.
    pub mhz: f64,
    /// Line rate is promised at every length.
    pub must_hold: bool,
}

/// What is measured.
pub const SETUPS: [Setup; 3] = [
    Setup {
        data_width: 64,
        dma_width: 128,
        gbps: 10.0,
        mhz: 156.25,
        must_hold: true,
    },
    Setup {
        data_width: 128,
        dma_width: 256,
        gbps: 25.0,
        mhz: 195.3125,
        must_hold: true,
    },
    Setup {
        data_width: 512,
        dma_width: 512,
        gbps: 100.0,
        mhz: 250.0,
        must_hold: false,
    },
];

/// A setup with its model.
pub struct Engine<'a> {
    pub setup: &'a Setup,
    pub config: Config,
    pub model: Model,
    pub link: Link,
    /// Digest of the Verilog without comments.
    pub verilog: String,
    /// Bytes of each length at the wire's pace: as many as fill the frame store, and where losses are expected so many that
    /// it does not hide a small deficit.
    pub bytes: usize,
}

impl Setup {
    fn config(&self) -> Config {
        Config {
            data_width: self.data_width,
            dma_width: self.dma_width,
            ..Config::default()
        }
    }

    fn design(&self) -> Result<Design, String> {
        let engine = pagetrain_hdl::engine::engine(&self.config());
        dut::design(&engine).map_err(|e| e.to_string())
    }

    /// Digest of the Verilog that the source makes today.
    pub fn verilog(&self) -> Result<String, String> {
        Ok(digest(self.design()?.sources()))
    }

    /// Builds the model, or finds it in the cache.
    pub fn engine(&self) -> Result<Engine<'_>, String> {
        let config = self.config();
        eprintln!(
            "linerate: W = {}, D = {}: building the model",
            self.data_width, self.dma_width
        );
        let design = self.design()?;
        let model = Model::build(&design, &Options::long()).map_err(|e| e.to_string())?;
        let fills = if self.must_hold { 1 } else { 8 };
        Ok(Engine {
            setup: self,
            bytes: fills * config.ingress_bytes,
            config,
            model,
            link: Link::of_rate(self.gbps, self.mhz),
            verilog: digest(design.sources()),
        })
    }
}

/// Says which Verilog a result belongs to. Comments do not count.
fn digest(sources: &[(String, String)]) -> String {
    let mut sha = Sha256::new();
    for line in sources.iter().flat_map(|(_, text)| text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        sha.update(code.trim_end());
        sha.update("\n");
    }
    let bytes = sha.finalize();
    bytes[..6].iter().map(|b| format!("{b:02x}")).collect()
}
