"""Every loss of the package is rebuilt by checker.py's own table, and nothing that differs passes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from certify import certify, checker
from certify.verification import Check, verify
from relax import Ball, MeanSquare, Problem, Ridge, Sphere, losses, solve
from relax.losses.presets import Preset
from relax.problem import Level
from tests.certify.forging import settled
from tests.certify.test_checker import Document, Oracle, claims, hashed, mp, random_document, real

Case = tuple[str, list[int], dict[str, Any], Level]


def case(loss: str, counts: list[int], level: Level = "groups", **options: Any) -> Case:
    return loss, counts, options, level


# The first case of each loss is the one that is mutated.
CASES: dict[str, list[Case]] = {
    "supcon": [
        case("supcon:positives_weight=0.3", [5, 3, 3, 1]),
        case("supcon:positives_weight=0.5,class_weights=classes", [5, 3, 3], norm=Ball(2.0)),
        case("supcon:positives_weight=0", [5, 3], norm=MeanSquare(2.0)),
        case("supcon:positives_weight=0.5", [3, 5, 3], "classes", norm=Ridge(0.05)),
        case("supcon:positives_weight=2,class_weights=classes", [3, 2], "samples", temperature=1.0),
        case("supcon:batch_size=4", [5, 3, 5, 1], "classes", views=2),
        case("supcon:batch_size=3,sampler=replacement", [5, 3, 1], norm=Ball(2.0)),
    ],
    "supcon-in": [
        case("supcon-in", [5, 3, 3, 1], norm=Sphere(1.5)),
        case("supcon-in", [5, 3], norm=Ball()),
        case("supcon-in", [3, 2], "samples"),
    ],
    "supcon-temperatures": [
        case("supcon-temperatures", [20, 5, 5, 1]),
        case("supcon-temperatures:exponent=-0.5", [20, 5, 1], norm=Ball(2.0)),
        case("supcon-temperatures:exponent=0.5", [2, 8, 2], "classes", norm=Ridge(0.05)),
        case("supcon-temperatures:exponent=0.3", [8, 2], norm=MeanSquare(1.5)),
    ],
    "ntxent-labels": [
        case("ntxent-labels", [20, 5, 5, 1]),
        case("ntxent-labels", [6, 4], norm=Ridge(0.05), views=2),
        case("ntxent-labels", [3, 2, 1], "samples"),
    ],
    "negatives-only": [
        case("negatives-only:positives_weight=0.5", [5, 3, 3], views=3),
        case("negatives-only", [5, 3, 3, 1], views=2),
        case("negatives-only", [2, 1], "samples", views=2),
    ],
    "decoupled": [
        case("decoupled", [3, 2], views=2),
        case("decoupled", [4], "classes", views=3, norm=Ball(2.0)),
        case("decoupled", [2, 1], "samples", views=2),
    ],
    "self-supervised": [
        case("self-supervised", [3, 2], views=2, norm=Ridge(0.05)),
        case("self-supervised", [3, 3], views=3, norm=MeanSquare(2.0)),
        case("self-supervised", [2, 1], "samples", views=2),
    ],
    "cross-entropy": [
        case("cross-entropy:classifier=ball:2", [5, 3, 3]),
        case("cross-entropy:classifier=mean-square:2", [5, 3], norm=MeanSquare(1.0)),
        case("cross-entropy:classifier=ridge:0.05", [3, 5, 3], "classes", norm=Ridge(0.005)),
        case("cross-entropy:classifier=sphere:2", [4, 2], norm=Ball(0.5)),
    ],
    "kernel": [
        case("kernel:gamma=0.5", [5, 3, 3], norm=Sphere(2.0), views=2),
        case("kernel", [5, 3, 1]),
        case("kernel", [2, 2], "samples"),
    ],
    "dhel": [
        case("dhel:negatives=other-classes,energy=2", [3, 2, 2], views=3, norm=Ball(1.5)),
        case("dhel", [3, 2], views=2),
        case("dhel:energy=2", [3, 3], views=2, norm=MeanSquare(2.0)),
    ],
    "fixed-batches": [
        case("fixed-batches:labels=0.0.1.1.1,batches=0.1.2.3/1.2.3.4", [2, 3], temperature=0.5),
        case("fixed-batches:labels=0.1.1.0,batches=0.1.2.3/0.1.3", [2, 2], temperature=0.5, views=2),
        case("fixed-batches:labels=0.0.1.1,batches=0.1.2.3/0.1.3", [2, 2], "samples", temperature=1.0),
    ],
    "supcontrast": [case("supcontrast", [5, 3, 1]), case("supcontrast", [5, 3], views=2)],
    "kini-supcon": [case("kini-supcon", [5, 3, 1], views=2), case("kini-supcon", [7, 2], norm=Ball())],
    "graf-supcon": [case("graf-supcon", [5, 1, 1]), case("graf-supcon", [3, 2, 1], norm=Ridge(0.05))],
    "pml-supcon": [case("pml-supcon", [5, 3, 1]), case("pml-supcon", [5, 3, 3], "classes")],
    "pml-ntxent": [case("pml-ntxent", [5, 3]), case("pml-ntxent", [3, 2], "samples", temperature=0.5)],
    "lightly-ntxent": [
        case("lightly-ntxent", [3, 2], views=2),
        case("lightly-ntxent", [2, 1], "samples", views=2),
    ],
    "luthra-ntxent": [case("luthra-ntxent", [3, 3], views=2), case("luthra-ntxent", [4, 1], views=2)],
    "luthra-weak": [case("luthra-weak", [3, 2], views=2), case("luthra-weak", [2, 1], "samples", views=2)],
    "solo-supcon": [case("solo-supcon", [5, 3, 3]), case("solo-supcon", [2, 1], "samples", views=2)],
    "google-supcon-out": [
        case("google-supcon-out", [5, 3, 1]),
        case("google-supcon-out", [5, 3], views=2),
    ],
    "google-supcon-in": [
        case("google-supcon-in", [5, 3, 1]),
        case("google-supcon-in", [2, 1], "samples", views=2),
    ],
    "scl": [
        case("scl:q=3,a=0.5", [5, 3, 3], views=2),
        case("scl:psi=mean-exp", [3, 5, 3], "classes", norm=Ball(2.0)),
        case("scl:psi=mean-softplus", [5, 1]),
    ],
    "ucl": [
        case("ucl:q=3", [5, 3, 3], views=2, norm=MeanSquare(2.0)),
        case("ucl:psi=mean-exp", [5, 3], views=2),
        case("ucl:psi=mean-softplus,a=2", [5, 1, 1], norm=Ridge(0.005)),
    ],
    "hscl": [case("hscl:q=3,eta=power,beta=0.5", [5, 3, 3]), case("hscl:psi=mean-exp,eta=top-q", [5, 3])],
    "hucl": [
        case("hucl:q=3,eta=exponential,beta=0.5", [5, 3, 3]),
        case("hucl:eta=threshold,beta=-1", [5, 3]),
    ],
    "jiang-ucl": [case("jiang-ucl", [5, 3, 3]), case("jiang-ucl", [2, 3], "classes", views=2)],
}
_MADE: dict[str, str] = {}


def certificate(loss: str, which: int = 0) -> Document:
    """A fresh copy of the certificate of a case."""
    key = f"{loss} {which}"
    if key not in _MADE:
        name, counts, options, level = CASES[loss][which]
        _MADE[key] = certify(solve(Problem(counts, loss=name, **options), level=level)).to_json()
    return json.loads(_MADE[key])


def both(document: Document) -> Check:
    """What both verifiers say of a document."""
    return Check(verify(document), checker.check(json.dumps(document)))


def slow(*values: Any) -> Any:
    """A case that takes longer than it tells: its loss, or its kind, has a quicker one."""
    return pytest.param(*values, marks=pytest.mark.slow)


CASE_IDS = [(x, i) for x, found in CASES.items() for i in range(len(found))]
RISKS = {"ucl", "hscl", "hucl", "jiang-ucl"}  # scl has their rows
EACH = [slow(x, i) if i >= 1 and x.endswith(("ucl", "scl")) else (x, i) for x, i in CASE_IDS]


def test_every_loss_of_the_package_is_in_the_table() -> None:
    assert set(CASES) == set(checker.LOSSES) == set(losses.names())


@pytest.mark.parametrize(("loss", "which"), EACH)
def test_certificates_are_accepted_as_those_of_their_loss(loss: str, which: int) -> None:
    document = certificate(loss, which)
    found = both(document)
    assert document["claim"]["verdict"] == "CERTIFIED"
    assert found.balls.accepted, found.balls.message
    assert found.checker.accepted, found.checker.message
    assert found.named and found.suffices()
    assert not found.suffices(Decimal("1e-10")) and not found.checker.suffices(Decimal("1e-10"))
    claim, said = document["claim"], found.balls.statement
    for part in (loss, f"temperature {claim['problem']['temperature']}, ", "within 1E-9 of its scale"):
        assert part in said
    assert (claim["gram_radius"] is None) == ("Gram matrix of means" not in said)
    assert found.checker.message.startswith(f"accepted: {said.translate(checker.ASCII)} Recomputed: ")


# ------------------------------------------------------------------------------------------------- mutants
def changed(document: Document, *path: Any, value: Any) -> Document:
    """A copy with one value replaced, and the hash that fits."""
    copied = copy.deepcopy(document)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value(place[path[-1]]) if callable(value) else value
    return json.loads(settled(copied))


def times(factor: str) -> Callable[[str], str]:
    return lambda said: str(Fraction(said) * Fraction(factor))


OTHER: dict[str, list[dict[str, Any]]] = {
    "supcon": [{"positives_weight": x} for x in ("0", "1", "3/5", "31/100")] + [{"class_weights": "classes"}],
    "scl": [{"q": 4}, {"a": "1"}, {"psi": "mean-exp"}, {"psi": "mean-softplus"}, {"q": 10**9}],
    "ucl": [{"q": 4}, {"a": "1/2"}, {"psi": "mean-exp"}, {"psi": "mean-softplus"}],
    "hscl": [{"q": 4}, {"beta": "-1/2"}, {"beta": "0"}, {"eta": "top-q", "beta": "2"}],
    "hucl": [{"q": 4}, {"a": "2"}, {"beta": "-1/2"}, {"psi": "mean-exp"}],
    "supcon-temperatures": [{"exponent": x} for x in ("0", "1/5", "-1/4", "251/1000")],
    "negatives-only": [{"positives_weight": x} for x in ("0", "1", "51/100")],
    "cross-entropy": [{"classifier": x} for x in ({"ball": None}, {"sphere": "2"}, {"ridge": "2"})]
    + [{"classifier": {"mean-square": "4"}}],
    "kernel": [{"gamma": x} for x in ("1", "51/100", "16")],
    "dhel": [{"energy": "1"}, {"energy": "21/10"}, {"negatives": "all"}],
    "fixed-batches": [
        {"labels": [0, 1, 1, 1, 0]},
        {"labels": [1, 1, 0, 0, 0]},
        {"batches": [[0, 1, 2, 3], [2, 3, 4]]},
        {"batches": [[0, 1, 2, 3, 4], [1, 2, 3, 4]]},
        {"batches": [[0, 1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]},
        {"batches": [[0, 1, 2, 3], [1, 2, 3]]},
        {"batches": [[0, 1, 2, 3], [1, 1, 2, 3, 4]]},
        {"batches": [[0, 1, 2, 3], [1, 2, 3, 5]]},
        {"batches": []},
    ],
}
# One program stands for several of these: other views of the same samples, which none of them counts.
WITHOUT_VIEWS = {"cross-entropy", "dhel", "scl", "ucl", "hscl", "hucl", "jiang-ucl"}


def other_problems(name: str, document: Document) -> Iterator[Document]:
    """The same proof, claimed of problems that it is not about."""
    problem = document["claim"]["problem"]
    at = ("claim", "problem")
    for parameters in OTHER.get(name, []):
        yield changed(document, *at, "loss", value=problem["loss"] | parameters)
    for key, value in problem["loss"].items():
        if key != "name":
            yield changed(document, *at, "loss", value={k: x for k, x in problem["loss"].items() if k != key})
            for wrong in (None, 1, 0.5, [value], {"a": value}, f"{value} ", f"+{value}", "01", "2/4", [[-1]]):
                yield changed(document, *at, "loss", key, value=wrong)
    yield changed(document, *at, "loss", value=problem["loss"] | {"more": "1"})
    (size, classes), *rest = problem["counts"]
    for counts in ([[size + 1, classes], *rest], [[size, classes + 1], *rest], [[size, classes + 2], *rest]):
        yield changed(document, *at, value=without_order(problem) | {"counts": counts})
    yield changed(document, *at, "counts", value=[[1, 1]])
    for factor in ("2", "1/2", "101/100", "100000000000000001/100000000000000000"):
        yield changed(document, *at, "temperature", value=times(factor))
    norms = ({"sphere": None}, {"sphere": "3"}, {"ball": None}, {"ball": "3"}, {"ridge": "1/2"})
    for norm in (*norms, {"ridge": "7/2"}, {"mean-square": "1/2"}, {"sphere": "1"}, {"sphere": "-1"}):
        if norm != problem["norm"]:
            yield changed(document, *at, "norm", value=norm)
    for views in (1, 5) if name not in WITHOUT_VIEWS else ():
        if views != problem["views"]:
            yield changed(document, *at, "views", value=views)
    yield changed(document, *at, "views", value=0)
    yield changed(document, *at, "nonnegative", value=True)
    yield changed(document, "claim", "level", value="samples")
    yield changed(document, "claim", "level", value=None)


def without_order(problem: Document) -> Document:
    return {key: value for key, value in problem.items() if key != "order"}


def other_programs(document: Document, count: int) -> Iterator[Document]:
    """Another exact program under the same claim: one number of it is changed."""
    right = checker.read_program(checker.read(document["program"], checker.PROGRAM, "program"))
    rng = random.Random(0)
    found = 0
    while found < count:
        path = rng.choice([*numbers(document["program"])])
        moved = rng.choice([times("2"), times("1001/1000"), lambda x: str(Fraction(x) + 1)])
        mutant = changed(document, "program", *path, value=moved)
        try:
            program = checker.read_program(checker.read(mutant["program"], checker.PROGRAM, "program"))
        except checker.UnusableError:
            program = None
        if program != right:  # entries of no pair, and zeros doubled, change nothing
            found += 1
            yield mutant


def numbers(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all rationals."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from numbers(part, (*path, key))
    if isinstance(value, str) and path[-1] != "kind":
        yield path


def other_claims(document: Document) -> Iterator[Document]:
    """Bounds moved inward by more than the gap, by 1e-9 of what gaps are measured by."""
    claim = document["claim"]
    scale = claim["excess_lower"] or str(max(Decimal(1), abs(Decimal(claim["lower"]))))
    step = Decimal(scale) * Decimal("1.001e-9")
    for key in ("lower", "upper", "excess_lower", "excess_upper"):
        if claim[key] is not None:
            moved = Decimal(claim[key]) + (step if "lower" in key else -step)
            yield changed(document, "claim", key, value=str(moved))
    for key, value in (("gap", "0"), ("gap", None), ("upper", None), ("tolerance", "1e-40"), ("rank", 77)):
        yield changed(document, "claim", key, value=value)
    yield changed(document, "claim", "verdict", value="PROVEN")
    radius = claim["gram_radius"]
    yield changed(document, "claim", "gram_radius", value=str(Decimal(radius) / 100) if radius else "1e-12")


@pytest.mark.parametrize(
    "loss", [slow(x) if x in RISKS or issubclass(losses.kind(x), Preset) else x for x in CASES]
)
def test_what_is_false_is_refused_by_both(loss: str) -> None:
    document = certificate(loss)
    mutants = [*other_problems(loss, document), *other_programs(document, 12), *other_claims(document)]
    assert len(mutants) >= 40
    for mutant in mutants:
        found = both(mutant)
        assert not found.checker.accepted, (found.checker.message, mutant["claim"])
        assert not found.balls.accepted, (found.balls.message, mutant["claim"])
        assert "words of the claim" not in found.balls.message  # which would be wrong as well
        assert "Error" not in found.checker.message


@pytest.mark.parametrize("level", ["groups", "classes", "samples"])
@pytest.mark.parametrize("loss", CASES)
def test_what_a_formula_does_not_cover_is_refused(loss: str, level: Level) -> None:
    """One class, one sample, one view, norms that are none: no program is built, or another one."""
    document = certificate(loss)
    problem = document["claim"]["problem"]
    for counts, views in (
        ([[4, 1]], 1),
        ([[1, 1]], 2),
        ([[1, 3]], 1),
        ([[10**15, 10**9]], 1),
        (problem["counts"], 10**12),
    ):
        if loss in WITHOUT_VIEWS and views > 2 and level != "samples":
            continue
        said = without_order(problem) | {"counts": counts, "views": views}
        mutant = changed(document, "claim", value=document["claim"] | {"problem": said, "level": level})
        assert not checker.check(json.dumps(mutant)).accepted


# ------------------------------------------------------------------------------------- sums of exponentials
class SumExpOracle(Oracle):
    """The definitions for rows floor + Σ m e^{(x − Σ p x)/τ}."""

    def __init__(self, document: Document) -> None:
        blocks = document["program"]["rows"]
        g = [int(x) for x in document["program"]["multiplicity"]]
        self.floors = [
            real(floor)
            for block in blocks
            for a, floor in zip(block["anchor"], block["floor"], strict=True)
            for _ in range(g[a])
        ]
        self.place = iter(self.floors)
        super().__init__(document)

    def row_floor(self, m: list[Any], p: list[Any]) -> Any:
        return next(self.place)

    def terms(self, matrix: list[list[Any]], i: int, m: list[Any], p: list[Any]) -> list[Any]:
        mean = mp.fdot(p, matrix[i])
        return [x * mp.exp((y - mean) / self.tau) for x, y in zip(m, matrix[i], strict=True)]

    def rows_at(self, matrix: list[list[Any]]) -> Any:
        return mp.fsum(weight * mp.fsum(self.terms(matrix, i, m, p)) for weight, i, m, p in self.rows)

    def gradient(self) -> list[list[Any]]:
        slope = [[mp.mpf(0) for _ in self.nodes] for _ in self.nodes]
        for weight, i, m, p in self.rows:
            terms = self.terms(self.start, i, m, p)
            for j, (term, q) in enumerate(zip(terms, p, strict=True)):
                slope[i][j] += weight * (term - q * mp.fsum(terms)) / self.tau
        return [[(slope[i][j] + slope[j][i]) / 2 for j in self.nodes] for i in self.nodes]


def sum_exp_document(seed: int) -> Document:
    """A random program with rows of this kind, floors and targets of either sign, spelled canonically."""
    document, rng = random_document(seed), random.Random(seed)
    for block in document["program"]["rows"]:
        block["kind"] = "sum-exp"
        block["floor"] = [str(Fraction(rng.randint(-9, 9), rng.randint(1, 5))) for _ in block["anchor"]]
        block["own_target"] = [rng.choice([x, str(-Fraction(x)), "0", "1"]) for x in block["own_target"]]
        for key in ("peer_multiplicity", "peer_target"):
            table = (block[key] or {}).get("rows")
            if table and all(row == table[0] for row in table):
                block[key] = {"every_row": table[0]}
    for cluster in document["witness"]["clusters"]:
        cluster["weight"] = [str(int(Fraction(x)) + 1) for x in cluster["weight"]]  # floats in balls
    return document


def bounds_hold(document: Document, oracle: Oracle) -> bool:
    """Compare both verifiers' bounds with the definitions; whether there were any.

    Balls are as wide as their precision makes them, and see a part in 10⁶ of the gap.
    """
    if not (mp.isfinite(oracle.lower) and mp.isfinite(oracle.upper)):
        return False
    claim = document["claim"] | {"verdict": "UNDECIDED", "gram_radius": None}

    def judged(**said: Any) -> Check:
        return both(json.loads(hashed(document | {"claim": claim | said})))

    digits = mp.dps // 2
    right, wrong = claims(oracle, "-1e-30", digits), claims(oracle, "1e-20", digits)
    found = judged(**right).checker
    assert found.accepted, found.message
    wide, narrow = claims(oracle, "-1e-6", 40), claims(oracle, "1e-6", 40)
    assert "words" in judged(**wide).balls.message or judged(**wide).balls.accepted, judged(**wide)
    for field in right:
        said = judged(**right | {field: wrong[field]}).checker.message
        assert said.startswith(f"rejected: {field} is claimed to be"), said
        said = judged(**wide | {field: narrow[field]}).balls.message
        assert said.startswith(f"rejected: {field} "), said
    return True


def test_sums_of_exponentials_have_the_bounds_of_the_definitions() -> None:
    assert with_bounds(range(8)) >= 5


@pytest.mark.slow
def test_many_sums_of_exponentials_have_the_bounds_of_the_definitions() -> None:
    assert with_bounds(range(8, 48)) >= 26


def with_bounds(seeds: range) -> int:
    """How many programs have finite bounds; those of both verifiers are then the definitions'."""
    with mp.workdps(80):
        documents = [sum_exp_document(seed) for seed in seeds]
        return sum(bounds_hold(document, SumExpOracle(document)) for document in documents)


