"""The dual-vector equations: stationarity of a program whose dual slack has rank one, S = z zᵀ.

For one log-sum-exp row an anchor and a fixed diagonal r, the gradient equation D_ab = z_a z_b inverts in
closed form. With ω_a the weight of one anchor of group a, U_ab what it reads of each member of b and Z_a
the argument of its logarithm,

    M_ab = r + τ log[ 2τ z_a z_b / (ω_a U_ab/Z_a + ω_b U_ba/Z_b) ],
    F₁:  r z_a + Σ_b (g_b − δ_ab) M_ab z_b = 0,
    F₂:  Z_a = c_a + Σ_b (g_b − δ_ab) U_ab e^{(M_ab−r)/τ},

2m unknowns (u, v) = (log z, log Z) instead of m²/2. The logarithms keep every scale at hand: at small τ
entries of the slack span hundreds of orders of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.program import GramProgram


class Linearisation(NamedTuple):
    """The residuals of F₁, relative to the size of its sum, and F₂, in logarithms; the Jacobian; M.

    The Jacobian takes the size of the sum as a constant, which leaves Newton steps as they are.
    """

    residual: Float[np.ndarray, " 2m"]
    jacobian: Float[np.ndarray, "2m 2m"]
    gram: Float[np.ndarray, "m m"]


@dataclass(frozen=True, eq=False)
class DualEquations:
    """The equations of one program (see the module); all arrays in float64.

    Attributes
    ----------
    multiplicity : array, shape (m,)
        g.
    weight : array, shape (m,)
        ω, zero for groups without anchors.
    own : array, shape (m,)
        c, one for groups without anchors (it is not used).
    peer : array, shape (m, m)
        U, zero rows for groups without anchors.
    tau, norm : float
        τ, and the fixed diagonal r.
    """

    multiplicity: Float[np.ndarray, " m"]
    weight: Float[np.ndarray, " m"]
    own: Float[np.ndarray, " m"]
    peer: Float[np.ndarray, "m m"]
    tau: float
    norm: float

    @classmethod
    def of(cls, program: GramProgram, norm: float) -> DualEquations:
        """Read the equations off a program (`dual_vector.supports` says which have them)."""
        rows, m = program.rows[0].floats, program.groups
        weight, own, peer = np.zeros(m), np.ones(m), np.zeros((m, m))
        weight[rows.anchor] = rows.weight / (program.multiplicity[rows.anchor] * float(program.normaliser))
        own[rows.anchor], peer[rows.anchor] = rows.own_multiplicity, rows.peer_multiplicity
        return cls(program.multiplicity, weight, own, peer, program.tau, norm)

    @cached_property
    def members(self) -> Float[np.ndarray, "m m"]:
        """How many other members of b a member of a sees, g_b − δ_ab."""
        return self.multiplicity - np.eye(len(self.multiplicity))

    def gram(
        self, u: Float[np.ndarray, " m"], v: Float[np.ndarray, " m"]
    ) -> tuple[Float[np.ndarray, "m m"], Float[np.ndarray, "m m"]]:
        """Return M, and the share of row a in the slope of each entry; r and 1/2 where nothing reads it."""
        slope = (self.weight * np.exp(-v))[:, None] * self.peer
        both = slope + slope.T
        read = both > 0
        both = np.where(read, both, 1.0)
        entry = self.norm + self.tau * (np.log(2 * self.tau) + u[:, None] + u - np.log(both))
        return np.where(read, entry, self.norm), np.where(read, slope / both, 0.5)

    def linearise(self, u: Float[np.ndarray, " m"], v: Float[np.ndarray, " m"]) -> Linearisation:
        """Return residuals and Jacobian at (u, v)."""
        gram, share = self.gram(u, v)
        ratio = self.members * np.exp(u - u[:, None])
        pulled = ratio * gram
        first = self.norm + pulled.sum(axis=1)
        term = self.members * self.peer * np.exp((gram - self.norm) / self.tau)
        argument = self.own + term.sum(axis=1)
        second = v - np.log(argument)
        part = term / argument[:, None]
        scaled = self.tau * ratio
        one_one = pulled + scaled + np.diag(scaled.sum(axis=1) - pulled.sum(axis=1))
        one_two = scaled * share.T + np.diag((scaled * share).sum(axis=1))
        two_one = -part - np.diag(part.sum(axis=1))
        two_two = np.eye(len(u)) - part * share.T - np.diag((part * share).sum(axis=1))
        size = (self.norm + np.abs(pulled).sum(axis=1))[:, None]
        jacobian = np.block([[one_one / size, one_two / size], [two_one, two_two]])
        return Linearisation(np.concatenate([first / size[:, 0], second]), jacobian, gram)

    def start(self) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Return (u, v) of the simplex ETF: v exactly, u as the rank-one fit of its log slope."""
        entry = -self.norm / (self.multiplicity.sum() - 1.0)
        v = np.log(self.own + (self.members * self.peer).sum(axis=1) * np.exp((entry - self.norm) / self.tau))
        slope = (self.weight * np.exp(-v))[:, None] * self.peer
        read = ((self.members > 0) & (slope + slope.T > 0)).astype(float)
        log_slope = np.log(np.where(read > 0, (slope + slope.T) / (2 * self.tau), 1.0))
        log_slope += read * (entry - self.norm) / self.tau
        fit = np.linalg.lstsq(np.diag(read.sum(axis=1)) + read, log_slope.sum(axis=1), rcond=None)[0]
        return fit, v

    def towards_balance(self, t: float) -> DualEquations:
        """Return the equations with every number moved to its geometric mean: t = 1 is ours, 0 balanced.

        Along this path the solution starts at the simplex ETF and, in logarithms, bends little.
        """
        if t == 1.0:
            return self

        def moved(numbers: np.ndarray) -> np.ndarray:
            positive = numbers > 0
            log = np.log(np.where(positive, numbers, 1.0))
            mean = log.sum() / max(1, positive.sum())
            return np.where(positive, np.exp(t * log + (1 - t) * mean), 0.0)

        anchored = self.weight > 0
        own = np.where(anchored, moved(np.where(anchored, self.own, 0.0)), self.own)
        return replace(self, weight=moved(self.weight), own=own, peer=moved(self.peer))
