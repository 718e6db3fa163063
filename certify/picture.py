"""The picture of a certificate: the geometry of its point."""

from __future__ import annotations

import numpy as np

from certify.certificate import Certificate
from certify.encoding import decode_point, decode_witness
from relax.answer import Answer, Status
from relax.bounds import feasible
from relax.orbits import OrbitMatrix
from relax.solution import Solution


def picture(certificate: Certificate) -> bytes | None:
    """Return a small PNG, None for a program without a problem and for vectors of several roles."""
    solution = geometry_of(certificate)
    if solution is None:
        return None
    from relax.plots import thumbnail

    return thumbnail(solution)


def geometry_of(certificate: Certificate) -> Solution | None:
    """Return the point of a certificate as a solution in float64, to be looked at; nothing is verified."""
    if certificate.problem is None:
        return None
    level = certificate.document["claim"]["level"]
    reduction = certificate.problem.reduction(level)
    program = certificate.problem.assembled(reduction)
    if program.roles != 1:
        return None
    point = decode_point(certificate.document["point"], program)
    g, square = program.multiplicity, point.within**2
    peer = point.vectors @ point.vectors.T
    own = peer.diagonal() + square * (1 - 1 / g)
    peer[np.diag_indices_from(peer)] -= square / g
    matrix = feasible(program, OrbitMatrix(g, own[:, None, None], peer))
    witness = decode_witness(certificate.document["witness"], program)
    return Solution(
        certificate.problem, reduction, level, Answer(program, matrix, witness, Status.CONVERGED, 0)
    )
