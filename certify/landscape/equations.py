"""The equations of stationary points at the sample-level program, and their derivative.

With F(H) = f(HHᵀ), D the symmetric gradient of f at the Gram matrix, unknowns H (n, d), multipliers ν of the
norms that are held, and an antisymmetric A (d, d),

    2 D H + 2 diag(ν) H + H A = 0,        |h_i|² = r_i,        H₀ᵀ H symmetric.

The last rows fix the rotation: H₀ is the point the proof starts from, and the Procrustes rotation of any H
obeys them and is no farther from H₀. At a root H A = 0: D H + diag(ν) H is orthogonal to every H Ω with Ω
antisymmetric, as the loss and the norms do not see rotations; so take Ω = A. Hence a root is stationary.

Arrays are of balls, or of floats where no proof depends on them (Newton's steps).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from flint import arb, arb_mat
from jaxtyping import Int, Shaped

from certify.balls.bounds import gradient_of, rows_excess, states_at
from certify.balls.enclosures import BallMatrix, Balls, balls, zeros
from certify.balls.krawczyk import midpoints
from certify.balls.rows import CurvedRows
from certify.landscape.system import System, split
from relax.errors import InputError


class Derivatives(NamedTuple):
    """D (n, n), and the second derivative of f: Σ_il K_il dG_il² + Σ_terms Σ_t (l_t·dG_t)(r_t·dG_t).

    dG_t is the line of the anchor of row t.
    """

    slope: Any
    squares: Any
    terms: list[tuple[Int[np.ndarray, " T"], Any, Any]]


def gram(features: Shaped[Balls, "n d"]) -> BallMatrix:
    """Return the Gram matrix of balls, its diagonal as sums of squares."""
    entries = product(features, features.T)
    own = (features * features).sum(axis=1)
    entries[np.arange(len(own)), np.arange(len(own))] = own
    return BallMatrix(own, entries)


def derivatives(given: System, features: Shaped[Balls, "n d"]) -> Derivatives:
    """Return the derivatives of the loss by the Gram matrix, at features.

    Raises
    ------
    InputError
        If rows are of a kind whose second derivatives are not known.
    """
    goal, n = given.goal, len(features)
    states, diagonal = states_at(goal, gram(features)), np.arange(n)
    slope = gradient_of(goal, states)
    matrix = slope.peer.copy()
    matrix[diagonal, diagonal] = slope.own
    squares, terms = zeros(n, n), []
    for table, weights, state in zip(goal.tables, goal.weights, states, strict=True):
        if not isinstance(state, CurvedRows):
            raise InputError(f"second derivatives of {type(state).__name__} are not known; nothing is proven")
        scale, found = weights * goal.inverse_temperature**2, state.hessians()
        lines = _lines(table.anchor, found.diagonal) * scale[:, None]
        for row, line in zip(table.anchor.tolist(), lines, strict=True):  # an anchor may have several rows
            squares[row] = squares[row] + line
        terms += [
            (table.anchor, _lines(table.anchor, left) * scale[:, None], _lines(table.anchor, right))
            for left, right in found.pairs
        ]
    return Derivatives(matrix, squares, terms)


def _lines(anchor: Int[np.ndarray, " T"], columns: Any) -> Any:
    """Return numbers by nodes from numbers by columns: the own entry stands at the anchor's place."""
    lines = columns[:, 1:].copy()
    lines[np.arange(len(anchor)), anchor] = columns[:, 0]
    return lines


def in_floats(found: Derivatives) -> Derivatives:
    """Return midpoints."""
    terms = [(anchor, midpoints(left), midpoints(right)) for anchor, left, right in found.terms]
    return Derivatives(midpoints(found.slope), midpoints(found.squares), terms)


def gradient(found: Derivatives, features: Any, multipliers: Any) -> Any:
    """Return 2 D H + 2 diag(ν) H, shape (n, d)."""
    return 2 * (product(found.slope, features) + multipliers[:, None] * features)


def hessian(found: Derivatives, features: Any, multipliers: Any) -> Any:
    """Return the Hessian of F + Σ ν_i |h_i|² in the entries of H, shape (nd, nd).

    It is 2 (D + diag ν) ⊗ I plus f'' in the directions dG_il = h_l·dh_i + h_i·dh_l.
    """
    n, d = features.shape
    both = found.squares + found.squares.T
    blocks = _crossed(both, features)
    own = np.stack([product((both * features[:, a]), features) for a in range(d)], axis=1)  # Σ_l K h_la h_lb
    plain, axes, nodes = 2 * (found.slope + _diagonal(multipliers)), np.arange(d), np.arange(n)
    blocks[:, axes, :, axes] += plain
    blocks[nodes, :, nodes, :] += own
    matrix = blocks.reshape(n * d, n * d)
    for anchor, left, right in found.terms:
        one, other = (_lifted(anchor, part, features) for part in (left, right))
        outer = product(one.T, other)
        matrix = matrix + (outer + outer.T) / 2
    return matrix


