"""SVG as text, and what the pictures have in common: colours are variables of style.css."""

from __future__ import annotations

from html import escape


def picture(name: str, width: float, height: float, title: str, described: str, body: list[str]) -> str:
    """Return an SVG element that scales with its place and says what it shows."""
    return (
        f'<svg class="gram-{name}" role="img" aria-labelledby="gram-{name}-title gram-{name}-desc" '
        f'viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="gram-{name}-title">{escape(title)}</title>'
        f'<desc id="gram-{name}-desc">{escape(described)}</desc>{"".join(body)}</svg>'
    )


def text(x: float, y: float, said: str, anchor: str = "middle", kind: str = "") -> str:
    """Return a text, centred by height."""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" dy=".35em" text-anchor="{anchor}"{named}>{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str, style: str = "") -> str:
    """Return a straight line."""
    styled = f' style="{style}"' if style else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"{styled}/>'


def signed(value: float, digits: int) -> str:
    """Return a number with a minus sign as wide as a plus."""
    said = f"{value:.{digits}f}"
    return said.replace("-", "−") if float(said) else said.removeprefix("-")


def mixed(part: float) -> str:
    """Return the colour of class sizes between the largest (0) and the smallest (1)."""
    return f"color-mix(in oklab, var(--gram-minor) {100 * part:.0f}%, var(--gram-major))"
