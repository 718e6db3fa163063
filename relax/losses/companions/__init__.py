"""The expected supervised-contrastive loss in random batches of *given* vectors, which need not be collapsed.

Every other sample is one population, with its own sum over views. `population` has who may be drawn,
`replacement` and `shuffling` the expected exponentials, `shares` their sum.
"""

from relax.losses.companions.shares import expected_shares

__all__ = ["expected_shares"]
