"""Jiang et al.'s risks against enumeration of all draws: values, programs, bounds, Harris, certificates."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb, exp, log, log1p, prod
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.optimize import minimize

from certify import certify
from certify.cli.solving import report
from certify.features import loss_of_features
from certify.verification import verify
from relax import Problem, losses, solve
from relax.descent import descend, match
from relax.errors import InputError
from relax.losses import HScl, HUcl, Scl, Ucl
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.losses.psi import LogMeanExp
from relax.norms import Ball, MeanSquare, Ridge, Sphere
from relax.orbits import OrbitMatrix

PSI: dict[Any, Callable[[list[float], float], float]] = {
    "log-mean-exp": lambda t, a: log(a + sum(exp(s) for s in t) / len(t)),
    "mean-exp": lambda t, a: sum(exp(s) for s in t) / len(t),
    "mean-softplus": lambda t, a: sum(log(a + exp(s)) for s in t) / len(t),
}
COUNTS = [2, 1, 2]
LABELS = np.repeat(np.arange(3), COUNTS)
HARD: list[tuple[Any, float]] = [("exponential", 1.5), ("threshold", 0.4), ("top-q", 0.4), ("power", 2.0)]


def chances(s: list[float], eta: str, beta: float) -> list[float]:
    """Chances of equally many negatives with similarities s, one at a time."""
    if eta == "exponential":
        hard = [exp(beta * v) for v in s]
    elif eta == "threshold":
        hard = [float(v >= beta) for v in s]
    elif eta == "power":
        hard = [v**beta if v > 0 else 0.0 for v in s]
    else:
        left, hard = beta * len(s), [0.0] * len(s)
        for j in sorted(range(len(s)), key=lambda j: -s[j]):
            hard[j] = min(left, 1.0)
            left -= hard[j]
    total = sum(hard)
    return [h / total if total else 1 / len(s) for h in hard]


def enumerated(
    x: np.ndarray, y: np.ndarray, loss: losses.Loss, eta: str = "exponential", beta: float = 0.0
) -> float:
    """Every anchor, every positive, every sequence of q negatives."""
    assert isinstance(loss, Scl | Ucl | HScl | HUcl)
    total = 0.0
    for i in range(len(y)):
        positives = [p for p in range(len(y)) if y[p] == y[i]]
        read = [n for n in range(len(y)) if loss.collisions or y[n] != y[i]]
        chance = dict(zip(read, chances([x[i, n] for n in read], eta, beta), strict=True))
        for p, draw in product(positives, product(read, repeat=loss.q)):
            weight = prod(chance[n] for n in draw) / len(positives)
            total += weight * PSI[loss.psi]([x[i, n] - x[i, p] for n in draw], loss.a)
    return total / len(y)


def drawn(
    rng: np.random.Generator, labels: np.ndarray = LABELS, dim: int = 3, most: float = 2.0
) -> np.ndarray:
    """Unit vectors, from nearly collapsed to no trace of classes."""
    h = rng.normal(size=(labels.max() + 1, dim))[labels]
    h += rng.uniform(0.01, most) * rng.normal(size=(len(labels), dim))
    return h / np.linalg.norm(h, axis=1)[:, None]


def by_definition(problem: Problem, h: np.ndarray, vectors: Labelled) -> float:
    gram, normaliser = h @ h.T / problem.temperature, float(problem.reduction().normaliser)
    share = evaluate(problem.loss, vectors, lambda anchors: gram[anchors], normaliser, block=4)
    assert share.excess > -1e-15
    return float(share.floor + share.excess)


def at(problem: Problem, gram: np.ndarray, squares: np.ndarray) -> float:
    return problem.program("classes").value(OrbitMatrix(np.ones(len(gram)), squares[:, None, None], gram))


@pytest.mark.parametrize("tau", [0.1, 1.0])
@pytest.mark.parametrize("psi", PSI)
@pytest.mark.parametrize("kind", [Scl, Ucl])
def test_the_definition_is_the_enumeration(kind: type, psi: str, tau: float) -> None:
    rng = np.random.default_rng(0)
    for q, a in ((1, 0.3), (3, 2.0)):
        problem = Problem(COUNTS, kind(q, a, psi), tau)
        h = drawn(rng)
        known = enumerated(h @ h.T / tau, LABELS, problem.loss)
        assert by_definition(problem, h, Labelled.features(LABELS)) == pytest.approx(known, rel=1e-12)


@pytest.mark.parametrize("tau", [0.1, 1.0])
@pytest.mark.parametrize("psi", PSI)
@pytest.mark.parametrize("kind", [Scl, Ucl])
def test_the_program_is_the_loss_at_collapse_and_below_it_elsewhere(kind: type, psi: str, tau: float) -> None:
    rng = np.random.default_rng(1)
    for norm in (Sphere(), Ball()):
        problem = Problem(COUNTS, kind(2, 0.7, psi), tau, norm)
        assert problem.reduction().below and problem.reduction().attained
        v = drawn(rng, np.arange(3))
        known = enumerated(v[LABELS] @ v[LABELS].T / tau, LABELS, problem.loss)
        assert at(problem, v @ v.T, np.ones(3)) == pytest.approx(known, rel=1e-12)
        assert by_definition(problem, v, Labelled.collapsed(np.array(COUNTS))) == pytest.approx(
            known, rel=1e-12
        )
        for _ in range(4):
            h = drawn(rng) * (rng.uniform(0.2, 1.0, size=(5, 1)) if norm == Ball() else 1.0)
            means = np.array([h[c == LABELS].mean(axis=0) for c in range(3)])
            squares = np.array([(h[c == LABELS] ** 2).sum(axis=1).mean() for c in range(3)])
            known = enumerated(h @ h.T / tau, LABELS, problem.loss)
            assert at(problem, means @ means.T, squares) <= known + 1e-12


def test_groups_and_views_are_the_same_loss() -> None:
    rng, counts = np.random.default_rng(2), [4, 4, 1]
    for name in ("scl:q=5", "ucl:q=5", "jiang-ucl"):
        whole, two = Problem(counts, name), Problem([2, 2, 1], name, views=2)
        v = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        grouped = OrbitMatrix(np.array([2.0, 1.0]), np.ones((2, 1, 1)), np.zeros((2, 2)))
        known = by_definition(whole, v, Labelled.collapsed(np.array(counts)))
        assert whole.program().value(grouped) == pytest.approx(known, rel=1e-13)
        labels = np.repeat(np.arange(3), [4, 4, 2])
        h = drawn(rng, labels)
        seen = Labelled.features(labels, 2)
        doubled = Problem([4, 4, 2], name)
        assert by_definition(two, h, seen) == pytest.approx(
            by_definition(doubled, h, Labelled.features(labels))
        )


def collided(q: int, own: float, t: float, a: float = 1.0, psi: Any = "log-mean-exp") -> float:
    """Σ_j Bin(q, own)(j) ψ(0 for j negatives, t for the rest)."""
    terms = (
        comb(q, j) * own**j * (1 - own) ** (q - j) * PSI[psi]([0.0] * j + [t] * (q - j), a)
        for j in range(q + 1)
    )
    return sum(terms)


@pytest.mark.parametrize("psi", PSI)
@pytest.mark.parametrize(("k", "q", "tau"), [(2, 1, 0.5), (4, 3, 1.0), (10, 20, 0.3)])
def test_equal_classes_have_closed_forms(k: int, q: int, tau: float, psi: Any) -> None:
    t, simplex = -k / (k - 1) / tau, (k * np.eye(k) - 1) / (k - 1)
    for loss, known in (
        (Scl(q, 0.5, psi), PSI[psi]([t] * q, 0.5)),
        (Ucl(q, 0.5, psi), collided(q, 1 / k, t, 0.5, psi)),
        (HScl(q, 0.5, psi, "exponential", 2.0), PSI[psi]([t] * q, 0.5)),
    ):
        found = solve(Problem([6] * k, loss, tau))
        assert found.value == pytest.approx(known, rel=1e-11)
        np.testing.assert_allclose(found.gram, simplex, atol=1e-6)
        at_simplex = found.embedding(k)
        assert by_definition(found.problem, at_simplex, Labelled.collapsed(np.full(k, 6))) == pytest.approx(
            known
        )


@pytest.mark.parametrize("tau", [0.02, 0.1, 1.0])
def test_small_excesses_keep_their_digits(tau: float) -> None:
    """Two antipodal classes: log1p((q − j) e^{−2/τ}/(aq + j)) over binomial j; whole classes and samples."""
    q, a, counts = 6, 0.5, np.array([3, 1])
    labels, antipodes = np.repeat([0, 1], counts), np.array([[0.6, 0.8], [-0.6, -0.8]])
    for kind in (Scl, Ucl):
        loss, known = kind(q, a), 0.0
        for size in counts.tolist():
            own = size / 4 if kind is Ucl else 0.0
            chance = [comb(q, j) * own**j * (1 - own) ** (q - j) for j in range(q + 1)]
            rise = [log1p((q - j) * exp(-2 / tau) / (a * q + j)) for j in range(q + 1)]
            known += size / 4 * float(np.dot(chance, rise))
        for h, vectors in (
            (antipodes, Labelled.collapsed(counts)),
            (antipodes[labels], Labelled.features(labels)),
        ):
            gram = h @ h.T / tau
            share = evaluate(loss, vectors, lambda anchors, gram=gram: gram[anchors], 4.0)
            assert float(share.excess) == pytest.approx(known, rel=2e-13 / tau)


@pytest.mark.parametrize(
    ("name", "norm"),
    [
        ("scl:q=8", Ball()),
        ("scl:psi=mean-exp", Ridge(0.001)),
        ("ucl:q=8", MeanSquare(1.5)),
        ("ucl:psi=mean-exp", Ball()),
        ("jiang-ucl", Ball()),
    ],
    ids=str,
)
def test_levels_and_solvers_agree_where_classes_differ(name: str, norm: Ball | Ridge | MeanSquare) -> None:
    problem = Problem([50, 50, 6, 3, 1], name, 0.5, norm)
    first, others = solve(problem), [solve(problem, "barrier"), solve(problem, "low_rank", "classes")]
    assert first.relative_gap() <= 1e-9
    for other in others:
        assert other.value == pytest.approx(first.value, rel=1e-6)
        assert other.lower_bound() <= first.value * (1 + 1e-12)
    if norm.kind == "ball":
        cosines = first.gram[~np.eye(5, dtype=bool)]
        assert np.ptp(cosines) > 0.1  # no simplex


@pytest.mark.parametrize(
    ("eta", "beta"), [HARD[0], *(pytest.param(*one, marks=pytest.mark.slow) for one in HARD[1:])]
)
@pytest.mark.parametrize("kind", [HScl, HUcl])
def test_hardened_risks_are_the_enumeration_and_above_the_plain_ones(
    kind: type, eta: Any, beta: float
) -> None:
    rng, plain = np.random.default_rng(3), {HScl: Scl, HUcl: Ucl}[kind]
    for psi, q in (("log-mean-exp", 3), ("mean-exp", 1), ("mean-softplus", 2)):
        for tau in (0.3, 1.0):
            hard, easy = (
                Problem(COUNTS, kind(q, 0.5, psi, eta, beta), tau),
                Problem(COUNTS, plain(q, 0.5, psi), tau),
            )
            bound = solve(hard)
            assert not bound.reduction.attained
            for _ in range(1 + (psi == "log-mean-exp")):
                h = drawn(rng)
                value = by_definition(hard, h, Labelled.features(LABELS))
                assert value == pytest.approx(
                    enumerated(h @ h.T / tau, LABELS, hard.loss, eta, beta), rel=1e-11
                )
                assert value >= enumerated(h @ h.T / tau, LABELS, easy.loss) - 1e-12
                assert value >= bound.value - 1e-12


@pytest.mark.parametrize(("eta", "beta"), HARD)
@pytest.mark.parametrize(("hard", "easy"), [(HScl, Scl), (HUcl, Ucl)])
def test_no_adversary_brings_a_hardened_risk_below(hard: type, easy: type, eta: Any, beta: float) -> None:
    losses_ = [Problem(COUNTS, loss) for loss in (hard(2, 1.0, "log-mean-exp", eta, beta), easy(2))]
    vectors = Labelled.features(LABELS)

    def difference(flat: np.ndarray) -> float:
        h = flat.reshape(5, 3) / np.linalg.norm(flat.reshape(5, 3), axis=1)[:, None]
        harder, plain = (by_definition(problem, h, vectors) for problem in losses_)
        return harder - plain

    rng = np.random.default_rng(4)
    start = drawn(rng).ravel()
    end = minimize(difference, start, method="Nelder-Mead", options={"maxfev": 30})
    assert -1e-13 <= end.fun <= difference(start)


def test_ties_share_a_place_at_the_top() -> None:
    """One vector for a class of four is four vectors that coincide."""
    sizes, v = np.array([4, 4, 4]), drawn(np.random.default_rng(5), np.arange(3))
    problem = Problem([4, 4, 4], "hucl:q=2,eta=top-q,beta=0.2")
    labels = np.repeat(np.arange(3), sizes)
    whole = by_definition(problem, v, Labelled.collapsed(sizes))
    assert by_definition(problem, v[labels], Labelled.features(labels)) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(("cosine", "value"), [(-0.5, 0.55419), (0.0, 0.54088), (-0.0555, 0.54060)])
def test_the_simplex_is_not_the_optimum_of_hucl(cosine: float, value: float) -> None:
    """Three equal classes, q = 2, β = 1, equiangular means: the simplex (−1/2) is beaten."""
    gram = (1 - cosine) * np.eye(3) + cosine
    share = evaluate(HUcl(2), Labelled.collapsed(np.full(3, 4)), lambda anchors: gram[anchors], 12.0)
    assert float(share.floor + share.excess) == pytest.approx(value, abs=6e-6)
    w = 1 / (1 + 2 * exp(cosine - 1))
    assert float(share.floor + share.excess) == pytest.approx(collided(2, w, cosine - 1), rel=1e-13)


def test_hardness_nothing_is_the_plain_risk() -> None:
    h = drawn(np.random.default_rng(6))
    known = by_definition(Problem(COUNTS, Ucl(3)), h, Labelled.features(LABELS))
    cases: list[tuple[Any, float]]
    cases = [("exponential", 0.0), ("threshold", -5.0), ("threshold", 5.0), ("top-q", 1.0)]
    for eta, beta in cases:
        problem = Problem(COUNTS, HUcl(3, eta=eta, beta=beta))
        assert by_definition(problem, h, Labelled.features(LABELS)) == pytest.approx(known, rel=1e-13)


def test_what_the_authors_train_counts_pairs() -> None:
    counts, c = [6, 2], -0.3
    assert Problem([5, 5], "jiang-ucl").temperature == 1.0
    known = sum(n * n * collided(256, n / 8, c - 1) for n in counts) / 40
    problem = Problem(counts, "jiang-ucl")
    assert at(problem, np.array([[1, c], [c, 1]]), np.ones(2)) == pytest.approx(known, rel=1e-12)
    v = np.array([[1.0, 0.0], [c, (1 - c * c) ** 0.5]])
    assert by_definition(problem, v, Labelled.collapsed(np.array(counts))) == pytest.approx(known, rel=1e-12)
    equal = [solve(Problem([5] * 4, name)).value for name in ("jiang-ucl", "ucl")]
    assert equal[0] == pytest.approx(equal[1], rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        "scl:q=16,a=0.1",
        "ucl:q=16",
        "ucl:psi=mean-exp",
        "scl:psi=mean-softplus",
        "jiang-ucl",
        "hucl:q=4,beta=0.5",
    ],
)
def test_certificates_are_proven_and_named(loss: str) -> None:
    problem = Problem([40, 10, 5, 5], loss, 0.4)
    assert Problem.from_statement(problem.statement()) == problem
    proof = certify(solve(problem))
    assert proof.verdict.name == "CERTIFIED"
    found = verify(proof.document)
    assert found.accepted and found.named, found.message
    other = copy.deepcopy(proof.document)
    other["claim"]["problem"]["counts"] = [[39, 1], *other["claim"]["problem"]["counts"][1:]]
    assert not verify(other).accepted


def test_a_bound_that_is_not_attained_is_called_one() -> None:
    solution = solve(Problem([4, 4, 4], "hucl:q=2"))
    proof = certify(solution)
    assert not proof.attained and not report(solution, proof)["attained"]
    facts = dict(proof.facts())
    assert "loss ≤" not in facts and "no loss as small is claimed" in facts["bound ≤"]
    assert "no loss as small is claimed" in verify(proof.document).statement
    plain = solve(Problem([4, 4, 4], "ucl:q=2"))
    assert report(plain, certify(plain))["attained"] and "loss ≤" in dict(certify(plain).facts())


@pytest.mark.parametrize("name", ["ucl:q=4", "scl:psi=mean-exp"])
def test_descent_on_free_features_ends_there(name: str) -> None:
    problem = Problem([3, 2, 1], name, 0.5)
    solution = solve(problem)
    found = match(descend(problem, dim=3, starts=1, seed=0), solution.class_gram, solution.value)
    assert abs(found.loss_gaps).max() <= 1e-9 * solution.excess
    assert found.gram_distances.max() <= 1e-4


def test_balls_know_the_mean_of_exponentials() -> None:
    h = drawn(np.random.default_rng(7))
    for name in ("scl:psi=mean-exp", "ucl:psi=mean-exp"):
        problem = Problem(COUNTS, name, 0.5)
        ball = loss_of_features(h, problem, LABELS)
        assert float(ball.rad()) < 1e-25
        assert float(ball.mid()) == pytest.approx(
            by_definition(problem, h, Labelled.features(LABELS)), rel=1e-13
        )
    for name in ("scl", "hucl", "hscl:psi=mean-exp"):
        with pytest.raises(InputError, match="in floats only"):
            loss_of_features(h, Problem(COUNTS, name), LABELS)


@dataclass(frozen=True)
class Doubled(Scl):
    """A user's own ψ, here log(3 + (e^{t_1} + e^{t_2})/2)."""

    name: ClassVar[str] = "doubled"

    @property
    def function(self) -> LogMeanExp:
        return LogMeanExp(2, Fraction(3))


