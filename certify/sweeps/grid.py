"""Grids of problems: class counts, losses, temperatures and views, each with each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from relax import losses
from relax.counts import ClassCounts, exact_rational, positive_number, whole_number
from relax.datasets import long_tail
from relax.errors import InputError, expect, worded
from relax.facts import brief
from relax.losses import Loss, SupCon
from relax.losses.parameters import spelled
from relax.norms import Norm, Sphere
from relax.problem import Problem

MOST_POINTS = 1_000_000  # of a grid; each takes about a kilobyte, and milliseconds
Step = tuple[int, int, int, int]


@brief
@dataclass(frozen=True)
class Point:
    """One point of a grid: a problem, or why there is none.

    Attributes
    ----------
    counts, loss, temperature, norm, nonnegative, views
        What was asked for, as in `Problem`.
    step : (k_major, k_minor, n_major, n_minor), or None
        Where the counts are a STEP profile.
    problem : Problem or None
        None where the loss refuses it.
    refusal : str
        Why it does, in a sentence; empty where it does not.
    """

    counts: ClassCounts
    loss: Loss
    temperature: float
    norm: Norm
    nonnegative: bool
    views: int
    step: Step | None
    problem: Problem | None
    refusal: str = ""

    @classmethod
    def of(cls, problem: Problem, step: Step | None = None) -> Point:
        """Return the point of a problem; counts of two sizes are a STEP profile."""
        settings = (problem.loss, problem.temperature, problem.norm, problem.nonnegative, problem.views)
        return cls(problem.counts, *settings, step or _step_of(problem.counts), problem)

    def in_brief(self) -> str:
        """Return the problem."""
        said = f"{spelled(self.loss)}, {self.counts}, τ={self.temperature:g}"
        return f"{said}, refused" if self.problem is None else self.problem.in_brief()

    @property
    def ratio(self) -> float:
        """The ratio of what is solved: n_major/n_minor, else largest over smallest class size."""
        if self.step is not None:
            return float(Fraction(self.step[2], self.step[3]))
        return float(Fraction(self.counts.sizes[0], self.counts.sizes[-1]))


def step_grid(
    k_major: int, k_minor: int, n_minor: int, ratios: Iterable[float], **settings: Any
) -> tuple[Point, ...]:
    """Return a grid of STEP profiles: k_major classes of round(R · n_minor) samples, k_minor of n_minor.

    Parameters
    ----------
    k_major, k_minor, n_minor : int
        Classes of either kind, and samples of a minority class.
    ratios : iterable of float
        R; ratios that round to the same number of samples are one.
    **settings
        See `counts_grid`.

    Raises
    ------
    InputError
        If a number is unusable, or there are too many points.
    """
    k_major, k_minor = whole_number(k_major, "k_major"), whole_number(k_minor, "k_minor")
    n_minor = whole_number(n_minor, "n_minor")
    steps: dict[Step, ClassCounts] = {}
    for ratio in _listed(ratios, "ratios"):
        exact = exact_rational(positive_number(ratio, "ratio", "100"))
        n_major = round(exact * n_minor)
        if n_major < 1:
            raise InputError(
                f"ratio {worded(ratio)} leaves majority classes without samples; give a larger one"
            )
        n_major = whole_number(n_major, "n_major")
        steps[(k_major, k_minor, n_major, n_minor)] = ClassCounts.of_runs(
            [(n_major, k_major), (n_minor, k_minor)]
        )
    return _crossed([(counts, step) for step, counts in steps.items()], **settings)


def long_tail_grid(k: int, n_max: int, ratios: Iterable[float], **settings: Any) -> tuple[Point, ...]:
    """Return a grid of exponential long tails (`relax.datasets.long_tail`) of k classes, the largest n_max.

    Parameters
    ----------
    k, n_max : int
        Classes, and samples of the largest.
    ratios : iterable of float
        Largest over smallest class, before rounding down.
    **settings
        See `counts_grid`.

    Raises
    ------
    InputError
        If a number is unusable, or there are too many points.
    """
    tails = [long_tail(k, n_max, ratio) for ratio in _listed(ratios, "ratios")]
    return counts_grid(tails, **settings)


def counts_grid(
    counts: Iterable[ClassCounts | Mapping[int, int] | Iterable[int]], **settings: Any
) -> tuple[Point, ...]:
    """Return the grid of these class counts with each of the losses, temperatures and views.

    Neighbours share all but their counts where several are given, so that each such curve is one of a grid.

    Parameters
    ----------
    counts : iterable
        Of class counts as `Problem` takes them.
    **settings
        `losses`, objects or texts (supcon); `temperatures` (each loss's own default); `views` (1); `norm`
        and `nonnegative` as in `Problem`.

    Raises
    ------
    InputError
        If a setting is unknown or unusable, or there are too many points. What a loss refuses is a point
        that says why.
    """
    profiles = dict.fromkeys(ClassCounts.of(one) for one in _listed(counts, "counts"))
    return _crossed([(one, None) for one in profiles], **settings)


def _crossed(
    profiles: Sequence[tuple[ClassCounts, Step | None]],
    losses: Iterable[Loss | str] = (SupCon(),),
    temperatures: Iterable[float] | None = None,
    views: Iterable[int] = (1,),
    norm: Norm | None = None,
    nonnegative: bool = False,
) -> tuple[Point, ...]:
    """Return the points in the order of their curves: loss, views, temperature, then counts."""
    kinds = list(dict.fromkeys(_loss(one) for one in _listed(losses, "losses")))
    several = list(dict.fromkeys(whole_number(n, "number of views") for n in _listed(views, "views")))
    taus: list[float | None] = [None]
    if temperatures is not None:
        given = _listed(temperatures, "temperatures")
        taus = list(dict.fromkeys(positive_number(tau, "temperature", "0.1") for tau in given))
    check_number(len(profiles) * len(kinds) * len(several) * len(taus))
    norm = Sphere() if norm is None else norm
    return tuple(
        _point(counts, step, loss, loss.default_temperature if tau is None else tau, norm, nonnegative, n)
        for loss, n, tau, (counts, step) in product(kinds, several, taus, profiles)
    )


def check_number(points: int) -> None:
    """Refuse grids without points, or with more than a machine takes.

    Raises
    ------
    InputError
        If it is refused.
    """
    if points == 0:
        raise InputError("the grid has no points; give at least one value of each kind")
    if points > MOST_POINTS:
        raise InputError(
            f"the grid has {points:,} points, and a sweep takes {MOST_POINTS:,}; give fewer values"
        )


def _point(
    counts: ClassCounts, step: Step | None, loss: Loss, tau: float, norm: Norm, nonnegative: bool, views: int
) -> Point:
    try:
        return Point.of(Problem(counts, loss, tau, norm, nonnegative, views), step)
    except InputError as refusal:
        step = step or _step_of(counts)
        return Point(counts, loss, tau, norm, nonnegative, views, step, None, str(refusal))


def _step_of(counts: ClassCounts) -> Step | None:
    if len(counts.sizes) != 2:
        return None
    (k_major, k_minor), (n_major, n_minor) = counts.multiplicities, counts.sizes
    return k_major, k_minor, n_major, n_minor


def _loss(given: Loss | str) -> Loss:
    loss = losses.parse(given) if isinstance(given, str) else given
    if not isinstance(loss, Loss) or isinstance(loss, type):
        raise InputError(f"loss {worded(loss)} is not a loss; give a name such as 'supcon', or SupCon()")
    return loss


def _listed(values: Iterable[Any], what: str) -> list[Any]:
    """Return values as a list that no endless generator fills."""
    expect(values, Iterable, what, "give a list of them")
    found: list[Any] = []
    for value in [values] if isinstance(values, str) else values:
        found.append(value)
        if len(found) > MOST_POINTS:
            raise InputError(f"there are more than {MOST_POINTS:,} {what}; give fewer")
    return found
