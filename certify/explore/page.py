"""The words and numbers of the page, as HTML around the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from certify.certificate import Certificate, Verdict
from certify.explore.angles import angles
from certify.explore.arrows import arrows
from certify.explore.geometry import merged, rows, table, vectors
from certify.explore.heat_map import heat_map
from certify.explore.model import Controls, View
from certify.explore.threshold import Mark
from certify.rounding import downward, upward
from relax.solution import Solution, counts_in_words

DIGITS = 10  # of printed bounds
NAMED_RATIOS = (1, 10, 100, 1_000, 10_000, 100_000)


def stage(view: View, turn: float) -> str:
    """Return all that is said and drawn of a view, its vectors turned by so many degrees."""
    return f'<div class="gram-stage">{verdict(view)}{pictures(view, turn)}{below(view)}</div>'


def verdict(view: View) -> str:
    """Return what is proven, in one card."""
    badge, kind, said = _headline(view)
    facts = _facts(view)
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    listed = f"<dl>{cells}</dl>" if facts else ""
    return (
        f'<section class="gram-card gram-verdict gram-{kind}" aria-live="polite">'
        f'<p><strong id="gram-badge">{badge}</strong> <span id="gram-said">{escape(said)}</span></p>'
        f"{listed}</section>"
    )


def _headline(view: View) -> tuple[str, str, str]:
    """Return the badge, its kind, and a sentence."""
    if view.working:
        what = (
            "The optimum is being computed." if view.solution is None else "The geometry is there in floats."
        )
        return (
            ("COMPUTING" if view.solution is None else "PROVING"),
            "busy",
            f"{what} Move on whenever you like.",
        )
    if view.proof is None:
        badge = "NOT POSSIBLE" if view.solution is None else Verdict.UNDECIDED.name
        return badge, "open", _sentence(view.refusal)
    if view.proof.verdict is not Verdict.CERTIFIED or view.solution is None:
        return Verdict.UNDECIDED.name, "open", _sentence(view.proof.verdict.value)
    together = merged(view.solution)
    said = "No features, in any dimension, have a loss below the first number."
    if together:
        said += f" On one point: {'; '.join(together)}."
    return Verdict.CERTIFIED.name, "proven", said


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"


def _facts(view: View) -> list[tuple[str, str]]:
    if view.solution is None:
        return []
    counts = [("counts", counts_in_words(view.solution.problem.counts))]
    return (_of_floats(view.solution) if view.proof is None else _of_proof(view.proof)) + counts


def _of_proof(proof: Certificate) -> list[tuple[str, str]]:
    radius = "not bounded" if proof.gram_radius is None else f"± {upward(proof.gram_radius, 2)}"
    lower = "not bounded" if proof.lower is None else _plain(downward(proof.lower, DIGITS))
    gap = (
        f"{upward(proof.relative_gap, 2)} of its scale" if np.isfinite(proof.relative_gap) else "not bounded"
    )
    return [
        ("loss ≥", lower),
        ("loss ≤", _plain(upward(proof.upper, DIGITS))),
        ("gap ≤", gap),
        ("each cosine", radius),
        ("dimension", str(proof.rank)),
    ]


def _of_floats(solution: Solution) -> list[tuple[str, str]]:
    gap = solution.relative_gap()
    return [
        ("loss, a float", f"{solution.value:.{DIGITS}g}"),
        ("bound, a float", f"{solution.lower_bound():.{DIGITS}g}"),
        ("gap, not proven", f"{gap:.1e} of its scale" if np.isfinite(gap) else "beyond float64"),
    ]


def _plain(decimal: str) -> str:
    """Return a decimal such as 1.234e+00 without its exponent, where that is not longer."""
    mantissa, _, exponent = decimal.partition("e")
    places = len(mantissa.partition(".")[2]) - int(exponent)
    return f"{float(decimal):.{places}f}" if 0 <= places <= DIGITS + 4 else decimal


def pictures(view: View, turn: float) -> str:
    """Return the Gram matrix and the vectors of a geometry."""
    solution = view.solution
    if solution is None:
        return '<div class="gram-pictures gram-empty"></div>'
    cells, found = table(solution), vectors(solution)
    of_rows = "cosines, by samples in a class" if cells.by_class else "mean cosines, by class size"
    return (
        f'<div class="gram-pictures">{_figure("Gram matrix", of_rows, heat_map(cells))}'
        f"{_figure('Class vectors', _of_vectors(found.kept, found.every_class), arrows(found, turn))}</div>"
    )


def below(view: View) -> str:
    """Return the angles, and the command that says the same."""
    solution = view.solution
    if solution is None:
        return ""
    listed = rows(solution, view.controls.counts is None)
    drawn = angles(listed, solution.problem.counts.classes)
    return (
        f"{_figure('Angles', 'between classes, and their cosines', drawn, ' gram-wide')}"
        '<p class="gram-command">On the command line: <code id="gram-command">'
        f"{escape(view.controls.command())}</code></p>"
    )


def _figure(name: str, note: str, drawing: str, kind: str = "") -> str:
    said = f' <span class="gram-note">{escape(note)}</span>' if note else ""
    return f'<figure class="gram-card{kind}"><figcaption>{name}{said}</figcaption>{drawing}</figure>'


def _of_vectors(kept: float, every: bool) -> str:
    which = "in 3-D" if every else "one of each size, in 3-D"
    return which if kept > 0.9995 else f"{which}: {100 * kept:.0f} % of squared length"


def ratio_scale(steps: Sequence[float], controls: Controls, mark: Mark) -> str:
    """Return the scale under the slider of R, with the threshold of collapse on it."""
    marks = [
        f'<span style="left:{_place(steps, named):.2f}%">{_short(named)}</span>'
        for named in NAMED_RATIOS
        if steps[0] <= named <= steps[-1]
    ]
    body, words = "", "Where minority classes merge is being computed." if mark.working else mark.words
    if mark.ratio is not None and mark.ratio > steps[-1]:
        words += " That is beyond this slider."
    elif mark.ratio is not None:
        at = _place(steps, mark.ratio)
        body = f'<i style="left:{at:.2f}%"></i><b id="gram-mark" style="left:{at:.2f}%"></b>'
    large = f"R = {controls.n_major / controls.n_minor:,.4g}: {controls.n_major:,} samples in a large class"
    return (
        f'<div class="gram-scale"><div class="gram-ruler">{body}{"".join(marks)}</div>'
        f'<p id="gram-ratio">{large}</p><p id="gram-threshold" aria-live="polite">{escape(words)}</p></div>'
    )


def _place(steps: Sequence[float], ratio: float) -> float:
    """Return how far along the slider a ratio stands, in per cent."""
    at = np.interp(np.log(ratio), np.log(steps), np.arange(len(steps)))
    return float(100 * at / (len(steps) - 1))


def _short(ratio: int) -> str:
    return f"{ratio // 1000}k" if ratio >= 1000 else str(ratio)
