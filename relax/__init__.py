"""Find: proven global optima of contrastive losses over free features."""

from relax.errors import InputError, SolverError
from relax.problem import Ball, ClassCounts, Problem, Ridge, Sphere
from relax.solution import Solution, Status
from relax.solvers import solve

__version__ = "0.1.0"

__all__ = [
    "Ball",
    "ClassCounts",
    "InputError",
    "Problem",
    "Ridge",
    "Solution",
    "SolverError",
    "Sphere",
    "Status",
    "solve",
]
