"""Anything given to the public functions: what they promise, or one sentence that says how to mend it."""

# Wrong types are what this file is about.
# pyright: reportArgumentType=false
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from certify import Certificate, assert_matches_geometry, certify, check, ground_truth
from certify.enclosure import enclose
from certify.features import certify_point, loss_of_features
from certify.ground_truth.comparison import compare
from certify.verification import verify
from relax import (
    Ball,
    ClassCounts,
    MeanSquare,
    Problem,
    Ridge,
    Solution,
    Sphere,
    datasets,
    losses,
    solve,
    solve_program,
)
from relax.answer import Answer, Status
from relax.arrangement import geometry
from relax.descent import approach, certified, descend, match
from relax.errors import InputError, SolverError
from relax.files import check_writable, write_atomically
from relax.geometry import align, class_means, embed, orthogonal_frame_gram, simplex_etf_gram
from relax.losses import SupCon
from relax.plots import geometry_figure, plot_geometry
from relax.sensitivity import sensitivity

pytestmark = pytest.mark.usefixtures("unchecked")

PROBLEM = Problem([12, 6, 3], temperature=0.5)
SOLUTION = solve(PROBLEM)
PROOF = certify(SOLUTION)
DESCENT = descend(PROBLEM, dim=2, starts=1, max_iterations=3, trajectory=True)
FEATURES = np.random.default_rng(0).normal(size=(21, 3))


class OtherError(Exception):
    """Something else."""


JUNK: dict[str, Any] = {
    "None": None,
    "True": True,
    "0": 0,
    "3": 3,
    "-1": -1,
    "2.5": 2.5,
    "3.0": 3.0,
    "1e-9": 1e-9,
    "nan": float("nan"),
    "inf": float("inf"),
    "huge": 10**5000,
    "third": Fraction(1, 3),
    "decimal": Decimal("0.1"),
    "float32": np.float32(0.5),
    "int64": np.int64(3),
    "complex": 1 + 2j,
    "empty text": "",
    "text": "no such thing",
    "lines": "a\nb\tc\x00",
    "long text": "x" * 100_000,
    "bytes": b"x",
    "list": [12, 6, 3],
    "nested": [[1, 2], [3]],
    "empty": [],
    "tuple": (1.5, "x"),
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "class": Problem,
    "loss class": SupCon,
    "function": len,
    "scalar array": np.array(3.0),
    "matrix": np.zeros((2, 2)),
    "nan matrix": np.full((3, 3), np.nan),
    "text array": np.array(["a", "b"]),
    "object array": np.array([None, {}], dtype=object),
    "tensor": torch.ones(2),
    "slice": slice(3),
    "exception": OtherError("x\ny"),
}


class Target(NamedTuple):
    """A call with one argument to be filled in, and the junk that it has a proper answer for."""

    call: Callable[[Any], Any]
    good: str = ""