def test_a_subclass_brings_its_own_psi() -> None:
    problem, same = Problem([5, 3, 2], Doubled()), Problem([5, 3, 2], "scl:q=2,a=3")
    assert solve(problem).value == pytest.approx(solve(same).value, rel=1e-12)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("scl:q=0", "q 0 must be a whole number of negatives"),
        ("ucl:q=2000000", "q 2000000 must be"),
        ("scl:q=1.5", "must be a whole number"),
        ("ucl:a=0", r"a 0\.0 must be a positive finite number"),
        ("ucl:psi=hinge", "must be one of: log-mean-exp, mean-exp, mean-softplus"),
        ("hscl:eta=top", "must be one of: exponential, threshold, top-q, power"),
        ("hscl:beta=-1", "beta -1 of eta=exponential must be at least 0"),
        ("hucl:eta=top-q,beta=0", "beta 0 of eta=top-q must be above 0 and at most 1"),
        ("hucl:eta=power,beta=0", "beta 0 of eta=power must be above 0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(loss: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Problem([3, 3], loss)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["scl", "ucl", "hscl", "hucl", "jiang-ucl"])
def test_one_class_has_nothing_to_repel(name: str) -> None:
    with pytest.raises(InputError, match="one class only"):
        Problem([7], name)
    with pytest.raises(InputError, match="no program by samples"):
        solve(Problem([2, 2], name), level="samples")
