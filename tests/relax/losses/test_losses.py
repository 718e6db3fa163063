"""Every loss against its formula: definition, programs, bounds, closed forms and refusals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize

from certify.features import loss_of_features
from relax import losses
from relax.errors import InputError
from relax.losses.definition import Labelled
from relax.losses.evaluate import evaluate
from relax.orbits import OrbitMatrix
from relax.problem import Ball, MeanSquare, Norm, Problem, Ridge, Sphere
from relax.solvers import solve
from tests.relax.losses.formulas import BASES, CASES, Formula

TAU = 0.6
COUNTS = [3, 1, 2, 3]  # not largest first, and a class of one sample
IDS = [f"{name}, {views} views" for name, _, views in CASES]
UNLABELLED = {"decoupled", "self-supervised", "lightly-ntxent", "luthra-ntxent"}
NO_FLOOR = {"supcon:positives_weight=0", "negatives-only", "decoupled"}
BOUNDED = {"supcon-in", "google-supcon-in"}  # their minorant has R² on the diagonal
ON_THE_SPHERE = {"pml-supcon", "pml-ntxent", "solo-supcon", "lightly-ntxent", "luthra-ntxent", "luthra-weak"}


def _problem(name: str, views: int, counts: list[int] = COUNTS, norm: Norm | None = None) -> Problem:
    return Problem(counts, name, TAU, norm, views=views)


def _labels(problem: Problem) -> tuple[list[int], list[int]]:
    """Return class and sample of every feature."""
    sizes = np.array(problem.counts.sizes)[problem.counts.group_of_class()]
    classes = np.repeat(np.arange(len(sizes)), sizes)
    samples = np.arange(len(classes))
    return np.repeat(classes, problem.views).tolist(), np.repeat(samples, problem.views).tolist()


def _features(problem: Problem, rng: np.random.Generator, dim: int = 4, shrink: bool = False) -> np.ndarray:
    classes, _ = _labels(problem)
    spread = rng.uniform(0.01, 2.0)  # from nearly collapsed to no trace of classes
    features = rng.normal(size=(max(classes) + 1, dim))[classes] + spread * rng.normal(
        size=(len(classes), dim)
    )
    features /= np.linalg.norm(features, axis=1)[:, None]
    return features * rng.uniform(0.2, 1.0, size=(len(classes), 1)) if shrink else features


def _by_formula(formula: Formula, problem: Problem, features: np.ndarray) -> float:
    tau = problem.temperature
    return formula(features @ features.T / tau, *_labels(problem), tau)


def _evaluated(problem: Problem, features: np.ndarray) -> float:
    classes, _ = _labels(problem)
    share = evaluate(
        problem.loss,
        Labelled.features(np.array(classes), problem.views),
        lambda anchors: features[anchors] @ features.T / problem.temperature,
        float(problem.program().normaliser),
        block=4,
    )
    return float(share.floor + share.excess)


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_the_definition_is_the_formula(name: str, formula: Formula, views: int) -> None:
    problem, rng = _problem(name, views), np.random.default_rng(0)
    for _ in range(4):
        features = _features(problem, rng)
        known = _by_formula(formula, problem, features)
        assert _evaluated(problem, features) == pytest.approx(known, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_balls_contain_the_formula(name: str, formula: Formula, views: int) -> None:
    problem, rng = _problem(name, views), np.random.default_rng(1)
    features = _features(problem, rng)
    ball = loss_of_features(features, problem)
    assert float(ball.rad()) < 1e-25
    assert float(ball.mid()) == pytest.approx(_by_formula(formula, problem, features), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_the_program_is_the_loss_at_collapse(name: str, formula: Formula, views: int) -> None:
    """Class by class at random class vectors; without labels at random equiangular samples."""
    problem, rng = _problem(name, views), np.random.default_rng(2)
    classes, samples = (np.array(ids) for ids in _labels(problem))
    for level in ("classes", "groups"):
        program, nodes = problem.program(level), problem.reduction(level).nodes
        length = nodes.length
        if name in UNLABELLED or level == "groups":  # equal classes are one group: equiangular points
            number = max(samples if name in UNLABELLED else classes) + 1
            cosine = rng.uniform(-1.0 / (number - 1), 0.9)
            gram = np.full((number, number), cosine) + (1.0 - cosine) * np.eye(number)
            peer = np.full((len(length), len(length)), cosine)
        else:
            vectors = rng.normal(size=(len(COUNTS), 3))
            vectors /= np.linalg.norm(vectors, axis=1)[:, None]
            gram = peer = vectors @ vectors.T
        seen = gram[np.ix_(*[samples if name in UNLABELLED else classes] * 2)] / TAU
        own = np.ones((len(length), 1, 1)) * length[:, None, None] ** 2
        point = OrbitMatrix(program.multiplicity, own, peer * np.outer(length, length))
        known = formula(seen, classes.tolist(), samples.tolist(), TAU)
        assert program.value(point) == pytest.approx(known, rel=1e-11, abs=1e-12)


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_the_lift_is_the_loss_of_any_features(name: str, formula: Formula, views: int) -> None:
    problem, rng = _problem(name, views), np.random.default_rng(3)
    lifted = problem.loss.lift(problem.counts, views)
    if lifted is None:
        assert name.startswith("google") and views == 1
        return
    program, length = problem.program("samples"), lifted.nodes.length
    for _ in range(3):
        features = _features(problem, rng)
        gram = np.outer(length, length) * (features @ features.T)
        point = OrbitMatrix(program.multiplicity, np.diag(gram)[:, None, None].copy(), gram)
        known = _by_formula(formula, problem, features)
        if lifted.attained:
            assert program.value(point) == pytest.approx(known, rel=1e-11, abs=1e-12)
        else:
            assert program.value(point) < known


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_the_program_is_below_the_loss_of_any_features(name: str, formula: Formula, views: int) -> None:
    """At the matrix that is promised: inner products of means, mean squared norms on the diagonal."""
    rng = np.random.default_rng(4)
    for norm in [Sphere()] + ([] if name in ON_THE_SPHERE else [Ball()]):
        problem = _problem(name, views, norm=norm)
        reduction, program = problem.reduction("classes"), problem.program("classes")
        assert reduction.below
        classes, samples = (np.array(ids) for ids in _labels(problem))
        node, length = (samples if name in UNLABELLED else classes), reduction.nodes.length
        for _ in range(20):
            features = _features(problem, rng, shrink=norm == Ball())
            means = np.array([features[node == a].mean(axis=0) for a in range(max(node) + 1)])
            squares = np.array([(features[node == a] ** 2).sum(axis=1).mean() for a in range(max(node) + 1)])
            if name in BOUNDED:
                squares = np.ones(len(squares))
            gram = means @ means.T
            if name in UNLABELLED:  # one group: averaged over its permutations, which convexity makes free
                gram = np.full((1, 1), gram[~np.eye(len(gram), dtype=bool)].mean())
                squares = squares.mean(keepdims=True)
            own = (squares * length**2)[:, None, None]
            point = OrbitMatrix(program.multiplicity, own, gram * np.outer(length, length))
            assert program.value(point) <= _by_formula(formula, problem, features) + 1e-12


@pytest.mark.parametrize(("name", "formula", "views"), CASES, ids=IDS)
def test_all_levels_and_two_solvers_have_one_optimum(name: str, formula: Formula, views: int) -> None:
    problem = _problem(name, views)
    best = solve(problem)
    scale = 1e-9 * max(1.0, abs(best.value))
    assert best.gap() <= scale
    others = [solve(problem, level="classes"), solve(problem, solver="barrier")]
    if problem.loss.lift(problem.counts, views) is not None:
        others.append(solve(problem, level="samples"))
    for other in others:
        assert other.gap() <= 30 * scale
        assert other.value == pytest.approx(best.value, abs=31 * scale)
        assert other.lower_bound() <= best.value + 1e-12


@pytest.mark.parametrize("name", BASES)
def test_no_features_are_better_and_some_attain_it(name: str) -> None:
    """Features at the optimum have its loss by the formula; descents of the formula end no lower."""
    formula, views = BASES[name]
    problem = _problem(name, views, [2, 2, 1])
    found = solve(problem)
    vectors = found.embedding(len(found.gram))
    classes, samples = (np.array(ids) for ids in _labels(problem))
    features = vectors[samples if found.nodes.unit == "sample" else classes]
    assert _by_formula(formula, problem, features) == pytest.approx(found.value, abs=1e-8)
    assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(len(features)))
    rng = np.random.default_rng(5)

    def loss(x: np.ndarray) -> float:
        free = x.reshape(len(classes), -1)
        return _by_formula(formula, problem, free / np.linalg.norm(free, axis=1)[:, None])

    for _ in range(2):
        end = minimize(loss, rng.normal(size=len(classes) * 4), options={"maxiter": 15})
        assert end.fun >= found.lower_bound() - 1e-12


@pytest.mark.parametrize(
    ("name", "norm"),
    [
        *((name, MeanSquare(0.8)) for name in BASES if name != "supcon-in"),
        *((name, Ridge(0.01)) for name in BASES if name not in {"supcon-in", *NO_FLOOR}),
    ],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
def test_free_norms_have_one_optimum_at_all_levels(name: str, norm: Norm) -> None:
    views = BASES[name][1]
    counts = [2, 2] if name in UNLABELLED else [3, 2, 2]
    problem = _problem(name, views, counts, norm)
    values = [solve(problem, level=level).value for level in ("groups", "classes", "samples")]
    assert values[1:] == pytest.approx([values[0]] * 2, abs=3e-8)


@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_balanced_optima_are_simplices_of_known_value(tau: float) -> None:
    """C classes of n samples, K views: x = −C/(C−1)/τ between classes, and so for the N samples."""
    C, n, K = 4, 3, 2
    N, m = C * n, n * K
    x, z = -C / (C - 1) / tau, -N / (N - 1) / tau
    rest = (C - 1) * m * np.exp(x)
    known = {
        "supcon": np.log(m - 1 + rest),
        "supcon:positives_weight=0": x + np.log((C - 1) * m),
        "supcon:positives_weight=5": np.log(5 * (m - 1) + rest),
        "supcon:class_weights=classes": np.log(m - 1 + rest),
        "supcon-in": np.log(m - 1 + rest),
        "supcon-temperatures": np.log(m - 1 + rest),
        "ntxent-labels": np.log1p(rest),
        "negatives-only": x + np.log(K * n * (C - 1)),
        "luthra-weak": np.log(K - 1 + rest),
        "decoupled": z + np.log(K * (N - 1)),
        "self-supervised": np.log(K - 1 + K * (N - 1) * np.exp(z)),
        "solo-supcon": np.log1p(rest / (m - 1)),
        "supcontrast": tau / 0.07 * np.log(m - 1 + rest),
        "google-supcon-out": tau * np.log(m - 1 + rest),
    }
    for name, value in known.items():
        found = solve(Problem([n] * C, name, tau, views=K))
        assert found.value == pytest.approx(value, rel=1e-9, abs=1e-9), name
        off = found.gram[~np.eye(len(found.gram), dtype=bool)]
        count = N if found.nodes.unit == "sample" else C
        assert off == pytest.approx(np.full(count * (count - 1), -1 / (count - 1)), abs=1e-4), name


@pytest.mark.parametrize(
    "name",
    [
        "supcon",
        "supcon:positives_weight=0.3",
        "supcon:class_weights=classes",
        "supcon-in",
        "ntxent-labels",
        "solo-supcon",
        "luthra-weak",
        "google-supcon-in",
        "supcontrast",
    ],
)
def test_an_excess_keeps_its_digits_at_low_temperature(name: str) -> None:
    """e^{−C/(C−1)/τ} is 1e-29 here, and the definition and the program both have all digits of it."""
    counts, tau = [6, 4, 2], 0.02
    problem = Problem(counts, name, tau, views=2)
    program = problem.program("classes")
    gram = 1.5 * np.eye(3) - 0.5
    share = evaluate(
        problem.loss,
        Labelled.collapsed(np.array(counts), problem.views),
        lambda anchors: gram[anchors] / tau,
        float(program.normaliser),
    )
    known = program.excess(OrbitMatrix(np.ones(3), np.ones((3, 1, 1)), gram))
    assert 0 < known < 1e-25
    assert share.excess == pytest.approx(known, rel=1e-11)
    assert share.floor == pytest.approx(program.floor, rel=1e-12, abs=1e-15)


def test_collapse_by_classes_is_worse_than_the_simplex_of_samples() -> None:
    """What a user sees of a loss without labels: units are samples, and no two of them coincide."""
    found = solve(Problem([3, 3], "decoupled", 1.0, views=2))
    assert found.nodes.unit == "sample" and len(found.gram) == 6
    by_class = np.log(2 * (2 * np.exp(1.0) + 3 * np.exp(-1.0))) - 1.0
    assert found.value < by_class - 0.01
    assert "not of classes" in losses.kind("decoupled").formula


def test_large_weights_of_positives_leave_classes_collapsed() -> None:
    """Every positive has the same weight, so that pushing one away pulls another."""
    formula, rng = BASES["supcon:positives_weight=7"][0], np.random.default_rng(6)
    problem = _problem("supcon:positives_weight=7", 1, [4, 4])
    found = solve(problem)
    values = [_by_formula(formula, problem, _features(problem, rng, dim=8)) for _ in range(1000)]
    assert min(values) >= found.lower_bound() - 1e-12


def test_temperatures_of_classes_are_decimals_of_twelve_digits() -> None:
    ratios = losses.SupConTemperatures(0.25).ratios([16, 3, 1])
    assert ratios[16] == 1 and ratios[1] == Fraction(1, 2)
    assert (
        float(ratios[3]) == pytest.approx((3 / 16) ** 0.25, abs=1e-12) and 10**12 % ratios[3].denominator == 0
    )
    assert max(losses.SupConTemperatures(-0.3).ratios([16, 3, 1]).values()) == 1
    same = Problem([4, 2, 2], "supcon-temperatures:exponent=0")
    assert solve(same).value == pytest.approx(solve(Problem([4, 2, 2])).value, rel=1e-12)
    # the vectors of the program are longer, those of the user are not
    assert np.diag(solve(Problem([16, 2, 2], "supcon-temperatures")).gram) == pytest.approx(np.ones(3))


def test_a_scale_by_temperature_is_exact() -> None:
    plain, scaled = (Problem([4, 2], name, 0.35) for name in ("graf-supcon", "supcontrast"))
    assert plain.program().normaliser == 5 * scaled.program().normaliser == 6


@pytest.mark.parametrize("name", [*BASES, "solo-supcon", "supcontrast", "luthra-weak"])
def test_statements_come_back(name: str) -> None:
    problem = _problem(name, 2)
    again = Problem.from_statement(problem.statement())
    assert again == problem and again.loss == losses.parse(name)


@pytest.mark.parametrize(
    ("name", "counts", "options", "words"),
    [
        ("supcon", [5], {}, "at least two classes"),
        ("supcon:positives_weight=0", [1, 1], {}, "no class has two samples"),
        ("supcon:positives_weight=-1", [5, 5], {}, "positives_weight -1.0 must be a finite number"),
        ("supcon:positives_weight=half", [5, 5], {}, "positives_weight = 'half'"),
        ("supcon:class_weights=pairs", [5, 5], {}, "one of: samples, classes"),
        ("supcon-in", [5, 5], {"norm": Ridge(0.1)}, "not convex, .* give norm sphere or ball"),
        ("supcon-in", [5, 5], {"norm": MeanSquare(1)}, "mean-square does not give"),
        ("ntxent-labels", [5], {}, "no negatives"),
        ("ntxent-labels", [1, 1], {}, "no class has two samples"),
        ("negatives-only", [5, 5], {}, "give views=2"),
        ("negatives-only", [5], {"views": 2}, "no negatives"),
        ("decoupled", [5, 5], {}, "give views=2"),
        ("decoupled", [1], {"views": 2}, "one sample only"),
        ("decoupled", [5, 5], {"views": 2, "norm": Ridge(0.01)}, "unbounded below"),
        ("negatives-only", [5, 5], {"views": 2, "norm": Ridge(0.01)}, "unbounded below"),
        ("supcon:positives_weight=0", [5, 5], {"norm": Ridge(0.01)}, "unbounded below"),
        ("self-supervised", [5, 4], {"views": 2, "norm": MeanSquare(1)}, "sees no labels"),
        ("supcon-temperatures:exponent=5", [5, 5], {}, "between −4 and 4"),
        ("supcon-temperatures", [5], {}, "at least two classes"),
        ("pml-supcon", [5, 5], {"norm": Ball()}, "give norm sphere"),
        ("lightly-ntxent", [5, 5], {"views": 3}, "give views=2"),
        ("solo-supcon", [5, 1], {}, "infinite where a class has one sample"),
        ("supcontrast", [1, 1], {}, "no class has two samples"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    name: str, counts: list[int], options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        Problem(counts, name, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [True, float("nan"), float("inf")])
def test_weights_are_finite_numbers(weight: object) -> None:
    with pytest.raises(InputError, match="positives_weight"):
        losses.SupCon(positives_weight=weight)  # type: ignore[arg-type]


def test_the_lift_of_too_many_pairs_is_refused() -> None:
    with pytest.raises(InputError, match="no program by samples"):
        Problem([300, 300], "ntxent-labels").program("samples")


def test_a_wrong_lift_would_be_seen() -> None:
    """The comparison at random features can fail."""
    problem = _problem("supcon", 1)
    features = _features(problem, np.random.default_rng(7))
    lifted = problem.reduction("samples")
    (rows,) = lifted.rows
    wrong = replace(lifted, rows=(replace(rows, weight=2 * rows.weight),))  # type: ignore[type-var]
    program = problem.assembled(wrong)
    gram = features @ features.T
    point = OrbitMatrix(program.multiplicity, np.diag(gram)[:, None, None].copy(), gram)
    assert program.value(point) != pytest.approx(_by_formula(BASES["supcon"][0], problem, features), rel=1e-3)
