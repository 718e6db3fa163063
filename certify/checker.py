"""Check a gramcert certificate with nothing but Python: one file, standard library only.

    python certify/checker.py FILE [--tolerance 1e-9] [--unnamed]

Exit 0: what is claimed is proven, CERTIFIED at a tolerance that is no larger, of the loss that is named (or
of any program, with --unnamed). Exit 1: it is not. Exit 2: the file is unusable.

docs/certificate-format.md has the format and the mathematics; the names here are the names there. What has
to be trusted: this file, `json`, `fractions` and integers (exact), and `decimal`, which rounds sums, products
and quotients as told, and exp, ln and sqrt to the nearest number, so that the next one outward encloses them.
"""

from __future__ import annotations

import argparse
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
from functools import lru_cache, reduce
from math import ceil, comb, log
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

LARGEST_FILE = 100_000_000  # bytes
LARGEST_NUMBER = 200  # characters of a number
LARGEST_NORMALISER = 8_000  # characters of a normaliser; of its integers Python reads 4,300 digits
LARGEST_PROGRAM = 1_000  # groups, rows; its square bounds the pairs in clusters
LARGEST_DENOMINATOR = 20_000  # bits of a common denominator of targets
LARGEST_WORK = 4 * 10**9  # products of machine words in inner products: a few minutes
LARGEST_EVALUATION = 10**11  # pairs of groups · digits³, which exponentials cost: some ten seconds
FEWEST_DIGITS = 45


class UnusableError(ValueError):
    """The file is not a certificate."""


class RejectedError(Exception):
    """The certificate claims what is false, or what it does not prove."""


class UndecidedError(RejectedError):
    """The certificate is beyond this verifier, and may be true."""


class FewDigitsError(ArithmeticError):
    """The digits are too few to tell what is true."""


class Verdict(NamedTuple):
    """What became of a certificate, in one line of words as well.

    `named`: its loss is known, and is this. `tolerance`: at which it is CERTIFIED, if it is. `decided`: False
    where it took more than there is time for here, so that nothing is known.
    """

    accepted: bool
    message: str
    usable: bool = True
    named: bool = False
    tolerance: Decimal | None = None
    decided: bool = True

    def suffices(self, tolerance: Decimal, unnamed: bool = False) -> bool:
        """Whether an optimum is proven at this tolerance, of the named loss, or of any program."""
        near = self.tolerance is not None and self.tolerance <= tolerance
        return self.accepted and near and (self.named or unnamed)


# ------------------------------------------------------------------------------------------------ intervals
ZERO, ONE, INFINITY = Decimal(0), Decimal(1), Decimal("Infinity")


class Interval:
    """A real number known to lie in [lo, hi]; operations round lo down and hi up, underflow as well.

    `reals` has a class for every number of digits; a result is of the class of the first number. Operators
    on Decimals would round by the context of the thread, so that every operation names one of its class.
    """

    __slots__ = ("hi", "lo")

    def __init_subclass__(cls, digits: int) -> None:
        """Fix how a class rounds; what would make a NaN or +∞ raises, and −∞ comes up as log 0 only."""
        traps = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
        limits: dict[str, Any] = {"Emin": decimal.MIN_EMIN, "Emax": decimal.MAX_EMAX, "traps": traps}
        cls.down = Context(digits, decimal.ROUND_FLOOR, **limits)
        cls.up = Context(digits, decimal.ROUND_CEILING, **limits)
        cls.zero, cls.one, cls.infinite = (cls(x, x) for x in (ZERO, ONE, INFINITY))

    def __init__(self, lo: Decimal, hi: Decimal) -> None:
        self.lo, self.hi = lo, hi

    @classmethod
    def enclose(cls, number: float | Fraction) -> Interval:
        """Return the interval of an exact number: an integer, a fraction or a binary64."""
        top, bottom = map(Decimal, number.as_integer_ratio())  # exact, of any length
        return cls(cls.down.divide(top, bottom), cls.up.divide(top, bottom))

    @classmethod
    def total(cls, numbers: Iterable[Interval]) -> Interval:
        """Return the sum."""
        return sum(numbers, cls.zero)

    def __add__(self, other: Interval) -> Interval:
        return self.__class__(self.down.add(self.lo, other.lo), self.up.add(self.hi, other.hi))

    def __sub__(self, other: Interval) -> Interval:
        return self.__class__(self.down.subtract(self.lo, other.hi), self.up.subtract(self.hi, other.lo))

    def __neg__(self) -> Interval:
        return self.__class__(self.hi.copy_negate(), self.lo.copy_negate())

    def __mul__(self, other: Interval) -> Interval:
        a, b, c, d = self.lo, self.hi, other.lo, other.hi
        if a >= ZERO and c >= ZERO:
            return self.__class__(self.down.multiply(a, c), self.up.multiply(b, d))
        corners = ((a, c), (a, d), (b, c), (b, d))  # a product on a box is extreme at corners
        low, high = (self.down.multiply(*z) for z in corners), (self.up.multiply(*z) for z in corners)
        return self.__class__(min(low), max(high))

    def __truediv__(self, other: Interval) -> Interval:
        require(other.exceeds(self.zero), "a divisor is not positive", ZeroDivisionError)
        return self * self.__class__(self.down.divide(ONE, other.hi), self.up.divide(ONE, other.lo))

    def __abs__(self) -> Interval:
        return self.at_least(-self)

    def exceeds(self, other: Interval) -> bool:
        """Whether this is the larger number; where intervals overlap, more digits have to tell."""
        require(self.lo > other.hi or self.hi <= other.lo, "numbers are too close to compare", FewDigitsError)
        return self.lo > other.hi

    def at_least(self, other: Interval) -> Interval:
        """Return the larger of two numbers."""
        return self.__class__(max(self.lo, other.lo), max(self.hi, other.hi))

    def at_most(self, other: Interval) -> Interval:
        """Return the smaller of two numbers."""
        return self.__class__(min(self.lo, other.lo), min(self.hi, other.hi))

    def mapped(self, function: Callable[[Context, Decimal], Decimal]) -> Interval:
        """Return ln or sqrt, which increase and which `decimal` rounds to the nearest number."""
        low, high = function(self.down, self.lo), function(self.up, self.hi)
        return self.__class__(self.down.next_minus(low), self.up.next_plus(high))

    def exp(self) -> Interval:
        """Return eˣ, not below 0 where it underflows; of the width w = hi − lo, eʷ is cheap."""
        if self.lo == self.hi == ZERO:
            return self.one
        up, low = self.up, self.down.exp(self.lo)
        growth = up.next_plus(up.exp(up.subtract(self.hi, self.lo)))
        return self.__class__(max(ZERO, self.down.next_minus(low)), up.multiply(up.next_plus(low), growth))

    def log1p(self) -> Interval:
        """Return log(1 + x) for x ≥ 0, relatively accurate however small x is."""
        fine = (reals(2 * self.up.prec + 2).one + self).mapped(Context.ln)
        # 1 + x swallows at most half of these digits, or else x/(1 + x) ≤ log(1 + x) ≤ x are near.
        low = max(self.down.divide(self.lo, self.up.add(ONE, self.lo)), self.down.plus(fine.lo))
        return self.__class__(low, min(self.hi, self.up.plus(fine.hi)))


Reals = type[Interval]


@lru_cache
def reals(digits: int) -> Reals:
    """Return the intervals whose ends are rounded to so many digits."""

    class Rounded(Interval, digits=digits):
        __slots__ = ()

    return Rounded


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


def spelled(what: str, make: Any, pattern: str, length: int = LARGEST_NUMBER) -> Any:
    """Return the reader of a short text that matches a pattern."""
    return leaf(str, what, make, lambda text: len(text) <= length and re.fullmatch(pattern, text))


def lowest(text: str) -> Fraction:
    """Return a rational in lowest terms, as which alone it may be written."""
    number = Fraction(text)
    require(("/" not in text and text != "-0") or str(number) == text, f"{text} is not in lowest terms")
    return number


TEXT, FLAG = leaf(str, "text", str), leaf(bool, "true or false", bool)
VERSIONS = leaf(dict, "an object of texts", dict, lambda x: {type(y) for y in x.values()} <= {str})
INDEX = leaf(int, "an integer from 0 on", int, lambda n: n >= 0)
COUNT = leaf(int, "a positive integer, or beyond 2**53", int, lambda n: 0 < n <= 2**53)
HEX = r"(\.[0-9a-f]{1,13})?p([+-]?(0|[1-9][0-9]{0,2}|10[01][0-9]|102[0-2])|\+?1023)"
WHOLE, OVER = "(0|[1-9][0-9]*)", "(/[1-9][0-9]*)?"
RATIONAL = spelled('a rational such as "1/10"', lowest, "-?" + WHOLE + OVER)
UNSIGNED = spelled('a rational such as "0"', lowest, WHOLE + OVER)
POSITIVE = spelled('a positive rational such as "1/10"', lowest, "[1-9][0-9]*" + OVER)
NORMALISER = spelled("a positive rational, or too long", lowest, "[1-9][0-9]*" + OVER, LARGEST_NORMALISER)
DYADIC = spelled('a dyadic such as "0x1.8p-3"', float.fromhex, "-?0x[01]" + HEX)
SIZE = spelled('a dyadic such as "0x1.8p-3"', float.fromhex, rf"0x[01]{HEX}|-0x0(\.0)?p\+0")  # ≥ 0
REAL = spelled('a decimal such as "3.2e-14"', Decimal, r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,10})?")
WORDS = ("gramcert/certificate/3", "groups|classes|samples", "CERTIFIED|UNDECIDED", "[a-z0-9-]+")
SCHEMA, LEVEL, VERDICT, NAME = (spelled(word, str, word) for word in WORDS)


def norm_of(value: Any, where: str) -> tuple[str, Fraction | None]:
    """Return a norm such as {"ridge": "1/10"}, as its kind and its number."""
    require(isinstance(value, dict) and len(value) == 1, f"{where} is not a norm")
    ((kind, number),) = value.items()
    needless = {"sphere": "1", "ball": "1", "ridge": None, "mean-square": None}  # a radius of 1 is null
    require(kind in needless and number != needless[kind], f"{where} is not a norm")
    return kind, None if number is None else POSITIVE(number, where)


def loss_of(value: Any, where: str) -> Any:
    """Return a loss: its name, and its parameters as the table reads them; None where it lacks the loss."""
    require(isinstance(value, dict) and "name" in value, f"{where} has no name")
    name, written = NAME(value["name"], where), {key: x for key, x in value.items() if key != "name"}
    said = read(written, LOSSES[name][0], where) if name in LOSSES else None
    return SimpleNamespace(name=name, written=written, said=said)


# A list holds the shape of its items, a tuple that of what may be null; a key with ? may be missing.
PROBLEM = {"loss": loss_of, "counts": [[COUNT]], "temperature": POSITIVE, "norm": norm_of}
PROBLEM |= {"nonnegative": FLAG, "views": COUNT, "order?": [INDEX]}
CLAIM = {"words": TEXT, "problem": (PROBLEM,), "level": (LEVEL,), "verdict": VERDICT, "tolerance": REAL}
CLAIM |= {"rank": INDEX, "upper": REAL, "lower": (REAL,), "excess_lower": (REAL,), "excess_upper": (REAL,)}
CLAIM |= {"gap": (REAL,), "scale": (REAL,), "gram_radius": (REAL,)}
RULE = {"kind": TEXT, "groups": [INDEX], "value?": POSITIVE, "weight?": [POSITIVE], "total?": POSITIVE}
PROGRAM = {"multiplicity": [POSITIVE], "temperature": POSITIVE, "normaliser": NORMALISER}
PROGRAM |= {"nonnegative": FLAG, "rules": [RULE], "rows": [lambda value, where: rows_of(value, where)]}
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


