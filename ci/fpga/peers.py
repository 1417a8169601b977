"""Other projects' blocks on the same tools, beside ours.

Theirs were measured with Yosys 0.70 and nextpnr-ecp5 0.11, LFE5U-85F, CABGA756, speed 8, seeds 1 to 4, in a harness of the same kind.
"""

INTRO = """Blocks of other projects, measured with the same tools (seeds 1 to 4, the range is given), stand below the block of ours that does
their work. They were placed in an LFE5U-85F of speed 8; ours in the same part where the table says LFE5U, since the LFE5UM5G is the faster one.
"""

# block: (name, LUT4, FF, CCU2C, DP16KD, MHz, clocks)
PEERS = {
    "flow_table_16": [
        ("verilog-cam, cam_bram 16 x 104", 1464, 732, 5, 22, "90-93", "lookup 1, write 5, no LRU"),
        ("verilog-cam, cam_srl 16 x 104", 6477, 6783, "", "", "132", "write 17"),
        ("Enso flow table 4 x 2048", 3324, 9292, 1184, 60, "about 74", "insert 13, no eviction"),
    ],
    "flow_table_32": [("verilog-cam, cam_bram 32 x 104", 2818, 1117, 5, 22, "77-81", "lookup 1, write 5, no LRU")],
    "checksum": [
        ("Corundum rx_checksum, 64 bits", 68, 92, 47, "", "151-158", ""),
        ("Corundum rx_checksum, 512 bits", 515, 597, 310, "", "150-156", ""),
    ],
    "dma_write": [
        ("verilog-axi axi_dma_wr, unaligned, 64 bits", 1248, 399, 148, "", "92-96", "60 bytes 10.5, 1448 bytes 195, 9018 bytes 1201"),
        ("verilog-axi axi_dma_wr, unaligned, 128 bits", 2240, 551, 159, "", "69-74", ""),
        ("verilog-axi axi_dma_wr, unaligned, 512 bits", 9216, 1463, 164, "", "48-49", "60 bytes 3.95, 1448 bytes 26.8"),
    ],
    "parser": [
        ("taxi zircon parser, 32 bits, fixed headers", 1736, 324, 106, "", "135-140", "17 a minimum frame"),
        ("Enso parser, 512 bits, fixed headers", 25, 146, 21, "", "185-219", ""),
    ],
}
# What ours takes: a frame, or an operation. Asserted by the tests of the blocks and by `make linerate`.
OURS = {
    "flow_table": "lookup, update: 1 each, with LRU",
    "checksum": "a beat a clock, no bubble",
    "dma_write": "a beat a clock, no bubble",
    "parser": "a row a clock: as many as the frame has steps",
}


def page(results, table, counts, fmax):
    """Each block, and below it its peers."""
    rows, shown = [], set()
    for i, result in enumerate(results):
        block = result["block"]
        part = result["part"].split(",")[0]
        lut, carry, ram, ff, bram = (sum(c) for c in zip(*map(counts, result["parts"].values())))
        clocks = next((text for name, text in OURS.items() if block.startswith(name)), "")
        rows.append([f"**{block}**, W {result['config']['data_width']}, D {result['config']['dma_width']}, {part}", lut, ff, carry, ram,
                     bram, ", ".join(fmax(result)) or "not placed", clocks])
        last = i + 1 == len(results) or results[i + 1]["block"] != block
        if last and block not in shown:
            shown.add(block)
            rows += [[name, a, f, c, "", b, mhz, text] for name, a, f, c, b, mhz, text in PEERS.get(block, [])]
    return table(["block", "LUT4", "FF", "CCU2C", "DPR16X4", "DP16KD", "MHz, seed by seed", "clocks"], rows)
