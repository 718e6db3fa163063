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
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

LARGEST_FILE = 100_000_000  # bytes
LARGEST_NUMBER = 200  # characters of a number
LARGEST_PROGRAM = 1_000  # groups, rows; its square bounds the pairs in clusters
LARGEST_DENOMINATOR = 20_000  # bits of a common denominator of targets
LARGEST_WORK = 4 * 10**9  # products of machine words in inner products: a few minutes
LARGEST_EVALUATION = 10**11  # pairs of groups · digits³, which exponentials cost: some ten seconds
FEWEST_DIGITS = 45


class UnusableError(Exception):
    """The file is not a certificate."""


class RejectedError(Exception):
    """The certificate claims what is false, or what it does not prove."""


class Verdict(NamedTuple):
    """What became of a certificate, in one line of words as well; `named`: its loss is known, and is this."""

    accepted: bool
    message: str
    usable: bool = True
    named: bool = False


# ------------------------------------------------------------------------------------------------ intervals
# Operators on Decimals would round by the context of the thread, so every operation names one of these two.
# What would make a NaN or +∞ raises; −∞ comes up as log 0 only. Underflow is rounded outward like the rest.
_TRAPS = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
DOWN = Context(FEWEST_DIGITS, decimal.ROUND_FLOOR, decimal.MIN_EMIN, decimal.MAX_EMAX, traps=_TRAPS)
UP = Context(FEWEST_DIGITS, decimal.ROUND_CEILING, decimal.MIN_EMIN, decimal.MAX_EMAX, traps=_TRAPS)
ZERO, ONE = Decimal(0), Decimal(1)


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
        return self.at_least(NOTHING - self)

    def at_least(self, other: Interval) -> Interval:
        """Return the larger of two numbers."""
        return Interval(max(self.lo, other.lo), max(self.hi, other.hi))

    def mapped(self, function: Callable[[Context, Decimal], Decimal]) -> Interval:
        """Return ln or sqrt, which increase and which `decimal` rounds to the nearest number."""
        return Interval(DOWN.next_minus(function(DOWN, self.lo)), UP.next_plus(function(UP, self.hi)))

    def exp(self) -> Interval:
        """Return eˣ, not below 0 where it underflows; of the width w = hi − lo, eʷ is cheap."""
        low, growth = DOWN.exp(self.lo), UP.next_plus(UP.exp(UP.subtract(self.hi, self.lo)))
        return Interval(max(ZERO, DOWN.next_minus(low)), UP.multiply(UP.next_plus(low), growth))

    def log1p(self) -> Interval:
        """Return log(1 + x) for x ≥ 0, relatively accurate however small x is."""
        down, up = DOWN.copy(), UP.copy()
        down.prec = up.prec = 2 * DOWN.prec + 2  # 1 + x swallows at most half of these digits, or
        low, high = DOWN.divide(self.lo, UP.add(ONE, self.lo)), self.hi  # x/(1 + x) ≤ log(1 + x) ≤ x are near
        fine = Interval(down.add(ONE, self.lo), up.add(ONE, self.hi))
        fine = Interval(down.next_minus(down.ln(fine.lo)), up.next_plus(up.ln(fine.hi)))
        return Interval(max(low, DOWN.plus(fine.lo)), min(high, UP.plus(fine.hi)))


NOTHING, UNIT, HALF = Interval(ZERO, ZERO), Interval(ONE, ONE), Interval(Decimal("0.5"), Decimal("0.5"))


def enclose(number: float | Fraction) -> Interval:
    """Return the interval of an exact number: an integer, a fraction or a binary64."""
    top, bottom = map(Decimal, number.as_integer_ratio())  # exact, of any length
    return Interval(top, top) if bottom == ONE else Interval(DOWN.divide(top, bottom), UP.divide(top, bottom))


def total(numbers: Iterable[Interval]) -> Interval:
    """Return the sum."""
    return sum(numbers, NOTHING)


# -------------------------------------------------------------------------------------------------- reading
def require(condition: object, message: str, error: type[Exception] = UnusableError) -> None:
    """Refuse the file, or reject the certificate, unless the condition holds."""
    if not condition:
        raise error(message)


def leaf(kind: type, what: str, make: Any, fits: Callable[[Any], Any] = lambda _: True) -> Any:
    """Return the reader of one kind of value."""

    def reader(value: Any, where: str) -> Any:
        require(type(value) is kind and fits(value), f"{where} is not {what}")
        return make(value)

    return reader


