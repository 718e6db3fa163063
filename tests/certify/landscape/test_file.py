"""Files of stationary points: what is false in them is refused, whatever else they say."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from certify.cli import app
from certify.grammar import claim_hash
from certify.landscape import check, prove_minimum, prove_saddle
from certify.landscape.verification import verify_point
from certify.landscape.words import words
from relax import Ball, Problem, solve
from tests.certify.landscape.oracles import (
    angles_of,
    gradient_and_hessian,
    loss_of_angles,
    mp,
    spectrum_modulo_rotation,
)
from tests.certify.landscape.seeds import labels_of, stray
from tests.certify.mutations import FINE, got, is_number, leaves, nudged, paths, put

Document = dict[str, Any]
TAU, COUNTS = "0.1", [3, 3, 3]
LABELS = labels_of(COUNTS).tolist()
PROBLEM = Problem(COUNTS, temperature=float(TAU))


@cache
def _text(name: str) -> str:
    problem = Problem(COUNTS, temperature=float(TAU))
    start = stray(3, float(TAU))
    if name == "saddle":
        found = prove_saddle(np.column_stack([start, np.zeros(9)]), problem)
    elif name == "ball":
        problem = Problem([4, 3], temperature=0.5, norm=Ball())
        found = prove_minimum(np.repeat(solve(problem).embedding(1), [4, 3], axis=0) @ np.eye(1, 2), problem)
    else:
        found = prove_minimum(start, problem, better=start[::-1] if name == "beside" else None)
    assert found.proven, found.reason
    return json.dumps(found.document)


def document(name: str = "minimum") -> Document:
    return json.loads(_text(name))


def settled(said: Document) -> Document:
    """With the words and the hash that the claim should have, where it still has any."""
    try:
        said["claim"]["words"] = words(said["claim"])
        said["sha256"] = claim_hash(said["claim"])
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError):
        pass
    return said


@pytest.mark.parametrize("name", ["minimum", "saddle", "ball", "beside"])
def test_what_is_written_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / "point.json").write_text(_text(name))
    found = check(tmp_path / "point.json")
    assert found.accepted, found.message
    assert found.statement == document(name)["claim"]["words"]
    assert verify_point(settled(document(name))).accepted


def outward(text: str, up: bool, part: str = "1e-12") -> str:
    """A decimal moved by a part of itself."""
    size = FINE.multiply(abs(Decimal(text)), Decimal(part))
    return str(FINE.add(Decimal(text), size if up else -size))


def claim_of(key: str, value: Callable[[Any], Any]) -> Callable[[Document], None]:
    def change(said: Document) -> None:
        said["claim"][key] = value(said["claim"][key])

    return change


def move(said: Document) -> None:
    """Off stationarity by a millionth."""
    said["features"][4][1] = (float.fromhex(said["features"][4][1]) + 1e-6).hex()


def declare_minimum(said: Document) -> None:
    said["claim"] |= {"kind": "minimum", "curvature": "1e-6"}
    said["direction"] = None
    minimum = document()
    said["optimum"] = minimum["optimum"]
    said["claim"] |= {key: minimum["claim"][key] for key in ("optimum", "better", "worse_by", "relative")}


def in_one_dimension(said: Document) -> None:
    said["features"] = [[float(sign).hex()] for sign in np.repeat([1, -1, 1], 3)]
    said["better"] = said["features"]
    said["claim"] |= {"dimension": 1, "alone": None, "worse_by": None, "relative": None, "better": "9"}
    said["claim"] |= {"radius": "1e-15", "curvature": "1e-29", "loss": ["-9", "9"]}
    said["claim"] |= {"multipliers": [["-9", "9"]] * 9, "siblings": {"distinct": 0, "proven": 0}}


def of_siblings(key: str, by: int) -> Callable[[Any], Any]:
    return lambda said: {**said, key: said[key] + by}


def first(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda said: [[change(said[0][0]), said[0][1]], *said[1:]]


FALSE: dict[str, tuple[str, Callable[[Document], None]]] = {
    "a saddle declared minimum": ("saddle", declare_minimum),
    "off stationarity": ("minimum", move),
    "a loss lower than it is": ("minimum", claim_of("loss", lambda x: [x[0], outward(x[0], True, "1e-25")])),
    "a loss higher than it is": (
        "minimum",
        claim_of("loss", lambda x: [outward(x[1], False, "1e-25"), x[1]]),
    ),
    "too small a box": ("minimum", claim_of("radius", lambda x: str(Decimal(x) / 10))),
    "too large a box": ("minimum", claim_of("radius", lambda x: "0.01")),
    "alone too far": ("minimum", claim_of("alone", lambda x: "0.3")),
    "more curvature": ("minimum", claim_of("curvature", lambda x: outward(x, True, "1e-2"))),
    "no curvature": ("minimum", claim_of("curvature", lambda x: "-1")),
    "more negative curvature": ("saddle", claim_of("curvature", lambda x: outward(x, False, "1e-2"))),
    "positive curvature of a saddle": ("saddle", claim_of("curvature", lambda x: "1")),
    "a better optimum": ("minimum", claim_of("optimum", lambda x: [x[0], outward(x[1], False)])),
    "a better one that is none": ("minimum", claim_of("better", lambda x: outward(x, False))),
    "worse than it is": ("minimum", claim_of("worse_by", lambda x: outward(x, True, "1e-4"))),
    "worse by less than nothing": ("minimum", claim_of("worse_by", lambda x: "-1")),
    "features far beyond the sphere": ("minimum", lambda d: d["features"][0].__setitem__(0, "0x1p+1023")),
    "relatively worse": ("minimum", claim_of("relative", lambda x: outward(x, True, "1e-4"))),
    "another multiplier": ("minimum", claim_of("multipliers", first(lambda x: outward(x, True, "1e-2")))),
    "more siblings": ("minimum", claim_of("siblings", of_siblings("distinct", 1))),
    "more inequalities": ("minimum", claim_of("siblings", of_siblings("proven", -1))),
    "another temperature": ("minimum", lambda d: d["claim"]["problem"].update(temperature="1/9")),
    "other counts": ("minimum", lambda d: d["claim"]["problem"].update(counts=[[5, 1], [2, 2]])),
    "another loss": ("minimum", lambda d: d["claim"]["problem"].update(loss={"name": "self-supervised"})),
    "a ball": ("minimum", lambda d: d["claim"]["problem"].update(norm={"ball": None})),
    "another dimension": ("minimum", claim_of("dimension", lambda x: 3)),
    "another optimum": ("minimum", lambda d: d.update(optimum=document("ball")["optimum"])),
    "no optimum": ("minimum", lambda d: d.update(optimum=None)),
    "worse features as better ones": ("minimum", lambda d: d.update(better=d["features"])),
}


@pytest.mark.parametrize("name", FALSE)
def test_planted_false_claims_are_refused(name: str) -> None:
    base, change = FALSE[name]
    said = document(base)
    change(said)
    found = verify_point(settled(said))
    assert not found.accepted and found.statement == ""
    assert "\n" not in found.message


def farthest_entry(features: np.ndarray) -> Any:
    """How far the stationary point is from features in the plane, turned to be nearest to them, by mpmath."""
    gradient, hessian = gradient_and_hessian(features, LABELS, TAU)
    step = mp.lu_solve(
        hessian + mp.ones(len(features)), mp.matrix(gradient)
    )  # one of Newton's from 1e-16 away
    angles = [a - s for a, s in zip(angles_of(features), step, strict=True)]
    given = [mp.mpc(float(x), float(y)) for x, y in features]
    found = [mp.expj(a) for a in angles]
    turn = mp.fsum(g * mp.conj(f) for g, f in zip(given, found, strict=True))
    apart = [f * turn / abs(turn) - g for g, f in zip(given, found, strict=True)]
    return max(abs(x) for one in apart for x in (one.real, one.imag))


def test_the_radius_is_the_decimal_that_is_claimed() -> None:
    said = document()
    said["claim"]["alone"] = None
    distance = farthest_entry(np.array([[float.fromhex(x) for x in line] for line in said["features"]]))
    accepted = []
    for part in ("1e-9", "1e-10", "3e-11", "1e-11", "-1e-6"):
        said["claim"]["radius"] = mp.nstr(distance * (1 - mp.mpf(part)), 25)
        accepted.append(verify_point(settled(said)).accepted)
    assert accepted == [False] * 4 + [True]


def test_signs_cannot_move_so_nothing_is_said_of_them() -> None:
    said = document()
    in_one_dimension(said)
    assert "cannot move" in verify_point(settled(said)).message


def test_another_sentence_or_hash_is_refused() -> None:
    said = document()
    said["claim"]["words"] = said["claim"]["words"].replace("a strict local", "the global")
    assert not verify_point(said).accepted  # the hash
    said["sha256"] = claim_hash(said["claim"])
    assert "words" in verify_point(said).message


def truths(said: Document) -> list[str]:
    """What an accepted claim about three classes of three in the plane says that is not so, by mpmath."""
    claim, wrong = said["claim"], []
    features = np.array([[float.fromhex(x) for x in line] for line in said["features"]])
    value = loss_of_angles(angles_of(features), LABELS, TAU)
    low, high = map(mp.mpf, claim["loss"])
    if not low - mp.mpf(10) ** -20 <= value <= high + mp.mpf(10) ** -20:
        wrong.append("loss")
    lowest = spectrum_modulo_rotation(features, LABELS, TAU)[0]
    if not 0 < float(claim["curvature"]) <= lowest + 1e-9:
        wrong.append("curvature")
    if (
        claim["worse_by"] is not None
        and float(claim["worse_by"]) > float(value) - solve(PROBLEM).value + 1e-12
    ):
        wrong.append("worse by")
    return wrong


JUNK = [None, True, 0, -1, 2**80, 0.5, "", "NaN", "1e9999999999", "-1e-9999999999", "0x1p0", [], {}]


def mutated(said: Document, rng: random.Random) -> None:
    """Nudge a number, delete, double, or put junk in some place of the claim or of the vectors."""
    kind = rng.choice(["number", "number", "number", "vector", "delete", "junk", "sign", "swap"])
    if kind in ("number", "sign", "vector"):
        start = ("features",) if kind == "vector" else ("claim",)
        places = [path for path in leaves(said, *start) if is_number(got(said, path))]
        path = rng.choice(places)
        text = got(said, path)
        put(said, path, (text[1:] if text[0] == "-" else f"-{text}") if kind == "sign" else nudged(text, rng))
    elif kind == "swap":
        one, two = rng.sample(["loss", "optimum"], 2)
        said["claim"][one], said["claim"][two] = said["claim"][two], said["claim"][one]
    else:
        path = rng.choice([path for path in paths(said) if path[0] not in ("made_by", "optimum")])
        if kind == "delete":
            del got(said, path[:-1])[path[-1]]
        else:
            junk = [
                None,
                True,
                0,
                -1,
                2**80,
                0.5,
                "",
                "NaN",
                "1e9999999999",
                "-1e-9999999999",
                "0x1p0",
                [],
                {},
            ]
            put(said, path, copy.deepcopy(rng.choice(junk)))


def fuzz(rounds: int, seed: int) -> tuple[int, int]:
    """Mutate; return how many were accepted and refused, all of what is accepted being true."""
    rng, accepted = random.Random(seed), 0
    for _ in range(rounds):
        said = document("minimum")
        for _ in range(rng.choice([1, 1, 2])):
            if isinstance(said.get("claim"), dict) and isinstance(said.get("features"), list):
                try:
                    mutated(said, rng)
                except (KeyError, TypeError, IndexError, ValueError):  # nothing is left to mutate there
                    continue
        found = verify_point(settled(said))
        if found.accepted:
            accepted += 1
            assert truths(said) == []
        else:
            assert found.statement == "" and "\n" not in found.message
    return accepted, rounds - accepted


def test_mutated_files() -> None:
    assert fuzz(12, 0)[1] > 5


@pytest.mark.slow
def test_many_mutated_files() -> None:
    accepted, refused = fuzz(400, 1)
    assert accepted > 5 and refused > 200


@pytest.mark.parametrize(
    ("change", "code"), [(lambda d: None, 0), (move, 1), (lambda d: d.pop("features"), 2)]
)
def test_the_command(change: Callable[[Document], Any], code: int, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    said = document()
    change(said)
    path = tmp_path / "point.json"
    path.write_text(json.dumps(said))
    for options in ([], ["--json"]):
        done = CliRunner().invoke(app, ["check", str(path), *options])
        assert done.exit_code == code, done.output
        assert (said["claim"]["words"][:60] in done.output.replace("\n", " ")) == (code == 0) or options == []
        if options:
            assert json.loads(done.output)["accepted"] is (code == 0)
