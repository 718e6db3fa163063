"""What the solvers are compared on, and with which peers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from relax import Problem, datasets
from relax.problem import Level
from relax.solvers import conic

Kind = Literal["lift", "reduced", "data set"]
LIFTS = (20, 40, 60, 80, 120, 180, 240, 300)  # multiples of ten: four classes of 4 : 3 : 2 : 1
REDUCED = (10, 30, 60, 100)
DATA_SETS = ("places-lt", "lvis-v1", "lvis-v1-instances")


@dataclass(frozen=True)
class Task:
    """One problem at one level, for all solvers."""

    kind: Kind
    name: str
    size: int
    counts: tuple[int, ...]
    level: Level
    temperature: float = 0.1

    def problem(self) -> Problem:
        """Return it."""
        return Problem(self.counts, temperature=self.temperature)


@dataclass(frozen=True)
class Peer:
    """A conic solver, and settings other than those it comes with."""

    name: str
    solver: str
    settings: dict[str, Any] = field(default_factory=dict, compare=False)


PEERS = (
    Peer("SCS", "SCS"),
    Peer("Clarabel", "CLARABEL"),
    Peer("SCS, tight", "SCS", conic.PRECISE["SCS"]),
    Peer("Clarabel, tight", "CLARABEL", conic.PRECISE["CLARABEL"]),
)


def tasks() -> Iterator[Task]:
    """Yield the n×n lifts, the reduced programs, and the real data sets, each kind by size."""
    for n in LIFTS:
        yield Task("lift", f"lift, n = {n}", n, (2 * n // 5, 3 * n // 10, n // 5, n // 10), "samples")
    for k in REDUCED:
        yield Task("reduced", f"reduced, k = {k}", k, datasets.long_tail(k, 20 * k, 20.0), "classes")
    for name in DATA_SETS:
        counts = datasets.counts(name)
        yield Task("data set", name, len(set(counts)), counts, "groups")
