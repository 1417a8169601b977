"""The register harness: a design between registers, on three pins.

Bare pins would drag the registers beside them to the pads. Here a scan chain feeds all inputs, and a MISR (a shift register that
takes in a word each clock) folds all outputs, since a load select would fan out to every bit. Both are modules that keep their
hierarchy: Yosys would merge their registers with the design's own.
"""

SCAN_IN = """(* keep_hierarchy *)
module harness_in (input wire clk, input wire scan_in, output reg [{top}:0] q);
    reg pad, near;
    always @(posedge clk) begin
        pad <= scan_in;
        near <= pad;
        q <= {{q, near}};
    end
endmodule
"""

MISR = """(* keep_hierarchy *)
module harness_out (input wire clk, input wire [{top}:0] d, output reg scan_out);
    reg [{top}:0] held, folded;
    reg far, mid, near;
    always @(posedge clk) begin
        held <= d;
        folded <= {{folded, 1'b0}} ^ held;
        far <= folded[{top}];
        mid <= far;
        near <= mid;
        scan_out <= near;
    end
endmodule
"""

TOP = """module harness (input wire clk, input wire scan_in, output wire scan_out);
    wire [{in_top}:0] i;
    wire [{out_top}:0] o;
    harness_in u_in (.clk(clk), .scan_in(scan_in), .q(i));
    harness_out u_out (.clk(clk), .d(o), .scan_out(scan_out));
    {design} dut (
        .{clock}(clk),
        {ports}
    );
endmodule
"""


def slices(vector, ports):
    """Connects `ports`, (name, width) each, to adjacent bits of `vector`."""
    lsb = 0
    for name, width in ports:
        yield f".{name}({vector}[{lsb + width - 1}:{lsb}])"
        lsb += width


def verilog(design, ports, clock="clk"):
    """The harness around the module `design`; `ports` maps a name to (direction, width)."""
    ins = [(name, width) for name, (way, width) in ports.items() if way == "input" and name != clock]
    outs = [(name, width) for name, (way, width) in ports.items() if way == "output"]
    in_top, out_top = (sum(width for _, width in side) - 1 for side in (ins, outs))
    wires = ",\n        ".join([*slices("i", ins), *slices("o", outs)])
    top = TOP.format(in_top=in_top, out_top=out_top, design=design, clock=clock, ports=wires)
    return SCAN_IN.format(top=in_top) + "\n" + MISR.format(top=out_top) + "\n" + top