def spelled(what: str, make: Any, pattern: str) -> Any:
    """Return the reader of a short text that matches a pattern."""
    return leaf(str, what, make, lambda text: len(text) <= LARGEST_NUMBER and re.fullmatch(pattern, text))


def lowest(text: str) -> Fraction:
    """Return a rational in lowest terms, as which alone it may be written."""
    number = Fraction(text)
    require(("/" not in text and text != "-0") or str(number) == text, f"{text} is not in lowest terms")
    return number


TEXT, FLAG = leaf(str, "text", str), leaf(bool, "true or false", bool)
VERSIONS = leaf(dict, "an object of texts", dict, lambda x: {type(y) for y in x.values()} <= {str})
INDEX = leaf(int, "an integer from 0 on", int, lambda n: n >= 0)
COUNT = leaf(int, "a positive integer", int, lambda n: n > 0)
HEX = r"(\.[0-9a-f]{1,13})?p[+-]?[0-9]{1,4}"
WHOLE, OVER = "(0|[1-9][0-9]*)", "(/[1-9][0-9]*)?"
RATIONAL = spelled('a rational such as "1/10"', lowest, "-?" + WHOLE + OVER)
UNSIGNED = spelled('a rational such as "0"', lowest, WHOLE + OVER)
POSITIVE = spelled('a positive rational such as "1/10"', lowest, "[1-9][0-9]*" + OVER)
DYADIC = spelled('a dyadic such as "0x1.8p-3"', float.fromhex, "-?0x[01]" + HEX)
SIZE = spelled('a dyadic such as "0x1.8p-3"', float.fromhex, rf"0x[01]{HEX}|-0x0(\.0)?p\+0")  # ≥ 0
REAL = spelled('a decimal such as "3.2e-14"', Decimal, r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,5})?")
WORDS = ("gramcert/certificate/2", "groups|classes|samples", "CERTIFIED|UNDECIDED", "[a-z0-9-]+")
SCHEMA, LEVEL, VERDICT, NAME = (spelled(word, str, word) for word in WORDS)
KIND = spelled("of a kind that is known here", str, "log-sum-exp")


def norm_of(value: Any, where: str) -> tuple[str, Fraction | None]:
    """Return a norm such as {"ridge": "1/10"}, as its kind and its number."""
    require(isinstance(value, dict) and len(value) == 1, f"{where} is not a norm")
    ((kind, number),) = value.items()
    needs = {"sphere": False, "ball": False, "ridge": True, "mean-square": True}
    fits = kind in needs and (number is not None if needs[kind] else number != "1")  # a radius of 1 is null
    require(fits, f"{where} is not a norm")
    return kind, None if number is None else POSITIVE(number, where)


def loss_of(value: Any, where: str) -> dict[str, Any]:
    """Return a loss: its name, and parameters that its entry in the table reads."""
    require(isinstance(value, dict) and "name" in value, f"{where} has no name")
    return value | {"name": NAME(value["name"], where)}


# A list holds the shape of its items, a tuple that of what may be null; a key with ? may be missing.
PROBLEM = {"loss": loss_of, "counts": [[COUNT]], "temperature": POSITIVE, "norm": norm_of}
PROBLEM |= {"nonnegative": FLAG, "views": COUNT, "order?": [INDEX]}
CLAIM = {"words": TEXT, "problem": (PROBLEM,), "level": (LEVEL,), "verdict": VERDICT, "tolerance": REAL}
CLAIM |= {"rank": INDEX, "upper": REAL, "lower": (REAL,), "excess_lower": (REAL,), "excess_upper": (REAL,)}
CLAIM |= {"gap": (REAL,), "gram_radius": (REAL,)}
RULE = {"kind": TEXT, "groups": [INDEX], "value?": POSITIVE, "weight?": [POSITIVE], "total?": POSITIVE}
ROWS = {"kind": KIND, "anchor": [INDEX], "weight": [POSITIVE], "own_multiplicity": [UNSIGNED]}
ROWS |= {"own_target": [RATIONAL], "peer_multiplicity": {"every_row?": [UNSIGNED], "rows?": [[UNSIGNED]]}}
ROWS |= {"peer_target": ({"every_row?": [RATIONAL], "rows?": [[RATIONAL]]},)}
PROGRAM = {"multiplicity": [POSITIVE], "temperature": POSITIVE, "normaliser": POSITIVE}
PROGRAM |= {"nonnegative": FLAG, "rules": [RULE], "rows": [ROWS]}
WITNESS = {"own": [DYADIC], "peer": [[DYADIC]], "factor": [[DYADIC]], "within": [[DYADIC]]}
WITNESS |= {"clusters": [{"groups": [INDEX], "weight": [POSITIVE], "kappa": SIZE}]}
CERTIFICATE = {"schema": SCHEMA, "claim": CLAIM, "program": PROGRAM, "witness": WITNESS}
CERTIFICATE |= {"point": {"vectors": [[DYADIC]], "within": [SIZE]}, "sha256": TEXT, "made_by": VERSIONS}


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
    parts = {key.rstrip("?"): part for key, part in shape.items()}
    found = {key: read(value[key], part, f"{where}.{key}") for key, part in parts.items() if key in value}
    return SimpleNamespace(**dict.fromkeys(parts) | found)


