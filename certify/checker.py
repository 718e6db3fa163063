"""Check a gramcert certificate with nothing but Python: one file, standard library only.

    python certify/checker.py FILE          exit 0: accepted · 1: rejected · 2: unusable file

docs/certificate-format.md has the format and the mathematics; the names here are the names there. What has
to be trusted: this file, `json`, `fractions` and integers (exact), and `decimal`, which rounds sums, products
and quotients as told, and exp, ln and sqrt to the nearest number, so that the next one outward encloses them.
"""

from __future__ import annotations

import decimal
import hashlib
import json
import math
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

SCHEMA = "gramcert/certificate/1"
LARGEST_FILE = 100_000_000  # bytes
LARGEST_NUMBER = 200  # characters of a number
LARGEST_PROGRAM = 1_000  # groups, rows; its square bounds the pairs in clusters
LARGEST_DENOMINATOR = 20_000  # bits of a common denominator of targets
LARGEST_WORK = 4 * 10**9  # products of machine words in inner products: a few minutes
LARGEST_EVALUATION = 10**11  # pairs of groups · digits³, which exponentials cost: some ten seconds
FEWEST_DIGITS, MOST_DIGITS = 45, 3_000
UNCHECKED = "program proven; correspondence to the named loss unchecked"


class UnusableError(Exception):
    """The file is not a certificate."""


class RejectedError(Exception):
    """The certificate claims what is false, or what it does not prove."""


@dataclass(frozen=True)
class Verdict:
    """What became of a certificate: one line in words, and the bounds on the loss that are proven."""

    accepted: bool
    message: str
    lower: str | None = None
    upper: str | None = None
    gap: str | None = None
    correspondence: bool = False  # whether the table of losses builds this program from the claimed problem
    usable: bool = True


# ------------------------------------------------------------------------------------------------ intervals
# Operators on Decimals would round by the context of the thread, so every operation names one of these two.
# What would make a NaN or +∞ raises; −∞ comes up as log 0 only. Underflow is rounded outward like the rest.
_TRAPS = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
DOWN = Context(FEWEST_DIGITS, decimal.ROUND_FLOOR, decimal.MIN_EMIN, decimal.MAX_EMAX, traps=_TRAPS)
UP = Context(FEWEST_DIGITS, decimal.ROUND_CEILING, decimal.MIN_EMIN, decimal.MAX_EMAX, traps=_TRAPS)
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)


