"""The parts of a plot: escaped, rounded (so that equal input gives equal bytes), styled by class.

A plot is a complete SVG document that carries its style, so the file looks the same alone and inside the page,
light or dark. Series differ by colour and by shape; the colours are Okabe and Ito's, told apart by everyone.
"""

import html

SERIES_COUNT = 6
CHARACTER_WIDTH = 6.7  # of the 12 px sans-serif below, on the wide side

STYLE = """
.plot{font:12px system-ui,"Segoe UI","DejaVu Sans",sans-serif}
.plot text{fill:#1f2328}.plot .soft{fill:#59636e}.plot .head{font-weight:600}
.plot .grid{stroke:#d1d9e0}.plot .base{stroke:#59636e;stroke-width:1.5}
.plot .stem{stroke-width:3;stroke-opacity:.45}.plot .whisker{stroke-width:1.5}.plot .curve{fill:none;stroke-width:2}
.s0{stroke:#0072b2;fill:#0072b2}.s1{stroke:#c44e00;fill:#c44e00}.s2{stroke:#008060;fill:#008060}
.s3{stroke:#a8478a;fill:#a8478a}.s4{stroke:#7a6a00;fill:#7a6a00}.s5{stroke:#59636e;fill:#59636e}
@media (prefers-color-scheme:dark){
.plot text{fill:#e6edf3}.plot .soft{fill:#9da7b1}.plot .grid{stroke:#343b44}.plot .base{stroke:#9da7b1}
.s0{stroke:#56b4e9;fill:#56b4e9}.s1{stroke:#f0883e;fill:#f0883e}.s2{stroke:#2fc8a0;fill:#2fc8a0}
.s3{stroke:#e08fc4;fill:#e08fc4}.s4{stroke:#e3cf4a;fill:#e3cf4a}.s5{stroke:#9da7b1;fill:#9da7b1}}
"""


def document(plot_id, title, description, width, height, parts):
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" aria-labelledby="{plot_id}-title {plot_id}-description">\n'
        f'<title id="{plot_id}-title">{escape(title)}</title>\n'
        f'<desc id="{plot_id}-description">{escape(description)}</desc>\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def escape(text):
    return html.escape(str(text), quote=True)


def text(x, y, content, anchor="start", style="", key=""):
    attributes = (f' class="{style}"' if style else "") + (f' data-figure="{escape(key)}"' if key else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(content)}</text>'


def line(x1, y1, x2, y2, style):
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def curve(points, style):
    coordinates = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="curve {style}" points="{coordinates}"/>'


def marker(x, y, series):
    """Shape and colour of a series."""
    style = f"s{series % SERIES_COUNT}"
    outline = _OUTLINES[series % SERIES_COUNT]
    if outline is None:
        return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in outline)
    return f'<polygon class="{style}" points="{points}"/>'


_OUTLINES = (
    None,
    ((-4, -4), (4, -4), (4, 4), (-4, 4)),
    ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    ((0, -5), (5, 4), (-5, 4)),
    ((0, 5), (5, -4), (-5, -4)),
    ((-5, -1.5), (5, -1.5), (5, 1.5), (-5, 1.5)),
)


def legend(labels, x, y, max_width):
    """Markers with names, wrapped; returns the parts and the height they took."""
    parts, left, top = [], x, y
    for series, label in enumerate(labels):
        width = 24 + len(label) * CHARACTER_WIDTH
        if left > x and left + width > max_width:
            left, top = x, top + 20
        parts += [marker(left + 6, top, series), text(left + 16, top + 4, label)]
        left += width
    return parts, top - y + 20