# -------------------------------------------------------------------------------------------------- program
Orbit = tuple[int, ...]  # (a,): own entries of group a; (a, b), a ≤ b: entries of different members


class Row(NamedTuple):
    """The rows of one group: weight/normaliser; and of each orbit, own first, n entries, n·m and n·p."""

    anchor: int
    weight: Fraction
    terms: dict[Orbit, tuple[int, Fraction, Fraction]]

    def reads_differences(self) -> bool:
        """Whether p is 1 on the own entry and 0 elsewhere: the row sees entries minus own entry."""
        return [(k, p) for k, (_, _, p) in self.terms.items() if p] == [((self.anchor,), 1)]


class Rule(NamedTuple):
    """A rule on Σ g weight M_aa: its total (or 1) and weights by group; fixed or bounded, of one group."""

    kind: str
    total: Fraction
    weight: dict[int, Fraction]


class Program(NamedTuple):
    """The exact program."""

    multiplicity: list[int]
    temperature: Fraction
    nonnegative: bool
    rules: list[Rule]
    rows: list[Row]


def orbits(g: list[int]) -> dict[Orbit, int]:
    """Return the number of entries of each orbit in the full matrix; no pair, no orbit."""
    pairs = {(a, b): g[a] * (2 * g[b] if a < b else g[a] - 1) for b in range(len(g)) for a in range(b + 1)}
    return {(a,): n for a, n in enumerate(g)} | {k: n for k, n in pairs.items() if n}


def row_of(g: list[int], a: int, weight: Fraction, m: Sequence[Any], p: Sequence[Any]) -> Row:
    """Return a row from m and p of the own entry and of the entries with each group."""
    counts = {(a,): 1} | {(min(a, b), max(a, b)): n - (a == b) for b, n in enumerate(g)}
    columns = zip(counts.items(), m, p, strict=True)
    return Row(a, weight, {orbit: (n, n * x, n * y) for (orbit, n), x, y in columns if n})


def read_program(said: Any) -> Program:
    """Return the program, refusing what docs/certificate-format.md does not allow."""
    g, rules, ruled = [int(x) for x in said.multiplicity], [], [a for rule in said.rules for a in rule.groups]
    anchors, groups = [a for block in said.rows for a in block.anchor], [*range(len(g))]
    require(1 <= len(g) <= LARGEST_PROGRAM, "there are too few or too many groups")
    require(g == said.multiplicity, "a group has no whole number of members")
    require(sorted(ruled) == groups, "a group is not in exactly one rule")
    require(len(anchors) <= LARGEST_PROGRAM and {*anchors} <= {*groups}, "rows have too many or bad anchors")
    needs = {"fixed": ["value"], "bounded": ["value"], "budget": ["total", "weight"], "ridge": ["weight"]}
    for rule in said.rules:
        given = [key for key in ("total", "value", "weight") if getattr(rule, key) is not None]
        require(given == needs.get(rule.kind), "a rule has not the numbers of its kind")
        if given == ["value"]:
            rules += [Rule(rule.kind, g[a] * rule.value, {a: Fraction(1)}) for a in rule.groups]
        else:
            weight = dict(zip(rule.groups, rule.weight, strict=True))
            rules.append(Rule(rule.kind, rule.total or Fraction(1), weight))
    rows = [row for block in said.rows for row in read_rows(block, g, said.normaliser)]
    return Program(g, said.temperature, said.nonnegative, rules, rows)


