"""Write the public instances: `python -m benchmarks.instances.make`."""

from __future__ import annotations

import json
from pathlib import Path

from flint import ctx

from certify.balls import decimal_above, decimal_below
from certify.balls.bounds import objective
from certify.enclosure import enclose
from relax import Problem, solve
from relax.files import write_atomically

FOLDER = Path(__file__).resolve().parent
DIGITS = 30
INSTANCES: dict[str, tuple[list[int], float]] = {
    "balanced-10": ([50] * 10, 0.1),
    "cold-4": ([100] * 4, 0.04),
    "step-4": ([100, 100, 10, 10], 0.1),
    "step-10-warm": ([500] * 5 + [5] * 5, 1.0),
    "two-classes": ([7, 2], 0.5),
    "collapse-5": ([1000, 10, 10, 10, 10], 1.0),
    "before-collapse": ([487, 10, 10, 10, 10], 1.0),
    "after-collapse": ([488, 10, 10, 10, 10], 1.0),
    "singletons-6": ([20, 10, 5, 1, 1, 1], 0.5),
    "long-tail-10": ([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50], 0.1),
    "long-tail-30": ([max(2, round(1000 * 0.8**c)) for c in range(30)], 0.07),
    "million-to-one": ([10_000_000, 10_000_000, 10, 10], 0.2),
}


def instance(name: str) -> dict[str, object]:
    """Return one instance with its proven numbers."""
    counts, tau = INSTANCES[name]
    solution = solve(Problem(counts, temperature=tau))
    found = enclose(solution, DIGITS)
    if found.method != "Krawczyk":
        raise RuntimeError(f"{name}: {found.reason}")
    with ctx.workprec(400):
        floor = objective(solution.program).floor
        assert floor is not None
        excess = found.value - floor
    sizes, multiplicities = solution.problem.counts.sizes, solution.problem.counts.multiplicities
    m = range(len(sizes))
    return {
        "name": name,
        "counts": counts,
        "temperature": solution.problem.statement()["temperature"],
        "value": [decimal_below(found.value, DIGITS), decimal_above(found.value, DIGITS)],
        "excess": decimal_below(excess, 12),
        "sizes": list(sizes),
        "multiplicities": list(multiplicities),
        "gram_below": [[decimal_below(found.gram[a, b], DIGITS) for b in m] for a in m],
        "gram_above": [[decimal_above(found.gram[a, b], DIGITS) for b in m] for a in m],
    }


def main() -> None:
    """Write all instances."""
    for name in INSTANCES:
        write_atomically(FOLDER / f"{name}.json", json.dumps(instance(name), indent=1) + "\n")


if __name__ == "__main__":
    main()
