"""The plot of the presets' area, as SVG."""

WIDTH, HEIGHT, MARGIN, GAP = 330, 220, 56, 30
SERIES = {"LUT4": ("LUT4", "#2a6fb0"), "TRELLIS_FF": ("FF", "#c4622d")}
# Everything but the axis is as in the default preset.
PANELS = [("flows, W = 64", "flows", "data_width", 64), ("W, 16 flows", "data_width", "flows", 16)]


def total(result, kind):
    return sum(part.get(kind, 0) for part in result["parts"].values())


def points(results, axis, fixed, value):
    """One result for each value of `axis`, in order."""
    chosen = {r["config"][axis]: r for r in results if r["config"][fixed] == value and r["config"]["dma_width"] >= 128}
    return sorted(chosen.items())


def panel(x0, results, top, title, axis, fixed, value):
    """Lines of both series against equally spaced values of `axis`."""
    found = points(results, axis, fixed, value)
    step = (WIDTH - 40) / max(1, len(found) - 1)
    at = lambda i, n: (x0 + 20 + i * step, MARGIN / 2 + HEIGHT * (1 - n / top))
    out = [f'<rect x="{x0}" y="{MARGIN / 2}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>']
    for i, (label, _) in enumerate(found):
        out.append(f'<text x="{at(i, 0)[0]:.0f}" y="{MARGIN / 2 + HEIGHT + 16}" text-anchor="middle">{label}</text>')
    out.append(f'<text x="{x0 + WIDTH / 2}" y="{MARGIN / 2 + HEIGHT + 34}" text-anchor="middle">{title}</text>')
    for kind, (_, colour) in SERIES.items():
        dots = [at(i, total(result, kind)) for i, (_, result) in enumerate(found)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in dots]
    return out


def draw(results):
    """The picture: area against flows, and against the data width."""
    most = max(total(result, kind) for result in results for kind in SERIES)
    top = -(-most // 10_000) * 10_000
    size = (MARGIN + 2 * WIDTH + GAP + 10, HEIGHT + MARGIN / 2 + 64)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="12">',
           f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>']
    for n in range(0, top + 1, 10_000):
        y = MARGIN / 2 + HEIGHT * (1 - n / top)
        out.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{n}</text>')
        out.append(f'<line x1="{MARGIN}" x2="{MARGIN + 2 * WIDTH + GAP}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
    for i, place in enumerate(PANELS):
        out += panel(MARGIN + i * (WIDTH + GAP), results, top, *place)
    for i, (name, colour) in enumerate(SERIES.values()):
        x, y = MARGIN + 10 + 70 * i, HEIGHT + MARGIN / 2 + 52
        out.append(f'<circle cx="{x}" cy="{y - 4}" r="4" fill="{colour}"/><text x="{x + 8}" y="{y}">{name}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
