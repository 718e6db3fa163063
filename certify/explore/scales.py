"""The positions of the sliders whose scale is logarithmic."""

from __future__ import annotations

import numpy as np


def decades(low: int, high: int, each: int, digits: int) -> list[float]:
    """Return the numbers from 10^low to 10^high, so many in each decade, in so many digits."""
    exponents = np.linspace(low, high, each * (high - low) + 1)
    return sorted({float(f"{10**exponent:.{digits - 1}e}") for exponent in exponents.tolist()})


_ROUND = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
_BINARY = (1, 1.5)
RATIOS = decades(0, 5, 40, 3)
TEMPERATURES = decades(-2, 1, 30, 2)
SIZES = [*range(1, 10), *(10**power * size for power in range(3) for size in _ROUND), 10_000]
BATCHES = [3, *(int(2**power * size) for power in range(2, 12) for size in _BINARY), 4096]
WEIGHTS = [round(0.05 * step, 2) for step in range(81)]
