"""A picture of the comparison: time against size, ours and the peers."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from benchmarks.peers import SECONDS, Line
from benchmarks.tasks import Kind
from relax.files import write_atomically

STYLE = {
    "ours": ("#2166ac", "o-"),
    "SCS": ("#b2182b", "s-"),
    "Clarabel": ("#e08214", "^-"),
    "SCS, tight": ("#b2182b", "s:"),
    "Clarabel, tight": ("#e08214", "^:"),
}
PANELS: dict[Kind, tuple[str, str]] = {
    "lift": ("n × n lift, one node a sample", "samples n"),
    "reduced": ("reduced program, one node a class", "classes k"),
}


def draw(lines: list[Line], path: Path) -> None:
    """Write the picture; × marks what failed or met the limit."""
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (kind, words) in zip(panels, PANELS.items(), strict=True):
        _panel(axes, [line for line in lines if line.task.kind == kind], *words)
    panels[0].set_ylabel("seconds, model and compilation included")
    panels[0].legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.12))
    kind = path.suffix.removeprefix(".")
    write_atomically(path, lambda file: figure.savefig(file, format=kind, dpi=150))


def _panel(axes: Axes, lines: list[Line], title: str, label: str) -> None:
    sizes = sorted({line.task.size for line in lines})
    axes.set(xscale="log", yscale="log", title=title, xlabel=label)
    axes.axhline(SECONDS, color="0.6", lw=1, ls="--")
    axes.annotate(f"limit, {SECONDS:.0f} s (× no answer)", (sizes[0], 1.3 * SECONDS), color="0.4", fontsize=8)
    for place, (solver, (colour, mark)) in enumerate(STYLE.items()):
        own = [line for line in lines if line.solver == solver]
        good, bad = [x for x in own if x.answered], [x for x in own if not x.answered]
        sizes_done, seconds = [x.task.size for x in good], [x.seconds for x in good]
        axes.plot(sizes_done, seconds, mark, color=colour, ms=4, lw=1.2, label=solver)
        height = SECONDS * 1.4 ** (place - 1)  # one above another, for all to be seen
        axes.plot([x.task.size for x in bad], [height for _ in bad], "x", color=colour, ms=6, mew=1.8)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.spines[["top", "right"]].set_visible(False)
