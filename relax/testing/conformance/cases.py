"""Programs of every kind whose optimum is known in closed form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from relax.facts import brief
from relax.losses import CrossEntropy, Dhel, FixedBatches, Kernel
from relax.orbits import OrbitMatrix
from relax.problem import Ball, MeanSquare, Norm, Problem, Ridge, Sphere
from relax.program import GramProgram
from relax.rows import LogSumExp
from relax.rules import Fixed
from relax.testing.step import step_geometry


@brief
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
    found += [*_nonnegative(), _batches(), *_layer_peeled(), *_negatives_only(), *_losses()]
    found += [*_kernel(), *_dhel()]
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
    labels, tau = np.array([0, 0, 0, 1, 1, 1]), 0.5
    loss = FixedBatches.of(labels, [[0, 1, 3, 4], [0, 2, 3, 5]])
    program = Problem.from_labels(labels, loss=loss, temperature=tau, nonnegative=True).program("samples")
    gram = (labels[:, None] == labels).astype(float)
    return Case(
        "fixed batches, non-negative", program, float(np.log1p(2.0 * np.exp(-1.0 / tau))), _plain(gram)
    )


def _layer_peeled() -> Iterator[Case]:
    """Yield balanced cross-entropy over classifier and features: ETFs of both, by margin a.

    CE = log1p((K−1) e^{−a}). Budgets E_W, E_H of mean squared norms give a = √(E_W E_H) K/(K−1), norms r of
    classifiers and ρ of features a = r ρ K/(K−1), and ridges λ_W, λ_H on n samples a class the root of
    (K−1) e^{−a}/(1 + (K−1) e^{−a}) = t = √(n λ_W λ_H) (K−1), at the cost t a (Fang et al. 2021,
    doi 10.1073/pnas.2103091118; Graf et al., arXiv 2102.08817; Hong & Ling, arXiv 2309.09725).
    """
    k, samples = 4, 10
    for budgets in ((1.0, 4.0), (3.0, 3.0)):
        yield from _peeled(f"budgets {budgets}", k, MeanSquare(budgets[0]), MeanSquare(budgets[1]), budgets)
    yield from _peeled("norms of two kinds", k, Ball(1.5), Sphere(2.0), (1.5**2, 2.0**2))
    decay = (0.02, 0.001)
    t = np.sqrt(samples * decay[0] * decay[1]) * (k - 1)
    margin = np.log((k - 1) * (1.0 - t) / t)
    share = np.sqrt(samples * decay[1] / decay[0])
    squares = (margin * (k - 1) / k * share, margin * (k - 1) / k / share)
    yield from _peeled("weight decay", k, Ridge(decay[0]), Ridge(decay[1]), squares, float(t * margin))


def _peeled(
    name: str, k: int, classifier: Norm, norm: Norm, squares: tuple[float, float], paid: float = 0.0
) -> Iterator[Case]:
    """Yield balanced cross-entropy whose optimum has these squared norms, by classes and in one group."""
    problem = Problem([10] * k, CrossEntropy(classifier), norm=norm)
    root = np.sqrt(squares)
    block = np.outer(root, root)
    excess = float(np.log1p((k - 1) * np.exp(-root.prod() * k / (k - 1))) + paid)
    gram = _plain(np.kron(_etf(k), block), roles=2)
    yield Case(f"cross-entropy, {name}", problem.program("classes"), excess, gram)
    one = OrbitMatrix(np.full(1, float(k)), block[None], -block / (k - 1))
    yield Case(f"cross-entropy, {name}, one group of two roles", problem.program(), excess, one)


def _kernel() -> Iterator[Case]:
    """Yield sums of exponentials: γ e^{−(1 + 1/(k−1))/τ} at the ETF of equal classes, γ e^{−1/τ} at a frame.

    Two classes are opposite points, γ e^{−2/τ}, whatever their sizes.
    """
    for sizes, tau in (([5] * 4, 0.25), ([5] * 8, 1.0), ([9, 2], 0.5)):
        k = len(sizes)
        program = Problem(sizes, Kernel(2.0), tau).program("classes")
        excess = 2.0 * np.exp(-k / (k - 1) / tau)
        yield Case(f"kernel, {sizes}, τ = {tau:g}", program, float(excess), _plain(_etf(k)))
    frame = Problem([9, 5, 2], Kernel(2.0), 0.25, nonnegative=True).program("classes")
    yield Case("kernel, non-negative", frame, float(2.0 * np.exp(-4.0)), _plain(np.eye(3)))


def _dhel() -> Iterator[Case]:
    """Yield decoupled energies: −1/τ + w (log(n (k−1)) − 1/((k−1) τ)) at a simplex of k points of n samples.

    Without labels points are samples, n = 1 and k their number.
    """
    for loss, counts, k, n in (
        (Dhel(), [4, 3, 2], 9, 1),
        (Dhel(energy=2.0), [6], 6, 1),
        (Dhel("other-classes"), [6] * 4, 4, 6),
    ):
        program = Problem(counts, loss, 0.5, views=2).program()
        value = -2.0 + loss.energy * (np.log(n * (k - 1)) - 2.0 / (k - 1))
        one = OrbitMatrix(np.full(1, float(k)), np.ones((1, 1, 1)), np.full((1, 1), -1.0 / (k - 1)))
        yield Case(f"DHEL, {loss.negatives}, w = {loss.energy:g}", program, float(value), one)


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


def _losses() -> Iterator[Case]:
    """Yield losses of the package on equal classes, and on two classes of any sizes, where all is known.

    C classes of n samples in K views, m = n K features each, x = −C/(C−1)/τ between classes and
    z = −N/(N−1)/τ between the N samples. Two classes are antipodal, of cosine −1.
    """
    C, n, K, tau = 4, 3, 2, 0.5
    N, m = C * n, n * K
    x, z = -C / (C - 1) / tau, -N / (N - 1) / tau
    rest = (C - 1) * m * np.exp(x)
    balanced = {
        "supcon:positives_weight=1/3": np.log1p(3 * rest / (m - 1)),
        "supcon:positives_weight=0": x + np.log((C - 1) * m),
        "supcon:class_weights=classes": np.log1p(rest / (m - 1)),
        "ntxent-labels": np.log1p(rest),
        "negatives-only": x + np.log((C - 1) * m),
        "luthra-weak": np.log1p(rest / (K - 1)),
        "supcontrast": tau / 0.07 * np.log1p(rest / (m - 1)),
        "solo-supcon": np.log1p(rest / (m - 1)),
    }
    for name, excess in balanced.items():
        program = Problem([n] * C, name, tau, views=K).program("classes")
        yield Case(f"{name}, {C} × {n}", program, float(excess), _plain(_etf(C)))
    unlabelled = {
        "decoupled": z + np.log(K * (N - 1)),
        "self-supervised": np.log1p(K * (N - 1) * np.exp(z) / (K - 1)),
    }
    one = OrbitMatrix(np.full(1, float(N)), np.ones((1, 1, 1)), np.full((1, 1), -1.0 / (N - 1)))
    for name, excess in unlabelled.items():
        yield Case(f"{name}, {N} samples", Problem([n] * C, name, tau, views=K).program(), float(excess), one)
    sizes, colder = (16, 1), np.sqrt(2.0)  # the class of one is at τ/2, with no anchor
    antipodes = np.array([[1.0, -colder], [-colder, colder**2]])
    program = Problem(sizes, "supcon-temperatures:exponent=1/4", tau).program("classes")
    excess = np.log1p(np.exp((-colder - 1.0) / tau) / 15.0)
    yield Case("supcon-temperatures, two classes", program, float(excess), _plain(antipodes))
    pairs = np.array([7 * 6, 2 * 1])
    excess = pairs @ np.log1p(np.exp(-2.0 / tau) * np.array([2.0, 7.0])) / pairs.sum()
    antipodes = np.array([[1.0, -1.0], [-1.0, 1.0]])
    program = Problem([7, 2], "ntxent-labels", tau).program("classes")
    yield Case("ntxent-labels, two classes", program, float(excess), _plain(antipodes))
