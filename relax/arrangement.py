"""How the vectors of a solution lie to each other, by the sizes of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from relax.errors import expect
from relax.facts import brief
from relax.losses import Nodes
from relax.problem import Problem
from relax.ranges import Range, pair_ranges, ranges, summed
from relax.solution import Solution

SAME = 1e-9  # squared norms this near, beside their size, are one norm
ROUNDING = 1e-12  # what the projection of a point onto the cone moves an entry by, at most


@brief
@dataclass(frozen=True)
class Block:
    """The inner products between vectors of two roles, by kinds of units.

    Attributes
    ----------
    first, second : str
        The roles.
    cosine : bool
        Whether entries have been divided by the squared norm, which all vectors have in common.
    own : Range of shape (K,)
        Of a unit's two vectors, in the unit of the inner product: squared norms where the roles are one.
    kin : Range of shape (K,), or None
        Of different units that belong together (`Geometry.kin`).
    others : Range of shape (K, K)
        Of all other pairs of different units, the first role by rows.
    """

    first: str
    second: str
    cosine: bool
    own: Range
    kin: Range | None
    others: Range


@brief
@dataclass(frozen=True)
class Geometry:
    """What there is to say of a solution's vectors.

    Units of a kind have the same class size. Units are what the solution's nodes stand for: classes, or
    samples, which are of one kind where the loss sees no labels.

    Attributes
    ----------
    unit : str
        "class", "sample", or "view" where samples have several.
    labelled : bool
        Whether the loss sees labels.
    kin : str or None
        What different units can have in common: "class", "sample" (its views), or nothing.
    label : array, shape (m,)
        The kind of each group of nodes.
    of : array, shape (m,), or None
        Which class, or sample, the units of each group have in common.
    sizes, units : arrays, shape (K,)
        The class size of each kind, falling, and how many units are of it.
    pairs : array, shape (K, K)
        How many ordered pairs of units `Block.others` is about.
    blocks : tuple of Block
        One for each pair of roles.
    coincide : tuple of arrays, shape (K,)
        Units of each kind that stand on one point, a point an array: those which the witness of the lower
        bound holds together (κ > 0) and whose entries are those of one point. Nearness is no reason.
    """

    unit: str
    labelled: bool
    kin: str | None
    label: Int[np.ndarray, " m"]
    of: Int[np.ndarray, " m"] | None
    sizes: Shaped[np.ndarray, " K"]
    units: Int[np.ndarray, " K"]
    pairs: Float[np.ndarray, "K K"]
    blocks: tuple[Block, ...]
    coincide: tuple[Int[np.ndarray, " K"], ...]

    @property
    def unit_plural(self) -> str:
        """Several units, in words."""
        return plural(self.unit)

    def parts(self, most: int) -> list[Int[np.ndarray, " _"]]:
        """Return the kinds in at most so many parts of neighbouring sizes."""
        return [part for part in np.array_split(np.arange(len(self.sizes)), most) if len(part)]

    def by_parts(self, block: Block, parts: Sequence[Int[np.ndarray, " _"]]) -> Range:
        """Return the range of what the units of each part have with all others, as `Block.others`."""
        low, mean, high = block.others
        weighted = np.where(self.pairs > 0, self.pairs * mean, 0.0)
        return Range(
            np.array([np.nanmin(low[part]) for part in parts]),
            np.array([weighted[part].sum() / self.pairs[part].sum() for part in parts]),
            np.array([np.nanmax(high[part]) for part in parts]),
        )


def geometry(solution: Solution) -> Geometry:
    """Return how the vectors of a solution lie to each other, by class size.

    Inner products are those of the user's vectors. They are cosines where there is one role, the problem's
    norm is a sphere or a ball, and all vectors have the same norm.
    """
    nodes = expect(solution, Solution, "solution", "give what solve(problem) returns").nodes
    g = nodes.multiplicity
    labelled = sees_labels(solution.problem)
    size, kin, name = _size_and_kin(solution, labelled)
    sizes, label = np.unique(-size.astype(np.int64), return_inverse=True)
    pairs = np.outer(g, g) - np.diag(g)
    together = np.zeros(pairs.shape, dtype=bool) if kin is None else kin[:, None] == kin
    apart = np.where(together, 0.0, pairs)
    held = None if kin is None else np.where(together, pairs, 0.0)
    roles = [(first, second) for i, first in enumerate(nodes.roles) for second in nodes.roles[i:]]
    return Geometry(
        unit=_unit(solution),
        labelled=labelled,
        kin=name,
        label=label,
        of=kin,
        sizes=-sizes,
        units=np.bincount(label, weights=g).astype(int),
        pairs=summed(apart, label),
        blocks=tuple(_block(solution, first, second, label, apart, held) for first, second in roles),
        coincide=_coincide(solution, label, len(sizes)),
    )


def _block(
    solution: Solution,
    first: str,
    second: str,
    label: Int[np.ndarray, " m"],
    apart: Float[np.ndarray, "m m"],
    held: Float[np.ndarray, "m m"] | None,
) -> Block:
    """Return the ranges of the pairs `apart`, and of those `held` together, which are of one kind."""
    own, peer = solution.entries(first, second)
    cosine = _is_cosine(solution, own)
    entries = peer / own.max() if cosine else peer
    kin = None
    if held is not None:
        kin = Range(*(np.diag(part) for part in pair_ranges(entries, held, label)))
    own_range = ranges(own, solution.nodes.multiplicity, label, int(label.max()) + 1)
    return Block(first, second, cosine, own_range, kin, pair_ranges(entries, apart, label))


def plural(unit: str) -> str:
    """Return the word for several units."""
    return "classes" if unit == "class" else f"{unit}s"


def sees_labels(problem: Problem) -> bool:
    """Return whether a loss tells classes apart; else samples of all of them are exchangeable."""
    nodes = problem.reduction("groups").nodes
    return nodes.unit == "class" or _classes(nodes, problem.counts.classes) is not None


def _classes(nodes: Nodes, count: int) -> Int[np.ndarray, " m"] | None:
    """Return the class of each group of units, None where a group has units of several of the classes."""
    if len(nodes.multiplicity) < count:  # then one has; units need not be listed
        return None
    group, classes = nodes.group_of_unit(), nodes.class_of_unit()
    of_group = np.zeros(len(nodes.multiplicity), dtype=int)
    of_group[group] = classes
    return of_group if np.array_equal(of_group[group], classes) else None


def _size_and_kin(
    solution: Solution, labelled: bool
) -> tuple[Shaped[np.ndarray, " m"], Int[np.ndarray, " m"] | None, str | None]:
    """Return the class size of the units of each group, and which groups belong together as what."""
    nodes, problem = solution.nodes, solution.problem
    if nodes.unit == "class":
        return nodes.size, None, None
    if labelled:
        classes = _classes(nodes, problem.counts.classes)
        assert classes is not None
        return np.array(problem.counts.apart().sizes)[classes], classes, "class"
    one = np.ones(len(nodes.multiplicity), dtype=int)
    if _unit(solution) == "view":
        return one, np.arange(len(one)) // problem.views, "sample"
    return one, None, None


def _unit(solution: Solution) -> str:
    nodes = solution.nodes
    return "view" if nodes.unit != "class" and nodes.units > solution.problem.counts.samples else nodes.unit


def _is_cosine(solution: Solution, own: Float[np.ndarray, " m"]) -> bool:
    return (
        len(solution.nodes.roles) == 1
        and solution.problem.norm.kind in ("sphere", "ball")
        and bool(own.min() > 0 and np.ptp(own) <= SAME * own.max())
    )


def _coincide(
    solution: Solution, label: Int[np.ndarray, " m"], kinds: int
) -> tuple[Int[np.ndarray, " K"], ...]:
    g = solution.nodes.multiplicity
    return tuple(
        np.bincount(label[groups], weights=g[groups], minlength=kinds).astype(int)
        for groups in clusters_on_one_point(solution)
    )


def clusters_on_one_point(solution: Solution) -> list[Int[np.ndarray, " _"]]:
    """Return the groups whose units stand on one point, a point an array, as `Geometry.coincide` has them."""
    if len(solution.nodes.roles) > 1:
        return []
    own, peer = solution.entries("feature", "feature")
    found = []
    for cluster in solution.witness.clusters:
        groups = cluster.groups
        off = np.abs(peer[np.ix_(groups, groups)] - own[groups])
        off[np.diag_indices_from(off)] *= solution.nodes.multiplicity[groups] > 1
        if cluster.kappa > 0 and off.max() <= ROUNDING * own.max():
            found.append(np.asarray(groups))
    return found
