"""The dual-vector equations for a dual slack of rank r: S = Z Zᵀ with Z of r columns.

With P = Z Zᵀ in place of z zᵀ the gradient equation inverts as in `krawczyk`:

    M_ab = r₀ + τ log[ 2τ P_ab / (ω_a U_ab/Z_a + ω_b U_ba/Z_b) ],
    F₁ = r₀ Z + Σ_b (g_b − δ_ab) M_ab Z_b                     (m r of them),
    F₂ = log Z_a − log( c_a + Σ_b (g_b − δ_ab) U_ab e^{(M_ab−r₀)/τ} ).

Rotations of the columns are free. So pivots p_1, …, p_{r−1} are chosen and Z is zero at (p_j, c) for c > j,
and as many equations are left out: F₁ at the same places. They hold at a root of the others: Zᵀ G F₁ = Zᵀ G
M̃ Z is symmetric, whatever Z is (G the multiplicities, M̃ the matrix on groups). Column by column this says
that Z[p_j, j] F₁[p_j, c] = 0, and Z[p_j, j] ≠ 0 is proven.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb
from jaxtyping import Bool, Float, Shaped

from certify.balls.enclosures import Balls, balls, choose, exp, log, zeros
from certify.balls.krawczyk import Entries, System, enclose_zero, midpoints
from relax.facts import brief

NEWTON_STEPS = 30
ACCURATE = 1e-13


@brief
@dataclass(frozen=True, eq=False)
class FactorEquations:
    """The equations of one program for a slack of some rank, with the places that are zero by choice."""

    given: System
    rank: int
    pivots: tuple[int, ...]

    @property
    def free(self) -> Bool[np.ndarray, " n"]:
        """Which unknowns (Z by rows, then log Z) and equations there are."""
        m = len(self.given.weight)
        chosen = np.ones((m, self.rank), dtype=bool)
        for j, pivot in enumerate(self.pivots):
            chosen[pivot, j + 1 :] = False
        return np.concatenate([chosen.ravel(), np.ones(m, dtype=bool)])

    def unpacked(self, x: Shaped[Balls, " q"]) -> tuple[Shaped[Balls, "m r"], Shaped[Balls, " m"]]:
        """Return Z and log Z of the unknowns."""
        m = len(self.given.weight)
        full = zeros(len(self.free))
        full[self.free] = x
        return full[: m * self.rank].reshape(m, self.rank), full[m * self.rank :]

    def entries(self, z: Shaped[Balls, "m r"], v: Shaped[Balls, " m"]) -> Entries:
        """Return M, e^{(M − r₀)/τ} and shares, as `krawczyk.entries`."""
        given = self.given
        slope = (given.weight * exp(-v))[:, None] * given.peer
        both = choose(given.read, slope + slope.T, arb(1))
        power = choose(given.read, 2 * given.tau * z.dot(z.T) / both, arb(1))
        share = choose(given.read, slope / both, arb(0.5))
        return Entries(given.norm + given.tau * log(power), choose(given.read, power, arb(0)), share)

    def residual(self, x: Shaped[Balls, " q"]) -> Shaped[Balls, " q"]:
        """Return F(x)."""
        z, v = self.unpacked(x)
        at, given = self.entries(z, v), self.given
        first = given.norm * z + (given.members * at.gram).dot(z)
        second = v - log(given.own + (given.members * given.peer * at.power).sum(axis=1))
        return np.concatenate([first.ravel(), second])[self.free]

    def jacobian(self, x: Shaped[Balls, " q"]) -> Shaped[Balls, "q q"]:
        """Return F'(x), from dM_ab = τ (Z_b dZ_a + Z_a dZ_b)/P_ab + τ (share_ab dv_a + share_ba dv_b)."""
        z, v = self.unpacked(x)
        at, given, (m, r) = self.entries(z, v), self.given, z.shape
        inverse = choose(given.read, 1 / choose(given.read, z.dot(z.T), arb(1)), arb(0))
        members, tau = given.members, given.tau
        seen = choose(given.read, tau * members, arb(0))
        term = members * given.peer * at.power
        part = term / (given.own + term.sum(axis=1))[:, None]
        found = zeros(m * r + m, m * r + m)
        top, side = found[: m * r, : m * r].reshape(m, r, m, r), found[: m * r, m * r :].reshape(m, r, m)
        low = found[m * r :, : m * r].reshape(m, m, r)
        diagonal = np.arange(m)
        for c in range(r):
            pull = seen * z[:, c]
            top[:, c, :, c] += members * at.gram
            top[diagonal, c, diagonal, c] += given.norm
            side[:, c, :] += pull * at.share.T
            side[diagonal, c, diagonal] += (pull * at.share).sum(axis=1)
            for e in range(r):
                top[:, c, :, e] += pull * inverse * z[:, e][:, None]
                top[diagonal, c, diagonal, e] += (pull * inverse * z[:, e]).sum(axis=1)
        for e in range(r):
            low[:, :, e] -= part * inverse * z[:, e][:, None]
            low[diagonal, diagonal, e] -= (part * inverse * z[:, e]).sum(axis=1)
        last = found[m * r :, m * r :]
        last -= part * at.share.T
        last[diagonal, diagonal] += 1 - (part * at.share).sum(axis=1)
        return found[np.ix_(self.free, self.free)]


def pivoted(
    given: System, factor: Float[np.ndarray, "m r"], v: Float[np.ndarray, " m"]
) -> tuple[FactorEquations, Float[np.ndarray, " q"]]:
    """Return the equations with pivots where a factor is large, and the unknowns after its rotation."""
    left, pivots, rank = factor.copy(), [], factor.shape[1]
    for j in range(rank - 1):
        pivots.append(int(np.argmax(np.linalg.norm(left[:, j:], axis=1))))
        triangular = np.linalg.qr(left[pivots[-1:], j:].T, mode="complete")[0]
        left[:, j:] = left[:, j:] @ triangular
    equations = FactorEquations(given, rank, tuple(pivots))
    return equations, np.concatenate([left.ravel(), v])[equations.free]


def enclose_factor(
    equations: FactorEquations, start: Float[np.ndarray, " q"], digits: int
) -> tuple[Shaped[Balls, "m r"], Shaped[Balls, " m"]] | None:
    """Return a box with exactly one root near a start, or None where the proof fails."""
    x = start
    for _ in range(NEWTON_STEPS):
        here = balls(x)
        try:
            step = np.linalg.solve(midpoints(equations.jacobian(here)), -midpoints(equations.residual(here)))
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all():
            return None
        x = x + step
        if np.abs(step).max() <= ACCURATE:
            break
    box = enclose_zero(equations.residual, equations.jacobian, x, digits)
    if box is None:
        return None
    z, v = equations.unpacked(box)
    held = all(abs(z[pivot, j]) > 0 for j, pivot in enumerate(equations.pivots))
    return (z, v) if held and _is_positive(equations.given, z) else None


def _is_positive(given: System, z: Shaped[Balls, "m r"]) -> bool:
    """Return whether the slack is proven positive wherever a row reads, as logarithms need."""
    return all(bool(x > 0) for x in z.dot(z.T)[given.read].tolist())
