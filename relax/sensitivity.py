"""How the optimum moves with temperature and class sizes: derivatives of the least loss and of its Gram.

The envelope theorem gives the loss: its derivative at the optimal M, M being held fixed. The
implicit-function theorem on the dual-vector equations F(u, v; θ) = 0 gives the geometry:
d(u, v)/dθ = −(∂F/∂(u, v))⁻¹ ∂F/∂θ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax.bounds import Witness
from relax.counts import ClassCounts
from relax.dual_equations import DualEquations, Linearisation
from relax.errors import InputError, expect
from relax.facts import brief
from relax.losses import SupCon
from relax.problem import Problem
from relax.program import GramProgram
from relax.rules import Bounded, Fixed
from relax.solution import Solution
from relax.symmetry import merge, merge_labels


@brief
@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Derivatives of the optimum; sizes move as real numbers, all classes of a group together.

    Attributes
    ----------
    value_by_temperature : float
        ∂(least loss)/∂τ.
    value_by_size : array, shape (m,)
        ∂(least loss)/∂n_a; NaN for classes of one sample, which have no anchor on one side.
    gram_by_temperature : array, shape (m, m)
        ∂M/∂τ, as `Solution.groups.gram`.
    gram_by_size : array, shape (m, m, m)
        ∂M/∂n_a in `gram_by_size[a]`.
    """

    value_by_temperature: float
    value_by_size: Float[np.ndarray, " m"]
    gram_by_temperature: Float[np.ndarray, "m m"]
    gram_by_size: Float[np.ndarray, "m m m"]


class _Change(NamedTuple):
    """Derivatives of what the equations are made of; the normaliser is part of no weight here."""

    weight: Float[np.ndarray, " m"]  # of the total weight of each group's row
    own: Float[np.ndarray, " m"]
    peer: Float[np.ndarray, "m m"]
    normaliser: float


class _Optimum(NamedTuple):
    """A root of the equations of the merged program."""

    program: GramProgram
    equations: DualEquations
    u: Float[np.ndarray, " m"]
    v: Float[np.ndarray, " m"]
    here: Linearisation
    share: Float[np.ndarray, "m m"]

    def power(self) -> Float[np.ndarray, "m m"]:
        """Return e^{(M − r)/τ} times the number of members, for pairs that exist."""
        rise = np.exp((self.here.gram - self.equations.norm) / self.equations.tau)
        return self.equations.members * rise


def sensitivity(solution: Solution) -> Sensitivity:
    """Return the derivatives at an optimum of the supervised-contrastive loss.

    Classes that coincide stay together, which is right unless the problem is just at a threshold of
    collapse, where one-sided derivatives differ. For other losses the numbers of the equations are no affine
    functions of the class sizes, and nothing is derived.

    Raises
    ------
    InputError
        If the loss is another one, the level is not "groups", or the witness is not one of the dual-vector
        method.
    """
    expect(solution, Solution, "solution", "give what solve(problem) returns")
    problem, program, witness = solution.problem, solution.program, solution.witness
    if type(problem.loss) is not SupCon or solution.level != "groups":
        raise InputError("sensitivities are known for the loss supcon by groups only; solve that problem")
    if witness.factor.shape[1] != 1 or witness.within.shape[2] != 0:
        raise InputError("sensitivities need a solution by dual_vector; solve with solver='dual_vector'")
    clusters = [cluster.groups.tolist() for cluster in witness.clusters]
    label = merge_labels(program.groups, clusters)
    optimum = _optimum(merge(program, clusters), witness, label)
    merged = {tuple(cluster) for cluster in clusters}

    def spread(change: Float[np.ndarray, "q q"]) -> Float[np.ndarray, "m m"]:
        full = change[np.ix_(label, label)]
        alone = program.multiplicity == 1
        full[alone, alone] = 0.0
        for cluster in merged:
            full[np.ix_(cluster, cluster)] = 0.0
        return full

    sizes = problem.counts.sizes
    value, gram = np.full(len(sizes), np.nan), np.full((len(sizes),) * 3, np.nan)
    for a, size in enumerate(sizes):
        if size * problem.views > 1:
            change = _size_change(problem, a, clusters, optimum.program)
            value[a], gram[a] = _value_change(optimum, change), spread(_gram_change(optimum, change))
    by_temperature = spread(_gram_by_temperature(optimum))
    return Sensitivity(_value_by_temperature(optimum), value, by_temperature, gram)


def _optimum(merged: GramProgram, witness: Witness, label: np.ndarray) -> _Optimum:
    """Return the root that a witness describes: z of a node is the sum of its members' parts."""
    rule = merged.rules[0]
    assert isinstance(rule, (Fixed, Bounded))
    equations = DualEquations.of(merged, rule.square)
    first = np.unique(label, return_index=True)[1]
    z = witness.factor[first, 0].copy()
    for cluster in witness.clusters:
        total = float(witness.base.multiplicity[cluster.groups] @ cluster.weight)
        z[label[cluster.groups[0]]] = witness.factor[cluster.groups[0], 0] * total / cluster.weight[0]
    rise = np.exp((witness.base.peer[np.ix_(first, first)] - rule.square) / merged.tau)
    argument = equations.own + (equations.members * equations.peer * rise).sum(axis=1)
    u, v = np.log(z), np.log(argument)
    return _Optimum(merged, equations, u, v, equations.linearise(u, v), equations.gram(u, v)[1])


