"""`gramcert losses` and `gramcert datasets`: what there is to choose from."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from relax import datasets, losses


def losses_command() -> None:
    """List the losses with their default temperatures and formulas."""
    table = Table("loss", "default τ", "formula", box=None, pad_edge=False)
    for name in losses.names():
        loss = losses.get(name)
        table.add_row(name, f"{loss.temperature:g}", loss.formula)
    Console(soft_wrap=True, highlight=False).print(table)


def datasets_command() -> None:
    """List the data sets whose class counts are built in."""
    table = Table("name", "classes", "samples", "largest", "smallest", "source", box=None, pad_edge=False)
    for name in datasets.names():
        facts = datasets.describe(name)
        numbers = (facts.classes, facts.samples, facts.largest, facts.smallest)
        table.add_row(name, *map(str, numbers), facts.source)
    Console(soft_wrap=True, highlight=False).print(table)
