//! The cocotb-style harness and the simulation tests.