class Rule(NamedTuple):
    """A rule on Σ g weight M_aa: its total (or 1) and weights by group; of one group, a value and 1/g."""

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


def read_program(said: Any) -> Program:
    """Return the program, refusing what docs/certificate-format.md does not allow."""
    g, rules, ruled = [int(x) for x in said.multiplicity], [], [a for rule in said.rules for a in rule.groups]
    anchors, groups = [a for block in said.rows for a in block.anchor], [*range(len(g))]
    most = max(len(g), len(anchors))
    require(most <= LARGEST_PROGRAM, "it has too many groups or rows to be checked here", UndecidedError)
    require(g == said.multiplicity and max(g) <= 2**53, "a group has no whole number of members")
    require(sorted(ruled) == groups, "a group is not in exactly one rule")
    require(anchors and {*anchors} <= {*groups}, "there are no rows, or an anchor is no group")
    needs = {"fixed": ["value"], "bounded": ["value"], "budget": ["total", "weight"], "ridge": ["weight"]}
    for rule in said.rules:
        given = [key for key in ("total", "value", "weight") if getattr(rule, key) is not None]
        fits = rule.groups and given == needs.get(rule.kind)
        require(fits, "a rule has not the numbers of its kind, or no groups")
        if given == ["value"]:
            rules += [Rule(rule.kind, rule.value, {a: Fraction(1, g[a])}) for a in rule.groups]
        else:
            weight = dict(zip(rule.groups, rule.weight, strict=True))
            rules.append(Rule(rule.kind, rule.total or Fraction(1), weight))
    rows = [row for block in said.rows for row in read_rows(block, g, said.normaliser)]
    rules.sort(key=lambda rule: min(rule.weight))  # their order means nothing
    return Program(g, said.temperature, said.nonnegative, rules, rows)


# ------------------------------------------------------------------------------------------ the kinds of rows
RANDOM = "random-log-sum-exp"
KIND = spelled("of a kind that is known here", str, f"log-sum-exp|sum-exp|{RANDOM}")
ROWS = {"kind": KIND, "anchor": [INDEX], "weight": [POSITIVE]}
SOFTMAX = ROWS | {"own_multiplicity": [UNSIGNED], "own_target": [RATIONAL], "floor?": [RATIONAL]}
SOFTMAX |= {"peer_multiplicity": {"every_row?": [UNSIGNED], "rows?": [[UNSIGNED]]}}
SOFTMAX |= {"peer_target": ({"every_row?": [RATIONAL], "rows?": [[RATIONAL]]},)}
DRAWS_SAID = leaf(int, "an integer from 1 to 10**6", int, lambda n: 0 < n <= 10**6)
DRAWN = ROWS | {"draws": DRAWS_SAID, "replacement": FLAG, "base": UNSIGNED, "own_multiplicity": POSITIVE}
DRAWN |= {"peer_multiplicity": POSITIVE, "own_population": [UNSIGNED]}
DRAWN |= {"peer_population": {"every_row?": [UNSIGNED], "rows?": [[UNSIGNED]]}}


def rows_of(value: Any, where: str) -> Any:
    """Return a block of rows, which has the keys of its kind."""
    return read(value, DRAWN if isinstance(value, dict) and value.get("kind") == RANDOM else SOFTMAX, where)


class Draws(NamedTuple):
    """What the rows of an expectation have in common."""

    number: int
    replacement: bool
    base: Fraction
    own_multiplicity: Fraction
    peer_multiplicity: Fraction


class Term(NamedTuple):
    """What a row reads of an orbit: how many entries, and their m and p all together."""

    entries: int
    multiplicity: Fraction
    target: Fraction


class Row(NamedTuple):
    """The rows of one group: weight/normaliser; and the terms of orbits, own first.

    A row with an exact floor is of the kind sum-exp; one with draws is an expectation, m being populations
    and p zero; others are log-sum-exp.
    """

    anchor: int
    weight: Fraction
    terms: dict[Orbit, Term]
    floor: Fraction | None = None
    draws: Draws | None = None

    def reads_differences(self) -> bool:
        """Whether p is 1 on the own entry and 0 elsewhere: the row sees entries minus own entry."""
        return {k: x.target for k, x in self.terms.items() if x.target} == {(self.anchor,): 1}


def row_of(
    g: list[int], a: int, weight: Fraction, m: Sequence[Any], p: Sequence[Any], floor: Any = None
) -> Row:
    """Return a row from m and p of the own entry and of the entries with each group."""
    counts = {(a,): 1} | {(min(a, b), max(a, b)): n - (a == b) for b, n in enumerate(g)}
    columns = zip(counts.items(), m, p, strict=True)
    return Row(a, weight, {orbit: Term(n, n * x, n * y) for (orbit, n), x, y in columns if n}, floor)


def columns(said: Any, g: list[int], own: list[Fraction], peer: Any) -> list[list[Any]]:
    """Return a number for the own entry and for those with each group, row by row."""
    every, each = ([0] * len(g), None) if peer is None else (peer.every_row, peer.rows)
    require((every is None) != (each is None), "rows need either every_row or rows")
    each = [every] * len(said.anchor) if each is None else each
    return [[x, *row] for x, row in zip(own, each, strict=True)]


def read_rows(said: Any, g: list[int], normaliser: Fraction) -> list[Row]:
    """Return a block of rows."""
    weight = [x / normaliser for x in said.weight]
    if said.kind == RANDOM:
        return read_random_rows(said, g, weight)
    pairs = (said.own_multiplicity, said.peer_multiplicity), (said.own_target, said.peer_target)
    require((said.kind == "sum-exp") == (said.floor is not None), "rows have not the numbers of their kind")
    floor = [None] * len(said.anchor) if said.floor is None else said.floor
    parts = [said.anchor, weight, *(columns(said, g, *pair) for pair in pairs), floor]
    return [row_of(g, *row) for row in zip(*parts, strict=True)]


Entries = dict[Orbit, Interval]


class Enclosed:
    """A row in numbers of so many digits: what the kinds of rows have in common.

    The `floor` of a kind, if any, is below all values of the row. `at` takes M/τ and e^{M/τ} by orbits, and
    returns terms, and the row less its floor; `slopes` takes these terms and returns derivatives by M/τ.
    """

    def __init__(self, R: Reals, row: Row) -> None:
        self.R, self.row, self.weight, self.orbits = R, row, R.enclose(row.weight), [*row.terms]
        self.sizes = [R.enclose(x.multiplicity) for x in row.terms.values()]
        self.targets = [x.target for x in row.terms.values()]

    def pulled(self, scaled: Entries) -> Interval:
        """Return Σ p x/τ."""
        pairs = zip(self.targets, self.orbits, strict=True)
        return self.R.total(self.R.enclose(p) * scaled[k] for p, k in pairs if p)

    def all_but(self, terms: list[Interval], i: int) -> Interval:
        """Return the sum of all terms but one."""
        return self.R.total(terms[:i] + terms[i + 1 :])


def row_floor(R: Reals, row: Row) -> Interval | None:
    """Return Σ p log(m/p) where p is a distribution on terms with m > 0, and None elsewhere."""
    used = [x for x in row.terms.values() if x.target]
    bits = sum(map(int.bit_length, {x.target.denominator for x in used}))
    require(bits <= LARGEST_DENOMINATOR, "targets have too many denominators")
    if sum(x.target for x in used) != 1 or any(min(x.target, x.multiplicity) <= 0 for x in used):
        return None
    return R.total(R.enclose(p) * R.enclose(m / p).mapped(Context.ln) for _, m, p in used)


class LogSumExp(Enclosed):
    """A row log Σ m e^{x/τ} − Σ p x/τ."""

    def __init__(self, R: Reals, row: Row) -> None:
        super().__init__(R, row)
        self.floor = row_floor(R, row)

    def at(self, scaled: Entries, powers: Entries) -> tuple[list[Interval], Interval]:
        """Return the terms m e^{x/τ}, and the row less its floor."""
        terms = [m * powers[k] for m, k in zip(self.sizes, self.orbits, strict=True)]
        pulls = [i for i, p in enumerate(self.targets) if p]
        if self.floor is not None and len(pulls) == 1:  # as below, without its cancellation
            (i,) = pulls
            return terms, (self.all_but(terms, i) / terms[i]).log1p()
        value = self.R.total(terms).mapped(Context.ln) - self.pulled(scaled)
        return terms, value if self.floor is None else value - self.floor

    def slopes(self, terms: list[Interval]) -> list[Interval]:
        """Return softmax − p; for large p, (1 − p) − (the others), which does not cancel at p = 1."""
        R, share, found = self.R, self.R.one / self.R.total(terms), []
        for i, p in enumerate(self.targets):
            if 2 * p > 1:
                found.append(R.enclose(1 - p) - share * self.all_but(terms, i))
            else:
                found.append(share * terms[i] - R.enclose(p) if p else share * terms[i])
        return found

    def bent(self, terms: list[Interval], _: list[Interval], growth: Interval) -> list[Interval]:
        """Return π₀ π_j of single peers at least, where all terms but the own one grow by f or shrink."""
        own, *rest = terms
        spread = own + growth * self.R.total(rest)
        factor, peers = own / (growth * spread * spread), [*self.row.terms.values()][1:]
        return [factor * x / self.R.enclose(peer.entries) for peer, x in zip(peers, rest, strict=True)]


class SumExp(Enclosed):
    """A row that is the floor that it says plus Σ m e^{(x − Σ p x)/τ}."""

    def __init__(self, R: Reals, row: Row) -> None:
        super().__init__(R, row)
        self.floor = R.enclose(row.floor or 0)

    def at(self, scaled: Entries, powers: Entries) -> tuple[list[Interval], Interval]:
        """Return the terms m e^{(x − Σ p x)/τ}, and their sum."""
        shrink = (-self.pulled(scaled)).exp()
        terms = [m * powers[k] * shrink for m, k in zip(self.sizes, self.orbits, strict=True)]
        return terms, self.R.total(terms)

    def slopes(self, terms: list[Interval]) -> list[Interval]:
        """Return m e^y − p Σ m e^y, without the cancellation of equal terms."""
        R, found = self.R, []
        for i, p in enumerate(self.targets):
            others = self.all_but(terms, i) if p else R.zero
            found.append(R.enclose(1 - p) * terms[i] - R.enclose(p) * others)
        return found


def enclosed(R: Reals, row: Row) -> LogSumExp | SumExp | Expected:
    """Return a row in numbers of so many digits."""
    return (Expected if row.draws else LogSumExp if row.floor is None else SumExp)(R, row)


