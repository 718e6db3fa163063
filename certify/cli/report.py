"""What `gramcert solve` says, as lines and as JSON values."""

from __future__ import annotations

from typing import Any

from certify.certificate import ARITHMETIC, Certificate, Verdict
from certify.cli.geometry import geometry_facts, geometry_json
from certify.cli.printing import columns
from certify.cli.unproven import Unproven
from certify.rounding import outward
from certify.thresholds import held_together
from relax import losses
from relax.arrangement import geometry, sees_labels
from relax.endpoints import Descent, Match
from relax.losses.parameters import spelled
from relax.solution import LARGEST_GRAM, Solution, counts_in_words

MOST_PRINTED_UNITS = 200
A_BOUND = "the value is a lower bound of the loss; no features are claimed to attain it"


def facts(
    solution: Solution, proof: Certificate | Unproven, found: tuple[Descent, Match] | None = None
) -> list[tuple[str, str]]:
    """Return what there is to print, as (label, text) pairs; some texts have several lines."""
    problem, answer, proven = solution.problem, solution.answer, proof.verdict is Verdict.CERTIFIED
    counts = problem.counts
    said = [
        ("loss", f"{spelled(problem.loss)}, temperature {problem.temperature:g}"),
        ("counts", f"{counts_in_words(counts)}: {counts}"),
        *proof.facts(),
        ("solver", f"{answer.solver}, {answer.iterations} iterations, {answer.seconds:.3f} s"),
        ("stopped", solution.status.value),
    ]
    if not solution.reduction.attained:
        named = {"loss ≤": "bound ≤"}
        said = [*((named.get(label, label), value) for label, value in said), ("attained", A_BOUND)]
    said += geometry_facts(geometry(solution), proven and held_together(solution))
    if found is not None:
        dimension = ("dimension", str(found[0].features.shape[-1]))
        said.append(("descent", "\n".join(columns([dimension, *found[1].facts()]))))
    return said


def report(
    solution: Solution, proof: Certificate | Unproven, found: tuple[Descent, Match] | None = None
) -> dict[str, Any]:
    """Return what `--json` prints; bounds are float64 rounded outward, `proven` has the decimals."""
    problem, groups = solution.problem, solution.groups
    parameters = {key: said for key, said in losses.statement_of(problem.loss).items() if key != "name"}
    listed = problem.counts.classes <= LARGEST_GRAM
    order = problem.counts.group_of_class() if listed else []
    said: dict[str, Any] = {
        "schema": "gramcert/solve/1",
        "verdict": proof.verdict.name,
        "status": solution.status.name,
        "loss": problem.loss.name,
        "parameters": parameters,
        "attained": solution.reduction.attained,
        "level": solution.level,
        "temperature": problem.temperature,
        "norm": problem.norm.kind,
        "samples": problem.counts.samples,
        "classes": problem.counts.classes,
        "counts": [problem.counts.sizes[a] for a in order] if listed else None,
        "upper_bound": outward(proof.upper, up=True),
        "lower_bound": None if proof.lower is None else outward(proof.lower, up=False),
        "gap": None if proof.gap is None else outward(proof.gap, up=True),
        "excess": proof.excess if proof.excess_upper is not None else None,
        "gram_radius": None if proof.gram_radius is None else outward(proof.gram_radius, up=True),
        "arithmetic": ARITHMETIC,
        "proven": {
            key: getattr(proof, key)
            for key in ("lower", "upper", "excess_lower", "excess_upper", "gap", "scale")
        },
        "solver": solution.answer.solver,
        "iterations": solution.answer.iterations,
        "seconds": solution.answer.seconds,
        "groups": {
            "sizes": list(groups.sizes),
            "multiplicities": list(groups.multiplicities),
            "gram": groups.gram.tolist(),
        },
        **_matrices(solution),
        "geometry": geometry_json(
            geometry(solution), proof.verdict is Verdict.CERTIFIED and held_together(solution)
        ),
    }
    if found is not None:
        said["descent"] = _descent_report(*found)
    return said


def _matrices(solution: Solution) -> dict[str, Any]:
    """Return the Gram matrix of classes, or samples where the loss sees none, and those of all roles."""
    sees_classes, roles = sees_labels(solution.problem), solution.nodes.roles
    units = solution.problem.counts.classes if sees_classes else solution.nodes.units
    if units > MOST_PRINTED_UNITS:
        return {}
    said: dict[str, Any] = {"gram": (solution.class_gram if sees_classes else solution.gram).tolist()}
    if len(roles) > 1:
        said["blocks"] = {
            f"{first}-{second}": solution.block(first, second).tolist()
            for i, first in enumerate(roles)
            for second in roles[i:]
        }
    return said


def _descent_report(found: Descent, match: Match) -> dict[str, Any]:
    return {
        "starts": len(match.loss_gaps),
        "dimension": found.features.shape[-1],
        "agree": int(match.agrees.sum()),
        "worst_loss_gap": float(abs(match.loss_gaps).max()),
        "worst_gram_distance": float(match.gram_distances.max()),
        "worst_procrustes_residual": float(match.residuals.max()),
        "evaluations": found.evaluations,
    }
