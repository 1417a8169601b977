//! The ports of an AXI4 master (AMBA AXI4 protocol specification, IHI 0022), under the prefix `m_axi`.
//!
//! Constant signals: full-width INCR bursts, normal non-cacheable bufferable-modifiable memory, no locks.

use crate::build::{Module, Sig};
use pagetrain_formats::Config;

/// AxCACHE: normal, non-cacheable, bufferable.
const CACHE: u32 = 0b0011;
/// AxBURST: INCR.
const INCR: u32 = 0b01;

/// Signals of the read channels that logic drives or reads.
pub(crate) struct ReadPort {
    pub ar_id: Sig,
    pub ar_addr: Sig,
    pub ar_len: Sig,
    pub ar_valid: Sig,
    pub ar_ready: Sig,
    pub r_id: Sig,
    pub r_data: Sig,
    pub r_resp: Sig,
    pub r_last: Sig,
    pub r_valid: Sig,
}

/// Signals of the write channels that logic drives or reads.
pub(crate) struct WritePort {
    pub aw_id: Sig,
    pub aw_addr: Sig,
    pub aw_len: Sig,
    pub aw_valid: Sig,
    pub aw_ready: Sig,
    pub w_data: Sig,
    pub w_strb: Sig,
    pub w_last: Sig,
    pub w_valid: Sig,
    pub w_ready: Sig,
    pub b_id: Sig,
    pub b_resp: Sig,
    pub b_valid: Sig,
}

/// The signals of an address channel that never change.
fn constants(m: &mut Module, channel: &str, cfg: &Config) {
    let size = cfg.log2_d_bytes();
    let signals = [
        ("size", 3, size as u32, "bytes a beat, log2"),
        ("burst", 2, INCR, "INCR"),
        ("lock", 1, 0, "normal access"),
        ("cache", 4, CACHE, "normal, non-cacheable, bufferable"),
        ("prot", 3, 0, "unprivileged, secure, data"),
        ("qos", 4, 0, "no quality of service"),
    ];
    for (name, width, value, doc) in signals {
        let sig = m.output(&format!("m_axi_{channel}{name}"), width, doc);
        m.assign(&sig, value);
    }
}

/// Makes the ports of channels AR and R.
pub(crate) fn read_port(m: &mut Module, cfg: &Config) -> ReadPort {
    let ar_id = m.output_reg("m_axi_arid", 1, "master");
    let ar_addr = m.output_reg("m_axi_araddr", 64, "byte address");
    let ar_len = m.output_reg("m_axi_arlen", 8, "beats - 1");
    constants(m, "ar", cfg);
    let ar_valid = m.output_reg_rst("m_axi_arvalid", 1, 0, "");
    let ar_ready = m.input("m_axi_arready", 1, "");
    let r_id = m.input("m_axi_rid", 1, "master");
    let r_data = m.input("m_axi_rdata", cfg.dma_width, "");
    let r_resp = m.input("m_axi_rresp", 2, "0: OKAY");
    let r_last = m.input("m_axi_rlast", 1, "");
    let r_valid = m.input("m_axi_rvalid", 1, "");
    let r_ready = m.output("m_axi_rready", 1, "always: no more is asked for than fits");
    m.assign(&r_ready, 1);
    ReadPort {
        ar_id,
        ar_addr,
        ar_len,
        ar_valid,
        ar_ready,
        r_id,
        r_data,
        r_resp,
        r_last,
        r_valid,
    }
}

/// Makes the ports of channels AW, W and B.
pub(crate) fn write_port(m: &mut Module, cfg: &Config) -> WritePort {
    let aw_id = m.output("m_axi_awid", 1, "master");
    let aw_addr = m.output("m_axi_awaddr", 64, "byte address");
    let aw_len = m.output("m_axi_awlen", 8, "beats - 1");
    constants(m, "aw", cfg);
    let aw_valid = m.output("m_axi_awvalid", 1, "");
    let aw_ready = m.input("m_axi_awready", 1, "");
    let w_data = m.output("m_axi_wdata", cfg.dma_width, "");
    let w_strb = m.output("m_axi_wstrb", cfg.d_bytes(), "bytes that are written");
    let w_last = m.output("m_axi_wlast", 1, "");
    let w_valid = m.output("m_axi_wvalid", 1, "");
    let w_ready = m.input("m_axi_wready", 1, "");
    let b_id = m.input("m_axi_bid", 1, "master");
    let b_resp = m.input("m_axi_bresp", 2, "0: OKAY");
    let b_valid = m.input("m_axi_bvalid", 1, "");
    let b_ready = m.output("m_axi_bready", 1, "always");
    m.assign(&b_ready, 1);
    WritePort {
        aw_id,
        aw_addr,
        aw_len,
        aw_valid,
        aw_ready,
        w_data,
        w_strb,
        w_last,
        w_valid,
        w_ready,
        b_id,
        b_resp,
        b_valid,
    }
}

