"""Does a solver conform? Programs with known answers, and what every solver owes its callers.

    from relax.testing import conformance

    @pytest.mark.parametrize("case", conformance.cases(), ids=str)
    def test_my_solver(case):
        conformance.assert_conforms(my_solve, case)

`my_solve(program, tolerance, deadline)` returns a `relax.Answer`, as all solvers do.
"""

from relax.testing.conformance.cases import Case, cases
from relax.testing.conformance.checks import assert_conforms, assert_keeps_time

__all__ = ["Case", "assert_conforms", "assert_keeps_time", "cases"]
