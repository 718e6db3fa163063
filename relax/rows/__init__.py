"""Kinds of rows: convex functions of the entries that anchors read, the summands of every objective.

A new kind is one file or folder here, its enclosure in `certify.balls`, and a function in
`certify/checker.py` where it is to be verified twice; programs, bounds and solvers take it as it is.
"""

from relax.rows.kinds import Rows, RowState, RowTable
from relax.rows.log_sum_exp import LogSumExp
from relax.rows.random import RandomLogSumExp
from relax.rows.sum_exp import SumExp

__all__ = ["LogSumExp", "RandomLogSumExp", "RowState", "RowTable", "Rows", "SumExp"]
