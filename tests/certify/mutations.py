"""Kinds of mutations of certificates; each changes a document in place."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

Document = dict[str, Any]
Mutation = Callable[[Document, random.Random, Document], None]
FINE = Context(60, Emin=-(10**15), Emax=10**15)
LOWER, UPPER = ("lower", "excess_lower", "scale"), ("upper", "excess_upper", "gap", "gram_radius")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from paths(value[key], (*path, key))


def got(document: Document, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def put(document: Document, path: tuple[Any, ...], value: Any) -> None:
    got(document, path[:-1])[path[-1]] = value


def leaves(document: Document, *start: Any, kind: type = str) -> list[tuple[Any, ...]]:
    """The places of texts (or of another kind) below a place."""
    found = ((*start, *path) for path in paths(got(document, start)))
    return [path for path in found if type(got(document, path)) is kind]


def is_number(text: str) -> bool:
    return text.lstrip("-")[:1].isdigit()


def nudged(text: str, rng: random.Random) -> str:
    """A number near one, spelled as the grammar has it."""
    step = rng.choice([-1, 1]) * Fraction(1, 10 ** rng.randint(1, 20))
    if "0x" in text:
        x = float.fromhex(text)
        return rng.choice([x * float(1 + step), x + float(step), -x, 0.0, 2 * x]).hex()
    if "." in text or "e" in text:
        return str(
            FINE.multiply(
                Decimal(text), FINE.add(Decimal(1), FINE.divide(*map(Decimal, step.as_integer_ratio())))
            )
        )
    number = Fraction(text)
    return str(rng.choice([number * (1 + step), number + 1, number - 1, 2 * number, number / 2]))


def of_numbers(*start: Any) -> Mutation:
    """Nudge one number below a place."""

    def mutate(document: Document, rng: random.Random, other: Document) -> None:
        places = [path for path in leaves(document, *start) if is_number(got(document, path))]
        if places:
            path = rng.choice(places)
            put(document, path, nudged(got(document, path), rng))

    return mutate


def of_bounds(inward: bool) -> Mutation:
    """Move one bound, or all, by a part of the gap or of itself."""

    def mutate(document: Document, rng: random.Random, other: Document) -> None:
        claim = document["claim"]
        names = [name for name in (*LOWER, *UPPER) if claim.get(name) is not None]
        chosen = [rng.choice(names)] if rng.random() < 0.7 else names
        part = Decimal(10) ** -rng.randint(0, 25)
        for name in chosen:
            size = abs(Decimal(rng.choice([claim["gap"] or "1", claim[name]])))
            up = (name in LOWER) == inward
            claim[name] = str(FINE.add(Decimal(claim[name]), FINE.multiply(size, part if up else -part)))

    return mutate


def swap_bounds(document: Document, rng: random.Random, other: Document) -> None:
    claim = document["claim"]
    one, two = rng.sample(["lower", "upper", "excess_lower", "excess_upper", "gap", "tolerance"], 2)
    claim[one], claim[two] = claim[two], claim[one]


def of_row(*names: str) -> Mutation:
    """Change a number of a block of rows."""

    def mutate(document: Document, rng: random.Random, other: Document) -> None:
        blocks = document["program"]["rows"]
        i = rng.randrange(len(blocks))
        name = rng.choice([x for x in names if blocks[i].get(x) is not None] or ["weight"])
        of_numbers("program", "rows", i, name)(document, rng, other) if not isinstance(
            blocks[i][name], str
        ) else put(blocks[i], (name,), nudged(blocks[i][name], rng))

    return mutate


def of_rule(document: Document, rng: random.Random, other: Document) -> None:
    rules = document["program"]["rules"]
    rule = rng.choice(rules)
    if "value" in rule and rng.random() < 0.3:
        rule["kind"] = {"fixed": "bounded", "bounded": "fixed"}[rule["kind"]]
    elif rng.random() < 0.2:
        document["program"]["rules"] = copy.deepcopy(other["program"]["rules"])
    else:
        of_numbers("program", "rules", rules.index(rule))(document, rng, other)


def of_problem(document: Document, rng: random.Random, other: Document) -> None:
    """State another problem."""
    problem = document["claim"]["problem"]
    key = rng.choice(["temperature", "counts", "norm", "nonnegative", "views", "loss", "all"])
    if key == "all":
        document["claim"]["problem"] = copy.deepcopy(other["claim"]["problem"])
    elif key == "temperature":
        problem[key] = nudged(problem[key], rng)
    elif key == "counts":
        pair = rng.choice(problem[key])
        pair[rng.randrange(2)] += rng.choice([-1, 1])
    elif key == "nonnegative":
        problem[key] = not problem[key]
    elif key == "views":
        problem[key] += 1
    else:
        problem[key] = copy.deepcopy(other["claim"]["problem"][key])


def other_temperature(document: Document, rng: random.Random, other: Document) -> None:
    """The same change in problem and program: another theorem, with the old bounds."""
    tau = Fraction(document["program"]["temperature"]) * (
        1 + Fraction(rng.choice([-1, 1]), 10 ** rng.randint(1, 12))
    )
    document["claim"]["problem"]["temperature"] = document["program"]["temperature"] = str(tau)


def crossed(*places: tuple[str, ...]) -> Mutation:
    """Take parts of another certificate."""

    def mutate(document: Document, rng: random.Random, other: Document) -> None:
        for path in places:
            put(document, path, copy.deepcopy(got(other, path)))

    return mutate


def crossed_claim(document: Document, rng: random.Random, other: Document) -> None:
    """One number of another claim."""
    name = rng.choice([*LOWER, *UPPER, "tolerance", "rank", "verdict", "level"])
    if name in other["claim"]:
        document["claim"][name] = other["claim"][name]


def of_tolerance(document: Document, rng: random.Random, other: Document) -> None:
    document["claim"]["tolerance"] = rng.choice(
        ["0", "1e-30", "1e-18", "1e-15", "1e-12", "1e-9", "1e-6", "1", "1e9"]
    )
    document["claim"]["verdict"] = rng.choice(["CERTIFIED", "CERTIFIED", "UNDECIDED"])


def of_radius(document: Document, rng: random.Random, other: Document) -> None:
    claim = document["claim"]
    said = Decimal(claim["gram_radius"] or "1e-6")
    claim["gram_radius"] = str(
        FINE.multiply(said, Decimal(rng.choice(["0", "1e-9", ".1", ".5", ".9", "1.1", "1e6"])))
    )


def of_rank(document: Document, rng: random.Random, other: Document) -> None:
    document["claim"]["rank"] = max(0, document["claim"]["rank"] + rng.choice([-1, 1, 2]))


def of_words(document: Document, rng: random.Random, other: Document) -> None:
    document["claim"]["words"] = rng.choice(
        [other["claim"]["words"], "", "\ud800", document["claim"]["words"].replace("≥", ">"), "x" * 10_000]
    )


def of_hash(document: Document, rng: random.Random, other: Document) -> None:
    """Change the claim, or nothing but the hash."""
    if rng.random() < 0.5:
        crossed_claim(document, rng, other)
        document["sha256"] = rng.choice([document["sha256"], other["sha256"]])
    else:
        document["sha256"] = rng.choice(["", "0" * 64, document["sha256"][::-1], document["sha256"].upper()])


def of_sign(document: Document, rng: random.Random, other: Document) -> None:
    start = rng.choice([("claim",), ("program",), ("witness",), ("point",)])
    places = [path for path in leaves(document, *start) if is_number(got(document, path))]
    path = rng.choice(places)
    text = got(document, path)
    put(document, path, text[1:] if text.startswith("-") else f"-{text}")


def of_units(document: Document, rng: random.Random, other: Document) -> None:
    """Everything in one place times a number: bounds, weights, vectors, witness."""
    factor = Fraction(rng.choice([2, 4, Fraction(1, 2), Fraction(1, 8), 10]))
    place = rng.choice(["claim", "normaliser", "vectors", "factor", "kappa"])
    if place == "claim":
        for name in (*LOWER, *UPPER):
            if document["claim"].get(name) is not None:
                document["claim"][name] = str(
                    FINE.multiply(Decimal(document["claim"][name]), Decimal(float(factor)))
                )
    elif place == "normaliser":
        document["program"]["normaliser"] = str(Fraction(document["program"]["normaliser"]) * factor)
        for rows in document["program"]["rows"] if rng.random() < 0.7 else []:
            rows["weight"] = [str(Fraction(x) * factor) for x in rows["weight"]]
    elif place == "kappa":
        for cluster in document["witness"]["clusters"]:
            cluster["weight"] = [str(Fraction(x) * factor) for x in cluster["weight"]]
            cluster["kappa"] = (float.fromhex(cluster["kappa"]) / float(factor)).hex()
    else:
        start = ("point", "vectors") if place == "vectors" else ("witness", "factor")
        for path in leaves(document, *start):
            put(document, path, (float.fromhex(got(document, path)) * float(factor)).hex())


def of_order(document: Document, rng: random.Random, other: Document) -> None:
    """Two items of a list change places."""
    lists = [
        path
        for part in ("claim", "program", "witness", "point")
        for path in leaves(document, part, kind=list)
    ]
    lists = [path for path in lists if len(got(document, path)) > 1]
    if lists:
        items = got(document, rng.choice(lists))
        i, j = rng.sample(range(len(items)), 2)
        items[i], items[j] = items[j], items[i]


def of_spelling(document: Document, rng: random.Random, other: Document) -> None:
    """The same program in another way, which is as true."""
    program = document["program"]
    for rows in program["rows"]:
        for name, table in rows.items():
            if isinstance(table, dict) and "every_row" in table:
                rows[name] = {"rows": [table["every_row"]] * len(rows["anchor"])}
    rule = program["rules"][0]
    if "value" in rule and rng.random() < 0.5:
        program["rules"][:1] = [rule | {"groups": [a]} for a in rule["groups"]]
    program["rules"].reverse()


def deleted(document: Document, rng: random.Random, other: Document) -> None:
    path = rng.choice(list(paths(document)))
    del got(document, path[:-1])[path[-1]]


def doubled(document: Document, rng: random.Random, other: Document) -> None:
    lists = [path for path in leaves(document, "program", kind=list) + leaves(document, "witness", kind=list)]
    items = got(document, rng.choice([path for path in lists if got(document, path)]))
    i = rng.randrange(len(items))
    items.insert(i, copy.deepcopy(items[i]))


def of_type(document: Document, rng: random.Random, other: Document) -> None:
    path = rng.choice([path for path in paths(document) if path[0] != "made_by"])
    anything = [
        None,
        True,
        0,
        1,
        -1,
        2**80,
        0.5,
        "",
        "0",
        "1",
        "NaN",
        "1e99",
        "0x1p0",
        [],
        {},
        [[]],
        "fixed",
        [None],
    ]
    put(document, path, copy.deepcopy(rng.choice(anything)))


def nothing_below(document: Document, rng: random.Random, other: Document) -> None:
    """Some of what is claimed from below, or above the floor, is left unsaid."""
    names = ["lower", "excess_lower", "excess_upper", "gap", "scale", "gram_radius"]
    for name in rng.sample([x for x in names if x in document["claim"]], rng.randint(1, 4)):
        document["claim"][name] = None
    document["claim"]["verdict"] = rng.choice(["CERTIFIED", "UNDECIDED"])


def unnamed(document: Document, rng: random.Random, other: Document) -> None:
    """The program speaks for itself, and is changed."""
    document["claim"] |= {"problem": None, "level": None}
    if rng.random() < 0.7:
        of_numbers("program")(document, rng, other)


KINDS: dict[str, Mutation] = {
    "bounds inward": of_bounds(inward=True),
    "bounds outward": of_bounds(inward=False),
    "bounds swapped": swap_bounds,
    "weights": of_row("weight"),
    "targets": of_row("own_target", "peer_target"),
    "row multiplicities": of_row("own_multiplicity", "peer_multiplicity", "peer_population", "base", "floor"),
    "members": of_numbers("program", "multiplicity"),
    "normaliser and temperature": lambda d, r, o: put(
        d["program"], (key := r.choice(["normaliser", "temperature"]),), nudged(d["program"][key], r)
    ),
    "rules": of_rule,
    "witness": of_numbers("witness"),
    "clusters": of_numbers("witness", "clusters"),
    "point": of_numbers("point"),
    "problem": of_problem,
    "another temperature": other_temperature,
    "another problem and program": crossed(("claim", "problem"), ("claim", "level"), ("program",)),
    "another witness": crossed(("witness",)),
    "another point": crossed(("point",)),
    "another witness and point": crossed(("witness",), ("point",)),
    "another claim": crossed(("claim",)),
    "a number of another claim": crossed_claim,
    "tolerance and verdict": of_tolerance,
    "radius": of_radius,
    "rank": of_rank,
    "words": of_words,
    "hash": of_hash,
    "sign": of_sign,
    "units": of_units,
    "order": of_order,
    "spelling": of_spelling,
    "deletion": deleted,
    "duplication": doubled,
    "type": of_type,
    "nothing below": nothing_below,
    "unnamed": unnamed,
}
