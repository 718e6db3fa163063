"""Odd documents, each a small edit of a good one: both verifiers put each into its class."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flint import arb

from certify import certify, checker
from certify.balls import prove
from certify.cli import main
from certify.encoding import decode_point, decode_program, decode_witness
from certify.grammar import read_file, table
from certify.verification import check
from relax import InputError, Problem, solve
from tests.certify.forging import (
    Document,
    by_balls,
    by_checker,
    certificate,
    is_one_sentence,
    loosened,
    scaled_weights,
    settled,
)

A, R, U = "accepted", "rejected", "unusable"
GONE = object()
Path_ = tuple[Any, ...]
CLAIM, PROBLEM, PROGRAM, ROWS = ("claim",), ("claim", "problem"), ("program",), ("program", "rows", 0)
RULE, CLUSTER = ("program", "rules", 0), ("witness", "clusters", 0)


def put(document: Document, path: Path_, value: Any) -> None:
    """Replace what is at a path, by a value or by a function of it, or leave it out."""
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    elif callable(value):
        place[path[-1]] = value(place[path[-1]])
    else:
        place[path[-1]] = copy.deepcopy(value)


# One line: the certificate, the place, then values with the class that each of them belongs to.
BOUND: list[tuple[Any, str]] = [
    *((x, U) for x in (9.0, 9, True, [], {}, "", "1_0", " 9", "9 ", "9\n", "9\x00", "９", "+9", "9.", ".9")),
    *(
        (x, U)
        for x in ("NaN", "nan", "Infinity", "inf", "0x1p3", "9/1", "1e", "1e+", "1E1_0", "\ud800", "--9")
    ),
    *((x, U) for x in ("9" * 201, "1e10000000000000", "9" * 10**6, "1" + "0" * 4000)),
    *((x, A) for x in ("9" * 200, "1e400", "1E+400", "0009", "9e0", "1e9999999999")),
    *((x, R) for x in ("-9", "0", "-0", "1e-400", "-1e400", "1e-9999999999")),
]
ODD: list[tuple[str, Path_, list[tuple[Any, str]]]] = [
    ("step", (*CLAIM, "upper"), [*BOUND, (None, U), (GONE, U)]),
    ("step", (*CLAIM, "lower"), [(True, U), (6, U), ("-1e5", A), ("1e5", R), (None, U), (GONE, U)]),
    ("step", (*CLAIM, "excess_lower"), [(None, R), ("-1", A), ("1", R), (False, U), (GONE, U)]),
    ("step", (*CLAIM, "scale"), [(None, R), ("1", R), ("0", R), ("-1", R), (1e-9, U), (True, U), (GONE, U)]),
    ("step", (*CLAIM, "excess_upper"), [(None, R), ("9", A), ("0", R), (0, U), (GONE, U)]),
    ("hand", (*CLAIM, "excess_upper"), [("9", R), ("9e9", R)]),
    ("step", (*CLAIM, "gap"), [(None, R), ("0", R), ("-0", R), (1e-9, U), (GONE, U)]),
    (
        "step",
        (*CLAIM, "tolerance"),
        [(True, U), (1e-9, U), ("Infinity", U), ("-1", U), ("1" * 10**6, U), (None, U), ("1e9999999999", A)],
    ),
    ("step", (*CLAIM, "tolerance"), [("0", R), ("1e-99", R), ("1e-99999999999999999", U), ("0.5", A)]),
    ("step", (*CLAIM, "gram_radius"), [(None, A), ("0", R), ("-1", R), ("1e5", A), (0.1, U), (GONE, U)]),
    ("step", (*CLAIM, "rank"), [(3.0, U), (True, U), ("3", U), (4, R), (-1, U), (10**30, R), (None, U)]),
    ("step", (*CLAIM, "verdict"), [("UNDECIDED", A), ("REFUTED", U), ("certified", U), (None, U), (1, U)]),
    ("step", (*CLAIM, "level"), [("classes", R), ("samples", R), ("group", U), (None, U), (0, U), ("", U)]),
    ("step", (*CLAIM, "words"), [(GONE, U), (5, U), (None, U), (["a"], U)]),
    ("step", (*CLAIM, "more"), [("1", U), (None, U)]),
    ("step", (*CLAIM, "problem"), [(None, U), ([], U), ("supcon", U), ({}, U), (GONE, U)]),
    (
        "step",
        (*PROBLEM, "temperature"),
        [
            *(
                (x, U)
                for x in (0.1, "2/20", "0.1", "1e-1", "-1/10", "0", "1/0", "01/10", "1/1", " 1/10", "１/10")
            ),
            *((x, U) for x in (None, True, "1_0/100", "1/10/1", "1 / 10", "0/1", "1/" + "3" * 199)),
            *((x, R) for x in ("1/8", "3333333333333333/10000000000000000", "1/3")),
            ("20000000000000001/200000000000000000", R),
        ],
    ),
    ("step", (*PROBLEM, "nonnegative"), [("no", U), (0.0, U), (0, U), (None, U), (True, R), (GONE, U)]),
    (
        "step",
        (*PROBLEM, "views"),
        [(1.0, U), (True, U), (0, U), ("1", U), (-1, U), (2, R), (2**52, U), (2**53 + 1, U), (10**400, U)],
    ),
    (
        "step",
        (*PROBLEM, "counts"),
        [
            ([[10, 9], [10, 4]], U),
            ([[10, 2], [100, 2]], U),
            ([], U),
            ([[9]], U),
            ([[9, 1, 1]], U),
            ([[100, 2], [10, 2], [0, 1]], U),
            ([[100.0, 2], [10, 2]], U),
            ([["100", 2], [10, 2]], U),
            ([[True, 2], [10, 2]], U),
            ({"100": 2, "10": 2}, U),
            ([[n, 1] for n in range(1001, 0, -1)], U),
            ([[100, 2], [11, 2]], R),
            ([[100, 3], [10, 1]], U),  # which is not the order's
            ([[100, 2], [10, None]], U),
        ],
    ),
    (
        "step",
        (*PROBLEM, "order"),
        [
            ([0, 0, 1, 1], U),
            ([1.0, 0, 1, 0], U),
            ([0, 1, 0], U),
            ([0, 1, 2, 1], U),
            ([False, True, False, True], U),
            (["0", "1", "0", "1"], U),
            (None, U),
            ([-1, 0, -1, 0], U),
            ([1, 0, 1, 0], A),  # by groups, the order is that of the words alone
            (GONE, A),
        ],
    ),
    (
        "step",
        (*PROBLEM, "norm"),
        [
            *((x, U) for x in ({"sphere": "1"}, {"sphere": 1}, {}, [], "sphere", None, {"cube": None})),
            *(
                (x, U)
                for x in ({"sphere": None, "ridge": "1"}, {"ridge": None}, {"sphere": "1/1"}, {"ball": "0"})
            ),
            *((x, R) for x in ({"ball": None}, {"sphere": "2"}, {"ridge": "1/100"}, {"mean-square": "1"})),
            ({"sphere": "1000000000000000000001/1000000000000000000000"}, R),
        ],
    ),
    ("step", (*PROBLEM, "ridge"), [("1", U), (None, U)]),
    (
        "step",
        (*PROBLEM, "loss"),
        [
            *((x, U) for x in ([], "supcon", None, {}, {"name": 5}, {"name": "SupCon"}, {"name": "sup con"})),
            *((x, U) for x in ({"name": "supcon"}, {"name": "kernel"}, {"name": ""}, {"name": "supcon\n"})),
            *((x, U) for x in ({"name": "kernel", "gamma": "0"}, {"name": "kernel", "gamma": 16})),
            ({"name": "kernel", "gamma": "16"}, R),
            ({"name": "decoupled"}, U),  # with one view
            ({"name": "supcon-temperatures", "exponent": "5"}, U),
            ({"name": "another", "x": [1, 2.5, {"y": None}]}, A),
            ({"name": "another"}, A),
        ],
    ),
    ("step", (*PROBLEM, "loss", "extra"), [(1, U), ("1", U)]),
    (
        "step",
        (*PROBLEM, "loss", "positives_weight"),
        [(1, U), ("1.0", U), ("-1", U), ("1e0", U), (GONE, U), (None, U), ("1/2", R), ("1/3", R), ("2/1", U)],
    ),
    ("step", (*PROBLEM, "loss", "class_weights"), [("both", U), (None, U), (GONE, U), ("classes", R)]),
    ("step", (*PROBLEM, "loss", "batch_size"), [(None, U), (4, U), (0, U), ("4", U)]),
    ("step", (*PROBLEM, "loss", "sampler"), [("shuffle", U), (None, U)]),
    ("random", (*PROBLEM, "loss", "batch_size"), [(1, U), (0, U), (4.0, U), (True, U), (5, R), (10**30, U)]),
    ("random", (*PROBLEM, "loss", "sampler"), [("none", U), (GONE, U), ("replacement", R), (None, U)]),
    (
        "batches",
        (*PROBLEM, "loss", "labels"),
        [([0, 0, 1, 1], U), ([0.0, 0, 1, 1, 1], U), ("01", U), ([10**40] * 5, U)],
    ),
    (
        "batches",
        (*PROBLEM, "loss", "batches"),
        [([[0, 1, 2, 3], [-1]], U), ([[0, 0, 1, 2, 3, 4]], U), ([[9]], U)],
    ),
    (
        "budget",
        (*PROBLEM, "loss", "classifier"),
        [(None, U), ({"ball": "1"}, U), ({"ball": None}, R), ("ball", U)],
    ),
    ("step", (*PROGRAM, "more"), [("1", U)]),
    ("step", (*PROGRAM, "roles"), [(1, U)]),
    (
        "step",
        (*PROGRAM, "multiplicity"),
        [(["2/1", "2"], U), (["2", 2], U), (["5/2", "2"], U), (["0", "2"], U)],
    ),
    (
        "step",
        (*PROGRAM, "multiplicity"),
        [([str(2**53 + 1), "2"], U), ([], U), (["2"], U), (["2.0", "2"], U)],
    ),
    ("step", (*PROGRAM, "temperature"), [("1/10 ", U), (0.1, U), ("1/8", R), ("0", U), (GONE, U)]),
    (
        "step",
        (*PROGRAM, "normaliser"),
        [("440", R), ("0", U), (220, U), ("220/1", U), ("2" * 8001, U), ("-220", U)],
    ),
    ("step", (*PROGRAM, "nonnegative"), [("no", U), (0, U), (1, U), (0.0, U), (None, U), (True, R)]),
    (
        "step",
        (*PROGRAM, "rules"),
        [
            ([], U),
            ({}, U),
            (lambda x: [*x, {"kind": "fixed", "groups": [], "value": "1"}], U),
            (lambda x: [{"kind": "fixed", "groups": [1, 0], "value": "1"}], A),
            (lambda x: [{"kind": "fixed", "groups": [a], "value": "1"} for a in (1, 0)], A),
            (lambda x: [{"kind": "fixed", "groups": [0, 0, 1], "value": "1"}], U),
            (lambda x: [{"kind": "fixed", "groups": [0.0, 1], "value": "1"}], U),
            (lambda x: [{"kind": "fixed", "groups": [0, 1, 2], "value": "1"}], U),
        ],
    ),
    (
        "step",
        (*RULE, "kind"),
        [("free", U), (None, U), (GONE, U), ("bounded", R), ("budget", U), (["fixed"], U)],
    ),
    ("step", (*RULE, "value"), [("1/1", U), (1, U), ("2", R), ("0", U), (GONE, U), ("-1", U)]),
    ("step", (*RULE, "weight"), [(["1", "1"], U), (None, U)]),
    ("step", (*RULE, "more"), [(None, U)]),
    ("ridge", (*RULE, "weight"), [(["1"], U), (["1"] * 3, U), (lambda x: x[::-1], R), (["0", "1"], U)]),
    ("ridge", (*RULE,), [(lambda x: x | {"groups": x["groups"][::-1], "weight": x["weight"][::-1]}, A)]),
    (
        "step",
        (*PROGRAM, "rows"),
        [
            ([], U),
            ({}, U),
            (lambda x: x * 2, R),
            ([None], U),
        ],
    ),
    (
        "step",
        (*PROGRAM, "rows"),
        [
            (lambda rows: [part(rows[0], 0), part(rows[0], 1)], A),
            (lambda rows: [part(rows[0], 1), part(rows[0], 0)], R),
        ],
    ),
    ("step", (*ROWS, "kind"), [("toy", U), (GONE, U), (None, U), ("sum-exp", U), (5, U), ([], U)]),
    ("step", (*ROWS, "anchor"), [([-1, 0], U), ([0, 2], U), ([0.0, 1], U), ([0], U), ("01", U), ([1, 0], R)]),
    ("step", (*ROWS, "weight"), [(["0", "20"], U), (["-1", "20"], U), (["20"], U), (["200", "20", "1"], U)]),
    ("step", (*ROWS, "own_multiplicity"), [(["-1", "9"], U), (["99"], U), ([99, 9], U), (["99", "8"], R)]),
    (
        "step",
        (*ROWS, "own_target"),
        [(["1"], U), (["1"] * 3, U), (["1", 1], U), (["1", "-0"], U), (["1", "1/2"], R)],
    ),
    (
        "step",
        (*ROWS, "peer_multiplicity"),
        [
            ({}, U),
            ("100", U),
            ({"every_row": ["100"]}, U),
            ({"every_row": ["100", "10"], "rows": [["100", "10"]] * 2}, U),
            ({"rows": [["100", "10"]] * 2}, A),
            ({"rows": [["100", "10"]] * 3}, U),
            ({"rows": [["100", "10"], ["100"]]}, U),
            ({"every_row": ["100", "-10"]}, U),
            ({"column": ["100", "10"]}, U),
            (None, U),
        ],
    ),
    (
        "step",
        (*ROWS, "peer_target"),
        [({"every_row": ["0", "0"]}, A), ({"every_row": ["0", "1"]}, R), ([], U), (GONE, U)],
    ),
    ("step", (*ROWS, "floor"), [(["0", "0"], U), (None, U)]),
    ("kernel", (*ROWS, "floor"), [(GONE, U), (None, U), (["0"], U), (lambda x: [0, *x[1:]], U)]),
    ("random", (*ROWS, "draws"), [(0, U), (True, U), (3.0, U), ("3", U), (-3, U), (2, R), (10**6 + 1, U)]),
    ("random", (*ROWS, "replacement"), [("no", U), (1, U), (None, U), (True, R)]),
    ("random", (*ROWS, "base"), [("-1", U), (1, U), (None, U), ("2", R)]),
    ("random", (*ROWS, "own_multiplicity"), [("0", U), (["2"], U), ("1", R)]),
    ("step", ("witness",), [(GONE, U), ({}, U), (None, U), ([], U)]),
    ("step", ("witness", "more"), [([], U)]),
    (
        "step",
        ("witness", "peer", 0, 1),
        [
            *(
                (x, U)
                for x in (
                    "1.0",
                    1.0,
                    1,
                    "1/2",
                    "0X1P0",
                    "0x1.gp0",
                    "0x1p1024",
                    "0x1p-1023",
                    "0x1p+01",
                    "0x2p0",
                )
            ),
            *(
                (x, U)
                for x in ("0x1.p0", "inf", "nan", "0x1.00000000000000p0", "0x1.8", "1p0", "+0x1p0", " 0x1p0")
            ),
            *(
                (x, U)
                for x in ("0x1p0\n", "0x1p９", "0x1P0", "0x1.Fp0", None, True, float("nan"), float("inf"))
            ),
            *((x, R) for x in ("0x1p1023", "0x1p-1022", "0x0p0", "-0x1p0", "0x0.0000000000001p-1022")),
        ],
    ),
    (
        "step",
        ("witness", "peer"),
        [(lambda x: x[:1], U), (lambda x: [x[0], x[1] * 2], U), (lambda x: [x[0], []], U)],
    ),
    ("step", ("witness", "own"), [(["0x1p0"], U), (["0x1p0"] * 3, U), (["0x1.8p+0", "0x1p+0"], R)]),
    ("step", ("witness", "factor"), [(lambda x: [x[0], []], U), ([[], []], R), ([[]], U), ([], U)]),
    ("step", ("witness", "within"), [(lambda x: [x[0], [*x[1], "0x1p0"]], U), ([["0x0p0"]], U), ("x", U)]),
    ("step", ("witness", "clusters"), [({}, U), (None, U), ([None], U)]),
    (
        "step",
        ("witness", "clusters"),
        [
            ([{"groups": [0, 1], "weight": ["1", "2"], "kappa": "0x0p+0"}], A),
            ([{"groups": [0, 1], "weight": ["1/3", "2/7"], "kappa": "-0x0.0p+0"}], A),
            ([{"groups": [0, 1], "weight": ["1/3", "2/6"], "kappa": "0x0p+0"}], U),
            ([{"groups": [0, 0], "weight": ["1", "2"], "kappa": "0x0p+0"}], U),
            ([{"groups": [0, 2], "weight": ["1", "2"], "kappa": "0x0p+0"}], U),
            ([{"groups": [0, 1], "weight": ["1", "0"], "kappa": "0x0p+0"}], U),
            ([{"groups": [0, 1], "weight": ["1"], "kappa": "0x0p+0"}], U),
            ([{"groups": [], "weight": [], "kappa": "0x0p+0"}], U),
            ([{"groups": [0], "weight": ["1"], "kappa": "0x0p+0"}] * 1001, A),
            ([{"groups": [0], "weight": ["1"]}], U),
            ([{"groups": [0], "weight": ["1"], "kappa": "-0x1p+0"}], U),
            ([{"groups": [0], "weight": ["1"], "kappa": None}], U),
            ([{"groups": [0], "weight": ["1"], "kappa": "0x0p0", "more": 1}], U),
            ([{"groups": [True], "weight": ["1"], "kappa": "0x0p0"}], U),
        ],
    ),
    ("step", ("point",), [(GONE, U), ({}, U), (None, U)]),
    (
        "step",
        ("point", "vectors"),
        [(lambda x: x[:1], U), (lambda x: [x[0], []], U), ([], U), ([[], []], R)],
    ),
    ("step", ("point", "vectors", 0, 0), [("0x0p0", R), ("0x1p0", R), (0.5, U), (None, U), ("0x1p1023", R)]),
    ("step", ("point", "within"), [(["-0x1p0"] * 2, U), (["0x1p0"], U), (["0x0p0"] * 2, R), ("0x1p0", U)]),
    ("nonnegative", ("point", "vectors"), [([["0x1p0"], ["-0x1p0"]], R)]),
    ("step", ("more",), [({}, U), (None, U)]),
    (
        "step",
        ("made_by",),
        [({}, A), ({"x": "\ud800\x1b[2J"}, A), ({"x": 1}, U), (None, U), (GONE, U), ([], U)],
    ),
    ("step", ("made_by", "note"), [("x" * 10**6, A), (["x"], U), (float("nan"), U)]),
    ("step", ("schema",), [(1, U), (GONE, U), ("gramcert/certificate/1", U), (None, U)]),
]


def part(rows: Document, row: int) -> Document:
    """One row of a block of two, as a block."""
    return {key: [x[row]] if isinstance(x, list) else x for key, x in rows.items()}


def both(name: str, *edits: tuple[Path_, Any]) -> Document:
    document = certificate(name)
    for path, value in edits:
        put(document, path, value)
    return document


def exact_temperature(document: Document) -> Document:
    """A temperature that no float is written as, in problem and program: true of them both."""
    loosened(document)
    for path in (PROBLEM, PROGRAM):
        put(document, (*path, "temperature"), "20000000000000001/200000000000000000")
    return document


def undecided(document: Document, **claims: Any) -> Document:
    document["claim"] |= {"verdict": "UNDECIDED"} | claims
    return document


def twice_the_rows(document: Document) -> Document:
    """Weights and normaliser times two."""
    program = document["program"]
    program["normaliser"] = str(2 * Fraction(program["normaliser"]))
    for rows in program["rows"]:
        rows["weight"] = [str(2 * Fraction(x)) for x in rows["weight"]]
    return document


def third_weights(document: Document) -> Document:
    cluster = document["witness"]["clusters"][0]
    document["witness"]["clusters"][0] = scaled_weights(cluster, Fraction(1, 3))
    return document


NOTHING_BELOW = dict.fromkeys(("lower", "excess_lower", "gap", "scale", "gram_radius"))
WHOLE: dict[str, tuple[Callable[[], Document], str]] = {
    "nothing is changed": (lambda: certificate("step"), A),
    "an exact temperature": (lambda: exact_temperature(certificate("step")), A),
    "a loose gap": (lambda: undecided(certificate("step"), gap="1e999"), A),
    "CERTIFIED with a gap that the tolerance does not allow": (
        lambda: both("step", (("claim", "gap"), "1e999")),
        R,
    ),
    "CERTIFIED at a huge tolerance with a huge gap": (
        lambda: both("step", (("claim", "gap"), "1e999"), (("claim", "tolerance"), "1e9999999999")),
        A,
    ),
    "CERTIFIED without a scale": (lambda: both("hand", (("claim", "scale"), None)), R),
    "a loose excess": (lambda: undecided(certificate("step"), excess_lower="-1"), A),
    "no bound from below": (lambda: undecided(certificate("step"), **NOTHING_BELOW), A),
    "a radius alone": (lambda: undecided(certificate("step"), **NOTHING_BELOW | {"gram_radius": "1"}), U),
    "a gap alone": (lambda: undecided(certificate("step"), **NOTHING_BELOW | {"gap": "0"}), R),
    "CERTIFIED without a bound": (lambda: both("step", (("claim", "lower"), None)), U),
    "everything at tolerance 0": (lambda: undecided(certificate("step"), tolerance="0"), A),
    "tolerance minus zero": (lambda: undecided(certificate("step"), tolerance="-0"), A),
    "a program for itself": (
        lambda: both("step", (("claim", "problem"), None), (("claim", "level"), None)),
        A,
    ),
    "a level of no problem": (lambda: both("hand", (("claim", "level"), "groups")), U),
    "twice the rows and the normaliser": (lambda: twice_the_rows(certificate("step")), A),
    "thirds as weights of a cluster": (lambda: third_weights(loosened(certificate("collapse"))), A),
    "an unknown loss with counts that are none": (
        lambda: both(
            "step",
            (("claim", "problem", "loss"), {"name": "x"}),
            (("claim", "problem", "counts"), [[9, 2], [9, 2]]),
        ),
        U,
    ),
    "samples that are too many": (
        lambda: both("step", (("claim", "level"), "samples"), (("claim", "problem", "views"), 2**20)),
        U,
    ),
    "classes that are too many": (
        lambda: both(
            "collapse",
            (("claim", "level"), "classes"),
            (("claim", "problem", "counts"), [[1000, 1], [10, 2**40]]),
        ),
        U,
    ),
    "a million classes of cross-entropy": (
        lambda: both("budget", (("claim", "problem", "counts"), [[5, 10**6], [3, 2]])),
        U,
    ),
}


def cases() -> list[Any]:
    found = []
    for name, path, values in ODD:
        for value, expected in values:
            shown = "left out" if value is GONE else "changed" if callable(value) else ascii(value)[:30]
            place = ".".join(str(key) for key in path)

            def make(name: str = name, path: Path_ = path, value: Any = value) -> Document:
                return both(name, (path, value))

            found.append(pytest.param(make, expected, id=f"{name}: {place} = {shown}"))
    return [*found, *(pytest.param(make, expected, id=name) for name, (make, expected) in WHOLE.items())]


CASES = cases()


def test_there_are_many_odd_documents_of_each_class() -> None:
    count = {kind: sum(case.values[1] == kind for case in CASES) for kind in (A, R, U)}
    assert len(CASES) >= 150 and min(count.values()) >= 30, count


def test_good_documents_are_accepted() -> None:
    for name in {name for name, _, _ in ODD}:
        text = settled(certificate(name))
        assert (by_balls(text)[0], by_checker(text)[0]) == (A, A), name


@pytest.mark.parametrize(("make", "expected"), CASES)
def test_both_verifiers_put_it_into_the_class(make: Callable[[], Document], expected: str) -> None:
    text = settled(make())
    (balls, said), (other, answer) = by_balls(text), by_checker(text)
    assert is_one_sentence(said) and is_one_sentence(answer), (said, answer)
    assert (balls, other) == (expected, expected), (said, answer)


def test_the_page_has_the_spellings_of_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "certificate-format.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"^\| (rational|dyadic|decimal) \| `(.*?)` \|", page, flags=re.MULTILINE))
    forms = {"rational": table.SIGNED.form, "dyadic": table.DYADIC.form, "decimal": table.DECIMAL.form}
    assert {name: form.replace("\\|", "|") for name, form in said.items()} == forms


# ------------------------------------------------------------------------------------------ texts and bytes
def good() -> str:
    return settled(certificate("step"))


DEEP = 100_000
TEXTS: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "empty": (lambda: "", U),
    "blank": (lambda: " \n", U),
    "null": (lambda: "null", U),
    "an array": (lambda: "[]", U),
    "a number": (lambda: "1e400", U),
    "a text": (lambda: '"x"', U),
    "an object": (lambda: "{}", U),
    "with a BOM": (lambda: "\ufeff" + good(), U),
    "UTF-16": (lambda: good().encode("utf-16"), U),
    "UTF-32": (lambda: good().encode("utf-32"), U),
    "a byte that is no UTF-8": (lambda: good().encode()[:-1] + b"\xff}", U),
    "NUL in front": (lambda: "\x00" + good(), U),
    "NUL behind": (lambda: good() + "\x00", U),
    "all NUL": (lambda: "\x00" * 1000, U),
    "gzip": (lambda: b"\x1f\x8b\x08\x00" + b"\x00" * 100, U),
    "blanks around": (lambda: f"\n\t {good()}\r\n ", A),
    "keys in escapes": (lambda: good().replace('"claim"', r'"\u0063laim"'), A),
    "two objects": (lambda: good() * 2, U),
    "something behind": (lambda: good() + "x", U),
    "a comment": (lambda: "// \n" + good(), U),
    "single quotes": (lambda: good().replace('"', "'"), U),
    "a comma too many": (lambda: good()[:-1] + ",}", U),
    "truncated": (lambda: good()[:-1], U),
    "halved": (lambda: good()[: len(good()) // 2], U),
    "a key twice": (lambda: good()[:-1] + ', "schema": "gramcert/certificate/3"}', U),
    "a key twice inside": (lambda: good().replace('"rank"', '"gap": "0", "rank"'), U),
    "a key twice in a cluster": (
        lambda: settled(certificate("collapse")).replace('"kappa"', '"kappa": "0x0p0", "kappa"'),
        U,
    ),
    "deep arrays": (lambda: "[" * DEEP + "]" * DEEP, U),
    "deep objects": (lambda: '{"a":' * DEEP + "1" + "}" * DEEP, U),
    "deep in made_by": (lambda: good()[:-1] + ', "more": ' + "[" * DEEP + "]" * DEEP + "}", U),
    "rather deep": (lambda: good().replace('"order": [', '"order": [' + "[" * 900 + "]" * 900 + ", "), U),
    "rank 1e400": (lambda: good().replace('"rank": 3', '"rank": 1e400'), U),
    "rank of a million digits": (lambda: good().replace('"rank": 3', '"rank": ' + "9" * 10**6), U),
    "rank 3e0": (lambda: good().replace('"rank": 3', '"rank": 3e0'), U),
    "rank -0": (lambda: good().replace('"rank": 3', '"rank": -0'), R),
    "rank 03": (lambda: good().replace('"rank": 3', '"rank": 03'), U),
    "NaN": (lambda: good().replace('"rank": 3', '"rank": NaN'), U),
    "-Infinity": (lambda: good().replace('"views": 1', '"views": -Infinity'), U),
    "a control code in a text": (lambda: good().replace('"made_by": {', '"made_by": {"x": "\x01", '), U),
    "a long text": (lambda: good().replace('"made_by": {', '"made_by": {"x": "' + "y" * 10**7 + '", '), A),
    "a wrong hash": (lambda: good().replace('"sha256": "', '"sha256": "0'), R),
    "a hash in capitals": (lambda: upper_hash(), R),
    "a hash that is a number": (lambda: good().replace('"sha256": "', '"sha256": 5, "made_by2": "'), U),
}


def upper_hash() -> str:
    document = json.loads(good())
    return json.dumps(document | {"sha256": document["sha256"].upper() + "A"})


Judge = Callable[[Path], tuple[int, int]]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judge:
    """The exit codes of `gramcert check` and of checker.py, which say one sentence or a table."""

    def run(path: Path) -> tuple[int, int]:
        monkeypatch.setattr(sys, "argv", ["gramcert", "check", "--quiet", str(path)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, error = capsys.readouterr()
        assert "Traceback" not in out + error
        monkeypatch.setattr(sys, "argv", ["checker.py", str(path)])
        alone = checker.main()
        assert is_one_sentence(capsys.readouterr().out.strip())
        return int(stopped.value.code or 0), alone

    return run


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str, tmp_path: Path, judged: Judge) -> None:
    make, expected = TEXTS[name]
    text = make()
    path = tmp_path / "c.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if isinstance(text, str):
        (balls, said), (other, answer) = by_balls(text), by_checker(text)
        assert is_one_sentence(said) and is_one_sentence(answer)
        assert (balls, other) == (expected, expected), (said, answer)
    assert judged(path) == ({A: 0, R: 1, U: 2}[expected],) * 2


@pytest.mark.parametrize("index", range(0, len(CASES), 12))
def test_exit_codes(index: int, tmp_path: Path, judged: Judge) -> None:
    make, expected = CASES[index].values
    path = tmp_path / "c.json"
    path.write_text(settled(make()))
    codes = judged(path)
    assert codes[0] == codes[1] and codes[0] in {A: (0, 1), R: (1,), U: (2,)}[expected]


def noisy(content: bytes, rng: random.Random) -> bytes:
    """Bytes with some of them changed, left out or put in."""
    changed = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 100])):
        at = rng.randrange(len(changed))
        kind = rng.randrange(5)
        if kind == 0:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at] = rng.randrange(256)
        elif kind == 2:
            del changed[at : at + rng.choice([1, 1, 10, 1000])]
        elif kind == 3:
            changed[at:at] = rng.randbytes(rng.choice([1, 1, 10]))
        else:
            start = rng.randrange(len(changed))
            changed[at:at] = changed[start : start + 30]
        changed = changed or bytearray(b"{")
    return bytes(changed)


def is_between_two_searches(said: str) -> bool:
    """Whether a radius is refused for less than a hundredth: each verifier has its own search for ρ."""
    named = re.fullmatch(r"rejected: gram_radius (\S+) is not proven; (\S+) is", said)
    return named is not None and Decimal(named[1]) * Decimal("1.01") > Decimal(named[2])


def test_noise_crashes_neither_and_they_agree(tmp_path: Path) -> None:
    rng, path, found = random.Random(7), tmp_path / "c.json", {A: 0, R: 0, U: 0}
    bases = [settled(certificate(name)).encode() for name in ("step", "collapse", "random")]
    for seed in range(900):
        content = noisy(bases[seed % 3], rng) if seed % 10 else rng.randbytes(rng.randrange(2000))
        path.write_bytes(content)
        outcome = checker.check(path)
        try:
            text = read_file(path)
        except InputError as error:
            assert is_one_sentence(str(error)) and not outcome.usable, (seed, outcome.message)
            found[U] += 1
            continue
        (balls, said), (other, answer) = by_balls(text), by_checker(text)
        assert is_one_sentence(said) and is_one_sentence(answer)
        apart = (balls, other) == (R, A) and is_between_two_searches(said)
        assert balls == other or apart, (seed, said, answer)
        found[balls] += 1
    assert min(found.values()) >= 5, found


def test_kinds_of_files(tmp_path: Path, judged: Judge) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    start = time.monotonic()
    for name in ("folder", "missing", "loop", "dangling", "large"):
        assert judged(tmp_path / name) == (2, 2), name
    assert time.monotonic() - start < 10
    if os.geteuid():
        secret = tmp_path / "secret"
        secret.write_text(good())
        secret.chmod(0)
        assert judged(secret) == (2, 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = good()
    writer = threading.Thread(target=lambda: pipe.write_text(text), daemon=True)
    writer.start()
    found = check(pipe)
    writer.join(10)
    assert found.accepted


def test_words_are_made_again_by_both() -> None:
    words = certificate("step")["claim"]["words"]
    for other in ("the moon is made of cheese", words[:-1], words + " ", words.replace("≥", ">=", 1)):
        text = settled(both("step", (("claim", "words"), other)), words=False)
        assert by_balls(text)[0] == by_checker(text)[0] == R
        assert "cheese" not in by_balls(text)[1] + by_checker(text)[1]


def test_words_of_a_program_that_stands_for_itself_are_made_again() -> None:
    document = json.loads(certify(solve(Problem([5, 3])).answer).to_json())
    assert by_balls(settled(document))[0] == by_checker(settled(document))[0] == A
    document["claim"]["words"] += " And the moon is made of cheese."
    text = settled(document, words=False)
    assert by_balls(text)[0] == by_checker(text)[0] == R


def test_words_of_a_loss_that_nobody_knows_are_not_repeated() -> None:
    document = certificate("step")
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["claim"]["words"] = "the moon is made of cheese"
    text = settled(document, words=False)
    assert by_balls(text)[0] == by_checker(text)[0] == A
    assert "cheese" not in by_balls(text)[1] + by_checker(text)[1]
    assert "correspondence to the named loss unchecked" in by_balls(text)[1]
    assert "correspondence to the named loss unchecked" in by_checker(text)[1]


def test_thirds_are_exact() -> None:
    """A third of the weights at three times κ is the same slack, and proves the same."""
    plain, third = loosened(certificate("collapse")), loosened(certificate("collapse"))
    cluster = plain["witness"]["clusters"][0]
    cluster["kappa"] = (round(float.fromhex(cluster["kappa"]) * 2**60) // 2**20 * 2.0**-40).hex()
    third["witness"]["clusters"][0] = scaled_weights(cluster, Fraction(1, 3))
    assert {"1/3", "10/3"} & set(third["witness"]["clusters"][0]["weight"])
    seen = [(by_balls(settled(document)), by_checker(settled(document))) for document in (plain, third)]
    assert seen[0] == seen[1]
    assert seen[0][0][0] == seen[0][1][0] == A
    proofs = [proof_of(document) for document in (plain, third)]
    for one, other in zip(*proofs, strict=True):
        assert abs(one - other) < abs(one) * arb("1e-30")


def proof_of(document: Document) -> tuple[arb, arb]:
    """L and U in balls."""
    program = decode_program(document["program"])
    point = decode_point(document["point"], program)
    found = prove(program, decode_witness(document["witness"], program), point)
    assert found.excess_lower is not None
    return found.excess_lower, found.excess_upper