/// Outputs of a write port, for the block that passes them on.
pub(crate) const WRITE_OUTPUTS: &[(&str, &str)] = &[
    ("m_axi_awid", "0 frames, 1 completions"),
    ("m_axi_awaddr", "byte address"),
    ("m_axi_awlen", "beats - 1"),
    ("m_axi_awsize", "bytes a beat, log2"),
    ("m_axi_awburst", "INCR"),
    ("m_axi_awlock", "normal access"),
    ("m_axi_awcache", "normal, non-cacheable, bufferable"),
    ("m_axi_awprot", "unprivileged, secure, data"),
    ("m_axi_awqos", "no quality of service"),
    ("m_axi_awvalid", ""),
    ("m_axi_wdata", ""),
    ("m_axi_wstrb", "bytes that are written"),
    ("m_axi_wlast", ""),
    ("m_axi_wvalid", ""),
    ("m_axi_bready", "always"),
];

/// Inputs of a write port: name, width, meaning.
pub(crate) fn write_inputs() -> [(&'static str, usize, &'static str); 5] {
    [
        ("m_axi_awready", 1, ""),
        ("m_axi_wready", 1, ""),
        ("m_axi_bid", 1, "as awid"),
        ("m_axi_bresp", 2, "0: OKAY"),
        ("m_axi_bvalid", 1, ""),
    ]
}

/// Outputs of a read port.
pub(crate) const READ_OUTPUTS: &[(&str, &str)] = &[
    ("m_axi_arid", "0 small buffers, 1 pages"),
    ("m_axi_araddr", "byte address"),
    ("m_axi_arlen", "beats - 1"),
    ("m_axi_arsize", "bytes a beat, log2"),
    ("m_axi_arburst", "INCR"),
    ("m_axi_arlock", "normal access"),
    ("m_axi_arcache", "normal, non-cacheable, bufferable"),
    ("m_axi_arprot", "unprivileged, secure, data"),
    ("m_axi_arqos", "no quality of service"),
    ("m_axi_arvalid", ""),
    ("m_axi_rready", "always: no more is asked for than fits"),
];

/// Inputs of a read port.
pub(crate) fn read_inputs(cfg: &Config) -> [(&'static str, usize, &'static str); 6] {
    [
        ("m_axi_arready", 1, ""),
        ("m_axi_rid", 1, "as arid"),
        ("m_axi_rdata", cfg.dma_width, ""),
        ("m_axi_rresp", 2, "0: OKAY"),
        ("m_axi_rlast", 1, ""),
        ("m_axi_rvalid", 1, ""),
    ]
}

/// Inputs of the AXI4-Lite port `s_axil_ctrl`.
pub(crate) const LITE_INPUTS: &[(&str, usize, &str)] = &[
    ("s_axil_ctrl_awaddr", 16, "byte address"),
    ("s_axil_ctrl_awprot", 3, "ignored"),
    ("s_axil_ctrl_awvalid", 1, ""),
    ("s_axil_ctrl_wdata", 32, ""),
    ("s_axil_ctrl_wstrb", 4, "all four, or the write is refused"),
    ("s_axil_ctrl_wvalid", 1, ""),
    ("s_axil_ctrl_bready", 1, ""),
    ("s_axil_ctrl_araddr", 16, "byte address"),
    ("s_axil_ctrl_arprot", 3, "ignored"),
    ("s_axil_ctrl_arvalid", 1, ""),
    ("s_axil_ctrl_rready", 1, ""),
];

/// Outputs of the AXI4-Lite port `s_axil_ctrl`.
pub(crate) const LITE_OUTPUTS: &[(&str, &str)] = &[
    ("s_axil_ctrl_awready", ""),
    ("s_axil_ctrl_wready", ""),
    ("s_axil_ctrl_bresp", "always OKAY"),
    ("s_axil_ctrl_bvalid", ""),
    ("s_axil_ctrl_arready", ""),
    ("s_axil_ctrl_rdata", ""),
    ("s_axil_ctrl_rresp", "always OKAY"),
    ("s_axil_ctrl_rvalid", ""),
];
