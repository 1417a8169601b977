#!/usr/bin/env python3
"""What must be true of a synthesised design: each memory in the memory cells that its shape needs, none in flip-flops, no logic for
collisions; no latch, no combinational loop, no multiplier.

    ci/fpga/checks.py TOP FILE.v ...      synthesises and checks, in the current folder
"""

import collections
import json
import pathlib
import re
import sys

MULTIPLIERS = ("MULT", "ALU24", "ALU54")
# Word lengths that a DP16KD has, by its number of words.
BLOCKS = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
# Between these stages of `synth_ecp5` memories are whole cells; then they are mapped, and what was put around them has its name still.
WHOLE, MAPPED = "map_ram", "map_ffram"
# What a wire takes, in ps, as far as the mapper to LUTs knows. Yosys presumes 300; in a part that is half full it is nearer to 1000, and
# a mapper that does not know that saves LUTs by putting them in a row, wherever the longest carry chain takes as long.
WIRE_PS = 1000
# The stage `map_luts` of `synth_ecp5`, which has no option for that.
MAP_LUTS = f"check -latchonly -assert; techmap -map +/lattice/latches_map.v; abc9 -W {WIRE_PS}; clean"
# What Yosys puts around a memory whose reads and writes may meet.
COLLISIONS = "c:*emulate_transparency* c:*emulate_read_first*"
Memory = collections.namedtuple("Memory", "width size lanes reads")


def script(top, name):
    """The Yosys commands that map `top` to NAME.json, with what the checks look at on the way."""
    return (f"check -assert; synth_ecp5 -top {top} -run begin:{WHOLE}; json -o {name}.memories.json t:$mem*; "
            f"synth_ecp5 -top {top} -run {WHOLE}:{MAPPED}; tee -o {name}.collisions.txt select -list {COLLISIONS}; "
            f"synth_ecp5 -top {top} -run {MAPPED}:map_luts; {MAP_LUTS}; "
            f"synth_ecp5 -top {top} -run map_cells: -json {name}.json")


def up(n, step):
    return -(-n // step)


def memories(folder, name):
    """The memories of the design by name, as they are before they are mapped."""
    found = {}
    for module in json.loads((folder / f"{name}.memories.json").read_text())["modules"].values():
        for cell in module["cells"].values():
            number = {key: int(value, 2) for key, value in cell["parameters"].items() if key in ("WIDTH", "SIZE", "RD_PORTS")}
            enables = cell["connections"]["WR_EN"][:number["WIDTH"]]
            lanes = 1 + sum(a != b for a, b in zip(enables, enables[1:]))
            memory = cell["parameters"]["MEMID"].lstrip("\\")
            found[memory] = Memory(number["WIDTH"], number["SIZE"], lanes, number["RD_PORTS"])
    return found


def needed(memory, kind):
    """Cells of this kind that the memory's shape needs."""
    if kind == "TRELLIS_DPR16X4":
        return up(memory.size, 16) * up(memory.width, 4) * memory.reads
    width = memory.width
    if memory.lanes > 1: # an enable belongs to nine bits
        width = memory.lanes * 9 * up(memory.width // memory.lanes, 9)
    return memory.reads * min(up(memory.size, words) * up(width, bits) for words, bits in BLOCKS.items())


def violations(folder, name, log):
    """What is wrong, a sentence each."""
    if "Latch inferred" in log:
        yield "a latch"
    for memory in re.findall(r"using FF mapping for memory (\S+)", log) + re.findall(r"Replacing memory (\S+) with list of registers", log):
        yield f"a memory in flip-flops: {memory}"
    for cell in (folder / f"{name}.collisions.txt").read_text().split():
        yield f"logic for collisions at a memory: {cell}"
    modules = json.loads((folder / f"{name}.json").read_text())["modules"]
    cells = [(cell, entry["type"]) for module in modules.values() if not is_library(module) for cell, entry in module["cells"].items()]
    for cell, kind in cells:
        if kind.startswith(MULTIPLIERS):
            yield f"a multiplier: {kind} {cell}"
        if kind.startswith("$mem"):
            yield f"a memory that was not mapped: {cell}"
    for memory, shape in memories(folder, name).items():
        mine = collections.Counter(kind for cell, kind in cells if cell.startswith(f"{memory}."))
        for kind, count in mine.items():
            if kind in ("DP16KD", "TRELLIS_DPR16X4") and count > needed(shape, kind):
                yield f"{memory}, {shape.size} x {shape.width}, takes {count} {kind}; its shape needs {needed(shape, kind)}"


def is_library(module):
    return int(module["attributes"].get("blackbox", "0"), 2) or int(module["attributes"].get("whitebox", "0"), 2)


def instanced(folder, name):
    """The memories that are made of cells in the source (hdl/src/prim/ram/ecp5.rs), in rows and columns."""
    modules = json.loads((folder / f"{name}.json").read_text())["modules"]
    cells = [cell for module in modules.values() for cell, entry in module["cells"].items() if entry["type"] == "DP16KD"]
    return {re.split(r"(?:\.|^)(?:rows|columns)\[", cell)[0] for cell in cells if cell.endswith("].u_cell")}


def summary(folder, name, log):
    """How many memories of which kind there are; they have passed the checks."""
    inferred = collections.Counter(kind for _, kind in re.findall(r"mapping memory (\S+) via \$__(\w+?)_\n", log))
    distributed = inferred["TRELLIS_DPR16X4"]
    block = inferred.total() - distributed + len(instanced(folder, name))
    return {"block": block, "distributed": distributed, "registers": 0}


def check(folder, name, log, error):
    """Raises `error` with all that is wrong, or gives a summary."""
    wrong = list(violations(folder, name, log))
    if wrong:
        shown = "\n  ".join(wrong[:20])
        raise error(f"{folder / name}.log, against the rules ({len(wrong)}):\n  {shown}")
    return summary(folder, name, log)


def main():
    sys.dont_write_bytecode = True # no __pycache__ in ci/
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
    from fpga import tools
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    top, *files = sys.argv[1:]
    folder = pathlib.Path.cwd()
    try:
        log = tools.yosys(folder, "checked", f"{tools.read(files, top)}; {script(top, 'checked')}")
        found = check(folder, "checked", log, tools.ToolError)
    except tools.ToolError as error:
        sys.exit(f"checks: {error}")
    print(f"checks: {top}: memories in block RAM {found['block']}, distributed {found['distributed']}, in registers {found['registers']}")


if __name__ == "__main__":
    main()
