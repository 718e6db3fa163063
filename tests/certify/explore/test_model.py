"""From the values of the controls to what is shown, without a page."""

from __future__ import annotations

import multiprocessing
import shlex
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from certify import Verdict
from certify.cli import main
from certify.explore import geometry, scales
from certify.explore.background import TOO_SLOW, Latest, Request
from certify.explore.model import SAMPLERS, Controls, certificate_file, given_up, later, look, suitable
from relax import Problem, losses, solve
from relax.geometry import simplex_etf_gram
from tests.certify.explore.waiting import wait


@pytest.mark.parametrize("loss", suitable())
def test_every_loss_of_the_list_is_solved_and_proven(loss: str) -> None:
    view = look(Controls(loss=loss, temperature=0.5))
    assert view.solution is not None and view.proof is not None
    assert view.proof.verdict is Verdict.CERTIFIED
    assert geometry.table(view.solution).cosine.shape == (4, 4)


def test_the_list_has_what_has_one_vector_a_class() -> None:
    assert {"supcon", "supcontrast", "negatives-only", "ntxent-labels", "kernel"} <= set(suitable())
    # no labels, a classifier beside the features, lists of batches, mere bounds
    assert not {"decoupled", "self-supervised", "cross-entropy", "fixed-batches", "hscl"} & set(suitable())
    assert set(suitable()) <= set(losses.names())


@pytest.mark.parametrize(
    ("controls", "said"),
    [
        (Controls(counts="20"), "one class only"),
        (Controls(counts=""), "counts is empty; give class sizes"),
        (Controls(counts="20,x"), "counts item 'x' is not a class size"),
        (Controls(counts="1,1"), "no class has two samples"),
        (Controls(counts=f"{2**53},{2**53}"), "beyond 2**53"),
        (Controls(sampler="shuffle", batch_size=4096), "above the 1100 samples"),
        (Controls(sampler="shuffle", positives_weight=0.5), "batch_size goes with positives_weight=1"),
    ],
)
def test_refusals_are_one_sentence(controls: Controls, said: str) -> None:
    view = look(controls)
    assert (view.solution, view.proof, view.working) == (None, None, "")
    assert said in view.refusal and "\n" not in view.refusal