# --------------------------------------------------------------------------------------------- expected rows
# E[1{B>0} log(X/B)], X = B + Σ_e N_e a_e, and its derivatives by log a_e, from Laplace's integral. With
# h = 1/4 and s_j = e^{jh} · 4/(a bound on X),
#
# log(X/B) = (1 + ε) [ Σ_i κ_i (e^{−s_0 u_i B} − e^{−s_0 u_i X}) + h Σ_{j>0} (e^{−s_j B} − e^{−s_j X}) ].
#
# The trapezoid rule errs by 2 Σ_j |Γ(1 + 2πij/h)| < 1.8e-16 (Poisson's summation; the first is 8π e^{−4π²}),
# the end on the right by e^{−sB}, s the last node. Ten nodes u_i stand for {h at e^{−jh}, j ≥ 0}; what their
# moments miss is computed. All these errors are relative, and more digits do not narrow them.
MOST_DRAWS = 1_024
LARGEST_SHUFFLED = 10**18
MOST_NODES = 200
MOST_BITS = 1_000
LARGEST_DRAWING = 2 * 10**7  # ten microseconds each: some minutes
STEP = Fraction(1, 4)
TRAPEZOID = Decimal("1.8e-16")
GAUSS = (  # u and κ; any numbers will do, their moments decide what they are worth
    ("0.00858198303349479649938316265027133928", "2.55350300868892850976189628230191899"),
    ("0.0442575772770544927761276465926453716", "1.10355278939460687322169089663519412"),
    ("0.104569506933571474372873999373300060", "0.676157570306556561079355740256230820"),
    ("0.183108479919558505072050883878429021", "0.463830625172910510241914095767447326"),
    ("0.271615826487408512409510732184790776", "0.335112001426095735307068320408592307"),
    ("0.365260626757477386993965735129994516", "0.267791192723052613528364834875296122"),
    ("0.472208043695568422420399158393454998", "0.251223576533499109258166320741066988"),
    ("0.606527761190854477661875777112441318", "0.250023281007334232634604083299750898"),
    ("0.778800768776292477315676163236757689", "0.250000116001963974148010037668702030"),
    ("0.999999999988326591258774943827728094", "0.250000000101569437797883954150144991"),
)
MOMENTS = 60
Evaluate = Callable[[Interval, list[Interval], bool], tuple[Interval, list[Interval]]]


def read_random_rows(said: Any, g: list[int], weight: list[Fraction]) -> list[Row]:
    """Return a block of rows that are expectations; without replacement all draw from as many."""
    draws = Draws(said.draws, said.replacement, said.base, said.own_multiplicity, said.peer_multiplicity)
    beyond = f"more than {MOST_DRAWS} draws take too long here; this verifier has not checked the file"
    require(said.draws <= MOST_DRAWS, beyond, UndecidedError)
    parts = said.anchor, weight, columns(said, g, said.own_population, said.peer_population)
    zeros = [0] * (1 + len(g))
    rows = [row_of(g, *row, zeros)._replace(draws=draws) for row in zip(*parts, strict=True)]
    require(all(map(population, rows)), "a row draws from nothing")
    if not said.replacement:
        alike = len({population(row) for row in rows}) <= 1
        require(alike, "rows without replacement draw from populations of one size")
        whole = all(x.multiplicity.denominator == 1 for row in rows for x in row.terms.values())
        require(whole, "a population that is drawn from without replacement is no whole number")
        enough = all(population(row) >= said.draws for row in rows)
        require(enough, "more is drawn without replacement than there is")
    return rows


def population(row: Row) -> Fraction:
    """Return what a row draws from."""
    return sum((x.multiplicity for x in row.terms.values()), Fraction(0))


def population_of_own(row: Row) -> Fraction:
    """Return what a row draws from of its own."""
    return row.terms[row.anchor,].multiplicity


def drawn_by(row: Row) -> Draws:
    """Return the draws of a row that has them."""
    assert row.draws is not None
    return row.draws


def cost_of_draws(program: Program) -> int:
    """Return what expectations cost, in pairs of groups; refuse what would take more than some minutes.

    Each node of the quadrature takes exponentials of peers and powers with replacement, and without three
    products of polynomials a peer.
    """
    work = 0
    for row in program.rows:
        if row.draws:
            k, peers = row.draws.number, len(row.terms)
            often, once = 25 * peers + 2 * k, peers * (40 + int(0.08 * (k + 4) ** 1.6))
            work += 40 * (often if row.draws.replacement else once)
    beyond = "expectations over draws take too long here; this verifier has not checked the file"
    require(work <= LARGEST_DRAWING, beyond, UndecidedError)
    return work // 16  # digits make it dearer, but not by their cube


def own_draws(row: Row) -> tuple[list[tuple[int, int, Fraction]], int]:
    """Return in how many ways j draws are own, where B > 0, with j and B; and in how many ways one draws."""
    draws, own, whole = drawn_by(row), population_of_own(row), population(row)
    k = draws.number
    if draws.replacement:
        p, q = (own / whole).as_integer_ratio()
        ways, all_ways = [comb(k, j) * p**j * (q - p) ** (k - j) for j in range(k + 1)], q**k
    else:
        ways = [comb(int(own), j) * comb(int(whole - own), k - j) for j in range(k + 1)]
        all_ways = comb(int(whole), k)
    levels = [draws.base + j * draws.own_multiplicity for j in range(k + 1)]
    return [(way, j, b) for j, (way, b) in enumerate(zip(ways, levels, strict=True)) if way and b], all_ways


def random_floor(R: Reals, row: Row) -> Interval:
    """Return E[1{B>0} log B] from exact chances."""
    ways, all_ways = own_draws(row)
    logs = (R.enclose(way) * R.enclose(b).mapped(Context.ln) for way, _, b in ways)
    return R.total(logs) / R.enclose(all_ways)


def random_load(R: Reals, row: Row) -> Interval:
    """Return E[1{B>0} Σ_e N_e/B], from which peers have their shares of what is not own."""
    ways, all_ways = own_draws(row)
    others = (R.enclose(way * (drawn_by(row).number - j)) / R.enclose(b) for way, j, b in ways)
    return R.total(others) / R.enclose(all_ways)


class Expected(Enclosed):
    """A row E[1{B>0} log(B + Σ N a)]."""

    def __init__(self, R: Reals, row: Row) -> None:
        super().__init__(R, row)
        self.floor = random_floor(R, row)

    def at(self, scaled: Entries, powers: Entries) -> tuple[list[Interval], Interval]:
        """Return a = m e^{(x − x_own)/τ} of single peers, and the row less its floor."""
        own, *peers = self.orbits
        each = self.R.enclose(drawn_by(self.row).peer_multiplicity)
        reach = [each * (scaled[k] - scaled[own]).exp() for k in peers]
        return reach, expected(self.R, self.row, reach, slopes=False)[0]

    def slopes(self, terms: list[Interval]) -> list[Interval]:
        """Return E[1{B>0} N_e a_e/X] by orbits; what all peers gain, the own entry loses."""
        _, single = expected(self.R, self.row, terms, slopes=True)
        _, *peers = self.row.terms.values()
        found = [self.R.enclose(peer.entries) * x for peer, x in zip(peers, single, strict=True)]
        return [-self.R.total(found), *found]

    def bent(self, terms: list[Interval], slopes: list[Interval], growth: Interval) -> list[Interval]:
        """Return s²/(a E[1{B>0} N_e/B] f³) of single peers, s being their slopes."""
        R, load, cube, found = self.R, random_load(self.R, self.row), growth * growth * growth, []
        others = population(self.row) - population_of_own(self.row)
        for peer, a, s in zip([*self.row.terms.values()][1:], terms, slopes[1:], strict=True):
            if not (peer.multiplicity and load.exceeds(R.zero)):
                found.append(R.zero)
                continue
            each, share = s / R.enclose(peer.entries), R.enclose(peer.multiplicity / peer.entries / others)
            found.append(each * each / (a * share * load * cube))
        return found


def expected(R: Reals, row: Row, reach: list[Interval], slopes: bool) -> tuple[Interval, list[Interval]]:
    """Return the excess, and its derivatives by log a of single peers if these are wanted."""
    draws = drawn_by(row)
    each = reduce(Interval.at_least, reach, R.enclose(draws.own_multiplicity)).hi
    end = (R.enclose(draws.base) + R.enclose(draws.number) * R(each, each)).hi
    top = R(end, end)
    least = R.enclose(draws.base or draws.own_multiplicity)  # B is no less where it counts
    nodes, error = quadrature(R, top / least)
    evaluate = powers_of(R, row) if draws.replacement else Products(R, row, reach, end).at
    excess, slope = R.zero, [R.zero] * len(reach)
    for node, weight in nodes:
        s = node / top
        above, drawn = evaluate(s, reach, slopes)
        excess += weight * above
        for e, number in enumerate(drawn):
            slope[e] += weight * s * reach[e] * number
    sure = R((R.one - error).lo, (R.one + error).hi)
    return excess * sure, [x * sure for x in slope]


def quadrature(R: Reals, ratio: Interval) -> tuple[list[tuple[Interval, Interval]], Interval]:
    """Return nodes s·top with their weights, and a relative error, for X from top down to top/ratio."""
    left, missed = gauss(R)
    count = max(0, ceil(4 * log(10 * float(ratio.hi))) + 1)
    beyond = "entries reach too far apart; this verifier has not checked the file"
    require(count <= MOST_NODES, beyond, UndecidedError)
    right = [(R.enclose(4) * R.enclose(STEP * j).exp(), R.enclose(STEP)) for j in range(1, count + 1)]
    nodes = [*left, *right]
    error = missed + R(ZERO, TRAPEZOID) + (-(nodes[-1][0] / ratio)).exp()
    return nodes, error / (R.one - error)


@lru_cache
def gauss(R: Reals) -> tuple[list[tuple[Interval, Interval]], Interval]:
    """Return the nodes up to 4 with their weights, and what their moments miss: 4 Σ_p |δ_p| 4^{p−1}/(p − 1)!.

    δ_p = Σ κ u^p − h/(1 − e^{−hp}); for p > 60 both are below what they are at p = 1, as 0 < u ≤ 1.
    """
    pairs = [(Fraction(u), Fraction(k)) for u, k in GAUSS]
    missed, factor = R.zero, Fraction(4)
    for p in range(1, MOMENTS + 1):
        exact = R.enclose(STEP) / (R.one - R.enclose(-STEP * p).exp())
        missed += R.enclose(factor) * abs(R.enclose(sum((k * u**p for u, k in pairs), Fraction(0))) - exact)
        factor *= Fraction(4, p)
    most = R.enclose(sum((k * u for u, k in pairs), Fraction(0)))
    most += R.enclose(STEP) / (R.one - R.enclose(-STEP).exp())
    return [(R.enclose(4 * u), R.enclose(k)) for u, k in pairs], missed + R.enclose(2 * factor) * most


def fall(x: Interval) -> Interval:
    """Return 1 − e^{−x} for x ≥ 0, relatively accurate however small x is: it is between x/(1 + x) and x."""
    fine = reals(2 * x.up.prec + 2)
    near = fine.one - (fine.zero - x).exp()
    least = x.down.divide(x.lo, x.up.add(ONE, x.lo))
    return x.__class__(max(least, x.down.plus(near.lo)), min(x.hi, x.up.plus(near.hi)))