SMALL = replace(SOLUTION.answer, iterations=1)
TARGETS: dict[str, Target] = {
    "Problem": Target(Problem, "list,"),
    "Problem loss": Target(lambda x: Problem([5, 3], x), "None"),
    "Problem temperature": Target(
        lambda x: Problem([5, 3], temperature=x), "None,3,2.5,3.0,1e-9,decimal,float32,int64"
    ),
    "Problem norm": Target(lambda x: Problem([5, 3], norm=x), "None"),
    "Problem nonnegative": Target(lambda x: Problem([5, 3], nonnegative=x), "True"),
    "Problem views": Target(lambda x: Problem([5, 3], views=x), "3,3.0,int64"),
    "Problem.from_labels": Target(Problem.from_labels),
    "Problem.step": Target(lambda x: Problem.step(2, x, 10, 5), "3,3.0,int64"),
    "Problem.long_tailed": Target(lambda x: Problem.long_tailed(x, 100, 10), "3,int64"),
    "Problem.long_tailed ratio": Target(
        lambda x: Problem.long_tailed(5, 100, x), "3,2.5,3.0,int64,scalar array"
    ),
    "Problem.from_dataset": Target(Problem.from_dataset),
    "Problem.from_statement": Target(Problem.from_statement),
    "Problem.program": Target(PROBLEM.program),
    "ClassCounts.of": Target(ClassCounts.of, "list,tensor"),
    "SupCon positives_weight": Target(
        lambda x: Problem([5, 3], SupCon(positives_weight=x)), "0,3,2.5,3.0,1e-9"
    ),
    "SupCon class_weights": Target(lambda x: Problem([5, 3], SupCon(class_weights=x))),
    "SupCon batch_size": Target(lambda x: Problem([5, 3], SupCon(batch_size=x)), "None,3"),
    "Sphere": Target(Sphere, "3,2.5,3.0,1e-9,decimal,float32,int64"),
    "Ball": Target(Ball, "3,2.5,3.0,1e-9,decimal,float32,int64"),
    "Ridge": Target(Ridge, "3,2.5,3.0,1e-9,decimal,float32,int64"),
    "MeanSquare": Target(MeanSquare, "3,2.5,3.0,1e-9,decimal,float32,int64"),
    "losses.parse": Target(losses.parse),
    "losses.get": Target(losses.get),
    "losses.from_statement": Target(losses.from_statement),
    "datasets.counts": Target(datasets.counts),
    "solve": Target(solve),
    "solve solver": Target(lambda x: solve(PROBLEM, solver=x)),
    "solve level": Target(lambda x: solve(PROBLEM, level=x)),
    "solve tolerance": Target(lambda x: solve(PROBLEM, tolerance=x), "1e-9,third,decimal,float32"),
    "solve time_limit": Target(
        lambda x: solve(PROBLEM, time_limit=x), "None,3,2.5,3.0,1e-9,third,decimal,float32,int64"
    ),
    "solve_program": Target(solve_program),
    "Answer program": Target(lambda x: replace(SMALL, program=x)),
    "Answer point": Target(lambda x: replace(SMALL, point=x)),
    "Answer witness": Target(lambda x: Answer(SMALL.program, SMALL.point, x, Status.CONVERGED, 0)),
    "Answer status": Target(lambda x: replace(SMALL, status=x)),
    "certify": Target(certify),
    "certify tolerance": Target(lambda x: certify(SOLUTION, tolerance=x), "1e-9,third,decimal,float32"),
    "check": Target(check),
    "verify": Target(verify, "dict"),
    "Certificate.load": Target(Certificate.load),
    "Certificate.from_document": Target(Certificate.from_document),
    "Certificate.save": Target(PROOF.save, "text"),
    "Solution.load": Target(Solution.load),
    "Solution.save": Target(SOLUTION.save, "text"),
    "block": Target(lambda x: SOLUTION.block(x, "feature")),
    "embedding": Target(SOLUTION.embedding, "None,3,int64"),
    "enclose": Target(enclose),
    "enclose digits": Target(lambda x: enclose(SOLUTION, x), "3,int64"),
    "certify_point": Target(lambda x: certify_point(x, PROBLEM)),
    "certify_point problem": Target(lambda x: certify_point(FEATURES, x)),
    "certify_point labels": Target(lambda x: certify_point(FEATURES, PROBLEM, x), "None"),
    "loss_of_features precision": Target(lambda x: loss_of_features(FEATURES, PROBLEM, precision=x)),
    "sensitivity": Target(sensitivity),
    "geometry": Target(geometry),
    "geometry_figure": Target(geometry_figure),
    "plot_geometry": Target(lambda x: plot_geometry(x, "never.png")),
    "plot_geometry path": Target(lambda x: plot_geometry(SOLUTION, x)),
    "ground_truth": Target(ground_truth),
    "ground_truth atol": Target(
        lambda x: ground_truth(PROBLEM, x, CACHE), "3,2.5,3.0,1e-9,third,decimal,float32,int64"
    ),
    "compare": Target(lambda x: compare(x, [0] * 2, np.eye(1)), "matrix"),
    "compare labels": Target(lambda x: compare(FEATURES, x, np.eye(3))),
    "compare truth": Target(lambda x: compare(FEATURES, [0, 1, 2] * 7, x)),
    "assert_matches atol": Target(
        lambda x: assert_matches_geometry(np.eye(2), [0, 1], np.eye(2), x),
        "0,3,2.5,3.0,1e-9,third,float32,int64",
    ),
    "descend": Target(lambda x: descend(x, dim=2)),
    "descend dim": Target(lambda x: descend(PROBLEM, x, starts=1, max_iterations=2), "3,int64"),
    "descend starts": Target(lambda x: descend(PROBLEM, 2, x, max_iterations=2), "3,int64"),
    "descend seed": Target(lambda x: descend(PROBLEM, 2, 1, x, max_iterations=2), "0,3,int64"),
    "descend level": Target(lambda x: descend(PROBLEM, 2, 1, level=x, max_iterations=2)),
    "descend device": Target(lambda x: descend(PROBLEM, 2, 1, device=x, max_iterations=2)),
    "match": Target(lambda x: match(x, SOLUTION.gram, SOLUTION.value)),
    "match gram": Target(lambda x: match(DESCENT, x, SOLUTION.value)),
    "match value": Target(
        lambda x: match(DESCENT, SOLUTION.gram, x), "0,3,-1,2.5,3.0,1e-9,third,float32,int64"
    ),
    "approach": Target(lambda x: approach(x, SOLUTION.gram, SOLUTION.value)),
    "certified": Target(certified),
    "embed": Target(embed, "matrix"),
    "align": Target(lambda x: align(x, np.eye(2)), "matrix"),
    "class_means": Target(lambda x: class_means(np.eye(2), x), "text array"),
    "simplex_etf_gram": Target(simplex_etf_gram, "3,int64"),
    "orthogonal_frame_gram": Target(orthogonal_frame_gram, "3,int64"),
    "check_writable": Target(check_writable, "text"),
}
CACHE: Any = None  # a temporary folder, while a test runs


