"""The generated Verilog of a preset, and which of it a result belongs to."""

import functools
import hashlib
import pathlib
import re
import subprocess
import tempfile
import tomllib

from fpga import tools

TOP = "pagetrain"


def generate(preset, folder):
    """Generates the preset's engine into `folder`; gives its configuration and the names of its Verilog files."""
    gen = ["cargo", "run", "--quiet", "--locked", "-p", "pagetrain-cli", "--", "gen", "--preset", preset, "-o", str(folder)]
    if subprocess.run(gen, cwd=tools.ROOT, stdout=subprocess.DEVNULL).returncode:
        raise tools.ToolError(f"preset {preset} was not generated")
    sources = (folder / f"{TOP}.f").read_text().split()
    return tomllib.loads((folder / f"{TOP}.toml").read_text()), [s for s in sources if s.endswith(".v")]


def module_of(block, sources):
    """The module that a block became: of that name, or of that name with its parameters behind it."""
    modules = [pathlib.Path(source).stem for source in sources]
    found = [m for m in modules if m == block] or [m for m in modules if re.fullmatch(rf"{re.escape(block)}(_[a-z]?\d+)+", m)]
    if len(found) != 1:
        raise tools.ToolError(f"no block '{block}'; one of: {', '.join(sorted(found or modules))}")
    return found[0]


def digest(texts, top):
    """Says which Verilog a result belongs to: of `top` and all modules below it. Comments, which name the preset, do not count."""
    code = {pathlib.Path(name).stem: re.sub(r"//.*", "", text) for name, text in texts.items()}
    below, new = set(), {top}
    while new:
        below |= new
        words = {word for module in new for word in re.findall(r"\w+", code[module])}
        new = words & code.keys() - below
    text = "\n".join(line.rstrip() for module in sorted(below) for line in code[module].split("\n") if line.strip())
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def digest_in(folder, sources, top):
    return digest({source: (folder / source).read_text() for source in sources}, top)


@functools.cache
def todays(preset):
    """The Verilog of a preset as the source makes it today, by file name; empty where there is no such preset any more."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        try:
            _, sources = generate(preset, folder)
        except tools.ToolError:
            return {}
        return {source: (folder / source).read_text() for source in sources}


def today(preset, block):
    """The digest that a result of this preset, or of this block in it, would have today; none where there is no such thing any more."""
    try:
        return digest(todays(preset), block or TOP)
    except KeyError:
        return None
