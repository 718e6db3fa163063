"""Each anchor's expected share of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from relax.errors import InputError
from relax.losses.companions.population import Companions
from relax.losses.companions.replacement import Powers
from relax.losses.companions.shuffling import Products
from relax.losses.definition import Seen, Share
from relax.rows.random.quadrature import laplace_rule


def expected_shares(x: Any, seen: Seen, batch_size: int, sampler: str) -> Share:
    """Return each anchor's expected share of L_out in a random batch, times its sampling rate.

        rate · E[1{B>0} ( log( Σ_{other views} e^x + Σ_s N_s Σ_{views of s} e^x ) − mean of positives' x )]

    where N_s counts b − 1 draws of samples and rate is 1/V for `shuffle` and `replacement`, and 1/(V n_c) for
    `class-balanced`, so that the sum over anchors is divided by the normaliser of `batches.expected_rows`.

    Parameters
    ----------
    x : array, shape (…, b, r)
        Similarities over the temperature.
    seen : Seen
        Who stands behind them; every sample must have equally many columns.
    batch_size, sampler : int, str
        As in `batches.expected_rows`.

    Raises
    ------
    InputError
        If draws without replacement would take too long, or numbers are balls.
    """
    if seen.xp.exact:
        raise InputError(
            "the expected loss of given features in batches is known in floats only, not in balls"
        )
    drawn = Companions(seen, batch_size, sampler)
    reading = drawn.reading()
    y = x - drawn.positives(x, reading)[..., None]
    rate = drawn.rate
    excess = rate * _excess(drawn, y)
    return Share(rate * reading.floor, seen.xp.where(reading.counted > 0, excess, 0 * excess))


def _excess(drawn: Companions, y: Any) -> Any:
    """Return E[1{B>0} log(X/B)] at similarities whose targets read zero."""
    seen, xp, views = drawn.seen, drawn.seen.xp, drawn.views
    is_class = xp.integers(seen.is_class.astype(int))
    least = -float(xp.top(-y, is_class > 0).max())
    highest = max(0.0, float(xp.top(y, is_class >= 0).max()))
    top = views * drawn.batch_size * float(np.exp(highest))
    rule = laplace_rule(float(np.log(views * drawn.batch_size)) + highest - min(0.0, least))
    weighed = xp.integers(seen.views)
    total = (weighed * xp.exp(y))[..., drawn.column].sum(-1)
    beyond = (weighed * xp.expm1(y))[..., drawn.column].sum(-1)
    others = (seen.same_sample * xp.expm1(y)).sum(-1)
    product = Powers(drawn) if drawn.replacement else Products(drawn)
    result: Any = 0
    for node, weight in zip((rule.node / top).tolist(), rule.weight.tolist(), strict=True):
        result = result + weight * product.above(node, total, beyond, others)
    return result
