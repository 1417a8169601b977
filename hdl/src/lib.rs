//! The hardware: one block a file, primitives under prim/, the Verilog back end under verilog/.
