"""The public instances as CVXPY models: judge a solver by its true error.

    python benchmarks/instances/model.py NAME [SOLVER]

Needs cvxpy and numpy only. An instance is a JSON file beside this one: class counts, a temperature, and the
least supervised-contrastive loss with proven decimals below and above it (docs/certificate-format.md says how
such numbers come about). The model is the class-level program

    minimise (1/N) Σ_c n_c log( n_c − 1 + Σ_{c'≠c} n_c' exp((M_cc' − 1)/τ) )   subject to M ⪰ 0, M_cc = 1.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np

FOLDER = Path(__file__).resolve().parent


def instances() -> list[str]:
    """Return the names of all instances."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """Return one instance."""
    return json.loads((FOLDER / f"{name}.json").read_text())


def model(instance: dict[str, Any]) -> tuple[cp.Problem, cp.Variable]:
    """Return the CVXPY problem of an instance, and its Gram matrix."""
    n = np.array(instance["counts"], dtype=float)
    tau, k = float(Fraction(instance["temperature"])), len(n)
    gram = cp.Variable((k, k), PSD=True)
    # the diagonal entry of row c stands for the n_c − 1 siblings: exp((M_cc − 1)/τ) = 1
    weights = np.log(np.where(np.eye(k, dtype=bool), np.maximum(n - 1, 1e-300)[:, None], n))
    anchored = np.flatnonzero(n >= 2)
    rows = cp.log_sum_exp((gram[anchored] - 1) / tau + weights[anchored], axis=1)
    loss = n[anchored] @ rows / n[anchored].sum()
    return cp.Problem(cp.Minimize(loss), [cp.diag(gram) == 1]), gram


def main(arguments: list[str]) -> int:
    """Solve one instance and print how far the claimed value is from the proven one."""
    if not arguments or arguments[0] not in instances():
        print(f"usage: python model.py NAME [SOLVER]; names: {', '.join(instances())}")
        return 2
    instance = read(arguments[0])
    problem, _ = model(instance)
    problem.solve(solver=arguments[1].upper() if len(arguments) > 1 else "CLARABEL")
    claimed = float(str(problem.value))
    error = claimed - float(instance["value"][0])
    print(f"{instance['name']}: the solver says {problem.status}, {claimed:.12f}")
    print(f"true error {error:.2e}, {error / float(instance['excess']):.2e} of the excess")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
