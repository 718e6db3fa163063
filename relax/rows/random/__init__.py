"""Random log-sum-exp rows: expected mini-batches, and risks with random negatives.

`quadrature` turns expected logarithms into expected exponentials, which `multinomial` and `hypergeometric`
(coefficients on a `circle`) evaluate; `rows` has the kind of rows itself.
"""

from relax.rows.random.rows import RandomLogSumExp

__all__ = ["RandomLogSumExp"]
