"""Every loss a second time, from its published formula, sample by sample; shares no code with the package.

A function takes similarities over τ (n, n), classes and samples (n,) and τ, and returns the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, inf, log, sqrt

import numpy as np

Formula = Callable[[np.ndarray, list[int], list[int], float], float]


def _anchors(y: list[int], s: list[int]) -> Iterator[tuple[int, list[int], list[int], list[int], list[int]]]:
    """Yield anchor, others of its class, other classes, other views of its sample, other samples."""
    every = range(len(y))
    for i in every:
        mates = [j for j in every if j != i and y[j] == y[i]]
        yield (
            i,
            mates,
            [j for j in every if y[j] != y[i]],
            [j for j in every if j != i and s[j] == s[i]],
            [j for j in every if s[j] != s[i]],
        )


def _out(x: np.ndarray, i: int, positives: list[int], reads: dict[int, float]) -> float:
    total = sum(weight * exp(x[i, j]) for j, weight in reads.items())
    return sum(log(total) - x[i, p] for p in positives) / len(positives)


def supcon(w: float = 1.0, by_class: bool = False) -> Formula:
    def loss(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
        found: dict[int, list[float]] = {}
        for i, mates, negatives, _, _ in _anchors(y, s):
            if mates:
                reads = dict.fromkeys(negatives, 1.0) | dict.fromkeys(mates, w)
                found.setdefault(y[i], []).append(_out(x, i, mates, reads))
        if by_class:
            return float(np.mean([np.mean(values) for values in found.values()]))
        return float(np.mean([value for values in found.values() for value in values]))

    return loss


def _inside(x: np.ndarray, i: int, mates: list[int], negatives: list[int]) -> float:
    if not mates:
        return inf
    over = sum(exp(x[i, j]) for j in [*mates, *negatives])
    return -log(sum(exp(x[i, p]) for p in mates) / over)


def supcon_in(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    return float(np.mean([_inside(x, i, P, N) + log(len(P)) for i, P, N, _, _ in _anchors(y, s) if P]))


def solo(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    return float(np.mean([_inside(x, i, P, N) for i, P, N, _, _ in _anchors(y, s)]))


def ntxent_labels(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    pairs = [
        -log(exp(x[i, p]) / (exp(x[i, p]) + sum(exp(x[i, j]) for j in N)))
        for i, P, N, _, _ in _anchors(y, s)
        for p in P
    ]
    return float(np.mean(pairs))


def negatives_only(w: float = 0.0) -> Formula:
    def loss(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
        rows = [
            _out(x, i, V, dict.fromkeys(N, 1.0) | dict.fromkeys(V, w)) for i, _, N, V, _ in _anchors(y, s)
        ]
        return float(np.mean(rows))

    return loss


def decoupled(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    return float(np.mean([_out(x, i, V, dict.fromkeys(rest, 1.0)) for i, _, _, V, rest in _anchors(y, s)]))


def self_supervised(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    rows = [_out(x, i, V, dict.fromkeys([*V, *rest], 1.0)) for i, _, _, V, rest in _anchors(y, s)]
    return float(np.mean(rows))


def temperatures(exponent: float) -> Formula:
    def loss(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
        size = np.bincount(y)[y]
        of_class = tau * (size / (size.max() if exponent > 0 else size.min())) ** exponent
        scaled = np.array(
            [[x[i, j] * tau / sqrt(of_class[i] * of_class[j]) for j in range(len(y))] for i in range(len(y))]
        )
        return supcon()(scaled, y, s, tau)

    return loss


def _l_out(x: np.ndarray, i: int, mates: list[int], negatives: list[int]) -> float:
    return _out(x, i, mates, dict.fromkeys([*mates, *negatives], 1.0)) if mates else 0.0


def supcontrast(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    return float(np.mean([tau / 0.07 * _l_out(x, i, P, N) for i, P, N, _, _ in _anchors(y, s)]))


def graf(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
    return sum(_l_out(x, i, P, N) for i, P, N, _, _ in _anchors(y, s)) / len(y)


def google(inside: bool) -> Formula:
    def loss(x: np.ndarray, y: list[int], s: list[int], tau: float) -> float:
        one_view, total = len(set(s)) == len(s), 0.0
        for i, P, N, _, _ in _anchors(y, s):
            if P:
                row = _inside(x, i, P, N) + log(len(P)) if inside else _l_out(x, i, P, N)
                total += tau * row / (len(P) if one_view else 1)
        return total / len(y)

    return loss


BASES: dict[str, tuple[Formula, int]] = {
    # name as it is parsed: formula, least views
    "supcon": (supcon(), 1),
    "supcon:positives_weight=0": (supcon(0.0), 1),
    "supcon:positives_weight=0.3": (supcon(0.3), 1),
    "supcon:positives_weight=7": (supcon(7.0), 1),
    "supcon:class_weights=classes": (supcon(by_class=True), 1),
    "supcon:positives_weight=1/3,class_weights=classes": (supcon(1 / 3, True), 1),
    "supcon-in": (supcon_in, 1),
    "ntxent-labels": (ntxent_labels, 1),
    "negatives-only": (negatives_only(), 2),
    "negatives-only:positives_weight=0.7": (negatives_only(0.7), 2),
    "decoupled": (decoupled, 2),
    "self-supervised": (self_supervised, 2),
    "supcon-temperatures": (temperatures(0.25), 1),
    "supcon-temperatures:exponent=-1": (temperatures(-1.0), 1),
}
PRESETS: dict[str, tuple[Formula, tuple[int, ...]]] = {
    # name: formula, views that it takes
    "supcontrast": (supcontrast, (1, 2)),
    "kini-supcon": (supcontrast, (1, 2)),
    "graf-supcon": (graf, (1, 2)),
    "pml-supcon": (supcon(), (1, 2)),
    "pml-ntxent": (ntxent_labels, (1, 2)),
    "solo-supcon": (solo, (2, 3)),
    "google-supcon-out": (google(False), (1, 2)),
    "google-supcon-in": (google(True), (1, 2)),
    "lightly-ntxent": (self_supervised, (2,)),
    "luthra-ntxent": (self_supervised, (2,)),
    "luthra-weak": (negatives_only(1.0), (2,)),
}
CASES: list[tuple[str, Formula, int]] = [
    *(
        (name, formula, views)
        for name, (formula, least) in BASES.items()
        for views in range(least, least + 2)
    ),
    *((name, formula, views) for name, (formula, several) in PRESETS.items() for views in several),
]
