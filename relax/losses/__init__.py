"""Losses by name: those of the package, and those that other packages bring by an entry point."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from relax.errors import InputError, expect, worded
from relax.losses import presets
from relax.losses.cross_entropy import CrossEntropy
from relax.losses.decoupled import Decoupled
from relax.losses.dhel import Dhel
from relax.losses.fixed_batches import FixedBatches
from relax.losses.hardened import HScl, HUcl
from relax.losses.jiang import Scl, Ucl
from relax.losses.jiang_ucl import JiangUcl
from relax.losses.kernel import Kernel
from relax.losses.loss import Loss
from relax.losses.negatives_only import NegativesOnly
from relax.losses.ntxent_labels import NTXentLabels
from relax.losses.parameters import loss_from_statement, parse_parameters, statement_of
from relax.losses.reduction import Nodes, Reduction
from relax.losses.self_supervised import SelfSupervised
from relax.losses.supcon import SupCon
from relax.losses.supcon_in import SupConIn
from relax.losses.supcon_temperatures import SupConTemperatures

__all__ = [
    "CrossEntropy",
    "Decoupled",
    "Dhel",
    "FixedBatches",
    "HScl",
    "HUcl",
    "Kernel",
    "Loss",
    "NTXentLabels",
    "NegativesOnly",
    "Nodes",
    "Reduction",
    "Scl",
    "SelfSupervised",
    "SupCon",
    "SupConIn",
    "SupConTemperatures",
    "Ucl",
    "from_statement",
    "get",
    "names",
    "parse",
    "statement_of",
]

ENTRY_POINTS = "gramcert.losses"
_PRESETS: tuple[type[Any], ...] = (
    presets.SupContrast,
    presets.PmlSupCon,
    presets.PmlNTXent,
    presets.SoloSupCon,
    presets.LightlyNTXent,
    presets.GoogleSupConOut,
    presets.GoogleSupConIn,
    presets.KiniSupCon,
    presets.GrafSupCon,
    presets.LuthraNTXent,
    presets.LuthraWeak,
    JiangUcl,
)
_OURS: tuple[type[Any], ...] = (
    SupCon,
    SupConIn,
    SupConTemperatures,
    NTXentLabels,
    NegativesOnly,
    Decoupled,
    SelfSupervised,
    CrossEntropy,
    FixedBatches,
    Kernel,
    Dhel,
    Scl,
    Ucl,
    HScl,
    HUcl,
    *_PRESETS,
)


@cache
def _losses() -> dict[str, type[Any]]:
    """Return the classes of all losses by name; ours cannot be replaced."""
    brought = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    found: dict[str, type[Any]] = {}
    for name, point in brought.items():
        loss = point.load()
        if getattr(loss, "name", None) != name:
            raise InputError(
                f"the entry point {name!r} of {ENTRY_POINTS} loads no loss of that name ({point.value})"
            )
        found[name] = loss
    return found | {loss.name: loss for loss in _OURS}


def names() -> list[str]:
    """Return the names of all losses."""
    return sorted(_losses())


def kind(name: str) -> type[Any]:
    """Return the class of the loss of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if not isinstance(name, str) or name not in _losses():
        raise InputError(f"unknown loss {worded(name)}; choose one of: {', '.join(names())}")
    return _losses()[name]


def get(name: str) -> Loss:
    """Return the loss of that name with its default parameters.

    Raises
    ------
    InputError
        If there is none.
    """
    return kind(name)()


def parse(text: str) -> Loss:
    """Read NAME or NAME:parameter=value,….

    Raises
    ------
    InputError
        If there is no such loss, no such parameter, or its value is unusable.
    """
    expect(text, str, "loss", "give its name, e.g. 'supcon'")
    name, _, parameters = text.partition(":")
    return parse_parameters(kind(name), parameters)


def from_statement(said: object) -> Loss:
    """Return the loss that `statement_of` writes.

    Raises
    ------
    InputError
        If there is no such loss, or its parameters are not of their kind.
    """
    if not (isinstance(said, dict) and isinstance(said.get("name"), str)):
        raise InputError(f"the loss {worded(said)} has no name")
    return loss_from_statement(kind(said["name"]), said)