def is_one_sentence(said: str) -> bool:
    """Whether it is for people: one line, no address, no name of a Python exception, more than one word."""
    names = r"\b(Key|Type|Value|Attribute|Index|Overflow|Runtime|Assertion)Error\b|object at 0x|Traceback"
    return len(said) < 400 and "\n" not in said and not re.search(names, said) and said.count(" ") > 2


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that a fuzzed name may make are made there; so is the cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(globals(), "CACHE", tmp_path)
    monkeypatch.setenv("GRAMCERT_CACHE", str(tmp_path))


def outcome(call: Callable[[Any], Any], value: Any) -> str:
    """Return "answered", "refused" in one sentence, or what went wrong."""
    try:
        call(value)
    except (InputError, SolverError) as error:
        said = str(error)
        return "refused" if is_one_sentence(said) else f"badly said: {said}"
    except Exception as error:
        return f"crash: {error!r}"
    return "answered"


@pytest.mark.parametrize("name", TARGETS)
def test_junk_in_every_argument(name: str) -> None:
    target = TARGETS[name]
    found = {junk: outcome(target.call, value) for junk, value in JUNK.items()}
    assert found == {junk: "answered" if junk in target.good.split(",") else "refused" for junk in JUNK}


def test_there_are_more_than_three_hundred_inputs() -> None:
    assert len(TARGETS) * len(JUNK) > 300


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "solve a list": (lambda: solve([12, 6, 3]), r"give a Problem: solve\(Problem\(\[12, 6, 3\]\)\)"),
    "certify a problem": (lambda: certify(PROBLEM), r"found is a Problem; .*certify\(solve\(problem\)\)"),
    "certify a certificate": (lambda: certify(PROOF), "found is a Certificate"),
    "check a certificate": (lambda: check(PROOF), r"path is a Certificate; .*verify\(certificate.document\)"),
    "verify a path": (lambda: verify("x.json"), r"document is 'x.json'; .*check\(path\)"),
    "solve_program a problem": (lambda: solve_program(PROBLEM), r"program is a Problem; .*solve\(problem\)"),
    "solve a program": (lambda: solve(PROBLEM.program()), "problem is a GramProgram"),
    "a solver that is a number": (lambda: solve(PROBLEM, solver=3), "solver is 3; give one of: auto"),
    "counts as a text": (lambda: Problem("12,6,3"), "counts '12,6,3' must be a sequence"),
    "counts with a half": (lambda: Problem([12, 6.5]), "class size 6.5 is not an integer"),
    "counts with a bool": (lambda: Problem([True, 3]), "class size True is not an integer"),
    "counts as a set": (lambda: Problem({12, 6, 3}), "counts a set must be a sequence"),
    "the class of a loss": (lambda: Problem([5, 3], SupCon), "loss the class SupCon is not a loss"),
    "the class of a norm": (lambda: Problem([5, 3], norm=Sphere), "norm the class Sphere is not one of"),
    "a norm as a text": (lambda: Problem([5, 3], norm="sphere"), "norm 'sphere' is not one of Sphere"),
    "a norm as a number": (lambda: Problem([5, 3], norm=1.0), "norm 1.0 is not one of"),
    "views that are 2.5": (lambda: Problem([5, 3], views=2.5), "number of views 2.5 is not an integer"),
    "a third as temperature": (lambda: Problem([5, 3], temperature=Fraction(1, 3)), "no decimal"),
    "nonnegative as text": (lambda: Problem([5, 3], nonnegative="no"), "nonnegative is 'no'; give True or"),
    "dhel of other negatives": (lambda: Problem([5, 3], losses.Dhel(negatives="x"), views=2), "negatives of"),
    "a number as classifier": (lambda: Problem([5, 3], losses.CrossEntropy(classifier=3)), "classifier of"),
    "batches of text": (lambda: Problem([2, 1], losses.FixedBatches((0, 0, 1), ("x",))), "of whole numbers"),
    "load a descriptor": (lambda: Certificate.load(3), "path is 3; give the name"),
    "load a solution's descriptor": (lambda: Solution.load(0), "path is 0; give the name"),
    "load a folder": (lambda: Solution.load("."), "is not a solution file"),
    "sensitivity of a problem": (lambda: sensitivity(PROBLEM), "solution is a Problem"),
    "negative dimension": (lambda: SOLUTION.embedding(dim=-1), "dim = -1 is too small"),
    "half a dimension": (lambda: SOLUTION.embedding(dim=2.5), "dim is 2.5; give a whole number"),
    "a picture of a certificate": (lambda: plot_geometry(PROOF, "x.png"), "solution is a Certificate"),
    "a picture nowhere": (lambda: plot_geometry(SOLUTION, 3), "path is 3"),
    "truth of counts": (lambda: ground_truth([12, 6, 3]), "problem is .*ground_truth"),
    "descent of counts": (lambda: descend([12, 6, 3], 2), r"problem is \[12, 6, 3\]"),
    "huge dimension": (lambda: descend(PROBLEM, 10**12), "too much"),
    "enclose a certificate": (lambda: enclose(PROOF), "solution is a Certificate"),
    "an empty program": (lambda: replace(PROBLEM.program(), rows=()), "rows are empty"),
    "a program without rules": (lambda: replace(PROBLEM.program(), rules=()), "exactly one diagonal rule"),
    "write nothing": (lambda: write_atomically(None, "x"), "path is None"),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_people_try_first_gets_a_sentence_that_mends_it(name: str) -> None:
    call, words = CALLS[name]
    with pytest.raises(InputError, match=words) as error:
        call()
    assert is_one_sentence(str(error.value)), error.value


