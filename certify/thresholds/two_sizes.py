"""Two class sizes under any rows, random ones too: who coincides, and brackets of all three cosines."""

from __future__ import annotations

import numpy as np
from flint import arb
from jaxtyping import Bool, Float, Shaped

from certify.balls.enclosures import Balls
from certify.thresholds.merged import decided
from certify.thresholds.step import AtCounts, cosine
from relax.program import GramProgram

LOOSE = 2.0**-40  # how far from a root in float64 the search for proven signs begins
NEAR, WIDEN, WIDENINGS = 2.0**-36, 16.0, 10  # of brackets around a cosine


def two_sizes(
    program: GramProgram, cosines: Float[np.ndarray, "2 2"]
) -> tuple[Shaped[Balls, "2 2"], Bool[np.ndarray, "2 2"], Bool[np.ndarray, "2 2"]]:
    """Return brackets of the cosines at the optimum, and which pairs are proven together and apart.

    Either group may stand for the minorities of `merged`. Across, γ = −√(A B/(k k')) ≤ 0.
    """
    parts, together, apart = [], np.zeros((2, 2), dtype=bool), np.zeros((2, 2), dtype=bool)
    gram = np.full((2, 2), arb(0, 1), dtype=object)
    for a, g in enumerate(program.multiplicity.astype(int).tolist()):
        below, above, state = _part(program, a, float(cosines[a, a])) if g > 1 else (arb(1), arb(1), 0)
        parts.append(below.union(above))
        together[a, a], apart[a, a] = state > 0, state < 0
        gram[a, a] = cosine(g, parts[-1])
    gram[0, 1] = gram[1, 0] = -parts[0] * parts[1]
    apart[0, 1] = apart[1, 0] = True
    return gram, together, apart


def _part(program: GramProgram, minor: int, near: float) -> tuple[arb, arb, int]:
    """Return proven ends of √((1 + (k − 1) β)/k) of a group, and whether its classes coincide."""

    def sign(s: arb) -> int:
        step = AtCounts.of(program, s, minor)
        t = arb(step.search()[0]).exp().mid()
        return decided(step, (t, t), LOOSE)

    state = sign(arb(1))
    if state > 0:
        return arb(1), arb(1), 1
    k, below, above = int(program.multiplicity[minor]), arb(0), arb(1)
    middle = arb(max(0.0, (1 + (k - 1) * near) / k)).sqrt().mid()
    for i in range(WIDENINGS):
        s = (middle * (1 - NEAR * WIDEN**i)).mid()
        if not 0 < s < 1:
            break
        if sign(s) > 0:
            below = s
            break
    for i in range(WIDENINGS):
        s = (middle * (1 + NEAR * WIDEN**i)).mid()
        if not 0 < s < 1:
            break
        if sign(s) < 0:
            above = s
            break
    return below, above, state
