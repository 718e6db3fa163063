"""The optimum of a problem, in the user's words: classes or samples, roles and sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from relax.answer import Answer, Status
from relax.bounds import LowerBound, Witness
from relax.counts import ClassCounts
from relax.errors import InputError, among
from relax.facts import Shown, brief
from relax.files import write_atomically
from relax.geometry import class_means, embed
from relax.losses import Nodes, Reduction
from relax.orbits import OrbitMatrix
from relax.problem import Level, Problem
from relax.program import GramProgram
from relax.saved import packed, unpacked

LARGEST_GRAM = 20_000  # units; the square matrix beyond takes more than 3.2 GB


@brief
class Groups(NamedTuple):
    """The geometry by groups of exchangeable nodes (classes of equal size, at level "groups").

    `gram[a, b]` is the inner product of different members of groups a and b; on the diagonal that of two
    different members of group a, or the squared norm where the group has one member.
    """

    sizes: tuple[int, ...]
    multiplicities: tuple[int, ...]
    gram: Float[np.ndarray, "m m"]


@brief
@dataclass(frozen=True, eq=False)
class Solution(Shown):
    """A feasible point of the program of a problem and a witness, indexed by what the nodes are to the user.

    Attributes
    ----------
    problem : Problem
        What was to be minimised.
    reduction : Reduction
        Its nodes and rows.
    level : "groups", "classes" or "samples"
        The level of the reduction.
    answer : Answer
        Point, witness, and why the solver stopped.
    """

    problem: Problem
    reduction: Reduction
    level: Level
    answer: Answer

    @property
    def nodes(self) -> Nodes:
        """What the nodes of the program are."""
        return self.reduction.nodes

    @property
    def program(self) -> GramProgram:
        """The program."""
        return self.answer.program

    @property
    def point(self) -> OrbitMatrix:
        """A feasible Gram matrix."""
        return self.answer.point

    @property
    def witness(self) -> Witness:
        """What the lower bound is computed from."""
        return self.answer.witness

    @property
    def status(self) -> Status:
        """Why the solver stopped."""
        return self.answer.status

    @property
    def excess(self) -> float:
        """The objective at the point above its infimum over unconstrained entries."""
        return self.answer.excess

    @property
    def value(self) -> float:
        """The objective at the point: its loss, where `reduction.attained`."""
        return self.answer.value

    @property
    def bound(self) -> LowerBound:
        """The lower bound of the witness, as an excess, with its multipliers."""
        return self.answer.bound

    def lower_bound(self) -> float:
        """Return the lower bound on the loss of every feature matrix, in float64."""
        return self.answer.lower_bound()

    def gap(self) -> float:
        """Return upper minus lower bound (`Answer.gap`)."""
        return self.answer.gap()

    def relative_gap(self) -> float:
        """Return the gap beside what gaps are measured against (`Answer.relative_gap`)."""
        return self.answer.relative_gap()

    @property
    def groups(self) -> Groups:
        """The geometry of the features by groups."""
        multiplicity, (own, peer) = self.nodes.multiplicity, self.entries("feature", "feature")
        alone, gram = multiplicity == 1, peer.copy()
        gram[alone, alone] = own[alone]
        sizes = tuple(int(size) for size in self.nodes.size)
        return Groups(sizes, tuple(int(g) for g in multiplicity), gram)

    @property
    def gram(self) -> Float[np.ndarray, "u u"]:
        """The Gram matrix of the feature vectors of all units, in the user's order.

        Units are classes at the levels "groups" and "classes", features at level "samples" (`nodes.unit`).

        Raises
        ------
        InputError
            Above 20,000 units; `groups.gram` has it by groups.
        """
        return self.block("feature", "feature")

    def block(self, first: str, second: str) -> Float[np.ndarray, "u u"]:
        """Return the inner products between vectors of two roles, units in the user's order.

        Raises
        ------
        InputError
            If the loss has no such role, or there are more than 20,000 units.
        """
        own, peer = self.entries(first, second)
        if self.nodes.units > LARGEST_GRAM:
            raise InputError(
                f"a Gram matrix of {self.nodes.units} units ({self.nodes.unit}) is too large to write out; "
                "use .groups.gram, its distinct entries"
            )
        group = self.nodes.group_of_unit()
        full = peer[np.ix_(group, group)]
        np.fill_diagonal(full, own[group])
        return full

    def entries(self, first: str, second: str) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, "m m"]]:
        """Return the inner products of two roles' vectors, of one unit of each group and of different units.

        Raises
        ------
        InputError
            If the loss has no such role.
        """
        for role in (first, second):
            among(role, self.nodes.roles, "role")
        r, q = self.nodes.roles.index(first), self.nodes.roles.index(second)
        s, length = self.point.roles, self.nodes.length
        return self.point.own[:, r, q] / length**2, self.point.peer[r::s, q::s] / np.outer(length, length)

    @cached_property
    def labels(self) -> Int[np.ndarray, " u"]:
        """The class of every unit, in the user's order of classes."""
        return self.nodes.class_of_unit()

    @property
    def class_gram(self) -> Float[np.ndarray, "k k"]:
        """The Gram matrix of the class means, in the user's order of classes."""
        if self.nodes.unit == "class":
            return self.gram
        half = class_means(self.gram, self.labels)
        return class_means(half.T, self.labels)

    def embedding(self, dim: int | None = None) -> Float[np.ndarray, "u d"]:
        """Return one vector a unit, shape (u, dim), whose Gram matrix is `gram`; dim defaults to its rank."""
        return embed(self.gram, dim)

    def in_brief(self) -> str:
        """Return the problem and how it was solved."""
        said = f"{self.problem.in_brief()}, by {self.level}"
        return f"{said}, value {self.value:.12g}, {self.status.name.lower()} by {self.answer.solver}"

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        answer, counts, gap = self.answer, self.problem.counts, self.relative_gap()
        return [
            ("loss", f"{self.problem.loss.name}, temperature {self.problem.temperature:g}"),
            ("counts", counts_in_words(counts)),
            ("value", f"{self.value:.15g}"),
            ("lower bound", f"{self.lower_bound():.15g}"),
            ("gap / scale", f"{gap:.1e}" if np.isfinite(gap) else "beyond float64"),
            ("solver", f"{answer.solver}, {answer.iterations} iterations, {answer.seconds:.3f} s"),
            ("stopped", self.status.value),
        ]

    def save(self, path: str | Path) -> None:
        """Write the solution to an npz file (temporary file, then renamed)."""
        write_atomically(path, packed(self.problem, self.level, self.answer))

    @classmethod
    def load(cls, path: str | Path) -> Solution:
        """Read a solution; its program is rebuilt from the problem, its bounds from the arrays.

        Raises
        ------
        InputError
            If the file is not there, or is no solution file or a damaged one.
        """
        return cls(*unpacked(path))


def counts_in_words(counts: ClassCounts) -> str:
    """Return how many samples and classes there are: "12 samples in 3 classes of 2 sizes"."""
    sizes = len(counts.sizes)
    return f"{counts.samples} samples in {counts.classes} classes of {sizes} size{'' if sizes == 1 else 's'}"
