"""Sweeps: one tidy table of many problems, each of them solved and certified."""

from certify.sweeps.grid import Point, counts_grid, long_tail_grid, step_grid
from certify.sweeps.run import sweep
from certify.sweeps.summary import Summary, summary
from certify.sweeps.table import write_table

__all__ = [
    "Point",
    "Summary",
    "counts_grid",
    "long_tail_grid",
    "step_grid",
    "summary",
    "sweep",
    "write_table",
]
