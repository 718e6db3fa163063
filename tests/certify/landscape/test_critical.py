"""Critical temperatures: both ends against derivatives at fifty digits."""

from __future__ import annotations

import pytest

from certify.landscape import critical_temperature, cross_polytope, cross_polytope_bracket
from certify.landscape.verification import verify_point
from relax import InputError, Problem
from tests.certify.landscape.oracles import spectrum_modulo_rotation
from tests.certify.landscape.seeds import circle, labels_of, stray


@pytest.mark.parametrize(("n", "near"), [(3, 0.1376), pytest.param(10, 0.2536, marks=pytest.mark.slow)])
def test_the_stray_sample(n: int, near: float) -> None:
    found = critical_temperature(stray(n, 0.1), Problem([n] * 3, temperature=0.1))
    assert found.lower is not None and found.upper is not None
    assert found.relative_width <= 1e-3
    assert float(found.lower) < near < float(found.upper) or float(found.lower) == pytest.approx(
        near, rel=1e-3
    )
    assert found.minimum is not None and found.saddle is not None
    for point, sign in ((found.minimum, 1), (found.saddle, -1)):
        assert verify_point(point.document or {}).accepted
        if n == 3:
            said = str(point.problem.temperature)
            lowest = spectrum_modulo_rotation(point.features, labels_of([n] * 3).tolist(), said)[0]
            assert sign * lowest > 0


def test_it_is_that_of_the_closed_form() -> None:
    closed = cross_polytope_bracket(2, 2)
    start = cross_polytope(2, 2, 0.2).features()
    found = critical_temperature(start, Problem([2, 2], temperature=0.2))
    assert found.lower is not None and found.upper is not None
    assert closed.lower is not None and closed.upper is not None
    assert found.lower < closed.lower < closed.upper < found.upper


def test_where_there_is_none() -> None:
    problem = Problem([4, 4, 4], temperature=0.5)
    optimum = circle([0.0] * 4 + [120.0] * 4 + [240.0] * 4)
    found = critical_temperature(optimum, problem, highest=2.0)
    assert not found.proven and "still one" in found.reason and "not proven" in str(found)
    lost = critical_temperature(circle([10.0 * i for i in range(12)]), problem)
    assert not lost.proven and "not near a local minimum" in lost.reason
    with pytest.raises(InputError, match="relative"):
        critical_temperature(optimum, problem, relative=2.0)
