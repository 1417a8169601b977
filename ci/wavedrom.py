"""Draws a WaveDrom timing diagram (https://wavedrom.com) as SVG: the part of the language that the blocks' headers use.

Strict JSON; `signal` with `name`, `wave` and `data`, and `{}` for a gap between signals; `head.text`; `config.hscale`.
Wave letters: p n 0 1 l h = 2 to 9 x z . |   Anything else is refused, not drawn wrongly.
"""

import html
import json

CELL, HIGH, ROW, SLOPE = 36, 18, 28, 3 # pixels: a clock, a signal's swing, a line, a bus's edge
COLOURS = dict(zip("=23456789", ["#fff", "#fff", "#fff3c4", "#fde0c8", "#d5e6fa", "#d8f0ea", "#e0f2d0", "#eadcf6", "#fbdcea"]))
ALLOWED = {"signal": {"name", "wave", "data"}, "head": {"text"}, "config": {"hscale"}}


class WaveError(Exception):
    """What is wrong with a diagram, in one line."""


def refuse_unknown(given, allowed, where):
    for key in given.keys() - allowed:
        raise WaveError(f"wavedrom: '{key}' in {where} is not supported; one of {', '.join(sorted(allowed))}")


def segments(name, wave):
    """Splits a wave into (letter, first clock, clocks, set of clocks with a break mark)."""
    runs = []
    for clock, letter in enumerate(wave):
        if letter in ".|" and runs:
            runs[-1][2] += 1
            if letter == "|":
                runs[-1][3].add(clock)
        elif letter in "pn01lhxz" or letter in COLOURS:
            runs.append([{"l": "0", "h": "1"}.get(letter, letter), clock, 1, set()])
        else:
            raise WaveError(f"wavedrom: letter '{letter}' in the wave of {name} is not supported")
    return runs


def draw_signal(signal, x0, y, cell):
    """One signal's line. `y` is the top of its swing."""
    name, out, before = signal.get("name", ""), [], None
    data = signal.get("data", [])
    labels = iter(data.split() if isinstance(data, str) else data)
    low, mid = y + HIGH, y + HIGH / 2
    for letter, clock, clocks, breaks in segments(name, signal.get("wave", "")):
        x, end = x0 + clock * cell, x0 + (clock + clocks) * cell
        if letter in "pn":
            first, second = (y, low) if letter == "p" else (low, y)
            path = f"M{x} {second}" + "".join(
                f"V{first}H{x + (k + 0.5) * cell:g}V{second}H{x + (k + 1) * cell}" for k in range(clocks))
            after = second
        elif letter in "01z":
            after = {"0": low, "1": y, "z": mid}[letter]
            path = f"M{x} {after if before is None else before}V{after}H{end}"
        else:
            after, fill = mid, COLOURS.get(letter, "url(#unknown)")
            out.append(f'<path d="M{x} {mid}L{x + SLOPE} {y}H{end - SLOPE}L{end} {mid}L{end - SLOPE} {low}H{x + SLOPE}z" fill="{fill}"/>')
            label = next(labels, "") if letter in COLOURS else ""
            if label:
                out.append(f'<text class="v" x="{(x + end) / 2:g}" y="{mid + 4:g}">{html.escape(str(label))}</text>')
            path = f"M{x} {mid if before is None else before}V{mid}"
        out.append(f'<path class="w" d="{path}"/>')
        for mark in breaks: # time left out
            at = x0 + (mark + 0.5) * cell
            out.append(f'<path d="M{at - 4:g} {low + 3}l5 {-HIGH - 6}h3l-5 {HIGH + 6}z" fill="#fff" stroke="#888" stroke-width=".7"/>')
        before = after
    if next(labels, None) is not None:
        raise WaveError(f"wavedrom: {name} has more data than values in its wave")
    return out


def draw(text):
    """The SVG of one diagram."""
    try:
        diagram = json.loads(text)
    except json.JSONDecodeError as error:
        raise WaveError(f"wavedrom: not strict JSON: {error}") from None
    refuse_unknown(diagram, ALLOWED.keys(), "the diagram")
    for part in ("head", "config"):
        refuse_unknown(diagram.get(part, {}), ALLOWED[part], part)
    signals = diagram.get("signal", [])
    for signal in signals:
        if not isinstance(signal, dict):
            raise WaveError("wavedrom: groups of signals are not supported")
        refuse_unknown(signal, ALLOWED["signal"], "a signal")
    title = diagram.get("head", {}).get("text", "")
    cell = CELL * diagram.get("config", {}).get("hscale", 1)
    x0 = 24 + 7 * max((len(s.get("name", "")) for s in signals), default=0) + 6
    top = 34 if title else 12
    clocks = max((len(s.get("wave", "")) for s in signals), default=0)
    width, height = x0 + clocks * cell + 12, top + ROW * len(signals)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        "<style>.w{fill:none;stroke:#222;stroke-width:1.3}path{stroke:#222;stroke-width:1}.g{stroke:#d9dde2;stroke-dasharray:2 3}"
        ".n{text-anchor:end;font-family:monospace}.v{text-anchor:middle}</style>",
        '<defs><pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#fff"/>'
        '<path d="M0 6L6 0" stroke="#999" stroke-width=".8"/></pattern></defs>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    if title:
        out.append(f'<text class="v" x="{(x0 + width) / 2:g}" y="20">{html.escape(title)}</text>')
    out += [f'<path class="g" d="M{x0 + k * cell} {top - 4}V{height - 4}"/>' for k in range(clocks + 1)]
    for row, signal in enumerate(signals):
        y = top + row * ROW
        if signal.get("name"):
            out.append(f'<text class="n" x="{x0 - 10}" y="{y + HIGH / 2 + 4:g}">{html.escape(signal["name"])}</text>')
        out += draw_signal(signal, x0, y, cell)
    return "\n".join([*out, "</svg>"]) + "\n"
