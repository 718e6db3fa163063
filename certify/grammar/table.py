"""The grammar of certificate files as a table; docs/certificate-format.md says the same in words."""

from __future__ import annotations

from typing import Any

from certify.grammar.shapes import (
    Array,
    Choice,
    Fault,
    Null,
    Object,
    Of,
    Only,
    Shape,
    Spelled,
    Whole,
    in_lowest_terms,
    one_of,
)
from relax import losses
from relax.losses.parameters import LISTS, NUMBERS, Parameter, parameters
from relax.norms import Norm

SCHEMA = "gramcert/certificate/3"
LARGEST_PROGRAM = 4_000  # groups; rows
LONGEST_NORMALISER = 8_000  # characters
HIGHEST = 1023  # of exponents of dyadics, in absolute value; −1022 is the lowest that a binary64 has

# Numbers. "[0-9]" and not "\d", which other alphabets' digits match as well.
FLAG, TEXT = Of(bool, "true or false"), Of(str, "text")
INDEX, LABEL = Whole("an integer from 0 on", 0), Whole("an integer within 2**53", -(2**53), 2**53)
COUNT = Whole("an integer from 1 to 2**53", 1, 2**53)
SIGNED = Spelled(
    'a rational such as "-1/10", in lowest terms', "-?(0|[1-9][0-9]*)(/[1-9][0-9]*)?", admits=in_lowest_terms
)
UNSIGNED = Spelled(
    'a rational such as "1/10", in lowest terms', "(0|[1-9][0-9]*)(/[1-9][0-9]*)?", admits=in_lowest_terms
)
POSITIVE = Spelled(
    'a positive rational such as "1/10", in lowest terms',
    "[1-9][0-9]*(/[1-9][0-9]*)?",
    admits=in_lowest_terms,
)
NORMALISER = Spelled(POSITIVE.words, POSITIVE.form, LONGEST_NORMALISER, in_lowest_terms)
DECIMAL = Spelled('a decimal such as "3.2e-14"', r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,10})?")
DIGITS = r"0x[01](\.[0-9a-f]{1,13})?p[+-]?(0|[1-9][0-9]{0,3})"


def _is_binary64(text: str) -> bool:
    """Whether the exponent is one of a normal number; with 13 hexadecimal digits nothing is rounded then."""
    return 1 - HIGHEST <= int(text.partition("p")[2]) <= HIGHEST


DYADIC = Spelled('a dyadic such as "-0x1.8p-3"', f"-?{DIGITS}", admits=_is_binary64)
LENGTH = Spelled('a dyadic from 0 on such as "0x1.8p-3"', rf"{DIGITS}|-0x0(\.0)?p\+0", admits=_is_binary64)

# The problem. Losses that are not known may have any parameters: nothing is said of them.
NORM = Only({"sphere": Null(POSITIVE), "ball": Null(POSITIVE), "ridge": POSITIVE, "mean-square": POSITIVE})
NAME = Spelled("the name of a loss, of a-z, 0-9 and -", "[a-z0-9-]+")


def norm(value: Any) -> None:
    """Raise `Fault` unless the value is a norm, whose radius is null where it is 1."""
    NORM(value)
    if {"sphere": "1", "ball": "1"}.items() & value.items():
        raise Fault("is not a norm as it is written: a radius of 1 is null")


def parameter(said: Parameter) -> Shape:
    """Return the shape of a parameter of a loss, from its declared kind."""
    if isinstance(said.kind, tuple):
        return one_of(*said.kind)
    kinds: dict[Any, Shape] = {int: COUNT, float: SIGNED, Norm: norm, NUMBERS: Array(LABEL)}
    return kinds[said.kind] if said.kind in kinds else Array(Array(INDEX)) if said.kind == LISTS else TEXT


def loss(value: Any) -> None:
    """Raise `Fault` unless the value is a loss, with all parameters of one that is known and no others."""
    if type(value) is not dict or "name" not in value:
        raise Fault("is not an object with a name")
    NAME(value["name"])
    if value["name"] not in losses.names():
        return
    known = {one.name: one for one in parameters(losses.kind(value["name"]))}
    needed = {name: parameter(one) for name, one in known.items() if not one.optional}
    optional = {name: parameter(one) for name, one in known.items() if one.optional}
    Object(needed | {"name": NAME}, optional)(value)


