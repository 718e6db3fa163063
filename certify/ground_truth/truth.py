"""`ground_truth`: the geometry of a problem's optimum with a proven error, and vectors that have it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from certify.certificate import certify
from certify.ground_truth.cache import Folder, store, stored, suffices
from certify.ground_truth.enclosure import enclosed_gram
from certify.ground_truth.labelling import check_counts, class_sizes, labelled
from certify.rounding import upward
from relax import solve
from relax.errors import InputError, SolverError, between, expect
from relax.facts import Shown, brief
from relax.files import named, write_atomically
from relax.geometry import embed
from relax.problem import Problem, Ridge
from relax.solution import LARGEST_GRAM

if TYPE_CHECKING:
    from torch import Tensor
else:
    Tensor = Any

ATOL = 1e-4


@brief
@dataclass(frozen=True, eq=False)
class GroundTruth(Shown):
    """The optimal geometry of a problem, with a proven error.

    Attributes
    ----------
    problem : Problem
        Whose optimum it is.
    gram : (k, k) array
        ⟨μ_c, μ_c'⟩ of the class vectors, in the user's order of classes (`Problem.from_labels`: the sorted
        order of labels); read-only. All samples of a class coincide at the optimum.
    error : float
        Every optimum, in every dimension, has its Gram matrix within this of `gram`, entrywise. Proven, and
        rounded up.
    certificate : str
        The text of the certificate file behind it.
    """

    problem: Problem
    gram: Float64[np.ndarray, "k k"]
    error: float
    certificate: str = field(repr=False)  # long, where pytest prints values

    @cached_property
    def claim(self) -> dict[str, Any]:
        """What the certificate claims (docs/certificate-format.md)."""
        return json.loads(self.certificate)["claim"]

    @property
    def sha256(self) -> str:
        """The hash of the claim, as the certificate has it."""
        return json.loads(self.certificate)["sha256"]

    @property
    def lower(self) -> str:
        """A decimal number that the loss of no feature matrix is below."""
        return self.claim["lower"]

    @property
    def upper(self) -> str:
        """A decimal number that the loss of the geometry in the certificate is not above."""
        return self.claim["upper"]

    def save(self, path: str | Path) -> None:
        """Write the certificate, for `gramcert check` (temporary file, then renamed)."""
        write_atomically(path, self.certificate + "\n")

    def vectors(self, dim: int | None = None) -> Float64[np.ndarray, "k dim"]:
        """Return one vector a class whose Gram matrix is `gram`, to rounding; determined up to a rotation.

        For a problem about non-negative features these have no negative entries: the rows of √gram.

        Parameters
        ----------
        dim : int, optional
            The length of the vectors. By default the numerical rank of `gram` (k for non-negative ones).

        Raises
        ------
        InputError
            If `dim` is too small, or no non-negative vectors are known.
        """
        return _nonnegative_root(self.gram, dim) if self.problem.nonnegative else embed(self.gram, dim)

    def features(
        self, labels: Iterable[Any] | None = None, dim: int | None = None
    ) -> Float64[np.ndarray, "n dim"]:
        """Return one feature a sample: the vector of its class.

        Parameters
        ----------
        labels : one label for each sample, optional
            Classes stand in the sorted order of labels. Without labels the samples of a class stand side by
            side, classes in the order of the problem.
        dim : int, optional
            The length of the features; see `vectors`.

        Raises
        ------
        InputError
            If the labels do not have the class counts of the problem, views included, or `dim` is small.
        """
        if labels is None:
            return np.repeat(self.vectors(dim), class_sizes(self.problem), axis=0)
        given = labelled(labels)
        check_counts(given, self.problem)
        return self.vectors(dim)[given.classes]

    def torch_features(
        self, labels: Iterable[Any] | None = None, dim: int | None = None, device: str = "cpu"
    ) -> Tensor:
        """Return `features` as a torch tensor of float64 on a device."""
        import torch

        return torch.from_numpy(self.features(labels, dim)).to(device)

    def facts(self) -> list[tuple[str, str]]:
        """Return what there is to print, as (label, value) pairs."""
        return [
            ("loss", f"{self.problem.loss.name}, temperature {self.problem.temperature:g}"),
            ("counts", str(self.problem.counts)),
            ("loss ≥", self.lower),
            ("loss ≤", self.upper),
            ("Gram error", f"{upward(self.error, 2)}, proven"),
        ]


def ground_truth(problem: Problem, atol: float = ATOL, cache: Folder = None) -> GroundTruth:
    """Return the geometry of a problem's optimum with a proven error, from disk where it was proven before.

    What is kept on disk is a certificate, under a name made of the problem, the certificate's schema and the
    version of this package. It is verified in ball arithmetic whenever it is read; whatever does not pass is
    replaced. Any number of processes may share the folder.

    Parameters
    ----------
    problem : Problem
        For instance `Problem.from_labels(labels, temperature=0.1)`.
    atol : float
        The largest proven error of a Gram entry that will do.
    cache : path, optional
        The folder to keep it in; by default $GRAMCERT_CACHE, else gramcert in the user's cache folder.

    Returns
    -------
    GroundTruth
        Gram matrix, proven error, class vectors, features and the certificate.

    Raises
    ------
    InputError
        If no error can be proven for this kind of problem, it is proven to be larger than `atol` only, there
        are more than 20,000 classes, or the cache folder that was named cannot be written.
    SolverError
        If the optimum is not certified.
    """
    expect(problem, Problem, "problem", "give a Problem: ground_truth(Problem([12, 6, 3]))")
    if cache is not None:
        named(cache, "give the name of a folder as cache")
    atol = between(atol, 0, math.inf, "atol", f"{ATOL:g}")
    if problem.counts.classes > LARGEST_GRAM:
        raise InputError(
            f"{problem.counts.classes} classes are too many to write out their Gram matrix; use relax.solve "
            "and certify.certify, which keep it by groups of equal classes"
        )
    reason = refusal(problem)
    if reason is not None:
        raise InputError(reason)
    document = stored(problem, cache)
    if document is None:
        document = _proven(problem)
        store(document, problem, cache)
    gram, error = enclosed_gram(problem, document)
    if error > atol:
        raise InputError(
            f"the Gram matrix is proven to within {upward(error, 3)} only, and atol = {atol:g} asks for "
            "more; give a larger atol"
        )
    return GroundTruth(problem, gram, error, json.dumps(document, ensure_ascii=True))


def refusal(problem: Problem) -> str | None:
    """Return None where the optimum of a problem is one vector a class, else a sentence that says why not."""
    reduction, name = problem.reduction(), problem.loss.name
    nodes = reduction.nodes
    if nodes.roles != ("feature",) or nodes.unit != "class":
        return f"the optimum of {name} is no vector for each class; use relax.solve and certify.certify"
    if nodes.square is not None:
        return f"the program of {name} has vectors of other lengths than the features; use relax.solve"
    if not (reduction.attained and reduction.below):
        return f"the program of {name} bounds it and says nothing of its geometry; use certify.certify"
    return None


def _proven(problem: Problem) -> dict[str, Any]:
    """Return a certificate that will do as ground truth."""
    proof = certify(solve(problem))
    if suffices(proof.document["claim"], problem):
        return proof.document
    if proof.verdict.name != "CERTIFIED":
        raise SolverError(
            f"the optimum is not certified: the proven gap is {proof.gap_in_words()}; raise "
            "the temperature, or try relax.solve with another solver"
        )
    ridge = isinstance(problem.norm, Ridge)
    mend = "give norm=Sphere() or Ball()" if ridge else "raise the temperature or lower the class ratio"
    raise InputError(f"the optimum is certified, but no error of its Gram matrix could be proven; {mend}")


def _nonnegative_root(gram: Float64[np.ndarray, "k k"], dim: int | None) -> Float64[np.ndarray, "k dim"]:
    """Return the symmetric square root, padded by zeros: it is ≥ 0 for what is close to a diagonal matrix."""
    k = len(gram)
    values, basis = np.linalg.eigh(gram)
    root = basis * np.sqrt(np.maximum(values, 0)) @ basis.T
    if dim is not None and dim < k:
        raise InputError(f"dim = {dim} is too small for {k} non-negative vectors; give at least {k}")
    if root.min() < -(gram.diagonal().max() ** 0.5) * 1e-9:
        raise InputError("no non-negative vectors with this Gram matrix are known; use .gram itself")
    return np.pad(np.maximum(root, 0), ((0, 0), (0, 0 if dim is None else dim - k)))
