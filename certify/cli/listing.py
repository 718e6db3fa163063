"""`gramcert losses` and `gramcert datasets`: what there is to choose from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from certify.checker import LOSSES
from relax import datasets, losses
from relax.losses.parameters import parameters, spelled_default, spelled_kind

Sources = Annotated[bool, typer.Option("--sources", help="Say where each comes from.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def losses_command(sources: Sources = False, as_json: AsJson = False) -> None:
    """List the losses with their parameters, default temperatures and formulas."""
    facts = [_loss_facts(name) for name in losses.names()]
    if as_json:
        print(json.dumps({"schema": "gramcert/losses/1", "losses": facts}))
        return
    last = "source" if sources else "formula"
    table = Table("loss", "default τ", "parameters", last, box=None, pad_edge=False)
    for loss in facts:
        said = ", ".join(f"{one['name']}={one['default']}" for one in loss["parameters"])
        table.add_row(loss["name"], f"{loss['temperature']:g}", said, loss[last])
    Console(soft_wrap=True, highlight=False).print(table)


def _loss_facts(name: str) -> dict[str, Any]:
    loss = losses.kind(name)
    return {
        "name": name,
        "temperature": loss.default_temperature,
        "parameters": [
            {"name": one.name, "default": spelled_default(one), "values": spelled_kind(one)}
            for one in parameters(loss)
        ],
        "formula": loss.formula,
        "source": loss.source,
        "checker": name in LOSSES,
    }


def datasets_command(sources: Sources = False) -> None:
    """List the data sets whose class counts are built in."""
    columns = ["name", "classes", "samples", "largest", "smallest", *(["source"] if sources else [])]
    table = Table(*columns, box=None, pad_edge=False)
    for name in datasets.names():
        facts = datasets.describe(name)
        numbers = (facts.classes, facts.samples, facts.largest, facts.smallest)
        table.add_row(name, *map(str, numbers), *([facts.source] if sources else []))
    Console(soft_wrap=True, highlight=False).print(table)
