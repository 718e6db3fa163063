"""What points are measured against: the certified optimum over all features in all dimensions."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import Decimal

from certify.certificate import Certificate, certify
from relax.errors import InputError, SolverError
from relax.facts import brief
from relax.norms import Sphere
from relax.problem import Problem
from relax.solvers import solve

GLOBAL = 1e-7  # of the scale: a point this near the proven bound is called global
# Levels that are closer are not told apart: on the sphere for rounding, else as a radial curvature is that of
# a multiplier, as small as the scale, and descent creeps.
ON_SPHERE, WITHIN = 1e-14, 1e-9


@brief
@dataclass(frozen=True, eq=False)
class Optimum:
    """The certificate of the least loss, and its numbers in float64.

    Attributes
    ----------
    certificate : Certificate
        Of the problem.
    lower : float
        The proven lower bound of the loss.
    excess : float or None
        The same above the infimum, None where there is none.
    scale, range : float
        What gaps are compared with (`Certificate.scale`), and how far the optimum is below equal features;
        the scale again where they are optimal, as under a large ridge.
    resolution : float
        Levels of the loss that are closer are not told apart, nor from the optimum.
    """

    certificate: Certificate
    lower: float
    excess: float | None
    scale: float
    range: float
    resolution: float

    @classmethod
    def of(cls, problem: Problem) -> Optimum:
        """Solve and certify.

        Raises
        ------
        InputError
            If the scale of gaps is below what float64 has, as e^(−2/τ) is at small temperatures.
        SolverError
            If no lower bound was proven.
        """
        solution = solve(problem)
        proof = certify(solution)
        if proof.lower is None or proof.scale is None or Decimal(proof.scale) <= 0:
            raise SolverError("no lower bound of this loss was proven, so that no point can be judged")
        excess = None if proof.excess_lower is None else float(proof.excess_lower)
        spread = solution.program.range(solution.point)
        scale, held = float(proof.scale), isinstance(problem.norm, Sphere)
        if scale < sys.float_info.min:
            raise InputError(
                f"temperature {problem.temperature:g} is too small to search at: the optimum's scale is "
                "below what float64 resolves; give a larger one"
            )
        resolution = max(GLOBAL * scale, ON_SPHERE if held else WITHIN)
        spread = float(spread) if spread > resolution else scale
        return cls(proof, float(proof.lower), excess, scale, spread, resolution)

    def gap(self, loss: float, excess: float, relative: bool) -> float:
        """Return how far a point is above the proven bound; by excesses where the point has one."""
        return excess - self.excess if relative and self.excess is not None else loss - self.lower

    def is_global(self, gap: float) -> bool:
        """Whether a gap is zero, to what float64 resolves."""
        return gap <= self.resolution

    def same_level(self, first: float, second: float) -> bool:
        """Whether two gaps are one level."""
        return abs(first - second) <= self.resolution
