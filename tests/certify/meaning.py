"""What the program of a certificate means, at 60 digits, straight from docs/certificate-format.md.

By groups, not by nodes: own entries, and entries between members of groups a ≤ b. All kinds of rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial
from typing import Any

import mpmath

mp = mpmath.mp.clone()
mp.dps = 60
Document = dict[str, Any]


def real(spelled: str) -> Any:
    """Any of the three spellings."""
    if "0x" in spelled:
        exact = Fraction(float.fromhex(spelled))
    elif "e" in spelled.lower() or "." in spelled:
        return mp.mpf(spelled)
    else:
        exact = Fraction(spelled)
    return mp.mpf(exact.numerator) / exact.denominator


@dataclass
class Entries:
    """A matrix: own entries by group, and peer entries by pairs a ≤ b."""

    own: list[Any]
    peer: dict[tuple[int, int], Any]

    def at(self, a: int, b: int) -> Any:
        return self.peer[min(a, b), max(a, b)]


class Row:
    """One row: what it reads at the anchor's own entry and at one other member of each group."""

    def __init__(self, block: Document, t: int, g: list[int], normaliser: Any, tau: Any) -> None:
        self.block, self.tau, self.a = block, tau, block["anchor"][t]
        self.weight = real(block["weight"][t]) / normaliser
        self.members = [n - (b == self.a) for b, n in enumerate(g)]
        self.random = block["kind"] == "random-log-sum-exp"
        names = ("population", "population") if self.random else ("multiplicity", "target")
        zero = {"every_row": ["0"] * len(g)}
        tables = [block[f"peer_{name}"] or zero for name in names]
        lines = [x["every_row"] if "every_row" in x else x["rows"][t] for x in tables]
        self.m, self.p = (
            [Fraction(x) for x in [block[f"own_{n}"][t], *x]] for n, x in zip(names, lines, strict=True)
        )
        self.counts = [1, *self.members]
        self.said = real(block["floor"][t]) if block["kind"] == "sum-exp" else None

    def floor(self) -> Any:
        """The floor, None where there is none."""
        if self.random:
            return mp.fsum(chance * mp.log(base) for chance, base, _ in self.drawn() if base > 0)
        if self.said is not None:
            return self.said
        on = [(n, m, p) for n, m, p in zip(self.counts, self.m, self.p, strict=True) if n and p]
        if sum(n * p for n, _, p in on) != 1 or any(m <= 0 or p < 0 for _, m, p in on):
            return None
        return mp.fsum(n * exact(p) * mp.log(exact(m / p)) for n, m, p in on)

    def terms(self, matrix: Entries) -> tuple[list[Any], Any]:
        """m e^{x/τ} and Σ p x/τ, over the entries that there are."""
        x = [matrix.own[self.a], *(matrix.at(self.a, b) if n else 0 for b, n in enumerate(self.members))]
        pull = mp.fsum(n * exact(p) * y for n, p, y in zip(self.counts, self.p, x, strict=True)) / self.tau
        return [exact(m) * mp.exp(y / self.tau) for m, y in zip(self.m, x, strict=True)], pull

    def value_and_slopes(self, matrix: Entries) -> tuple[Any, list[Any]]:
        """The row, and its derivatives by x/τ of single entries, own first."""
        if self.random:
            return self.expectation(matrix)
        terms, pull = self.terms(matrix)
        total = mp.fsum(n * x for n, x in zip(self.counts, terms, strict=True))
        targets = [exact(p) for p in self.p]
        if self.said is not None:
            shrunk, sums = [x * mp.exp(-pull) for x in terms], total * mp.exp(-pull)
            return self.said + sums, [x - p * sums for x, p in zip(shrunk, targets, strict=True)]
        return mp.log(total) - pull, [x / total - p for x, p in zip(terms, targets, strict=True)]

    def expectation(self, matrix: Entries) -> tuple[Any, list[Any]]:
        own, each = matrix.own[self.a], real(self.block["peer_multiplicity"])
        reach = [
            each * mp.exp((matrix.at(self.a, b) - own) / self.tau) if n else mp.mpf(0)
            for b, n in enumerate(self.members)
        ]
        value, slopes = mp.mpf(0), [mp.mpf(0)] * (1 + len(reach))
        for chance, base, counts in self.drawn():
            if base > 0:
                total = base + mp.fsum(n * a for n, a in zip(counts, reach, strict=True))
                value += chance * mp.log(total)
                for b, (n, a) in enumerate(zip(counts, reach, strict=True)):
                    slopes[1 + b] += chance * n * a / total / max(1, self.members[b])
        slopes[0] = -mp.fsum(n * x for n, x in zip(self.members, slopes[1:], strict=True))
        return value, slopes

    def drawn(self) -> Iterator[tuple[Any, Any, tuple[int, ...]]]:
        """Chance, B, and how many are drawn of each group, for every outcome of the draws."""
        k, sizes = self.block["draws"], [n * m for n, m in zip(self.counts, self.m, strict=True)]
        whole = sum(sizes, Fraction(0))
        for numbers in itertools.product(range(k + 1), repeat=len(sizes)):
            if sum(numbers) != k:
                continue
            if self.block["replacement"]:
                ways = Fraction(factorial(k))
                for n, size in zip(numbers, sizes, strict=True):
                    ways *= (size / whole) ** n / factorial(n)
            else:
                ways = Fraction(1, comb(int(whole), k))
                for n, size in zip(numbers, sizes, strict=True):
                    ways *= comb(int(size), n)
            base = real(self.block["base"]) + numbers[0] * real(self.block["own_multiplicity"])
            yield exact(ways), base, numbers[1:]


