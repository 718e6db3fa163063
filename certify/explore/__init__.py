"""The explorer: a page in the browser that shows the certified optimum while its controls are moved."""

from certify.explore.serving import serve

__all__ = ["serve"]