@pytest.mark.parametrize(
    "controls",
    [
        Controls(),
        Controls(counts="20,7x2,3", temperature=0.1),
        Controls(loss="negatives-only"),
        Controls(positives_weight=0.5, ratio=3.0),
        Controls(sampler="class-balanced", batch_size=8),
    ],
)
def test_the_command_solves_the_same_problem(
    controls: Controls, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = look(controls)
    assert view.solution is not None
    monkeypatch.setattr(sys, "argv", [*shlex.split(controls.command()), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    assert f'"gram": {view.solution.gram.tolist()}' in capsys.readouterr().out


def test_slow_proofs_are_left_for_later() -> None:
    view = look(Controls(sampler="shuffle", batch_size=64))
    assert (view.working, view.proof) == ("proving", None) and view.solution is not None
    (done,) = later(view)
    assert done.proof is not None and done.proof.verdict is Verdict.CERTIFIED and done.working == ""
    stopped = given_up(view, TOO_SLOW)
    assert stopped.working == "" and stopped.solution is view.solution
    assert stopped.refusal.startswith("it took too long here while proving; what is shown are floats")
    assert "sampler=shuffle" in stopped.refusal


def test_many_sizes_in_batches_are_solved_later() -> None:
    view = look(Controls(counts="9,8,7,6,5", sampler="replacement", batch_size=4))
    assert (view.working, view.solution) == ("solving", None)
    solved, proven = later(view)
    assert solved.solution is not None and solved.working == "proving"
    assert proven.proof is not None and proven.working == ""


def test_what_has_no_certificate_is_drawn_and_not_proven() -> None:
    batches = {"sampler": "replacement", "batch_size": 1024}
    view = look(Controls(k_major=30, k_minor=30, n_minor=10, ratio=1000.0, **batches))
    assert view.solution is not None and view.proof is None and view.working == ""
    assert "no certificate file holds" in view.refusal
    assert geometry.table(view.solution).cosine.shape == (2, 2)


def test_the_certificate_is_that_of_the_view() -> None:
    view = look(Controls(ratio=2.0))
    assert view.proof is not None
    assert certificate_file(view.proof).decode() == view.proof.to_json() + "\n"


def test_positions_of_sliders() -> None:
    for steps in (scales.RATIOS, scales.TEMPERATURES, scales.SIZES, scales.BATCHES, scales.WEIGHTS):
        assert sorted(set(steps)) == steps
    usual = Controls()
    assert usual.ratio in scales.RATIOS and usual.temperature in scales.TEMPERATURES
    assert usual.n_minor in scales.SIZES and usual.batch_size in scales.BATCHES
    assert usual.sampler in SAMPLERS and len(SAMPLERS) == 4
    assert (scales.RATIOS[0], scales.RATIOS[-1]) == (1.0, 1e5)
    assert np.ptp(np.diff(np.log(scales.RATIOS))) < 0.02  # equal steps, to three digits


@pytest.mark.parametrize("counts", [[9, 9], [30, 9], [20, 7, 7, 3], [1, 5, 1, 5], [1000] * 2 + [3] * 2])
def test_vectors_of_few_classes_have_the_gram_matrix(counts: list[int]) -> None:
    solution = solve(Problem(counts, temperature=0.5))
    found = geometry.vectors(solution)
    assert found.points @ found.points.T == pytest.approx(solution.class_gram, abs=1e-6)
    assert found.kept == pytest.approx(1.0, abs=1e-6) and found.every_class
    assert found.sizes.tolist() == counts


def test_vectors_of_many_classes_are_the_nearest_in_three_dimensions() -> None:
    """No projection onto three dimensions keeps more: the sum of the three largest eigenvalues."""
    solution = solve(Problem([50] * 3 + [5] * 4, temperature=0.5))
    found = geometry.vectors(solution)
    largest = np.linalg.eigvalsh(solution.class_gram)[-3:].sum()
    assert (found.points**2).sum() == pytest.approx(largest, rel=1e-6)
    assert found.kept == pytest.approx(largest / 7, rel=1e-6)
    assert (np.linalg.norm(found.points, axis=1) < 1 + 1e-9).all()


def test_vectors_move_little_when_the_ratio_does() -> None:
    """Also from and to equal classes, where every basis is one of eigenvectors."""
    before = None
    for ratio in (1.0, 1.02, 1.06, 1.12, 1.2):
        points = geometry.vectors(solve(Problem.step(2, 2, round(50 * ratio), 50, temperature=0.5))).points
        if before is not None:
            assert np.abs(points - before).max() < 0.15
        before = points


def test_tables_of_many_sizes_are_means_over_pairs() -> None:
    counts = [100 - i for i in range(60)]
    solution = solve(Problem(counts, temperature=0.2))
    found = geometry.table(solution)
    assert found.cosine.shape == (40, 40) and not found.by_class
    gram, parts = solution.gram, np.array_split(np.arange(60), 40)
    for a in (0, 17, 39):
        for b in (0, 17, 39):
            pairs = [gram[i, j] for i in parts[a] for j in parts[b] if i != j]
            wanted = np.mean(pairs) if pairs else np.nan
            assert found.cosine[a, b] == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_rows_are_pairs_of_sizes_or_ranges_of_them() -> None:
    step = geometry.rows(solve(Problem([20, 20, 5, 5], temperature=0.5)), True)
    assert [row.name for row in step] == ["major – major", "major – minor", "minor – minor"]
    equal = geometry.rows(solve(Problem([5, 5, 5])), True)
    assert [row.name for row in equal] == ["all – all"]
    assert equal[0].mean == pytest.approx(simplex_etf_gram(3)[0, 1])
    many = geometry.rows(solve(Problem([9, 8, 7, 6, 5])), False)
    assert [row.name for row in many] == [f"{size} – any" for size in (9, 8, 7, 6, 5)]


def test_merged_classes_are_named() -> None:
    assert geometry.merged(solve(Problem([1000, 10, 10, 10, 10], temperature=1.0))) == [
        "4 classes of 10 samples"
    ]
    assert geometry.merged(solve(Problem([400, 10, 10, 10, 10], temperature=1.0))) == []


def test_only_the_last_request_counts() -> None:
    results: list[str] = []
    others = set(multiprocessing.active_children())  # of tests before
    latest = Latest(patience=10.0)
    latest.ask(Request(_slowly, ("first", 30.0), results.append, results.append))
    wait(lambda: results == ["first begins"])
    latest.ask(Request(_slowly, ("second", 0.2), results.append, results.append))
    wait(lambda: len(results) == 3)
    assert results == ["first begins", "second begins", "second ends"]
    wait(lambda: set(multiprocessing.active_children()) <= others)
    assert set(multiprocessing.active_children()) <= others  # that of the first request among them
    latest.stop()  # of what has ended by itself
    latest.stop()


def test_work_without_an_end_is_given_up() -> None:
    results: list[str] = []
    Latest(patience=0.5).ask(Request(_slowly, ("work", 30.0), results.append, results.append))
    wait(lambda: len(results) == 2)
    assert results == ["work begins", TOO_SLOW]


def test_a_request_that_is_followed_at_once_starts_no_process() -> None:
    results: list[str] = []
    latest = Latest(patience=10.0, linger=0.5)
    latest.ask(Request(_slowly, ("first", 0.0), results.append, results.append))
    latest.ask(Request(_slowly, ("second", 0.0), results.append, results.append))
    wait(lambda: len(results) == 2)
    time.sleep(0.6)
    assert results == ["second begins", "second ends"]


def test_work_that_fails_is_given_up_with_its_reason() -> None:
    results: list[str] = []
    Latest(patience=10.0).ask(Request(_failing, 0, results.append, results.append))
    wait(lambda: bool(results))
    assert results == ["it failed (integer division or modulo by zero)"]


def _failing(zero: int) -> Iterator[int]:
    yield 1 // zero


def _slowly(asked: tuple[str, float]) -> Iterator[str]:
    yield f"{asked[0]} begins"
    time.sleep(asked[1])
    yield f"{asked[0]} ends"
