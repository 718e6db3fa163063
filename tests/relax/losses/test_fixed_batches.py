"""Fixed batches: brute force, the bound of non-negative features, refusals, other solvers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relax import losses
from relax.arrays import FLOATS
from relax.errors import InputError
from relax.losses import FixedBatches, SupCon
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.norms import Ball, MeanSquare, Norm, Ridge, Sphere
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.solvers import solve, solve_program
from relax.symmetry import merge

LABELS = [2, 0, 0, 1, 0, 1, 2, 1, 0]
BATCHES = [[1, 2, 3, 5], [0, 2, 4, 6, 8], [0, 3, 7], [7, 5, 4, 8], [6]]


def problem_of(labels: list[int], batches: list[list[int]], **options: object) -> Problem:
    return Problem.from_labels(labels, loss=FixedBatches.of(labels, batches), **options)


def naive(h: np.ndarray, labels: list[int], batches: list[list[int]], views: int, tau: float) -> float:
    """Loops over batches, anchors and positives; features sample by sample with their views."""
    gram, total, anchors = h @ h.T / tau, 0.0, 0
    for batch in batches:
        inside = [i * views + v for i in batch for v in range(views)]
        for i in inside:
            positives = [j for j in inside if j != i and labels[j // views] == labels[i // views]]
            if positives:
                anchors += 1
                rest = sum(np.exp(gram[i, j]) for j in inside if j != i)
                total += sum(np.log(rest) - gram[i, j] for j in positives) / len(positives)
    return total / anchors


def by_definition(problem: Problem, h: np.ndarray, block: int = 512) -> float:
    loss = problem.loss
    assert isinstance(loss, FixedBatches)
    vectors = Labelled.features(np.repeat(loss.classes, problem.views), problem.views)
    normaliser = float(problem.reduction().normaliser)
    gram = h @ h.T / problem.temperature
    share = evaluate(loss, vectors, lambda anchors: gram[anchors], normaliser, block=block)
    return float(share.floor + share.excess)


def sphere(count: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    h = rng.normal(size=(count, dim))
    return h / np.linalg.norm(h, axis=1, keepdims=True)


def invariant(problem: Problem, h: np.ndarray) -> OrbitMatrix:
    """The Gram matrix of h, averaged over what its groups exchange."""
    reduction, gram = problem.reduction(), h @ h.T
    group, g = reduction.nodes.group_of_unit(), reduction.nodes.multiplicity
    onto = (group == np.arange(len(g))[:, None]).astype(float)
    own = onto @ np.diag(gram) / g
    pairs = np.outer(g, g) - np.diag(g)
    peer = (onto @ gram @ onto.T - np.diag(onto @ np.diag(gram))) / np.maximum(pairs, 1.0)
    return OrbitMatrix(g, own[:, None, None], peer)


@pytest.mark.parametrize("views", [1, 2])
def test_the_program_by_samples_is_the_loss_and_that_by_groups_is_below(views: int) -> None:
    rng = np.random.default_rng(0)
    problem = problem_of(LABELS, BATCHES, views=views, temperature=0.4)
    lift, program = problem.program("samples"), problem.program()
    assert problem.reduction().below and problem.reduction().attained
    for _ in range(5):
        h = sphere(len(LABELS) * views, 4, rng)
        loss = naive(h, LABELS, BATCHES, views, 0.4)
        for block in (512, 2):
            assert by_definition(problem, h, block) == pytest.approx(loss, rel=1e-12)
        plain = OrbitMatrix(np.ones(len(h)), np.ones((len(h), 1, 1)), h @ h.T)
        assert lift.value(plain) == pytest.approx(loss, rel=1e-12)
        assert program.value(invariant(problem, h)) <= loss + 1e-12
        group = problem.reduction().nodes.group_of_unit()
        together = sphere(len(LABELS) * views, 4, rng)[group]
        loss = naive(together, LABELS, BATCHES, views, 0.4)
        assert program.value(invariant(problem, together)) == pytest.approx(loss, rel=1e-12)


NORMS: list[tuple[Norm, bool]] = [
    (Sphere(), False),
    (Ball(), True),
    (Ridge(0.01), False),
    (MeanSquare(1.0), False),
]


@pytest.mark.parametrize(("norm", "nonnegative"), NORMS)
def test_levels_and_solvers_agree(norm: Norm, nonnegative: bool) -> None:
    problem = problem_of(LABELS, BATCHES, norm=norm, nonnegative=nonnegative, temperature=0.5)
    first = solve(problem)
    assert first.relative_gap() <= 1e-9
    for solver, level in (("low_rank", "samples"), ("barrier", "groups")):
        other = solve(problem, solver, level)  # type: ignore[arg-type]
        assert other.excess == pytest.approx(first.excess, rel=1e-6)
        assert other.lower_bound() <= first.value + 1e-12
        np.testing.assert_array_equal(other.labels, first.labels)
    embedded = first.embedding()
    assert by_definition(problem, embedded) + norm.cost((embedded**2).sum(1), FLOATS) == pytest.approx(
        first.value, rel=1e-7
    )


def test_one_batch_of_all_is_supcon() -> None:
    labels = [0] * 5 + [1] * 3 + [2] * 2
    one = solve(problem_of(labels, [list(range(10))], temperature=0.3))
    full = solve(Problem([5, 3, 2], SupCon(), temperature=0.3))
    assert one.value == pytest.approx(full.value, rel=1e-12)
    assert one.excess == pytest.approx(full.excess, rel=2e-9)
    np.testing.assert_allclose(one.class_gram, full.gram, atol=1e-4)


def test_samples_in_the_same_batches_need_not_coincide() -> None:
    """Samples 0 and 1 are in one batch only, with 2, which other batches hold away."""
    labels, batches = [0, 0, 0, 1, 1, 2, 2], [[0, 1, 2, 3], [2, 3, 4], [2, 5, 6, 3, 4]]
    problem = problem_of(labels, batches, temperature=0.3)
    found, program = solve(problem), problem.program("samples")
    assert found.gram[0, 1] == pytest.approx(0.964, abs=1e-3)
    together = solve_program(merge(program, [[0, 1]]))
    assert together.bound.excess > 1.004 * found.excess


def frame_bound(labels: np.ndarray, batches: list[list[int]], tau: float) -> float:
    """Σ_B Σ_{c: n_Bc ≥ 2} n_Bc log(n_Bc − 1 + (n_B − n_Bc) e^{−1/τ}) over the number of anchors."""
    total, anchors = 0.0, 0
    for batch in batches:
        for n in np.unique(labels[batch], return_counts=True)[1]:
            if n >= 2:
                total, anchors = total + n * np.log(n - 1 + (len(batch) - n) * np.exp(-1 / tau)), anchors + n
    return total / anchors


@pytest.mark.parametrize("tau", [0.1, 0.5, 1.0])
def test_non_negative_features_attain_the_bound_of_orthogonal_frames(tau: float) -> None:
    labels = np.repeat([0, 1, 2], [8, 5, 3])
    rng = np.random.default_rng(5)
    batches = [rng.choice(16, 6, replace=False).tolist() for _ in range(8)]
    batches = [[*batch, *(i for i in (0, 1, 8, 9, 13, 14) if i not in batch)] for batch in batches]
    batches.append(list(range(16)))
    found = solve(problem_of(labels.tolist(), batches, temperature=tau, nonnegative=True))
    expected = frame_bound(labels, batches, tau)
    assert found.relative_gap() <= 1e-9
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.lower_bound() <= expected + 1e-12
    np.testing.assert_allclose(found.gram, labels[:, None] == labels, atol=1e-4)
    if tau > 0.1:
        assert solve(problem_of(labels.tolist(), batches, temperature=tau)).value < expected


def test_it_is_what_the_command_line_says(tmp_path: Path) -> None:
    text = "labels=0.0.1.1,batches=0.1.2/1.2.3"
    problem = Problem([2, 2], f"fixed-batches:{text}")
    assert problem.loss == FixedBatches((0, 0, 1, 1), ((0, 1, 2), (1, 2, 3)))
    assert losses.statement_of(problem.loss) == {
        "name": "fixed-batches",
        "labels": [0, 0, 1, 1],
        "batches": [[0, 1, 2], [1, 2, 3]],
    }
    assert Problem.from_statement(problem.statement()) == problem
    assert hash(Problem.from_statement(problem.statement())) == hash(problem)
    (tmp_path / "labels").write_text("0\n0\n1\n1\n")
    (tmp_path / "batches").write_text("0 1 2\n1 2 3\n")
    read = losses.parse(f"fixed-batches:labels=@{tmp_path}/labels,batches=@{tmp_path}/batches")
    assert read == problem.loss


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "needs labels and batches; write e.g."),
        ("labels=0.0.1.1,batches=0.1.2/2.3.4", "batch 1 holds sample 4; there are labels for 4"),
        ("labels=0.0.1.1,batches=0.1.1.2/2.3", "batch 0 holds a sample twice"),
        ("labels=0.0.1.1,batches=0.1.2", "sample 3 is in no batch"),
        ("labels=0.0.0.1,batches=0.1.2.3", "class counts 3,1, the problem has 2,2"),
        ("labels=0.0.1.1,batches=0.2/1.3", "no batch holds two samples of a class"),
        ("labels=0.0.1.1,batches=0.1/2.3", "nothing is pushed apart"),
        ("labels=0.0.1.x,batches=0.1/2.3", "must be whole numbers, written 0.0.1.1$"),
        ("labels=0.0.1.1,batches=@nowhere", "must be a text file that can be read"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Problem([2, 2], f"fixed-batches:{text}")


@pytest.mark.parametrize("batches", [0, [0, 1], [["0"]], [[True]]])
def test_a_statement_of_another_kind_is_refused(batches: object) -> None:
    said = {"name": "fixed-batches", "labels": [0, 0, 1, 1], "batches": batches}
    with pytest.raises(InputError, match="parameter batches of loss fixed-batches is not a list"):
        losses.from_statement(said)


def test_one_vector_a_class_is_refused() -> None:
    problem = problem_of([0, 0, 1, 1], [[0, 1, 2, 3]])
    with pytest.raises(InputError, match="reads single samples"):
        evaluate(problem.loss, Labelled.collapsed(np.array([2, 2])), lambda a: np.eye(2)[a], 1.0)
