"""docs/src/synthesis.md and its picture, from the results in docs/results/synth. And the same figures for the terminal."""

import json

from fpga import checks, peers, plot, source, tools

PAGE = tools.ROOT / "docs/src/synthesis.md"
PICTURE = PAGE.with_suffix(".svg")
COLUMNS = {"LUT4": "LUT4", "CCU2C": "CCU2C", "TRELLIS_DPR16X4": "DPR16X4", "TRELLIS_FF": "FF", "DP16KD": "DP16KD"}

INTRO = f"""<!-- Written by ci/synth from docs/results/synth: run `make synth`, or `ci/synth --page`. -->

# Synthesis

Yosys `synth_ecp5` and nextpnr-ecp5, the wheels that `ci/requirements-synth.txt` pins. Each design sits between the registers of a
harness (`ci/fpga/harness.py`), which is not counted. Fmax is after routing; every seed is listed, and the lowest is the one to quote.

    make synth PRESET=ecp5-10g            # four seeds; SEEDS=n for another number, 0: area only, 5-8: these as well
    make synth PRESET=ecp5-10g BLOCK=flow_table

Two options differ from the defaults. Use the same in your own flow:

- Yosys maps to LUTs with `abc9 -W {checks.WIRE_PS}`. Its default, 300 ps a wire, lets the longest carry chain allow every other path five or six
  LUTs in a row; in a part that is half full a wire takes 0.9 ns. `synth_ecp5` has no option for it, so it is called in parts:
  `synth_ecp5 -top T -run begin:map_luts; {checks.MAP_LUTS}; synth_ecp5 -top T -run map_cells:`.
- nextpnr runs with `--placer {tools.PLACER}`: on the whole engine its wires are a quarter shorter than those of the default placer, they are
  routed in a third of the time, and less is left to chance.

Why the clock ends where it does, and what `ecp5-25g` lacks, is in [Hardware style](hdl-style.md#what-limits-the-clock).

CCU2C is a carry of two bits and takes two LUTs, DPR16X4 a distributed RAM of 16 x 4 and takes six, DP16KD a block RAM of 18 Kbit.
*Verilog* is a hash of the text that was measured, without comments; **older** says that the source, or one of the two options above, has
changed since.
*Checks* is what each design must pass before it is placed (`ci/fpga/checks.py`): every memory in the cells that its shape needs, none in
flip-flops, no logic for collisions of reads and writes, no latch, no combinational loop, no multiplier.
"""


def total(result, kind):
    return sum(part.get(kind, 0) for part in result["parts"].values())


def counts(part):
    return [part.get(kind, 0) for kind in COLUMNS]


def biggest_first(result):
    return sorted(result["parts"].items(), key=lambda part: -part[1].get("LUT4", 0))


def area_text(result):
    """The design's cells as a table for the terminal: the whole, then its parts."""
    rows = [("whole", [total(result, kind) for kind in COLUMNS])]
    rows += [(name or "(top)", counts(part)) for name, part in biggest_first(result)]
    head = f"{'':24}" + "".join(f"{name:>9}" for name in COLUMNS.values())
    return "\n".join([head, *(f"{name:24}" + "".join(f"{n:9}" for n in row) for name, row in rows)])


def seed_text(seed):
    path = seed["critical"]
    return (f"{seed['fmax']:.1f} MHz; critical path in {' > '.join(path['blocks'])}: {path['from']} to {path['to']}, "
            f"{path['levels']} levels, {path['logic_ns']:.2f} ns logic + {path['routing_ns']:.2f} ns routing")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def fmax(result):
    return [f"{seed['fmax']:.1f}" for seed in result["seeds"].values()]


def shape(result):
    return [result["config"][key] for key in ("data_width", "dma_width", "flows")]


def verilog(result):
    """The hash, and whether source and flow are today's."""
    is_todays = source.today(result["preset"], result["block"]) == result["verilog"] and result.get("flow") == tools.FLOW
    return result["verilog"] if is_todays else f"{result['verilog']}, **older**"


def checked(result):
    """What the checks found; results from before there were any have none."""
    found = result.get("checks")
    return f"passed; memories: {found['block']} block, {found['distributed']} distributed" if found else "**none yet**"


def engines(results):
    """The presets: area and Fmax."""
    rows = []
    for result in results:
        needed = f"{result['config']['clock_khz'] / 1e3:.4g}"
        rows.append([result["preset"], *shape(result), *(total(result, kind) for kind in COLUMNS), needed,
                     ", ".join(fmax(result)) or "not placed", checked(result), verilog(result)])
    return table(["preset", "W", "D", "flows", *COLUMNS.values(), "MHz needed", "MHz, seed by seed", "checks", "Verilog"], rows)


def paths(results):
    rows = []
    for result in results:
        for number, seed in result["seeds"].items():
            path = seed["critical"]
            rows.append([result["block"] or result["preset"], number, f"{seed['fmax']:.1f}", ", ".join(path["blocks"]),
                         f"`{path['from']}` to `{path['to']}`", path["levels"], f"{path['logic_ns']} + {path['routing_ns']}"])
    return table(["design", "seed", "MHz", "blocks on the path", "from, to", "levels", "ns logic + routing"], rows)


def shares(result):
    rows = [[name.removeprefix("u_") or "between the blocks", *counts(part)] for name, part in biggest_first(result)]
    return table(["block", *COLUMNS.values()], rows)


def load(folder):
    results = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    engine = sorted((r for r in results if not r["block"]), key=lambda r: (*shape(r), r["preset"]))
    block = sorted((r for r in results if r["block"]), key=lambda r: (r["block"], *shape(r), r["part"]))
    return engine, block


def make(folder):
    """Page and picture, as {path: text}."""
    engine, block = load(folder)
    text, files = [INTRO], {}
    versions = {f"{name} {version}" for r in engine + block for name, version in r["tools"].items()}
    text.append(f"Tools: {', '.join(sorted(versions))}. Part, where nothing else is said: {tools.PARTS['um5g'].name}.\n")
    if engine:
        text += ["## Presets\n", engines(engine), "", f"![Area against flows and data width]({PICTURE.name})\n"]
        files[PICTURE] = plot.draw(engine)
        text += ["## Critical paths\n", paths([r for r in engine if r["seeds"]]), ""]
        for result in engine:
            if result["seeds"]:
                text += [f"## Blocks of {result['preset']}\n", shares(result), ""]
    if block:
        text += ["## Blocks alone\n", peers.INTRO, peers.page(block, engine, table, counts, fmax, verilog), ""]
    files[PAGE] = "\n".join(text)
    return files


def write(folder):
    for path, text in make(folder).items():
        path.write_text(text)


def check(folder):
    """Refuses a page that is not what the results and today's source make."""
    for path, text in make(folder).items():
        if not path.exists() or path.read_text() != text:
            raise tools.ToolError(f"{path.relative_to(tools.ROOT)} is stale; run: ci/synth --page")
