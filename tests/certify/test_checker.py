"""The checker against bounds from their definitions at 80 digits, and against whatever a file can hold."""

from __future__ import annotations

import ast
import copy
import importlib.util
import io
import itertools
import json
import random
import re
import subprocess
import sys
import time
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify import certify
from relax import Ball, Problem, Ridge, Sphere, solve
from relax.orbits import OrbitMatrix
from tests.certify.forging import settled

CHECKER = Path(__file__).resolve().parents[2] / "certify" / "checker.py"


def standalone() -> ModuleType:
    """The checker as a file of its own, as users run it (and without annotations checked at every call)."""
    spec = importlib.util.spec_from_file_location("standalone_checker", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


checker: Any = standalone()
Verdict = Any
Document = dict[str, Any]

mp = mpmath.mp.clone()
mp.dps = 80


# ---------------------------------------------------------------------------------------------------- files
PROBLEMS = {
    "balanced": Problem([5, 5, 5], temperature=0.1),
    "two classes": Problem([4, 4], temperature=0.5),
    "two sizes": Problem([7, 2], temperature=0.5, views=2),
    "pairs": Problem([2, 2, 1], temperature=0.5),
    "step": Problem([100, 10, 100, 10], temperature=0.1),
    "collapse": Problem([1000, 10, 10, 10, 10], temperature=1.0),
    "singletons": Problem([10, 5, 1, 1, 1], temperature=0.5),
    "joined": Problem([400, 3, 1], temperature=1.0),
    "cold": Problem([40, 20, 10, 5], temperature=0.02),
    "frozen": Problem([40] * 4, temperature=0.002),
    "ball": Problem([30, 10, 10], temperature=0.3, norm=Ball()),
    "ball, singletons": Problem([5, 3, 1, 1], temperature=0.3, norm=Ball()),
    "ridge": Problem([30, 10, 10], temperature=0.3, norm=Ridge(0.01)),
    "nonnegative": Problem([20, 10, 5], temperature=0.2, nonnegative=True),
}
SMALL = {
    "small sphere": Problem([5, 3, 1, 1], temperature=0.5),
    "small ball": Problem([6, 4, 4], temperature=0.5, norm=Ball()),
    "small ridge": Problem([5, 3, 3], temperature=0.5, norm=Ridge(0.05)),
    "small nonnegative": Problem([5, 3], temperature=0.5, nonnegative=True, views=2),
}
WITH_A_GAP = [name for name in PROBLEMS if not name.startswith("two ")]  # two classes: L = U exactly
_MADE: dict[str, str] = {}


def certificate(name: str) -> Document:
    """A fresh copy of the certificate of a problem."""
    if name not in _MADE:
        solution = solve((PROBLEMS | SMALL)[name])
        there = solution.point
        if solution.problem.nonnegative:  # orthogonal to the last bit, where the gap would be 0
            there = OrbitMatrix(there.multiplicity, there.own, there.peer + 2.0**-36)
        _MADE[name] = json.dumps(
            certify(replace(solution, answer=replace(solution.answer, point=there))).document
        )
    return json.loads(_MADE[name])


def hashed(document: Document) -> str:
    """The file's text, with the words and the hash that fit its claim."""
    return settled(copy.deepcopy(document))


def proven_by(found: Verdict) -> tuple[str, str, str]:
    """The bounds in the words of a verdict: lower, upper, gap."""
    said = re.search(r"(\S+) <= least (?:loss|value) <= (\S+), gap <= (\S+)", found.message)
    assert said is not None, found.message
    return said[1], said[2], said[3]


def is_named(found: Verdict) -> bool:
    """Whether the table of losses builds the program."""
    return found.accepted and "correspondence to the named loss unchecked" not in found.message


def verdict_on(document: Document) -> Verdict:
    return checker.check(hashed(document))


# ------------------------------------------------------------------------- an oracle: dense, over all nodes
def real(spelled: str) -> Any:
    """Any of the three spellings, to 80 digits."""
    exact = Fraction(float.fromhex(spelled)) if "0x" in spelled else Fraction(spelled)
    return mp.mpf(exact.numerator) / exact.denominator


Dense = list[list[Any]]
BOUNDS = ("lower", "upper", "excess_lower", "excess_upper", "gap", "scale")


class Oracle:
    """Floor, L, U and the radius of a document, from the definitions: one index for every member."""

    def __init__(self, document: Document) -> None:
        self.program, self.witness, self.point = (document[key] for key in ("program", "witness", "point"))
        self.g = [int(x) for x in self.program["multiplicity"]]
        self.group = [a for a, g in enumerate(self.g) for _ in range(g)]
        self.nodes = range(len(self.group))
        self.tau = real(self.program["temperature"])
        self.rows = list(self.each_row())
        floors = [self.row_floor(m, p) for _, _, m, p in self.rows]
        self.has_floor = None not in floors
        weights = [weight for weight, *_ in self.rows]
        self.floor = mp.fdot(weights, floors) if self.has_floor else mp.mpf(0)
        self.gram = self.scaled_gram()
        self.upper = self.rows_at(self.gram) + self.ridge(self.gram)
        if self.program["nonnegative"] and min(map(min, self.gram)) < 0:
            self.upper = mp.inf
        self.start = self.dense(self.witness["own"], self.witness["peer"])
        self.slope, self.slack = self.gradient(), self.dual_slack()
        self.needed = [self.needed_at(i) for i in self.nodes]
        inner = mp.fsum(self.slope[i][j] * self.start[i][j] for i in self.nodes for j in self.nodes)
        self.lower = self.rows_at(self.start) - inner - mp.fsum(map(self.charge, self.program["rules"]))
        self.scale = self.least_of_excess_and_range()

    def least_of_excess_and_range(self) -> Any:
        """min(L, R − U) of what there is; None where there is neither."""
        equal = [[mp.mpf(0)] * len(self.group) for _ in self.group]
        ridge = any(rule["kind"] == "ridge" for rule in self.program["rules"])
        known = [self.lower] if self.has_floor else []
        return min([*known, *([] if ridge else [self.rows_at(equal) - self.upper])], default=None)

    def each_row(self) -> Iterator[tuple[Any, int, list[Any], list[Any]]]:
        """Weight of one anchor, the anchor, and m and p on every node (its own entry at its own place)."""
        zero = {"every_row": ["0"] * len(self.g)}
        for block in self.program["rows"]:
            for t, a in enumerate(block["anchor"]):
                tables = block["peer_multiplicity"], block["peer_target"] or zero
                peer = [x["every_row"] if "every_row" in x else x["rows"][t] for x in tables]
                weight = real(block["weight"][t]) / self.g[a] / real(self.program["normaliser"])
                for i in (i for i in self.nodes if self.group[i] == a):
                    m, p = ([real(x[b]) for b in self.group] for x in peer)
                    m[i], p[i] = real(block["own_multiplicity"][t]), real(block["own_target"][t])
                    yield weight, i, m, p

    def row_floor(self, m: list[Any], p: list[Any]) -> Any:
        on = [(x, q) for x, q in zip(m, p, strict=True) if q != 0]
        if any(x <= 0 or q < 0 for x, q in on) or abs(mp.fsum(q for _, q in on) - 1) > mp.mpf(10) ** -40:
            return None
        return mp.fsum(q * mp.log(x / q) for x, q in on)

    def dense(self, own: list[str], peer: list[list[str]]) -> Dense:
        pairs = [[sorted((a, b)) for b in self.group] for a in self.group]
        entry = [[real(peer[a][b - a]) for a, b in line] for line in pairs]
        for i in self.nodes:
            entry[i][i] = real(own[self.group[i]])
        return entry

    def rows_at(self, matrix: Dense) -> Any:
        value = -self.floor
        for weight, i, m, p in self.rows:
            tilted = mp.fsum(x * mp.exp(y / self.tau) for x, y in zip(m, matrix[i], strict=True))
            value += weight * (mp.log(tilted) - mp.fdot(p, matrix[i]) / self.tau)
        return value

    def gradient(self) -> Dense:
        slope = [[mp.mpf(0) for _ in self.nodes] for _ in self.nodes]
        for weight, i, m, p in self.rows:
            tilted = [x * mp.exp(y / self.tau) for x, y in zip(m, self.start[i], strict=True)]
            for j, q in enumerate(p):
                slope[i][j] += weight * (tilted[j] / mp.fsum(tilted) - q) / self.tau
        return [[(slope[i][j] + slope[j][i]) / 2 for j in self.nodes] for i in self.nodes]

    def dual_slack(self) -> Dense:
        """Gram matrices: of Z, of Y_a ⊗ (e_i − 1/g_a), and of √(κ w w/ω) (e_i − e_j) in a cluster."""
        slack = self.grams(self.witness["factor"], self.witness["within"])
        for cluster in self.witness["clusters"]:
            weight = dict(zip(cluster["groups"], map(real, cluster["weight"]), strict=True))
            w = [weight.get(a, mp.mpf(0)) for a in self.group]
            for i, j in itertools.combinations(self.nodes, 2):
                tie = real(cluster["kappa"]) * w[i] * w[j] / mp.fsum(w)
                for k, h, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                    slack[k][h] += sign * tie
        return slack

    def grams(self, vectors: list[list[str]], within: list[list[str]]) -> Dense:
        """Inner products of (v_a, y (e_i − 1/g_a)), y running over the numbers of `within`."""
        full = []
        for i, a in enumerate(self.group):
            centred = [
                mp.mpf(i == j) - mp.mpf(1) / self.g[a] if a == b else mp.mpf(0)
                for j, b in enumerate(self.group)
            ]
            full.append([*map(real, vectors[a]), *(real(y) * x for y in within[a] for x in centred)])
        return [[mp.fdot(u, v) for v in full] for u in full]

    def scaled_gram(self) -> Dense:
        gram = self.grams(self.point["vectors"], [[y] for y in self.point["within"]])
        scale = [mp.mpf(1) for _ in self.nodes]
        for rule in self.program["rules"]:
            inside = [i for i in self.nodes if self.group[i] in rule["groups"]]
            for i in inside:
                if rule["kind"] == "fixed":
                    scale[i] = mp.sqrt(real(rule["value"]) / gram[i][i])
                elif rule["kind"] == "bounded":
                    scale[i] = mp.sqrt(min(1, real(rule["value"]) / gram[i][i])) if gram[i][i] else scale[i]
                elif rule["kind"] == "budget":
                    spent = mp.fsum(self.price(rule, j) * gram[j][j] for j in inside)
                    scale[i] = mp.sqrt(min(1, real(rule["total"]) / spent)) if spent else scale[i]
        return [[scale[i] * scale[j] * gram[i][j] for j in self.nodes] for i in self.nodes]

    def price(self, rule: Document, i: int) -> Any:
        return real(rule["weight"][rule["groups"].index(self.group[i])])

    def ridge(self, matrix: Dense) -> Any:
        ridges = [rule for rule in self.program["rules"] if rule["kind"] == "ridge"]
        inside = [(rule, i) for rule in ridges for i in self.nodes if self.group[i] in rule["groups"]]
        return mp.fsum(self.price(rule, i) * matrix[i][i] for rule, i in inside)

    def needed_at(self, i: int) -> Any:
        left = [self.slope[i][j] - self.slack[i][j] for j in self.nodes if j != i]
        left = [min(x, 0) for x in left] if self.program["nonnegative"] else left
        return self.slack[i][i] - self.slope[i][i] + mp.fsum(map(abs, left))

    def charge(self, rule: Document) -> Any:
        inside = [i for i in self.nodes if self.group[i] in rule["groups"]]
        if rule["kind"] == "fixed":
            return real(rule["value"]) * mp.fsum(self.needed[i] for i in inside)
        if rule["kind"] == "bounded":
            return real(rule["value"]) * mp.fsum(max(0, self.needed[i]) for i in inside)
        ratio = max(self.needed[i] / self.price(rule, i) for i in inside)
        if rule["kind"] == "budget":
            return real(rule["total"]) * max(0, ratio)
        return max(0, ratio - 1) * self.upper if self.has_floor else mp.inf

    def proves_radius(self, radius: Any) -> bool:
        """Conditions 1 to 3; ρ is what the radius leaves to some pair, or the radius over powers of √2."""
        rule = [next(rule for rule in self.program["rules"] if a in rule["groups"]) for a in self.group]
        gap = self.upper - self.lower
        sure = all(
            r["kind"] in ("fixed", "bounded") and real(r["value"]) == self.start[i][i]
            for i, r in enumerate(rule)
        )
        bounded = [i for i in self.nodes if rule[i]["kind"] == "bounded"]
        if not sure or any(self.needed[i] <= 0 for i in bounded):
            return False
        sigma = max((gap / self.needed[i] for i in bounded), default=mp.mpf(0))
        pairs = list(itertools.combinations(self.nodes, 2))
        left = {
            radius - play - abs(self.start[i][j] - self.gram[i][j]) for i, j in pairs for play in (0, sigma)
        }
        rhos = sorted(left, reverse=True) + [radius / mp.sqrt(2) ** k for k in range(30)]
        return any(self.box_holds(rho, gap, radius, rule, sigma) for rho in rhos if rho > 0)

    def box_holds(self, rho: Any, gap: Any, radius: Any, rule: list[Document], sigma: Any) -> bool:
        h, f = [[mp.mpf(0) for _ in self.nodes] for _ in self.nodes], mp.exp(rho / self.tau)
        for weight, i, m, _ in self.rows:
            q = [x * mp.exp((y - self.start[i][i]) / self.tau) for x, y in zip(m, self.start[i], strict=True)]
            box = m[i] + f * (mp.fsum(q) - q[i])
            h[i] = [weight / self.tau**2 * m[i] * x / f / box**2 for x in q]
        inside, reached = True, True
        for i, j in itertools.combinations(self.nodes, 2):
            fixed = rule[i]["kind"] == rule[j]["kind"] == "fixed"
            heard = [x for x in (h[i][j], h[j][i]) if x > 0]
            mu = mp.fsum(heard) if fixed else min(heard, default=0)
            inside = inside and (not heard or rho**2 * mu / 2 > gap)
            play = mp.mpf(0) if fixed else sigma
            bounds = [rho + play + abs(self.start[i][j] - self.gram[i][j])] if heard else []
            if fixed and rule[i]["value"] == rule[j]["value"]:
                value, tie = real(rule[i]["value"]), self.tie(i, j)
                bounds += [gap / (2 * tie) + abs(value - self.gram[i][j])] if tie else []
            reached = reached and min(bounds, default=mp.inf) <= radius
        return inside and reached

    def tie(self, i: int, j: int) -> Any:
        a, b = self.group[i], self.group[j]
        found = mp.fsum(real(y) ** 2 for y in self.witness["within"][a]) / self.g[a] if a == b else mp.mpf(0)
        for cluster in self.witness["clusters"]:
            weight = dict(zip(cluster["groups"], map(real, cluster["weight"]), strict=True))
            if a in weight and b in weight:
                omega = mp.fsum(weight.get(c, mp.mpf(0)) for c in self.group)
                found += real(cluster["kappa"]) * weight[a] * weight[b] / omega
        return found

    def proves(self, claim: Document) -> bool:
        """Whether every number of a claim is on the safe side."""
        gap = self.upper - self.lower
        said = {k: real(claim[k]) for k in BOUNDS if claim[k]}
        ranks = [g - 1 for g, y in zip(self.g, self.point["within"], strict=True) if real(y)]
        return (
            said.get("lower", -mp.inf) <= self.floor + self.lower
            and said.get("excess_lower", -mp.inf) <= self.lower
            and said["upper"] >= self.floor + self.upper
            and said.get("excess_upper", mp.inf) >= self.upper
            and said.get("gap", mp.inf) >= gap
            and (claim["scale"] is None or said["scale"] <= self.scale)
            and (claim["verdict"] == "UNDECIDED" or gap <= real(claim["tolerance"]) * self.scale)
            and (claim["gram_radius"] is None or self.proves_radius(real(claim["gram_radius"])))
            and claim["rank"] == len(self.point["vectors"][0]) + sum(ranks)
        )


def program_of(problem: Document) -> Document:
    """What the page says of "supcon": the program as the file spells it."""
    n = [size * problem["views"] for size, _ in problem["counts"]]
    g, groups = [classes for _, classes in problem["counts"]], list(range(len(n)))
    anchors = [a for a in groups if n[a] >= 2]
    rule: Document = {"kind": "ridge", "groups": groups}
    ((norm, number),) = problem["norm"].items()
    if norm == "ridge":
        rule["weight"] = [str(Fraction(number) * x / 2) for x in n]
    else:
        rule |= {"kind": {"sphere": "fixed", "ball": "bounded"}[norm], "value": "1"}
    rows = {
        "kind": "log-sum-exp",
        "anchor": anchors,
        "weight": [str(n[a] * g[a]) for a in anchors],
        "own_multiplicity": [str(n[a] - 1) for a in anchors],
        "own_target": ["1"] * len(anchors),
        "peer_multiplicity": {"every_row": [str(x) for x in n]},
        "peer_target": None,
    }
    return {
        "multiplicity": [str(x) for x in g],
        "temperature": problem["temperature"],
        "normaliser": str(sum(n[a] * g[a] for a in anchors)),
        "nonnegative": problem["nonnegative"],
        "rules": [rule],
        "rows": [rows],
    }


# ------------------------------------------------------------------------------------------------- the bounds
def rounded(number: Any, up: bool, digits: int) -> str:
    """A decimal string on the safe side."""
    text = str(mpmath.nstr(number, digits + 20, strip_zeros=False))
    return str(Context(digits, ROUND_CEILING if up else ROUND_FLOOR).create_decimal(text))


def claims(oracle: Oracle, moved: str = "0", digits: int = 120) -> Document:
    """The bounds of the oracle, moved inward by a part of the gap."""
    gap = oracle.upper - oracle.lower
    lower, upper = oracle.lower + gap * real(moved), oracle.upper - gap * real(moved)
    return {
        "lower": rounded(oracle.floor + lower, False, digits),
        "upper": rounded(oracle.floor + upper, True, digits),
        "gap": rounded(gap - gap * real(moved), True, digits),
        "excess_lower": rounded(lower, False, digits) if oracle.has_floor else None,
        "excess_upper": rounded(upper, True, digits) if oracle.has_floor else None,
        "scale": rounded(oracle.scale + gap * (real(moved) - mp.mpf(10) ** -30), False, digits),
    }


def digits_for(name: str) -> int:
    """Enough for the oracle, which computes excesses by subtraction."""
    return 900 if name == "frozen" else 240


@pytest.mark.parametrize("name", PROBLEMS)
def test_proven_numbers_are_those_of_the_definitions(name: str) -> None:
    document = certificate(name)
    found = verdict_on(document)
    assert found.accepted, found.message
    assert is_named(found)
    with mp.workdps(digits_for(name)):
        oracle = Oracle(document)
        assert oracle.proves(document["claim"])
        assert program_of(document["claim"]["problem"]) == document["program"]
        gap = oracle.upper - oracle.lower
        lower, upper, width = proven_by(found)
        for said, exact in ((width, gap), (upper, oracle.floor + oracle.upper)):
            assert 0 <= real(said) - exact <= abs(exact) / 10**23 + mp.mpf(10) ** -40
        assert 0 <= oracle.floor + oracle.lower - real(lower) <= oracle.floor / 10**23 + mp.mpf(10) ** -24


@pytest.mark.parametrize("name", WITH_A_GAP)
def test_bounds_moved_inward_by_a_part_in_10_to_the_20_are_refused(name: str) -> None:
    document = certificate(name)
    with mp.workdps(digits_for(name)):
        oracle = Oracle(document)
        right, wrong = claims(oracle), claims(oracle, moved="1e-20")
    claim = document["claim"] | right
    assert verdict_on(document | {"claim": claim}).accepted
    told = [field for field in right if right[field] != wrong[field]]  # 1e-300 is lost beside a floor of 3
    assert len(told) == (4 if name == "frozen" else 6)
    for field in told:
        found = verdict_on(document | {"claim": claim | {field: wrong[field]}})
        assert not found.accepted
        assert found.message.startswith(f"rejected: {field} is claimed to be")


@pytest.mark.parametrize("name", WITH_A_GAP)
def test_the_tolerance_decides_the_verdict(name: str) -> None:
    document = certificate(name)
    with mp.workdps(digits_for(name)):
        oracle = Oracle(document)
        document["claim"] |= claims(oracle)
        ratio = real(document["claim"]["gap"]) / real(document["claim"]["scale"]) * (1 + mp.mpf(10) ** -50)
        document["claim"]["tolerance"] = rounded(ratio, True, 60)
        assert verdict_on(document).accepted
        document["claim"]["tolerance"] = rounded(ratio * (1 - mp.mpf(10) ** -20), False, 60)
    assert verdict_on(document).message.startswith("rejected: the verdict CERTIFIED is not proven")
    document["claim"]["verdict"] = "UNDECIDED"
    assert verdict_on(document).accepted


# --------------------------------------------------------------------------- programs that are in no table
def random_document(seed: int) -> Document:
    """A program of every kind of rule and row, with any witness and any point; its bounds are poor."""
    rng = random.Random(seed)
    m = rng.choice([1, 2, 3])
    g = [rng.choice([1, 1, 2, 3]) for _ in range(m)]
    g[0] = max(g[0], 3 - m)

    def rationals(count: int, least: int = 1) -> list[str]:
        return [str(Fraction(rng.randint(least, 9), rng.randint(1, 4))) for _ in range(count)]

    def dyadics(count: int, scale: float = 1.0) -> list[str]:
        return [(scale * rng.gauss(0, 1)).hex() for _ in range(count)]

    nonnegative, width, depth = rng.random() < 0.3, rng.randint(0, 2), rng.randint(0, 2)
    vectors = [[abs(float.fromhex(x)).hex() for x in dyadics(3)] if nonnegative else dyadics(3) for _ in g]
    within = [
        "0x0p0" if n == 1 or nonnegative or rng.random() < 0.4 else abs(rng.gauss(0, 0.3)).hex() for n in g
    ]
    groups = rng.sample(range(m), rng.randint(1, m))
    cluster = {"groups": groups, "weight": rationals(len(groups)), "kappa": abs(rng.gauss(0, 0.1)).hex()}
    claim = certificate("step")["claim"] | {
        **{
            "problem": certificate("step")["claim"]["problem"] | {"loss": {"name": "another"}},
            "verdict": "UNDECIDED",
        },
        **{
            "gram_radius": None,
            "rank": 3 + sum(n - 1 for n, y in zip(g, within, strict=True) if y != "0x0p0"),
        },
    }
    program = {
        **{"multiplicity": [str(n) for n in g], "temperature": rng.choice(["1/2", "1", "3/10"])},
        **{"normaliser": str(sum(g)), "nonnegative": nonnegative},
        "rules": list(random_rules(rng, rng.sample(range(m), m), rationals)),
        "rows": [random_rows(rng, g, rationals) for _ in range(rng.randint(1, 2))],
    }
    witness = {
        "own": dyadics(m),
        "peer": [dyadics(m - a) for a in range(m)],
        "factor": [dyadics(width, 0.3) for _ in g],
        "within": [dyadics(depth, 0.3) for _ in g],
        "clusters": [cluster] * rng.randint(0, 2),
    }
    parts = {"claim": claim, "program": program, "witness": witness}
    return certificate("step") | parts | {"point": {"vectors": vectors, "within": within}}


def random_rules(
    rng: random.Random, order: list[int], rationals: Callable[[int], list[str]]
) -> Iterator[Document]:
    while order:
        groups = [order.pop() for _ in range(rng.randint(1, len(order)))]
        kind = rng.choice(["fixed", "bounded", "budget", "ridge"])
        parts = {"fixed": "value", "bounded": "value", "budget": "weight total", "ridge": "weight"}[
            kind
        ].split()
        values: Document = {
            "value": rationals(1)[0],
            "total": rationals(1)[0],
            "weight": rationals(len(groups)),
        }
        yield {"kind": kind, "groups": groups} | {part: values[part] for part in parts}


def random_rows(rng: random.Random, g: list[int], rationals: Callable[..., list[str]]) -> Document:
    """Rows of one or two anchors with targets on peers; about half of them have a floor."""
    anchor = [rng.randrange(len(g)) for _ in range(rng.randint(1, 2))]
    own = rationals(len(anchor))
    multiplicity: Document = {"every_row": rationals(len(g), rng.randint(0, 1))}
    if rng.random() < 0.5:
        multiplicity = {"rows": [rationals(len(g), rng.randint(0, 1)) for _ in anchor]}
    target: Document | None = {"rows": []}
    own_target = []
    for a in anchor:
        p = [Fraction(x) for x in rationals(len(g) + 1, 0)]
        members = [1, *(n - (a == b) for b, n in enumerate(g))]
        whole = sum((n * x for n, x in zip(members, p, strict=True)), Fraction(0))
        p = [x / whole for x in p] if whole and rng.random() < 0.7 else p
        own_target.append(str(p[0]))
        target["rows"].append([str(x) for x in p[1:]])
    kind = rng.choice(["any", "any", "own", "away", "negative"])
    if kind == "own":
        own_target, target = ["1"] * len(anchor), None
    if kind == "away":  # π₀ is nearly 1 and p₀ is 0: negative multipliers would do
        own, own_target = ["999"] * len(anchor), ["0"] * len(anchor)
    if kind == "negative" and len(g) > 1:  # sums to one, and is no distribution
        others = g[1] - (anchor[0] == 1)
        anchor, own, own_target = anchor[:1], own[:1], [str(1 + others)]
        target = {"every_row": ["0", "-1", *["0"] * (len(g) - 2)]}
        multiplicity = {"every_row": rationals(len(g))}
    return {
        **{
            "kind": "log-sum-exp",
            "anchor": anchor,
            "weight": rationals(len(anchor)),
            "own_multiplicity": own,
            "own_target": own_target,
        },
        **{"peer_multiplicity": multiplicity, "peer_target": target},
    }


def kinds_of_programs(seeds: range) -> set[tuple[Any, bool]]:
    """Compare random programs with the oracle; return which kinds had bounds."""
    kinds: set[tuple[Any, bool]] = set()
    for seed in seeds:
        document = random_document(seed)
        with mp.workdps(80):
            oracle = Oracle(document)
            proven = bool(mp.isfinite(oracle.lower) and mp.isfinite(oracle.upper))
            right, wrong = (claims(oracle, moved, 40) if proven else {} for moved in ("0", "1e-20"))
        if not proven:
            claim = document["claim"] | dict.fromkeys(BOUNDS, "0") | {"upper": "1e9"}
            assert not verdict_on(document | {"claim": claim}).accepted
            continue
        if min(abs(oracle.upper), abs(oracle.lower), abs(oracle.scale)) < mp.mpf(10) ** -60:
            continue  # a bound is 0, which no enclosure can show
        found = verdict_on(document | {"claim": document["claim"] | right})
        assert found.accepted, (seed, found.message)
        assert not is_named(found)
        assert "correspondence to the named loss unchecked" in found.message
        for field in (field for field in right if right[field] is not None):
            moved = verdict_on(document | {"claim": document["claim"] | right | {field: wrong[field]}})
            assert moved.message.startswith(f"rejected: {field} is claimed to be"), (seed, moved.message)
        kinds.add((oracle.has_floor, document["program"]["nonnegative"]))
        if min(oracle.needed) < 0:  # fixed rules take it, bounded ones do not
            kinds |= {(rule["kind"], True) for rule in document["program"]["rules"]}
    return kinds


def test_any_program_has_the_bounds_of_the_definitions() -> None:
    assert len(kinds_of_programs(range(40))) == 8


@pytest.mark.slow
def test_many_programs_have_the_bounds_of_the_definitions() -> None:
    assert len(kinds_of_programs(range(1000, 2000))) == 8


# -------------------------------------------------------------------------------------------- Gram radius
@pytest.mark.parametrize("name", WITH_A_GAP)
def test_a_radius_is_accepted_only_where_the_definitions_prove_it(name: str) -> None:
    document = certificate(name)
    claim = document["claim"]
    said = claim["gram_radius"]
    assert (said is None) == ("ridge" in name or name == "ball, singletons")
    with mp.workdps(400 if name == "frozen" else 120):
        oracle = Oracle(document)
        for factor in ("1e-9", "0.1", "0.5", "0.9", "0.99", "1", "1.01", "30", "1e3", "1e9"):
            radius = str(Decimal(said or "1e-3") * Decimal(factor))
            found = verdict_on(document | {"claim": claim | {"gram_radius": radius}})
            assert not found.accepted or oracle.proves_radius(real(radius))
            assert found.accepted or said is None or Decimal(factor) < 1
            assert not found.accepted or Decimal(factor) > Decimal("0.1")


@pytest.mark.parametrize("norm", [Sphere(), Ball()])
def test_no_point_as_good_is_farther_than_the_radius(norm: Sphere | Ball) -> None:
    """Feasible matrices near a poor point of a known excess, and the checker's least radius."""
    document = certify(solve(Problem([6, 4, 4, 2], temperature=0.5, norm=norm))).document
    rng = np.random.default_rng(0)
    best = np.array([[float.fromhex(x) for x in v] for v in document["point"]["vectors"]])
    apart = [float.fromhex(y) for y in document["point"]["within"]]
    document["point"] |= {
        "vectors": [[float(x).hex() for x in v] for v in best + 0.01 * rng.normal(size=best.shape)]
    }
    document["claim"] |= {
        "verdict": "UNDECIDED",
        "upper": "9",
        "excess_upper": "9",
        "gap": "9",
        "scale": "-9",
    }
    oracle = Oracle(document)
    radius = least_radius(document)
    ours, groups, size = np.array(oracle.gram, dtype=float), oracle.group, len(oracle.group)
    block = [
        [float(a == b) * ((i == j) - 1 / oracle.g[a]) for j, b in enumerate(groups)]
        for i, a in enumerate(groups)
    ]
    exact = np.hstack([best[groups], np.array(apart)[groups][:, None] * np.array(block)])
    good, farthest = 0, 0.0
    for _ in range(800):
        width = 10 ** rng.uniform(-4, -1)
        moved = np.hstack([exact, np.zeros((size, 2))]) + width * rng.normal(size=(size, exact.shape[1] + 2))
        length = np.linalg.norm(moved, axis=1)[:, None]
        moved /= length if isinstance(norm, Sphere) else np.maximum(length, 1.0)
        gram = moved @ moved.T
        if float_excess(document, gram, groups) <= float(oracle.upper):
            good += 1
            farthest = max(farthest, np.abs(gram - ours)[~np.eye(size, dtype=bool)].max())
    assert good > 100
    assert 0.01 < farthest < radius < 100 * farthest


def least(accepts: Callable[[str], bool]) -> float:
    """Bisect for the least radius that is accepted; infinity where none is."""
    low, high = 0.0, 64.0
    if not accepts(str(high)):
        return np.inf
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if accepts(f"{middle:.12f}") else (middle, high)
    return high


def least_radius(document: Document) -> float:
    """The least radius that the checker accepts."""

    def accepts(radius: str) -> bool:
        return verdict_on(document | {"claim": document["claim"] | {"gram_radius": radius}}).accepted

    return least(accepts)


def least_of(oracle: Oracle) -> float:
    """The least radius of the definitions."""
    return least(lambda radius: oracle.proves_radius(real(radius)))


def poor(document: Document, size: float) -> Document:
    """A certificate with a point and a witness that are far from good."""
    rng = random.Random(0)
    nonnegative = document["program"]["nonnegative"]
    for row in (*([] if nonnegative else document["point"]["vectors"]), *document["witness"]["peer"]):
        row[:] = [(float.fromhex(x) + size * rng.gauss(0, 1)).hex() for x in row]
    if nonnegative:
        document["claim"]["rank"] += 1
        for row in document["point"]["vectors"]:
            row.append((size**0.5 * rng.uniform(0, 1)).hex())
    far = {
        "verdict": "UNDECIDED",
        "lower": "-9",
        "excess_lower": "-9",
        "upper": "99",
        "excess_upper": "99",
        "gap": "99",
        "scale": "-99",
    }
    document["claim"] |= far
    return document


def tied_by_y() -> Document:
    """The collapsed certificate with Y for its cluster: κ w (δ_ij − 1/g) is the cluster of one group."""
    document = certificate("collapse")
    cluster = document["witness"]["clusters"].pop()
    y = (float.fromhex(cluster["kappa"]) * float(cluster["weight"][0])) ** 0.5
    document["witness"]["within"] = [["0x0p0"], [y.hex()]]
    return document


@pytest.mark.parametrize("name", ["small sphere", "small ball", "collapse", "tied by Y", "step"])
def test_the_least_radius_is_that_of_the_definitions(name: str) -> None:
    document = tied_by_y() if name == "tied by Y" else certificate(name)
    for size in (1e-4, 1e-5) if name != "step" else (1e-5, 1e-6):
        document = poor(document, size)
        oracle = Oracle(document)
        ours, theirs = least_radius(document), least_of(oracle)
        assert theirs * 0.998 < ours < theirs * 1.1
        assert oracle.proves_radius(real(f"{ours:.12f}"))


def with_rules(name: str, *rules: tuple[str, list[int], str]) -> Document:
    """A certificate with rules of other kinds, or of other values that M₀ has as well."""
    document = poor(certificate(name), 1e-5)
    spelled = [{"kind": kind, "groups": groups, "value": value} for kind, groups, value in rules]
    document["program"]["rules"] = spelled
    for rule in spelled:
        for a in rule["groups"]:
            document["witness"]["own"][a] = float(Fraction(rule["value"])).hex()
    document["claim"]["problem"]["loss"] = {"name": "another"}
    return document


MIXED = {
    "fixed and bounded": ("small ball", ("fixed", [0], "1"), ("bounded", [1], "1")),
    "bounded and fixed": ("small ball", ("bounded", [0], "1"), ("fixed", [1], "1")),
    "two values": ("small sphere", ("fixed", [0, 1], "1"), ("fixed", [2], "65537/65536")),
    "two bounds": ("small ball", ("bounded", [1], "1"), ("bounded", [0], "65537/65536")),
    "fixed": ("ball, singletons", ("fixed", [1, 0], "1"), ("fixed", [2], "1")),
    "a tie": ("ball, singletons", ("bounded", [0], "1"), ("fixed", [1, 2], "1")),
    "no tie": ("ball, singletons", ("fixed", [0, 1], "1"), ("bounded", [2], "1")),
    "tied at a value": ("collapse", ("fixed", [0], "1"), ("fixed", [1], "65537/65536")),
}


@pytest.mark.parametrize("name", MIXED)
def test_radii_of_mixed_rules_are_no_less_than_those_of_the_definitions(name: str) -> None:
    document = with_rules(*MIXED[name])
    ours, theirs = least_radius(document), least_of(Oracle(document))
    assert not ours < theirs * 0.998
    if "tie" not in name:
        assert ours < theirs * (20 if " and " in name else 1.1)
    assert np.isfinite(theirs) == (name != "no tie")


def test_groups_are_tied_only_where_their_values_are_equal() -> None:
    """A cluster of two groups that no row compares: on one point if their values are equal."""
    document = certificate("collapse")
    document["program"]["rows"][0]["peer_multiplicity"] = {"rows": [["0", "0"], ["0", "0"]]}
    both = {"groups": [0, 1], "weight": ["1", "1"], "kappa": "0x1p-10"}
    document["witness"]["clusters"] = [both]
    document["witness"]["factor"] = [[], []]
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["point"] = {"vectors": [["0x1p0"], ["0x1p0"]], "within": ["0x0p0", "0x0p0"]}
    document["claim"] |= {"rank": 1, "verdict": "UNDECIDED", "lower": "-9", "excess_lower": "-9"}
    document["claim"] |= {"upper": "99", "excess_upper": "99", "gap": "99", "scale": "-99"}
    oracle = Oracle(document)
    assert least_radius(document) == pytest.approx(least_of(oracle), rel=2e-3)
    document["witness"]["own"][0] = "0x1.0001p+0"
    rules = [("fixed", [0], "65537/65536"), ("fixed", [1], "1")]
    document["program"]["rules"] = [{"kind": k, "groups": g, "value": x} for k, g, x in rules]
    assert not Oracle(document).proves_radius(mp.mpf(99))
    document["claim"]["gram_radius"] = "99"
    assert verdict_on(document).message == "rejected: the Gram radius is not proven"


def float_excess(document: Document, gram: np.ndarray, groups: list[int]) -> float:
    """Σ_i n_i log1p(Σ_{j≠i} n_j e^{(M_ij − M_ii)/τ} / (n_i − 1)) / N₊ over nodes."""
    n = np.array([size for size, _ in document["claim"]["problem"]["counts"]])[groups]
    tau = float(Fraction(document["program"]["temperature"]))
    tilted = n * np.exp((gram - np.diag(gram)[:, None]) / tau)
    np.fill_diagonal(tilted, 0.0)
    return float(n @ np.log1p(tilted.sum(axis=1) / (n - 1)) / n.sum())


def test_a_radius_needs_own_entries_that_are_right() -> None:
    """Adding a constant to all of M₀ changes no bound, and would move the box away from the optimum."""
    document = certificate("singletons")
    for row in (document["witness"]["own"], *document["witness"]["peer"]):
        row[:] = [(float.fromhex(x) + 2.0**-20).hex() for x in row]
    document["claim"] |= {
        "lower": "0",
        "excess_lower": "0",
        "gap": "9",
        "scale": "-9",
        "verdict": "UNDECIDED",
        "gram_radius": "0.1",
    }
    assert verdict_on(document).message == "rejected: the Gram radius is not proven"
    document["claim"]["gram_radius"] = None
    assert verdict_on(document).accepted


def test_a_radius_needs_one_row_an_anchor() -> None:
    document = certificate("step")
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["claim"]["gram_radius"] = "0.5"
    rows = document["program"]["rows"]
    rows[0]["weight"] = [str(Fraction(x) / 2) for x in rows[0]["weight"]]
    document["program"]["rows"] = rows * 2
    found = verdict_on(document)
    assert found.message == "rejected: the Gram radius is not proven"
    document["claim"]["gram_radius"] = None
    assert verdict_on(document).accepted


def budgets_of_one_group(program: Document) -> None:
    """Budgets that allow symmetric matrices what the bounds allowed them, and others more."""
    sizes = enumerate(program["multiplicity"])
    program["rules"] = [{"kind": "budget", "groups": [a], "weight": ["1"], "total": n} for a, n in sizes]


def ridges_of_one_member(program: Document) -> None:
    program["rules"] = [
        {"kind": "ridge", "groups": [0], "weight": ["1/9"]},
        {"kind": "fixed", "groups": [1], "value": "1"},
    ]


def targets_on_peers(program: Document) -> None:
    program["rows"][0]["peer_target"] = {"every_row": ["0", "1/1000000000"]}


@pytest.mark.parametrize("change", [budgets_of_one_group, ridges_of_one_member, targets_on_peers])
def test_a_radius_needs_rules_and_rows_of_its_kind(change: Callable[[Document], None]) -> None:
    document = certificate("small ball")
    change(document["program"])
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["claim"] |= {"lower": "-99", "upper": "99", "gap": "199", "verdict": "UNDECIDED"}
    ridge = any(rule["kind"] == "ridge" for rule in document["program"]["rules"])
    document["claim"]["scale"] = None if ridge and change is targets_on_peers else "-99"
    document["claim"] |= {"excess_lower": "-99", "excess_upper": "99", "gram_radius": "9"}
    if change is targets_on_peers:  # no floor
        document["claim"] |= {"excess_lower": None, "excess_upper": None}
    assert verdict_on(document).message == "rejected: the Gram radius is not proven"
    document["claim"]["gram_radius"] = None
    assert verdict_on(document).accepted


def test_a_radius_needs_every_entry_that_a_row_reads() -> None:
    """Between bounded groups one row reads the pair and the other does not: it is read all the same."""
    document = certificate("ball")
    rows = document["program"]["rows"][0]
    rows["peer_multiplicity"] = {"rows": [["0", "10"], ["30", "10"]]}
    document["claim"]["problem"]["loss"] = {"name": "another"}
    document["claim"] |= {"lower": "0", "upper": "9", "gap": "9", "excess_lower": "0", "excess_upper": "9"}
    document["claim"] |= {"verdict": "UNDECIDED", "gram_radius": "0.5", "scale": "-9"}
    oracle = Oracle(document)
    assert verdict_on(document).accepted == oracle.proves_radius(mp.mpf("0.5"))


# ------------------------------------------------------------------------------------------ adversarial files
def loosened(name: str) -> Document:
    """A certificate whose numbers leave a part in 10⁵ of the excess unclaimed."""
    document = certificate(name)
    claim = document["claim"]
    slack = Decimal(claim["excess_upper"]) * Decimal("1e-5")
    for field, sign in (
        ("lower", -1),
        ("excess_lower", -1),
        ("upper", 1),
        ("excess_upper", 1),
        ("gap", 2),
        ("scale", -1),
    ):
        claim[field] = str(Decimal(claim[field]) + sign * slack)
    claim["tolerance"] = "1e-3"
    if claim["gram_radius"] is not None:
        claim["gram_radius"] = str(10 * Decimal(claim["gram_radius"]))
    return document


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


ANYTHING: list[Any] = [
    *(
        None,
        True,
        0,
        1,
        -1,
        2**80,
        0.5,
        "",
        "x",
        "0",
        "1",
        "-1",
        "1/0",
        "1/2",
        "NaN",
        "inf",
        "Infinity",
        "nan",
        "1e99",
    ),
    *(
        "1e999999999",
        "1e-99999",
        "-1e99999",
        "9" * 201,
        "1/" + "7" * 199,
        "0x1.8p+1",
        "0x1p+1023",
        "0x1p-1022",
    ),
    *(
        "0x1p+9999",
        "-0x1.8p-3",
        "0x0p+0",
        "0x1.ffffffffffffffp0",
        " 1",
        "1\n",
        "１",
        "+1",
        "1_0",
        "\ud800",
        "1.5",
    ),
    *(
        [],
        {},
        [[]],
        [None],
        ["0"],
        {"every_row": []},
        "fixed",
        "bounded",
        "ridge",
        "budget",
        "UNDECIDED",
        "CERTIFIED",
    ),
]


def altered(value: Any, rng: random.Random) -> Any:
    """Something else in the place of a value, often close to it."""
    if rng.random() < 0.25:
        return copy.deepcopy(rng.choice(ANYTHING))
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice([-2, -1, 1, 2, 10**6])
    if isinstance(value, list) and value:
        i, j = rng.randrange(len(value)), rng.randrange(len(value))
        swapped = [value[j] if k == i else value[i] if k == j else x for k, x in enumerate(value)]
        return rng.choice([value[:-1], [*value, value[i]], value[::-1], value[:i] + value[i + 1 :], swapped])
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        less = {k: x for k, x in value.items() if k != key}
        return rng.choice([less, less | {key + "s": value[key]}, value | {"more": "1"}])
    return altered_number(value, rng) if isinstance(value, str) else rng.choice(["0.001", "1e-9", "3"])


def altered_number(value: str, rng: random.Random) -> str:
    """A number close to one, often too close for comfort."""
    nearer = 1 + rng.choice([-1, 1]) * Fraction(1, 10 ** rng.randint(1, 24))
    try:
        if value.lstrip("-").startswith("0x"):
            x = float.fromhex(value)
            step = rng.choice([-1, 1]) * 10.0 ** -rng.randint(3, 18)
            return rng.choice([x * float(nearer), -x, x + step, 0.0, 2 * x]).hex()
        exact = Fraction(value) * nearer
    except (ValueError, ArithmeticError):
        return value + "." if rng.random() < 0.5 else value[:-1]
    if "." in value or "e" in value.lower():
        return str(Context(60).divide(Decimal(exact.numerator), Decimal(exact.denominator)))
    same = f"{2 * exact.numerator}/{2 * exact.denominator}"
    return rng.choice([str(exact), str(Fraction(value) + rng.choice([-1, 1])), same])


def mutated(document: Document, rng: random.Random) -> str:
    """The text of a document with one to three places altered; mostly with the hash that fits."""
    changed = json.loads(json.dumps(document))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        section = rng.choice(list(changed))
        path = (section, *rng.choice([(), *paths(changed[section])]))
        place = changed
        for key in path[:-1]:
            place = place[key]
        spelled = isinstance(place[path[-1]], str) and rng.random() < 0.7
        place[path[-1]] = (altered_number if spelled else altered)(place[path[-1]], rng)
    try:
        text = hashed(changed) if rng.random() < 0.95 else json.dumps(changed)
    except KeyError:
        text = json.dumps(changed)
    if rng.random() < 0.05:
        i = rng.randrange(len(text))
        text = rng.choice(
            [text[:i], text[:i] + rng.choice('0"{}[],:x\x00') + text[i + 1 :], text[i:], text * 2]
        )
    return text


def canonical(program: Document) -> Any:
    """A program as exact numbers, with nothing where there is no pair."""
    g, tables = [Fraction(x) for x in program["multiplicity"]], []
    for block in program["rows"]:
        for name in ("peer_multiplicity", "peer_target"):
            said = block[name] or {"every_row": ["0"] * len(g)}
            rows = [said["every_row"]] * len(block["anchor"]) if "every_row" in said else said["rows"]
            for a, row in zip(block["anchor"], rows, strict=True):
                tables.append([None if a == b and g[a] == 1 else Fraction(x) for b, x in enumerate(row)])
        columns = ("weight", "own_multiplicity", "own_target")
        tables.append([block["anchor"], *([Fraction(x) for x in block[name]] for name in columns)])
    rules = []
    for rule in program["rules"]:
        weight = rule.get("weight", ["1"] * len(rule["groups"]))
        amount = Fraction(rule.get("value", rule.get("total", "1")))
        rules.append((rule["kind"], amount, dict(zip(rule["groups"], map(Fraction, weight), strict=True))))
    exact = [Fraction(program[name]) for name in ("temperature", "normaliser")]
    return g, exact, program["nonnegative"], rules, tables


_ORACLES: dict[str, Oracle] = {}


def is_true(text: str, found: Verdict) -> bool:
    """Whether what was accepted is true."""
    document = json.loads(text)
    claim = document["claim"]
    right_hash = json.loads(hashed(document))["sha256"] == document["sha256"]
    key = json.dumps([document[part] for part in ("program", "witness", "point")])
    with mp.workdps(100):
        oracle = _ORACLES.setdefault(key, Oracle(document))
        true = right_hash and oracle.proves(claim)
    if claim["problem"]["loss"]["name"] != "supcon":
        return true and not is_named(found) and "unchecked" in found.message
    return true and canonical(document["program"]) == canonical(program_of(claim["problem"]))


def one_verdict(text: str) -> Verdict:
    """The verdict, which must come soon and be one line."""
    start = time.process_time()
    found = checker.check(text)
    assert time.process_time() - start < 20
    assert re.fullmatch(r"(accepted|rejected|unusable file): [ -~]{3,5000}", found.message), found.message
    assert not re.search(
        "(Type|Key|Index|Attribute|Assertion|Name)Error", found.message
    )  # ours, not the file's
    assert found.accepted == found.message.startswith("accepted: ")
    assert found.usable == (not found.message.startswith("unusable file: "))
    return found


def survivors(seeds: range) -> tuple[int, int]:
    """Mutate certificates; return how many were accepted, every one of them true, and how many rejected."""
    accepted = rejected = 0
    documents = [loosened(name) for name in SMALL]
    for seed in seeds:
        text = mutated(documents[seed % len(documents)], random.Random(seed))
        found = one_verdict(text)
        assert not found.accepted or is_true(text, found), (seed, found.message)
        accepted += found.accepted
        rejected += found.usable and not found.accepted
    return accepted, rejected


def test_no_mutation_makes_a_false_claim_pass() -> None:
    accepted, rejected = survivors(range(1200))
    assert accepted > 120  # harmless ones; else this test could not tell
    assert rejected > 160


@pytest.mark.slow
def test_no_mutation_of_many_makes_a_false_claim_pass() -> None:
    survivors(range(10_000, 30_000))


def replaced(name: str, *path: Any, value: Any) -> Callable[[], str]:
    """The text of a certificate with one value replaced, and the hash that fits; made when it is needed."""

    def text() -> str:
        document = certificate(name)
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value(place[path[-1]]) if callable(value) else value
        return hashed(document)

    return text


def unlisted(*path: Any, value: Any, name: str = "step") -> Callable[[], str]:
    """The same of a loss that is in no table, so that the program alone speaks."""

    def text() -> str:
        document = json.loads(replaced(name, *path, value=value)())
        document["claim"]["problem"]["loss"] = {"name": "another"}
        return hashed(document)

    return text


def unordered(problem: Document) -> Document:
    """A problem whose classes stand largest first."""
    return {key: said for key, said in problem.items() if key != "order"}


LONG = "1" * 10_000_000
UPPER_ALONE = {"verdict": "UNDECIDED"} | dict.fromkeys(
    ["lower", "excess_lower", "gap", "scale", "gram_radius"]
)
PEER = ("witness", "peer", 0, 0)
TRAPS: dict[str, tuple[Callable[[], str], str]] = {
    "empty": (lambda: "", "unusable file: JSONDecodeError, .Expecting value"),
    "no object": (lambda: "[]", "unusable file: certificate is not an object"),
    "null": (lambda: "null", "unusable file: certificate is not an object"),
    "another schema": (
        replaced("step", "schema", value="gramcert/certificate/1"),
        "unusable file: certificate.schema is not gramcert",
    ),
    "deep arrays": (lambda: "[" * 100_000 + "]" * 100_000, "unusable file: RecursionError"),
    "deep objects": (lambda: '{"a":' * 100_000 + "1" + "}" * 100_000, "unusable file: RecursionError"),
    "deep claim": (
        lambda: '{"schema": "gramcert/certificate/2", "claim": ' + "[" * 900 + "]" * 900 + ', "sha256": ""}',
        "unusable file: (RecursionError|certificate lacks)",
    ),
    "key twice": (
        lambda: hashed(certificate("step")).replace('"rank"', '"gap": "0", "rank"'),
        "unusable file: an object has a key twice",
    ),
    "program twice": (
        lambda: hashed(certificate("step"))[:-1] + ', "program": {}}',
        "unusable file: an object has a key",
    ),
    "NaN": (
        replaced("step", *PEER, value=float("nan")),
        "unusable file: certificate.witness.peer is not a dyadic",
    ),
    "Infinity": (
        replaced("step", "made_by", value={"python": float("inf")}),
        "unusable file: certificate.made_by is not an object of texts",
    ),
    "NaN beside": (
        replaced("step", "made_by", value={"python": "3", "numpy": float("nan")}),
        "unusable file: certificate.made_by is not an object of texts",
    ),
    "float": (
        replaced("step", "claim", "rank", value=3.0),
        "unusable file: certificate.claim.rank is not an integer",
    ),
    "long integer": (
        lambda: hashed(certificate("step"))[:-1] + f', "x": {LONG}}}',
        "unusable file: ValueError, .Exceeds",
    ),
    "long text": (
        lambda: settled(
            certificate("step") | {"claim": certificate("step")["claim"] | {"words": LONG}}, False
        ),
        "rejected: the words are not those of the claim",
    ),
    "long key": (
        replaced("step", "claim", "problem", value={LONG: 1}),
        r"unusable file: certificate.claim.problem",
    ),
    "long decimal": (
        replaced("step", "claim", "upper", value=LONG),
        "unusable file: certificate.claim.upper is not",
    ),
    "long dyadic": (
        replaced("step", *PEER, value=f"0x1.{LONG}p0"),
        "unusable file: certificate.witness.peer is",
    ),
    "huge exponent": (
        replaced("step", "claim", "upper", value="1e99999999999"),
        "unusable file: certificate.claim",
    ),
    "huge upper": (replaced("step", "claim", "upper", value="1e99999"), "accepted: For the loss supcon .*"),
    "tiny gap": (replaced("step", "claim", "gap", value="1e-99999"), "rejected: gap is claimed to be"),
    "negative gap": (replaced("step", "claim", "gap", value="-1"), "rejected: gap is claimed to be"),
    "negative tolerance": (
        replaced("step", "claim", "tolerance", value="-1"),
        "unusable file: claim is incomplete",
    ),
    "no gap": (
        replaced("step", "claim", value=lambda claim: claim | {"gap": None, "verdict": "UNDECIDED"}),
        "rejected: gap is missing",
    ),
    "certified without a gap": (
        replaced("step", "claim", "gap", value=None),
        "rejected: the verdict CERTIFIED is not proven",
    ),
    "no scale": (
        replaced("step", "claim", value=lambda claim: claim | {"scale": None, "verdict": "UNDECIDED"}),
        "rejected: scale is missing",
    ),
    "no lower bound": (replaced("step", "claim", "lower", value=None), "unusable file: claim is incomplete"),
    "a verdict without a lower bound": (
        replaced("ridge", "claim", value=lambda claim: claim | {"lower": None, "gram_radius": None}),
        "unusable file: claim is incomplete",
    ),
    "a radius without a lower bound": (
        replaced("step", "claim", value=lambda claim: claim | {"lower": None, "verdict": "UNDECIDED"}),
        "unusable file: claim is incomplete",
    ),
    "an upper bound alone": (
        replaced("step", "claim", value=lambda claim: claim | UPPER_ALONE),
        "accepted: For .* nothing is proven from below",
    ),
    "a gap without a lower bound": (
        replaced("step", "claim", value=lambda claim: claim | UPPER_ALONE | {"gap": "0"}),
        "rejected: gap is claimed to be",
    ),
    "no excess": (replaced("step", "claim", "excess_lower", value=None), "rejected: excess_lower is missing"),
    "excess without floor": (
        replaced("step", "claim", "excess_upper", value=None),
        "rejected: excess_upper is missing",
    ),
    "boolean rank": (
        replaced("step", "claim", "rank", value=True),
        "unusable file: certificate.claim.rank is not",
    ),
    "other rank": (replaced("step", "claim", "rank", value=4), "rejected: the rank is 3"),
    "other verdict": (
        replaced("step", "claim", "verdict", value="PROVEN"),
        "unusable file: certificate.claim.verdict is not CERTIFIED",
    ),
    "surrogate": (
        replaced("step", "claim", "verdict", value="\ud800"),
        "unusable file: certificate.claim.verdict is not CERTIFIED",
    ),
    "other digits": (
        replaced("step", "claim", "upper", value="９"),
        "unusable file: certificate.claim.upper",
    ),
    "newline": (replaced("step", "claim", "upper", value="9\n"), "unusable file: certificate.claim.upper"),
    "zero denominator": (
        replaced("step", "program", "temperature", value="1/0"),
        "unusable file: certificate.prog",
    ),
    "huge temperature": (
        replaced("step", "program", "temperature", value="9" * 200),
        "rejected: the program is not that of the claimed problem",
    ),
    "infinite entry": (
        replaced("step", *PEER, value="0x1p+9999"),
        "unusable file: certificate.witness.peer is not a dyadic",
    ),
    "large entry": (replaced("step", *PEER, value="0x1p+1023"), "rejected: its numbers are too large"),
    "very negative entry": (replaced("step", *PEER, value="-0x1p+1023"), "rejected: "),
    "cold entry": (replaced("step", "witness", "own", 0, value="-0x1p+60"), "rejected: "),
    "negative kappa": (
        replaced("collapse", "witness", "clusters", 0, "kappa", value="-0x1p-3"),
        "unusable file: certificate.witness.clusters.kappa is not a dyadic",
    ),
    "a group twice in a cluster": (
        replaced(
            "collapse",
            "witness",
            "clusters",
            0,
            value={"groups": [1, 1], "weight": ["9", "9"], "kappa": "0x1p-9"},
        ),
        "unusable file: a cluster is not of distinct groups",
    ),
    "a group from the end": (
        replaced("collapse", "witness", "clusters", 0, "groups", value=[-1]),
        "unusable file: certificate.witness.clusters.groups is not an integer from 0 on",
    ),
    "a ruled group twice": (
        replaced("step", "program", "rules", 0, "groups", value=[0, 1, 1]),
        "unusable file: a group is not in exactly one rule",
    ),
    "a value of zero": (
        replaced("step", "program", "rules", 0, "value", value="0"),
        "unusable file: certificate.program.rules.value is not a positive rational",
    ),
    "two values": (
        replaced("step", "program", "rules", 0, "total", value="1"),
        "unusable file: a rule has not",
    ),
    "half a member": (
        replaced("step", "program", "multiplicity", 0, value="5/2"),
        "unusable file: a group has no",
    ),
    "members of none": (
        replaced("step", "program", "multiplicity", 0, value="0"),
        "unusable file: certificate.program.multiplicity is not a positive rational",
    ),
    "negative multiplicity": (
        replaced("step", "program", "rows", 0, "own_multiplicity", 0, value="-99"),
        "unusable file: certificate.program.rows.own_multiplicity is not a rational",
    ),
    "negative weight": (
        replaced("step", "program", "rows", 0, "weight", 0, value="-200"),
        "unusable file: certificate.program.rows.weight is not a positive rational",
    ),
    "anchor beyond the groups": (
        replaced("step", "program", "rows", 0, "anchor", 0, value=2),
        "unusable file: there are no rows, or an anchor is no group",
    ),
    "a group of a cluster beyond the groups": (
        replaced("collapse", "witness", "clusters", 0, "groups", value=[2]),
        "unusable file: a cluster is not of distinct groups",
    ),
    "anchor from the end": (
        replaced("step", "program", "rows", 0, "anchor", 0, value=-2),
        "unusable file: certificate.program.rows.anchor is not an integer from 0 on",
    ),
    "two roles": (
        replaced("step", "program", "roles", value=2),
        "unusable file: certificate.program lacks, or has no use for",
    ),
    "unsorted counts": (
        replaced("step", "claim", "problem", "counts", value=[[10, 2], [100, 2]]),
        "unusable file: counts",
    ),
    "too many counts": (
        replaced("step", "claim", "problem", "counts", value=[[n, 1] for n in range(100_000, 0, -1)]),
        "unusable file: counts are too many",
    ),
    "one class": (
        replaced("step", "claim", "problem", value=lambda said: unordered(said) | {"counts": [[10, 1]]}),
        "unusable file: the problem has one",
    ),
    "other order": (
        replaced("step", "claim", "problem", "order", value=[0, 0, 0, 1]),
        "unusable file: order does not",
    ),
    "other counts": (
        replaced("step", "claim", "problem", "counts", value=[[100, 2], [11, 2]]),
        "rejected: the program",
    ),
    "other norm": (
        replaced("step", "claim", "problem", "norm", value={"ball": None}),
        "rejected: the program is not",
    ),
    "ridge without ridge": (
        replaced("step", "claim", "problem", "ridge", value="1"),
        "unusable file: certificate.claim.problem lacks, or has no use for",
    ),
    "two norms": (
        replaced("step", "claim", "problem", "norm", value={"ball": None, "sphere": None}),
        "unusable file: certificate.claim.problem.norm is not a norm",
    ),
    "a parameter that is not there": (
        replaced("step", "claim", "problem", "loss", value=lambda loss: loss | {"a": "1"}),
        "unusable file: certificate.claim.problem.loss lacks, or has no use for, the key 'a'",
    ),
    "level without a problem": (
        replaced("step", "claim", "problem", value=None),
        "unusable file: a problem and its level",
    ),
    "another level": (
        replaced("step", "claim", "level", value="classes"),
        "rejected: the program is not",
    ),
    "rows of another kind": (
        replaced("step", "program", "rows", 0, "kind", value="toy"),
        "unusable file: certificate.program.rows.kind is not of a kind that is known here",
    ),
    "negative y": (
        replaced("balanced", "point", "within", 0, value="-0x1p0"),
        "unusable file: certificate.point.within is not a dyadic",
    ),
    "y of one": (
        replaced("singletons", "point", "within", 0, value="0x1p0"),
        "accepted: For .* is CERTIFIED",
    ),
    "zero vector": (
        replaced("step", "point", value={"vectors": [["0x0p0"] * 3, ["0x1p0"] * 3], "within": ["0x0p0"] * 2}),
        "rejected: its numbers are too large or too small",
    ),
    "zero vector in a ball": (
        replaced("ball", "point", value={"vectors": [["0x0p0"], ["0x1p0"]], "within": ["0x0p0"] * 2}),
        "rejected: the rank is 1",
    ),
    "negative entries": (
        replaced("nonnegative", "point", "vectors", 0, 0, value="-0x1p0"),
        "rejected: an entry is negative",
    ),
    "unlisted": (
        unlisted("claim", "words", value=""),
        "accepted: For .* is CERTIFIED .*correspondence to the named loss unchecked",
    ),
    "negative temperature": (
        unlisted("program", "temperature", value="-1/10"),
        "unusable file: certificate.program.temperature is not a positive rational",
    ),
    "two rows of an anchor": (
        unlisted("program", "rows", value=lambda rows: rows * 2),
        "rejected: ",
    ),
    "empty cluster": (
        replaced("collapse", "witness", "clusters", 0, value={"groups": [], "weight": [], "kappa": "0x1p0"}),
        "unusable file: a cluster is not of distinct groups",
    ),
    "cluster of weight zero": (
        replaced("collapse", "witness", "clusters", 0, "weight", value=["0"]),
        "unusable file: certificate.witness.clusters.weight is not a positive rational",
    ),
    "cluster of kappa zero": (
        replaced(
            "step", "witness", "clusters", value=[{"groups": [0, 1], "weight": ["1", "2"], "kappa": "0x0p+0"}]
        ),
        "accepted: ",
    ),
    "a row of zeros": (
        unlisted(
            *("program", "rows", 0),
            value=lambda row: (
                row | {"own_multiplicity": ["0"] * 2, "peer_multiplicity": {"every_row": ["0"] * 2}}
            ),
        ),
        "rejected: its numbers are too large or too small",
    ),
    "another negative y": (
        replaced("step", "point", "within", 0, value="-0x1p-9"),
        "unusable file: certificate.point.within is not a dyadic",
    ),
    "zero weight": (
        unlisted("program", "rows", 0, "weight", 0, value="0"),
        "unusable file: certificate.program.rows.weight is not a positive rational",
    ),
    "no temperature": (
        unlisted("program", "temperature", value="0"),
        "unusable file: certificate.program.temperature is not a positive rational",
    ),
    "negative normaliser": (
        unlisted("program", "normaliser", value="-220"),
        "unusable file: certificate.program.normaliser is not a positive rational",
    ),
    "negative value": (
        unlisted("program", "rules", 0, "value", value="-1"),
        "unusable file: certificate.program.rules.value is not a positive rational",
    ),
    "an object for an array": (
        unlisted("program", "rules", value=lambda rules: {"0": rules[0]}),
        "unusable file: certificate.program.rules is not an array",
    ),
    "another kind": (
        unlisted("program", "rules", 0, "kind", value="free"),
        "unusable file: a rule has not the numbers",
    ),
    "no rules": (unlisted("program", "rules", value=[]), "unusable file: a group is not in exactly one rule"),
    "no rows": (
        unlisted("program", "rows", value=[]),
        "unusable file: there are no rows, or an anchor is no group",
    ),
    "short row": (
        unlisted("program", "rows", 0, "peer_multiplicity", "every_row", value=["100"]),
        "unusable file: lists that belong together differ in length",
    ),
    "long row": (
        unlisted("program", "rows", 0, "peer_multiplicity", "every_row", value=["100", "10", "1"]),
        "unusable file: lists that belong together differ in length",
    ),
    "short column": (
        unlisted("program", "rows", 0, "own_target", value=["1"]),
        "unusable file: lists that belong together differ in length",
    ),
    "long column": (
        unlisted("program", "rows", 0, "own_target", value=["1"] * 3),
        "unusable file: lists that belong together differ in length",
    ),
    "a row more": (
        unlisted("program", "rows", 0, "peer_multiplicity", value={"rows": [["100", "10"]] * 3}),
        "unusable file: lists that belong together differ in length",
    ),
    "short weights of a rule": (
        unlisted("program", "rules", 0, "weight", value=["1"], name="ridge"),
        "unusable file: lists that belong together differ in length",
    ),
    "long weights of a rule": (
        unlisted("program", "rules", 0, "weight", value=["1"] * 3, name="ridge"),
        "unusable file: lists that belong together differ in length",
    ),
    "short weights of a cluster": (
        replaced("collapse", "witness", "clusters", 0, "weight", value=[]),
        "unusable file: lists that belong together differ in length",
    ),
    "long weights of a cluster": (
        replaced("collapse", "witness", "clusters", 0, "weight", value=["1", "1"]),
        "unusable file: lists that belong together differ in length",
    ),
    "short within of the point": (
        replaced("step", "point", "within", value=["0x0p0"]),
        "unusable file: vectors are not one for each group",
    ),
    "short weights": (
        unlisted("program", "rows", 0, "weight", value=["200"]),
        "unusable file: lists that belong together differ in length",
    ),
    "two tables": (
        unlisted("program", "rows", 0, "peer_multiplicity", "rows", value=[["1", "1"]] * 2),
        "unusable file: rows need either every_row or rows",
    ),
    "no table": (
        unlisted("program", "rows", 0, "peer_multiplicity", value={}),
        "unusable file: rows need either every_row or rows",
    ),
    "too many rows": (
        unlisted("program", "rows", value=lambda rows: rows * 600),
        "rejected: it has too many groups or rows to be checked here",
    ),
    "too many rows in one block": (
        unlisted("program", "rows", 0, "anchor", value=[0] * 1001),
        "rejected: it has too many groups or rows to be checked here",
    ),
    "vectors of two lengths": (
        replaced("step", "point", "vectors", 0, value=["0x1p0", "0x1p0"]),
        "unusable file: vectors are not one for each group, and equally long",
    ),
    "factor of two lengths": (
        replaced("step", "witness", "factor", 0, value=["0x1p-9", "0x1p-9"]),
        "unusable file: vectors are not one for each group, and equally long",
    ),
    "a vector more": (
        replaced("step", "point", "vectors", value=[["0x1p0"]] * 3),
        "unusable file: vectors are not one for each group, and equally long",
    ),
    "within of two lengths": (
        replaced("step", "witness", "within", 0, value=["0x1p0"]),
        "unusable file: witness has lines of wrong lengths",
    ),
    "no triangle": (
        replaced("step", "witness", "peer", 1, value=["0x1p0", "0x1p0"]),
        "unusable file: witness has lines of wrong lengths",
    ),
    "no views": (
        replaced("step", "claim", "problem", "views", value=0),
        "unusable file: certificate.claim.problem.views is not a positive integer",
    ),
    "claimed temperature": (
        replaced("step", "claim", "problem", "temperature", value="-1/10"),
        "unusable file: certificate.claim.problem.temperature is not a positive rational",
    ),
    "negative ridge": (
        replaced("ridge", "claim", "problem", "norm", value={"ridge": "-1/100"}),
        "unusable file: certificate.claim.problem.norm is not a positive rational",
    ),
    "no ridge": (
        replaced("step", "claim", "problem", "norm", value={"ridge": None}),
        "unusable file: certificate.claim.problem.norm is not a norm",
    ),
    "a size twice": (
        replaced("step", "claim", "problem", "counts", value=[[9, 1], [9, 1]]),
        "unusable file: counts do",
    ),
    "a pair of one": (
        replaced("step", "claim", "problem", "counts", value=[[9], [8]]),
        "unusable file: counts are not",
    ),
    "classes of none": (
        replaced("step", "claim", "problem", "counts", value=[[9, 0]]),
        "unusable file: certificate.claim.problem.counts is not a positive integer",
    ),
    "no anchor": (
        replaced("step", "claim", "problem", value=lambda said: unordered(said) | {"counts": [[1, 5]]}),
        "unusable file: the problem has one",
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_traps(name: str) -> None:
    make, answer = TRAPS[name]
    found = one_verdict(make())
    assert re.match(answer, found.message), found.message


def test_claims_are_guarded_by_the_hash() -> None:
    document = certificate("step")
    assert checker.check(json.dumps(document)).accepted
    document["claim"]["words"] = "anything"
    assert checker.check(json.dumps(document)).message == "rejected: the hash is not that of the claim"
    assert verdict_on(document).accepted


def test_truncated_files_are_unusable() -> None:
    text = hashed(certificate("two sizes"))
    for length in range(0, len(text), 7):
        assert not one_verdict(text[:length]).usable


def test_what_cannot_be_decided_is_refused_soon() -> None:
    """Two classes: L = U exactly, which no enclosure can show."""
    document = certificate("two classes")
    with mp.workdps(3000):
        oracle = Oracle(document)
        document["claim"] |= claims(oracle, digits=150) | {"gap": "0", "gram_radius": None}
    found = one_verdict(hashed(document))
    assert re.match("rejected: could not decide: gap is claimed", found.message)


def test_a_wrong_geometry_with_a_small_absolute_gap_is_not_certified() -> None:
    """The orthogonal frame is 4e-11 above the optimum at τ = 0.04."""
    document = certify(solve(Problem([100] * 4, temperature=0.04))).document
    document["point"] = {"vectors": [["0x1p-1"]], "within": ["0x1p0"]}
    document["claim"] |= {"upper": "9", "excess_upper": "9", "gap": "1e-10", "gram_radius": None, "rank": 4}
    assert verdict_on(document).message.startswith("rejected: the verdict CERTIFIED is not proven")
    document["claim"]["verdict"] = "UNDECIDED"
    assert verdict_on(document).accepted


def test_limits_of_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before the work, not after it."""

    def answer(*limit: Any, document: Document) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(checker, *limit)
            return one_verdict(hashed(document)).message

    document = certificate("step")
    few = "rejected: it has too many groups or rows to be checked here"
    assert answer("LARGEST_PROGRAM", 1, document=document) == few
    assert answer("LARGEST_PROGRAM", 2, document=document).startswith("accepted")
    many = "unusable file: vectors have too many digits to multiply"
    assert answer("LARGEST_WORK", 3, document=document) == many
    assert answer("LARGEST_WORK", 8, document=document).startswith("accepted")
    document["witness"]["clusters"] = [{"groups": [0, 1], "weight": ["1", "1"], "kappa": "0x0p+0"}] * 2
    assert answer("LARGEST_PROGRAM", 2, document=document) == "unusable file: clusters are too many"
    assert answer("LARGEST_PROGRAM", 3, document=document).startswith("accepted")
    targets = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    row = checker.row_of([2, 1], 0, Fraction(1), [Fraction(1)] * 3, targets)
    assert checker.row_floor(R, row) is not None
    monkeypatch.setattr(checker, "LARGEST_DENOMINATOR", 6)  # bits of 2, 3 and 6
    with pytest.raises(checker.UnusableError, match="too many denominators"):
        checker.row_floor(R, row)


# ------------------------------------------------------------------------------------ arithmetic and the file
R = checker.reals(checker.FEWEST_DIGITS)


FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=10**9)


def holds(interval: Any, exact: Fraction) -> bool:
    return Fraction(interval.lo) <= exact <= Fraction(interval.hi)


@given(FRACTIONS, FRACTIONS, st.integers(1, 40))
def test_rational_operations_enclose(x: Fraction, y: Fraction, count: int) -> None:
    R = checker.reals(count)
    a, b = R.enclose(x), R.enclose(y)
    results = [(a, x), (a + b, x + y), (a - b, x - y), (a * b, x * y), (abs(a), abs(x)), (-a, -x)]
    results += [(a / b, x / y)] if b.lo > 0 else []
    if b.lo <= 0:
        with pytest.raises(ZeroDivisionError):
            assert a / b
    results += [(a.at_least(R.one), max(x, Fraction(1))), (a.at_most(b), min(x, y))]
    results += [(R.total([a, b, a]), 2 * x + y), (R.total([]), Fraction(0))]
    wide = R(min(a.lo, b.lo), max(a.hi, b.hi))
    results += [(wide * wide, z * t) for z in (x, y) for t in (x, y)] + [
        (abs(wide), abs(x)),
        (wide - wide, x - y),
    ]
    for interval, exact in results:
        assert holds(interval, exact)


@pytest.mark.parametrize(("low", "high"), [("-1", "2"), ("-1e-99", "2"), ("0", "1e-99")])
def test_nothing_is_divided_by_what_may_be_zero(low: str, high: str) -> None:
    """What may be positive needs more digits; what is not is no divisor."""
    with pytest.raises(checker.FewDigitsError):
        assert R.one / R(Decimal(low), Decimal(high))
    with pytest.raises(ZeroDivisionError, match="not positive"):
        assert R.one / R(Decimal(low), Decimal(0))


@given(FRACTIONS, FRACTIONS, st.integers(1, 12))
def test_comparisons_are_right_or_ask_for_digits(x: Fraction, y: Fraction, count: int) -> None:
    R = checker.reals(count)
    for one, other in itertools.product((x, y), (x, y, x.limit_denominator(10), x.limit_denominator(1))):
        a, b = R.enclose(one), R.enclose(other)
        try:
            assert a.exceeds(b) == (one > other)
        except checker.FewDigitsError:
            assert max(a.lo, b.lo) <= min(a.hi, b.hi)


@pytest.mark.parametrize(("ends", "said"), [("1 1 1 1", False), ("1 2 2 3", None), ("2 3 1 2", None)])
def test_intervals_that_touch(ends: str, said: bool | None) -> None:
    """The larger may be equal, which it is not where it is known to be larger; none exceeds itself."""
    a, b, c, d = map(Decimal, ends.split())
    assert not R(a, a).exceeds(R(b, d)), "at most as large, whatever it is"
    if said is None:
        with pytest.raises(checker.FewDigitsError):
            R(max(a, c), max(b, d)).exceeds(R(min(a, c), max(a, c).next_plus()))
    else:
        assert R(a, b).exceeds(R(c, d)) is said


@given(st.fractions(min_value=0, max_value=10**6), st.integers(-400, 20), st.integers(1, 60))
def test_functions_enclose(x: Fraction, power: int, count: int) -> None:
    x *= Fraction(10) ** power
    R = checker.reals(count)
    a, small, half = R.enclose(x), R.enclose(x / 10**15), R.enclose(x / 2)
    found = {"log1p": a.log1p(), "sqrt": a.mapped(Context.sqrt), "exp": (-small).exp()}
    wide = R(half.lo, a.hi)
    found |= {"wide": wide.log1p(), "wide exp": R(small.lo, R.up.add(small.hi, Decimal(3))).exp()}
    found |= {"ln": a.mapped(Context.ln)} if a.lo > 0 else {}
    with mp.workdps(600):
        exact, tiny = real(str(x)), real(str(x / 10**15))
        values = {"log1p": mp.log1p(exact), "sqrt": mp.sqrt(exact), "exp": mp.exp(-tiny)}
        values |= {"wide": mp.log1p(exact * 0.7), "wide exp": mp.exp(tiny + 2)}
        values |= {"ln": mp.log(exact)} if x else {}
        for name, interval in found.items():
            assert mp.mpf(str(interval.lo)) <= values[name] <= mp.mpf(str(interval.hi))
        for name in ("log1p", "sqrt") if x else ():
            width = mp.mpf(str(found[name].hi)) - mp.mpf(str(found[name].lo))
            assert width <= values[name] * mp.mpf(10) ** (2 - count)


def contains(interval: Any, *values: Any) -> bool:
    """Whether an interval holds numbers of 80 digits or more."""
    return all(mp.mpf(str(interval.lo)) <= value <= mp.mpf(str(interval.hi)) for value in values)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_exponentials_enclose_with_few_digits(count: int) -> None:
    R, rng = checker.reals(count), random.Random(count)
    for _ in range(3000):
        low = Decimal(rng.randint(-3000, 1000)).scaleb(-rng.randint(1, 4))
        high = low + Decimal(rng.randint(0, 2000)).scaleb(-rng.randint(1, 5))
        found = R(low, high).exp()
        assert contains(found, mp.exp(real(str(low))), mp.exp(real(str(high)))), (low, high)
        assert found.lo >= 0


@pytest.mark.parametrize("count", [1, 2])
def test_logarithms_and_roots_enclose_with_few_digits(count: int) -> None:
    """All numbers 1 + x of as many digits as log1p computes with, and small x around its two ways."""
    R, steps = checker.reals(count), 10 ** (2 * count + 1)
    every = [Fraction(n, steps) for n in range(0, 9 * steps, max(1, steps // 500))]
    small = [Fraction(n, 10**k) for n in (*range(1, 100), 999, 9999) for k in range(2, 8)]
    for x in every + small:
        at = Decimal(x.numerator) / x.denominator
        point, exact = R(at, at), mp.mpf(x.numerator) / x.denominator
        assert contains(point.log1p(), mp.log1p(exact)), at
        assert point.log1p().lo >= 0
        assert contains(point.mapped(Context.sqrt), mp.sqrt(exact)), at
        assert not x or contains(point.mapped(Context.ln), mp.log(exact)), at


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_bounds_enclose_with_few_digits(count: int) -> None:
    """Wide intervals, and inside them what they enclose."""
    documents = [certificate(name) for name in SMALL] + [random_document(seed) for seed in range(40)]
    finite = 0
    for document in documents:
        said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
        program, R = checker.read_program(said.program), checker.reals(count)
        try:
            point, _ = checker.read_point(said.point, program)
            proof = checker.Proof(R, program, checker.read_witness(said.witness, program), point)
        except (checker.RejectedError, checker.FewDigitsError):
            continue
        with mp.workdps(60):
            oracle = Oracle(document)
            exact = [(proof.upper, oracle.upper), *zip(proof.needed, one_each(oracle), strict=True)]
            exact += [(proof.floor, oracle.floor)]
            pairs = itertools.combinations(oracle.nodes, 2)
            ties = {tuple(sorted((oracle.group[i], oracle.group[j]))): oracle.tie(i, j) for i, j in pairs}
            exact += [(proof.ties.get(pair, R.zero), tie) for pair, tie in ties.items()]
            known = proof.lower.lo.is_finite()
            assert known == bool(mp.isfinite(oracle.lower))
            exact += [(proof.lower, oracle.lower)] if known else []
            for interval, value in exact:
                assert mp.mpf(str(interval.lo)) <= value <= mp.mpf(str(interval.hi))
        finite += known
    assert finite > 15


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("kind", ["fixed", "bounded", "budget", "ridge"])
def test_charges_enclose_with_few_digits(kind: str, count: int) -> None:
    """From multipliers that are known to lie in intervals: every corner of them has its charge inside."""
    rng = random.Random(count)
    said = checker.read(json.loads(hashed(certificate("small ridge"))), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    point, witness = checker.read_point(said.point, program)[0], checker.read_witness(said.witness, program)
    R = checker.reals(count)
    finite, proof = 0, checker.Proof(R, program, witness, point)
    for _ in range(150):
        groups = [0] if kind in ("fixed", "bounded") else [0, 1]
        weight = {a: Fraction(rng.randint(1, 9), rng.randint(1, 9)) for a in groups}
        amount = Fraction(1) if kind == "ridge" else Fraction(rng.randint(1, 30), rng.randint(1, 9))
        near = [weight[a] * Fraction(rng.choice([0, 1, 1, 1, -3])) for a in groups]
        ends = [sorted(x + Fraction(rng.randint(-99, 99), 1000) for _ in range(2)) for x in near]
        decimals = [[Decimal(x.numerator) / x.denominator for x in pair] for pair in ends]
        proof.needed = [R(*sorted(pair)) for pair in decimals]
        upper = sorted(Fraction(rng.randint(0, 90), 10) for _ in range(2))
        proof.upper = R(*(Decimal(x.numerator) / x.denominator for x in upper))
        proof.above = rng.random() < 0.8
        found = proof.charge(checker.Rule(kind, amount, weight))
        finite += found.hi.is_finite()
        exact = [[Fraction(x) for x in pair] for pair in decimals]
        for *nu, top in itertools.product(*exact, upper):
            ratio = max(x / weight[a] for a, x in zip(groups, nu, strict=True))
            price = {"fixed": ratio, "ridge": max(ratio - 1, Fraction(0))}.get(kind, max(ratio, Fraction(0)))
            if kind == "ridge" and not proof.above:
                assert found.lo == found.hi == Decimal("Infinity")
            else:
                assert holds(found, price * (top if kind == "ridge" else amount))
    assert finite > 100


@pytest.mark.parametrize("name", ["small sphere", "small ball", "small ridge", "small nonnegative"])
def test_the_bounds_in_words_hold_with_few_digits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = poor(certificate(name), 1e-3)
    document["claim"]["gram_radius"] = None
    oracle = Oracle(document)
    for count in range(3, 12):
        monkeypatch.setattr(checker, "FEWEST_DIGITS", count)
        lower, upper, gap = map(real, proven_by(verdict_on(document)))
        assert lower <= oracle.floor + oracle.lower
        assert upper >= oracle.floor + oracle.upper
        assert gap >= oracle.upper - oracle.lower


def one_each(oracle: Oracle) -> list[Any]:
    """The needed multiplier of a member of each group."""
    return [oracle.needed[oracle.group.index(a)] for a in range(len(oracle.g))]


@pytest.mark.parametrize("name", ["small sphere", "small ridge"])
def test_a_claim_with_few_digits_is_proven_all_the_same(name: str) -> None:
    document = loosened(name)
    oracle = Oracle(document)
    right = claims(oracle, digits=30)
    said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    witness, (point, _) = (
        checker.read_witness(said.witness, program),
        checker.read_point(said.point, program),
    )
    accepted = 0
    for count, part in itertools.product((8, 15, 20, 25), range(1, 30)):
        for sign, field in itertools.product((-1, 1), right):
            near = 1 + sign * Fraction(1, 10**part)
            claim = document["claim"] | right | {"gram_radius": None, "verdict": "UNDECIDED"}
            exact = Fraction(right[field]) * near
            claim[field] = str(Context(50).divide(Decimal(exact.numerator), Decimal(exact.denominator)))
            loose = {
                k: str(Decimal(right[k]) * (9 if k in ("upper", "gap", "excess_upper") else 0)) for k in right
            }
            claim |= {k: x for k, x in loose.items() if k != field}
            proof = checker.Proof(checker.reals(count), program, witness, point)
            exact_claim = checker.read(claim, checker.CLAIM, "claim")
            if confirms(exact_claim, proof, cautious=True):
                accepted += 1
                assert oracle.proves(claim), (count, field, part, sign)
            if not confirms(exact_claim, proof, cautious=False):
                assert not oracle.proves(claim), (count, field, part, sign)
    assert accepted > 100


def test_a_verdict_is_one_on_the_claimed_decimals_exactly() -> None:
    """gap ≤ tolerance · scale, decided at the last of 200 digits, whatever the exponents."""
    document = certificate("step")
    gap, scale = Decimal(document["claim"]["gap"]), Decimal(document["claim"]["scale"])
    with localcontext(Context(150)):
        least = gap / scale
    exact = Fraction(gap) / Fraction(scale)
    for nudged in (least.next_minus(Context(150)), least, least.next_plus(Context(150))):
        document["claim"]["tolerance"] = str(nudged)
        found = verdict_on(document)
        assert found.accepted == (Fraction(nudged) >= exact), nudged
        assert found.accepted or found.message.startswith("rejected: the verdict CERTIFIED is not proven")


def parts(document: Document) -> tuple[Any, Any, Any]:
    """Program, witness and point of a document."""
    said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    return program, checker.read_witness(said.witness, program), checker.read_point(said.point, program)[0]


def test_a_radius_is_judged_at_the_cautious_gap_and_refuted_at_the_hopeful_one() -> None:
    """U − L is in an interval: radii that its upper end proves, that its lower end proves, and others."""
    document = poor(certificate("small sphere"), 1e-4)
    proof = checker.Proof(R, *parts(document))
    gap = proof.proven["gap"][0]
    wide = R(gap.lo / 4, gap.hi)
    ends = [least(lambda x, end=end: surely_near(proof, Decimal(x), end)) for end in (wide.lo, wide.hi)]
    assert ends[0] < 0.7 * ends[1]
    proof.proven = {"gap": (wide, proof.proven["gap"][1], True)}
    claim = SimpleNamespace(gap=None, lower=None)
    outcomes = []
    for radius in (0.4 * ends[0], 1.1 * ends[0], 0.9 * ends[1], 1.1 * ends[1]):
        claim.gram_radius = Decimal(radius)
        outcomes.append((confirms(claim, proof, cautious=True), confirms(claim, proof, cautious=False)))
    assert outcomes == [(False, False), (False, True), (False, True), (True, True)]


def confirms(claim: Any, proof: Any, cautious: bool) -> bool:
    """Whether nothing is claimed beyond the bounds of a proof, or what more digits could prove."""
    try:
        checker.confirm(claim, proof)
    except checker.FewDigitsError:
        return not cautious
    except checker.RejectedError:
        return False
    return True


def surely_near(proof: Any, radius: Decimal, gap: Decimal) -> bool:
    """Whether a radius is proven, with the digits of the proof, from a gap."""
    try:
        return proof.proves_radius(radius, proof.R(gap, gap))
    except checker.FewDigitsError:
        return False


def coarse(proof: Any, count: int) -> Any:
    """A proof of the same numbers, of which further ones are computed with other digits."""
    found, R = copy.copy(proof), checker.reals(count)
    found.R, found.beta = R, R(proof.beta.lo, proof.beta.hi)
    for name in ("point", "matrix", "ties"):
        setattr(found, name, {k: R(x.lo, x.hi) for k, x in getattr(proof, name).items()})
    found.terms = [[R(x.lo, x.hi) for x in row] for row in proof.terms]
    found.needed = [R(x.lo, x.hi) for x in proof.needed]
    return found


def test_verdicts_with_few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers just beyond what is proven, and digits that cannot tell."""
    monkeypatch.setattr(checker, "LARGEST_EVALUATION", 1)
    monkeypatch.setattr(checker, "FEWEST_DIGITS", 6)
    outcomes = set()
    for name in SMALL:
        document = poor(certificate(name), 1e-2)
        document["claim"]["gram_radius"] = None
        oracle = Oracle(document)
        right = claims(oracle, digits=20)
        for field, part, sign in itertools.product(right, range(2, 12), (-1, 1)):
            near = str(Decimal(right[field]) * (1 + sign * Decimal(10) ** -part))
            claim = document["claim"] | {field: near}
            found = verdict_on(document | {"claim": claim})
            assert not found.accepted or oracle.proves(claim)
            outcomes.add(found.message[:21])
    assert outcomes >= {"accepted: For the los", "rejected: could not d", "rejected: upper is cl"}


@pytest.mark.parametrize("name", ["small sphere", "small ball", "small nonnegative"])
def test_a_radius_with_few_digits_is_proven_all_the_same(name: str) -> None:
    document = certificate(name)
    said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    witness = checker.read_witness(said.witness, program)
    oracle = Oracle(document)
    gap, radius = oracle.upper - oracle.lower, real(document["claim"]["gram_radius"])
    for count in (2, 3, 4, 6):
        point, _ = checker.read_point(said.point, program)
        proof = checker.Proof(checker.reals(count), program, witness, point)
        for factor in (0.5, 0.9, 0.95, 0.98, 1, 1.02, 1.05, 1.1, 1.2, 1.5, 2, 3):
            bound = rounded(factor * radius, False, 6)
            if surely_near(proof, Decimal(bound), Decimal(rounded(gap, True, 30))):
                assert oracle.proves_radius(real(bound))


def test_the_checker_is_read_in_one_sitting() -> None:
    """At most 420 lines of code besides rows and losses: no blank lines, comments or docstrings."""
    source = CHECKER.read_text(encoding="utf-8")
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.string.strip() and token.type != tokenize.COMMENT:
            code |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            code -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = source.splitlines()
    headings = [i for i, line in enumerate(lines, start=1) if line.startswith("# -----")]
    for left_out in ("- the kinds of rows", "- expected rows", "- the table of losses"):
        (table,) = (i for i in headings if lines[i - 1].endswith(left_out))
        code -= set(range(table, min(i for i in headings if i > table)))
    assert 100 < len(code) <= 420


@pytest.mark.parametrize("name", ["small sphere", "small ball", "small nonnegative", "collapse", "tied by Y"])
def test_no_radius_below_the_least_is_proven_with_few_digits(name: str) -> None:
    document = poor(tied_by_y() if name == "tied by Y" else certificate(name), 1e-4)
    smallest = least_of(Oracle(document))
    said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    witness, (point, _) = (
        checker.read_witness(said.witness, program),
        checker.read_point(said.point, program),
    )
    proven = 0
    for count in (3, 4, 5, 6, 8, 12):
        proof = checker.Proof(checker.reals(count), program, witness, point)
        for factor in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.002, 1.02, 1.1, 1.5, 2, 4):
            said.claim.gram_radius = Decimal(f"{factor * smallest:.12f}")
            if confirms(said.claim, proof, cautious=True):
                assert factor > 1, (count, factor)
                proven += 1
            elif count == 12 and factor > 1.1:
                assert confirms(said.claim, proof, cautious=False)
    assert proven > 2


@pytest.mark.parametrize("count", [2, 3])
def test_bounded_entries_have_the_whole_of_their_play_with_few_digits(count: int) -> None:
    """The gap is so small that the radius is G/needed and next to nothing else."""
    said = checker.read(json.loads(hashed(certificate("small ball"))), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    point, witness = checker.read_point(said.point, program)[0], checker.read_witness(said.witness, program)
    proof, rng, gap = checker.Proof(R, program, witness, point), random.Random(count), Decimal("1e-14")
    for _ in range(100):
        needed = Decimal(rng.randint(100, 10**6)).scaleb(-17)
        proof.needed = [R(needed, needed), R(3 * needed, 3 * needed)]
        sigma = Fraction(gap) / Fraction(needed)
        for factor in (0.9, 0.99, 0.997, 0.999, 1.25):
            radius = Decimal(rounded(real(str(sigma)) * factor, False, 12))
            assert surely_near(coarse(proof, count), radius, gap) == (factor > 1)


@pytest.mark.parametrize("count", [2, 3])
def test_tied_entries_have_the_whole_of_their_play_with_few_digits(count: int) -> None:
    """Four members that no row compares and that the point has apart: G/2κ, and 1 − entry."""
    document = certificate("collapse")
    document["program"]["rows"][0]["peer_multiplicity"] = {"rows": [["1000", "10"], ["1000", "0"]]}
    document["point"]["within"] = ["0x0p0", "0x1p-2"]
    said = checker.read(json.loads(hashed(document)), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    point, witness = checker.read_point(said.point, program)[0], checker.read_witness(said.witness, program)
    proof, rng, gap = checker.Proof(R, program, witness, point), random.Random(count), Decimal("1e-14")
    square, y = Fraction(float.fromhex(document["point"]["vectors"][1][0])) ** 2, Fraction(1, 16)
    apart = 1 - (square - y / 4) / (square + y * Fraction(3, 4))
    for pair in proof.point:
        proof.point[pair] = proof.point[pair] if pair == (1, 1) else proof.matrix[pair]
    for _ in range(100):
        tie = Decimal(rng.randint(100, 10**6)).scaleb(-17)
        proof.ties[1, 1] = R(tie, tie)
        needed = Fraction(gap) / Fraction(tie) / 2 + apart
        for factor in (0.9, 0.99, 0.997, 0.999, 1.25):
            radius = Decimal(rounded(real(str(needed)) * factor, False, 12))
            assert surely_near(coarse(proof, count), radius, gap) == (factor > 1)


@pytest.mark.parametrize("bounded", [False, True])
def test_curvature_is_that_of_the_worst_terms(bounded: bool) -> None:
    """Terms known to a fifth, a gap known to a half: no corner may break what is confined."""
    said = checker.read(json.loads(hashed(certificate("small ball"))), checker.CERTIFICATE, "certificate")
    program = checker.read_program(said.program)
    point, witness = checker.read_point(said.point, program)[0], checker.read_witness(said.witness, program)
    proof, tau = checker.Proof(R, program, witness, point), mp.mpf(1) / 2
    rho, confined, escaped = mp.mpf("0.01"), 0, 0
    for which, tiny in itertools.product(("own", "others"), ("1e-6", "1e-2")):
        middle = [[Decimal(1), *(Decimal(tiny) for _ in row[1:])] for row in proof.terms]
        wide = [[(x == 1) == (which == "own") for x in row] for row in middle]
        proof.terms = [
            [R(x * Decimal("0.8"), x * Decimal("1.2")) if w else R(x, x) for x, w in zip(*both, strict=True)]
            for both in zip(middle, wide, strict=True)
        ]
        least = mp.inf
        for part in ("0.8", "1.2"):
            h: dict[Any, list[Any]] = {}
            for row, terms, spread in zip(program.rows, middle, wide, strict=True):
                base, *others = (
                    mp.mpf(str(x)) * (mp.mpf(part) if w else 1) for x, w in zip(terms, spread, strict=True)
                )
                omega, f = real(str(row.weight)) / program.multiplicity[row.anchor], mp.exp(rho / tau)
                for (k, term), x in zip([*row.terms.items()][1:], others, strict=True):
                    h.setdefault(k, []).append(
                        omega / tau**2 * base * x / term.entries / f / (base + f * mp.fsum(others)) ** 2
                    )
            both = {k: min(x) if bounded else x[0] * 2 if k == (1, 1) else mp.fsum(x) for k, x in h.items()}
            least = min(least, *both.values())
        for factor in ("0.2", "0.5", "0.97", "0.999", "1.001", "1.03", "1.5", "3", "4", "9"):
            gap = Decimal(rounded(rho**2 * least / 2 * mp.mpf(factor), True, 30))
            try:
                if proof.confined(set(), R.enclose(Fraction(1, 100)), R(gap / 2, gap), bounded):
                    assert real(factor) < 1, (which, factor)
                    confined += 1
                else:  # not even the best corner confines
                    assert real(factor) > 1, (which, factor)
                    escaped += 1
            except checker.FewDigitsError:
                continue
    assert confined > 4 and escaped > 4


def test_the_file_needs_nothing_but_python(tmp_path: Path) -> None:
    found = {
        alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(CHECKER.read_text(encoding="utf-8")))
        for alias in imported(node)
    }
    assert found <= sys.stdlib_module_names
    copied = tmp_path / "checker.py"
    copied.write_bytes(CHECKER.read_bytes())
    texts = {"good.json": certificate("step"), "bad.json": certificate("step"), "ugly.json": {}}
    texts["bad.json"]["claim"]["gap"] = "0"
    for (name, document), code in zip(texts.items(), (0, 1, 2), strict=True):
        (tmp_path / name).write_text(hashed(document) if document else "{}", encoding="utf-8")
        command = [sys.executable, "-I", "-S", str(copied), str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (code, "", 1)
        assert done.stdout.startswith(("accepted: ", "rejected: ", "unusable file: ")[code])


def imported(node: ast.AST) -> list[ast.alias]:
    """What an import statement names: modules only."""
    if isinstance(node, ast.ImportFrom):
        return [ast.alias(str(node.module))]
    return node.names if isinstance(node, ast.Import) else []


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "directory" in checker.check(tmp_path).message
    assert "No such file" in checker.check(tmp_path / "none").message
    assert not checker.check(Path("a\0b")).usable
    (tmp_path / "latin").write_bytes(b"\xff{}")
    assert "decode" in checker.check(tmp_path / "latin").message
    (tmp_path / "marked").write_text("\ufeff{}", encoding="utf-8")
    assert "BOM" in checker.check(tmp_path / "marked").message
    (tmp_path / "good").write_text(hashed(certificate("step")), encoding="utf-8")
    assert checker.check(tmp_path / "good").accepted


def test_files_above_the_limit_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "LARGEST_FILE", 100)
    (tmp_path / "good").write_text(hashed(certificate("step")), encoding="utf-8")
    assert checker.check(tmp_path / "good").message == "unusable file: it has more than 100 bytes"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "tau"), [("places-lt", 0.1), ("places-lt", 0.02), ("lvis-v1", 0.1)])
def test_real_class_counts(name: str, tau: float) -> None:
    found = checker.check(certify(solve(Problem.from_dataset(name, temperature=tau))).to_json())
    assert found.accepted
    assert is_named(found)