def powers_of(R: Reals, row: Row) -> Evaluate:
    """Return the function of s with E[1{B>0}(e^{−sB} − e^{−sX})] and E[1{B>0} N_e e^{−sX}], with replacement.

    Differences of powers are written as sums of positive terms.
    """
    draws, whole, mine = drawn_by(row), population(row), population_of_own(row)
    _, *peers = row.terms.values()
    k, groups = draws.number, [R.enclose(x.multiplicity / whole) for x in peers]
    shares, own = [R.enclose(x.multiplicity / x.entries / whole) for x in peers], R.enclose(mine / whole)
    rest = R.enclose(1 - mine / whole)

    def at(s: Interval, reach: list[Interval], slopes: bool) -> tuple[Interval, list[Interval]]:
        gone = [fall(s * a) for a in reach]
        eta = R.total(q * x for q, x in zip(groups, gone, strict=True))
        left = R.total(q * (R.one - x) for q, x in zip(groups, gone, strict=True)).at_least(R.zero)
        delta = own * (-(s * R.enclose(draws.own_multiplicity))).exp()
        size = (-(s * R.enclose(draws.base))).exp()
        p0, p1 = ladder(rest + delta, k), ladder(left + delta, k)
        if draws.base:
            above, once = (
                size * eta * R.total(p0[i] * p1[k - 1 - i] for i in range(k)),
                size * p1[k - 1],
            )
        else:
            q0, q1 = ladder(rest, k), ladder(left, k)
            rise, low = quotients(p1, q1), quotients(p0, q0)
            terms = (p0[i] * rise[k - 1 - i] + low[i] * q1[k - 1 - i] for i in range(k))
            above, once = eta * delta * R.total(terms), delta * rise[k - 1]
        pairs = zip(shares, gone, strict=True) if slopes else ()
        return above, [R.enclose(k) * p * (R.one - x) * once for p, x in pairs]

    return at


def ladder(number: Interval, most: int) -> list[Interval]:
    """Return the powers 0 … most of a number."""
    found = [number.one]
    for _ in range(most):
        found.append(found[-1] * number)
    return found


def quotients(powers: list[Interval], others: list[Interval]) -> list[Interval]:
    """Return (aʳ − bʳ)/(a − b) = Σ_{l<r} aˡ b^{r−1−l} for all r."""
    found = [powers[0].zero]
    for power in powers[:-1]:
        found.append(found[-1] * others[1] + power)
    return found


class Polynomial(NamedTuple):
    """Coefficients 0 … K in units of 2^−bits, rounded down, and a bound on what all together lack."""

    numbers: list[int]
    missing: int


class Products:
    """What `powers_of` returns, without replacement: coefficients of Π (1 + θ t y)^n, over (1 + θ)^n.

    θ = K/(N + 1 − K) makes the K-th among the largest. Factors' coefficients sum up to one or less, and are
    rounded down, so that what sums of coefficients lack adds up. Products are those of integers (Kronecker).
    """

    def __init__(self, R: Reals, row: Row, reach: list[Interval], top: Decimal) -> None:
        _, *peers = row.terms.values()
        self.R, self.draws, self.k, self.n = R, drawn_by(row), drawn_by(row).number, int(population(row))
        mine, self.counts = population_of_own(row), [peer.entries for peer in peers]
        self.own, self.sizes = int(mine), [int(peer.multiplicity) for peer in peers]
        self.known: dict[int, Polynomial] = {}
        self.chance = self.binomial(self.n)[self.k]
        shares = [R.enclose(peer.multiplicity * self.k / self.n) for peer in peers]
        drawn = R.total(map(operator.mul, shares, reach))
        rare = R.enclose(1 if self.draws.base else min(Fraction(1), self.k * mine / self.n))
        small = R.down.divide(R.down.multiply(rare.lo, drawn.lo), R.up.multiply(top, Decimal(100)))
        self.bits = 96 + 2 * (self.k * (len(peers) + 2)).bit_length() + max(0, -4 * (small.adjusted() + 1))
        beyond = "products without replacement take too long here; this verifier has not checked the file"
        require(small > ZERO and self.bits <= MOST_BITS, beyond, UndecidedError)

    def at(self, s: Interval, reach: list[Interval], slopes: bool) -> tuple[Interval, list[Interval]]:
        """Return E[1{B>0}(e^{−sB} − e^{−sX})] and E[1{B>0} N_e e^{−sX}]."""
        own = self.factor(self.own, (-(s * self.R.enclose(self.draws.own_multiplicity))).exp())
        if not self.draws.base:
            own = Polynomial([0, *own.numbers[1:]], own.missing)
        factors = [self.factor(n, (-(s * a)).exp()) for n, a in zip(self.sizes, reach, strict=True)]
        before = [own]
        for factor in factors:
            before.append(self.product(before[-1], factor))
        full = self.product(own, self.factor(self.n - self.own, self.R.one))
        scale = (-(s * self.R.enclose(self.draws.base))).exp() / self.chance
        above = scale * (self.coefficient(full) - self.coefficient(before[-1]))
        counts: list[Interval] = []
        after = Polynomial([1 << self.bits, *[0] * self.k], 0)
        for factor, others, n in reversed([*zip(factors, before[:-1], self.counts, strict=True)] * slopes):
            counts.append(scale * self.drawn(factor, self.product(others, after)) / self.R.enclose(n))
            after = self.product(after, factor)
        return above.at_least(self.R.zero), counts[::-1]

    def drawn(self, factor: Polynomial, others: Polynomial) -> Interval:
        """Return Σ_i i F_i O_{K−i}, the expected number of draws of a factor."""
        pairs = zip(factor.numbers, reversed(others.numbers), strict=True)
        low = sum(i * f * o for i, (f, o) in enumerate(pairs))
        spare = self.k * (factor.missing + others.missing + 1) << self.bits
        return self.between(low, low + spare, 2 * self.bits)

    def coefficient(self, polynomial: Polynomial) -> Interval:
        """Return the K-th."""
        low = polynomial.numbers[self.k]
        return self.between(low, low + polynomial.missing, self.bits)

    def between(self, low: int, high: int, bits: int) -> Interval:
        """Return the interval from one number to another in units of 2^−bits."""
        low_end, high_end = (self.R.enclose(Fraction(n, 1 << bits)) for n in (low, high))
        return self.R(low_end.lo, high_end.hi)

    def factor(self, n: int, y: Interval) -> Polynomial:
        """Return ((1 + θ t y)/(1 + θ))^n for y ≤ 1.

        Of numbers of sum one times y^i, i times what y lacks and one rounding is missing, at most.
        """
        base, bits, unit = self.rounded(n), self.bits, Decimal(1 << self.bits)
        low, high = int(self.R.down.multiply(y.lo, unit)), int(self.R.up.multiply(y.hi, unit)) + 1
        numbers, power = [], 1 << bits
        for number in base.numbers:
            numbers.append(number * power >> bits)
            power = power * min(low, 1 << bits) >> bits
        return Polynomial(numbers, base.missing + self.k * (high - low + 1) + self.k + 1)

    def rounded(self, n: int) -> Polynomial:
        """Return the binomial distribution."""
        if n not in self.known:
            unit, exact = Decimal(1 << self.bits), self.binomial(n)
            numbers = [int(self.R.down.multiply(x.lo, unit)) for x in exact]
            above = [int(self.R.up.multiply(x.hi, unit)) + 1 for x in exact]
            self.known[n] = Polynomial(numbers, sum(above) - sum(numbers))
        return self.known[n]

    def binomial(self, n: int) -> list[Interval]:
        """Return C(n, i) θ^i/(1 + θ)^n, i = 0 … K."""
        R, odds = self.R, Fraction(self.k, self.n + 1 - self.k)
        found = [(-(R.enclose(n) * R.enclose(1 + odds).mapped(Context.ln))).exp()]
        for i in range(self.k):
            found.append(found[-1] * R.enclose(odds * max(n - i, 0) / (i + 1)))
        return found

    def product(self, p: Polynomial, q: Polynomial) -> Polynomial:
        """Return a product to t^K, by one product of integers."""
        width = (2 * self.bits + self.k.bit_length() + 8) // 8
        packed = [b"".join(c.to_bytes(width, "little") for c in x.numbers) for x in (p, q)]
        whole = int.from_bytes(packed[0], "little") * int.from_bytes(packed[1], "little")
        raw = whole.to_bytes(2 * width * (self.k + 1), "little")
        found = (int.from_bytes(raw[i : i + width], "little") for i in range(0, width * (self.k + 1), width))
        return Polynomial([c >> self.bits for c in found], p.missing + q.missing + self.k + 1)