def exact(number: Fraction) -> Any:
    return mp.mpf(number.numerator) / number.denominator


class Meaning:
    """Floor, U, L and the scaled matrix of a program with a point and a witness."""

    def __init__(self, program: Document) -> None:
        self.program, self.tau = program, real(program["temperature"])
        self.g = [int(x) for x in program["multiplicity"]]
        self.groups = range(len(self.g))
        self.pairs = [(a, b) for b in self.groups for a in range(b + 1) if a < b or self.g[a] > 1]
        normaliser = real(program["normaliser"])
        blocks = [(block, t) for block in program["rows"] for t in range(len(block["anchor"]))]
        self.rows = [Row(block, t, self.g, normaliser, self.tau) for block, t in blocks]
        floors = [row.floor() for row in self.rows]
        self.has_floor = None not in floors
        self.floor = (
            mp.fsum(r.weight * x for r, x in zip(self.rows, floors, strict=True))
            if self.has_floor
            else mp.mpf(0)
        )

    def objective(self, matrix: Entries) -> Any:
        """The rows, with their floor."""
        return mp.fsum(row.weight * row.value_and_slopes(matrix)[0] for row in self.rows)

    def value(self, matrix: Entries) -> Any:
        """Rows and ridges."""
        ridges = [rule for rule in self.program["rules"] if rule["kind"] == "ridge"]
        paid = [(a, w) for rule in ridges for a, w in zip(rule["groups"], rule["weight"], strict=True)]
        return self.objective(matrix) + mp.fsum(self.g[a] * real(w) * matrix.own[a] for a, w in paid)

    def entries(self, vectors: list[list[str]], within: list[list[str]]) -> Entries:
        """Inner products of (v_a, y (e_i − 1/g_a)), for all y of the group."""
        v = [[real(x) for x in line] for line in vectors]
        square = [mp.fsum(real(y) ** 2 for y in line) for line in within]
        own = [mp.fdot(v[a], v[a]) + square[a] * (1 - mp.mpf(1) / self.g[a]) for a in self.groups]
        peer = {(a, b): mp.fdot(v[a], v[b]) - (square[a] / self.g[a] if a == b else 0) for a, b in self.pairs}
        return Entries(own, peer)

    def scaled(self, point: Document) -> Entries:
        """The point, scaled to the rules."""
        raw, scale = self.entries(point["vectors"], [[y] for y in point["within"]]), [mp.mpf(1)] * len(self.g)
        for rule in self.program["rules"]:
            spent = mp.mpf(0)
            if rule["kind"] == "budget":
                pairs = zip(rule["groups"], rule["weight"], strict=True)
                spent = mp.fsum(self.g[a] * real(w) * raw.own[a] for a, w in pairs) / real(rule["total"])
            for a in rule["groups"]:
                used = raw.own[a] / real(rule["value"]) if "value" in rule else spent
                if rule["kind"] != "ridge":
                    scale[a] = 1 / mp.sqrt(used if rule["kind"] == "fixed" else max(1, used))
        own = [scale[a] ** 2 * raw.own[a] for a in self.groups]
        return Entries(own, {(a, b): scale[a] * scale[b] * x for (a, b), x in raw.peer.items()})

    def lower(self, witness: Document, upper: Any) -> Any:
        """L, as the page has it; −∞ where nothing is proven."""
        start = Entries(
            [self.own_entry(a, x) for a, x in enumerate(witness["own"])],
            {(a, b): real(witness["peer"][a][b - a]) for a, b in self.pairs},
        )
        own: list[Any] = [mp.mpf(0)] * len(self.g)
        peer: dict[tuple[int, int], Any] = dict.fromkeys(self.pairs, mp.mpf(0))
        for row in self.rows:
            _, slopes = row.value_and_slopes(start)
            each = row.weight / (self.g[row.a] * self.tau)
            own[row.a] += each * slopes[0]
            for b in self.groups:
                pair = (min(row.a, b), max(row.a, b))
                if pair in peer:
                    peer[pair] += each * slopes[1 + b] * (1 if row.a == b else mp.mpf(1) / 2)
        slack = self.slack(witness)
        needed = [x - y for x, y in zip(slack.own, own, strict=True)]
        inner = mp.fsum(self.g[a] * own[a] * start.own[a] for a in self.groups)
        for (a, b), d in peer.items():
            left = d - slack.peer[a, b]
            left = abs(min(0, left)) if self.program["nonnegative"] else abs(left)
            inner += self.g[a] * (self.g[b] - (a == b)) * d * start.peer[a, b] * (1 if a == b else 2)
            needed[a] += (self.g[b] - (a == b)) * left
            needed[b] += 0 if a == b else self.g[a] * left
        charges = [self.charge(rule, needed, upper) for rule in self.program["rules"]]
        return self.objective(start) - self.floor - inner - mp.fsum(charges)

    def own_entry(self, a: int, spelled: str) -> Any:
        rule = next(rule for rule in self.program["rules"] if a in rule["groups"])
        near = "value" in rule and float.fromhex(spelled) == float(Fraction(rule["value"]))
        return real(rule["value"] if near else spelled)

    def slack(self, witness: Document) -> Entries:
        found = self.entries(witness["factor"], witness["within"])
        for cluster in witness["clusters"]:
            w = {a: real(x) for a, x in zip(cluster["groups"], cluster["weight"], strict=True)}
            kappa, omega = real(cluster["kappa"]), mp.fsum(self.g[a] * x for a, x in w.items())
            for a, x in w.items():
                found.own[a] += kappa * (x - x * x / omega)
            for a, b in self.pairs:
                if a in w and b in w:
                    found.peer[a, b] -= kappa * w[a] * w[b] / omega
        return found

    def charge(self, rule: Document, needed: list[Any], upper: Any) -> Any:
        inside = rule["groups"]
        if "value" in rule:
            kept = [needed[a] if rule["kind"] == "fixed" else max(0, needed[a]) for a in inside]
            return real(rule["value"]) * mp.fsum(self.g[a] * x for a, x in zip(inside, kept, strict=True))
        ratio = max(needed[a] / real(w) for a, w in zip(inside, rule["weight"], strict=True))
        if rule["kind"] == "budget":
            return real(rule["total"]) * max(0, ratio)
        return max(0, ratio - 1) * upper if self.has_floor else mp.inf
