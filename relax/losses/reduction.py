"""What a loss brings to a convex program: nodes and rows. It knows no temperature, no norm and no M ≥ 0."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from relax.counts import ClassCounts
from relax.facts import brief
from relax.norms import Members, Norm
from relax.rows import LogSumExp, Rows


@brief
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
        Returns the group of every unit, in the user's order. It can be pickled, as solutions are.
    class_of_unit : function
        Returns the class of every unit, in the user's order of classes.
    unit : str
        What a unit is: "class", "sample", or in words.
    roles : tuple of str
        What the vectors of a node are.
    norms : tuple of (Norm or None)
        What the norms of each role obey; None leaves it to the problem.
    square : array, shape (m,), or None
        The vectors of the program are the user's times √square, exact; None means that they are the same.
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
    square: Shaped[np.ndarray, " m"] | None = None

    @cached_property
    def length(self) -> Float[np.ndarray, " m"]:
        """How long the vectors of the program are where the user's have norm one."""
        return np.ones(len(self.size)) if self.square is None else np.sqrt(self.square.astype(float))

    @cached_property
    def units(self) -> int:
        """How many units there are."""
        return int(self.multiplicity.sum())

    def members(self, role: int) -> Members:
        """Return the slots of one role; other vectors than features stand for themselves."""
        slots = np.arange(len(self.multiplicity)) * len(self.roles) + role
        is_feature = self.roles[role] == "feature"
        vectors = self.stands_for if is_feature else np.ones_like(self.stands_for)

        def part() -> Shaped[np.ndarray, " m"]:
            shares = [Fraction(share) for share in self.share.tolist()]  # not of NumPy's integers
            numbers = zip(self.multiplicity, shares, strict=True)
            classes = sum((int(g) * share for g, share in numbers), Fraction(0))
            return np.array([share / classes for share in shares], dtype=object)

        return Members(slots, vectors, part)


@brief
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
        Every H that obeys the norm has a feasible M with program(M) ≤ loss(H) whose entries between different
        nodes are those of the node means of H; then a Gram radius may be granted to these entries. The
        diagonal of M is the mean of ‖h‖² over each node, or what the norm allows at most.
        False for rows over totals of groups, which bound the optimal value alone.
    attained : bool
        Equality where H is the same on all samples of a node; False for a mere lower bound.
    times_temperature : bool
        Whether the loss is τ times what rows and normaliser say.
    """

    nodes: Nodes
    rows: tuple[Rows, ...]
    normaliser: Fraction
    below: bool = True
    attained: bool = True
    times_temperature: bool = False


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
        class_of_unit=partial(np.arange, counts.classes),
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
        group_of_unit=partial(np.arange, count),
        class_of_unit=partial(np.asarray, classes),
        unit="sample",
    )


def interchangeable_nodes(counts: ClassCounts, views: int = 1) -> Nodes:
    """Return one node for each sample, all of them in one group: for losses that see no labels."""
    total = counts.samples
    return Nodes(
        multiplicity=np.array([total], dtype=float),
        stands_for=np.array([views]),
        share=np.ones(1, dtype=int),
        size=np.ones(1, dtype=int),
        group_of_unit=partial(np.zeros, total, dtype=int),
        class_of_unit=partial(class_of_sample, counts),
        unit="sample",
    )


def class_of_sample(counts: ClassCounts) -> Int[np.ndarray, " n"]:
    """Return the class of every sample, class by class in the user's order."""
    size = np.array(counts.sizes)[counts.group_of_class()]
    return np.repeat(np.arange(len(size)), size)


def class_rows(
    sizes: Sequence[int], anchored: Sequence[int], weight: Sequence[Fraction], own: Sequence[Fraction]
) -> LogSumExp:
    """Return weight · [ log( own e^{M_cc/τ} + Σ_{c'≠c} n_c' e^{M_cc'/τ} ) − M_cc/τ ] for some classes c.

    `weight` is that of all anchors of a group together, `sizes` are the n_c of all groups.
    """
    n = np.array(sizes, dtype=float)
    return LogSumExp(
        anchor=np.array(anchored, dtype=int),
        weight=exact_array(weight),
        own_multiplicity=exact_array(own),
        own_target=np.ones(len(anchored)),
        peer_multiplicity=np.broadcast_to(n, (len(anchored), len(n))),
    )


def feature_rows(
    anchors: Int[np.ndarray, " a"],
    weight: Shaped[np.ndarray, " a"],
    reads: Shaped[np.ndarray, "a n"],
    targets: Bool[np.ndarray, "a n"],
) -> LogSumExp:
    """Return weight · [ log Σ_l reads_l e^{G_il/τ} − (mean of G_il/τ over the targets) ], a row an anchor.

    No anchor reads itself.
    """
    share = np.array([Fraction(1, int(total)) for total in targets.sum(axis=1)], dtype=object)
    return LogSumExp(
        anchor=anchors,
        weight=exact_array(weight),
        own_multiplicity=np.zeros(len(anchors)),
        own_target=np.zeros(len(anchors)),
        peer_multiplicity=reads if reads.dtype == object else reads.astype(float),
        peer_target=np.where(targets, share[:, None], np.zeros(1, dtype=object)),
    )


def exact_array(numbers: Iterable[Fraction | float]) -> Shaped[np.ndarray, " q"]:
    """Return an array of these very numbers: of floats where they are, else of `Fraction` objects."""
    exact = [Fraction(number) for number in numbers]
    floats = np.array([float(number) for number in exact])
    if all(Fraction(x) == number for x, number in zip(floats.tolist(), exact, strict=True)):
        return floats
    return np.array(exact, dtype=object)
