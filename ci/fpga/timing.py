"""What nextpnr's report says about one seed."""

import collections
import re

HARNESS = ("u_in.", "u_out.")


def block(cell):
    """The engine's block that a cell lies in: the instance below `dut`, without its `u_`."""
    if cell.startswith(HARNESS):
        return "harness"
    path = cell.removeprefix("dut.").split(".")
    return path[0].removeprefix("u_") if len(path) > 1 else "top"


def register(cell):
    """A register's name in the source: without the endings that Yosys and nextpnr put behind it."""
    return re.sub(r"(_(TRELLIS_FF|LUT4|PFUMX|L6MUX21|CCU2C|DPR16X4)\w*|\$\w+)+$", "", cell.removeprefix("dut."))


def critical_path(report):
    """The slowest path from register to register: what it is made of, and which blocks it crosses."""
    paths = [p for p in report["critical_paths"] if "async" not in p["from"] + p["to"]]
    hops = max((p["path"] for p in paths), key=lambda hops: sum(h["delay"] for h in hops))
    blocks = []
    for hop in hops:
        for end in ("from", "to"):
            name = block(hop[end]["cell"])
            if name not in blocks[-1:]:
                blocks.append(name)
    of = {kind: sum(h["delay"] for h in hops if h["type"] == kind) for kind in {h["type"] for h in hops}}
    routing = of.pop("routing", 0)
    return {"from": register(hops[0]["from"]["cell"]), "to": register(hops[-1]["to"]["cell"]), "blocks": blocks,
            "levels": sum(h["type"] == "logic" for h in hops), "logic_ns": round(sum(of.values()), 2),
            "routing_ns": round(routing, 2)}


def summary(report):
    """Fmax, critical path and what the device's cells are used for."""
    (clock,) = report["fmax"].values()
    used = {name: u["used"] for name, u in report["utilization"].items() if u["used"]}
    return {"fmax": round(clock["achieved"], 2), "critical": critical_path(report), "used": used}


def slowest(report):
    """All registers that paths end at, the latest first: arrival in ns, endpoints, register and port, a cell that drives it."""
    ends = collections.defaultdict(list)
    for net in report["detailed_net_timings"]:
        for end in net["endpoints"]:
            name = re.sub(r"_\d+$", "", register(end["cell"]))
            port = "D" if end["port"] in ("A", "B", "C", "D", "M", "DI") else end["port"]
            ends[name, port].append((end["delay"][1], net["driver"].removeprefix("dut.")))
    rows = sorted(((*max(paths), len(paths), *key) for key, paths in ends.items()), reverse=True)
    return "\n".join(f"{ns:7.2f} {count:5}  {name} {port}  <- {driver}" for ns, driver, count, name, port in rows) + "\n"
