"""How the batch size moves the geometry: optima of the expected loss of batches beside the full batch's."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from flint import arb, ctx
from jaxtyping import Bool, Float, Int, Shaped

from certify.balls import factored
from certify.balls.points import conversion, scaled
from certify.certificate import Certificate, Verdict, certify
from certify.rounding import upward
from relax.apart import OutOfTime, working
from relax.counts import ClassCounts
from relax.errors import InputError, between, expect
from relax.facts import Shown, brief
from relax.losses import SupCon
from relax.losses.batches import Sampler
from relax.problem import Problem
from relax.solution import Solution
from relax.solvers import solve

PRECISION = 128  # bits
TOLERANCE = 1e-11  # of solves: the Gram radius goes with the root of the gap


@brief
@dataclass(frozen=True, eq=False)
class BatchGeometry(Shown):
    """The geometry of supervised contrast for several batch sizes, with what is proven of each.

    Every cosine of a line is within `gram_radius` of that of the optimum: proven in ball arithmetic where
    `proven`, else a float, and the radius infinite. Cosines are those between two classes, by groups of equal
    sizes; on the diagonal between two different classes of a size, NaN where there is one.

    Attributes
    ----------
    counts : ClassCounts
        The classes.
    sampler : str
        How batches are drawn (`SupCon`).
    temperature, views : float, int
        As in `Problem`.
    batch_sizes : tuple of (int or None)
        Samples in a batch, one a line; None is the full batch.
    sizes, classes : arrays, shape (m,)
        The distinct class sizes, largest first, and how many classes have each.
    gram : array, shape (b, m, m)
        Cosines.
    full : array, shape (m, m)
        Those of the full batch.
    gram_radius, full_radius : array, shape (b,), and float
        How far entries can be from the optimum's, their rounding to float64 included, rounded up; infinite
        where nothing is proven.
    relative_gap : array, shape (b,)
        The gap over its scale (`Certificate.scale`): proven, or a bound in float64.
    proven, certified : arrays of bool, shape (b,)
        Whether there is a proof, and whether it says CERTIFIED.
    seconds, proof_seconds : arrays, shape (b,)
        What solving and proving took; NaN where no proof came to its end.
    """

    counts: ClassCounts
    sampler: str
    temperature: float
    views: int
    batch_sizes: tuple[int | None, ...]
    sizes: Shaped[np.ndarray, " m"]
    classes: Int[np.ndarray, " m"]
    gram: Float[np.ndarray, "b m m"]
    full: Float[np.ndarray, "m m"]
    gram_radius: Float[np.ndarray, " b"]
    full_radius: float
    relative_gap: Float[np.ndarray, " b"]
    proven: Bool[np.ndarray, " b"]
    certified: Bool[np.ndarray, " b"]
    seconds: Float[np.ndarray, " b"]
    proof_seconds: Float[np.ndarray, " b"]

    @property
    def pairs(self) -> Float[np.ndarray, "m m"]:
        """How many ordered pairs of different classes there are."""
        g = self.classes.astype(float)
        return np.outer(g, g) - np.diag(g)

    @property
    def tail(self) -> Bool[np.ndarray, " m"]:
        """The smaller third of the classes, at least two of them; all of a size or none."""
        smallest_first = np.cumsum(self.classes[::-1])[::-1]
        least = max(2, -(-int(self.classes.sum()) // 3))
        return np.arange(len(self.sizes)) >= np.flatnonzero(smallest_first >= least)[-1]

    @property
    def minority(self) -> Float[np.ndarray, " b"]:
        """The cosine between two classes of the smallest size; NaN where there is one such class."""
        return self.gram[:, -1, -1]

    @property
    def tail_cosine(self) -> Float[np.ndarray, " b"]:
        """The mean cosine between two classes of the tail."""
        return self._mean(self.gram, self.tail)

    @property
    def closest(self) -> Float[np.ndarray, " b"]:
        """The largest cosine between two classes."""
        return np.nanmax(self.gram, axis=(1, 2))

    def closest_sizes(self, line: int) -> tuple[int, int]:
        """Return the sizes of the two classes that are closest, the larger one first."""
        a, b = np.unravel_index(np.nanargmax(self.gram[line]), self.full.shape)
        return int(self.sizes[min(a, b)]), int(self.sizes[max(a, b)])

    @property
    def apart(self) -> Bool[np.ndarray, " b"]:
        """Whether no two classes coincide at the optimum, which is proven; False says nothing."""
        return self.closest + self.gram_radius < 1 - 1e-12  # beyond what cosines are rounded to

    @property
    def distance(self) -> Float[np.ndarray, " b"]:
        """The root of the mean square, over pairs of classes, of what cosines are away from the full batch's.

        At most gram_radius + full_radius from the distance of the two optima.
        """
        every = np.ones(len(self.sizes), dtype=bool)
        return np.sqrt(self._mean((self.gram - self.full) ** 2, every))

    @property
    def farthest(self) -> Float[np.ndarray, " b"]:
        """The largest change of a cosine from the full batch."""
        return np.nanmax(np.abs(self.gram - self.full), axis=(1, 2))

    def _mean(self, entries: Float[np.ndarray, "b m m"], chosen: Bool[np.ndarray, " m"]) -> np.ndarray:
        weight = np.where(np.outer(chosen, chosen), self.pairs, 0.0)
        return np.where(weight > 0, weight * entries, 0.0).sum(axis=(1, 2)) / weight.sum()

    def in_brief(self) -> str:
        """Return counts, temperature, sampler and batch sizes."""
        return f"{self.counts}, τ={self.temperature:g}, {self.sampler}, batches {self._names()}"

    def _names(self) -> list[str]:
        return ["full" if b is None else str(b) for b in self.batch_sizes]

    def facts(self) -> list[tuple[str, str]]:
        """Return one line for each batch size."""
        lines = []
        for i, name in enumerate(self._names()):
            radius = f"± {upward(self.gram_radius[i], 2)}" if self.proven[i] else "not proven"
            said = f"tail cosine {self.tail_cosine[i]:.4f}, closest pair {self.closest[i]:.4f}, {radius}"
            lines.append((f"batch {name}", f"{said}, moved by {self.distance[i]:.4f}"))
        return lines


class _Line(NamedTuple):
    gram: Float[np.ndarray, "m m"]
    radius: float
    gap: float
    proven: bool
    certified: bool
    seconds: float
    proof_seconds: float


def batch_geometry(
    counts: ClassCounts | Mapping[int, int] | Sequence[int],
    batch_sizes: Iterable[int | None],
    sampler: Sampler = "shuffle",
    temperature: float = 0.1,
    views: int = 1,
    proof_limit: float | None = None,
) -> BatchGeometry:
    """Return the optimal geometry of supervised contrast for several batch sizes, and what is proven of it.

    Each is the optimum of the exact expectation over random batches (`SupCon`), and stands beside that of
    the full batch.

    Parameters
    ----------
    counts : ClassCounts, mapping or sequence of int
        Class sizes, as in `Problem`.
    batch_sizes : iterable of (int or None)
        Samples in a batch; None is the full batch.
    sampler : {"shuffle", "replacement", "class-balanced"}
        How batches are drawn.
    temperature, views : float, int
        As in `Problem`.
    proof_limit : float, optional
        Seconds after which a proof is given up, 0 for none: the bound in float64 then stands. Proofs of
        shuffled batches grow with the square of batch size and of distinct counts.

    Raises
    ------
    InputError
        If there is no batch size, one has no loss (`SupCon.refuses`), or an argument is out of its range.
    """
    asked = tuple(batch_sizes) if isinstance(batch_sizes, Iterable) else ()
    if not asked:
        raise InputError("batch_sizes must be a list such as [8, 64, None], where None is the full batch")
    for b in asked:
        expect(b, (int, type(None)), "a batch size", "give a whole number, or None for the full batch")
    if proof_limit:
        between(proof_limit, 0, np.inf, "proof_limit", "60")
    sizes = ClassCounts.of(counts)
    losses = [SupCon() if b is None else SupCon(batch_size=b, sampler=sampler) for b in asked]
    problems = [Problem(sizes, loss, temperature, views=views) for loss in losses]
    whole = Problem(sizes, SupCon(), temperature, views=views)
    full = _line(whole, proof_limit)
    lines = [full if problem == whole else _line(problem, proof_limit) for problem in problems]
    columns: dict[str, Any] = dict(zip(_Line._fields, map(np.array, zip(*lines, strict=True)), strict=True))
    return BatchGeometry(
        counts=sizes,
        sampler=sampler,
        temperature=whole.temperature,
        views=views,
        batch_sizes=asked,
        sizes=np.array(sizes.sizes),
        classes=np.array(sizes.multiplicities),
        gram=columns["gram"],
        full=full.gram,
        gram_radius=columns["radius"],
        full_radius=full.radius,
        relative_gap=columns["gap"],
        proven=columns["proven"],
        certified=columns["certified"],
        seconds=columns["seconds"],
        proof_seconds=columns["proof_seconds"],
    )


def _line(problem: Problem, proof_limit: float | None) -> _Line:
    started = time.perf_counter()
    solution = solve(problem, tolerance=TOLERANCE)
    seconds = time.perf_counter() - started
    proof = _proof(solution, proof_limit)
    proof_seconds = time.perf_counter() - started - seconds
    gram = np.where(
        np.diag(solution.nodes.multiplicity == 1), np.nan, solution.entries("feature", "feature")[1]
    )
    if proof is None:
        return _Line(gram, np.inf, solution.relative_gap(), False, False, seconds, np.nan)
    radius = np.inf if proof.gram_radius is None else _radius(solution, proof.gram_radius)
    certified = proof.verdict is Verdict.CERTIFIED
    return _Line(gram, radius, proof.relative_gap, True, certified, seconds, proof_seconds)


def _radius(solution: Solution, proven: str) -> float:
    """Return the radius of a certificate's exact point, and what its entries lose in float64."""
    program, peer = solution.program, solution.entries("feature", "feature")[1]
    with ctx.workprec(PRECISION):
        point = scaled(program, factored(program, solution.point))
        bound = (arb(proven) + conversion(program, point, peer)).upper()
    return math.nextafter(float(bound), math.inf)


def _proof(solution: Solution, limit: float | None) -> Certificate | None:
    """Return a proof, None where it takes longer than the limit."""
    if limit is None:
        return certify(solution)
    if limit == 0:
        return None
    with working(_proving, solution) as worker:
        try:
            return worker.receive(time.monotonic() + limit)
        except OutOfTime:
            return None


def _proving(solution: Solution) -> Iterator[Certificate]:
    yield certify(solution)
