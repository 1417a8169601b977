// SPDX-License-Identifier: MIT OR Apache-2.0
// For simulation only: the block memory cell of Lattice ECP5, as far as pagetrain uses it. Synthesis brings the cell itself.
//
// Port A writes, port B reads, both DATA_WIDTH bits wide. Width 36: DIB and DOB are the upper halves of the words, and
// ADA0 to ADA3 enable the bytes of 9 bits; width 18: ADA0 and ADA1 do. Not modelled: reads through port A, writes through
// port B, resets, chip selects, initial contents. A read of the word that is being written is undefined: here it is what
// is written, inverted, so that whoever looks at it is found out.

`default_nettype none

module DP16KD #(
    parameter integer DATA_WIDTH_A = 18,
    parameter integer DATA_WIDTH_B = 18,
    parameter [47:0] REGMODE_A = "NOREG",
    parameter [47:0] REGMODE_B = "NOREG",
    parameter [63:0] GSR = "DISABLED"
) (
    input  wire CLKA, CEA, OCEA, WEA, RSTA,
    input  wire CSA2, CSA1, CSA0,
    input  wire ADA13, ADA12, ADA11, ADA10, ADA9, ADA8,
    input  wire ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
    input  wire ADA1, ADA0,
    input  wire DIA17, DIA16, DIA15, DIA14, DIA13, DIA12,
    input  wire DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
    input  wire DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    output wire DOA17, DOA16, DOA15, DOA14, DOA13, DOA12,
    output wire DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
    output wire DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input  wire CLKB, CEB, OCEB, WEB, RSTB,
    input  wire CSB2, CSB1, CSB0,
    input  wire ADB13, ADB12, ADB11, ADB10, ADB9, ADB8,
    input  wire ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
    input  wire ADB1, ADB0,
    input  wire DIB17, DIB16, DIB15, DIB14, DIB13, DIB12,
    input  wire DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
    input  wire DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    output wire DOB17, DOB16, DOB15, DOB14, DOB13, DOB12,
    output wire DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
    output wire DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

    localparam WIDTH = DATA_WIDTH_A;
    localparam BYTES = WIDTH == 36 ? 4 : WIDTH == 18 ? 2 : 1;
    localparam BYTE = WIDTH / BYTES;
    // Address pins below those that count words.
    localparam LOW = WIDTH == 36 ? 5 : WIDTH == 18 ? 4 : WIDTH == 9 ? 3 : WIDTH == 4 ? 2 : WIDTH - 1;
    localparam DEPTH = 1 << (14 - LOW);

    generate
        if (DATA_WIDTH_B != WIDTH || (WIDTH == 36 && REGMODE_A != REGMODE_B) || GSR != "DISABLED") begin : refused
            initial $display("DP16KD: these parameters are not modelled");
            initial $finish;
        end
    endgenerate

    wire [13:0] wr_pins = {
        ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5,
        ADA4, ADA3, ADA2, ADA1, ADA0
    };
    wire [13:0] rd_pins = {
        ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5,
        ADB4, ADB3, ADB2, ADB1, ADB0
    };
    wire [35:0] wr_word = {
        DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
        DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
        DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
        DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0
    };
    wire [13-LOW:0] wr_addr = wr_pins[13:LOW];
    wire [13-LOW:0] rd_addr = rd_pins[13:LOW];
    wire [BYTES-1:0] enabled = wr_pins[BYTES-1:0] | {BYTES{BYTES == 1}};
    wire [BYTES-1:0] written = CEA & WEA ? enabled : {BYTES{1'b0}};

    reg [WIDTH-1:0] mem [0:DEPTH-1];
    integer i;
    always @(posedge CLKA) begin
        for (i = 0; i < BYTES; i = i + 1) begin
            if (written[i]) begin
                mem[wr_addr][i * BYTE +: BYTE] <= wr_word[i * BYTE +: BYTE];
            end
        end
    end

    wire clash = (|written) & (wr_addr == rd_addr);
    reg [WIDTH-1:0] rd_reg;
    reg [WIDTH-1:0] out_reg;
    always @(posedge CLKB) begin
        if (CEB) begin
            rd_reg <= clash ? ~wr_word[WIDTH-1:0] : mem[rd_addr];
        end
        if (OCEB) begin
            out_reg <= rd_reg;
        end
    end

    wire [WIDTH-1:0] shown = REGMODE_B == "OUTREG" ? out_reg : rd_reg;
    wire [35:0] rd_word;
    generate
        if (WIDTH == 36) begin : both_ports
            assign rd_word = shown;
        end else begin : port_b
            assign rd_word = {{(18 - WIDTH){1'b0}}, shown, 18'd0};
        end
    endgenerate
    assign {
        DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
        DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0,
        DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
        DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
    } = rd_word;

    wire unused = |{wr_pins, rd_pins, wr_word, OCEA, RSTA, CSA2, CSA1, CSA0, WEB, RSTB, CSB2, CSB1, CSB0};
endmodule

`default_nettype wire