# ------------------------------------------------------------------------------------------ witness and point
def entries(vectors: list[list[float]], squares: list[Fraction], g: list[int]) -> dict[Orbit, Fraction]:
    """Return ⟨v_a, v_b⟩ plus y_a² (δ_ij − 1/g_a) between the members i, j of each group; exact."""
    fits = len(vectors) == len(squares) == len(g) and len(set(map(len, vectors))) == 1
    require(fits, "vectors are not one for each group, and equally long")
    unit = max((x.as_integer_ratio()[1] for row in vectors for x in row), default=1)  # a power of two
    rows = [[n * (unit // d) for n, d in map(float.as_integer_ratio, row)] for row in vectors]
    words = 1 + max((abs(x).bit_length() for row in rows for x in row), default=0) // 60
    require(len(g) ** 2 * len(rows[0]) * words <= LARGEST_WORK, "vectors have too many digits to multiply")
    found = {k: Fraction(sum(map(operator.mul, rows[k[0]], rows[k[-1]])), unit * unit) for k in orbits(g)}
    alike = {k: squares[k[0]] * ((len(k) == 1) - Fraction(1, g[k[0]])) for k in found if k[0] == k[-1]}
    return found | {k: found[k] + x for k, x in alike.items()}


def read_witness(said: Any, program: Program) -> Any:
    """Return the witness with M₀ as matrix, with exact values, and Z and Y as inner products."""
    g, m = program.multiplicity, len(program.multiplicity)
    fits = [len(row) for row in said.peer] == [*range(m, 0, -1)] and len(said.own) == m
    require(fits and len(set(map(len, said.within))) == 1, "witness has lines of wrong lengths")
    require(sum(len(x.groups) ** 2 for x in said.clusters) <= LARGEST_PROGRAM**2, "clusters are too many")
    fits = all(0 < len(x.groups) == len(set(x.groups) & {*range(m)}) for x in said.clusters)
    require(fits, "a cluster is not of distinct groups")
    said.squares = [sum((Fraction(x) ** 2 for x in row), Fraction(0)) for row in said.within]
    value = {a: x.total for x in program.rules if x.kind in ("fixed", "bounded") for a in x.weight}
    said.inner, said.value = entries(said.factor, said.squares, g), value
    own = [value[a] if a in value and x == float(value[a]) else x for a, x in enumerate(said.own)]
    said.matrix = {k: said.peer[k[0]][k[1] - k[0]] if len(k) == 2 else own[k[0]] for k in said.inner}
    return said


def read_point(said: Any, program: Program) -> tuple[dict[Orbit, Fraction], int]:
    """Return the matrix before it is scaled to obey the rules, and its rank; exact."""
    matrix = entries(said.vectors, [Fraction(y) ** 2 for y in said.within], program.multiplicity)
    require(not program.nonnegative or min(matrix.values()) >= 0, "an entry is negative", RejectedError)
    apart = [n - 1 for n, y in zip(program.multiplicity, said.within, strict=True) if y]
    return matrix, len(said.vectors[0]) + sum(apart)


# --------------------------------------------------------------------------------------------------- bounds
class Proof:
    """What a certificate proves, in numbers of so many digits: floor (0 if none), L (−∞ if none) and U."""

    def __init__(self, R: Reals, program: Program, witness: Any, point: dict[Orbit, Fraction]) -> None:
        self.R, self.program, self.witness = R, program, witness
        self.beta = R.enclose(1 / program.temperature)
        self.rows = [enclosed(R, row) for row in program.rows]
        floors = [row.weight * row.floor for row in self.rows if row.floor is not None]
        self.above = len(floors) == len(self.rows)  # a floor; excesses hold what floors there are, if not
        self.floor, self.held = (R.total(floors), R.zero) if self.above else (R.zero, R.total(floors))
        self.point = self.scaled(point)
        ridges = [(a, w) for rule in program.rules if rule.kind == "ridge" for a, w in rule.weight.items()]
        cost = R.total(R.enclose(program.multiplicity[a] * w) * self.point[a,] for a, w in ridges)
        self.upper = self.rows_at(self.point)[1] + cost
        self.matrix = {k: R.enclose(x) for k, x in witness.matrix.items()}
        self.terms, excess = self.rows_at(self.matrix)
        self.by_row = [row.slopes(terms) for row, terms in zip(self.rows, self.terms, strict=True)]
        slope, (slack, self.ties) = self.slopes(), self.dual_slack()
        self.needed = self.multipliers(slope, slack)
        linear = R.total(slope[k] * x for k, x in self.matrix.items())
        self.lower = excess - linear - R.total(map(self.charge, program.rules))
        scales = [self.lower] if ridges or self.above else []
        if not ridges:  # the range, with R at M = 0
            scales.append(self.rows_at(dict.fromkeys(self.matrix, R.zero))[1] - self.upper)
        self.proven: dict[str, Any] = {  # a bound, the side of it, and whether it may be null beside "lower"
            "lower": (self.floor + self.lower, operator.le, True),
            "excess_lower": (self.lower if self.above else None, operator.le, True),
            "upper": (self.floor + self.upper, operator.ge, False),
            "excess_upper": (self.upper if self.above else None, operator.ge, False),
            "gap": (self.upper - self.lower, operator.ge, True),
            "scale": (reduce(Interval.at_most, scales), operator.le, True),
        }

    def scaled(self, matrix: dict[Orbit, Fraction]) -> dict[Orbit, Interval]:
        """Return the matrix of the point, scaled to obey the rules."""
        R, g, root = self.R, self.program.multiplicity, {}
        for rule in self.program.rules:
            spent = R.total(R.enclose(g[a] * w / rule.total * matrix[a,]) for a, w in rule.weight.items())
            used = {"fixed": spent, "ridge": R.one}.get(rule.kind, spent.at_least(R.one))
            root |= dict.fromkeys(rule.weight, (R.one / used).mapped(Context.sqrt))
        return {k: root[k[0]] * root[k[-1]] * R.enclose(x) for k, x in matrix.items()}

    def dual_slack(self) -> tuple[dict[Orbit, Interval], dict[Orbit, Interval]]:
        """Return W, and how strongly it ties different members to one point."""
        R, g = self.R, self.program.multiplicity
        slack = {k: R.enclose(x) for k, x in self.witness.inner.items()}
        ties = {(a, a): R.enclose(square / g[a]) for a, square in enumerate(self.witness.squares)}
        for cluster in self.witness.clusters:
            w = dict(zip(cluster.groups, map(R.enclose, cluster.weight), strict=True))
            kappa = R.enclose(cluster.kappa)
            pull = kappa / R.total(R.enclose(g[a]) * w[a] for a in w)
            for a in w:
                slack[a,] += kappa * w[a] - pull * w[a] * w[a]
            for a, b in ((a, b) for a in w for b in w if (a, b) in slack):
                slack[a, b] -= pull * w[a] * w[b]
                ties[a, b] = ties.get((a, b), R.zero) + pull * w[a] * w[b]
        return slack, ties

    def rows_at(self, matrix: Entries) -> tuple[list[list[Interval]], Interval]:
        """Return the terms of every row at a matrix, and the excess of all rows together."""
        scaled = {k: x * self.beta for k, x in matrix.items()}
        powers = {k: x.exp() for k, x in scaled.items()}
        found = [row.at(scaled, powers) for row in self.rows]
        excess = self.R.total(row.weight * value for row, (_, value) in zip(self.rows, found, strict=True))
        return [terms for terms, _ in found], self.held + excess

    def slopes(self) -> dict[Orbit, Interval]:
        """Return the derivative of the rows by each orbit at M₀: D times the number of its entries."""
        found = dict.fromkeys(self.matrix, self.R.zero)
        for row, slopes in zip(self.rows, self.by_row, strict=True):
            for k, slope in zip(row.orbits, slopes, strict=True):
                found[k] += row.weight * slope
        return {k: x * self.beta for k, x in found.items()}

    def multipliers(self, slope: dict[Orbit, Interval], slack: dict[Orbit, Interval]) -> list[Interval]:
        """Return ν for which D + diag(ν) − (what M ≥ 0 pays for) ⪰ W, by diagonal dominance."""
        R, g, half = self.R, self.program.multiplicity, self.R.enclose(0.5)
        needed = [R.zero] * len(g)
        for k, count in orbits(g).items():
            left = R.enclose(count) * slack[k] - slope[k]  # W − D, over all entries of the orbit
            if len(k) == 2:  # half of them are in rows of a, and half in rows of b
                left = half * (left.at_least(R.zero) if self.program.nonnegative else abs(left))
            for a in k:
                needed[a] += left
        return [x / R.enclose(n) for x, n in zip(needed, g, strict=True)]

    def charge(self, rule: Rule) -> Interval:
        """Return what multipliers ν ≥ needed cost the bound under a rule, ∞ where it admits none."""
        R = self.R
        price = reduce(Interval.at_least, (self.needed[a] / R.enclose(w) for a, w in rule.weight.items()))
        if rule.kind == "ridge":  # without a floor only in files by hand: solvers refuse to begin
            return (price - R.one).at_least(R.zero) * self.upper if self.above else R.infinite
        return (price if rule.kind == "fixed" else price.at_least(R.zero)) * R.enclose(rule.total)

    def proves_radius(self, radius: Decimal, gap: Interval) -> bool:
        """Whether |M_ij − point_ij| ≤ radius for all M with excess ≤ U and all i ≠ j, where G = U − L = gap.

        The steps are those of "Gram radius" in the format page; all groups are taken as bounded where one is.
        """
        R, own, value, rows = self.R, self.witness.matrix, self.witness.value, self.program.rows
        anchors = {row.anchor for row in rows if row.draws or (row.floor is None and row.reads_differences())}
        bounded = [a for rule in self.program.rules if rule.kind == "bounded" for a in rule.weight]
        # 1. Own entries of M₀ are the values, and those of M lie within σ = G/min needed below them.
        fits = len(anchors) == len(rows) and all(own[a,] == value.get(a) for a in range(len(self.needed)))
        if not fits or not all(self.needed[a].exceeds(R.zero) for a in bounded):
            return False
        sigma = reduce(Interval.at_least, (gap / self.needed[a] for a in bounded), R.zero)
        most, far = R(radius, radius), {}
        for (a, b), entry in ((k, x) for k, x in self.point.items() if len(k) == 2):
            # 2. A pair on one point has value − M_ij ≤ G/(2 tie), tie = κ w_i w_j/ω or |Y_a|²/g_a.
            tie = self.ties.get((a, b), R.zero)
            tied = not bounded and value[a] == value[b] and tie.exceeds(R.zero)
            if not tied or (gap / (tie + tie) + abs(self.matrix[a,] - entry)).exceeds(most):
                far[a, b] = abs(self.matrix[a, b] - entry)
        # 3. For others ρ is what the radius leaves beside σ and |M₀ − point|, or τ if that is less.
        rho, tau = most - sigma - reduce(Interval.at_least, far.values(), R.zero), R.one / self.beta
        found = (self.confined(set(far), x, gap, bool(bounded)) for x in (rho.at_most(tau), rho))
        return rho.exceeds(R.zero) and any(found)

    def confined(self, pairs: set[Orbit], rho: Interval, gap: Interval, bounded: bool) -> bool:
        """Whether pairs are read, and ½ ρ² μ > G for all that are: 1., μ being that of the box of ρ."""
        R, g, far = self.R, self.program.multiplicity, rho * self.beta
        growth, moduli = far.exp(), dict[Orbit, list[Interval]]()
        for row, terms, slopes in zip(self.rows, self.terms, self.by_row, strict=True):
            assert not isinstance(row, SumExp)  # they read more than differences
            each, bent = R.enclose(row.row.weight / g[row.row.anchor]), row.bent(terms, slopes, growth)
            for (k, term), x in zip([*row.row.terms.items()][1:], bent, strict=True):
                if term.multiplicity:  # a pair within a group has two such rows
                    moduli.setdefault(k, []).extend([each * x] * (1 if k[0] < k[1] else 2))
        joined, needed = Interval.at_most if bounded else Interval.__add__, (gap + gap) / (far * far)
        return pairs <= set(moduli) and all(reduce(joined, h).exceeds(needed) for h in moduli.values())


# --------------------------------------------------------------------------------------- the table of losses
Norm = tuple[str, Fraction | None]


class Setting:
    """A problem as losses see it: g classes of n features, K views of n/K samples, in each group."""

    def __init__(self, problem: Any, level: str) -> None:
        self.problem, self.views, self.lifted = problem, problem.views, level == "samples"
        counts, order = problem.counts, problem.order
        require(len(counts) <= LARGEST_PROGRAM, "counts are too many")
        require(all(len(pair) == 2 for pair in counts), "counts are not [size, classes]")
        self.n, self.g = [pair[0] * self.views for pair in counts], [pair[1] for pair in counts]
        largest_first = self.n == sorted(set(self.n), reverse=True)
        require(largest_first, "counts do not stand largest first, each size once")
        counted = Counter(dict(enumerate(self.g)))
        fits = order is None or (Counter(order) == counted and order != sorted(order))
        require(fits, "order does not fit the counts, or is that of the counts")
        self.features, self.classes = sum(map(operator.mul, self.n, self.g)), sum(self.g)
        require(self.features <= 2**53, "there are more than 2**53 features")
        self.anchors = sum(n * g for n, g in zip(self.n, self.g, strict=True) if n >= 2)
        if level != "groups":
            self.n, self.g = self.apart(), [1] * self.classes
        self.label = self.labels() if self.lifted else []

    def apart(self) -> list[int]:
        """Return the n of every class, in the user's order."""
        require(self.classes <= LARGEST_PROGRAM, "there are too many classes")
        counts = self.problem.counts
        order = self.problem.order or [a for a, (_, g) in enumerate(counts) for _ in range(g)]
        return [counts[a][0] * self.views for a in order]

    def labels(self) -> list[int]:
        """Return the class of every feature, sample by sample, class by class."""
        require(self.features <= LARGEST_PROGRAM, "there are too many samples")
        return [c for c, x in enumerate(self.n) for _ in range(x)]


class Node(NamedTuple):
    """A group of nodes: members; of one member the features it is, and its part of the mean over classes.

    Its vector is the features' times √square. It obeys a norm of its own, or the problem's.
    """

    members: int
    features: int
    part: Fraction
    square: Fraction = Fraction(1)
    norm: Norm | None = None


Reduced = tuple[list[Node], list[Row]]


def rules_of(norm: Norm, nodes: dict[int, Node]) -> list[Rule]:
    """Return what a norm asks of some nodes; a ridge pays half its weight for the square of each feature."""
    kind, number = norm[0], norm[1] or Fraction(1)
    if kind in ("sphere", "ball"):
        name, square = {"sphere": "fixed", "ball": "bounded"}[kind], number**2
        return [Rule(name, square * x.square, {a: Fraction(1, x.members)}) for a, x in nodes.items()]
    if kind == "ridge":
        return [Rule(kind, Fraction(1), {a: number / 2 * x.features / x.square for a, x in nodes.items()})]
    return [Rule("budget", number, {a: x.part / x.square for a, x in nodes.items()})]


def assembled(it: Setting, nodes: list[Node], rows: list[Row]) -> Program:
    """Return the program, with rules in the order of their first groups."""
    norms, own = [x.norm for x in nodes if x.norm], {a: x for a, x in enumerate(nodes) if x.norm}
    rest = {a: node for a, node in enumerate(nodes) if not node.norm}
    rules = rules_of(it.problem.norm, rest)
    rules += [rule for norm in norms[:1] for rule in rules_of(norm, own)]
    members = [node.members for node in nodes]
    rules.sort(key=lambda rule: min(rule.weight))
    return Program(members, it.problem.temperature, it.problem.nonnegative, rules, rows)


def class_nodes(it: Setting) -> list[Node]:
    """Return one node for each class, or for each feature at the level of samples."""
    if it.lifted:
        return [Node(1, 1, Fraction(1, it.classes * it.n[c])) for c in it.label]
    return [Node(g, n, Fraction(1, it.classes)) for n, g in zip(it.n, it.g, strict=True)]


def sample_node(it: Setting) -> list[Node]:
    """Return all samples as one node, views together, for losses that see no labels."""
    require(it.features >= 2 * it.views, "there is one sample only")
    weighs = it.problem.norm[0] == "mean-square" and len(set(it.n)) > 1
    require(not weighs, "a mean square weighs samples by their class, which the loss does not see")
    count = it.features // it.views
    return [Node(count, it.views, Fraction(1, count))]


def mean(it: Setting, each: list[Fraction]) -> list[Fraction]:
    """Return the weight of one anchor of each class, from what it is among all anchors."""
    whole = sum(map(operator.mul, map(operator.mul, it.n, it.g), each))
    require(whole and it.classes >= 2, "the problem has one class only, or no class of two samples")
    return [x / whole for x in each]


def own_rows(it: Setting, weight: list[Any], own: list[Any], pull: Any = 1, share: Any = 1) -> list[Row]:
    """Return the rows log( m₀ e^{M_cc/τ} + Σ_{c' ≠ c} (share · n_c') e^{M_cc'/τ} ) − pull · M_cc/τ.

    `weight` is that of one anchor, and `own` is m₀, of each class. One feature a node reads other classes
    alone, with n_c' = 1.
    """
    if it.lifted:
        every, ones = [*enumerate(it.label)], [1] * len(it.label)
        others = [[share * (b != c) for b in it.label] for c in range(it.classes)]
        zeros = [0] * len(ones)
        parts = [(i, weight[c], [own[c], *others[c]]) for i, c in every if weight[c]]
        return [row_of(ones, i, x, m, [pull, *zeros]) for i, x, m in parts]
    read, target = [share * n for n in it.n], [pull] + [0] * len(it.n)
    whole = [x * n * g for x, n, g in zip(weight, it.n, it.g, strict=True)]
    return [row_of(it.g, a, x, [own[a], *read], target) for a, x in enumerate(whole) if x]


def softmax(it: Setting, weight: list[Fraction], m: Fraction, by_views: bool, mates: int = 0) -> list[Row]:
    """Return the rows log Σ m_l e^{G_il/τ} − (mean of G_ip/τ over the positives p).

    Positives are all others of the class, or the other views of the sample, and have this m; others of the
    class have `mates`, other classes 1.
    """
    positives = [it.views - 1 if by_views else n - 1 for n in it.n]
    if not it.lifted:  # classes collapse
        own = [m * p + mates * (n - 1 - p) for n, p in zip(it.n, positives, strict=True)]
        return own_rows(it, weight, own)
    ones, rows = [1] * len(it.label), []
    for i, c in ((i, c) for i, c in enumerate(it.label) if weight[c]):
        alike = [j // it.views == i // it.views if by_views else b == c for j, b in enumerate(it.label)]
        read = [m if x else mates if b == c else 1 for x, b in zip(alike, it.label, strict=True)]
        share = Fraction(1, positives[c])
        target = [share if x and j != i else 0 for j, x in enumerate(alike)]
        rows.append(row_of(ones, i, weight[c], [0, *read], [0, *target]))
    return rows


def supcon(said: Any, it: Setting) -> Reduced:
    """L_out (Khosla et al. 2020), mean over anchors that have a positive, or mean over their classes.

    Anchor i, P being the others of its class, adds
    log( w Σ_P e^{G_ip/τ} + Σ_{other classes} e^{G_il/τ} ) − (1/|P|) Σ_P G_ip/τ.
    """
    require((said.batch_size is None) == (said.sampler is None), "batch_size and sampler belong together")
    if said.batch_size is not None:
        return random_batches(said, it)
    each = [Fraction(n >= 2, n if said.class_weights == "classes" else 1) for n in it.n]
    return class_nodes(it), softmax(it, mean(it, each), said.positives_weight, by_views=False)


PLAIN = SimpleNamespace(positives_weight=Fraction(1), class_weights="samples", batch_size=None, sampler=None)


def random_batches(said: Any, it: Setting) -> Reduced:
    """L_out in a random batch of b samples: the expected sum over its anchors over their expected number.

    Anchors have a positive there; they are of class c at the rate q_c, and b − 1 companions of all. Of V
    views and N_c' of class c' one of them adds log( B + Σ V N_c' e^{(M_cc' − M_cc)/τ} ), B = V (1 + N_c) − 1.
    """
    size, views, draws = [n // it.views for n in it.n], it.views, said.batch_size - 1
    once, rate = said.sampler == "shuffle", [1] * len(size) if said.sampler == "class-balanced" else size
    count, numbers = sum(map(operator.mul, rate, it.g)), [Fraction(x) for x in (views - 1, views, views)]
    require(said.positives_weight == 1 and said.class_weights == "samples", "batches know no weights")
    require(not it.lifted and it.classes >= 2, "batches have a program for classes alone, of which two")
    require(draws >= 1 and (views > 1 or draws > 1), "the batch is too small")
    require(draws <= MOST_DRAWS and count <= LARGEST_SHUFFLED, "the batch is too large, or drawn of too many")
    require(not once or draws < count, "the batch is larger than what is shuffled")
    rows, counted = [], Fraction(0)
    for a, q in ((a, q) for a, q in enumerate(rate) if views > 1 or q > once):
        alone = Fraction(0)  # the chance of no positive, with one view
        if views == 1:
            others, all_peers = count - q, count - once
            ways = comb(others, draws), comb(all_peers, draws)
            alone = Fraction(*ways) if once else Fraction(others, all_peers) ** draws
        counted += q * it.g[a] * (1 - alone)
        row = row_of(it.g, a, Fraction(q * it.g[a]), [q - once, *rate], [0] * (1 + len(rate)))
        rows.append(row._replace(draws=Draws(draws, not once, *numbers)))
    require(counted, "no batch has an anchor")
    return class_nodes(it), [row._replace(weight=row.weight / counted) for row in rows]


def supcon_in(_: Any, it: Setting) -> Reduced:
    """L_in, by its minorant log( |P| + Σ_{other classes} e^{(G_il − R²)/τ} ), R bounding every norm."""
    bounded = it.problem.norm[0] in ("sphere", "ball")
    require(bounded, "the loss has a convex minorant on sphere and ball only")
    weight = mean(it, [Fraction(n >= 2) for n in it.n])
    return class_nodes(it), own_rows(it, weight, [n - 1 for n in it.n])


def supcon_temperatures(said: Any, it: Setting) -> Reduced:
    """L_out of G_ij/√(τ_c τ_c'), τ_c = τ (n_c/n_0)^γ with n_0 the n of the hottest class: of √(τ/τ_c) h."""
    require(abs(said.exponent) <= 4, "the exponent is beyond 4")
    hottest = max(it.n) if said.exponent >= 0 else min(it.n)
    square = [1 / power(Fraction(n, hottest), said.exponent) for n in it.n]
    nodes, rows = supcon(PLAIN, it)
    kinds = it.label if it.lifted else range(len(it.n))
    return [x._replace(square=square[c]) for x, c in zip(nodes, kinds, strict=True)], rows


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Return base^exponent, rounded to 12 significant digits."""
    fine, coarse = Context(60, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX), Context(12)
    logarithm, number = (fine.divide(*map(Decimal, x.as_integer_ratio())) for x in (base, exponent))
    about = fine.exp(fine.multiply(number, fine.ln(logarithm)))
    ends = {coarse.multiply(about, Decimal(x)) for x in (f"1.{'0' * 40}1", f".{'9' * 40}")}
    require(len(ends) == 1, "a ratio of temperatures is too near the middle of two decimals")
    return Fraction(ends.pop())


def ntxent_labels(_: Any, it: Setting) -> Reduced:
    """Mean over ordered pairs (i, p) of a class of log( 1 + Σ_{other classes} e^{(G_il − G_ip)/τ} )."""
    weight = mean(it, [Fraction(n - 1) for n in it.n])
    if not it.lifted:
        return class_nodes(it), own_rows(it, weight, [1] * len(it.n))
    pairs = sum(n * (n - 1) for n in it.n)
    require(pairs <= LARGEST_PROGRAM, "there are too many pairs of positives")
    ones, rows = [1] * len(it.label), []
    for i, p in ((i, p) for i in range(len(ones)) for p in range(len(ones)) if i != p):
        c = it.label[i]
        if it.label[p] == c:
            read = [int(j == p or b != c) for j, b in enumerate(it.label)]
            target = [int(j == p) for j in range(len(ones))]
            rows.append(row_of(ones, i, weight[c] / (it.n[c] - 1), [0, *read], [0, *target]))
    return class_nodes(it), rows


def negatives_only(said: Any, it: Setting) -> Reduced:
    """NSCL: mean over all of log( w Σ_P e^{G_ip/τ} + Σ_{other classes} … ) − mean of P, P the other views."""
    require(it.views >= 2, "the loss needs two views")
    weight = mean(it, [Fraction(1) for _ in it.n])
    return class_nodes(it), softmax(it, weight, said.positives_weight, by_views=True)


def unlabelled(positive: int) -> Callable[[Any, Setting], Reduced]:
    """Return CL or DCL: mean of log Σ_{others} e^{G_il/τ} − mean over other views, which others hold or not.

    All N samples are alike: log( positive · (K − 1) e^{M_ii/τ} + Σ_{j ≠ i} K e^{M_ij/τ} ) − M_ii/τ.
    """

    def loss(_: Any, it: Setting) -> Reduced:
        require(it.views >= 2, "the loss needs two views")
        (node,) = sample_node(it)
        if it.lifted:
            weight = [Fraction(1, it.features) for _ in it.n]
            return class_nodes(it), softmax(it, weight, Fraction(positive), by_views=True, mates=1)
        read = [positive * (it.views - 1), it.views]
        return [node], [row_of([node.members], 0, Fraction(1), read, [1, 0])]

    return loss


def dhel(said: Any, it: Setting) -> Reduced:
    """Koromilas et al. 2024: mean of w log Σ_l e^{G_il/τ} − (mean over other views), l of i's own view.

    Samples l are all others, or those of other classes; views coincide: −M_ii/τ is the pull.
    """
    require(it.views >= 2 and not it.lifted, "the loss needs two views, and has no program by samples")
    w, pull = said.energy, 1 / said.energy
    if said.negatives == "all":
        (node,) = sample_node(it)
        return [node], [row_of([node.members], 0, w, [0, 1], [pull, 0])]
    weight = [w * x for x in mean(it, [Fraction(1) for _ in it.n])]
    return class_nodes(it), own_rows(it, weight, [0] * len(it.n), pull, Fraction(1, it.views))


def cross_entropy(said: Any, it: Setting) -> Reduced:
    """Mean over samples of log Σ_c e^{⟨w_c, h⟩/τ} − ⟨w_y, h⟩/τ; nodes w_1, h_1, w_2, h_2, …, by classes."""
    fits = it.classes >= 2 and not (it.lifted or it.problem.nonnegative)
    require(fits, "the loss has no program for one class, by samples, or of non-negative features")
    require(2 * it.classes <= LARGEST_PROGRAM, "there are too many classes")
    n, k = [n for n, g in zip(it.n, it.g, strict=True) for _ in range(g)], it.classes
    pairs = [(Node(1, 1, Fraction(1, k), norm=said.classifier), Node(1, x, Fraction(1, k))) for x in n]
    ones, read, rows = [1] * (2 * k), [1, 0] * k, []
    for c, x in enumerate(n):
        target = [int(a == 2 * c) for a in range(2 * k)]
        rows.append(row_of(ones, 2 * c + 1, Fraction(x, it.features), [0, *read], [0, *target]))
    return [node for pair in pairs for node in pair], rows


def kernel(said: Any, it: Setting) -> Reduced:
    """γ (mean of κ over negatives) − (mean over positives, at most 1), κ = e^{(G_ij − R²)/τ} on a sphere."""
    require(it.problem.norm[0] == "sphere", "the loss is one of distances on a sphere")
    weight = mean(it, [Fraction(1) for _ in it.n])
    require(it.anchors, "there is no pair of positives")
    squares = sum(x * x * g for (x, g) in zip(it.n, it.g, strict=True))
    pairs = Fraction(it.features**2 - squares, it.features)  # of negatives, for each anchor
    rows = own_rows(it, [said.gamma * x / pairs for x in weight], [0] * len(it.n))
    return class_nodes(it), [row._replace(floor=-pairs / said.gamma) for row in rows]


def fixed_batches(said: Any, it: Setting) -> Reduced:
    """Kini et al. 2023: L_out inside each batch, mean over all anchors of all batches.

    Features of a class in the same batches are alike, and stand by class and by the batches that hold them.
    """
    label, held, count = said.labels, [set(batch) for batch in said.batches], Counter(said.labels)
    require(len(label) * len(held) <= LARGEST_PROGRAM**2, "there are too many samples in batches")
    inside = {i for batch in held for i in batch} == set(range(len(label)))
    whole = inside and all(len(x) == len(y) for x, y in zip(held, said.batches, strict=True))
    require(whole, "batches are not of distinct samples that together are all")
    fits = [count[y] * it.views for y in sorted(count)] == it.apart()
    require(fits, "the labels do not have the counts of the problem")
    kinds = [(y, *(i in batch for batch in held)) for i, y in enumerate(label)]
    groups = [(x, n * it.views) for x, n in sorted(Counter(kinds).items())]
    if it.lifted:
        groups = [(x, 1) for x in kinds for _ in range(it.views)]
    rows_at_most = sum(sum(x[1:]) for x, _ in groups)
    require(rows_at_most <= LARGEST_PROGRAM, "there are too many anchors in batches")
    members, rows = [x for _, x in groups], []
    for b in range(1, len(held) + 1):
        here = [int(x[b]) for x, _ in groups]
        size: Counter[int] = Counter()
        for x, n in groups:
            size[x[0]] += n * x[b]
        for a in (a for a, (x, _) in enumerate(groups) if here[a] and size[x[0]] >= 2):
            y = groups[a][0][0]
            share = Fraction(1, size[y] - 1)
            target = [share if x[b] and x[0] == y else 0 for x, _ in groups]
            rows.append(row_of(members, a, Fraction(members[a]), [0, *here], [0, *target]))
    anchors = sum(row.weight for row in rows)
    require(anchors, "no batch holds two samples of a class")
    nodes = [Node(x, 1, Fraction(1, it.classes * count[y[0]] * it.views)) for y, x in groups]
    return nodes, [row._replace(weight=row.weight / anchors) for row in rows]


def solo_supcon(_: Any, it: Setting) -> Reduced:
    """L_in − log |P| of cosines (solo-learn): the rows of L_in with every m over |P|."""
    require(min(it.n) >= 2 and it.problem.norm == ("sphere", None), "the loss needs cosines, and positives")
    nodes, rows = supcon_in(None, it)
    return nodes, [row._replace(terms={k: over(x, row) for k, x in row.terms.items()}) for row in rows]


def over(term: Term, row: Row) -> Term:
    """Return a term with its m over that of the row's own entry."""
    return term._replace(multiplicity=Fraction(term.multiplicity, row.terms[row.anchor,].multiplicity))


def preset(
    loss: Callable[[Any, Setting], Reduced],
    said: Any = PLAIN,
    *,
    scale: Callable[[Setting], Fraction] = lambda _: Fraction(1),
    cosines: bool = False,
    views: int | None = None,
) -> Callable[[Any, Setting], Reduced]:
    """Return a loss times a scale; of cosines, as the code divides by norms; of the views that it takes."""

    def scaled(_: Any, it: Setting) -> Reduced:
        require(not cosines or it.problem.norm == ("sphere", None), "the loss is one of cosines")
        require(views in (None, it.views), "the loss is written for another number of views")
        nodes, rows = loss(said, it)
        return nodes, [row._replace(weight=row.weight * scale(it)) for row in rows]

    return scaled


def over_all(it: Setting) -> Fraction:
    """Return what makes a mean over anchors one over all features: who has no positive counts as zero."""
    return Fraction(it.anchors, it.features)


def supcontrast(it: Setting) -> Fraction:
    """Return τ/0.07 over all (HobbitLong/SupContrast)."""
    return it.problem.temperature * Fraction(100, 7) * over_all(it)


def google(loss: Callable[[Any, Setting], Reduced]) -> Callable[[Any, Setting], Reduced]:
    """Return τ times a loss over all features, of one view over |P| once more (google-research)."""

    def scaled(_: Any, it: Setting) -> Reduced:
        require(it.views > 1 or not it.lifted, "the loss has no program by samples for one view")
        nodes, rows = loss(PLAIN, it)
        scale = it.problem.temperature * over_all(it)
        positives = [1 if it.views > 1 else it.n[row.anchor] - 1 for row in rows]
        pairs = zip(rows, positives, strict=True)
        return nodes, [row._replace(weight=row.weight * scale / x) for row, x in pairs]

    return scaled


def risk(collisions: bool, hardened: bool = False) -> Callable[[Any, Setting], Reduced]:
    """Return Jiang et al.'s SCL or UCL: E ψ(t_1 … t_q), t_i = (M_cc' − M_cc)/τ, q negatives drawn by samples.

    They are of other classes, or of all; hardened, they are drawn by a function of similarity that increases.
    """

    def loss(said: Any, it: Setting) -> Reduced:
        require(it.classes >= 2 and not it.lifted, "the loss has a program for classes alone, of which two")
        require(said.q <= 10**6, "there are too many negatives")
        beta = said.beta if hardened else 1
        fits = {"exponential": beta >= 0, "top-q": 0 < beta <= 1, "power": beta > 0}
        require(not hardened or fits.get(said.eta, True), "beta does not fit eta")
        size, whole = [n // it.views for n in it.n], it.features // it.views
        own = size if collisions else [0] * len(size)
        if said.psi == "mean-exp":
            drawn = [whole if collisions else whole - x for x in size]
            weight = [Fraction(1, x * it.features) for x in drawn]
            rows = own_rows(it, weight, [0] * len(size), share=Fraction(1, it.views))
            return class_nodes(it), [row._replace(floor=Fraction(own[row.anchor])) for row in rows]
        q = 1 if said.psi == "mean-softplus" else said.q
        draws = Draws(q, True, said.a, Fraction(1, q), Fraction(1, q))
        weight = [Fraction(n * g, it.features) for n, g in zip(it.n, it.g, strict=True)]
        parts, zeros = zip(weight, own, strict=True), [0] * (1 + len(size))
        rows = [row_of(it.g, a, w, [x, *size], zeros) for a, (w, x) in enumerate(parts)]
        return class_nodes(it), [row._replace(draws=draws) for row in rows]

    return loss


def jiang_ucl(_: Any, it: Setting) -> Reduced:
    """UCL with 256 negatives, a = 1, anchors weighed by the features of their class."""
    said = SimpleNamespace(q=256, a=Fraction(1), psi="log-mean-exp")
    nodes, rows = risk(True)(said, it)
    squares = Fraction(sum(n * n * g for n, g in zip(it.n, it.g, strict=True)), it.features)
    return nodes, [row._replace(weight=row.weight * it.n[row.anchor] / squares) for row in rows]


SAMPLES_OR_CLASSES = spelled('"samples" or "classes"', str, "samples|classes")
NEGATIVES = spelled('"all" or "other-classes"', str, "all|other-classes")
LABEL = leaf(int, "an integer, or beyond 2**53", int, lambda n: abs(n) <= 2**53)
SAMPLER = spelled("a sampler that is known", str, "shuffle|replacement|class-balanced")
PSI = spelled("a function that is known", str, "log-mean-exp|mean-exp|mean-softplus")
ETA = spelled("a function that is known", str, "exponential|threshold|top-q|power")
BATCH = {"positives_weight": UNSIGNED, "class_weights": SAMPLES_OR_CLASSES, "batch_size?": COUNT}
RISK = {"q": COUNT, "a": POSITIVE, "psi": PSI}
HARD = RISK | {"eta": ETA, "beta": RATIONAL}
LOSSES: dict[str, tuple[dict[str, Any], Callable[[Any, Setting], Reduced]]] = {
    "supcon": (BATCH | {"sampler?": SAMPLER}, supcon),
    "supcon-in": ({}, supcon_in),
    "supcon-temperatures": ({"exponent": RATIONAL}, supcon_temperatures),
    "ntxent-labels": ({}, ntxent_labels),
    "negatives-only": ({"positives_weight": UNSIGNED}, negatives_only),
    "decoupled": ({}, unlabelled(0)),
    "self-supervised": ({}, unlabelled(1)),
    "dhel": ({"negatives": NEGATIVES, "energy": POSITIVE}, dhel),
    "cross-entropy": ({"classifier": norm_of}, cross_entropy),
    "kernel": ({"gamma": POSITIVE}, kernel),
    "fixed-batches": ({"labels": [LABEL], "batches": [[INDEX]]}, fixed_batches),
    "supcontrast": ({}, preset(supcon, scale=supcontrast)),
    "kini-supcon": ({}, preset(supcon, scale=supcontrast)),
    "graf-supcon": ({}, preset(supcon, scale=over_all)),
    "pml-supcon": ({}, preset(supcon, cosines=True)),
    "pml-ntxent": ({}, preset(ntxent_labels, cosines=True)),
    "lightly-ntxent": ({}, preset(unlabelled(1), cosines=True, views=2)),
    "luthra-ntxent": ({}, preset(unlabelled(1), cosines=True, views=2)),
    "luthra-weak": ({}, preset(negatives_only, PLAIN, cosines=True, views=2)),
    "solo-supcon": ({}, solo_supcon),
    "google-supcon-out": ({}, google(supcon)),
    "google-supcon-in": ({}, google(supcon_in)),
    "scl": (RISK, risk(collisions=False)),
    "ucl": (RISK, risk(collisions=True)),
    "hscl": (HARD, risk(collisions=False, hardened=True)),
    "hucl": (HARD, risk(collisions=True, hardened=True)),
    "jiang-ucl": ({}, jiang_ucl),
}


BELOW = {"hscl", "hucl"}  # bounded by the program, and not known to attain it
COLLAPSED = {"supcon-in", "google-supcon-in", "solo-supcon", "kernel"}  # which classes on points attain
OF_SAMPLES = {"decoupled", "self-supervised", "lightly-ntxent", "luthra-ntxent", "fixed-batches"}
ASCII = {ord("≤"): "<=", ord("≥"): ">="}  # for any terminal
OF_NORM = {"sphere": "of norm ", "ball": "of norm at most "}
OF_NORM |= {"ridge": "of any norm, which pay a ridge of weight "}
OF_NORM |= {"mean-square": "of mean square over classes at most "}


def attained(claim: Any) -> bool:
    """Whether the program is no mere bound: a matrix of classes, or samples, has its value as loss."""
    by_samples = claim.problem.loss.name in COLLAPSED and claim.level == "samples"
    return not (by_samples or claim.problem.loss.name in BELOW)


def parameter(value: Any) -> str:
    """Return a parameter of a loss as the words have it."""
    return " ".join(x for pair in value.items() for x in pair if x) if isinstance(value, dict) else str(value)


def problem_in_words(claim: Any) -> str:
    """Return what the sentence says of a problem before its bounds."""
    problem, written = claim.problem, claim.problem.loss.written
    rest = ", ".join(f"{key} = {parameter(written[key])}" for key in sorted(written))
    counts = ",".join(f"{size}x{classes}" for size, classes in problem.counts)
    of_classifier = problem.loss.said.classifier if problem.loss.name == "cross-entropy" else None
    norms = [("classifiers", of_classifier), ("features", problem.norm)]
    vectors = ", ".join(f"{role} {OF_NORM[norm[0]]}{norm[1] or 1}" for role, norm in norms if norm)
    vectors += ", entrywise non-negative" * problem.nonnegative
    return (
        f"For the loss {problem.loss.name}{f' ({rest})' * bool(rest)}, class counts {counts}, "
        f"{problem.views} views, temperature {problem.temperature}, over every dimension and all {vectors}"
    )


def point_in_words(claim: Any) -> str:
    """Return what the sentence says of the point."""
    if not attained(claim):
        return f"the bound itself is at most {claim.written['upper']}, and no loss as small is claimed"
    what = "the geometry given here attains a loss"
    if claim.problem.nonnegative:
        what = "a positive semidefinite and entrywise non-negative Gram matrix given here has a loss"
    return f"{what} ≤ {claim.written['upper']} in dimension {claim.rank}"


def radius_in_words(claim: Any) -> str:
    """Return what the sentence says of the Gram radius."""
    of_samples = claim.level == "samples" or claim.problem.loss.name in OF_SAMPLES
    that = "that of this geometry" if attained(claim) else "this value of the bound"
    return (
        f"all features whose loss is at most {that} have their Gram matrix of means over each "
        f"{'sample' if of_samples else 'class'} within {claim.written['gram_radius']} of it, "
        "entrywise off the diagonal"
    )


def words(claim: Any, program: Program, named: bool) -> str:
    """Return the sentence of the format page, of numbers that must have been verified."""
    text, what, g = claim.written, "loss" if named else "value", program.multiplicity
    nodes = f"{len(g)} groups of {sum(g)} nodes in all"
    of_program = f"For the convex program in the file, {nodes}, over every feasible matrix"
    head = problem_in_words(claim) if named else of_program
    lower = "nothing is proven from below" if claim.lower is None else f"{what} ≥ {text['lower']}"
    parts = [f"{head}: {lower}"]
    parts += [point_in_words(claim) if named else f"the matrix given here has a value ≤ {text['upper']}"]
    proven = "CERTIFIED" if claim.verdict == "CERTIFIED" else "not proven"
    beside = f"is {proven} to be within {text['tolerance']} of its scale ≥ {text['scale']}"
    beside = "has no scale" if claim.scale is None else beside
    parts += [f"the gap ≤ {text['gap']} {beside}"] * (claim.gap is not None)
    near = (
        "every feasible matrix whose value is at most that of this one is within "
        f"{text['gram_radius']} of it, entrywise off the diagonal"
    )
    parts += [radius_in_words(claim) if named else near] * (claim.gram_radius is not None)
    return "; ".join(parts) + "."


def corresponds(claim: Any, program: Program) -> bool:
    """Whether the table builds the program from the claimed problem; False where it lacks the loss."""
    problem = claim.problem
    require((problem is None) == (claim.level is None), "a problem and its level belong together")
    if problem is None:
        return False
    it = Setting(problem, claim.level)
    if problem.loss.name not in LOSSES:
        return False
    built = assembled(it, *LOSSES[problem.loss.name][1](problem.loss.said, it))
    require(built == program, "the program is not that of the claimed problem", RejectedError)
    of_means = claim.gram_radius is None or problem.loss.name != "dhel"  # whose M is a mean over views
    require(of_means, "a Gram radius is claimed of a loss whose program has no Gram matrix", RejectedError)
    return True


# -------------------------------------------------------------------------------------------------- verdict
def confirm(claim: Any, proof: Proof) -> None:
    """Reject a claim that no digits could prove, and ask for more where a bound is not known well enough."""
    for name, (bound, holds, optional) in proof.proven.items():
        said, known, spared = getattr(claim, name), bound is not None, optional and claim.lower is None
        require(said is not None or spared or not known, f"{name} is missing", RejectedError)
        require(said is None or known, f"{name} is not proven", RejectedError)
        if said is not None:
            sure, hoped = (bound.lo, bound.hi) if holds is operator.le else (bound.hi, bound.lo)
            beyond = f"{name} is claimed to be {said:.25}, and {sure:.25} is proven"
            require(holds(said, hoped), beyond, RejectedError)
            require(holds(said, sure), beyond, FewDigitsError)
    near = claim.gram_radius is None or proof.proves_radius(claim.gram_radius, proof.proven["gap"][0])
    require(near, "the Gram radius is not proven", RejectedError)


def recomputed(proof: Proof) -> str:
    """Return the bounds of this verifier, with 25 digits."""
    down, up = reals(25).down.plus, reals(25).up.plus
    lower, upper, gap = (proof.proven[name][0] for name in ("lower", "upper", "gap"))
    return f"{down(lower.lo)} <= least value <= {up(upper.hi)}, gap <= {up(gap.hi)}"


def examine(said: Any) -> Verdict:
    """Recompute what a certificate claims; return what is proven."""
    claim, program = said.claim, read_program(said.program)
    tolerance = claim.tolerance if claim.verdict == "CERTIFIED" else None
    strong = tolerance is not None or claim.gram_radius is not None
    require(claim.tolerance >= 0 and not (strong and claim.lower is None), "claim is incomplete")
    named = corresponds(claim, program)
    witness, (point, rank) = read_witness(said.witness, program), read_point(said.point, program)
    require(claim.rank == rank, f"the rank is {rank}, not what is claimed", RejectedError)
    known, exact = None not in (claim.gap, claim.scale), reals(2 * LARGEST_NUMBER).up.multiply
    small = tolerance is None or (known and claim.gap <= exact(tolerance, claim.scale))
    require(small, "the verdict CERTIFIED is not proven: the gap is above the tolerance", RejectedError)
    sentence, claimed = words(claim, program, named), claim.problem is None or named
    require(not claimed or claim.words == sentence, "the words are not those of the claim", RejectedError)
    unchecked = "" if named else " (program proven; correspondence to the named loss unchecked)"
    digits, cost = FEWEST_DIGITS, len(program.multiplicity) ** 2 // 2 + 20 + cost_of_draws(program)
    while True:
        try:
            proof = Proof(reals(digits), program, witness, point)
            confirm(claim, proof)
            message = f"accepted: {sentence.translate(ASCII)}{unchecked} Recomputed: {recomputed(proof)}"
            return Verdict(True, message, True, named, tolerance)
        except FewDigitsError as doubt:
            digits *= 2
            require(cost * digits**3 <= LARGEST_EVALUATION, f"could not decide: {doubt}", UndecidedError)


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
    said.claim.written = found["claim"]
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
        return examine(parse(load(source) if isinstance(source, Path) else source))
    except RejectedError as error:
        return Verdict(False, f"rejected: {error}", decided=not isinstance(error, UndecidedError))
    except ArithmeticError:
        return Verdict(False, "rejected: its numbers are too large or too small to compute with")
    except Exception as error:  # no text, no JSON, too deep, too large: whatever it is, it is no certificate
        what = f"{type(error).__name__}, {ascii(str(error))[:100]}"
        what = "lists that belong together differ in length" if "zip()" in what else what
        what = str(error) if isinstance(error, UnusableError) else what
        return Verdict(False, f"unusable file: {what}", usable=False)


def real(text: str) -> Decimal:
    """Return the number that an argument says."""
    return REAL(text, "it")


def main() -> int:
    """Check the file that the command names; return the exit code."""
    parser = argparse.ArgumentParser(description="Check a gramcert certificate.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--tolerance", default="1e-9", type=real)
    parser.add_argument("--unnamed", action="store_true", help="accept the program of any loss, or of none")
    given = parser.parse_args()
    outcome = check(given.file)
    enough = outcome.suffices(given.tolerance, given.unnamed)
    less = "" if enough or not outcome.accepted else f"; no proof as asked for, at {given.tolerance:g}"
    print(outcome.message + less)
    return 0 if enough else 1 if outcome.usable else 2


if __name__ == "__main__":
    sys.exit(main())
