"""Stationary points near given features: Newton's method in floats, and Krawczyk's operator for the proof.

X is a box around x̃, C a float inverse of the Jacobian J at x̃. If |C F(x̃)| + |I − C J(X)| rad X < rad X,
entry by entry, F has exactly one root in X (Krawczyk 1969; Rump, Acta Numerica 2010, §13); if only
|I − C J(X)| rad X < rad X, it has at most one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat
from jaxtyping import Float64, Int, Shaped

from certify.balls.enclosures import Balls, balls, decimal_above, upper, zeros
from certify.balls.krawczyk import midpoints
from certify.landscape.equations import derivatives, in_floats, jacobian, pulled, residual
from certify.landscape.system import System, along_axes, split, system
from relax.program import GramProgram

STEPS = 30  # of Newton; from 1e-6 away three or four are taken
CLOSE = 1e-13  # a step of this size ends them
FAR = 0.3  # a feature that moves farther than this was no start near a stationary point
ROOM = 4.0  # a box is so many times as large as Newton's step from its centre
SMALLEST = 1e-15  # radius of a box
ATTEMPTS = 12  # at larger boxes in which nothing else is stationary
HALF = 0.5  # what |I − C J| is aimed at there


class Box(NamedTuple):
    """A cube of features, and what multipliers and A may be for them."""

    features: Shaped[Balls, "n d"]
    held: Shaped[Balls, " q"]  # contains ν(H) of every H of the cube
    turning: Shaped[Balls, " p"]  # contains 0

    @property
    def all(self) -> Balls:
        """Every unknown in one vector."""
        return np.concatenate([self.features.reshape(-1), self.held, self.turning])


def polish(
    program: GramProgram, start: Float64[np.ndarray, "n d"], held: Int[np.ndarray, " q"], turned: bool = True
) -> Float64[np.ndarray, "n d"] | str:
    """Return features near which the equations hold as well as floats can say, or why there are none near.

    `turned` says whether they may be rotated to be along axes, where they do not use all dimensions.
    """
    x = None
    features = along_axes(start) if turned else start
    first, last = features, np.inf
    for _ in range(STEPS):
        given = system(program, features, held)
        found = in_floats(derivatives(given, balls(features)))
        nu = pulled(given, found, features) if x is None else split(given, x)[1]
        x = np.concatenate([features.reshape(-1), nu, np.zeros(len(given.planes))])
        try:
            step = np.linalg.solve(jacobian(given, found, x), residual(given, found, x))
        except np.linalg.LinAlgError:
            return "the equations are singular: the point is degenerate, or lies on a continuum of others"
        size = float(np.abs(step).max())
        if not np.isfinite(size) or np.abs(split(given, x - step)[0] - first).max() > FAR:
            return "Newton's method leads away from the features: no stationary point near, or degenerate"
        if size >= last and size < np.sqrt(CLOSE):  # rounding
            break
        x, last = x - step, size
        features = split(given, x)[0]
        if size < CLOSE:
            break
    else:
        return "Newton's method does not converge: the point is degenerate"
    return features


def box(given: System, radius: arb) -> Box:
    """Return the cube of this radius around the centre, with the multipliers of all its features.

    Its centre is exactly H₀, ν(H₀) as rounded, and A = 0, whatever the radius.
    """
    point = balls(given.centre)
    middle = [entry.mid() for entry in pulled(given, derivatives(given, point), point)]
    if radius == 0:
        return Box(point, np.array(middle, dtype=object), zeros(len(given.planes)))
    cube = point + arb(0, radius.upper())
    reached = pulled(given, derivatives(given, cube), cube)
    held = [arb(mid, abs(ball - mid).upper()) for mid, ball in zip(middle, reached, strict=True)]
    widest = max((entry.rad() for entry in held), default=radius.upper())
    return Box(cube, np.array(held, dtype=object), zeros(len(given.planes)) + arb(0, widest))


def preconditioner(given: System, centre: Box) -> arb_mat | None:
    """Return a float inverse of the Jacobian at the centre; None where there is none."""
    found = in_floats(derivatives(given, centre.features))
    x = np.concatenate([midpoints(part).reshape(-1) for part in centre])
    try:
        inverse = np.linalg.inv(jacobian(given, found, x))
    except np.linalg.LinAlgError:
        return None
    return arb_mat(inverse.tolist()) if np.isfinite(inverse).all() else None


def newton_step(given: System, inverse: arb_mat, centre: Box) -> Balls:
    """Return C F(x̃)."""
    value = residual(given, derivatives(given, centre.features), centre.all)
    return np.array((inverse * arb_mat(len(value), 1, value.tolist())).entries(), dtype=object)


def spread(given: System, inverse: arb_mat, within: Box) -> Balls:
    """Return |I − C J(X)| rad X, rounded up."""
    x = within.all
    product = inverse * arb_mat(jacobian(given, derivatives(given, within.features), x).tolist())
    entries = upper(abs(np.array(product.entries(), dtype=object).reshape(len(x), -1) - identity(len(x))))
    return entries @ radii(within)


def identity(size: int) -> Balls:
    """Return the identity."""
    matrix = zeros(size, size)
    matrix[np.arange(size), np.arange(size)] = arb(1)
    return matrix


def radii(within: Box) -> Balls:
    """Return the radii of a box."""
    return np.array([entry.rad() for entry in within.all], dtype=object)


class Proof(NamedTuple):
    """Existence: a box with exactly one root, and what is needed to look at larger boxes."""

    box: Box
    radius: str  # a decimal; the box is that of the ball around it
    inverse: arb_mat


def exists(given: System, radius: str | None = None) -> Proof | None:
    """Prove that the cube of a radius (of one that fits, where none is given) holds one stationary point."""
    centre = box(given, arb(0))
    inverse = preconditioner(given, centre)
    if inverse is None:
        return None
    step = newton_step(given, inverse, centre)
    size = max((upper(abs(entry)) for entry in step), default=arb(0))
    if not size.is_finite():
        return None
    radius = decimal_above(size * ROOM + SMALLEST, 3) if radius is None else radius
    within = box(given, arb(radius))
    left, room = upper(abs(step)) + spread(given, inverse, within), radii(within)
    room[: given.centre.size] = arb(radius).lower()  # radii of balls are rounded up; the root is in the cube
    inside = all(bool(a < b) for a, b in zip(left, room, strict=True))
    return Proof(within, radius, inverse) if inside else None


def contraction(given: System, inverse: arb_mat, radius: arb) -> arb:
    """Return the largest |I − C J(X)| rad X / rad X of the cube of a radius."""
    within = box(given, radius)
    found = spread(given, inverse, within) / radii(within)
    if not all(entry.is_finite() for entry in found):
        return arb("inf")
    return max(upper(entry) for entry in found)


def largest_alone(given: System, proof: Proof) -> arb | None:
    """Return a radius, as large as is easily found, of a cube with one stationary point up to rotation."""
    radius, best = arb(1e-6), None
    for _ in range(ATTEMPTS):
        if not radius > arb(proof.radius):
            break
        found = contraction(given, proof.inverse, radius)
        if found < 1:
            best = radius
            if found > HALF / 4:
                break
            radius = radius * arb.min(arb(HALF) / arb.max(found, arb(1e-6)), arb(1000))
        elif best is not None:
            break
        else:
            radius = radius / 30
        radius = arb(radius.mid())
    return best