def test_float32_stands_for_the_decimal_that_it_prints() -> None:
    assert Problem([5, 3], temperature=np.float32(0.1)) == Problem([5, 3], temperature=0.1)
    assert Problem([5, 3], temperature=Decimal("0.1")) == Problem([5, 3], temperature=Fraction(1, 10))
    assert Sphere(np.float32(0.1)) == Sphere(0.1) and type(Sphere(2).radius) is float


values = st.deferred(
    lambda: st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=5),
        st.fractions(),
        st.decimals(),
        st.complex_numbers(),
        st.lists(values, max_size=4),
        st.dictionaries(st.text(max_size=3), values, max_size=3),
        st.tuples(values, values),
        st.sampled_from(list(JUNK.values())),
    )
)
counts = st.one_of(
    st.lists(st.integers(-1, 40), max_size=5),
    st.dictionaries(st.integers(0, 40), st.integers(0, 5), max_size=3),
    values,
)
SLOW_TARGETS = {"ground_truth atol", "solve time_limit", "descend dim", "descend starts", "Problem.step"}


def crashes(call: Callable[[], Any]) -> str:
    """Return what went wrong, nothing where a call answers or refuses in one sentence."""
    found = outcome(lambda _: call(), None)
    return "" if found in ("answered", "refused") else found


FAST = settings(max_examples=40, deadline=None)
LONG = settings(max_examples=3000, deadline=None)


def any_value(name: str, value: Any) -> None:
    target = TARGETS[name]
    if name == "plot_geometry path" or name.endswith("save") or name == "check_writable":
        value = value if isinstance(value, (int, float, list)) else None  # no files of any name
    if name in SLOW_TARGETS and isinstance(value, (int, float)) and value > 10:
        value = -1
    assert not crashes(lambda: target.call(value))


def any_problem(given: Any, loss: str, tau: Any, views: Any, level: Any) -> None:
    def call() -> None:
        problem = Problem(given, loss, temperature=tau, views=views)
        if problem.counts.samples < 200 and problem.effective_counts.samples < 200:
            proof = certify(solve(problem, level=level))
            assert float(proof.lower or "-inf") <= float(proof.upper)

    assert not crashes(call)


names = st.sampled_from(sorted(TARGETS))
problems = {
    "given": counts,
    "loss": st.sampled_from(["supcon", "ntxent-labels", "kernel", "cross-entropy", "decoupled", "dhel"]),
    "tau": st.one_of(st.floats(0.01, 100), values),
    "views": st.one_of(st.integers(-1, 3), values),
    "level": st.one_of(st.sampled_from(["groups", "classes"]), values),
}


@FAST
@given(name=names, value=values)
def test_any_value_in_any_argument(name: str, value: Any) -> None:
    any_value(name, value)


@FAST
@given(**problems)
def test_any_problem(given: Any, loss: str, tau: Any, views: Any, level: Any) -> None:
    any_problem(given, loss, tau, views, level)


@pytest.mark.slow
@LONG
@given(name=names, value=values)
def test_any_value_in_any_argument_at_length(name: str, value: Any) -> None:
    any_value(name, value)


@pytest.mark.slow
@LONG
@given(**problems)
def test_any_problem_at_length(given: Any, loss: str, tau: Any, views: Any, level: Any) -> None:
    any_problem(given, loss, tau, views, level)
