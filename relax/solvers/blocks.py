"""A Gram program by the blocks that its symmetry leaves: Q, and (g_a − 1) A_a for each group of several.

M ⪰ 0 if and only if all of these are (`OrbitMatrix.quotient`). With the factor g_a − 1 the trace inner
product of two matrices is the sum of those of their blocks.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from relax.orbits import OrbitMatrix, from_parts
from relax.program import GramProgram
from relax.rules import RidgeCost


def ridge_weights(program: GramProgram) -> Float[np.ndarray, " ms"]:
    """Return what each unit of g · diagonal costs."""
    cost = np.zeros(program.groups * program.roles)
    for rule in program.rules:
        if isinstance(rule, RidgeCost):
            cost[rule.slots] = rule.weights
    return cost


def assembled(
    program: GramProgram, quotient: Float[np.ndarray, "ms ms"], apart: Float[np.ndarray, "m s s"]
) -> OrbitMatrix:
    """Return the matrix with these blocks; those of groups with one member are not read."""
    g = program.multiplicity
    return from_parts(g, quotient, apart / np.maximum(g - 1.0, 1.0)[:, None, None])


def derivative(
    program: GramProgram, gradient: OrbitMatrix
) -> tuple[Float[np.ndarray, "ms ms"], Float[np.ndarray, "m s s"]]:
    """Return the derivative of the objective with respect to the blocks, given that of the rows."""
    cost, s = ridge_weights(program), program.roles
    within = gradient.within() + cost.reshape(-1, s)[:, :, None] * np.eye(s)
    within[program.multiplicity == 1] = 0.0
    return gradient.quotient() + np.diag(cost), within