def read_rows(said: Any, g: list[int], normaliser: Fraction) -> list[Row]:
    """Return a block of rows."""
    columns = [said.anchor, [x / normaliser for x in said.weight]]
    for own, peer in ((said.own_multiplicity, said.peer_multiplicity), (said.own_target, said.peer_target)):
        every, each = ([0] * len(g), None) if peer is None else (peer.every_row, peer.rows)
        require((every is None) != (each is None), "rows need either every_row or rows")
        each = [every] * len(said.anchor) if each is None else each
        columns.append([[x, *row] for x, row in zip(own, each, strict=True)])
    return [row_of(g, *row) for row in zip(*columns, strict=True)]


# ------------------------------------------------------------------------------------------ witness and point
def entries(vectors: list[list[float]], squares: list[Fraction], g: list[int]) -> dict[Orbit, Fraction]:
    """Return ⟨v_a, v_b⟩ plus y_a² (δ_ij − 1/g_a) between the members i, j of each group; exact."""
    fits = len(vectors) == len(squares) == len(g) and len(set(map(len, vectors))) == 1
    require(fits, "vectors are not one for each group, and equally long")
    unit = max((x.as_integer_ratio()[1] for row in vectors for x in row), default=1)  # a power of two
    rows = [[n * (unit // d) for n, d in map(float.as_integer_ratio, row)] for row in vectors]
    words = 1 + max((abs(x).bit_length() for row in rows for x in row), default=0) // 60
    require(len(g) ** 2 * len(rows[0]) * words <= LARGEST_WORK, "vectors have too many digits to multiply")
    found = {}
    for k in orbits(g):
        found[k] = Fraction(sum(map(operator.mul, rows[k[0]], rows[k[-1]])), unit * unit)
        if k[0] == k[-1]:
            found[k] += squares[k[0]] * ((len(k) == 1) - Fraction(1, g[k[0]]))
    return found


def read_witness(said: Any, g: list[int]) -> Any:
    """Return the witness with M₀ as matrix, and Z and Y as inner products; exact."""
    m, pairs = len(g), sum(len(cluster.groups) ** 2 for cluster in said.clusters)
    fits = [len(row) for row in said.peer] == [*range(m, 0, -1)] and len(said.own) == m
    require(fits and len(set(map(len, said.within))) == 1, "witness has lines of wrong lengths")
    require(pairs <= LARGEST_PROGRAM**2, "clusters are too many")
    fits = all(len(set(x.groups)) == len(x.groups) and set(x.groups) <= set(range(m)) for x in said.clusters)
    require(fits, "a cluster is not of distinct groups")
    said.squares = [sum((Fraction(x) ** 2 for x in row), Fraction(0)) for row in said.within]
    said.inner = entries(said.factor, said.squares, g)
    said.matrix = {k: said.peer[k[0]][k[1] - k[0]] if len(k) == 2 else said.own[k[0]] for k in said.inner}
    return said


def read_point(said: Any, program: Program) -> tuple[dict[Orbit, Fraction], int]:
    """Return the matrix before it is scaled to obey the rules, and its rank; exact."""
    matrix = entries(said.vectors, [Fraction(y) ** 2 for y in said.within], program.multiplicity)
    require(not program.nonnegative or min(matrix.values()) >= 0, "an entry is negative", RejectedError)
    apart = [n - 1 for n, y in zip(program.multiplicity, said.within, strict=True) if y]
    return matrix, len(said.vectors[0]) + sum(apart)


# --------------------------------------------------------------------------------------------------- bounds
class Proof:
    """Everything a certificate proves, at the precision of DOWN and UP: the floor (if any), L (if any), U."""

    def __init__(self, program: Program, witness: Any, point: dict[Orbit, Fraction]) -> None:
        self.program, self.witness, g = program, witness, program.multiplicity
        self.beta = enclose(1 / program.temperature)
        floors: list[Any] = [row_floor(row) for row in program.rows]
        shares = [enclose(row.weight) for row in program.rows]
        self.floor = total(map(operator.mul, shares, floors)) if all(floors) else None
        self.floors = floors if self.floor else [NOTHING for _ in floors]
        self.point = self.scaled(point)
        self.upper = self.rows_at(self.point)[1]
        ridges = [(a, w) for rule in program.rules if rule.kind == "ridge" for a, w in rule.weight.items()]
        self.upper += total(enclose(g[a] * w) * self.point[a,] for a, w in ridges)
        self.matrix = {k: enclose(x) for k, x in witness.matrix.items()}
        self.terms, excess = self.rows_at(self.matrix)
        slope, (slack, self.ties) = self.slopes(), self.dual_slack()
        self.needed = self.multipliers(slope, slack)
        self.lower: Interval | None = excess - total(slope[k] * x for k, x in self.matrix.items())
        for cost in map(self.charge, program.rules):
            self.lower = self.lower - cost if self.lower and cost else None
        base = self.floor or NOTHING
        self.proven = {"upper": base + self.upper, "excess_upper": self.floor and self.upper}
        self.proven |= {"lower": self.lower and base + self.lower, "excess_lower": self.floor and self.lower}
        self.proven["gap"] = self.lower and self.upper - self.lower

    def scaled(self, matrix: dict[Orbit, Fraction]) -> dict[Orbit, Interval]:
        """Return the matrix of the point, scaled to obey the rules."""
        g, root = self.program.multiplicity, {}
        for rule in self.program.rules:
            spent = total(enclose(g[a] * w / rule.total * matrix[a,]) for a, w in rule.weight.items())
            used = {"fixed": spent, "ridge": UNIT}.get(rule.kind, spent.at_least(UNIT))
            root |= dict.fromkeys(rule.weight, (UNIT / used).mapped(Context.sqrt))
        return {k: root[k[0]] * root[k[-1]] * enclose(x) for k, x in matrix.items()}

    def dual_slack(self) -> tuple[dict[Orbit, Interval], dict[Orbit, Interval]]:
        """Return W, and how strongly it ties different members to one point."""
        g, slack = self.program.multiplicity, {k: enclose(x) for k, x in self.witness.inner.items()}
        ties = {(a, a): enclose(square / g[a]) for a, square in enumerate(self.witness.squares)}
        for cluster in self.witness.clusters:
            w = dict(zip(cluster.groups, map(enclose, cluster.weight), strict=True))
            kappa = enclose(cluster.kappa)
            pull = kappa / total(enclose(g[a]) * w[a] for a in w)
            for a in w:
                slack[a,] += kappa * w[a] - pull * w[a] * w[a]
            for a, b in ((a, b) for a in w for b in w if (a, b) in slack):
                slack[a, b] -= pull * w[a] * w[b]
                ties[a, b] = ties.get((a, b), NOTHING) + pull * w[a] * w[b]
        return slack, ties

    def rows_at(self, matrix: dict[Orbit, Interval]) -> tuple[list[list[Interval]], Interval]:
        """Return the terms n m e^{x/τ} of every row at a matrix, and the excess of all rows together."""
        terms, excess = [], NOTHING
        exponential = {k: (x * self.beta).exp() for k, x in matrix.items()}
        for i, row in enumerate(self.program.rows):
            terms.append([enclose(m) * exponential[k] for k, (_, m, _) in row.terms.items()])
            if self.floor and row.reads_differences():
                value = (total(terms[i][1:]) / terms[i][0]).log1p()  # as below, without its cancellation
            else:
                linear = total(enclose(p) * matrix[k] for k, (_, _, p) in row.terms.items() if p)
                value = total(terms[i]).mapped(Context.ln) - linear * self.beta - self.floors[i]
            excess += enclose(row.weight) * value
        return terms, excess

    def slopes(self) -> dict[Orbit, Interval]:
        """Return the derivative of the rows by each orbit at M₀: D times the number of its entries."""
        found = dict.fromkeys(self.matrix, NOTHING)
        for row, terms in zip(self.program.rows, self.terms, strict=True):
            scale = enclose(row.weight) * self.beta
            share, (own, *others) = scale / total(terms), row.terms.items()
            # π₀ − p = (1 − p) − the other π, which does not cancel where p = 1
            found[own[0]] += scale * enclose(1 - own[1][2]) - share * total(terms[1:])
            for (k, (_, _, p)), term in zip(others, terms[1:], strict=True):
                found[k] += share * term - scale * enclose(p) if p else share * term
        return found

    def multipliers(self, slope: dict[Orbit, Interval], slack: dict[Orbit, Interval]) -> list[Interval]:
        """Return ν for which D + diag(ν) − (what M ≥ 0 pays for) ⪰ W, by diagonal dominance."""
        needed = [NOTHING for _ in self.program.multiplicity]
        for k, count in orbits(self.program.multiplicity).items():
            left = enclose(count) * slack[k] - slope[k]  # W − D, over all entries of the orbit
            if len(k) == 2:  # half of them are in rows of a, and half in rows of b
                left = HALF * (left.at_least(NOTHING) if self.program.nonnegative else abs(left))
            for a in k:
                needed[a] += left
        return [x / enclose(n) for x, n in zip(needed, self.program.multiplicity, strict=True)]

    def charge(self, rule: Rule) -> Interval | None:
        """Return what multipliers ν ≥ needed cost the bound under a rule, if it admits any."""
        price = reduce(Interval.at_least, (self.needed[a] / enclose(w) for a, w in rule.weight.items()))
        price = price - UNIT if rule.kind == "ridge" else price
        price = price if rule.kind == "fixed" else price.at_least(NOTHING)
        if rule.kind == "ridge" and price.hi:
            return price * self.upper if self.floor else None
        return price * enclose(rule.total)

    def proves_radius(self, radius: Decimal, gap: Decimal) -> bool:
        """Whether |M_ij − point_ij| ≤ radius for all M with excess ≤ U and all i ≠ j, if U − L ≤ gap."""
        program, own, room = self.program, self.witness.matrix, Interval(gap, gap)
        rules = [(a, rule.kind, rule.total) for rule in program.rules for a in rule.weight]
        right = all(own[a,] == x / program.multiplicity[a] for a, _, x in rules)
        right = right and {kind for _, kind, _ in rules} <= {"fixed", "bounded"}
        pushed = [self.needed[a] for a, kind, _ in rules if kind == "bounded"]
        plain = [row.anchor for row in program.rows if row.reads_differences()]
        if not right or len(set(plain)) < len(program.rows) or any(x.lo <= ZERO for x in pushed):
            return False
        play = max(((room / x).hi for x in pushed), default=ZERO)
        read, left = {k for row in program.rows for k, (_, m, _) in row.terms.items() if m}, []
        for (a, b), entry in ((k, x) for k, x in self.point.items() if len(k) == 2):
            tie = self.ties.get((a, b), NOTHING)
            tied = tie.lo > ZERO and own[a,] == own[b,] and not pushed
            if tied and (room / (tie + tie) + abs(enclose(own[a,]) - entry)).hi <= radius:
                continue
            if (a, b) not in read:
                return False
            left.append((Interval(radius, radius) - Interval(play, play) - abs(self.matrix[a, b] - entry)).lo)
        reach = min(left, default=ONE)
        rhos = min(reach, enclose(program.temperature).lo), reach
        rhos = [Interval(rho, rho) for rho in rhos if rho > ZERO]
        return not left or any(self.confined(rho, room, bool(pushed)) for rho in rhos)

    def confined(self, rho: Interval, room: Interval, bounded: bool) -> bool:
        """Whether ½ ρ² μ > G for all pairs that are read, μ being that of the box of deviations ≤ ρ."""
        g, growth, moduli = self.program.multiplicity, (rho * self.beta).exp(), {}
        for row, (base, *others) in zip(self.program.rows, self.terms, strict=True):
            omega = enclose(row.weight / g[row.anchor])
            spread = base + growth * total(others)
            factor = omega * self.beta * self.beta * base / (growth * spread * spread)
            for (k, (n, m, _)), term in zip([*row.terms.items()][1:], others, strict=True):
                if m:  # a pair within a group has two such rows
                    moduli.setdefault(k, []).extend([factor * term / enclose(n)] * (3 - len(set(k))))
        least = min(min(x.lo for x in h) if bounded else total(h).lo for h in moduli.values())
        return (rho * rho * Interval(least, least) - room - room).lo > ZERO


def row_floor(row: Row) -> Interval | None:
    """Return Σ p log(m/p) where p is a distribution on terms with m > 0, and None elsewhere."""
    used = [(m, p) for _, m, p in row.terms.values() if p]
    bits = sum(map(int.bit_length, {p.denominator for _, p in used}))
    require(bits <= LARGEST_DENOMINATOR, "targets have too many denominators")
    if sum(p for _, p in used) != 1 or any(min(pair) <= 0 for pair in used):
        return None
    return total(enclose(p) * enclose(m / p).mapped(Context.ln) for m, p in used)


# --------------------------------------------------------------------------------------- the table of losses
def rules_of(norm: tuple[str, Fraction | None], g: list[int], vectors: list[int]) -> list[Rule]:
    """Return the diagonal rules of nodes, a member of each standing for so many vectors."""
    kind, number = norm
    if kind == "ridge":
        return [Rule(kind, Fraction(1), {a: (number or 0) * Fraction(x, 2) for a, x in enumerate(vectors)})]
    require(kind != "mean-square", "this checker has no mean squares")
    square, name = (number or Fraction(1)) ** 2, {"sphere": "fixed", "ball": "bounded"}[kind]
    return [Rule(name, x * square, {a: Fraction(1)}) for a, x in enumerate(g)]


def supcon(problem: Any, n: list[int], g: list[int]) -> Program:
    """L_out (Khosla et al. 2020), mean over anchors, by classes: g classes of each size n.

    (1/N₊) Σ_{c: n_c ≥ 2} n_c log(n_c − 1 + Σ_{c' ≠ c} n_c' e^{(M_cc' − M_cc)/τ}), ridge (λ/2) Σ_c n_c M_cc.
    """
    anchored, target = [a for a, x in enumerate(n) if x >= 2], [1] + [0] * len(n)
    normaliser = sum(n[a] * g[a] for a in anchored)
    require(normaliser and sum(g) >= 2, "the problem has one class only, or no class of two samples")
    rows = [row_of(g, a, Fraction(n[a] * g[a], normaliser), [n[a] - 1, *n], target) for a in anchored]
    rules = rules_of(problem.norm, g, n)
    return Program(g, problem.temperature, problem.nonnegative, rules, rows)


def supcon_lift(problem: Any, n: list[int], g: list[int]) -> Program:
    """L_out by samples: log Σ_{l ≠ i} e^{G_il/τ} − (1/(n_c − 1)) Σ_{positives} G_ij/τ, mean over anchors."""
    label = [c for c, x in enumerate(n) for _ in range(x)]
    require(len(label) <= LARGEST_PROGRAM, "there are too many samples")
    ones, anchors = [1] * len(label), [i for i, c in enumerate(label) if n[c] >= 2]
    require(anchors and sum(g) >= 2, "the problem has one class only, or no class of two samples")
    rows = []
    for i in anchors:
        share = Fraction(1, n[label[i]] - 1)
        target = [share if c == label[i] else 0 for c in label]
        rows.append(row_of(ones, i, Fraction(1, len(anchors)), [0, *ones], [0, *target]))
    rules = rules_of(problem.norm, ones, ones)
    return Program(ones, problem.temperature, problem.nonnegative, rules, rows)


LOSSES = {"supcon": (supcon, supcon_lift)}  # by classes, and by samples


def corresponds(claim: Any, program: Program) -> bool:
    """Whether the table builds the program from the claimed problem; False where it lacks the loss."""
    problem = claim.problem
    require((problem is None) == (claim.level is None), "a problem and its level belong together")
    if problem is None or problem.loss["name"] not in LOSSES:
        return False
    counts, order = problem.counts, problem.order
    require(len(counts) <= LARGEST_PROGRAM, "counts are too many")
    require(all(len(pair) == 2 for pair in counts), "counts are not [size, classes]")
    n, g = [pair[0] * problem.views for pair in counts], [pair[1] for pair in counts]
    require(n == sorted(set(n), reverse=True), "counts do not stand largest first, each size once")
    require(order is None or Counter(order) == Counter(dict(enumerate(g))), "order does not fit the counts")
    require(list(problem.loss) == ["name"], "the loss has parameters that are not known here")
    if claim.level != "groups":
        require(sum(g) <= LARGEST_PROGRAM, "there are too many classes")
        n = [n[a] for a in order or [a for a, x in enumerate(g) for _ in range(x)]]
        g = [1] * len(n)
    built = LOSSES[problem.loss["name"]][claim.level == "samples"](problem, n, g)
    require(built == program, "the program is not that of the claimed problem", RejectedError)
    return True


# -------------------------------------------------------------------------------------------------- verdict
def confirm(claim: Any, proof: Proof, cautious: bool) -> None:
    """Reject what is claimed beyond the bounds, taken at their cautious ends or else at the hopeful ones."""
    for name, bound in proof.proven.items():
        said, is_lower = getattr(claim, name), name.endswith("lower")
        if said is None or bound is None:
            needed = bound if claim.lower is not None or name == "excess_upper" else None
            require(said is needed, f"{name} is {'missing' if said is None else 'not proven'}", RejectedError)
            continue
        sure = bound.lo if is_lower == cautious else bound.hi
        within = said <= sure if is_lower else said >= sure
        require(within, f"{name} is claimed to be {said:.25}, and {sure:.25} is proven", RejectedError)
    lower = proof.lower or NOTHING
    gap, size = proof.upper - lower, lower if proof.floor else abs(lower).at_least(UNIT)
    over, worst = gap - Interval(claim.tolerance, claim.tolerance) * size, gap.hi if cautious else gap.lo
    small = claim.verdict == "UNDECIDED" or (over.hi if cautious else over.lo) <= ZERO
    require(small, "the verdict CERTIFIED is not proven: the gap is above the tolerance", RejectedError)
    near = claim.gram_radius is None or proof.proves_radius(claim.gram_radius, worst)
    require(near, "the Gram radius is not proven", RejectedError)


def examine(said: Any) -> tuple[str, bool]:
    """Recompute what a certificate claims; return what is proven, and whether of the named loss."""
    claim, program = said.claim, read_program(said.program)
    strong = claim.verdict == "CERTIFIED" or claim.gram_radius is not None
    require(claim.tolerance >= 0 and not (strong and claim.lower is None), "claim is incomplete")
    named = corresponds(claim, program)
    witness, (point, rank) = read_witness(said.witness, program.multiplicity), read_point(said.point, program)
    require(claim.rank == rank, f"the rank is {rank}, not what is claimed", RejectedError)
    digits, cost = FEWEST_DIGITS, len(program.multiplicity) ** 2 // 2 + 20
    while True:
        DOWN.prec = UP.prec = digits
        proof = Proof(program, witness, point)
        try:
            confirm(claim, proof, cautious=True)
            break
        except RejectedError as doubt:
            confirm(claim, proof, cautious=False)
            digits *= 2
            require(cost * digits**3 <= LARGEST_EVALUATION, f"could not decide: {doubt}", RejectedError)
    DOWN.prec = UP.prec = 25
    lower, gap = proof.proven["lower"], proof.proven["gap"]
    bounds = lower and DOWN.plus(lower.lo), UP.plus(proof.proven["upper"].hi), gap and UP.plus(gap.hi)
    unchecked = "" if named else " (program proven; correspondence to the named loss unchecked)"
    proven = "{} <= least loss <= {}, gap <= {}".format(*bounds) + unchecked
    return f"accepted: {claim.verdict} at tolerance {claim.tolerance}, {proven}", named


def parse(text: str) -> Any:
    """Return what a certificate says, if its hash fits its claim."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "an object has a key twice")
        return dict(pairs)

    found = json.loads(text, object_pairs_hook=unique)
    said = read(found, CERTIFICATE, "certificate")
    claim = json.dumps(found["claim"], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    right = hashlib.sha256(claim.encode()).hexdigest() == said.sha256
    require(right, "the hash is not that of the claim", RejectedError)
    return said


def load(path: Path) -> str:
    """Return the text of a file."""
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    require(len(content) <= LARGEST_FILE, f"it has more than {LARGEST_FILE} bytes")
    return content.decode()


def check(source: str | Path) -> Verdict:
    """Check a text, or the file at a path; whatever is there, the answer is a verdict."""
    try:
        message, named = examine(parse(load(source) if isinstance(source, Path) else source))
        return Verdict(True, message, named=named)
    except RejectedError as error:
        return Verdict(False, f"rejected: {error}")
    except ArithmeticError:
        return Verdict(False, "rejected: its numbers are too large or too small to compute with")
    except Exception as error:  # no text, no JSON, too deep, too large: whatever it is, it is no certificate
        what = f"{type(error).__name__}, {ascii(str(error))[:100]}"
        what = "lists that belong together differ in length" if "zip()" in what else what
        what = str(error) if isinstance(error, UnusableError) else what
        return Verdict(False, f"unusable file: {what}", usable=False)


def check_file(path: str | Path) -> Verdict:
    """Check the file at a path."""
    return check(Path(path))


if __name__ == "__main__":
    usage = Verdict(False, "usage: python certify/checker.py FILE", usable=False)
    outcome = check_file(sys.argv[1]) if len(sys.argv) == 2 else usage
    print(outcome.message)
    sys.exit(0 if outcome.accepted else 1 if outcome.usable else 2)
