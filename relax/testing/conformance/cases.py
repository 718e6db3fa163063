"""Programs of every kind whose optimum is known in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from relax.orbits import OrbitMatrix
from relax.problem import Ball, Norm, Problem, Ridge, Sphere
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Bounded, Budget, Fixed, RidgeCost, Rule
from relax.testing.step import step_geometry


@dataclass(frozen=True, eq=False)
class Case:
    """A program, and what is known of its optimum.

    Attributes
    ----------
    name : str
        What it is; `str(case)`.
    program : GramProgram
        The program.
    excess : float
        Its optimal excess over the floor, or its optimal value where there is no floor.
    gram : OrbitMatrix
        Its optimum, the only one.
    """

    name: str
    program: GramProgram
    excess: float
    gram: OrbitMatrix

    def __str__(self) -> str:
        return self.name


def cases() -> list[Case]:
    """Return all cases: one role and two, one row an anchor and several, every diagonal rule, M ≥ 0."""
    found = [*_balanced(), *_two_classes(), *_step(), *_ridge()]
    found += [*_nonnegative(), _batches(), *_layer_peeled(), *_negatives_only()]
    return found


def _etf(k: int) -> Float[np.ndarray, "k k"]:
    return (k * np.eye(k) - 1.0) / (k - 1)


def _plain(gram: Float[np.ndarray, "n n"], roles: int = 1) -> OrbitMatrix:
    """Return a full matrix, roles of a node side by side, as an orbit matrix of groups of one."""
    m = len(gram) // roles
    blocks = gram.reshape(m, roles, m, roles)
    return OrbitMatrix(np.ones(m), blocks[np.arange(m), :, np.arange(m), :], gram)


def _supcon_excess(sizes: Sequence[int], gram: np.ndarray, tau: float) -> float:
    """Return (1/N₊) Σ n_c log1p( Σ_{c'≠c} n_c' e^{(M_cc' − M_cc)/τ} / (n_c − 1) )."""
    n = np.array(sizes, dtype=float)
    pull = np.where(np.eye(len(n), dtype=bool), 0.0, np.exp((gram - np.diag(gram)[:, None]) / tau))
    rest = pull @ n
    anchored = n >= 2
    return float(n[anchored] @ np.log1p(rest[anchored] / (n[anchored] - 1.0)) / n[anchored].sum())


def _balanced() -> Iterator[Case]:
    """Yield equal classes: the simplex ETF, sphere or ball, by samples, classes or groups."""
    for k, tau, norm in ((2, 0.5, Sphere()), (3, 0.1, Ball()), (8, 1.0, Sphere()), (8, 0.1, Ball())):
        problem = Problem([5] * k, temperature=tau, norm=norm)
        excess = _supcon_excess([5] * k, _etf(k), tau)
        name = f"balanced, k = {k}, τ = {tau:g}, {type(norm).__name__.lower()}"
        yield Case(f"{name}, classes", problem.program("classes"), excess, _plain(_etf(k)))
        one = OrbitMatrix(np.full(1, float(k)), np.ones((1, 1, 1)), np.full((1, 1), -1.0 / (k - 1)))
        yield Case(f"{name}, one group", problem.program(), excess, one)
    lift = Problem([3] * 3, temperature=0.5).program("samples")
    labels = np.repeat(np.arange(3), 3)
    full = _etf(3)[np.ix_(labels, labels)]
    yield Case("balanced, samples", lift, _supcon_excess([3] * 3, _etf(3), 0.5), _plain(full))


def _two_classes() -> Iterator[Case]:
    """Yield two classes of any sizes: opposite points, as the loss grows with the one entry."""
    opposite = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for sizes, tau in (([50, 3], 0.2), ([9, 1], 0.5), ([1000, 2], 0.05)):
        program = Problem(sizes, temperature=tau).program("classes")
        yield Case(f"two classes, {sizes}", program, _supcon_excess(sizes, opposite, tau), _plain(opposite))


def _step() -> Iterator[Case]:
    """Yield two sizes of classes: two nested scalar equations (`relax.testing.step_geometry`)."""
    for majors, minors, large, small, tau in ((3, 3, 20, 5, 0.5), (2, 4, 100, 2, 1.0), (4, 2, 50, 10, 0.1)):
        sizes = [large] * majors + [small] * minors
        gram = step_geometry(majors, minors, large, small, tau)
        program = Problem(sizes, temperature=tau).program("classes")
        name = f"STEP, {majors} × {large} and {minors} × {small}, τ = {tau:g}"
        yield Case(name, program, _supcon_excess(sizes, gram, tau), _plain(gram))


def _ridge() -> Iterator[Case]:
    """Yield equal classes with weight decay: an ETF of norm r, where t/(1−t) = A e^{−c r} balances the ridge.

    The loss is log1p(A e^{−c r}) + λ n k r/2 with A = n (k−1)/(n−1), c = k/((k−1) τ), and t = λ n k/(2 c).
    """
    k, n, tau = 4, 5, 0.5
    ratio, rate = n * (k - 1) / (n - 1), k / ((k - 1) * tau)
    for weight in (0.001, 0.05, 1.0):
        t = weight * n * k / (2.0 * rate)
        r = max(0.0, np.log(ratio * (1.0 - t) / t) / rate) if t < 1 else 0.0
        excess = float(np.log1p(ratio * np.exp(-rate * r)) + weight * n * k * r / 2.0)
        program = Problem([n] * k, temperature=tau, norm=Ridge(weight)).program("classes")
        yield Case(f"ridge {weight:g}, norm {r:.3g}", program, excess, _plain(r * _etf(k)))


def _nonnegative() -> Iterator[Case]:
    """Yield non-negative features: the orthogonal frame for any sizes (Kini et al., arXiv 2306.07960)."""
    norms: tuple[tuple[list[int], float, Norm], ...] = (
        ([7, 7, 3, 2], 0.5, Sphere()),
        ([20, 5, 2], 0.1, Ball()),
    )
    for sizes, tau, norm in norms:
        problem = Problem(sizes, temperature=tau, norm=norm, nonnegative=True)
        frame = np.eye(len(sizes))
        excess = _supcon_excess(sizes, frame, tau)
        yield Case(f"non-negative, {sizes}", problem.program("classes"), excess, _plain(frame))


def _batches() -> Case:
    """Return two fixed batches that share a sample of each class: several rows an anchor, the same frame."""
    labels, tau = np.array([0, 0, 0, 1, 1, 1]), Fraction(1, 2)
    anchor, peers, target = [], [], []
    for batch in ([0, 1, 3, 4], [0, 2, 3, 5]):
        for i in batch:
            others = np.array([j in batch and j != i for j in range(6)])
            mates = others & (labels == labels[i])
            anchor.append(i)
            peers.append(others.astype(float))
            target.append(mates / mates.sum())
    count = len(anchor)
    rows = LogSumExp(
        np.array(anchor), np.ones(count), np.zeros(count), np.zeros(count), np.array(peers), np.array(target)
    )
    program = GramProgram(np.ones(6), tau, (rows,), Fraction(count), (Fixed(np.arange(6)),), nonnegative=True)
    gram = (labels[:, None] == labels).astype(float)
    return Case(
        "fixed batches, non-negative", program, float(np.log1p(2.0 * np.exp(-1.0 / tau))), _plain(gram)
    )


def _layer_peeled() -> Iterator[Case]:
    """Yield balanced cross-entropy over classifier and features: ETFs of both, by margin a.

    CE = log1p((K−1) e^{−a}). Budgets E_W, E_H of mean squared norms give a = √(E_W E_H) K/(K−1), norms r of
    classifiers and ρ of features a = r ρ K/(K−1), and ridges λ_W/2, n λ_H/2 the root of
    (K−1) e^{−a}/(1 + (K−1) e^{−a}) = t = √(n λ_W λ_H) (K−1), at the cost t a (Fang et al. 2021,
    doi 10.1073/pnas.2103091118; Graf et al., arXiv 2102.08817; Hong & Ling, arXiv 2309.09725).
    """
    k, classifier, feature = 4, np.arange(0, 8, 2), np.arange(1, 8, 2)
    ones = np.ones(k)
    for budgets in ((1.0, 4.0), (3.0, 3.0)):
        rules = tuple(Budget(s, ones, b * k) for s, b in zip((classifier, feature), budgets, strict=True))
        yield _peeled(f"budgets {budgets}", k, rules, budgets)
    norms = (Bounded(classifier, 2.0), Fixed(feature, 3.0))
    yield _peeled("norms of two kinds", k, norms, (2.0, 3.0))
    decay, samples = (0.02, 0.001), 10
    t = np.sqrt(samples * decay[0] * decay[1]) * (k - 1)
    margin = np.log((k - 1) * (1.0 - t) / t)
    share = np.sqrt(samples * decay[1] / decay[0])
    squares = (margin * (k - 1) / k * share, margin * (k - 1) / k / share)
    ridges = (RidgeCost(classifier, ones * decay[0] / 2), RidgeCost(feature, ones * samples * decay[1] / 2))
    yield _peeled("weight decay", k, ridges, squares, paid=float(t * margin))
    grouped = (Budget(np.array([0]), np.ones(1), 1.0 * k), Budget(np.array([1]), np.ones(1), 4.0 * k))
    rows = LogSumExp(
        np.zeros(1, dtype=int), np.full(1, 1.0 * k), np.ones(1), np.ones(1), np.ones((1, 1)), None, (0, 1)
    )
    program = GramProgram(np.full(1, float(k)), Fraction(1), (rows,), Fraction(k), grouped, roles=2)
    excess = float(np.log1p((k - 1) * np.exp(-2.0 * k / (k - 1))))
    block = np.array([[1.0, 2.0], [2.0, 4.0]])
    gram = OrbitMatrix(np.full(1, float(k)), block[None], -block / (k - 1))
    yield Case("cross-entropy, one group of two roles", program, excess, gram)


def _peeled(
    name: str, k: int, rules: tuple[Rule, ...], squares: tuple[float, float], paid: float = 0.0
) -> Case:
    """Return balanced cross-entropy whose optimum has these squared norms."""
    ones = np.ones(k)
    rows = LogSumExp(np.arange(k), ones, ones, ones, np.ones((k, k)), roles=(0, 1))
    program = GramProgram(ones, Fraction(1), (rows,), Fraction(k), rules, roles=2)
    root = np.sqrt(squares)
    gram = np.kron(_etf(k), np.outer(root, root))
    margin = root.prod() * k / (k - 1)
    excess = float(np.log1p((k - 1) * np.exp(-margin)) + paid)
    return Case(f"cross-entropy, {name}", program, excess, _plain(gram, roles=2))


def _negatives_only() -> Iterator[Case]:
    """Yield losses without a floor: the positive stands in no denominator (Luthra et al., arXiv 2506.04411).

    Balanced NSCL with K views of n samples in each of C classes: −C/(C−1)/τ + log(K n (C−1)) at the ETF;
    DCL of N samples: −N/(N−1)/τ + log(K (N−1)) at the simplex of samples.
    """
    for name, nodes, each, tau in (("NSCL", 4, 6.0, 1.0), ("DCL", 12, 2.0, 1.0), ("NSCL, cold", 5, 6.0, 0.1)):
        ones = np.ones(nodes)
        rows = LogSumExp(np.arange(nodes), ones, np.zeros(nodes), ones, np.full((nodes, nodes), each))
        temperature = Fraction(tau).limit_denominator(100)
        program = GramProgram(ones, temperature, (rows,), Fraction(nodes), (Fixed(np.arange(nodes)),))
        value = -nodes / (nodes - 1) / tau + np.log(each * (nodes - 1))
        yield Case(f"{name}, {nodes} nodes", program, float(value), _plain(_etf(nodes)))
