"""What thresholds and coincidences are in words; proven numbers are rounded to their safe side."""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from relax.losses.parameters import spelled

if TYPE_CHECKING:
    from certify.thresholds.coincidence import Coincidence
    from certify.thresholds.margins import Change, Margin
    from certify.thresholds.threshold import Piece, Threshold

EXACT = 40  # digits, which the ends of brackets have not
MOST_LINES = 8  # of pairs; beyond, only how many there are


def _classes(number: int) -> str:
    small = {2: "two", 3: "three", 4: "four", 5: "five"}
    return small.get(number, f"{number:,}")


def decimal(number: Fraction, up: bool, digits: int = 9) -> str:
    """Return a ratio in so many digits, not above it (or with `up` not below)."""
    wide = Context(prec=digits, rounding=ROUND_CEILING if up else ROUND_FLOOR)
    found = wide.divide(Decimal(number.numerator), Decimal(number.denominator))
    return format(found.normalize(), "f") if abs(found.adjusted()) < 16 else f"{found.normalize():e}"


def headline(threshold: Threshold) -> str:
    """Return the answer in one sentence."""
    who = f"the {_classes(threshold.k_minor)} minority classes"
    if threshold.lower is None and threshold.upper is not None:
        least = decimal(threshold.upper, up=True, digits=EXACT)
        return f"{who} coincide at the smallest ratio that fills a batch already (proven at R = {least})"
    if threshold.lower is None or threshold.upper is None:
        proven = threshold.smallest
        how = "proven apart at every ratio" if proven else "no ratio was found at which they do"
        limit = threshold.limit
        near = "" if limit is None else f"; their cosine tends to {limit:.6g} as R grows"
        return f"{who} do not coincide ({how}{near})" if proven else f"{who}: {how}{near}"
    assert threshold.ratio is not None
    low, high = (decimal(end, up=False, digits=EXACT) for end in (threshold.lower, threshold.upper))
    if threshold.whole:
        before, n = (int(end * threshold.n_minor) for end in (threshold.lower, threshold.upper))
        return f"{who} first coincide at n_major = {n} (proven apart at {before}, together at {n})"
    middle, proven = f"{threshold.ratio:.6g}", f"(proven apart at {low}, together at {high})"
    again = [piece for piece in threshold.pieces[1:] if not piece.together]
    if again:
        return (
            f"{who} coincide from R = {middle} to {float(again[0].start):.6g}, where they part again {proven}"
        )
    if threshold.final:
        return f"{who} coincide from R = {middle} on {proven}"
    return f"{who} first coincide near R = {middle} {proven}"


def threshold_facts(threshold: Threshold) -> list[tuple[str, str]]:
    """Return what there is to print, as (label, value) pairs."""
    t = threshold
    views = f", {t.views} views" if t.views > 1 else ""
    about = f"{t.k_major} of R·{t.n_minor} samples, {t.k_minor} of {t.n_minor}"
    facts = [
        ("answer", headline(t)),
        ("classes", about),
        ("loss", f"{spelled(t.loss)}, temperature {t.temperature:g}{views}"),
    ]
    facts += [("proven", _piece_in_words(piece)) for piece in t.pieces]
    if not t.pieces:
        single = "at these two ratios only; ratios below and between were searched in float64"
        facts.append(("proven", single if t.upper is not None else "nothing: the search was in float64"))
    elif t.pieces[-1].end is not None:
        facts.append(("open", f"what is beyond R = {decimal(t.pieces[-1].end, up=False)}"))
    return facts


def _piece_in_words(piece: Piece) -> str:
    what = "together" if piece.together else "apart"
    low = decimal(piece.start, up=True)
    if piece.end is None:
        return f"{what} at every real R ≥ {low}"
    return f"{what} at every real R from {low} to {decimal(piece.end, up=False)}"


def coincidence_headline(found: Coincidence) -> str:
    """Return which classes coincide, in one sentence."""
    counts = found.problem.counts
    g = dict(zip(counts.sizes, counts.multiplicities, strict=True))
    said = []
    for point in found.points():
        if len(point) > MOST_LINES:
            said.append(f"{sum(g[n] for n in point):,} classes of sizes {point[0]}–{point[-1]}")
        else:
            said.append(" and ".join(f"{g[n]:,} of size {n}" for n in point))
    if said:
        rest = " (what else does is undecided)" if not found.decided else ""
        return f"on one point: {'; '.join(said)}{rest}"
    return "no two classes coincide" if found.decided else "it is undecided whether classes coincide"


def coincidence_facts(found: Coincidence) -> list[tuple[str, str]]:
    """Return what there is to print, as (label, value) pairs."""
    sizes, facts = found.problem.counts.sizes, [("answer", coincidence_headline(found))]
    facts.append(("problem", found.problem.in_brief()))
    facts.append(("method", found.method + (f" ({found.reason})" if found.reason else "")))
    apart = np.triu(found.apart)
    if apart.any():
        a, b = np.unravel_index(np.argmin(np.where(apart, found.nearest, np.inf)), apart.shape)
        low, high = found.nearest[a, b], found.farthest[a, b]
        pair = f"{sizes[a]} and {sizes[b]}"
        near = f"{_down(low)} to {_up(high)} rad" if low > 0 else "by an angle that is not bounded"
        facts.append(("nearest", f"sizes {pair} are proven apart, {near}"))
    for a, b in np.argwhere(np.triu(found.undecided)).tolist()[:MOST_LINES]:
        most = f"at most {_up(found.farthest[a, b])} rad apart"
        facts.append(("undecided", f"sizes {sizes[a]} and {sizes[b]}: {most}"))
    left = int(np.triu(found.undecided).sum()) - MOST_LINES
    return facts + ([("undecided", f"{left} more pairs of sizes")] if left > 0 else [])


def margin_words(margin: Margin) -> str:
    """Return how far classes of a size are from merging or parting."""
    does = "parts" if margin.merged else "merges"
    with_count = _change_words(margin.count, does, "a count of", whole=True)
    with_tau = _change_words(margin.temperature, does, "τ =", whole=False)
    if margin.count is None and margin.temperature is None:
        return "no change was found, in its count or in τ within a factor of 100"
    return f"{does} {with_count}, {with_tau}"


def _change_words(change: Change | None, does: str, what: str, whole: bool) -> str:
    if change is None:
        return "at no count that was tried" if whole else "at no τ within a factor of 100"
    number = f"{int(change.after)}" if whole else f"{change.after:.9g}"
    before = f"{int(change.before)}" if whole else f"{change.before:.9g}"
    return f"at {what} {number} (not at {before}{'' if change.proven else '; not proven'})"


def _down(x: float) -> str:
    return f"{Context(prec=4, rounding=ROUND_FLOOR).create_decimal(Decimal(x)):.4g}"


def _up(x: float) -> str:
    return f"{Context(prec=4, rounding=ROUND_CEILING).create_decimal(Decimal(min(x, math.pi))):.4g}"