def _size_change(problem: Problem, a: int, clusters: list[list[int]], merged: GramProgram) -> _Change:
    """Return how the merged program's numbers change with the size of group a.

    Every number is affine in the sizes, so the difference of one sample is the derivative, exactly.
    """
    counts = problem.counts
    sizes = list(counts.sizes)
    sizes[a] += 1
    moved = ClassCounts(tuple(sizes), counts.multiplicities, counts.order)
    after = merge(problem.assembled(problem.loss.reduce(moved, problem.views)), clusters)
    first, second = (DualEquations.of(program, 1.0) for program in (merged, after))
    normalisers = float(merged.normaliser), float(after.normaliser)
    totals = [e.weight * e.multiplicity * n for e, n in zip((first, second), normalisers, strict=True)]
    return _Change(
        totals[1] - totals[0],
        second.own - first.own,
        second.peer - first.peer,
        normalisers[1] - normalisers[0],
    )


def _value_change(optimum: _Optimum, change: _Change) -> float:
    """Return the envelope derivative: of Σ_a W_a log Z_a / N at fixed M."""
    equations, normaliser = optimum.equations, float(optimum.program.normaliser)
    totals = equations.weight * equations.multiplicity * normaliser
    argument = np.exp(optimum.v)
    inside = change.own + (change.peer * optimum.power()).sum(axis=1)
    moved = change.weight @ optimum.v + totals @ (inside / argument)
    return float(moved - (totals @ optimum.v) / normaliser * change.normaliser) / normaliser


def _value_by_temperature(optimum: _Optimum) -> float:
    """Return Σ_a W_a Σ_b π_ab (r − M_ab)/τ² / N."""
    equations = optimum.equations
    mass = equations.peer * optimum.power() / np.exp(optimum.v)[:, None]
    rise = (equations.norm - optimum.here.gram) / equations.tau**2
    return float((equations.weight * equations.multiplicity) @ (mass * rise).sum(axis=1))


def _gram_change(optimum: _Optimum, change: _Change) -> Float[np.ndarray, "q q"]:
    """Return dM for a change of the equations' numbers."""
    equations, normaliser = optimum.equations, float(optimum.program.normaliser)
    weight = change.weight / (equations.multiplicity * normaliser)
    weight = weight - equations.weight * change.normaliser / normaliser
    scale = np.exp(-optimum.v)[:, None]
    slope = equations.weight[:, None] * equations.peer * scale
    moved = (weight[:, None] * equations.peer + equations.weight[:, None] * change.peer) * scale
    both = slope + slope.T
    direct = np.where(both > 0, -equations.tau * (moved + moved.T) / np.where(both > 0, both, 1.0), 0.0)
    inside = change.own + (change.peer * optimum.power()).sum(axis=1)
    return _total_change(optimum, direct, direct / equations.tau, inside)


def _gram_by_temperature(optimum: _Optimum) -> Float[np.ndarray, "q q"]:
    """Return dM/dτ; at fixed (u, v), dM = (M − r)/τ + 1 and d((M − r)/τ) = 1/τ."""
    equations = optimum.equations
    read = optimum.here.gram != equations.norm
    direct = np.where(read, (optimum.here.gram - equations.norm) / equations.tau + 1.0, 0.0)
    exponent = np.where(read, 1.0 / equations.tau, 0.0)
    return _total_change(optimum, direct, exponent, np.zeros(len(optimum.u)))


def _total_change(
    optimum: _Optimum,
    direct: Float[np.ndarray, "q q"],
    exponent: Float[np.ndarray, "q q"],
    inside: Float[np.ndarray, " q"],
) -> Float[np.ndarray, "q q"]:
    """Add to the direct change of M what (u, v) do, by the implicit-function theorem."""
    equations, m = optimum.equations, len(optimum.u)
    ratio = equations.members * np.exp(optimum.u - optimum.u[:, None])
    size = equations.norm + np.abs(ratio * optimum.here.gram).sum(axis=1)  # as in `linearise`
    first = (ratio * direct).sum(axis=1) / size
    second = -(inside + (equations.peer * optimum.power() * exponent).sum(axis=1)) / np.exp(optimum.v)
    step = replace(optimum.here, residual=np.concatenate([first, second])).newton_step()
    if step is None:
        raise InputError("the equations are singular here: the problem stands at a threshold of collapse")
    u, v = step[:m], step[m:]
    through_z = optimum.share * v[:, None] + optimum.share.T * v
    return direct + equations.tau * (u[:, None] + u + through_z)
