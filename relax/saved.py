"""Solutions as npz files: an answer with the problem that it is about. No pickle; bounds are recomputed."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from relax.answer import Answer, Status
from relax.bounds import Cluster, Witness
from relax.errors import InputError, reason
from relax.files import named
from relax.losses import Reduction
from relax.orbits import OrbitMatrix
from relax.problem import Level, Problem
from relax.program import GramProgram

SCHEMA = "gramcert/solution/2"
# what NumPy, zipfile and zlib raise of a file that is none of theirs, or a damaged one
DAMAGED = (OSError, EOFError, KeyError, TypeError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error)


def packed(problem: Problem, level: Level, answer: Answer) -> bytes:
    """Return the content of the file."""
    witness = answer.witness
    facts = {
        "schema": SCHEMA,
        "problem": problem.statement(),
        "level": level,
        "status": answer.status.name,
        "solver": answer.solver,
        "iterations": answer.iterations,
        "seconds": answer.seconds,
        "clusters": len(witness.clusters),
    }
    arrays = {
        "facts": np.array(json.dumps(facts)),
        "own": answer.point.own,
        "peer": answer.point.peer,
        "base_own": witness.base.own,
        "base_peer": witness.base.peer,
        "factor": witness.factor,
        "within": witness.within,
    }
    for i, cluster in enumerate(witness.clusters):
        arrays[f"cluster{i}_groups"], arrays[f"cluster{i}_weight"] = cluster.groups, cluster.weight
        arrays[f"cluster{i}_kappa"] = np.array(cluster.kappa)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpacked(path: str | Path) -> tuple[Problem, Reduction, Level, Answer]:
    """Read a file; the program is rebuilt from the problem.

    Raises
    ------
    InputError
        If it is not there, is no such file, or holds arrays that do not fit the problem.
    """
    named(path, "give the name of a file that .save has written")
    try:
        with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
            arrays = dict(file)
        facts = json.loads(str(arrays["facts"]))
        if facts["schema"] != SCHEMA:
            raise ValueError(f"schema {facts['schema']}, not {SCHEMA}")
        problem, level = Problem.from_statement(facts["problem"]), facts["level"]
        reduction = problem.reduction(level)
        answer = _answer(problem.assembled(reduction), facts, arrays)
    except DAMAGED as error:
        raise InputError(f"{path} is not a solution file ({reason(error)}); write one with .save") from error
    return problem, reduction, level, answer


def _answer(program: GramProgram, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Answer:
    floats = [name for name in arrays if name != "facts" and not name.endswith("_groups")]
    wrong = [
        name for name in floats if arrays[name].dtype != np.float64 or not np.isfinite(arrays[name]).all()
    ]
    if wrong:
        raise ValueError(f"{wrong[0]} is no array of finite numbers")
    clusters = tuple(
        Cluster(
            arrays[f"cluster{i}_groups"], arrays[f"cluster{i}_weight"], float(arrays[f"cluster{i}_kappa"])
        )
        for i in range(facts["clusters"])
    )
    g = program.multiplicity
    base = OrbitMatrix(g, arrays["base_own"], arrays["base_peer"])
    witness = Witness(base, arrays["factor"], arrays["within"], clusters)
    status, iterations, seconds = Status[facts["status"]], facts["iterations"], facts["seconds"]
    if type(iterations) is not int or type(seconds) is not float or not isinstance(facts["solver"], str):
        raise ValueError("its facts are not those of a solver")
    point = OrbitMatrix(g, arrays["own"], arrays["peer"])
    return Answer(program, point, witness, status, iterations, facts["solver"], seconds)