PROBLEM = Object(
    {
        "loss": loss,
        "counts": Array(Array(COUNT, 2, 2), 1, LARGEST_PROGRAM),
        "temperature": POSITIVE,
        "norm": norm,
        "nonnegative": FLAG,
        "views": COUNT,
    },
    {"order": Array(INDEX)},
)
CLAIM = Object(
    {
        "words": TEXT,
        "problem": Null(PROBLEM),
        "level": Null(one_of("groups", "classes", "samples")),
        "verdict": one_of("CERTIFIED", "UNDECIDED"),
        "tolerance": DECIMAL,
        "lower": Null(DECIMAL),
        "upper": DECIMAL,
        "excess_lower": Null(DECIMAL),
        "excess_upper": Null(DECIMAL),
        "gap": Null(DECIMAL),
        "scale": Null(DECIMAL),
        "gram_radius": Null(DECIMAL),
        "rank": INDEX,
    }
)

# The program.
GROUPS = Array(INDEX, 1, LARGEST_PROGRAM)
VALUE = Object({"groups": GROUPS, "value": POSITIVE})
RULE = Choice(
    "kind",
    {
        "fixed": VALUE,
        "bounded": VALUE,
        "budget": Object({"groups": GROUPS, "weight": Array(POSITIVE), "total": POSITIVE}),
        "ridge": Object({"groups": GROUPS, "weight": Array(POSITIVE)}),
    },
)


def table(number: Shape) -> Shape:
    """Return the shape of a matrix of numbers with a line for each row, written once where all are equal."""
    return Only({"every_row": Array(number), "rows": Array(Array(number))})


ANCHORS = {"anchor": Array(INDEX), "weight": Array(POSITIVE)}
SOFTMAX = {
    **ANCHORS,
    "own_multiplicity": Array(UNSIGNED),
    "own_target": Array(SIGNED),
    "peer_multiplicity": table(UNSIGNED),
    "peer_target": Null(table(SIGNED)),
}
RANDOM = {
    **ANCHORS,
    "draws": Whole("an integer from 1 to 10**6", 1, 10**6),
    "replacement": FLAG,
    "base": UNSIGNED,
    "own_multiplicity": POSITIVE,
    "peer_multiplicity": POSITIVE,
    "own_population": Array(UNSIGNED),
    "peer_population": table(UNSIGNED),
}
ROW_SHAPES = {
    "log-sum-exp": Object(SOFTMAX),
    "sum-exp": Object({**SOFTMAX, "floor": Array(SIGNED)}),
    "random-log-sum-exp": Object(RANDOM),
}
"""The shapes of rows; whoever adds a kind to `certify.encoding.ROW_KINDS` adds its shape here."""

PROGRAM = Object(
    {
        "multiplicity": Array(POSITIVE, 1, LARGEST_PROGRAM),
        "temperature": POSITIVE,
        "normaliser": NORMALISER,
        "nonnegative": FLAG,
        "rules": Array(RULE, 1, LARGEST_PROGRAM),
        "rows": Array(Choice("kind", ROW_SHAPES), 1),
    }
)

# What is claimed to prove it.
LINES = Array(Array(DYADIC))
CLUSTER = Object({"groups": GROUPS, "weight": Array(POSITIVE), "kappa": LENGTH})
WITNESS = Object(
    {"own": Array(DYADIC), "peer": LINES, "factor": LINES, "within": LINES, "clusters": Array(CLUSTER)}
)
POINT = Object({"vectors": LINES, "within": Array(LENGTH)})


def versions(value: Any) -> None:
    """Raise `Fault` unless the value is an object of texts."""
    if type(value) is not dict or not {type(part) for part in value.values()} <= {str}:
        raise Fault("is not an object of texts")


CERTIFICATE = Object(
    {
        "schema": one_of(SCHEMA),
        "claim": CLAIM,
        "program": PROGRAM,
        "witness": WITNESS,
        "point": POINT,
        "sha256": TEXT,
        "made_by": versions,
    }
)
