"""Which classes coincide at the optimum of any counts, decided in balls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flint import arb, ctx
from jaxtyping import Bool, Float, Shaped

from certify.balls import factored, prove
from certify.balls.bounds import gradient_at, objective
from certify.balls.enclosures import BallMatrix, Balls, ball, balls, sqrt, total
from certify.balls.krawczyk import is_positive_definite
from certify.enclosure import by_radius, enclose_optimum
from certify.thresholds.coincidence import PRECISION, Coincidence, from_balls, pairs_of
from certify.thresholds.step import rises
from certify.thresholds.two_sizes import two_sizes
from relax.errors import InputError, expect
from relax.problem import Problem
from relax.program import GramProgram
from relax.rules import Bounded, Fixed
from relax.solution import Solution
from relax.solvers import solve

DIGITS = 15  # that are asked of the Krawczyk enclosure
MOST_HELD = 150  # groups of which `held_together` solves the equations
OPPOSITE = 1e-6  # how near ±1 all cosines must be for two opposite points to be tried


def coinciding(problem: Problem) -> Coincidence:
    """Return which classes coincide at the optimum, each pair proven together, proven apart, or undecided.

    Classes on one point P act as one class of their summed size n_P. Under the supervised-contrastive loss
    they coincide at the optimum if and only if, with N anchors and at the optimum of the merged program,

        κ_P = ν_P/n_P − n_P/(τ N Z_P) ≥ 0,

    ν_P being the multiplier of the point's norm and Z_P the argument of its logarithm; κ_P > 0 is proven in
    balls. Under other log-sum-exp rows g classes of one size coincide by the same rule, κ = ν_P/g² − ω n/(τ N
    Z_P) with ω the weight of a class; classes of different sizes come near but stay apart as long as there
    are other points of two sizes or more, and proven distances say how far. Losses over random batches have
    no such equations: there the box that the certificate's Gram radius leaves decides.

    Raises
    ------
    InputError
        If the loss has no one vector a class or is a mere bound, if norms are not on the sphere or in the
        ball, or features are non-negative.
    """
    expect(problem, Problem, "problem", "give a Problem")
    return coinciding_at(solve(problem))


def coinciding_at(solution: Solution) -> Coincidence:
    """Return what `coinciding` does for a problem that is solved already; the solution is not trusted.

    Raises
    ------
    InputError
        As `coinciding`, and if the solution is not by groups.
    """
    if solution.level != "groups":
        raise InputError(
            f"the solution is by {solution.level}; give one by groups, as solve(problem) returns"
        )
    problem, reduction = solution.problem, solution.problem.reduction()
    nodes = reduction.nodes
    if nodes.roles != ("feature",) or nodes.unit != "class" or nodes.square is not None:
        raise InputError(
            f"loss {problem.loss.name} has no one vector for each class, of one length; give e.g. supcon"
        )
    if problem.nonnegative or problem.norm.kind not in ("sphere", "ball"):
        raise InputError("norm must be sphere or ball, and features of any sign, for classes to be compared")
    if not (reduction.below and reduction.attained):
        raise InputError(
            f"the program of {problem.loss.name} is a bound, not the loss; nothing is proven of it"
        )
    program = problem.assembled(reduction)
    cosines = _cosines(solution)
    opposite = two_points(program, np.sign(cosines[0]), cosines)
    if opposite is not None:
        return from_balls(problem, *opposite, "two points")
    found = enclose_optimum(program, solution.witness, DIGITS)
    if isinstance(found, str):
        return _without_equations(problem, program, solution, found)
    together = np.zeros((program.groups, program.groups), dtype=bool)
    for groups in found.together:
        together[np.ix_(groups, groups)] = True
    return from_balls(problem, found.gram, together, found.method)


def held_together(solution: Solution) -> bool:
    """Return whether all that the witness holds on one point is proven to be there.

    A certificate bounds the loss, and a κ > 0 in its witness proves nothing of the optimum: that takes the
    equations (`coinciding_at`). They are not solved in balls for more than 150 groups.
    """
    clusters = [cluster.groups for cluster in solution.witness.clusters if cluster.kappa > 0]
    if not clusters or solution.level != "groups" or solution.program.groups > MOST_HELD:
        return False
    try:
        found = coinciding_at(solution)
    except InputError:  # of units that are no classes
        return False
    return all(np.all((found.together | ~found.pairs)[np.ix_(groups, groups)]) for groups in clusters)


def _without_equations(
    problem: Problem, program: GramProgram, solution: Solution, reason: str
) -> Coincidence:
    """Decide by other means, where no root of equations is enclosed."""
    if program.groups == 2 and rises(program):
        with ctx.workprec(PRECISION):
            gram, together, apart = two_sizes(program, _cosines(solution))
        said = from_balls(problem, gram, together, "two sizes", reason)
        return replace(said, apart=said.pairs & apart & ~together)
    try:
        box = by_radius(program, solution, reason).gram
    except InputError as error:
        return _drawn_together(problem, program, solution, str(error))
    return _in_the_box(problem, program, box, reason)


def _drawn_together(problem: Problem, program: GramProgram, solution: Solution, reason: str) -> Coincidence:
    """Bound distances inside groups by the certificate alone: its slack W and gap G give ⟨W, M⟩ ≤ G.

    W holds two members of a group of g together with |Y|²/g · |h_i − h_j|² ≤ G.
    """
    bounds = prove(program, solution.witness, factored(program, solution.point), radius=False)
    gram = np.full((program.groups,) * 2, arb(0, 1), dtype=object)
    g, rule = program.multiplicity, program.rules[0]
    if bounds.gap is not None and isinstance(rule, Fixed):
        with ctx.workprec(PRECISION):
            for a in np.flatnonzero(g > 1).tolist():
                strength = total(x * x for x in balls(solution.witness.within[a, 0]))
                if strength > 0:
                    reach = (bounds.gap.upper() * int(g[a]) / (2 * strength)).upper()
                    norm = ball(rule.value)
                    gram[a, a] = arb.max(norm - reach, -norm).lower().union(norm)
    none = np.zeros(gram.shape, dtype=bool)
    return from_balls(problem, gram, none, "gap of the certificate", reason)


def _cosines(solution: Solution) -> Float[np.ndarray, "m m"]:
    own, peer = solution.entries("feature", "feature")
    cosines = peer / np.sqrt(np.outer(own, own))
    alone = solution.nodes.multiplicity == 1
    cosines[alone, alone] = 1.0
    return cosines


def two_points(
    program: GramProgram, side: Float[np.ndarray, " m"], cosines: Float[np.ndarray, "m m"]
) -> tuple[Shaped[Balls, "m m"], Bool[np.ndarray, "m m"]] | None:
    """Return the Gram matrix of two opposite points and who stands together, where they are optimal.

    With M = r x xᵀ, x_i = ±1, S = D + diag(ν) and S M = 0 leave S_ii = −Σ_j S_ij x_i x_j. S ⪰ 0 with no null
    vector beside x proves that M is the only optimum. Whatever the rows are, as D is all they give.
    """
    signs = np.outer(side, side)
    if (
        np.any(side == 0)
        or np.abs(cosines - signs)[pairs_of(program.multiplicity.astype(int).tolist())].max() > OPPOSITE
    ):
        return None
    rule, g = program.rules[0], program.multiplicity
    assert isinstance(rule, (Fixed, Bounded))
    with ctx.workprec(PRECISION):
        exact, norm = balls(signs), ball(rule.value)
        peer = exact * norm
        at = BallMatrix(np.full(len(g), norm, dtype=object), peer)
        pull, slope = gradient_at(objective(program), at)
        members = balls(np.outer(np.ones(len(g)), g) - np.eye(len(g)))
        own = -(members * slope * exact).sum(axis=1)
        if isinstance(rule, Bounded) and not all(own - pull > 0):  # ν ≥ 0 in the ball
            return None
        root = sqrt(balls(g))
        quotient = root[:, None] * slope * root
        for a in range(len(g)):
            if g[a] > 1 and not own[a] - slope[a, a] > 0:
                return None
            quotient[a, a] = own[a] + (balls(g)[a] - 1) * slope[a, a]
        null = root * balls(side)
        if not is_positive_definite(quotient + null[:, None] * null / ball(int(g.sum()))):
            return None
    return peer, (signs > 0) & pairs_of(g.astype(int).tolist())


def _in_the_box(
    problem: Problem, program: GramProgram, gram: Shaped[Balls, "m m"], reason: str
) -> Coincidence:
    """Decide from balls around the optimum, which need no equations.

    In every optimum S M = 0 gives S_ii = −Σ_{j≠i} D_ij M_ij/M_ii. For two members of a group S_ii > D_ij over
    the whole box leaves no room between them, since S(h_i − h_j) = 0 says (S_ii − D_ij)(h_i − h_j) = 0.
    """
    rule, g = program.rules[0], program.multiplicity
    assert isinstance(rule, (Fixed, Bounded))
    with ctx.workprec(PRECISION):
        norm = ball(rule.value)
        own = np.full(len(g), norm, dtype=object)
        if isinstance(rule, Bounded):
            own = own + arb(0, max(entry.rad() for entry in gram.ravel()))
        slope = gradient_at(objective(program), BallMatrix(own, gram)).peer
        members = balls(np.outer(np.ones(len(g)), g) - np.eye(len(g)))
        multiplier = -(members * slope * gram).sum(axis=1) / own
        held = [g[a] > 1 and bool(multiplier[a] - slope[a, a] > 0) for a in range(len(g))]
    gram = gram.copy()
    for a in np.flatnonzero(held):
        gram[a, a] = ball(rule.value)
    return from_balls(problem, gram, np.diag(held), "Gram radius", reason)