def _crossed(both: Any, features: Any) -> Any:
    """Return K_il h_la h_ib by (i, a, l, b)."""
    one = both[:, None, :] * features.T[None, :, :]  # (i, a, l): K_il h_la
    return one[:, :, :, None] * features[:, None, None, :]


def _lifted(anchor: Int[np.ndarray, " T"], lines: Any, features: Any) -> Any:
    """Return v·dG of each row as a linear form in dH, shape (T, nd)."""
    forms = lines[:, :, None] * features[anchor][:, None, :]
    forms[np.arange(len(anchor)), anchor] += product(lines, features)
    return forms.reshape(len(anchor), features.size)


def rotations(given: System, features: Any) -> Any:
    """Return H Ω for the antisymmetric Ω of each plane, shape (p, nd)."""
    moved = np.zeros((len(given.planes), *features.shape), dtype=features.dtype) + 0 * features[0, 0]
    for k, (a, b) in enumerate(given.planes):
        moved[k, :, b], moved[k, :, a] = features[:, a], -features[:, b]
    return moved.reshape(len(given.planes), features.size)


def normals(given: System, features: Any) -> Any:
    """Return h_i in the place of dh_i, for each feature that is held, shape (q, nd)."""
    forms = np.zeros((len(given.held), *features.shape), dtype=features.dtype) + 0 * features[0, 0]
    forms[np.arange(len(given.held)), given.held] = features[given.held]
    return forms.reshape(len(given.held), features.size)


def residual(given: System, found: Derivatives, x: Any) -> Any:
    """Return the left sides of the equations less their right sides."""
    features, held, turning = split(given, x)
    first = gradient(found, features, given.multipliers(held)).reshape(-1)
    if len(turning):
        first = first + product(turning[None, :], rotations(given, features))[0]
    bound, centre = _like(given.bound[given.held], x), _like(given.centre, x)
    norms = (features[given.held] * features[given.held]).sum(axis=1) - bound
    turned = product(rotations(given, centre), features.reshape(-1, 1))[:, 0]
    return np.concatenate([first, norms, turned])


def jacobian(given: System, found: Derivatives, x: Any) -> Any:
    """Return the derivative of `residual`."""
    features, held, turning = split(given, x)
    n, d = features.shape
    inner = hessian(found, features, given.multipliers(held)).reshape(n, d, n, d)
    for k, (a, b) in enumerate(given.planes):
        inner[np.arange(n), b, np.arange(n), a] += turning[k]
        inner[np.arange(n), a, np.arange(n), b] -= turning[k]
    radial, turned = 2 * normals(given, features), rotations(given, features)
    centre = _like(given.centre, x)
    size, nd = given.unknowns, n * d
    matrix = np.zeros((size, size), dtype=x.dtype) + 0 * x[0]
    matrix[:nd, :nd] = inner.reshape(nd, nd)
    matrix[:nd, nd : nd + len(held)], matrix[nd : nd + len(held), :nd] = radial.T, radial
    matrix[:nd, nd + len(held) :], matrix[nd + len(held) :, :nd] = turned.T, rotations(given, centre)
    return matrix


def pulled(given: System, found: Derivatives, features: Any) -> Any:
    """Return ν_i = −(D H)_i · h_i / r_i of what is held: a stationary point has no other multipliers."""
    pull = (product(found.slope, features) * features).sum(axis=1)
    return -pull[given.held] / _like(given.bound[given.held], features)


def excess(given: System, features: Shaped[Balls, "n d"]) -> arb:
    """Return the loss above its floor (the loss where there is none), ridges included."""
    matrix = gram(features)
    ridge = (given.price * matrix.own).sum()
    return rows_excess(given.goal, states_at(given.goal, matrix)) + ridge


def product(one: Any, other: Any) -> Any:
    """Return a matrix product, of balls by Arb."""
    if one.dtype != object and other.dtype != object:
        return one @ other
    if 0 in one.shape or 0 in other.shape:
        return zeros(one.shape[0], other.shape[1])
    made = arb_mat(one.tolist()) * arb_mat(other.tolist())
    return np.array(made.entries(), dtype=object).reshape(one.shape[0], other.shape[1])


def _like(numbers: Any, x: Any) -> Any:
    """Return numbers as balls or floats, whichever x holds."""
    if x.dtype != object:
        return numbers.astype(float)
    return numbers if numbers.dtype == object else balls(numbers)


def _diagonal(numbers: Any) -> Any:
    """Return a diagonal matrix."""
    matrix = np.zeros((len(numbers), len(numbers)), dtype=numbers.dtype) + 0 * numbers[0]
    matrix[np.arange(len(numbers)), np.arange(len(numbers))] = numbers
    return matrix
