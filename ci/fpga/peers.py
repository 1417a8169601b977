"""Other projects' blocks on the same tools, beside ours.

Theirs were measured with Yosys 0.70 and nextpnr-ecp5 0.11, LFE5U-85F, CABGA756, speed 8, seeds 1 to 4, in a harness of the same kind.
"""

import collections
import json

from fpga import tools

INTRO = """Blocks of other projects, measured with the same tools (seeds 1 to 4, the range is given), stand below the block of ours that does
their work. They were placed in an LFE5U-85F of speed 8. Ours is *ahead* of one in MHz when its slowest seed in that part is faster than their
fastest, and in clocks when it takes fewer, or as few where theirs cannot take fewer; *part* says that ours was placed in the faster LFE5UM5G only.

Clocks of ours: of dma_write, for frames packed byte to byte, those that its test measures (the peer's were measured alike, with its bus as wide
as D); of the flow table and the checksum unit, what their tests assert; else clocks a frame of the whole engine, flooded, from
[Line rate](linerate.md): no block in it takes more.
"""

PART = tools.PARTS["u"].name.split(",")[0]
# Whose text: name; LUT4, FF, CCU2C, DP16KD; MHz, slowest and fastest seed; data width, where ours of the same is to be compared; clocks by what.
Peer = collections.namedtuple("Peer", "name area mhz width clocks note")


def peer(name, area, mhz, clocks, width=None, note=""):
    return Peer(name, area, mhz, width, clocks, note)


BEAT, LOOKUP, WRITE = "a beat", "a lookup", "an insert"
PEERS = {
    "flow_table_16": [
        peer("verilog-cam, cam_bram 16 x 104", (1464, 732, 5, 22), (90, 93), {LOOKUP: 1, WRITE: 5}, note="no LRU"),
        peer("verilog-cam, cam_srl 16 x 104", (6477, 6783, "", ""), (132, 132), {WRITE: 17}, note="no LRU"),
        peer("Enso flow table 4 x 2048", (3324, 9292, 1184, 60), (74, 74), {WRITE: 13}, note="MHz before routing; no eviction"),
    ],
    "flow_table_32": [
        peer("verilog-cam, cam_bram 32 x 104", (2818, 1117, 5, 22), (77, 81), {LOOKUP: 1, WRITE: 5}, note="no LRU"),
    ],
    "checksum": [
        peer("Corundum rx_checksum, 64 bits", (68, 92, 47, ""), (151, 158), {BEAT: 1}, 64, "sums; does not verify"),
        peer("Corundum rx_checksum, 512 bits", (515, 597, 310, ""), (150, 156), {BEAT: 1}, 512, "sums; does not verify"),
    ],
    "dma_write": [
        peer("verilog-axi axi_dma_wr, unaligned, 64 bits", (1248, 399, 148, ""), (92, 96), {60: 10.5, 1448: 195, 9018: 1201}, 64),
        peer("verilog-axi axi_dma_wr, unaligned, 128 bits", (2240, 551, 159, ""), (69, 74), {}, 128),
        peer("verilog-axi axi_dma_wr, unaligned, 512 bits", (9216, 1463, 164, ""), (48, 49), {60: 3.95, 1448: 26.8}, 512),
    ],
    "parser": [
        peer("taxi zircon parser, 32 bits", (1736, 324, 106, ""), (135, 140), {60: 17}, note="fixed headers"),
        peer("Enso parser, 512 bits", (25, 146, 21, ""), (185, 219), {}, note="fixed headers"),
    ],
    # The whole engine.
    None: [peer("taxi cndm receive, 64 bits", ("", "", "", ""), None, {60: 20, 1448: 193}, 64, "nothing overlaps")],
}
# No block of ours does this work: receive-side scaling is not built.
ALONE = [
    peer("Corundum rx_hash, 64 bits", (2413, 226, "", ""), (166, 186), {}),
    peer("Corundum rx_hash, 512 bits", (2312, 226, "", ""), (159, 184), {}),
]
# Clocks of ours that its tests assert: testbench/tests/flow_table.rs (an operation a clock), checksum/main.rs (no clock lost).
ASSERTED = {"flow_table": {LOOKUP: 1, WRITE: 1}, "checksum": {BEAT: 1}}
# Blocks whose clocks are those of the engine's frames.
FRAMES = ("parser", None)
# The traffic of which they are: watched, in trains.
TRAFFIC = "one-flow"
HEAD = ["block", "LUT4", "FF", "CCU2C", "DPR16X4", "DP16KD", "MHz, seed by seed", "clocks", "ours ahead: MHz", "clocks", "Verilog"]


