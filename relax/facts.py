"""How results are shown, in a terminal and in Jupyter."""

from __future__ import annotations

from html import escape


class Shown:
    """What has `facts()`, (label, value) pairs, prints them as a table."""

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        raise NotImplementedError

    def __str__(self) -> str:
        """Write `facts` as a table."""
        width = max(len(label) for label, _ in self.facts()) + 2
        return "\n".join(f"{label:<{width}}{value}" for label, value in self.facts())

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><th>{escape(a)}</th><td>{escape(b)}</td></tr>" for a, b in self.facts())
        return f"<table>{cells}</table>"