@pytest.mark.parametrize("which", range(3))
def test_kernels_have_the_bounds_of_the_definitions(which: int) -> None:
    document = certificate("kernel", which)
    with mp.workdps(240):
        oracle = SumExpOracle(document)
        assert oracle.proves(document["claim"])
        assert bounds_hold(document, oracle)


@pytest.mark.parametrize("key", ["floor", "kind"])
def test_a_kind_of_rows_has_the_numbers_of_its_kind(key: str) -> None:
    document = certificate("kernel")
    (block,) = document["program"]["rows"]
    block |= {"kind": "log-sum-exp"} if key == "kind" else {}
    if key == "floor":
        del block["floor"]
    found = both(document)
    assert not found.balls.accepted and "rows have not the numbers of their kind" in found.checker.message


# ------------------------------------------------------------------------------------------ own entries of M₀
def test_the_nearest_float_stands_for_a_value_that_is_not_dyadic() -> None:
    """Radii need own entries of M₀ that equal the values of their rules."""
    document = certificate("supcon-temperatures")
    assert document["claim"]["gram_radius"] is not None
    values = {a: rule["value"] for rule in document["program"]["rules"] for a in rule["groups"]}
    odd = [a for a, value in values.items() if Fraction(value).denominator & 1 and value != "1"]
    assert odd and all(
        float.fromhex(document["witness"]["own"][a]) == float(Fraction(values[a])) for a in odd
    )
    moved = float.fromhex(document["witness"]["own"][odd[0]]) * (1 + 2.0**-52)
    document["witness"]["own"][odd[0]] = moved.hex()
    loose = {
        "lower": "0",
        "excess_lower": "0",
        "scale": "0",
        "gap": "1e-6",
        "verdict": "UNDECIDED",
        "gram_radius": "0.1",
    }
    document = changed(document, "claim", value=document["claim"] | loose)
    assert checker.check(json.dumps(document)).message == "rejected: the Gram radius is not proven"


def test_a_radius_of_a_loss_whose_program_has_no_gram_matrix_is_refused() -> None:
    document = changed(certificate("dhel"), "claim", "gram_radius", value="1")
    assert "Gram radius is claimed of a loss" in both(document).checker.message
    assert "Gram radius is claimed of a loss" in both(document).balls.message
