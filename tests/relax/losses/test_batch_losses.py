"""`supcon` over random batches: the geometry that batches make, levels, spellings, and refusals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from certify import certify
from certify.verification import verify
from relax import Problem, losses, solve
from relax.errors import InputError
from relax.losses import SupCon

COUNTS = [500, 500, 5, 5]


# minority cosines that other code found: by enumeration with exact weights (8 and 32), to the digits it gave
@pytest.mark.parametrize(
    ("batch", "cosine", "digits"), [(8, 0.3068, 4), (32, 0.0823, 4), (256, -0.007, 3), (505, -0.0169, 4)]
)
def test_small_batches_draw_minorities_together(batch: int, cosine: float, digits: int) -> None:
    solution = solve(Problem(COUNTS, SupCon(batch_size=batch)))
    assert solution.relative_gap() <= 1e-9
    assert solution.gram[2, 3] == pytest.approx(cosine, abs=0.5 * 10**-digits)


def test_a_batch_of_everything_is_the_full_batch() -> None:
    counts = [7, 5, 3, 1]
    batch, full = (solve(Problem(counts, loss, 0.3)) for loss in (SupCon(batch_size=16), SupCon()))
    assert batch.value == pytest.approx(full.value, rel=1e-11)
    assert abs(batch.gram - full.gram).max() < 1e-4


def test_class_balanced_batches_restore_the_simplex() -> None:
    gram = solve(Problem(COUNTS, "supcon:batch_size=8,sampler=class-balanced")).gram
    assert abs(gram[~(gram > 0.9)] + 1 / 3).max() < 1e-6


def test_groups_and_classes_have_one_value() -> None:
    problem = Problem([6, 6, 2, 2], SupCon(batch_size=5), 0.5)
    groups, classes = solve(problem), solve(problem, level="classes")
    assert groups.value == pytest.approx(classes.value, rel=1e-11)
    with pytest.raises(InputError, match="no program by samples"):
        solve(problem, level="samples")


@pytest.mark.parametrize("sampler", ["shuffle", "replacement", "class-balanced"])
def test_a_certificate_names_the_batches(sampler: str) -> None:
    problem = Problem([40, 10, 5], f"supcon:batch_size=6,sampler={sampler}", 0.2)
    assert Problem.from_statement(problem.statement()) == problem
    proof = certify(solve(problem))
    assert proof.verdict.name == "CERTIFIED"
    assert proof.gram_radius is not None and 0 < Decimal(proof.gram_radius) < Decimal("1e-4")
    found = verify(proof.document)
    assert found.accepted and found.named, found.message
    assert (
        f"(batch_size = 6, class_weights = samples, positives_weight = 1, sampler = {sampler})"
        in found.statement
    )


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("supcon:batch_size=1", "batch size 1 leaves an anchor alone"),
        ("supcon:batch_size=2", "in a batch of two with one view"),
        ("supcon:batch_size=17", "above the 16 samples"),
        ("supcon:sampler=shuffle", "give batch_size too"),
        ("supcon:batch_size=8,sampler=random", "must be one of: shuffle, replacement, class-balanced"),
        ("supcon:batch_size=8,positives_weight=0.5", "positives_weight=1"),
        ("supcon:batch_size=8,class_weights=classes", "class_weights=samples"),
        ("supcon:batch_size=8.5", "batch_size = '8.5' of loss supcon must be a whole number"),
    ],
)
def test_odd_batches_are_refused_in_one_sentence(loss: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        Problem([7, 5, 3, 1], loss)
    assert "\n" not in str(caught.value)


def test_the_full_batch_says_nothing_of_batches() -> None:
    assert losses.statement_of(SupCon()) == {
        "name": "supcon",
        "positives_weight": "1",
        "class_weights": "samples",
    }
