"""What a solver found: a feasible Gram matrix, a witness for a lower bound, and why it stopped."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from relax import losses
from relax.bounds import Cluster, LowerBound, Witness, lower_bound
from relax.errors import InputError
from relax.files import write_atomically
from relax.geometry import embed
from relax.orbits import OrbitMatrix
from relax.problem import Problem
from relax.program import GramProgram
from relax.sensitivity import Sensitivity, sensitivity

LARGEST_GRAM = 20_000  # classes; the k×k matrix beyond takes more than 3.2 GB


class Status(Enum):
    """Why a solver stopped; whether the answer is good is for the bounds to say."""

    CONVERGED = "the solver's own criterion was met"
    STALLED = "no further progress in float64; another solver or a larger temperature may do better"
    ITERATION_LIMIT = "the iteration limit was reached; the best proven bound so far is returned"
    INTERRUPTED = "it was interrupted; the best proven bound so far is returned"
    TIME_LIMIT = "the time limit was reached; the best proven bound so far is returned (raise time_limit)"


class Groups(NamedTuple):
    """The geometry by groups of classes of equal size.

    `gram[a, b]` is the inner product of different classes of groups a and b; on the diagonal that of two
    different classes of group a, or the squared norm where the group has one class.
    """

    sizes: tuple[int, ...]
    multiplicities: tuple[int, ...]
    gram: Float[np.ndarray, "m m"]


@dataclass(frozen=True, eq=False)
class Solution:
    """A feasible point of the program of a problem and a witness; every number is recomputed from these.

    Attributes
    ----------
    problem : Problem
        What was to be minimised.
    program : GramProgram
        Its program, by groups of equal classes.
    point : OrbitMatrix
        A feasible Gram matrix.
    witness : Witness
        What the lower bound is computed from.
    status : Status
        Why the solver stopped.
    solver : str
        Its name.
    iterations : int
        Newton steps or solver iterations.
    seconds : float
        Wall-clock time.
    """

    problem: Problem
    program: GramProgram
    point: OrbitMatrix
    witness: Witness
    status: Status
    solver: str
    iterations: int
    seconds: float

    @cached_property
    def excess(self) -> float:
        """The loss of the point above its infimum over unconstrained entries (`GramProgram.excess`)."""
        return self.program.excess(self.point)

    @cached_property
    def value(self) -> float:
        """The loss of the point, an upper bound on the optimum."""
        return self.excess if np.isinf(self.program.floor) else self.program.floor + self.excess

    @cached_property
    def bound(self) -> LowerBound:
        """The lower bound of the witness, as an excess, with its multipliers."""
        return lower_bound(self.program, self.witness, self.excess)

    def lower_bound(self) -> float:
        """Return the lower bound on the loss of every feature matrix, in float64."""
        floor = self.program.floor
        return self.bound.excess + (0.0 if np.isinf(floor) else floor)

    def gap(self) -> float:
        """Return upper minus lower bound, computed between excesses; rounding below zero counts as zero."""
        return max(0.0, self.excess - self.bound.excess)

    def relative_gap(self) -> float:
        """Return the gap over the excess (over max(1, |value|) where the loss has no infimum)."""
        scale = max(1.0, abs(self.value)) if np.isinf(self.program.floor) else self.excess
        return self.gap() / scale if scale > 0 else np.inf  # an excess below 1e-308 underflows

    def primal_residual(self) -> float:
        """Return how far the point is from feasible: its most negative eigenvalue or broken rule."""
        several = self.point.multiplicity > 1
        least = [np.linalg.eigvalsh(self.point.quotient()).min()]
        least += [np.linalg.eigvalsh(self.point.within()[several]).min()] if several.any() else []
        diagonal, g = self.point.diagonal(), self.program.slot_multiplicity
        factors = [rule.scale(diagonal[rule.slots], g[rule.slots]) ** 2 - 1.0 for rule in self.program.rules]
        return max(0.0, -float(min(least)), max(float(np.abs(f).max()) for f in factors))

    def dual_residual(self) -> float:
        """Return the most negative eigenvalue of D + diag(ν), as a positive number, ν being the bound's."""
        gradient = self.program.gradient(self.witness.point)
        s = self.program.roles
        multiplier = self.bound.multiplier.reshape(-1, s)[:, :, None] * np.eye(s)
        slack = OrbitMatrix(gradient.multiplicity, gradient.own + multiplier, gradient.peer)
        several = slack.multiplicity > 1
        least = [np.linalg.eigvalsh(slack.quotient()).min()]
        least += [np.linalg.eigvalsh(slack.within()[several]).min()] if several.any() else []
        return max(0.0, -float(min(least)))

    @property
    def groups(self) -> Groups:
        """The geometry by groups of equal classes."""
        counts = self.problem.counts
        gram = self.point.peer.copy()
        alone = np.array(counts.multiplicities) == 1
        gram[alone, alone] = self.point.own[alone, 0, 0]
        return Groups(counts.sizes, counts.multiplicities, gram)

    @property
    def gram(self) -> Float[np.ndarray, "k k"]:
        """The Gram matrix of the class vectors, in the user's order of classes.

        Raises
        ------
        InputError
            Above 20,000 classes; `groups.gram` has it by groups.
        """
        if self.problem.counts.classes > LARGEST_GRAM:
            raise InputError(
                f"a Gram matrix of {self.problem.counts.classes} classes is too large to write out; "
                "use .groups.gram, its distinct entries"
            )
        group = self.problem.counts.group_of_class()
        full = self.point.peer[np.ix_(group, group)]
        np.fill_diagonal(full, self.point.own[group, 0, 0])
        return full

    def embedding(self, dim: int | None = None) -> Float[np.ndarray, "k d"]:
        """Return class vectors, shape (k, dim), whose Gram matrix is `gram`; dim defaults to its rank."""
        return embed(self.gram, dim)

    def sensitivity(self) -> Sensitivity:
        """Return derivatives of the least loss and of its Gram matrix in τ and in the class sizes."""
        return sensitivity(self.problem, self.program, self.witness)

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [
            ("loss", f"{self.problem.loss}, temperature {self.problem.temperature:g}"),
            ("classes", f"{self.problem.counts.classes} of {len(self.problem.counts.sizes)} sizes"),
            ("value", f"{self.value:.15g}"),
            ("lower bound", f"{self.lower_bound():.15g}"),
            ("gap / excess", f"{self.relative_gap():.1e}"),
            ("solver", f"{self.solver}, {self.iterations} iterations, {self.seconds:.3f} s"),
            ("stopped", self.status.value),
        ]

    def __str__(self) -> str:
        """Write `rows` as a table."""
        return "\n".join(f"{label:<14}{value}" for label, value in self.rows())

    def _repr_html_(self) -> str:
        cells = "".join(f"<tr><th>{label}</th><td>{value}</td></tr>" for label, value in self.rows())
        return f"<table>{cells}</table>"

    def save(self, path: str | Path) -> None:
        """Write the solution to an npz file (temporary file, then renamed)."""
        facts = {
            "schema": "gramcert/solution/1",
            "problem": self.problem.statement(),
            "status": self.status.name,
            "solver": self.solver,
            "iterations": self.iterations,
            "seconds": self.seconds,
            "clusters": len(self.witness.clusters),
        }
        arrays = {
            "facts": np.array(json.dumps(facts)),
            "own": self.point.own,
            "peer": self.point.peer,
            "witness_own": self.witness.point.own,
            "witness_peer": self.witness.point.peer,
            "factor": self.witness.factor,
            "within": self.witness.within,
        }
        for i, cluster in enumerate(self.witness.clusters):
            arrays[f"cluster{i}_groups"], arrays[f"cluster{i}_weight"] = cluster.groups, cluster.weight
            arrays[f"cluster{i}_kappa"] = np.array(cluster.kappa)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        write_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Solution:
        """Read a solution; its program is rebuilt from the problem, its bounds from the arrays.

        Raises
        ------
        InputError
            If the file is not there or is no solution file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            facts = json.loads(str(arrays["facts"]))
            problem = Problem.from_statement(facts["problem"])
            program = losses.build(problem)
            clusters = tuple(
                Cluster(
                    arrays[f"cluster{i}_groups"],
                    arrays[f"cluster{i}_weight"],
                    float(arrays[f"cluster{i}_kappa"]),
                )
                for i in range(facts["clusters"])
            )
            g = program.multiplicity
            witness_point = OrbitMatrix(g, arrays["witness_own"], arrays["witness_peer"])
            witness = Witness(witness_point, arrays["factor"], arrays["within"], clusters)
            point = OrbitMatrix(g, arrays["own"], arrays["peer"])
            rest = (Status[facts["status"]], facts["solver"], facts["iterations"], facts["seconds"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a solution file ({error}); write one with .save") from error
        return cls(problem, program, point, witness, *rest)
