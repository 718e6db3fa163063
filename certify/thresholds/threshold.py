"""From which imbalance on minority classes coincide at the optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import NamedTuple

from flint import ctx

from certify.balls.proof import check_program
from certify.thresholds.counted import Counted, counted_threshold
from certify.thresholds.cover import Curve, log_of
from certify.thresholds.interior import minority_limit
from certify.thresholds.step import is_plain, rises, step_problem, tables_of
from relax.counts import whole_number
from relax.errors import InputError, SolverError, worded
from relax.facts import Shown, brief
from relax.losses import Loss, Reduction, SupCon, parse
from relax.losses.parameters import spelled
from relax.program import GramProgram

PRECISION = 128  # bits
HALF_WIDTH = 3e-7  # of a bracket, relative
DIGITS = 9  # of its ends, significant
LARGEST_LOG = 690.0  # of a ratio: 10^299
FIRST_STEP, GROWTH = 0.25, 0.05  # of the scan, in log R
BEYOND = 1e-6  # in log R, where a box failed
TRIES = 8  # of a bracket, where an earlier change of sign is found while proving that there is none
_SUPCON = SupCon()


class Piece(NamedTuple):
    """An interval of ratios over all of which one answer is proven; `end` None is infinity."""

    start: Fraction
    end: Fraction | None
    together: bool


@brief
@dataclass(frozen=True)
class Threshold(Shown):
    """The smallest ratio R = n_major/n_minor ≥ 1 at which the minority classes coincide at the optimum.

    Attributes
    ----------
    k_major, k_minor, n_minor : int
        k_major classes of R n_minor samples, k_minor of n_minor.
    loss, temperature, views : Loss, float, int
        As those of `Problem`.
    lower, upper : Fraction or None
        Proven apart at R = lower, proven together at R = upper. Both None where no ratio up to 10^299 (10^6
        for random batches) was found at which they coincide; `lower` alone where they do at the smallest
        ratio whose samples fill a batch.
    pieces : tuple of Piece
        What is proven of *every* real R of an interval, up to R → ∞ where nothing is left open: the first
        starts at 1 and reaches to `lower`, so that no smaller ratio makes them coincide. There may be more
        than two, as minorities may part again (negatives-only). Empty where single ratios alone are proven.
    limit : float or None
        Where there is no threshold, the cosine between minority classes as R → ∞: a float, not proven. None
        for losses that are proven at single ratios only, and where it is not reached at 10^299.
    whole : bool
        Whether n_major is a whole number (shuffled batches, and losses whose numbers are no polynomials in
        R); lower and upper are then those of two consecutive ones.
    """

    k_major: int
    k_minor: int
    n_minor: int
    loss: Loss
    temperature: float
    views: int
    lower: Fraction | None
    upper: Fraction | None
    pieces: tuple[Piece, ...] = ()
    limit: float | None = None
    whole: bool = False

    @property
    def ratio(self) -> float | None:
        """The middle of the bracket; None where there is no threshold."""
        return None if self.lower is None or self.upper is None else float((self.lower + self.upper) / 2)

    @property
    def smallest(self) -> bool:
        """Whether it is proven that they coincide at no ratio up to `lower`, or at none if it is None."""
        first = next(iter(self.pieces), None)
        return first is not None and first.start == 1 and not first.together and first.end == self.lower

    @property
    def final(self) -> bool:
        """Whether it is proven that they coincide at every ratio from `upper` on."""
        return self.upper is not None and Piece(self.upper, None, True) in self.pieces

    def in_brief(self) -> str:
        """Return what it is about, and the bracket."""
        from certify.thresholds.words import headline

        return headline(self)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        from certify.thresholds.words import threshold_facts

        return threshold_facts(self)


def collapse_threshold(
    k_major: int,
    k_minor: int,
    n_minor: int,
    temperature: float | None = None,
    loss: Loss | str = _SUPCON,
    views: int = 1,
) -> Threshold:
    """Return the smallest ratio R = n_major/n_minor ≥ 1 at which minority classes coincide at the optimum.

    R is a real number: the numbers of the program, such as n_major − 1, are polynomials in it. With D the
    slope of the loss at the optimum among matrices whose minorities are one point, and t = −cos(majority,
    minority) there, the minorities coincide if and only if k_major t D_across ≥ k_minor D_minor; the
    inequality is proven in ball arithmetic, over whole intervals of R (`certify.thresholds.merged` has the
    proof). For the supervised-contrastive loss it reads

        t k_M R e^{−(t + 1)/τ} (1 + Z_m/Z_M) ≥ 2 k_m,

    Z being the arguments of the logarithms. The relative width of the bracket is at most 10⁻⁶.

    Parameters
    ----------
    k_major, k_minor : int
        How many classes there are of each size; at least one, and at least two.
    n_minor : int
        Samples in a minority class.
    temperature : float, optional
        τ > 0; the loss's own default where it is not given.
    loss : Loss or str
        One whose rows are log-sum-exps of a majority and of a minority class, or random ones (batches). Rows
        of the first kind that are polynomials of degree ≤ 2 in R, at R = 1, …, 6 exactly, are taken for these
        polynomials at all R, which they are for all losses of the package. Random rows are proven at single
        ratios; with shuffled batches these are those of whole numbers n_major, and what is between is not
        looked at.
    views : int
        Views of each sample.

    Raises
    ------
    InputError
        If a number is out of its range; if there is one minority class, or minority classes without anchors,
        which always coincide; or if the loss has other rows, is only bounded by its program, or refuses the
        problem.
    SolverError
        If the proof at an end of the bracket fails (temperatures such as 10⁻⁶ or 10⁶).
    """
    k = (whole_number(k_major, "k_major"), whole_number(k_minor, "k_minor"))
    size = whole_number(n_minor, "n_minor")
    if k[1] < 2:
        raise InputError("k_minor 1 leaves no two minority classes that could coincide; give at least 2")
    chosen = parse(loss) if isinstance(loss, str) else loss
    enough = max(2 * size, getattr(chosen, "batch_size", None) or 0)  # samples for a batch
    problem = step_problem(k, (enough, size), chosen, temperature, views)
    _check(problem.program(), problem.reduction(), chosen)
    found = Threshold(*k, size, problem.loss, problem.temperature, problem.views, None, None)
    with ctx.workprec(PRECISION):
        if is_plain(problem.program()):
            tables = tables_of(k, size, problem.loss, problem.temperature, problem.views)
            if tables is not None:
                return _continuous(found, Curve(tables))
        counted = Counted.of(problem)
        lower, upper = counted_threshold(counted) or (None, None)
        return replace(found, lower=lower, upper=upper, whole=counted.whole)


def _check(program: GramProgram, reduction: Reduction, loss: Loss) -> None:
    """Raise unless the program is the loss, convex, of two groups of classes with anchors, on one sphere."""
    nodes = reduction.nodes
    if nodes.roles != ("feature",) or nodes.unit != "class" or nodes.square is not None or not rises(program):
        raise InputError(
            f"loss {worded(spelled(loss))} has no one vector of one length for each class with log-sum-exp "
            "rows, and no threshold of collapse is derived for it; give e.g. supcon"
        )
    if not (reduction.below and reduction.attained):
        raise InputError(
            f"the program of {worded(spelled(loss))} is a bound, not the loss; no threshold is proven of it"
        )
    check_program(program)
    if 1 not in {int(a) for rows in program.rows for a in rows.anchor}:
        raise InputError(
            "minority classes of one sample have no anchor and coincide at every ratio; give n_minor ≥ 2"
        )


def _continuous(found: Threshold, curve: Curve) -> Threshold:
    """Return the threshold where R is a real number, and what is proven between all changes that are found.

    The scan may step over two changes that are near each other. The boxes would not: they stop there, and the
    scan is repeated up to that ratio.
    """
    start, until, together = Fraction(1), LARGEST_LOG, False
    pieces: list[Piece] = []
    for _ in range(TRIES):
        bracket = _bracket(curve, log_of(start), until, together)
        end = None if bracket is None else bracket[0]
        reached, whole = curve.reached(start, end, 1 if together else -1)
        if not whole and reached is not None and until == LARGEST_LOG:
            ahead = log_of(reached) + BEYOND
            if (curve.margin(ahead) > 0) is not together:
                until = ahead
                continue
        until = LARGEST_LOG
        pieces += [Piece(start, reached, together)] if reached != start else []
        if bracket is None:
            break
        if found.upper is None:
            found = replace(found, lower=bracket[0], upper=bracket[1])
        start, together = bracket[1], not together
    limit = minority_limit(curve.tables, LARGEST_LOG) if found.upper is None else None
    return replace(found, pieces=tuple(pieces), limit=limit)


def _bracket(curve: Curve, start: float, until: float, together: bool) -> tuple[Fraction, Fraction] | None:
    """Return proven ends around the first change that a scan of log R finds.

    Raises
    ------
    SolverError
        If they cannot be proven.
    """
    from scipy.optimize import brentq  # loads much, for those who ask for thresholds

    def changed(log_ratio: float) -> bool:
        return (curve.margin(log_ratio) > 0) is not together

    low = high = start
    while not changed(high):
        if high >= until:
            return None
        low, high = high, min(until, high + max(FIRST_STEP, GROWTH * high))
    if high == start:
        raise SolverError(f"near R = {math.exp(start):.6g} neither side is proven")
    middle = float(brentq(curve.margin, low, high, xtol=1e-13, rtol=1e-13))  # type: ignore[arg-type]
    lower = max(Fraction(1), _rounded(middle - HALF_WIDTH, ROUND_FLOOR))
    upper = _rounded(middle + HALF_WIDTH, ROUND_CEILING)
    sign = 1 if together else -1
    if curve.decided_at(lower) != sign or curve.decided_at(upper) != -sign:
        raise SolverError(
            f"near R = {math.exp(middle):.6g} neither side is proven; the temperature is too extreme"
        )
    return lower, upper


def _rounded(log_ratio: float, rounding: str) -> Fraction:
    exact = Context(prec=30).exp(Decimal(log_ratio))
    return Fraction(Context(prec=DIGITS, rounding=rounding).plus(exact))
