"""What a loss brings to a convex program: nodes and rows. It knows no temperature, no norm and no M ≥ 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int, Shaped

from relax.counts import ClassCounts
from relax.norms import Members, Norm
from relax.rows import Rows


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes of a program and what they are to the user; everything that leaves a solver is indexed by it.

    Attributes
    ----------
    multiplicity : array, shape (m,)
        Exchangeable members of each group.
    stands_for : array of int, shape (m,)
        Features that one member stands for, views included.
    share : array, shape (m,)
        Which part of its class one member is: 1 for a class, 1/n_c for a sample. Exact.
    size : array of int, shape (m,)
        What one member is called by: the size of its class without views, or the samples that it is.
    group_of_unit : function
        Returns the group of every unit, in the user's order.
    class_of_unit : function
        Returns the class of every unit, in the user's order of classes.
    unit : str
        What a unit is: "class", "sample", or in words.
    roles : tuple of str
        What the vectors of a node are.
    norms : tuple of (Norm or None)
        What the norms of each role obey; None leaves it to the problem.
    """

    multiplicity: Float[np.ndarray, " m"]
    stands_for: Shaped[np.ndarray, " m"]
    share: Shaped[np.ndarray, " m"]
    size: Shaped[np.ndarray, " m"]
    group_of_unit: Callable[[], Int[np.ndarray, " u"]]
    class_of_unit: Callable[[], Int[np.ndarray, " u"]]
    unit: str = "class"
    roles: tuple[str, ...] = ("feature",)
    norms: tuple[Norm | None, ...] = (None,)

    @cached_property
    def units(self) -> int:
        """How many units there are."""
        return int(self.multiplicity.sum())

    def members(self, role: int) -> Members:
        """Return the slots of one role; other vectors than features stand for themselves."""
        slots = np.arange(len(self.multiplicity)) * len(self.roles) + role
        is_feature = self.roles[role] == "feature"
        vectors = self.stands_for if is_feature else np.ones_like(self.stands_for)
        classes = sum(
            (int(g) * Fraction(share) for g, share in zip(self.multiplicity, self.share, strict=True)),
            Fraction(0),
        )
        part = np.array([Fraction(share) / classes for share in self.share], dtype=object)
        return Members(slots, vectors, part)


@dataclass(frozen=True, eq=False)
class Reduction:
    """A loss as rows over nodes.

    Attributes
    ----------
    nodes : Nodes
        The nodes.
    rows : tuple of Rows
        The objective before it is divided by the normaliser.
    normaliser : Fraction
        For means over anchors, their number.
    below : bool
        program(Gram of the node means of H) ≤ loss(H) for *every* H; then a Gram radius may be granted.
        Where norms are fixed, the diagonal of that matrix is lifted to them first. False for rows over
        totals of groups, which bound the optimal value alone.
    attained : bool
        Equality where H is the same on all samples of a node; False for a mere lower bound.
    """

    nodes: Nodes
    rows: tuple[Rows, ...]
    normaliser: Fraction
    below: bool = True
    attained: bool = True


def class_nodes(
    counts: ClassCounts,
    views: int = 1,
    roles: tuple[str, ...] = ("feature",),
    norms: tuple[Norm | None, ...] = (None,),
) -> Nodes:
    """Return one node for each class, by groups of equal sizes; `counts` are those without views."""
    sizes = np.array(counts.sizes, dtype=object)
    return Nodes(
        multiplicity=np.array(counts.multiplicities, dtype=float),
        stands_for=views * sizes,
        share=np.ones(len(sizes), dtype=int),
        size=sizes,
        group_of_unit=counts.group_of_class,
        class_of_unit=lambda: np.arange(counts.classes),
        roles=roles,
        norms=norms,
    )


def sample_nodes(counts: ClassCounts, views: int = 1) -> Nodes:
    """Return one node for each feature, sample by sample with its views, class by class."""
    size = np.array([counts.sizes[a] for a in counts.group_of_class()])
    classes = np.repeat(np.arange(len(size)), size * views)
    count = len(classes)
    return Nodes(
        multiplicity=np.ones(count),
        stands_for=np.ones(count, dtype=int),
        share=np.array([Fraction(1, int(n) * views) for n in size[classes]], dtype=object),
        size=np.ones(count, dtype=int),
        group_of_unit=lambda: np.arange(count),
        class_of_unit=lambda: classes,
        unit="sample",
    )
