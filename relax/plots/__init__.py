"""Pictures: small functions that take data and `ax` and return the axes, in light, dark and print."""

from relax.plots.descents import descent_losses, descent_paths
from relax.plots.eigenvalues import spectrum
from relax.plots.figures import FORMATS, geometry_figure, geometry_picture, plot_geometry, thumbnail
from relax.plots.grams import difference, heat_map
from relax.plots.phases import phase_diagram
from relax.plots.points import vectors
from relax.plots.ratios import against_ratio
from relax.plots.sizes import against_size
from relax.plots.themes import settings, theme

__all__ = [
    "FORMATS",
    "against_ratio",
    "against_size",
    "descent_losses",
    "descent_paths",
    "difference",
    "geometry_figure",
    "geometry_picture",
    "heat_map",
    "phase_diagram",
    "plot_geometry",
    "settings",
    "spectrum",
    "theme",
    "thumbnail",
    "vectors",
]
