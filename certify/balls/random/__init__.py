"""Random log-sum-exp rows in balls: the same formulas as `relax.rows.random`, with every error inside.

`laplace` has the quadrature and its error, `multinomial` and `hypergeometric` the expected exponentials,
`near` a shortcut for many peers, `rows` the table of a program's rows: `random_row_table`, the enclosure
of `RandomLogSumExp`.
"""