def frames(width):
    """Clocks a frame by length, measured by `make linerate` at this data width."""
    path = tools.ROOT / "docs/results/linerate.json"
    engines = json.loads(path.read_text())["engines"] if path.exists() else []
    for engine in engines:
        if engine["data_width"] == width:
            mix = next(mix for mix in engine["mixes"] if mix["name"] == TRAFFIC)
            return {pace["length"]: pace["clocks"] for pace in mix["paces"]}
    return {}


def packed(width):
    """Clocks a frame of dma_write by length, at this width of the bus: asserted by testbench/tests/dma_write.rs."""
    widths = json.loads((tools.ROOT / "docs/results/dma_write.json").read_text())
    return {int(length): clocks for length, clocks in widths.get(str(width), {}).items()}


def width_of(result):
    """The width by which a block and its peers are compared."""
    return result["config"]["dma_width" if base(result["block"]) == "dma_write" else "data_width"]


def base(block):
    """A block's name without its parameters."""
    return next((name for name in [*ASSERTED, "dma_write", "parser"] if block and block.startswith(name)), block)


def ours(block, width):
    """Clocks of our block."""
    if base(block) in ASSERTED:
        return ASSERTED[base(block)]
    if base(block) == "dma_write":
        return packed(width)
    return frames(width) if base(block) in FRAMES else {}


def clocks_text(clocks, note=""):
    parts = [f"{what} bytes {count:g}" if isinstance(what, int) else f"{what} {count:g}" for what, count in clocks.items()]
    return ", ".join([*parts, *filter(None, [note])])


def ahead_in_clocks(theirs, mine):
    """For what both were measured; a clock is the least that an operation takes."""
    common = [what for what in theirs if what in mine]
    if not common:
        return "-"
    lost = [what for what in common if mine[what] > theirs[what] or (mine[what] == theirs[what] and theirs[what] > 1)]
    return f"**no**: {clocks_text({what: mine[what] for what in lost})}" if lost else "yes"


def ahead_in_mhz(theirs, results):
    """Against the slowest seed of ours, in the part that theirs was placed in."""
    if theirs is None:
        return "-"
    placed = [r for r in results if r["seeds"]]
    slowest = [min(seed["fmax"] for seed in r["seeds"].values()) for r in placed if r["part"].startswith(f"{PART},")]
    if not slowest:
        return "part" if placed else "-"
    return "yes" if min(slowest) > theirs[1] else f"**no**: {min(slowest):.1f}"


def span(mhz):
    return "" if mhz is None else f"{mhz[0]}-{mhz[1]}" if mhz[0] != mhz[1] else f"{mhz[0]}"


def peer_row(them, results):
    """`results`: ours of the block that does the same work."""
    same = [r for r in results if them.width in (None, width_of(r))]
    widths = {width_of(r) for r in same} or {them.width}
    mine = ours(results[0]["block"] if results else None, them.width or min(widths))
    lut, ff, carry, bram = them.area
    return [them.name, lut, ff, carry, "", bram, span(them.mhz), clocks_text(them.clocks, them.note),
            ahead_in_mhz(them.mhz, same), ahead_in_clocks(them.clocks, mine), ""]


def page(results, engines, table, counts, fmax, verilog):
    """Each block, and below it its peers; then what compares with the whole engine, and what with nothing."""
    rows = []
    of = collections.defaultdict(list)
    for result in results:
        of[result["block"]].append(result)
    for block, mine in of.items():
        for result in mine:
            config, part = result["config"], result["part"].split(",")[0]
            lut, carry, ram, ff, bram = (sum(c) for c in zip(*map(counts, result["parts"].values())))
            rows.append([f"**{block}**, W {config['data_width']}, D {config['dma_width']}, {part}", lut, ff, carry, ram, bram,
                         ", ".join(fmax(result)) or "not placed", clocks_text(ours(block, width_of(result))), "", "", verilog(result)])
        rows += [peer_row(them, mine) for them in PEERS.get(block, [])]
    for width in sorted({e["config"]["data_width"] for e in engines if frames(e["config"]["data_width"])}):
        rows.append([f"**the engine**, W {width}", *[""] * 5, "see above", clocks_text(frames(width)), "", "", ""])
        rows += [peer_row(them, []) for them in PEERS[None] if them.width == width]
    rows += [[*peer_row(them, [])[:7], "RSS is not built here", "-", "-", ""] for them in ALONE]
    missing = [block for block in PEERS if block and block not in of]
    tail = f"\n\nNot measured yet, with peers: {', '.join(missing)}." if missing else ""
    return table(HEAD, rows) + tail
