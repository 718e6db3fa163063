"""Find: proven global optima of contrastive losses over free features."""

from relax.answer import Answer, Status
from relax.errors import InputError, SolverError
from relax.facts import PICTURES
from relax.problem import Ball, ClassCounts, MeanSquare, Problem, Ridge, Sphere
from relax.solution import Solution
from relax.solvers import solve, solve_program

__version__ = "0.1.0"


def _picture(solution: Solution) -> bytes | None:
    from relax.plots import thumbnail  # Matplotlib is loaded where a picture is drawn

    return thumbnail(solution)


PICTURES[Solution] = _picture

__all__ = [
    "Answer",
    "Ball",
    "ClassCounts",
    "InputError",
    "MeanSquare",
    "Problem",
    "Ridge",
    "Solution",
    "SolverError",
    "Sphere",
    "Status",
    "solve",
    "solve_program",
]
