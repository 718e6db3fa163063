"""How alike two pictures look: structural similarity of their lightness, where at least one has structure.

Z. Wang et al., Image quality assessment: from error visibility to structural similarity, doi
10.1109/TIP.2003.819861. Averaged over drawn places alone: a page is mostly empty, and empty places are alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.image import imread
from scipy.ndimage import gaussian_filter

ALIKE = 0.975  # half a pixel aside stays above, another geometry below; test_look.py has both
BLUR, WINDOW = 1.2, 2.5  # pixels
STEADY_MEAN, STEADY_VARIANCE = 0.01**2, 0.03**2  # the constants of the paper, for values from 0 to 1
DRAWN = 1e-4  # variance of a place with something in it


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """Return 1 for equal pictures, less the more they differ; 0 for those of different sizes."""
    if first.shape != second.shape:
        return 0.0
    a, b = (gaussian_filter(picture, BLUR) for picture in (first, second))
    mean_a, mean_b = gaussian_filter(a, WINDOW), gaussian_filter(b, WINDOW)
    both = gaussian_filter(a * b, WINDOW) - mean_a * mean_b
    variance_a, variance_b = (gaussian_filter(x * x, WINDOW) - m * m for x, m in ((a, mean_a), (b, mean_b)))
    light = (2 * mean_a * mean_b + STEADY_MEAN) / (mean_a**2 + mean_b**2 + STEADY_MEAN)
    structure = (2 * both + STEADY_VARIANCE) / (variance_a + variance_b + STEADY_VARIANCE)
    drawn = np.maximum(variance_a, variance_b) > DRAWN
    return float((light * structure)[drawn].mean()) if drawn.any() else 1.0


def lightness(file: Any) -> np.ndarray:
    """Return a PNG as numbers from 0 to 1, colours by their luma."""
    picture = imread(file)
    return picture if picture.ndim == 2 else picture[..., :3] @ np.array([0.299, 0.587, 0.114])
