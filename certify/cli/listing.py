"""`gramcert losses` and `gramcert datasets`: what there is to choose from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from certify.checker import LOSSES
from certify.cli.printing import print_list
from certify.cli.streams import say
from relax import datasets, losses
from relax.losses.parameters import parameters, spelled_default, spelled_kind

Sources = Annotated[bool, typer.Option("--sources", help="Say where each comes from.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

OF_LOSSES = """gramcert losses
gramcert losses --sources
"""
OF_DATASETS = """gramcert datasets
gramcert solve --dataset cifar10-lt-100
"""


def losses_command(sources: Sources = False, as_json: AsJson = False) -> None:
    """List the losses with their parameters, default temperatures and formulas."""
    facts = [_loss_facts(name) for name in losses.names()]
    if as_json:
        say(json.dumps({"schema": "gramcert/losses/1", "losses": facts}))
        return
    last = "source" if sources else "formula"
    rows = [["loss", "default τ", "parameters", last]]
    for loss in facts:
        said = ", ".join(f"{one['name']}={one['default']}" for one in loss["parameters"])
        rows.append([loss["name"], f"{loss['temperature']:g}", said or "–", loss[last]])
    print_list(rows)


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


def datasets_command(sources: Sources = False, as_json: AsJson = False) -> None:
    """List the data sets whose class counts are built in; cifar10-lt-RATIO takes any whole ratio."""
    facts = [asdict(datasets.describe(name)) for name in datasets.names()]
    if as_json:
        say(json.dumps({"schema": "gramcert/datasets/1", "datasets": facts}))
        return
    titles = ["name", "classes", "samples", "largest", "smallest", *(["source"] if sources else [])]
    print_list([titles, *([str(one[title]) for title in titles] for one in facts)], right=range(1, 5))
