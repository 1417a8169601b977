//! Configuration to Verilog, file list, FuseSoC core, C header, manual.
