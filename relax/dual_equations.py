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

import numpy as np
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, gmres

from relax.facts import brief
from relax.program import GramProgram
from relax.rows import LogSumExp

LARGEST_DENSE = 150  # groups; below, factorising the Jacobian is faster than iterating
LARGEST_FACTORISED = 4_000  # groups; the Jacobian beyond takes more than half a gigabyte, its factors as much
KRYLOV_ACCURACY, KRYLOV_STEPS = 1e-7, 60
KRYLOV_ENOUGH = 10.0  # times the accuracy; a step as good as that is not thrown away
KRYLOV_CYCLES = 10  # where there is nothing to fall back on


def only_rows(program: GramProgram) -> LogSumExp:
    """Return the one block of log-sum-exp rows that the program is known to have."""
    (rows,) = program.rows
    assert isinstance(rows, LogSumExp)
    return rows


@brief
@dataclass(frozen=True, eq=False)
class Linearisation:
    """The equations at a point: residuals, M, and the Jacobian as a linear operator.

    Attributes
    ----------
    residual : array, shape (2m,)
        F₁ / z_a, relative to the size of its sum, and F₂ in logarithms.
    gram : array, shape (m, m)
        M.
    blocks : four arrays, shape (m, m)
        The Jacobian's blocks without their diagonals' second parts.
    diagonals : four arrays, shape (m,)
        What is added to the diagonal of each block.
    """

    residual: Float[np.ndarray, " twice_m"]
    gram: Float[np.ndarray, "m m"]
    blocks: tuple[Float[np.ndarray, "m m"], ...]
    diagonals: tuple[Float[np.ndarray, " m"], ...]

    def jacobian(self) -> Float[np.ndarray, "twice_m twice_m"]:
        """Return the Jacobian, sizes of the sums being constants (which leaves Newton steps as they are)."""
        m = len(self.gram)
        jacobian, index = np.empty((2 * m, 2 * m)), np.arange(m)
        corners = ((0, 0), (0, m), (m, 0), (m, m))
        for (row, column), block, diagonal in zip(corners, self.blocks, self.diagonals, strict=True):
            jacobian[row : row + m, column : column + m] = block
            jacobian[row + index, column + index] += diagonal
        return jacobian

    def newton_step(self) -> Float[np.ndarray, " twice_m"] | None:
        """Return −J⁻¹ F, or None where J is singular.

        The 2×2 blocks that couple u_a with v_a carry nearly all of J, so GMRES preconditioned by them
        takes some five products, whatever m is; where it does not converge, J is factorised.
        """
        if len(self.gram) > LARGEST_DENSE:
            step = self._krylov_step()
            if step is not None or len(self.gram) > LARGEST_FACTORISED:
                return step
        try:
            step = np.linalg.solve(self.jacobian(), -self.residual)
        except np.linalg.LinAlgError:
            return None
        return step if np.isfinite(step).all() else None

    def _krylov_step(self) -> Float[np.ndarray, " twice_m"] | None:
        m = len(self.gram)
        (d11, d12, d21, d22) = self.diagonals
        a, b, c, d = (np.diag(block) + more for block, more in zip(self.blocks, self.diagonals, strict=True))
        determinant = a * d - b * c

        def product(x: np.ndarray) -> np.ndarray:
            u, v = x[:m], x[m:]
            top = self.blocks[0] @ u + self.blocks[1] @ v + d11 * u + d12 * v
            return np.concatenate([top, self.blocks[2] @ u + self.blocks[3] @ v + d21 * u + d22 * v])

        def near_inverse(x: np.ndarray) -> np.ndarray:
            u, v = x[:m], x[m:]
            return np.concatenate([(d * u - b * v) / determinant, (a * v - c * u) / determinant])

        shape = (2 * m, 2 * m)
        operator = LinearOperator(shape, matvec=product)  # type: ignore[call-arg]
        inverse = LinearOperator(shape, matvec=near_inverse)  # type: ignore[call-arg]
        right, cycles = -self.residual, 1 if m <= LARGEST_FACTORISED else KRYLOV_CYCLES
        step, failed = gmres(
            operator, right, M=inverse, rtol=KRYLOV_ACCURACY, restart=KRYLOV_STEPS, maxiter=cycles
        )
        if not np.isfinite(step).all():
            return None
        # GMRES looks at the preconditioned residual, and says that it failed where the other is just as small
        left = np.linalg.norm(product(step) - right) if failed else 0.0
        return step if left <= KRYLOV_ENOUGH * KRYLOV_ACCURACY * np.linalg.norm(right) else None


@brief
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
        rows, m = only_rows(program).floats, program.groups
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
        size = (self.norm + np.abs(pulled).sum(axis=1))[:, None]
        diagonals = (
            (scaled.sum(axis=1) - pulled.sum(axis=1)) / size[:, 0],
            (scaled * share).sum(axis=1) / size[:, 0],
            -part.sum(axis=1),
            1.0 - (part * share).sum(axis=1),
        )
        blocks = ((pulled + scaled) / size, scaled * share.T / size, -part, -part * share.T)
        return Linearisation(np.concatenate([first / size[:, 0], second]), gram, blocks, diagonals)

    def start(
        self, gram: Float[np.ndarray, "m m"] | None = None
    ) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """Return (u, v) of M, by default the simplex ETF: v exactly, u a rank-one fit of its log slope."""
        entry = -self.norm / (self.multiplicity.sum() - 1.0) if gram is None else gram
        v = np.log(self.own + (self.members * self.peer * np.exp((entry - self.norm) / self.tau)).sum(axis=1))
        slope = (self.weight * np.exp(-v))[:, None] * self.peer
        read = ((self.members > 0) & (slope + slope.T > 0)).astype(float)
        log_slope = np.log(np.where(read > 0, (slope + slope.T) / (2 * self.tau), 1.0))
        log_slope += read * (entry - self.norm) / self.tau
        # the normal equations are (diagonal + 11ᵀ) u = rhs: pairs miss at most those of a group with itself
        diagonal = read.sum(axis=1) - 1.0 + np.diag(read) + 1e-9  # (two classes: only z_1 z_2 is determined)
        right = log_slope.sum(axis=1)
        common = (right / diagonal).sum() / (1.0 + (1.0 / diagonal).sum())
        fit = (right - common) / diagonal
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