class Interval:
    """A real number known to lie in [lo, hi]; operations round lo down and hi up."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Decimal, hi: Decimal) -> None:
        self.lo, self.hi = lo, hi

    def __add__(self, other: Interval) -> Interval:
        return Interval(DOWN.add(self.lo, other.lo), UP.add(self.hi, other.hi))

    def __sub__(self, other: Interval) -> Interval:
        return Interval(DOWN.subtract(self.lo, other.hi), UP.subtract(self.hi, other.lo))

    def __mul__(self, other: Interval) -> Interval:
        a, b, c, d = self.lo, self.hi, other.lo, other.hi
        if a >= ZERO and c >= ZERO:
            return Interval(DOWN.multiply(a, c), UP.multiply(b, d))
        corners = ((a, c), (a, d), (b, c), (b, d))  # a product on a box is extreme at corners
        return Interval(min(DOWN.multiply(*z) for z in corners), max(UP.multiply(*z) for z in corners))

    def __truediv__(self, other: Interval) -> Interval:
        if other.lo <= ZERO:
            raise ZeroDivisionError("a divisor is not known to be positive")
        return self * Interval(DOWN.divide(ONE, other.hi), UP.divide(ONE, other.lo))

    def __abs__(self) -> Interval:
        low, high = self.hi.copy_negate(), self.lo.copy_negate()  # of −x, exact where -x would round
        return Interval(max(self.lo, low, ZERO), max(self.hi, high))

    def at_least(self, least: Decimal) -> Interval:
        """Return max(x, least)."""
        return Interval(max(self.lo, least), max(self.hi, least))

    def mapped(self, function: Callable[[Context, Decimal], Decimal]) -> Interval:
        """Return ln or sqrt, which increase and which `decimal` rounds to the nearest number."""
        return Interval(DOWN.next_minus(function(DOWN, self.lo)), UP.next_plus(function(UP, self.hi)))

    def exp(self) -> Interval:
        """Return eˣ, not below 0 where it underflows."""
        low, width = DOWN.exp(self.lo), UP.subtract(self.hi, self.lo)  # low is rounded to nearest
        if width > ONE:
            return self.mapped(Context.exp).at_least(ZERO)
        growth = UP.add(ONE, UP.multiply(TWO, width))  # eʷ ≤ 1 + 2w for w ≤ 1: one exponential is enough
        return Interval(max(ZERO, DOWN.next_minus(low)), UP.multiply(UP.next_plus(low), growth))

    def log1p(self) -> Interval:
        """Return log(1 + x) for x ≥ 0, relatively accurate however small x is."""
        if self.hi.adjusted() < -DOWN.prec:  # x/(1 + x) ≤ log(1 + x) ≤ x are near enough
            return Interval(DOWN.divide(self.lo, UP.add(ONE, self.lo)), self.hi)
        down, up = DOWN.copy(), UP.copy()
        down.prec = up.prec = 2 * DOWN.prec + 2  # 1 + x swallows at most half of these digits
        low = DOWN.plus(down.next_minus(down.ln(down.add(ONE, self.lo))))
        return Interval(max(ZERO, low), UP.plus(up.next_plus(up.ln(up.add(ONE, self.hi)))))


NOTHING, UNIT = Interval(ZERO, ZERO), Interval(ONE, ONE)


def enclose(number: float | Fraction) -> Interval:
    """Return the interval of an exact number: an integer, a fraction or a binary64."""
    top, bottom = map(Decimal, number.as_integer_ratio())  # exact, of any length
    return Interval(top, top) if bottom == ONE else Interval(DOWN.divide(top, bottom), UP.divide(top, bottom))


def total(numbers: Iterable[Interval]) -> Interval:
    """Return the sum."""
    return sum(numbers, NOTHING)


# -------------------------------------------------------------------------------------------------- reading
def require(condition: object, message: str) -> None:
    """Refuse the file unless the condition holds."""
    if not condition:
        raise UnusableError(message)


def leaf(kind: type, what: str, make: Callable[[Any], Any], pattern: str = "") -> Callable[[Any, str], Any]:
    """Return the reader of one kind of value; with a pattern, a short string that matches it."""

    def reader(value: Any, where: str) -> Any:
        short = type(value) is kind and (not pattern or len(value) <= LARGEST_NUMBER)
        require(short and (not pattern or re.fullmatch(pattern, value)), f"{where} is not {what}")
        return make(value)

    return reader


TEXT, FLAG, WHOLE = leaf(str, "text", str), leaf(bool, "true or false", bool), leaf(int, "an integer", int)
RATIONAL = leaf(str, 'a rational such as "1/10"', Fraction, r"-?[0-9]+(/0*[1-9][0-9]*)?")
REAL = leaf(str, 'a decimal such as "3.2e-14"', Decimal, r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,5})?")
BINARY64 = r"-?0x[01](\.[0-9a-f]{1,13})?p[+-]?[0-9]{1,4}"
DYADIC = leaf(str, 'a dyadic such as "0x1.8p-3"', float.fromhex, BINARY64)

# A list holds the shape of its items, a tuple that of what may be null; a key with ? may be missing.
PROBLEM = {"loss": TEXT, "counts": [[WHOLE]], "temperature": RATIONAL, "norm": TEXT, "ridge?": RATIONAL}
PROBLEM |= {"nonnegative": FLAG, "views": WHOLE, "order?": [WHOLE]}
CLAIM = {"words": TEXT, "problem": PROBLEM, "verdict": TEXT, "tolerance": REAL, "upper": REAL, "rank": WHOLE}
CLAIM |= dict.fromkeys(["lower", "excess_lower", "excess_upper", "gap", "gram_radius"], (REAL,))
RULE = {"kind": TEXT, "groups": [WHOLE], "value?": RATIONAL, "weight?": [RATIONAL], "total?": RATIONAL}
PER_ROW = {"every_row?": [RATIONAL], "rows?": [[RATIONAL]]}
ROWS = {"anchor": [WHOLE], "peer_multiplicity": PER_ROW, "peer_target": (PER_ROW,)}
ROWS |= {"weight": [RATIONAL], "own_multiplicity": [RATIONAL], "own_target": [RATIONAL]}
PROGRAM = {"roles": WHOLE, "multiplicity": [RATIONAL], "temperature": RATIONAL, "normaliser": RATIONAL}
PROGRAM |= {"nonnegative": FLAG, "rules": [RULE], "rows": [ROWS]}
CLUSTER = {"groups": [WHOLE], "weight": [RATIONAL], "kappa": DYADIC}
WITNESS = {"own": [DYADIC], "peer": [[DYADIC]], "factor": [[DYADIC]], "within": [[DYADIC]]}
POINT = {"vectors": [[DYADIC]], "within": [DYADIC]}
CERTIFICATE = {"schema": TEXT, "claim": CLAIM, "program": PROGRAM, "point": POINT, "sha256": TEXT}
CERTIFICATE |= {"witness": WITNESS | {"clusters": [CLUSTER]}, "made_by": leaf(dict, "an object", dict)}


def read(value: Any, shape: Any, where: str) -> Any:
    """Return a JSON value of this shape, with its numbers exact and its objects made namespaces."""
    if isinstance(shape, tuple):
        return None if value is None else read(value, shape[0], where)
    if isinstance(shape, list):
        require(isinstance(value, list), f"{where} is not an array")
        return [read(item, shape[0], where) for item in value]
    if not isinstance(shape, dict):
        return shape(value, where)
    require(isinstance(value, dict), f"{where} is not an object")
    wrong = {key for key in shape if key[-1] != "?"} ^ {key for key in value if f"{key}?" not in shape}
    require(not wrong, f"{where} lacks, or has no use for, the key {ascii(min(wrong, default=''))[:60]}")
    found = SimpleNamespace()
    for key, part in ((key.rstrip("?"), part) for key, part in shape.items()):
        setattr(found, key, read(value[key], part, f"{where}.{key}") if key in value else None)
    return found


# -------------------------------------------------------------------------------------------------- program
Orbit = tuple[int, ...]  # (a,): own entries of group a; (a, b), a ≤ b: entries of different members


class Row(NamedTuple):
    """The rows of the anchors of one group: of each orbit, own first, n entries, n·m and n·p."""

    anchor: int
    weight: Fraction
    terms: dict[Orbit, tuple[int, Fraction, Fraction]]

    def reads_differences(self) -> bool:
        """Whether p is 1 on the own entry and 0 elsewhere: the row sees entries minus own entry."""
        return [(k, p) for k, (_, _, p) in self.terms.items() if p] == [((self.anchor,), 1)]


class Rule(NamedTuple):
    """A rule on the diagonal: amount is the value or the total (or 1), weight is by group (or 1)."""

    kind: str
    amount: Fraction
    weight: dict[int, Fraction]


class Program(NamedTuple):
    """The exact program."""

    multiplicity: list[int]
    temperature: Fraction
    normaliser: Fraction
    nonnegative: bool
    rules: list[Rule]
    rows: list[Row]


def row_of(g: list[int], a: int, weight: Fraction, m: list[Fraction], p: list[Fraction]) -> Row:
    """Return a row from m and p of the own entry and of the entries with each group; no pair, no term."""
    counts = {(a,): 1} | {(min(a, b), max(a, b)): n - (a == b) for b, n in enumerate(g)}
    columns = zip(counts.items(), m, p, strict=True)
    return Row(a, weight, {orbit: (n, n * x, n * y) for (orbit, n), x, y in columns if n})


def read_program(said: Any) -> Program:
    """Return the program, refusing what docs/certificate-format.md does not allow."""
    g, m, rules, rows = said.multiplicity, len(said.multiplicity), [], []
    require(said.roles == 1 and 1 <= m <= LARGEST_PROGRAM, "not one role, or too few or many groups")
    require(all(x >= 1 and x.denominator == 1 for x in g), "a group has no whole number of members")
    require(said.temperature > 0 and said.normaliser > 0, "temperature or normaliser is not positive")
    needs = {"fixed": ["value"], "bounded": ["value"], "budget": ["total", "weight"], "ridge": ["weight"]}
    for rule in said.rules:
        given = [key for key in ("total", "value", "weight") if getattr(rule, key) is not None]
        require(given == needs.get(rule.kind), "a rule has not the numbers of its kind")
        weight = [Fraction(1)] * len(rule.groups) if rule.weight is None else rule.weight
        amount = Fraction(1) if rule.kind == "ridge" else getattr(rule, given[0])
        require(len(weight) == len(rule.groups) and min([amount, *weight]) > 0, "a rule does not fit")
        rules.append(Rule(rule.kind, amount, dict(zip(rule.groups, weight, strict=True))))
    ruled = sorted(a for rule in said.rules for a in rule.groups)
    require(ruled == list(range(m)), "a group is not in exactly one rule")
    for block in said.rows:
        rows += read_rows(block, [int(x) for x in g])
        require(len(rows) <= LARGEST_PROGRAM, "rows are too many")
    return Program([int(x) for x in g], said.temperature, said.normaliser, said.nonnegative, rules, rows)


def read_rows(said: Any, g: list[int]) -> list[Row]:
    """Return a block of rows."""
    t, columns = len(said.anchor), [said.anchor, said.weight]
    require(t <= LARGEST_PROGRAM and set(said.anchor) <= set(range(len(g))), "rows have bad anchors")
    for own, peer in ((said.own_multiplicity, said.peer_multiplicity), (said.own_target, said.peer_target)):
        every, each = ([Fraction(0)] * len(g), None) if peer is None else (peer.every_row, peer.rows)
        require((every is None) != (each is None), "rows need either every_row or rows")
        each = [every] * t if each is None else each
        fits = len(own) == len(each) == len(said.weight) == t and all(len(row) == len(g) for row in each)
        require(fits, "rows have not one number for each anchor and group")
        columns.append([[x, *row] for x, row in zip(own, each, strict=True)])
    rows = [row_of(g, *row) for row in zip(*columns, strict=True)]
    sums = [[m for _, m, _ in row.terms.values()] for row in rows]
    require(all(min(m) >= 0 < max(m) for m in sums), "multiplicities of a row are negative, or all zero")
    require(min(said.weight, default=1) > 0, "the weight of a row is not positive")
    return rows


# ------------------------------------------------------------------------------------------ witness and point
def inner_products(vectors: list[list[float]], squares: list[Fraction], g: list[int]) -> dict[Orbit, Any]:
    """Return ⟨v_a, v_b⟩ plus y_a² (δ_ij − 1/g_a) between the members i, j of each group; exact."""
    m, found = len(g), {}
    require(len(vectors) == len(squares) == m, "vectors are not one for each group")
    require(len(set(map(len, vectors))) == 1, "vectors are not equally long")
    unit = max((x.as_integer_ratio()[1] for row in vectors for x in row), default=1)  # a power of two
    rows = [[n * (unit // d) for n, d in map(float.as_integer_ratio, row)] for row in vectors]
    words = 1 + max((abs(x).bit_length() for row in rows for x in row), default=0) // 60
    require(m * m * len(rows[0]) * words <= LARGEST_WORK, "vectors have too many digits to multiply")
    for a, left in enumerate(rows):
        for b, right in enumerate(rows[a:], start=a):
            found[a, b] = Fraction(sum(map(operator.mul, left, right)), unit * unit)
    for a, square in enumerate(squares):
        found[a,] = found[a, a] + square - square / g[a]
        found[a, a] -= square / g[a]
        if g[a] == 1:  # no pair, no orbit
            del found[a, a]
    return found


def read_witness(said: Any, g: list[int]) -> Any:
    """Return M₀, Z and Y as inner products, and the clusters as pairs of weights by group and κ; exact."""
    m, squares = len(g), [sum((Fraction(x) ** 2 for x in row), Fraction(0)) for row in said.within]
    require([len(row) for row in said.peer] == list(range(m, 0, -1)), "witness.peer is not a triangle")
    require(len(said.own) == m and len(set(map(len, said.within))) == 1, "witness has lines of wrong lengths")
    require(sum(len(c.groups) ** 2 for c in said.clusters) <= LARGEST_PROGRAM**2, "clusters are too many")
    inner, clusters = inner_products(said.factor, squares, g), []
    for cluster in said.clusters:
        weight = dict(zip(cluster.groups, cluster.weight, strict=False))
        fits = len(weight) == len(cluster.groups) == len(cluster.weight) > 0 and set(weight) <= set(range(m))
        require(fits and min(cluster.weight) > 0 and cluster.kappa >= 0, "a cluster is malformed")
        clusters.append((weight, cluster.kappa))
    matrix = {k: said.peer[k[0]][k[1] - k[0]] if len(k) == 2 else said.own[k[0]] for k in inner}
    return SimpleNamespace(matrix=matrix, inner=inner, squares=squares, clusters=clusters)


def read_point(said: Any, program: Program) -> tuple[dict[Orbit, Any], int]:
    """Return the matrix before it is scaled to obey the rules, and its rank; exact."""
    g, y = program.multiplicity, [Fraction(x) for x in said.within]
    matrix = inner_products(said.vectors, [x * x for x in y], g)
    fits = min(y) >= 0 and not any(x and n == 1 for x, n in zip(y, g, strict=True))
    require(fits, "point.within is negative, or not 0 in a group of one")
    if program.nonnegative and min(matrix.values()) < 0:
        raise RejectedError("the point has a negative entry, so that it is no upper bound")
    if any(not matrix[a,] for rule in program.rules if rule.kind == "fixed" for a in rule.weight):
        raise RejectedError("a vector of the point is zero, where a rule fixes its norm")
    return matrix, len(said.vectors[0]) + sum(n - 1 for x, n in zip(y, g, strict=True) if x)


# --------------------------------------------------------------------------------------------------- bounds
class Proof:
    """Everything a certificate proves, at the precision of DOWN and UP: the floor (if any), L (if any), U."""

    def __init__(self, program: Program, witness: Any, point: dict[Orbit, Any]) -> None:
        self.program, self.witness, g = program, witness, program.multiplicity
        floors = [floor for row in program.rows if (floor := row_floor(row))]
        self.floors = floors if len(floors) == len(program.rows) else []
        shares = [enclose(row.weight / program.normaliser) for row in program.rows]
        self.floor = total(map(operator.mul, shares, floors)) if self.floors else None
        self.point = self.scaled(point)
        self.upper = self.rows_at(self.point)[1]
        for rule in (rule for rule in program.rules if rule.kind == "ridge"):
            self.upper += total(enclose(g[a] * w) * self.point[a,] for a, w in rule.weight.items())
        self.matrix = {k: enclose(x) for k, x in witness.matrix.items()}
        self.terms, excess = self.rows_at(self.matrix)
        slope, (slack, self.ties) = self.slopes(), self.dual_slack()
        self.needed = self.multipliers(slope, slack)
        self.lower: Interval | None = excess - total(slope[k] * x for k, x in self.matrix.items())
        for cost in map(self.charge, program.rules):
            self.lower = self.lower - cost if self.lower and cost else None

    def scaled(self, matrix: dict[Orbit, Any]) -> dict[Orbit, Interval]:
        """Return the matrix of the point, scaled to obey the rules."""
        g, root = self.program.multiplicity, {}
        for rule in self.program.rules:
            spent = total(enclose(g[a] * w) * enclose(matrix[a,]) for a, w in rule.weight.items())
            for a in rule.weight:
                used = (spent if rule.kind == "budget" else enclose(matrix[a,])) / enclose(rule.amount)
                used = used if rule.kind == "fixed" else used.at_least(ONE)
                root[a] = (UNIT if rule.kind == "ridge" else UNIT / used).mapped(Context.sqrt)
        return {k: root[k[0]] * root[k[-1]] * enclose(x) for k, x in matrix.items()}

    def dual_slack(self) -> tuple[dict[Orbit, Interval], dict[Orbit, Interval]]:
        """Return W, and how strongly it ties different members to one point."""
        g, slack = self.program.multiplicity, {k: enclose(x) for k, x in self.witness.inner.items()}
        ties = {(a, a): enclose(square / g[a]) for a, square in enumerate(self.witness.squares)}
        for cluster, kappa in self.witness.clusters:
            w = {a: enclose(x) for a, x in cluster.items()}
            pull = enclose(kappa) / total(enclose(g[a]) * w[a] for a in w)
            for a in w:
                slack[a,] += enclose(kappa) * w[a] - pull * w[a] * w[a]
            for a, b in ((a, b) for a in w for b in w if (a, b) in slack):
                slack[a, b] -= pull * w[a] * w[b]
                ties[a, b] = ties.get((a, b), NOTHING) + pull * w[a] * w[b]
        return slack, ties

    def rows_at(self, matrix: dict[Orbit, Interval]) -> tuple[list[list[Interval]], Interval]:
        """Return the terms n m e^{x/τ} of every row at a matrix, and the excess of all rows together."""
        tau, terms, excess = enclose(self.program.temperature), [], NOTHING
        exponential = {k: (x / tau).exp() for k, x in matrix.items()}
        for i, row in enumerate(self.program.rows):
            terms.append([enclose(m) * exponential[k] for k, (_, m, _) in row.terms.items()])
            if self.floors and row.reads_differences():
                value = (total(terms[i][1:]) / terms[i][0]).log1p()  # as below, without its cancellation
            else:
                linear = total(enclose(p) * matrix[k] for k, (_, _, p) in row.terms.items() if p)
                value = total(terms[i]).mapped(Context.ln) - linear / tau
                value -= self.floors[i] if self.floors else NOTHING
            excess += enclose(row.weight / self.program.normaliser) * value
        return terms, excess

    def slopes(self) -> dict[Orbit, Interval]:
        """Return the derivative of the rows by each orbit at M₀: D times the number of its entries."""
        found = dict.fromkeys(self.matrix, NOTHING)
        for row, terms in zip(self.program.rows, self.terms, strict=True):
            scale = enclose(row.weight / (self.program.normaliser * self.program.temperature))
            share, a, p = scale / total(terms), row.anchor, row.terms[row.anchor,][2]
            # π₀ − p = (1 − p) − the other π, which does not cancel where p = 1
            found[a,] += scale * enclose(1 - p) - share * total(terms[1:]) if p else share * terms[0]
            for (k, (_, _, p)), term in zip([*row.terms.items()][1:], terms[1:], strict=True):
                found[k] += share * term - scale * enclose(p) if p else share * term
        return found

    def multipliers(self, slope: dict[Orbit, Interval], slack: dict[Orbit, Interval]) -> list[Interval]:
        """Return ν for which D + diag(ν) − (what M ≥ 0 pays for) ⪰ W, by diagonal dominance."""
        g = self.program.multiplicity
        needed = [slack[a,] - slope[a,] / enclose(n) for a, n in enumerate(g)]
        for a, b in (k for k in slope if len(k) == 2):
            entries = 2 * g[a] * g[b] if a < b else g[a] * (g[a] - 1)  # in the full matrix
            left = slack[a, b] - slope[a, b] / enclose(entries)  # W − D
            size = left.at_least(ZERO) if self.program.nonnegative else abs(left)
            needed[a] += enclose(g[b] - (a == b)) * size
            needed[b] += enclose(g[a]) * size if a < b else NOTHING
        return needed

    def charge(self, rule: Rule) -> Interval | None:
        """Return what multipliers ν ≥ needed cost the bound under a rule, if it admits any."""
        nu, g, amount = self.needed, self.program.multiplicity, enclose(rule.amount)
        if rule.kind in ("fixed", "bounded"):
            admitted = nu if rule.kind == "fixed" else [x.at_least(ZERO) for x in nu]
            return amount * total(enclose(g[a]) * admitted[a] for a in rule.weight)
        free = UNIT if rule.kind == "ridge" else NOTHING
        prices = [nu[a] / enclose(w) - free for a, w in rule.weight.items()]
        price = Interval(max(x.lo for x in prices), max(x.hi for x in prices)).at_least(ZERO)
        if rule.kind == "budget" or not price.hi:
            return price * amount
        return price * self.upper if self.floor else None

    def moduli(self, rho: Decimal) -> dict[Orbit, Decimal]:
        """Return lower bounds on μ_ab over the box of deviations ≤ ρ from M₀, for the pairs that are read."""
        g, tau, parts, found = self.program.multiplicity, self.program.temperature, {}, {}
        f = (Interval(rho, rho) / enclose(tau)).exp()
        for row, (base, *others) in zip(self.program.rows, self.terms, strict=True):
            omega, spread = row.weight / (g[row.anchor] * self.program.normaliser), base + f * total(others)
            factor = enclose(omega / tau**2) * base / (f * spread * spread)
            for (k, (n, m, _)), term in zip([*row.terms.items()][1:], others, strict=True):
                if m and row.terms[row.anchor,][1]:
                    parts.setdefault(k, []).append((factor * term / enclose(n)).lo)
        fixed = {a for rule in self.program.rules if rule.kind == "fixed" for a in rule.weight}
        for (a, b), h in parts.items():  # fixed own entries: the rows of both members read the same change
            both = DOWN.add(h[0], h[-1]) if a == b or len(h) == 2 else h[0]
            found[a, b] = both if {a, b} <= fixed else min(h)
        return found

    def proves_radius(self, radius: Decimal, gap: Decimal) -> bool:
        """Whether |M_ij − point_ij| ≤ radius for all M with excess ≤ U and all i ≠ j, if U − L ≤ gap."""
        rows, own, read = self.program.rows, self.witness.matrix, self.moduli(ZERO)
        rules = {a: (rule.kind, rule.amount) for rule in self.program.rules for a in rule.weight}
        plain = all(kind in ("fixed", "bounded") and own[a,] == x for a, (kind, x) in rules.items())
        plain, reaches = plain and all(row.reads_differences() for row in rows), []
        least = min((self.needed[a].lo for a, (kind, _) in rules.items() if kind == "bounded"), default=ONE)
        if not plain or least <= ZERO or len({row.anchor for row in rows}) < len(rows):
            return False
        for a, b in (k for k in self.point if len(k) == 2):
            tie, entry, kinds = self.ties.get((a, b), NOTHING).lo, self.point[a, b], {rules[a], rules[b]}
            if tie > ZERO and len(kinds) == 1 and rules[a][0] == "fixed":
                apart = UP.divide(gap, DOWN.multiply(TWO, tie))
                if UP.add(apart, abs(enclose(rules[a][1]) - entry).hi) <= radius:
                    continue
            sigma = UP.divide(gap, least) if "bounded" in (rules[a][0], rules[b][0]) else ZERO
            left = DOWN.subtract(radius, UP.add(sigma, abs(self.matrix[a, b] - entry).hi))
            if left <= ZERO or (a, b) not in read:
                return False
            reaches.append(left)
        rho = min(reaches, default=ZERO)
        for _ in range(100 if reaches else 0):  # is ½ ρ² μ > G for all that is read, with a ρ in reach?
            curvature = DOWN.multiply(DOWN.multiply(rho, rho), min(self.moduli(rho).values()))
            if curvature > UP.multiply(TWO, gap):
                return True
            rho = DOWN.divide(rho, TWO)
        return not reaches


def row_floor(row: Row) -> Interval | None:
    """Return Σ p log(m/p) where p is a distribution on terms with m > 0, and None elsewhere."""
    used = [(p, m / p) for _, m, p in row.terms.values() if p]
    distinct = {p.denominator for p, _ in used}
    require(sum(map(int.bit_length, distinct)) <= LARGEST_DENOMINATOR, "targets have too many denominators")
    common = math.lcm(*distinct)
    sums_to_one = sum(p.numerator * (common // p.denominator) for p, _ in used) == common
    if not sums_to_one or any(p < 0 or ratio <= 0 for p, ratio in used):
        return None
    return total(enclose(p) * enclose(ratio).mapped(Context.ln) for p, ratio in used)


# --------------------------------------------------------------------------------------- the table of losses
def supcon(problem: Any, n: list[int], g: list[int]) -> Program:
    """L_out (Khosla et al. 2020), mean over anchors, by classes: g classes of each size n.

    (1/N₊) Σ_{c: n_c ≥ 2} n_c log(n_c − 1 + Σ_{c' ≠ c} n_c' e^{(M_cc' − M_cc)/τ}), ridge (λ/2) Σ_c n_c M_cc.
    """
    sizes, target = [Fraction(x) for x in n], [Fraction(1)] + [Fraction(0)] * len(n)
    anchored = [a for a, x in enumerate(n) if x >= 2]
    rows = [row_of(g, a, sizes[a] * g[a], [sizes[a] - 1, *sizes], target) for a in anchored]
    kind = {"sphere": "fixed", "ball": "bounded", "ridge": "ridge"}[problem.norm]
    weight = {a: problem.ridge * x / 2 if kind == "ridge" else Fraction(1) for a, x in enumerate(sizes)}
    rules, normaliser = [Rule(kind, Fraction(1), weight)], sum((row.weight for row in rows), Fraction(0))
    return Program(g, problem.temperature, normaliser, problem.nonnegative, rules, rows)


LOSSES = {"supcon": supcon}


def corresponds(problem: Any, program: Program) -> bool:
    """Whether the table builds the program from the claimed problem; False where it lacks the loss."""
    counts, order, ridge = problem.counts, problem.order, problem.ridge
    require(len(counts) <= LARGEST_PROGRAM, "counts are too many")
    require(all(len(pair) == 2 and min(pair) >= 1 for pair in counts), "counts are not [size, classes]")
    require(problem.views >= 1 and problem.temperature > 0, "views or temperature are not positive")
    n, g = [pair[0] * problem.views for pair in counts], [pair[1] for pair in counts]
    require(n == sorted(set(n), reverse=True), "counts do not stand largest first, each size once")
    require(sum(g) >= 2 and n[0] >= 2, "the problem has one class only, or no class of two samples")
    require(order is None or Counter(order) == Counter(dict(enumerate(g))), "order does not fit the counts")
    require(problem.norm in ("sphere", "ball", "ridge"), "norm is not sphere, ball or ridge")
    require((ridge is not None) == (problem.norm == "ridge"), "ridge is missing, or has no use")
    require(ridge is None or ridge > 0, "ridge is not positive")
    if problem.loss in LOSSES and LOSSES[problem.loss](problem, n, g) != program:
        raise RejectedError("the program is not that of the claimed problem")
    return problem.loss in LOSSES


# -------------------------------------------------------------------------------------------------- verdict
def unproven(claim: Any, proof: Proof, cautious: bool) -> str | None:
    """Return what is claimed beyond the bounds, taken at their cautious ends or else at the hopeful ones."""
    floor, lower, upper = proof.floor, proof.lower, proof.upper
    proven = {"upper": (floor or NOTHING) + upper, "lower": lower and (floor or NOTHING) + lower}
    proven |= {
        "gap": lower and upper - lower,
        "excess_upper": floor and upper,
        "excess_lower": floor and lower,
    }
    for name, bound in proven.items():
        said, is_lower = getattr(claim, name), name.endswith("lower")
        if said is not None and bound:
            sure = bound.lo if is_lower == cautious else bound.hi
            if said > sure if is_lower else said < sure:
                return f"{name} is claimed to be {said:.25}, and {sure:.25} is proven"
        elif said is not None or (bound and (name == "excess_upper" or claim.lower is not None)):
            return f"{name} is claimed, and nothing is proven" if said is not None else f"{name} is missing"
    if not lower:
        return None
    gap, size = upper - lower, lower if floor else abs(lower).at_least(ONE)
    worst, least = (gap.hi, size.lo) if cautious else (gap.lo, size.hi)
    if claim.verdict == "CERTIFIED" and worst > DOWN.multiply(claim.tolerance, least):
        return "the verdict CERTIFIED is not proven: the gap is above the tolerance"
    if claim.gram_radius is not None and not proof.proves_radius(claim.gram_radius, worst):
        return "the Gram radius is not proven"
    return None


def examine(said: Any) -> Verdict:
    """Recompute everything that a certificate claims."""
    claim, program = said.claim, read_program(said.program)
    require(claim.verdict in ("CERTIFIED", "UNDECIDED"), "claim.verdict is neither CERTIFIED nor UNDECIDED")
    strong = claim.verdict == "CERTIFIED" or claim.gram_radius is not None
    require(claim.tolerance >= 0 and not (strong and None in (claim.lower, claim.gap)), "claim is incomplete")
    named = corresponds(claim.problem, program)
    witness, (point, rank) = read_witness(said.witness, program.multiplicity), read_point(said.point, program)
    if claim.rank != rank:
        raise RejectedError(f"the rank is {rank}, not what is claimed")
    digits, cost = FEWEST_DIGITS, len(program.multiplicity) ** 2 // 2 + 20
    while True:
        DOWN.prec = UP.prec = digits
        proof = Proof(program, witness, point)
        reason = unproven(claim, proof, cautious=True)
        false = reason and unproven(claim, proof, cautious=False)
        if false or not reason:
            reason = false
            break
        digits *= 2
        if digits > MOST_DIGITS or cost * digits**3 > LARGEST_EVALUATION:
            reason = f"could not decide with {digits // 2} digits: {reason}"
            break
    DOWN.prec = UP.prec = 25
    base, lower = proof.floor or NOTHING, proof.lower
    low, gap = (str((base + lower).lo), str((proof.upper - lower).hi)) if lower else (None, None)
    bounds = (low, str((base + proof.upper).hi), gap, named)
    if reason:
        return Verdict(False, f"rejected: {reason}", *bounds)
    proven = f"{low} <= least loss <= {bounds[1]}, gap <= {gap}" + ("" if named else f" ({UNCHECKED})")
    return Verdict(True, f"accepted: {claim.verdict} at tolerance {claim.tolerance}, {proven}", *bounds)


def parse(text: str) -> Any:
    """Return the JSON value of a certificate whose hash fits its claim."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "an object has a key twice")
        return dict(pairs)

    def refuse(_: str) -> Any:
        raise UnusableError("a JSON number is not an integer; a certificate spells others as strings")

    found = json.loads(text, object_pairs_hook=unique, parse_float=refuse, parse_constant=refuse)
    require(isinstance(found, dict) and found.get("schema") == SCHEMA, f"the schema is not {SCHEMA}")
    claim = json.dumps(found.get("claim"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    if hashlib.sha256(claim.encode()).hexdigest() != found.get("sha256"):
        raise RejectedError("the hash is not that of the claim")
    return found


def check(text: str) -> Verdict:
    """Check the text of a certificate; whatever it holds, the answer is a verdict."""
    return judged(lambda: text)


def check_file(path: str | Path) -> Verdict:
    """Check a certificate file."""

    def load() -> str:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        require(len(content) <= LARGEST_FILE, f"it has more than {LARGEST_FILE} bytes")
        return content.decode()

    return judged(load)


def judged(load: Callable[[], str]) -> Verdict:
    """Return the verdict on a text, and nothing else: no error leaves this function."""
    try:
        return examine(read(parse(load()), CERTIFICATE, "certificate"))
    except RejectedError as error:
        return Verdict(False, f"rejected: {error}")
    except ArithmeticError:
        return Verdict(False, "rejected: its numbers are too large or too small to compute with")
    except UnusableError as error:
        return Verdict(False, f"unusable file: {error}", usable=False)
    except Exception as error:  # no text, no JSON, too deep, too large: whatever it is, it is no certificate
        said = f"unusable file: {type(error).__name__}, {ascii(str(error))[:100]}"
        return Verdict(False, said, usable=False)


if __name__ == "__main__":
    usage = Verdict(False, "usage: python certify/checker.py FILE", usable=False)
    outcome = check_file(sys.argv[1]) if len(sys.argv) == 2 else usage
    print(outcome.message)
    sys.exit(0 if outcome.accepted else 1 if outcome.usable else 2)
