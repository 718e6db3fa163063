"""Phase diagrams: the grid is that of single problems, the thresholds are those of `collapse_threshold`."""

from __future__ import annotations

import numpy as np
import pytest

from certify.thresholds import collapse_threshold, phase_diagram
from relax.errors import InputError
from relax.testing import step_geometry


@pytest.mark.slow
def test_temperature_against_the_closed_equations() -> None:
    found = phase_diagram("temperature", [1.0], [1, 500], k_major=2, k_minor=3, n_minor=10)
    assert found.cosine.shape == found.gap.shape == (1, 2)
    assert found.ratios.tolist() == [1, 500]
    for i, tau in enumerate((1.0,)):
        for j, size in enumerate((10, 5000)):
            truth = step_geometry(2, 3, size, 10, tau)[-1, -2]
            assert found.cosine[i, j] == pytest.approx(truth, abs=1e-7)
    assert found.thresholds[0].ratio == collapse_threshold(2, 3, 10, 1.0).ratio
    assert np.all(found.gap < 1e-9)
    upper = found.thresholds[0].upper
    assert found.cosine[0, 1] == pytest.approx(1, abs=1e-12)
    assert upper is not None and upper < 500


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("batch_size", [4, 25]),
        pytest.param("k_minor", [2, 3], marks=pytest.mark.slow),
        pytest.param("positives_weight", [0, 1], marks=pytest.mark.slow),
    ],
)
def test_other_parameters(parameter: str, values: list[float]) -> None:
    found = phase_diagram(parameter, values, [1, 3.04], n_minor=5, temperature=1.0)
    assert found.values.tolist() == values and found.ratios.tolist() == [1, 3]
    assert len(found.thresholds) == 2 and all(one.ratio is not None for one in found.thresholds)
    assert np.isnan(found.cosine).sum() == (parameter == "batch_size")  # 20 samples do not fill a batch of 25
    assert str(found).startswith("largest gap")


@pytest.mark.slow
def test_processes_find_the_same() -> None:
    one, two = (phase_diagram("k_minor", [2, 3], [1, 5], n_minor=5, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.cosine, two.cosine)


@pytest.mark.parametrize(
    ("parameter", "values", "options", "message"),
    [
        ("width", [1], {}, "parameter 'width' is not one of"),
        ("temperature", [], {}, "must not be empty"),
        ("batch_size", [8], {"loss": "ntxent-labels"}, "has no parameter batch_size"),
        ("k_minor", [1], {}, "k_minor 1 leaves"),
    ],
)
def test_bad_input(parameter: str, values: list[float], options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        phase_diagram(parameter, values, [1, 2], **options)
