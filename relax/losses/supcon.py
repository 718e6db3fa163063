r"""The supervised-contrastive loss (Khosla et al. 2020, "L_out"), as practitioners average it.

    L(H) = (1/N₊) Σ_{i: n_{y_i} ≥ 2} 1/(n_{y_i}−1) Σ_{j≠i, y_j=y_i} log Σ_{l≠i} exp((G_il − G_ij)/τ)

with G = HHᵀ and N₊ the number of anchors that have a positive. A class of one sample has no anchor but
stands in every other denominator.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from jaxtyping import Float

from relax.problem import Ball, ClassCounts, Problem, Ridge, exact_rational
from relax.program import GramProgram, Rows
from relax.rules import Bounded, Fixed, RidgeCost, Rule


def supcon(problem: Problem, counts: ClassCounts) -> GramProgram:
    """Return the class-level program (C) of Behnia & Thrampoulidis (arXiv 2402.18884), by groups.

        min_M (1/N₊) Σ_c n_c log( n_c − 1 + Σ_{c'≠c} n_c' exp((M_cc' − M_cc)/τ) )

    Exact for every d ≥ k − 1: averaging over within-class permutations and replacing features by their
    class mean never raises the loss (on sphere and ball, lengthening them to norm one lowers it further).
    """
    n = np.array(counts.sizes, dtype=float)
    g = np.array(counts.multiplicities, dtype=float)
    anchored = np.flatnonzero(n >= 2)
    rows = Rows(
        anchor=anchored,
        weight=(n * g)[anchored],
        own_multiplicity=n[anchored] - 1.0,
        own_target=np.ones(len(anchored)),
        peer_multiplicity=np.broadcast_to(n, (len(anchored), len(n))),
    )
    return _program(problem, counts, g, (rows,), samples_per_node=n)


def supcon_lift(problem: Problem, counts: ClassCounts) -> GramProgram:
    """Return the sample-level relaxation (R): one node a sample, n × n. The reference, for small n."""
    labels = np.repeat(np.arange(counts.classes), np.array(counts.sizes)[counts.group_of_class()])
    same = labels[:, None] == labels
    size = same.sum(axis=1)
    anchors = np.flatnonzero(size >= 2)
    others = ~np.eye(len(labels), dtype=bool)
    positive = np.full(same.shape, Fraction(0), dtype=object)
    for i in anchors:
        positive[i, same[i] & others[i]] = Fraction(1, int(size[i]) - 1)
    rows = Rows(
        anchor=anchors,
        weight=np.ones(len(anchors)),
        own_multiplicity=np.zeros(len(anchors)),
        own_target=np.zeros(len(anchors)),
        peer_multiplicity=others[anchors].astype(float),
        peer_target=positive[anchors],
    )
    ones = np.ones(len(labels))
    return _program(problem, counts, ones, (rows,), samples_per_node=ones)


def _program(
    problem: Problem,
    counts: ClassCounts,
    multiplicity: Float[np.ndarray, " m"],
    rows: tuple[Rows, ...],
    samples_per_node: Float[np.ndarray, " m"],
) -> GramProgram:
    return GramProgram(
        multiplicity=multiplicity,
        temperature=exact_rational(problem.temperature),
        rows=rows,
        normaliser=Fraction(counts.anchors),
        rules=(_norm_rule(problem, samples_per_node),),
        nonnegative=problem.nonnegative,
    )


def _norm_rule(problem: Problem, samples_per_node: Float[np.ndarray, " m"]) -> Rule:
    slots = np.arange(len(samples_per_node))
    if isinstance(problem.norm, Ridge):
        half = exact_rational(problem.norm.weight) / 2
        return RidgeCost(slots, np.array([int(n) * half for n in samples_per_node], dtype=object))
    return Bounded(slots) if isinstance(problem.norm, Ball) else Fixed(slots)
